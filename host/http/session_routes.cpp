#include "host/http/session_routes.h"

#include "host/http/answers.h"
#include "host/http/caller.h"
#include "host/http/error_response.h"

namespace davit::http {
namespace {

// A session's cookie is asked for this long; that it is over earlier is for the host to say.
constexpr Duration kCookie{400LL * 24 * 3'600'000};

Response open_problem(int status, std::string_view detail, std::string_view request_id) {
  Response response = problem(status, "", detail, request_id);
  response.close = false;
  return response;
}

constexpr const char* kUnknownToken = "davit does not know this token";

Response unknown_token_answer(std::string_view request_id) {
  Response response = open_problem(401, kUnknownToken, request_id);
  response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"davit\"");
  return response;
}

// For whoever shows neither a token nor the cookie of a session that goes on: a page asks this first, and
// that nobody is signed in is no failure.
Response nobody_answer() {
  return json_answer([](JsonWriter& writer) {
    writer.StartObject();
    for (const char* name : {"name", "role", "way", "csrf_token", "expires_at"})
      write_null_member(writer, name);
    writer.EndObject();
  });
}

// `secret` is that of the cookie; without one the caller shows a token.
Response session_answer(const Authentication& authentication, const Caller& caller, std::string_view secret) {
  return json_answer([&](JsonWriter& writer) {
    writer.StartObject();
    write_member(writer, "name", caller.name);
    write_member(writer, "role", to_string(caller.role));
    write_member(writer, "way", secret.empty() ? "token" : "session");
    if (secret.empty()) {
      write_null_member(writer, "csrf_token");
      write_null_member(writer, "expires_at");
    } else {
      write_member(writer, "csrf_token", csrf_token(secret));
      const auto end = authentication.right_end(caller);
      end ? write_member(writer, "expires_at", to_iso8601(*end)) : write_null_member(writer, "expires_at");
    }
    writer.EndObject();
  });
}

// The token of the body, and nothing else; another page's form cannot send JSON.
Result<std::string> token_from(const Request& request) {
  std::string_view type = request.header("content-type");
  type = type.substr(0, std::min(type.find(';'), type.size()));
  while (!type.empty() && type.back() == ' ') type.remove_suffix(1);
  if (!same_name(type, "application/json"))
    return Error{ErrorCode::InvalidInput, "send {\"token\": \"…\"} as application/json"};
  const JsonDocument body = TRY(parse_json(request.body, {.max_bytes = 4'096, .max_values = 16}));
  const JsonValue* token = find_member(body, "token");
  if (token == nullptr || !token->IsString() || token->GetStringLength() == 0 || body.MemberCount() != 1)
    return Error{ErrorCode::InvalidInput, "token: is required, a text, and the only member"};
  return std::string(token->GetString(), token->GetStringLength());
}

struct Needs {
  Authentication& authentication;
  AuditLog& audit;
  LoginLimit& limit;
  EventStreams& events;
  const Clock& clock;
  Log& log;
  TrustedProxies proxies;
};

void sign_in(const Needs& needs, Exchange exchange) {
  const Request& request = exchange.request;
  const std::string request_id = request.request_id;
  if (const auto foreign = foreign_page(request)) {
    needs.audit.denied("signIn", request, {.way = "session", .reason = *foreign});
    return exchange.responder.send(open_problem(403, *foreign, request_id));
  }
  const Result<std::string> token = token_from(request);
  if (!token) return exchange.responder.send(list_error_answer(token.error(), request_id));
  const std::string address = needs.audit.address_of(request);
  const auto refuse = [&](std::string_view actor, std::string_view reason, Response response) {
    needs.audit.denied("signIn", request, {.actor = actor, .way = "session", .reason = reason});
    exchange.responder.send(std::move(response));
  };
  const auto too_often = [&](std::chrono::nanoseconds wait, std::string_view reason) {
    Response response = open_problem(429, std::string(reason) + "; wait before the next one", request_id);
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(wait).count();
    response.headers.emplace_back("Retry-After", std::to_string(seconds));
    return response;
  };
  constexpr const char* kFailed = "too many tries to sign in have failed";
  const MonotonicTime now = needs.clock.monotonic();
  if (const auto wait = needs.limit.wait_of(address, now); wait.count() > 0)
    return refuse("", kFailed, too_often(wait, kFailed));
  const std::optional<Caller> holder = needs.authentication.by_token(*token);
  if (!holder) {
    if (const auto wait = needs.limit.take(address, now); wait.count() > 0)
      return refuse("", kFailed, too_often(wait, kFailed));
    return refuse("", kUnknownToken, unknown_token_answer(request_id));
  }
  constexpr const char* kOften = "this token has signed in too often";
  if (const auto wait = needs.limit.take_right(holder->token, now); wait.count() > 0)
    return refuse(holder->name, kOften, too_often(wait, kOften));
  AuditEntry line;
  line.way = "session";
  line.operation = "signIn";
  line.address = address;
  line.request_id = request_id;
  const bool https = is_https(request, needs.proxies);
  auto shared = std::make_shared<Exchange>(std::move(exchange));
  needs.authentication.sign_in(
      *token, address, std::move(line),
      [needs, https, shared, address, request_id](const Result<std::string>& secret) {
        const auto caller = secret.ok() ? needs.authentication.by_session(*secret) : std::nullopt;
        // Between the look at the token and now it may have been revoked.
        if (secret.ok() ? !caller : secret.error().code == ErrorCode::Unauthorized)
          return shared->responder.send(unknown_token_answer(request_id));
        if (!secret.ok()) return shared->responder.send(error_answer(secret.error(), request_id));
        needs.log.info("Somebody signed in",
                       {{"request", request_id}, {"actor", caller->name}, {"address", address}});
        Response response = session_answer(needs.authentication, *caller, *secret);
        response.headers.emplace_back("Set-Cookie", set_session_cookie(*secret, https, kCookie));
        shared->responder.send(std::move(response));
      });
}

void tell_session(const Needs& needs, Exchange exchange) {
  const Request& request = exchange.request;
  Caller caller;
  if (const auto denied = identify(request, needs.authentication, needs.proxies, caller)) {
    const bool shows_a_token = request.count("authorization") > 0;
    if (shows_a_token)
      needs.audit.denied("getSession", request, {.way = denied->way, .reason = denied->reason});
    return exchange.responder.send(shows_a_token ? denied_answer(*denied, request.request_id) : nobody_answer());
  }
  const std::string_view secret =
      caller.session.empty() ? std::string_view() : session_cookie(request, is_https(request, needs.proxies));
  exchange.responder.send(session_answer(needs.authentication, caller, secret));
}

void sign_out(const Needs& needs, Exchange exchange) {
  if (exchange.caller.session.empty()) {
    return exchange.responder.send(open_problem(
        409, "a token has no session to end; davit token revoke ends a token", exchange.request.request_id));
  }
  const bool https = is_https(exchange.request, needs.proxies);
  const Caller caller = exchange.caller;
  store::Audited audit = audited(exchange);
  auto responder = std::make_shared<Responder>(std::move(exchange.responder));
  needs.authentication.sign_out(caller, std::move(audit), [responder, https, events = &needs.events, session = caller.session](const Result<>& done) {
    if (!done.ok()) return responder->send(error_answer(done.error(), responder->request_id()));
    events->close_session(session);
    Response response;
    response.status = 204;
    response.content_type.clear();
    response.headers.emplace_back("Set-Cookie", set_session_cookie("", https, Duration{0}));
    responder->send(std::move(response));
  });
}

}  // namespace

std::vector<Route> session_routes(Authentication& authentication, AuditLog& audit, LoginLimit& limit,
                                  EventStreams& events, const Clock& clock, Log& log,
                                  TrustedProxies proxies) {
  const Needs needs{authentication, audit, limit, events, clock, log, std::move(proxies)};
  return {{"POST", "/api/session", Access::Public, Thread::Worker,
           [needs](Exchange exchange) { sign_in(needs, std::move(exchange)); }, "signIn"},
          {"GET", "/api/session", Access::Public, Thread::Io,
           without_query([needs](Exchange exchange) { tell_session(needs, std::move(exchange)); }), "getSession"},
          {"DELETE", "/api/session", Access::Reader, Thread::Worker,
           without_body([needs](Exchange exchange) { sign_out(needs, std::move(exchange)); }), "signOut"}};
}

}  // namespace davit::http
