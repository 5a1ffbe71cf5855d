#include "host/ingest/test_event.h"

#include <algorithm>
#include <cctype>
#include <memory>

#include "host/base/id.h"
#include "host/base/text.h"
#include "host/plugin/webhook_verification.h"

namespace davit::ingest {
namespace {

// In the place of an address. No address has a blank, so nothing that came over a network can look like it.
constexpr std::string_view kTestBy = "test by ";
constexpr std::size_t kMostHeaders = 100, kMostOfAHeader = 8 << 10;

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) !=
                                       std::string_view::npos;
  });
}

bool is_value(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7f; });
}

Result<> check_headers(const plugin::SentHeaders& headers) {
  if (headers.size() > kMostHeaders)
    return Error{ErrorCode::InvalidInput, "headers: more than " + std::to_string(kMostHeaders) + " headers"};
  for (const auto& [name, value] : headers) {
    if (!is_name(name)) return Error{ErrorCode::InvalidInput, "headers: \"" + std::string(shortened(name, 64)) + "\" names no header"};
    if (!is_value(value) || name.size() + value.size() > kMostOfAHeader)
      return Error{ErrorCode::InvalidInput,
                   "headers: " + std::string(shortened(name, 64)) + " is too long or holds control characters"};
  }
  return {};
}

// What is no JSON stays as it is, so that what is wrong with it is told by the bytes that were given.
std::string in_new_bytes(std::string body) {
  const bool is_form = plugin::content_type_of(body) != "application/json";
  return is_form || check_json(body).ok() ? plugin::in_other_bytes(std::move(body)) : body;
}

Result<> check_can_be_signed(const plugin::Webhook& webhook) {
  const std::string& name = webhook.settings.instance;
  if (webhook.state != plugin::ServingState::Serving)
    return Error{ErrorCode::Conflict, "webhook " + name + " does not serve: " + webhook.state_reason};
  switch (plugin::who_checks(webhook)) {
    case plugin::WhoChecks::Nobody:
      return {};
    case plugin::WhoChecks::ByPlugin:
      return Error{ErrorCode::Conflict, "webhook " + name +
                                            " checks signatures by itself, in a way that its plugin does not "
                                            "declare, so davit cannot sign; send with the sender's own tool"};
    case plugin::WhoChecks::ByScheme:
      break;
  }
  const auto& accepted = webhook.scheme->accept;
  if (std::all_of(accepted.begin(), accepted.end(), [](const plugin::AcceptedSignature& one) {
        return one.algorithm == plugin::SignatureAlgorithm::Ed25519;
      }))
    return Error{ErrorCode::Conflict, "webhook " + name +
                                          " is signed with a private key that only its sender has; with one of "
                                          "your own, davit send --private-key FILE signs"};
  return {};
}

}  // namespace

Result<Delivery> test_delivery(const plugin::Webhook& webhook, TestEvent wanted, const std::string& request_id,
                               WallTime now) {
  TRY(check_can_be_signed(webhook));
  TRY(check_headers(wanted.sample.headers));
  if (!is_value(wanted.event)) return Error{ErrorCode::InvalidInput, "event: holds control characters"};
  struct Kept {
    std::string path, body;
    plugin::SentHeaders headers;
  };
  auto kept = std::make_shared<Kept>();
  kept->path = "/webhooks/" + webhook.settings.instance;
  kept->body = in_new_bytes(std::move(wanted.sample.body));
  const bool is_signed = plugin::who_checks(webhook) == plugin::WhoChecks::ByScheme;
  const plugin::Sender sender{webhook.settings.instance, webhook.event_header, webhook.delivery_id_header,
                              webhook.scheme, is_signed};
  kept->headers = TRY(plugin::headers_as_sent(
      sender, {kept->body, std::move(wanted.sample.headers)},
      {.headers = {},
       .event = std::move(wanted.event),
       .id = new_id(),
       .signature_header = {},
       .user_agent = "davit-test"},
      [&](const plugin::SignatureScheme& scheme, std::string_view body, const std::string& id) {
        return plugin::sign(scheme, body, webhook.settings.secrets.front(), id, now);
      }));
  Delivery delivery;
  delivery.id = new_id();
  delivery.request_id = request_id;
  delivery.webhook = webhook.settings.instance;
  delivery.method = "POST";
  delivery.path = kept->path;
  for (const auto& [name, value] : kept->headers) delivery.headers.push_back({name, value});
  delivery.body = kept->body;
  delivery.remote_address = std::string(kTestBy) + wanted.by;
  delivery.received_at = now;
  delivery.bytes = std::move(kept);
  return delivery;
}

std::optional<std::string_view> tested_by(std::string_view remote_address) {
  if (!remote_address.starts_with(kTestBy)) return std::nullopt;
  return remote_address.substr(kTestBy.size());
}

}  // namespace davit::ingest
