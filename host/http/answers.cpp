#include "host/http/answers.h"

#include <algorithm>

#include "host/http/body.h"
#include "host/http/error_response.h"
#include "host/http/members.h"

namespace davit::http {
namespace {

int status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::InvalidInput:
      return 400;
    case ErrorCode::Unauthorized:
      return 401;
    case ErrorCode::NotFound:
      return 404;
    case ErrorCode::Conflict:
      return 409;
    case ErrorCode::TooLarge:
      return 413;
    case ErrorCode::RateLimited:
      return 429;
    case ErrorCode::Overloaded:
    case ErrorCode::Unavailable:
      return 503;
    case ErrorCode::NotImplemented:
      return 501;
    case ErrorCode::Cancelled:
    case ErrorCode::Deadline:
    case ErrorCode::Permanent:
    case ErrorCode::Internal:
      return 500;
  }
  return 500;
}

}  // namespace

Response json_answer(const std::function<void(JsonWriter&)>& write, int status) {
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  write(writer);
  Response response;
  response.status = status;
  response.body.assign(buffer.GetString(), buffer.GetSize());
  return response;
}

Response error_answer(const Error& error, std::string_view request_id) {
  int status = status_of(error.code);
  // A defect of ours is for the log, not for whoever asks.
  std::string_view detail =
      status == 500 ? std::string_view("the request failed; the log has the reason under this request id")
                    : std::string_view(error.message);
  Response response = problem(status, "", detail, request_id);
  response.close = false;
  if (status == 500) response.reason = error.message;
  if (status == 503) response.headers.emplace_back("Retry-After", "5");
  return response;
}

Response field_errors_answer(const std::vector<FieldError>& errors, std::string_view request_id) {
  Response response = json_answer(
      [&](JsonWriter& writer) {
        writer.StartObject();
        write_member(writer, "type", "about:blank");
        write_member(writer, "title", "Bad Request");
        write_member(writer, "status", 400);
        write_member(writer, "detail", errors.front().field + ": " + errors.front().message);
        write_objects(writer, "errors", errors, [&](const FieldError& error) {
          write_member(writer, "field", error.field);
          write_member(writer, "detail", error.message);
        });
        write_member(writer, "request_id", request_id);
        writer.EndObject();
      },
      400);
  response.content_type = "application/problem+json";
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

Response list_error_answer(const Error& error, std::string_view request_id) {
  const std::size_t end = error.message.find(": ");
  const auto is_name = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  if (error.code != ErrorCode::InvalidInput || end == std::string::npos || end == 0 ||
      !std::all_of(error.message.begin(), error.message.begin() + static_cast<std::ptrdiff_t>(end), is_name))
    return error_answer(error, request_id);
  return field_errors_answer({{error.message.substr(0, end), error.message.substr(end + 2)}}, request_id);
}

std::function<void(Exchange)> with_query(std::function<Response(Exchange&, Query&)> use) {
  return [use = std::move(use)](Exchange exchange) {
    auto query = Query::parse(exchange.request.query);
    if (!query) return exchange.responder.send(list_error_answer(query.error(), exchange.request.request_id));
    Response response = use(exchange, *query);
    if (!query->errors().empty())
      response = field_errors_answer(query->errors(), exchange.request.request_id);
    exchange.responder.send(std::move(response));
  };
}

std::function<void(Exchange)> without_query(std::function<void(Exchange)> answer) {
  return [answer = std::move(answer)](Exchange exchange) {
    auto query = Query::parse(exchange.request.query);
    if (query) query->allow_only({});
    if (!query) return exchange.responder.send(list_error_answer(query.error(), exchange.request.request_id));
    if (!query->errors().empty())
      return exchange.responder.send(field_errors_answer(query->errors(), exchange.request.request_id));
    answer(std::move(exchange));
  };
}

std::function<void(Exchange)> without_body(std::function<void(Exchange)> answer) {
  return [answer = std::move(answer)](Exchange exchange) {
    const std::string& request_id = exchange.request.request_id;
    const auto body = body_object(exchange.request);
    if (!body) return exchange.responder.send(error_answer(body.error(), request_id));
    if (const auto mistakes = mistakes_in_empty(*body); !mistakes.empty())
      return exchange.responder.send(field_errors_answer(mistakes, request_id));
    answer(std::move(exchange));
  };
}

}  // namespace davit::http
