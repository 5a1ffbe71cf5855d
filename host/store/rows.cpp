#include "host/store/rows.h"

#include <cstring>

#include "host/base/id.h"
#include "host/base/json.h"

namespace davit::store {
namespace {

int hex_value(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

}  // namespace

// A new state gets a new number here, in the schema's comments and in the partial indexes that should know
// it.
int code_of(TaskState state) {
  switch (state) {
    case TaskState::Queued:
      return 0;
    case TaskState::Running:
      return 1;
    case TaskState::AwaitingApproval:
      return 2;
    case TaskState::Completed:
      return 3;
    case TaskState::Failed:
      return 4;
    case TaskState::Cancelled:
      return 5;
    case TaskState::Parked:
      return 6;
  }
  return 0;
}

TaskState task_state_of(std::int64_t code) {
  for (TaskState state : kTaskStates) {
    if (code_of(state) == code) return state;
  }
  return TaskState::Parked;  // verify() reports it; nothing runs it
}

int code_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::Queued:
      return 0;
    case Verdict::Ignored:
      return 1;
    case Verdict::Error:
      return 2;
    case Verdict::Deferred:
      return 3;
    case Verdict::Parked:
      return 4;
  }
  return 0;
}

Verdict verdict_of(std::int64_t code) {
  for (Verdict verdict :
       {Verdict::Queued, Verdict::Ignored, Verdict::Error, Verdict::Deferred, Verdict::Parked}) {
    if (code_of(verdict) == code) return verdict;
  }
  return Verdict::Parked;
}

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::Queued:
      return "queued";
    case Verdict::Ignored:
      return "ignored";
    case Verdict::Error:
      return "error";
    case Verdict::Deferred:
      return "deferred";
    case Verdict::Parked:
      return "parked";
  }
  return "parked";
}

std::optional<Verdict> verdict_from(std::string_view text) {
  for (Verdict verdict :
       {Verdict::Queued, Verdict::Ignored, Verdict::Error, Verdict::Deferred, Verdict::Parked}) {
    if (to_string(verdict) == text) return verdict;
  }
  return std::nullopt;
}

std::string to_text(const StoredId& id) {
  if (id == StoredId{}) return {};
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text(36, '-');
  std::size_t out = 0;
  for (std::size_t i = 0; i < id.bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) ++out;
    text[out++] = kHex[id.bytes[i] >> 4];
    text[out++] = kHex[id.bytes[i] & 15];
  }
  return text;
}

std::optional<StoredId> to_stored_id(std::string_view text) {
  if (!is_id(text)) return std::nullopt;
  StoredId id;
  std::size_t in = 0;
  for (unsigned char& byte : id.bytes) {
    if (text[in] == '-') ++in;
    byte = static_cast<unsigned char>(hex_value(text[in]) << 4 | hex_value(text[in + 1]));
    in += 2;
  }
  return id;
}

StoredId new_stored_id() { return *to_stored_id(new_id()); }

std::string pack_ids(const std::vector<std::string>& ids) {
  std::string bytes;
  for (const std::string& text : ids) {
    if (const std::optional<StoredId> id = to_stored_id(text)) {
      bytes.append(reinterpret_cast<const char*>(id->bytes.data()), id->bytes.size());
    }
  }
  return bytes;
}

std::vector<std::string> unpack_ids(std::string_view bytes) {
  std::vector<std::string> ids;
  for (StoredId id; bytes.size() >= id.bytes.size(); bytes.remove_prefix(id.bytes.size())) {
    std::memcpy(id.bytes.data(), bytes.data(), id.bytes.size());
    ids.push_back(to_text(id));
  }
  return ids;
}

std::string links_to_json(const std::vector<Link>& links) {
  if (links.empty()) return {};
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartArray();
  for (const Link& link : links) {
    writer.StartObject();
    write_member(writer, "rel", link.rel);
    write_member(writer, "key", link.key);
    write_member(writer, "url", link.url);
    writer.EndObject();
  }
  writer.EndArray();
  return std::string(text_of(buffer));
}

std::vector<Link> links_from_json(std::string_view json) {
  std::vector<Link> links;
  if (json.empty()) return links;
  const Result<JsonDocument> document = parse_json(json);
  if (!document.ok() || !document.value().IsArray()) return links;
  for (const JsonValue& link : document.value().GetArray()) {
    links.push_back({string_member(link, "rel"), string_member(link, "key"), string_member(link, "url")});
  }
  return links;
}

std::string names_to_json(const std::vector<std::string>& names) {
  if (names.empty()) return {};
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartArray();
  for (const std::string& name : names) write_string(writer, name);
  writer.EndArray();
  return std::string(text_of(buffer));
}

std::vector<std::string> names_from_json(std::string_view json) {
  std::vector<std::string> names;
  if (json.empty()) return names;
  const Result<JsonDocument> document = parse_json(json);
  if (!document.ok() || !document.value().IsArray()) return names;
  for (const JsonValue& name : document.value().GetArray())
    if (name.IsString()) names.emplace_back(name.GetString(), name.GetStringLength());
  return names;
}

std::string models_to_json(const Usage& usage) {
  if (usage.models.empty()) return {};
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  for (const auto& [name, model] : usage.models) {
    writer.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
    writer.StartObject();
    write_member(writer, "input_tokens", model.input_tokens);
    write_member(writer, "output_tokens", model.output_tokens);
    write_member(writer, "cache_read_tokens", model.cache_read_tokens);
    write_member(writer, "cache_write_tokens", model.cache_write_tokens);
    write_member(writer, "cost_micro_usd", model.cost_micro_usd);
    writer.EndObject();
  }
  writer.EndObject();
  return std::string(text_of(buffer));
}

void models_from_json(std::string_view json, Usage& usage) {
  if (json.empty()) return;
  const Result<JsonDocument> document = parse_json(json);
  if (!document.ok() || !document.value().IsObject()) return;
  for (const auto& member : document.value().GetObject()) {
    ModelUsage& model = usage.models[std::string(member.name.GetString(), member.name.GetStringLength())];
    model.input_tokens = int_member(member.value, "input_tokens");
    model.output_tokens = int_member(member.value, "output_tokens");
    model.cache_read_tokens = int_member(member.value, "cache_read_tokens");
    model.cache_write_tokens = int_member(member.value, "cache_write_tokens");
    model.cost_micro_usd = int_member(member.value, "cost_micro_usd");
  }
}

// Totals are questions to the executions, not columns kept in step.
const char* const kTaskSummaryColumns =
    "t.row, t.id, t.state, t.source, t.agent, t.task_type, t.title, t.entity, t.rank, t.attempt, "
    "t.max_retries,"
    " t.crashes, t.losses, t.error, t.hold_reason, t.created_at, t.updated_at, t.run_at, t.finished_at, "
    "t.parent, "
    "t.root,"
    " t.chain_depth, e.session,"
    " (SELECT total(x.cost_micro_usd) FROM execution x WHERE x.task = t.row),"
    " (SELECT total(x.input_tokens + x.output_tokens + x.cache_read_tokens + x.cache_write_tokens)"
    "  FROM execution x WHERE x.task = t.row), iif(t.hold = 2, t.run_at, NULL)";

TaskSummary read_task_summary(const Cursor& row) {
  TaskSummary task;
  task.task_id = to_text(row.id(1));
  task.state = task_state_of(row.integer(2));
  task.source = row.text(3);
  task.agent = row.text(4);
  task.task_type = row.text(5);
  task.title = row.text(6);
  task.entity = row.text(7);
  task.priority = static_cast<int>(-row.integer(8));
  task.attempt = static_cast<int>(row.integer(9));
  task.max_retries = static_cast<int>(row.integer(10));
  task.crashes = static_cast<int>(row.integer(11));
  task.losses = static_cast<int>(row.integer(12));
  task.error = row.text(13);
  task.hold_reason = row.text(14);
  task.created_at = row.time(15);
  task.updated_at = row.time(16);
  task.run_at = row.time(17);
  if (!row.is_null(18)) task.finished_at = row.time(18);
  task.parent_id = to_text(row.id(19));
  task.root_id = row.is_null(20) ? task.task_id : to_text(row.id(20));
  task.chain_depth = static_cast<int>(row.integer(21));
  task.current_session_id = to_text(row.id(22));
  task.total_cost_micro_usd = row.integer(23);
  task.total_tokens = row.integer(24);
  if (!row.is_null(25)) task.resume_at = row.time(25);  // a budget is spent until then
  return task;
}

TaskBody read_task_body(const Cursor& row, int first) {
  TaskBody body;
  if (!row.is_null(first)) body.actor = Actor{row.text(first), row.text(first + 1), row.text(first + 2)};
  body.links = links_from_json(row.view(first + 3));
  body.payload = row.text(first + 4);
  body.previous_result = row.is_null(first + 5) ? "null" : row.text(first + 5);
  if (!row.is_null(first + 6)) body.chain = names_from_json(row.view(first + 6));
  if (!row.is_null(first + 7)) body.group = row.text(first + 7);
  return body;
}

const std::string kContentColumns =
    std::string("t.agent, t.task_type, t.source, t.title, t.entity, ") + kTaskBodyColumns;

std::string read_content_hash(const Cursor& row, int first) {
  const TaskBody body = read_task_body(row, first + 5);
  return content_hash({.agent = row.view(first),
                       .task_type = row.view(first + 1),
                       .source = row.view(first + 2),
                       .title = row.view(first + 3),
                       .entity = row.view(first + 4),
                       .actor = body.actor ? &*body.actor : nullptr,
                       .links = body.links,
                       .payload = body.payload,
                       .previous_result = body.previous_result});
}

const char* const kExecutionColumns =
    "e.session, e.agent, e.attempt, e.started_at, e.ended_at, e.success, e.outcome, e.error, e.model, "
    "e.input_tokens,"
    " e.output_tokens, e.cache_read_tokens, e.cache_write_tokens, e.cost_micro_usd, e.models, r.output, "
    "e.next_agent,"
    " e.progress, e.progress_message, e.failure, e.cost_is_estimate";

AgentExecution read_execution(const Cursor& row) {
  AgentExecution execution;
  execution.session_id = to_text(row.id(0));
  execution.agent_name = row.text(1);
  execution.attempt = static_cast<int>(row.integer(2));
  execution.started_at = row.time(3);
  if (!row.is_null(4)) execution.completed_at = row.time(4);
  execution.success = row.integer(5) != 0;
  execution.outcome = row.text(6);
  execution.error = row.text(7);
  execution.usage.model = row.text(8);
  execution.usage.input_tokens = row.integer(9);
  execution.usage.output_tokens = row.integer(10);
  execution.usage.cache_read_tokens = row.integer(11);
  execution.usage.cache_write_tokens = row.integer(12);
  execution.usage.cost_micro_usd = row.integer(13);
  models_from_json(row.view(14), execution.usage);
  if (!row.is_null(15)) execution.output = row.text(15);
  execution.next_agent = row.text(16);
  if (!row.is_null(17)) execution.progress = row.real(17);
  execution.progress_message = row.text(18);
  if (row.view(19) != to_string(FailureClass::None)) execution.failure = row.text(19);
  execution.usage.cost_is_estimate = row.integer(20) != 0;
  return execution;
}

const char* const kDeliverySummaryColumns =
    "d.row, d.id, d.webhook, d.key, d.request_id, d.remote_address, d.message, d.entity, d.verdict, "
    "d.received_at,"
    " d.body_bytes, d.duplicates, d.tries, d.tasks, d.plugin_hash, d.same_body, d.replay_of";

DeliverySummary read_delivery_summary(const Cursor& row) {
  DeliverySummary delivery;
  delivery.delivery_id = to_text(row.id(1));
  delivery.webhook = row.text(2);
  delivery.delivery_key = row.text(3);
  delivery.request_id = row.text(4);
  delivery.remote_address = row.text(5);
  delivery.message = row.text(6);
  delivery.entity = row.text(7);
  delivery.verdict = verdict_of(row.integer(8));
  delivery.received_at = row.time(9);
  delivery.body_bytes = static_cast<std::size_t>(row.integer(10));
  delivery.duplicates = static_cast<int>(row.integer(11));
  delivery.tries = static_cast<int>(row.integer(12));
  delivery.task_ids = unpack_ids(row.view(13));
  delivery.same_body = static_cast<int>(row.integer(15));
  delivery.replay_of = to_text(row.id(16));
  return delivery;
}

const char* const kDeferredColumns =
    "d.id, d.webhook, d.key, d.request_id, d.remote_address, d.received_at, d.due_at, d.tries, d.plugin_hash,"
    " b.method, b.path, b.query, b.headers, b.body, b.key_window";

DeferredDelivery read_deferred(const Cursor& row) {
  DeferredDelivery deferred;
  NewDelivery& delivery = deferred.delivery;
  delivery.id = to_text(row.id(0));
  delivery.webhook = row.text(1);
  delivery.delivery_key = row.text(2);
  delivery.request_id = row.text(3);
  delivery.remote_address = row.text(4);
  delivery.received_at = row.time(5);
  delivery.due_at = row.time(6);
  delivery.verdict = Verdict::Deferred;
  deferred.tries = static_cast<int>(row.integer(7));
  delivery.plugin_hash = row.text(8);
  delivery.method = row.text(9);
  delivery.path = row.text(10);
  delivery.query = row.text(11);
  delivery.headers = row.text(12);
  delivery.body = row.text(13);
  if (!row.is_null(14)) delivery.key_window = Duration(row.integer(14));
  return deferred;
}

}  // namespace davit::store
