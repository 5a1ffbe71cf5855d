// Takes the secrets of a plugin out of what it says before that reaches a row or a log line.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "host/plugin/settings.h"

namespace davit::plugin {

// Immutable after construction. Finds a value as it is, as a JSON string would spell it, the single lines of
// a value of several lines (keys are printed line by line), and at the end of a text the beginning of a
// value, for texts that were cut: 8 bytes of it, of short values half. Values of fewer than 6 bytes are left:
// they would match everywhere.
class Redactor {
 public:
  explicit Redactor(const std::vector<Secret>& secrets);
  // Puts "[secret NAME]" in place of each value. Well-formed JSON stays so, and so does UTF-8.
  void redact(std::string& text) const;
  bool has_secrets() const { return !patterns_.empty(); }

 private:
  struct Pattern {
    std::string value;
    std::string replacement;
  };
  std::vector<Pattern> patterns_;  // longest first, so that no part of a longer one is left
};

// Those of a plugin's environment that are taken for secrets: whose name says so (a TOKEN, a KEY…), and
// values of 12 bytes and more but for absolute paths and plain web addresses, of which results are full, and
// for what a variable named …MODEL holds.
std::vector<Secret> secrets_in(const std::map<std::string, std::string>& environment);

}  // namespace davit::plugin
