#include "host/dispatch/serving_agent.h"

namespace davit::dispatch {
namespace {

isolation::RunnerSpec runner_for(const plugin::Agent& agent) {
  isolation::RunnerSpec spec;
  spec.library = agent.generation->stored;
  spec.sha256 = agent.generation->sha256;
  spec.kind = PluginKind::Agent;
  spec.index = agent.offer.index;
  spec.name = agent.settings.name;
  spec.config = agent.settings.config;
  spec.granted = agent.settings.granted;
  spec.environment = agent.settings.environment;
  spec.calls_per_runner = agent.settings.executions_per_runner;
  return spec;
}

}  // namespace

ServingAgent::ServingAgent(std::shared_ptr<const plugin::Agent> serving)
    : agent(std::move(serving)),
      runner(isolation::PreparedSpec::make(runner_for(*agent))),
      redactor(agent->settings.granted) {}

}  // namespace davit::dispatch
