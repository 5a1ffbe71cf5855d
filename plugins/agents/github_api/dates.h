// Times as GitHub writes them.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace github {

// Of a header: "Thu, 26 Nov 2026 09:30:00 GMT".
std::optional<std::chrono::sys_seconds> http_date(std::string_view text);

// Of a body: "2026-11-26T09:30:00Z", also with a fraction, which is left out. GitHub writes UTC; other zones
// are no time.
std::optional<std::chrono::sys_seconds> utc_date(std::string_view text);

}  // namespace github
