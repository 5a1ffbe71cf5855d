#include "host/http/authentication.h"

#include <strings.h>

#include "host/base/crypto.h"

namespace davit::http {

Authentication::Authentication(std::string admin_token_sha256, std::string reader_token_sha256)
    : admin_(std::move(admin_token_sha256)), reader_(std::move(reader_token_sha256)) {}

std::optional<Role> Authentication::role_of(std::string_view authorization) const {
  constexpr std::string_view kScheme = "Bearer ";
  if (authorization.size() <= kScheme.size() ||
      strncasecmp(authorization.data(), kScheme.data(), kScheme.size()) != 0) {
    return std::nullopt;
  }
  std::string_view token = authorization.substr(kScheme.size());
  while (!token.empty() && token.front() == ' ') token.remove_prefix(1);
  if (token.empty()) return std::nullopt;
  // The hash makes both sides the same length; both comparisons are always made.
  std::string presented = sha256_hex(token);
  bool admin = constant_time_equal(presented, admin_);
  bool reader = constant_time_equal(presented, reader_);
  if (admin) return Role::Admin;
  if (reader) return Role::Reader;
  return std::nullopt;
}

}  // namespace davit::http
