#include "github_api/limits.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "github_api/dates.h"

namespace github {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_seconds;
using std::chrono::system_clock;

std::optional<std::int64_t> whole(std::string_view text) {
  std::int64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || stop != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

milliseconds bounded(std::int64_t wait) {
  constexpr std::int64_t kMost = seconds(hours(24)).count();
  return seconds(std::clamp<std::int64_t>(wait, 1, kMost));
}

bool speaks_of_a_limit(std::string_view body) {
  return body.find("rate limit") != std::string_view::npos ||
         body.find("abuse detection") != std::string_view::npos;
}

sys_seconds time_there(const http::Response& answer, system_clock::time_point now) {
  return http_date(answer.header("Date")).value_or(std::chrono::floor<seconds>(now));
}

// Until the reset that the answer names; a second more, for whoever comes in the second of the reset may
// still be refused.
std::optional<milliseconds> until_reset(const http::Response& answer, sys_seconds there) {
  constexpr std::int64_t kFar = 1'000'000'000'000;
  const auto reset = whole(answer.header("X-RateLimit-Reset"));
  if (!reset) return std::nullopt;
  return bounded(std::min(*reset, kFar) - there.time_since_epoch().count() + 1);
}

}  // namespace

std::optional<Limit> limit_in(const http::Response& answer, system_clock::time_point now) {
  if (answer.status != 403 && answer.status != 429) return std::nullopt;
  const Limit unsaid{.wait = minutes(1), .said = false};
  const sys_seconds there = time_there(answer, now);
  if (const std::string_view after = answer.header("Retry-After"); !after.empty()) {
    if (const auto wait = whole(after)) return Limit{.wait = bounded(*wait)};
    if (const auto until = http_date(after)) return Limit{.wait = bounded((*until - there).count())};
    return unsaid;
  }
  if (answer.header("X-RateLimit-Remaining") == "0") {
    if (const auto wait = until_reset(answer, there)) return Limit{.wait = *wait, .of_all = false};
    return unsaid;
  }
  if (answer.status == 429 || speaks_of_a_limit(answer.body)) return unsaid;
  return std::nullopt;
}

std::optional<milliseconds> used_up(const http::Response& answer, system_clock::time_point now) {
  if (answer.header("X-RateLimit-Remaining") != "0") return std::nullopt;
  return until_reset(answer, time_there(answer, now));
}

}  // namespace github
