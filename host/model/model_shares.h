// Who of several models had how much of an execution.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "host/model/task.h"

namespace davit {

// The main model first (its name may be empty), then the others by name. Adds up to the totals of `usage`,
// whatever an agent has said: what the models do not account for belongs to the main one, and none of them
// gets more than is left.
std::vector<std::pair<std::string, ModelUsage>> model_shares(const Usage& usage);

}  // namespace davit
