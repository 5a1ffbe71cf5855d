// Calls, and which runner serves them.
#include "host/isolation/runner_pool.h"

#include <algorithm>
#include <utility>

#include "host/isolation/envelope.h"
#include "host/isolation/runner_pool_parts.h"

namespace davit::isolation {

using State = RunnerState;

std::string_view to_string(CallEnd end) {
  switch (end) {
    case CallEnd::Answered:
      return "answered";
    case CallEnd::Crashed:
      return "crashed";
    case CallEnd::TimedOut:
      return "timed_out";
    case CallEnd::Cancelled:
      return "cancelled";
    case CallEnd::Refused:
      return "refused";
    case CallEnd::SpawnFailed:
      return "spawn_failed";
    case CallEnd::BrokeProtocol:
      return "broke_protocol";
  }
  return "answered";
}

RunnerPool::CallId RunnerPool::Parts::call(const std::shared_ptr<const PreparedSpec>& spec, Call new_call) {
  const CallId id = next_call++;
  std::unique_ptr<Group>& group = groups[spec->key()];
  if (!group) {
    group = std::make_unique<Group>();
    group->spec = spec;
  }
  if (waiting == 0 && !group->idle.empty()) {
    Runner& runner = *group->idle.back();
    group->idle.pop_back();
    begin(runner, id, std::move(new_call));
    return id;
  }
  Waiting entry{id, std::move(new_call), 0};
  const auto left = std::chrono::ceil<Duration>(entry.call.deadline - clock.monotonic());
  Group* waits_in = group.get();
  entry.timer = loop.after(std::max(left, Duration{0}), [this, waits_in, id] {
    auto& queue = waits_in->waiting;
    auto found =
        std::find_if(queue.begin(), queue.end(), [id](const Waiting& waits) { return waits.id == id; });
    if (found == queue.end()) return;
    Call late = std::move(found->call);
    queue.erase(found);
    counters.waiting = --waiting;
    CallOutcome outcome;
    outcome.end = CallEnd::TimedOut;
    outcome.detail = "no runner became free before the deadline";
    drop_if_unused(*waits_in);
    end_later(std::move(late), std::move(outcome));
  });
  group->waiting.push_back(std::move(entry));
  counters.waiting = ++waiting;
  serve();
  return id;
}

RunnerPool::Parts::Waiting RunnerPool::Parts::take_first(Group& group) {
  Waiting first = std::move(group.waiting.front());
  group.waiting.pop_front();
  counters.waiting = --waiting;
  loop.cancel(first.timer);
  return first;
}

// Starts waiting calls, the oldest first of those that can start. A spec at its own limit does not hold up
// the others; the pool's limit makes everybody wait, and then an idle runner of another spec has to go.
void RunnerPool::Parts::serve() {
  while (waiting > 0) {
    Group* first = nullptr;
    for (auto& [key, group] : groups) {
      if (group->waiting.empty()) continue;
      const std::size_t cap = group->spec->spec().max_runners;
      if (group->idle.empty() && cap != 0 && group->alive >= cap) continue;
      if (!first || group->waiting.front().id < first->waiting.front().id) first = group.get();
    }
    if (!first) return;
    if (!first->idle.empty()) {
      Runner& runner = *first->idle.back();
      first->idle.pop_back();
      Waiting next = take_first(*first);
      begin(runner, next.id, std::move(next.call));
      continue;
    }
    if (runners.size() >= options.max_runners) {
      if (closing < waiting) close_longest_idle(*first);
      return;  // goes on when a runner has left
    }
    Waiting next = take_first(*first);
    start(*first, next.id, std::move(next.call));
  }
}

bool RunnerPool::Parts::close_longest_idle(const Group& except) {
  Runner* longest = nullptr;
  for (auto& [key, group] : groups) {
    if (group.get() == &except || group->idle.empty()) continue;
    Runner* candidate = group->idle.front();
    if (!longest || candidate->due < longest->due) longest = candidate;
  }
  if (longest) close(*longest);
  return longest != nullptr;
}

// on_end never runs inside a function of the pool that the caller has called.
void RunnerPool::Parts::end_later(Call ended, CallOutcome outcome) {
  loop.post([token = std::weak_ptr(alive_token), on_end = std::move(ended.on_end),
             outcome = std::move(outcome)]() mutable {
    if (!token.expired() && on_end) on_end(std::move(outcome));
  });
}

void RunnerPool::Parts::begin(Runner& runner, CallId id, Call new_call) {
  runner.call_id = id;
  runner.call = std::move(new_call);
  runner.deadline_passed = false;
  running.emplace(id, &runner);
  ++counters.busy;
  send_call(runner);
}

void RunnerPool::Parts::send_call(Runner& runner) {
  runner.state = State::Busy;
  ++runner.calls_begun;
  wait_until(runner, runner.call.deadline);
  send(runner, FrameKind::Call,
       call_json(runner.call_id, runner.call.deadline, runner.call.working_directory, runner.call.request),
       std::move(runner.call.blob));
}

void RunnerPool::Parts::cancel(CallId id) {
  if (auto found = running.find(id); found != running.end()) {
    Runner& runner = *found->second;
    if (runner.state == State::Busy) {
      ask_to_stop(runner, false);
    } else if (runner.state == State::Greeting || runner.state == State::Creating) {
      kill(runner, CallEnd::Cancelled, "cancelled before it began");
    }
    return;
  }
  for (auto& [key, group] : groups) {
    auto& queue = group->waiting;
    auto found =
        std::find_if(queue.begin(), queue.end(), [id](const Waiting& waits) { return waits.id == id; });
    if (found == queue.end()) continue;
    loop.cancel(found->timer);
    Call cancelled = std::move(found->call);
    queue.erase(found);
    counters.waiting = --waiting;
    CallOutcome outcome;
    outcome.end = CallEnd::Cancelled;
    outcome.detail = "cancelled before it began";
    drop_if_unused(*group);
    end_later(std::move(cancelled), std::move(outcome));
    return;
  }
}

RunnerPool::RunnerPool(Loop& loop, KnownChildren& children, PoolOptions options, Log& log, const Clock& clock)
    : parts_(std::make_unique<Parts>(loop, children, std::move(options), log, clock)) {}

RunnerPool::~RunnerPool() {
  for (auto& [key, group] : parts_->groups) {
    for (Parts::Waiting& waits : group->waiting) parts_->loop.cancel(waits.timer);
  }
  for (auto& [pointer, runner] : parts_->runners) {
    if (runner->timer != 0) parts_->loop.cancel(runner->timer);
    parts_->loop.unwatch(runner->process.calls.number());
    parts_->loop.unwatch(runner->process.pidfd.number());
    parts_->loop.unwatch(runner->process.output.number());
    if (!runner->kill) {
      runner->kill.emplace(runner->process.pid, runner->process.pidfd.number(), parts_->children,
                           runner->process.cgroup.get());
    }
    if (!kill_tree(*runner->kill, kKillLimit)) {
      parts_->log.error("a process tree could not be killed", {{"pid", runner->process.pid}});
    }
  }
}

RunnerPool::CallId RunnerPool::call(const std::shared_ptr<const PreparedSpec>& spec, Call call) {
  return parts_->call(spec, std::move(call));
}
RunnerPool::CallId RunnerPool::call(const RunnerSpec& spec, Call call) {
  return parts_->call(PreparedSpec::make(spec), std::move(call));
}

void RunnerPool::cancel(CallId id) { parts_->cancel(id); }

void RunnerPool::retire(const std::function<bool(const RunnerSpec&)>& obsolete) {
  for (auto& [pointer, runner] : parts_->runners) {
    if (runner->retired || !obsolete(runner->group->spec->spec())) continue;
    runner->retired = true;
    if (runner->state == State::Idle) parts_->close(*runner);
  }
}

RunnerPool::Stats RunnerPool::stats() const {
  const Parts::Counters& counters = parts_->counters;
  return {counters.alive,   counters.busy,    counters.waiting,
          counters.spawned, counters.crashed, counters.killed};
}

}  // namespace davit::isolation
