// What several keys decide together: what contradicts what, and values that follow from others.
#pragma once

#include <string>
#include <vector>

#include "host/config/config.h"
#include "host/config/mistake.h"
#include "host/config/yaml_document.h"

namespace davit::config {

// Of one instance that was read. `entry` is its part of the file and `path` that part's name.
void check_webhook(const YamlNode::Member& entry, const std::string& path, WebhookConfig& webhook,
                   std::vector<Mistake>& mistakes);
void check_schedule(const YamlNode::Member& entry, const std::string& path, std::vector<Mistake>& mistakes);

// Likewise; all of `config` but agents and schedules has been read before.
void check_agent(const YamlNode::Member& entry, const std::string& path, const AgentConfig& agent,
                 const Config& config, std::vector<Mistake>& mistakes);
void check_agent_defaults(const YamlNode::Member& entry, Config& config, std::vector<Mistake>& mistakes);

// Of the whole file, after everything else.
void check_all(const YamlNode& root, Config& config, std::vector<Mistake>& mistakes);

}  // namespace davit::config
