#include "host/conformance/agent_driver.h"

#include <unistd.h>

#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>

#include "host/conformance/judge.h"
#include "host/plugin/host_services.h"
#include "host/plugin/marshal.h"

namespace davit::conformance {
namespace {

// A real host waits about as long before it kills the tree.
constexpr Duration kCancelGrace{3000};
constexpr Duration kSlowAgentTime{50};

}  // namespace

std::unique_ptr<AgentDriver> AgentDriver::create(Subject& subject, CheckHost& host) {
  std::unique_ptr<AgentDriver> driver(new AgentDriver(subject, host));
  Reporter& report = subject.report;
  struct Room {
    davit_agent agent;
    char more[64];
  } room{};
  const std::uint32_t offered = host.profile().longer_structs  ? sizeof room
                                : host.profile().guard_structs ? kOldestAgent
                                                               : sizeof(davit_agent);
  room.agent.struct_size = offered;
  std::unique_ptr<GuardedBytes> guarded;
  davit_agent* target = &room.agent;
  if (host.profile().guard_structs) {
    guarded = std::make_unique<GuardedBytes>(std::string_view(reinterpret_cast<const char*>(&room), offered));
    target = reinterpret_cast<davit_agent*>(guarded->data());
  }
  report.doing("create");
  const Said said = host.call("create", [&](CallSlot& slot) {
    return subject.module->agents()->create(subject.job.index, host.abi(), slot.abi_call(), target);
  });
  if (!judge_struct(report, said, target->struct_size, offered, kOldestAgent)) return nullptr;
  std::memcpy(&driver->agent_, target, std::min<std::size_t>(target->struct_size, sizeof(davit_agent)));
  if (!driver->agent_.execute || !driver->agent_.destroy) {
    report.found(rule("instance-struct"), "create left out a required function");
    driver->agent_.destroy = nullptr;
    return nullptr;
  }
  return driver;
}

AgentDriver::~AgentDriver() {
  if (agent_.destroy) {
    subject_.report.doing("destroy");
    try {
      agent_.destroy(agent_.self);
    } catch (...) {
      subject_.report.found(rule("exceptions"), "destroy threw");
    }
  }
  host_.end_life();
}

void AgentDriver::cancel() {
  cancelled_ = true;
  if (!agent_.cancel) return;
  try {
    agent_.cancel(agent_.self);
  } catch (...) {
    subject_.report.found(rule("exceptions"), "cancel threw");
  }
}

Said AgentDriver::execute(const ContextInput& input, RunPlan plan) {
  std::mutex mutex;
  std::condition_variable ended;
  std::optional<Said> said;
  Duration time = plan.cancel_after.value_or(Duration{subject_.job.execution_ms});
  if (subject_.slow_agent) time = std::min(time, kSlowAgentTime);
  const MonotonicTime deadline = std::chrono::steady_clock::now() + time;
  if (plan.cancelled_before) cancel();
  std::thread owner([&] {
    Said outcome = host_.call(
        "execute",
        [&](CallSlot& slot) {
          return agent_.execute(agent_.self, slot.abi_call(), slot.lend(input.context), slot.abi_sink());
        },
        deadline, &cancelled_);
    const std::scoped_lock lock(mutex);
    said = std::move(outcome);
    ended.notify_all();
  });
  {
    std::unique_lock lock(mutex);
    if (!plan.cancelled_before && !ended.wait_until(lock, deadline, [&] { return said.has_value(); })) {
      lock.unlock();
      subject_.slow_agent = true;
      cancel();
      lock.lock();
    }
    if (!ended.wait_for(lock, kCancelGrace, [&] { return said.has_value(); })) {
      subject_.report.found(rule("cancel"), "execute with " + input.what + " did not return within " +
                                                std::to_string(kCancelGrace.count()) +
                                                " ms after it was cancelled");
      subject_.report.gave_up();
      subject_.report.done();
      ::_exit(0);
    }
  }
  owner.join();
  return std::move(*said);
}

bool AgentDriver::judge_result(const char* hook, const ContextInput& input, const Said& said) {
  bool mended = false;
  auto read = plugin::agent_result_from_json(said.output, &mended);
  if (!read) judge_read(subject_.report, hook, input.what, read.error());
  if (mended)
    subject_.report.found(rule("usage"),
                          "A figure or a model's name of the usage in the result is impossible");
  return read.ok();
}

bool AgentDriver::rescue(const ContextInput& input, const Said& failure) {
  if (failure.status == DAVIT_CANCELLED || failure.status == DAVIT_DEADLINE || !agent_.on_error) return false;
  const Said made = ask("on_error", input, [&](CallSlot& slot) {
    return agent_.on_error(agent_.self, slot.abi_call(), slot.lend(input.context), failure.status,
                           slot.lend(failure.error), slot.abi_sink());
  });
  if (!judge_said(subject_.report, "on_error", input.what, made) || made.status != DAVIT_OK) return false;
  return judge_result("on_error", input, made);
}

bool AgentDriver::run(const ContextInput& input, RunPlan plan) {
  Reporter& report = subject_.report;
  cancelled_ = false;
  if (agent_.pre_execute && !plan.cancelled_before) {
    const Said said = ask("pre_execute", input, [&](CallSlot& slot) {
      return agent_.pre_execute(agent_.self, slot.abi_call(), slot.lend(input.context), slot.abi_sink());
    });
    if (!judge_said(report, "pre_execute", input.what, said) || said.status == DAVIT_IGNORED) return false;
    if (said.status != DAVIT_OK && said.status != DAVIT_NOT_IMPLEMENTED) return rescue(input, said);
  }
  report.doing("execute with " + input.what);
  const Said result = execute(input, plan);
  if (!judge_said(report, "execute", input.what, result)) return false;
  if (result.status == DAVIT_IGNORED) {
    report.found(rule("status"),
                 "execute with " + input.what + " returned DAVIT_IGNORED, which means nothing there");
    return false;
  }
  if (result.status != DAVIT_OK) return rescue(input, result);
  if (!judge_result("execute", input, result)) return false;
  if (!agent_.post_execute) return true;
  const Said changed = ask("post_execute", input, [&](CallSlot& slot) {
    return agent_.post_execute(agent_.self, slot.abi_call(), slot.lend(input.context),
                               slot.lend(result.output), slot.abi_sink());
  });
  if (!judge_said(report, "post_execute", input.what, changed)) return false;
  if (changed.status == DAVIT_NOT_IMPLEMENTED || changed.status == DAVIT_IGNORED) return true;
  return changed.status == DAVIT_OK ? judge_result("post_execute", input, changed) : rescue(input, changed);
}

}  // namespace davit::conformance
