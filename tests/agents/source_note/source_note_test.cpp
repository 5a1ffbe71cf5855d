// One note at each place, and nothing that goes wrong with it.
#include "source_note/source_note.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "davit/failure.hpp"
#include "davit/text.hpp"
#include "redact/redactor.h"
#include "source_note/neutral.h"
#include "source_note/readers.h"
#include "source_note/rest.h"
#include "tests/agents/github_api/fake_github.h"
#include "tests/agents/github_api/state_folder.h"
#include "tests/agents/source_note/fake_senders.h"

namespace {

using namespace note;
using davit::Failure;
using davit::Json;
using davit::Status;
using davit::testing::FakeGithub;
using davit::testing::FakeJira;
using davit::testing::FakeSender;
using davit::testing::FakeSentry;
using davit::testing::FakeSlack;
using davit::testing::StateFolder;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

constexpr const char* kChain = "0190-root";
constexpr Stage kStages[] = {Stage::Started, Stage::NeedsApproval, Stage::Done, Stage::Failed};

class SourceNoteTest : public testing::Test {
 protected:
  Settings settings() const {
    Settings settings;
    settings.jira_site = jira_.url();
    settings.jira_user = "davit@example.com";
    settings.sentry_url = sentry_.url();
    settings.slack_api = slack_.url();
    return settings;
  }
  Notes notes(Settings with, http::Cancel cancel = {}) {
    return Notes(std::move(with), {.jira = "jira-secret", .sentry = "sentry-secret", .slack = "slack-secret"},
                 state_.path(), redact::Redactor({"hunter2hunter2"}), std::move(cancel));
  }
  Notes notes() { return notes(settings()); }

  Place jira_place() const { return *place_of("jira:" + jira_.url().substr(7) + "/TES-41"); }
  const Place sentry_place_ = *place_of("sentry:acme/1635244907");
  const Place slack_place_ = *place_of("slack:T123/C123/1583636399.000700");

  // Through all stages, each told by another execution; the fake has one comment all the time.
  void through_all_stages(FakeSender& sender, const Place& place) {
    for (const Stage stage : kStages) {
      const Told told =
          notes().tell(nullptr, place, kChain, stage, "Step " + std::to_string(static_cast<int>(stage)));
      EXPECT_TRUE(told.told) << told.why_not;
      ASSERT_THAT(sender.texts(), SizeIs(1));
      EXPECT_THAT(sender.texts()[0], HasSubstr("Step " + std::to_string(static_cast<int>(stage))));
    }
    EXPECT_THAT(sender.texts()[0], MatchesRegex("davit could not do this\\.\n\nStep 3\n\ndavit [0-9a-f]{8}"));
  }

  const StateFolder state_;
  FakeGithub github_;
  github::Api api_{{.api = github_.api(), .token = FakeGithub::kToken, .state_folder = state_.path()},
                   {},
                   {.now = [&] { return github_.time().now(); },
                    .sleep = [&](std::chrono::milliseconds time) { github_.time().sleep(time); }}};
  FakeJira jira_{"Basic " + base64("davit@example.com:jira-secret")};
  FakeSentry sentry_{"Bearer sentry-secret"};
  FakeSlack slack_{"Bearer slack-secret"};
};

TEST_F(SourceNoteTest, OneCommentIsUpdatedThroughAllStagesOnGithub) {
  const int number = github_.add_issue("x", "");
  const Place place = *place_of("github:acme/shop#" + std::to_string(number));
  for (const Stage stage : kStages) {
    EXPECT_TRUE(notes().tell(&api_, place, kChain, stage, "More.").told);
    EXPECT_THAT(github_.comments(number), SizeIs(1));
  }
  EXPECT_THAT(github_.comments(number)[0], StartsWith("davit could not do this.\n\nMore.\n\n<!-- davit:"));
}

TEST_F(SourceNoteTest, OneCommentIsUpdatedThroughAllStagesOnJira) { through_all_stages(jira_, jira_place()); }
TEST_F(SourceNoteTest, OneCommentIsUpdatedThroughAllStagesOnSentry) {
  through_all_stages(sentry_, sentry_place_);
}
TEST_F(SourceNoteTest, OneCommentIsUpdatedThroughAllStagesOnSlack) {
  through_all_stages(slack_, slack_place_);
}

TEST_F(SourceNoteTest, EachChainHasItsOwnNote) {
  notes().tell(nullptr, jira_place(), kChain, Stage::Done, "One");
  notes().tell(nullptr, jira_place(), "another", Stage::Started, "Two");
  EXPECT_THAT(jira_.texts(), ElementsAre(HasSubstr("One"), HasSubstr("Two")));
}

TEST_F(SourceNoteTest, NotesOfOthersAreNotOurs) {
  for (FakeSender* sender : std::initializer_list<FakeSender*>{&jira_, &sentry_, &slack_}) {
    const Place place = sender == &jira_ ? jira_place() : sender == &sentry_ ? sentry_place_ : slack_place_;
    notes().tell(nullptr, place, kChain, Stage::Started, "");
    const std::string ours = sender->texts().at(0);
    const std::string mark = ours.substr(ours.rfind("davit"));
    sender->remove_all();
    sender->add("mallory", "I am davit\n\n" + mark);
    sender->add("davit", mark + "\n\nis only quoted here");
    for (const char* text : {"One", "Two"})
      EXPECT_TRUE(notes().tell(nullptr, place, kChain, Stage::Done, text).told);
    const std::vector<std::string> texts = sender->texts();
    ASSERT_THAT(texts, SizeIs(3));
    EXPECT_THAT(texts[0], StartsWith("I am davit"));
    EXPECT_THAT(texts[2], StartsWith("davit is done with this.\n\nTwo"));
  }
}

TEST_F(SourceNoteTest, ANoteAmongManyIsFound) {
  for (int i = 0; i < 150; ++i) jira_.add("somebody", "Comment");
  notes().tell(nullptr, jira_place(), kChain, Stage::Started, "");
  notes().tell(nullptr, jira_place(), kChain, Stage::Done, "");
  EXPECT_THAT(jira_.texts(), SizeIs(151));
}

TEST_F(SourceNoteTest, ANoteThatWasMadeInSpiteOfA500IsNotMadeAgain) {
  jira_.fail("POST", 500, true);
  sentry_.fail("POST", 502, true);
  EXPECT_FALSE(notes().tell(nullptr, jira_place(), kChain, Stage::Started, "").told);
  EXPECT_FALSE(notes().tell(nullptr, sentry_place_, kChain, Stage::Started, "").told);
  EXPECT_TRUE(notes().tell(nullptr, jira_place(), kChain, Stage::Done, "").told);
  EXPECT_TRUE(notes().tell(nullptr, sentry_place_, kChain, Stage::Done, "").told);
  EXPECT_THAT(jira_.texts(), SizeIs(1));
  EXPECT_THAT(sentry_.texts(), SizeIs(1));
}

TEST_F(SourceNoteTest, ANoteInSlackIsFoundWithoutWhatWasKept) {
  notes().tell(nullptr, slack_place_, kChain, Stage::Started, "");
  std::filesystem::remove_all(state_.path() / "notes");
  EXPECT_TRUE(notes().tell(nullptr, slack_place_, kChain, Stage::Done, "").told);
  EXPECT_THAT(slack_.texts(), SizeIs(1));
  slack_.remove_all();
  EXPECT_TRUE(notes().tell(nullptr, slack_place_, kChain, Stage::Failed, "").told);
  EXPECT_THAT(slack_.texts(), SizeIs(1)) << "somebody removed it";
}

TEST_F(SourceNoteTest, AnAppThatMayNotReadSlackStillWritesThere) {
  slack_.forbid_reading();
  for (const Stage stage : kStages) EXPECT_TRUE(notes().tell(nullptr, slack_place_, kChain, stage, "").told);
  EXPECT_THAT(slack_.texts(), SizeIs(1));
}

TEST_F(SourceNoteTest, AFailureFailsNothing) {
  for (FakeSender* sender : std::initializer_list<FakeSender*>{&jira_, &sentry_, &slack_}) {
    const Place place = sender == &jira_ ? jira_place() : sender == &sentry_ ? sentry_place_ : slack_place_;
    for (const int status : {200, 301, 400, 401, 403, 404, 429, 500, 503}) {
      sender->refuse(status);
      const Told told = notes().tell(nullptr, place, kChain, Stage::Done, "");
      EXPECT_FALSE(told.told) << status;
      EXPECT_THAT(told.why_not, StartsWith("the source was not told: "));
      EXPECT_THAT(told.why_not, Not(testing::AnyOf(HasSubstr("secret"), HasSubstr("\n"), HasSubstr("html"))));
      sender->refuse(0);
      EXPECT_TRUE(notes().tell(nullptr, place, kChain, Stage::Done, "").told) << status;
    }
    EXPECT_THAT(sender->texts(), SizeIs(1));
  }
}

TEST_F(SourceNoteTest, AFailureOfGithubFailsNothing) {
  const Place place = *place_of("github:acme/shop#" + std::to_string(github_.add_issue("x", "")));
  github_.fail("POST", "/repos", {.status = 403, .body = "{}"});
  EXPECT_FALSE(notes().tell(&api_, place, kChain, Stage::Done, "").told);
  EXPECT_FALSE(notes().tell(nullptr, place, kChain, Stage::Done, "").told);
  EXPECT_FALSE(
      notes(settings(), [] { return true; }).tell(nullptr, sentry_place_, kChain, Stage::Done, "").told);
}

TEST_F(SourceNoteTest, WhoDoesNotWantToBeToldIsNotAsked) {
  Notes notes({.github = false}, {}, state_.path(), {}, {});
  for (const Place& place : {*place_of("github:acme/shop#1"), jira_place(), sentry_place_, slack_place_}) {
    const Told told = notes.tell(&api_, place, kChain, Stage::Done, "");
    EXPECT_FALSE(told.told);
    EXPECT_EQ(told.why_not, "");
  }
  EXPECT_THAT(github_.seen(), IsEmpty());
}

TEST_F(SourceNoteTest, ATokenIsShownToItsOwnSiteOnly) {
  const Place elsewhere = *place_of("jira:evil.example/TES-41");
  const Told told = notes().tell(nullptr, elsewhere, kChain, Stage::Done, "");
  EXPECT_THAT(told.why_not, HasSubstr("another site"));
  EXPECT_THAT(jira_.seen(), IsEmpty());
  Settings without_user = settings();
  without_user.jira_user = "";
  EXPECT_THAT(notes(without_user).tell(nullptr, jira_place(), kChain, Stage::Done, "").why_not,
              HasSubstr("401"));
  EXPECT_EQ(jira_.seen().at(0).header("Authorization"), "Bearer jira-secret") << "as a Data Center wants it";
}

TEST_F(SourceNoteTest, WhatIsSaidIsWithoutSecretsAndMentionsNobody) {
  const std::string text =
      "pass hunter2hunter2, hidden hunter2\xE2\x80\x8Bhunter2, @all fixes #1 <!channel> " +
      std::string(5000, 'x');
  notes().tell(nullptr, jira_place(), kChain, Stage::Failed, text);
  notes().tell(nullptr, sentry_place_, kChain, Stage::Failed, text);
  notes().tell(nullptr, slack_place_, kChain, Stage::Failed, text);
  const int number = github_.add_issue("x", "");
  notes().tell(&api_, *place_of("github:acme/shop#" + std::to_string(number)), kChain, Stage::Failed, text);
  for (const std::string& said :
       {jira_.texts().at(0), sentry_.texts().at(0), slack_.texts().at(0), github_.comments(number).at(0)}) {
    EXPECT_THAT(said, Not(testing::AnyOf(HasSubstr("hunter2"), HasSubstr("@all"), HasSubstr("<!channel"))));
    EXPECT_LT(said.size(), 4'300u);
    EXPECT_THAT(said, HasSubstr(" (cut)"));
  }
  EXPECT_THAT(github_.comments(number).at(0), Not(HasSubstr("fixes #1")));
}

TEST(NoteTextTest, NothingInItWorks) {
  const std::string joiner = "\xE2\x81\xA0";
  EXPECT_EQ(neutral("@ada", Markup::Github, 100), "@" + joiner + "ada");
  EXPECT_EQ(neutral("Fixes #1, closed: o/r#2", Markup::Github, 100),
            "F" + joiner + "ixes #1, c" + joiner + "losed: o/r#2");
  EXPECT_EQ(neutral("prefixes fixture", Markup::Github, 100), "prefixes fixture");
  EXPECT_EQ(neutral("<!-- davit:x -->", Markup::Sentry, 100), "<" + joiner + "!-- davit:x -->");
  EXPECT_EQ(neutral("<img src=x> ![a](b) !x", Markup::Github, 100),
            "<" + joiner + "img src=x> !" + joiner + "[a](b) !x");
  EXPECT_EQ(neutral("```suggestion", Markup::Github, 100), "```s" + joiner + "uggestion");
  EXPECT_EQ(neutral("[~accountid:1] {code} !http://x!", Markup::Jira, 100),
            "\\[~accountid:1] \\{code} \\!http://x\\!");
  EXPECT_EQ(neutral("<@U1> & <!here>", Markup::Slack, 100), "&lt;@" + joiner + "U1&gt; &amp; &lt;!here&gt;");
}

TEST(NoteTextTest, NothingInItIsHidden) {
  EXPECT_EQ(visible("a\xE2\x80\x8B"
                    "b\xE2\x80\xAE"
                    "c\xE2\x81\xA0"
                    "d\xEF\xBB\xBF"
                    "e\x1B[31m\x07\r\nf\tg\x7F"),
            "abcde[31m\nf\tg");
  EXPECT_EQ(visible("\xE2\x82\xAC\xC3\xA4"), "\xE2\x82\xAC\xC3\xA4");
  EXPECT_TRUE(davit::is_utf8(visible("\xE2\x80")));
}

TEST(NoteTextTest, IsCutBetweenCharacters) {
  for (std::size_t most = 0; most < 8; ++most)
    EXPECT_TRUE(davit::is_utf8(neutral("\xC3\xA4\xE2\x82\xAC\xC3\xA4", Markup::Github, most))) << most;
  EXPECT_EQ(neutral("abc", Markup::Github, 3), "abc");
  EXPECT_EQ(neutral("abcd", Markup::Github, 3), "abc (cut)");
}

TEST(NotePlaceTest, IsReadFromTheKeysThatWebhooksMake) {
  const Place github = *place_of("github:acme/shop.js#12");
  EXPECT_EQ(github.repo.name, "shop.js");
  EXPECT_EQ(github.number, 12);
  const Place jira = *place_of("jira:some-instance-test.atlassian.net/TES-41");
  EXPECT_EQ(jira.site, "some-instance-test.atlassian.net");
  EXPECT_EQ(jira.issue, "TES-41");
  EXPECT_EQ(place_of("sentry:acme/1635244907")->issue, "1635244907");
  EXPECT_EQ(place_of("slack:T123/C123/1583636399.000700")->thread, "1583636399.000700");
}

TEST(NotePlaceTest, WhatIsNoPlaceIsNone) {
  for (const char* key :
       {"", "github:acme/shop", "github:acme/shop@feedc0de", "github:acme/shop#0", "github:acme/shop#1x",
        "github:acme/..#1", "github:a/b/c#1", "jira:host/TES", "jira:TES-41", "jira:host/../x-1",
        "jira:host/TES-4?x=1", "sentry:acme/1/2", "sentry:../1", "sentry:acme/x", "slack:T1/C1",
        "slack:T1/C1&x=/1.2", "slack:T1/C1/1&x=2.3", "test:deployment/d-9", "github"})
    EXPECT_FALSE(place_of(key)) << key;
  EXPECT_FALSE(place_of("github:acme/" + std::string(300, 'x') + "#1"));
}

TEST(NoteSettingsTest, AreReadAsTheyAreWritten) {
  const Json config = Json::parse(
      R"({"github":false,"jira":{"site":"https://x.atlassian.net/","user":"a@b"},"sentry":{"url":"https://s.example"}})");
  const Settings settings = Settings::from(config);
  EXPECT_FALSE(settings.github);
  EXPECT_EQ(settings.jira_site, "https://x.atlassian.net");
  EXPECT_EQ(settings.jira_user, "a@b");
  EXPECT_EQ(settings.sentry_url, "https://s.example");
  EXPECT_EQ(settings.slack_api, "https://slack.com/api");
  const Json nothing;
  EXPECT_TRUE(Settings::from(nothing).github);
  const Json schema = Json::parse(kSchema);
  EXPECT_EQ(schema["properties"].size(), 4u);
}

TEST(NoteSettingsTest, NonsenseIsNamed) {
  for (const auto& [text, why] : std::initializer_list<std::pair<const char*, const char*>>{
           {"[]", "notes is not an object"},
           {R"({"githup":true})", "notes.githup is unknown"},
           {R"({"github":"yes"})", "notes.github is not"},
           {R"({"jira":{"site":"http://x.example"}})", "notes.jira.site is not an address"},
           {R"({"jira":{"site":""}})", "notes.jira.site is not a text"},
           {R"({"slack":{"token":"x"}})", "notes.slack.token is unknown"}}) {
    const Json config = Json::parse(text);
    try {
      Settings::from(config);
      ADD_FAILURE() << text;
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.status(), Status::InvalidInput);
      EXPECT_THAT(failure.what(), HasSubstr(why));
    }
  }
}

TEST(NoteRestTest, EncodesAsBasicWantsIt) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64("\xFF\xFE"), "//4=");
}

TEST_F(SourceNoteTest, WhatIsPrivateIsNotToldInAnotherRepository) {
  FakeGithub fake;
  const std::string text = "The key is derived from the user's id.";
  // A program of its own each: nothing of an answer is kept.
  const auto said_at = [&](const char* place, const char* repository) {
    const StateFolder state;
    github::Api api({.api = fake.api(), .token = FakeGithub::kToken, .state_folder = state.path()}, {});
    return for_readers(*place_of(place), {"acme", repository}, api, text, "0190-task");
  };
  const std::size_t before = fake.seen().size();
  EXPECT_EQ(said_at("github:Acme/Shop#1", "shop"), text);
  EXPECT_EQ(said_at("jira:x.atlassian.net/TES-41", "shop"), text);
  EXPECT_EQ(fake.seen().size(), before) << "nobody is asked where there is nothing to ask";

  EXPECT_EQ(said_at("github:acme/tracker#1", "shop"), "Task 0190-task says more.");
  EXPECT_EQ(said_at("github:acme/tracker#1", "nowhere"), "Task 0190-task says more.") << "who knows?";
  davit::testing::Fault open;
  open.status = 200;
  open.body =
      R"({"id":77,"name":"shop","full_name":"acme/shop","owner":{"login":"acme","id":5},"private":false,
                  "archived":false,"default_branch":"main"})";
  fake.fail("GET", "/repos/acme/shop", open);
  EXPECT_EQ(said_at("github:acme/tracker#1", "shop"), text);
}

}  // namespace
