// The built agent, with the four senders as machines of this test.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "davit/failure.hpp"
#include "source_note/rest.h"
#include "source_note/source_note.h"
#include "tests/agents/agent_run/agent_run.h"
#include "tests/agents/github_api/fake_github.h"
#include "tests/agents/github_api/state_folder.h"
#include "tests/agents/source_note/fake_senders.h"

namespace {

using agent_run::Got;
using davit::Json;
using davit::Status;
using davit::testing::FakeGithub;
using davit::testing::FakeJira;
using davit::testing::FakeSender;
using davit::testing::FakeSentry;
using davit::testing::FakeSlack;
using davit::testing::StateFolder;
using note::Stage;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

constexpr const char* kTask = "0190a1b2-0000-7000-8000-00000000bbbb";
constexpr const char* kHash = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
constexpr const char* kChain = "0190a1b2-0000-7000-8000-00000000aaaa";

class NotifyAgentTest : public testing::Test {
 protected:
  NotifyAgentTest() {
    const Json jira = Json::object({{"site", jira_.url()}, {"user", "davit@example.com"}});
    config_.set("github", Json::object({{"api", github_.api()}}));
    config_.set("notes", Json::object({{"jira", jira},
                                       {"sentry", Json::object({{"url", sentry_.url()}})},
                                       {"slack", Json::object({{"api", slack_.url()}})}}));
    number_ = github_.add_issue("Wrong sum", "");
  }

  // As the host makes it (chain.notify).
  static Json end_of(const std::string& entity, const std::string& how = "failed",
                     const std::string& failure = "permanent") {
    Json end = Json::object({{"task_id", kTask},
                             {"root", kChain},
                             {"how", how},
                             {"state", "failed"},
                             {"title", "Wrong sum"},
                             {"agent", "executor-agent"},
                             {"entity", entity},
                             {"source", "github"},
                             {"reason", "cannot open /srv/internal/key.pem"},
                             {"also", Json::array()}});
    if (!failure.empty()) end.set("failure", failure);
    return end;
  }
  // Likewise of a task that waits (approvals.notify).
  static Json wait_of(const std::string& entity) {
    return Json::object({{"task_id", kTask},
                         {"root", kChain},
                         {"source", "github"},
                         {"title", "Wrong sum"},
                         {"agent", "executor-agent"},
                         {"entity", entity},
                         {"content_hash", kHash},
                         {"waiting_since", "2026-11-26T09:00:00.000Z"},
                         {"deadline", Json()},
                         {"reminder", 0},
                         {"refused", Json()},
                         {"also", Json::array({"github:acme/shop#12"})}});
  }
  // What planning-agent hands on.
  static Json plan_at(const std::string& pull, const std::string& repository = "acme/shop") {
    Json work = Json::object({{"chain", kChain}, {"repository", repository}});
    work.set("pull", Json::object({{"url", pull}}));
    work.set("plan", Json::object({{"summary", "Add instead of subtracting."}}));
    return Json::object({{"work", std::move(work)}});
  }
  Got run(Json payload, Json previous_result = {}, bool cancelled = false) {
    agent_run::Given given{.plugin = "notify_agent"};
    given.cancelled = cancelled;
    given.config = config_.dump();
    given.secrets = secrets_;
    given.state_folder = state_.path();
    given.payload = std::move(payload);
    given.previous_result = std::move(previous_result);
    return agent_run::run(given);
  }
  static bool told(const Got& got) {
    EXPECT_EQ(got.status, Status::Ok) << got.why;
    return got.result["output"]["told"].bool_or(false);
  }

  std::string github_key() const { return "github:acme/shop#" + std::to_string(number_); }
  std::string jira_key() const { return "jira:" + jira_.url().substr(7) + "/TES-41"; }
  // What an agent of the chain has told before.
  void tell(const std::string& key, Stage stage, const std::string& text, const std::string& chain = kChain) {
    note::Settings settings;
    settings.jira_site = jira_.url();
    settings.jira_user = "davit@example.com";
    settings.sentry_url = sentry_.url();
    settings.slack_api = slack_.url();
    note::Notes notes(settings, {.jira = "jira-secret", .sentry = "sentry-secret", .slack = "slack-secret"},
                      state_.path(), {}, {});
    github::Api api{{.api = github_.api(), .token = FakeGithub::kToken, .state_folder = state_.path()},
                    {},
                    {.now = [&] { return github_.time().now(); },
                     .sleep = [&](std::chrono::milliseconds time) { github_.time().sleep(time); }}};
    const note::Told told = notes.tell(&api, *note::place_of(key), chain, stage, text);
    ASSERT_TRUE(told.told) << told.why_not;
  }
  struct Sender {
    FakeSender& fake;
    std::string key;
  };
  std::vector<Sender> senders() {
    return {{jira_, jira_key()},
            {sentry_, "sentry:acme/1635244907"},
            {slack_, "slack:T123/C123/1583636399.000700"}};
  }

  const StateFolder state_;
  FakeGithub github_;
  FakeJira jira_{"Basic " + note::base64("davit@example.com:jira-secret")};
  FakeSentry sentry_{"Bearer sentry-secret"};
  FakeSlack slack_{"Bearer slack-secret"};
  Json config_ = Json::object();
  std::map<std::string, std::string> secrets_{{"github_token", FakeGithub::kToken},
                                              {"jira_token", "jira-secret"},
                                              {"sentry_token", "sentry-secret"},
                                              {"slack_token", "slack-secret"}};
  int number_ = 0;
};

TEST_F(NotifyAgentTest, BringsTheNoteOnGithubToItsEnd) {
  tell(github_key(), Stage::Started, "It is being planned.");
  EXPECT_TRUE(told(run(end_of(github_key()))));
  ASSERT_THAT(github_.comments(number_), SizeIs(1));
  EXPECT_THAT(
      github_.comments(number_)[0],
      AllOf(StartsWith("davit could not do this.\n\nIt failed, and trying again would not help. Task " +
                       std::string(kTask) + " says more.\n\n<!-- davit:"),
            Not(HasSubstr("key.pem"))));
}

TEST_F(NotifyAgentTest, BringsTheNotesOfTheOtherSendersToTheirEnds) {
  for (const auto& [fake, key] : senders()) {
    tell(key, Stage::Started, "It is being planned.");
    const Got got = run(end_of(key, "cancelled", ""));
    EXPECT_TRUE(told(got)) << got.all;
    EXPECT_THAT(fake.texts(),
                ElementsAre(AllOf(StartsWith("davit could not do this.\n\nIt was cancelled. Task "),
                                  Not(HasSubstr("key.pem")))));
  }
}

TEST_F(NotifyAgentTest, TellsEachEndInWordsOfItsOwn) {
  const auto said = [&](const std::string& how, const std::string& failure) {
    tell(jira_key(), Stage::NeedsApproval, "The plan is there.");
    EXPECT_TRUE(told(run(end_of(jira_key(), how, failure))));
    const std::string text = jira_.texts().at(0);
    const std::size_t begin = text.find("\n\n") + 2;
    return text.substr(begin, text.find(" Task ") - begin);
  };
  EXPECT_EQ(said("rejected", ""), "What was proposed was rejected.");
  EXPECT_EQ(said("deadline", ""), "What was proposed was not approved in time.");
  EXPECT_EQ(said("cancelled", "cancelled"), "It was cancelled.");
  EXPECT_EQ(said("failed", "retryable"), "It failed each time it was tried.");
  EXPECT_EQ(said("failed", "rate_limited"), "A service that it needs took no more requests.");
  EXPECT_EQ(said("failed", "deadline"), "It took too long.");
  EXPECT_EQ(said("failed", "of a later version"), "It failed, and trying again would not help.");
  EXPECT_EQ(said("parked", ""), "It is put aside until somebody looks at it.");
  EXPECT_EQ(said("parked", "crash"),
            "The program that worked on it crashed. It is put aside until somebody looks at it.");
}

TEST_F(NotifyAgentTest, WhereDavitHasSaidNothingItSaysNothing) {
  EXPECT_FALSE(told(run(end_of(github_key()))));
  EXPECT_THAT(github_.comments(number_), IsEmpty());
  for (const auto& [fake, key] : senders()) {
    const Got got = run(end_of(key));
    EXPECT_FALSE(told(got)) << key;
    EXPECT_THAT(got.all, HasSubstr("davit has no note at the source"));
    EXPECT_THAT(fake.texts(), IsEmpty()) << "it would be a way for strangers to make davit write";
  }
}

TEST_F(NotifyAgentTest, WhatAnAgentHasSaidOfItsFailureStays) {
  tell(github_key(), Stage::Failed, "This cannot be planned: it asks for two things.");
  EXPECT_FALSE(told(run(end_of(github_key()))));
  EXPECT_THAT(github_.comments(number_), ElementsAre(HasSubstr("asks for two things")));
  for (const auto& [fake, key] : senders()) {
    tell(key, Stage::Failed, "This cannot be planned: it asks for two things.");
    const Got got = run(end_of(key));
    EXPECT_FALSE(told(got)) << key;
    EXPECT_THAT(got.all, HasSubstr("says already why"));
    EXPECT_THAT(fake.texts(), ElementsAre(HasSubstr("asks for two things")));
    EXPECT_TRUE(told(run(end_of(key, "cancelled", "")))) << "what somebody did since is new";
    EXPECT_THAT(fake.texts(), ElementsAre(HasSubstr("It was cancelled.")));
  }
}

TEST_F(NotifyAgentTest, WhereSlackCannotBeReadTheNoteIsChanged) {
  const std::string key = "slack:T123/C123/1583636399.000700";
  tell(key, Stage::Failed, "This cannot be planned.");
  slack_.forbid_reading();
  EXPECT_TRUE(told(run(end_of(key))));
  EXPECT_THAT(slack_.texts(), ElementsAre(HasSubstr("trying again would not help")));
}

TEST_F(NotifyAgentTest, RunAgainItChangesNothing) {
  tell(github_key(), Stage::Started, "");
  tell(jira_key(), Stage::Started, "");
  for (const std::string& key : {github_key(), jira_key()}) {
    EXPECT_TRUE(told(run(end_of(key, "rejected", ""))));
    EXPECT_TRUE(told(run(end_of(key, "rejected", "")))) << "after a crash, say";
  }
  EXPECT_THAT(github_.comments(number_), SizeIs(1));
  EXPECT_THAT(jira_.texts(), SizeIs(1));
  const auto seen = jira_.seen();
  EXPECT_EQ(std::count_if(seen.begin(), seen.end(), [](const auto& asked) { return asked.method == "PUT"; }),
            1);
}

TEST_F(NotifyAgentTest, TheChainIsTheOneThatItsAgentsSpokeOf) {
  const std::string chain = "0190a1b2-0000-7000-8000-00000000cccc";
  const Json work = Json::object({{"work", Json::object({{"chain", chain}})}});
  tell(jira_key(), Stage::Started, "", chain);
  EXPECT_FALSE(told(run(end_of(jira_key()))));
  EXPECT_TRUE(told(run(end_of(jira_key()), work)));
  // Of work that was rejected and was being done again.
  const Json rejected = Json::object({{"rejected", Json::object({{"comment", "no"}, {"output", work}})}});
  EXPECT_TRUE(told(run(end_of(jira_key(), "cancelled", ""), rejected)));
  EXPECT_THAT(jira_.texts(), ElementsAre(HasSubstr("It was cancelled.")));
}

TEST_F(NotifyAgentTest, ThePullRequestIsNotForgotten) {
  const auto said = [&](const std::string& url) {
    tell(jira_key(), Stage::Started, "Carried out: https://github.com/acme/shop/pull/7");
    const Json pull = Json::object({{"number", 7}, {"url", url}});
    EXPECT_TRUE(told(run(end_of(jira_key()), Json::object({{"work", Json::object({{"pull", pull}})}}))));
    return jira_.texts().at(0);
  };
  EXPECT_THAT(said("https://github.com/acme/shop/pull/7"),
              HasSubstr("says more.\n\nThe pull request so far is https://github.com/acme/shop/pull/7\n"));
  for (const char* url : {"javascript:alert(1)", "https://x.example/|[click]", "https://x.example/ now"})
    EXPECT_THAT(said(url), Not(HasSubstr("pull request so far"))) << url;
}

TEST_F(NotifyAgentTest, APrivatePullRequestIsNotNamedInAnotherRepositorysIssue) {
  const auto said = [&](const char* repository) {
    tell(github_key(), Stage::Started, "");
    const Json work =
        Json::object({{"repository", repository},
                      {"pull", Json::object({{"number", 7}, {"url", "https://github.com/acme/x/pull/7"}})}});
    EXPECT_TRUE(told(run(end_of(github_key()), Json::object({{"work", work}}))));
    return github_.comments(number_).at(0);
  };
  EXPECT_THAT(said("acme/shop"), HasSubstr("/pull/7"));
  // Which this token does not even see.
  EXPECT_THAT(said("acme/secret"), AllOf(HasSubstr(kTask), Not(HasSubstr("/pull/"))));
  EXPECT_THAT(said(""), AllOf(HasSubstr(kTask), Not(HasSubstr("/pull/")))) << "of nobody knows what";
}

TEST_F(NotifyAgentTest, APlaceThatIsGoneIsNoFailure) {
  for (const int status : {403, 404, 410}) {
    github_.fail("GET", "/repos", {.status = status, .body = "{}"});
    EXPECT_FALSE(told(run(end_of(github_key())))) << status;
  }
  for (const auto& [fake, key] : senders()) {
    for (const int status : {403, 404, 410}) {
      tell(key, Stage::Started, "");
      fake.refuse(status);
      const Got got = run(end_of(key));
      EXPECT_FALSE(told(got)) << key << status;
      EXPECT_THAT(got.all, Not(HasSubstr("secret")));
      fake.refuse(0);
    }
  }
}

TEST_F(NotifyAgentTest, WhatMayPassIsTriedAgain) {
  for (const auto& [fake, key] : senders()) {
    tell(key, Stage::Started, "");
    for (const int status : {429, 500, 503}) {
      fake.refuse(status);
      const Got got = run(end_of(key));
      EXPECT_EQ(got.result["error_class"].string_or(""), "retryable") << got.all;
      EXPECT_THAT(got.all, HasSubstr("the source was not told"));
      fake.refuse(0);
    }
    EXPECT_TRUE(told(run(end_of(key))));
  }
}

TEST_F(NotifyAgentTest, WhatIsInterruptedIsNotDone) {
  for (const std::string& key : {github_key(), jira_key()}) {
    tell(key, Stage::Started, "");
    const Got got = run(end_of(key), {}, true);
    EXPECT_EQ(got.status, Status::Cancelled) << got.all;
  }
  EXPECT_THAT(jira_.texts(), ElementsAre(HasSubstr("is working on this")));
}

TEST_F(NotifyAgentTest, WithoutATokenItAsksNobody) {
  secrets_.clear();
  const Got got = run(end_of(github_key()));
  EXPECT_FALSE(told(got));
  EXPECT_THAT(got.all, HasSubstr("grant github_token"));
  for (const auto& [fake, key] : senders()) {
    EXPECT_FALSE(told(run(end_of(key))));
    EXPECT_THAT(fake.seen(), IsEmpty());
  }
  EXPECT_THAT(github_.seen(), IsEmpty());
}

TEST_F(NotifyAgentTest, WhoDoesNotWantToBeToldIsNotAsked) {
  secrets_.clear();
  config_.set("notes", Json::object({{"github", false}}));
  for (const std::string& key : {github_key(), jira_key(), std::string("billing:invoice/7"), std::string()})
    EXPECT_FALSE(told(run(end_of(key)))) << key;
  EXPECT_THAT(github_.seen(), IsEmpty());
  EXPECT_THAT(jira_.seen(), IsEmpty());
}

// --- what waits for an approval

constexpr const char* kPull = "https://github.com/acme/shop/pull/12";

TEST_F(NotifyAgentTest, TheNoteOnGithubSaysWhatToWriteToApproveWhatWaits) {
  tell(github_key(), Stage::NeedsApproval, "The plan is there.");
  EXPECT_TRUE(told(run(wait_of(github_key()), plan_at(kPull))));
  EXPECT_THAT(
      github_.comments(number_),
      ElementsAre(StartsWith(
          "davit has a proposal and waits for an approval.\n\nTo let executor-agent go on, somebody who may "
          "writes this as a comment here, or on the pull request:\n\n    /davit approve " +
          std::string(kHash) +
          "\n\nThat approves what waits now and nothing else: when any of it changes, this hash is void, and "
          "another one stands here.\n\nWhat waits is " +
          kPull + "\n\nAdd instead of subtracting.\n\n<!-- davit:")));
}

TEST_F(NotifyAgentTest, EachSenderIsToldWhatItsOwnWebhookTakes) {
  for (const auto& [fake, key] : senders()) tell(key, Stage::NeedsApproval, "The plan is there.");
  const std::string hash(kHash);
  const std::string expected[] = {"as a comment here:\n\n    /davit approve " + hash,
                                  "on davit's machine:\n\n    davit tasks approve " + std::string(kTask) +
                                      " --hash " + hash,
                                  "mentions davit in this thread with:\n\n    approve " + hash};
  std::size_t at = 0;
  for (const auto& [fake, key] : senders()) {
    EXPECT_TRUE(told(run(wait_of(key), plan_at(kPull)))) << key;
    EXPECT_THAT(fake.texts(), ElementsAre(AllOf(HasSubstr(expected[at++]), HasSubstr(kPull)))) << key;
  }
}

TEST_F(NotifyAgentTest, TheWordThatBeginsACommandIsThatOfTheWebhooks) {
  tell(github_key(), Stage::NeedsApproval, "The plan is there.");
  config_.set("command_prefix", "/robot");
  EXPECT_TRUE(told(run(wait_of(github_key()))));
  EXPECT_THAT(github_.comments(number_)[0],
              AllOf(HasSubstr("    /robot approve " + std::string(kHash) + "\n"),
                    Not(HasSubstr("the pull request")), HasSubstr("Task " + std::string(kTask))));
  config_.set("command_prefix", "");
  EXPECT_TRUE(told(run(wait_of(github_key()))));
  EXPECT_THAT(github_.comments(number_)[0],
              AllOf(HasSubstr("davit tasks approve"), Not(HasSubstr("as a comment"))));
}

TEST_F(NotifyAgentTest, AWaitHasItsDeadlineAndWhoseApprovalDoesNotCount) {
  tell(github_key(), Stage::NeedsApproval, "The plan is there.");
  Json wait = wait_of(github_key()).set("deadline", "2026-12-03T09:00:00.000Z");
  wait.set("refused", Json::object({{"by", "github:bob"}, {"why", "cannot open /srv/internal/key.pem"}}));
  EXPECT_TRUE(told(run(wait, plan_at(kPull))));
  EXPECT_THAT(github_.comments(number_)[0],
              AllOf(HasSubstr("It waits until 2026-12-03T09:00:00.000Z."),
                    HasSubstr("The approval by github:bob does not count, so it takes one by somebody else."),
                    Not(HasSubstr("key.pem"))));
  wait.set("refused", Json::object({{"by", "github:[x](http://y) @all"}}));
  EXPECT_TRUE(told(run(wait, plan_at(kPull))));
  EXPECT_THAT(github_.comments(number_)[0], HasSubstr("The approval by somebody does not count"));
}

TEST_F(NotifyAgentTest, ANoteThatSaysSomethingNewerOfTheChainStays) {
  tell(github_key(), Stage::Started, "The approved plan is being carried out.");
  const Got got = run(wait_of(github_key()), plan_at(kPull));
  EXPECT_FALSE(told(got));
  EXPECT_THAT(got.all, HasSubstr("does not say that something waits"));
  EXPECT_THAT(github_.comments(number_), ElementsAre(HasSubstr("is being carried out")));
  for (const auto& [fake, key] : senders()) {
    tell(key, Stage::Started, "The approved plan is being carried out.");
    EXPECT_FALSE(told(run(wait_of(key), plan_at(kPull)))) << key;
    EXPECT_THAT(fake.texts(), ElementsAre(HasSubstr("is being carried out"))) << key;
  }
}

TEST_F(NotifyAgentTest, WhereNothingWasSaidAWaitIsNotSaidEither) {
  EXPECT_FALSE(told(run(wait_of(github_key()), plan_at(kPull))));
  EXPECT_THAT(github_.comments(number_), IsEmpty());
}

TEST_F(NotifyAgentTest, APrivatePlanIsNotShownInAnotherRepositorysIssueButHowToApproveItIs) {
  tell(github_key(), Stage::NeedsApproval, "The plan is there.");
  EXPECT_TRUE(told(run(wait_of(github_key()),
                       plan_at("https://github.com/acme/vault/pull/7", "acme/vault"))));
  EXPECT_THAT(github_.comments(number_)[0],
              AllOf(HasSubstr("as a comment here:\n\n    /davit approve " + std::string(kHash)),
                    Not(HasSubstr("vault")), Not(HasSubstr("subtracting"))));
}

TEST_F(NotifyAgentTest, WhatIsNoEndOfAChainIsRefused) {
  const auto refusal = [&](const Json& payload) {
    const Got got = run(payload);
    EXPECT_NE(got.status, Status::Ok);
    return got.why;
  };
  EXPECT_THAT(refusal(Json::object()), HasSubstr("chain.notify"));
  EXPECT_THAT(refusal(end_of(jira_key()).set("how", "done")), HasSubstr("how"));
  EXPECT_THAT(refusal(end_of(jira_key()).set("task_id", "<img>")), HasSubstr("task_id"));
  EXPECT_THAT(refusal(end_of(jira_key()).set("root", 7)), HasSubstr("root"));
  EXPECT_THAT(refusal(end_of(jira_key()).set("reminder", 0)), HasSubstr("content_hash"));
  EXPECT_THAT(refusal(wait_of(jira_key()).set("content_hash", "/davit approve")), HasSubstr("content_hash"));
  EXPECT_THAT(refusal(wait_of(jira_key()).set("agent", "a\nb")), HasSubstr("name of an agent"));
  EXPECT_THAT(jira_.seen(), IsEmpty());
}

}  // namespace
