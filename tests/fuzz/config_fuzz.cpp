// davit.yaml, from text to secrets: every text is a configuration or has mistakes that a person can read, and
// no message holds the value of a secret. No file is looked at.
#include <string>

#include "host/base/json.h"
#include "host/config/config_file.h"
#include "host/config/secrets.h"
#include "host/config/yaml_document.h"
#include "tests/fuzz/fuzz.h"

namespace {

namespace config = davit::config;
using davit::fuzz::promise;

constexpr std::string_view kSecret = "0canary1canary2canary3canary4";

bool reads_files(const config::Config& configuration) {
  auto is_file = [](const config::SecretSource& source) {
    return source.kind == config::SecretSource::Kind::File;
  };
  auto grants_file = [&](const auto& item) {
    for (const auto& [name, source] : item.grants) {
      if (is_file(source)) return true;
    }
    return false;
  };
  for (const auto& [name, webhook] : configuration.webhooks) {
    if (grants_file(webhook) || std::any_of(webhook.secrets.begin(), webhook.secrets.end(), is_file))
      return true;
  }
  return std::any_of(configuration.agents.begin(), configuration.agents.end(),
                     [&](const auto& agent) { return grants_file(agent.second); });
}

void check_mistakes(const std::vector<config::Mistake>& mistakes, int lines) {
  for (const config::Mistake& mistake : mistakes) {
    promise(mistake.line >= 0 && mistake.line <= lines, "a mistake stands in the file");
    const std::string message = config::to_string("davit.yaml", mistake);
    promise(davit::fuzz::is_one_line(message), "a mistake is one line");
    promise(davit::is_utf8(message), "a mistake is UTF-8");
    promise(message.find(kSecret) == std::string::npos, "no message holds a secret");
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = davit::fuzz::as_text(data, size);
  const int lines = 2 + static_cast<int>(std::count_if(text.begin(), text.end(),
                                                       [](char c) { return c == '\n' || c == '\r'; }));

  const config::YamlDocument document = config::read_yaml(text);
  promise(document.complete || !document.mistakes.empty(), "a tree that broke off has a mistake");
  if (document.mistakes.empty()) {
    promise(davit::check_json(config::to_json_text(document.root)).ok(), "a tree can be written as JSON");
  }

  const config::LoadedConfig loaded = config::parse_config(text, "davit.yaml");
  check_mistakes(loaded.mistakes, lines);
  if (!loaded.ok()) return 0;
  promise(davit::is_utf8(text), "a configuration is UTF-8");
  for (const auto& [name, webhook] : loaded.config.webhooks) {
    promise(davit::check_json(webhook.config).ok(), "what a plugin gets is JSON");
  }
  if (reads_files(loaded.config)) return 0;
  const config::ResolvedSecrets secrets =
      config::resolve_secrets(loaded.config, [](const std::string&) { return std::string(kSecret) + "\n"; });
  check_mistakes(secrets.mistakes, lines);
  check_mistakes(secrets.notes, lines);
  return 0;
}
