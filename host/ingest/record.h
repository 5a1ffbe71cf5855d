// The row a delivery becomes, with what must not be kept taken out.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "host/model/delivery.h"
#include "host/plugin/registry.h"
#include "host/plugin/webhook.h"
#include "host/store/store.h"

namespace davit::ingest {

// How long a hash of the body stands for a delivery whose sender gives no id.
inline constexpr Duration kBodyHashWindow{24 * 3'600'000};

// What the hooks said, answer or error, without the secrets that the webhook was given in confidence. For all
// that comes back from a plugin, before anything else sees it.
Result<plugin::HookOutcome> hide_secrets(const plugin::Webhook& webhook, Result<plugin::HookOutcome> said);
WebhookAnswer hide_secrets(const plugin::Webhook& webhook, WebhookAnswer answer);

store::NewDelivery record_of(const plugin::Webhook& webhook, const VerifiedDelivery& delivery,
                             plugin::HookOutcome& outcome);
store::NewDelivery deferred_record(const plugin::Webhook& webhook, const VerifiedDelivery& delivery,
                                   std::string reason);
// A delivery that its hooks refuse, at once or after it was deferred.
store::NewDelivery refused_record(const plugin::Webhook& webhook, const VerifiedDelivery& delivery,
                                  std::string reason);

// What the operator said about an agent holds for each of its tasks. One for an agent that is not loaded
// waits for it, with the defaults.
void fit_to_agents(std::vector<NewTask>& tasks, const plugin::Snapshot& snapshot);

// The headers as a JSON object, a list where a name occurs twice; signatures, authorization and cookies
// replaced by
// "(removed)".
std::string headers_json(const plugin::Webhook& webhook, const Delivery& delivery);

// The query with the values of parameters whose names speak of a secret (token, key, password, …) replaced by
// "(removed)".
std::string query_without_secrets(std::string_view query);

// A stored delivery as it came, for its hooks to see again. It was verified before it was stored.
VerifiedDelivery delivery_again(std::shared_ptr<const store::DeferredDelivery> deferred);

}  // namespace davit::ingest
