// From the configuration to what the parts and the plugins are run with.
#pragma once

#include <vector>

#include "host/config/config.h"
#include "host/config/secrets.h"
#include "host/dispatch/dispatcher.h"
#include "host/dispatch/scheduler.h"
#include "host/live/live_plugins.h"
#include "host/plugin/settings.h"
#include "host/replies/replies.h"
#include "host/store/store.h"

namespace davit {

std::vector<plugin::WebhookSettings> webhook_settings(const config::Config& config,
                                                      const config::ResolvedSecrets& secrets);
std::vector<plugin::AgentSettings> agent_settings(const config::Config& config,
                                                  const config::ResolvedSecrets& secrets);
plugin::AgentDefaults agent_defaults(const config::Config& config, const config::ResolvedSecrets& secrets);

std::vector<dispatch::Schedule> schedules(const config::Config& config);
dispatch::ChainOptions chain_options(const config::ChainConfig& chain);
dispatch::KeepOptions keep_options(const config::Config& config);
plugin::Sandbox sandbox_of(const config::SandboxConfig& sandbox);
replies::Allowed allowed_replies(const config::RepliesConfig& replies);
store::BudgetLimits budget_limits(const config::Config& config);
store::ApprovalRules approval_rules(const config::Config& config);
store::LineRules line_rules(const config::Config& config);
store::Retention retention_of(const config::Config& config);

// All of it; `file` is named where a plugin's settings are at fault.
live::Wanted wanted_plugins(const std::string& file, const config::Config& config,
                            const config::ResolvedSecrets& secrets);

}  // namespace davit
