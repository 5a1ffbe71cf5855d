// Write an agent: derive from Agent, override execute() and metadata(), register it. One file is a plugin.
//
//   class Greeter : public davit::Agent {
//     davit::AgentMetadata metadata() const override { return {.name = "greeter", .capabilities = {…}}; }
//     davit::AgentResult execute(const davit::AgentContext& context, davit::Run& run) override {
//       run.progress(0.5, "greeting", "Half way");
//       return davit::AgentResult::ok({{"greeting", "hello"}});
//     }
//   };
//   DAVIT_REGISTER_AGENT(Greeter)
//
// Each execution happens in a runner process. One thread at a time calls an instance; only cancel() comes
// from another one meanwhile. Any hook may throw: a davit::Failure with its status (Retryable and RateLimited
// are tried again, Permanent is not), anything else as Status::Internal.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "davit/abi/agent.h"
#include "davit/abi/entry.h"
#include "davit/answer.hpp"
#include "davit/decision.hpp"
#include "davit/failure.hpp"
#include "davit/guard.hpp"
#include "davit/host.hpp"
#include "davit/json.hpp"
#include "davit/registry.hpp"

namespace davit {
inline namespace sdk {

enum class AgentCapability { Planning, Execution, Discovery, Review, Monitoring, Analysis };

struct AgentMetadata {
  std::string name = {};          // required, [a-z][a-z0-9_-]{0,63}, e.g. "planning-agent"
  std::string display_name = {};  // "Planning Agent"
  std::string description = {};   // a sentence for people
  std::vector<AgentCapability> capabilities = {};
  std::string version = "1.0.0";
  bool enabled = true;             // false: off unless switched on
  int max_retries = 3;             // attempts after the first
  int timeout_seconds = 3600;      // wall time of one execution
  bool requires_approval = false;  // a person must approve the input first
  std::string config_schema = {};  // JSON Schema draft 4, as text
  // Names of the secrets that it asks for. Those granted to all agents it gets only if it names them here.
  std::vector<std::string> secrets = {};

  Json to_json() const;
};

// Totals of tokens and money.
struct Usage {
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
  std::int64_t cache_read_tokens = 0;
  std::int64_t cache_write_tokens = 0;
  double cost_usd = 0;
  std::string model = {};                    // the main one
  std::map<std::string, Usage> models = {};  // what each one had of it
  // The cost is an estimate, until one that is none takes its place. Of the totals, not of a model.
  bool cost_is_estimate = false;

  Json to_json() const;
  static Usage from_json(JsonView json);
};

// The task being worked on. Text and views live as long as the context.
struct Task {
  std::string_view task_id;
  std::string_view agent;
  std::string_view task_type;
  std::string_view source;  // the webhook it came by
  std::string_view title;
  JsonView payload;
  JsonView entity;  // {key, type, title, url}
  JsonView actor;   // {id, login, role}
  JsonView links;   // [{rel, key, url}]
  Time created_at;
};

// Who approved what the task runs.
struct Approval {
  std::string_view by;        // "github:alice"
  std::string_view actor_id;  // the sender's own id of the person, may be empty
  std::string_view way;       // "api", "cli", or the webhook it came by and how: "github comment"
  Time at;
  std::string_view content_hash;  // of what was approved
};

// How to confine the programs that an agent starts.
struct Sandbox {
  std::string_view command = "bwrap";  // bubblewrap, or what is called as it is
  bool required = true;                // start nothing without it
};

// What an execution gets.
class AgentContext {
 public:
  explicit AgentContext(Json document);
  AgentContext(AgentContext&&) = delete;

 private:
  Json document_;  // what the members below point into

 public:
  std::string_view task_id;
  std::string_view session_id;  // of this execution
  int attempt;                  // 1 for the first
  // Attempts after the first. Absent: the host does not say.
  std::optional<int> max_retries;
  int chain_depth;  // 1 for the first task of a chain
  Task task;
  JsonView config;
  JsonView previous_result;  // output of the agent before in the chain, or null
  std::optional<Time> deadline;
  // US dollars that this execution may cost: one that has reported more is stopped, and fails for good.
  // Absent: nothing bounds it, or the host does not say.
  std::optional<double> budget_usd;
  std::filesystem::path workspace;  // a folder of this execution, removed after it; empty if there is none
  // A folder of all agents, that stays; executions run at the same time, so who writes there locks. Empty if
  // there is none.
  std::filesystem::path state_folder;
  Sandbox sandbox;
  std::optional<Approval> approval;  // absent: the task needed none, or the host does not say

  // All of it, with members newer than this header.
  const Json& json() const { return document_; }
};

// How a failed execution is to be taken.
enum class ErrorClass { Retryable, RateLimited, Permanent };

// What an execution ends with. Follow-up work is part of it, so that it is committed with it, once.
class AgentResult {
 public:
  static AgentResult ok(Json output = {}) { return AgentResult(true, std::move(output)); }
  static AgentResult ok(std::initializer_list<JsonField> output) { return ok(Json::object(output)); }
  static AgentResult failed(std::string error, ErrorClass error_class = ErrorClass::Retryable) {
    AgentResult result(false, {});
    result.error = std::move(error);
    result.error_class = error_class;
    return result;
  }
  // Whoever approved what the task runs (AgentContext::approval) may not, for this reason, a sentence that
  // people will read. For an agent that has done nothing yet: the task waits for another approval, no attempt
  // is used, and the same person does not start it again while it waits. Without an approval, and at an older
  // host, it fails for good.
  static AgentResult approval_does_not_count(std::string why) {
    AgentResult result = failed(std::move(why), ErrorClass::Permanent);
    result.approval_refused = true;
    return result;
  }

  // The agent that goes on, with `input` as its payload if one is given; wait_for_approval: after a person
  // approved.
  AgentResult& then(std::string agent, std::optional<Json> input = {}) & {
    next_agent = std::move(agent);
    next_input = std::move(input);
    return *this;
  }
  AgentResult& after_approval() & { return wait_for_approval = true, *this; }
  AgentResult& with_usage(Usage value) & { return usage = std::move(value), *this; }
  AgentResult& metric(std::string_view name, double value) & { return metrics.set(name, value), *this; }
  AgentResult& add_task(NewTask value) & { return tasks.push_back(std::move(value)), *this; }
  // The key of what the task and those that follow are about as well: what people decide there counts for
  // them.
  AgentResult& also_about(std::string key) & { return also.push_back(std::move(key)), *this; }
  AgentResult&& then(std::string agent, std::optional<Json> input = {}) && {
    return std::move(then(std::move(agent), std::move(input)));
  }
  AgentResult&& after_approval() && { return std::move(after_approval()); }
  AgentResult&& with_usage(Usage value) && { return std::move(with_usage(std::move(value))); }
  AgentResult&& metric(std::string_view name, double value) && { return std::move(metric(name, value)); }
  AgentResult&& add_task(NewTask value) && { return std::move(add_task(std::move(value))); }
  AgentResult&& also_about(std::string key) && { return std::move(also_about(std::move(key))); }

  bool success;
  Json output;  // what the next agent gets as previous_result
  std::string error;
  ErrorClass error_class = ErrorClass::Retryable;
  bool approval_refused = false;  // see approval_does_not_count()
  std::optional<std::chrono::milliseconds> retry_after;
  std::optional<Usage> usage;  // what it says beyond what was reported live
  Json metrics;                // numbers, for people
  std::string next_agent;
  std::optional<Json> next_input;
  bool wait_for_approval = false;
  std::vector<NewTask> tasks;
  std::vector<std::string> also;  // at most 8, of at most 256 bytes

  Json to_json() const;
  static AgentResult from_json(JsonView json);

 private:
  AgentResult(bool good, Json value) : success(good), output(std::move(value)) {}
};

// The execution in flight: what can be reported and asked while it runs, from any thread until execute()
// returns. What the host does not offer does nothing, but artifacts and keys, which throw
// Failure(NotImplemented).
class Run {
 public:
  Run(const Host& host, const davit_call* call)
      : host_(host),
        call_(call),
        progress_(host.service<davit_progress_v1>(DAVIT_SERVICE_PROGRESS)),
        usage_(host.service<davit_usage_v1>(DAVIT_SERVICE_USAGE)),
        transcript_(host.service<davit_transcript_v1>(DAVIT_SERVICE_TRANSCRIPT)),
        artifact_(host.service<davit_artifact_v1>(DAVIT_SERVICE_ARTIFACT)),
        kv_(host.service<davit_kv_v1>(DAVIT_SERVICE_KV)) {}

  const Host& host() const { return host_; }

  // `fraction` from 0 to 1, negative when unknown; `phase` a short word, `message` a sentence.
  void progress(double fraction, std::string_view phase, std::string_view message = {}) const {
    if (progress_) progress_->report(call_, fraction, text_of(phase), text_of(message));
  }

  // Totals of this execution up to now; they survive a killed runner.
  void usage(const Usage& totals) const {
    if (usage_) usage_->report(call_, text_of(totals.to_json().dump()));
  }

  // One line of the transcript; `kind` is a short word: "assistant", "tool", "stdout".
  void transcript(std::string_view kind, std::string_view line) const {
    if (transcript_)
      transcript_->append(call_, text_of(kind), text_of(is_utf8(line) ? std::string(line) : to_utf8(line)));
  }

  // A file kept with the execution; `name` without slash. Throws when the host refuses it.
  void artifact(std::string_view name, std::string_view content_type, std::string_view content) const {
    if (!artifact_) missing(DAVIT_SERVICE_ARTIFACT);
    check(artifact_->put(call_, text_of(name), text_of(content_type), text_of(content)), "artifact", name);
  }

  // Small values kept between executions of this agent.
  std::optional<std::string> read(std::string_view key) const {
    if (!kv_) missing(DAVIT_SERVICE_KV);
    std::string value;
    const davit_sink sink = detail::string_sink(value);
    const davit_status status = kv_->read(call_, text_of(key), &sink);
    if (status == DAVIT_NOT_FOUND) return std::nullopt;
    check(status, "key", key);
    return value;
  }
  // `key` at most 256 bytes, `value` at most 64 KiB. Durable on return.
  void write(std::string_view key, std::string_view value) const {
    if (!kv_) missing(DAVIT_SERVICE_KV);
    check(kv_->write(call_, text_of(key), text_of(value)), "key", key);
  }
  void remove(std::string_view key) const {
    if (!kv_) missing(DAVIT_SERVICE_KV);
    check(kv_->remove(call_, text_of(key)), "key", key);
  }

  bool is_cancelled() const {
    return DAVIT_HAS(call_, davit_call, is_cancelled) && call_->is_cancelled &&
           call_->is_cancelled(call_) != 0;
  }
  // For loops: throws Failure(Cancelled) once somebody asked for the end.
  void check_cancelled() const {
    if (is_cancelled()) throw Failure::cancelled("cancelled");
  }

  // Until the host stops waiting; nullopt when there is no deadline.
  std::optional<std::chrono::milliseconds> remaining() const {
    if (!DAVIT_HAS(call_, davit_call, remaining_ms) || !call_->remaining_ms) return std::nullopt;
    const std::uint64_t left = call_->remaining_ms(call_);
    if (left > static_cast<std::uint64_t>(std::chrono::milliseconds::max().count())) return std::nullopt;
    return std::chrono::milliseconds(left);
  }

 private:
  [[noreturn]] static void missing(const char* service) {
    throw Failure(Status::NotImplemented,
                  std::string("this host does not offer ") + service + ", or did not grant it");
  }
  static void check(davit_status status, const char* what, std::string_view name) {
    if (status != DAVIT_OK) {
      throw Failure(static_cast<Status>(status),
                    std::string("the host refused ") + what + " '" + std::string(name) + "'");
    }
  }

  Host host_;
  const davit_call* call_;
  const davit_progress_v1* progress_;
  const davit_usage_v1* usage_;
  const davit_transcript_v1* transcript_;
  const davit_artifact_v1* artifact_;
  const davit_kv_v1* kv_;
};

class Agent : public Plugin {
 public:
  // Constant, quick, asked of an instance that is not configured.
  virtual AgentMetadata metadata() const = 0;

  // May it run? No ends the task as failed with the reason, for good.
  virtual Decision pre_execute(const AgentContext& context) { return static_cast<void>(context), true; }

  // The work.
  virtual AgentResult execute(const AgentContext& context, Run& run) = 0;

  // A last look at the result of execute().
  virtual AgentResult post_execute(const AgentContext& context, AgentResult result) {
    return static_cast<void>(context), result;
  }

  // One of the hooks above threw. A result makes up for it, and is final; nullopt lets the failure stand.
  virtual std::optional<AgentResult> on_error(const AgentContext& context, const Failure& error) {
    return static_cast<void>(context), static_cast<void>(error), std::nullopt;
  }

  // From another thread: the running execute() should return soon. Run::is_cancelled() says the same.
  virtual void cancel() {}
};

inline Json AgentMetadata::to_json() const {
  constexpr std::string_view kNames[] = {"planning", "execution",  "discovery",
                                         "review",   "monitoring", "analysis"};
  Json json = detail::texts(
      {{"name", name}, {"display_name", display_name}, {"description", description}, {"version", version}});
  Json list = Json::array();
  for (AgentCapability capability : capabilities)
    list.push_back(kNames[static_cast<std::size_t>(capability)]);
  json.set("capabilities", std::move(list));
  json.set("enabled", enabled);
  json.set("max_retries", max_retries);
  json.set("timeout_seconds", timeout_seconds);
  json.set("requires_approval", requires_approval);
  if (!secrets.empty()) json.set("secrets", secrets);
  if (!config_schema.empty()) json.set("config_schema", detail::parse_schema(config_schema));
  return json;
}

inline Json Usage::to_json() const {
  Json json = Json::object({{"input_tokens", input_tokens},
                            {"output_tokens", output_tokens},
                            {"cache_read_tokens", cache_read_tokens},
                            {"cache_write_tokens", cache_write_tokens},
                            {"cost_usd", cost_usd}});
  if (cost_is_estimate) json.set("cost_is_estimate", true);
  if (!model.empty()) json.set("model", model);
  if (!models.empty()) {
    Json list = Json::object();
    for (const auto& [name, part] : models) list.set(name, part.to_json());
    json.set("models", std::move(list));
  }
  return json;
}

inline Usage Usage::from_json(JsonView json) {
  Usage usage{.input_tokens = json["input_tokens"].int_or(0),
              .output_tokens = json["output_tokens"].int_or(0),
              .cache_read_tokens = json["cache_read_tokens"].int_or(0),
              .cache_write_tokens = json["cache_write_tokens"].int_or(0),
              .cost_usd = json["cost_usd"].number_or(0),
              .model = std::string(json["model"].string_or("")),
              .cost_is_estimate = json["cost_is_estimate"].bool_or(false)};
  for (auto [name, part] : json["models"].members()) usage.models.emplace(name, from_json(part));
  return usage;
}

inline AgentContext::AgentContext(Json document) : document_(std::move(document)) {
  const JsonView json = document_.view();
  task_id = json["task_id"].string_or("");
  session_id = json["session_id"].string_or("");
  attempt = static_cast<int>(json["attempt"].int_or(1));
  if (json["max_retries"].is_int()) max_retries = static_cast<int>(json["max_retries"].int_or(0));
  chain_depth = static_cast<int>(json["chain_depth"].int_or(1));
  config = json["config"];
  previous_result = json["previous_result"];
  workspace = std::string(json["workspace"].string_or(""));
  if (json["deadline_unix_ms"].is_int()) deadline = time_from_unix_ms(json["deadline_unix_ms"].int_or(0));
  if (json["budget_usd"].is_number()) budget_usd = json["budget_usd"].number_or(0);
  state_folder = std::string(json["state_folder"].string_or(""));
  sandbox = {.command = json["sandbox"]["command"].string_or(sandbox.command),
             .required = json["sandbox"]["required"].bool_or(true)};
  if (const JsonView by = json["approval"]; by.is_object()) {
    approval = {.by = by["by"].string_or(""),
                .actor_id = by["actor_id"].string_or(""),
                .way = by["way"].string_or(""),
                .at = time_from_unix_ms(by["at"].int_or(0)),
                .content_hash = by["content_hash"].string_or("")};
  }
  const JsonView of = json["task"];
  task = {.task_id = of["task_id"].string_or(task_id),
          .agent = of["agent"].string_or(""),
          .task_type = of["task_type"].string_or(""),
          .source = of["source"].string_or(""),
          .title = of["title"].string_or(""),
          .payload = of["payload"],
          .entity = of["entity"],
          .actor = of["actor"],
          .links = of["links"],
          .created_at = time_from_unix_ms(of["created_at"].int_or(0))};
}

namespace detail {
inline constexpr std::string_view kErrorClasses[] = {"retryable", "rate_limited", "permanent"};
}

inline Json AgentResult::to_json() const {
  Json json = Json::object({{"success", success}, {"output", output}});
  if (!success) {
    json.set("error", error.empty() ? "the agent gave no reason" : error);
    json.set("error_class", detail::kErrorClasses[static_cast<std::size_t>(error_class)]);
    if (approval_refused) json.set("approval_refused", true);
  }
  if (retry_after) json.set("retry_after_ms", retry_after->count());
  if (usage) json.set("usage", usage->to_json());
  if (metrics.is_object()) json.set("metrics", metrics);
  if (!next_agent.empty()) json.set("next_agent", next_agent);
  if (next_input) json.set("next_input", *next_input);
  if (wait_for_approval) json.set("wait_for_approval", true);
  if (!also.empty()) json.set("also", also);
  if (!tasks.empty()) json.set("tasks", detail::list(tasks));
  return json;
}

inline AgentResult AgentResult::from_json(JsonView json) {
  AgentResult result(json["success"].bool_or(false), Json(json["output"]));
  result.error = json["error"].string_or("");
  for (std::size_t i = 0; i < std::size(detail::kErrorClasses); ++i) {
    if (json["error_class"] == detail::kErrorClasses[i]) result.error_class = static_cast<ErrorClass>(i);
  }
  result.approval_refused = json["approval_refused"].bool_or(false);
  if (json["retry_after_ms"].is_int())
    result.retry_after = std::chrono::milliseconds(json["retry_after_ms"].int_or(0));
  if (json["usage"].is_object()) result.usage = Usage::from_json(json["usage"]);
  result.metrics = Json(json["metrics"]);
  result.next_agent = json["next_agent"].string_or("");
  if (json.has("next_input")) result.next_input = Json(json["next_input"]);
  result.wait_for_approval = json["wait_for_approval"].bool_or(false);
  for (JsonView key : json["also"]) result.also.emplace_back(key.string_or(""));
  for (JsonView task : json["tasks"]) result.tasks.push_back(NewTask::from_json(task));
  return result;
}

namespace detail {

// The C side of one agent: `self` is the Agent.
struct AgentAbi {
  static Agent& agent(void* self) { return *static_cast<Agent*>(self); }

  static davit_status pre_execute(void* self, const davit_call* call, davit_text context,
                                  const davit_sink* out) {
    return guarded(call, [&] {
      const Decision decision = agent(self).pre_execute(AgentContext(from_host(context)));
      if (decision) return DAVIT_OK;
      detail::write(out, to_utf8(decision.reason()));
      return DAVIT_IGNORED;
    });
  }

  static davit_status execute(void* self, const davit_call* call, davit_text context, const davit_sink* out) {
    return guarded(call, [&] {
      Run run(Access::host(agent(self)), call);
      detail::write(out, agent(self).execute(AgentContext(from_host(context)), run).to_json().dump());
      return DAVIT_OK;
    });
  }

  static davit_status post_execute(void* self, const davit_call* call, davit_text context, davit_text result,
                                   const davit_sink* out) {
    return guarded(call, [&] {
      const Json before = from_host(result);
      const AgentContext in(from_host(context));
      detail::write(out, agent(self).post_execute(in, AgentResult::from_json(before)).to_json().dump());
      return DAVIT_OK;
    });
  }

  static davit_status on_error(void* self, const davit_call* call, davit_text context, davit_status status,
                               davit_text message, const davit_sink* out) {
    return guarded(call, [&] {
      const AgentContext in(from_host(context));
      const Failure failure(static_cast<Status>(status), std::string(view_of(message)));
      const std::optional<AgentResult> result = agent(self).on_error(in, failure);
      if (!result) return DAVIT_NOT_IMPLEMENTED;
      detail::write(out, result->to_json().dump());
      return DAVIT_OK;
    });
  }

  static void cancel(void* self) {
    guarded_quietly([&] { agent(self).cancel(); });
  }

  static void destroy(void* self) {
    guarded_quietly([&] { delete static_cast<Agent*>(self); });
  }
};

struct AgentKind {
  using Base = Agent;
  using Struct = davit_agent;
  using Factory = davit_agent_factory;
  static constexpr std::size_t kLeast = offsetof(davit_agent, destroy) + sizeof(davit_agent::destroy);

  // Optional hooks that the author left alone stay NULL: the host need not ask.
  template <class Plugin>
  static davit_agent table() {
    davit_agent table{};
    if constexpr (DAVIT_DETAIL_OVERRIDES(Plugin, Agent, pre_execute))
      table.pre_execute = AgentAbi::pre_execute;
    table.execute = AgentAbi::execute;
    if constexpr (DAVIT_DETAIL_OVERRIDES(Plugin, Agent, post_execute))
      table.post_execute = AgentAbi::post_execute;
    if constexpr (DAVIT_DETAIL_OVERRIDES(Plugin, Agent, on_error)) table.on_error = AgentAbi::on_error;
    if constexpr (DAVIT_DETAIL_OVERRIDES(Plugin, Agent, cancel)) table.cancel = AgentAbi::cancel;
    table.destroy = AgentAbi::destroy;
    return table;
  }
};

}  // namespace detail
}  // namespace sdk
}  // namespace davit

// Emitted only into a library that registers an agent.
extern "C" DAVIT_EXPORT inline const davit_agent_factory* davit_agent_factory_v1(void) {
  return davit::detail::factory<davit::detail::AgentKind>();
}

// At namespace scope, once per agent; several per file and library are fine. Agent has a default constructor.
#define DAVIT_REGISTER_AGENT(Class) \
  DAVIT_DETAIL_REGISTER(Class, davit::detail::AgentKind, davit_agent_factory_v1, __COUNTER__)
