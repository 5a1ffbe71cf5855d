// Settings of plugins and payloads of tasks: mappings that davit passes on as they are.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "host/config/mistake.h"
#include "host/config/yaml_document.h"

namespace davit::config {

// Reads the mapping that `entry` holds, at `path`, into `json`; nothing below the key is an empty one.
// `lines` gets the line of each thing in it by its JSON pointer (RFC 6901), "" for the key itself: a plugin's
// schema is checked much later, where only pointers tell what is meant. What is no mapping, or has a secret
// in it, is a mistake: such settings are shown in lists and pages.
void read_plugin_settings(const YamlNode::Member& entry, const std::string& path, std::string& json,
                          std::map<std::string, int>& lines, std::vector<Mistake>& mistakes);

}  // namespace davit::config
