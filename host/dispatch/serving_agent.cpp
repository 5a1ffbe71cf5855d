#include "host/dispatch/serving_agent.h"

namespace davit::dispatch {

ServingAgent::ServingAgent(std::shared_ptr<const plugin::Agent> serving)
    : agent(std::move(serving)), runner(isolation::PreparedSpec::make(isolation::runner_spec_of(*agent))) {}

}  // namespace davit::dispatch
