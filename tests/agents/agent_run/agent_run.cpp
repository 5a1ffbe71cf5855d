#include "tests/agents/agent_run/agent_run.h"

#include "tests/plugins/testdata.h"

namespace agent_run {

using davit::Json;
using davit::Status;

Got run(const Given& given) {
  davit::testing::FakeHost host;
  host.config = given.config;
  host.secrets = given.secrets;
  host.now = given.now;
  host.cancelled = given.cancelled;
  if (given.remaining) host.remaining_ms = static_cast<std::uint64_t>(given.remaining->count());
  davit::testing::AgentDriver agent(testdata::plugin(given.plugin).agents(), 0, host);
  const Json config = Json::parse(given.config);
  Json context = davit::testing::AgentDriver::context(given.payload, config);
  context.set("previous_result", given.previous_result).set("attempt", given.attempt);
  context.set("state_folder", given.state_folder.string());
  for (const auto& [name, value] : given.context.members()) context.set(name, Json(value));

  const davit::testing::Outcome outcome = agent.run(context);
  Got got{.status = outcome.status,
          .why = outcome.status == Status::Ignored ? outcome.output : outcome.error,
          .retry_after = outcome.retry_after,
          .transcript = host.transcript,
          .all = outcome.output + "\n" + outcome.error};
  if (outcome.status == Status::Ok) got.result = Json::parse(outcome.output);
  for (const auto& [kind, line] : host.transcript) got.all += "\n" + line;
  for (const std::string& line : host.progress) got.all += "\n" + line;
  for (const auto& [name, artifact] : host.artifacts) {
    got.artifacts[name] = artifact.content;
    got.all += "\n" + artifact.content;
  }
  return got;
}

}  // namespace agent_run
