// Signature schemes as plugins declare them, and hostile headers. The input: a line with the scheme, a line
// with the secret, header lines, an empty line, the body.
#include <string>
#include <vector>

#include "host/base/crypto.h"
#include "host/plugin/signature.h"
#include "tests/fuzz/fuzz.h"

namespace {

using davit::fuzz::cut;
using davit::fuzz::promise;
namespace plugin = davit::plugin;

const davit::WallTime kNow = davit::from_unix_ms(1'700'000'000'000);
const std::string kOtherSecret = "another-secret-of-32-characters!";

davit::Delivery delivery_of(const std::vector<davit::DeliveryHeader>& headers, std::string_view body) {
  davit::Delivery delivery;
  delivery.headers = headers;
  delivery.body = body;
  return delivery;
}

bool is_good(const plugin::SignatureScheme& scheme, const davit::Delivery& delivery,
             const std::vector<std::string>& secrets) {
  const plugin::SignatureVerdict verdict = plugin::verify_signature(scheme, delivery, secrets, kNow);
  promise(verdict.good == verdict.cause.empty(), "a refusal has a cause, and nothing else has");
  return verdict.good;
}

// What was signed by us is good, and only as it was signed.
void check_signed(const plugin::SignatureScheme& scheme, const std::string& secret, std::string_view body) {
  const auto made = plugin::sign(scheme, body, secret, "delivery", kNow);
  if (!made) return;
  std::vector<davit::DeliveryHeader> headers;
  for (const auto& [name, value] : made->headers) headers.push_back({name, value});
  const davit::Delivery sent = delivery_of(headers, body);
  // Headers with the same name for two things, or a prefix that holds the separator, can never be good.
  if (!is_good(scheme, sent, {secret})) return;
  promise(is_good(scheme, sent, {kOtherSecret, secret}), "any of the secrets may have signed");
  const std::string longer = std::string(body) + "x";
  promise(!is_good(scheme, delivery_of(headers, longer), {secret}), "another body is not good");
  if (secret != kOtherSecret) promise(!is_good(scheme, sent, {kOtherSecret}), "another secret is not good");
  headers.push_back(headers.back());
  promise(!is_good(scheme, delivery_of(headers, body), {secret}), "a doubled header is not good");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest = davit::fuzz::as_text(data, size);
  const auto document = davit::parse_json(cut(rest, "\n"));
  if (!document) return 0;
  const auto scheme = plugin::SignatureScheme::from_json(*document);
  if (!scheme) {
    promise(davit::fuzz::is_one_line(scheme.error().message), "a refusal is one line");
    return 0;
  }
  const std::string secret(cut(rest, "\n"));
  std::vector<davit::DeliveryHeader> headers;
  for (std::string_view line = cut(rest, "\n"); !line.empty(); line = cut(rest, "\n")) {
    const std::string_view name = cut(line, ":");
    headers.push_back({name, line});
  }
  const davit::Delivery delivery = delivery_of(headers, rest);
  promise(!is_good(*scheme, delivery, {}), "without a secret nothing is good");
  if (is_good(*scheme, delivery, {secret})) {
    promise(plugin::check_secret(*scheme, secret).ok(), "what signs is a secret of the scheme");
    const std::string longer = std::string(rest) + "x";
    promise(!is_good(*scheme, delivery_of(headers, longer), {secret}), "another body is not good");
    promise(secret == kOtherSecret || !is_good(*scheme, delivery, {kOtherSecret}),
            "another secret is not good");
  }
  check_signed(*scheme, secret, rest);
  return 0;
}
