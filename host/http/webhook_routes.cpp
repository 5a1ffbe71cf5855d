#include "host/http/webhook_routes.h"

#include <utility>

#include "host/base/id.h"
#include "host/base/json.h"
#include "host/http/error_response.h"
#include "host/http/members.h"

namespace davit::http {
namespace {

// The request moves into memory that the delivery keeps alive, so the body is never copied.
Delivery delivery_from(Request request, std::string webhook, const TrustedProxies& proxies) {
  auto kept = std::make_shared<Request>(std::move(request));
  Delivery delivery;
  delivery.id = new_id();
  delivery.request_id = kept->request_id;
  delivery.webhook = std::move(webhook);
  delivery.method = kept->method;
  delivery.path = kept->path;
  delivery.query = kept->query;
  delivery.headers.reserve(kept->headers.size());
  for (const Header& header : kept->headers) delivery.headers.push_back({header.name, header.value});
  delivery.body = kept->body;
  delivery.remote_address = client_address(*kept, proxies);
  delivery.received_at = kept->received_at;
  delivery.bytes = std::move(kept);
  return delivery;
}

// The plan's WebhookResponse: status, task_id, message, details.
std::string webhook_body(std::string_view status, const ingest::Outcome& outcome, bool duplicate,
                         bool deferred) {
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  write_member(writer, "status", status);
  if (outcome.task_ids.empty()) {
    write_null_member(writer, "task_id");
  } else {
    write_member(writer, "task_id", outcome.task_ids.front());
  }
  write_member(writer, "message", outcome.message);
  write_key(writer, "details");
  writer.StartObject();
  if (outcome.details != "{}" && !outcome.details.empty()) {
    if (auto details = parse_json(outcome.details); details && details->IsObject()) {
      for (const auto& member : std::as_const(*details).GetObject()) {
        writer.Key(member.name.GetString(), member.name.GetStringLength());
        member.value.Accept(writer);
      }
    }
  }
  if (!outcome.delivery_id.empty()) write_member(writer, "delivery_id", outcome.delivery_id);
  if (duplicate) write_member(writer, "duplicate", true);
  if (deferred) write_member(writer, "deferred", true);
  if (outcome.task_ids.size() > 1) {
    write_array(writer, "task_ids", outcome.task_ids,
                [&](const std::string& id) { write_string(writer, id); });
  }
  writer.EndObject();
  writer.EndObject();
  return std::string(text_of(buffer));
}

Response json_response(int status, std::string body) {
  Response response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

Response refusal(int status, const ingest::Outcome& outcome, std::string_view request_id) {
  Response response = problem(status, "", outcome.message, request_id);
  response.close = false;
  return response;
}

}  // namespace

Response webhook_response(const ingest::Outcome& outcome, std::string_view request_id) {
  using enum ingest::OutcomeKind;
  if (outcome.http) {
    Response response = json_response(outcome.http->status, outcome.http->body);
    response.content_type =
        outcome.http->content_type.empty() ? "text/plain; charset=utf-8" : outcome.http->content_type;
    return response;
  }
  Response response;
  switch (outcome.kind) {
    case Queued:
      return json_response(202, webhook_body("queued", outcome, false, false));
    case Deferred:
      return json_response(202, webhook_body("queued", outcome, false, true));
    case Duplicate: {
      const bool queued = outcome.deferred || !outcome.task_ids.empty();
      return json_response(200, webhook_body(queued ? "queued" : "ignored", outcome, true, outcome.deferred));
    }
    case Ignored:
      return json_response(200, webhook_body("ignored", outcome, false, false));
    case Error:
      return json_response(422, webhook_body("error", outcome, false, false));
    case Malformed:
      response = refusal(400, outcome, request_id);
      break;
    case Unauthorized:
      response = refusal(401, outcome, request_id);
      break;
    case NotFound:
      response = refusal(404, outcome, request_id);
      break;
    case TooLarge:
      response = refusal(413, outcome, request_id);
      break;
    case UnsupportedMedia:
      response = refusal(415, outcome, request_id);
      break;
    case RateLimited:
      response = refusal(429, outcome, request_id);
      break;
    case Unavailable:
      response = refusal(503, outcome, request_id);
      response.reason = outcome.reason;
      break;
  }
  if (outcome.retry_after.count() > 0) {
    response.headers.emplace_back("Retry-After", std::to_string((outcome.retry_after.count() + 999) / 1000));
  }
  return response;
}

std::vector<Route> webhook_routes(ingest::Ingest& ingest, TrustedProxies proxies) {
  Route receive;
  receive.method = "POST";
  receive.pattern = "/webhooks/{}";
  receive.access = Access::Public;  // a delivery proves itself by its signature
  receive.thread = Thread::Io;
  receive.answer = [&ingest, proxies = std::move(proxies)](Exchange exchange) {
    std::string webhook = std::move(exchange.segments.front());
    auto responder = std::make_shared<Responder>(std::move(exchange.responder));
    ingest.receive(delivery_from(std::move(exchange.request), std::move(webhook), proxies),
                   [responder](const ingest::Outcome& outcome) {
                     responder->send(webhook_response(outcome, responder->request_id()));
                   });
  };
  receive.operation = "receiveDelivery";
  Route greet;
  greet.method = "GET";
  greet.pattern = receive.pattern;
  greet.access = Access::Public;
  greet.thread = Thread::Io;
  greet.answer = [&ingest](Exchange exchange) {
    const bool there = ingest.answers_get(exchange.segments.front());
    Response response;
    if (there) {
      response.content_type = "text/plain";
    } else {
      response = problem(405, "", "this path takes POST", exchange.responder.request_id());
      response.close = false;
      response.headers.emplace_back("Allow", "POST");
    }
    exchange.responder.send(std::move(response));
  };
  greet.operation = "greetWebhook";
  return {receive, greet};
}

}  // namespace davit::http
