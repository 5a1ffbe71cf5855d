// From the configuration to what plugins are run with.
#pragma once

#include <vector>

#include "host/config/config.h"
#include "host/config/secrets.h"
#include "host/dispatch/scheduler.h"
#include "host/live/live_plugins.h"
#include "host/plugin/settings.h"

namespace davit {

std::vector<plugin::WebhookSettings> webhook_settings(const config::Config& config,
                                                      const config::ResolvedSecrets& secrets);
std::vector<plugin::AgentSettings> agent_settings(const config::Config& config,
                                                  const config::ResolvedSecrets& secrets);
plugin::AgentDefaults agent_defaults(const config::Config& config, const config::ResolvedSecrets& secrets);

std::vector<dispatch::Schedule> schedules(const config::Config& config);

// All of it; `file` is named where a plugin's settings are at fault.
live::Wanted wanted_plugins(const std::string& file, const config::Config& config,
                            const config::ResolvedSecrets& secrets);

}  // namespace davit
