#include "host/http/dashboard_routes.h"

#include <algorithm>

#include "host/base/id.h"
#include "host/base/text.h"
#include "host/http/answers.h"
#include "host/http/json.h"
#include "host/http/query.h"
#include "host/http/task_filter.h"

namespace davit::http {
namespace {

using Answer = std::function<void(Exchange)>;

Route reader(std::string operation, std::string pattern, Answer answer) {
  return Route{"GET",          std::move(pattern), Access::Reader,
               Thread::Worker, std::move(answer),  std::move(operation)};
}

template <typename Item>
Response page_answer(std::string_view name, const store::Page<Item>& page,
                     void (*write)(JsonWriter&, const Item&)) {
  return json_answer([&](JsonWriter& writer) {
    writer.StartObject();
    writer.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
    writer.StartArray();
    for (const Item& item : page.items) write(writer, item);
    writer.EndArray();
    if (page.next_cursor.empty()) {
      write_null_member(writer, "next_cursor");
    } else {
      write_member(writer, "next_cursor", page.next_cursor);
    }
    writer.EndObject();
  });
}

Response tasks_answer(const store::Store& store, Exchange& exchange, Query& query) {
  query.allow_only({"agent", "source", "entity", "link", "q", "start_date", "end_date", "limit", "cursor"},
                   {"status"});
  store::TaskFilter filter = task_filter_of(query);
  filter.limit = query.whole_number("limit", 50, 1, 500);
  filter.cursor = query.text("cursor");
  if (!query.errors().empty()) return {};
  auto page = store.tasks(filter);
  if (!page) return list_error_answer(page.error(), exchange.request.request_id);
  return page_answer("tasks", *page, &write_task);
}

Response deliveries_answer(const store::Store& store, Exchange& exchange, Query& query) {
  query.allow_only({"webhook", "verdict", "link", "limit", "cursor"});
  store::Store::DeliveryFilter filter;
  filter.webhook = query.text("webhook");
  filter.link = query.text("link");
  filter.limit = query.whole_number("limit", 50, 1, 500);
  filter.cursor = query.text("cursor");
  if (std::string verdict = query.text("verdict"); !verdict.empty()) {
    using enum store::Verdict;
    for (store::Verdict each : {Queued, Ignored, Error, Deferred, Parked}) {
      if (store::to_string(each) == verdict) filter.verdict = each;
    }
    if (!filter.verdict) query.fail("verdict", "must be queued, ignored, error, deferred or parked");
  }
  if (!query.errors().empty()) return {};
  auto page = store.deliveries(filter);
  if (!page) return list_error_answer(page.error(), exchange.request.request_id);
  return page_answer("deliveries", *page, &write_delivery);
}

Response refusals_answer(const store::Store& store, Exchange& exchange, Query& query) {
  query.allow_only({"webhook", "cause"});
  if (!query.errors().empty()) return {};
  auto refused = store.refusals({query.text("webhook"), query.text("cause")});
  if (!refused) return error_answer(refused.error(), exchange.request.request_id);
  return json_answer([&](JsonWriter& writer) { write_refusals(writer, *refused); });
}

// All agents, or those that say they can do something.
Response agents_answer(const plugin::Snapshot& snapshot, Query& query) {
  query.allow_only({"capability"});
  const std::string capability = query.text("capability");
  return json_answer([&](JsonWriter& writer) {
    writer.StartObject();
    writer.Key("agents");
    writer.StartArray();
    if (capability.empty()) {
      for (const auto& [name, agent] : snapshot.agents) write_agent(writer, *agent);
    } else {
      for (const auto& agent : snapshot.agents_with(capability)) write_agent(writer, *agent);
    }
    writer.EndArray();
    writer.EndObject();
  });
}

// A list under one name, from what the registry holds now.
Answer registry_list(std::string name, const plugin::Registry& registry,
                     std::function<void(JsonWriter&, const plugin::Snapshot&)> write) {
  return without_query([name = std::move(name), &registry, write = std::move(write)](Exchange exchange) {
    auto snapshot = registry.current();
    exchange.responder.send(json_answer([&](JsonWriter& writer) {
      writer.StartObject();
      writer.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
      write(writer, *snapshot);
      writer.EndObject();
    }));
  });
}

// Answers when the store has committed; the connection stays with the Responder meanwhile.
template <typename T>
store::Done<T> when_committed(Responder responder, std::function<Response(T&)> answer) {
  auto shared = std::make_shared<Responder>(std::move(responder));
  return [shared, answer = std::move(answer)](Result<T> result) {
    std::string request_id(shared->request_id());
    shared->send(result ? answer(*result) : list_error_answer(result.error(), request_id));
  };
}

Response state_answer(const std::string& task_id, TaskState state) {
  return json_answer([&](JsonWriter& writer) {
    writer.StartObject();
    write_member(writer, "task_id", task_id);
    write_member(writer, "status", to_string(state));
    writer.EndObject();
  });
}

// The body of an action: an object, or nothing.
Result<JsonDocument> body_object(const Request& request) {
  if (request.body.empty()) return parse_json("{}");
  JsonDocument document = TRY(parse_json(request.body));
  if (!document.IsObject()) return Error{ErrorCode::InvalidInput, "the body must be a JSON object"};
  return document;
}

constexpr std::size_t kMostOfAName = 128;

// Who decides, as the one with the token says; he himself unless he names somebody.
store::Person person_from(const Caller& caller, const JsonValue& body, std::vector<FieldError>& errors) {
  const auto word = [&](const char* name, std::string_view fallback) {
    const JsonValue* value = find_member(body, name);
    if (value == nullptr) return std::string(fallback);
    std::string text = value->IsString() ? std::string(value->GetString(), value->GetStringLength()) : "";
    const bool plain = std::none_of(text.begin(), text.end(),
                                    [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
    if (text.empty() || text.size() > kMostOfAName || !plain) {
      errors.push_back({name, "must be a text of 1 to " + std::to_string(kMostOfAName) +
                                  " bytes without control characters"});
    }
    return text;
  };
  return {word("by", caller.name), {}, word("way", "api")};
}

constexpr std::size_t kMostOfAText = 16u << 10;

// Of a decision: the members of person_from(), and these texts. Anything else is a mistake, which would otherwise have
// somebody believe that it was heeded.
void check_decision(const JsonValue& body, const std::vector<std::string>& texts, std::vector<FieldError>& errors) {
  for (const auto& member : body.GetObject()) {
    const std::string name(member.name.GetString(), member.name.GetStringLength());
    if (name == "by" || name == "way") continue;
    if (std::find(texts.begin(), texts.end(), name) == texts.end())
      errors.push_back({std::string(shortened(name, 64)), "is not a member of this request"});
    else if (!member.value.IsString() || member.value.GetStringLength() > kMostOfAText)
      errors.push_back({name, "must be a text of at most " + std::to_string(kMostOfAText) + " bytes"});
  }
}

// A task that a person asks for, or what is wrong with the request.
Result<NewTask> task_from(const JsonValue& body, std::vector<FieldError>& errors) {
  NewTask task;
  for (const auto& member : body.GetObject()) {
    std::string_view name(member.name.GetString(), member.name.GetStringLength());
    const JsonValue& value = member.value;
    auto text = [&](std::string& into, std::size_t limit) {
      if (!value.IsString() || value.GetStringLength() > limit) {
        errors.push_back(
            {std::string(name), "must be a text of at most " + std::to_string(limit) + " bytes"});
      } else {
        into.assign(value.GetString(), value.GetStringLength());
      }
    };
    if (name == "agent") {
      text(task.agent, 64);
    } else if (name == "task_type") {
      text(task.task_type, 64);
    } else if (name == "title") {
      text(task.title, 1024);
    } else if (name == "entity") {
      text(task.entity, 512);
    } else if (name == "group") {
      text(task.group, 512);
    } else if (name == "key") {
      text(task.key, 512);
    } else if (name == "payload") {
      task.payload = to_json(value);
    } else if (name == "priority") {
      if (!value.IsInt() || value.GetInt() < -100 || value.GetInt() > 100) {
        errors.push_back({"priority", "must be a whole number from -100 to 100"});
      } else {
        task.priority = value.GetInt();
      }
    } else if (name == "run_at") {
      auto time = value.IsString() ? parse_iso8601({value.GetString(), value.GetStringLength()})
                                   : Result<WallTime>(Error{ErrorCode::InvalidInput, "must be a time"});
      if (time) {
        task.run_at = *time;
      } else {
        errors.push_back({"run_at", time.error().message});
      }
    } else {
      errors.push_back({std::string(shortened(name, 64)), "is not a member of a task"});
    }
  }
  if (task.agent.empty() && errors.empty())
    errors.push_back({"agent", "is required: the name of the agent to run"});
  return task;
}

void create_task(store::Store& store, const plugin::Registry& registry, Log& log, Exchange exchange) {
  std::string request_id = exchange.request.request_id;
  auto body = body_object(exchange.request);
  if (!body) return exchange.responder.send(error_answer(body.error(), request_id));
  std::vector<FieldError> errors;
  auto task = task_from(*body, errors);
  auto agent = registry.current()->agent(task->agent);
  if (errors.empty() && !agent) {
    errors.push_back({"agent", "no agent of this name is loaded; GET /api/dashboard/agents lists them"});
  }
  if (!errors.empty()) return exchange.responder.send(field_errors_answer(errors, request_id));
  if (task->title.empty()) task->title = "Task for " + task->agent;
  if (task->task_type.empty()) task->task_type = "manual";
  task->max_retries = agent->max_retries;
  task->awaits_approval = agent->requires_approval;
  std::string_view status =
      to_string(agent->requires_approval ? TaskState::AwaitingApproval : TaskState::Queued);
  store::Audited audit = audited(exchange, task->agent,
                                 act_parameters({{"title", task->title}, {"task_type", task->task_type}}));
  store.create_task(
      std::move(*task), "api", std::nullopt,
      when_committed<std::string>(
          std::move(exchange.responder),
          [status, request_id, &log](std::string& id) {
            log.info("A task was made by hand", {{"task", id}, {"state", status}, {"request", request_id}});
            return json_answer(
                [&](JsonWriter& writer) {
                  writer.StartObject();
                  write_member(writer, "task_id", id);
                  write_member(writer, "status", status);
                  writer.EndObject();
                },
                201);
          }),
      std::move(audit));
}

// Queues many tasks again: those of a state that the other members narrow down, a few hundred for each
// request.
void retry_tasks(store::Store& store, Log& log, Exchange exchange) {
  std::string request_id = exchange.request.request_id;
  auto body = body_object(exchange.request);
  if (!body) return exchange.responder.send(error_answer(body.error(), request_id));
  std::vector<FieldError> errors;
  store::Person by = person_from(exchange.caller, *body, errors);
  store::TaskFilter filter;
  const auto time = [&](const std::string& name, const std::string& text) -> std::optional<WallTime> {
    auto read = parse_iso8601(text);
    if (read) return *read;
    errors.push_back({name, read.error().message});
    return std::nullopt;
  };
  for (const auto& member : std::as_const(*body).GetObject()) {
    const std::string name(member.name.GetString(), member.name.GetStringLength());
    if (name == "by" || name == "way") continue;
    if (!member.value.IsString()) {
      errors.push_back({std::string(shortened(name, 64)), "must be a text"});
      continue;
    }
    std::string text(member.value.GetString(), member.value.GetStringLength());
    // A variable that is not set, say: it must not stand for all.
    if (text.empty() && (name == "agent" || name == "source")) {
      errors.push_back({name, "must not be empty; leave it out to mean all"});
    } else if (name == "status") {
      filter.state = task_state_from(text);
    } else if (name == "agent") {
      filter.agent = std::move(text);
    } else if (name == "source") {
      filter.source = std::move(text);
    } else if (name == "start_date") {
      filter.start = time(name, text);
    } else if (name == "end_date") {
      filter.end = time(name, text);
    } else if (name == "cursor") {
      filter.cursor = std::move(text);
    } else {
      errors.push_back({std::string(shortened(name, 64)), "is not a member of a retry in bulk"});
    }
  }
  if (filter.start && filter.end && *filter.start >= *filter.end)
    errors.push_back({"start_date", "must be before end_date"});
  if (!errors.empty()) return exchange.responder.send(field_errors_answer(errors, request_id));
  store::Audited audit = audited(exchange, {}, to_json(*body));
  store.retry_all(std::move(filter), std::move(by),
                  when_committed<store::BulkStep>(
                      std::move(exchange.responder),
                      [request_id, &log](store::BulkStep& step) {
                        log.info("Tasks were retried in bulk",
                                 {{"tasks", step.done}, {"left", step.left}, {"request", request_id}});
                        return json_answer([&](JsonWriter& writer) { write_bulk_step(writer, step); });
                      }),
                  std::move(audit));
}

// Lets the hooks of a delivery run again, or (dry_run) shows what they would make of it.
void replay(ingest::Ingest& ingest, Exchange exchange) {
  std::string request_id = exchange.request.request_id;
  auto body = body_object(exchange.request);
  if (!body) return exchange.responder.send(error_answer(body.error(), request_id));
  bool dry_run = false;
  std::vector<FieldError> errors;
  for (const auto& member : std::as_const(*body).GetObject()) {
    const std::string name(member.name.GetString(), member.name.GetStringLength());
    if (name != "dry_run") {
      errors.push_back({std::string(shortened(name, 64)), "is not a member of a replay"});
    } else if (!member.value.IsBool()) {
      errors.push_back({name, "must be true or false"});
    } else {
      dry_run = member.value.GetBool();
    }
  }
  if (!errors.empty()) return exchange.responder.send(field_errors_answer(errors, request_id));
  std::string id = exchange.segments.front();
  if (exchange.act) exchange.act->about(id, to_json(*body));
  if (dry_run) {
    return ingest.rehearse(
        id, when_committed<store::NewDelivery>(std::move(exchange.responder), [](store::NewDelivery& said) {
          return json_answer([&](JsonWriter& writer) { write_rehearsal(writer, said); });
        }));
  }
  ingest.replay(id, exchange.caller.name,
                when_committed<std::string>(std::move(exchange.responder), [id](std::string& made) {
                  return json_answer(
                      [&](JsonWriter& writer) {
                        writer.StartObject();
                        write_member(writer, "delivery_id", made);
                        write_member(writer, "replay_of", id);
                        write_member(writer, "status", "queued");
                        writer.EndObject();
                      },
                      202);
                }),
                [act = exchange.act] { return act ? store::Audited(act->take()) : std::nullopt; });
}

}  // namespace

std::vector<Route> dashboard_routes(store::Store& store, const plugin::Registry& registry) {
  std::vector<Route> routes;
  routes.push_back(
      reader("listTasks", "/api/dashboard/tasks", with_query([&store](Exchange& exchange, Query& query) {
               return tasks_answer(store, exchange, query);
             })));
  routes.push_back(reader("getTask", "/api/dashboard/tasks/{}", without_query([&store](Exchange exchange) {
    auto detail = store.task(exchange.segments.front());
    exchange.responder.send(detail
                                ? json_answer([&](JsonWriter& writer) { write_task_detail(writer, *detail); })
                                : error_answer(detail.error(), exchange.request.request_id));
  })));
  routes.push_back(reader("listDeliveries", "/api/dashboard/deliveries",
                          with_query([&store](Exchange& exchange, Query& query) {
                            return deliveries_answer(store, exchange, query);
                          })));
  routes.push_back(reader("listRefusedDeliveries", "/api/dashboard/refused-deliveries",
                          with_query([&store](Exchange& exchange, Query& query) {
                            return refusals_answer(store, exchange, query);
                          })));
  routes.push_back(reader("getDelivery", "/api/dashboard/deliveries/{}", without_query([&store](Exchange exchange) {
    auto detail = store.delivery(exchange.segments.front());
    exchange.responder.send(
        detail ? json_answer([&](JsonWriter& writer) { write_delivery_detail(writer, *detail); })
               : error_answer(detail.error(), exchange.request.request_id));
  })));
  routes.push_back(
      reader("listPlugins", "/api/dashboard/plugins", registry_list("plugins", registry, &write_plugins)));
  routes.push_back(
      reader("listWebhooks", "/api/dashboard/webhooks",
             registry_list("webhooks", registry, [](JsonWriter& writer, const plugin::Snapshot& snapshot) {
               writer.StartArray();
               for (const auto& [name, webhook] : snapshot.webhooks) write_webhook(writer, *webhook);
               writer.EndArray();
             })));
  routes.push_back(
      reader("listAgents", "/api/dashboard/agents", with_query([&registry](Exchange&, Query& query) {
               return agents_answer(*registry.current(), query);
             })));
  return routes;
}

std::vector<Route> action_routes(store::Store& store, const plugin::Registry& registry,
                                 ingest::Ingest& ingest, Log& log) {
  auto action = [](std::string operation, std::string pattern, Answer answer) {
    return Route{"POST",         std::move(pattern), Access::Admin,
                 Thread::Worker, std::move(answer),  std::move(operation)};
  };
  std::vector<Route> routes;
  routes.push_back(action("createTask", "/api/tasks", [&store, &registry, &log](Exchange exchange) {
    create_task(store, registry, log, std::move(exchange));
  }));
  routes.push_back(action("retryTasks", "/api/tasks/retry", [&store, &log](Exchange exchange) {
    retry_tasks(store, log, std::move(exchange));
  }));
  // What a person decides about a task, with these texts: `decide` hands it to the store.
  auto decision = [&](const std::string& name, std::vector<std::string> texts,
                      std::function<void(std::string id, store::Person by, const JsonValue& body,
                                         store::Done<TaskState> done, store::Audited audit)>
                          decide) {
    routes.push_back(action(
        name + "Task", "/api/tasks/{}/" + name,
        [&log, name, texts = std::move(texts), decide = std::move(decide)](Exchange exchange) {
          auto body = body_object(exchange.request);
          if (!body) return exchange.responder.send(error_answer(body.error(), exchange.request.request_id));
          std::string id = exchange.segments.front();
          std::string request_id = exchange.request.request_id;
          std::vector<FieldError> errors;
          check_decision(std::as_const(*body), texts, errors);
          store::Person by = person_from(exchange.caller, *body, errors);
          if (!errors.empty()) return exchange.responder.send(field_errors_answer(errors, request_id));
          store::Audited audit = audited(exchange, id, to_json(*body));
          decide(id, std::move(by), *body,
                 when_committed<TaskState>(std::move(exchange.responder),
                                           [&log, name, id, request_id](TaskState& state) {
                                             log.info("A task was acted on", {{"task", id},
                                                                              {"action", name},
                                                                              {"state", to_string(state)},
                                                                              {"request", request_id}});
                                             return state_answer(id, state);
                                           }),
                 std::move(audit));
        }));
  };
  decision("cancel", {"reason"}, [&store](std::string id, store::Person by, const JsonValue& body,
                              store::Done<TaskState> done, store::Audited audit) {
    store.cancel(std::move(id), std::move(by), string_member(body, "reason", "cancelled by hand"),
                 std::move(done), std::move(audit));
  });
  decision("retry", {}, [&store](std::string id, store::Person by, const JsonValue&, store::Done<TaskState> done,
                             store::Audited audit) {
    store.retry(std::move(id), std::move(by), std::move(done), std::move(audit));
  });
  decision("approve", {"content_hash", "comment"}, [&store](std::string id, store::Person by, const JsonValue& body,
                               store::Done<TaskState> done, store::Audited audit) {
    store.approve(std::move(id), std::move(by), string_member(body, "content_hash"), std::move(done),
                  string_member(body, "comment"), std::move(audit));
  });
  decision("reject", {"comment"}, [&store](std::string id, store::Person by, const JsonValue& body,
                              store::Done<TaskState> done, store::Audited audit) {
    store.reject(std::move(id), std::move(by), string_member(body, "comment"), std::move(done),
                 std::move(audit));
  });
  routes.push_back(action("replayDelivery", "/api/deliveries/{}/replay",
                          [&ingest](Exchange exchange) { replay(ingest, std::move(exchange)); }));
  return routes;
}

}  // namespace davit::http
