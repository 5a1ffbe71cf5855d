#include "host/store/schedules.h"

#include <algorithm>

#include "host/store/rows.h"
#include "host/store/statement.h"

namespace davit::store {
namespace {

// A clock that was wrong must not keep a schedule silent for as long as it was wrong by.
constexpr Duration kMostAhead = std::chrono::hours(24);

ScheduleState read_state(Cursor& row) {
  ScheduleState state;
  state.name = row.text(0);
  state.agent = row.text(1);
  state.cron = row.text(2);
  state.last_slot = row.time(3);
  if (!row.is_null(4)) state.last_task = to_text(row.id(4));
  return state;
}

constexpr const char* kSelect = "SELECT name, agent, cron, last_slot, last_task FROM schedule ORDER BY name";

}  // namespace

std::vector<ScheduleState> adopt_schedules(Database& database, const Batch& batch,
                                           const std::vector<ScheduleState>& schedules) {
  std::vector<ScheduleState> known;
  {
    Statement select(database, kSelect);
    Cursor row = select.query();
    while (row.next()) known.push_back(read_state(row));
  }
  const auto named = [](const std::vector<ScheduleState>& all, const std::string& name) {
    return std::find_if(all.begin(), all.end(), [&](const ScheduleState& each) { return each.name == name; });
  };
  Statement remove(database, "DELETE FROM schedule WHERE name = ?1");
  for (const ScheduleState& state : known)
    if (named(schedules, state.name) == schedules.end()) remove.run(state.name);
  Statement write(database,
                  "INSERT INTO schedule (name, agent, cron, last_slot) VALUES (?1, ?2, ?3, ?4)"
                  " ON CONFLICT (name) DO UPDATE SET agent = excluded.agent, cron = excluded.cron,"
                  " last_slot = excluded.last_slot");
  std::vector<ScheduleState> adopted;
  for (ScheduleState state : schedules) {
    const auto before = named(known, state.name);
    state.last_slot = batch.now;
    if (before != known.end()) {
      state.last_task = before->last_task;
      if (before->cron == state.cron && before->last_slot <= batch.now + kMostAhead)
        state.last_slot = before->last_slot;
    }
    write.run(state.name, state.agent, state.cron, state.last_slot);
    adopted.push_back(std::move(state));
  }
  return adopted;
}

Result<std::optional<std::string>> fire_schedule(Database& database, NewTasks& new_tasks, Batch& batch,
                                                 const std::string& name, WallTime slot,
                                                 const NewTask& task) {
  TRY(check_new_task(task));
  std::string id;
  {
    Statement find(database,
                   "SELECT s.last_slot, t.state, t.id FROM schedule s LEFT JOIN task t ON t.id = s.last_task"
                   " WHERE s.name = ?1");
    Cursor row = find.query(name);
    if (!row.next() || row.time(0) >= slot) return std::optional<std::string>();
    // What nobody approves must not pile up.
    if (!row.is_null(1) && task_state_of(row.integer(1)) == TaskState::AwaitingApproval)
      id = to_text(row.id(2));
  }
  if (id.empty()) id = new_tasks.create(batch, task, Origin{.source = "schedule"});
  Statement(database, "UPDATE schedule SET last_slot = ?2, last_task = ?3 WHERE name = ?1")
      .run(name, slot, *to_stored_id(id));
  return std::optional(std::move(id));
}

void skip_schedule(Database& database, const std::string& name, WallTime slot) {
  Statement(database, "UPDATE schedule SET last_slot = ?2 WHERE name = ?1 AND last_slot < ?2")
      .run(name, slot);
}

std::vector<ScheduleState> read_schedules(Reader& reader) {
  std::vector<ScheduleState> states;
  Cursor row = reader.statement(kSelect).query();
  while (row.next()) states.push_back(read_state(row));
  return states;
}

}  // namespace davit::store
