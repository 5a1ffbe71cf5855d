#include "tests/agents/github_api/fake_app.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <cstdlib>

#include "davit/failure.hpp"
#include "davit/json.hpp"

namespace davit::testing {
namespace {

// Nothing for what is no base64url.
std::string decoded(std::string text) {
  std::replace(text.begin(), text.end(), '-', '+');
  std::replace(text.begin(), text.end(), '_', '/');
  std::size_t padding = 0;
  for (; text.size() % 4 != 0; ++padding) text += '=';
  std::string bytes(text.size() / 4 * 3, '\0');
  const int size =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (size < 0 || padding > 2) return "";
  bytes.resize(static_cast<std::size_t>(size) - padding);
  return bytes;
}

}  // namespace

struct FakeApp::Key {
  EVP_PKEY* pair;
};

FakeApp::FakeApp(int bits) : key_(new Key{EVP_RSA_gen(static_cast<unsigned>(bits))}) {
  if (!key_->pair) std::abort();
}

FakeApp::~FakeApp() { EVP_PKEY_free(key_->pair); }

std::string FakeApp::key() const {
  BIO* out = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(out, key_->pair, nullptr, nullptr, 0, nullptr, nullptr);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out, &data);
  std::string pem(data, static_cast<std::size_t>(size));
  BIO_free(out);
  return pem;
}

std::string FakeApp::refusal(const std::string& proof, std::chrono::sys_seconds now) const {
  const std::size_t first = proof.find('.'), second = proof.rfind('.');
  if (first == std::string::npos || second == first) return "A JSON web token could not be decoded";
  const std::string text = proof.substr(0, second), signature = decoded(proof.substr(second + 1));
  EVP_MD_CTX* check = EVP_MD_CTX_new();
  const bool good =
      EVP_DigestVerifyInit(check, nullptr, EVP_sha256(), nullptr, key_->pair) == 1 &&
      EVP_DigestVerify(check, reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                       reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1;
  EVP_MD_CTX_free(check);
  if (!good) return "A JSON web token could not be decoded";
  const Json head = Json::parse(decoded(proof.substr(0, first)));
  const Json claims = Json::parse(decoded(proof.substr(first + 1, second - first - 1)));
  const std::int64_t time = now.time_since_epoch().count();
  if (head["alg"] != "RS256" || claims["iss"] != kId) return "Integration not found";
  if (claims["iat"].int_or(time + 1) > time)
    return "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued";
  if (claims["exp"].int_or(0) > time + 600) return "'Expiration time' claim ('exp') is too far in the future";
  if (claims["exp"].int_or(0) <= time)
    return "'Expiration time' claim ('exp') must be a numeric value representing the future time at which "
           "the assertion expires";
  return "";
}

}  // namespace davit::testing
