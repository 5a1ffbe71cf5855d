// A webhook or an agent, for checks that do not care which.
#pragma once

#include <memory>
#include <vector>

#include "host/conformance/agent_driver.h"
#include "host/conformance/webhook_driver.h"

namespace davit::conformance {

// Confined to one thread. From create to destroy.
class InstanceDriver {
 public:
  InstanceDriver(Subject& subject, CheckHost& host) {
    if (subject.job.kind == PluginKind::Webhook) {
      requests_ = request_inputs(subject.job, InputClass::Plain);
      webhook_ = WebhookDriver::create(subject, host);
    } else {
      contexts_ = context_inputs(subject.job, InputClass::Plain);
      agent_ = AgentDriver::create(subject, host);
    }
  }
  // One ordinary input, chosen by its number. Does nothing where create failed.
  void work(std::size_t number) {
    if (webhook_) webhook_->deliver(requests_[number % requests_.size()]);
    if (agent_) agent_->run(contexts_[number % contexts_.size()]);
  }

 private:
  std::vector<RequestInput> requests_;
  std::vector<ContextInput> contexts_;
  std::unique_ptr<WebhookDriver> webhook_;
  std::unique_ptr<AgentDriver> agent_;
};

}  // namespace davit::conformance
