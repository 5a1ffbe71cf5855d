// Makes SQLite keep another durability than the store asks for, in a program that is to be found bad.
#pragma once

#include <sqlite3.h>

#include <string_view>

namespace davit::faults {

inline constexpr char kNormalDurability[] = "PRAGMA synchronous = NORMAL";
inline constexpr char kNoDurability[] = "PRAGMA synchronous = OFF";

// Before anybody else uses a new connection: sets its durability and makes SQLite ignore every later wish.
template <const char* kPragma>
int overrule_durability(sqlite3* database, char**, const sqlite3_api_routines*) {
  const int code = sqlite3_exec(database, kPragma, nullptr, nullptr, nullptr);
  sqlite3_set_authorizer(
      database,
      [](void*, int action, const char* name, const char*, const char*, const char*) {
        const bool wish =
            action == SQLITE_PRAGMA && name != nullptr && std::string_view(name) == "synchronous";
        return wish ? SQLITE_IGNORE : SQLITE_OK;
      },
      nullptr);
  return code;
}

// From now on, for every connection of this process.
template <const char* kPragma>
void keep_durability() {
  using Extension = void (*)();
  sqlite3_auto_extension(reinterpret_cast<Extension>(overrule_durability<kPragma>));
}

}  // namespace davit::faults
