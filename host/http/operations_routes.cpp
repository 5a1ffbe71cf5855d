#include "host/http/operations_routes.h"

#include <memory>

#include "host/base/json.h"
#include "host/http/answers.h"
#include "host/http/members.h"

namespace davit::http {
namespace {

Response health_response(const std::vector<PartHealth>& parts) {
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  bool ready = true;
  writer.StartObject();
  write_key(writer, "parts");
  writer.StartObject();
  for (const PartHealth& part : parts) {
    write_member(writer, part.part, part.problem.empty() ? std::string("ok") : part.problem);
    if (!part.problem.empty()) ready = false;
  }
  writer.EndObject();
  write_member(writer, "status", ready ? "ready" : "not_ready");
  writer.EndObject();
  Response response;
  response.status = ready ? 200 : 503;
  response.is_report = true;
  if (!ready) response.headers.emplace_back("Retry-After", "5");
  response.body = std::string(text_of(buffer));
  return response;
}

Route route(std::string operation, std::string pattern, Access access, Thread thread,
            std::function<void(Exchange)> answer) {
  return Route{"GET", std::move(pattern), access, thread, std::move(answer), std::move(operation)};
}

}  // namespace

std::vector<Route> operations_routes(std::function<std::vector<PartHealth>()> readiness,
                                     metrics::Metrics& metrics, Access metrics_access) {
  return {
      route("getHealth", "/healthz", Access::Public, Thread::Io,
            [](Exchange exchange) {
              Response response;
              response.body = R"({"status":"alive"})";
              exchange.responder.send(std::move(response));
            }),
      route("getReadiness", "/readyz", Access::Public, Thread::Worker,
            [readiness](Exchange exchange) { exchange.responder.send(health_response(readiness())); }),
      route("getMetrics", "/metrics", metrics_access, Thread::Worker,
            [&metrics](Exchange exchange) {
              Response response;
              response.content_type = "text/plain; version=0.0.4; charset=utf-8";
              response.body = metrics.exposition();
              exchange.responder.send(std::move(response));
            }),
  };
}

Route reload_route(Reload reload) {
  return {"POST",
          "/api/reload",
          Access::Admin,
          Thread::Worker,
          without_body([reload = std::move(reload)](Exchange exchange) {
            if (!begun(exchange)) return;
            const std::string request_id = exchange.request.request_id;
            auto responder = std::make_shared<Responder>(std::move(exchange.responder));
            reload(request_id, [responder, act = std::move(exchange.act)](const Reloaded& reloaded) {
              if (act && !reloaded.mistakes.empty()) act->refused(reloaded.mistakes.front());
              responder->send(json_answer([&](JsonWriter& writer) {
                writer.StartObject();
                write_member(writer, "changed", reloaded.mistakes.empty());
                write_strings(writer, "mistakes", reloaded.mistakes);
                write_strings(writer, "notes", reloaded.notes);
                write_strings(writer, "waits_for_restart", reloaded.waits_for_restart);
                writer.EndObject();
              }));
            });
          }),
          "reload"};
}

}  // namespace davit::http
