// When something that recurs is due.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "host/base/clock.h"
#include "host/base/result.h"

namespace davit {

// The five fields of crontab(5): minute, hour, day of the month, month, day of the week; in UTC, so that no
// hour comes twice or never. Immutable; thread-safe.
//
// A field is a list (1,15) of values, ranges (mon-fri) and steps through a range (*/15, 8-18/2). Months and
// days of the week have their English names of three letters in any case, Sunday is 0 and 7. If both days are
// restricted, either of them suffices; a day field that begins with * restricts nothing by itself, but
// narrows the other one (crontab(5) of Vixie cron, Debian's). @hourly, @daily, @midnight, @weekly, @monthly,
// @yearly, @annually stand for their five fields.
class Cron {
 public:
  // Errors: InvalidInput, which names the field that is wrong and what is legal there.
  static Result<Cron> parse(std::string_view text);

  // The first moment later than `after` that matches: a whole minute. Nothing: none in the next 8 years (the
  // longest time between two 29ths of February), so none at all; or beyond the year 9999.
  std::optional<WallTime> next(WallTime after) const;

 private:
  bool matches(std::chrono::sys_days day) const;

  // One bit per value that matches.
  std::uint64_t minutes_ = 0;
  std::uint32_t hours_ = 0, days_ = 0, months_ = 0, weekdays_ = 0;
  bool either_day_ = false;
};

}  // namespace davit
