// Signature schemes declared as data in a webhook's metadata (plugin-sdk/include/davit/abi/webhook.h), checked by the host.
#pragma once

#include <optional>
#include <string>
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

  // InvalidInput names the member that is wrong.
  static Result<SignatureScheme> from_json(const JsonValue& signature);
};

// Is the delivery signed with one of `secrets`? Unauthorized otherwise, with one text for every cause (the cause is for
// metrics: `cause` is one of missing, doubled, malformed, mismatch, stale). Constant time in the secret and the signature.
// A scheme without secrets is a broken invariant: the caller refuses such a webhook before.
struct SignatureVerdict {
  bool good = false;
  std::string_view cause;
};
SignatureVerdict verify_signature(const SignatureScheme& scheme, const Delivery& delivery,
                                  const std::vector<std::string>& secrets, WallTime now);

// The header a sender would put: for `davit send` and tests. `id` and `timestamp` as the scheme needs them.
struct SignedHeaders {
  std::vector<std::pair<std::string, std::string>> headers;
};
Result<SignedHeaders> sign(const SignatureScheme& scheme, std::string_view body, const std::string& secret,
                           std::string_view id, WallTime now);

}  // namespace davit::plugin
