// The outcome of a check for people and for programs.
#pragma once

#include <iosfwd>

#include "host/conformance/conformance.h"

namespace davit::conformance {

// How many findings there are of each severity.
int count(const Report& report, Severity severity);

// Does the report fail at this strictness: is there a finding of it or above?
bool fails(const Report& report, Severity strictness);

// One paragraph per finding and a line at the end.
void print(std::ostream& out, const Report& report, Severity strictness);
// One JSON object.
void print_json(std::ostream& out, const Report& report, Severity strictness);
// The table of rules.
void print_rules(std::ostream& out);
void print_rules_json(std::ostream& out);

}  // namespace davit::conformance
