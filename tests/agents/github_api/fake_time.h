// A clock that stands still until somebody sleeps by it.
#pragma once

#include <atomic>
#include <chrono>

namespace davit::testing {

class FakeTime {
 public:
  using Point = std::chrono::system_clock::time_point;

  Point now() const { return Point(std::chrono::milliseconds(ms_)); }
  std::chrono::sys_seconds seconds() const { return std::chrono::floor<std::chrono::seconds>(now()); }
  void sleep(std::chrono::milliseconds time) { ms_ += time.count(); }

 private:
  std::atomic<std::int64_t> ms_{1'795'685'400'000};  // Thu, 26 Nov 2026 09:30:00 GMT
};

}  // namespace davit::testing
