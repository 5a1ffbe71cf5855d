// Deliveries with hostile headers at the schemes of the shipped webhooks: from the bytes to a verified
// delivery, or to a refusal. Input: a line with the number of the scheme, one with the time in seconds,
// header lines, an empty line, the body.
#include <charconv>
#include <string>
#include <vector>

#include "host/base/crypto.h"
#include "host/plugin/webhook_verification.h"
#include "tests/fuzz/fuzz.h"

namespace {

using davit::fuzz::cut;
using davit::fuzz::promise;
namespace plugin = davit::plugin;

struct Sender {
  const char* scheme;
  const char* secret;
  const char* id_header;
  std::vector<std::string> content_types;
};

const std::vector<Sender>& senders() {
  static const std::vector<Sender> all{
      {R"({"headers":["X-Hub-Signature-256"],"accept":[{"prefix":"sha256=","algorithm":"hmac-sha256","encoding":"hex"}]})",
       "It's a Secret to Everybody",
       "X-GitHub-Delivery",
       {"application/json", "application/x-www-form-urlencoded"}},
      {R"({"headers":["X-Hub-Signature"],"accept":[{"prefix":"sha256=","algorithm":"hmac-sha256","encoding":"hex"},
           {"prefix":"sha384=","algorithm":"hmac-sha384","encoding":"hex"},
           {"prefix":"sha512=","algorithm":"hmac-sha512","encoding":"hex"}]})",
       "It's a Secret to Everybody",
       "X-Atlassian-Webhook-Identifier",
       {"application/json"}},
      {R"({"headers":["Sentry-Hook-Signature","Sentry-App-Signature"],"accept":[{"algorithm":"hmac-sha256","encoding":"hex"}]})",
       "client-secret-of-an-app",
       "",
       {"application/json"}},
      {R"({"headers":["X-Slack-Signature"],"signed":"v0:{timestamp}:{body}","timestamp_header":"X-Slack-Request-Timestamp",
           "tolerance_seconds":300,"accept":[{"prefix":"v0=","algorithm":"hmac-sha256","encoding":"hex"}]})",
       "8f742231b10e8888abcd99yyyzzz85a5",
       "",
       {}},
      {R"({"headers":["webhook-signature"],"separator":" ","signed":"{id}.{timestamp}.{body}","id_header":"webhook-id",
           "timestamp_header":"webhook-timestamp","accept":[
           {"prefix":"v1,","algorithm":"hmac-sha256","encoding":"base64","secret_prefix":"whsec_","secret_encoding":"base64"},
           {"prefix":"v1a,","algorithm":"ed25519","encoding":"base64","secret_prefix":"whpk_","secret_encoding":"base64"}]})",
       "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
       "webhook-id",
       {"application/json"}}};
  return all;
}

plugin::Webhook webhook_of(const Sender& sender) {
  plugin::Webhook webhook;
  webhook.settings.instance = "hook";
  webhook.settings.secrets = {"another-secret-of-32-characters!", sender.secret};
  webhook.scheme = *plugin::SignatureScheme::from_json(*davit::parse_json(sender.scheme));
  webhook.delivery_id_header = sender.id_header;
  webhook.content_types = sender.content_types;
  return webhook;
}

bool is_visible(std::string_view text) {
  for (const char c : text) {
    if (c <= 0x20 || c >= 0x7f) return false;
  }
  return !text.empty();
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest = davit::fuzz::as_text(data, size);
  const std::string_view number = cut(rest, "\n"), seconds = cut(rest, "\n");
  const Sender& sender =
      senders()[number.empty() ? 0 : static_cast<unsigned char>(number[0]) % senders().size()];
  std::int64_t now = 0;
  std::from_chars(seconds.data(), seconds.data() + std::min<std::size_t>(seconds.size(), 10), now);
  std::vector<davit::DeliveryHeader> headers;
  for (std::string_view line = cut(rest, "\n"); !line.empty(); line = cut(rest, "\n")) {
    const std::string_view name = cut(line, ": ");
    headers.push_back({name, line});
  }
  const plugin::Webhook webhook = webhook_of(sender);
  const auto deliver = [&](std::string_view body, const plugin::Webhook& to) {
    davit::Delivery delivery;
    delivery.headers = headers;
    delivery.body = body;
    std::string_view cause;
    auto verified = plugin::verify(to, std::move(delivery), davit::from_unix_ms(now * 1000), cause);
    promise(verified.ok() == cause.empty(), "a refusal has a cause, and nothing else has");
    if (!verified) {
      promise(davit::fuzz::is_one_line(verified.error().message), "a refusal is one line");
      promise(delivery.body == body && delivery.headers.size() == headers.size(),
              "what is refused stays with the caller");
    }
    return verified;
  };
  const auto verified = deliver(rest, webhook);
  plugin::Webhook other = webhook;
  other.settings.secrets.pop_back();
  promise(!deliver(rest, other).ok(), "another secret never verifies");
  other.settings.secrets.clear();
  promise(!deliver(rest, other).ok(), "without a secret nothing is verified");
  if (!verified) return 0;
  promise(verified->secret_number() == 2, "the secret that signed is named");
  promise(!verified->delivery_key().empty() && is_visible(verified->delivery_key()), "a key is visible text");
  promise(!deliver(std::string(rest) + " ", webhook).ok(), "another body is not verified");
  return 0;
}
