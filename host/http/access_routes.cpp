#include "host/http/access_routes.h"

#include <algorithm>
#include <iterator>

#include "host/http/answers.h"
#include "host/http/body.h"
#include "host/http/members.h"
#include "host/http/query.h"

namespace davit::http {
namespace {

std::string_view state_of(const AccessToken& token, WallTime now) {
  if (token.revoked_at) return "revoked";
  return token.expires_at && *token.expires_at <= now ? "expired" : "good";
}

Result<AccessToken> token_from(const Request& request, std::vector<FieldError>& errors) {
  const JsonDocument body = TRY(body_object(request));
  AccessToken token;
  bool has_role = false;
  read_members(body, "a token", errors, [&](const std::string& name, const JsonValue& value) {
    if (name == "name") {
      token.name = string_member(body, name);
    } else if (name == "role") {
      const std::optional<Role> role = role_from(string_member(body, name));
      has_role = role.has_value();
      if (has_role) token.role = *role;
    } else if (name == "expires_at") {
      if (!value.IsNull()) token.expires_at = read_time(name, value, errors);
    } else {
      return false;
    }
    return true;
  });
  if (!has_role) errors.push_back({"role", "is required: reader or admin"});
  return token;
}

void create_token(Authentication& authentication, const Clock& clock, Exchange exchange) {
  const std::string request_id = exchange.request.request_id;
  std::vector<FieldError> errors;
  Result<AccessToken> read = token_from(exchange.request, errors);
  if (!read.ok()) return exchange.responder.send(error_answer(read.error(), request_id));
  AccessToken token = std::move(*read);
  for (FieldError& mistake : token_mistakes(token, clock.wall())) errors.push_back(std::move(mistake));
  if (!errors.empty()) return exchange.responder.send(field_errors_answer(errors, request_id));
  token.created_by = exchange.caller.name;
  store::Audited audit = audited(
      exchange, token.name,
      act_parameters({{"role", to_string(token.role)},
                      {"expires_at", token.expires_at ? to_iso8601(*token.expires_at) : std::string()}}));
  auto responder = std::make_shared<Responder>(std::move(exchange.responder));
  authentication.create_token(token, std::move(audit), [responder, token](const Result<std::string>& secret) {
    if (!secret.ok()) return responder->send(error_answer(secret.error(), responder->request_id()));
    responder->send(json_answer(
        [&](JsonWriter& writer) {
          writer.StartObject();
          write_member(writer, "name", token.name);
          write_member(writer, "role", to_string(token.role));
          write_time(writer, "expires_at", token.expires_at);
          write_member(writer, "token", *secret);
          writer.EndObject();
        },
        201));
  });
}

void revoke_token(Authentication& authentication, EventStreams& events, const Clock& clock, Exchange exchange) {
  const std::string name = exchange.segments.front();
  store::Audited audit = audited(exchange, name);
  auto responder = std::make_shared<Responder>(std::move(exchange.responder));
  authentication.revoke_token(
      name, std::move(audit), [responder, now = clock.wall(), &events](const Result<AccessToken>& revoked) {
        if (revoked.ok()) events.close_of(revoked->name);
        responder->send(revoked.ok()
                            ? json_answer([&](JsonWriter& writer) { write_token(writer, *revoked, now); })
                            : error_answer(revoked.error(), responder->request_id()));
      });
}

Response audit_answer(const store::Store& store, Exchange& exchange, Query& query) {
  query.allow_only({"actor", "operation", "outcome", "object", "start_date", "end_date", "limit", "cursor"});
  store::AuditFilter filter;
  filter.actor = query.text("actor");
  filter.operation = query.text("operation");
  filter.outcome = query.text("outcome");
  static constexpr std::string_view kOutcomes[] = {"begun", "done", "refused", "failed", "denied"};
  if (!filter.outcome.empty() && std::find(std::begin(kOutcomes), std::end(kOutcomes), filter.outcome) == std::end(kOutcomes))
    query.fail("outcome", "must be begun, done, refused, failed or denied");
  filter.object = query.text("object");
  query.read_interval(filter.start, filter.end);
  query.read_page(filter.limit, filter.cursor);
  if (!query.errors().empty()) return {};
  const auto page = store.audit(filter);
  if (!page.ok()) return list_error_answer(page.error(), exchange.request.request_id);
  return json_answer([&](JsonWriter& writer) {
    writer.StartObject();
    write_array(writer, "entries", page->items,
                [&](const AuditEntry& entry) { write_audit_entry(writer, entry); });
    write_text_or_null(writer, "next_cursor", page->next_cursor);
    writer.EndObject();
  });
}

}  // namespace

void write_token(JsonWriter& writer, const AccessToken& token, WallTime now) {
  writer.StartObject();
  write_member(writer, "name", token.name);
  write_member(writer, "role", to_string(token.role));
  write_member(writer, "state", state_of(token, now));
  write_time(writer, "created_at", token.created_at);
  write_member(writer, "created_by", token.created_by);
  write_time(writer, "expires_at", token.expires_at);
  write_time(writer, "last_used_at", token.used_at);
  write_time(writer, "revoked_at", token.revoked_at);
  writer.EndObject();
}

void write_audit_entry(JsonWriter& writer, const AuditEntry& entry) {
  writer.StartObject();
  write_member(writer, "id", std::to_string(entry.number));
  write_time(writer, "at", entry.at);
  write_text_or_null(writer, "actor", entry.actor);
  write_text_or_null(writer, "way", entry.way);
  write_member(writer, "operation", entry.operation);
  write_text_or_null(writer, "object", entry.object);
  write_raw_member(writer, "parameters", entry.parameters);
  write_member(writer, "outcome", entry.outcome);
  write_text_or_null(writer, "reason", entry.reason);
  write_text_or_null(writer, "address", entry.address);
  write_text_or_null(writer, "request_id", entry.request_id);
  write_member(writer, "unrecorded", entry.unrecorded);
  writer.EndObject();
}

std::vector<FieldError> token_mistakes(const AccessToken& token, WallTime now) {
  std::vector<FieldError> mistakes;
  if (!is_token_name(token.name)) {
    mistakes.push_back({"name", "must be 1 to 64 of a-z, 0-9, '.', '_' and '-', first a letter or digit"});
  } else if (role_from(token.name)) {
    mistakes.push_back({"name", "is that of the configuration's own token; take another"});
  }
  if (token.expires_at && *token.expires_at <= now) mistakes.push_back({"expires_at", "has passed"});
  return mistakes;
}

std::vector<Route> access_routes(Authentication& authentication, const store::Store& store,
                                 EventStreams& events, const Clock& clock) {
  return {{"GET", "/api/tokens", Access::Admin, Thread::Worker,
           without_query([&authentication, &clock](Exchange exchange) {
             exchange.responder.send(json_answer([&](JsonWriter& writer) {
               writer.StartObject();
               write_key(writer, "tokens");
               writer.StartArray();
               for (const AccessToken& token : authentication.tokens())
                 write_token(writer, token, clock.wall());
               writer.EndArray();
               writer.EndObject();
             }));
           }),
           "listTokens"},
          {"POST", "/api/tokens", Access::Admin, Thread::Worker,
           [&authentication, &clock](Exchange exchange) {
             create_token(authentication, clock, std::move(exchange));
           },
           "createToken"},
          {"POST", "/api/tokens/{}/revoke", Access::Admin, Thread::Worker,
           without_body([&authentication, &events, &clock](Exchange exchange) {
             revoke_token(authentication, events, clock, std::move(exchange));
           }),
           "revokeToken"},
          {"GET", "/api/dashboard/audit", Access::Admin, Thread::Worker,
           with_query(
               [&store](Exchange& exchange, Query& query) { return audit_answer(store, exchange, query); }),
           "listAudit"}};
}

}  // namespace davit::http
