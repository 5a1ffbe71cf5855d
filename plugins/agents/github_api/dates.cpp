#include "github_api/dates.h"

#include <time.h>

#include <string>

namespace github {
namespace {

// What `format` leaves of the text goes to `rest`.
std::optional<std::chrono::sys_seconds> read(std::string_view text, const char* format, std::string& rest) {
  tm parts{};
  const std::string copy(text);
  const char* end = strptime(copy.c_str(), format, &parts);
  if (!end) return std::nullopt;
  rest = end;
  return std::chrono::sys_seconds(std::chrono::seconds(timegm(&parts)));
}

}  // namespace

std::optional<std::chrono::sys_seconds> http_date(std::string_view text) {
  std::string rest;
  const auto time = read(text, "%a, %d %b %Y %H:%M:%S GMT", rest);
  return time && rest.empty() ? time : std::nullopt;
}

std::optional<std::chrono::sys_seconds> utc_date(std::string_view text) {
  std::string rest;
  const auto time = read(text, "%Y-%m-%dT%H:%M:%S", rest);
  if (!time) return std::nullopt;
  if (rest.size() > 1 && rest[0] == '.') rest.erase(0, rest.find_first_not_of("0123456789", 1));
  return rest == "Z" ? time : std::nullopt;
}

}  // namespace github
