#include "host/http/queue_routes.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "host/http/answers.h"
#include "host/http/body.h"
#include "host/http/json.h"
#include "host/http/members.h"

namespace davit::http {
namespace {

constexpr std::size_t kMostAgent = 64, kMostText = 1'024;
constexpr const char* kNoSuchAgent = "no agent of this name is loaded; GET /api/dashboard/agents lists them";

void show_queue(const store::Store& store, const Clock& clock, Exchange exchange) {
  const auto report = store.queue();
  const auto schedules = store.schedules();
  if (!report.ok() || !schedules.ok()) {
    const Error& error = report.ok() ? schedules.error() : report.error();
    return exchange.responder.send(error_answer(error, exchange.request.request_id));
  }
  exchange.responder.send(
      json_answer([&](JsonWriter& writer) { write_queue(writer, *report, *schedules, clock.wall()); }));
}

// What a body says, member by member; anything else is an error of the field.
Result<store::Pause> pause_from(const Request& request, bool all_members, std::vector<FieldError>& errors) {
  store::Pause pause;
  const JsonDocument body = TRY(body_object(request));
  read_members(body, "this request", errors, [&](const std::string& name, const JsonValue& value) {
    if (name == "agent" && !value.IsNull()) {
      read_text(name, value, kMostAgent, Text::OneLine, pause.agent, errors);
      // A variable that is not set, say: it must not stand for all.
      if (value.IsString() && value.GetStringLength() == 0)
        errors.push_back({name, "must not be empty; leave it out, or give null, to mean all"});
    } else if (all_members && name == "reason") {
      read_text(name, value, kMostText, Text::Lines, pause.reason, errors);
    } else if (all_members && name == "until") {
      pause.until = read_time(name, value, errors);
    } else {
      return name == "agent";
    }
    return true;
  });
  return pause;
}

void pause(store::Store& store, const plugin::Registry& registry, const Clock& clock, Log& log,
           Exchange exchange) {
  const std::string request_id = exchange.request.request_id;
  std::vector<FieldError> errors;
  auto wanted = pause_from(exchange.request, true, errors);
  if (!wanted.ok()) return exchange.responder.send(error_answer(wanted.error(), request_id));
  if (!wanted->agent.empty() && !registry.current()->agent(wanted->agent))
    errors.push_back({"agent", kNoSuchAgent});
  if (wanted->until && *wanted->until <= clock.wall()) errors.push_back({"until", "has passed"});
  if (!errors.empty()) return exchange.responder.send(field_errors_answer(errors, request_id));
  wanted->by = exchange.caller.name;
  auto responder = std::make_shared<Responder>(std::move(exchange.responder));
  store::Audited audit =
      audited(exchange, wanted->agent,
              act_parameters({{"reason", wanted->reason},
                              {"until", wanted->until ? to_iso8601(*wanted->until) : std::string()}}));
  store.pause(
      *wanted,
      [responder, request_id, &log, agent = wanted->agent, until = wanted->until](const Result<>& done) {
        if (!done.ok()) return responder->send(error_answer(done.error(), request_id));
        log.info("Agents were paused", {{"agent", agent.empty() ? "all" : agent},
                                        {"until", until ? to_iso8601(*until) : ""},
                                        {"request", request_id}});
        responder->send(json_answer([&](JsonWriter& writer) {
          writer.StartObject();
          write_text_or_null(writer, "agent", agent);
          write_member(writer, "paused", true);
          writer.EndObject();
        }));
      },
      std::move(audit));
}

void resume(store::Store& store, const plugin::Registry& registry, Log& log, Exchange exchange) {
  const std::string request_id = exchange.request.request_id;
  std::vector<FieldError> errors;
  auto wanted = pause_from(exchange.request, false, errors);
  if (!wanted.ok()) return exchange.responder.send(error_answer(wanted.error(), request_id));
  if (!wanted->agent.empty() && !registry.current()->agent(wanted->agent)) {
    // One that went while it was paused may still be let go.
    const auto queue = store.queue();
    if (!queue.ok()) return exchange.responder.send(error_answer(queue.error(), request_id));
    const auto is_of_it = [&](const store::Pause& each) { return each.agent == wanted->agent; };
    if (std::none_of(queue->pauses.begin(), queue->pauses.end(), is_of_it)) errors.push_back({"agent", kNoSuchAgent});
  }
  if (!errors.empty()) return exchange.responder.send(field_errors_answer(errors, request_id));
  auto responder = std::make_shared<Responder>(std::move(exchange.responder));
  store::Audited audit = audited(exchange, wanted->agent);
  store.resume(
      wanted->agent,
      [responder, request_id, &log, agent = wanted->agent](const Result<bool>& done) {
        if (!done.ok()) return responder->send(error_answer(done.error(), request_id));
        if (*done)
          log.info("Agents were resumed",
                   {{"agent", agent.empty() ? "all" : agent}, {"request", request_id}});
        responder->send(json_answer([&](JsonWriter& writer) {
          writer.StartObject();
          write_text_or_null(writer, "agent", agent);
          write_member(writer, "paused", false);
          write_member(writer, "was_paused", *done);
          writer.EndObject();
        }));
      },
      std::move(audit));
}

}  // namespace

std::vector<Route> queue_routes(store::Store& store, const plugin::Registry& registry, const Clock& clock,
                                Log& log) {
  return {
      {"GET", "/api/dashboard/queue", Access::Reader, Thread::Worker,
       without_query([&store, &clock](Exchange exchange) { show_queue(store, clock, std::move(exchange)); }),
       "getQueue"},
      {"POST", "/api/queue/pause", Access::Admin, Thread::Worker,
       [&store, &registry, &clock, &log](Exchange exchange) {
         pause(store, registry, clock, log, std::move(exchange));
       },
       "pauseQueue"},
      {"POST", "/api/queue/resume", Access::Admin, Thread::Worker,
       [&store, &registry, &log](Exchange exchange) { resume(store, registry, log, std::move(exchange)); },
       "resumeQueue"}};
}

}  // namespace davit::http
