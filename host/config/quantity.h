// Durations and sizes as people write them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "host/base/clock.h"

namespace davit::config {

// "500" (milliseconds), "500ms", "30s", "5m", "2h", "7d". Nullopt if it is none of these or too large.
std::optional<Duration> parse_duration(std::string_view text);
// "1048576" (bytes), "512KiB", "8MiB", "1GiB", "1TiB", also KB, MB, GB (powers of ten). Nullopt likewise.
std::optional<std::size_t> parse_size(std::string_view text);
// Decimal digits with an optional minus, without leading zeros. Nullopt otherwise or beyond 64 bits.
std::optional<long long> parse_integer(std::string_view text);

// The shortest form that reads back as the same: "30s", "8MiB".
std::string to_text(Duration duration);
std::string size_to_text(std::size_t bytes);

}  // namespace davit::config
