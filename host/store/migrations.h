// The numbered steps of the schema. Each file of schema/ is one step; the number a database has reached is
// its user_version. A step that has been released is never changed, only followed by another.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "host/base/log.h"
#include "host/base/result.h"
#include "host/store/database.h"

namespace davit::store {

struct Migration {
  int version = 0;
  std::string_view name;
  std::string_view sql;
};

// Ascending from 1 without gaps.
std::span<const Migration> migrations();
inline int newest_version() { return static_cast<int>(migrations().size()); }

// Brings the database from its version to the last of `steps`, each step in a transaction of its own. An
// existing database is copied to "<path>.before-v<N>" first, whose path is logged.
Result<> migrate(Database& database, const std::filesystem::path& path, std::span<const Migration> steps,
                 Log& log);

}  // namespace davit::store
