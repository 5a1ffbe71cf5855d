#include "github_api/limits.h"

#include <time.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string>

namespace github {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::system_clock;

std::optional<std::int64_t> whole(std::string_view text) {
  std::int64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || stop != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

// "Thu, 26 Nov 2026 09:30:00 GMT", in seconds since 1970.
std::optional<std::int64_t> date(std::string_view text) {
  tm parts{};
  const std::string copy(text);
  const char* end = strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (!end || *end != '\0') return std::nullopt;
  return timegm(&parts);
}

milliseconds bounded(std::int64_t wait) {
  constexpr std::int64_t kMost = seconds(hours(24)).count();
  return seconds(std::clamp<std::int64_t>(wait, 1, kMost));
}

bool speaks_of_a_limit(std::string_view body) {
  return body.find("rate limit") != std::string_view::npos ||
         body.find("abuse detection") != std::string_view::npos;
}

}  // namespace

std::optional<milliseconds> wait_after(const http::Response& answer, system_clock::time_point now) {
  if (answer.status != 403 && answer.status != 429) return std::nullopt;
  const std::int64_t there = date(answer.header("Date")).value_or(system_clock::to_time_t(now));
  if (const std::string_view after = answer.header("Retry-After"); !after.empty()) {
    if (const auto wait = whole(after)) return bounded(*wait);
    if (const auto until = date(after)) return bounded(*until - there);
    return minutes(1);
  }
  if (answer.header("X-RateLimit-Remaining") == "0") {
    // A second more: whoever comes in the second of the reset may still be refused.
    if (const auto reset = whole(answer.header("X-RateLimit-Reset"))) {
      constexpr std::int64_t kFar = 1'000'000'000'000;
      return bounded(std::min(*reset, kFar) - there + 1);
    }
    return minutes(1);
  }
  if (answer.status == 429 || speaks_of_a_limit(answer.body)) return minutes(1);
  return std::nullopt;
}

}  // namespace github
