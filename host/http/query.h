// Query strings: names and values decoded, and read with their bounds.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/base/clock.h"
#include "host/base/result.h"

namespace davit::http {

// A parameter that is wrong: named, so that the answer can say which.
struct FieldError {
  std::string field;
  std::string message;
};

// A segment of a path as it was meant. InvalidInput for a broken escape or text that is not UTF-8.
Result<std::string> percent_decoded(std::string_view segment);

class Query {
 public:
  // Percent signs and '+' decoded. InvalidInput for a broken escape or text that is not UTF-8.
  static Result<Query> parse(std::string_view text);

  // Of values that came another way, decoded already.
  static Query of(std::vector<std::pair<std::string, std::string>> parameters);

  std::string text(std::string_view name) const;  // empty if absent

  // All values of a parameter that may be given several times, or once with commas between; without empty ones.
  std::vector<std::string> texts(std::string_view name) const;

  // Absent gives the fallback; wrong or out of bounds adds to errors().
  int whole_number(std::string_view name, int fallback, int least, int most);
  std::optional<WallTime> time(std::string_view name);

  // start_date and end_date; where both are there the one has to be before the other.
  void read_interval(std::optional<WallTime>& start, std::optional<WallTime>& end);
  // limit and cursor of a list.
  void read_page(int& limit, std::string& cursor, int usual = 50, int most = 500);

  // Notes a mistake the caller found; every parameter that neither list names; and every one that is given twice
  // and is not in `repeatable`.
  void fail(std::string_view name, std::string message);
  void allow_only(std::initializer_list<std::string_view> known,
                  std::initializer_list<std::string_view> repeatable = {});

  const std::vector<FieldError>& errors() const { return errors_; }

 private:
  std::vector<std::pair<std::string, std::string>> parameters_;
  std::vector<FieldError> errors_;
};

}  // namespace davit::http
