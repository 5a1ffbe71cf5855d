#include "host/dispatch/dispatcher.h"

#include <future>

namespace davit::dispatch {
namespace {

constexpr Duration kStoreGrace{10'000};

}  // namespace

Dispatcher::Dispatcher(std::unique_ptr<isolation::Loop> loop, Log& log)
    : loop_(std::move(loop)), log_(log), box_(std::make_shared<PostBox>(*loop_)) {}

Result<std::unique_ptr<Dispatcher>> Dispatcher::start(const Needs& needs, DispatchOptions options) {
  std::unique_ptr<Workspaces> workspaces = TRY(Workspaces::open(options.work_directory, needs.log));
  std::unique_ptr<isolation::Loop> loop = TRY(isolation::Loop::start("dispatch"));
  std::unique_ptr<Dispatcher> dispatcher(new Dispatcher(std::move(loop), needs.log));
  dispatcher->loop_->run([&] {
    dispatcher->workers_ = std::make_unique<WorkerPool>(
        WorkerPool::Surroundings{*dispatcher->loop_, dispatcher->box_, needs.store, needs.registry,
                                 needs.metrics, needs.children, needs.log, needs.clock, dispatcher->counts_,
                                 needs.crashed},
        std::move(options), std::move(workspaces));
    dispatcher->scheduler_ =
        std::make_unique<Scheduler>(*dispatcher->loop_, dispatcher->box_, needs.store, needs.registry,
                                    needs.metrics, needs.log, needs.clock);
    dispatcher->approvals_ = std::make_unique<ApprovalWatch>(*dispatcher->loop_, dispatcher->box_,
                                                             needs.store, needs.log, needs.clock);
  });
  return dispatcher;
}

Dispatcher::~Dispatcher() { stop(Duration::zero()); }

void Dispatcher::changed(const std::vector<store::Change>& changes) {
  bool queued = false, asked = false;
  for (const store::Change& change : changes) {
    if (change.kind == store::Change::Kind::ApprovalAsked) asked = true;
    if (change.kind == store::Change::Kind::TaskQueued || change.kind == store::Change::Kind::HoldChanged)
      queued = true;
    if (change.kind == store::Change::Kind::CancelRequested && change.fence)
      box_->post([this, fence = *change.fence] {
        if (workers_) workers_->cancel(fence);
      });
  }
  if (queued) wake();
  if (asked)
    box_->post([this] {
      if (approvals_) approvals_->look();
    });
}

void Dispatcher::plugins_changed() {
  box_->post([this] {
    if (workers_) workers_->plugins_changed();
    if (scheduler_) scheduler_->plugins_changed();
  });
}

void Dispatcher::set_chain(ChainOptions chain) {
  box_->post([this, chain] {
    if (workers_) workers_->set_chain(chain);
  });
}

void Dispatcher::set_keep(KeepOptions keep) {
  box_->post([this, keep] {
    if (workers_) workers_->set_keep(keep);
  });
}

void Dispatcher::set_sandbox(plugin::Sandbox sandbox) {
  box_->post([this, sandbox = std::move(sandbox)]() mutable {
    if (workers_) workers_->set_sandbox(std::move(sandbox));
  });
}

void Dispatcher::set_schedules(std::vector<Schedule> schedules) {
  box_->post([this, schedules = std::move(schedules)]() mutable {
    if (scheduler_) scheduler_->adopt(std::move(schedules));
  });
}

void Dispatcher::wake() {
  if (wake_posted_->exchange(true)) return;
  box_->post([this, posted = wake_posted_] {
    posted->store(false);
    if (workers_) workers_->wake();
  });
}

void Dispatcher::reach(std::function<void()> reached) { box_->post(std::move(reached)); }

void Dispatcher::stop(Duration grace) {
  if (!workers_) return;
  // Shared, since the pool may still call it after we have given up.
  auto idle = std::make_shared<std::promise<void>>();
  std::future<void> idle_then = idle->get_future();
  Duration cancel_grace{0};
  loop_->run([&] {
    scheduler_->stop();
    cancel_grace = workers_->cancel_grace();
    workers_->finish_up([idle] { idle->set_value(); });
  });
  if (idle_then.wait_for(grace) != std::future_status::ready) {
    loop_->run([&] { workers_->interrupt(); });
    if (idle_then.wait_for(cancel_grace + kStoreGrace) != std::future_status::ready)
      log_.error("stopped with results that the store did not take; their tasks run again at the next start");
  }
  box_->close();
  loop_->run([&] {
    scheduler_.reset();
    approvals_.reset();
    workers_.reset();
  });
}

}  // namespace davit::dispatch
