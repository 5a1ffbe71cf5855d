#include "host/http/test_event_routes.h"

#include <memory>
#include <utility>

#include "host/http/answers.h"
#include "host/http/body.h"
#include "host/http/json.h"
#include "host/http/members.h"
#include "host/http/webhook_routes.h"
#include "host/ingest/test_event.h"

namespace davit::http {
namespace {

constexpr std::size_t kMostEvent = 128;

struct Wanted {
  ingest::TestEvent event;
  bool dry_run = false;
  bool has_sample = true;  // false: the webhook's own is wanted
};

// {"body", "headers", "event", "dry_run"}; what is wrong with it goes into `errors`.
Result<Wanted> wanted_from(const Request& request, std::vector<FieldError>& errors) {
  const JsonDocument body = TRY(body_object(request));
  Wanted wanted;
  read_members(body, "a test event", errors, [&](const std::string& name, const JsonValue& value) {
    if (name == "event") {
      read_text(name, value, kMostEvent, Text::OneLine, wanted.event.event, errors);
    } else if (name == "dry_run") {
      read_flag(name, value, wanted.dry_run, errors);
    } else {
      return name == "body" || name == "headers";
    }
    return true;
  });
  auto read = plugin::read_sample(body);
  if (!read) {
    errors.push_back({"headers", read.error().message});
  } else if (!read->has_body && read->has_headers) {
    errors.push_back({"body", "is required with headers: what a sender would post, as a text or as JSON"});
  } else if (!read->has_body) {
    wanted.has_sample = false;
  } else {
    wanted.event.sample = std::move(read->sample);
  }
  return wanted;
}

// What the sender would have been told.
Response outcome_answer(const ingest::Outcome& outcome, std::string_view request_id) {
  return json_answer([&](JsonWriter& writer) {
    writer.StartObject();
    write_member(writer, "dry_run", false);
    write_member(writer, "answered", webhook_response(outcome, request_id).status);
    write_member(writer, "outcome", ingest::label_of(outcome));
    write_member(writer, "message", outcome.message);
    write_text_or_null(writer, "delivery_id", outcome.delivery_id);
    write_array(writer, "task_ids", outcome.task_ids,
                [&](const std::string& id) { write_string(writer, id); });
    writer.EndObject();
  });
}

void send_test(ingest::Ingest& ingest, const plugin::Registry& registry, const Clock& clock, Log& log,
               Exchange exchange) {
  const std::string request_id = exchange.request.request_id;
  std::vector<FieldError> errors;
  auto wanted = wanted_from(exchange.request, errors);
  if (!wanted) return exchange.responder.send(list_error_answer(wanted.error(), request_id));
  if (!errors.empty()) return exchange.responder.send(field_errors_answer(errors, request_id));
  const auto snapshot = registry.current();
  const std::string& name = exchange.segments.front();
  const plugin::Webhook* webhook = snapshot->webhook(name);
  if (webhook == nullptr)
    return exchange.responder.send(error_answer(
        Error{ErrorCode::NotFound, "there is no webhook named " + name + "; GET /api/dashboard/webhooks "
                                                                         "lists them"},
        request_id));
  if (!wanted->has_sample) {
    auto sample = plugin::own_sample(webhook->offer.metadata, clock.wall());
    if (!sample) {
      errors.push_back({"body", "is required, as the plugin of " + name +
                                    " gives no sample: what a sender would post, as a text or as JSON"});
      return exchange.responder.send(field_errors_answer(errors, request_id));
    }
    wanted->event.sample = std::move(*sample);
  }
  wanted->event.by = exchange.caller.name;
  if (exchange.act) exchange.act->about(name, act_parameters({{"event", wanted->event.event}, {"dry_run", wanted->dry_run ? "true" : ""}}));
  auto delivery = ingest::test_delivery(*webhook, std::move(wanted->event), request_id, clock.wall());
  if (!delivery) return exchange.responder.send(list_error_answer(delivery.error(), request_id));
  // What it becomes is the delivery's own transaction, which knows of no audit log.
  if (!wanted->dry_run && !begun(exchange)) return;
  log.info("A test event was asked for",
           {{"webhook", name}, {"dry_run", wanted->dry_run}, {"request", request_id}});
  auto responder = std::make_shared<Responder>(std::move(exchange.responder));
  if (wanted->dry_run)
    return ingest.rehearse(std::move(*delivery),
                           [responder, request_id](const Result<store::NewDelivery>& said) {
                             responder->send(said ? json_answer([&](JsonWriter& writer) {
                               write_rehearsal(writer, *said);
                             })
                                                  : error_answer(said.error(), request_id));
                           });
  ingest.receive(std::move(*delivery), [responder, request_id](const ingest::Outcome& outcome) {
    responder->send(outcome_answer(outcome, request_id));
  });
}

}  // namespace

std::vector<Route> test_event_routes(ingest::Ingest& ingest, const plugin::Registry& registry,
                                     const Clock& clock, Log& log) {
  return {{"POST", "/api/webhooks/{}/test", Access::Admin, Thread::Worker,
           [&ingest, &registry, &clock, &log](Exchange exchange) {
             send_test(ingest, registry, clock, log, std::move(exchange));
           },
           "testWebhook"}};
}

}  // namespace davit::http
