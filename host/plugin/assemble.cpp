// From libraries and settings to a snapshot. An instance is judged in this order, and shows the first thing
// that is wrong: missing, disabled, in quarantine, bad config (schema, secrets, who checks signatures), no
// secret. Only one that is to serve is created in process, and one that has not changed is carried over
// instead. What is wrong with a new generation only is no reason to stop: the one before serves on.
#include <algorithm>
#include <set>

#include "host/plugin/agent_defaults.h"
#include "host/plugin/metadata.h"
#include "host/plugin/plugin_store.h"
#include "host/plugin/redact.h"

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

// Of a Webhook or an Agent, whose `settings.enabled` becomes what holds. True if the configuration says off,
// which no command changes.
template <typename Instance>
bool take_switch(Instance& instance, std::optional<bool> switched, bool is_configured) {
  instance.switched = switched;
  const bool off_in_config = is_configured && !instance.settings.enabled;
  if (!off_in_config && switched) instance.settings.enabled = *switched;
  return off_in_config;
}

// Switched off by the configuration, the plugin's own default or a command; or in quarantine.
template <typename Instance>
bool may_not_serve(Instance& instance, PluginKind kind, const std::string& name, std::optional<bool> switched,
                   bool is_configured, const Rulings& rulings) {
  const bool off_in_config = take_switch(instance, switched, is_configured);
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
    instance.state_reason = found->second.reason + "; replace the library, or davit plugins clear " +
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

// The number that holds for it, and where it is from.
void set_concurrency(Agent& agent, const Rulings& rulings) {
  agent.configured_concurrency = agent.settings.concurrency;
  const auto found = rulings.concurrency.find(agent.settings.name);
  if (found == rulings.concurrency.end()) return;
  agent.settings.concurrency = found->second;
  agent.concurrency_is_set = true;
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

void create_in_process(Webhook& webhook, const Assembly& assembly) {
  const Webhook* before = assembly.previous.webhook(webhook.settings.instance);
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
    NotedCall noted(assembly.trail, {webhook.settings.instance, webhook.generation->sha256, "load", "",
                                     assembly.clock.monotonic() + kLoadPatience});
    return PluginModule::load(webhook.generation->stored);
  }();
  if (auto* refusal = std::get_if<Refusal>(&loaded)) return fail("it cannot be loaded: " + refusal->reason);
  if (assembly.trail) {
    assembly.trail->loaded(webhook.settings.instance, webhook.generation->sha256, webhook.generation->stored);
  }
  auto instance = WebhookInstance::create(std::get<0>(loaded), webhook.offer, webhook.settings, assembly.log,
                                          assembly.clock, assembly.trail, webhook.generation->sha256);
  if (!instance) return fail("it cannot be created: " + instance.error().message);
  webhook.in_process = std::move(instance).value();
}

bool runs_here(const Webhook& webhook) { return webhook.settings.isolation == Isolation::InProcess; }
bool runs_here(const Agent&) { return false; }

const PluginOffer* offer_of(const Generation& generation, const PluginOffer& like) {
  for (const PluginOffer& offer : generation.report.offers) {
    if (offer.kind == like.kind && offer.name == like.name) return &offer;
  }
  return nullptr;
}

// An instance of what is offered, or of a generation that served before if what is offered cannot take its
// place. `make` makes an instance of the generation and offer it gets.
template <typename Instance, typename Make>
std::shared_ptr<const Instance> newest_that_serves(const Offered& offered, const Served::Generations& served,
                                                   const std::string& name, const Instance* previous,
                                                   const Assembly& assembly, Make&& make) {
  std::shared_ptr<Instance> newest = make(offered);
  const auto found = served.find(name);
  if (found == served.end()) return newest;
  const std::string& sha256 = offered.generation->sha256;
  const bool is_new = found->second.front()->sha256 != sha256;
  bool fits = newest->state == ServingState::Serving;
  const bool to_be_tried = fits && is_new && assembly.trials && !runs_here(*newest);
  // Bad settings are only a new generation's fault, not that of one that has served with others.
  const bool replaceable = newest->state == ServingState::Quarantined ||
                           (newest->state == ServingState::BadConfig && is_new) || to_be_tried;
  if (!replaceable) return newest;
  std::shared_ptr<Instance> older;
  for (const auto& generation : found->second) {
    const PluginOffer* offer = offer_of(*generation, offered.offer);
    if (generation->sha256 == sha256 || !offer) continue;
    older = make({generation, *offer});
    if (older->state == ServingState::Serving) break;
    older = nullptr;
  }
  if (!older) return newest;
  if (to_be_tried) {
    const std::optional<std::string> fault = assembly.trials->of(*newest);
    if (!fault) {  // nothing has changed yet
      if (previous && previous->generation == older->generation) {
        older->held_back = previous->held_back;
        older->state_reason = previous->state_reason;
      }
      return older;
    }
    if (fault->empty()) return newest;
    newest->state = ServingState::BadConfig;
    newest->state_reason = "it cannot be created: " + *fault;
  }
  const auto ruling = assembly.rulings.quarantined.find(sha256);
  older->held_back = HeldBack{offered.generation, newest->state, newest->state_reason,
                              newest->state == ServingState::Quarantined ? ruling->second.since
                                                                         : offered.generation->loaded_at};
  older->state_reason = "generation " + std::to_string(offered.generation->number) + " is there, but " +
                        newest->state_reason + "; generation " + std::to_string(older->generation->number) +
                        " serves on";
  return older;
}

std::shared_ptr<Webhook> webhook_of(const WebhookSettings& settings, bool is_configured,
                                    const Offered& offered, const Assembly& assembly) {
  auto webhook = std::make_shared<Webhook>();
  webhook->settings = settings;
  webhook->redactor = redactor_for(settings);
  webhook->generation = offered.generation;
  webhook->offer = offered.offer;
  auto read = webhook_metadata_from_json(offered.offer.metadata);
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
  webhook->delivery_id_required = metadata.delivery_id_required;
  webhook->content_types = metadata.content_types;
  webhook->max_body_bytes = settings.max_body_bytes.value_or(metadata.max_body_bytes);
  webhook->answers_get = metadata.answers_get;
  webhook->secret_fields = metadata.secret_fields;
  webhook->answers_unverified = metadata.answers_unverified && settings.allow_unverified_answer;
  if (may_not_serve(*webhook, PluginKind::Webhook, settings.instance,
                    switched_of(assembly.rulings.webhooks, settings.instance), is_configured, assembly.rulings))
    return webhook;
  judge(*webhook, metadata);
  if (webhook->state == ServingState::Serving && runs_here(*webhook)) create_in_process(*webhook, assembly);
  return webhook;
}

std::shared_ptr<const Webhook> make_webhook(const WebhookSettings& settings, bool is_configured,
                                            const Offered* offered, const Assembly& assembly) {
  if (!offered) {
    auto missing = std::make_shared<Webhook>();
    missing->settings = settings;
    missing->redactor = redactor_for(settings);
    missing->max_body_bytes = settings.max_body_bytes.value_or(missing->max_body_bytes);
    take_switch(*missing, switched_of(assembly.rulings.webhooks, settings.instance), is_configured);
    missing->state = ServingState::Missing;
    missing->state_reason = "no library in the plugins folder offers a webhook named " + settings.plugin;
    return missing;
  }
  return newest_that_serves(
      *offered, assembly.served.webhooks, settings.instance, assembly.previous.webhook(settings.instance),
      assembly, [&](const Offered& one) { return webhook_of(settings, is_configured, one, assembly); });
}

std::shared_ptr<Agent> agent_of(const AgentSettings& settings, bool is_configured, const Offered& offered,
                                const Assembly& assembly) {
  auto agent = std::make_shared<Agent>();
  agent->settings = settings;
  set_concurrency(*agent, assembly.rulings);
  agent->generation = offered.generation;
  agent->offer = offered.offer;
  auto read = agent_metadata_from_json(offered.offer.metadata);
  if (auto* refusal = std::get_if<Refusal>(&read)) {
    agent->state = ServingState::BadConfig;
    agent->state_reason = refusal->reason;
    return agent;
  }
  auto& metadata = std::get<AgentMetadata>(read);
  if (assembly.agent_defaults) agent->settings = with_defaults(std::move(agent->settings), *assembly.agent_defaults, metadata);
  agent->display_name = metadata.display_name.empty() ? metadata.name : metadata.display_name;
  agent->description = metadata.description;
  agent->version = metadata.version;
  agent->capabilities = metadata.capabilities;
  agent->timeout = settings.timeout.value_or(metadata.timeout);
  agent->max_retries = settings.max_retries.value_or(metadata.max_retries);
  agent->requires_approval = settings.requires_approval.value_or(metadata.requires_approval);
  if (!may_not_serve(*agent, PluginKind::Agent, settings.name,
                     switched_of(assembly.rulings.agents, settings.name), is_configured, assembly.rulings))
    refuse_config(*agent, metadata.config_schema);
  return agent;
}

std::shared_ptr<const Agent> make_agent(const AgentSettings& settings, bool is_configured,
                                        const Offered* offered, const Assembly& assembly) {
  if (!offered) {
    auto missing = std::make_shared<Agent>();
    missing->settings = settings;
    set_concurrency(*missing, assembly.rulings);
    take_switch(*missing, switched_of(assembly.rulings.agents, settings.name), is_configured);
    missing->state = ServingState::Missing;
    missing->state_reason = "no library in the plugins folder offers an agent named " + settings.name;
    return missing;
  }
  return newest_that_serves(
      *offered, assembly.served.agents, settings.name, assembly.previous.agent(settings.name).get(), assembly,
      [&](const Offered& one) { return agent_of(settings, is_configured, one, assembly); });
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

std::shared_ptr<const Snapshot> assemble(const Assembly& assembly) {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->libraries = assembly.libraries;

  const auto webhook_offers = offers_of(assembly.libraries, PluginKind::Webhook);
  std::set<std::string> named;
  for (WebhookSettings settings : assembly.webhooks) {
    if (settings.plugin.empty()) settings.plugin = settings.instance;
    named.insert(settings.plugin);
    snapshot->webhooks[settings.instance] =
        make_webhook(settings, true, find(webhook_offers, settings.plugin), assembly);
  }
  for (const auto& [name, offered] : webhook_offers) {
    // An instance of that name that belongs to another plugin is the operator's choice, too.
    if (named.contains(name) || snapshot->webhooks.contains(name)) continue;
    WebhookSettings settings;
    settings.instance = name;
    settings.plugin = name;
    settings.enabled = enabled_by_default(offered.offer);
    snapshot->webhooks[name] = make_webhook(settings, false, &offered, assembly);
  }

  const auto agent_offers = offers_of(assembly.libraries, PluginKind::Agent);
  for (const AgentSettings& settings : assembly.agents) {
    snapshot->agents[settings.name] = make_agent(settings, true, find(agent_offers, settings.name), assembly);
  }
  for (const auto& [name, offered] : agent_offers) {
    if (snapshot->agents.contains(name)) continue;
    AgentSettings settings;
    settings.name = name;
    settings.enabled = enabled_by_default(offered.offer);
    snapshot->agents[name] = make_agent(settings, false, &offered, assembly);
  }
  return snapshot;
}

}  // namespace davit::plugin
