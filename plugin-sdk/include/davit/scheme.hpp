// How a sender signs, as data: the host checks it, and the plugin sees neither a secret nor an unverified
// byte.
//
//   Signature::hmac_sha256("X-Hub-Signature-256").prefix("sha256=").hex()
//   Signature::hmac_sha256("X-Slack-Signature").prefix("v0=").hex()
//       .signs("v0:{timestamp}:{body}").timestamp("X-Slack-Request-Timestamp", 300s)
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "davit/json.hpp"

namespace davit {
inline namespace sdk {

class Signature {
 public:
  struct Accept {
    std::string algorithm = {};
    std::string prefix = {};
    std::string encoding = "hex";
    std::string secret_prefix = {};
    std::string secret_encoding = {};
  };

  static Signature hmac_sha256(std::string header) { return Signature(std::move(header), "hmac-sha256"); }
  static Signature hmac_sha384(std::string header) { return Signature(std::move(header), "hmac-sha384"); }
  static Signature hmac_sha512(std::string header) { return Signature(std::move(header), "hmac-sha512"); }
  static Signature ed25519(std::string header) { return Signature(std::move(header), "ed25519"); }

  // Of the algorithm named last: what stands before the signature, how it is written, what its secret looks
  // like.
  Signature prefix(std::string text) && { return accepts_.back().prefix = std::move(text), std::move(*this); }
  Signature hex() && { return accepts_.back().encoding = "hex", std::move(*this); }
  Signature base64() && { return accepts_.back().encoding = "base64", std::move(*this); }
  Signature secret_prefix(std::string text) && {
    return accepts_.back().secret_prefix = std::move(text), std::move(*this);
  }
  Signature secret_base64() && { return accepts_.back().secret_encoding = "base64", std::move(*this); }

  // One more algorithm that is good enough; what follows describes it.
  Signature or_hmac_sha512() && { return accepts_.push_back({.algorithm = "hmac-sha512"}), std::move(*this); }
  Signature or_hmac_sha384() && { return accepts_.push_back({.algorithm = "hmac-sha384"}), std::move(*this); }
  Signature or_hmac_sha256() && { return accepts_.push_back({.algorithm = "hmac-sha256"}), std::move(*this); }
  Signature or_ed25519() && { return accepts_.push_back({.algorithm = "ed25519"}), std::move(*this); }

  // A header to look into when the ones before are absent.
  Signature or_header(std::string name) && { return headers_.push_back(std::move(name)), std::move(*this); }
  // Between several signatures in one header.
  Signature separator(std::string text) && { return separator_ = std::move(text), std::move(*this); }
  // What is signed, with {body}, {timestamp} and {id}; default "{body}".
  Signature signs(std::string text) && { return signed_ = std::move(text), std::move(*this); }
  Signature timestamp(std::string header, std::chrono::seconds tolerance) && {
    timestamp_header_ = std::move(header);
    tolerance_ = tolerance;
    return std::move(*this);
  }
  Signature id(std::string header) && { return id_header_ = std::move(header), std::move(*this); }

  const std::vector<std::string>& headers() const { return headers_; }
  const std::vector<Accept>& accepts() const { return accepts_; }
  const std::string& signed_text() const { return signed_; }
  const std::string& separator() const& { return separator_; }
  const std::string& timestamp_header() const { return timestamp_header_; }
  std::chrono::seconds tolerance() const { return tolerance_; }
  const std::string& id_header() const { return id_header_; }

  Json to_json() const {
    Json accept = Json::array();
    for (const Accept& one : accepts_) {
      Json entry = Json::object({{"algorithm", one.algorithm}, {"encoding", one.encoding}});
      if (!one.prefix.empty()) entry.set("prefix", one.prefix);
      if (!one.secret_prefix.empty()) entry.set("secret_prefix", one.secret_prefix);
      if (!one.secret_encoding.empty()) entry.set("secret_encoding", one.secret_encoding);
      accept.push_back(std::move(entry));
    }
    Json json = Json::object({{"headers", headers_}, {"signed", signed_}});
    json.set("accept", std::move(accept));
    if (!separator_.empty()) json.set("separator", separator_);
    if (!timestamp_header_.empty()) {
      json.set("timestamp_header", timestamp_header_);
      json.set("tolerance_seconds", tolerance_.count());
    }
    if (!id_header_.empty()) json.set("id_header", id_header_);
    return json;
  }

  // The scheme that metadata tells of. Throws Failure(InvalidInput) where there is none.
  static Signature from_json(JsonView json) {
    if (json["headers"].empty() || json["accept"].empty())
      throw Failure::invalid_input("a signature names headers and accept");
    auto text = [](JsonView object, std::string_view name) {
      return std::string(object[name].string_or(""));
    };
    Signature scheme("", "");
    scheme.headers_.clear();
    scheme.accepts_.clear();
    for (JsonView header : json["headers"]) scheme.headers_.emplace_back(header.string_or(""));
    for (JsonView one : json["accept"]) {
      scheme.accepts_.push_back({.algorithm = text(one, "algorithm"),
                                 .prefix = text(one, "prefix"),
                                 .encoding = text(one, "encoding"),
                                 .secret_prefix = text(one, "secret_prefix"),
                                 .secret_encoding = text(one, "secret_encoding")});
    }
    scheme.separator_ = text(json, "separator");
    scheme.signed_ = json["signed"].string_or("{body}");
    scheme.timestamp_header_ = text(json, "timestamp_header");
    scheme.tolerance_ = std::chrono::seconds(json["tolerance_seconds"].int_or(300));
    scheme.id_header_ = text(json, "id_header");
    return scheme;
  }

 private:
  Signature(std::string header, std::string algorithm)
      : headers_{std::move(header)}, accepts_{{.algorithm = std::move(algorithm)}} {}

  std::vector<std::string> headers_;
  std::vector<Accept> accepts_;
  std::string separator_;
  std::string signed_ = "{body}";
  std::string timestamp_header_;
  std::chrono::seconds tolerance_{300};
  std::string id_header_;
};

}  // namespace sdk
}  // namespace davit
