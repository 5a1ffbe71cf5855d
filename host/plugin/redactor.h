// Takes granted secrets out of what an agent says before it reaches a row or a log line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "host/plugin/settings.h"

namespace davit::dispatch {

// Immutable after construction. Finds a value as it is, as a JSON string would spell it, and the single lines
// of a value of several lines (keys are printed line by line). Values of fewer than 6 bytes are left: they
// would match everywhere.
class Redactor {
 public:
  explicit Redactor(const std::vector<plugin::Secret>& secrets);
  // Puts "[secret NAME]" in place of each value. Well-formed JSON stays so.
  void redact(std::string& text) const;
  bool has_secrets() const { return !patterns_.empty(); }

 private:
  struct Pattern {
    std::string value;
    std::string replacement;
  };
  std::vector<Pattern> patterns_;  // longest first, so that no part of a longer one is left
};

}  // namespace davit::dispatch
