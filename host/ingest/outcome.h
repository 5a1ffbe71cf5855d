// What became of a delivery, in words for its sender.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/clock.h"
#include "host/base/result.h"
#include "host/model/event.h"
#include "host/store/store.h"

namespace davit::ingest {

enum class OutcomeKind {
  Queued,            // committed with at least one task
  Ignored,           // committed; the webhook has no use for it
  Deferred,          // committed; the hooks run again later
  Duplicate,         // seen before; carries the first outcome
  Error,             // committed; the webhook says it cannot be handled
  Malformed,         // bad JSON, bad UTF-8, too deep: nothing is stored; or the plugin says so: committed
  Unauthorized,      // signature missing or wrong
  NotFound,          // no such webhook, or disabled
  TooLarge,          // over the webhook's body limit
  UnsupportedMedia,  // not a media type the webhook takes
  RateLimited,       // too many of one address or to one webhook, or the webhook asks for later
  Unavailable,       // no secret configured, bad config, storage failure, overload
};

struct Outcome {
  OutcomeKind kind = OutcomeKind::Unavailable;
  std::string message;
  bool deferred = false;                       // its hooks have not answered yet
  store::Repeat repeat = store::Repeat::None;  // with Duplicate: in what way
  std::string delivery_id;                     // empty when nothing was stored
  std::vector<std::string> task_ids;
  std::string details = "{}";  // JSON object of the webhook
  std::optional<HttpOverride> http;
  Duration retry_after{0};
  std::string reason;  // for the log: why nothing was stored, where the sender is not told
};

// As in metrics: "queued", "duplicate_body", "unauthorized", …
std::string_view label_of(OutcomeKind kind);
std::string_view label_of(const Outcome& outcome);

// What was committed.
Outcome outcome_of(store::Accepted accepted);
// What a webhook answers before anything is verified; nothing is stored.
Outcome early_answer(WebhookAnswer answer);

// Nothing was stored, because of…
Outcome refusal(OutcomeKind kind, std::string message);
Outcome too_many(std::string message, std::chrono::nanoseconds wait);
// …verification: every cause of Unauthorized looks the same.
Outcome refusal_of(const Error& error);
// …the hooks; nothing if they may take the same delivery later.
std::optional<Outcome> refusal_by_hooks(const Error& error);

}  // namespace davit::ingest
