// Runs the tasks of the queue: the part of davit between the store and the runners.
//
// Thread-safe. It has one loop thread of its own, on which everything else of this folder lives; nobody waits
// for it but start() and stop(). It sleeps until the store tells it of a change, a start time comes, or a
// runner speaks.
#pragma once

#include <memory>
#include <vector>

#include "host/base/result.h"
#include "host/dispatch/approval_watch.h"
#include "host/dispatch/scheduler.h"
#include "host/dispatch/worker_pool.h"

namespace davit::dispatch {

class Dispatcher {
 public:
  // What it works with; all of it outlives the dispatcher.
  struct Needs {
    store::Store& store;
    const plugin::Registry& registry;
    metrics::Metrics& metrics;
    isolation::KnownChildren& children;
    Log& log;
    const Clock& clock;
    CrashListener crashed;  // told of agents that crash; may be empty
  };
  // Starts to work at once. Unavailable if there is no thread or the work directory cannot be used.
  static Result<std::unique_ptr<Dispatcher>> start(const Needs& needs, DispatchOptions options);
  // As stop() without any grace.
  ~Dispatcher();

  // For Store::on_change: may be called on the writer thread.
  void changed(const std::vector<store::Change>& changes);
  // After Registry::publish.
  void plugins_changed();
  // For results from now on.
  void set_chain(ChainOptions chain);
  void set_keep(KeepOptions keep);
  void set_sandbox(plugin::Sandbox sandbox);
  // In place of those before; none until it is called.
  void set_schedules(std::vector<Schedule> schedules);
  // Tasks may be waiting. Many calls cost no more than one.
  void wake();

  // Takes no new task, gives what runs `grace` to end by itself, then ends it: those tasks go back to the
  // queue without the attempt being counted. Returns when every result is stored and no runner is left; a
  // second call does nothing. Results that the store cannot take for 10 s are given up: their tasks run again
  // at the next start.
  void stop(Duration grace);

  // Calls it on the loop as soon as that comes to it; not at all once it has stopped.
  void reach(std::function<void()> reached);

  struct Runners {
    std::int64_t busy = 0, idle = 0;
  };
  Runners runners() const { return {counts_->busy.load(), counts_->idle.load()}; }

 private:
  Dispatcher(std::unique_ptr<isolation::Loop> loop, Log& log);

  std::unique_ptr<isolation::Loop> loop_;
  Log& log_;
  std::shared_ptr<PostBox> box_;
  std::shared_ptr<RunnerCounts> counts_ = std::make_shared<RunnerCounts>();
  std::shared_ptr<std::atomic<bool>> wake_posted_ = std::make_shared<std::atomic<bool>>(false);
  std::unique_ptr<WorkerPool> workers_;  // made and destroyed on the loop, as the next two are
  std::unique_ptr<Scheduler> scheduler_;
  std::unique_ptr<ApprovalWatch> approvals_;
};

}  // namespace davit::dispatch
