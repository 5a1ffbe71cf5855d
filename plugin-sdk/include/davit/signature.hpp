// For webhooks that must check signatures themselves, because no declared scheme (scheme.hpp) says what their
// sender does. What a sender of the usual kind needs is declared instead, and the host checks it.
//
//   bool validate_signature(const Request& request, const Secrets& secrets, Time now) const override {
//     return verify_hmac_hex(secrets, request.body(), request.header("X-Signature"), "sha256=");
//   }
//
// Every secret is tried, for rotation; the time taken does not tell how much of a signature was right.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "davit/host.hpp"
#include "davit/request.hpp"
#include "davit/scheme.hpp"
#include "davit/sha256.hpp"

namespace davit {
inline namespace sdk {

inline bool constant_time_equal(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  unsigned char difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) difference |= static_cast<unsigned char>(a[i] ^ b[i]);
  // Keeps the compiler from leaving the loop early.
  asm volatile("" : "+r"(difference));
  return difference == 0;
}

inline std::string to_hex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    text += kDigits[static_cast<unsigned char>(c) >> 4];
    text += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

// nullopt unless all of it is hex digits in pairs, of either case.
inline std::optional<std::string> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
  };
  std::string bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = digit(text[i]);
    const int low = digit(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

inline std::string to_base64(std::string_view bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      group = group << 8 | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0u);
    }
    text += kDigits[group >> 18];
    text += kDigits[group >> 12 & 63];
    text += i + 1 < bytes.size() ? kDigits[group >> 6 & 63] : '=';
    text += i + 2 < bytes.size() ? kDigits[group & 63] : '=';
  }
  return text;
}

// Standard alphabet, with padding; nullopt for anything else, also for spare bits that are not 0.
inline std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  auto digit = [](char c) -> int {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
  };
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); i += 4) {
    const bool last = i + 4 == text.size();
    const int padding = !last || text[i + 3] != '=' ? 0 : text[i + 2] != '=' ? 1 : 2;
    std::uint32_t group = 0;
    for (int j = 0; j < 4; ++j) {
      const int value = j >= 4 - padding ? 0 : digit(text[i + j]);
      if (value < 0) return std::nullopt;
      group = group << 6 | static_cast<std::uint32_t>(value);
    }
    if ((padding == 1 && (group & 0xFF)) || (padding == 2 && (group & 0xFFFF))) return std::nullopt;
    for (int j = 0; j < 3 - padding; ++j) bytes += static_cast<char>(group >> (16 - 8 * j) & 0xFF);
  }
  return bytes;
}

enum class Encoding { Hex, Base64 };

// Is `signature` the prefix and then the HMAC-SHA256 of `message` by one of the secrets? No secret: no.
inline bool verify_hmac(const Secrets& secrets, std::string_view message, std::string_view signature,
                        std::string_view prefix, Encoding encoding) {
  if (!signature.starts_with(prefix)) return false;
  signature.remove_prefix(prefix.size());
  const std::optional<std::string> given =
      encoding == Encoding::Hex ? from_hex(signature) : from_base64(signature);
  if (!given) return false;
  bool good = false;
  for (std::string_view secret : secrets) {
    // An empty secret is a secret everybody knows.
    if (!secret.empty()) good |= constant_time_equal(*given, bytes_of(hmac_sha256(secret, message)));
  }
  return good;
}

inline bool verify_hmac_hex(const Secrets& secrets, std::string_view message, std::string_view signature,
                            std::string_view prefix = "") {
  return verify_hmac(secrets, message, signature, prefix, Encoding::Hex);
}

inline bool verify_hmac_base64(const Secrets& secrets, std::string_view message, std::string_view signature,
                               std::string_view prefix = "") {
  return verify_hmac(secrets, message, signature, prefix, Encoding::Base64);
}

// Is `timestamp` (decimal seconds since 1970) at most `tolerance` from now, before or after? The replay
// window.
inline bool within_window(std::string_view timestamp, Time now, std::chrono::seconds tolerance) {
  if (timestamp.empty() || timestamp.size() > 12) return false;
  std::int64_t seconds = 0;
  for (const char c : timestamp) {
    if (c < '0' || c > '9') return false;
    seconds = seconds * 10 + (c - '0');
  }
  const auto distance = now - time_from_unix_ms(seconds * 1000);
  return distance <= tolerance && -distance <= tolerance;
}

namespace detail {

// Puts a request into the scheme's text. nullopt when a value is missing or could be taken for the text
// around it.
inline std::optional<std::string> signed_message(const Signature& scheme, std::string_view body,
                                                 std::string_view timestamp, std::string_view id) {
  std::string_view text = scheme.signed_text();
  std::string message;
  std::string between;
  bool placeholder = false;
  bool uses_timestamp = false;
  bool uses_id = false;
  while (!text.empty()) {
    if (text.starts_with("{body}")) {
      message += body;
      placeholder = true;
      text.remove_prefix(6);
    } else if (text.starts_with("{timestamp}")) {
      message += timestamp;
      placeholder = uses_timestamp = true;
      text.remove_prefix(11);
    } else if (text.starts_with("{id}")) {
      message += id;
      placeholder = uses_id = true;
      text.remove_prefix(4);
    } else {
      message += text.front();
      // What stands before the first placeholder cannot be shifted: "v0:" says nothing about a 0 in a
      // timestamp.
      if (placeholder) between += text.front();
      text.remove_prefix(1);
    }
  }
  auto bad = [&](std::string_view value) {
    return value.empty() || value.find_first_of(between) != std::string_view::npos;
  };
  if ((uses_timestamp && bad(timestamp)) || (uses_id && bad(id))) return std::nullopt;
  return message;
}

// The key that a configured secret stands for; nullopt when it is not what the scheme says.
inline std::optional<std::string> key_of(const Signature::Accept& accept, std::string_view secret) {
  if (secret.starts_with(accept.secret_prefix)) secret.remove_prefix(accept.secret_prefix.size());
  if (accept.secret_encoding == "base64") return from_base64(secret);
  return std::string(secret);
}

}  // namespace detail

// Checks a scheme as the host does, as far as it is made of HMAC-SHA256: for senders that sign in one of
// several ways.
inline bool verify(const Signature& scheme, const Request& request, const Secrets& secrets, Time now) {
  std::string_view signature;
  for (const std::string& name : scheme.headers()) {
    const std::vector<std::string_view> values = request.headers(name);
    if (values.size() > 1) return false;
    if (values.empty()) continue;
    signature = values.front();
    break;
  }
  if (signature.empty()) return false;

  auto only = [&](const std::string& name) -> std::string_view {
    const std::vector<std::string_view> values = request.headers(name);
    return values.size() == 1 ? values.front() : std::string_view();
  };
  const std::string_view timestamp = only(scheme.timestamp_header());
  if (!scheme.timestamp_header().empty() && !within_window(timestamp, now, scheme.tolerance())) return false;
  const auto message = detail::signed_message(scheme, request.body(), timestamp, only(scheme.id_header()));
  if (!message) return false;

  bool good = false;
  for (const Signature::Accept& accept : scheme.accepts()) {
    if (accept.algorithm != "hmac-sha256") continue;
    std::vector<std::string> keys;
    for (std::string_view secret : secrets) {
      // What another algorithm's prefix marks may be a public key, and must never serve as an HMAC key.
      const bool another =
          std::any_of(scheme.accepts().begin(), scheme.accepts().end(), [&](const Signature::Accept& other) {
            return other.algorithm != accept.algorithm && !other.secret_prefix.empty() &&
                   other.secret_prefix != accept.secret_prefix && secret.starts_with(other.secret_prefix);
          });
      if (another) continue;
      if (auto key = detail::key_of(accept, secret)) keys.push_back(std::move(*key));
    }
    const Secrets usable(std::vector<std::string_view>(keys.begin(), keys.end()));
    const Encoding encoding = accept.encoding == "hex" ? Encoding::Hex : Encoding::Base64;
    std::string_view rest = signature;
    while (!rest.empty()) {
      const std::size_t end =
          scheme.separator().empty() ? rest.size() : std::min(rest.find(scheme.separator()), rest.size());
      good |= verify_hmac(usable, *message, rest.substr(0, end), accept.prefix, encoding);
      rest.remove_prefix(std::min(end + scheme.separator().size(), rest.size()));
    }
  }
  return good;
}

}  // namespace sdk
}  // namespace davit
