#include "host/http/plugin_routes.h"

#include <algorithm>

#include "host/http/answers.h"
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

}  // namespace

std::vector<Route> plugin_routes(live::LivePlugins& live, const plugin::Registry& registry) {
  std::vector<Route> routes;
  routes.push_back({"POST", "/api/plugins/rescan", Access::Admin, Thread::Worker,
                    [&live, &registry](Exchange exchange) {
                      auto responder = std::make_shared<Responder>(std::move(exchange.responder));
                      live.rescan([responder, &registry] { responder->send(rescan_answer(registry)); });
                    },
                    "rescanPlugins"});
  auto action = [&](const std::string& verb,
                    std::function<Result<>(PluginKind kind, const std::string& name)> act) {
    routes.push_back({"POST", "/api/plugins/{}/{}/" + verb, Access::Admin, Thread::Worker,
                      [&registry, act = std::move(act)](Exchange exchange) {
                        const std::string& request_id = exchange.request.request_id;
                        auto kind = kind_from(exchange.segments[0]);
                        const std::string& name = exchange.segments[1];
                        if (exchange.act) exchange.act->about(exchange.segments[0] + "/" + name);
                        Result<> acted =
                            kind ? act(*kind, name)
                                 : Result<>(Error{ErrorCode::NotFound, "a plugin is a webhook or an agent"});
                        exchange.responder.send(acted ? instance_answer(registry, *kind, name, request_id)
                                                      : error_answer(acted.error(), request_id));
                      },
                      verb + "Plugin"});
  };
  action("enable",
         [&live](PluginKind kind, const std::string& name) { return live.switch_to(kind, name, true); });
  action("disable",
         [&live](PluginKind kind, const std::string& name) { return live.switch_to(kind, name, false); });
  action("clear", [&live](PluginKind kind, const std::string& name) { return live.clear(kind, name); });
  return routes;
}

}  // namespace davit::http
