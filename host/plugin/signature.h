// Signature schemes declared as data in a webhook's metadata (plugin-sdk/include/davit/abi/webhook.h),
// checked by the host.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/base/clock.h"
#include "host/base/json.h"
#include "host/base/result.h"
#include "host/model/delivery.h"

namespace davit::plugin {

enum class SignatureAlgorithm { HmacSha256, HmacSha384, HmacSha512, Ed25519 };
enum class SignatureEncoding { Hex, Base64 };

struct AcceptedSignature {
  std::string prefix;
  SignatureAlgorithm algorithm = SignatureAlgorithm::HmacSha256;
  SignatureEncoding encoding = SignatureEncoding::Hex;
  std::string secret_prefix;
  bool secret_is_base64 = false;
};

struct SignatureScheme {
  std::vector<std::string> headers;
  std::string separator;
  std::string signed_text = "{body}";
  std::string timestamp_header;
  Duration tolerance{300'000};
  std::string id_header;
  std::vector<AcceptedSignature> accept;

  // InvalidInput names the member that is wrong. Members and values that this host does not know are wrong: a
  // check understood by half is none.
  static Result<SignatureScheme> from_json(const JsonValue& signature);
};

// Can `secret` be a key of the scheme? InvalidInput says why not, without a byte of it.
Result<> check_secret(const SignatureScheme& scheme, std::string_view secret);

// Is the delivery signed with one of `secrets`? The cause is for metrics and logs, never for the sender: one
// of missing, doubled, malformed, mismatch, stale; empty when good. Constant time in secret and signature;
// the same work for every cause. Secrets that check_secret refuses are passed over.
struct SignatureVerdict {
  bool good = false;
  std::string_view cause;
  std::size_t secret = 0;  // when good: the first of `secrets` that fits
};
SignatureVerdict verify_signature(const SignatureScheme& scheme, const Delivery& delivery,
                                  const std::vector<std::string>& secrets, WallTime now);

// The header a sender would put: for `davit send` and tests. `id` and `timestamp` as the scheme needs them.
// Signs with the first accepted HMAC that `secret` fits; NotImplemented if the scheme knows ed25519 only.
struct SignedHeaders {
  std::vector<std::pair<std::string, std::string>> headers;
};
Result<SignedHeaders> sign(const SignatureScheme& scheme, std::string_view body, const std::string& secret,
                           std::string_view id, WallTime now);
// The same with the sender's private key (32 bytes), which the host itself never has. NotImplemented if the
// scheme knows no ed25519.
Result<SignedHeaders> sign_ed25519(const SignatureScheme& scheme, std::string_view body,
                                   std::string_view private_key, std::string_view id, WallTime now);

}  // namespace davit::plugin
