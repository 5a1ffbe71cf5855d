#include "executor/test_run.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <vector>

#include "child_process/run_to_end.h"
#include "davit/failure.hpp"
#include "log_text/log_text.h"
#include "sandbox/confined.h"

namespace executor {
namespace {

using child::Stopped;
using davit::Failure;
using davit::Status;
using std::chrono::milliseconds;

constexpr const char* kSearchPath = "/usr/local/bin:/usr/bin:/bin";  // of the sandbox
constexpr std::size_t kMostOutput = std::size_t{16} << 20;           // bytes

sandbox::Policy policy_for(const Settings& settings, const davit::AgentContext& context,
                           const std::filesystem::path& tree) {
  sandbox::Policy policy = settings.shared.sandbox;
  policy.command = context.sandbox.command;
  policy.required = context.sandbox.required;
  policy.work = tree;
  policy.work_is_writable = true;
  policy.network = sandbox::Network::None;
  policy.hosts.clear();
  policy.files.clear();
  return policy;
}

class Commands {
 public:
  Commands(const Settings& settings, const davit::Run& run, sandbox::Confined& confined)
      : settings_(settings), run_(run), confined_(confined) {}

  // What is wrong; empty: nothing.
  std::string fault_of(const char* name, const std::vector<std::string>& command) {
    // Both outputs in the order in which they were written.
    std::vector<std::string> arguments{"sh", "-c", "exec \"$0\" \"$@\" 2>&1"};
    arguments.insert(arguments.end(), command.begin(), command.end());
    milliseconds wall = settings_.test_time;
    bool is_ours = false;
    if (const auto left = run_.remaining(); left && *left - settings_.shared.finish < wall) {
      wall = *left - settings_.shared.finish;
      is_ours = true;
    }
    if (wall.count() <= 0) throw out_of_time();
    const child::Finished finished =
        child::run_to_end(confined_.program(arguments, confined_.usual_environment()), "",
                          {.wall = wall, .most_output = kMostOutput}, [this] { return run_.is_cancelled(); });
    output_ += finished.out + finished.err;
    switch (finished.stopped) {
      case Stopped::Cancelled:
        throw Failure::cancelled("cancelled");
      case Stopped::TimedOut:
        if (is_ours) throw out_of_time();
        return std::string(name) + " did not end within " + std::to_string(settings_.test_time.count()) +
               " seconds";
      case Stopped::TooMuch:
        return std::string(name) + " printed more than " + std::to_string(kMostOutput >> 20) + " MiB";
      case Stopped::No:
        break;
    }
    return finished.wait_status == 0 ? ""
                                     : std::string(name) + " " + child::describe_end(finished.wait_status);
  }

  const std::string& output() const { return output_; }

 private:
  static Failure out_of_time() {
    return {Status::Deadline,
            "no time is left for the test command: give the agent a larger timeout_seconds than its "
            "sessions, test_seconds and finish_seconds need"};
  }

  const Settings& settings_;
  const davit::Run& run_;
  sandbox::Confined& confined_;
  std::string output_;
};

}  // namespace

TestReport run_tests(const Settings& settings, const davit::AgentContext& context, const davit::Run& run,
                     const std::filesystem::path& tree, const redact::Redactor& redactor) {
  if (settings.test_command.empty()) return {.why = "no test_command is configured", .log = ""};
  sandbox::Confined confined(policy_for(settings, context, tree));
  // What it would run is a model's work on anybody's text.
  if (!confined.why_not().empty())
    return {.why = "the test command was not run, for there is no sandbox to run it in", .log = ""};
  TestReport report;
  Commands commands(settings, run, confined);
  if (!settings.setup_command.empty()) {
    run.progress(-1, "setup", settings.setup_command.front());
    report.why = commands.fault_of("setup_command", settings.setup_command);
  }
  if (report.why.empty()) {
    run.progress(-1, "testing", settings.test_command.front());
    report.why = commands.fault_of("test_command", settings.test_command);
  }
  report.verdict = report.why.empty() ? Verdict::Passed : Verdict::Failed;
  report.log = log_text::readable_log(commands.output(), kMostLog, redactor);
  return report;
}

std::string fault_of_commands(const Settings& settings) {
  for (const auto* command : {&settings.setup_command, &settings.test_command}) {
    if (command->empty()) continue;
    const std::string& program = command->front();
    const bool is_of_the_tree = program.find('/') != std::string::npos && program.front() != '/';
    if (is_of_the_tree) continue;
    const char* name = command == &settings.test_command ? "config.test_command" : "config.setup_command";
    try {
      child::find_program(program, kSearchPath, name);
    } catch (const Failure& failure) {
      return failure.what();
    }
  }
  return "";
}

}  // namespace executor
