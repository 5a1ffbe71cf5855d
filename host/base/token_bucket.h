// So many per second, and so many at once after a rest.
#pragma once

#include <algorithm>
#include <chrono>

#include "host/base/clock.h"

namespace davit {

struct Rate {
  int per_second = 0;  // 0: no limit
  int burst = 1;       // at least 1
  friend bool operator==(const Rate&, const Rate&) = default;
};

// A bucket of `burst` tokens that gains `per_second`, kept as the moment at which it is full again: one
// number, and nothing to do as time passes. Confined to one thread.
class TokenBucket {
 public:
  // Takes a token. Zero if there was one; else how long it takes until there is, and nothing is taken.
  std::chrono::nanoseconds take(const Rate& rate, MonotonicTime now) {
    if (rate.per_second <= 0) return std::chrono::nanoseconds(0);
    const std::chrono::nanoseconds gain = std::chrono::nanoseconds(1'000'000'000) / rate.per_second;
    const MonotonicTime full_at = std::max(full_at_, now) + gain;
    const std::chrono::nanoseconds lacking = full_at - now - gain * std::max(rate.burst, 1);
    if (lacking.count() > 0) return lacking;
    full_at_ = full_at;
    return std::chrono::nanoseconds(0);
  }
  // Of two buckets the one that is full earlier has more in it.
  MonotonicTime full_at() const { return full_at_; }

 private:
  MonotonicTime full_at_{};
};

}  // namespace davit
