// The state of this process that a plugin must leave as it was, taken at one moment and compared.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "host/conformance/reporter.h"

namespace davit::conformance {

struct ProcessState {
  std::map<int, std::string> handlers;  // by signal
  std::string mask, directory, locale;
  unsigned umask = 0;
  std::set<std::string> environment;
  std::map<int, std::string> limits;
  std::map<int, std::string> descriptors;  // what each is open for

  static ProcessState now();
};

// Reports what `after` has otherwise than `before`, but for descriptors that were opened.
void compare(const ProcessState& before, const ProcessState& after, Reporter& report);

// Threads and living or unreaped descendants of this process.
std::size_t thread_count();
std::size_t descendant_count();

}  // namespace davit::conformance
