// What must be so in a body for a rule to apply: {at: /data/severity, one_of: [high, critical]}.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "davit/json.hpp"

namespace standard {

class Condition {
 public:
  // Throws davit::Failure(InvalidInput) naming the member of the configuration, "config.rules[0].when[2]".
  static Condition from(davit::JsonView config, const std::string& where);

  // A value that is absent or null fulfils nothing but {exists: false}, so that a gate stays shut.
  bool holds(davit::JsonView body) const;

  // Why it does not hold: "/data/severity is not one of \"high\", \"critical\"". Shows nothing of a body.
  std::string complaint() const;

 private:
  enum class Test { OneOf, NoneOf, Contains, Like, Exists, Any };

  Test test_ = Test::Any;
  std::string at_;
  std::vector<std::string> values_;  // OneOf, NoneOf: as JSON; Contains, Like: one text
  bool wanted_ = true;               // Exists
  std::vector<Condition> any_;
};

// Is `text` like `pattern`, in which * stands for any number of characters? Long texts are like nothing.
bool is_like(std::string_view text, std::string_view pattern);

}  // namespace standard
