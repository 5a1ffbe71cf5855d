#include "host/plugin/webhook_verification.h"

#include <algorithm>

#include "host/base/crypto.h"

namespace davit::plugin {
namespace {

constexpr std::size_t kMaxIdBytes = 256;

Error unauthorized() { return Error{ErrorCode::Unauthorized, "the signature is missing or wrong"}; }

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

// "Application/JSON; charset=utf-8" -> "application/json"
std::string media_type(std::string_view content_type) {
  std::string_view type = content_type.substr(0, content_type.find(';'));
  while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.remove_suffix(1);
  return lower(type);
}

Result<> check_media_type(const Webhook& webhook, const Delivery& delivery, std::string_view& cause) {
  if (webhook.content_types.empty()) return {};
  std::vector<std::string_view> values = header_values(delivery, "Content-Type");
  // Some senders leave it out where there is no body.
  if (values.empty() && delivery.body.empty()) return {};
  if (values.size() == 1 && std::find(webhook.content_types.begin(), webhook.content_types.end(),
                                      media_type(values[0])) != webhook.content_types.end()) {
    return {};
  }
  cause = "media_type";
  std::string accepted;
  for (const std::string& type : webhook.content_types) accepted += (accepted.empty() ? "" : ", ") + type;
  return Error{ErrorCode::InvalidInput, "the Content-Type must be given once and be one of: " + accepted};
}

Result<VerifiedDelivery> with_key(const Webhook& webhook, Delivery&& delivery,
                                  std::optional<int> secret_number, std::string_view& cause) {
  if (!webhook.delivery_id_header.empty()) {
    std::vector<std::string_view> values = header_values(delivery, webhook.delivery_id_header);
    if (!values.empty()) {
      std::string_view id = values[0];
      bool good = values.size() == 1 && !id.empty() && id.size() <= kMaxIdBytes &&
                  std::all_of(id.begin(), id.end(), [](char c) { return c > 0x20 && c < 0x7f; });
      if (!good) {
        cause = "delivery_id";
        return Error{ErrorCode::InvalidInput,
                     "the header " + webhook.delivery_id_header +
                         " must be given once, as 1 to 256 visible ASCII characters"};
      }
      std::string key(id);
      return VerifiedDeliveryMaker::make(std::move(delivery), std::move(key), false, secret_number);
    }
    // The sender never leaves it out. Who does has only a request of the sender's and wants it run again.
    if (webhook.delivery_id_required) {
      cause = "no_delivery_id";
      return Error{ErrorCode::InvalidInput, "the header " + webhook.delivery_id_header + " is missing"};
    }
  }
  std::string key = "body:" + sha256_hex(delivery.body);
  return VerifiedDeliveryMaker::make(std::move(delivery), std::move(key), true, secret_number);
}

}  // namespace

WhoChecks who_checks(const Webhook& webhook) {
  // An operator who gave a secret wants it used, whatever else is allowed.
  if (webhook.settings.secrets.empty() && webhook.settings.allow_unsigned) return WhoChecks::Nobody;
  if (webhook.scheme) return WhoChecks::ByScheme;
  return webhook.settings.allow_own_signature_check || !webhook.settings.allow_unsigned ? WhoChecks::ByPlugin
                                                                                        : WhoChecks::Nobody;
}

Result<VerifiedDelivery> verify(const Webhook& webhook, Delivery&& delivery, WallTime now,
                                std::string_view& cause) {
  cause = {};
  std::optional<int> secret_number;
  TRY(check_media_type(webhook, delivery, cause));
  switch (who_checks(webhook)) {
    case WhoChecks::Nobody:
      break;
    case WhoChecks::ByPlugin:
      cause = "by_plugin";
      return Error{ErrorCode::NotImplemented,
                   "the webhook declares no signature scheme; its plugin must check"};
    case WhoChecks::ByScheme:
      if (webhook.settings.secrets.empty()) {
        cause = "no_secret";
        return Error{ErrorCode::Unavailable, "no secret is configured for this webhook"};
      }
      SignatureVerdict verdict = verify_signature(*webhook.scheme, delivery, webhook.settings.secrets, now);
      if (!verdict.good) {
        cause = verdict.cause;
        return unauthorized();
      }
      const std::vector<int>& numbers = webhook.settings.secret_numbers;
      secret_number =
          verdict.secret < numbers.size() ? numbers[verdict.secret] : static_cast<int>(verdict.secret) + 1;
      break;
  }
  return with_key(webhook, std::move(delivery), secret_number, cause);
}

Result<VerifiedDelivery> verify_by_plugin(const Webhook& webhook, Delivery&& delivery,
                                          const Result<>& verdict, std::string_view& cause) {
  cause = {};
  TRY(check_media_type(webhook, delivery, cause));
  // Without the operator's word the plugin's yes counts for nothing.
  if (!webhook.settings.allow_own_signature_check || webhook.scheme) {
    cause = "by_plugin";
    return Error{ErrorCode::Internal, "the plugin's own signature check is not allowed for this webhook"};
  }
  if (!verdict) {
    bool refused = verdict.error().code == ErrorCode::Unauthorized;
    cause = refused ? "mismatch" : "plugin";
    return refused ? unauthorized() : verdict.error();
  }
  return with_key(webhook, std::move(delivery), std::nullopt, cause);
}

}  // namespace davit::plugin
