// The keys of the configuration as they are explained to people.
#pragma once

#include <string>
#include <vector>

namespace davit::config {

struct KeyDoc {
  std::string path;      // "server.port", "webhooks.<name>.enabled"
  std::string type;      // "integer 0 to 65535", "no | behind_proxy | direct", "duration"
  std::string fallback;  // default as one would write it; "-" for none
  std::string meaning;   // one sentence
};
std::vector<KeyDoc> key_docs();

// The same as a Markdown table per section, as in docs/CONFIGURATION.md.
std::string key_docs_as_markdown();

}  // namespace davit::config
