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
constexpr std::size_t kMaxRefusal = 1'000;  // the execution keeps all of it

}  // namespace

struct TaskQueue::Statements {
  explicit Statements(Database& database) : db(database) {}
  Database& db;

  Statement insert_also{db, "INSERT OR IGNORE INTO task_also (key, task) VALUES (?1, ?2)"};
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

TaskQueue::TaskQueue(Database& database, NewTasks& new_tasks, Moves& moves, Lines& lines, Approvals& approvals,
                     HeldAgents& held, Leases& leases, Budgets& budgets, DayBook& day_book)
    : new_tasks_(new_tasks),
      moves_(moves),
      lines_(lines),
      approvals_(approvals),
      held_(held),
      leases_(leases),
      budgets_(budgets),
      transcripts_(database),
      day_book_(day_book),
      sql_(std::make_unique<Statements>(database)) {}
TaskQueue::~TaskQueue() = default;

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
      batch.changes.push_back({Change::Kind::ExecutionChanged,
                               report.task_id,
                               {},
                               std::nullopt,
                               std::nullopt,
                               report.session_id});
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
      return Error{
          ErrorCode::InvalidInput,
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
    if (given_way = new_tasks_.gives_way(*row, state); !given_way.empty()) {
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
  for (const NewTask& child : finish.result.tasks) new_tasks_.create(batch, child, origin);
  if (finish.successor) {
    origin.awaits_approval = finish.successor_awaits_approval;
    NewTask successor = *finish.successor;
    // So that the plan that a newer event led to takes the place of the one that still waits.
    if (origin.awaits_approval && successor.key.empty()) successor.key = row.key;
    if (successor.payload.empty()) successor.payload = body.payload;
    new_tasks_.create(batch, successor, origin);
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
    if (std::string given_way = new_tasks_.gives_way(row, state); !given_way.empty()) {
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
