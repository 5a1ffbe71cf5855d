// Claims tasks while there are free slots, runs each in a runner, and stores what came of it.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <random>
#include <unordered_map>

#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/dispatch/agent_slots.h"
#include "host/dispatch/chain_policy.h"
#include "host/dispatch/execution.h"
#include "host/dispatch/lease_reaper.h"
#include "host/dispatch/post_box.h"
#include "host/dispatch/retry_policy.h"
#include "host/dispatch/workspaces.h"
#include "host/isolation/loop.h"
#include "host/isolation/runner_pool.h"
#include "host/metrics/metrics.h"
#include "host/plugin/registry.h"
#include "host/store/store.h"

namespace davit::dispatch {

struct DispatchOptions {
  std::filesystem::path work_directory;  // ours; what is in it at the start is removed
  std::filesystem::path state_folder;    // absolute, for what agents keep; empty: none
  plugin::Sandbox sandbox;               // that agents are told of
  int max_executions = 16;               // over all agents
  Duration lease{45'000};
  Duration cancel_grace{2'000};   // between asking an agent to stop and killing it
  Duration report_interval{200};  // live reports of an execution are stored no more often than this
  RetryOptions retry;
  ChainOptions chain;
  KeepOptions keep;
  isolation::PoolOptions runners;
  std::uint64_t seed = 0;  // of the jitter; 0: a random one
};

// An execution whose plugin took its runner down, for those who keep the books of plugins. Called on the
// loop.
using CrashListener = std::function<void(const store::PluginCrash& crash)>;

// How many runners there are, for those on other threads.
struct RunnerCounts {
  std::atomic<std::int64_t> busy{0}, idle{0};
};

// Confined to its loop: made, called and destroyed there. The store's answers reach it through the post box.
class WorkerPool {
 public:
  struct Surroundings {
    isolation::Loop& loop;
    std::shared_ptr<PostBox> box;
    store::Store& store;
    const plugin::Registry& registry;
    metrics::Metrics& metrics;
    isolation::KnownChildren& children;
    Log& log;
    const Clock& clock;
    std::shared_ptr<RunnerCounts> counts;
    CrashListener crashed;  // may be empty
  };
  WorkerPool(Surroundings around, DispatchOptions options, std::unique_ptr<Workspaces> workspaces);
  ~WorkerPool();  // kills what runs

  void wake();             // tasks may be waiting
  void plugins_changed();  // the registry has a new snapshot
  void set_chain(const ChainOptions& chain) { options_.chain = chain; }
  void set_keep(const KeepOptions& keep) { options_.keep = keep; }  // of executions that begin from now on
  void set_sandbox(plugin::Sandbox sandbox) { options_.sandbox = std::move(sandbox); }  // likewise
  void cancel(const Fence& fence);

  // No new task from now on. `when_idle` is called once, when nothing runs and every result is stored.
  void finish_up(std::function<void()> when_idle);
  // What still runs is ended and goes back to the queue, its attempt not counted.
  void interrupt();
  Duration cancel_grace() const { return options_.cancel_grace; }

 private:
  using SentPacks =
      std::unordered_map<std::int64_t, std::vector<std::int64_t>>;  // by fence number: first lines
  struct Finishing {
    std::unique_ptr<Execution> execution;
    store::Finish finish;
    std::chrono::microseconds worked{0};
    int tries = 0;
  };

  void pump_soon();
  void pump();
  struct SentClaim {
    AgentSlots::Claim claim;
    WallTime sent_at;
    std::uint64_t wakes;  // when it was sent
  };
  void on_claimed(const SentClaim& sent, Result<std::vector<ClaimedTask>> answer);
  void wait_for_next_due(WallTime since);
  void start(ClaimedTask task, const std::shared_ptr<const ServingAgent>& serving);
  void give_back(ClaimedTask task, const std::shared_ptr<const ServingAgent>& serving);

  void on_report(Execution& execution, std::string_view report, std::string_view blob);
  void flush_reports();
  void send(std::vector<store::LiveReport> reports);
  void keep_artifact(Execution& execution);
  void on_artifact(std::int64_t fence_number, const Result<>& answer);

  void on_end(std::int64_t fence_number, isolation::CallOutcome outcome);
  store::Finish decide(const Execution& execution, Ended ended);
  void store_first_result(std::int64_t fence_number);
  void store_result(std::int64_t fence_number);
  void on_finished(std::int64_t fence_number, const Result<TaskState>& answer);
  void settle(const Finishing& done, TaskState state);
  void account(const Finishing& done);
  // The books have it, or nobody will ask.
  void forget_usage_file(const Execution& execution) const;

  void lost(const Fence& fence);
  void stop(Execution& execution, StopReason reason);
  void check_idle();
  void note_crash(const Execution& execution, const isolation::CallOutcome& outcome);
  void note_runners();
  Execution* running(const Fence& fence);
  Execution* known(std::int64_t fence_number);  // running or finishing

  Surroundings around_;
  DispatchOptions options_;
  std::unique_ptr<Workspaces> workspaces_;
  isolation::RunnerPool runners_;
  AgentSlots slots_;
  LeaseReaper reaper_;
  std::mt19937_64 random_;

  std::unordered_map<std::int64_t, std::unique_ptr<Execution>> running_;  // by fence number
  std::unordered_map<std::int64_t, Finishing> finishing_;                 // ended, the result not stored yet

  int claims_ = 0;           // sent and not answered
  int claimed_for_ = 0;      // executions they may bring
  std::uint64_t wakes_ = 0;  // how often tasks may have come
  bool pump_posted_ = false;
  bool finishing_up_ = false;
  std::function<void()> when_idle_;
  isolation::Loop::TimerId due_timer_ = 0;
  isolation::Loop::TimerId report_timer_ = 0;
  isolation::Loop::TimerId claim_retry_timer_ = 0;
  std::unordered_map<std::int64_t, isolation::Loop::TimerId> finish_retries_;
  int reports_in_flight_ = 0;
};

}  // namespace davit::dispatch
