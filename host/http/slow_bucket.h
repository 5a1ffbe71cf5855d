// A token bucket that gains less than one a second.
#pragma once

#include <algorithm>
#include <chrono>

#include "host/base/clock.h"

namespace davit::http {

// Holds up to `burst` tokens and gains one in each `gain`; base/token_bucket.h says how that is kept. Confined
// to one thread at a time. All calls of one bucket give the same `gain` and `burst`.
class SlowBucket {
 public:
  // Takes a token. Zero if there was one; else how long it takes until there is, and nothing is taken.
  std::chrono::nanoseconds take(std::chrono::nanoseconds gain, int burst, MonotonicTime now) {
    if (const auto lacking = wait(gain, burst, now); lacking.count() > 0) return lacking;
    full_at_ = std::max(full_at_, now) + gain;
    return std::chrono::nanoseconds(0);
  }
  // What take() would give.
  std::chrono::nanoseconds wait(std::chrono::nanoseconds gain, int burst, MonotonicTime now) const {
    const std::chrono::nanoseconds lacking = std::max(full_at_, now) + gain - now - gain * burst;
    return std::max(lacking, std::chrono::nanoseconds(0));
  }
  // Puts back what was taken.
  void give_back(std::chrono::nanoseconds gain) { full_at_ -= gain; }
  MonotonicTime full_at() const { return full_at_; }

 private:
  MonotonicTime full_at_{};
};

}  // namespace davit::http
