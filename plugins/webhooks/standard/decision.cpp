#include "decision.h"

#include <algorithm>

#include "../reading/excerpt.h"

namespace standard {
namespace {

using davit::JsonView;

std::string quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

const Condition* first_broken(const std::vector<Condition>& conditions, JsonView body) {
  const auto broken = std::find_if(conditions.begin(), conditions.end(),
                                   [&](const Condition& condition) { return !condition.holds(body); });
  return broken == conditions.end() ? nullptr : &*broken;
}

}  // namespace

Verdict decide(const Settings& settings, JsonView event) {
  const JsonView body = event["body"];
  const std::string_view name = event["event"].string_or("");
  const std::string shown =
      name.empty() ? "an event without a name" : "event " + quoted(reading::cut(name, 64));
  if (const Condition* broken = first_broken(settings.require, body))
    return {nullptr, "require: " + broken->complaint()};

  std::string nearest;
  for (const Rule& rule : settings.rules) {
    const auto fits = [&](const std::string& pattern) { return is_like(name, pattern); };
    if (std::none_of(rule.events.begin(), rule.events.end(), fits)) continue;
    const Condition* broken = first_broken(rule.when, body);
    if (!broken) return {&rule, "rule " + quoted(rule.name) + " applies to " + shown};
    if (nearest.empty()) nearest = "rule " + quoted(rule.name) + ": " + broken->complaint();
  }
  return {nullptr, nearest.empty() ? "no rule is for " + shown : nearest};
}

}  // namespace standard
