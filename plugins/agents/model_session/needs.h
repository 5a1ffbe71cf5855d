// What a session needs that is there before it, or is not.
#pragma once

#include <string>

#include "agent_config/secrets.h"
#include "agent_config/settings.h"
#include "davit/agent.hpp"
#include "model_account/account.h"

namespace model_session {

// What is missing on this machine or among the grants (git, the model's program, a sandbox where it is
// required, a variable of claude.pass_environment) with what to install or grant; empty: nothing that can be
// seen. Starts nothing and asks nobody: for pre_execute().
std::string lack_of(const agent_config::Settings& settings, const agent_config::Secrets& secrets,
                    const davit::AgentContext& context);

// The account that a session of this `model` would use, as far as it is known here: by all that settings pass
// on to the CLI.
model_account::Account account_of(const agent_config::Settings& settings, const agent_config::Secrets& secrets,
                                  const davit::AgentContext& context, const std::string& model);

// Throws davit::Failure(RateLimited) while that account takes no session, with the time to wait: for the
// pre_execute() of an agent that needs one for each of its tasks. Asks nobody.
void await_account(const agent_config::Settings& settings, const agent_config::Secrets& secrets,
                   const davit::AgentContext& context, davit::Time now);

}  // namespace model_session
