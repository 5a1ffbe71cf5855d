// How often somebody may try a token.
#pragma once

#include <chrono>
#include <string>

#include "host/base/clock.h"
#include "host/base/guarded.h"
#include "host/http/address_buckets.h"
#include "host/http/slow_bucket.h"

namespace davit::http {

// Of tries to sign in. Thread-safe. Only tries that fail count, so whoever has a token can sign in as often as he
// likes from an address where nobody guesses.
class LoginLimit {
 public:
  // Zero if a try may be made, which is taken; else how long to wait, and the token is not to be looked at.
  std::chrono::nanoseconds take(const std::string& address, MonotonicTime now);
  // That try was right.
  void give_back(const std::string& address);

  static constexpr int kBurst = 10;                // at once from an address, then
  static constexpr std::chrono::seconds kEach{6};  // one in that time
  static constexpr int kBurstOfAll = 100;          // likewise from everywhere
  static constexpr std::chrono::seconds kEachOfAll{1};

 private:
  struct Buckets {
    AddressBuckets addresses;
    SlowBucket all;
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
