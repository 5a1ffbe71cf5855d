// What a session needs that is there before it, or is not.
#pragma once

#include <string>

#include "agent_config/secrets.h"
#include "agent_config/settings.h"
#include "davit/agent.hpp"

namespace model_session {

// What is missing on this machine or among the grants (git, the model's program, a sandbox where it is
// required, a variable of claude.pass_environment) with what to install or grant; empty: nothing that can be
// seen. Starts nothing and asks nobody: for pre_execute().
std::string lack_of(const agent_config::Settings& settings, const agent_config::Secrets& secrets,
                    const davit::AgentContext& context);

}  // namespace model_session
