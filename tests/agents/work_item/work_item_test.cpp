#include "work_item/work_item.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

namespace work {
namespace {

namespace fs = std::filesystem;
using davit::Json;
using davit::JsonView;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

Json json_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return Json::parse(std::string(std::istreambuf_iterator<char>(stream), {}));
}

// What a shipped webhook asks for in one of its tests.
Json task_of(const std::string& webhook, const std::string& name) {
  const Json answer =
      json_of(DAVIT_SOURCE_DIR "/plugins/webhooks/" + webhook + "/testdata/" + name + ".answer.json");
  return Json(answer["tasks"][0]);
}

Item item_of(const std::string& webhook, const std::string& name) {
  const Json task = task_of(webhook, name);
  return Item::from(task["payload"], JsonView(), task["title"].string_or(""));
}

std::vector<std::string> names_of(const std::vector<Detail>& details) {
  std::vector<std::string> names;
  for (const Detail& detail : details) names.push_back(detail.name);
  return names;
}

std::string complaint(const Json& previous) {
  try {
    Item::from(JsonView(), previous, "");
    return "";
  } catch (const davit::Failure& failure) {
    EXPECT_EQ(failure.status(), davit::Status::Permanent);
    return failure.what();
  }
}

TEST(WorkItemTest, IsFoundInEveryTaskThatAShippedWebhookAsksFor) {
  std::set<std::string> sources;
  for (const auto& webhook : fs::directory_iterator(DAVIT_SOURCE_DIR "/plugins/webhooks")) {
    if (!fs::is_directory(webhook.path() / "testdata")) continue;
    for (const auto& file : fs::directory_iterator(webhook.path() / "testdata")) {
      if (!file.path().string().ends_with(".answer.json")) continue;
      const Json answer = json_of(file.path());
      for (const JsonView task : answer["tasks"]) {
        const Item item = Item::from(task["payload"], JsonView(), task["title"].string_or(""));
        EXPECT_THAT(item.request.title, Not(IsEmpty())) << file.path();
        EXPECT_FALSE(item.request.text.empty() && item.request.details.empty()) << file.path();
        sources.insert(item.request.source);
        // And it goes on along the chain as it is.
        const Json output = Json::object({{"work", item.json()}});
        EXPECT_EQ(Item::from(JsonView(), output, "").json().dump(), item.json().dump()) << file.path();
      }
    }
  }
  EXPECT_THAT(sources, ::testing::IsSupersetOf({"github", "jira", "sentry", "slack", "test"}));
}

TEST(WorkItemTest, AnIssueOfGitHubNamesItsRepository) {
  const Item item = item_of("github", "issues_labeled_ai_fix");
  EXPECT_EQ(item.request.title, "idk man");
  EXPECT_THAT(item.request.text, HasSubstr("some random Issue description"));
  EXPECT_EQ(item.request.author, "sbansal1999");
  EXPECT_EQ(item.repository, "sbansal1999/testing-gh");
  EXPECT_EQ(item.default_branch, "fixing-typo");
  EXPECT_FALSE(item.pull);
}

TEST(WorkItemTest, AnIssueOfJiraHasItsCommentBesideIt) {
  const Item item = item_of("jira", "dc_issue_updated_commented_run_allowed");
  EXPECT_EQ(item.request.title, "test for notifications");
  EXPECT_EQ(item.request.author, "Creator User");
  EXPECT_THAT(names_of(item.request.details), ElementsAre("comment"));
  EXPECT_EQ(item.request.details[0].author, "Test User");
  EXPECT_EQ(item.repository, "");
}

TEST(WorkItemTest, AnAlertOfSentryHasItsStackTrace) {
  const Item item = item_of("sentry", "event_alert_triggered_python_exception");
  EXPECT_EQ(item.request.title, "Exception: Custom exception!");
  EXPECT_THAT(names_of(item.request.details), ElementsAre("culprit", "stack trace", "facts"));
  EXPECT_THAT(item.request.details[1].text,
              HasSubstr("Exception: Custom exception!\n  at <module> (trigger-exception.py:7)\n"));
  EXPECT_THAT(item.request.details[2].text, HasSubstr("platform: python\n"));
}

TEST(WorkItemTest, ASenderOfItsOwnShapeIsReadByTheUsualNamesAndShownWhole) {
  const Item item = item_of("standard", "incident_created");
  EXPECT_EQ(item.request.source, "test");
  EXPECT_EQ(item.request.title, "Checkout answers 500");
  EXPECT_THAT(item.request.text, HasSubstr("CHECKOUT-4Z"));
  EXPECT_THAT(names_of(item.request.details), ElementsAre("payload"));
  EXPECT_THAT(item.request.details[0].text, HasSubstr("\"owner\":\"payments\""));
}

TEST(WorkItemTest, ARunThatFailedIsAboutItsPullRequest) {
  const Json payload = Json::parse(
      R"({"source":"github","event":"workflow_run","repository":{"full_name":"o/r","default_branch":"main"},
          "run":{"id":"1","name":"CI","conclusion":"failure","head_sha":"abc","head_branch":"davit/fix","url":"u",
                 "pull_requests":[7]}})");
  const Item item = Item::from(payload, JsonView(), "");
  ASSERT_TRUE(item.pull);
  EXPECT_EQ(item.pull->number, 7);
  EXPECT_EQ(item.pull->branch, "davit/fix");
  EXPECT_EQ(item.pull->head_sha, "abc");
  EXPECT_EQ(item.request.text, "CI ended with failure");
}

TEST(WorkItemTest, ByHandTheRepositoryIsMeantAndMustBeOne) {
  const Json good = Json::parse(R"({"repository":"o/r","request":"do it"})");
  const Item item = Item::from(good, JsonView(), "A title");
  EXPECT_EQ(item.request.source, "manual");
  EXPECT_EQ(item.request.title, "A title");
  EXPECT_EQ(item.request.text, "do it");
  EXPECT_EQ(item.repository, "o/r");
  EXPECT_THAT(item.request.details, IsEmpty());
  for (const char* bad :
       {R"({"repository":"o"})", R"({"repository":"../../etc/x"})", R"({"repository":7})"}) {
    const Json payload = Json::parse(bad);
    EXPECT_THROW(Item::from(payload, JsonView(), ""), davit::Failure) << bad;
  }
}

// Another sender's word is no repository of GitHub: it would be a stranger's choice where code is pushed.
TEST(WorkItemTest, OnlyGitHubAndPeopleNameTheRepository) {
  const Json payload = Json::parse(R"({"source":"shop","summary":"x","repository":"attacker/repo"})");
  EXPECT_EQ(Item::from(payload, JsonView(), "").repository, "");
  const Json odd =
      Json::parse(R"({"source":"github","repository":{"full_name":"o/r/../x"},"issue":{"title":"x"}})");
  EXPECT_EQ(Item::from(odd, JsonView(), "").repository, "");
}

TEST(WorkItemTest, GoesAlongTheChainWhole) {
  Item item = item_of("github", "issues_labeled_ai_fix");
  item.pull = Pull{12, "https://example.org/12", "davit/plan-1", "0123"};
  item.plan = Plan(Json::parse(R"({"summary":"s","steps":[{"what":"w","files":["a"]}]})"));
  item.round = 2;
  item.feedback = "the build failed";
  const Json output = Json::object({{"work", item.json()}});
  const Json stored = Json::parse(output.dump());
  const Item again = Item::from(JsonView(), stored, "");
  EXPECT_EQ(again.json().dump(), item.json().dump());
  EXPECT_EQ(again.plan->sha256, item.plan->sha256);
  EXPECT_EQ(again.plan->sha256.size(), 64u);
  EXPECT_EQ(again.pull->number, 12);
  EXPECT_EQ(again.round, 2);
}

TEST(WorkItemTest, KeepsWhatWasApprovedAndOfWhat) {
  Item item;
  item.plan = Plan(Json::parse(R"({"summary":"first"})"));
  item.plan->path = "docs/plans/a-1.md";
  item.source_sha256 = std::string(64, 'a');
  item.approved = Approved{item.plan->sha256, "github:ann", "11", "github comment", std::string(64, 'b')};
  const Json previous = Json::object({{"work", item.json()}});
  const Item next = Item::from(JsonView(), previous, "");
  ASSERT_TRUE(next.approved);
  EXPECT_EQ(next.approved->plan_sha256, item.plan->sha256);
  EXPECT_EQ(next.approved->actor_id, "11");
  EXPECT_EQ(next.json().dump(), item.json().dump());
  const Json payload = Json::object({{"work", item.json()}, {"request", "Do it."}});
  EXPECT_FALSE(Item::from(payload, JsonView(), "").approved) << "a payload is anybody's word";
}

TEST(WorkItemTest, KeepsTheIdOfTheChainsFirstTask) {
  const davit::AgentContext first(
      Json::parse(R"({"task_id": "one", "task": {"payload": {"request": "Do it."}}})"));
  const Item item = Item::from(first);
  EXPECT_EQ(item.chain, "one");
  Json next = Json::parse(R"({"task_id": "two", "task": {"payload": {"request": "Do it."}}})");
  next.set("previous_result", Json::object({{"work", item.json()}}));
  EXPECT_EQ(Item::from(davit::AgentContext(std::move(next))).chain, "one");
}

TEST(WorkItemTest, KeepsWhoCausedTheChainsFirstTask) {
  const davit::AgentContext first(Json::parse(
      R"({"task_id": "one", "task": {"source": "jira-eu", "actor": {"id": "5c5f", "login": "ann"},
          "payload": {"source": "jira", "sender": {"id": "5c5f", "type": "User"}, "issue": {"key": "A-1"}}}})"));
  const Item item = Item::from(first);
  EXPECT_EQ(item.asked_by.webhook, "jira-eu");
  EXPECT_EQ(item.asked_by.actor["id"], "5c5f");
  EXPECT_EQ(item.asked_by.delivery.dump(), R"({"source":"jira","sender":{"id":"5c5f","type":"User"}})");
  const davit::AgentContext github(Json::parse(
      R"({"task_id": "one", "task": {"source": "ghe", "actor": {"id": "11"}, "payload": {"source": "github",
          "repository": {"full_name": "o/r", "url": "https://ghe.example/o/r"}}}})"));
  EXPECT_EQ(Item::from(github).asked_by.delivery.dump(),
            R"({"source":"github","repository":{"url":"https://ghe.example/o/r"}})");

  // What comes after it is of the chain, whoever its own actor may be.
  Json next = Json::parse(
      R"({"task_id": "two", "task": {"source": "chain", "actor": {"id": "6"}, "payload": {"source": "github"}}})");
  next.set("previous_result", Json::object({{"work", item.json()}}));
  const Item second = Item::from(davit::AgentContext(std::move(next)));
  EXPECT_EQ(second.asked_by.actor["login"], "ann");
  EXPECT_EQ(second.asked_by.webhook, "jira-eu");
}

TEST(WorkItemTest, AnotherTitleOrTextHasAnotherHash) {
  const std::string one = sha256_of({.source = "github", .title = "a", .text = "bc"});
  EXPECT_EQ(one.size(), 64u);
  EXPECT_EQ(one, sha256_of({.source = "jira", .title = "a", .text = "bc"}));
  for (const auto& [title, text] : std::map<std::string, std::string>{{"a", "bd"}, {"b", "bc"}, {"ab", "c"}})
    EXPECT_NE(one, sha256_of({.source = "github", .title = title, .text = text}));
}

TEST(WorkItemTest, APlanThatIsNotTheOneOfItsHashIsRefused) {
  Item item;
  item.plan = Plan(Json::parse(R"({"summary":"harmless"})"));
  Json work = item.json();
  work.set("plan", Json::parse(R"({"summary":"harmful"})"));
  EXPECT_THAT(complaint(Json::object({{"work", work}})), HasSubstr("the plan was changed on its way"));
  work.erase("plan_sha256");
  EXPECT_THAT(complaint(Json::object({{"work", work}})), HasSubstr("the plan was changed on its way"));
}

TEST(WorkItemTest, WhatWasRejectedComesBackWithWhatWasSaid) {
  Item item = item_of("jira", "issue_created_adf_description");
  item.repository = "o/r";
  item.plan = Plan(Json::parse(R"({"summary":"first"})"));
  const Json previous =
      Json::object({{"rejected", Json::object({{"comment", "smaller, please"},
                                               {"by", "github:ada"},
                                               {"actor_id", "12"},
                                               {"way", "github comment"},
                                               {"output", Json::object({{"work", item.json()}})}})}});
  const Item again = Item::from(JsonView(), previous, "");
  EXPECT_EQ(again.feedback, "smaller, please");
  ASSERT_TRUE(again.rejected);
  EXPECT_EQ(again.rejected->by, "github:ada");
  EXPECT_EQ(again.rejected->actor_id, "12");
  EXPECT_EQ(again.rejected->way, "github comment");
  const Json handed_on = Json::object({{"work", again.json()}});
  EXPECT_FALSE(Item::from(JsonView(), handed_on, "").rejected)
      << "whoever comes next does not follow those words";
  EXPECT_EQ(again.repository, "o/r");
  EXPECT_EQ(again.plan->document["summary"], "first");

  // Of an agent that hands no work on, the payload is what there is.
  const Json task = task_of("github", "issues_labeled_ai_fix");
  const Json bare = Json::parse(R"({"rejected":{"comment":"no","output":{"x":1}}})");
  const Item first = Item::from(task["payload"], bare, "");
  EXPECT_EQ(first.repository, "sbansal1999/testing-gh");
  EXPECT_EQ(first.feedback, "no");
  ASSERT_TRUE(first.rejected) << "by somebody whom nobody names";
  EXPECT_EQ(first.rejected->way, "");
}

TEST(WorkItemTest, WhatIsNoWorkIsRefusedByTheNameOfItsMember) {
  for (const auto& [work, sentence] : std::map<std::string, std::string>{
           {R"(7)", "work.request must be an object"},
           {R"({})", "work.request must be an object"},
           {R"({"request":{"title":1}})", "work.request.title must be a text"},
           {R"({"request":{"details":"x"}})", "work.request.details must be a list"},
           {R"({"request":{"details":[{},{"text":[]}]}})", "work.request.details[1].text must be a text"},
           {R"({"request":{},"repository":"x"})", "work.repository must be \"owner/name\""},
           {R"({"request":{},"pull":[]})", "work.pull must be an object"},
           {R"({"request":{},"pull":{"number":0}})", "work.pull.number must be a whole number from 1"},
           {R"({"request":{},"pull":{"number":1,"branch":2}})", "work.pull.branch must be a text"},
           {R"({"request":{},"asked_by":"ann"})", "work.asked_by must be an object"},
           {R"({"request":{},"asked_by":{"webhook":1}})", "work.asked_by.webhook must be a text"},
           {R"({"request":{},"approved":true})", "work.approved must be an object"},
           {R"({"request":{},"approved":{"by":1}})", "work.approved.by must be a text"},
           {R"({"request":{},"round":-1})", "work.round must be a whole number from 0"},
           {R"({"request":{},"plan":"p"})", "work.plan must be an object"}}) {
    const Json previous = Json::parse(R"({"work":)" + work + "}");
    EXPECT_THAT(complaint(previous), HasSubstr(sentence)) << work;
  }
}

TEST(WorkItemTest, NoPayloadAtAllAsksForNothing) {
  for (const char* payload :
       {"null", "[]", "7", "{}", R"({"source":"github"})", R"({"source":"sentry","event":[]})",
        R"({"source":"github","issue":{"is_pull_request":true,"number":99999999999}})"}) {
    const Json json = Json::parse(payload);
    const Item item = Item::from(json, JsonView(), "title");
    EXPECT_EQ(item.request.title, "title") << payload;
    EXPECT_EQ(item.request.text, "") << payload;
    EXPECT_FALSE(item.pull) << payload;
  }
}

TEST(RepositoryNameTest, IsAnOwnerAndAName) {
  for (const char* good : {"o/r", "Acme-2/shop.js", "a_b/c.d-e"}) EXPECT_TRUE(is_repository(good)) << good;
  for (const char* bad : {"", "/", "o/", "/r", "o", "o/r/x", "../r", "o/..", "o/.", "-o/r", "o/-r", "o/r ",
                          "o/r\n", "o/r?x", "o/r#1", "o%2f/r", "https://github.com/o/r"})
    EXPECT_FALSE(is_repository(bad)) << bad;
  EXPECT_FALSE(is_repository("o/" + std::string(300, 'r')));
}

}  // namespace
}  // namespace work
