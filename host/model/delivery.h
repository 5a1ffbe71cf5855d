// What a sender sent, in the stages it passes: Delivery, VerifiedDelivery.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/clock.h"

namespace davit {

struct DeliveryHeader {
  std::string_view name;  // as sent
  std::string_view value;
};

// A request to a webhook that nobody has checked yet. Move-only in spirit: the views point into `bytes`,
// which is shared and never changes, so a Delivery may cross threads without a copy of the body.
struct Delivery {
  std::shared_ptr<const void> bytes;  // keeps everything below alive
  std::string id;                     // ours, UUIDv7; names the row
  std::string request_id;
  std::string webhook;  // the instance, from the path
  std::string_view method;
  std::string_view path;
  std::string_view query;
  std::vector<DeliveryHeader> headers;
  std::string_view body;
  std::string remote_address;  // of the sender, as far as proxies between are trusted
  WallTime received_at{};
};

// All values of a header, in order; names compare without case.
std::vector<std::string_view> header_values(const Delivery& delivery, std::string_view name);

// A delivery whose signature is good (or whose webhook the operator runs unsigned, by name). Only
// host/plugin/webhook_verification makes one, so what parses payloads cannot be called with less.
class VerifiedDelivery {
 public:
  const Delivery& delivery() const { return delivery_; }
  // The sender's id or a hash of the body; what deduplication goes by.
  const std::string& delivery_key() const { return delivery_key_; }
  // True if delivery_key is a hash of the body, which only counts within a window.
  bool key_is_body_hash() const { return key_is_body_hash_; }
  // Which of the configured secrets it was signed with, from 1; absent where the host did not check by one.
  std::optional<int> secret_number() const { return secret_number_; }

 private:
  friend class VerifiedDeliveryMaker;
  VerifiedDelivery(Delivery delivery, std::string delivery_key, bool key_is_body_hash,
                   std::optional<int> secret_number)
      : delivery_(std::move(delivery)),
        delivery_key_(std::move(delivery_key)),
        key_is_body_hash_(key_is_body_hash),
        secret_number_(secret_number) {}
  Delivery delivery_;
  std::string delivery_key_;
  bool key_is_body_hash_;
  std::optional<int> secret_number_;
};

// The key to VerifiedDelivery. Used by host/plugin/webhook_verification.cpp after it checked, by host/ingest
// when it reads back a delivery that was verified before it was stored, and by host/isolation in a runner,
// where a delivery arrives that the host has verified; a structure test holds it to these three.
class VerifiedDeliveryMaker {
 public:
  static VerifiedDelivery make(Delivery delivery, std::string delivery_key, bool key_is_body_hash,
                               std::optional<int> secret_number = std::nullopt) {
    return VerifiedDelivery(std::move(delivery), std::move(delivery_key), key_is_body_hash, secret_number);
  }
};

}  // namespace davit
