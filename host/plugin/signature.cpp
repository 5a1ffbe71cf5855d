// Checking signatures that a plugin declared as data.
//
// Order of the work: take the signature, the time stamp and the id out of the headers; put the signed text
// together; compute what every usable secret would give; compare. The work does not depend on what was wrong
// with the headers, so that an answer's time tells nothing; the cause is decided at the end.
//
// Two rules keep a scheme from being talked into something else. Values from headers may not contain the text
// between the placeholders, else "a.b" + "c" and "a" + "b.c" would sign alike. And where a scheme takes HMAC
// beside ed25519, a secret is used only with the kind its prefix names: a public key is public, and must
// never serve as an HMAC key.
#include "host/plugin/signature.h"

#include <algorithm>
#include <initializer_list>

#include "host/base/crypto.h"
#include "host/base/text.h"

namespace davit::plugin {
namespace {

constexpr std::size_t kMaxCandidates = 16;
constexpr std::size_t kMaxIdBytes = 256;

struct Placeholder {
  std::string_view name;
  std::size_t begin, end;  // of "{name}" in the template
};

constexpr std::string_view kPlaceholders[] = {"{body}", "{timestamp}", "{id}"};

// The placeholders in order of appearance.
std::vector<Placeholder> placeholders_of(std::string_view text) {
  std::vector<Placeholder> found;
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (std::string_view name : kPlaceholders) {
      if (text.substr(i, name.size()) == name) found.push_back({name, i, i + name.size()});
    }
  }
  return found;
}

// The characters between the placeholders: what a value from a header must not hold.
std::string separators_of(std::string_view text) {
  std::vector<Placeholder> places = placeholders_of(text);
  std::string characters;
  for (std::size_t i = 1; i < places.size(); ++i) {
    characters += text.substr(places[i - 1].end, places[i].begin - places[i - 1].end);
  }
  return characters;
}

std::string fill(const SignatureScheme& scheme, std::string_view body, std::string_view timestamp,
                 std::string_view id) {
  std::string text;
  text.reserve(scheme.signed_text.size() + body.size() + timestamp.size() + id.size());
  std::size_t done = 0;
  for (const Placeholder& place : placeholders_of(scheme.signed_text)) {
    text += std::string_view(scheme.signed_text).substr(done, place.begin - done);
    text += place.name == "{body}" ? body : place.name == "{id}" ? id : timestamp;
    done = place.end;
  }
  text += std::string_view(scheme.signed_text).substr(done);
  return text;
}

std::optional<HashAlgorithm> hash_of(SignatureAlgorithm algorithm) {
  switch (algorithm) {
    case SignatureAlgorithm::HmacSha256:
      return HashAlgorithm::Sha256;
    case SignatureAlgorithm::HmacSha384:
      return HashAlgorithm::Sha384;
    case SignatureAlgorithm::HmacSha512:
      return HashAlgorithm::Sha512;
    case SignatureAlgorithm::Ed25519:
      return std::nullopt;
  }
  return std::nullopt;
}

std::size_t signature_size(SignatureAlgorithm algorithm) {
  switch (algorithm) {
    case SignatureAlgorithm::HmacSha256:
      return 32;
    case SignatureAlgorithm::HmacSha384:
      return 48;
    case SignatureAlgorithm::HmacSha512:
      return 64;
    case SignatureAlgorithm::Ed25519:
      return 64;
  }
  return 0;
}

bool mixes_key_kinds(const SignatureScheme& scheme) {
  auto is_public = [](const AcceptedSignature& accepted) {
    return accepted.algorithm == SignatureAlgorithm::Ed25519;
  };
  return std::any_of(scheme.accept.begin(), scheme.accept.end(), is_public) &&
         !std::all_of(scheme.accept.begin(), scheme.accept.end(), is_public);
}

// The key bytes of a secret for one kind of signature; nullopt if it is not meant for it.
std::optional<std::string> key_for(const SignatureScheme& scheme, const AcceptedSignature& accepted,
                                   std::string_view secret) {
  if (!accepted.secret_prefix.empty()) {
    if (secret.substr(0, accepted.secret_prefix.size()) == accepted.secret_prefix) {
      secret.remove_prefix(accepted.secret_prefix.size());
    } else if (mixes_key_kinds(scheme)) {
      return std::nullopt;
    }
  }
  std::string key(secret);
  if (accepted.secret_is_base64) {
    Result<std::string> decoded = from_base64(secret);
    if (!decoded) return std::nullopt;
    key = std::move(decoded).value();
  }
  if (key.empty()) return std::nullopt;
  if (accepted.algorithm == SignatureAlgorithm::Ed25519 && key.size() != 32) return std::nullopt;
  return key;
}

Error wrong(std::string_view member, std::string_view what) {
  return Error{ErrorCode::InvalidInput, "signature." + std::string(member) + " " + std::string(what)};
}

bool is_header_name(std::string_view name) {
  if (name.empty() || name.size() > 128) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

bool is_printable(std::string_view text, std::size_t max) {
  return text.size() <= max &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

Result<> check_members(const JsonValue& object, std::string_view where,
                       std::initializer_list<std::string_view> known) {
  for (const auto& member : object.GetObject()) {
    std::string_view name(member.name.GetString(), member.name.GetStringLength());
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return Error{ErrorCode::InvalidInput, std::string(where) + " has a member this host does not know: " +
                                                json_quote(shortened(name, 64))};
    }
  }
  return {};
}

Result<std::string> text_of_member(const JsonValue& object, std::string_view name, std::string_view shown,
                                   std::string_view fallback) {
  const JsonValue* value = find_member(object, name);
  if (!value) return std::string(fallback);
  if (!value->IsString()) return wrong(shown, "must be a text");
  std::string text(value->GetString(), value->GetStringLength());
  if (!is_printable(text, 256)) return wrong(shown, "must be printable ASCII, at most 256 bytes");
  return text;
}

Result<AcceptedSignature> accepted_from_json(const JsonValue& item) {
  if (!item.IsObject()) return wrong("accept", "must be a list of objects");
  TRY(check_members(item, "signature.accept",
                    {"prefix", "algorithm", "encoding", "secret_prefix", "secret_encoding"}));
  AcceptedSignature accepted;
  accepted.prefix = TRY(text_of_member(item, "prefix", "accept.prefix", ""));
  accepted.secret_prefix = TRY(text_of_member(item, "secret_prefix", "accept.secret_prefix", ""));
  std::string algorithm = TRY(text_of_member(item, "algorithm", "accept.algorithm", ""));
  if (algorithm == "hmac-sha256") {
    accepted.algorithm = SignatureAlgorithm::HmacSha256;
  } else if (algorithm == "hmac-sha384") {
    accepted.algorithm = SignatureAlgorithm::HmacSha384;
  } else if (algorithm == "hmac-sha512") {
    accepted.algorithm = SignatureAlgorithm::HmacSha512;
  } else if (algorithm == "ed25519") {
    accepted.algorithm = SignatureAlgorithm::Ed25519;
  } else {
    return wrong("accept.algorithm", "must be hmac-sha256, hmac-sha384, hmac-sha512 or ed25519");
  }
  std::string encoding = TRY(text_of_member(item, "encoding", "accept.encoding", ""));
  if (encoding != "hex" && encoding != "base64") return wrong("accept.encoding", "must be hex or base64");
  accepted.encoding = encoding == "hex" ? SignatureEncoding::Hex : SignatureEncoding::Base64;
  std::string secret_encoding = TRY(text_of_member(item, "secret_encoding", "accept.secret_encoding", "raw"));
  if (secret_encoding != "raw" && secret_encoding != "base64") {
    return wrong("accept.secret_encoding", "must be raw or base64");
  }
  accepted.secret_is_base64 = secret_encoding == "base64";
  return accepted;
}

Result<> check_template(const SignatureScheme& scheme) {
  std::vector<Placeholder> places = placeholders_of(scheme.signed_text);
  auto count = [&](std::string_view name) {
    return std::count_if(places.begin(), places.end(),
                         [&](const Placeholder& place) { return place.name == name; });
  };
  if (count("{body}") != 1) return wrong("signed", "must hold {body} exactly once");
  if (count("{timestamp}") > 1 || count("{id}") > 1) return wrong("signed", "holds a placeholder twice");
  // A header that is named but not signed would look like a protection and be none.
  if ((count("{timestamp}") == 1) != !scheme.timestamp_header.empty()) {
    return wrong("timestamp_header", "and {timestamp} in signature.signed go together: give both or none");
  }
  if ((count("{id}") == 1) != !scheme.id_header.empty()) {
    return wrong("id_header", "and {id} in signature.signed go together: give both or none");
  }
  std::string literal = scheme.signed_text;
  for (auto place = places.rbegin(); place != places.rend(); ++place) {
    literal.erase(place->begin, place->end - place->begin);
  }
  if (literal.find_first_of("{}") != std::string::npos) {
    return wrong("signed", "knows no placeholder but {body}, {timestamp} and {id}");
  }
  for (std::size_t i = 1; i < places.size(); ++i) {
    if (places[i - 1].end == places[i].begin)
      return wrong("signed", "must have text between two placeholders");
  }
  if (separators_of(scheme.signed_text).find_first_of("0123456789") != std::string::npos &&
      !scheme.timestamp_header.empty()) {
    return wrong("signed", "must have no digit between placeholders, since a time stamp holds digits");
  }
  return {};
}

// A candidate, decoded; nullopt if its text is not one of this kind.
std::optional<std::string> decode(const AcceptedSignature& accepted, std::string_view text) {
  Result<std::string> bytes =
      accepted.encoding == SignatureEncoding::Hex ? from_hex(text) : from_base64(text);
  if (!bytes || bytes->size() != signature_size(accepted.algorithm)) return std::nullopt;
  return std::move(bytes).value();
}

std::vector<std::string_view> split(std::string_view text, std::string_view separator) {
  if (separator.empty()) return {text};
  std::vector<std::string_view> parts;
  while (parts.size() <= kMaxCandidates) {
    std::size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) break;
    text.remove_prefix(at + separator.size());
  }
  return parts;
}

// One value of a header that must be there exactly once.
std::string_view single_header(const Delivery& delivery, const std::string& name, std::string_view& cause) {
  std::vector<std::string_view> values = header_values(delivery, name);
  if (values.size() == 1 && !values[0].empty()) return values[0];
  if (cause.empty()) cause = values.empty() ? "missing" : values.size() > 1 ? "doubled" : "malformed";
  return {};
}

}  // namespace

Result<SignatureScheme> SignatureScheme::from_json(const JsonValue& signature) {
  if (!signature.IsObject()) return Error{ErrorCode::InvalidInput, "signature must be an object"};
  TRY(check_members(
      signature, "signature",
      {"headers", "separator", "signed", "timestamp_header", "tolerance_seconds", "id_header", "accept"}));
  SignatureScheme scheme;
  const JsonValue* headers = find_member(signature, "headers");
  if (!headers || !headers->IsArray() || headers->Empty() || headers->Size() > 8) {
    return wrong("headers", "must be a list of one to eight header names");
  }
  for (const JsonValue& header : headers->GetArray()) {
    if (!header.IsString()) return wrong("headers", "must hold texts only");
    scheme.headers.emplace_back(header.GetString(), header.GetStringLength());
    if (!is_header_name(scheme.headers.back())) return wrong("headers", "must be names of HTTP headers");
  }
  scheme.separator = TRY(text_of_member(signature, "separator", "separator", ""));
  scheme.signed_text = TRY(text_of_member(signature, "signed", "signed", "{body}"));
  scheme.timestamp_header = TRY(text_of_member(signature, "timestamp_header", "timestamp_header", ""));
  scheme.id_header = TRY(text_of_member(signature, "id_header", "id_header", ""));
  if (!scheme.timestamp_header.empty() && !is_header_name(scheme.timestamp_header)) {
    return wrong("timestamp_header", "must be the name of an HTTP header");
  }
  if (!scheme.id_header.empty() && !is_header_name(scheme.id_header)) {
    return wrong("id_header", "must be the name of an HTTP header");
  }
  if (const JsonValue* tolerance = find_member(signature, "tolerance_seconds")) {
    if (!tolerance->IsInt() || tolerance->GetInt() < 1 || tolerance->GetInt() > 86'400) {
      return wrong("tolerance_seconds", "must be a whole number from 1 to 86400");
    }
    scheme.tolerance = std::chrono::seconds(tolerance->GetInt());
  }
  const JsonValue* accept = find_member(signature, "accept");
  if (!accept || !accept->IsArray() || accept->Empty() || accept->Size() > 8) {
    return wrong("accept", "must be a list of one to eight objects");
  }
  for (const JsonValue& item : accept->GetArray()) scheme.accept.push_back(TRY(accepted_from_json(item)));
  TRY(check_template(scheme));
  if (mixes_key_kinds(scheme)) {
    for (const AcceptedSignature& one : scheme.accept) {
      for (const AcceptedSignature& other : scheme.accept) {
        if (one.secret_prefix.empty() || ((one.algorithm == SignatureAlgorithm::Ed25519) !=
                                              (other.algorithm == SignatureAlgorithm::Ed25519) &&
                                          (one.secret_prefix.starts_with(other.secret_prefix) ||
                                           other.secret_prefix.starts_with(one.secret_prefix)))) {
          return wrong("accept.secret_prefix",
                       "must tell public keys from HMAC secrets when both are accepted");
        }
      }
    }
  }
  return scheme;
}

namespace {

// Of a key that was written as base64: the text is a third longer, and says nothing.
Result<> check_key_length(const AcceptedSignature& accepted, std::size_t bytes) {
  const bool standard = accepted.secret_prefix == "whsec_";  // Standard Webhooks, "Symmetric signatures"
  const std::size_t least = standard ? 24 : 16;
  const std::size_t most = standard ? 64 : bytes;
  if (bytes >= least && bytes <= most) return {};
  return Error{ErrorCode::InvalidInput,
               "is a key of " + std::to_string(bytes) + " bytes; " +
                   (standard ? "the specification wants 24 to 64" : "use at least " + std::to_string(least)) +
                   ", counted after base64 is decoded"};
}

}  // namespace

Result<> check_secret(const SignatureScheme& scheme, std::string_view secret) {
  if (secret.empty()) return Error{ErrorCode::InvalidInput, "is empty"};
  std::string expected;
  for (const AcceptedSignature& accepted : scheme.accept) {
    if (const auto key = key_for(scheme, accepted, secret))
      return accepted.secret_is_base64 && accepted.algorithm != SignatureAlgorithm::Ed25519
                 ? check_key_length(accepted, key->size())
                 : Result<>();
    expected += expected.empty() ? "" : " or ";
    expected += accepted.secret_prefix.empty() ? "no prefix" : "the prefix " + accepted.secret_prefix;
    expected += accepted.secret_is_base64 ? " and base64 after it" : " and plain text";
  }
  return Error{ErrorCode::InvalidInput, "does not have the form that the webhook expects: " + expected};
}

SignatureVerdict verify_signature(const SignatureScheme& scheme, const Delivery& delivery,
                                  const std::vector<std::string>& secrets, WallTime now) {
  std::string_view cause;

  std::string_view signature;
  const std::string* present = &scheme.headers.front();
  for (const std::string& name : scheme.headers) {
    if (!header_values(delivery, name).empty()) {
      present = &name;
      break;
    }
  }
  signature = single_header(delivery, *present, cause);

  const std::string separators = separators_of(scheme.signed_text);
  std::string_view timestamp;
  bool stale = false;
  if (!scheme.timestamp_header.empty()) {
    timestamp = single_header(delivery, scheme.timestamp_header, cause);
    bool digits = !timestamp.empty() && timestamp.size() <= 12 &&
                  timestamp.find_first_not_of("0123456789") == std::string_view::npos;
    if (!timestamp.empty() && !digits && cause.empty()) cause = "malformed";
    if (digits) {
      std::int64_t seconds = 0;
      for (char c : timestamp) seconds = seconds * 10 + (c - '0');
      // Whole seconds on both sides: a stamp carries no more.
      std::int64_t apart = to_unix_ms(now) / 1000 - seconds;
      stale = std::abs(apart) * 1000 > scheme.tolerance.count();
    }
  }
  std::string_view id;
  if (!scheme.id_header.empty()) {
    id = single_header(delivery, scheme.id_header, cause);
    if (!id.empty() && cause.empty() &&
        (id.size() > kMaxIdBytes || id.find_first_of(separators) != std::string_view::npos ||
         !std::all_of(id.begin(), id.end(), [](char c) { return c > 0x20 && c < 0x7f; }))) {
      cause = "malformed";
    }
  }

  std::vector<std::string_view> candidates = split(signature, scheme.separator);
  bool too_many = candidates.size() > kMaxCandidates;
  if (too_many) candidates.resize(kMaxCandidates);

  std::string filled;
  std::string_view text = delivery.body;
  if (scheme.signed_text != "{body}") {
    filled = fill(scheme, delivery.body, timestamp, id);
    text = filled;
  }

  bool matched = false, understood = false;
  std::size_t matching = secrets.size();
  for (const AcceptedSignature& accepted : scheme.accept) {
    std::vector<std::string> decoded;
    for (std::string_view candidate : candidates) {
      if (candidate.substr(0, accepted.prefix.size()) != accepted.prefix) continue;
      if (auto bytes = decode(accepted, candidate.substr(accepted.prefix.size())))
        decoded.push_back(std::move(*bytes));
    }
    understood |= !decoded.empty();
    for (std::size_t i = 0; i < secrets.size(); ++i) {
      std::optional<std::string> key = key_for(scheme, accepted, secrets[i]);
      if (!key) continue;
      bool fits = false;
      if (std::optional<HashAlgorithm> hash = hash_of(accepted.algorithm)) {
        const std::string expected = hmac(*hash, *key, text);
        for (const std::string& bytes : decoded) fits |= constant_time_equal(bytes, expected);
      } else {
        for (const std::string& bytes : decoded) fits |= ed25519_verify(*key, text, bytes);
      }
      matched |= fits;
      if (fits) matching = std::min(matching, i);
    }
  }

  if (!cause.empty()) return {false, cause};
  if (too_many || !understood) return {false, "malformed"};
  if (!matched) return {false, "mismatch"};
  if (stale) return {false, "stale"};
  return {true, {}, matching};
}

namespace {

Result<> check_signed_id(const SignatureScheme& scheme, std::string_view id) {
  if (!scheme.id_header.empty() &&
      (id.empty() || id.size() > kMaxIdBytes ||
       id.find_first_of(separators_of(scheme.signed_text)) != std::string_view::npos)) {
    return Error{ErrorCode::InvalidInput, "the id must not be empty and must hold none of the characters \"" +
                                              separators_of(scheme.signed_text) + "\""};
  }
  return {};
}

std::string timestamp_of(WallTime now) { return std::to_string(to_unix_ms(now) / 1000); }

SignedHeaders headers_with(const SignatureScheme& scheme, const AcceptedSignature& accepted,
                           std::string_view id, const std::string& timestamp, const std::string& signature) {
  SignedHeaders made;
  if (!scheme.id_header.empty()) made.headers.emplace_back(scheme.id_header, id);
  if (!scheme.timestamp_header.empty()) made.headers.emplace_back(scheme.timestamp_header, timestamp);
  made.headers.emplace_back(
      scheme.headers.front(),
      accepted.prefix +
          (accepted.encoding == SignatureEncoding::Hex ? to_hex(signature) : to_base64(signature)));
  return made;
}

}  // namespace

Result<SignedHeaders> sign(const SignatureScheme& scheme, std::string_view body, const std::string& secret,
                           std::string_view id, WallTime now) {
  TRY(check_signed_id(scheme, id));
  const std::string timestamp = timestamp_of(now);
  bool any_hmac = false;
  for (const AcceptedSignature& accepted : scheme.accept) {
    std::optional<HashAlgorithm> hash = hash_of(accepted.algorithm);
    if (!hash) continue;
    any_hmac = true;
    std::optional<std::string> key = key_for(scheme, accepted, secret);
    if (!key) continue;
    return headers_with(scheme, accepted, id, timestamp,
                        hmac(*hash, *key, fill(scheme, body, timestamp, id)));
  }
  if (any_hmac)
    return at("the secret", check_secret(scheme, secret).ok()
                                ? Error{ErrorCode::InvalidInput, "fits public keys only"}
                                : check_secret(scheme, secret).error());
  return Error{ErrorCode::NotImplemented,
               "the scheme knows ed25519 only, which needs the sender's private key"};
}

Result<SignedHeaders> sign_ed25519(const SignatureScheme& scheme, std::string_view body,
                                   std::string_view private_key, std::string_view id, WallTime now) {
  TRY(check_signed_id(scheme, id));
  const std::string timestamp = timestamp_of(now);
  for (const AcceptedSignature& accepted : scheme.accept) {
    if (accepted.algorithm != SignatureAlgorithm::Ed25519) continue;
    return headers_with(scheme, accepted, id, timestamp,
                        TRY(ed25519_sign(private_key, fill(scheme, body, timestamp, id))));
  }
  return Error{ErrorCode::NotImplemented, "the scheme knows no ed25519; leave the private key out"};
}

}  // namespace davit::plugin
