#include <ostream>

#include "host/cli/context.h"
#include "host/cli/table.h"

namespace davit::cli {
namespace {

Result<int> list(const Context& context) {
  const JsonDocument answer = TRY(context.read("/api/dashboard/plugins"));
  std::ostream& out = context.surroundings.out;
  if (context.json) {
    out << to_json(answer) << '\n';
    return kExitOk;
  }
  const JsonValue* plugins = find_member(answer, "plugins");
  if (plugins == nullptr || !plugins->IsArray() || plugins->Empty()) {
    out << "No plugins. Libraries in plugins.directory are loaded.\n";
    return kExitOk;
  }
  Table table({{"KIND"},
               {"NAME", Align::Left, true},
               {"STATE"},
               {"VERSION"},
               {"ISOLATION"},
               {"GEN", Align::Right},
               {"SHA-256"}});
  for (const JsonValue& plugin : plugins->GetArray()) {
    const std::string hash = string_member(plugin, "sha256");
    table.add({cell(plugin, "kind"), cell(plugin, "name"), cell(plugin, "state"), cell(plugin, "version"),
               cell(plugin, "isolation"), cell(plugin, "generation"), hash.substr(0, 12)});
  }
  table.print(out, context.surroundings.columns);
  // Reasons are sentences: they stand below, whole.
  bool first = true;
  for (const JsonValue& plugin : plugins->GetArray()) {
    const JsonValue* refusal = find_member(plugin, "refusal");
    const bool refused = refusal != nullptr && refusal->IsObject();
    const std::string reason =
        refused ? cell(*refusal, "code") + ": " + cell(*refusal, "reason") : cell(plugin, "reason");
    if (reason == "-") continue;
    out << (first ? "\n" : "") << cell(plugin, "name") << ": " << reason << '\n';
    first = false;
  }
  return kExitOk;
}

}  // namespace

void add_plugins(CLI::App& app, Context& context) {
  CLI::App* plugins =
      app.add_subcommand("plugins", "Plugins: list those of the running host, check your own, begin a new one");
  plugins->require_subcommand(1);
  CLI::App* command =
      add_command(*plugins, context, "list", "List webhooks, agents and refused libraries with their reasons",
                  [&context] { return list(context); });
  add_json_option(*command, context);
  add_plugins_new(*plugins, context);
  add_plugins_check(*plugins, context);
}

}  // namespace davit::cli
