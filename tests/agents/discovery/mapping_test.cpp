// Against what the shipped webhooks really make of real deliveries.
#include "discovery/mapping.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>

#include "davit/failure.hpp"

namespace discovery {
namespace {

using davit::Json;
using When = std::map<std::string, std::string>;

bool holds_for(const std::string& webhook, const std::string& name, const When& when) {
  std::ifstream stream(DAVIT_SOURCE_DIR "/plugins/webhooks/" + webhook + "/testdata/" + name +
                       ".answer.json");
  const Json answer = Json::parse(std::string(std::istreambuf_iterator<char>(stream), {}));
  const davit::JsonView task = answer["tasks"][0];
  const work::Request request = work::read_request(task["payload"], task["title"].string_or(""));
  return holds({.when = when, .repository = "acme/shop"}, {webhook + "-eu", task["payload"], request});
}

struct Row {
  const char* webhook;
  const char* name;
  When when;
  bool holds;
};

TEST(MappingTest, ReadsWhatEachSenderHas) {
  const char *jira = "issue_created_adf_description", *alert = "event_alert_triggered_python_exception",
             *metric = "metric_alert_critical_with_agent", *mention = "app_mention",
             *labeled = "issues_labeled_ai_fix", *incident = "incident_created";
  const Row rows[] = {
      {"jira", jira, {{"jira_project", "TES"}}, true},
      {"jira", jira, {{"jira_project", "tes"}}, true},
      {"jira", jira, {{"jira_project", "TE"}}, false},
      {"jira", jira, {{"label", "Test-Label"}}, true},
      {"jira", jira, {{"label", "test"}}, false},
      {"jira", jira, {{"source", "jira"}}, true},
      {"jira", jira, {{"webhook", "jira-eu"}}, true},
      {"jira", jira, {{"webhook", "jira"}}, false},
      {"jira", jira, {{"text", "unit test summary"}}, true},
      {"jira", jira, {{"text", "sentry issue"}}, true},
      {"jira", jira, {{"text", "unit tes"}}, false},
      {"jira", jira, {{"jira_project", "TES"}, {"label", "other"}}, false},
      {"jira", jira, {{"jira_project", "TES"}, {"label", "test-label"}}, true},
      {"jira", jira, {{"sentry_project", "TES"}}, false},
      {"sentry", alert, {{"sentry_project", "zulip-integration-testing"}}, true},
      {"sentry", alert, {{"sentry_project", "5216640"}}, true},
      {"sentry", alert, {{"sentry_project", "zulip"}}, false},
      {"sentry", alert, {{"text", "custom exception!"}}, true},
      {"sentry", alert, {{"jira_project", "zulip-integration-testing"}}, false},
      {"sentry", metric, {{"sentry_project", "nothing"}}, false},
      {"slack", mention, {{"slack_channel", "C123"}}, true},
      {"slack", mention, {{"slack_channel", "C12"}}, false},
      {"slack", mention, {{"text", "test"}}, true},
      {"github", labeled, {{"label", "ai-fix"}}, true},
      {"github", labeled, {{"label", "bug-fix"}}, false},
      {"github", labeled, {{"slack_channel", "C123"}}, false},
      {"standard", incident, {{"source", "test"}}, true},
      {"standard", incident, {{"label", "checkout"}}, true},
      {"standard", incident, {{"label", "payments"}}, false},
      {"standard", incident, {{"text", "answers 500"}}, true},
  };
  for (const Row& row : rows)
    EXPECT_EQ(holds_for(row.webhook, row.name, row.when), row.holds)
        << row.name << ": " << to_text({.when = row.when, .repository = ""});
}

TEST(MappingTest, EachConditionIsInTheTableAbove) {
  const std::vector<std::string_view> names = names_of_conditions();
  EXPECT_EQ(std::set<std::string_view>(names.begin(), names.end()),
            (std::set<std::string_view>{"webhook", "source", "jira_project", "sentry_project",
                                        "slack_channel", "label", "text"}));
  EXPECT_THROW(holds_for("slack", "app_mention", {{"colour", "red"}}), davit::Failure);
}

}  // namespace
}  // namespace discovery
