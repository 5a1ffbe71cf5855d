// From a Delivery to a VerifiedDelivery: the only way a new request becomes one.
//
// The caller asks who_checks() first. ByScheme and Nobody: verify(). ByPlugin: it lets the instance (in
// process, or in a runner) answer validate_signature, and hands the outcome to verify_by_plugin().
#pragma once

#include <string_view>

#include "host/base/clock.h"
#include "host/base/result.h"
#include "host/model/delivery.h"
#include "host/plugin/registry.h"

namespace davit::plugin {

enum class WhoChecks { ByScheme, ByPlugin, Nobody };
WhoChecks who_checks(const Webhook& webhook);

// Checks media type, signature and delivery id, in this order. On failure `cause` is a word for metrics:
//   media_type   InvalidInput: to be answered 415
//   no_secret    Unavailable: the webhook has no secret and may not run unsigned
//   by_plugin    NotImplemented: the plugin must check, see above
//   missing, doubled, malformed, mismatch, stale   Unauthorized, one text for all of them
//   delivery_id  InvalidInput: doubled, longer than 256 bytes, or not visible ASCII
//   no_delivery_id  InvalidInput: missing, though the sender never leaves it out
// The delivery key is the sender's id where its header is declared and present, else "body:<sha256>".
//
// What is refused stays in the caller's hands: `delivery` is moved from only if the outcome is good.
Result<VerifiedDelivery> verify(const Webhook& webhook, Delivery&& delivery, WallTime now,
                                std::string_view& cause);

// `verdict` is what the plugin's validate_signature said. Unauthorized keeps the one text, cause "mismatch";
// other errors are passed on, cause "plugin".
Result<VerifiedDelivery> verify_by_plugin(const Webhook& webhook, Delivery&& delivery,
                                          const Result<>& verdict, std::string_view& cause);

}  // namespace davit::plugin
