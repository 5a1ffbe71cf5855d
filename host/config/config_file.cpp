#include "host/config/config_file.h"

#include "host/base/file.h"
#include "host/config/key_reader.h"
#include "host/config/yaml_document.h"

namespace davit::config {

std::vector<std::string> LoadedConfig::messages() const {
  std::vector<std::string> lines;
  for (const Mistake& mistake : mistakes) lines.push_back(to_string(file, mistake));
  return lines;
}

LoadedConfig parse_config(std::string_view text, std::string_view file) {
  LoadedConfig loaded;
  loaded.file = file;
  YamlDocument document = read_yaml(text);
  loaded.mistakes = std::move(document.mistakes);
  // Of a tree that broke off every missing key would be a consequence; keys given twice leave a whole tree.
  if (document.complete) read_keys(document.root, loaded.config, loaded.mistakes);
  return loaded;
}

LoadedConfig load_config(const std::filesystem::path& path) {
  constexpr std::size_t kLimit = 1 << 20;
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    LoadedConfig loaded;
    loaded.file = path.string();
    loaded.mistakes.push_back(
        {0, "", "does not exist; `davit init` writes one, or name another with --config FILE"});
    return loaded;
  }
  const auto text = read_file(path, kLimit);
  if (text.ok()) return parse_config(*text, path.string());
  LoadedConfig loaded;
  loaded.file = path.string();
  loaded.mistakes.push_back({0, "", "cannot be read: " + text.error().message});
  return loaded;
}

}  // namespace davit::config
