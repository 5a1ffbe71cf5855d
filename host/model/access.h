// Who may use the API, and what is noted of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "host/base/clock.h"

namespace davit {

enum class Role {
  Reader,  // sees
  Admin,   // sees and acts
};
std::string_view to_string(Role role);  // "reader"
std::optional<Role> role_from(std::string_view text);

// A token with a name, without its secret.
struct AccessToken {
  std::string name;
  Role role = Role::Reader;
  std::string sha256;  // of the secret, 32 raw bytes
  WallTime created_at{};
  std::string created_by;
  std::optional<WallTime> expires_at;
  std::optional<WallTime> used_at;  // to the hour; absent: never
  std::optional<WallTime> revoked_at;
};

// A name of a token: 1 to 64 of a-z, 0-9, '.', '_' and '-', the first a letter or digit. "admin" and "reader"
// are those of the configuration.
bool is_token_name(std::string_view name);

// What a browser has in place of the token that it signed in with.
struct LoginSession {
  std::string sha256;        // of the secret in its cookie, 32 raw bytes
  std::string token_sha256;  // whoever signed in has this token; the session ends with it
  WallTime created_at{};
  WallTime used_at{};  // to some minutes
  std::string address;
};

// One line of the audit log: what a person did, or was kept from doing, that is more than looking.
struct AuditEntry {
  std::int64_t number = 0;  // ascends with time; the store gives it
  WallTime at{};            // the store gives it
  std::string
      actor;  // name of the token; of a command on the database, the user of the machine; empty: not known
  std::string way;                // "token", "session", "offline" or "signal"
  std::string operation;          // id of the API's operation, "approveTask"
  std::string object;             // what it was done to: a task's id, an agent's name; may be empty
  std::string parameters = "{}";  // JSON object, without secrets
  std::string
      outcome;  // "done", "refused", "failed", "denied": not allowed to, or "begun": nobody saw it end
  std::string reason;             // a sentence, unless done
  std::string address;            // of who asked
  std::string request_id;
  std::int64_t unrecorded = 0;  // with "denied": how many more there were before it that are not kept
};

}  // namespace davit
