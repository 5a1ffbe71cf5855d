#include "host/store/paging.h"

#include <charconv>
#include <limits>

namespace davit::store {
namespace {

constexpr int kMaxPage = 500;

}  // namespace

Error not_ours(const std::string& first) {
  return Error{ErrorCode::InvalidInput, "cursor: not one of ours; leave it out to begin at " + first};
}

std::optional<std::int64_t> number_in(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

Result<std::int64_t> read_cursor(std::string_view cursor) {
  if (cursor.empty()) return std::numeric_limits<std::int64_t>::max();
  const std::optional<std::int64_t> row = number_in(cursor);
  if (!row) return not_ours("the newest");
  return *row;
}

Result<int> read_limit(int limit) {
  if (limit < 1 || limit > kMaxPage) {
    return Error{ErrorCode::InvalidInput, "limit: " + std::to_string(limit) + " is not in 1 to 500"};
  }
  return limit;
}

void Conditions::add(std::string_view condition, std::variant<std::int64_t, std::string> value) {
  sql += sql.empty() ? " WHERE " : " AND ";
  sql += condition;
  values.push_back(std::move(value));
}

Cursor Conditions::query(Statement& statement) const {
  if (statement.prepare()) {
    int index = 0;
    for (const auto& value : values) {
      ++index;
      std::visit([&](const auto& bound) { statement.bind(index, bound, Statement::Lifetime::Copied); },
                 value);
    }
  }
  return statement.query();
}

}  // namespace davit::store
