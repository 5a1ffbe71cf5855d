#include "condition.h"

#include <algorithm>

#include "davit/failure.hpp"
#include "template.h"

namespace standard {

using davit::Failure;
using davit::JsonView;

namespace {

constexpr std::string_view kTests[] = {"equals", "one_of", "none_of", "contains", "like", "exists"};
constexpr std::size_t kLongestLike = 1024;

bool is_scalar(JsonView value) { return value.is_string() || value.is_number() || value.is_bool(); }

// Whole numbers beyond 64 bits aside, two scalars are the same if JSON writes them the same.
bool is_among(JsonView value, const std::vector<std::string>& values) {
  return is_scalar(value) && std::find(values.begin(), values.end(), value.dump()) != values.end();
}

std::string joined(const std::vector<std::string>& values) {
  std::string text;
  for (const std::string& value : values) text += (text.empty() ? "" : ", ") + value;
  return text;
}

}  // namespace

Condition Condition::from(JsonView config, const std::string& where) {
  Condition condition;
  std::string_view test;
  for (const std::string_view name : kTests) {
    if (!config.has(name)) continue;
    if (!test.empty()) {
      throw Failure::invalid_input(where + " has both " + std::string(test) + " and " + std::string(name) +
                                   ": make two conditions of it");
    }
    test = name;
  }
  if (config.has("any")) {
    if (!test.empty() || config.has("at"))
      throw Failure::invalid_input(where + ": beside any there can be nothing else");
    for (std::size_t i = 0; i < config["any"].size(); ++i)
      condition.any_.push_back(from(config["any"][i], where + ".any[" + std::to_string(i) + "]"));
    return condition;
  }
  if (!config.has("at")) throw Failure::invalid_input(where + ".at: say where the value is, as in /data/id");
  condition.at_ = pointer_of(config["at"].string_or(""), where + ".at");
  if (test.empty()) {
    throw Failure::invalid_input(
        where + " does not say what must be so: equals, one_of, none_of, contains, like or exists");
  }
  const JsonView value = config[test];
  if (test == "exists") {
    condition.test_ = Test::Exists;
    condition.wanted_ = value.bool_or(true);
  } else if (test == "contains" || test == "like") {
    condition.test_ = test == "like" ? Test::Like : Test::Contains;
    condition.values_.emplace_back(value.string_or(""));
  } else {
    condition.test_ = test == "none_of" ? Test::NoneOf : Test::OneOf;
    if (test == "equals") condition.values_.push_back(value.dump());
    for (const JsonView one : value) condition.values_.push_back(one.dump());
  }
  return condition;
}

bool Condition::holds(JsonView body) const {
  if (test_ == Test::Any)
    return std::any_of(any_.begin(), any_.end(), [&](const Condition& one) { return one.holds(body); });
  const JsonView value = body.at_pointer(at_);
  switch (test_) {
    case Test::OneOf:
      return is_among(value, values_);
    case Test::NoneOf:
      return is_scalar(value) && !is_among(value, values_);
    case Test::Contains:
      return value.contains(values_[0]) || value.string_or("").find(values_[0]) != std::string_view::npos;
    case Test::Like:
      return value.is_string() && is_like(value.string_or(""), values_[0]);
    case Test::Exists:
      return value.is_null() != wanted_;
    case Test::Any:
      break;
  }
  return false;
}

std::string Condition::complaint() const {
  switch (test_) {
    case Test::OneOf:
      return at_ + (values_.size() == 1 ? " is not " : " is not one of ") + joined(values_);
    case Test::NoneOf:
      return at_ + " is absent or one of " + joined(values_);
    case Test::Contains:
      return at_ + " does not contain '" + values_[0] + "'";
    case Test::Like:
      return at_ + " is not like '" + values_[0] + "'";
    case Test::Exists:
      return at_ + (wanted_ ? " is absent" : " is there");
    case Test::Any:
      break;
  }
  std::string all;
  for (const Condition& one : any_) all += (all.empty() ? "" : ", and ") + one.complaint();
  return all;
}

bool is_like(std::string_view text, std::string_view pattern) {
  if (text.size() > kLongestLike) return false;
  // Where a later part does not fit, the last * takes one character more; earlier ones need not be tried
  // again.
  std::size_t at = 0, in_pattern = 0, star = std::string_view::npos, behind_star = 0;
  while (at < text.size()) {
    if (in_pattern < pattern.size() && pattern[in_pattern] == '*') {
      star = in_pattern++;
      behind_star = at;
    } else if (in_pattern < pattern.size() && pattern[in_pattern] == text[at]) {
      ++in_pattern, ++at;
    } else if (star != std::string_view::npos) {
      in_pattern = star + 1;
      at = ++behind_star;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', in_pattern) == std::string_view::npos;
}

}  // namespace standard
