// What the executions of a task said and left: davit tasks transcript, davit tasks artifacts.
#include <chrono>
#include <ostream>
#include <thread>

#include "host/base/file.h"
#include "host/cli/context.h"
#include "host/cli/database_file.h"
#include "host/cli/table.h"

namespace davit::cli {
namespace {

constexpr int kLinesAtOnce = 500;

struct TranscriptOptions {
  std::string id, session;
  int limit = kLinesAtOnce;
  std::int64_t after = -1, before = -1;
  bool follow = false;
};

struct ArtifactOptions {
  std::string id, name, session, output;
};

std::string task_path(const std::string& id) { return "/api/dashboard/tasks/" + percent_encoded(id); }

std::int64_t print_lines(std::ostream& out, const JsonValue& execution, std::int64_t last) {
  const JsonValue* lines = find_member(execution, "lines");
  if (lines == nullptr || !lines->IsArray()) return last;
  for (const JsonValue& line : lines->GetArray()) {
    out << printable(string_member(line, "kind")) << ": " << printable(string_member(line, "line")) << '\n';
    last = int_member(line, "number", last);
  }
  out.flush();
  return last;
}

const JsonValue* executions_in(const JsonDocument& answer) {
  const JsonValue* executions = find_member(answer, "executions");
  return executions != nullptr && executions->IsArray() && !executions->Empty() ? executions : nullptr;
}

void print_heading(std::ostream& out, const JsonValue& execution) {
  out << "Session " << cell(execution, "session_id") << " of " << cell(execution, "agent_name") << '\n';
}

// The newest execution as it goes on, and those that follow it, until the task waits for nothing but people.
Result<int> follow(const Context& context, const TranscriptOptions& options) {
  std::ostream& out = context.surroundings.out;
  std::string session, done;
  std::int64_t after = std::max<std::int64_t>(options.after, 0);
  for (;;) {
    // Before the lines: what is over then has said all that the lines hold.
    const std::string status = string_member(TRY(context.read(task_path(options.id))), "status");
    const JsonDocument answer = TRY(context.read(with_query(
        task_path(options.id) + "/transcript",
        {{"session", session}, {"after", std::to_string(after)}, {"limit", std::to_string(kLinesAtOnce)}})));
    const JsonValue* executions = executions_in(answer);
    bool wait = true;
    if (executions != nullptr && string_member((*executions)[0], "session_id") != done) {
      const JsonValue& execution = (*executions)[0];
      if (session.empty()) {
        session = string_member(execution, "session_id");
        print_heading(out, execution);
      }
      const std::int64_t before = after;
      after = print_lines(out, execution, after);
      wait = after == before;
      if (wait && !string_member(execution, "completed_at").empty()) {
        done = std::exchange(session, "");
        after = 0;
      }
    }
    const bool goes_on = status == "queued" || status == "running";
    if (wait && !goes_on && session.empty()) return kExitOk;
    if (wait) std::this_thread::sleep_for(std::chrono::seconds(1));
  }
}

Result<int> transcript(const Context& context, const TranscriptOptions& options) {
  if (options.follow) return follow(context, options);
  const auto number = [](std::int64_t given) { return given < 0 ? std::string() : std::to_string(given); };
  store::TranscriptPlace place;
  if (options.after >= 0) place.after = options.after;
  if (options.before >= 0) place.before = options.before;
  const JsonDocument answer = TRY(read_either(
      context,
      with_query(task_path(options.id) + "/transcript",
                 {{"limit", std::to_string(options.limit)},
                  {"session", options.session},
                  {"after", number(options.after)},
                  {"before", number(options.before)}}),
      [&](const DatabaseFile& file) {
        return file.transcript(options.id, options.limit, place, options.session);
      }));
  std::ostream& out = context.surroundings.out;
  if (context.json) {
    out << to_json(answer) << '\n';
    return kExitOk;
  }
  const JsonValue* executions = executions_in(answer);
  if (executions == nullptr) {
    out << "It has not run.\n";
    return kExitOk;
  }
  for (const JsonValue& execution : executions->GetArray()) {
    if (&execution != executions->Begin()) out << '\n';
    print_heading(out, execution);
    if (!bool_member(execution, "truncated")) {
      print_lines(out, execution, 0);
      continue;
    }
    const JsonDocument one = TRY(context.read(with_query(
        task_path(options.id) + "/transcript",
        {{"session", string_member(execution, "session_id")}, {"limit", std::to_string(options.limit)}})));
    if (const JsonValue* alone = executions_in(one)) print_lines(out, (*alone)[0], 0);
  }
  return kExitOk;
}

Result<JsonDocument> artifact_list(const Context& context, const std::string& id) {
  return read_either(context, task_path(id) + "/artifacts",
                     [&](const DatabaseFile& file) { return file.artifacts(id); });
}

Result<int> list_artifacts(const Context& context, const ArtifactOptions& options) {
  const JsonDocument answer = TRY(artifact_list(context, options.id));
  std::ostream& out = context.surroundings.out;
  if (context.json) {
    out << to_json(answer) << '\n';
    return kExitOk;
  }
  const JsonValue* artifacts = find_member(answer, "artifacts");
  if (artifacts == nullptr || !artifacts->IsArray() || artifacts->Empty()) {
    out << "No artifacts.\n";
    return kExitOk;
  }
  Table table({{"NAME", Align::Left, true},
               {"TYPE", Align::Left, true},
               {"BYTES", Align::Right},
               {"TRY", Align::Right},
               {"SESSION"}});
  for (const JsonValue& artifact : artifacts->GetArray())
    table.add({cell(artifact, "name"), cell(artifact, "content_type"),
               count_text(int_member(artifact, "bytes")), cell(artifact, "attempt"),
               cell(artifact, "session_id")});
  table.print(out, context.surroundings.columns);
  return kExitOk;
}

// Of several executions that left one of this name, the newest.
Result<std::string> session_with(const Context& context, const ArtifactOptions& options) {
  if (!options.session.empty()) return options.session;
  const JsonDocument answer = TRY(artifact_list(context, options.id));
  std::string session;
  if (const JsonValue* artifacts = find_member(answer, "artifacts"); artifacts && artifacts->IsArray())
    for (const JsonValue& artifact : artifacts->GetArray())
      if (string_member(artifact, "name") == options.name) session = string_member(artifact, "session_id");
  if (session.empty())
    return Error{ErrorCode::NotFound, "the task has no artifact \"" + printable(options.name) +
                                          "\"; davit tasks artifacts " + printable(options.id) +
                                          " lists them"};
  return session;
}

Result<int> artifacts(const Context& context, const ArtifactOptions& options) {
  if (options.name.empty()) return list_artifacts(context, options);
  const std::string session = TRY(session_with(context, options));
  const auto from_database = [&](const DatabaseFile& file) -> Result<std::string> {
    return TRY(file.store->artifact(options.id, session, options.name)).content;
  };
  const auto from_host = [&] {
    return context.read_bytes(task_path(options.id) + "/artifacts/" + percent_encoded(session) + "/" +
                              percent_encoded(options.name));
  };
  const std::string content = TRY(either<std::string>(context, from_host, from_database));
  std::ostream& out = context.surroundings.out;
  if (options.output == "-") {
    out << content;
    out.flush();
  } else if (!options.output.empty()) {
    TRY(write_file_atomically(options.output, content, 0600));
    out << options.output << "  " << count_text(static_cast<std::int64_t>(content.size())) << " bytes\n";
  } else if (!is_utf8(content)) {
    return Error{ErrorCode::InvalidInput,
                 "artifact \"" + printable(options.name) + "\" is not text; say where to with --output FILE"};
  } else {
    out << printable(content, Lines::Keep);
    if (!content.empty() && content.back() != '\n') out << '\n';
  }
  return kExitOk;
}

}  // namespace

void add_task_records(CLI::App& tasks, Context& context) {
  auto said = std::make_shared<TranscriptOptions>();
  CLI::App* transcript_command = add_command(tasks, context, "transcript", "Show what its executions said",
                                             [&context, said] { return transcript(context, *said); });
  transcript_command->add_option("task", said->id, "Id of the task")->required();
  transcript_command->add_option("--session", said->session, "Only of this execution");
  transcript_command->add_option("--limit", said->limit, "The newest so many lines of each execution")
      ->check(CLI::Range(1, 5'000))
      ->capture_default_str();
  transcript_command
      ->add_option("--after", said->after, "Only of the newest execution or --session, the next lines behind this number")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{2'000'000'000}));
  transcript_command
      ->add_option("--before", said->before,
                   "Only of the newest execution or --session, the newest lines before this number")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{2'000'000'000}))
      ->excludes(transcript_command->get_option("--after"));
  CLI::Option* follow_option =
      transcript_command->add_flag("--follow", said->follow, "Go on with new lines until the task is done");
  add_json_option(*transcript_command, context);
  add_offline_option(*transcript_command, context);
  for (const char* other : {"--json", "--offline", "--before", "--session"})
    follow_option->excludes(transcript_command->get_option(other));

  auto left = std::make_shared<ArtifactOptions>();
  CLI::App* artifacts_command =
      add_command(tasks, context, "artifacts", "List the files that its executions left, or get one",
                  [&context, left] { return artifacts(context, *left); });
  artifacts_command->add_option("task", left->id, "Id of the task")->required();
  artifacts_command->add_option("name", left->name, "The one to get; else they are listed");
  artifacts_command->add_option("--output", left->output,
                                "File to write it to, - for standard output; else text is shown");
  artifacts_command->add_option("--session", left->session,
                                "Of this execution; else the newest that left one of the name");
  add_json_option(*artifacts_command, context);
  add_offline_option(*artifacts_command, context);
}

}  // namespace davit::cli
