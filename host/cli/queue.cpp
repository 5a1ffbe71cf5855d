#include <ostream>

#include "host/cli/context.h"
#include "host/cli/database_file.h"
#include "host/cli/table.h"
#include "host/config/quantity.h"

namespace davit::cli {
namespace {

struct PauseOptions {
  std::string agent, until, during, reason;
};

const JsonValue& array_member(const JsonValue& object, std::string_view name) {
  static const JsonValue kNone(rapidjson::kArrayType);
  const JsonValue* found = find_member(object, name);
  return found != nullptr && found->IsArray() ? *found : kNone;
}

Result<int> show(const Context& context) {
  const JsonDocument queue = TRY(read_either(context, "/api/dashboard/queue", [&](const DatabaseFile& file) {
    return file.queue(context.surroundings.clock.wall());
  }));
  std::ostream& out = context.surroundings.out;
  if (context.json) {
    out << to_json(queue) << '\n';
    return kExitOk;
  }
  const WallTime now = context.surroundings.clock.wall();
  for (const JsonValue& pause : array_member(queue, "pauses").GetArray()) {
    const std::string agent = string_member(pause, "agent");
    out << (agent.empty() ? "All agents are" : "Agent " + printable(agent) + " is") << " paused";
    if (const std::string until = string_member(pause, "until"); !until.empty())
      out << " until " << printable(until);
    out << ", since " << age(string_member(pause, "since"), now) << ", by " << cell(pause, "by");
    if (const std::string reason = string_member(pause, "reason"); !reason.empty())
      out << ": " << printable(reason);
    out << '\n';
  }
  Table agents({{"AGENT", Align::Left, true},
                {"PAUSED"},
                {"QUEUED", Align::Right},
                {"RUNNING", Align::Right},
                {"AWAITING APPROVAL", Align::Right},
                {"PARKED", Align::Right}});
  for (const JsonValue& agent : array_member(queue, "agents").GetArray()) {
    const JsonValue* paused = find_member(agent, "paused");
    agents.add({cell(agent, "agent"), paused != nullptr && paused->IsTrue() ? "yes" : "no",
                cell(agent, "queued"), cell(agent, "running"), cell(agent, "awaiting_approval"),
                cell(agent, "parked")});
  }
  if (agents.empty())
    out << "Nothing waits or runs.\n";
  else
    agents.print(out, context.surroundings.columns);
  if (const std::string oldest = string_member(queue, "oldest_due_at"); !oldest.empty())
    out << "The longest waiting task has been due for " << age(oldest, now) << ".\n";
  Table budgets({{"BUDGET"},
                 {"OF", Align::Left, true},
                 {"LIMIT", Align::Right},
                 {"SPENT TODAY", Align::Right},
                 {"SET ASIDE", Align::Right},
                 {"RESUMES"}});
  for (const JsonValue& budget : array_member(queue, "budgets").GetArray())
    budgets.add({cell(budget, "scope"), cell(budget, "key"), dollars_text(budget, "limit_usd"),
                 dollars_text(budget, "spent_usd"), dollars_text(budget, "reserved_usd"),
                 cell(budget, "resumes_at")});
  if (!budgets.empty()) {
    out << '\n';
    budgets.print(out, context.surroundings.columns);
  }
  Table schedules({{"SCHEDULE", Align::Left, true},
                   {"AGENT", Align::Left, true},
                   {"CRON"},
                   {"NEXT"},
                   {"LAST"},
                   {"LAST TASK"}});
  for (const JsonValue& schedule : array_member(queue, "schedules").GetArray())
    schedules.add({cell(schedule, "name"), cell(schedule, "agent"), cell(schedule, "cron"),
                   cell(schedule, "next_at"), cell(schedule, "last_at"), cell(schedule, "last_task_id")});
  if (!schedules.empty()) {
    out << '\n';
    schedules.print(out, context.surroundings.columns);
  }
  return kExitOk;
}

Result<std::optional<WallTime>> end_of(const PauseOptions& options, WallTime now) {
  if (!options.until.empty()) return std::optional(TRY(parse_iso8601(options.until)));
  if (options.during.empty()) return std::optional<WallTime>();
  const auto duration = config::parse_duration(options.during);
  if (!duration || *duration <= Duration(0)) {
    return Error{ErrorCode::InvalidInput,
                 "--for " + options.during + " is not a duration; write for example 30m, 2h or 1d"};
  }
  return std::optional(now + *duration);
}

void say(const Context& context, const std::string& agent, const std::string& what, const std::string& json) {
  if (context.json)
    context.surroundings.out << json << '\n';
  else
    context.surroundings.out << (agent.empty() ? "all agents" : printable(agent)) << "  " << what << '\n';
}

Result<int> pause(const Context& context, const PauseOptions& options) {
  const auto until = TRY(end_of(options, context.surroundings.clock.wall()));
  if (context.offline) {
    const DatabaseFile file = TRY(DatabaseFile::open(context, Access::Write));
    TRY(wait_for<std::monostate>([&](store::Done<> done) {
      file.store->pause({options.agent, {}, until, options.reason, "cli"}, std::move(done),
                        offline_act("pauseQueue", options.agent));
    }));
    say(context, options.agent, "paused",
        "{\"agent\":" + (options.agent.empty() ? "null" : json_quote(options.agent)) + ",\"paused\":true}");
    return kExitOk;
  }
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  if (!options.agent.empty()) write_member(writer, "agent", options.agent);
  if (!options.reason.empty()) write_member(writer, "reason", options.reason);
  if (until) write_member(writer, "until", to_iso8601(*until));
  writer.EndObject();
  const JsonDocument answer = TRY(context.post("/api/queue/pause", text_of(buffer)));
  say(context, options.agent, "paused", to_json(answer));
  return kExitOk;
}

Result<int> resume(const Context& context, const std::string& agent) {
  bool was_paused = false;
  std::string json;
  if (context.offline) {
    const DatabaseFile file = TRY(DatabaseFile::open(context, Access::Write));
    was_paused = TRY(wait_for<bool>([&](store::Done<bool> done) {
      file.store->resume(agent, std::move(done), offline_act("resumeQueue", agent));
    }));
    json = "{\"agent\":" + (agent.empty() ? "null" : json_quote(agent)) +
           ",\"paused\":false,\"was_paused\":" + (was_paused ? "true" : "false") + "}";
  } else {
    const JsonDocument answer = TRY(context.post(
        "/api/queue/resume", agent.empty() ? std::string("{}") : "{\"agent\":" + json_quote(agent) + "}"));
    const JsonValue* said = find_member(answer, "was_paused");
    was_paused = said != nullptr && said->IsTrue();
    json = to_json(answer);
  }
  say(context, agent, was_paused ? "resumed" : "was not paused", json);
  return kExitOk;
}

}  // namespace

void add_queue(CLI::App& app, Context& context) {
  CLI::App* queue = app.add_subcommand("queue", "The queue: show, pause, resume");
  queue->require_subcommand(1);

  CLI::App* show_command =
      add_command(*queue, context, "show", "Show what waits and runs by agent, pauses and recurring tasks",
                  [&context] { return show(context); });

  auto options = std::make_shared<PauseOptions>();
  CLI::App* pause_command =
      add_command(*queue, context, "pause", "Give an agent, or all, no further task; what runs goes on",
                  [&context, options] { return pause(context, *options); });
  CLI::App* resume_command = add_command(*queue, context, "resume", "End a pause",
                                         [&context, options] { return resume(context, options->agent); });
  for (CLI::App* command : {pause_command, resume_command})
    command->add_option("agent", options->agent, "Name of the agent; all without it")->check(not_empty());
  pause_command->add_option("--reason", options->reason, "Shown with the tasks that wait");
  CLI::Option* until =
      pause_command->add_option("--until", options->until, "It ends by itself then (RFC 3339)");
  pause_command->add_option("--for", options->during, "It ends by itself after so long, for example 2h")
      ->excludes(until);
  for (CLI::App* command : {show_command, pause_command, resume_command}) {
    add_json_option(*command, context);
    add_offline_option(*command, context);
  }
}

}  // namespace davit::cli
