// One writer decides, so what is asked for is answered from memory: sums of the day by agent and actor, and
// the few sessions that run. The rows hold the same, and after a start or a rollback memory is made from them
// again.
#include "host/store/budgets.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "host/store/rows.h"
#include "host/store/statement.h"

namespace davit::store {
namespace {

// A task that waits for somebody else's session is asked again by then in any case.
constexpr Duration kLookAgain = std::chrono::hours(1);

std::int64_t day_of(WallTime time) {
  return std::chrono::floor<std::chrono::days>(time).time_since_epoch().count();
}

std::string dollars(std::int64_t micro_usd) {
  char text[40];
  std::snprintf(text, sizeof text, "$%.2f", static_cast<double>(micro_usd) / 1e6);
  return text;
}

constexpr const char* kRunning =
    "SELECT e.row, e.agent, e.started_at, e.reserved_micro_usd, e.cost_micro_usd, coalesce(r.source, "
    "t.source),"
    " coalesce(b.actor_id, '')"
    " FROM task t INDEXED BY task_state JOIN execution e ON e.row = t.execution JOIN task_body b ON b.row = "
    "t.row"
    " LEFT JOIN task r ON r.id = t.root WHERE t.state <> 0 AND t.state = 1";

std::string spent_sentence(const std::string& budget, std::int64_t spent, std::int64_t limit) {
  return budget + " is spent: " + dollars(spent) + " of " + dollars(limit);
}
std::string in_flight_sentence(const std::string& budget, std::int64_t spent, std::int64_t in_flight,
                               std::int64_t limit) {
  return budget + " is set aside for sessions that run: " + dollars(spent) + " spent and " +
         dollars(in_flight) + " set aside of " + dollars(limit);
}

constexpr const char* kDayBudget = "budgets.daily_usd";
constexpr const char* kChainBudget = "budgets.per_task_usd of its chain";
std::string agent_budget(std::string_view agent) {
  return "budgets.per_agent_daily_usd of " + std::string(agent);
}
std::string actor_budget(std::string_view actor) {
  return "budgets.per_actor_daily_usd of " + std::string(actor);
}

}  // namespace

std::string actor_key(std::string_view source, std::string_view actor_id) {
  std::string key(source);
  if (!actor_id.empty()) key.append(":").append(actor_id);
  return key;
}

WallTime next_day(WallTime now) { return std::chrono::floor<std::chrono::days>(now) + std::chrono::days(1); }

struct Budgets::Statements {
  explicit Statements(Database& database) : db(database) {}
  Database& db;

  Statement spent{db, "SELECT day, scope, key, micro_usd FROM spend WHERE day >= ?1"};
  Statement running{db, kRunning};
  Statement first_source{db, "SELECT r.source FROM task t JOIN task r ON r.id = t.root WHERE t.row = ?1"};
  Statement of_chain{
      db,
      "SELECT total(iif(e.ended_at IS NULL, 0, max(e.cost_micro_usd, e.reserved_micro_usd))),"
      " total(iif(e.ended_at IS NULL, max(e.cost_micro_usd, e.reserved_micro_usd), 0))"
      " FROM (SELECT coalesce(root, id) AS id FROM task WHERE row = ?1) first"
      " JOIN task t ON t.id = first.id OR t.root = first.id JOIN execution e ON e.task = t.row"};
  Statement ended{db,
                  "SELECT e.agent, e.started_at, e.cost_micro_usd, e.reserved_micro_usd,"
                  " coalesce(r.source, t.source), coalesce(b.actor_id, '')"
                  " FROM execution e JOIN task t ON t.row = e.task JOIN task_body b ON b.row = t.row"
                  " LEFT JOIN task r ON r.id = t.root WHERE e.row = ?1"};
  Statement free_share{db, "UPDATE execution SET reserved_micro_usd = 0 WHERE row = ?1"};
  Statement add{db,
                "INSERT INTO spend (day, scope, key, micro_usd) VALUES (?1, ?2, ?3, ?4)"
                " ON CONFLICT (day, scope, key) DO UPDATE SET micro_usd = micro_usd + excluded.micro_usd"};
  Statement hold{db,
                 "UPDATE task SET hold = ?2, hold_reason = ?3, run_at = ?4, updated_at = ?5"
                 " WHERE row = ?1 AND state = 0"};
  Statement let_go{db,
                   "UPDATE task SET hold = 0, hold_reason = NULL, run_at = ?1 WHERE state = 0 AND hold <> 0"
                   " AND hold IN (?2, ?3)"};
};

Budgets::Budgets(Database& database, const BudgetLimits& limits)
    : limits_(limits), sql_(std::make_unique<Statements>(database)) {}
Budgets::~Budgets() = default;

void Budgets::load(WallTime now) {
  if (loaded_) return;
  loaded_ = true;
  {
    Cursor row = sql_->spent.query(day_of(now) - 1);
    while (row.next())
      spent_[row.integer(0)][{static_cast<Scope>(row.integer(1)), row.text(2)}] = row.integer(3);
  }
  Cursor row = sql_->running.query();
  while (row.next()) {
    const std::int64_t execution = row.integer(0), share = row.integer(3), cost = row.integer(4);
    if (cost > 0) costly_.insert(execution);
    if (share > 0)
      open_[execution] = {row.text(1), actor_key(row.view(5), row.view(6)), day_of(row.time(2)), share, cost};
  }
}

Budgets::Standing Budgets::standing(Scope scope, std::string_view key, std::int64_t day) const {
  Standing sum;
  if (const auto on_day = spent_.find(day); on_day != spent_.end()) {
    const auto found = on_day->second.find({scope, std::string(key)});
    if (found != on_day->second.end()) sum.spent = found->second;
  }
  for (const auto& [execution, open] : open_) {
    if (open.day != day) continue;
    if (scope == kAgent && open.agent != key) continue;
    if (scope == kActor && open.actor != key) continue;
    sum.in_flight += std::max(open.share, open.cost);
  }
  return sum;
}

Budgets::Standing Budgets::standing_of_chain(std::int64_t task) {
  Standing sum;
  Cursor row = sql_->of_chain.query(task);
  if (row.next()) {
    sum.spent = static_cast<std::int64_t>(row.real(0));
    sum.in_flight = static_cast<std::int64_t>(row.real(1));
  }
  return sum;
}

std::int64_t Budgets::wanted_by(std::string_view agent) const {
  const auto found = limits_.session_of_agent.find(agent);
  return found == limits_.session_of_agent.end() ? limits_.session : found->second;
}

std::string Budgets::actor_of(const Task& task) {
  if (task.source == "chain") {
    Cursor row = sql_->first_source.query(task.row);
    if (row.next()) return actor_key(row.view(0), task.actor_id);
  }
  return actor_key(task.source, task.actor_id);
}

bool Budgets::judge(Verdict& verdict, Verdict::Whose whose, const std::string& budget, std::int64_t limit,
                    const Standing& standing, std::int64_t wanted, WallTime now) {
  const std::int64_t left = limit - standing.spent - standing.in_flight;
  // The last piece of a budget goes to whoever comes first when nothing else may become of it.
  if (left >= wanted || (standing.in_flight == 0 && left > 0)) {
    verdict.share = std::min({verdict.share.value_or(wanted), wanted, left});
    return true;
  }
  verdict.whose = whose;
  verdict.share.reset();
  if (standing.spent >= limit) {
    verdict.kind = Verdict::Kind::Spent;
    verdict.reason = spent_sentence(budget, standing.spent, limit);
    verdict.resumes = next_day(now);
  } else {
    verdict.kind = Verdict::Kind::InFlight;
    verdict.reason = in_flight_sentence(budget, standing.spent, standing.in_flight, limit);
    verdict.resumes = now + kLookAgain;
    somebody_waits_ = true;
  }
  return false;
}

Budgets::Verdict Budgets::ask(std::string_view agent, WallTime now) {
  Verdict verdict;
  if (!limits_.day && !limits_.agent_day) return verdict;
  load(now);
  const std::int64_t wanted = wanted_by(agent), day = day_of(now);
  if (wanted == 0) {
    verdict.share = 0;
    return verdict;
  }
  if (limits_.day &&
      !judge(verdict, Verdict::Whose::Agent, kDayBudget, *limits_.day, standing(kDay, "", day), wanted, now))
    return verdict;
  if (limits_.agent_day)
    judge(verdict, Verdict::Whose::Agent, agent_budget(agent), *limits_.agent_day,
          standing(kAgent, agent, day), wanted, now);
  return verdict;
}

Budgets::Verdict Budgets::ask(const Task& task, WallTime now) {
  Verdict verdict = ask(task.agent, now);
  if (verdict.kind != Verdict::Kind::Go || (!limits_.actor_day && !limits_.task)) return verdict;
  load(now);
  const std::int64_t wanted = wanted_by(task.agent);
  if (wanted == 0) {
    verdict.share = 0;
    return verdict;
  }
  if (limits_.actor_day) {
    const std::string actor = actor_of(task);
    if (!judge(verdict, Verdict::Whose::Actor, actor_budget(actor), *limits_.actor_day,
               standing(kActor, actor, day_of(now)), wanted, now))
      return verdict;
  }
  if (limits_.task)
    judge(verdict, Verdict::Whose::Chain, kChainBudget, *limits_.task, standing_of_chain(task.row), wanted,
          now);
  return verdict;
}

void Budgets::begin(std::int64_t execution, const Task& task, std::int64_t share, WallTime now) {
  if (share <= 0) return;
  load(now);
  open_[execution] = {std::string(task.agent), actor_of(task), day_of(now), share, 0};
}

void Budgets::report(std::int64_t execution, std::int64_t cost, WallTime now) {
  if (cost <= 0) return;
  load(now);
  costly_.insert(execution);
  if (const auto found = open_.find(execution); found != open_.end())
    found->second.cost = std::max(found->second.cost, cost);
}

void Budgets::end(Batch& batch, std::int64_t execution, std::int64_t cost, bool cost_known) {
  load(batch.now);
  const bool has_share = open_.erase(execution) > 0;
  const bool was_costly = costly_.erase(execution) > 0;
  if (!has_share && !was_costly && cost <= 0) return;
  std::int64_t amount = 0, day = 0;
  Key agent{kAgent, ""}, actor{kActor, ""};
  {
    Cursor row = sql_->ended.query(execution);
    if (!row.next()) return;
    agent.second = row.text(0);
    day = day_of(row.time(1));
    amount = cost_known ? row.integer(2) : std::max(row.integer(2), row.integer(3));
    actor.second = actor_key(row.view(4), row.view(5));
  }
  if (has_share && cost_known) sql_->free_share.run(execution);
  if (amount > 0) {
    for (const Key& key : {Key{kDay, ""}, agent, actor}) {
      spent_[day][key] += amount;
      unwritten_[{day, key}] += amount;
    }
    // Days to come stay: where the clock was set back, they have been.
    const std::int64_t yesterday = day_of(batch.now) - 1;
    std::erase_if(spent_, [&](const auto& of_day) { return of_day.first < yesterday; });
  }
  if (has_share && std::exchange(somebody_waits_, false)) let_go(batch, false);
}

void Budgets::hold(std::int64_t task, const Verdict& verdict, WallTime now) {
  sql_->hold.run(task, verdict.kind == Verdict::Kind::Spent ? 2 : 3, verdict.reason, verdict.resumes, now);
}

void Budgets::clock_was_set() { discard(); }

void Budgets::limits_changed(Batch& batch) { let_go(batch, true); }

void Budgets::let_go(Batch& batch, bool spent_too) {
  sql_->let_go.run(batch.now, 3, spent_too ? 2 : 3);
  batch.changes.push_back({Change::Kind::HoldChanged, {}, {}, std::nullopt});
}

void Budgets::flush() {
  for (const auto& [where, amount] : unwritten_)
    sql_->add.run(where.first, static_cast<std::int64_t>(where.second.first), where.second.second, amount);
  unwritten_.clear();
}

void Budgets::discard() {
  loaded_ = false;
  spent_.clear();
  open_.clear();
  costly_.clear();
  unwritten_.clear();
  somebody_waits_ = true;  // who waited before may still do
}

std::vector<BudgetLine> read_budgets(Reader& reader, const BudgetLimits& limits, WallTime now) {
  std::vector<BudgetLine> lines;
  if (!limits.day && !limits.agent_day && !limits.actor_day) return lines;
  const std::int64_t day = day_of(now);
  std::map<std::pair<std::string, std::string>, BudgetLine> by_key;
  const auto line = [&](const char* scope, const std::string& key,
                        const std::optional<std::int64_t>& limit) -> BudgetLine* {
    if (!limit) return nullptr;
    BudgetLine& found = by_key[{scope, key}];
    found.scope = scope;
    found.key = key;
    found.limit = *limit;
    return &found;
  };
  line("day", "", limits.day);
  {
    Cursor row = reader.statement("SELECT scope, key, micro_usd FROM spend WHERE day = ?1").query(day);
    while (row.next()) {
      BudgetLine* const spent = row.integer(0) == 0   ? line("day", "", limits.day)
                                : row.integer(0) == 1 ? line("agent", row.text(1), limits.agent_day)
                                                      : line("actor", row.text(1), limits.actor_day);
      if (spent != nullptr) spent->spent = row.integer(2);
    }
  }
  Cursor row = reader.statement(kRunning).query();
  while (row.next()) {
    if (day_of(row.time(2)) != day) continue;
    const std::int64_t amount = std::max(row.integer(3), row.integer(4));
    if (amount == 0) continue;
    for (BudgetLine* running : {line("day", "", limits.day), line("agent", row.text(1), limits.agent_day),
                                line("actor", actor_key(row.view(5), row.view(6)), limits.actor_day)})
      if (running != nullptr) running->in_flight += amount;
  }
  for (auto& [key, found] : by_key) {
    if (found.spent >= found.limit) found.resumes_at = next_day(now);
    lines.push_back(std::move(found));
  }
  return lines;
}

void tell_budgets(const std::vector<BudgetLine>& lines, WallTime now, TaskSummary& task) {
  if (task.state != TaskState::Queued || !task.hold_reason.empty() || task.run_at > now) return;
  for (const BudgetLine& line : lines) {
    const bool of_agent = line.scope == "agent" && line.key == task.agent;
    if (line.spent + line.in_flight < line.limit || (line.scope != "day" && !of_agent)) continue;
    const std::string budget = of_agent ? agent_budget(task.agent) : std::string(kDayBudget);
    task.hold_reason = line.resumes_at ? spent_sentence(budget, line.spent, line.limit)
                                       : in_flight_sentence(budget, line.spent, line.in_flight, line.limit);
    task.resume_at = line.resumes_at;
    return;
  }
}

}  // namespace davit::store
