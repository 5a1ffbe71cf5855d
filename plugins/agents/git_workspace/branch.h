// Names of branches.
#pragma once

#include <string>
#include <string_view>

namespace git {

// Whether davit uses a branch of this name: letters, digits and . _ / - only, and nothing that means
// something to git or in an address (".." "//" "@{" "#", ".lock" or "." at the end of a part, "refs/" in
// front, "HEAD"); at most 200 bytes. git allows more, davit does not need it.
bool valid_branch(std::string_view name);

// "davit/plan-shop-412-0190a1b2" of ("davit/", "plan SHOP-412", "0190a1b2"): small letters and digits of the
// words, the rest as single dashes, at most 60 bytes of them; then the id, made plain in the same way. Always
// valid if the prefix is one or more valid parts with "/" at the end; the same words and id give the same
// name.
std::string branch_name(std::string_view prefix, std::string_view words, std::string_view id);

}  // namespace git
