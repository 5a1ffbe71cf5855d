// The result line counts, not the exit status: the CLI has ended with 0 after a failure, and with 1 after a
// good result. And of the result `is_error` counts as much as `subtype`: not being logged in is a "success"
// with is_error true.
#include "claude_cli/outcome.h"

#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <initializer_list>

#include "child_process/child_process.h"
#include "claude_cli/settings.h"

namespace claude {
namespace {

using davit::Status;
using std::chrono::milliseconds;

constexpr std::size_t kMostQuoted = 500;
constexpr milliseconds kUsualWait = std::chrono::minutes(1);
constexpr milliseconds kLeastWait = std::chrono::seconds(5);
constexpr milliseconds kMostWait = std::chrono::hours(24);
constexpr char kRemedy[] =
    "install Claude Code (npm install -g @anthropic-ai/claude-code) and name it in config.claude.path";
constexpr char kNoKey[] =
    "the model's key is missing or refused: grant a good ANTHROPIC_API_KEY, or what else "
    "config.claude.pass_environment names; "
    "the CLI says";

// The status of env, of a shell and of the sandbox for a program that is not there, or whose interpreter is
// not.
constexpr int kCannotRun = 127;
constexpr char kUnseen[] =
    "the CLI cannot be run in the sandbox, for its interpreter is not below /usr: install Claude Code by its "
    "native installer, "
    "or an interpreter below /usr/bin, or name its folder in config.sandbox.read_only where the CLI names it "
    "by its whole path";

struct Class {
  End end;
  std::string_view name;
  Status status;
};
constexpr std::array kClasses = {
    Class{End::Ok, "ok", Status::Ok},
    Class{End::GaveUp, "gave-up", Status::Permanent},
    Class{End::MaxTurns, "max-turns", Status::Permanent},
    Class{End::Budget, "budget", Status::Permanent},
    Class{End::Schema, "schema", Status::Retryable},
    Class{End::Auth, "auth", Status::RateLimited},
    Class{End::RateLimited, "rate-limited", Status::RateLimited},
    Class{End::Overloaded, "overloaded", Status::RateLimited},
    Class{End::Hung, "hung", Status::Retryable},
    Class{End::OutputLimit, "output-limit", Status::Permanent},
    Class{End::Killed, "killed", Status::Retryable},
    Class{End::Crashed, "crashed", Status::Retryable},
    Class{End::NotInstalled, "not-installed", Status::Permanent},
    Class{End::Cancelled, "cancelled", Status::Cancelled},
    Class{End::Deadline, "deadline", Status::Deadline},
};

const Class& class_of(End end) {
  return *std::find_if(kClasses.begin(), kClasses.end(), [&](const Class& row) { return row.end == end; });
}

bool contains_any(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return text.find(word) != std::string_view::npos; });
}

bool is_listed(const std::vector<std::string>& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

// What the other side said in words, where it gave no number.
bool speaks_of_auth(std::string_view text) {
  return contains_any(text, {"Invalid API key", "/login", "authentication_error", "OAuth token has expired",
                             "Credit balance is too low"});
}
bool speaks_of_rate_limit(std::string_view text) {
  return contains_any(text, {"usage limit reached", "You've hit your", "rate_limit_error"});
}
bool speaks_of_overload(std::string_view text) {
  return contains_any(text, {"overloaded_error", "Overloaded"});
}

// A shell or a sandbox in between says a signal as 128 and its number.
bool by_signal(int wait_status) {
  return WIFSIGNALED(wait_status) ||
         (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) > 128 && WEXITSTATUS(wait_status) < 128 + 65);
}

std::string quoted(const std::string& sentence, std::string_view text) {
  const std::string said = one_line(text, kMostQuoted);
  return said.empty() ? sentence : sentence + ": " + said;
}

Outcome ended(End end, std::string why) {
  Outcome outcome;
  outcome.end = end;
  outcome.why = std::move(why);
  return outcome;
}

Outcome limited(const Evidence& evidence, std::string_view text) {
  Outcome outcome = ended(End::RateLimited, quoted("the model's rate limit is reached", text));
  if (const auto at = evidence.rate_limit.resets_at_ms; at && evidence.rate_limit.rejected)
    outcome.until = davit::time_from_unix_ms(*at);
  return outcome;
}

Outcome of_answer(const Result& result, const Asked& asked) {
  if (asked.max_turns < result.turns) {
    return ended(End::MaxTurns, "it took " + std::to_string(result.turns) + " turns where max_turns allows " +
                                    std::to_string(asked.max_turns));
  }
  if (result.stop_reason == "refusal") return ended(End::GaveUp, quoted("the model refused", result.text));
  if (asked.schema && !result.structured.is_object())
    return ended(End::Schema, quoted("the answer has no structured output", result.text));
  if (asked.schema && result.structured["status"] == "cannot") {
    const davit::JsonView said = result.structured["reason"];
    return ended(End::GaveUp, quoted("the model says that it cannot",
                                     said.is_string() ? said.string_or("") : std::string_view(result.text)));
  }
  return ended(End::Ok, "");
}

// Trouble on the way to the model, by number or by word.
std::optional<Outcome> of_requests(const Evidence& evidence, int status, std::string_view text) {
  if (status == 401 || status == 403 || speaks_of_auth(text)) return ended(End::Auth, quoted(kNoKey, text));
  if (status == 429 || evidence.rate_limit.rejected || speaks_of_rate_limit(text))
    return limited(evidence, text);
  if ((status >= 500 && status <= 599) || speaks_of_overload(text))
    return ended(End::Overloaded, quoted("the model's service has trouble", text));
  return std::nullopt;
}

Outcome of_result(const Evidence& evidence) {
  const Result& result = *evidence.result;
  if (result.subtype == "success" && !result.is_error) return of_answer(result, evidence.asked);
  if (result.subtype == "error_max_turns") {
    return ended(End::MaxTurns,
                 "it was not done after max_turns (" + std::to_string(evidence.asked.max_turns) + ") turns");
  }
  if (result.subtype == "error_max_budget_usd")
    return ended(End::Budget,
                 "it was not done when its money (max_usd, or what the task had left) was spent");
  if (result.subtype == "error_max_structured_output_retries")
    return ended(End::Schema, quoted("no answer had the shape that was asked for", result.text));
  if (auto trouble = of_requests(evidence, result.api_status, result.text)) return *trouble;
  return ended(End::Crashed, quoted("the session failed (" + result.subtype + ")", result.text));
}

Outcome without_result(const Evidence& evidence) {
  const Exit& exit = evidence.exit;
  if (evidence.over_limit) return ended(End::OutputLimit, "the CLI printed more than is read of a session");
  if (auto trouble = of_requests(evidence, evidence.retry_status, "")) return *trouble;
  if (exit.stop == Stop::Silent)
    return ended(End::Hung, "the CLI said nothing for idle_seconds and was ended");
  if (exit.stop == Stop::NeverStarted)
    return ended(End::Hung, "the CLI did not begin within start_seconds and was ended");
  const std::string end = "the CLI " + child::describe_end(exit.wait_status) + " without a result";
  if (by_signal(exit.wait_status)) return ended(End::Killed, quoted(end, exit.last_error_line));
  if (!evidence.init && WIFEXITED(exit.wait_status) && WEXITSTATUS(exit.wait_status) == kCannotRun)
    return ended(End::NotInstalled, quoted(kUnseen, exit.last_error_line));
  if (contains_any(exit.last_error_line, {"unknown option"})) {
    return ended(End::NotInstalled,
                 quoted("the CLI is too old for this use, " + std::string(kRemedy), exit.last_error_line));
  }
  if (speaks_of_auth(exit.last_error_line)) return ended(End::Auth, quoted(kNoKey, exit.last_error_line));
  return ended(End::Crashed, quoted(end, exit.last_error_line));
}

}  // namespace

std::string_view name_of(End end) { return class_of(end).name; }

std::optional<Fault> fault_of(const Init& init, const Asked& asked) {
  if (!at_least(init.version, asked.min_version)) {
    return Fault{End::NotInstalled, "the CLI is of version '" + one_line(init.version, 40) +
                                        "' and must be at least " + asked.min_version + ": " + kRemedy};
  }
  for (const std::string& tool : asked.tools) {
    if (!is_listed(init.tools, tool)) return Fault{End::Crashed, "the session has no tool " + tool};
  }
  for (const std::string& name : asked.servers) {
    const auto server = std::find_if(init.servers.begin(), init.servers.end(),
                                     [&](const Init::Server& one) { return one.name == name; });
    const std::string status = server == init.servers.end() ? "missing" : one_line(server->status, 40);
    if (status != "connected" && status != "pending")
      return Fault{End::Crashed, "the session's MCP server " + name + " did not start (" + status + ")"};
  }
  return std::nullopt;
}

Outcome judged(const Evidence& evidence) {
  if (evidence.exit.stop == Stop::Cancelled) return ended(End::Cancelled, "cancelled");
  if (evidence.exit.stop == Stop::Deadline)
    return ended(End::Deadline, "the session was ended: the task's time is nearly over");
  if (evidence.init) {
    if (const auto fault = fault_of(*evidence.init, evidence.asked)) return ended(fault->end, fault->why);
  }
  return evidence.result ? of_result(evidence) : without_result(evidence);
}

Outcome not_installed(const std::string& why) {
  Outcome outcome = ended(End::NotInstalled, why + ": " + kRemedy + "; command-agent works without it");
  outcome.cost_is_estimate = false;
  return outcome;
}

bool is_of_account(End end) { return class_of(end).status == Status::RateLimited; }

std::optional<davit::Failure> failure_of(const Outcome& outcome, davit::Time now) {
  if (outcome.end == End::Ok) return std::nullopt;
  const std::string why = "claude: " + outcome.why;
  if (is_of_account(outcome.end)) {
    const milliseconds wait = outcome.until ? *outcome.until - now : kUsualWait;
    return davit::Failure::rate_limited(why, std::clamp(wait, kLeastWait, kMostWait));
  }
  return davit::Failure(class_of(outcome.end).status, why);
}

}  // namespace claude
