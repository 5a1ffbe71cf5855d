// Takes secrets out of all that a plugin has answered, member by member: none of its texts may be left out.
#pragma once

#include "host/model/agent_result.h"
#include "host/model/event.h"
#include "host/plugin/redactor.h"

namespace davit::plugin {

// Of what a webhook was given: its grants, and the secrets of its signatures.
Redactor redactor_for(const WebhookSettings& settings);

// Models that have the same name afterwards become one, with the sum of their figures.
void redact(const Redactor& redactor, Usage& usage);
void redact(const Redactor& redactor, AgentResult& result);
// But for `reply.url`: it is a secret of its own, is kept as one, and would lead nowhere.
void redact(const Redactor& redactor, WebhookAnswer& answer);

}  // namespace davit::plugin
