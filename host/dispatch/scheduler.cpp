#include "host/dispatch/scheduler.h"

#include <algorithm>
#include <array>
#include <utility>

namespace davit::dispatch {
namespace {

constexpr Duration kLongestSleep{60'000};
constexpr Duration kStoreRetry{1'000};
// Who is asleep no longer than a minute is late only if something kept it from looking.
constexpr Duration kLate{2 * kLongestSleep};

}  // namespace

std::optional<WallTime> newest_slot(const Cron& cron, WallTime after, WallTime until) {
  // From the last hour, then the last day, month, year and all: the first stretch that has a time has few of
  // them.
  constexpr std::array<std::chrono::hours, 4> kStretches = {std::chrono::hours(1), std::chrono::hours(24),
                                                            std::chrono::hours(24 * 31),
                                                            std::chrono::hours(24 * 366)};
  std::optional<WallTime> newest;
  auto search = [&](WallTime from) {
    for (auto slot = cron.next(from); slot && *slot <= until; slot = cron.next(*slot)) newest = slot;
    return newest.has_value();
  };
  for (const std::chrono::hours stretch : kStretches) {
    if (until - stretch <= after) break;
    if (search(until - stretch)) return newest;
  }
  search(after);
  return newest;
}

Scheduler::Scheduler(isolation::Loop& loop, std::shared_ptr<PostBox> box, store::Store& store,
                     const plugin::Registry& registry, metrics::Metrics& metrics, Log& log,
                     const Clock& clock)
    : loop_(loop),
      box_(std::move(box)),
      store_(store),
      registry_(registry),
      metrics_(metrics),
      log_(log),
      clock_(clock) {}

Scheduler::~Scheduler() { loop_.cancel(timer_); }

void Scheduler::adopt(std::vector<Schedule> schedules) {
  entries_.clear();
  for (Schedule& schedule : schedules) {
    std::string name = schedule.name;
    entries_[std::move(name)].schedule = std::move(schedule);
  }
  ++adoption_;
  adopted_ = false;
  ask_store();
}

void Scheduler::ask_store() {
  std::vector<store::ScheduleState> states;
  for (const auto& [name, entry] : entries_)
    states.push_back({name, entry.schedule.task.agent, entry.schedule.text, {}, {}});
  store_.adopt_schedules(std::move(states), [this, box = box_, adoption = adoption_](
                                                Result<std::vector<store::ScheduleState>> answer) {
    box->post([this, adoption, answer = std::move(answer)] {
      if (adoption != adoption_) return;
      if (answer.ok()) return on_adopted(*answer);
      log_.error("The schedules wait for the store", {{"reason", answer.error().message}});
      loop_.cancel(timer_);
      timer_ = loop_.after(kStoreRetry, [this] { ask_store(); });
    });
  });
}

void Scheduler::on_adopted(const std::vector<store::ScheduleState>& states) {
  for (const store::ScheduleState& state : states)
    if (const auto found = entries_.find(state.name); found != entries_.end())
      found->second.last_slot = state.last_slot;
  adopted_ = true;
  look();
}

void Scheduler::plugins_changed() { look(); }

void Scheduler::stop() {
  loop_.cancel(std::exchange(timer_, 0));
  entries_.clear();
  ++adoption_;
  adopted_ = false;
}

void Scheduler::look() {
  if (!adopted_) return;
  const WallTime now = clock_.wall();
  const std::shared_ptr<const plugin::Snapshot> snapshot = registry_.current();
  for (auto& [name, entry] : entries_) {
    if (entry.under_way) continue;
    const std::optional<WallTime> slot = newest_slot(entry.schedule.cron, entry.last_slot, now);
    if (!slot) continue;
    if (!entry.schedule.catch_up && now - *slot >= kLate) {
      skip(entry, *slot);
      continue;
    }
    const std::shared_ptr<const plugin::Agent> agent = snapshot->agent(entry.schedule.task.agent);
    if (agent) {
      fire(entry, *slot, *agent);
    } else if (!std::exchange(entry.agent_missed, true)) {
      log_.warn("A schedule waits for its agent, which is not loaded",
                {{"schedule", name}, {"agent", entry.schedule.task.agent}});
    }
  }
  wait();
}

void Scheduler::fire(Entry& entry, WallTime slot, const plugin::Agent& agent) {
  entry.under_way = true;
  entry.agent_missed = false;
  NewTask task = entry.schedule.task;
  task.max_retries = agent.max_retries;
  task.awaits_approval = agent.requires_approval;
  store_.fire_schedule(
      entry.schedule.name, slot, std::move(task),
      [this, box = box_, adoption = adoption_, name = entry.schedule.name,
       slot](Result<std::optional<std::string>> answer) {
        box->post([this, adoption, name, slot, answer = std::move(answer)] {
          if (answer.ok() && *answer) {
            metrics_.schedule_fired(name, "made");
            log_.info("A schedule made a task",
                      {{"schedule", name}, {"slot", to_iso8601(slot)}, {"task", **answer}});
          } else if (!answer.ok()) {
            log_.error("A schedule made no task", {{"schedule", name}, {"reason", answer.error().message}});
          }
          const bool settled = answer.ok() || answer.error().code == ErrorCode::InvalidInput;
          if (adoption == adoption_) done(name, slot, settled);
        });
      });
}

void Scheduler::skip(Entry& entry, WallTime slot) {
  entry.under_way = true;
  store_.skip_schedule(
      entry.schedule.name, slot,
      [this, box = box_, adoption = adoption_, name = entry.schedule.name, slot](const Result<>& answer) {
        box->post([this, adoption, name, slot, stored = answer.ok()] {
          if (stored) {
            metrics_.schedule_fired(name, "skipped");
            log_.info("A schedule left out a time that had passed",
                      {{"schedule", name}, {"slot", to_iso8601(slot)}});
          }
          if (adoption == adoption_) done(name, slot, stored);
        });
      });
}

void Scheduler::done(const std::string& name, WallTime slot, bool settled) {
  const auto found = entries_.find(name);
  if (found == entries_.end()) return;
  found->second.under_way = false;
  if (settled) {
    found->second.last_slot = std::max(found->second.last_slot, slot);
    return look();
  }
  loop_.cancel(timer_);
  timer_ = loop_.after(kStoreRetry, [this] { look(); });
}

void Scheduler::wait() {
  loop_.cancel(std::exchange(timer_, 0));
  const WallTime now = clock_.wall();
  std::optional<Duration> sleep;
  for (const auto& [name, entry] : entries_) {
    if (entry.under_way) continue;
    const auto next = entry.schedule.cron.next(std::max(now, entry.last_slot));
    const Duration left = next ? std::clamp(*next - now, Duration(0), kLongestSleep) : kLongestSleep;
    if (!sleep || left < *sleep) sleep = left;
  }
  if (sleep) timer_ = loop_.after(*sleep, [this] { look(); });
}

}  // namespace davit::dispatch
