// What the agents that work on one repository ask and say alike.
#pragma once

#include <string>
#include <string_view>

#include "actor_gate/actor_gate.h"
#include "agent_config/secrets.h"
#include "davit/agent.hpp"
#include "github_api/paths.h"
#include "http_client/http_client.h"
#include "redact/redactor.h"
#include "work_item/work_item.h"

namespace repository_task {

// Of "owner/name".
github::Repo repo_of(std::string_view repository);

// Whether somebody asked the execution to end. `run` outlives what is returned.
http::Cancel cancel_of(const davit::Run& run);

// Whether those who asked for the work, and who rejected what was made of it before, may have it done there.
gate::Question question_of(const work::Item& item, const github::Repo& repo);

// What of the request is shown where others read it: without secrets, and with nothing hidden in its title.
work::Request heading_of(const work::Item& item, const redact::Redactor& redactor);

// What the host does not give, or the operator did not grant, and each of them needs: a sentence for
// pre_execute; empty: nothing.
std::string lack_of_basics(const davit::AgentContext& context, const agent_config::Secrets& secrets);

}  // namespace repository_task
