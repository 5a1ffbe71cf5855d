// The runners in which hooks of webhooks are asked, the one thread that asks them, and threads for hooks in
// this process that nobody waits for.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <vector>

#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/base/result.h"
#include "host/base/side_threads.h"
#include "host/isolation/loop.h"
#include "host/isolation/process_tree.h"
#include "host/isolation/runner_pool.h"
#include "host/metrics/metrics.h"
#include "host/plugin/registry.h"
#include "host/plugin/webhook.h"

namespace davit::ingest {

// Outlives its thread: answers that come from elsewhere after end() still find it.
class HookRunners {
 public:
  // Unavailable if there is no thread to be had.
  static Result<std::shared_ptr<HookRunners>> start(isolation::KnownChildren& children,
                                                    const isolation::PoolOptions& pool, Log& log,
                                                    const Clock& clock, metrics::Metrics& metrics);
  // Waits for what runs aside, runs `last` on the thread, kills the runners and ends the thread. Once, and
  // never on one of these threads.
  void end(const std::function<void()>& last);

  // Thread-safe. Runs it on the thread; false, and the function dropped, once it has ended.
  bool post(std::function<void()> function);
  // Thread-safe. Runs it on a thread for what may take long, as a plugin's code may; or drops it, if this has
  // ended before its turn comes. Unavailable if there is no thread to be had.
  Result<> run_aside(std::function<void()> job);
  isolation::RunnerPool::Stats stats() const;

  // On the thread only.
  isolation::Loop& loop() { return *loop_; }
  void call(const std::shared_ptr<const plugin::Webhook>& webhook, isolation::Call call);
  // In a runner for this one call, which cannot have effects; also for a webhook that serves in process.
  void call_without_effects(const plugin::Webhook& webhook, isolation::Call call);
  // Runners of what does not serve any more end, busy ones after their call.
  void keep(const plugin::Snapshot& snapshot);

 private:
  // What a webhook's runners are started from, with the webhook it was made of.
  struct Spec {
    std::shared_ptr<const plugin::Webhook> webhook;
    std::shared_ptr<const isolation::PreparedSpec> prepared;
  };
  explicit HookRunners(metrics::Metrics& metrics) : metrics_(metrics) {}
  // Counts the runner if the call costs it.
  isolation::Call counted(const plugin::Webhook& webhook, isolation::Call call);
  const std::shared_ptr<const isolation::PreparedSpec>& spec_of(
      const std::shared_ptr<const plugin::Webhook>& webhook);

  metrics::Metrics& metrics_;
  // The thread goes while the store's writer may still call back: who is not on it posts under this lock.
  std::shared_mutex life_;
  bool ended_ = false;
  std::unique_ptr<isolation::Loop> loop_;
  std::unique_ptr<isolation::RunnerPool> pool_;
  std::unique_ptr<SideThreads> aside_;
  std::map<const plugin::Webhook*, Spec> specs_;
};

// For log lines of a call about it.
std::vector<LogField> ids_of(const Delivery& delivery);

// What a runner said, or why it said nothing.
Result<plugin::HookOutcome> said_by(const isolation::CallOutcome& ended);

void note_timings(metrics::Metrics& metrics, const std::string& webhook, const plugin::HookTimings& timings);

// May the same hooks succeed later, with the same bytes?
bool worth_another_try(ErrorCode code);

}  // namespace davit::ingest
