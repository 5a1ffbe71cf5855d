#include "host/store/bulk_acts.h"

#include <algorithm>
#include <string>
#include <vector>

#include "host/base/crypto.h"
#include "host/base/json.h"
#include "host/model/task_state.h"
#include "host/store/audit.h"
#include "host/store/statement.h"

namespace davit::store {
namespace {

// Both together are what is looked up, and neither may run into the other.
std::string digest_of(std::string_view actor, std::string_view key) {
  std::string both(actor);
  both += '\0';
  both += key;
  return sha256_hex(both);
}
std::string head_name(std::string_view digest) { return std::string("bulk:").append(digest); }
// Padded, so that names are in the order of the steps.
std::string step_name(std::string_view digest, int step) {
  const std::string number = std::to_string(step);
  return std::string("bulk_step:").append(digest) + ':' + std::string(4 - std::min<std::size_t>(4, number.size()), '0') +
         number;
}

// What is known of an act as a whole.
struct Head {
  WallTime at{};  // when it began
  std::string actor, request_sha256, comment;
  std::string way, address, request_id;  // as the audit log says who asked
  TaskActionKind action = TaskActionKind::Cancel;
  int steps = 0, done = 0;
  bool finished() const { return done == steps; }
};

TaskActionKind action_from(std::string_view word) {
  using enum TaskActionKind;
  for (const TaskActionKind kind : {Approve, Reject, Retry})
    if (to_string(kind) == word) return kind;
  return Cancel;
}

std::string to_value(const Head& head) {
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  write_member(writer, "at", to_unix_ms(head.at));
  write_member(writer, "actor", head.actor);
  write_member(writer, "request_sha256", head.request_sha256);
  write_member(writer, "action", to_string(head.action));
  write_member(writer, "comment", head.comment);
  write_member(writer, "way", head.way);
  write_member(writer, "address", head.address);
  write_member(writer, "request_id", head.request_id);
  write_member(writer, "steps", head.steps);
  write_member(writer, "done", head.done);
  writer.EndObject();
  return std::string(text_of(buffer));
}

Result<Head> head_from(std::string_view value) {
  const JsonDocument json = TRY(parse_json(value));
  Head head;
  head.at = from_unix_ms(int_member(json, "at"));
  head.actor = string_member(json, "actor");
  head.request_sha256 = string_member(json, "request_sha256");
  head.action = action_from(string_member(json, "action"));
  head.comment = string_member(json, "comment");
  head.way = string_member(json, "way");
  head.address = string_member(json, "address");
  head.request_id = string_member(json, "request_id");
  head.steps = static_cast<int>(int_member(json, "steps"));
  head.done = static_cast<int>(int_member(json, "done"));
  return head;
}

std::string to_value(const Chosen* first, const Chosen* last) {
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartArray();
  for (; first != last; ++first) {
    writer.StartObject();
    write_member(writer, "task_id", first->task_id);
    write_member(writer, "status", to_string(first->state));
    write_member(writer, "attempt", first->attempt);
    write_member(writer, "content_hash", first->content_hash);
    writer.EndObject();
  }
  writer.EndArray();
  return std::string(text_of(buffer));
}

Result<std::vector<Chosen>> chosen_from(std::string_view value) {
  const JsonDocument json = TRY(parse_json(value));
  std::vector<Chosen> tasks;
  if (!json.IsArray()) return tasks;
  for (const JsonValue& each : json.GetArray())
    tasks.push_back({string_member(each, "task_id"),
                     task_state_from(string_member(each, "status")).value_or(TaskState::Queued),
                     static_cast<int>(int_member(each, "attempt")), string_member(each, "content_hash")});
  return tasks;
}

std::string to_value(const std::vector<ChosenOutcome>& outcomes) {
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartArray();
  for (const ChosenOutcome& each : outcomes) {
    writer.StartObject();
    write_member(writer, "task_id", each.task_id);
    if (each.state) write_member(writer, "status", to_string(*each.state));
    write_member(writer, "refusal", each.refusal);
    writer.EndObject();
  }
  writer.EndArray();
  return std::string(text_of(buffer));
}

Result<> add_outcomes_from(std::string_view value, std::vector<ChosenOutcome>& outcomes) {
  const JsonDocument json = TRY(parse_json(value));
  if (!json.IsArray()) return {};
  for (const JsonValue& each : json.GetArray())
    outcomes.push_back({string_member(each, "task_id"), task_state_from(string_member(each, "status")),
                        string_member(each, "refusal")});
  return {};
}

std::optional<std::string> value_of(Database& database, const std::string& name) {
  Statement find(database, "SELECT value FROM setting WHERE name = ?1");
  Cursor row = find.query(name);
  return row.next() ? std::optional(row.text(0)) : std::nullopt;
}

void set_value(Database& database, const std::string& name, std::string_view value) {
  Statement(database,
            "INSERT INTO setting (name, value) VALUES (?1, ?2)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value")
      .run(name, value);
}

void forget(Database& database, const std::string& digest) {
  const std::string steps = "bulk_step:" + digest;
  Statement(database, "DELETE FROM setting WHERE name = ?1 OR (name > ?2 AND name < ?3)")
      .run(head_name(digest), steps + ':', steps + ';');
}

}  // namespace

Result<> begin_bulk_act(Database& database, const BulkAct& act, WallTime now) {
  const std::string digest = digest_of(act.actor, act.key);
  bool used = false;
  std::size_t begun = 0;  // by the same actor
  WallTime oldest = now;  // of them
  std::vector<std::string> to_forget;
  Statement all(database, "SELECT name, value FROM setting WHERE name >= 'bulk:' AND name < 'bulk;'");
  for (Cursor row = all.query(); row.next();) {
    std::string known = row.text(0).substr(std::string_view("bulk:").size());
    const Result<Head> head = head_from(row.view(1));
    // What cannot be read is of no use any more.
    if (!head.ok() || now - head->at >= kBulkActKept) {
      to_forget.push_back(std::move(known));
      continue;
    }
    used = used || known == digest;
    if (head->actor != act.actor) continue;
    ++begun;
    oldest = std::min(oldest, head->at);
  }
  if (used) return Error{ErrorCode::Conflict, "this key was used before"};
  if (begun >= kMostBulkActs)
    return Error{ErrorCode::RateLimited,
                 std::string(act.actor) + " has begun " + std::to_string(begun) +
                     " acts on many tasks within a day, as many as are remembered under their keys; the next may begin at " +
                     to_iso8601(oldest + kBulkActKept)};
  for (const std::string& each : to_forget) forget(database, each);

  Head head{now, act.actor, act.request_sha256, act.comment, act.way, act.address, act.request_id, act.action};
  for (std::size_t at = 0; at < act.tasks.size(); at += Store::kMostChosen) {
    const std::size_t end = std::min(at + Store::kMostChosen, act.tasks.size());
    set_value(database, step_name(digest, head.steps++), to_value(act.tasks.data() + at, act.tasks.data() + end));
  }
  set_value(database, head_name(digest), to_value(head));
  return {};
}

Result<BulkProgress> continue_bulk_act(Database& database, Batch& batch, Decisions& decisions,
                                       std::string_view actor, std::string_view key) {
  const std::string digest = digest_of(actor, key);
  const std::optional<std::string> kept = value_of(database, head_name(digest));
  if (!kept) return Error{ErrorCode::NotFound, "there is no act under this key"};
  Head head = TRY(head_from(*kept));
  BulkProgress progress{head.request_sha256, head.action, {}, head.finished()};
  if (head.finished()) return progress;
  const std::string step = step_name(digest, head.done);
  const std::vector<Chosen> tasks = TRY(chosen_from(value_of(database, step).value_or("[]")));
  const Person by{head.actor, {}, "api"};
  for (const Chosen& task : tasks) {
    const Result<TaskState> state =
        decisions.decide_if(batch, task, {head.action, by, head.comment, task.content_hash});
    progress.outcomes.push_back(state.ok() ? ChosenOutcome{task.task_id, *state, {}}
                                           : ChosenOutcome{task.task_id, std::nullopt, state.error().message});
    // A line as for that act alone: what became of a task is looked for by the task.
    AuditEntry line;
    line.actor = head.actor;
    line.way = head.way;
    line.operation = std::string(to_string(head.action)) + "Task";
    line.object = task.task_id;
    line.parameters = R"({"with":"actOnTasksBulk"})";
    line.outcome = state.ok() ? "done" : "refused";
    if (!state.ok()) line.reason = state.error().message;
    line.address = head.address;
    line.request_id = head.request_id;
    note_audit(database, line, batch.now);
  }
  ++head.done;
  set_value(database, step, to_value(progress.outcomes));
  set_value(database, head_name(digest), to_value(head));
  progress.finished = head.finished();
  return progress;
}

std::optional<BulkProgress> read_bulk_act(Reader& reader, std::string_view actor, std::string_view key,
                                          WallTime now) {
  const std::string digest = digest_of(actor, key);
  const auto kept = value_of(reader.database(), head_name(digest));
  if (!kept) return std::nullopt;
  const Result<Head> head = head_from(*kept);
  if (!head.ok() || now - head->at >= kBulkActKept) return std::nullopt;
  BulkProgress progress{head->request_sha256, head->action, {}, head->finished()};
  for (int step = 0; step < head->done; ++step)
    if (const auto outcomes = value_of(reader.database(), step_name(digest, step)))
      (void)add_outcomes_from(*outcomes, progress.outcomes);
  return progress;
}

}  // namespace davit::store
