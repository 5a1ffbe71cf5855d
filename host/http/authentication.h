// Who may call what: bearer tokens, kept and compared as SHA-256 only.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace davit::http {

enum class Role { Reader, Admin };

// Immutable; thread-safe.
class Authentication {
 public:
  // Hashes in hex; an empty one means that nobody has that role.
  Authentication(std::string admin_token_sha256, std::string reader_token_sha256);

  // The role that an Authorization header gives, or nullopt. Takes the same time whatever part of a token is
  // right.
  std::optional<Role> role_of(std::string_view authorization) const;

 private:
  std::string admin_;
  std::string reader_;
};

}  // namespace davit::http
