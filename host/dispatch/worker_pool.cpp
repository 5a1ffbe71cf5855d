// How work flows.
//
//   wake, timer, free slot ──> pump: one claim for all free slots ──> start: workspace, call to a runner
//                                ^                                          │ reports: gathered, stored in
//                                batches └──── slot is free ── on_end <─────────────┘
//                                                        └──> finish: result, usage, retry or successor, one
//                                                        transaction
//
// A slot is free as soon as its runner has answered, not when the result is stored: finish and next claim are
// handed to the store one behind the other and share a commit. While a commit syncs, other executions end,
// and each turn of the loop sends a claim for the slots that came free in it; the next commit takes all that
// wait. So the batches grow with the load by themselves, without a timer.
//
// Between the end of an execution and the commit of its result the execution is `finishing_`: its lease is
// still renewed, and when the store cannot take the result (disk full), it is offered again until it can or
// the lease is lost.
#include "host/dispatch/worker_pool.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "host/dispatch/told_usage.h"

namespace davit::dispatch {
namespace {

constexpr int kMostReportsInFlight = 8;
constexpr Duration kClaimRetry{1'000};
constexpr Duration kLongestFinishRetry{5'000};
constexpr Duration kLongestSleep{60'000};  // wall time may jump; look again after this

std::uint64_t seed_of(const DispatchOptions& options) {
  return options.seed ? options.seed : (std::uint64_t{std::random_device{}()} << 32 | std::random_device{}());
}

isolation::PoolOptions pool_options(const DispatchOptions& options) {
  isolation::PoolOptions pool = options.runners;
  pool.max_runners = std::max(pool.max_runners, static_cast<std::size_t>(options.max_executions));
  return pool;
}

// One line per change of state, always with the same ids; `chain` is the first task of its chain.
void log_line(Log& log, LogLevel level, std::string_view sentence, const Execution& execution,
              std::string_view outcome, std::string_view state, std::string_view detail) {
  if (!log.enabled(level)) return;
  const ClaimedTask& task = execution.task();
  std::vector<LogField> fields{{"task", task.task_id},
                               {"chain", task.root_id},
                               {"session", task.session_id},
                               {"agent", task.agent},
                               {"attempt", task.attempt}};
  if (!outcome.empty() || !detail.empty()) {
    fields.push_back({"outcome", outcome});
    fields.push_back({"state", state});
  }
  if (!detail.empty()) fields.push_back({"reason", detail});
  log.write(level, sentence, fields);
}

}  // namespace

WorkerPool::WorkerPool(Surroundings around, DispatchOptions options, std::unique_ptr<Workspaces> workspaces)
    : around_(std::move(around)),
      options_(std::move(options)),
      workspaces_(std::move(workspaces)),
      runners_(around_.loop, around_.children, pool_options(options_), around_.log, around_.clock),
      reaper_(around_.loop, around_.box, around_.store, around_.log, options_.lease,
              {.held =
                   [this] {
                     std::vector<Fence> held;
                     for (const auto& [number, execution] : running_)
                       if (execution->stop_reason() != StopReason::LeaseLost)
                         held.push_back(execution->task().fence);
                     for (const auto& [number, finishing] : finishing_)
                       held.push_back(finishing.finish.fence);
                     return held;
                   },
               .lost = [this](const Fence& fence) { lost(fence); },
               .cancelled = [this](const Fence& fence) { cancel(fence); },
               .renewed = [this] { pump_soon(); }}),
      random_(seed_of(options_)) {
  // Runners work in other folders.
  options_.work_directory = std::filesystem::absolute(options_.work_directory);
  plugins_changed();
}

WorkerPool::~WorkerPool() {
  for (isolation::Loop::TimerId timer : {due_timer_, report_timer_, claim_retry_timer_})
    if (timer) around_.loop.cancel(timer);
  for (const auto& [number, timer] : finish_retries_) around_.loop.cancel(timer);
}

void WorkerPool::wake() {
  ++wakes_;
  slots_.expect_tasks();
  pump_soon();
}

void WorkerPool::plugins_changed() {
  slots_.adopt(*around_.registry.current());
  runners_.retire([this](const isolation::RunnerSpec& spec) { return !slots_.needs(spec); });
  note_runners();
  wake();
}

// --- claiming

// At the end of the turn, so that several ends in one turn are one claim.
void WorkerPool::pump_soon() {
  if (std::exchange(pump_posted_, true)) return;
  around_.loop.post([this] {
    pump_posted_ = false;
    pump();
  });
}

void WorkerPool::pump() {
  if (finishing_up_ || claim_retry_timer_ || !reaper_.renewing()) return;
  SentClaim sent{
      slots_.next_claim(options_.max_executions - static_cast<int>(running_.size()) - claimed_for_),
      around_.clock.wall(), wakes_};
  store::ClaimRequest request = sent.claim.request;
  if (request.agents.empty()) return;
  request.lease = options_.lease;
  ++claims_;
  claimed_for_ += request.limit;
  slots_.asked(request);
  around_.store.claim(std::move(request), [this, box = around_.box, sent = std::move(sent)](
                                              Result<std::vector<ClaimedTask>> answer) mutable {
    box->post([this, sent = std::move(sent), answer = std::move(answer)]() mutable {
      on_claimed(sent, std::move(answer));
    });
  });
}

void WorkerPool::on_claimed(const SentClaim& sent, Result<std::vector<ClaimedTask>> answer) {
  const AgentSlots::Claim& claim = sent.claim;
  --claims_;
  claimed_for_ -= claim.request.limit;
  slots_.answered(claim.request);
  if (!answer.ok()) {
    reaper_.suspect();
    if (!claim_retry_timer_) {
      around_.log.error("no task claimed; trying again", {{"reason", answer.error().message}});
      claim_retry_timer_ = around_.loop.after(kClaimRetry, [this] {
        claim_retry_timer_ = 0;
        pump();
      });
    }
    return check_idle();
  }
  // What was queued while the claim was under way may not have been seen by it.
  if (wakes_ == sent.wakes) slots_.claimed(claim.request, *answer);
  for (ClaimedTask& task : *answer) {
    const auto& serving = claim.serving.find(task.agent)->second;
    finishing_up_ ? give_back(std::move(task), serving) : start(std::move(task), serving);
  }
  if (finishing_up_) return check_idle();
  if (slots_.expects_tasks())
    pump_soon();
  else
    wait_for_next_due(sent.sent_at);
}

// `since` is when the claim was sent: what became due after it and before now counts as waiting, not as
// missed.
void WorkerPool::wait_for_next_due(WallTime since) {
  auto next = around_.store.next_run_at(since);
  if (due_timer_) around_.loop.cancel(std::exchange(due_timer_, 0));
  if (!next.ok())
    around_.log.error("next start time not read; looking again", {{"reason", next.error().message}});
  if (next.ok() && !*next) return;
  Duration delay = next.ok() ? std::clamp(Duration(**next - around_.clock.wall()), Duration(1), kLongestSleep)
                             : kClaimRetry;
  due_timer_ = around_.loop.after(delay, [this] {
    due_timer_ = 0;
    wake();
  });
}

// --- running

void WorkerPool::start(ClaimedTask task, const std::shared_ptr<const ServingAgent>& serving) {
  std::int64_t number = task.fence.number;
  auto& execution = running_[number] =
      std::make_unique<Execution>(std::move(task), serving, options_.keep, around_.clock);
  slots_.take(execution->task().agent);
  reaper_.wake();
  around_.metrics.session_started(execution->task().agent);
  log_line(around_.log, LogLevel::Info, "execution started", *execution, "", "", "");

  auto workspace = workspaces_->create();
  if (!workspace.ok()) {
    around_.loop.post([this, number, reason = workspace.error().message] {
      on_end(number, {.end = isolation::CallEnd::SpawnFailed, .detail = reason});
    });
    return;
  }
  execution->workspace = std::move(*workspace);
  isolation::Call call = execution->call(
      {execution->workspace.path, options_.state_folder.string(), options_.sandbox}, options_.cancel_grace,
      usage_file(options_.work_directory, execution->task().session_id).native());
  call.on_report = [this, execution = execution.get()](std::string_view report, std::string_view blob) {
    on_report(*execution, report, blob);
  };
  call.on_end = [this, number](isolation::CallOutcome outcome) { on_end(number, std::move(outcome)); };
  execution->call_id = runners_.call(serving->runner, std::move(call));
  note_runners();
}

// It was claimed before the end began and came after it.
void WorkerPool::give_back(ClaimedTask task, const std::shared_ptr<const ServingAgent>& serving) {
  std::int64_t number = task.fence.number;
  auto execution = std::make_unique<Execution>(std::move(task), serving, options_.keep, around_.clock);
  around_.metrics.session_started(execution->task().agent);
  execution->stop(StopReason::Interrupted);
  store::Finish finish = decide(*execution, execution->conclude({.end = isolation::CallEnd::Cancelled}));
  finish.cost_known = true;  // nothing of it ran
  finishing_.emplace(number, Finishing{std::move(execution), std::move(finish)});
  store_result(number);
}

void WorkerPool::on_report(Execution& execution, std::string_view report, std::string_view blob) {
  switch (execution.hear(report, blob)) {
    case Execution::Heard::News:
      break;
    case Execution::Heard::ArtifactWaits:
      keep_artifact(execution);
      break;
    case Execution::Heard::ArtifactRefused:
      around_.metrics.artifact("refused");
      break;
  }
  if (execution.is_over_budget() && execution.stop_reason() == StopReason::None) {
    // Not while its report is read: the end of it may follow at once.
    around_.loop.post([this, fence = execution.task().fence] {
      if (Execution* running_still = running(fence)) stop(*running_still, StopReason::OverBudget);
    });
  }
  if (execution.should_report() && reports_in_flight_ < kMostReportsInFlight) {
    if (auto full = execution.take_report()) send({std::move(*full)});
    return;
  }
  if (!report_timer_)
    report_timer_ = around_.loop.after(options_.report_interval, [this] {
      report_timer_ = 0;
      flush_reports();
    });
}

void WorkerPool::flush_reports() {
  std::vector<store::LiveReport> reports;
  for (auto& [number, execution] : running_)
    if (auto report = execution->take_report()) reports.push_back(std::move(*report));
  if (!reports.empty()) send(std::move(reports));
}

void WorkerPool::send(std::vector<store::LiveReport> reports) {
  ++reports_in_flight_;
  SentPacks packs;
  std::vector<std::int64_t> numbers;
  for (const store::LiveReport& report : reports) numbers.push_back(report.fence.number);
  for (const store::LiveReport& report : reports)
    for (const store::TranscriptPack& pack : report.transcript.packs)
      packs[report.fence.number].push_back(pack.first_line);
  around_.store.report(std::move(reports), [this, box = around_.box, packs = std::move(packs),
                                            numbers = std::move(numbers)](Result<> answer) mutable {
    box->post([this, packs = std::move(packs), numbers = std::move(numbers), answer = std::move(answer)] {
      --reports_in_flight_;
      if (!answer.ok()) {
        for (std::int64_t number : numbers)
          if (const Execution* execution = known(number))
            log_line(around_.log, LogLevel::Warn, "live report not stored", *execution, "", "",
                     answer.error().message);
        return;  // what was packed goes with the result
      }
      for (const auto& [number, first_lines] : packs)
        if (Execution* execution = known(number)) execution->packs_stored(first_lines);
    });
  });
}

// One at a time of each execution, so that a flood of them takes no more memory than their limits.
void WorkerPool::keep_artifact(Execution& execution) {
  std::optional<Artifact> next = execution.next_artifact();
  if (!next) return;
  const Fence fence = execution.task().fence;
  around_.store.keep_artifact(fence, std::move(*next),
                              [this, box = around_.box, number = fence.number](const Result<>& answer) {
                                box->post([this, number, answer] { on_artifact(number, answer); });
                              });
}

void WorkerPool::on_artifact(std::int64_t number, const Result<>& answer) {
  around_.metrics.artifact(answer.ok() ? "kept" : "failed");
  Execution* execution = known(number);
  if (!execution) return;
  execution->artifact_stored(answer);
  keep_artifact(*execution);
  if (!execution->has_artifacts() && finishing_.contains(number)) store_first_result(number);
}

// --- ending

void WorkerPool::on_end(std::int64_t number, isolation::CallOutcome outcome) {
  auto found = running_.find(number);
  if (found == running_.end()) return;
  std::unique_ptr<Execution> execution = std::move(found->second);
  running_.erase(found);
  slots_.release(execution->task().agent);
  if (!execution->workspace.path.empty()) workspaces_->remove(std::move(execution->workspace));
  if (outcome.end != isolation::CallEnd::Answered)
    around_.metrics.runner_ended(PluginKind::Agent, to_string(outcome.end));
  if (outcome.end == isolation::CallEnd::Crashed) note_crash(*execution, outcome);
  note_runners();

  auto worked = std::chrono::duration_cast<std::chrono::microseconds>(around_.clock.monotonic() -
                                                                      execution->started_at());
  if (execution->stop_reason() == StopReason::LeaseLost) {
    log_line(around_.log, LogLevel::Warn, "execution lost its lease; its result is dropped", *execution,
             "lost", "", "");
    forget_usage_file(*execution);
    const ClaimedTask& task = execution->task();
    around_.metrics.session_ended(
        {.agent = task.agent, .task_type = task.task_type, .worked = worked, .session = worked});
    pump_soon();
    return check_idle();
  }
  if (auto report = execution->take_last_report()) send({std::move(*report)});
  store::Finish finish = decide(*execution, execution->conclude(std::move(outcome)));
  const bool artifacts_first = execution->has_artifacts();
  finishing_.emplace(number, Finishing{std::move(execution), std::move(finish), worked});
  if (!artifacts_first) store_first_result(number);
  pump_soon();
}

// Behind all artifacts: once its result is there, an execution keeps none.
void WorkerPool::store_first_result(std::int64_t number) {
  Finishing& done = finishing_.find(number)->second;
  done.finish.transcript = done.execution->take_transcript();
  store_result(number);
}

// What was killed from outside (by a person, or because memory ran out) did not crash.
void WorkerPool::note_crash(const Execution& execution, const isolation::CallOutcome& outcome) {
  if (!around_.crashed || outcome.signal == SIGKILL || execution.stop_reason() != StopReason::None) return;
  const ClaimedTask& task = execution.task();
  around_.crashed({.sha256 = execution.serving().agent->generation->sha256,
                   .plugin = task.agent,
                   .call = "execute",
                   .request_id = task.session_id,
                   .subject = task.task_id,
                   .reason = outcome.detail,
                   .at = around_.clock.wall()});
}

store::Finish WorkerPool::decide(const Execution& execution, Ended ended) {
  const ClaimedTask& task = execution.task();
  store::Finish finish;
  finish.fence = task.fence;
  finish.outcome = std::move(ended.outcome);
  finish.cost_known = ended.cost_known;
  finish.result = std::move(ended.result);
  AgentResult& result = finish.result;
  if (!result.success) {
    NextStep next = after_failure({.failure = result.failure,
                                   .attempt = task.attempt,
                                   .max_retries = task.max_retries,
                                   .crashes = task.crashes,
                                   .max_crashes = execution.serving().agent->settings.max_crashes,
                                   .retry_after = result.retry_after,
                                   .cost_nothing = result.usage.cost_micro_usd == 0 && result.usage.output_tokens == 0},
                                  options_.retry, random_);
    finish.next_state = next.state;
    finish.retry_after = next.delay;
    finish.attempt_counts = next.attempt_counts;
    if (result.failure == FailureClass::PutOff)
      finish.hold = {task.agent, std::clamp(result.retry_after, kNoAttempt, options_.retry.longest_wait)};
    result.tasks.clear();
    return finish;
  }
  if (execution.stop_reason() == StopReason::CancelRequested) {
    // It was done before it heard. What it found is kept; the chain goes no further.
    finish.next_state = TaskState::Cancelled;
    result.tasks.clear();
    return finish;
  }
  ChainStep step = next_in_chain(task, result, *around_.registry.current(), options_.chain);
  result.tasks = std::move(step.follow_ups);
  if (!step.refusal.empty()) {
    // What it found is kept, but it has asked for something that cannot be.
    finish.next_state = TaskState::Failed;
    finish.outcome = "failed";
    result.success = false;
    result.failure = FailureClass::Permanent;
    result.error = std::move(step.refusal);
    return finish;
  }
  finish.next_state = TaskState::Completed;
  finish.successor = std::move(step.successor);
  finish.successor_awaits_approval = step.awaits_approval;
  return finish;
}

void WorkerPool::store_result(std::int64_t number) {
  auto found = finishing_.find(number);
  if (found == finishing_.end()) return;
  ++found->second.tries;
  around_.store.finish(found->second.finish, [this, box = around_.box, number](Result<TaskState> answer) {
    box->post([this, number, answer = std::move(answer)] { on_finished(number, answer); });
  });
}

void WorkerPool::on_finished(std::int64_t number, const Result<TaskState>& answer) {
  auto found = finishing_.find(number);
  if (found == finishing_.end()) return;
  Finishing& done = found->second;
  if (answer.ok()) {
    settle(done, *answer);
  } else if (answer.error().code == ErrorCode::Conflict || answer.error().code == ErrorCode::NotFound) {
    log_line(around_.log, LogLevel::Warn, "result of a superseded attempt dropped", *done.execution,
             done.finish.outcome, "", answer.error().message);
    account(done);
  } else if (answer.error().code == ErrorCode::InvalidInput && done.tries == 1) {
    // The store refuses a task that the agent asked for. The agent will ask again: for good.
    store::Finish& finish = done.finish;
    finish.result.success = false;
    finish.result.failure = FailureClass::Permanent;
    finish.result.error = "the result asks for a task that cannot be stored: " + answer.error().message;
    finish.result.tasks.clear();
    finish.successor.reset();
    finish.outcome = "failed";
    finish.next_state = TaskState::Failed;
    return store_result(number);
  } else {
    Duration delay = std::min(Duration(100 << std::min(done.tries, 10)), kLongestFinishRetry);
    log_line(around_.log, LogLevel::Error, "result not stored; trying again", *done.execution,
             done.finish.outcome, "", answer.error().message);
    finish_retries_[number] = around_.loop.after(delay, [this, number] {
      finish_retries_.erase(number);
      store_result(number);
    });
    return;
  }
  forget_usage_file(*done.execution);
  finishing_.erase(found);
  check_idle();
}

void WorkerPool::forget_usage_file(const Execution& execution) const {
  if (execution.has_told_usage())
    ::unlink(usage_file(options_.work_directory, execution.task().session_id).c_str());
}

void WorkerPool::account(const Finishing& done) {
  const ClaimedTask& task = done.execution->task();
  auto session = around_.clock.monotonic() - done.execution->started_at();
  around_.metrics.session_ended({.agent = task.agent,
                                 .task_type = task.task_type,
                                 .worked = done.worked,
                                 .session = std::chrono::duration_cast<std::chrono::microseconds>(session)});
}

void WorkerPool::settle(const Finishing& done, TaskState state) {
  const store::Finish& finish = done.finish;
  const ClaimedTask& task = done.execution->task();
  account(done);
  const bool good = state == TaskState::Completed || state == TaskState::Queued;
  // Who waits has not failed; and what all wait for is told once, by whoever found it.
  const bool waits = state == TaskState::Queued && !finish.attempt_counts &&
                     (finish.result.failure == FailureClass::PutOff ||
                      finish.result.failure == FailureClass::RateLimited);
  log_line(around_.log, waits || (good && finish.result.success) ? LogLevel::Info : LogLevel::Warn,
           "execution ended", *done.execution, finish.outcome, to_string(state), finish.result.error);
  if (state == TaskState::Completed || state == TaskState::Failed)
    around_.metrics.task_settled(task.agent, task.fence.task_row, state == TaskState::Completed);
  // A chain that goes on, in a successor or in follow-ups, has not ended here.
  if (is_final(state) && !finish.successor && finish.result.tasks.empty())
    around_.metrics.chain_ended(task.chain_depth);
}

// --- stopping

Execution* WorkerPool::running(const Fence& fence) {
  auto found = running_.find(fence.number);
  return found == running_.end() ? nullptr : found->second.get();
}

Execution* WorkerPool::known(std::int64_t number) {
  if (auto found = running_.find(number); found != running_.end()) return found->second.get();
  auto found = finishing_.find(number);
  return found == finishing_.end() ? nullptr : found->second.execution.get();
}

void WorkerPool::stop(Execution& execution, StopReason reason) {
  bool asked = execution.stop_reason() != StopReason::None;
  execution.stop(reason);
  if (!asked && execution.call_id) runners_.cancel(execution.call_id);
}

void WorkerPool::cancel(const Fence& fence) {
  if (Execution* execution = running(fence)) stop(*execution, StopReason::CancelRequested);
}

void WorkerPool::lost(const Fence& fence) {
  if (Execution* execution = running(fence)) stop(*execution, StopReason::LeaseLost);
}

void WorkerPool::finish_up(std::function<void()> when_idle) {
  finishing_up_ = true;
  when_idle_ = std::move(when_idle);
  check_idle();
}

void WorkerPool::interrupt() {
  // A copy: a call that waits for a runner may end inside cancel().
  std::vector<std::int64_t> numbers;
  for (const auto& [number, execution] : running_) numbers.push_back(number);
  for (std::int64_t number : numbers)
    if (auto found = running_.find(number); found != running_.end())
      stop(*found->second, StopReason::Interrupted);
}

void WorkerPool::check_idle() {
  if (finishing_up_ && claims_ == 0 && running_.empty() && finishing_.empty() && when_idle_)
    std::exchange(when_idle_, nullptr)();
}

void WorkerPool::note_runners() {
  isolation::RunnerPool::Stats stats = runners_.stats();
  around_.counts->busy = static_cast<std::int64_t>(stats.busy);
  around_.counts->idle = static_cast<std::int64_t>(stats.alive - stats.busy);
}

}  // namespace davit::dispatch
