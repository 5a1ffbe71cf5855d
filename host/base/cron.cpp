#include "host/base/cron.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <string>
#include <vector>

namespace davit {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"jan", "feb", "mar", "apr", "may", "jun",
                                                      "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kWeekdays = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

struct Field {
  std::string_view name;
  int least, most;
  const std::string_view* names = nullptr;  // of the values from `least` on
  int count = 0;
};
constexpr std::array<Field, 5> kFields = {{{"minute", 0, 59},
                                           {"hour", 0, 23},
                                           {"day of the month", 1, 31},
                                           {"month", 1, 12, kMonths.data(), 12},
                                           {"day of the week", 0, 7, kWeekdays.data(), 7}}};

struct Shorthand {
  std::string_view name, fields;
};
constexpr std::array<Shorthand, 7> kShorthands = {{{"@hourly", "0 * * * *"},
                                                   {"@daily", "0 0 * * *"},
                                                   {"@midnight", "0 0 * * *"},
                                                   {"@weekly", "0 0 * * 0"},
                                                   {"@monthly", "0 0 1 * *"},
                                                   {"@yearly", "0 0 1 1 *"},
                                                   {"@annually", "0 0 1 1 *"}}};

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

std::vector<std::string_view> split(std::string_view text, std::string_view at) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0;;) {
    const std::size_t end = text.find_first_of(at, begin);
    parts.push_back(text.substr(begin, end - begin));
    if (end == std::string_view::npos) return parts;
    begin = end + 1;
  }
}

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || text.front() == '-' || problem != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

std::string legal(const Field& field) {
  std::string text = std::to_string(field.least) + " to " + std::to_string(field.most);
  if (field.names != nullptr) {
    text += " or " + std::string(field.names[0]) + " to " + std::string(field.names[field.count - 1]);
  }
  return text;
}

Error wrong(const Field& field, std::string_view part, const std::string& why) {
  return Error{ErrorCode::InvalidInput, std::string(field.name) + " \"" + std::string(part) + "\" " + why};
}

Result<int> value_of(const Field& field, std::string_view text, std::string_view part) {
  const std::string name = lower(text);
  for (int i = 0; i < field.count; ++i) {
    if (name == field.names[i]) return field.least + i;
  }
  const std::optional<int> value = number(text);
  if (!value || *value < field.least || *value > field.most) {
    return wrong(field, part, "is none of " + legal(field));
  }
  return *value;
}

// One part of a list: *, a value or a range, with a step or without.
Result<std::uint64_t> bits_of_part(const Field& field, std::string_view part) {
  const std::size_t slash = part.find('/');
  const std::string_view range = part.substr(0, slash);
  int step = 1;
  if (slash != std::string_view::npos) {
    const std::optional<int> said = number(part.substr(slash + 1));
    if (!said || *said < 1 || *said > field.most) {
      return wrong(field, part, "has a step that is none of 1 to " + std::to_string(field.most));
    }
    step = *said;
  }
  int first = field.least, last = field.most;
  if (range != "*") {
    const std::size_t dash = range.find('-');
    first = TRY(value_of(field, range.substr(0, dash), part));
    if (dash == std::string_view::npos) {
      if (slash != std::string_view::npos) {
        return wrong(field, part,
                     "steps through one value; write " + std::string(range) + "-" +
                         std::to_string(field.most) + std::string(part.substr(slash)));
      }
      last = first;
    } else {
      last = TRY(value_of(field, range.substr(dash + 1), part));
      // A week may end on a Sunday: fri-sun.
      if (field.most == 7 && last == 0 && first > 0) last = 7;
      if (last < first)
        return wrong(field, part, "runs backwards; write two ranges with a comma between them");
    }
  }
  std::uint64_t bits = 0;
  for (int value = first; value <= last; value += step) bits |= std::uint64_t{1} << value;
  return bits;
}

Result<std::uint64_t> bits_of(const Field& field, std::string_view text) {
  std::uint64_t bits = 0;
  for (const std::string_view part : split(text, ",")) bits |= TRY(bits_of_part(field, part));
  return bits;
}

template <typename Bits>
bool has(Bits bits, unsigned value) {
  return ((bits >> value) & 1U) != 0;
}

}  // namespace

Result<Cron> Cron::parse(std::string_view text) {
  if (!text.empty() && text.front() == '@') {
    const std::string name = lower(text);
    const auto* const found = std::find_if(kShorthands.begin(), kShorthands.end(),
                                           [&](const Shorthand& each) { return each.name == name; });
    if (found == kShorthands.end()) {
      return Error{ErrorCode::InvalidInput, "\"" + std::string(text) +
                                                "\" is unknown; there are @hourly, @daily, @midnight, "
                                                "@weekly, @monthly, @yearly and @annually"};
    }
    text = found->fields;
  }
  std::vector<std::string_view> parts = split(text, " \t");
  std::erase(parts, "");
  if (parts.size() != kFields.size()) {
    return Error{ErrorCode::InvalidInput,
                 "\"" + std::string(text) + "\" has " + std::to_string(parts.size()) +
                     (parts.size() == 1 ? " field" : " fields") +
                     "; five are needed: minute, hour, day of the month, month, day of the week"};
  }
  std::array<std::uint64_t, kFields.size()> bits{};
  for (std::size_t i = 0; i < kFields.size(); ++i) bits[i] = TRY(bits_of(kFields[i], parts[i]));
  Cron cron;
  cron.minutes_ = bits[0];
  cron.hours_ = static_cast<std::uint32_t>(bits[1]);
  cron.days_ = static_cast<std::uint32_t>(bits[2]);
  cron.months_ = static_cast<std::uint32_t>(bits[3]);
  cron.weekdays_ = static_cast<std::uint32_t>(bits[4]);
  if (has(cron.weekdays_, 7)) cron.weekdays_ |= 1U;
  cron.either_day_ = parts[2].front() != '*' && parts[4].front() != '*';
  return cron;
}

bool Cron::matches(std::chrono::sys_days day) const {
  const std::chrono::year_month_day date(day);
  if (!has(months_, static_cast<unsigned>(date.month()))) return false;
  const bool by_date = has(days_, static_cast<unsigned>(date.day()));
  const bool by_weekday = has(weekdays_, std::chrono::weekday(day).c_encoding());
  return either_day_ ? by_date || by_weekday : by_date && by_weekday;
}

std::optional<WallTime> Cron::next(WallTime after) const {
  using namespace std::chrono;
  constexpr days kLongest = days(8 * 366);
  const WallTime earliest = floor<minutes>(after) + minutes(1);
  const sys_days first = floor<days>(earliest);
  const sys_days end = std::min<sys_days>(first + kLongest, sys_days(year(9999) / December / 31));
  for (sys_days day = first; day <= end; day += days(1)) {
    if (!matches(day)) continue;
    const int passed = day == first ? static_cast<int>(duration_cast<minutes>(earliest - day).count()) : 0;
    for (int hour = passed / 60; hour < 24; ++hour) {
      if (!has(hours_, static_cast<unsigned>(hour))) continue;
      const int from = hour == passed / 60 ? passed % 60 : 0;
      const std::uint64_t left = minutes_ >> from;
      if (left != 0) return day + hours(hour) + minutes(from + std::countr_zero(left));
    }
  }
  return std::nullopt;
}

}  // namespace davit
