// From libraries and settings to a snapshot. An instance is judged in this order, and shows the first thing
// that is wrong: missing, disabled, in quarantine, bad config (schema, secrets, who checks signatures), no
// secret. Only one that is to serve is created in process, and one that has not changed is carried over
// instead.
#include <algorithm>
#include <set>

#include "host/plugin/metadata.h"
#include "host/plugin/plugin_store.h"

namespace davit::plugin {
namespace {

constexpr std::size_t kMinSecretBytes = 16;
constexpr Duration kLoadPatience{10'000};  // for the library's constructors and its metadata

struct Offered {
  std::shared_ptr<const Generation> generation;
  PluginOffer offer;
};

std::map<std::string, Offered, std::less<>> offers_of(const std::vector<LibraryRecord>& libraries,
                                                      PluginKind kind) {
  std::map<std::string, Offered, std::less<>> offers;
  for (const LibraryRecord& library : libraries) {
    if (!library.generation) continue;
    for (const PluginOffer& offer : library.generation->report.offers) {
      if (offer.kind == kind) offers.emplace(offer.name, Offered{library.generation, offer});
    }
  }
  return offers;
}

// Nullopt when all secrets can be used.
std::optional<std::string> fault_of_secrets(const WebhookSettings& settings,
                                            const std::optional<SignatureScheme>& scheme) {
  for (std::size_t i = 0; i < settings.secrets.size(); ++i) {
    const std::string& secret = settings.secrets[i];
    const int number =
        i < settings.secret_numbers.size() ? settings.secret_numbers[i] : static_cast<int>(i) + 1;
    const std::string which = "secret number " + std::to_string(number) + " ";
    if (secret.size() < kMinSecretBytes) {
      return which + "has " + std::to_string(secret.size()) + " bytes; use at least " +
             std::to_string(kMinSecretBytes) + " that nobody can guess";
    }
    if (!scheme) continue;
    if (auto usable = check_secret(*scheme, secret); !usable) return which + usable.error().message;
  }
  return std::nullopt;
}

// True if the schema refuses the config; of a Webhook or an Agent.
template <typename Instance>
bool refuse_config(Instance& instance, const std::string& config_schema) {
  auto fault = config_fault(config_schema, instance.settings.config);
  if (!fault) return false;
  instance.state = ServingState::BadConfig;
  instance.state_reason = to_sentence(*fault);
  instance.config_pointer = std::move(fault->pointer);
  instance.config_sentence = std::move(fault->sentence);
  return true;
}

// Switched off by the configuration, the plugin's own default or a command; or in quarantine. Of a Webhook or
// an Agent, whose `settings.enabled` becomes what holds.
template <typename Instance>
bool held_back(Instance& instance, PluginKind kind, const std::string& name, std::optional<bool> switched,
               bool is_configured, const Rulings& rulings) {
  instance.switched = switched;
  const bool off_in_config = is_configured && !instance.settings.enabled;
  if (!off_in_config && switched) instance.settings.enabled = *switched;
  if (!instance.settings.enabled) {
    instance.state = ServingState::Disabled;
    const std::string command = "davit plugins enable " + std::string(to_string(kind)) + " " + name;
    if (!off_in_config) {
      instance.state_reason = switched ? "it was switched off by command; " + command + " switches it on"
                                       : "it is off unless somebody wants it; " + command + " switches it on";
    } else {
      instance.state_reason = "it is switched off; set enabled: true to serve it";
      if (switched && *switched)
        instance.state_reason += " (enabled: false in the configuration wins over the command)";
    }
    return true;
  }
  if (auto found = rulings.quarantined.find(instance.generation->sha256);
      found != rulings.quarantined.end()) {
    instance.state = ServingState::Quarantined;
    instance.state_reason = found->second + "; replace the library, or davit plugins clear " +
                            std::string(to_string(kind)) + " " + name + " lets it serve again";
    return true;
  }
  return false;
}

std::optional<bool> switched_of(const std::map<std::string, bool, std::less<>>& all,
                                const std::string& name) {
  auto found = all.find(name);
  return found == all.end() ? std::nullopt : std::optional(found->second);
}

// A new generation that cannot serve with the settings there are (its schema refuses them, or it cannot be
// created) does not take the place of one that can: that one serves on, with the reason beside it.
template <typename Instance>
std::shared_ptr<const Instance> or_before(std::shared_ptr<Instance> made,
                                          std::shared_ptr<const Instance> before, const Rulings& rulings) {
  if (made->state != ServingState::BadConfig || !before || before->state != ServingState::Serving)
    return made;
  if (before->generation == made->generation || !(before->settings == made->settings) ||
      rulings.quarantined.contains(before->generation->sha256))
    return made;
  auto kept = std::make_shared<Instance>(*before);
  kept->switched = made->switched;
  kept->state_reason = "generation " + std::to_string(made->generation->number) + " is there, but " +
                       made->state_reason + "; generation " + std::to_string(before->generation->number) +
                       " serves on";
  return kept;
}

// The state of a webhook that is wanted and whose plugin is there; without creating anything.
void judge(Webhook& webhook, const WebhookMetadata& metadata) {
  auto is = [&](ServingState state, std::string reason) {
    webhook.state = state;
    webhook.state_reason = std::move(reason);
  };
  const WebhookSettings& settings = webhook.settings;
  if (refuse_config(webhook, metadata.config_schema)) return;
  if (auto fault = fault_of_secrets(settings, webhook.scheme)) return is(ServingState::BadConfig, *fault);
  if (!webhook.scheme && !settings.allow_own_signature_check && !settings.allow_unsigned) {
    return is(ServingState::BadConfig,
              "the plugin declares no signature scheme and checks signatures itself; allow it with "
              "allow_own_signature_check: true if you trust it to");
  }
  if (settings.secrets.empty() && !settings.allow_unsigned) {
    if (!settings.secret_faults.empty()) {
      return is(ServingState::NoSecret,
                "it has no secret to check signatures with: " + settings.secret_faults);
    }
    std::string reason =
        "it has no secret to check signatures with; name a secret_file and reload, or name a secret_env ";
    if (!metadata.secret_env_var.empty()) reason += "(" + metadata.secret_env_var + ") ";
    return is(ServingState::NoSecret, reason + "that the host is started with, or say allow_unsigned: true");
  }
}

void create_in_process(Webhook& webhook, const Snapshot& previous, Log& log, const Clock& clock,
                       Breadcrumb* trail) {
  const Webhook* before = previous.webhook(webhook.settings.instance);
  if (before && before->in_process && before->generation == webhook.generation &&
      before->settings == webhook.settings) {
    webhook.in_process = before->in_process;
    return;
  }
  auto fail = [&](std::string reason) {
    webhook.state = ServingState::BadConfig;
    webhook.state_reason = std::move(reason);
  };
  // A probe of these bytes came back; in this process they may behave differently all the same.
  auto loaded = [&] {
    NotedCall noted(trail, {webhook.settings.instance, webhook.generation->sha256, "load", "",
                            clock.monotonic() + kLoadPatience});
    return PluginModule::load(webhook.generation->stored);
  }();
  if (auto* refusal = std::get_if<Refusal>(&loaded)) return fail("it cannot be loaded: " + refusal->reason);
  auto instance = WebhookInstance::create(std::get<0>(loaded), webhook.offer, webhook.settings, log, clock,
                                          trail, webhook.generation->sha256);
  if (!instance) return fail("it cannot be created: " + instance.error().message);
  webhook.in_process = std::move(instance).value();
}

// Where instances come from, beside their own settings.
struct Surroundings {
  const Snapshot& previous;
  const Rulings& rulings;
  Log& log;
  const Clock& clock;
  Breadcrumb* trail;
};

std::shared_ptr<const Webhook> make_webhook(const WebhookSettings& settings, bool is_configured,
                                            const Offered* offered, const Surroundings& around) {
  auto webhook = std::make_shared<Webhook>();
  webhook->settings = settings;
  webhook->switched = switched_of(around.rulings.webhooks, settings.instance);
  if (!offered) {
    webhook->state = ServingState::Missing;
    webhook->state_reason = "no library in the plugins folder offers a webhook named " + settings.plugin;
    return webhook;
  }
  webhook->generation = offered->generation;
  webhook->offer = offered->offer;
  auto read = webhook_metadata_from_json(offered->offer.metadata);
  if (auto* refusal = std::get_if<Refusal>(&read)) {
    webhook->state = ServingState::BadConfig;
    webhook->state_reason = refusal->reason;
    return webhook;
  }
  auto& metadata = std::get<WebhookMetadata>(read);
  webhook->scheme = metadata.signature;
  webhook->event_header = metadata.event_header;
  webhook->delivery_id_header = metadata.delivery_id_header;
  webhook->delivery_id_pointer = metadata.delivery_id_pointer;
  webhook->content_types = metadata.content_types;
  webhook->max_body_bytes = settings.max_body_bytes.value_or(metadata.max_body_bytes);
  webhook->answers_unverified = metadata.answers_unverified && settings.allow_unverified_answer;
  if (held_back(*webhook, PluginKind::Webhook, settings.instance, webhook->switched, is_configured,
                around.rulings))
    return webhook;
  judge(*webhook, metadata);
  if (webhook->state == ServingState::Serving && settings.isolation == Isolation::InProcess) {
    create_in_process(*webhook, around.previous, around.log, around.clock, around.trail);
  }
  auto before = around.previous.webhooks.find(settings.instance);
  return or_before(std::move(webhook), before == around.previous.webhooks.end() ? nullptr : before->second,
                   around.rulings);
}

std::shared_ptr<const Agent> make_agent(const AgentSettings& settings, bool is_configured,
                                        const Offered* offered, const Surroundings& around) {
  auto agent = std::make_shared<Agent>();
  agent->settings = settings;
  agent->switched = switched_of(around.rulings.agents, settings.name);
  if (!offered) {
    agent->state = ServingState::Missing;
    agent->state_reason = "no library in the plugins folder offers an agent named " + settings.name;
    return agent;
  }
  agent->generation = offered->generation;
  agent->offer = offered->offer;
  auto read = agent_metadata_from_json(offered->offer.metadata);
  if (auto* refusal = std::get_if<Refusal>(&read)) {
    agent->state = ServingState::BadConfig;
    agent->state_reason = refusal->reason;
    return agent;
  }
  auto& metadata = std::get<AgentMetadata>(read);
  agent->display_name = metadata.display_name.empty() ? metadata.name : metadata.display_name;
  agent->description = metadata.description;
  agent->version = metadata.version;
  agent->capabilities = metadata.capabilities;
  agent->timeout = settings.timeout.value_or(metadata.timeout);
  agent->max_retries = settings.max_retries.value_or(metadata.max_retries);
  agent->requires_approval = settings.requires_approval.value_or(metadata.requires_approval);
  if (!held_back(*agent, PluginKind::Agent, settings.name, agent->switched, is_configured, around.rulings))
    refuse_config(*agent, metadata.config_schema);
  return or_before(std::move(agent), around.previous.agent(settings.name), around.rulings);
}

const Offered* find(const std::map<std::string, Offered, std::less<>>& offers, const std::string& name) {
  auto found = offers.find(name);
  return found == offers.end() ? nullptr : &found->second;
}

bool enabled_by_default(const PluginOffer& offer) {
  if (offer.kind == PluginKind::Webhook) {
    auto read = webhook_metadata_from_json(offer.metadata);
    return std::holds_alternative<WebhookMetadata>(read) && std::get<WebhookMetadata>(read).enabled;
  }
  auto read = agent_metadata_from_json(offer.metadata);
  return std::holds_alternative<AgentMetadata>(read) && std::get<AgentMetadata>(read).enabled;
}

}  // namespace

std::shared_ptr<const Snapshot> assemble(const std::vector<LibraryRecord>& libraries,
                                         const std::vector<WebhookSettings>& webhooks,
                                         const std::vector<AgentSettings>& agents, const Snapshot& previous,
                                         Log& log, const Clock& clock, Breadcrumb* trail,
                                         const Rulings& rulings) {
  const Surroundings around{previous, rulings, log, clock, trail};
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->libraries = libraries;

  const auto webhook_offers = offers_of(libraries, PluginKind::Webhook);
  std::set<std::string> named;
  for (WebhookSettings settings : webhooks) {
    if (settings.plugin.empty()) settings.plugin = settings.instance;
    named.insert(settings.plugin);
    snapshot->webhooks[settings.instance] =
        make_webhook(settings, true, find(webhook_offers, settings.plugin), around);
  }
  for (const auto& [name, offered] : webhook_offers) {
    // An instance of that name that belongs to another plugin is the operator's choice, too.
    if (named.contains(name) || snapshot->webhooks.contains(name)) continue;
    WebhookSettings settings;
    settings.instance = name;
    settings.plugin = name;
    settings.enabled = enabled_by_default(offered.offer);
    snapshot->webhooks[name] = make_webhook(settings, false, &offered, around);
  }

  const auto agent_offers = offers_of(libraries, PluginKind::Agent);
  for (const AgentSettings& settings : agents) {
    snapshot->agents[settings.name] = make_agent(settings, true, find(agent_offers, settings.name), around);
  }
  for (const auto& [name, offered] : agent_offers) {
    if (snapshot->agents.contains(name)) continue;
    AgentSettings settings;
    settings.name = name;
    settings.enabled = enabled_by_default(offered.offer);
    snapshot->agents[name] = make_agent(settings, false, &offered, around);
  }
  return snapshot;
}

}  // namespace davit::plugin
