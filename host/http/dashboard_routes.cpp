#include "host/http/dashboard_routes.h"

#include <algorithm>

#include "host/base/id.h"
#include "host/http/answers.h"
#include "host/http/body.h"
#include "host/http/json.h"
#include "host/http/members.h"
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
    write_object(writer, [&] {
      write_array(writer, name, page.items, [&](const Item& item) { write(writer, item); });
      write_text_or_null(writer, "next_cursor", page.next_cursor);
    });
  });
}

Response tasks_answer(const store::Store& store, Exchange& exchange, Query& query) {
  query.allow_only({"agent", "source", "entity", "link", "q", "start_date", "end_date", "limit", "cursor"},
                   {"status"});
  store::TaskFilter filter = task_filter_of(query);
  query.read_page(store::List::Tasks, filter.limit, filter.cursor);
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
  query.read_page(store::List::Deliveries, filter.limit, filter.cursor);
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
    write_key(writer, "agents");
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
      write_key(writer, name);
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

constexpr std::size_t kMostOfAName = 128;

// Who decides, as the one with the token says; he himself unless he names somebody.
store::Person person_from(const Caller& caller, const JsonValue& body, std::vector<FieldError>& errors) {
  store::Person person{caller.name, {}, "api"};
  const auto read = [&](const char* name, std::string& into) {
    const JsonValue* value = find_member(body, name);
    if (value == nullptr) return;
    read_text(name, *value, kMostOfAName, Text::OneLine, into, errors);
    if (value->IsString() && value->GetStringLength() == 0) errors.push_back({name, "must not be empty"});
  };
  read("by", person.name);
  read("way", person.way);
  return person;
}

constexpr std::size_t kMostOfAText = 16u << 10;

// Of a decision: the members of person_from(), and these texts. Anything else is a mistake, which would otherwise have
// somebody believe that it was heeded.
void check_decision(const JsonValue& body, const std::vector<std::string>& texts, std::vector<FieldError>& errors) {
  read_members(body, "this request", errors, [&](const std::string& name, const JsonValue& value) {
    if (name == "by" || name == "way") return true;
    if (std::find(texts.begin(), texts.end(), name) == texts.end()) return false;
    std::string text;
    read_text(name, value, kMostOfAText, Text::Lines, text, errors);
    return true;
  });
}

// A task that a person asks for, or what is wrong with the request.
NewTask task_from(const JsonValue& body, std::vector<FieldError>& errors) {
  NewTask task;
  read_members(body, "a task", errors, [&](const std::string& name, const JsonValue& value) {
    const auto line = [&](std::string& into, std::size_t most) {
      read_text(name, value, most, Text::OneLine, into, errors);
      return true;
    };
    if (name == "agent") return line(task.agent, 64);
    if (name == "task_type") return line(task.task_type, 64);
    if (name == "title") return line(task.title, 1024);
    if (name == "entity") return line(task.entity, 512);
    if (name == "group") return line(task.group, 512);
    if (name == "key") return line(task.key, 512);
    if (name == "payload") {
      task.payload = to_json(value);
    } else if (name == "priority") {
      if (value.IsInt() && value.GetInt() >= -100 && value.GetInt() <= 100)
        task.priority = value.GetInt();
      else
        errors.push_back({name, "must be a whole number from -100 to 100"});
    } else if (name == "run_at") {
      task.run_at = read_time(name, value, errors).value_or(WallTime{});
    } else {
      return false;
    }
    return true;
  });
  if (task.agent.empty() && errors.empty())
    errors.push_back({"agent", "is required: the name of the agent to run"});
  return task;
}

void create_task(store::Store& store, const plugin::Registry& registry, Log& log, Exchange exchange) {
  std::string request_id = exchange.request.request_id;
  auto body = body_object(exchange.request);
  if (!body) return exchange.responder.send(error_answer(body.error(), request_id));
  std::vector<FieldError> errors;
  NewTask task = task_from(*body, errors);
  auto agent = registry.current()->agent(task.agent);
  if (errors.empty() && !agent) {
    errors.push_back({"agent", "no agent of this name is loaded; GET /api/dashboard/agents lists them"});
  }
  if (!errors.empty()) return exchange.responder.send(field_errors_answer(errors, request_id));
  if (task.title.empty()) task.title = "Task for " + task.agent;
  if (task.task_type.empty()) task.task_type = "manual";
  task.max_retries = agent->max_retries;
  task.awaits_approval = agent->requires_approval;
  std::string_view status =
      to_string(agent->requires_approval ? TaskState::AwaitingApproval : TaskState::Queued);
  store::Audited audit =
      audited(exchange, {},
              act_parameters({{"agent", task.agent}, {"title", task.title}, {"task_type", task.task_type}}));
  store.create_task(
      std::move(task), "api", std::nullopt,
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
  // What is empty is a variable that is not set, say: it must not stand for all.
  Query query = query_from(*body, "", {}, errors);
  query.allow_only({"status", "agent", "source", "start_date", "end_date", "cursor", "by", "way"});
  store::TaskFilter filter = task_filter_of(query);
  filter.cursor = query.cursor(store::List::TasksOldestFirst);
  errors.insert(errors.end(), query.errors().begin(), query.errors().end());
  store::Person by = errors.empty() ? person_from(exchange.caller, *body, errors) : store::Person();
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
  read_members(*body, "a replay", errors, [&](const std::string& name, const JsonValue& value) {
    if (name != "dry_run") return false;
    read_flag(name, value, dry_run, errors);
    return true;
  });
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
                when_committed<std::string>(std::move(exchange.responder),
                                            [id](std::string& made) {
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
                line_of(exchange.act));
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
  decision("reject", {"content_hash", "comment"}, [&store](std::string id, store::Person by, const JsonValue& body,
                              store::Done<TaskState> done, store::Audited audit) {
    store.reject(std::move(id), std::move(by), string_member(body, "content_hash"), std::move(done),
                 string_member(body, "comment"), std::move(audit));
  });
  routes.push_back(action("replayDelivery", "/api/deliveries/{}/replay",
                          [&ingest](Exchange exchange) { replay(ingest, std::move(exchange)); }));
  return routes;
}

}  // namespace davit::http
