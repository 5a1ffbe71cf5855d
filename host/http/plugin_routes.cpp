#include "host/http/plugin_routes.h"

#include <algorithm>

#include "host/http/answers.h"
#include "host/http/body.h"
#include "host/http/json.h"

namespace davit::http {
namespace {

std::optional<PluginKind> kind_from(std::string_view word) {
  for (PluginKind kind : {PluginKind::Webhook, PluginKind::Agent}) {
    if (to_string(kind) == word) return kind;
  }
  return std::nullopt;
}

// The instance as it is now.
Response instance_answer(const plugin::Registry& registry, PluginKind kind, const std::string& name,
                         std::string_view request_id) {
  auto snapshot = registry.current();
  if (kind == PluginKind::Webhook) {
    if (const plugin::Webhook* webhook = snapshot->webhook(name))
      return json_answer([&](JsonWriter& writer) { write_webhook(writer, *webhook); });
  } else if (auto agent = snapshot->agent(name)) {
    return json_answer([&](JsonWriter& writer) { write_agent(writer, *agent); });
  }
  return error_answer(Error{ErrorCode::NotFound, "it has gone meanwhile"}, request_id);
}

Response rescan_answer(const plugin::Registry& registry) {
  auto snapshot = registry.current();
  const auto& libraries = snapshot->libraries;
  return json_answer([&](JsonWriter& writer) {
    writer.StartObject();
    write_member(writer, "libraries", static_cast<std::int64_t>(libraries.size()));
    write_member(writer, "refused",
                 static_cast<std::int64_t>(std::count_if(
                     libraries.begin(), libraries.end(),
                     [](const plugin::LibraryRecord& library) { return library.refusal.has_value(); })));
    writer.EndObject();
  });
}

// The number of {"concurrency": 3}; what is wrong with it goes into `errors`.
int number_from(const JsonValue& body, std::vector<FieldError>& errors) {
  int number = 0;
  read_members(body, "this request", errors, [&](const std::string& name, const JsonValue& value) {
    if (value.IsInt()) number = value.GetInt();
    return name == "concurrency";
  });
  if (number < 1 || number > plugin::kMostConcurrency)
    errors.push_back(
        {"concurrency", "must be a whole number from 1 to " + std::to_string(plugin::kMostConcurrency) +
                            "; an agent that is to get no task is paused"});
  return number;
}

void set_concurrency(live::LivePlugins& live, const plugin::Registry& registry, Exchange exchange) {
  const std::string request_id = exchange.request.request_id;
  const auto body = body_object(exchange.request);
  if (!body) return exchange.responder.send(error_answer(body.error(), request_id));
  std::vector<FieldError> errors;
  const int number = number_from(*body, errors);
  if (!errors.empty()) return exchange.responder.send(field_errors_answer(errors, request_id));
  const std::string& agent = exchange.segments.front();
  if (exchange.act) exchange.act->about(agent, act_parameters({{"concurrency", std::to_string(number)}}));
  const auto set = live.set_concurrency(agent, number, line_of(exchange.act));
  exchange.responder.send(set ? instance_answer(registry, PluginKind::Agent, agent, request_id)
                              : error_answer(set.error(), request_id));
}

}  // namespace

std::vector<Route> plugin_routes(live::LivePlugins& live, const plugin::Registry& registry) {
  std::vector<Route> routes;
  routes.push_back({"POST", "/api/plugins/rescan", Access::Admin, Thread::Worker,
                    without_body([&live, &registry](Exchange exchange) {
                      if (!begun(exchange)) return;
                      auto responder = std::make_shared<Responder>(std::move(exchange.responder));
                      live.rescan([responder, &registry] { responder->send(rescan_answer(registry)); });
                    }),
                    "rescanPlugins"});
  auto action = [&](const std::string& verb, std::function<Result<>(PluginKind kind, const std::string& name,
                                                                    const live::LivePlugins::Line& line)>
                                                 act) {
    routes.push_back({"POST", "/api/plugins/{}/{}/" + verb, Access::Admin, Thread::Worker,
                      without_body([&registry, act = std::move(act)](Exchange exchange) {
                        const std::string& request_id = exchange.request.request_id;
                        auto kind = kind_from(exchange.segments[0]);
                        const std::string& name = exchange.segments[1];
                        if (exchange.act) exchange.act->about(exchange.segments[0] + "/" + name);
                        Result<> acted =
                            kind ? act(*kind, name, line_of(exchange.act))
                                 : Result<>(Error{ErrorCode::NotFound, "a plugin is a webhook or an agent"});
                        exchange.responder.send(acted ? instance_answer(registry, *kind, name, request_id)
                                                      : error_answer(acted.error(), request_id));
                      }),
                      verb + "Plugin"});
  };
  using Line = live::LivePlugins::Line;
  action("enable", [&live](PluginKind kind, const std::string& name, const Line& line) {
    return live.switch_to(kind, name, true, line);
  });
  action("disable", [&live](PluginKind kind, const std::string& name, const Line& line) {
    return live.switch_to(kind, name, false, line);
  });
  action("clear", [&live](PluginKind kind, const std::string& name, const Line& line) {
    return live.clear(kind, name, line);
  });
  const std::string concurrency = "/api/agents/{}/concurrency";
  routes.push_back(
      {"PUT", concurrency, Access::Admin, Thread::Worker, [&live, &registry](Exchange exchange) {
         set_concurrency(live, registry, std::move(exchange));
       },
       "setConcurrency"});
  routes.push_back(
      {"DELETE", concurrency, Access::Admin, Thread::Worker, without_body([&live, &registry](Exchange exchange) {
         const std::string& agent = exchange.segments.front();
         const std::string& request_id = exchange.request.request_id;
         if (exchange.act) exchange.act->about(agent);
         const auto cleared = live.set_concurrency(agent, std::nullopt, line_of(exchange.act));
         exchange.responder.send(cleared ? instance_answer(registry, PluginKind::Agent, agent, request_id)
                                         : error_answer(cleared.error(), request_id));
       }),
       "clearConcurrency"});
  return routes;
}

}  // namespace davit::http
