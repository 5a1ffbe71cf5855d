// Signs requests for tests as the real sender would.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "davit/signature.hpp"
#include "davit/testing/request_builder.hpp"

namespace davit {
inline namespace sdk {
namespace testing {

// Adds the scheme's headers to `request`, by its first algorithm (HMAC-SHA256 only).
inline void sign(RequestBuilder& request, const Signature& scheme, std::string_view secret,
                 Time now = time_from_unix_ms(1'700'000'000'000), const std::string& id = "msg_1") {
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
