#include "host/model/access.h"

#include <algorithm>

namespace davit {

std::string_view to_string(Role role) { return role == Role::Admin ? "admin" : "reader"; }

std::optional<Role> role_from(std::string_view text) {
  for (const Role role : {Role::Reader, Role::Admin})
    if (text == to_string(role)) return role;
  return std::nullopt;
}

bool is_token_name(std::string_view name) {
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !name.empty() && name.size() <= 64 && plain(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return plain(c) || c == '.' || c == '_' || c == '-'; });
}

}  // namespace davit
