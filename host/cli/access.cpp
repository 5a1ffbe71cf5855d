#include <ostream>

#include "host/base/crypto.h"
#include "host/cli/context.h"
#include "host/cli/database_file.h"
#include "host/cli/table.h"
#include "host/config/quantity.h"
#include "host/http/access_routes.h"

namespace davit::cli {
namespace {

struct TokenOptions {
  std::string name, role, expires, during;
};

Result<std::optional<WallTime>> expiry_of(const TokenOptions& options, WallTime now) {
  if (!options.expires.empty()) return std::optional(TRY(parse_iso8601(options.expires)));
  if (options.during.empty()) return std::optional<WallTime>();
  const auto duration = config::parse_duration(options.during);
  if (!duration || *duration <= Duration(0)) {
    return Error{ErrorCode::InvalidInput,
                 "--for " + options.during + " is not a duration; write for example 12h or 90d"};
  }
  return std::optional(now + *duration);
}

// As POST /api/tokens answers.
Result<JsonDocument> create_offline(const Context& context, const TokenOptions& options,
                                    std::optional<WallTime> expires_at) {
  AccessToken token;
  token.name = options.name;
  token.role = *role_from(options.role);
  token.expires_at = expires_at;
  const auto mistakes = http::token_mistakes(token, context.surroundings.clock.wall());
  if (!mistakes.empty())
    return Error{ErrorCode::InvalidInput, mistakes.front().field + ": " + mistakes.front().message};
  const DatabaseFile file = TRY(DatabaseFile::open(context, Access::Write));
  const std::string secret = http::new_token();
  token.sha256 = sha256(secret);
  AuditEntry line = offline_act("createToken", token.name, http::act_parameters({{"role", options.role}}));
  token.created_by = line.actor;
  TRY(wait_for<std::monostate>(
      [&](store::Done<> done) { file.store->create_token(token, std::move(done), std::move(line)); }));
  return parse_json("{\"name\":" + json_quote(token.name) + ",\"role\":" + json_quote(options.role) +
                    ",\"expires_at\":" + (expires_at ? json_quote(to_iso8601(*expires_at)) : "null") +
                    ",\"token\":" + json_quote(secret) + "}");
}

Result<int> create(const Context& context, const TokenOptions& options) {
  const auto expires_at = TRY(expiry_of(options, context.surroundings.clock.wall()));
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  write_member(writer, "name", options.name);
  write_member(writer, "role", options.role);
  if (expires_at) write_member(writer, "expires_at", to_iso8601(*expires_at));
  writer.EndObject();
  const JsonDocument answer = context.offline ? TRY(create_offline(context, options, expires_at))
                                              : TRY(context.post("/api/tokens", text_of(buffer)));
  // The token alone, so that it can go into a file; what is to be said of it goes elsewhere.
  if (context.json) {
    context.surroundings.out << to_json(answer) << '\n';
  } else {
    context.surroundings.out << printable(string_member(answer, "token")) << std::endl;
    context.surroundings.error << "davit: this is the only time that it is shown; `davit token revoke "
                               << printable(options.name) << "` ends it\n";
  }
  return kExitOk;
}

Result<int> list(const Context& context) {
  const WallTime now = context.surroundings.clock.wall();
  const JsonDocument answer =
      TRY(read_either(context, "/api/tokens", [&](const DatabaseFile& file) { return file.tokens(now); }));
  std::ostream& out = context.surroundings.out;
  if (context.json) {
    out << to_json(answer) << '\n';
    return kExitOk;
  }
  Table table({{"TOKEN", Align::Left, true},
               {"ROLE"},
               {"STATE"},
               {"CREATED", Align::Right},
               {"BY", Align::Left, true},
               {"USED", Align::Right},
               {"EXPIRES"}});
  const JsonValue* tokens = find_member(answer, "tokens");
  if (tokens != nullptr && tokens->IsArray()) {
    for (const JsonValue& token : tokens->GetArray())
      table.add({cell(token, "name"), cell(token, "role"), cell(token, "state"),
                 age(string_member(token, "created_at"), now), cell(token, "created_by"),
                 age(string_member(token, "last_used_at"), now), cell(token, "expires_at")});
  }
  if (table.empty())
    out << "No tokens but those of the configuration.\n";
  else
    table.print(out, context.surroundings.columns);
  return kExitOk;
}

Result<int> revoke(const Context& context, const std::string& name) {
  if (context.offline) {
    const DatabaseFile file = TRY(DatabaseFile::open(context, Access::Write));
    TRY(wait_for<AccessToken>([&](store::Done<AccessToken> done) {
      file.store->revoke_token(name, std::move(done), offline_act("revokeToken", name));
    }));
  } else {
    TRY(context.post("/api/tokens/" + percent_encoded(name) + "/revoke", "{}"));
  }
  context.surroundings.out << printable(name) << "  revoked\n";
  return kExitOk;
}

struct AuditOptions {
  store::AuditFilter filter;
  std::string since, until;
};

Result<int> audit(const Context& context, AuditOptions options) {
  store::AuditFilter& filter = options.filter;
  if (!options.since.empty()) filter.start = TRY(parse_iso8601(options.since));
  if (!options.until.empty()) filter.end = TRY(parse_iso8601(options.until));
  const std::string path = with_query("/api/dashboard/audit", {{"actor", filter.actor},
                                                               {"operation", filter.operation},
                                                               {"outcome", filter.outcome},
                                                               {"object", filter.object},
                                                               {"start_date", options.since},
                                                               {"end_date", options.until},
                                                               {"limit", std::to_string(filter.limit)},
                                                               {"cursor", filter.cursor}});
  const JsonDocument answer =
      TRY(read_either(context, path, [&](const DatabaseFile& file) { return file.audit(filter); }));
  std::ostream& out = context.surroundings.out;
  if (context.json) {
    out << to_json(answer) << '\n';
    return kExitOk;
  }
  Table table({{"AT"},
               {"WHO", Align::Left, true},
               {"WAY"},
               {"OPERATION"},
               {"OBJECT", Align::Left, true},
               {"OUTCOME"},
               {"FROM", Align::Left, true},
               {"REASON", Align::Left, true}});
  const JsonValue* entries = find_member(answer, "entries");
  if (entries != nullptr && entries->IsArray()) {
    for (const JsonValue& entry : entries->GetArray())
      table.add({cell(entry, "at"), cell(entry, "actor"), cell(entry, "way"), cell(entry, "operation"),
                 cell(entry, "object"), cell(entry, "outcome"), cell(entry, "address"),
                 cell(entry, "reason")});
  }
  if (table.empty())
    out << "Nothing is noted.\n";
  else
    table.print(out, context.surroundings.columns);
  if (const std::string next = string_member(answer, "next_cursor"); !next.empty())
    out << "More: --cursor " << printable(next) << '\n';
  return kExitOk;
}

}  // namespace

void add_token(CLI::App& app, Context& context) {
  CLI::App* token = app.add_subcommand("token", "Tokens for the API and the dashboard: create, list, revoke");
  token->require_subcommand(1);
  auto options = std::make_shared<TokenOptions>();
  CLI::App* create_command =
      add_command(*token, context, "create", "Make a token and print it, for the only time",
                  [&context, options] { return create(context, *options); });
  create_command->add_option("--role", options->role, "reader sees, admin also acts")
      ->required()
      ->check(CLI::IsMember({"reader", "admin"}));
  CLI::Option* expires =
      create_command->add_option("--expires", options->expires, "It ends by itself then (RFC 3339)");
  create_command->add_option("--for", options->during, "It ends by itself after so long, for example 90d")
      ->excludes(expires);
  CLI::App* list_command = add_command(*token, context, "list", "List tokens, also those that are revoked",
                                       [&context] { return list(context); });
  CLI::App* revoke_command =
      add_command(*token, context, "revoke", "End a token, and whoever is signed in with it, at once",
                  [&context, options] { return revoke(context, options->name); });
  for (CLI::App* command : {create_command, revoke_command})
    command->add_option("name", options->name, "Whose or what for it is, for example ci")->required();
  for (CLI::App* command : {create_command, list_command}) add_json_option(*command, context);
  for (CLI::App* command : {create_command, list_command, revoke_command})
    add_offline_option(*command, context);
}

void add_audit(CLI::App& app, Context& context) {
  auto options = std::make_shared<AuditOptions>();
  CLI::App* command =
      add_command(app, context, "audit", "Who did what, newest first, and who was kept from it",
                  [&context, options] { return audit(context, *options); });
  store::AuditFilter& filter = options->filter;
  command->add_option("--actor", filter.actor, "Only of this token");
  command->add_option("--operation", filter.operation, "Only this, for example approveTask");
  command->add_option("--outcome", filter.outcome, "Only with this outcome")
      ->check(CLI::IsMember({"begun", "done", "refused", "failed", "denied"}));
  command->add_option("--object", filter.object, "Only to this, for example a task's id");
  command->add_option("--since", options->since, "Only from then on (RFC 3339)");
  command->add_option("--until", options->until, "Only before (RFC 3339)");
  command->add_option("--limit", filter.limit, "At most so many")->check(CLI::Range(1, 500));
  command->add_option("--cursor", filter.cursor, "Go on where a list ended");
  add_json_option(*command, context);
  add_offline_option(*command, context);
}

}  // namespace davit::cli
