#include "model_session/model_session.h"

#include <algorithm>
#include <chrono>

#include "claude_cli/confined_session.h"
#include "claude_cli/usage.h"
#include "davit/failure.hpp"
#include "davit/sha256.hpp"
#include "model_session/needs.h"
#include "source_note/neutral.h"

namespace model_session {
namespace {

namespace fs = std::filesystem;
using davit::Failure;
using davit::Json;
using davit::JsonView;
using std::chrono::milliseconds;

// Where the host sets no end.
constexpr std::chrono::hours kLongest{24};

claude::Tools tools_of(const skills::Skill& skill) {
  switch (skill.tools) {
    case skills::Tools::Read:
      return claude::Tools::Read;
    case skills::Tools::Edit:
      return claude::Tools::Edit;
    case skills::Tools::None:
      break;
  }
  return claude::Tools::None;
}

milliseconds time_for(const Execution& execution) {
  const auto left = execution.run.remaining();
  if (!left) return kLongest;
  const milliseconds wall = *left - execution.settings.finish;
  if (wall.count() <= 0)
    throw Failure(davit::Status::Deadline,
                  "no time is left for a session of the model: give the agent a larger timeout_seconds than "
                  "its finish_seconds and what it does before");
  return std::min<milliseconds>(wall, kLongest);
}

// A tenth of a cent buys nothing.
constexpr double kLeastMoney = 0.001;

std::optional<double> money_for(const davit::AgentContext& context, const davit::Usage& before) {
  if (!context.budget_usd) return std::nullopt;
  const double left = *context.budget_usd - before.cost_usd;
  if (before.cost_usd > 0 && left < kLeastMoney)
    throw Failure::permanent("nothing is left of the task's money for one more session of the model");
  return left;
}

// The host's id for the first; for each other one made of it, in the form of a random UUID (RFC 9562, 5.4).
std::string id_of(std::string_view first, int number) {
  if (number == 0) return std::string(first);
  const davit::Digest digest = davit::sha256(std::string(first) + "\n" + std::to_string(number));
  std::string id;
  for (std::size_t i = 0; i < 16; ++i) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    if (i == 4 || i == 6 || i == 8 || i == 10) id += '-';
    unsigned byte = digest[i];
    if (i == 6) byte = (byte & 0x0F) | 0x40;
    if (i == 8) byte = (byte & 0x3F) | 0x80;
    id += {kDigits[byte / 16], kDigits[byte % 16]};
  }
  return id;
}

// What hides a secret from being found goes first; what is hidden then, such as tags, is made to be seen.
std::string shown(std::string_view text, const redact::Redactor& redactor) {
  return skills::clean(redactor(note::visible(text)), skills::Form::Verbatim).text;
}

fs::path new_tree(const davit::AgentContext& context) {
  if (context.workspace.empty()) throw Failure::permanent("the host gave no workspace for a session");
  const fs::path folder = context.workspace / "session";
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw Failure::retryable("cannot make " + folder.string() + ": " + error.message());
  return folder;
}

// One session; `before` is what the execution has used already.
claude::Outcome run_one(const Execution& execution, const Work& work, const std::string& session_id,
                        const davit::Usage& before) {
  const auto& [settings, secrets, book, context, run] = execution;
  const redact::Redactor& redactor = secrets.redactor();
  const skills::Skill& skill = book.find(work.skill);
  const skills::Prompt prompt = skills::fill(skill, work.parts, std::cref(redactor));
  for (const std::string& note : prompt.notes) run.transcript("prompt", note);

  claude::Settings program = settings.claude;
  if (!skill.model.empty()) program.model = skill.model;
  if (skill.max_turns > 0) program.max_turns = std::min(program.max_turns, skill.max_turns);

  const davit::Host& host = run.host();
  const model_account::Account account = account_of(settings, secrets, context, program.model);
  if (const auto closed = account.enter(host.now())) throw closed->failure(host.now());

  claude::Surroundings around{
      .policy = settings.sandbox,
      .lookup = [&](const std::string& name) { return execution.secrets.variable(name); },
      .redact = std::cref(redactor),
      .answered =
          [&] {
            if (account.answered()) host.info("The model answers again");
          }};
  around.policy.command = context.sandbox.command;
  around.policy.required = context.sandbox.required;
  // Reachable is what is configured, and no more.
  around.policy.hosts.insert(around.policy.hosts.end(), settings.mcp.hosts.begin(), settings.mcp.hosts.end());
  around.policy.work_is_writable = skill.tools == skills::Tools::Edit;

  claude::Outcome outcome = claude::run_confined(program,
                                                 {.prompt = prompt.task,
                                                  .system_prompt = prompt.rules,
                                                  .schema = skill.schema,
                                                  .session_id = session_id,
                                                  .tools = tools_of(skill),
                                                  .mcp_config = settings.mcp.filled(
                                                      [&](const std::string& name) {
                                                        return execution.secrets.for_mcp(name);
                                                      }),
                                                  .work = work.tree.empty() ? new_tree(context) : work.tree,
                                                  .budget_usd = money_for(context, before),
                                                  .wall = time_for(execution),
                                                  .before = before},
                                                 around, run);
  if (claude::is_of_account(outcome.end)) {
    const auto refused = account.refused(outcome.why, outcome.until, host.now());
    outcome.until = refused.until;
    if (refused.is_new)
      host.warn("The model takes no session at present; what needs one waits: " + outcome.why);
  }
  outcome.text = shown(outcome.text, redactor);
  outcome.structured = without_secrets(outcome.structured, redactor);
  return outcome;
}

}  // namespace

claude::Outcome run(const Execution& execution, const Work& work) {
  return run_one(execution, work, std::string(execution.context.session_id), {});
}

claude::Outcome Sessions::run(const Work& work) {
  claude::Outcome outcome = run_one(execution_, work, id_of(execution_.context.session_id, count_), usage_);
  ++count_;
  usage_ = claude::sum_of(usage_, outcome.usage);
  return outcome;
}

Json without_secrets(JsonView json, const redact::Redactor& redactor) {
  if (json.is_string()) return shown(json.string_or(""), redactor);
  if (json.is_array()) {
    Json list = Json::array();
    for (const JsonView item : json) list.push_back(without_secrets(item, redactor));
    return list;
  }
  if (json.is_object()) {
    Json object = Json::object();
    for (const auto& [name, value] : json.members())
      object.set(shown(name, redactor), without_secrets(value, redactor));
    return object;
  }
  return Json(json);
}

}  // namespace model_session
