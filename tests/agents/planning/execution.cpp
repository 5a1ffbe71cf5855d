#include "tests/agents/planning/execution.h"

#include "tests/plugins/testdata.h"

namespace execution {

Outcome run(const std::string& plugin, const std::string& config,
            const std::map<std::string, std::string>& secrets, const davit::Json& context) {
  davit::testing::FakeHost host;
  host.config = config;
  host.secrets = secrets;
  davit::testing::AgentDriver agent(testdata::plugin(plugin).agents(), 0, host);
  const davit::testing::Outcome ended = agent.run(context);
  Outcome outcome{.status = ended.status,
                  .output = ended.output,
                  .error = ended.error,
                  .transcript = host.transcript,
                  .artifacts = {}};
  for (const auto& [name, artifact] : host.artifacts) outcome.artifacts[name] = artifact.content;
  return outcome;
}

}  // namespace execution
