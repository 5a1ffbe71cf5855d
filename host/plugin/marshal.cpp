#include "host/plugin/marshal.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "davit/abi/version.h"
#include "host/base/json.h"
#include "host/plugin/host_services.h"
#include "host/plugin/metadata.h"

namespace davit::plugin {
namespace {

constexpr std::size_t kMaxAlso = 8;
constexpr std::size_t kMaxItems = 256;         // tasks, actions, links of one answer
constexpr std::size_t kMaxPayload = 1u << 20;  // of one task
constexpr std::size_t kMaxHttpBody = 1u << 20;
constexpr std::size_t kMaxReplyBody = 16u << 10;
constexpr std::size_t kMaxSentence = 4096;
constexpr std::size_t kMaxTitle = 512;
constexpr std::size_t kMaxKey = 256;
constexpr std::size_t kMaxUrl = 2048;
constexpr std::size_t kMaxWord = 64;
constexpr std::int64_t kMaxTokens = 1'000'000'000'000;
constexpr double kMaxDollars = 1'000'000;
constexpr std::size_t kMaxModels = 64;
constexpr std::size_t kMaxModelName = 128;
constexpr std::string_view kOtherModels = "other";  // those beyond

std::string_view view(const JsonValue& text) { return {text.GetString(), text.GetStringLength()}; }

Error wrong(const std::string& where, std::string_view what) {
  return Error{ErrorCode::InvalidInput, where + " " + std::string(what)};
}

// With each member once, the first of its name, which is the one that rules read. Most readers that agents
// are written with take the last.
void write_once(JsonWriter& writer, const JsonValue& value) {
  if (value.IsObject()) {
    std::set<std::string_view> seen;
    writer.StartObject();
    for (const auto& member : value.GetObject()) {
      if (!seen.insert(view(member.name)).second) continue;
      writer.Key(member.name.GetString(), member.name.GetStringLength());
      write_once(writer, member.value);
    }
    writer.EndObject();
  } else if (value.IsArray()) {
    writer.StartArray();
    for (const JsonValue& element : value.GetArray()) write_once(writer, element);
    writer.EndArray();
  } else {
    value.Accept(writer);
  }
}

// Reads the members of one object; `where` names it in errors.
class Members {
 public:
  Members(const JsonValue& object, std::string where) : object_(object), where_(std::move(where)) {}

  std::string place(std::string_view name) const {
    return where_.empty() ? std::string(name) : where_ + "." + std::string(name);
  }
  // Absent and null mean the same.
  const JsonValue* find(std::string_view name) const {
    const JsonValue* value = find_member(object_, name);
    return value && value->IsNull() ? nullptr : value;
  }

  // A sentence for people: cut where it is too long.
  Result<std::string> sentence(std::string_view name, std::size_t max = kMaxSentence) const {
    const JsonValue* value = find(name);
    if (!value) return std::string();
    if (!value->IsString()) return wrong(place(name), "must be a text");
    return presentable(view(*value), max);
  }

  // A key, id or name: taken as it is or refused.
  Result<std::string> key(std::string_view name, std::size_t max = kMaxKey) const {
    const JsonValue* value = find(name);
    if (!value) return std::string();
    if (!value->IsString()) return wrong(place(name), "must be a text");
    TRY(check_key(place(name), view(*value), max));
    return std::string(view(*value));
  }

  Result<std::string> plugin_name(std::string_view name) const {
    std::string text = TRY(key(name));
    if (!text.empty() && !is_plugin_name(text)) return wrong(place(name), "must match [a-z][a-z0-9_-]{0,63}");
    return text;
  }

  Result<bool> flag(std::string_view name) const {
    const JsonValue* value = find(name);
    if (!value) return false;
    if (!value->IsBool()) return wrong(place(name), "must be true or false");
    return value->GetBool();
  }

  Result<std::int64_t> number(std::string_view name, std::int64_t fallback, std::int64_t least,
                              std::int64_t most) const {
    const JsonValue* value = find(name);
    if (!value) return fallback;
    if (!value->IsInt64() || value->GetInt64() < least || value->GetInt64() > most) {
      return wrong(place(name),
                   "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    }
    return value->GetInt64();
  }

  // Any JSON, as compact text.
  Result<std::string> json(std::string_view name, std::string_view fallback, std::size_t max) const {
    const JsonValue* value = find_member(object_, name);
    if (!value) return std::string(fallback);
    JsonBuffer buffer;
    JsonWriter writer(buffer);
    write_once(writer, *value);
    std::string text(text_of(buffer));
    if (text.size() > max) return wrong(place(name), "is larger than " + std::to_string(max) + " bytes");
    return text;
  }

  Result<std::string> json_object(std::string_view name) const {
    const JsonValue* value = find(name);
    if (!value) return std::string("{}");
    if (!value->IsObject()) return wrong(place(name), "must be an object");
    return json(name, "{}", kMaxPayload);
  }

  Result<const JsonValue*> object(std::string_view name) const {
    const JsonValue* value = find(name);
    if (value && !value->IsObject()) return wrong(place(name), "must be an object");
    return value;
  }

  // A list of texts of 1 to `max_size` bytes, each taken as it is or refused.
  Result<std::vector<std::string>> keys(std::string_view name, std::size_t most, std::size_t max_size) const {
    std::vector<std::string> keys;
    const JsonValue* value = find(name);
    if (!value) return keys;
    if (!value->IsArray()) return wrong(place(name), "must be a list of texts");
    if (value->Size() > most) return wrong(place(name), "has more than " + std::to_string(most) + " items");
    for (rapidjson::SizeType i = 0; i < value->Size(); ++i) {
      const std::string where = place(name) + "[" + std::to_string(i) + "]";
      const JsonValue& item = (*value)[i];
      if (!item.IsString() || item.GetStringLength() == 0)
        return wrong(where, "must be a text that is not empty");
      TRY(check_key(where, view(item), max_size));
      keys.emplace_back(view(item));
    }
    return keys;
  }

  // Calls `read` with each object of a list.
  template <typename Read>
  Result<> each(std::string_view name, Read&& read) const {
    const JsonValue* value = find(name);
    if (!value) return {};
    if (!value->IsArray()) return wrong(place(name), "must be a list");
    if (value->Size() > kMaxItems)
      return wrong(place(name), "has more than " + std::to_string(kMaxItems) + " items");
    for (rapidjson::SizeType i = 0; i < value->Size(); ++i) {
      std::string where = place(name) + "[" + std::to_string(i) + "]";
      if (!(*value)[i].IsObject()) return wrong(where, "must be an object");
      TRY(read(Members((*value)[i], where)));
    }
    return {};
  }

 private:
  static Result<> check_key(const std::string& where, std::string_view text, std::size_t max) {
    if (text.size() > max) return wrong(where, "is longer than " + std::to_string(max) + " bytes");
    if (presentable(text, max) != text || text.find_first_of("\n\t") != std::string_view::npos)
      return wrong(where, "holds control bytes");
    return {};
  }

  const JsonValue& object_;
  std::string where_;
};

Result<JsonDocument> object_from(std::string_view json, std::string_view what) {
  JsonDocument document = TRY(parse_json(json));
  if (!document.IsObject())
    return Error{ErrorCode::InvalidInput, std::string(what) + " must be a JSON object"};
  return document;
}

Result<NewTask> task_from(const Members& members) {
  NewTask task;
  task.agent = TRY(members.plugin_name("agent"));
  if (task.agent.empty())
    return wrong(members.place("agent"), "is missing: name the agent that shall do the work");
  task.task_type = TRY(members.key("task_type", kMaxWord));
  task.title = TRY(members.sentence("title", kMaxTitle));
  task.payload = TRY(members.json("payload", "{}", kMaxPayload));
  task.priority = static_cast<int>(TRY(members.number("priority", 0, -100, 100)));
  if (members.find("run_at")) {
    // Up to the year 9999.
    task.run_at = from_unix_ms(TRY(members.number("run_at", 0, 0, 253'402'300'799'999)));
  }
  task.entity = TRY(members.key("entity"));
  task.group = TRY(members.key("group"));
  task.key = TRY(members.key("key"));
  return task;
}

Result<std::vector<NewTask>> tasks_from(const Members& members) {
  std::vector<NewTask> tasks;
  auto take_task = [&](const Members& item) -> Result<> {
    tasks.push_back(TRY(task_from(item)));
    return {};
  };
  TRY(members.each("tasks", take_task));
  return tasks;
}

constexpr std::pair<std::string_view, TaskActionKind> kActions[] = {{"approve", TaskActionKind::Approve},
                                                                    {"reject", TaskActionKind::Reject},
                                                                    {"retry", TaskActionKind::Retry},
                                                                    {"cancel", TaskActionKind::Cancel}};
constexpr std::pair<std::string_view, AnswerStatus> kStatuses[] = {
    {"queued", AnswerStatus::Queued}, {"ignored", AnswerStatus::Ignored}, {"error", AnswerStatus::Error}};

template <typename Value, std::size_t N>
std::optional<Value> named(const std::pair<std::string_view, Value> (&table)[N], std::string_view name) {
  for (const auto& [word, value] : table) {
    if (word == name) return value;
  }
  return std::nullopt;
}

template <typename Value, std::size_t N>
std::string_view name_of(const std::pair<std::string_view, Value> (&table)[N], Value value) {
  for (const auto& [word, known] : table) {
    if (known == value) return word;
  }
  return table[0].first;
}

Result<TaskAction> action_from(const Members& members) {
  TaskAction action;
  auto kind = named(kActions, TRY(members.key("action")));
  if (!kind) return wrong(members.place("action"), "must be approve, reject, retry or cancel");
  action.kind = *kind;
  action.task_id = TRY(members.key("task_id", kMaxWord));
  action.entity = TRY(members.key("entity"));
  if (action.task_id.empty() && action.entity.empty()) {
    return wrong(members.place("task_id"), "or entity must say which task is meant");
  }
  action.agent = TRY(members.plugin_name("agent"));
  action.comment = TRY(members.sentence("comment", 16u << 10));
  action.content_hash = TRY(members.key("content_hash", 128));
  action.via = TRY(members.key("via", 32));
  return action;
}

Result<HttpOverride> http_from(const Members& members) {
  HttpOverride http;
  http.status = static_cast<int>(TRY(members.number("status", 200, 200, 599)));
  http.content_type = TRY(members.key("content_type", 128));
  // It becomes a header: nothing but what a header may hold.
  if (!std::all_of(http.content_type.begin(), http.content_type.end(),
                   [](char c) { return c >= 0x20 && c < 0x7f; })) {
    return wrong(members.place("content_type"), "must be ASCII");
  }
  if (const JsonValue* body = members.find("body")) {
    if (!body->IsString()) return wrong(members.place("body"), "must be a text");
    if (body->GetStringLength() > kMaxHttpBody) return wrong(members.place("body"), "is larger than 1 MiB");
    http.body = std::string(view(*body));
  }
  return http;
}

Result<Reply> reply_from(const Members& members) {
  Reply reply;
  reply.url = TRY(members.key("url", kMaxUrl));
  if (reply.url.empty()) return wrong(members.place("url"), "is missing");
  if (TRY(members.object("body")) == nullptr) return wrong(members.place("body"), "is missing");
  reply.body = TRY(members.json("body", "{}", kMaxReplyBody));
  reply.posts = static_cast<int>(TRY(members.number("posts", reply.posts, 1, 20)));
  reply.valid = std::chrono::seconds(TRY(members.number("seconds", 1800, 1, 86'400)));
  const std::string escape = TRY(members.key("escape", kMaxWord));
  reply.escape = escape == "entities";
  // Half understood, the sentence could say something to the sender that nobody wrote.
  if (!escape.empty() && !reply.escape) return wrong(members.place("escape"), "must be entities, or absent");
  return reply;
}

void write_tasks(JsonWriter& writer, const std::vector<NewTask>& tasks) {
  writer.Key("tasks");
  writer.StartArray();
  for (const NewTask& task : tasks) {
    writer.StartObject();
    write_member(writer, "agent", task.agent);
    write_member(writer, "task_type", task.task_type);
    write_member(writer, "title", task.title);
    write_raw_member(writer, "payload", task.payload);
    write_member(writer, "priority", task.priority);
    if (task.run_at) write_member(writer, "run_at", to_unix_ms(*task.run_at));
    write_member(writer, "entity", task.entity);
    write_member(writer, "group", task.group);
    write_member(writer, "key", task.key);
    writer.EndObject();
  }
  writer.EndArray();
}

void write_actor(JsonWriter& writer, const Actor& actor) {
  writer.StartObject();
  write_member(writer, "id", actor.id);
  write_member(writer, "login", actor.login);
  write_member(writer, "role", actor.role);
  writer.EndObject();
}

void write_links(JsonWriter& writer, const std::vector<Link>& links) {
  writer.Key("links");
  writer.StartArray();
  for (const Link& link : links) {
    writer.StartObject();
    write_member(writer, "rel", link.rel);
    write_member(writer, "key", link.key);
    write_member(writer, "url", link.url);
    writer.EndObject();
  }
  writer.EndArray();
}

void write_figures(JsonWriter& writer, const ModelUsage& usage) {
  write_member(writer, "input_tokens", usage.input_tokens);
  write_member(writer, "output_tokens", usage.output_tokens);
  write_member(writer, "cache_read_tokens", usage.cache_read_tokens);
  write_member(writer, "cache_write_tokens", usage.cache_write_tokens);
  write_member(writer, "cost_usd", static_cast<double>(usage.cost_micro_usd) / 1e6);
}

void write_usage(JsonWriter& writer, const Usage& usage) {
  writer.StartObject();
  write_figures(writer, usage);
  if (usage.cost_is_estimate) write_member(writer, "cost_is_estimate", true);
  if (!usage.model.empty()) write_member(writer, "model", usage.model);
  writer.Key("models");
  writer.StartObject();
  for (const auto& [model, figures] : usage.models) {
    writer.Key(model.data(), static_cast<rapidjson::SizeType>(model.size()));
    writer.StartObject();
    write_figures(writer, figures);
    writer.EndObject();
  }
  writer.EndObject();
  writer.EndObject();
}

void write_approval(JsonWriter& writer, const TaskDecision& approval) {
  writer.StartObject();
  write_member(writer, "by", approval.by);
  write_member(writer, "actor_id", approval.actor_id);
  write_member(writer, "way", approval.way);
  write_member(writer, "at", to_unix_ms(approval.at));
  write_member(writer, "content_hash", approval.content_hash);
  writer.EndObject();
}

Result<std::int64_t> tokens_from(const Members& members, std::string_view name, bool& mended) {
  const JsonValue* value = members.find(name);
  if (!value) return std::int64_t{0};
  if (!value->IsNumber()) return wrong(members.place(name), "must be a number");
  double number = value->GetDouble();
  if (number < 0) return mended = true, std::int64_t{0};
  if (number > static_cast<double>(kMaxTokens)) return mended = true, kMaxTokens;
  return value->IsInt64() ? value->GetInt64() : static_cast<std::int64_t>(number);
}

Result<ModelUsage> figures_from(const Members& members, bool& mended) {
  ModelUsage usage;
  usage.input_tokens = TRY(tokens_from(members, "input_tokens", mended));
  usage.output_tokens = TRY(tokens_from(members, "output_tokens", mended));
  usage.cache_read_tokens = TRY(tokens_from(members, "cache_read_tokens", mended));
  usage.cache_write_tokens = TRY(tokens_from(members, "cache_write_tokens", mended));
  if (const JsonValue* cost = members.find("cost_usd")) {
    if (!cost->IsNumber()) return wrong(members.place("cost_usd"), "must be a number");
    double dollars = cost->GetDouble();
    if (!(dollars >= 0)) mended = true, dollars = 0;
    if (dollars > kMaxDollars) mended = true, dollars = kMaxDollars;
    usage.cost_micro_usd = std::llround(dollars * 1e6);
  }
  return usage;
}

// Empty if it cannot be kept: the money was spent, whatever the model is called. It is not cut, for a part of
// a secret is not known again as one.
std::string model_name(std::string_view said, bool& mended) {
  const bool fit =
      presentable(said, kMaxModelName) == said && said.find_first_of("\n\t") == std::string_view::npos;
  if (!fit) mended = true;
  return fit ? std::string(said) : std::string();
}

// "other" itself does not count, so that what was folded once stays as it is.
bool has_room_for(const Usage& usage, std::string_view model) {
  if (model == kOtherModels || usage.models.contains(std::string(model))) return true;
  return usage.models.size() - usage.models.count(std::string(kOtherModels)) < kMaxModels;
}

Result<Usage> usage_from(const Members& members, bool& mended) {
  Usage usage;
  static_cast<ModelUsage&>(usage) = TRY(figures_from(members, mended));
  usage.cost_is_estimate = TRY(members.flag("cost_is_estimate"));
  if (const JsonValue* model = members.find("model")) {
    if (!model->IsString()) return wrong(members.place("model"), "must be a text");
    usage.model = model_name(view(*model), mended);
  }
  const JsonValue* models = TRY(members.object("models"));
  if (!models) return usage;
  for (const auto& member : models->GetObject()) {
    std::string name = model_name(view(member.name), mended);
    if (name.empty() || !has_room_for(usage, name)) mended = true, name = kOtherModels;
    if (!member.value.IsObject()) return wrong(members.place("models") + "." + name, "must be an object");
    add(usage.models[name],
        TRY(figures_from(Members(member.value, members.place("models") + "." + name), mended)));
  }
  return usage;
}

ModelUsage greater(const ModelUsage& a, const ModelUsage& b) {
  return ModelUsage{std::max(a.input_tokens, b.input_tokens), std::max(a.output_tokens, b.output_tokens),
                    std::max(a.cache_read_tokens, b.cache_read_tokens),
                    std::max(a.cache_write_tokens, b.cache_write_tokens),
                    std::max(a.cost_micro_usd, b.cost_micro_usd)};
}

}  // namespace

Result<WebhookAnswer> webhook_answer_from_json(std::string_view json) {
  JsonDocument document = TRY(object_from(json, "the answer"));
  Members members(document, "");
  WebhookAnswer answer;
  answer.tasks = TRY(tasks_from(members));
  auto take_action = [&](const Members& item) -> Result<> {
    answer.actions.push_back(TRY(action_from(item)));
    return {};
  };
  TRY(members.each("actions", take_action));
  // Without a word about it, the status follows from what is asked for.
  answer.status =
      answer.tasks.empty() && answer.actions.empty() ? AnswerStatus::Ignored : AnswerStatus::Queued;
  if (const JsonValue* object = TRY(members.object("response"))) {
    Members response(*object, "response");
    if (response.find("status")) {
      auto status = named(kStatuses, TRY(response.key("status")));
      if (!status) return wrong("response.status", "must be queued, ignored or error");
      answer.status = *status;
    }
    answer.message = TRY(response.sentence("message"));
    answer.details = TRY(response.json_object("details"));
    if (const JsonValue* http = TRY(response.object("http")))
      answer.http = TRY(http_from(Members(*http, "response.http")));
  }
  if (const JsonValue* object = TRY(members.object("actor"))) {
    Members actor(*object, "actor");
    answer.actor = Actor{TRY(actor.key("id")), TRY(actor.key("login")), TRY(actor.key("role", kMaxWord))};
  }
  if (const JsonValue* object = TRY(members.object("entity"))) {
    Members entity(*object, "entity");
    answer.entity = Entity{TRY(entity.key("key")), TRY(entity.key("type", kMaxWord)),
                           TRY(entity.sentence("title", kMaxTitle)), TRY(entity.key("url", kMaxUrl)),
                           TRY(entity.key("group"))};
    if (answer.entity->key.empty()) return wrong("entity.key", "is missing");
  }
  auto take_link = [&](const Members& item) -> Result<> {
    answer.links.push_back(
        Link{TRY(item.key("rel", kMaxWord)), TRY(item.key("key")), TRY(item.key("url", kMaxUrl))});
    return {};
  };
  TRY(members.each("links", take_link));
  if (const JsonValue* object = TRY(members.object("reply"))) {
    answer.reply = TRY(reply_from(Members(*object, "reply")));
  }
  return answer;
}

Result<AgentResult> agent_result_from_json(std::string_view json, bool* mended_usage) {
  JsonDocument document = TRY(object_from(json, "the result"));
  Members members(document, "");
  AgentResult result;
  if (!members.find("success")) return wrong("success", "is missing");
  result.success = TRY(members.flag("success"));
  result.output = TRY(members.json("output", "null", kMaxAnswerBytes));
  result.error = TRY(members.sentence("error"));
  if (!result.success) {
    result.failure = FailureClass::Retryable;
    if (std::string name = TRY(members.key("error_class")); !name.empty()) {
      static constexpr FailureClass kSayable[] = {FailureClass::Retryable, FailureClass::RateLimited,
                                                  FailureClass::Permanent, FailureClass::Cancelled,
                                                  FailureClass::Deadline,  FailureClass::PutOff};
      auto found = std::find_if(std::begin(kSayable), std::end(kSayable),
                                [&](FailureClass failure) { return davit::to_string(failure) == name; });
      if (found == std::end(kSayable))
        return wrong("error_class", "must be retryable, rate_limited or permanent");
      result.failure = *found;
    }
    if (TRY(members.flag("approval_refused"))) result.failure = FailureClass::ApprovalRefused;
    result.retry_after = Duration(TRY(members.number("retry_after_ms", 0, 0, 365ll * 86'400'000)));
  }
  if (result.success && TRY(members.flag("approval_refused")))
    return wrong("approval_refused", "goes with success false");
  bool unused = false;
  if (const JsonValue* usage = TRY(members.object("usage"))) {
    result.usage = TRY(usage_from(Members(*usage, "usage"), mended_usage ? *mended_usage : unused));
  }
  result.metrics = TRY(members.json_object("metrics"));
  result.next_agent = TRY(members.plugin_name("next_agent"));
  result.next_input = TRY(members.json("next_input", "", kMaxPayload));
  result.wait_for_approval = TRY(members.flag("wait_for_approval"));
  result.also = TRY(members.keys("also", kMaxAlso, 256));
  result.tasks = TRY(tasks_from(members));
  return result;
}

Result<Usage> usage_from_json(std::string_view json, bool* mended) {
  JsonDocument document = TRY(object_from(json, "usage"));
  bool unused = false;
  return usage_from(Members(document, ""), mended ? *mended : unused);
}

Usage merged(const Usage& earlier, const Usage& now) {
  Usage before = earlier;
  if (replaces_estimate(before, now)) {
    before.cost_micro_usd = 0;
    // Who tells of models tells of all that had a part in the costs.
    if (!now.models.empty())
      for (auto& [model, figures] : before.models) figures.cost_micro_usd = 0;
  }
  Usage usage;
  static_cast<ModelUsage&>(usage) = greater(before, now);
  usage.cost_is_estimate =
      now.cost_micro_usd > before.cost_micro_usd ? now.cost_is_estimate : before.cost_is_estimate;
  usage.model = now.model.empty() ? before.model : now.model;
  usage.models = before.models;
  ModelUsage beyond;
  for (const auto& [model, figures] : now.models) {
    if (!has_room_for(usage, model)) {
      add(beyond, figures);
    } else if (model != kOtherModels) {
      usage.models[model] = greater(usage.models[model], figures);
    }
  }
  const std::string other(kOtherModels);
  if (auto told = now.models.find(other); told != now.models.end()) add(beyond, told->second);
  if (beyond.total_tokens() > 0 || beyond.cost_micro_usd > 0)
    usage.models[other] = greater(usage.models[other], beyond);
  return usage;
}

std::string to_json(const WebhookAnswer& answer) {
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  writer.Key("response");
  writer.StartObject();
  write_member(writer, "status", name_of(kStatuses, answer.status));
  write_member(writer, "message", answer.message);
  write_raw_member(writer, "details", answer.details);
  if (answer.http) {
    writer.Key("http");
    writer.StartObject();
    write_member(writer, "status", answer.http->status);
    write_member(writer, "content_type", answer.http->content_type);
    write_member(writer, "body", answer.http->body);
    writer.EndObject();
  }
  writer.EndObject();
  write_tasks(writer, answer.tasks);
  writer.Key("actions");
  writer.StartArray();
  for (const TaskAction& action : answer.actions) {
    writer.StartObject();
    write_member(writer, "action", name_of(kActions, action.kind));
    write_member(writer, "task_id", action.task_id);
    write_member(writer, "entity", action.entity);
    write_member(writer, "agent", action.agent);
    write_member(writer, "comment", action.comment);
    write_member(writer, "content_hash", action.content_hash);
    write_member(writer, "via", action.via);
    writer.EndObject();
  }
  writer.EndArray();
  if (answer.actor) {
    writer.Key("actor");
    write_actor(writer, *answer.actor);
  }
  if (answer.entity) {
    writer.Key("entity");
    writer.StartObject();
    write_member(writer, "key", answer.entity->key);
    write_member(writer, "type", answer.entity->type);
    write_member(writer, "title", answer.entity->title);
    write_member(writer, "url", answer.entity->url);
    write_member(writer, "group", answer.entity->group);
    writer.EndObject();
  }
  write_links(writer, answer.links);
  if (answer.reply) {
    writer.Key("reply");
    writer.StartObject();
    write_member(writer, "url", answer.reply->url);
    write_raw_member(writer, "body", answer.reply->body);
    write_member(writer, "posts", answer.reply->posts);
    write_member(writer, "seconds", static_cast<std::int64_t>(answer.reply->valid.count() / 1000));
    if (answer.reply->escape) write_member(writer, "escape", "entities");
    writer.EndObject();
  }
  writer.EndObject();
  return std::string(text_of(buffer));
}

std::string to_json(const AgentResult& result) {
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  write_member(writer, "success", result.success);
  write_raw_member(writer, "output", result.output);
  write_member(writer, "error", result.error);
  if (!result.success) {
    const bool refused = result.failure == FailureClass::ApprovalRefused;
    write_member(writer, "error_class", davit::to_string(refused ? FailureClass::Permanent : result.failure));
    if (refused) write_member(writer, "approval_refused", true);
    write_member(writer, "retry_after_ms", static_cast<std::int64_t>(result.retry_after.count()));
  }
  writer.Key("usage");
  write_usage(writer, result.usage);
  write_raw_member(writer, "metrics", result.metrics);
  write_member(writer, "next_agent", result.next_agent);
  if (!result.next_input.empty()) write_raw_member(writer, "next_input", result.next_input);
  write_member(writer, "wait_for_approval", result.wait_for_approval);
  if (!result.also.empty()) {
    writer.Key("also");
    writer.StartArray();
    for (const std::string& key : result.also) write_string(writer, key);
    writer.EndArray();
  }
  write_tasks(writer, result.tasks);
  writer.EndObject();
  return std::string(text_of(buffer));
}

std::string to_json(const Usage& usage) {
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  write_usage(writer, usage);
  return std::string(text_of(buffer));
}

std::string to_json(const ProbeReport& report) {
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  write_member(writer, "abi_minor_needed", static_cast<std::int64_t>(report.abi_minor_needed));
  write_member(writer, "abi_minor_built", static_cast<std::int64_t>(report.abi_minor_built));
  writer.Key("offers");
  writer.StartArray();
  for (const PluginOffer& offer : report.offers) {
    writer.StartObject();
    write_member(writer, "kind", to_string(offer.kind));
    write_member(writer, "index", static_cast<std::int64_t>(offer.index));
    write_raw_member(writer, "metadata", offer.metadata);
    writer.EndObject();
  }
  writer.EndArray();
  writer.EndObject();
  return std::string(text_of(buffer));
}

Result<ProbeReport> probe_report_from_json(std::string_view json) {
  // 128 offers with 256 KiB each would be 32 MiB; no honest library comes near.
  JsonDocument document = TRY(parse_json(json));
  if (!document.IsObject()) return Error{ErrorCode::InvalidInput, "the report must be a JSON object"};
  Members members(document, "");
  ProbeReport report;
  report.abi_minor_needed =
      static_cast<std::uint32_t>(TRY(members.number("abi_minor_needed", 0, 0, DAVIT_ABI_MINOR)));
  report.abi_minor_built =
      static_cast<std::uint32_t>(TRY(members.number("abi_minor_built", 0, 0, UINT32_MAX)));
  std::set<std::string> names;
  auto take_offer = [&](const Members& item) -> Result<> {
    std::string kind = TRY(item.key("kind"));
    if (kind != "webhook" && kind != "agent") return wrong(item.place("kind"), "must be webhook or agent");
    auto index = static_cast<std::uint32_t>(TRY(item.number("index", 0, 0, 63)));
    auto offer = offer_from_metadata(kind == "webhook" ? PluginKind::Webhook : PluginKind::Agent, index,
                                     TRY(item.json("metadata", "{}", kMaxMetadataBytes)));
    if (auto* refusal = std::get_if<Refusal>(&offer))
      return wrong(item.place("metadata"), "is refused: " + refusal->reason);
    report.offers.push_back(std::get<PluginOffer>(std::move(offer)));
    if (!names.insert(kind + " " + report.offers.back().name).second)
      return wrong(item.place("metadata"), "repeats a name");
    return {};
  };
  TRY(members.each("offers", take_offer));
  return report;
}

std::string agent_context_json(const ClaimedTask& task, std::string_view config_json, WallTime deadline,
                               const ExecutionPlace& place) {
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  write_member(writer, "task_id", task.task_id);
  write_member(writer, "session_id", task.session_id);
  write_member(writer, "attempt", task.attempt);
  write_member(writer, "max_retries", task.max_retries);
  write_member(writer, "chain_depth", task.chain_depth);
  writer.Key("task");
  writer.StartObject();
  write_member(writer, "task_id", task.task_id);
  write_member(writer, "agent", task.agent);
  write_member(writer, "task_type", task.task_type);
  write_member(writer, "source", task.source);
  write_member(writer, "title", task.title);
  write_raw_member(writer, "payload", task.payload);
  if (task.entity.empty()) {
    write_null_member(writer, "entity");
  } else {
    // The shape of a webhook's answer; of an entity the task keeps the key.
    writer.Key("entity");
    writer.StartObject();
    write_member(writer, "key", task.entity);
    writer.EndObject();
  }
  if (task.actor) {
    writer.Key("actor");
    write_actor(writer, *task.actor);
  } else {
    write_null_member(writer, "actor");
  }
  write_links(writer, task.links);
  write_member(writer, "created_at", to_unix_ms(task.created_at));
  writer.EndObject();
  write_raw_member(writer, "config", config_json);
  write_raw_member(writer, "previous_result", task.previous_result);
  write_member(writer, "deadline_unix_ms", to_unix_ms(deadline));
  write_member(writer, "workspace", place.workspace);
  write_member(writer, "state_folder", place.state_folder);
  writer.Key("sandbox");
  writer.StartObject();
  write_member(writer, "command", place.sandbox.command);
  write_member(writer, "required", place.sandbox.required);
  writer.EndObject();
  if (task.approval) {
    writer.Key("approval");
    write_approval(writer, *task.approval);
  } else {
    write_null_member(writer, "approval");
  }
  if (task.budget_micro_usd) {
    write_member(writer, "budget_usd", static_cast<double>(*task.budget_micro_usd) / 1e6);
  } else {
    write_null_member(writer, "budget_usd");
  }
  writer.EndObject();
  return std::string(text_of(buffer));
}

}  // namespace davit::plugin
