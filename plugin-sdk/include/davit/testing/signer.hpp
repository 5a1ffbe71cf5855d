// Signs requests for tests as the real sender would.
//
//   const davit::Signature scheme = scheme_of(library.webhooks(), 0);   // what the metadata declares
//   sign(request, scheme, "the secret");
//   verify(scheme, request.request(), davit::Secrets({"the secret"}), kNow);
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "davit/signature.hpp"
#include "davit/testing/driver.hpp"
#include "davit/testing/request_builder.hpp"

namespace davit {
inline namespace sdk {
namespace testing {

// When requests of the kit are received, and what its host says the time is.
inline const Time kNow = time_from_unix_ms(1'700'000'000'000);

// The scheme that webhook number `index` declares. Throws a Failure where it declares none.
inline Signature scheme_of(const davit_webhook_factory* factory, std::uint32_t index) {
  FakeHost host;
  const Json metadata = Json::parse(metadata_of(factory, index, host).output);
  return Signature::from_json(metadata["signature"]);
}

// Adds the scheme's headers to `request`, by its first algorithm (HMAC-SHA256 only).
inline void sign(RequestBuilder& request, const Signature& scheme, std::string_view secret, Time now = kNow,
                 const std::string& id = "msg_1") {
  const Signature::Accept& accept = scheme.accepts().front();
  if (accept.algorithm != "hmac-sha256") throw std::logic_error("sign() knows hmac-sha256 only");
  const std::string timestamp = std::to_string(unix_ms(now) / 1000);
  const auto key = detail::key_of(accept, secret);
  const auto message = detail::signed_message(scheme, request.body(), timestamp, id);
  if (!key || !message) throw std::logic_error("the secret or the id does not fit the scheme");
  const Digest digest = hmac_sha256(*key, *message);
  const std::string text = accept.encoding == "hex" ? to_hex(bytes_of(digest)) : to_base64(bytes_of(digest));
  request.header(scheme.headers().front(), accept.prefix + text);
  if (!scheme.timestamp_header().empty()) request.header(scheme.timestamp_header(), timestamp);
  if (!scheme.id_header().empty()) request.header(scheme.id_header(), id);
}

}  // namespace testing
}  // namespace sdk
}  // namespace davit
