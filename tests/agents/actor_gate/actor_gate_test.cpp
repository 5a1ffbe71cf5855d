// Who may start work: a table of decisions, and what a table cannot say.
#include "actor_gate/actor_gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "davit/failure.hpp"
#include "tests/agents/github_api/fake_github.h"
#include "tests/agents/github_api/state_folder.h"

namespace {

using namespace gate;
using davit::Failure;
using davit::Json;
using davit::Status;
using davit::testing::FakeGithub;
using davit::testing::Fault;
using davit::testing::StateFolder;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// The cast, by their ids on GitHub.
constexpr std::int64_t kAnn = 11, kListedHuman = 12, kWriter = 13, kReader = 14, kBot = 50, kListedBot = 51,
                       kSecretBot = 52, kSecretListed = 53, kNamesake = 66, kGone = 70, kAuthor = 99;

Settings settings() {
  const Json config =
      Json::object({{"bots", Json::array({kListedBot, kSecretListed, kListedHuman})},
                    {"people", Json::object({{"jira", Json::object({{"acc-mapped", kAnn},
                                                                    {"acc-13", kWriter},
                                                                    {"acc-bot", kBot},
                                                                    {"acc-listed", kListedBot},
                                                                    {"acc-gone", kGone}})},
                                             {"slack-eu", Json::object({{"acc-mapped", kAnn}})}})},
                    {"trust", Json::array({"sentry", "cli", "api", "jira-open"})}});
  return Settings::from(config);
}

struct Row {
  int line = 0;
  std::string event, webhook, claim, actor, permission, approver, changed, fork, lookup, answer, rule;
};

std::vector<Row> rows() {
  std::vector<Row> rows;
  std::ifstream file(DAVIT_SOURCE_DIR "/tests/agents/actor_gate/decisions.txt");
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    if (line.empty() || line[0] == '#') continue;
    Row row{.line = number};
    std::istringstream words(line);
    words >> row.event >> row.webhook >> row.claim >> row.actor >> row.permission >> row.approver >>
        row.changed >> row.fork >> row.lookup >> row.answer >> row.rule;
    EXPECT_TRUE(words) << "line " << number << " has too few words";
    rows.push_back(row);
  }
  return rows;
}

// One line of the table, made true.
class Scene {
 public:
  explicit Scene(const Row& row) : row_(row) {
    fake_.permit(kWriter, "write");
    fake_.permit(kReader, "read");
    for (const std::int64_t bot : {kBot, kListedBot, kSecretBot, kSecretListed}) fake_.make_bot(bot);
    fake_.remove_person(kGone);
    cast();
    break_lookups();
  }

  Question question() const {
    const Json who = actor(), what = payload();
    Question question{.repo = {"acme", row_.lookup == "hidden" ? "hidden" : "shop"},
                      .actor = actor_of(row_.webhook, who, what),
                      .changed = row_.changed == "yes",
                      .fork = row_.fork == "yes"};
    if (row_.approver != "-") question.approver = approver();
    return question;
  }
  github::Api api() {
    return github::Api({.api = fake_.api(), .token = FakeGithub::kToken, .state_folder = state_.path()}, {},
                       {.now = [&] { return fake_.time().now(); },
                        .sleep = [&](std::chrono::milliseconds time) { fake_.time().sleep(time); }});
  }

 private:
  void permit(std::int64_t id) {
    id_ = std::to_string(id);
    login_ = "user-" + id_;
    // GitHub maps the two steps between to one of its four.
    const std::string step = row_.permission == "maintain" ? "write"
                             : row_.permission == "triage" ? "read"
                                                           : row_.permission;
    if (step != "-") fake_.permit(id, step, row_.permission);
  }

  void cast() {
    const std::string& who = row_.actor;
    if (who == "ann" || who == "liar") permit(kAnn);
    if (who == "author") permit(kAuthor);
    if (who == "renamed") permit(kAnn), fake_.rename(kAnn, "ann");
    if (who == "namesake") {
      permit(kNamesake);
      fake_.permit(kAnn, "admin");
      fake_.rename(kAnn, "ann");
      fake_.rename(kNamesake, "user-11");
      login_ = "user-11";
    }
    if (who == "replaced") {  // what she was called is an administrator's name by now
      permit(kAnn);
      fake_.permit(kNamesake, "admin");
      fake_.rename(kAnn, "ann");
      fake_.rename(kNamesake, "user-11");
    }
    if (who == "gone") permit(kGone);
    if (who == "no-id") permit(kAnn), id_ = "";
    if (who == "odd-id") permit(kAnn), id_ = "011";
    if (who == "two-ids") permit(kAnn), sender_id_ = "99";
    if (who == "no-login") permit(kAnn), login_ = "";
    if (who == "bot") permit(kBot), type_ = "Bot";
    if (who == "listed-bot") permit(kListedBot), type_ = "Bot";
    if (who == "secret-bot") permit(kSecretBot);
    if (who == "secret-listed") permit(kSecretListed);
    if (who == "listed-human") permit(kListedHuman);
    if (who == "suffix") permit(kAnn), login_ = "ann[bot]";
    if (who == "mapped") permit(kAnn), id_ = "acc-mapped", login_ = "";
    if (who == "mapped-bot") permit(kBot), id_ = "acc-bot", login_ = "";
    if (who == "mapped-listed") permit(kListedBot), id_ = "acc-listed", login_ = "";
    if (who == "mapped-gone") permit(kGone), id_ = "acc-gone", login_ = "";
    if (who == "unmapped") id_ = "acc-unmapped";
    if (who == "somebody") id_ = "u-17";
    ASSERT_TRUE(!id_.empty() || who == "no-id") << "line " << row_.line << ": nobody plays " << who;
  }

  void break_lookups() {
    const std::string permissions = "/repos/acme/shop/collaborators/";
    const auto always = [&](const std::string& target, Fault fault) { fake_.fail("GET", target, fault, 9); };
    const std::string& how = row_.lookup;
    if (how == "500") always(permissions, {.status = 500});
    if (how == "reset") always(permissions, {.kind = Fault::Kind::Reset});
    if (how == "html") always(permissions, {.status = 200, .body = "<html>"});
    if (how == "cut") always(permissions, {.kind = Fault::Kind::NotJson});
    if (how == "401") always(permissions, {.status = 401, .body = "{}"});
    if (how == "403") always(permissions, {.status = 403, .body = "{\"message\":\"Must have push access\"}"});
    if (how == "limit") always(permissions, {.status = 429, .head = "Retry-After: 900\r\n"});
    if (how == "another") {
      always(permissions,
             {.status = 200, .body = R"({"permission":"admin","user":{"id":66,"login":"user-11"}})"});
    }
    if (how == "empty") {
      always(permissions, {.status = 200, .body = R"({"user":{"id":11,"login":"user-11","type":"User"}})"});
    }
    if (how == "no-people") always("/user/", {.status = 500});
  }

  Json actor() const { return Json::object({{"id", id_}, {"login", login_}, {"role", row_.claim}}); }

  Json payload() const {
    std::string source = row_.webhook.substr(0, row_.webhook.find('-'));
    if (row_.actor == "liar") source = "github";
    Json payload = Json::object({{"source", source}, {"event", "issues"}, {"action", row_.event}});
    const std::string author = std::to_string(kAuthor);
    Json issue = Json::object(
        {{"author", Json::object({{"id", author}, {"login", "user-" + author}, {"type", "User"}})}});
    if (row_.claim != "-") issue.set("author_association", row_.claim);
    payload.set("issue", std::move(issue));
    if (source == "github") {
      payload.set(
          "sender",
          Json::object({{"id", sender_id_.empty() ? id_ : sender_id_}, {"login", login_}, {"type", type_}}));
    }
    return payload;
  }

  Actor approver() const {
    const auto on_github = [](std::int64_t id) {
      return Actor{.source = "github", .webhook = "github", .id = std::to_string(id)};
    };
    if (row_.approver == "write") return on_github(kWriter);
    if (row_.approver == "read") return on_github(kReader);
    if (row_.approver == "listed-bot") return on_github(kListedBot);
    if (row_.approver == "gone") return on_github(kGone);
    if (row_.approver == "bot") return on_github(kBot);
    if (row_.approver == "jira-mapped") return {.source = "jira", .webhook = "jira", .id = "acc-13"};
    if (row_.approver == "jira-unmapped") return {.source = "jira", .webhook = "jira", .id = "acc-99"};
    return {.source = row_.approver, .webhook = row_.approver, .id = ""};
  }

  const Row& row_;
  const StateFolder state_;
  FakeGithub fake_;
  std::string id_, login_, sender_id_, type_ = "User";
};

TEST(ActorGateTest, EqualsTheTable) {
  const std::vector<Row> table = rows();
  ASSERT_GE(table.size(), 80u);
  for (const Row& row : table) {
    SCOPED_TRACE("decisions.txt:" + std::to_string(row.line));
    Scene scene(row);
    Gate gate(settings());
    github::Api api = scene.api();
    std::string answer, rule;
    try {
      const Answer given = gate.may_start(api, scene.question());
      answer = given.yes ? "yes" : "no";
      rule = given.rule;
      EXPECT_NE(given.why, "");
    } catch (const Failure& failure) {
      answer = "fails";
      rule = failure.status() == Status::Retryable     ? "retryable"
             : failure.status() == Status::RateLimited ? "rate_limited"
                                                       : "other";
    }
    EXPECT_EQ(answer, row.answer);
    EXPECT_EQ(rule, row.rule);
  }
}

class GateTest : public testing::Test {
 protected:
  GateTest() { fake_.permit(kAnn, "write"); }

  Question ann() const {
    return {.repo = {"acme", "shop"},
            .actor = {.source = "github", .webhook = "github", .id = "11", .login = "user-11"}};
  }
  Gate gate(Settings with = settings()) {
    return Gate(std::move(with), [&] { return now_; });
  }

  std::chrono::steady_clock::time_point now_{};
  const StateFolder state_;
  FakeGithub fake_;
  github::Api api_{{.api = fake_.api(), .token = FakeGithub::kToken, .state_folder = state_.path()},
                   {},
                   {.now = [&] { return fake_.time().now(); },
                    .sleep = [&](std::chrono::milliseconds time) { fake_.time().sleep(time); }}};
};

TEST_F(GateTest, AYesIsKeptForAMinute) {
  Gate gate = this->gate();
  EXPECT_TRUE(gate.may_start(api_, ann()).yes);
  fake_.permit(kAnn, "read");
  now_ += seconds(59);
  Question again = ann();
  again.repo = {"Acme", "Shop"};
  EXPECT_TRUE(gate.may_start(api_, again).yes);
  EXPECT_THAT(fake_.seen(), SizeIs(1));
  now_ += seconds(1);
  EXPECT_FALSE(gate.may_start(api_, ann()).yes);
}

TEST_F(GateTest, ANoIsNotKept) {
  Gate gate = this->gate();
  fake_.permit(kAnn, "read");
  EXPECT_FALSE(gate.may_start(api_, ann()).yes);
  fake_.permit(kAnn, "write");
  EXPECT_TRUE(gate.may_start(api_, ann()).yes);
}

TEST_F(GateTest, AYesIsForOnePersonInOneRepository) {
  Gate gate = this->gate();
  EXPECT_TRUE(gate.may_start(api_, ann()).yes);
  Question other = ann();
  other.actor.id = "12";
  other.actor.login = "user-12";
  EXPECT_FALSE(gate.may_start(api_, other).yes);
  Question elsewhere = ann();
  elsewhere.repo.name = "hidden";
  EXPECT_THROW(gate.may_start(api_, elsewhere), Failure);
}

TEST_F(GateTest, AFailureIsToldWithItsReason) {
  fake_.fail("GET", "/repos/acme/shop/collaborators/",
             {.status = 403, .body = "{\"message\":\"Must have push access\"}"});
  try {
    gate().may_start(api_, ann());
    ADD_FAILURE() << "nothing failed";
  } catch (const Failure& failure) {
    EXPECT_THAT(failure.what(),
                HasSubstr("whether the person with id 11 may start work in acme/shop cannot be found out: "));
    EXPECT_THAT(failure.what(), HasSubstr("Must have push access"));
  }
  EXPECT_TRUE(gate().may_start(api_, ann()).yes) << "a failure is not kept";
}

TEST_F(GateTest, CancelIsNoFailureToTryAgain) {
  github::Api cancelled({.api = fake_.api(), .token = FakeGithub::kToken, .state_folder = state_.path()},
                        [] { return true; });
  try {
    gate().may_start(cancelled, ann());
    ADD_FAILURE() << "nothing failed";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.status(), Status::Cancelled);
  }
}

TEST_F(GateTest, WhatIsNotAskedForIsNotAsked) {
  Question fork = ann();
  fork.fork = true;
  EXPECT_FALSE(gate().may_start(api_, fork).yes);
  Question sentry{.repo = {"acme", "shop"}, .actor = {.source = "sentry", .webhook = "sentry", .id = "x"}};
  EXPECT_TRUE(gate().may_start(api_, sentry).yes);
  EXPECT_THAT(fake_.seen(), IsEmpty());
}

TEST_F(GateTest, ByDefaultOnlyTheirOwnRulesAreTrusted) {
  const auto answer = [&](const std::string& webhook) {
    return gate(Settings{})
        .may_start(api_,
                   {.repo = {"acme", "shop"}, .actor = {.source = webhook, .webhook = webhook, .id = "x"}});
  };
  for (const char* webhook : {"sentry", "cli", "api"}) EXPECT_TRUE(answer(webhook).yes) << webhook;
  for (const char* webhook : {"jira", "slack", "standard", "chain", "", "github"})
    EXPECT_FALSE(answer(webhook).yes) << webhook;
}

TEST_F(GateTest, WhatIsMadeByHandCannotPassForGithubs) {
  const Json actor = Json::object({{"id", "11"}, {"login", "user-11"}});
  const Json payload = Json::object({{"source", "github"}, {"sender", Json::object({{"id", "11"}})}});
  Settings nobody;
  nobody.trust.clear();
  for (const char* webhook : {"cli", "api"}) {
    const Answer answer =
        gate(nobody).may_start(api_, {.repo = {"acme", "shop"}, .actor = actor_of(webhook, actor, payload)});
    EXPECT_FALSE(answer.yes);
    EXPECT_EQ(answer.rule, "stranger");
  }
}

TEST_F(GateTest, GithubIsAskedEvenWhereItIsTrusted) {
  Settings trusting = settings();
  trusting.trust.insert("github");
  fake_.permit(kAnn, "read");
  EXPECT_FALSE(gate(trusting).may_start(api_, ann()).yes);
}

TEST_F(GateTest, ASentenceIsOneLineWhoeverWroteTheName) {
  Question odd{.repo = {"acme", "shop"},
               .actor = {.source = "jira", .webhook = "jira", .id = "a\nb\x1b[31m" + std::string(500, 'x')}};
  const Answer answer = gate().may_start(api_, odd);
  EXPECT_THAT(answer.why, testing::Not(testing::AnyOf(HasSubstr("\n"), HasSubstr("\x1b"))));
  EXPECT_LT(answer.why.size(), 300u);
}

TEST(GateSettingsTest, AreReadAsTheyAreWritten) {
  const Json config = Json::parse(R"({"bots":[49699333],"people":{"jira":{"5c5f":11}},"trust":[]})");
  const Settings settings = Settings::from(config);
  EXPECT_TRUE(settings.bots.contains(49699333));
  EXPECT_EQ(settings.people.at("jira").at("5c5f"), 11);
  EXPECT_TRUE(settings.trust.empty());
  const Json nothing;
  EXPECT_EQ(Settings::from(nothing).trust.size(), 3u);
}

TEST(GateSettingsTest, NonsenseIsNamed) {
  const auto why = [](const char* text) -> std::string {
    const Json config = Json::parse(text);
    try {
      Settings::from(config);
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.status(), Status::InvalidInput);
      return failure.what();
    }
    return "";
  };
  EXPECT_THAT(why("[]"), HasSubstr("gate is not an object"));
  EXPECT_THAT(why(R"({"bots":["renovate[bot]"]})"), HasSubstr("gate.bots holds something that is no id"));
  EXPECT_THAT(why(R"({"bots":7})"), HasSubstr("gate.bots is not a list"));
  EXPECT_THAT(why(R"({"people":{"jira":7}})"), HasSubstr("gate.people.jira is not"));
  EXPECT_THAT(why(R"({"people":{"jira":{"x":"ann"}}})"), HasSubstr("gate.people.jira holds"));
  EXPECT_THAT(why(R"({"trust":[""]})"), HasSubstr("gate.trust holds"));
  EXPECT_THAT(why(R"({"trust":"all"})"), HasSubstr("gate.trust is not"));
  EXPECT_THAT(why(R"({"bot":[1]})"), HasSubstr("gate.bot is unknown"));
}

TEST(GateSettingsTest, TheSchemaNamesEveryKey) {
  const Json schema = Json::parse(kSchema);
  for (const char* key : {"bots", "people", "trust"})
    EXPECT_NE(schema["properties"][key]["description"].string_or(""), "") << key;
  EXPECT_EQ(schema["properties"].size(), 3u);
}

TEST(ActorGateTest, WhoDecidedIsSomebodyOfTheWebhookItCameBy) {
  const Actor asked_by{.source = "github", .webhook = "gh-eu", .id = "11"};
  Actor actor = actor_of({"gh-eu:ann", "12", "gh-eu comment"}, asked_by);
  EXPECT_EQ(actor.source, "github");
  EXPECT_EQ(actor.webhook, "gh-eu");
  EXPECT_EQ(actor.id, "12");
  EXPECT_EQ(actor.login, "ann");
  actor = actor_of({"slack:U1", "U1", "slack button"}, asked_by);
  EXPECT_EQ(actor.source, "slack");
  EXPECT_EQ(actor.login, "U1");
  actor = actor_of({"admin", "", "cli"}, {.source = "github", .webhook = "cli", .id = ""});
  EXPECT_EQ(actor.source, "cli") << "whatever a payload that was written by hand says";
  EXPECT_EQ(actor.login, "");
  actor = actor_of({"gh-us:ann", "12", "gh-us"}, asked_by);
  EXPECT_EQ(actor.source, "gh-us") << "nobody knows what kind of webhook that is";
}

TEST(ActorGateTest, WhoRejectsMustBeAllowedAsWhoApproves) {
  FakeGithub fake;
  const StateFolder state;
  fake.permit(11, "write");
  fake.permit(kWriter, "write");
  fake.permit(kReader, "read");
  github::Api api({.api = fake.api(), .token = FakeGithub::kToken, .state_folder = state.path()}, {});
  Gate gate{Settings()};
  Question question{.repo = {"acme", "shop"}, .actor = {.source = "github", .webhook = "github", .id = "11"}};
  question.rejecter = Actor{.source = "github", .webhook = "github", .id = std::to_string(kWriter)};
  EXPECT_TRUE(gate.may_start(api, question).yes);
  question.rejecter->id = std::to_string(kReader);
  const Answer answer = gate.may_start(api, question);
  EXPECT_FALSE(answer.yes);
  EXPECT_EQ(answer.rule, "rejecter");
  EXPECT_THAT(answer.why, HasSubstr("the rejection does not count"));
  question.rejecter = Actor{};
  EXPECT_FALSE(gate.may_start(api, question).yes) << "whom an older davit did not name";
}

TEST(ActorGateTest, AnotherGithubServersIdsAreOtherPeoples) {
  FakeGithub fake;
  const StateFolder state;
  fake.permit(11, "write");
  github::Api api({.api = fake.api(), .token = FakeGithub::kToken, .state_folder = state.path()}, {});
  Settings settings;
  settings.server = "github.com";
  settings.bots = {11};
  Gate gate(settings);
  const auto answer = [&](const std::string& url, const char* login = "user-11") {
    const Json payload = Json::object({{"source", "github"}, {"repository", Json::object({{"url", url}})}});
    const Json actor = Json::object({{"id", "11"}, {"login", login}});
    return gate.may_start(api, {.repo = {"acme", "shop"}, .actor = actor_of("ghe", actor, payload)});
  };
  EXPECT_TRUE(answer("https://GitHub.com/acme/shop").yes);
  const std::size_t asked = fake.seen().size();
  for (const char* url : {"https://ghe.evil.example/acme/shop", "https://github.com.evil.example/acme/shop",
                          "https://github.com@evil.example/acme/shop", "https://github.com:8443/acme/shop",
                          "https://evil.example?github.com/", "github.com/acme/shop", ""}) {
    EXPECT_EQ(answer(url).rule, "server") << url;
    EXPECT_EQ(answer(url, "ci[bot]").rule, "server") << url << ": nor are the ids of bots";
  }
  EXPECT_EQ(fake.seen().size(), asked) << "and nobody is looked up";

  // Who decides by the same webhook is of the same server.
  const Actor theirs{.source = "github", .webhook = "ghe", .id = "11", .server = "ghe.evil.example"};
  EXPECT_EQ(actor_of({"ghe:mallory", "11", "ghe comment"}, theirs).server, "ghe.evil.example");
}

}  // namespace
