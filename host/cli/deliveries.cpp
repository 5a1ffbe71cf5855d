#include <ostream>

#include "host/cli/context.h"
#include "host/cli/database_file.h"
#include "host/cli/table.h"

namespace davit::cli {
namespace {

struct ListOptions {
  std::string webhook, verdict, link, cursor;
  int limit = 50;
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
  out << cell(said, "verdict") << "  " << cell(said, "message") << '\n';
  for (const auto& [list, name] : {std::pair{"tasks", "agent"}, {"actions", "action"}}) {
    const JsonValue* items = find_member(said, list);
    if (items == nullptr || !items->IsArray()) continue;
    for (const JsonValue& item : items->GetArray()) {
      out << "  " << (name == std::string_view("agent") ? "task for " : "") << cell(item, name) << "  "
          << cell(item, "entity");
      if (const std::string title = cell(item, "title"); title != "-") out << "  " << title;
      out << '\n';
    }
  }
  print_links(out, said);
  print_object(out, "Microseconds per hook", said, "timings");
  print_object(out, "Details", said, "details");
}

Result<int> replay(const Context& context, const std::string& id, bool dry_run) {
  std::ostream& out = context.surroundings.out;
  if (context.offline) {
    if (dry_run)
      return Error{ErrorCode::InvalidInput, "--dry-run needs a running host: it has the plugins loaded"};
    const DatabaseFile file = TRY(DatabaseFile::open(context, Access::Write));
    out << TRY(wait_for<std::string>([&](store::Done<std::string> done) {
      file.store->replay(id, "cli", std::move(done));
    })) << "  deferred\n";
    return kExitOk;
  }
  const JsonDocument answer = TRY(context.post("/api/deliveries/" + percent_encoded(id) + "/replay",
                                               dry_run ? R"({"dry_run":true})" : "{}"));
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
  CLI::App* list_command = add_command(*deliveries, context, "list", "List deliveries, newest first",
                                       [&context, filter] { return list(context, *filter); });
  list_command->add_option("--webhook", filter->webhook, "Only of this webhook");
  list_command->add_option("--verdict", filter->verdict, "Only with this outcome")
      ->check(CLI::IsMember({"queued", "ignored", "error", "deferred", "parked"}));
  list_command->add_option("--link", filter->link, "Only that mention this, for example sentry:acme/12");
  list_command->add_option("--limit", filter->limit, "How many")
      ->check(CLI::Range(1, 500))
      ->capture_default_str();
  list_command->add_option("--cursor", filter->cursor, "Where the page before ended");

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
  replay_command->add_flag("--dry-run", *dry_run, "Show what the hooks would answer, and store nothing");
  for (CLI::App* command : {list_command, show_command, replay_command}) {
    add_json_option(*command, context);
    add_offline_option(*command, context);
  }
}

}  // namespace davit::cli
