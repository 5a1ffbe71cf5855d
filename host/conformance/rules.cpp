#include "host/conformance/rules.h"

namespace davit::conformance {

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::Note:
      return "note";
    case Severity::Warning:
      return "warning";
    case Severity::Error:
      return "error";
  }
  return "error";
}

const Rule* find_rule(std::string_view id) {
  for (const Rule& known : kRules) {
    if (known.id == id) return &known;
  }
  return nullptr;
}

}  // namespace davit::conformance
