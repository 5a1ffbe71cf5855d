// How often somebody may try a token.
#pragma once

#include <chrono>
#include <map>
#include <string>

#include "host/base/clock.h"
#include "host/base/guarded.h"
#include "host/http/address_buckets.h"
#include "host/http/slow_bucket.h"

namespace davit::http {

// Of tries to sign in. Thread-safe. What is wrong counts for the address it comes from, what is right for the
// token alone: however many sign in at once, none is taken for a guesser.
class LoginLimit {
 public:
  // Zero if a try may be made from there; else how long to wait, and the token is not to be looked at.
  std::chrono::nanoseconds wait_of(const std::string& address, MonotonicTime now);
  // A try was wrong. Not zero: by now there were more of them than may be told so.
  std::chrono::nanoseconds take(const std::string& address, MonotonicTime now);
  // A try was right, with the token that has this digest. Not zero: it has been used for that too often; how long
  // to wait until it may be again. Sessions are made for people, and each leaves a line in the audit log.
  std::chrono::nanoseconds take_right(const std::string& token_sha256, MonotonicTime now);

  static constexpr int kBurst = 10;                // at once from an address, then
  static constexpr std::chrono::seconds kEach{6};  // one in that time
  static constexpr int kBurstOfAll = 100;          // likewise from everywhere
  static constexpr std::chrono::seconds kEachOfAll{1};
  static constexpr int kBurstOfToken = 50;  // right ones, with one token
  static constexpr std::chrono::seconds kEachOfToken{60};

 private:
  struct Buckets {
    AddressBuckets addresses;
    SlowBucket all;
    std::map<std::string, SlowBucket> tokens;  // by digest; those that are not full, and few others
  };
  Guarded<Buckets> buckets_;
};

// Of requests with a token that is none. Thread-safe.
//
// It says how often an address is told so, and keeps no right token from working: who shares an address with a
// guesser, or a proxy that nobody named as one, is not locked out by him. Tokens withstand guesses by their length.
class WrongTokenLimit {
 public:
  // This address has shown one. Zero: it is told so; else how long it waits until it is told again.
  std::chrono::nanoseconds take(const std::string& address, MonotonicTime now);

  static constexpr int kBurst = 10;
  static constexpr std::chrono::seconds kEach{6};

 private:
  Guarded<AddressBuckets> addresses_;
};

}  // namespace davit::http
