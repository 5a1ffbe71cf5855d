// What lists that are read page by page have in common.
//
// A list goes from the newest row to older ones, and a cursor (cursor.h) has the row number where the page before
// ended: a page costs the same wherever it is, and rows that arrive meanwhile shift nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "host/base/result.h"
#include "host/store/statement.h"

namespace davit::store {

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
