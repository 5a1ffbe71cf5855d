#include "host/http/request_log.h"

#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include "host/base/json.h"
#include "host/base/text.h"

namespace davit::http {
namespace {

constexpr std::size_t kMostPath = 200;

bool has_failed(const Response& response) { return response.status >= 500 && !response.is_report; }

// What the sender was told, unless there is more to say.
std::string reason_of(const Response& response) {
  if (!response.reason.empty()) return response.reason;
  if (response.content_type != "application/problem+json") return {};
  const auto problem = parse_json(response.body);
  return problem.ok() ? string_member(*problem, "detail") : std::string();
}

// Whoever catches what is in the air tells of it; the answer is only what its way down leaves behind.
bool is_thrown() { return std::uncaught_exceptions() > 0; }

}  // namespace

void RequestLog::follow(Responder& responder, const Request& request, const RouteName& route,
                        std::string_view actor, std::shared_ptr<Act> act) {
  if (!act && !log_.enabled(LogLevel::Debug)) {
    const auto watch = [this, &route](const Response& response, std::string_view request_id) {
      metrics_.request_answered(route.pattern, response.status);
      if (has_failed(response) && !is_thrown()) note_failure(response, request_id, route);
    };
    static_assert(sizeof watch <= 2 * sizeof(void*), "it must fit into std::function without an allocation");
    return responder.on_answer(watch);
  }
  auto asked = std::make_shared<const Followed>(Followed{std::string(request.method),
                                                         std::string(shortened(request.path, kMostPath)),
                                                         std::string(actor), route, clock_.monotonic(),
                                                         std::move(act)});
  responder.on_answer([this, asked = std::move(asked)](const Response& response, std::string_view request_id) {
    metrics_.request_answered(asked->route.pattern, response.status);
    if (!has_failed(response)) {
      note_answer(*asked, response, request_id);
    } else if (!is_thrown()) {
      note_failure(response, request_id, asked->route);
    }
    if (asked->act) asked->act->answered(response);
  });
}

void RequestLog::failed(std::string_view request_id, const RouteName& route, std::string_view reason) {
  Response response;
  response.status = 500;
  response.reason = reason;
  note_failure(response, request_id, route);
}

void RequestLog::note_failure(const Response& response, std::string_view request_id, const RouteName& route) {
  const std::optional<std::int64_t> unlogged =
      failures_.with([&](Failures& failures) -> std::optional<std::int64_t> {
        if (failures.bucket.take(kFailuresEach, kFailuresAtOnce, clock_.monotonic()).count() > 0) {
          ++failures.unlogged;
          return std::nullopt;
        }
        return std::exchange(failures.unlogged, 0);
      });
  if (!unlogged) return;
  std::vector<LogField> fields{{"request", request_id},
                               {"route", route.text},
                               {"status", response.status},
                               {"reason", reason_of(response)}};
  if (*unlogged > 0) fields.emplace_back("unlogged", *unlogged);
  log_.write(LogLevel::Error, "A request failed", fields);
}

void RequestLog::note_answer(const Followed& asked, const Response& response, std::string_view request_id) {
  if (asked.act && response.status < 400 && asked.act->refusal().empty()) {
    const AuditEntry& line = asked.act->line();
    std::vector<LogField> fields{{"request", request_id}, {"operation", line.operation}};
    if (!line.object.empty()) fields.emplace_back("object", line.object);
    fields.insert(fields.end(), {{"actor", line.actor}, {"way", line.way}, {"status", response.status}});
    return log_.write(LogLevel::Info, "An act was done", fields);
  }
  if (!log_.enabled(LogLevel::Debug)) return;
  const bool refused = response.status >= 400;
  if (!refused && asked.path.starts_with("/webhooks/")) return;
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(clock_.monotonic() - asked.began);
  std::vector<LogField> fields{{"request", request_id},
                               {"method", asked.method},
                               {"route", asked.route.text},
                               {"path", asked.path},
                               {"status", response.status},
                               {"micros", took.count()}};
  if (!asked.actor.empty()) fields.emplace_back("actor", asked.actor);
  if (refused) fields.emplace_back("reason", reason_of(response));
  if (asked.act && !asked.act->refusal().empty()) fields.emplace_back("reason", asked.act->refusal());
  log_.write(LogLevel::Debug, refused ? "A request was refused" : "A request was answered", fields);
}

}  // namespace davit::http
