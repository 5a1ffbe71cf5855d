// From the text of config/davit.yaml to Config, with every mistake told at once.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "host/config/config.h"
#include "host/config/mistake.h"

namespace davit::config {

// `config` is complete and checked only if there are no mistakes; otherwise it is not to be used.
struct LoadedConfig {
  std::string file;  // as it was named, for messages
  Config config;
  std::vector<Mistake> mistakes;  // in the order of the file

  bool ok() const { return mistakes.empty(); }
  // One line per mistake.
  std::vector<std::string> messages() const;
};

// Reads a file of at most 1 MiB. A file that is missing or cannot be read is a mistake too.
LoadedConfig load_config(const std::filesystem::path& path);

// The same from text; `file` is only named.
LoadedConfig parse_config(std::string_view text, std::string_view file);

}  // namespace davit::config
