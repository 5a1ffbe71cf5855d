#include "host/base/clock.h"

#include <algorithm>
#include <cstdio>

#include "host/base/text.h"

namespace davit {
namespace {

// The years that RFC 3339 can write.
constexpr WallTime kFirstMoment{std::chrono::sys_days{std::chrono::year{0} / 1 / 1}};
constexpr WallTime kLastMoment{std::chrono::sys_days{std::chrono::year{9999} / 12 / 31} +
                               std::chrono::days{1} - std::chrono::milliseconds{1}};

// Reads exactly `digits` decimal digits at `at`; moves `at` behind them.
bool read_number(std::string_view text, std::size_t& at, int digits, int& out) {
  if (at + digits > text.size()) return false;
  out = 0;
  for (int i = 0; i < digits; ++i) {
    char c = text[at + i];
    if (c < '0' || c > '9') return false;
    out = out * 10 + (c - '0');
  }
  at += digits;
  return true;
}

bool read_char(std::string_view text, std::size_t& at, std::string_view allowed) {
  if (at >= text.size() || allowed.find(text[at]) == std::string_view::npos) return false;
  ++at;
  return true;
}

}  // namespace

WallTime SystemClock::wall() const {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}
MonotonicTime SystemClock::monotonic() const { return std::chrono::steady_clock::now(); }

std::int64_t to_unix_ms(WallTime time) { return time.time_since_epoch().count(); }
WallTime from_unix_ms(std::int64_t milliseconds) { return WallTime{std::chrono::milliseconds{milliseconds}}; }

std::string to_iso8601(WallTime time) {
  using namespace std::chrono;
  time = std::clamp(time, kFirstMoment, kLastMoment);
  auto day = floor<days>(time);
  year_month_day date{day};
  hh_mm_ss clock{time - day};
  char text[48];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  return text;
}

Result<WallTime> parse_iso8601(std::string_view text) {
  using namespace std::chrono;
  const Error bad{ErrorCode::InvalidInput, "\"" + std::string(shortened(text, 64)) +
                                               "\" is not a time; write 2026-01-31 or 2026-01-31T12:00:00Z"};
  std::size_t pos = 0;
  int year_number = 0, month_number = 0, day_number = 0;
  if (!read_number(text, pos, 4, year_number) || !read_char(text, pos, "-") ||
      !read_number(text, pos, 2, month_number) || !read_char(text, pos, "-") ||
      !read_number(text, pos, 2, day_number)) {
    return bad;
  }
  year_month_day date{year{year_number}, month{static_cast<unsigned>(month_number)},
                      day{static_cast<unsigned>(day_number)}};
  if (!date.ok()) return bad;
  WallTime result = time_point_cast<milliseconds>(sys_days{date});
  if (pos == text.size()) return result;

  int hour = 0, minute = 0, second = 0;
  if (!read_char(text, pos, "Tt ") || !read_number(text, pos, 2, hour) || !read_char(text, pos, ":") ||
      !read_number(text, pos, 2, minute) || !read_char(text, pos, ":") ||
      !read_number(text, pos, 2, second) || hour > 23 || minute > 59 || second > 60) {
    return bad;
  }
  int fraction_ms = 0;
  if (pos < text.size() && text[pos] == '.') {
    ++pos;
    int scale = 100;
    std::size_t start = pos;
    while (pos < text.size() && text[pos] >= '0' && text[pos] <= '9') {
      fraction_ms += (text[pos] - '0') * scale;
      scale /= 10;
      ++pos;
    }
    if (pos == start) return bad;
  }
  int offset_minutes = 0;
  if (pos < text.size() && (text[pos] == 'Z' || text[pos] == 'z')) {
    ++pos;
  } else {
    if (pos >= text.size() || (text[pos] != '+' && text[pos] != '-')) return bad;
    int sign = text[pos++] == '-' ? -1 : 1;
    int offset_hour = 0, offset_minute = 0;
    if (!read_number(text, pos, 2, offset_hour)) return bad;
    if (pos < text.size() && text[pos] == ':') ++pos;
    if (!read_number(text, pos, 2, offset_minute) || offset_hour > 23 || offset_minute > 59) return bad;
    offset_minutes = sign * (offset_hour * 60 + offset_minute);
  }
  if (pos != text.size()) return bad;
  result +=
      hours{hour} + minutes{minute} + seconds{second} + milliseconds{fraction_ms} - minutes{offset_minutes};
  // Its offset or a leap second may carry it out of the years.
  if (result < kFirstMoment || result > kLastMoment) return bad;
  return result;
}

}  // namespace davit
