#include "model_session/needs.h"

#include <algorithm>

#include "claude_cli/confined_session.h"
#include "git_workspace/command.h"
#include "sandbox/confined.h"

namespace model_session {
namespace {

std::string lack_of_key(const agent_config::Settings& settings, const agent_config::Secrets& secrets) {
  if (secrets.has_key()) return "";
  const auto& names = settings.claude.pass_environment;
  const bool usual = std::find(names.begin(), names.end(), "ANTHROPIC_API_KEY") != names.end();
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? " (" : ", ") + name;
  return "there is no key for the model: none of claude.pass_environment" + all + (all.empty() ? "" : ")") +
         " has a value: " +
         (usual ? "grant ANTHROPIC_API_KEY" : "name there what the model's program needs, and grant it");
}

std::string lack_of_grant(const agent_config::Settings& settings, const agent_config::Secrets& secrets) {
  for (const std::string& name : settings.mcp.grants)
    if (!secrets.for_mcp(name))
      return "claude.mcp_config names ${" + name + "}, which this agent is not granted: grant " + name +
             " (agents.<name>.grants), or take the server out";
  return "";
}

}  // namespace

std::string lack_of(const agent_config::Settings& settings, const agent_config::Secrets& secrets,
                    const davit::AgentContext& context) {
  std::string lack = git::lack_of_git();
  if (lack.empty()) lack = claude::lack_of_program(settings.claude);
  if (lack.empty() && context.sandbox.required)
    lack = sandbox::lack_of_bubblewrap(std::string(context.sandbox.command));
  if (lack.empty()) lack = lack_of_key(settings, secrets);
  return lack.empty() ? lack_of_grant(settings, secrets) : lack;
}

model_account::Account account_of(const agent_config::Settings& settings, const agent_config::Secrets& secrets,
                                  const davit::AgentContext& context, const std::string& model) {
  std::vector<std::string> names = settings.claude.pass_environment;
  std::sort(names.begin(), names.end());
  // A limit may be that of one model.
  std::string identity = "model=" + model;
  for (const std::string& name : names)
    if (const auto value = secrets.variable(name)) identity += "\n" + name + "=" + *value;
  return {context.state_folder, identity, std::string(context.session_id)};
}

void await_account(const agent_config::Settings& settings, const agent_config::Secrets& secrets,
                   const davit::AgentContext& context, davit::Time now) {
  if (const auto closed = account_of(settings, secrets, context, settings.claude.model).enter(now))
    throw closed->failure(now);
}

}  // namespace model_session
