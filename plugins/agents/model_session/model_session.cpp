#include "model_session/model_session.h"

#include <algorithm>
#include <chrono>

#include "claude_cli/confined_session.h"
#include "davit/failure.hpp"
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

}  // namespace

claude::Outcome run(const Execution& execution, const Work& work) {
  const auto& [settings, secrets, book, context, run] = execution;
  const redact::Redactor& redactor = secrets.redactor();
  const skills::Skill& skill = book.find(work.skill);
  const skills::Prompt prompt = skills::fill(skill, work.parts, std::cref(redactor));
  for (const std::string& note : prompt.notes) run.transcript("prompt", note);

  claude::Settings program = settings.claude;
  if (!skill.model.empty()) program.model = skill.model;
  if (skill.max_turns > 0) program.max_turns = std::min(program.max_turns, skill.max_turns);

  claude::Surroundings around{
      .policy = settings.sandbox,
      .lookup = [&](const std::string& name) { return execution.secrets.variable(name); },
      .redact = std::cref(redactor)};
  around.policy.command = context.sandbox.command;
  around.policy.required = context.sandbox.required;
  around.policy.work_is_writable = skill.tools == skills::Tools::Edit;

  claude::Outcome outcome = claude::run_confined(program,
                                                 {.prompt = prompt.task,
                                                  .system_prompt = prompt.rules,
                                                  .schema = skill.schema,
                                                  .session_id = std::string(context.session_id),
                                                  .tools = tools_of(skill),
                                                  .mcp_config = {},
                                                  .work = work.tree.empty() ? new_tree(context) : work.tree,
                                                  .budget_usd = context.budget_usd,
                                                  .wall = time_for(execution)},
                                                 around, run);
  outcome.text = shown(outcome.text, redactor);
  outcome.structured = without_secrets(outcome.structured, redactor);
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
