// Time. Wall time is for people and for senders' time stamps; monotonic time is for every lease, deadline and
// duration, so that a jump of the wall clock neither kills nor strands work.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "host/base/result.h"

namespace davit {

using Duration = std::chrono::milliseconds;
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;
using MonotonicTime = std::chrono::steady_clock::time_point;

// Thread-safe. The seam for tests that must not wait: tests/support/fake_clock.h.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime wall() const = 0;
  virtual MonotonicTime monotonic() const = 0;
};

class SystemClock final : public Clock {
 public:
  WallTime wall() const override;
  MonotonicTime monotonic() const override;
};

// Milliseconds since 1970-01-01 UTC, as stored in the database and sent in frames.
std::int64_t to_unix_ms(WallTime time);
WallTime from_unix_ms(std::int64_t milliseconds);

// RFC 3339 in UTC with milliseconds: 2026-01-02T03:04:05.678Z. Beyond the years 0 to 9999: their nearest end.
std::string to_iso8601(WallTime time);

// Reads RFC 3339 (an offset or Z is required) or a bare date: its first moment in UTC. Years 0 to 9999 only.
Result<WallTime> parse_iso8601(std::string_view text);

}  // namespace davit
