// The sections of the configuration. Each has a table of its keys, one line a key, in one of the files
// *_keys.cpp: the one place where a key is written down. The reader, the suggestions for unknown keys, `davit
// check-config --explain` and docs/CONFIGURATION.md come from the tables.
#pragma once

#include "host/config/config.h"
#include "host/config/key_field.h"

namespace davit::config {

// host_keys.cpp
Keys<ServerConfig> server_keys();
Keys<StorageConfig> storage_keys();
Keys<AuthConfig> auth_keys();
Keys<LogConfig> log_keys();
Keys<MetricsConfig> metrics_keys();
Keys<RepliesConfig> replies_keys();
// plugin_keys.cpp
Keys<PluginsConfig> plugins_keys();
Keys<RunnersConfig> runners_keys();
Keys<WebhookConfig> webhook_keys();
// agent_keys.cpp
Keys<AgentConfig> agent_keys();
Keys<AgentDefaultsConfig> agent_defaults_keys();
Keys<SandboxConfig> sandbox_keys();
Keys<TranscriptsConfig> transcripts_keys();
Keys<ArtifactsConfig> artifacts_keys();
// task_keys.cpp
Keys<ScheduleConfig> schedule_keys();
Keys<ChainConfig> chain_keys();
Keys<ApprovalsConfig> approvals_keys();
Keys<BudgetsConfig> budgets_keys();

// Calls visit(name, fields, section) for every section that there is one of: all but webhooks, agents and
// schedules.
template <typename Visit>
void for_each_section(Config& config, Visit&& visit) {
  const auto one = [&]<typename Section>(const char* name, Keys<Section> keys, Section& section) {
    visit(name, keys.fields, static_cast<void*>(&section));
  };
  one("server", server_keys(), config.server);
  one("storage", storage_keys(), config.storage);
  one("plugins", plugins_keys(), config.plugins);
  one("auth", auth_keys(), config.auth);
  one("log", log_keys(), config.log);
  one("metrics", metrics_keys(), config.metrics);
  one("runners", runners_keys(), config.runners);
  one("chain", chain_keys(), config.chain);
  one("approvals", approvals_keys(), config.approvals);
  one("transcripts", transcripts_keys(), config.transcripts);
  one("artifacts", artifacts_keys(), config.artifacts);
  one("replies", replies_keys(), config.replies);
  one("sandbox", sandbox_keys(), config.sandbox);
  one("budgets", budgets_keys(), config.budgets);
  one("agent_defaults", agent_defaults_keys(), config.agent_defaults);
}

}  // namespace davit::config
