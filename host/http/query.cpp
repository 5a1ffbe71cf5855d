#include "host/http/query.h"

#include <algorithm>
#include <charconv>

#include "host/base/json.h"
#include "host/base/text.h"

namespace davit::http {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

enum class Plus { IsBlank, Stays };

Result<std::string> decode(std::string_view text, Plus plus, const std::string& where) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus == Plus::IsBlank) {
      decoded.push_back(' ');
    } else if (text[i] == '%') {
      int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0)
        return Error{ErrorCode::InvalidInput, where + " has a broken percent escape"};
      decoded.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    } else {
      decoded.push_back(text[i]);
    }
  }
  if (!is_utf8(decoded)) return Error{ErrorCode::InvalidInput, where + " is not UTF-8"};
  return decoded;
}

Result<std::string> decode(std::string_view text) { return decode(text, Plus::IsBlank, "the query"); }

}  // namespace

Result<std::string> percent_decoded(std::string_view segment) { return decode(segment, Plus::Stays, "the path"); }

Result<Query> Query::parse(std::string_view text) {
  Query query;
  while (!text.empty()) {
    std::size_t end = std::min(text.find('&'), text.size());
    std::string_view pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (pair.empty()) continue;
    std::size_t equals = std::min(pair.find('='), pair.size());
    std::string name = TRY(decode(pair.substr(0, equals)));
    // A name may be anything, and the sentence is to be one line.
    const bool plain = !name.empty() && name.size() <= 64 &&
                       std::all_of(name.begin(), name.end(), [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
    auto value = decode(pair.substr(std::min(equals + 1, pair.size())), Plus::IsBlank, plain ? "the value" : "the query");
    if (!value) {
      if (!plain) return std::move(value).error();
      query.fail(name, value.error().message);  // told with what else is wrong
      value = std::string();
    }
    query.parameters_.emplace_back(std::move(name), std::move(*value));
  }
  return query;
}

Query Query::of(std::vector<std::pair<std::string, std::string>> parameters) {
  Query query;
  query.parameters_ = std::move(parameters);
  return query;
}

std::string Query::text(std::string_view name) const {
  for (const auto& [key, value] : parameters_) {
    if (key == name) return value;
  }
  return "";
}

std::vector<std::string> Query::texts(std::string_view name) const {
  std::vector<std::string> all;
  for (const auto& [key, value] : parameters_) {
    if (key != name) continue;
    for (std::string_view rest = value; !rest.empty();) {
      const std::size_t end = std::min(rest.find(','), rest.size());
      if (end > 0) all.emplace_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  return all;
}

int Query::whole_number(std::string_view name, int fallback, int least, int most) {
  std::string value = text(name);
  if (value.empty()) return fallback;
  int number = 0;
  auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size() || number < least || number > most) {
    fail(name, "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    return fallback;
  }
  return number;
}

std::optional<WallTime> Query::time(std::string_view name) {
  std::string value = text(name);
  if (value.empty()) return std::nullopt;
  // A '+' that is not written as %2B stands for a blank in a query. Before the zone of a time it can be nothing else.
  const std::size_t blank = value.rfind(' '), clock = value.find_first_of("Tt");
  if (blank != std::string::npos && clock != std::string::npos && blank > clock) value[blank] = '+';
  auto parsed = parse_iso8601(value);
  if (!parsed) {
    fail(name, parsed.error().message);
    return std::nullopt;
  }
  return *parsed;
}

void Query::read_interval(std::optional<WallTime>& start, std::optional<WallTime>& end) {
  start = time("start_date");
  end = time("end_date");
  if (start && end && *start >= *end) fail("start_date", "must be before end_date");
}

std::string Query::cursor(store::List list) {
  std::string given = text("cursor");
  if (given.empty()) return given;
  if (const auto place = store::place_of(list, given); !place.ok()) {
    constexpr std::string_view kField = "cursor: ";
    fail("cursor", place.error().message.substr(place.error().message.starts_with(kField) ? kField.size() : 0));
  }
  return given;
}

void Query::read_page(store::List list, int& limit, std::string& cursor, int usual, int most) {
  limit = whole_number("limit", usual, 1, most);
  cursor = this->cursor(list);
}

void Query::fail(std::string_view name, std::string message) {
  errors_.push_back({std::string(name), std::move(message)});
}

void Query::allow_only(std::initializer_list<std::string_view> known,
                       std::initializer_list<std::string_view> repeatable) {
  const auto has = [](std::initializer_list<std::string_view> names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  const auto all = [&] {
    std::vector<std::string_view> names(known);
    names.insert(names.end(), repeatable.begin(), repeatable.end());
    std::sort(names.begin(), names.end());
    std::string list;
    for (const std::string_view name : names) list.append(list.empty() ? "" : ", ").append(name);
    return list.empty() ? std::string("there are none") : "there are " + list;
  };
  for (auto each = parameters_.begin(); each != parameters_.end(); ++each) {
    const std::string& name = each->first;
    if (has(repeatable, name)) continue;
    if (!has(known, name)) {
      fail(shortened(name, 64), "is not a parameter here; " + all());
    } else if (std::any_of(parameters_.begin(), each,
                           [&](const auto& former) { return former.first == name; })) {
      fail(name, "is given more than once");
    }
  }
}

}  // namespace davit::http
