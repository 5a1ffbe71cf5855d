#include <algorithm>
#include <ostream>

#include "host/cli/context.h"
#include "host/cli/table.h"
#include "host/plugin/settings.h"

namespace davit::cli {
namespace {

constexpr std::string_view kConfigured = "configured";  // in the place of a number

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
    out << (first ? "\n" : "") << cell(plugin, "name") << ": " << reason;
    if (const std::string serving = cell(plugin, "serving_generation"); serving != "-")
      out << " (generation " << serving << " serves on)";
    out << '\n';
    first = false;
  }
  return kExitOk;
}

Result<int> list_agents_with(const Context& context, const std::string& capability) {
  const JsonDocument answer =
      TRY(context.read(with_query("/api/dashboard/agents", {{"capability", capability}})));
  std::ostream& out = context.surroundings.out;
  if (context.json) {
    out << to_json(answer) << '\n';
    return kExitOk;
  }
  const JsonValue* agents = find_member(answer, "agents");
  if (agents == nullptr || !agents->IsArray() || agents->Empty()) {
    out << "No agent is capable of " << printable(capability) << ".\n";
    return kExitOk;
  }
  Table table({{"NAME"}, {"STATE"}, {"VERSION"}, {"DESCRIPTION", Align::Left, true}});
  for (const JsonValue& agent : agents->GetArray())
    table.add(
        {cell(agent, "name"), cell(agent, "state"), cell(agent, "version"), cell(agent, "description")});
  table.print(out, context.surroundings.columns);
  return kExitOk;
}

struct Chosen {
  std::string kind, name;
};

// Shows what became of it: its state may have reasons of its own.
Result<int> act(const Context& context, const Chosen& chosen, const std::string& verb) {
  const JsonDocument now = TRY(
      context.post("/api/plugins/" + chosen.kind + "/" + percent_encoded(chosen.name) + "/" + verb, "{}"));
  std::ostream& out = context.surroundings.out;
  if (context.json) {
    out << to_json(now) << '\n';
    return kExitOk;
  }
  out << chosen.kind << ' ' << chosen.name << ": " << cell(now, "state");
  if (const std::string reason = cell(now, "reason"); reason != "-") out << " (" << reason << ')';
  out << '\n';
  return kExitOk;
}

// Shows what holds now, and where it is from.
Result<int> set_concurrency(const Context& context, const std::string& agent, const std::string& number) {
  const ApiClient client = TRY(context.client());
  const std::string path = "/api/agents/" + percent_encoded(agent) + "/concurrency";
  const JsonDocument now = number == kConfigured
                               ? TRY(client.remove(path))
                               : TRY(client.put(path, "{\"concurrency\":" + std::to_string(std::stoi(number)) + "}"));
  std::ostream& out = context.surroundings.out;
  if (context.json) {
    out << to_json(now) << '\n';
    return kExitOk;
  }
  out << printable(agent) << ": " << int_member(now, "concurrency") << " at one time, ";
  if (bool_member(now, "concurrency_is_set")) {
    out << "set by command (configured: " << int_member(now, "configured_concurrency") << ")\n";
  } else {
    out << "as configured\n";
  }
  return kExitOk;
}

// A number that a host may take, or the word for the configured one.
std::string fault_of_number(const std::string& text) {
  const bool digits = !text.empty() && text.size() <= 3 &&
                      std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  const int number = digits ? std::stoi(text) : 0;
  if (text == kConfigured || (number >= 1 && number <= plugin::kMostConcurrency)) return "";
  return "must be a number from 1 to " + std::to_string(plugin::kMostConcurrency) + ", or " +
         std::string(kConfigured);
}

Result<int> rescan(const Context& context) {
  const JsonDocument found = TRY(context.post("/api/plugins/rescan", "{}"));
  std::ostream& out = context.surroundings.out;
  if (context.json) {
    out << to_json(found) << '\n';
  } else {
    out << int_member(found, "libraries") << " libraries, " << int_member(found, "refused") << " refused\n";
  }
  return kExitOk;
}

}  // namespace

void add_plugins(CLI::App& app, Context& context) {
  CLI::App* plugins =
      app.add_subcommand("plugins", "Plugins: those of the running host, and making and checking your own");
  plugins->require_subcommand(1);
  auto capability = std::make_shared<std::string>();
  CLI::App* command =
      add_command(*plugins, context, "list", "List webhooks, agents and refused libraries with their reasons",
                  [&context, capability] {
                    return capability->empty() ? list(context) : list_agents_with(context, *capability);
                  });
  command->add_option("--capability", *capability,
                      "Only agents that say they can do this: planning, review, …");
  add_json_option(*command, context);

  auto chosen = std::make_shared<Chosen>();
  for (const auto& [verb, description] :
       {std::pair("enable", "Let a webhook or an agent serve; kept over restarts"),
        std::pair("disable", "Let a webhook answer 404, or an agent's tasks wait; kept over restarts"),
        std::pair("clear", "Forget the crashes of its library: ends its quarantine")}) {
    CLI::App* action =
        add_command(*plugins, context, verb, description,
                    [&context, chosen, verb = std::string(verb)] { return act(context, *chosen, verb); });
    action->add_option("kind", chosen->kind, "webhook or agent")
        ->required()
        ->check(CLI::IsMember({"webhook", "agent"}));
    action->add_option("name", chosen->name, "Its name, as davit plugins list shows it")->required();
    add_json_option(*action, context);
  }
  struct Limit {
    std::string agent, number;
  };
  auto limit = std::make_shared<Limit>();
  CLI::App* concurrency =
      add_command(*plugins, context, "concurrency",
                  "How many tasks an agent works on at one time; kept over restarts, what runs goes on",
                  [&context, limit] { return set_concurrency(context, limit->agent, limit->number); });
  concurrency->add_option("agent", limit->agent, "Its name, as davit plugins list shows it")->required();
  concurrency
      ->add_option("number", limit->number, "That many, or \"configured\": as the configuration says")
      ->required()
      ->check(fault_of_number);
  add_json_option(*concurrency, context);
  CLI::App* scan = add_command(*plugins, context, "rescan",
                               "Look at the plugins folder now, also at what was refused before",
                               [&context] { return rescan(context); });
  add_json_option(*scan, context);
  add_plugins_new(*plugins, context);
  add_plugins_check(*plugins, context);
}

}  // namespace davit::cli
