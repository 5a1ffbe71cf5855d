#include <ostream>

#include "host/cli/context.h"
#include "host/cli/database_file.h"
#include "host/cli/table.h"

namespace davit::cli {
namespace {

struct ListOptions {
  std::string agent, status, source, entity, link, text, since, until, cursor;
  int limit = 50;
};

struct CreateOptions {
  std::string agent, type, title, payload = "{}", entity, group, key, run_at;
  int priority = 0;
};

struct ActOptions {
  std::string id, reason, as, hash;
};

struct RetryOptions {
  bool all = false;
  ListOptions which;
};

Result<store::TaskFilter> filter_from(const ListOptions& options) {
  store::TaskFilter filter;
  filter.agent = options.agent;
  filter.source = options.source;
  filter.entity = options.entity;
  filter.link = options.link;
  filter.text = options.text;
  filter.limit = options.limit;
  filter.cursor = options.cursor;
  if (!options.status.empty()) filter.state = task_state_from(options.status);
  if (!options.since.empty()) filter.start = TRY(parse_iso8601(options.since));
  if (!options.until.empty()) filter.end = TRY(parse_iso8601(options.until));
  return filter;
}

Result<int> list(const Context& context, const ListOptions& options) {
  const std::string path = with_query("/api/dashboard/tasks", {{"agent", options.agent},
                                                               {"status", options.status},
                                                               {"source", options.source},
                                                               {"entity", options.entity},
                                                               {"link", options.link},
                                                               {"q", options.text},
                                                               {"start_date", options.since},
                                                               {"end_date", options.until},
                                                               {"limit", std::to_string(options.limit)},
                                                               {"cursor", options.cursor}});
  const store::TaskFilter filter = TRY(filter_from(options));
  const JsonDocument answer =
      TRY(read_either(context, path, [&](const DatabaseFile& file) { return file.tasks(filter); }));
  std::ostream& out = context.surroundings.out;
  if (context.json) {
    out << to_json(answer) << '\n';
    return kExitOk;
  }
  const JsonValue* tasks = find_member(answer, "tasks");
  if (tasks == nullptr || !tasks->IsArray() || tasks->Empty()) {
    out << "No tasks.\n";
    return kExitOk;
  }
  Table table({{"TASK"},
               {"STATUS"},
               {"AGENT", Align::Left, true},
               {"TITLE", Align::Left, true},
               {"TRY", Align::Right},
               {"AGE", Align::Right},
               {"COST", Align::Right}});
  const WallTime now = context.surroundings.clock.wall();
  for (const JsonValue& task : tasks->GetArray())
    table.add({cell(task, "task_id"), cell(task, "status"), cell(task, "current_agent"), cell(task, "title"),
               cell(task, "attempt"), age(string_member(task, "created_at"), now),
               dollars_text(task, "total_cost_usd")});
  table.print(out, context.surroundings.columns);
  if (const std::string next = string_member(answer, "next_cursor"); !next.empty())
    out << "More: add --cursor " << printable(next) << '\n';
  return kExitOk;
}

void print_fact(std::ostream& out, const std::string& name, const std::string& value) {
  if (value.empty() || value == "-") return;
  out << "  " << name << std::string(name.size() < 11 ? 11 - name.size() : 1, ' ') << value << '\n';
}

std::string with_age(const JsonValue& object, std::string_view name, WallTime now) {
  const std::string time = string_member(object, name);
  return time.empty() ? "" : printable(time) + " (" + age(time, now) + " ago)";
}

void print_json_block(std::ostream& out, const char* title, const JsonValue& object, std::string_view name) {
  const JsonValue* value = find_member(object, name);
  if (value == nullptr || value->IsNull() || (value->IsObject() && value->MemberCount() == 0)) return;
  out << '\n' << title << "\n  " << indented(*value, 2) << '\n';
}

void print_execution(std::ostream& out, const JsonValue& execution) {
  out << "  " << cell(execution, "attempt") << ". " << cell(execution, "agent_name") << "  "
      << cell(execution, "outcome") << "  " << seconds_text(find_member(execution, "duration_seconds"));
  if (const std::string cost = dollars_text(execution, "total_cost_usd"); cost != "-") out << "  " << cost;
  const std::int64_t read = int_member(execution, "input_tokens") +
                            int_member(execution, "cache_read_tokens") +
                            int_member(execution, "cache_write_tokens");
  const std::int64_t written = int_member(execution, "output_tokens");
  if (read + written > 0) out << "  " << count_text(read) << " tokens in, " << count_text(written) << " out";
  out << "\n";
  const auto detail = [&](const char* name, const std::string& value) {
    if (value != "-") out << "     " << name << ": " << value << '\n';
  };
  detail("session", cell(execution, "session_id"));
  detail("started", cell(execution, "started_at"));
  detail("model", cell(execution, "model_used"));
  detail("progress", cell(execution, "progress_message"));
  if (const std::string kind = string_member(execution, "error_class"); !kind.empty())
    detail("error", cell(execution, "error") + " (" + printable(kind) + ")");
  else
    detail("error", cell(execution, "error"));
  detail("next agent", cell(execution, "next_agent"));
  const JsonValue* output = find_member(execution, "output");
  if (output == nullptr || output->IsNull()) return;
  if (output->IsString())
    out << "     output: " << printable({output->GetString(), output->GetStringLength()}, Lines::Keep)
        << '\n';
  else
    out << "     output: " << indented(*output, 5) << '\n';
}

// The tasks that came of one, unless that is the only one.
void print_chain(std::ostream& out, const JsonValue& task) {
  const JsonValue* chain = find_member(task, "chain");
  if (chain == nullptr || !chain->IsArray() || chain->Size() < 2) return;
  out << "\nChain of " << int_member(task, "chain_tasks") << " tasks";
  if (const std::string cost = dollars_text(task, "chain_cost_usd"); cost != "-") out << ", " << cost;
  if (const std::int64_t tokens = int_member(task, "chain_tokens"); tokens > 0)
    out << ", " << count_text(tokens) << " tokens";
  out << '\n';
  for (const JsonValue& link : chain->GetArray()) {
    out << (string_member(link, "task_id") == string_member(task, "task_id") ? "* " : "  ")
        << cell(link, "chain_depth") << ". " << cell(link, "task_id") << "  " << cell(link, "agent") << "  "
        << cell(link, "status");
    if (const std::string cost = dollars_text(link, "total_cost_usd"); cost != "-") out << "  " << cost;
    out << '\n';
  }
  if (int_member(task, "chain_tasks") > static_cast<std::int64_t>(chain->Size())) out << "  and newer ones\n";
}

void print_decision(std::ostream& out, const JsonValue& decision) {
  const bool refused = string_member(decision, "kind") == "refused";
  out << "  " << cell(decision, "at") << "  "
      << (refused ? "refused: approval" : cell(decision, "kind"));
  if (const std::string by = string_member(decision, "by"); !by.empty()) out << " by " << printable(by);
  if (const std::string way = string_member(decision, "way"); !way.empty()) out << ", " << printable(way);
  if (const std::string said = string_member(decision, "comment"); !said.empty())
    out << ": " << printable(said);
  out << '\n';
}

constexpr int kTranscriptLines = 50;

// What the newest execution said, line by line.
void print_transcript(std::ostream& out, const JsonDocument& transcript) {
  const JsonValue* executions = find_member(transcript, "executions");
  if (executions == nullptr || !executions->IsArray() || executions->Empty()) return;
  const JsonValue* lines = find_member((*executions)[executions->Size() - 1], "lines");
  if (lines == nullptr || !lines->IsArray() || lines->Empty()) return;
  out << "\nTranscript\n";
  for (const JsonValue& line : lines->GetArray())
    out << "  " << printable(string_member(line, "kind")) << ": " << printable(string_member(line, "line"))
        << '\n';
}

Result<int> show(const Context& context, const std::string& id) {
  const JsonDocument task = TRY(read_either(context, "/api/dashboard/tasks/" + percent_encoded(id),
                                            [&](const DatabaseFile& file) { return file.task(id); }));
  std::ostream& out = context.surroundings.out;
  if (context.json) {
    out << to_json(task) << '\n';
    return kExitOk;
  }
  const WallTime now = context.surroundings.clock.wall();
  out << "Task " << cell(task, "task_id") << '\n';
  print_fact(out, "title", cell(task, "title"));
  print_fact(out, "status", cell(task, "status"));
  print_fact(out, "held back", cell(task, "hold_reason"));
  print_fact(out, "resumes at", cell(task, "resume_at"));
  if (const JsonValue* approval = find_member(task, "approval");
      approval != nullptr && approval->IsObject()) {
    print_fact(out, "asked", with_age(*approval, "asked_at", now));
    print_fact(out, "hash", cell(*approval, "content_hash"));
  }
  print_fact(out, "agent", cell(task, "current_agent"));
  print_fact(out, "type", cell(task, "task_type"));
  print_fact(out, "entity", cell(task, "entity"));
  print_fact(out, "source", cell(task, "source"));
  print_fact(out, "delivery", cell(task, "delivery_id"));
  if (const JsonValue* actor = find_member(task, "actor"); actor != nullptr && actor->IsObject())
    print_fact(out, "actor", cell(*actor, "login"));
  print_fact(out, "attempts",
             cell(task, "attempt") + " of at most " + std::to_string(int_member(task, "max_retries") + 1));
  for (const auto& [name, what] : {std::pair("crashes", "times its process died"),
                                   std::pair("losses", "times its host ended or stood still")})
    if (const std::int64_t count = int_member(task, name); count > 0)
      print_fact(out, name, std::to_string(count) + " " + what);
  print_fact(out, "priority", int_member(task, "priority") == 0 ? "" : cell(task, "priority"));
  print_fact(out, "created", with_age(task, "created_at", now));
  if (string_member(task, "status") == "queued") print_fact(out, "runs at", cell(task, "run_at"));
  print_fact(out, "finished", with_age(task, "finished_at", now));
  print_fact(out, "cost", dollars_text(task, "total_cost_usd"));
  if (const std::int64_t tokens = int_member(task, "total_tokens_used"); tokens > 0)
    print_fact(out, "tokens", count_text(tokens));
  print_fact(out, "error", cell(task, "error"));
  if (const JsonValue* links = find_member(task, "links"); links != nullptr && links->IsArray())
    for (const JsonValue& link : links->GetArray()) print_fact(out, "link", link_text(link));

  const JsonValue* executions = find_member(task, "agent_executions");
  if (executions != nullptr && executions->IsArray() && !executions->Empty()) {
    out << "\nExecutions\n";
    for (const JsonValue& execution : executions->GetArray()) print_execution(out, execution);
  }
  print_chain(out, task);
  const JsonValue* decisions = find_member(task, "decisions");
  if (decisions != nullptr && decisions->IsArray() && !decisions->Empty()) {
    out << "\nDecisions\n";
    for (const JsonValue& decision : decisions->GetArray()) print_decision(out, decision);
  }
  print_json_block(out, "Payload", task, "payload");
  const JsonDocument transcript = TRY(read_either(
      context,
      "/api/dashboard/tasks/" + percent_encoded(id) + "/transcript?limit=" + std::to_string(kTranscriptLines),
      [&](const DatabaseFile& file) { return file.transcript(id, kTranscriptLines); }));
  print_transcript(out, transcript);
  return kExitOk;
}

// The payload as given: JSON, "@FILE" or "-".
Result<std::string> payload_from(const Context& context, const std::string& given) {
  std::string text = given;
  if (given == "-") text = TRY(read_input(context, "-"));
  if (given.starts_with('@')) text = TRY(read_input(context, given.substr(1)));
  if (const auto checked = check_json(text); !checked.ok())
    return Error{ErrorCode::InvalidInput, "--payload is not JSON: " + checked.error().message};
  return text;
}

Result<JsonDocument> create_offline(const Context& context, const CreateOptions& options,
                                    const std::string& payload) {
  const config::Config config = TRY(context.config());
  const DatabaseFile file = TRY(DatabaseFile::open(context, Access::Write));
  NewTask task;
  task.agent = options.agent;
  task.task_type = options.type.empty() ? "manual" : options.type;
  task.title = options.title.empty() ? "Task for " + options.agent : options.title;
  task.payload = payload;
  task.entity = options.entity;
  task.group = options.group;
  task.key = options.key;
  task.priority = options.priority;
  if (!options.run_at.empty()) task.run_at = TRY(parse_iso8601(options.run_at));
  // What the plugin says is not known without loading it; the model's default stands in for it.
  const auto agent = config.agents.find(options.agent);
  if (agent != config.agents.end()) {
    task.max_retries = agent->second.max_retries.value_or(task.max_retries);
    // What is not known cannot be taken for a permission.
    task.awaits_approval = agent->second.requires_approval.value_or(true);
  } else {
    task.awaits_approval = true;
  }
  const std::string_view state =
      to_string(task.awaits_approval ? TaskState::AwaitingApproval : TaskState::Queued);
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  for (const auto& [name, value] :
       HttpHeaders{{"agent", task.agent}, {"title", task.title}, {"task_type", task.task_type}})
    write_member(writer, name, value);
  writer.EndObject();
  const std::string parameters(text_of(buffer));
  const std::string id = TRY(wait_for<std::string>([&](store::Done<std::string> done) {
    file.store->create_task(std::move(task), "cli", std::nullopt, std::move(done),
                            offline_act("createTask", {}, parameters));
  }));
  return action_answer(id, state);
}

Result<int> print_action(const Context& context, const JsonDocument& answer) {
  if (context.json)
    context.surroundings.out << to_json(answer) << '\n';
  else
    context.surroundings.out << cell(answer, "task_id") << "  " << cell(answer, "status") << '\n';
  return kExitOk;
}

Result<int> create(const Context& context, const CreateOptions& options) {
  const std::string payload = TRY(payload_from(context, options.payload));
  if (context.offline) return print_action(context, TRY(create_offline(context, options, payload)));
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  write_member(writer, "agent", options.agent);
  for (const auto& [name, value] : HttpHeaders{{"task_type", options.type},
                                               {"title", options.title},
                                               {"entity", options.entity},
                                               {"group", options.group},
                                               {"key", options.key},
                                               {"run_at", options.run_at}})
    if (!value.empty()) write_member(writer, name, value);
  write_member(writer, "priority", options.priority);
  write_raw_member(writer, "payload", payload);
  writer.EndObject();
  return print_action(context, TRY(context.post("/api/tasks", text_of(buffer))));
}

// Who decides: --as, or whoever runs this.
store::Person person(const Context& context, const ActOptions& options) {
  std::string name = options.as;
  if (name.empty()) name = context.surroundings.environment("USER").value_or("");
  return {name.empty() ? "admin" : name, {}, "cli"};
}

void write_person(JsonWriter& writer, const store::Person& by) {
  write_member(writer, "by", by.name);
  write_member(writer, "way", by.way);
}

// Shows what would be approved and gives the hash of just that: what comes in its place is not approved.
// Empty: it does not wait, which the answer to the approval will say.
Result<std::string> show_for_approval(const Context& context, const std::string& id) {
  const JsonDocument task = TRY(read_either(context, "/api/dashboard/tasks/" + percent_encoded(id),
                                            [&](const DatabaseFile& file) { return file.task(id); }));
  const JsonValue* approval = find_member(task, "approval");
  if (approval == nullptr || !approval->IsObject()) return std::string();
  if (!context.json) {
    std::ostream& out = context.surroundings.out;
    out << "Task " << cell(task, "task_id") << '\n';
    print_fact(out, "title", cell(task, "title"));
    print_fact(out, "agent", cell(task, "current_agent"));
    print_fact(out, "entity", cell(task, "entity"));
    print_fact(out, "asked", with_age(*approval, "asked_at", context.surroundings.clock.wall()));
    print_fact(out, "hash", cell(*approval, "content_hash"));
    print_json_block(out, "Result of the agent before", task, "previous_result");
    print_json_block(out, "Payload", task, "payload");
    out << '\n';
  }
  return string_member(*approval, "content_hash");
}

enum class Act { Cancel, Retry, Approve, Reject };

Result<TaskState> act_offline(const Context& context, const ActOptions& options, Act act) {
  const DatabaseFile file = TRY(DatabaseFile::open(context, Access::Write));
  store::Store& store = *file.store;
  const store::Person by = person(context, options);
  return wait_for<TaskState>([&](store::Done<TaskState> done) {
    switch (act) {
      case Act::Cancel:
        return store.cancel(options.id, by, options.reason.empty() ? "cancelled by hand" : options.reason,
                            std::move(done), offline_act("cancelTask", options.id));
      case Act::Retry:
        return store.retry(options.id, by, std::move(done), offline_act("retryTask", options.id));
      case Act::Approve:
        return store.approve(options.id, by, options.hash, std::move(done), options.reason,
                             offline_act("approveTask", options.id));
      case Act::Reject:
        return store.reject(options.id, by, options.hash, std::move(done), options.reason,
                            offline_act("rejectTask", options.id));
    }
  });
}

Result<int> act_on(const Context& context, ActOptions options, Act act) {
  if (act == Act::Approve && options.hash.empty()) options.hash = TRY(show_for_approval(context, options.id));
  if (context.offline) {
    const TaskState state = TRY(act_offline(context, options, act));
    return print_action(context, TRY(action_answer(options.id, to_string(state))));
  }
  static constexpr const char* kNames[] = {"cancel", "retry", "approve", "reject"};
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  write_person(writer, person(context, options));
  if (!options.reason.empty())
    write_member(writer, act == Act::Cancel ? "reason" : "comment", options.reason);
  if (!options.hash.empty()) write_member(writer, "content_hash", options.hash);
  writer.EndObject();
  return print_action(context, TRY(context.post("/api/tasks/" + percent_encoded(options.id) + "/" +
                                                    kNames[static_cast<int>(act)],
                                                text_of(buffer))));
}

// One step of a retry in bulk; `cursor` is where the one before ended.
Result<store::BulkStep> retry_step(const Context& context, const store::Person& by, const ListOptions& which,
                                   const std::string& cursor) {
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  write_person(writer, by);
  for (const auto& [name, value] : HttpHeaders{{"status", which.status},
                                               {"agent", which.agent},
                                               {"source", which.source},
                                               {"start_date", which.since},
                                               {"end_date", which.until},
                                               {"cursor", cursor}})
    if (!value.empty()) write_member(writer, name, value);
  writer.EndObject();
  const JsonDocument answer = TRY(context.post("/api/tasks/retry", text_of(buffer)));
  return store::BulkStep{static_cast<int>(int_member(answer, "retried")), int_member(answer, "left"),
                         string_member(answer, "next_cursor")};
}

// Each task once, in as many steps as that takes.
Result<int> retry_all(const Context& context, const ActOptions& options, const ListOptions& which) {
  const store::Person by = person(context, options);
  store::TaskFilter filter = TRY(filter_from(which));
  std::optional<DatabaseFile> file;
  if (context.offline) file = TRY(DatabaseFile::open(context, Access::Write));
  std::int64_t retried = 0;
  do {
    const store::BulkStep step = TRY(file ? wait_for<store::BulkStep>([&](store::Done<store::BulkStep> done) {
      file->store->retry_all(filter, by, std::move(done), offline_act("retryTasks", which.agent));
    })
                                          : retry_step(context, by, which, filter.cursor));
    retried += step.done;
    filter.cursor = step.next_cursor;
  } while (!filter.cursor.empty());
  if (context.json)
    context.surroundings.out << "{\"retried\":" << retried << "}\n";
  else
    context.surroundings.out << retried << (retried == 1 ? " task" : " tasks") << " queued again\n";
  return kExitOk;
}

}  // namespace

void add_tasks(CLI::App& app, Context& context) {
  CLI::App* tasks = app.add_subcommand(
      "tasks", "Tasks: list, show, create, cancel, retry, approve, reject, transcript, artifacts");
  tasks->require_subcommand(1);

  auto filter = std::make_shared<ListOptions>();
  CLI::App* list_command = add_command(*tasks, context, "list", "List tasks, newest first",
                                       [&context, filter] { return list(context, *filter); });
  list_command->add_option("--agent", filter->agent, "Only this agent's");
  list_command->add_option("--status", filter->status, "Only in this state")
      ->check(CLI::IsMember(
          {"queued", "running", "awaiting_approval", "completed", "failed", "cancelled", "parked"}));
  list_command->add_option("--source", filter->source, "Only from this webhook, or api, cli, chain");
  list_command->add_option("--entity", filter->entity, "Only about this, for example github:owner/name#12");
  list_command->add_option("--link", filter->link,
                           "Only whose event mentions this, for example sentry:acme/12");
  list_command->add_option("--search", filter->text, "Only with this text");
  list_command->add_option("--since", filter->since,
                           "Only made at or after this time (2026-01-31 or RFC 3339)");
  list_command->add_option("--until", filter->until, "Only made before this time");
  list_command->add_option("--limit", filter->limit, "How many")
      ->check(CLI::Range(1, 500))
      ->capture_default_str();
  list_command->add_option("--cursor", filter->cursor, "Where the page before ended");
  add_json_option(*list_command, context);
  add_offline_option(*list_command, context);

  auto act = std::make_shared<ActOptions>();
  CLI::App* show_command =
      add_command(*tasks, context, "show", "Show a task with its executions, payload and output",
                  [&context, act] { return show(context, act->id); });
  const auto command_for = [&](const char* name, const char* description, Act kind) {
    return add_command(*tasks, context, name, description,
                       [&context, act, kind] { return act_on(context, *act, kind); });
  };
  CLI::App* cancel_command = command_for("cancel", "Cancel a task; a running one is stopped", Act::Cancel);
  CLI::App* approve_command = command_for("approve", "Let a task run that waits for approval", Act::Approve);
  CLI::App* reject_command = command_for("reject", "Cancel a task that waits for approval", Act::Reject);
  auto again = std::make_shared<RetryOptions>();
  CLI::App* retry_command = add_command(
      *tasks, context, "retry", "Queue a failed, cancelled or parked task again, or many",
      [&context, act, again] {
        return again->all ? retry_all(context, *act, again->which) : act_on(context, *act, Act::Retry);
      });
  approve_command->add_option("--hash", act->hash,
                              "Content hash of what is approved; else it is shown, and approved as shown");
  reject_command->add_option("--hash", act->hash, "Content hash of what is rejected; else whatever waits is");
  for (CLI::App* command : {cancel_command, reject_command})
    command->add_option("--reason", act->reason, "Kept with the task");
  for (CLI::App* command : {show_command, cancel_command, approve_command, reject_command})
    command->add_option("task", act->id, "Id of the task")->required();
  CLI::Option_group* what = retry_command->add_option_group("what");
  what->require_option(1);
  what->add_option("task", act->id, "Id of the task");
  CLI::Option* all = what->add_flag("--all", again->all, "All that the next options let through");
  again->which.status = "failed";
  for (CLI::Option* option :
       {retry_command->add_option("--status", again->which.status, "With --all: those in this state")
            ->check(CLI::IsMember({"failed", "cancelled", "parked"}))
            ->capture_default_str(),
        retry_command->add_option("--agent", again->which.agent, "With --all: only this agent's")->check(not_empty()),
        retry_command->add_option("--source", again->which.source, "With --all: only from there")->check(not_empty()),
        retry_command
            ->add_option("--since", again->which.since,
                         "With --all: only made at or after this time (2026-01-31 or RFC 3339)")
            ->check(not_empty()),
        retry_command->add_option("--until", again->which.until, "With --all: only made before this time")
            ->check(not_empty())})
    option->needs(all);
  for (CLI::App* command : {cancel_command, retry_command, approve_command, reject_command})
    command->add_option("--as", act->as, "Who decides, kept with the task; else $USER");
  for (CLI::App* command : {show_command, cancel_command, retry_command, approve_command, reject_command}) {
    add_json_option(*command, context);
    add_offline_option(*command, context);
  }

  auto task = std::make_shared<CreateOptions>();
  CLI::App* create_command = add_command(*tasks, context, "create", "Queue a task for an agent",
                                         [&context, task] { return create(context, *task); });
  create_command->add_option("agent", task->agent, "Name of the agent")->required();
  create_command->add_option("--type", task->type, "Kind of task, a word for filters and metrics");
  create_command->add_option("--title", task->title, "One line for people");
  create_command->add_option("--payload", task->payload, "JSON, @FILE, or - for standard input")
      ->capture_default_str();
  create_command->add_option("--entity", task->entity, "What it is about, for example github:owner/name#12");
  create_command->add_option("--group", task->group,
                             "What that belongs to, for example github:owner/name: see one_at_a_time");
  create_command->add_option("--key", task->key, "An open task with the same key takes its place");
  create_command->add_option("--run-at", task->run_at, "Not before this time (RFC 3339)");
  create_command->add_option("--priority", task->priority, "Higher first")
      ->check(CLI::Range(-100, 100))
      ->capture_default_str();
  add_json_option(*create_command, context);
  add_offline_option(*create_command, context);

  add_task_records(*tasks, context);
}

}  // namespace davit::cli
