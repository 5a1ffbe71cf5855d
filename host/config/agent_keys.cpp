// The keys of agents, and of what their executions get and leave.
#include "host/config/key_sections.h"

namespace davit::config {
namespace {

constexpr std::string_view kOnRejectWords[] = {"cancel", "rework"};
constexpr std::string_view kOneAtATimeWords[] = {"entity", "group", "none"};

}  // namespace

Keys<AgentConfig> agent_keys() {
  using S = AgentConfig;
  constexpr std::string_view kAsPlugin = "what the plugin says";
  static constexpr Field kFields[] = {
      {"enabled", at<&S::enabled>, "Off means its tasks wait."},
      {"timeout_seconds", at<&S::timeout>, "Longest execution; then its whole process tree is killed.", 1000,
       168 * kHour, TextRule::Any, Notation::Seconds, kAsPlugin},
      {"max_retries", at<&S::max_retries>, "Further attempts after a failure that may pass.", 0, 100,
       TextRule::Any, Notation::WithUnit, kAsPlugin},
      {"concurrency", at<&S::concurrency>, "Executions at one time.", 1, 256},
      {"requires_approval", at<&S::requires_approval>, "A person must approve each task before it runs.", 0,
       0, TextRule::Any, Notation::WithUnit, kAsPlugin},
      {"one_at_a_time", choice<&S::one_at_a_time>(kOneAtATimeWords),
       "Which of its tasks run one after another: those about the same entity (an issue, a pull request, a "
       "thread), about the same group (its repository, project, channel), or none."},
      {"on_reject", choice<&S::on_reject>(kOnRejectWords),
       "When what follows its work is rejected: cancel ends the chain; rework gives its task back to it, "
       "with the comment."},
      {"max_reworks", at<&S::max_reworks>, "How often a chain goes back so; then a rejection ends it.", 0,
       100},
      {"session_usd", at<&S::session_usd>, "Its own budgets.session_usd.", 0, 1e9, TextRule::Any,
       Notation::WithUnit, "budgets.session_usd"},
      {"executions_per_runner", at<&S::executions_per_runner>,
       "Executions before its process is replaced; 1: a fresh one each.", 1, 1'000'000},
      {"max_crashes", at<&S::max_crashes>, "Deaths of its process with one task; then that task is parked.",
       1, 100},
      {"defaults", at<&S::defaults>, "Off means that it gets nothing of agent_defaults."},
      {"grants", at<&S::grants>,
       "Secrets the plugin may ask for, by name: {api: {env: NAME}}, {api: {file: PATH}} or {api: "
       "{credential: NAME}}."},
      {"environment", at<&S::environment>, "Variables of the host that its process sees.", 0, 0,
       TextRule::VariableName},
      {"config", JsonObject{at<&S::config>, at<&S::config_lines>},
       "The plugin's own settings, checked against its schema."},
  };
  return {kFields};
}

Keys<AgentDefaultsConfig> agent_defaults_keys() {
  using S = AgentDefaultsConfig;
  static constexpr Field kFields[] = {
      {"grants", at<&S::grants>,
       "Secrets for every agent whose plugin lists their name in `secrets` of its metadata; its own of that "
       "name come first."},
      {"environment", at<&S::environment>,
       "Variables of the host that the processes of all agents see; none that holds a secret.", 0, 0,
       TextRule::VariableName},
      {"config", JsonObject{at<&S::config>, at<&S::config_lines>},
       "Settings, each for every agent whose plugin's schema has a property of that name, unless its own "
       "config has it."},
  };
  return {kFields};
}

Keys<SandboxConfig> sandbox_keys() {
  using S = SandboxConfig;
  static constexpr Field kFields[] = {
      {"command", at<&S::command>,
       "Program that confines what agents start (bubblewrap). Agents are told; whether one acts on it, its "
       "own description says."},
      {"required", at<&S::required>,
       "A program that shall be confined is not started where the sandbox is missing. Agents are told, too."},
  };
  return {kFields};
}

Keys<TranscriptsConfig> transcripts_keys() {
  using S = TranscriptsConfig;
  static constexpr Field kFields[] = {
      {"max_size", at<&S::max_size>,
       "Size of one execution's transcript before it is packed; of a longer one the first quarter and the "
       "newest three are kept.",
       64 << 10, 256 << 20},
  };
  return {kFields};
}

Keys<ArtifactsConfig> artifacts_keys() {
  using S = ArtifactsConfig;
  static constexpr Field kFields[] = {
      {"max_size", at<&S::max_size>,
       "Largest file an execution may leave; a larger one is not kept, and its transcript says so.", 1024,
       8 << 20},
      {"max_total", at<&S::max_total>, "Size of all files that one execution may leave, at most 64 of them.",
       1024, 64 << 20},
  };
  return {kFields};
}

}  // namespace davit::config
