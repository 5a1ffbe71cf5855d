#include "github_api/people.h"

namespace github {

std::string_view name_of(Permission permission) {
  constexpr std::string_view kNames[] = {"none", "read", "triage", "write", "maintain", "admin"};
  return kNames[static_cast<std::size_t>(permission)];
}

// `permission` knows four steps only, and says of a role with a name of its own which of them it is;
// `role_name` tells the two steps between.
// Source: docs.github.com/rest/collaborators, "Get repository permissions for a user".
Standing standing_of(davit::JsonView json) {
  Standing standing{.person = person_of(json["user"])};
  const davit::JsonView step = json["permission"], role = json["role_name"];
  if (step == "admin") standing.permission = Permission::Admin;
  if (step == "write") standing.permission = role == "maintain" ? Permission::Maintain : Permission::Write;
  if (step == "read") standing.permission = role == "triage" ? Permission::Triage : Permission::Read;
  return standing;
}

}  // namespace github
