#include "github_api/account.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>
#include <memory>

#include "davit/failure.hpp"
#include "github_api/dates.h"
#include "shared_files/digest.h"

namespace github {
namespace {

using davit::Failure;
using davit::Json;

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Signing = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

std::string base64url(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  std::erase(text, '=');
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  return text;
}

// In an environment variable the lines of a key often stand in one, with \n between them.
std::string with_line_breaks(std::string text) {
  if (text.find('\n') != std::string::npos) return text;
  for (std::size_t at = 0; (at = text.find("\\n", at)) != std::string::npos; ++at) text.replace(at, 2, "\n");
  return text;
}

Key key_of(const std::string& pem) {
  constexpr int kLeastBits = 2048;
  const std::string text = with_line_breaks(pem);
  const std::unique_ptr<BIO, decltype(&BIO_free)> bytes(
      BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free);
  // Without a callback of ours OpenSSL would ask the terminal for a passphrase.
  const auto no_passphrase = [](char*, int, int, void*) { return -1; };
  Key key(bytes ? PEM_read_bio_PrivateKey(bytes.get(), nullptr, no_passphrase, nullptr) : nullptr,
          &EVP_PKEY_free);
  ERR_clear_error();
  if (!key || EVP_PKEY_is_a(key.get(), "RSA") != 1 || EVP_PKEY_bits(key.get()) < kLeastBits) {
    throw Failure::permanent(
        "the key of the GitHub App is no RSA key in PEM without a passphrase: give the file that GitHub "
        "made");
  }
  return key;
}

std::string signature_of(const std::string& text, EVP_PKEY* key) {
  const Signing signing(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  std::size_t size = 0;
  std::string signature;
  bool good = signing && EVP_DigestSignInit(signing.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
              EVP_DigestSign(signing.get(), nullptr, &size, bytes, text.size()) == 1;
  if (good) {
    signature.resize(size);
    good = EVP_DigestSign(signing.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, bytes,
                          text.size()) == 1;
  }
  ERR_clear_error();
  if (!good) throw Failure::permanent("the key of the GitHub App cannot sign");
  signature.resize(size);
  return signature;
}

}  // namespace

std::string limits_name(const Account& account) {
  if (account.app.id.empty()) return shared::digest_of(account.api + "\n" + account.token).substr(0, 16);
  const std::string whose = account.app.installation > 0 ? std::to_string(account.app.installation)
                                                         : lower(account.app.repository.owner);
  return shared::digest_of(account.api + "\n" + account.app.id + "\n" + whose).substr(0, 16);
}

std::string answers_name(const Account& account) {
  if (account.app.id.empty()) return limits_name(account);
  return limits_name(account) + " " + token_request(account.app).dump();
}

std::string app_proof(const AppAccount& app, std::chrono::sys_seconds github_now) {
  const std::int64_t now = github_now.time_since_epoch().count();
  const Key key = key_of(app.key);
  const std::string head = Json::object({{"alg", "RS256"}, {"typ", "JWT"}}).dump();
  const std::string claims = Json::object({{"iat", now - 60}, {"exp", now + 9 * 60}, {"iss", app.id}}).dump();
  const std::string text = base64url(head) + "." + base64url(claims);
  return text + "." + base64url(signature_of(text, key.get()));
}

Json token_request(const AppAccount& app) {
  Json body = Json::object();
  if (!app.repository.name.empty()) body.set("repositories", Json::array({app.repository.name}));
  if (app.permissions.empty()) return body;
  Json permissions = Json::object();
  for (const auto& [name, level] : app.permissions) permissions.set(name, level);
  body.set("permissions", std::move(permissions));
  return body;
}

InstallationToken token_of(davit::JsonView json) {
  const auto ends = utc_date(json["expires_at"].string_or(""));
  const std::string text(json["token"].string_or(""));
  if (text.empty() || !ends)
    throw Failure::permanent("GitHub's answer to the App holds no token with its end");
  return {text, *ends};
}

}  // namespace github
