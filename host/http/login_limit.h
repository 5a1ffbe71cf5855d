// How often somebody may try to sign in.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "host/base/clock.h"
#include "host/base/guarded.h"
#include "host/http/slow_bucket.h"

namespace davit::http {

// Thread-safe. Only tries that fail count, so whoever has a token can sign in as often as he likes from an
// address where nobody guesses. An IPv6 address counts as the /64 it lies in; this machine as one address.
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
  static constexpr std::size_t kMostAddresses = 4'096;  // beyond it the one that has tried least is forgotten

 private:
  struct Buckets {
    std::map<std::uint64_t, SlowBucket> addresses;
    SlowBucket all;
  };
  Guarded<Buckets> buckets_;
};

}  // namespace davit::http
