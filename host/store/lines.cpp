#include "host/store/lines.h"

#include <utility>

#include "host/store/rows.h"
#include "host/store/statement.h"

namespace davit::store {

struct Lines::Statements {
  explicit Statements(Database& database) : db(database) {}
  Database& db;

  Statement block{db, "UPDATE task SET blocked = 1 WHERE row = ?1"};
  Statement unblock{db, "UPDATE task SET blocked = 0 WHERE row = ?1"};
  Statement block_if_busy{
      db, "UPDATE task SET blocked = 1 - blocked WHERE row = ?1 AND blocked <> " + std::string(kLineIsBusy)};
  Statement next_blocked_agent{
      db,
      "SELECT t.agent FROM task t INDEXED BY task_line_queued WHERE t.state = 0 AND t.line = ?1"
      " AND t.agent > ?2 AND t.blocked = 1 AND NOT EXISTS (SELECT 1 FROM task o INDEXED BY task_line_running"
      " WHERE o.state = 1 AND o.line = ?1) ORDER BY t.agent LIMIT 1"};
  Statement next_blocked_due{
      db,
      "SELECT row, id FROM task INDEXED BY task_line_queued WHERE state = 0 AND line = ?1"
      " AND agent = ?2 AND blocked = 1 AND run_at <= ?3 ORDER BY rank, run_at, row LIMIT 1"};
  Statement next_blocked{db,
                         "SELECT row, id FROM task INDEXED BY task_line_queued WHERE state = 0 AND line = ?1"
                         " AND agent = ?2 AND blocked = 1 ORDER BY run_at, rank, row LIMIT 1"};
};

Lines::Lines(Database& database, const LineRules& rules)
    : rules_(rules), sql_(std::make_unique<Statements>(database)) {}
Lines::~Lines() = default;

void Lines::block(std::int64_t row) { sql_->block.run(row); }
void Lines::block_if_busy(std::int64_t row) { sql_->block_if_busy.run(row); }

std::string_view Lines::of(std::string_view agent, std::string_view entity, std::string_view group) const {
  const auto rule = rules_.find(agent);
  switch (rule == rules_.end() ? LineRule::Entity : rule->second) {
    case LineRule::Entity:
      return entity;
    case LineRule::Group:
      return group.empty() ? entity : group;
    case LineRule::None:
      return {};
  }
  return entity;
}

bool Lines::by_group(std::string_view agent) const {
  const auto rule = rules_.find(agent);
  return rule != rules_.end() && rule->second == LineRule::Group;
}

void Lines::let_next_in(Batch& batch, const std::string& line) {
  if (line.empty()) return;
  std::string agent;
  for (;;) {
    {
      Cursor found = sql_->next_blocked_agent.query(line, agent);
      if (!found.next()) return;
      agent = found.text(0);
    }
    std::int64_t row = 0;
    std::string id;
    const auto take = [&](Cursor next) {
      if (!next.next()) return false;
      row = next.integer(0);
      id = to_text(next.id(1));
      return true;
    };
    if (!take(sql_->next_blocked_due.query(line, agent, batch.now)) &&
        !take(sql_->next_blocked.query(line, agent)))
      return;
    sql_->unblock.run(row);
    batch.changes.push_back({Change::Kind::TaskQueued, std::move(id), agent, std::nullopt, TaskState::Queued});
  }
}

}  // namespace davit::store
