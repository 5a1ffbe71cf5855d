#include <ostream>

#include "host/cli/context.h"
#include "host/cli/database_file.h"
#include "host/cli/table.h"

namespace davit::cli {
namespace {

struct ListOptions {
  std::string webhook, verdict, link, cursor;
  int limit = 50;
  bool refused = false;
  std::string cause;
};

std::optional<store::Verdict> verdict_from(std::string_view text) {
  using enum store::Verdict;
  for (const store::Verdict verdict : {Queued, Ignored, Error, Deferred, Parked})
    if (store::to_string(verdict) == text) return verdict;
  return std::nullopt;
}

Result<int> list(const Context& context, const ListOptions& options) {
  const std::string path = with_query("/api/dashboard/deliveries", {{"webhook", options.webhook},
                                                                    {"verdict", options.verdict},
                                                                    {"link", options.link},
                                                                    {"limit", std::to_string(options.limit)},
                                                                    {"cursor", options.cursor}});
  const JsonDocument answer = TRY(read_either(context, path, [&](const DatabaseFile& file) {
    store::Store::DeliveryFilter filter;
    filter.webhook = options.webhook;
    filter.verdict = verdict_from(options.verdict);
    filter.link = options.link;
    filter.limit = options.limit;
    filter.cursor = options.cursor;
    return file.deliveries(filter);
  }));
  std::ostream& out = context.surroundings.out;
  if (context.json) {
    out << to_json(answer) << '\n';
    return kExitOk;
  }
  const JsonValue* deliveries = find_member(answer, "deliveries");
  if (deliveries == nullptr || !deliveries->IsArray() || deliveries->Empty()) {
    out << "No deliveries.\n";
    return kExitOk;
  }
  Table table({{"DELIVERY"},
               {"WEBHOOK", Align::Left, true},
               {"VERDICT"},
               {"ABOUT", Align::Left, true},
               {"MESSAGE", Align::Left, true},
               {"AGE", Align::Right}});
  const WallTime now = context.surroundings.clock.wall();
  for (const JsonValue& delivery : deliveries->GetArray())
    table.add({cell(delivery, "delivery_id"), cell(delivery, "webhook"), cell(delivery, "verdict"),
               cell(delivery, "entity"), cell(delivery, "message"),
               age(string_member(delivery, "received_at"), now)});
  table.print(out, context.surroundings.columns);
  if (const std::string next = string_member(answer, "next_cursor"); !next.empty())
    out << "More: add --cursor " << printable(next) << '\n';
  return kExitOk;
}

// What was refused: how often for each cause, and the newest few, of which no body was kept.
Result<int> list_refused(const Context& context, const ListOptions& options) {
  const std::string path = with_query("/api/dashboard/refused-deliveries",
                                      {{"webhook", options.webhook}, {"cause", options.cause}});
  const JsonDocument answer = TRY(read_either(context, path, [&](const DatabaseFile& file) {
    return file.refusals({options.webhook, options.cause});
  }));
  std::ostream& out = context.surroundings.out;
  if (context.json) {
    out << to_json(answer) << '\n';
    return kExitOk;
  }
  const JsonValue* causes = find_member(answer, "causes");
  if (causes == nullptr || !causes->IsArray() || causes->Empty()) {
    out << "No delivery was refused.\n";
    return kExitOk;
  }
  const WallTime now = context.surroundings.clock.wall();
  Table counts({{"WEBHOOK", Align::Left, true},
                {"CAUSE"},
                {"TIMES", Align::Right},
                {"FIRST", Align::Right},
                {"LAST", Align::Right}});
  Table samples({{"REQUEST"},
                 {"WEBHOOK", Align::Left, true},
                 {"CAUSE"},
                 {"FROM", Align::Left, true},
                 {"BYTES", Align::Right},
                 {"AGE", Align::Right}});
  for (const JsonValue& cause : causes->GetArray()) {
    counts.add({cell(cause, "webhook"), cell(cause, "cause"), cell(cause, "count"),
                age(string_member(cause, "first_at"), now), age(string_member(cause, "last_at"), now)});
    const JsonValue* kept = find_member(cause, "samples");
    if (kept == nullptr || !kept->IsArray()) continue;
    int shown = 0;
    for (const JsonValue& sample : kept->GetArray()) {
      if (++shown > options.limit) break;
      samples.add({cell(sample, "request_id"), cell(cause, "webhook"), cell(cause, "cause"),
                   cell(sample, "remote_address"), cell(sample, "body_bytes"),
                   age(string_member(sample, "received_at"), now)});
    }
  }
  counts.print(out, context.surroundings.columns);
  out << "\nThe newest of each; add --json to see their headers\n";
  samples.print(out, context.surroundings.columns);
  return kExitOk;
}

void print_links(std::ostream& out, const JsonValue& holder) {
  const JsonValue* links = find_member(holder, "links");
  if (links == nullptr || !links->IsArray()) return;
  for (const JsonValue& link : links->GetArray()) out << "  link         " << link_text(link) << '\n';
}

void print_object(std::ostream& out, const char* title, const JsonValue& delivery, std::string_view name) {
  const JsonValue* value = find_member(delivery, name);
  if (value == nullptr || !value->IsObject() || value->MemberCount() == 0) return;
  out << '\n' << title << '\n';
  for (const auto& member : value->GetObject()) {
    const std::string_view member_name(member.name.GetString(), member.name.GetStringLength());
    out << "  " << printable(member_name) << ": " << cell(*value, member_name) << '\n';
  }
}

Result<int> show(const Context& context, const std::string& id) {
  const JsonDocument delivery = TRY(read_either(context, "/api/dashboard/deliveries/" + percent_encoded(id),
                                                [&](const DatabaseFile& file) { return file.delivery(id); }));
  std::ostream& out = context.surroundings.out;
  if (context.json) {
    out << to_json(delivery) << '\n';
    return kExitOk;
  }
  out << "Delivery " << cell(delivery, "delivery_id") << '\n';
  for (const auto& [label, member] : {std::pair{"webhook    ", "webhook"},
                                      {"verdict    ", "verdict"},
                                      {"message    ", "message"},
                                      {"about      ", "entity"},
                                      {"sender's id", "delivery_key"},
                                      {"request id ", "request_id"},
                                      {"received   ", "received_at"},
                                      {"from       ", "remote_address"},
                                      {"bytes      ", "body_bytes"},
                                      {"came again ", "duplicates"},
                                      {"same body  ", "same_body"},
                                      {"hook tries ", "tries"},
                                      {"secret no. ", "secret_number"},
                                      {"replay of  ", "replay_of"},
                                      {"replayed by", "replayed_by"},
                                      {"plugin     ", "plugin_version"},
                                      {"its SHA-256", "plugin_sha256"}})
    if (const std::string value = cell(delivery, member); value != "-" && value != "0")
      out << "  " << label << "  " << value << '\n';
  for (const std::string& task : strings_member(delivery, "task_ids"))
    out << "  task         " << printable(task) << '\n';
  print_links(out, delivery);
  print_object(out, "Headers", delivery, "headers");
  print_object(out, "Microseconds per hook", delivery, "timings");
  print_object(out, "Details", delivery, "details");
  const JsonValue* body = find_member(delivery, "body");
  if (body != nullptr && body->IsString()) {
    const std::string_view text(body->GetString(), body->GetStringLength());
    const auto parsed = parse_json(text);
    out << "\nBody\n  " << (parsed.ok() ? indented(*parsed, 2) : printable(text, Lines::Keep)) << '\n';
  }
  return kExitOk;
}

// What the hooks would do, as the API tells it.
void print_rehearsal(std::ostream& out, const JsonDocument& said) {
  out << "Would be " << cell(said, "verdict") << ": " << cell(said, "message") << '\n';
  const auto print = [&](const char* list, const char* label, const char* name) {
    const JsonValue* items = find_member(said, list);
    if (items == nullptr || !items->IsArray()) return;
    for (const JsonValue& item : items->GetArray()) {
      out << "  " << label << "  " << cell(item, name);
      for (const char* more : {"task_id", "entity", "title"})
        if (const std::string value = cell(item, more); value != "-") out << "  " << value;
      out << '\n';
    }
  };
  print("tasks", "task for   ", "agent");
  print("actions", "action     ", "action");
  print_links(out, said);
  print_object(out, "Microseconds per hook", said, "timings");
  print_object(out, "Details", said, "details");
  out << "\nNothing was stored.\n";
}

Result<JsonDocument> replay_offline(const Context& context, const std::string& id) {
  const DatabaseFile file = TRY(DatabaseFile::open(context, Access::Write));
  const std::string made = TRY(wait_for<std::string>([&](store::Done<std::string> done) {
    file.store->replay(id, "cli", std::move(done), offline_act("replayDelivery", id));
  }));
  return parse_json("{\"delivery_id\":" + json_quote(made) + ",\"replay_of\":" + json_quote(id) +
                    ",\"status\":\"deferred\"}");
}

Result<int> replay(const Context& context, const std::string& id, bool dry_run) {
  const JsonDocument answer = context.offline
                                  ? TRY(replay_offline(context, id))
                                  : TRY(context.post("/api/deliveries/" + percent_encoded(id) + "/replay",
                                                     dry_run ? R"({"dry_run":true})" : "{}"));
  std::ostream& out = context.surroundings.out;
  if (context.json) {
    out << to_json(answer) << '\n';
  } else if (dry_run) {
    print_rehearsal(out, answer);
  } else {
    out << cell(answer, "delivery_id") << "  " << cell(answer, "status") << '\n';
  }
  return kExitOk;
}

}  // namespace

void add_deliveries(CLI::App& app, Context& context) {
  CLI::App* deliveries = app.add_subcommand("deliveries", "What arrived: list, show, replay");
  deliveries->require_subcommand(1);

  auto filter = std::make_shared<ListOptions>();
  CLI::App* list_command =
      add_command(*deliveries, context, "list", "List deliveries, newest first", [&context, filter] {
        return filter->refused ? list_refused(context, *filter) : list(context, *filter);
      });
  list_command->add_option("--webhook", filter->webhook, "Only of this webhook");
  list_command->add_option("--verdict", filter->verdict, "Only with this outcome")
      ->check(CLI::IsMember({"queued", "ignored", "error", "deferred", "parked"}));
  list_command->add_option("--link", filter->link, "Only that mention this, for example sentry:acme/12");
  list_command->add_option("--limit", filter->limit, "How many")
      ->check(CLI::Range(1, 500))
      ->capture_default_str();
  list_command->add_option("--cursor", filter->cursor, "Where the page before ended");
  CLI::Option* refused =
      list_command->add_flag("--refused", filter->refused, "What was refused at the door instead, by cause");
  list_command->add_option("--cause", filter->cause, "With --refused: only for this cause")->needs(refused);
  for (const char* other : {"--verdict", "--link", "--cursor"})
    refused->excludes(list_command->get_option(other));

  auto id = std::make_shared<std::string>();
  CLI::App* show_command =
      add_command(*deliveries, context, "show", "Show a delivery with headers, timings and body",
                  [&context, id] { return show(context, *id); });
  show_command->add_option("delivery", *id, "Id of the delivery")->required();
  auto dry_run = std::make_shared<bool>(false);
  CLI::App* replay_command =
      add_command(*deliveries, context, "replay", "Let the hooks run again on a delivery, as a new one",
                  [&context, id, dry_run] { return replay(context, *id, *dry_run); });
  replay_command->add_option("delivery", *id, "Id of the delivery")->required();
  replay_command->add_flag("--dry-run", *dry_run,
                           "Show what the hooks would answer, and store nothing; a running host does it");
  for (CLI::App* command : {list_command, show_command, replay_command}) {
    add_json_option(*command, context);
    add_offline_option(*command, context);
  }
  replay_command->get_option("--dry-run")->excludes(replay_command->get_option("--offline"));
}

}  // namespace davit::cli
