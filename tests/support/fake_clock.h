// A clock that stands still until a test moves it. Thread-safe.
#pragma once

#include <atomic>

#include "host/base/clock.h"

namespace davit::testing {

class FakeClock final : public Clock {
 public:
  WallTime wall() const override { return from_unix_ms(wall_ms_.load()); }
  MonotonicTime monotonic() const override {
    return MonotonicTime(std::chrono::milliseconds(monotonic_ms_.load()));
  }

  // Both clocks together, as time passes.
  void advance(Duration by) {
    wall_ms_ += by.count();
    monotonic_ms_ += by.count();
  }
  // Somebody sets the wall clock.
  void jump(Duration by) { wall_ms_ += by.count(); }

 private:
  std::atomic<std::int64_t> wall_ms_{1'800'000'000'000};
  std::atomic<std::int64_t> monotonic_ms_{1'000'000};
};

}  // namespace davit::testing
