// Runs a configured program: the task as JSON on its standard input, JSON or text from its standard output,
// standard error line by line into the transcript, its exit status as the result, and the files in a folder
// of its own as artifacts. README.md states the rules.
//
// While the program runs, one loop looks at both pipes, at its end and at the wish to stop. When it has
// ended, or was told to end and did not within the grace, what is left of its group is killed; the pipes are
// then emptied without waiting, because a process that left the group may hold them open for ever.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "child_process/child_process.h"
#include "davit/agent.hpp"
#include "left_files.h"
#include "outputs.h"

namespace command {

using child::ChildProcess;
using child::Descriptor;
using child::Program;
namespace {

using davit::AgentContext;
using davit::AgentResult;
using davit::ErrorClass;
using davit::Failure;
using davit::Json;
using davit::JsonView;
using davit::Run;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

const char* const kConfigSchema = R"json({
  "type": "object",
  "additionalProperties": false,
  "required": ["command"],
  "definitions": {
    "exit_codes": {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 255}}
  },
  "properties": {
    "command": {"type": "array", "minItems": 1, "maxItems": 1000, "items": {"type": "string"},
                "description": "program and arguments; no shell"},
    "input": {"enum": ["task", "payload"], "default": "task"},
    "output": {"enum": ["auto", "json", "text"], "default": "auto"},
    "max_output_bytes": {"type": "integer", "minimum": 1, "maximum": 1048576, "default": 1048576},
    "environment": {"type": "object", "additionalProperties": {"type": "string"}},
    "pass_environment": {"type": "array", "items": {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"}},
    "working_directory": {"type": "string", "minLength": 1, "default": "workspace"},
    "success_exit_codes": {"$ref": "#/definitions/exit_codes"},
    "retry_exit_codes": {"$ref": "#/definitions/exit_codes"},
    "next_agent": {"type": "string", "pattern": "^([a-z][a-z0-9_-]{0,63})?$"},
    "kill_grace_ms": {"type": "integer", "minimum": 0, "maximum": 60000, "default": 1000}
  }
})json";

enum class Output { Auto, Json, Text };

struct Settings {
  std::vector<std::string> command;
  bool payload_only = false;
  Output output = Output::Auto;
  std::size_t max_output_bytes = 1024 * 1024;
  std::vector<std::pair<std::string, std::string>> environment;
  std::vector<std::string> pass_environment;
  std::string working_directory = "workspace";
  std::vector<int> success_exit_codes = {0};
  std::vector<int> retry_exit_codes = {75};  // EX_TEMPFAIL
  std::string next_agent;
  milliseconds kill_grace{1000};
};

constexpr std::size_t kLargestArtifact = 8 * 1024 * 1024;

bool has_zero(std::string_view text) { return text.find('\0') != std::string_view::npos; }

void read(JsonView value, std::vector<int>& numbers) {
  if (!value.is_array()) return;
  numbers.clear();
  for (JsonView item : value) numbers.push_back(static_cast<int>(item.int_or(-1)));
}

Settings settings_from(const Json& config) {
  Settings settings;
  for (JsonView word : config["command"]) settings.command.emplace_back(word.string_or(""));
  if (settings.command.empty() || settings.command[0].empty())
    throw Failure::invalid_input("config.command: name a program");
  if (std::any_of(settings.command.begin(), settings.command.end(), has_zero))
    throw Failure::invalid_input("config.command: an argument cannot hold a zero byte");
  settings.payload_only = config["input"] == "payload";
  if (config["output"] == "json") settings.output = Output::Json;
  if (config["output"] == "text") settings.output = Output::Text;
  settings.max_output_bytes = static_cast<std::size_t>(config["max_output_bytes"].int_or(1024 * 1024));
  for (const auto& [name, value] : config["environment"].members()) {
    if (name.empty() || name.find('=') != std::string_view::npos || has_zero(name) ||
        has_zero(value.string_or("")))
      throw Failure::invalid_input("config.environment: '" + std::string(name) + "' cannot be a variable");
    settings.environment.emplace_back(name, value.string_or(""));
  }
  for (JsonView name : config["pass_environment"]) settings.pass_environment.emplace_back(name.string_or(""));
  settings.working_directory = config["working_directory"].string_or("workspace");
  if (settings.working_directory != "workspace" && settings.working_directory.front() != '/')
    throw Failure::invalid_input("config.working_directory: 'workspace' or an absolute path");
  read(config["success_exit_codes"], settings.success_exit_codes);
  read(config["retry_exit_codes"], settings.retry_exit_codes);
  settings.next_agent = config["next_agent"].string_or("");
  settings.kill_grace = milliseconds(config["kill_grace_ms"].int_or(1000));
  return settings;
}

// How an execution came to its end.
struct Ended {
  int wait_status = 0;
  Capture output;
  std::string last_error_line;
};

class CommandAgent : public davit::Agent {
 public:
  CommandAgent() : stop_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

  davit::AgentMetadata metadata() const override {
    return {.name = "command-agent",
            .display_name = "Command Agent",
            .description = "Runs a configured program with the task on its standard input",
            .capabilities = {davit::AgentCapability::Execution},
            .config_schema = kConfigSchema};
  }

  void configure(const Json& config) override { settings_ = settings_from(config); }

  AgentResult execute(const AgentContext& context, Run& run) override {
    std::uint64_t wishes = 0;
    [[maybe_unused]] ssize_t drained =
        ::read(stop_.number(), &wishes, sizeof wishes);  // of an execution before
    const Program program = program_for(context);
    std::string input = settings_.payload_only ? context.task.payload.dump() : context.json().dump();
    input += '\n';
    run.progress(-1, "running", settings_.command[0]);
    std::error_code unwanted;  // without the folder nothing is left in it
    if (!context.workspace.empty()) std::filesystem::create_directory(artifacts_folder(context), unwanted);
    ChildProcess child(program, input);
    const Ended ended = follow(child, run);
    if (!context.workspace.empty()) leave_artifacts(artifacts_folder(context), run);
    return result_of(ended);
  }

  void cancel() override {
    const std::uint64_t one = 1;
    static_cast<void>(!write(stop_.number(), &one, sizeof one));
  }

 private:
  static std::filesystem::path artifacts_folder(const AgentContext& context) {
    return std::filesystem::path(context.workspace) / "artifacts";
  }

  // Also what a program leaves that fails.
  static void leave_artifacts(const std::filesystem::path& folder, Run& run) {
    const auto tell = [&](const std::string& name, const std::string& why) {
      run.transcript("artifact", "\"" + name + "\" was not left: " + why);
    };
    each_left_file(
        folder, kLargestArtifact,
        [&](const LeftFile& file) {
          try {
            run.artifact(file.name, file.content_type, file.content);
          } catch (const Failure& failure) {
            tell(file.name, failure.what());
          }
        },
        tell);
  }

  // Nothing is inherited but what is named here.
  std::vector<std::pair<std::string, std::string>> environment_for(const AgentContext& context) const {
    const auto inherited = [](const char* name, const char* fallback) {
      const char* value = std::getenv(name);
      return std::string(value && *value ? value : fallback);
    };
    const std::string workspace = context.workspace.string();
    std::vector<std::pair<std::string, std::string>> all = {
        {"PATH", inherited("PATH", "/usr/local/bin:/usr/bin:/bin")},
        {"LANG", inherited("LANG", "C.UTF-8")},
        {"HOME", workspace.empty() ? "/" : workspace},
        {"DAVIT_TASK_ID", std::string(context.task_id)},
        {"DAVIT_SESSION_ID", std::string(context.session_id)},
        {"DAVIT_ATTEMPT", std::to_string(context.attempt)},
        {"DAVIT_WORKSPACE", workspace}};
    if (!workspace.empty()) {
      all.emplace_back("TMPDIR", workspace);
      all.emplace_back("DAVIT_ARTIFACTS", artifacts_folder(context).string());
    }
    const auto set = [&](const std::string& name, std::string value) {
      std::erase_if(all, [&](const auto& variable) { return variable.first == name; });
      all.emplace_back(name, std::move(value));
    };
    for (const std::string& name : settings_.pass_environment) {
      if (const char* value = std::getenv(name.c_str())) {
        set(name, value);
      } else if (auto secret = host().secret(name); secret && !has_zero(*secret)) {
        set(name, std::move(*secret));
      }
    }
    for (const auto& [name, value] : settings_.environment) set(name, value);
    return all;
  }

  Program program_for(const AgentContext& context) const {
    Program program{.arguments = settings_.command};
    std::string search_path;
    for (const auto& [name, value] : environment_for(context)) {
      if (name == "PATH") search_path = value;
      program.environment.push_back(name + "=" + value);
    }
    program.path = child::find_program(settings_.command[0], search_path, "config.command");
    program.working_directory =
        settings_.working_directory == "workspace" ? context.workspace.string() : settings_.working_directory;
    return program;
  }

  // Throws Failure(Cancelled) or Failure(Deadline) when that was the end.
  Ended follow(ChildProcess& child, Run& run) {
    Ended ended{.output = Capture(settings_.max_output_bytes)};
    Lines errors(settings_.max_output_bytes, [&](std::string_view line) { run.transcript("stderr", line); });
    std::optional<Failure> wish;
    Clock::time_point kill_at = Clock::time_point::max();
    bool output_open = true, errors_open = true;

    for (;;) {
      pollfd watched[] = {{child.ended().number(), POLLIN, 0},
                          {wish ? -1 : stop_.number(), POLLIN, 0},
                          {output_open ? child.output().number() : -1, POLLIN, 0},
                          {errors_open ? child.errors().number() : -1, POLLIN, 0}};
      poll(watched, std::size(watched), static_cast<int>(wait(run, kill_at).count()));
      if (watched[2].revents != 0)
        output_open =
            child::read_piece(child.output(), [&](std::string_view piece) { ended.output.add(piece); });
      if (watched[3].revents != 0)
        errors_open = child::read_piece(child.errors(), [&](std::string_view piece) { errors.add(piece); });
      if (watched[0].revents != 0) break;

      if (!wish && (wish = wish_to_stop(run, watched[1].revents != 0))) {
        child.signal(SIGTERM);
        kill_at = Clock::now() + settings_.kill_grace;
      }
      if (Clock::now() >= kill_at) child.signal(SIGKILL);
    }
    ended.wait_status = child.finish();
    // What the program wrote before its end is in the pipes; more than they hold is from somebody else.
    if (output_open) child::drain(child.output(), [&](std::string_view piece) { ended.output.add(piece); });
    if (errors_open) child::drain(child.errors(), [&](std::string_view piece) { errors.add(piece); });
    errors.finish();
    ended.last_error_line = errors.last();
    if (wish)
      throw Failure(wish->status(),
                    std::string(wish->what()) + "; the program " + child::describe_end(ended.wait_status));
    return ended;
  }

  static std::optional<Failure> wish_to_stop(const Run& run, bool told) {
    if (const auto left = run.remaining(); left && left->count() <= 0)
      return Failure(davit::Status::Deadline, "the deadline has come");
    if (told || run.is_cancelled()) return Failure::cancelled("cancelled");
    return std::nullopt;
  }

  // Until the next look at clocks; a wish may also come without cancel(), by is_cancelled() alone.
  static milliseconds wait(const Run& run, Clock::time_point kill_at) {
    milliseconds longest{250};
    if (kill_at != Clock::time_point::max())
      longest = std::min(longest, std::chrono::ceil<milliseconds>(kill_at - Clock::now()));
    else if (const auto left = run.remaining())
      longest = std::min(longest, *left);
    return std::max(longest, milliseconds{0});
  }

  AgentResult result_of(const Ended& ended) const {
    const std::string end = settings_.command[0] + " " + child::describe_end(ended.wait_status);
    const int code = WIFEXITED(ended.wait_status) ? WEXITSTATUS(ended.wait_status) : -1;
    const bool good = contains(settings_.success_exit_codes, code);

    std::string not_json;
    const std::optional<Json> printed = json_in(ended.output, not_json);
    const bool is_result = printed && (*printed)["davit_result"].bool_or(false);
    AgentResult result =
        is_result ? AgentResult::from_json(*printed) : AgentResult::ok(output_of(ended, printed));
    if (is_result && !printed->has("success")) result.success = good;

    if (!good) {
      result.success = false;
      result.error = !result.error.empty()           ? result.error + " (" + end + ")"
                     : ended.last_error_line.empty() ? end
                                                     : end + ": " + ended.last_error_line.substr(0, 1000);
      if (code < 0 || contains(settings_.retry_exit_codes, code)) {
        result.error_class = ErrorClass::Retryable;
      } else if (!is_result || !printed->has("error_class")) {
        result.error_class = ErrorClass::Permanent;
      }
    } else if (settings_.output == Output::Json && !printed) {
      result.success = false;
      result.error = settings_.command[0] + " printed no JSON: " + not_json;
      result.error_class = ErrorClass::Permanent;
    }
    if (result.success && result.next_agent.empty()) result.next_agent = settings_.next_agent;
    return result;
  }

  // In auto, only an object or array that is all of the output counts as JSON.
  std::optional<Json> json_in(const Capture& output, std::string& not_json) const {
    if (settings_.output == Output::Text) return std::nullopt;
    if (output.cut()) {
      not_json = "more than " + std::to_string(settings_.max_output_bytes) + " bytes were written";
      return std::nullopt;
    }
    const std::size_t first = output.text().find_first_not_of(" \t\r\n");
    const bool structured =
        first != std::string::npos && (output.text()[first] == '{' || output.text()[first] == '[');
    if (settings_.output == Output::Auto && !structured) return std::nullopt;
    try {
      return Json::parse(output.text());
    } catch (const Failure& failure) {
      not_json = failure.what();
      return std::nullopt;
    }
  }

  static Json output_of(const Ended& ended, const std::optional<Json>& printed) {
    if (printed) return *printed;
    Json output = Json::object({{"text", ended.output.text()}});
    if (ended.output.cut()) output.set("cut", true).set("bytes", ended.output.total());
    return output;
  }

  static bool contains(const std::vector<int>& codes, int code) {
    return std::find(codes.begin(), codes.end(), code) != codes.end();
  }

  Settings settings_;
  Descriptor stop_;  // an eventfd: cancel() comes from another thread
};

}  // namespace
}  // namespace command

DAVIT_REGISTER_AGENT(command::CommandAgent)
