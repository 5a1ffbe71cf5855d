// What GitHub would send.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "host/base/crypto.h"
#include "host/base/id.h"
#include "host/base/json.h"
#include "tests/bench/process.h"

namespace davit::bench {

inline constexpr const char* kDeliverySecret = "a-secret-for-the-bench-0123456789";

// Deliveries, each about another issue.
class Deliveries {
 public:
  Deliveries() {
    auto document = parse_json(text_of(DAVIT_SOURCE_DIR "/examples/demo/4-issue-opened-sentry.json"));
    if (!document) give_up("the demo delivery cannot be read");
    (*document)["issue"]["number"].SetInt64(kMark);
    const std::string body = to_json(*document);
    const std::size_t at = body.find(std::to_string(kMark));
    before_ = body.substr(0, at);
    behind_ = body.substr(at + 10);
  }
  std::size_t body_size() const { return before_.size() + 10 + behind_.size(); }

  // One more, signed as it has to be.
  std::string next() { return make(++count_, kDeliverySecret); }

  // Signed with any secret, and sent on by a proxy for `address`, if there is one. Less than a thousand million
  // are told apart. Thread-safe.
  std::string make(std::int64_t number, std::string_view secret, std::string_view address = {}) const {
    const std::string body = before_ + std::to_string(kMark + number) + behind_;
    std::string request =
        "POST /webhooks/github HTTP/1.1\r\n"
        "Host: localhost:8080\r\n"
        "User-Agent: GitHub-Hookshot/f3d4a1c\r\n"
        "Connection: keep-alive\r\n"
        "Accept: */*\r\n"
        "Content-Type: application/json\r\n"
        "X-GitHub-Event: issues\r\n"
        "X-GitHub-Hook-ID: 292430182\r\n"
        "X-GitHub-Hook-Installation-Target-ID: 79929171\r\n"
        "X-GitHub-Hook-Installation-Target-Type: repository\r\n"
        "X-GitHub-Delivery: ";
    request += new_id();
    if (!address.empty()) request.append("\r\nX-Forwarded-For: ").append(address);
    request += "\r\nX-Hub-Signature-256: sha256=";
    request += to_hex(hmac(HashAlgorithm::Sha256, secret, body));
    request += "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n";
    return request += body;
  }

 private:
  static constexpr std::int64_t kMark = 1'000'000'000;
  std::string before_, behind_;
  std::int64_t count_ = 0;
};

}  // namespace davit::bench
