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

// Read what a plugin or a runner wrote. InvalidInput names the member that is of a wrong type, missing, or
// too long to be cut (names, keys, ids); sentences for people are cut and freed of control bytes. Unknown
// members are ignored.
Result<WebhookAnswer> webhook_answer_from_json(std::string_view json);

// An error_class may also be "cancelled" or "deadline", which only the driver in a runner says; what only the
// host can know (crash, interrupted) is refused. "approval_refused" is a class of its own here.
Result<AgentResult> agent_result_from_json(std::string_view json, bool* mended_usage = nullptr);

// Figures that are negative or no numbers count as 0, absurd ones as the greatest allowed. Models beyond the
// 64th, and those with a name over 128 bytes or with control bytes, are summed up as "other"; such a name of
// the main one is dropped. `mended` (may be null) tells whether there was anything of that.
Result<Usage> usage_from_json(std::string_view json, bool* mended = nullptr);

// Per figure the greater one: totals never shrink, but costs that were estimated do once exact ones are told
// (a total of 0 tells none). Models are united, 64 of them and "other"; the newer name of the main model
// wins.
Usage merged(const Usage& before, const Usage& now);

// The same nouns as JSON, for frames; reading them back gives equal values.
std::string to_json(const WebhookAnswer& answer);
std::string to_json(const AgentResult& result);
std::string to_json(const Usage& usage);
std::string to_json(const ProbeReport& report);
// Checks every offer's metadata again: a report comes from a process in which the plugin has run.
Result<ProbeReport> probe_report_from_json(std::string_view json);

// How agents are to confine the programs that they start.
struct Sandbox {
  std::string command = "bwrap";
  bool required = true;  // where it is missing, such a program is not started
};

// Where an execution runs. Folders are absolute; an empty one: there is none.
struct ExecutionPlace {
  std::string workspace;     // of this execution alone
  std::string state_folder;  // of all agents, and never emptied
  Sandbox sandbox;
};

// The context an agent gets (agent.h of the ABI).
std::string agent_context_json(const ClaimedTask& task, std::string_view config_json, WallTime deadline,
                               const ExecutionPlace& place);

}  // namespace davit::plugin
