// One agent instance under check: an execution through its hooks as the host does it, everything judged, and
// ended by cancellation where it takes too long.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "host/conformance/check.h"
#include "host/conformance/check_host.h"
#include "host/conformance/inputs.h"

namespace davit::conformance {

struct RunPlan {
  // When execute has not come back by then it is cancelled; also its deadline. Nullopt: what the job says.
  std::optional<Duration> cancel_after{};
  bool cancelled_before = false;  // cancelled before it begins
};

// Confined to one thread. The host outlives it.
class AgentDriver {
 public:
  static std::unique_ptr<AgentDriver> create(Subject& subject, CheckHost& host);
  ~AgentDriver();

  // True if there was a result. Where execute does not come back after its cancellation, that is reported and
  // the process ends: there is no other way to get rid of it.
  bool run(const ContextInput& input, RunPlan plan = {});

 private:
  AgentDriver(Subject& subject, CheckHost& host) : subject_(subject), host_(host) {}
  Said execute(const ContextInput& input, RunPlan plan);
  template <typename Function>
  Said ask(const char* hook, const ContextInput& input, Function&& function) {
    subject_.report.doing(std::string(hook) + " with " + input.what);
    return host_.call(hook, std::forward<Function>(function), MonotonicTime::max(), &cancelled_);
  }
  bool rescue(const ContextInput& input, const Said& failure);  // on_error, where the host would ask it
  bool judge_result(const char* hook, const ContextInput& input, const Said& said);
  void cancel();
  Subject& subject_;
  CheckHost& host_;
  davit_agent agent_{};
  std::atomic<bool> cancelled_{false};
};

}  // namespace davit::conformance
