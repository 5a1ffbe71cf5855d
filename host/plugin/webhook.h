// The driver of webhooks: from the ABI's functions to the host's nouns. Linked by the host (isolation:
// inprocess) and by the runner (isolation: process), so that both behave alike.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/base/result.h"
#include "host/model/delivery.h"
#include "host/model/event.h"
#include "host/plugin/breadcrumb.h"
#include "host/plugin/plugin_module.h"
#include "host/plugin/settings.h"

namespace davit::plugin {

// How long each hook took, for the delivery's record and the metrics; negative for one that did not run.
struct HookTimings {
  std::chrono::microseconds verify{-1}, parse{-1}, decide{-1}, handle{-1};
};

// What the hooks said.
struct HookOutcome {
  WebhookAnswer answer;
  HookTimings timings;
  // The sender's id where the metadata's delivery_id is a pointer into the parsed payload and it is there:
  // visible ASCII, at most 256 bytes. Then it, and not the hash of the body, is what deduplication goes by.
  std::string payload_delivery_id;
};

// One instance of a webhook, created from a factory. Thread-safe: hooks are called concurrently.
class WebhookInstance {
 public:
  // Validates `settings.config` against the metadata's config_schema, then creates. InvalidInput names what
  // in the config is wrong; other errors carry the plugin's own sentence. The trail, if given, outlives the
  // instance; `sha256` is what it blames.
  static Result<std::shared_ptr<WebhookInstance>> create(std::shared_ptr<const PluginModule> module,
                                                         const PluginOffer& offer,
                                                         const WebhookSettings& settings, Log& log,
                                                         const Clock& clock, Breadcrumb* trail = nullptr,
                                                         std::string sha256 = {});
  ~WebhookInstance();

  // The plugin's own check with `settings.secrets`, for webhooks whose metadata declares no scheme.
  // Unauthorized if it says no; NotImplemented if it has no such hook.
  Result<> validate_signature(const Delivery& delivery, MonotonicTime deadline) const;
  // Nullopt: go on to verification. Only status, message, details and http of the answer are ever set.
  Result<std::optional<WebhookAnswer>> answer_unverified(const Delivery& delivery,
                                                         MonotonicTime deadline) const;
  // parse_payload, should_process, handle. Errors: InvalidInput (malformed body), Unauthorized, NotFound,
  // RateLimited, Unavailable (retryable), Deadline (said so, or returned too late), Permanent, Internal (the
  // plugin broke its contract), with the plugin's sentence.
  Result<HookOutcome> run(const VerifiedDelivery& delivery, MonotonicTime deadline) const;

 private:
  struct Parts;
  explicit WebhookInstance(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace davit::plugin
