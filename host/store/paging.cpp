#include "host/store/paging.h"

namespace davit::store {
namespace {

constexpr int kMaxPage = 500;

}  // namespace

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
