// First the file by itself, then what it says of plugins: they are looked at as `davit serve` does at its
// start, so that what would keep an instance from serving is told before, with its line. Nothing is served
// and no code of a plugin runs in this process.
#include <sys/prctl.h>

#include <algorithm>
#include <cctype>
#include <ostream>
#include <set>

#include "host/base/json.h"
#include "host/base/log.h"
#include "host/base/nearest_name.h"
#include "host/cli/context.h"
#include "host/cli/generated_token.h"
#include "host/cli/table.h"
#include "host/config/key_docs.h"
#include "host/isolation/probe.h"
#include "host/isolation/process_tree.h"
#include "host/plugin/agent_defaults.h"
#include "host/plugin/plugin_store.h"
#include "host/plugin/refusal_codes.h"
#include "host/settings_from_config.h"

namespace davit::cli {
namespace {

constexpr int kLooksAtUnsettledFiles = 3;

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

struct Findings {
  std::vector<config::Mistake> mistakes, notes;
};

// --- plugins

// As long as it lives, no other process of the same user may read this one's memory and environment: they
// hold secrets.
class Undumpable {
 public:
  Undumpable() : before_(::prctl(PR_GET_DUMPABLE)) { ::prctl(PR_SET_DUMPABLE, 0); }
  ~Undumpable() { ::prctl(PR_SET_DUMPABLE, before_ == 1 ? 1 : 0); }
  Undumpable(const Undumpable&) = delete;
  Undumpable& operator=(const Undumpable&) = delete;

 private:
  int before_;
};

std::vector<plugin::LibraryRecord> libraries_of(const config::Config& config, Log& log, const Clock& clock) {
  plugin::ScanOptions options;
  options.drop_folder = config.plugins.directory;
  options.store_folder = std::filesystem::absolute(config.plugins.store);
  options.pinned_sha256 = config.plugins.pinned_sha256;
  options.allow_writable = config.plugins.allow_writable;
  options.settle = config.plugins.settle;
  isolation::ProbeOptions probe;
  probe.deadline = config.plugins.probe_timeout;
  probe.memory_limit = config.plugins.probe_memory;
  // As the host: a library does not see our environment and memory, and what it leaves behind is ended.
  const Undumpable while_libraries_run;
  isolation::become_subreaper();
  isolation::KnownChildren children;
  plugin::PluginScanner scanner(
      options,
      [&](const std::filesystem::path& file) { return isolation::probe(file, probe, children, log); }, log,
      clock);
  return scanner.scan_settled(kLooksAtUnsettledFiles);
}

std::string refusal_text(const plugin::LibraryRecord& library) {
  return library.source.string() + " is refused (" + library.refusal->code + "): " + library.refusal->reason;
}

// Would a person take this file for the plugin of that name? command_agent.so for command-agent.
bool sounds_like(const std::filesystem::path& file, std::string name) {
  std::string stem = file.stem().string();
  for (std::string* text : {&stem, &name}) {
    for (char& c : *text) c = c == '-' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return stem == name || stem == "lib" + name;
}

// Compares an assembled snapshot with the configuration it was made from. Confined to one call of findings().
class PluginCheck {
 public:
  PluginCheck(const config::Config& config, const plugin::Snapshot& snapshot)
      : config_(config), snapshot_(snapshot) {}

  Findings findings() {
    for (const auto& [name, webhook] : snapshot_.webhooks) {
      const auto from = config_.webhooks.find(name);
      if (from == config_.webhooks.end())
        look_at_unnamed("webhooks." + name, *webhook);
      else
        look_at("webhooks." + name, from->second, PluginKind::Webhook, from->second.plugin, *webhook);
    }
    for (const auto& [name, agent] : snapshot_.agents) {
      const auto from = config_.agents.find(name);
      if (from == config_.agents.end())
        look_at_unnamed("agents." + name, *agent);
      else
        look_at("agents." + name, from->second, PluginKind::Agent, name, *agent);
    }
    look_for_agents();
    look_for_takers();
    for (const plugin::LibraryRecord& library : snapshot_.libraries) {
      if (library.refusal && !told_.contains(library.source))
        findings_.notes.push_back(
            {config_.plugins.directory_line, "plugins.directory", refusal_text(library)});
    }
    return std::move(findings_);
  }

 private:
  template <typename Instance>
  void look_at_unnamed(const std::string& path, const Instance& instance) {
    using enum plugin::ServingState;
    if (instance.state != BadConfig && instance.state != NoSecret) return;
    findings_.notes.push_back({0, path,
                               "is offered by " + instance.generation->source.filename().string() +
                                   " and does not serve: " + instance.state_reason});
  }

  template <typename Section, typename Instance>
  void look_at(const std::string& path, const Section& from, PluginKind kind, const std::string& plugin_name,
               const Instance& instance) {
    if (!from.enabled) return;
    using enum plugin::ServingState;
    switch (instance.state) {
      case Serving:
      case Disabled:
      case Quarantined:  // the running host's to say
        return;
      case Missing:
        findings_.mistakes.push_back({from.line, path, missing(kind, plugin_name)});
        return;
      case BadConfig:
        if (instance.config_sentence.empty())
          findings_.mistakes.push_back({from.line, path, instance.state_reason});
        else if (kind == PluginKind::Agent)
          findings_.mistakes.push_back(config::mistake_in_agent_config(
              config_, plugin_name, instance.config_pointer, instance.config_sentence));
        else
          findings_.mistakes.push_back(config::mistake_in_plugin_config(
              path, from.config_lines, from.line, instance.config_pointer, instance.config_sentence));
        return;
      case NoSecret:
        // A source that is named and holds nothing was noted with the secrets.
        if constexpr (requires { from.secrets; }) {
          if (from.secrets.empty()) findings_.notes.push_back({from.line, path, instance.state_reason});
        }
    }
  }

  // Tasks for an agent that nobody offers wait for it: that may be meant, and mostly is a slip of the pen.
  void look_for_agents() {
    for (const auto& [name, schedule] : config_.schedules)
      if (schedule.enabled) look_for_agent("schedules." + name + ".agent", schedule.line, schedule.agent);
    if (!config_.approvals.notify.empty()) look_for_agent("approvals.notify", 0, config_.approvals.notify);
    if (!config_.chain.notify.empty()) look_for_agent("chain.notify", 0, config_.chain.notify);
    for (const auto& [name, webhook] : config_.webhooks) {
      if (!webhook.enabled) continue;
      if (const auto json = parse_json(webhook.config))
        look_for_agents_in("webhooks." + name + ".config", "", *json, webhook);
    }
    for (const auto& [name, agent] : config_.agents) {
      if (!agent.enabled) continue;
      if (const auto json = parse_json(agent.config))
        look_for_agents_in("agents." + name + ".config", "", *json, agent);
    }
    if (const auto json = parse_json(config_.agent_defaults.config))
      look_for_agents_in("agent_defaults.config", "", *json, config_.agent_defaults);
  }

  // A default that no agent takes mostly is a slip of the pen, too.
  void look_for_takers() {
    std::vector<plugin::AgentMetadata> agents;
    for (const auto& [name, agent] : snapshot_.agents) {
      auto read = plugin::agent_metadata_from_json(agent->offer.metadata);
      if (auto* metadata = std::get_if<plugin::AgentMetadata>(&read)) agents.push_back(std::move(*metadata));
    }
    const auto note_unless = [&](auto takes, int line, const std::string& key, const std::string& what) {
      if (std::none_of(agents.begin(), agents.end(), takes))
        findings_.notes.push_back(
            {line, "agent_defaults." + key, "no agent in " + config_.plugins.directory + what});
    };
    for (const auto& [name, source] : config_.agent_defaults.grants) {
      const auto takes = [&name = name](const plugin::AgentMetadata& agent) {
        return std::find(agent.secrets.begin(), agent.secrets.end(), name) != agent.secrets.end();
      };
      note_unless(takes, source.line, "grants." + name, " asks for a secret of that name");
    }
    const auto json = parse_json(config_.agent_defaults.config);
    if (!json || !json->IsObject()) return;
    for (const auto& member : json->GetObject()) {
      const std::string name(member.name.GetString(), member.name.GetStringLength());
      const auto takes = [&](const plugin::AgentMetadata& agent) {
        return plugin::has_property(agent.config_schema, name);
      };
      const auto line = config_.agent_defaults.config_lines.find("/" + name);
      note_unless(takes, line == config_.agent_defaults.config_lines.end() ? 0 : line->second,
                  "config." + name, " has a setting of that name");
    }
  }

  // In a plugin's own settings, what is called agent or agents, or ends so, names some.
  static bool is_of_agents(std::string_view setting) {
    for (const std::string_view word : {"agent", "agents"}) {
      if (setting == word) return true;
      if (setting.size() > word.size() && setting.ends_with(word) &&
          setting[setting.size() - word.size() - 1] == '_')
        return true;
    }
    return false;
  }

  template <typename Section>
  void look_for_agents_in(const std::string& path, const std::string& pointer, const JsonValue& value,
                          const Section& from) {
    const auto look = [&](const std::string& where, const std::string& at, const JsonValue& name) {
      const auto line = from.config_lines.find(at);
      if (name.IsString())
        look_for_agent(where, line == from.config_lines.end() ? from.line : line->second,
                       std::string(name.GetString(), name.GetStringLength()));
    };
    if (value.IsArray()) {
      for (rapidjson::SizeType i = 0; i < value.Size(); ++i)
        look_for_agents_in(path + "[" + std::to_string(i) + "]", pointer + "/" + std::to_string(i), value[i],
                           from);
    } else if (value.IsObject()) {
      for (const auto& member : value.GetObject()) {
        const std::string name(member.name.GetString(), member.name.GetStringLength());
        const std::string below = path + "." + name, at = pointer + "/" + name;
        if (!is_of_agents(name) || member.value.IsObject()) {
          look_for_agents_in(below, at, member.value, from);
        } else if (member.value.IsArray()) {
          for (rapidjson::SizeType i = 0; i < member.value.Size(); ++i)
            look(below + "[" + std::to_string(i) + "]", at + "/" + std::to_string(i), member.value[i]);
        } else {
          look(below, at, member.value);
        }
      }
    }
  }

  void look_for_agent(const std::string& path, int line, const std::string& name) {
    if (name.empty() || snapshot_.agents.contains(name)) return;  // one that is missing was told
    const std::vector<std::string> names = offered(PluginKind::Agent);
    const std::string nearest = nearest_name(name, names);
    findings_.notes.push_back({line, path,
                               "no library in " + config_.plugins.directory + " offers an agent named " +
                                   name + ", so its tasks will wait" +
                                   (nearest.empty() ? "" : "; did you mean " + nearest + "?")});
  }

  std::vector<std::string> offered(PluginKind kind) const {
    std::vector<std::string> names;
    for (const plugin::LibraryRecord& library : snapshot_.libraries) {
      if (!library.generation) continue;
      for (const PluginOffer& offer : library.generation->report.offers)
        if (offer.kind == kind) names.push_back(offer.name);
    }
    return names;
  }

  std::string missing(PluginKind kind, const std::string& name) {
    for (const plugin::LibraryRecord& library : snapshot_.libraries) {
      if (!library.refusal || !sounds_like(library.source, name)) continue;
      told_.insert(library.source);
      return "its library " + refusal_text(library);
    }
    const std::string noun(to_string(kind));
    std::string text = "no library in " + config_.plugins.directory + " offers " +
                       (kind == PluginKind::Agent ? "an " : "a ") + noun + " named " + name + "; ";
    const std::vector<std::string> names = offered(kind);
    const std::string nearest = nearest_name(name, names);
    if (!nearest.empty()) return text + "did you mean " + nearest + "?";
    text += names.empty() ? "put one there" : "put one there, or name one of ";
    for (std::size_t i = 0; i < names.size(); ++i) text += (i == 0 ? "" : ", ") + names[i];
    return text + ", or set enabled: false";
  }

  const config::Config& config_;
  const plugin::Snapshot& snapshot_;
  std::set<std::filesystem::path> told_;  // refused libraries that a mistake names
  Findings findings_;
};

Findings check_plugins(const config::Config& config, const config::ResolvedSecrets& secrets,
                       const Clock& clock) {
  const std::string& directory = config.plugins.directory;
  const int line = config.plugins.directory_line;
  std::error_code failed;
  if (!std::filesystem::exists(directory, failed) && !failed)
    return {{}, {{line, "plugins.directory", directory + " does not exist; nothing is loaded"}}};
  std::filesystem::directory_iterator readable(directory, failed);
  if (failed) {
    return {{{line, "plugins.directory",
              directory + " cannot be read: " + failed.message() +
                  "; name a folder that the user davit runs as can read"}},
            {}};
  }
  const auto log = Log::silent();  // all it would say is in the records
  const std::vector<plugin::LibraryRecord> libraries = libraries_of(config, *log, clock);
  for (const plugin::LibraryRecord& library : libraries) {
    // Then no library was looked at, and nothing more can be said.
    if (library.refusal && library.refusal->code == plugin::refusal::kStoreUnusable.code)
      return {{{0, "plugins.store", library.refusal->reason}}, {}};
  }
  std::vector<plugin::WebhookSettings> webhooks = webhook_settings(config, secrets);
  const std::vector<plugin::AgentSettings> agents = agent_settings(config, secrets);
  // Nothing is created in this process.
  for (plugin::WebhookSettings& webhook : webhooks) webhook.isolation = plugin::Isolation::Process;
  const plugin::AgentDefaults defaults = agent_defaults(config, secrets);
  const auto snapshot =
      plugin::assemble({libraries, webhooks, agents, {}, {}, {}, *log, clock, nullptr, nullptr, &defaults});
  return PluginCheck(config, *snapshot).findings();
}

// --- all of it

void append(Findings& all, Findings more) {
  all.mistakes.insert(all.mistakes.end(), more.mistakes.begin(), more.mistakes.end());
  all.notes.insert(all.notes.end(), more.notes.begin(), more.notes.end());
}

// Where no admin token is configured, the host takes the one that it once made.
void check_generated_token(const config::Config& config, const config::ResolvedSecrets& secrets, Findings& all) {
  const auto made = secrets.admin_token ? std::nullopt : generated_token(config);
  if (!made) return;
  if (auto shared = config::shared_token(config, "the file " + generated_token_file(config).string(),
                                         *made, secrets.reader_token.value_or("")))
    all.mistakes.push_back(std::move(*shared));
}

Result<int> check(const Context& context, bool with_plugins) {
  const config::LoadedConfig loaded = config::load_config(context.config_path());
  std::ostream& out = context.surroundings.out;
  Findings all{loaded.mistakes, {}};
  if (loaded.ok()) {
    const config::ResolvedSecrets secrets =
        config::resolve_secrets(loaded.config, context.surroundings.environment);
    append(all, {secrets.mistakes, secrets.notes});
    append(all, {secrets.unfit, {}});
    check_generated_token(loaded.config, secrets, all);
    if (with_plugins && all.mistakes.empty())
      append(all, check_plugins(loaded.config, secrets, context.surroundings.clock));
  }
  std::stable_sort(all.mistakes.begin(), all.mistakes.end(),
                   [](const auto& a, const auto& b) { return a.line < b.line; });
  for (const config::Mistake& note : all.notes)
    out << "note: " << printable(to_string(loaded.file, note)) << '\n';
  for (const config::Mistake& mistake : all.mistakes)
    context.surroundings.error << printable(to_string(loaded.file, mistake)) << '\n';
  if (!all.mistakes.empty()) return kExitFailed;
  out << printable(loaded.file) << " is good: " << counted(loaded.config.webhooks.size(), "webhook") << ", "
      << counted(loaded.config.agents.size(), "agent") << '\n';
  return kExitOk;
}

}  // namespace

void add_check_config(CLI::App& app, Context& context) {
  struct Wants {
    bool explain = false, no_plugins = false;
  };
  auto wants = std::make_shared<Wants>();
  CLI::App* command = add_command(app, context, "check-config",
                                  "Check the configuration, where its secrets are kept, and its plugins",
                                  [&context, wants]() -> Result<int> {
                                    return wants->explain ? Result<int>(explain(context.surroundings.out))
                                                          : check(context, !wants->no_plugins);
                                  });
  command->add_flag("--explain", wants->explain, "Print every key with its type, default and meaning");
  command->add_flag("--no-plugins", wants->no_plugins, "Look at the file only, not at the plugins folder");
}

}  // namespace davit::cli
