#include "host/config/quantity.h"

#include <array>
#include <charconv>
#include <limits>

namespace davit::config {
namespace {

struct Unit {
  std::string_view name;
  long long factor;
};

constexpr std::array<Unit, 5> kTimeUnits{
    {{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
constexpr std::array<Unit, 8> kSizeUnits{{{"B", 1},
                                          {"KiB", 1 << 10},
                                          {"MiB", 1 << 20},
                                          {"GiB", 1 << 30},
                                          {"TiB", 1ll << 40},
                                          {"KB", 1'000},
                                          {"MB", 1'000'000},
                                          {"GB", 1'000'000'000}}};

template <std::size_t Count>
std::optional<long long> with_unit(std::string_view text, const std::array<Unit, Count>& units) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = parse_integer(text.substr(0, digits));
  if (!number) return std::nullopt;
  const std::string_view unit = text.substr(digits);
  if (unit.empty()) return number;
  for (const Unit& known : units) {
    long long product = 0;
    if (known.name == unit && !__builtin_mul_overflow(*number, known.factor, &product)) return product;
  }
  return std::nullopt;
}

}  // namespace

std::optional<long long> parse_integer(std::string_view text) {
  const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  if (digits.size() > 1 && digits.front() == '0') return std::nullopt;
  long long number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<Duration> parse_duration(std::string_view text) {
  const auto milliseconds = with_unit(text, kTimeUnits);
  if (!milliseconds) return std::nullopt;
  return Duration(*milliseconds);
}

std::optional<std::size_t> parse_size(std::string_view text) {
  const auto bytes = with_unit(text, kSizeUnits);
  if (!bytes) return std::nullopt;
  return static_cast<std::size_t>(*bytes);
}

std::string to_text(Duration duration) {
  const long long milliseconds = duration.count();
  for (auto unit = kTimeUnits.rbegin(); unit != kTimeUnits.rend(); ++unit)
    if (milliseconds != 0 && milliseconds % unit->factor == 0)
      return std::to_string(milliseconds / unit->factor) + std::string(unit->name);
  return std::to_string(milliseconds) + "ms";
}

std::string size_to_text(std::size_t bytes) {
  constexpr std::array<std::string_view, 4> kBinary{"TiB", "GiB", "MiB", "KiB"};
  int power = 40;
  for (const std::string_view unit : kBinary) {
    if (bytes != 0 && bytes % (std::size_t{1} << power) == 0)
      return std::to_string(bytes >> power) + std::string(unit);
    power -= 10;
  }
  return std::to_string(bytes);
}

}  // namespace davit::config
