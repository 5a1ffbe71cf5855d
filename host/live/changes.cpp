#include "host/live/changes.h"

#include <algorithm>

#include "host/plugin/refusal_codes.h"

namespace davit::live {
namespace {

// What is still being looked at is not refused yet.
bool is_verdict(const Refusal& refusal) {
  return refusal.code != plugin::refusal::kProbing.code && refusal.code != plugin::refusal::kNotSettled.code;
}

}  // namespace

bool is_same(const plugin::LibraryRecord& one, const plugin::LibraryRecord& other) {
  auto said = [](const plugin::LibraryRecord& library) {
    return library.refusal ? library.refusal->code + library.refusal->reason : std::string();
  };
  return one.source == other.source && one.sha256 == other.sha256 && one.generation == other.generation &&
         said(one) == said(other);
}

void tell_changes(const plugin::Snapshot& before, const plugin::Snapshot& now, const Wanted& wanted,
                  const plugin::Rulings& rulings, Log& log, metrics::Metrics& metrics) {
  for (const plugin::LibraryRecord& library : now.libraries) {
    const bool known = std::any_of(before.libraries.begin(), before.libraries.end(),
                                   [&](const plugin::LibraryRecord& old) { return is_same(old, library); });
    if (library.refusal && !known && is_verdict(*library.refusal))
      metrics.plugin_refused(library.refusal->code);
  }
  std::vector<metrics::ServingPlugin> serving, quarantined;
  std::vector<metrics::IdlePlugin> not_serving;
  auto note = [&](PluginKind kind, const auto& all, const auto& all_before) {
    const std::string_view word = to_string(kind);
    for (const auto& [name, instance] : all) {
      const bool serves = instance->state == plugin::ServingState::Serving;
      if (serves) serving.push_back({kind, name, instance->offer.version, instance->generation->sha256});
      if (!serves && instance->settings.enabled)
        not_serving.push_back({kind, name, std::string(to_string(instance->state))});
      const plugin::Generation* guilty = instance->state == plugin::ServingState::Quarantined
                                             ? instance->generation.get()
                                         : instance->held_back ? instance->held_back->generation.get()
                                                               : nullptr;
      if (guilty != nullptr && rulings.quarantined.contains(guilty->sha256))
        quarantined.push_back({kind, name, instance->offer.version, guilty->sha256});
      auto old = all_before.find(name);
      if (old != all_before.end() && old->second->state == instance->state &&
          old->second->state_reason == instance->state_reason &&
          old->second->generation == instance->generation)
        continue;
      std::string reason = instance->state_reason;
      if (!serves && !instance->config_sentence.empty() && wanted.place)
        reason = wanted.place(kind, name, instance->config_pointer, instance->config_sentence);
      if (serves && reason.empty()) {
        log.info("A plugin serves", {{"kind", word},
                                     {"name", name},
                                     {"generation", instance->generation->number},
                                     {"sha256", instance->generation->sha256.substr(0, 12)}});
      } else {
        log.warn(serves ? "A plugin was not replaced" : "A plugin does not serve",
                 {{"kind", word}, {"name", name}, {"state", to_string(instance->state)}, {"reason", reason}});
      }
    }
    for (const auto& [name, instance] : all_before) {
      if (!all.contains(name)) log.info("A plugin is retired", {{"kind", word}, {"name", name}});
    }
  };
  note(PluginKind::Webhook, now.webhooks, before.webhooks);
  note(PluginKind::Agent, now.agents, before.agents);
  metrics.plugins_serving(std::move(serving));
  metrics.plugins_quarantined(std::move(quarantined));
  metrics.plugins_not_serving(std::move(not_serving));
}

}  // namespace davit::live
