// Reads the tree of a file by the tables of keys.
#pragma once

#include <vector>

#include "host/config/config.h"
#include "host/config/mistake.h"
#include "host/config/yaml_document.h"

namespace davit::config {

// Fills `config` from the tree and appends what is wrong with it; then all mistakes are in the order of their
// lines.
void read_keys(const YamlNode& root, Config& config, std::vector<Mistake>& mistakes);

}  // namespace davit::config
