#include "host/store/new_tasks.h"

#include "host/base/id.h"
#include "host/base/text.h"
#include "host/store/rows.h"
#include "host/store/statement.h"

namespace davit::store {
namespace {

constexpr std::size_t kMaxTitle = 4'096;  // bytes; the API and plugins take less

}  // namespace

struct NewTasks::Statements {
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
  Statement find_same_key{
      db,
      "SELECT row, id, line, root, parent FROM task WHERE key = ?1 AND state = 0 AND agent = ?2"
      " AND needs_approval = 0 AND row <> ?3 AND (?4 IS NULL OR delivery IS NOT ?4)"
      " ORDER BY row DESC LIMIT 1"};
  Statement find_queued{db,
                        "SELECT row FROM task WHERE key = ?1 AND state = 0 AND agent = ?2 AND row <> ?3"
                        " AND (?4 IS NULL OR delivery IS NOT ?4) ORDER BY row DESC LIMIT 1"};
  // The index of entities, as there is none of keys of what waits for approval: those are few of an entity.
  Statement find_asking{
      db,
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
      " AND needs_approval = 1 AND row <> ?4 AND coalesce(root, id) <> ?5"
      " AND (?6 IS NULL OR delivery IS NOT ?6) ORDER BY row DESC LIMIT 1"};
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
  Statement inherit_also{
      db, "INSERT OR IGNORE INTO task_also (key, task) SELECT key, ?1 FROM task_also WHERE task = ?2"};
  Statement insert_link{db, "INSERT OR IGNORE INTO task_link (key, task) VALUES (?1, ?2)"};
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

NewTasks::NewTasks(Database& database, Moves& moves, Lines& lines, Approvals& approvals, TaskIndex& index,
                   ChainSums& chain_sums)
    : moves_(moves),
      lines_(lines),
      approvals_(approvals),
      index_(index),
      chain_sums_(chain_sums),
      sql_(std::make_unique<Statements>(database)) {}
NewTasks::~NewTasks() = default;

// A task whose input nobody has begun to work on, or approved.
struct NewTasks::Waiting {
  std::int64_t row = 0;
  std::string id, line;
  StoredId root;  // of the chain that it follows in; none: it is the first
  StoredId parent;
  bool asks = false;  // for approval
};

std::string NewTasks::create(Batch& batch, const NewTask& task, const Origin& origin) {
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
  const TaskState admitted = state == TaskState::Queued ? moves_.admit(row, task.agent, batch.now) : state;
  batch.changes.push_back(
      {admitted == TaskState::Queued ? Change::Kind::TaskQueued : Change::Kind::TaskChanged, to_text(id),
       task.agent, std::nullopt, admitted});
  return to_text(id);
}

std::optional<NewTasks::Waiting> NewTasks::find_waiting(const NewTask& task, const Origin& origin,
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
std::string NewTasks::group_of(const NewTask& task, std::string_view entity, const Origin& origin) {
  if (entity.empty()) return task.group;
  if (entity == origin.entity && !origin.group.empty()) return std::string(origin.group);
  if (!lines_.by_group(task.agent)) return task.group;
  Cursor found = sql_->group_of_entity.query(entity);
  return found.next() ? found.text(0) : task.group;
}

// Its input becomes that of `task`. An approval of what it was before is none of what it is now: that has
// another hash. So the wait begins anew, also for whoever would be reminded.
void NewTasks::replace(Batch& batch, const Waiting& waiting, const NewTask& task, const Origin& origin) {
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
      batch.changes.push_back(
          {Change::Kind::TaskChanged, waiting.id, task.agent, std::nullopt, TaskState::AwaitingApproval});
      return;
    }
    approvals_.end(row);
    approvals_.ask(row, batch.now);
    batch.changes.push_back(
        {Change::Kind::ApprovalAsked, waiting.id, task.agent, std::nullopt, TaskState::AwaitingApproval});
    return;
  }
  // It may be due earlier than the one it stood behind.
  if (waiting.line != line || !line.empty()) lines_.block_if_busy(row);
  if (waiting.line != line) lines_.let_next_in(batch, waiting.line);
  batch.changes.push_back(
      {Change::Kind::TaskQueued, waiting.id, task.agent, std::nullopt, TaskState::Queued});
}

void NewTasks::give_way(Batch& batch, const TaskRow& row, std::string_view why) {
  moves_.move(batch, row,
              {.to = TaskState::Cancelled,
               .attempt = row.attempt,
               .crashes = row.crashes,
               .losses = row.losses,
               .error = why,
               .stops = Stops::Not});
  lines_.let_next_in(batch, row.line);
}

std::optional<TaskRow> NewTasks::waits_under_key_of(const TaskRow& row) {
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

void NewTasks::find_place(std::int64_t row, std::string_view agent, const Origin& origin) {
  if (origin.parent == StoredId{}) return;
  origin.beside ? chain_sums_.stands_beside(row, *origin.beside)
                : chain_sums_.follows(row, agent, origin.parent);
}

void NewTasks::inherit_also(std::int64_t row, const Origin& origin) {
  if (origin.also_of) sql_->inherit_also.run(row, *origin.also_of);
}

void NewTasks::write_links(std::int64_t row, const std::vector<Link>& links) {
  for (const Link& link : links) sql_->insert_link.run(search_key(link), row);
}

std::string NewTasks::gives_way(const TaskRow& row, TaskState to) {
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

}  // namespace davit::store
