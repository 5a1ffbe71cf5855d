// The queue.
//
//     create ──> queued ──claim──> running ──finish──> completed | failed | cancelled | parked |
//     awaiting_approval
//                  ^  ^               │
//                  │  └───────────────┘ finish as queued (retry), lease ran out, host died
//                  └── retry by hand, approve
//
// may_move() of the model is the whole table (moves.h). A claim inserts an execution and writes its row
// number into the task: that number is the fence. It never comes again (AUTOINCREMENT), so whoever names it
// speaks for this attempt and no other, and a write about a running task is accepted only while the task is
// running and still carries it.
//
// In what order tasks are claimed: claims.h; that no two of a line run: lines.h; what people decide:
// decisions.h. Leases are in memory (leases.h). After a restart nobody holds one, so every running task is
// returned.
#include "host/store/task_queue.h"

#include <algorithm>

#include "host/base/id.h"
#include "host/base/text.h"
#include "host/store/rows.h"

namespace davit::store {
namespace {

// A task under which the host ends again and again may be why (it takes all memory, say): far more often than
// chance would have it, it is put aside.
constexpr int kMaxLosses = 10;
constexpr std::size_t kMaxTitle = 1'000;
constexpr std::size_t kMaxRefusal = 1'000;  // the execution keeps all of it

}  // namespace

struct TaskQueue::Statements {
  explicit Statements(Database& database) : db(database) {}
  Database& db;

  Statement insert_task{
      db,
      "INSERT INTO task (id, state, agent, rank, run_at, execution, attempt, max_retries, crashes, "
      "created_at,"
      " updated_at, delivery, chain_depth, parent, root, task_type, source, key, entity, title,"
      " needs_approval, line, rework, blocked)"
      " VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, ?6, 0, ?7, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, "
      "?18, "
      "?19,"
      " ?2 = 0 AND ("
      "EXISTS (SELECT 1 FROM task o INDEXED BY task_line_running WHERE o.state = 1"
      "  AND o.line = ?18)"
      " OR EXISTS (SELECT 1 FROM task o INDEXED BY task_line_queued WHERE o.state = 0"
      "  AND o.line = ?18 AND o.agent = ?3 AND o.blocked = 0 AND o.rank <= ?4 AND o.run_at <= ?5)))"};
  Statement insert_body{
      db,
      "INSERT INTO task_body (row, actor_id, actor_login, actor_role, links, payload, previous_result, chain,"
      " entity_group) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"};
  Statement find_same_key{db,
                          "SELECT row, id, line, root, parent FROM task WHERE key = ?1 AND state = 0 AND agent = ?2"
                          " AND needs_approval = 0 AND row <> ?3 AND (?4 IS NULL OR delivery IS NOT ?4)"
                          " ORDER BY row DESC LIMIT 1"};
  Statement find_queued{db,
                        "SELECT row FROM task WHERE key = ?1 AND state = 0 AND agent = ?2 AND row <> ?3"
                        " AND (?4 IS NULL OR delivery IS NOT ?4) ORDER BY row DESC LIMIT 1"};
  // The index of entities, as there is none of keys of what waits for approval: those are few of an entity.
  Statement find_asking{db,
                        "SELECT row, id, line, root, parent FROM task INDEXED BY task_entity WHERE entity = ?1"
                        " AND key = ?2 AND state = 2 AND agent = ?3 AND needs_approval = 1 AND row <> ?4"
                        " AND (?5 IS NULL OR delivery IS NOT ?5) ORDER BY row DESC LIMIT 1"};
  // What was approved of the same key since, whether it has run or not; what a chain has of one key are
  // several pieces of its work.
  Statement find_approved{db,
                          "SELECT id FROM task INDEXED BY task_entity WHERE entity = ?1 AND key = ?2"
                          " AND agent = ?3 AND needs_approval = 1 AND state IN (0, 1, 3, 4, 6) AND row > ?4"
                          " AND coalesce(root, id) <> ?5 AND (?6 IS NULL OR delivery IS NOT ?6)"
                          " ORDER BY row DESC LIMIT 1"};
  // What of the same key waits for approval, in another chain.
  Statement find_asking_apart{
      db,
      "SELECT id FROM task INDEXED BY task_entity WHERE entity = ?1 AND key = ?2 AND state = 2 AND agent = ?3"
      " AND needs_approval = 1 AND row <> ?4 AND coalesce(root, id) <> ?5 AND (?6 IS NULL OR delivery IS NOT ?6)"
      " ORDER BY row DESC LIMIT 1"};
  Statement replace_task{
      db,
      "UPDATE task SET rank = min(rank, ?2), run_at = min(run_at, ?3), updated_at = ?4, delivery = ?5,"
      " task_type = ?6, source = ?7, entity = ?8, line = ?9, title = ?10, parent = ?11, chain_depth = ?12"
      " WHERE row = ?1"};
  Statement replace_body{db,
                         "UPDATE task_body SET actor_id = ?2, actor_login = ?3, actor_role = ?4, links = ?5,"
                         " payload = ?6, previous_result = ?7, chain = ?8, entity_group = ?9 WHERE row = ?1"};

  // As its newest tasks know it.
  Statement group_of_entity{
      db,
      "SELECT b.entity_group FROM (SELECT row FROM task INDEXED BY task_entity WHERE entity = ?1"
      " ORDER BY row DESC LIMIT 100) t JOIN task_body b ON b.row = t.row WHERE b.entity_group IS NOT NULL"
      " ORDER BY t.row DESC LIMIT 1"};
  Statement drop_links{db, "DELETE FROM task_link WHERE task = ?1"};
  Statement insert_also{db, "INSERT OR IGNORE INTO task_also (key, task) VALUES (?1, ?2)"};
  Statement inherit_also{
      db, "INSERT OR IGNORE INTO task_also (key, task) SELECT key, ?1 FROM task_also WHERE task = ?2"};
  Statement insert_link{db, "INSERT OR IGNORE INTO task_link (key, task) VALUES (?1, ?2)"};

  Statement body{db, "SELECT " + std::string(kTaskBodyColumns) + " FROM task_body b WHERE b.row = ?1"};

  // Usage only ever grows: what a killed runner had reported stays. But costs that were estimated give way to
  // what is known (replaces_estimate of model/task.h).
  static std::string set_costs(const std::string& cost, const std::string& is_estimate) {
    const std::string known = "cost_is_estimate > " + is_estimate + " AND " + cost + " > 0";
    return " cost_micro_usd = iif(" + known + ", " + cost + ", max(cost_micro_usd, " + cost +
           ")), cost_is_estimate = iif(" + known + " OR " + cost + " > cost_micro_usd, " + is_estimate +
           ", cost_is_estimate),";
  }
  Statement end_execution{
      db,
      "UPDATE execution SET ended_at = ?2, success = ?3, outcome = ?4, failure = ?5, error = ?6,"
      " next_agent = ?7,"
      " input_tokens = max(input_tokens, ?8), output_tokens = max(output_tokens, ?9),"
      " cache_read_tokens = max(cache_read_tokens, ?10), cache_write_tokens = max(cache_write_tokens, ?11)," +
          set_costs("?12", "?15") +
          " model = coalesce(?13, model), models = coalesce(?14, models) WHERE row = ?1"};
  Statement lose_execution{
      db,
      "UPDATE execution SET ended_at = ?2, outcome = 'lost', failure = 'interrupted', error = ?3"
      " WHERE row = ?1 AND ended_at IS NULL"};
  Statement source_of{db, "SELECT source FROM task WHERE id = ?1"};
  Statement insert_result{db, "INSERT INTO execution_result (row, metrics, output) VALUES (?1, ?2, ?3)"};
  Statement running{
      db, "SELECT row FROM task INDEXED BY task_state WHERE state <> 0 AND state = 1 ORDER BY row DESC"};

  Statement queued_of{
      db,
      "SELECT row, id FROM task INDEXED BY task_ready WHERE state = 0 AND blocked = 0 AND agent = ?1"
      " UNION ALL SELECT row, id FROM task INDEXED BY task_line_queued"
      " WHERE state = 0 AND line IS NOT NULL AND blocked = 1 AND agent = ?1"};
  Statement held_back{db,
                      "SELECT row, id, agent FROM task INDEXED BY task_state"
                      " WHERE state <> 0 AND state = 6 AND hold_reason = ?1"};
  Statement report_usage{
      db,
      "UPDATE execution SET input_tokens = max(input_tokens, ?3), output_tokens = max(output_tokens, ?4),"
      " cache_read_tokens = max(cache_read_tokens, ?5), cache_write_tokens = max(cache_write_tokens, ?6)," +
          set_costs("?7", "?10") +
          " model = coalesce(?8, model), models = coalesce(?9, models)"
          " WHERE row = ?1 AND task = ?2 AND ended_at IS NULL"};
  Statement open_session{db, "SELECT task, row FROM execution WHERE session = ?1 AND ended_at IS NULL"};
  Statement report_progress{db,
                            "UPDATE execution SET progress = coalesce(?3, progress),"
                            " progress_message = coalesce(?4, progress_message)"
                            " WHERE row = ?1 AND task = ?2 AND ended_at IS NULL"};
};

Result<> check_new_task(const NewTask& task) {
  if (task.agent.empty()) return Error{ErrorCode::InvalidInput, "a task needs an agent; name one"};
  if (task.priority < -100 || task.priority > 100) {
    return Error{ErrorCode::InvalidInput,
                 "priority " + std::to_string(task.priority) + " is not in -100 to 100"};
  }
  if (task.max_retries < 0) return Error{ErrorCode::InvalidInput, "max_retries is negative"};
  if (!task.id.empty() && !is_id(task.id)) {
    return Error{ErrorCode::InvalidInput, "task id \"" + task.id + "\" is not a UUID in lower case"};
  }
  return {};
}

TaskQueue::TaskQueue(Database& database, Moves& moves, Lines& lines, Approvals& approvals, HeldAgents& held,
                     Leases& leases, Budgets& budgets, DayBook& day_book, TaskIndex& index,
                     ChainSums& chain_sums)
    : moves_(moves),
      lines_(lines),
      approvals_(approvals),
      held_(held),
      leases_(leases),
      budgets_(budgets),
      transcripts_(database),
      day_book_(day_book),
      index_(index),
      chain_sums_(chain_sums),
      sql_(std::make_unique<Statements>(database)) {}
TaskQueue::~TaskQueue() = default;

// A task whose input nobody has begun to work on, or approved.
struct TaskQueue::Waiting {
  std::int64_t row = 0;
  std::string id, line;
  StoredId root;      // of the chain that it follows in; none: it is the first
  StoredId parent;
  bool asks = false;  // for approval
};

std::string TaskQueue::create(Batch& batch, const NewTask& task, const Origin& origin) {
  const std::int64_t rank = -task.priority;
  const WallTime run_at = task.run_at.value_or(batch.now);
  const std::string_view entity = task.entity.empty() ? origin.entity : std::string_view(task.entity);
  const std::string group = group_of(task, entity, origin);
  const std::string_view line = lines_.of(task.agent, entity, group);
  const std::string_view title = shortened(task.title, kMaxTitle);
  const auto actor = [&](std::string Actor::*field) -> std::optional<std::string_view> {
    if (origin.actor == nullptr) return std::nullopt;
    return std::string_view(origin.actor->*field);
  };

  static const std::vector<Link> kNoLinks;
  const std::vector<Link>& links = origin.links != nullptr ? *origin.links : kNoLinks;
  const std::string links_json = links_to_json(links);

  const bool awaits_approval = task.awaits_approval || origin.awaits_approval;
  const bool key_is_entity = task.key.empty() && origin.entity_is_key;
  const std::string_view key = key_is_entity ? entity : std::string_view(task.key);
  const std::optional<Waiting> waiting =
      find_waiting(task, origin, key, entity, awaits_approval, key_is_entity);
  // What follows in a chain has a place in it, with the chain's depth and money, so where the chains differ
  // the former one ends.
  if (waiting && waiting->root == origin.root) {
    replace(batch, *waiting, task, origin);
    return waiting->id;
  }

  const StoredId id = task.id.empty() ? new_stored_id() : to_stored_id(task.id).value_or(StoredId{});
  const TaskState state = awaits_approval ? TaskState::AwaitingApproval : TaskState::Queued;
  const std::int64_t row = sql_->insert_task.insert(
      id, code_of(state), task.agent, rank, run_at, task.max_retries, batch.now, origin.delivery,
      origin.chain_depth, origin.parent, origin.root, task.task_type, origin.source, if_any(key),
      if_any(entity), title, awaits_approval ? 1 : 0, if_any(line), origin.rework);
  index_.made(row, batch.now);
  sql_->insert_body.run(row, actor(&Actor::id), actor(&Actor::login), actor(&Actor::role), if_any(links_json),
                        task.payload, if_any(origin.previous_result), if_any(origin.chain), if_any(group));
  write_links(row, links);
  inherit_also(row, origin);
  find_place(row, task.agent, origin);
  if (waiting) {
    if (const std::optional<TaskRow> former = moves_.find(waiting->row))
      give_way(batch, *former,
               (waiting->asks ? "nobody approved it before task " : "not begun before task ") + to_text(id) +
                   " came with newer input");
  }
  if (awaits_approval) {
    approvals_.ask(row, batch.now);
    batch.changes.push_back({Change::Kind::ApprovalAsked, to_text(id), task.agent, std::nullopt, state});
  }
  const TaskState admitted =
      state == TaskState::Queued ? moves_.admit(row, task.agent, batch.now) : state;
  batch.changes.push_back(
      {admitted == TaskState::Queued ? Change::Kind::TaskQueued : Change::Kind::TaskChanged, to_text(id),
       task.agent, std::nullopt, admitted});
  return to_text(id);
}

std::optional<TaskQueue::Waiting> TaskQueue::find_waiting(const NewTask& task, const Origin& origin,
                                                          std::string_view key, std::string_view entity,
                                                          bool awaits_approval, bool key_is_entity) {
  if (key.empty()) return std::nullopt;
  // Several tasks that one answer asks for about its entity do not replace one another.
  const std::optional<std::int64_t> not_of = key_is_entity ? origin.delivery : std::nullopt;
  if (!awaits_approval) {
    Cursor same = sql_->find_same_key.query(key, task.agent, 0, not_of);
    if (!same.next()) return std::nullopt;
    return Waiting{same.integer(0), to_text(same.id(1)), same.text(2), same.id(3), same.id(4)};
  }
  if (entity.empty()) return std::nullopt;
  Cursor same = sql_->find_asking.query(entity, key, task.agent, 0, not_of);
  if (!same.next()) return std::nullopt;
  const Waiting waiting{same.integer(0), to_text(same.id(1)), same.text(2), same.id(3), same.id(4), true};
  const bool in_chain = !(waiting.root == StoredId{});
  if (in_chain && waiting.root == origin.root) return std::nullopt;  // nor do those of one chain
  return waiting;
}

// What the entity belongs to. What is known of it counts before what the task says, so that two tasks of one
// entity never stand in two lines.
std::string TaskQueue::group_of(const NewTask& task, std::string_view entity, const Origin& origin) {
  if (entity.empty()) return task.group;
  if (entity == origin.entity && !origin.group.empty()) return std::string(origin.group);
  if (!lines_.by_group(task.agent)) return task.group;
  Cursor found = sql_->group_of_entity.query(entity);
  return found.next() ? found.text(0) : task.group;
}

// Its input becomes that of `task`. An approval of what it was before is none of what it is now: that has
// another hash. So the wait begins anew, also for whoever would be reminded.
void TaskQueue::replace(Batch& batch, const Waiting& waiting, const NewTask& task, const Origin& origin) {
  const std::int64_t row = waiting.row;
  const std::string_view entity = task.entity.empty() ? origin.entity : std::string_view(task.entity);
  const std::string group = group_of(task, entity, origin);
  const std::string_view line = lines_.of(task.agent, entity, group);
  static const std::vector<Link> kNoLinks;
  const std::vector<Link>& links = origin.links != nullptr ? *origin.links : kNoLinks;
  const std::string links_json = links_to_json(links);
  const auto actor = [&](std::string Actor::*field) -> std::optional<std::string_view> {
    if (origin.actor == nullptr) return std::nullopt;
    return std::string_view(origin.actor->*field);
  };
  const std::string content = waiting.asks ? approvals_.content_of(row) : std::string();
  index_.before_change(row);
  sql_->replace_task.run(row, -task.priority, task.run_at.value_or(batch.now), batch.now, origin.delivery,
                         task.task_type, origin.source, if_any(entity), if_any(line),
                         shortened(task.title, kMaxTitle), origin.parent, origin.chain_depth);
  index_.after_change(row);
  sql_->replace_body.run(row, actor(&Actor::id), actor(&Actor::login), actor(&Actor::role),
                         if_any(links_json), task.payload, if_any(origin.previous_result),
                         if_any(origin.chain), if_any(group));
  sql_->drop_links.run(row);
  write_links(row, links);
  inherit_also(row, origin);
  if (waiting.parent != origin.parent) {
    find_place(row, task.agent, origin);
    chain_sums_.is_left(waiting.parent);
  }
  if (waiting.asks) {
    if (approvals_.content_of(row) == content) {
      batch.changes.push_back({Change::Kind::TaskChanged, waiting.id, task.agent, std::nullopt,
                               TaskState::AwaitingApproval});
      return;
    }
    approvals_.end(row);
    approvals_.ask(row, batch.now);
    batch.changes.push_back({Change::Kind::ApprovalAsked, waiting.id, task.agent, std::nullopt,
                             TaskState::AwaitingApproval});
    return;
  }
  // It may be due earlier than the one it stood behind.
  if (waiting.line != line || !line.empty()) lines_.block_if_busy(row);
  if (waiting.line != line) lines_.let_next_in(batch, waiting.line);
  batch.changes.push_back(
      {Change::Kind::TaskQueued, waiting.id, task.agent, std::nullopt, TaskState::Queued});
}

void TaskQueue::give_way(Batch& batch, const TaskRow& row, std::string_view why) {
  moves_.move(batch, row,
              {.to = TaskState::Cancelled,
               .attempt = row.attempt,
               .crashes = row.crashes,
               .losses = row.losses,
               .error = why,
               .stops = Stops::Not});
  lines_.let_next_in(batch, row.line);
}

std::optional<TaskRow> TaskQueue::waits_under_key_of(const TaskRow& row) {
  if (row.key.empty()) return std::nullopt;
  std::optional<std::int64_t> found;
  {
    Cursor queued = sql_->find_queued.query(row.key, row.agent, row.row, row.delivery);
    if (queued.next()) found = queued.integer(0);
  }
  if (!found && !row.entity.empty()) {
    Cursor asking = sql_->find_asking.query(row.entity, row.key, row.agent, row.row, row.delivery);
    if (asking.next()) found = asking.integer(0);
  }
  return found ? moves_.find(*found) : std::nullopt;
}

void TaskQueue::find_place(std::int64_t row, std::string_view agent, const Origin& origin) {
  if (origin.parent == StoredId{}) return;
  origin.beside ? chain_sums_.stands_beside(row, *origin.beside) : chain_sums_.follows(row, agent, origin.parent);
}

void TaskQueue::inherit_also(std::int64_t row, const Origin& origin) {
  if (origin.also_of) sql_->inherit_also.run(row, *origin.also_of);
}

void TaskQueue::write_links(std::int64_t row, const std::vector<Link>& links) {
  for (const Link& link : links) sql_->insert_link.run(search_key(link), row);
}

// What would be tried again gives way to a task of the same key that came meanwhile with newer input; what
// was approved, to one that was approved as well, and what would wait again, to one that waits. A sentence
// about it, empty if there is none.
std::string TaskQueue::gives_way(const TaskRow& row, TaskState to) {
  if (row.key.empty()) return {};
  const auto sentence = [](const StoredId& newer) {
    return "not tried again: task " + to_text(newer) + " came meanwhile with newer input";
  };
  if (row.needs_approval) {
    if (row.entity.empty()) return {};
    const auto newer = [&](Statement& find) {
      Cursor found = find.query(row.entity, row.key, row.agent, row.row, row.root, row.delivery);
      return found.next() ? sentence(found.id(0)) : std::string();
    };
    std::string why = newer(sql_->find_approved);
    if (why.empty() && to == TaskState::AwaitingApproval) why = newer(sql_->find_asking_apart);
    return why;
  }
  Cursor found = sql_->find_same_key.query(row.key, row.agent, row.row, row.delivery);
  return found.next() ? sentence(found.id(1)) : std::string();
}

void TaskQueue::hold(Batch& batch, const std::set<std::string>& agents) {
  held_.set(agents);
  struct Found {
    std::int64_t row;
    std::string id, agent;
  };
  std::vector<Found> park, queue;
  for (const std::string& agent : agents) {
    Cursor found = sql_->queued_of.query(agent);
    while (found.next()) park.push_back({found.integer(0), to_text(found.id(1)), agent});
  }
  {
    Cursor found = sql_->held_back.query(kHeldReason);
    while (found.next()) {
      if (std::string agent = found.text(2); !agents.contains(agent))
        queue.push_back({found.integer(0), to_text(found.id(1)), std::move(agent)});
    }
  }
  for (Found& task : park) {
    moves_.hold_back(task.row, batch.now);
    batch.changes.push_back({Change::Kind::TaskChanged, std::move(task.id), std::move(task.agent),
                             std::nullopt, TaskState::Parked});
  }
  for (Found& task : queue) {
    moves_.let_go(task.row, batch.now);
    batch.changes.push_back({Change::Kind::TaskQueued, std::move(task.id), std::move(task.agent),
                             std::nullopt, TaskState::Queued});
  }
}

void TaskQueue::report(Batch& batch, const std::vector<LiveReport>& reports) {
  for (const LiveReport& report : reports) {
    const std::int64_t execution = report.fence.number;
    const std::int64_t task = report.fence.task_row;
    if (report.usage) {
      const Usage& usage = *report.usage;
      sql_->report_usage.run(execution, task, usage.input_tokens, usage.output_tokens,
                             usage.cache_read_tokens, usage.cache_write_tokens, usage.cost_micro_usd,
                             if_any(usage.model), if_any(models_to_json(usage)),
                             usage.cost_is_estimate ? 1 : 0);
      budgets_.report(execution, usage.cost_micro_usd, batch.now);
    }
    if (report.progress || !report.progress_message.empty()) {
      sql_->report_progress.run(execution, task, report.progress, if_any(report.progress_message));
    }
    transcripts_.add(report.fence, report.transcript);
    if (!report.task_id.empty())
      batch.changes.push_back(
          {Change::Kind::ExecutionChanged, report.task_id, {}, std::nullopt, std::nullopt, report.session_id});
  }
}

void TaskQueue::take_told(Batch& batch, const std::vector<ToldUsage>& told) {
  for (const ToldUsage& each : told) {
    const std::optional<StoredId> session = to_stored_id(each.session_id);
    if (!session) continue;
    LiveReport report;
    {
      Cursor found = sql_->open_session.query(*session);
      if (!found.next()) continue;
      report.fence = {found.integer(0), found.integer(1)};
    }
    report.usage = each.usage;
    this->report(batch, {std::move(report)});
  }
}

Result<TaskState> TaskQueue::finish(Batch& batch, const Finish& finish) {
  const std::optional<TaskRow> row = moves_.find(finish.fence.task_row);
  if (!row || row->state != TaskState::Running || row->execution != finish.fence.number) {
    return Error{ErrorCode::Conflict,
                 "this attempt is no longer the one that runs its task; its result is dropped"};
  }
  if (!may_move(TaskState::Running, finish.next_state)) {
    return Error{ErrorCode::InvalidInput,
                 "a running task cannot become " + std::string(to_string(finish.next_state))};
  }
  // Which approval it ran on: nothing decides about a task that runs.
  std::optional<TaskDecision> refused;
  if (finish.next_state == TaskState::AwaitingApproval) {
    refused = approvals_.approval_of(row->row, approvals_.content_of(row->row));
    if (!refused || finish.result.failure != FailureClass::ApprovalRefused) {
      return Error{ErrorCode::InvalidInput,
                   "a running task waits for approval only where the approval that it runs on does not count"};
    }
  }
  if (finish.next_state != TaskState::Completed && (finish.successor || !finish.result.tasks.empty()))
    return Error{ErrorCode::InvalidInput, "only a task that is completed is followed by others"};
  if (finish.successor) TRY(check_new_task(*finish.successor));
  for (const NewTask& child : finish.result.tasks) TRY(check_new_task(child));

  const AgentResult& result = finish.result;
  const Usage& usage = result.usage;
  TaskState state = finish.next_state;
  std::string_view error =
      state == TaskState::Completed ? std::string_view() : std::string_view(result.error);
  const bool goes_on = state == TaskState::Queued || state == TaskState::AwaitingApproval;
  if (row->cancel_reason && goes_on) state = TaskState::Cancelled;
  if (row->cancel_reason && state == TaskState::Cancelled) error = *row->cancel_reason;
  std::string given_way;
  if (goes_on && !row->cancel_reason) {
    if (given_way = gives_way(*row, state); !given_way.empty()) {
      state = TaskState::Cancelled;
      error = given_way;
    }
  }

  transcripts_.add(finish.fence, finish.transcript);
  sql_->end_execution.run(row->execution, batch.now, result.success ? 1 : 0, finish.outcome,
                          to_string(result.failure), if_any(result.error), if_any(result.next_agent),
                          usage.input_tokens, usage.output_tokens, usage.cache_read_tokens,
                          usage.cache_write_tokens, usage.cost_micro_usd, if_any(usage.model),
                          if_any(models_to_json(usage)), usage.cost_is_estimate ? 1 : 0);
  budgets_.end(batch, row->execution, usage.cost_micro_usd, finish.cost_known);
  book(batch, *row, finish.outcome, usage);
  if (result.output != "null" || result.metrics != "{}") {
    sql_->insert_result.run(row->execution, result.metrics, result.output);
  }
  for (const std::string& key : result.also)
    if (key != row->entity) sql_->insert_also.run(key, row->row);
  const std::optional<WallTime> run_at =
      state == TaskState::Queued ? std::optional(batch.now + finish.retry_after) : std::nullopt;
  leases_.end(row->fence());
  if (refused) {
    approvals_.note_refused(row->row, *refused, shortened(result.error, kMaxRefusal), batch.now);
    batch.decided.push_back({"refused", "agent"});
  }
  state = moves_.move(batch, *row,
                      {.to = state,
                       .run_at = run_at,
                       .attempt = finish.attempt_counts ? row->attempt : row->attempt - 1,
                       .crashes = row->crashes + (result.failure == FailureClass::Crash ? 1 : 0),
                       .losses = row->losses,
                       .error = error,
                       .backs_off = state == TaskState::Queued && finish.retry_after > Duration(0),
                       .stops = given_way.empty() ? Stops::AsItsState : Stops::Not,
                       .resumes = refused.has_value()});

  if (finish.successor || !result.tasks.empty()) create_successors(batch, finish, *row);
  lines_.let_next_in(batch, row->line);
  return state;
}

// `usage` is what was said at its end; what it had reported before counts as it does in its row.
void TaskQueue::book(Batch& batch, const TaskRow& row, std::string_view outcome, const Usage& usage) {
  EndedExecution ended{row.agent,      row.task_type, row.source,  std::string(outcome),
                       row.started_at, batch.now,     row.reported};
  for (const auto measure :
       {&ModelUsage::input_tokens, &ModelUsage::output_tokens, &ModelUsage::cache_read_tokens,
        &ModelUsage::cache_write_tokens, &ModelUsage::cost_micro_usd}) {
    ended.usage.*measure = std::max(ended.usage.*measure, usage.*measure);
  }
  if (replaces_estimate(row.reported, usage)) ended.usage.cost_micro_usd = usage.cost_micro_usd;
  if (!usage.model.empty()) ended.usage.model = usage.model;
  if (!usage.models.empty()) ended.usage.models = usage.models;
  if (row.root != row.id) {
    Cursor first = sql_->source_of.query(row.root);
    if (first.next()) ended.source = first.text(0);
  }
  day_book_.end(batch, std::move(ended));
}

void TaskQueue::create_successors(Batch& batch, const Finish& finish, const TaskRow& row) {
  TaskBody body;
  {
    Cursor found = sql_->body.query(row.row);
    if (found.next()) body = read_task_body(found, 0);
  }
  body.chain.push_back(row.agent);
  const std::string chain = names_to_json(body.chain);
  Origin origin{.source = "chain",
                .actor = body.actor ? &*body.actor : nullptr,
                .links = &body.links,
                .entity = row.entity,
                .group = body.group,
                .delivery = row.delivery,
                .also_of = row.row,
                .parent = row.id,
                .root = row.root,
                .chain_depth = row.chain_depth + 1,
                .rework = row.rework,
                .previous_result = finish.result.output,
                .chain = chain};
  for (const NewTask& child : finish.result.tasks) create(batch, child, origin);
  if (finish.successor) {
    origin.awaits_approval = finish.successor_awaits_approval;
    NewTask successor = *finish.successor;
    // So that the plan that a newer event led to takes the place of the one that still waits.
    if (origin.awaits_approval && successor.key.empty()) successor.key = row.key;
    if (successor.payload.empty()) successor.payload = body.payload;
    create(batch, successor, origin);
  }
}

void TaskQueue::end_as_lost(Batch& batch, const TaskRow& row, bool counts, std::string_view reason) {
  const int losses = row.losses + (counts ? 1 : 0);
  TaskState state = counts && losses >= kMaxLosses ? TaskState::Parked : TaskState::Queued;
  std::string error = counts ? std::string(reason) : std::string();
  if (state == TaskState::Parked) {
    error += "; that happened " + std::to_string(losses) +
             " times under this task, so it is put aside; retry it by hand when the cause is gone";
  }
  if (row.cancel_reason) {
    state = TaskState::Cancelled;
    error = *row.cancel_reason;
  }
  Stops stops = Stops::AsItsState;
  if (state == TaskState::Queued) {
    if (std::string given_way = gives_way(row, state); !given_way.empty()) {
      state = TaskState::Cancelled;
      error = std::move(given_way);
      stops = Stops::Not;
    }
  }
  sql_->lose_execution.run(row.execution, batch.now, reason);
  budgets_.end(batch, row.execution, 0, false);
  book(batch, row, "lost", {});
  leases_.end(row.fence());
  moves_.move(batch, row,
              {.to = state,
               .run_at = state == TaskState::Queued ? std::optional(batch.now) : std::nullopt,
               .attempt = std::max(row.attempt - 1, 0),
               .crashes = row.crashes,
               .losses = losses,
               .error = error,
               .stops = stops});
  lines_.let_next_in(batch, row.line);
}

int TaskQueue::reap(Batch& batch) {
  int count = 0;
  std::vector<Fence> expired = leases_.expired(batch.monotonic);
  // The newest first, here and in recover(): of two with one key the older gives way.
  std::sort(expired.begin(), expired.end(),
            [](const Fence& a, const Fence& b) { return a.task_row > b.task_row; });
  for (const Fence& fence : expired) {
    const std::optional<TaskRow> row = moves_.find(fence.task_row);
    if (!row || row->state != TaskState::Running || row->execution != fence.number) continue;
    end_as_lost(batch, *row, true, "the lease of this attempt ran out");
    ++count;
  }
  return count;
}

int TaskQueue::recover(Batch& batch, Recovery recovery) {
  std::vector<std::int64_t> rows;
  {
    Cursor running = sql_->running.query();
    while (running.next()) rows.push_back(running.integer(0));
  }
  int count = 0;
  for (std::int64_t number : rows) {
    const std::optional<TaskRow> row = moves_.find(number);
    if (!row || leases_.holds(row->fence())) continue;
    const bool counts = recovery == Recovery::Start;
    end_as_lost(
        batch, *row, counts,
        counts ? "the host ended while this attempt ran" : "the claim could not be committed for certain");
    ++count;
  }
  // The other way round: what a commit of unknown outcome has ended after all.
  for (const Fence& fence : leases_.all()) {
    const std::optional<TaskRow> row = moves_.find(fence.task_row);
    if (!row || row->state != TaskState::Running || row->execution != fence.number) leases_.end(fence);
  }
  return count;
}

}  // namespace davit::store
