#include "host/store/pauses.h"

#include "host/store/readers.h"

namespace davit::store {
namespace {

constexpr const char* kSelect = "SELECT agent, since, until, reason, by_whom FROM pause";

Pause read_pause(Cursor& row) {
  Pause pause;
  pause.agent = row.text(0);
  pause.since = row.time(1);
  if (!row.is_null(2)) pause.until = row.time(2);
  pause.reason = row.text(3);
  pause.by = row.text(4);
  return pause;
}

bool holds(const Pause& pause, WallTime now) { return !pause.until || *pause.until > now; }

}  // namespace

Pauses::Pauses(Database& database)
    : write_(
          database,
          "INSERT OR REPLACE INTO pause (agent, since, until, reason, by_whom) VALUES (?1, ?2, ?3, ?4, ?5)"),
      remove_(database, "DELETE FROM pause WHERE agent = ?1") {
  Statement select(database, kSelect);
  Cursor row = select.query();
  while (row.next()) {
    Pause pause = read_pause(row);
    std::string agent = pause.agent;
    pauses_.emplace(std::move(agent), std::move(pause));
  }
  committed_ = pauses_;
}

void Pauses::pause(const Pause& pause) {
  write_.run(pause.agent, pause.since, pause.until, pause.reason, pause.by);
  pauses_.insert_or_assign(pause.agent, pause);
  changed_ = true;
}

bool Pauses::hold(const std::string& agent, Duration time, std::string_view reason, WallTime now) {
  Pause held{agent, now, now + time, std::string(reason), std::string(kHeldByItself)};
  if (const auto found = pauses_.find(agent); found != pauses_.end() && holds(found->second, now)) {
    const Pause& before = found->second;
    if (before.by != kHeldByItself || *before.until >= *held.until) return false;
    held.since = before.since;
  }
  write_.run(held.agent, held.since, held.until, held.reason, held.by);
  pauses_.insert_or_assign(agent, std::move(held));
  changed_ = true;
  return true;
}

bool Pauses::resume(const std::string& agent, WallTime now) {
  const auto found = pauses_.find(agent);
  if (found == pauses_.end()) return false;
  const bool held = holds(found->second, now);
  remove_.run(agent);
  pauses_.erase(found);
  changed_ = true;
  return held;
}

const Pause* Pauses::of(std::string_view agent, WallTime now) const {
  for (const std::string_view each : {std::string_view(), agent}) {
    const auto found = pauses_.find(each);
    if (found != pauses_.end() && holds(found->second, now)) return &found->second;
  }
  return nullptr;
}

std::vector<Pause> read_pauses(Reader& reader, WallTime now) {
  std::vector<Pause> pauses;
  Cursor row = reader.statement(std::string(kSelect) + " ORDER BY agent").query();
  while (row.next()) {
    Pause pause = read_pause(row);
    if (holds(pause, now)) pauses.push_back(std::move(pause));
  }
  return pauses;
}

void tell_pauses(const std::vector<Pause>& pauses, TaskSummary& task) {
  if (task.state != TaskState::Queued || !task.hold_reason.empty()) return;
  for (const Pause& pause : pauses) {
    if (!pause.agent.empty() && pause.agent != task.agent) continue;
    task.hold_reason =
        (pause.agent.empty() ? "all agents are paused" : "agent " + task.agent + " is paused") +
        (pause.reason.empty() ? "" : ": " + pause.reason);
    task.resume_at = pause.until;
    return;
  }
}

}  // namespace davit::store
