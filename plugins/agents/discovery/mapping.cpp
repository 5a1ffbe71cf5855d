#include "discovery/mapping.h"

#include <algorithm>
#include <cctype>
#include <iterator>

#include "davit/failure.hpp"
#include "discovery/letters.h"

namespace discovery {
namespace {

using davit::JsonView;

bool is_one_of(JsonView list, const std::string& wanted) {
  return std::any_of(list.begin(), list.end(),
                     [&](JsonView item) { return lower(item.string_or("")) == wanted; });
}

bool is_from(const Origin& origin, std::string_view source) { return origin.payload["source"] == source; }

// As whole words: "bill" does not stand in "billing".
bool stands_in(std::string_view text, const std::string& words) {
  const std::string small = lower(text);
  for (std::size_t at = small.find(words); at != std::string::npos; at = small.find(words, at + 1)) {
    const std::size_t end = at + words.size();
    const bool begins = at == 0 || !is_word(small[at - 1]) || !is_word(words.front());
    const bool ends = end == small.size() || !is_word(small[end]) || !is_word(words.back());
    if (begins && ends) return true;
  }
  return false;
}

bool is_webhook(const Origin& origin, const std::string& wanted) { return lower(origin.webhook) == wanted; }

bool is_source(const Origin& origin, const std::string& wanted) {
  return lower(origin.payload["source"].string_or("")) == wanted;
}

bool is_jira_project(const Origin& origin, const std::string& wanted) {
  return is_from(origin, "jira") && lower(origin.payload["issue"]["project"].string_or("")) == wanted;
}

bool is_sentry_project(const Origin& origin, const std::string& wanted) {
  if (!is_from(origin, "sentry")) return false;
  const JsonView project = origin.payload["project"];
  for (const char* name : {"slug", "id", "name"})
    if (lower(project[name].string_or("")) == wanted) return true;
  return is_one_of(origin.payload["metric_alert"]["projects"], wanted);
}

bool is_slack_channel(const Origin& origin, const std::string& wanted) {
  return is_from(origin, "slack") && lower(origin.payload["channel"].string_or("")) == wanted;
}

bool has_label(const Origin& origin, const std::string& wanted) {
  return is_one_of(origin.payload["issue"]["labels"], wanted) ||
         is_one_of(origin.payload["pull_request"]["labels"], wanted) ||
         is_one_of(origin.payload["tags"], wanted);
}

bool has_text(const Origin& origin, const std::string& wanted) {
  return stands_in(origin.request.title, wanted) || stands_in(origin.request.text, wanted);
}

struct Condition {
  std::string_view name;
  bool (*holds)(const Origin& origin, const std::string& wanted);  // which is in small letters
};
constexpr Condition kConditions[] = {{"webhook", is_webhook},
                                     {"source", is_source},
                                     {"jira_project", is_jira_project},
                                     {"sentry_project", is_sentry_project},
                                     {"slack_channel", is_slack_channel},
                                     {"label", has_label},
                                     {"text", has_text}};

}  // namespace

std::vector<std::string_view> names_of_conditions() {
  std::vector<std::string_view> names;
  for (const Condition& condition : kConditions) names.push_back(condition.name);
  return names;
}

bool holds(const Mapping& mapping, const Origin& origin) {
  return std::all_of(mapping.when.begin(), mapping.when.end(), [&](const auto& wanted) {
    const auto* condition = std::find_if(std::begin(kConditions), std::end(kConditions),
                                         [&](const Condition& one) { return one.name == wanted.first; });
    if (condition == std::end(kConditions))
      throw davit::Failure::internal("no condition of a mapping is called " + wanted.first);
    return condition->holds(origin, lower(wanted.second));
  });
}

std::string to_text(const Mapping& mapping) {
  std::string text;
  for (const auto& [name, value] : mapping.when) text += (text.empty() ? "" : ", ") + name + " " + value;
  return text;
}

}  // namespace discovery
