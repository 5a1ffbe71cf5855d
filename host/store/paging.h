// What lists that are read page by page have in common.
//
// A list goes from the newest row to older ones, and a cursor is the row number where the page before ended:
// a page costs the same wherever it is, and rows that arrive meanwhile shift nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "host/base/result.h"
#include "host/store/statement.h"

namespace davit::store {

// InvalidInput; `first` is where the list begins.
Error not_ours(const std::string& first);
// Of decimal digits alone.
std::optional<std::int64_t> number_in(std::string_view text);
// The row that the page ends before; one behind all of them without a cursor.
Result<std::int64_t> read_cursor(std::string_view cursor);
// 1 to 500.
Result<int> read_limit(int limit);

// A WHERE clause that grows by the filters in use, with its values.
struct Conditions {
  std::string sql;
  std::vector<std::variant<std::int64_t, std::string>> values;

  void add(std::string_view condition, std::variant<std::int64_t, std::string> value);
  Cursor query(Statement& statement) const;
};

}  // namespace davit::store
