#include <ostream>

#include "host/cli/context.h"
#include "host/cli/table.h"
#include "host/config/key_table.h"

namespace davit::cli {
namespace {

int explain(std::ostream& out) {
  std::string section;
  for (const config::KeyDoc& doc : config::key_docs()) {
    const std::string its_section = doc.path.substr(0, doc.path.rfind('.'));
    if (its_section != section) out << (section.empty() ? "" : "\n") << its_section << '\n';
    section = its_section;
    out << "  " << doc.path.substr(section.size() + 1) << ": " << doc.type
        << (doc.fallback == "-" ? "" : " (default " + doc.fallback + ")") << "\n      " << doc.meaning
        << '\n';
  }
  return kExitOk;
}

std::string counted(std::size_t number, const std::string& noun) {
  return std::to_string(number) + " " + noun + (number == 1 ? "" : "s");
}

Result<int> check(const Context& context) {
  const config::LoadedConfig loaded = config::load_config(context.config_path());
  std::vector<std::string> mistakes = loaded.messages();
  std::ostream& out = context.surroundings.out;
  if (loaded.ok()) {
    const config::ResolvedSecrets secrets =
        config::resolve_secrets(loaded.config, context.surroundings.environment);
    for (const config::Mistake& note : secrets.notes)
      out << "note: " << printable(to_string(loaded.file, note)) << '\n';
    for (const config::Mistake& mistake : secrets.mistakes)
      mistakes.push_back(to_string(loaded.file, mistake));
  }
  for (const std::string& mistake : mistakes) context.surroundings.error << printable(mistake) << '\n';
  if (!mistakes.empty()) return kExitFailed;
  out << printable(loaded.file) << " is good: " << counted(loaded.config.webhooks.size(), "webhook") << ", "
      << counted(loaded.config.agents.size(), "agent") << '\n';
  return kExitOk;
}

}  // namespace

void add_check_config(CLI::App& app, Context& context) {
  auto wants = std::make_shared<bool>(false);
  add_command(app, context, "check-config", "Check the configuration and where its secrets are kept",
              [&context, wants]() -> Result<int> {
                return *wants ? Result<int>(explain(context.surroundings.out)) : check(context);
              })
      ->add_flag("--explain", *wants, "Print every key with its type, default and meaning");
}

}  // namespace davit::cli
