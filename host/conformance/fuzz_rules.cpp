// Hooks with mutated input. The same seed makes the same cases in the same order.
#include "host/conformance/agent_driver.h"
#include "host/conformance/check.h"
#include "host/conformance/webhook_driver.h"

namespace davit::conformance {
namespace {

// Calls `run` with case after case.
template <typename Run>
void each_case(const Job& job, Run&& run) {
  const MonotonicTime end = std::chrono::steady_clock::now() + std::chrono::milliseconds(job.rounds_ms);
  for (int number = 0; number < job.fuzz_cases; ++number) {
    if (!job.fuzz_all && std::chrono::steady_clock::now() >= end) return;
    run(number);
  }
}

std::string named(const Job& job, int number, const std::string& what) {
  return "case " + std::to_string(number) + " of seed " + std::to_string(job.seed) + ", made of " + what;
}

}  // namespace

void check_fuzz(Subject& subject) {
  const Job& job = subject.job;
  CheckHost host(job.config, {}, subject.report);
  if (job.kind == PluginKind::Webhook) {
    const auto webhook = WebhookDriver::create(subject, host);
    if (!webhook) return;
    const std::vector<RequestInput> from = request_inputs(job, InputClass::Plain);
    each_case(job, [&](int number) {
      RequestInput input = mutated(from, job.seed, number);
      input.what = named(job, number, input.what);
      webhook->deliver(input);
    });
  } else {
    const auto agent = AgentDriver::create(subject, host);
    if (!agent) return;
    const std::vector<ContextInput> from = context_inputs(job, InputClass::Plain);
    each_case(job, [&](int number) {
      ContextInput input = mutated(from, job.seed, number);
      input.what = named(job, number, input.what);
      agent->run(input, {.cancel_after = Duration{200}});
    });
  }
}

}  // namespace davit::conformance
