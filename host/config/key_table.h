// Every key of the configuration: its type, default, range and meaning. The one place they are written down;
// the reader, the suggestions for unknown keys, `davit check-config --explain` and docs/CONFIGURATION.md come
// from it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "host/config/config.h"
#include "host/config/mistake.h"
#include "host/config/yaml_document.h"

namespace davit::config {

// A key as it is explained to people.
struct KeyDoc {
  std::string path;      // "server.port", "webhooks.<name>.enabled"
  std::string type;      // "integer 0 to 65535", "no | behind_proxy | direct", "duration"
  std::string fallback;  // default as one would write it; "-" for none
  std::string meaning;   // one sentence
};
std::vector<KeyDoc> key_docs();

// The same as a Markdown table per section, as in docs/CONFIGURATION.md.
std::string key_docs_as_markdown();

// Fills `config` from the tree and appends what is wrong with it.
void read_keys(const YamlNode& root, Config& config, std::vector<Mistake>& mistakes);

}  // namespace davit::config
