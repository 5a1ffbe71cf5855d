// When a failure is the end of it, so that the source can be told.
#pragma once

#include "davit/agent.hpp"
#include "davit/failure.hpp"

namespace note {

// Whether the host tries no more after this.
bool is_last_try(const davit::Failure& failure, const davit::AgentContext& context);

}  // namespace note
