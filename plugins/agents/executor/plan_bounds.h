// Which files a plan speaks of.
#pragma once

#include <string>
#include <vector>

#include "git_workspace/gate.h"
#include "work_item/work_item.h"

namespace executor {

// Those of `files` that the plan does not name, that are not its own file, and that match none of
// `test_paths` (git_workspace/path_pattern.h).
std::vector<std::string> beyond(const work::Plan& plan, const std::vector<git::File>& files,
                                const std::vector<std::string>& test_paths);

}  // namespace executor
