#include "host/store/cursor.h"

#include <charconv>
#include <limits>
#include <optional>

namespace davit::store {
namespace {

// FNV-1a, folded to 16 bits, in hex.
std::string check_of(std::string_view text) {
  std::uint32_t hash = 2'166'136'261u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16'777'619u;
  hash = (hash >> 16 ^ hash) & 0xffff;
  std::string digits;
  for (int shift = 12; shift >= 0; shift -= 4) digits += "0123456789abcdef"[hash >> shift & 15];
  return digits;
}

std::optional<std::int64_t> number_in(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

}  // namespace

std::string cursor_to(List list, Place place) {
  std::string text(1, static_cast<char>(list));
  text += std::to_string(place.first) + '-' + std::to_string(place.second);
  return text + '-' + check_of(text);
}

Result<Place> place_of(List list, std::string_view cursor) {
  const Error wrong{ErrorCode::InvalidInput,
                    "cursor: is not one that this list gave; leave it out to begin anew"};
  const std::size_t last = cursor.rfind('-'), dash = cursor.find('-');
  if (last == std::string_view::npos || dash == last || cursor.front() != static_cast<char>(list))
    return wrong;
  const auto first = number_in(cursor.substr(1, dash - 1));
  const auto second = number_in(cursor.substr(dash + 1, last - dash - 1));
  if (!first || !second || cursor_to(list, {*first, *second}) != cursor) return wrong;
  return Place{*first, *second};
}

Result<std::int64_t> row_before(List list, std::string_view cursor) {
  if (cursor.empty()) return std::numeric_limits<std::int64_t>::max();
  return TRY(place_of(list, cursor)).first;
}

}  // namespace davit::store
