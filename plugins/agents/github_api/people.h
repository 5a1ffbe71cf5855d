// What a person may do in a repository.
#pragma once

#include "davit/json.hpp"
#include "github_api/shapes.h"

namespace github {

// Each includes those before it. A role that an organization made for itself counts as the one it is based
// on.
enum class Permission { None, Read, Triage, Write, Maintain, Admin };
std::string_view name_of(Permission permission);

struct Standing {
  Person person;  // as GitHub knows it today
  Permission permission = Permission::None;
};

// Of GET /repos/.../collaborators/LOGIN/permission; what is not known gives no permission.
Standing standing_of(davit::JsonView json);

}  // namespace github
