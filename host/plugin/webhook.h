// The driver of webhooks: from the ABI's functions to the host's nouns. Linked by the host (isolation: inprocess) and by the
// runner (isolation: process), so that both behave alike.
#pragma once

#include <memory>
#include <string>

#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/base/result.h"
#include "host/model/delivery.h"
#include "host/model/event.h"
#include "host/plugin/plugin_module.h"
#include "host/plugin/settings.h"

namespace davit::plugin {

// How long each hook took, for the delivery's record and the metrics.
struct HookTimings {
  std::chrono::microseconds verify{0}, parse{0}, decide{0}, handle{0};
};

// What the hooks said.
struct HookOutcome {
  WebhookAnswer answer;
  HookTimings timings;
};

// One instance of a webhook, created from a factory. Thread-safe: hooks are called concurrently.
class WebhookInstance {
 public:
  // Validates `settings.config` against the metadata's config_schema, then creates. InvalidInput names what in the config is
  // wrong; other errors carry the plugin's own sentence.
  static Result<std::shared_ptr<WebhookInstance>> create(std::shared_ptr<const PluginModule> module,
                                                         const PluginOffer& offer, const WebhookSettings& settings,
                                                         Log& log, const Clock& clock);
  ~WebhookInstance();

  // The plugin's own check, for webhooks whose metadata declares no scheme. Unauthorized if it says no.
  Result<> validate_signature(const Delivery& delivery, MonotonicTime deadline) const;
  // Nullopt: go on to verification.
  Result<std::optional<WebhookAnswer>> answer_unverified(const Delivery& delivery, MonotonicTime deadline) const;
  // parse_payload, should_process, handle. Errors: InvalidInput (malformed body), RateLimited, Deadline (returned too
  // late), Permanent, Internal (the plugin broke its contract), with the plugin's sentence.
  Result<HookOutcome> run(const VerifiedDelivery& delivery, MonotonicTime deadline) const;

 private:
  struct Parts;
  explicit WebhookInstance(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace davit::plugin
