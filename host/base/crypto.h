// Digests, encodings and random bytes, on OpenSSL.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "host/base/result.h"

namespace davit {

enum class HashAlgorithm { Sha256, Sha384, Sha512 };

// Raw digest bytes (32, 48 or 64 of them).
std::string sha256(std::string_view bytes);
std::string sha256_hex(std::string_view bytes);

// Raw HMAC bytes (RFC 2104). An empty key is allowed here; callers refuse empty secrets.
std::string hmac(HashAlgorithm algorithm, std::string_view key, std::string_view message);

// Is `signature` (64 bytes) an Ed25519 signature of `message` by the raw 32-byte `public_key`? False for
// wrong sizes.
bool ed25519_verify(std::string_view public_key, std::string_view message, std::string_view signature);

// The 64-byte Ed25519 signature of `message` by the raw 32-byte `private_key`. InvalidInput for another size.
Result<std::string> ed25519_sign(std::string_view private_key, std::string_view message);
// The 32 raw bytes of a private key as tools write it: PEM (`openssl genpkey -algorithm ed25519`), or as
// Standard Webhooks does, "whsk_" and base64 of the 64 bytes of private and public key, or of the 32 of the
// private one. InvalidInput for anything else, without a byte of it.
Result<std::string> ed25519_private_key(std::string_view text);

// SHA-256 over bytes that arrive in pieces. Confined to one thread.
class Sha256Stream {
 public:
  Sha256Stream();
  ~Sha256Stream();
  Sha256Stream(const Sha256Stream&) = delete;
  Sha256Stream& operator=(const Sha256Stream&) = delete;
  void update(std::string_view bytes);
  std::string finish_hex();  // once

 private:
  void* context_;
};

// Time depends on the length only, never on where the first difference is. Different lengths compare unequal.
bool constant_time_equal(std::string_view a, std::string_view b);

std::string to_hex(std::string_view bytes);
// Either case; odd length or another character is InvalidInput.
Result<std::string> from_hex(std::string_view text);
std::string to_base64(std::string_view bytes);
// RFC 4648 §4 with padding, strict: no white space, nothing after the padding, unused bits zero.
Result<std::string> from_base64(std::string_view text);

// Unpredictable bytes; aborts the process if the system has none.
std::string random_bytes(std::size_t count);

}  // namespace davit
