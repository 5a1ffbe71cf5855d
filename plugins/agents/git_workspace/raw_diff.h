// What files two trees differ in, as git prints it.
#pragma once

#include <string_view>
#include <vector>

#include "git_workspace/gate.h"

namespace git {

// The output of `git diff-tree -r -z --raw --no-renames --no-abbrev`.
std::vector<File> files_in(std::string_view raw);

}  // namespace git
