#include "host/base/crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <cstdio>
#include <cstdlib>

namespace davit {
namespace {

const unsigned char* as_bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

const EVP_MD* digest_of(HashAlgorithm algorithm) {
  switch (algorithm) {
    case HashAlgorithm::Sha256:
      return EVP_sha256();
    case HashAlgorithm::Sha384:
      return EVP_sha384();
    case HashAlgorithm::Sha512:
      return EVP_sha512();
  }
  return EVP_sha256();
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

constexpr char kBase64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int base64_value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  if (c == '/') return 63;
  return -1;
}

}  // namespace

std::string sha256(std::string_view bytes) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(as_bytes(bytes), bytes.size(), reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

std::string sha256_hex(std::string_view bytes) { return to_hex(sha256(bytes)); }

std::string hmac(HashAlgorithm algorithm, std::string_view key, std::string_view message) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  // HMAC() wants a non-null key even for length 0.
  const void* key_data = key.empty() ? static_cast<const void*>("") : key.data();
  if (!HMAC(digest_of(algorithm), key_data, static_cast<int>(key.size()), as_bytes(message), message.size(),
            out, &size)) {
    std::fputs("davit: OpenSSL cannot compute an HMAC\n", stderr);
    std::abort();
  }
  return std::string(reinterpret_cast<char*>(out), size);
}

bool ed25519_verify(std::string_view public_key, std::string_view message, std::string_view signature) {
  if (public_key.size() != 32 || signature.size() != 64) return false;
  EVP_PKEY* key =
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, as_bytes(public_key), public_key.size());
  if (!key) return false;
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  bool good = context && EVP_DigestVerifyInit(context, nullptr, nullptr, nullptr, key) == 1 &&
              EVP_DigestVerify(context, as_bytes(signature), signature.size(), as_bytes(message),
                               message.size()) == 1;
  EVP_MD_CTX_free(context);
  EVP_PKEY_free(key);
  return good;
}

Result<std::string> ed25519_sign(std::string_view private_key, std::string_view message) {
  const Error bad{ErrorCode::InvalidInput, "an Ed25519 private key has 32 bytes"};
  if (private_key.size() != 32) return bad;
  EVP_PKEY* key =
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, as_bytes(private_key), private_key.size());
  if (!key) return bad;
  std::string signature(64, '\0');
  std::size_t size = signature.size();
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  const bool good = context && EVP_DigestSignInit(context, nullptr, nullptr, nullptr, key) == 1 &&
                    EVP_DigestSign(context, reinterpret_cast<unsigned char*>(signature.data()), &size,
                                   as_bytes(message), message.size()) == 1;
  EVP_MD_CTX_free(context);
  EVP_PKEY_free(key);
  if (!good || size != signature.size()) return Error{ErrorCode::Internal, "OpenSSL cannot sign"};
  return signature;
}

Result<std::string> ed25519_private_key(std::string_view text) {
  const Error bad{
      ErrorCode::InvalidInput,
      "is no Ed25519 private key; it must be PEM (openssl genpkey -algorithm ed25519), or whsk_ and "
      "base64"};
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  constexpr std::string_view kPrefix = "whsk_";
  if (text.substr(0, kPrefix.size()) == kPrefix) {
    auto bytes = from_base64(text.substr(kPrefix.size()));
    if (!bytes || (bytes->size() != 32 && bytes->size() != 64)) return bad;
    return bytes->substr(0, 32);
  }
  BIO* memory = BIO_new_mem_buf(text.data(), static_cast<int>(text.size()));
  if (!memory) return bad;
  // An encrypted key is refused: nobody is asked for its password.
  EVP_PKEY* key = PEM_read_bio_PrivateKey(
      memory, nullptr, [](char*, int, int, void*) { return -1; }, nullptr);
  BIO_free(memory);
  std::string bytes(32, '\0');
  std::size_t size = bytes.size();
  const bool good =
      key && EVP_PKEY_get_id(key) == EVP_PKEY_ED25519 &&
      EVP_PKEY_get_raw_private_key(key, reinterpret_cast<unsigned char*>(bytes.data()), &size) == 1 &&
      size == bytes.size();
  EVP_PKEY_free(key);
  if (!good) return bad;
  return bytes;
}

Sha256Stream::Sha256Stream() : context_(EVP_MD_CTX_new()) {
  EVP_DigestInit_ex(static_cast<EVP_MD_CTX*>(context_), EVP_sha256(), nullptr);
}
Sha256Stream::~Sha256Stream() { EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context_)); }
void Sha256Stream::update(std::string_view bytes) {
  EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(context_), bytes.data(), bytes.size());
}
std::string Sha256Stream::finish_hex() {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_DigestFinal_ex(static_cast<EVP_MD_CTX*>(context_), out, &size);
  return to_hex(std::string_view(reinterpret_cast<char*>(out), size));
}

bool constant_time_equal(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string to_hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (char c : bytes) {
    auto byte = static_cast<unsigned char>(c);
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  return text;
}

Result<std::string> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return Error{ErrorCode::InvalidInput, "hex text has an odd number of digits"};
  std::string bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    int high = hex_value(text[i]), low = hex_value(text[i + 1]);
    if (high < 0 || low < 0) return Error{ErrorCode::InvalidInput, "hex text holds another character"};
    bytes.push_back(static_cast<char>(high * 16 + low));
  }
  return bytes;
}

std::string to_base64(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = static_cast<unsigned char>(bytes[i]) << 16;
    if (i + 1 < bytes.size()) group |= static_cast<unsigned char>(bytes[i + 1]) << 8;
    if (i + 2 < bytes.size()) group |= static_cast<unsigned char>(bytes[i + 2]);
    text.push_back(kBase64[group >> 18]);
    text.push_back(kBase64[(group >> 12) & 63]);
    text.push_back(i + 1 < bytes.size() ? kBase64[(group >> 6) & 63] : '=');
    text.push_back(i + 2 < bytes.size() ? kBase64[group & 63] : '=');
  }
  return text;
}

Result<std::string> from_base64(std::string_view text) {
  const Error bad{ErrorCode::InvalidInput, "not strict base64"};
  if (text.size() % 4 != 0) return bad;
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  for (std::size_t i = 0; i < text.size(); i += 4) {
    bool last = i + 4 == text.size();
    int padding = 0;
    if (last && text[i + 3] == '=') padding = text[i + 2] == '=' ? 2 : 1;
    std::uint32_t group = 0;
    for (int k = 0; k < 4; ++k) {
      int value = k >= 4 - padding ? 0 : base64_value(text[i + k]);
      if (value < 0) return bad;
      group = group << 6 | static_cast<std::uint32_t>(value);
    }
    if ((padding == 1 && (group & 0xff) != 0) || (padding == 2 && (group & 0xffff) != 0)) return bad;
    bytes.push_back(static_cast<char>(group >> 16));
    if (padding < 2) bytes.push_back(static_cast<char>(group >> 8));
    if (padding < 1) bytes.push_back(static_cast<char>(group));
  }
  return bytes;
}

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count)) != 1) {
    std::fputs("davit: the system gives no random bytes\n", stderr);
    std::abort();
  }
  return bytes;
}

}  // namespace davit
