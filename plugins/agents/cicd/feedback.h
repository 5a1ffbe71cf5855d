// What the executor is told about a change that broke something.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "cicd/judge.h"

namespace cicd {

// Which checks failed, and of those that failed for real the ends of their logs, in `log_bytes` altogether.
// It is other people's text all the same, for whoever can push decides what a job prints.
std::string feedback_for(const std::string& sha, std::span<const Failed> failed, bool started_again,
                         std::size_t log_bytes);

}  // namespace cicd
