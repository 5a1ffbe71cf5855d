// The one translation between the host's nouns and the JSON of the ABI and of the frames.
#pragma once

#include <string>
#include <string_view>

#include "host/base/result.h"
#include "host/model/agent_result.h"
#include "host/model/event.h"
#include "host/model/plugin_info.h"
#include "host/model/task.h"

namespace davit::plugin {

// Read what a plugin wrote. InvalidInput names the member; texts are checked and capped (docs in ABI.md).
Result<WebhookAnswer> webhook_answer_from_json(std::string_view json);
Result<AgentResult> agent_result_from_json(std::string_view json);
Result<Usage> usage_from_json(std::string_view json);

// The same nouns as JSON, for frames.
std::string to_json(const WebhookAnswer& answer);
std::string to_json(const AgentResult& result);
std::string to_json(const Usage& usage);
std::string to_json(const ProbeReport& report);
Result<ProbeReport> probe_report_from_json(std::string_view json);

// The context an agent gets (agent.h of the ABI).
std::string agent_context_json(const ClaimedTask& task, std::string_view config_json, WallTime deadline,
                               std::string_view workspace);

}  // namespace davit::plugin
