// What a session is told to do, and what it answers.
#pragma once

#include <string>
#include <vector>

#include "davit/json.hpp"
#include "executor/settings.h"
#include "skills/prompt.h"
#include "work_item/work_item.h"

namespace executor {

// What is to be repaired; empty: nothing yet.
struct Complaint {
  std::string text;    // other people's
  std::string source;  // "the test command"
};

struct Order {
  std::string skill;
  std::vector<skills::Part> parts;
};

// To carry out the plan; `complaint`: of the test command, of a person, or of what may be changed. `bound`:
// only files of the plan and tests may be.
Order to_execute(const Settings& settings, const work::Item& item, const Complaint& complaint, bool bound);
// To repair what checks say of the change. `change` is its diff.
Order to_repair(const Settings& settings, const work::Item& item, const Complaint& complaint, bool bound,
                const std::string& change);

// The answer of either skill, read for a commit.
struct Answer {
  std::string subject, body;
  std::vector<std::string> deviations, warnings;

  static Answer from(davit::JsonView structured);
};

// "ctest --preset dev".
std::string in_words(const std::vector<std::string>& command);

}  // namespace executor
