// Which plugins serve right now. Finding is all it does.
//
// A snapshot is immutable; a change publishes a new one. Work in flight keeps the snapshot's parts it uses
// alive by shared_ptr, so an old generation drains by itself.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/base/guarded.h"
#include "host/model/plugin_info.h"
#include "host/plugin/redactor.h"
#include "host/plugin/settings.h"
#include "host/plugin/signature.h"
#include "host/plugin/webhook.h"

namespace davit::plugin {

// One library that passed its probe. Numbers grow; the newest healthy generation of a name gets new work.
struct Generation {
  std::uint64_t number = 0;
  std::filesystem::path source;  // in the drop folder
  std::filesystem::path stored;  // in the store, <sha256>.so: what is loaded
  std::string sha256;
  WallTime loaded_at{};
  ProbeReport report;
};

// Why an instance that is configured or offered does not serve.
enum class ServingState { Serving, Disabled, NoSecret, BadConfig, Missing, Quarantined };
// "serving", "disabled", "no_secret", "bad_config", "missing", "quarantined"
std::string_view to_string(ServingState state);

// Accepted bytes that are newer than those that serve in their place.
struct HeldBack {
  std::shared_ptr<const Generation> generation;
  ServingState state = ServingState::BadConfig;  // Quarantined; BadConfig: also what cannot be created
  std::string reason;                            // a sentence
  WallTime since{};  // when its quarantine began; of what is not in one, when it was loaded
};

struct Webhook {
  WebhookSettings settings;
  Redactor redactor{std::vector<Secret>{}};  // redactor_for(settings)
  ServingState state = ServingState::Serving;
  std::string state_reason;  // a sentence: why it does not serve, or why a newer generation does not
  // Where and what the plugin's schema refuses in `config`: a JSON pointer (empty for the whole) and a
  // sentence without the place, which is empty unless that is why it does not serve.
  std::string config_pointer, config_sentence;
  std::optional<bool> switched;                  // on or off by command
  std::shared_ptr<const Generation> generation;  // null when Missing
  std::optional<HeldBack> held_back;             // a newer generation; state_reason tells of it as well
  PluginOffer offer;
  std::optional<SignatureScheme> scheme;  // absent: the plugin checks by itself, or unsigned
  std::string event_header;
  std::string delivery_id_header, delivery_id_pointer;  // one of them, or none
  bool delivery_id_required = false;                    // the sender never leaves its header out
  std::vector<std::string> content_types;
  std::size_t max_body_bytes = 8u << 20;
  bool answers_unverified = false;
  bool answers_get = false;                // whoever asks by GET whether somebody is there is told yes
  std::vector<std::string> secret_fields;  // of the body: not kept
  std::shared_ptr<const WebhookInstance> in_process;  // null: isolation process
};

struct Agent {
  AgentSettings settings;
  ServingState state = ServingState::Serving;
  std::string state_reason;
  std::string config_pointer, config_sentence;  // as of webhooks
  std::optional<bool> switched;
  std::shared_ptr<const Generation> generation;  // as of webhooks
  std::optional<HeldBack> held_back;
  PluginOffer offer;
  std::string display_name, description, version;
  std::vector<std::string> capabilities;
  int configured_concurrency = 1;  // what holds, unless a command set another: settings.concurrency
  bool concurrency_is_set = false;  // by command
  Duration timeout{3'600'000};
  int max_retries = 3;
  bool requires_approval = false;
};

// A file that was looked at: serving, refused with its reason, or both: an older generation serves on while
// the bytes that are there now are refused.
struct LibraryRecord {
  std::filesystem::path source;
  std::filesystem::path name;  // the same as a path in the plugins folder
  std::string sha256;          // empty if it was not even read
  std::optional<Refusal> refusal;
  std::shared_ptr<const Generation> generation;
};

struct Snapshot {
  std::map<std::string, std::shared_ptr<const Webhook>, std::less<>> webhooks;  // by instance
  std::map<std::string, std::shared_ptr<const Agent>, std::less<>> agents;      // by name
  std::vector<LibraryRecord> libraries;

  const Webhook* webhook(std::string_view instance) const;
  std::shared_ptr<const Agent> agent(std::string_view name) const;
  std::vector<std::shared_ptr<const Agent>> agents_with(std::string_view capability) const;
};

// Thread-safe. A lock, because std::atomic<std::shared_ptr> of GCC 12 lets a reader go before its reads are
// ordered (its load() unlocks relaxed), which a weakly ordered processor may turn into the wrong snapshot.
class Registry {
 public:
  std::shared_ptr<const Snapshot> current() const {
    return snapshot_.with([](const auto& snapshot) { return snapshot; });
  }
  void publish(std::shared_ptr<const Snapshot> snapshot) {
    // The one before may be the last to hold libraries: it goes after the lock.
    snapshot_.with([&](auto& current) { current.swap(snapshot); });
  }

 private:
  Guarded<std::shared_ptr<const Snapshot>> snapshot_{std::make_shared<const Snapshot>()};
};

}  // namespace davit::plugin
