// Text for a terminal: aligned columns, and values that cannot take the terminal over.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/clock.h"
#include "host/base/json.h"

namespace davit::cli {

enum class Align { Left, Right };

struct Column {
  std::string title;
  Align align = Align::Left;
  bool shrinks = false;  // gives way, with an ellipsis, when the line is too long
};

// Rows of text under headings.
class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  void add(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }
  // At most `width` characters a line if what shrinks can give way that far; nothing is padded at the end of
  // a line.
  void print(std::ostream& out, int width) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// Control characters (also C1, bidirectional controls and line breaks) as \n, \x1b, \u202e; bytes that are
// not UTF-8 as \xff. With `keep_lines` line breaks and tabs stay.
enum class Lines { Escape, Keep };
std::string printable(std::string_view text, Lines lines = Lines::Escape);

// "45s", "12m", "3h", "5d": how long ago; "-" for what is not a time.
std::string age(std::string_view iso8601, WallTime now);
// "1.2s", "3m 05s"; "-" for null.
std::string seconds_text(const JsonValue* seconds);
// "$0.1234"; "-" for nothing.
std::string dollars_text(const JsonValue& object, std::string_view name);
// "1,234"
std::string count_text(std::int64_t number);
// A member as text: strings as they are, numbers, "-" for null or absent. Printable.
std::string cell(const JsonValue& object, std::string_view name);

// A link as the API tells it: relation, key and address, as far as there are any.
std::string link_text(const JsonValue& link);

// JSON indented by two, strings printable.
std::string indented(const JsonValue& value, int indent = 0);

}  // namespace davit::cli
