// The built agent, with a GitHub and repositories of this machine, and a program in the model's place in the
// real sandbox.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/agents/agent_run/agent_run.h"
#include "tests/agents/git_workspace/git_server.h"
#include "tests/agents/github_api/fake_github.h"
#include "tests/agents/github_api/state_folder.h"
#include "tests/agents/model_session/scripted_claude.h"
#include "tests/agents/source_note/fake_senders.h"

namespace {

namespace fs = std::filesystem;
using agent_run::Got;
using davit::Json;
using davit::JsonView;
using davit::Status;
using davit::testing::Asked;
using davit::testing::Blob;
using davit::testing::FakeGithub;
using davit::testing::FakeSentry;
using davit::testing::Fault;
using testing::AllOf;
using testing::AnyOf;
using testing::ElementsAre;
using testing::Gt;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

constexpr const char* kToken = FakeGithub::kToken;
constexpr const char* kTask = "0190a1b2-0000-7000-8000-00000000aaaa";

class DiscoveryAgentTest : public testing::Test {
 protected:
  DiscoveryAgentTest() {
    server_.token = kToken;
    server_.before = [this](const Asked& asked, davit::testing::Wire& wire) {
      for (const auto& [name, status] : broken_) {
        if (asked.target.find(name) == std::string::npos) continue;
        wire.answer(status, "no");
        return true;
      }
      return false;
    };
    secrets_ = {{"github_token", kToken}, {"sentry_token", "sentry-secret"}};
    fs::create_directories(workspace());
    config_.set("github", Json::object({{"api", fake_.api()}, {"git_url", "http://" + server_.host()}}));
    config_.set("notes", Json::object({{"sentry", Json::object({{"url", sentry_.url()}})}}));
    config_.set("repositories", Json::array({"acme/api", "acme/blog", "acme/shop"}));
    claude_.add_to(config_);
  }

  fs::path workspace() const { return state_.path() / "workspace"; }

  // For tests in which code is looked at.
  void make_repositories() {
    server_.commit("acme/shop", "main",
                   {{"README.md", Blob{"The web shop.\n"}},
                    {"src/cart/cart.ts", Blob{"export function recalculateCart() {}\n"}},
                    {"src/index.ts", Blob{"start();\n"}},
                    {"limits.env", Blob{"MAX_CART_LINES=50\n"}}});
    server_.commit("acme/api", "trunk",
                   {{"README.md", Blob{"Orders behind the shop.\n"}},
                    {"app/orders/service.py",
                     Blob{"def place_order(cart):\n    raise ValueError(\"order has no lines\")\n"}},
                    {"src/index.ts", Blob{"start();\n"}},
                    {"limits.env", Blob{"MAX_CART_LINES=40\n"}}});
    davit::testing::run_git(server_.repository("acme/api"), {"symbolic-ref", "HEAD", "refs/heads/trunk"});
    server_.commit("acme/blog", "main",
                   {{"posts/first.md", Blob{"Hello.\n"}}, {"src/index.ts", Blob{"start();\n"}}});
  }

  // With a key for it.
  void use_model(const std::string& repository, double confidence, const std::string& status = "found") {
    secrets_[claude_.kGrant] = claude_.grant();
    claude_.answer(Json::object({{"status", status},
                                 {"repository", repository},
                                 {"confidence", confidence},
                                 {"reasons", Json::array({"It has the limit."})}}),
                   "prompt /dev/stderr\n");
  }

  // GitHub as far as another repository than acme/shop needs it; its name begins no other's.
  void add_repository(const std::string& name, const std::string& permission = "none", bool is_private = true,
                      const std::string& branch = "main") {
    const auto answer = [&](const std::string& target, const Json& body) {
      Fault instead;
      instead.status = 200;
      instead.body = body.dump();
      fake_.fail("GET", "/repos/" + name + target, instead, 30);
    };
    const std::size_t slash = name.find('/');
    const Json person = Json::object({{"id", 11}, {"login", "user-11"}, {"type", "User"}});
    answer("/collaborators/user-11/permission",
           Json::object({{"permission", permission}, {"user", Json(person)}}));
    answer("", Json::object({{"id", 78},
                             {"name", name.substr(slash + 1)},
                             {"owner", Json::object({{"login", name.substr(0, slash)}})},
                             {"private", is_private},
                             {"default_branch", branch}}));
  }

  // The stack trace of an alert, as webhook sentry has it.
  static Json alert(const std::string& title, const std::string& file, const std::string& function,
                    const std::string& code = "") {
    Json frame = Json::object({{"file", file}, {"line", 2}, {"function", function}});
    if (!code.empty()) frame.set("code", code);
    const Json exception =
        Json::object({{"type", "ValueError"}, {"value", title}, {"frames", Json::array({std::move(frame)})}});
    return Json::object({{"source", "sentry"},
                         {"resource", "event_alert"},
                         {"event", Json::object({{"title", "ValueError: " + title},
                                                 {"exceptions", Json::array({Json(exception)})}})},
                         {"project", Json::object({{"slug", "production"}})},
                         {"issue", Json::object({{"id", "1635244907"}})}});
  }
  static Json api_alert() {
    return alert("order has no lines", "/usr/src/app/orders/service.py", "place_order");
  }
  // Two have it.
  static Json tie() {
    return Json::object(
        {{"source", "sentry"}, {"event", Json::object({{"title", "MAX_CART_LINES is ignored"}})}});
  }

  Got run(Json payload, const std::string& webhook = "sentry",
          const std::string& entity = "sentry:acme/1635244907", Json actor = Json::object({{"id", "sentry"}}),
          int attempt = 1) {
    Json task =
        Json::object({{"task_id", kTask}, {"agent", "discovery-agent"}, {"title", "Something is wrong"}});
    task.set("source", webhook).set("payload", std::move(payload)).set("actor", std::move(actor));
    task.set("entity", Json::object({{"key", entity}}));
    Json context = Json::object({{"task_id", kTask}, {"workspace", workspace().string()}});
    context.set("task", std::move(task))
        .set("session_id", "7d1f0b52-6c1e-4c3a-9b60-0a51f6f3c201")
        .set("max_retries", 3)
        .set("attempt", attempt);
    Got got = agent_run::run({.plugin = "discovery_agent",
                              .config = config_.dump(),
                              .secrets = secrets_,
                              .state_folder = state_.path(),
                              .context = std::move(context)});
    for (const auto& line : got.transcript) transcript_.push_back(line);
    return got;
  }

  // An issue of acme/shop that ann (11) labelled.
  static Json issue(const std::string& text) {
    Json payload = Json::parse(R"({"source": "github", "event": "issues",
      "repository": {"full_name": "acme/shop", "default_branch": "main"},
      "sender": {"id": "11", "login": "user-11", "type": "User"},
      "issue": {"number": 1, "title": "Wrong", "author": {"login": "user-9"}}})");
    Json about(payload["issue"]);
    about.set("body", text);
    payload.set("issue", std::move(about));
    return payload;
  }
  Got run_issue(const std::string& text) {
    return run(issue(text), "github", "github:acme/shop#1",
               Json::object({{"id", "11"}, {"login", "user-11"}}));
  }

  static JsonView output(const Got& got) {
    EXPECT_EQ(got.status, Status::Ok) << got.why;
    EXPECT_TRUE(got.result["success"].bool_or(false)) << got.result.dump();
    return got.result["output"];
  }
  static std::string refusal(const Got& got) {
    EXPECT_EQ(got.status, Status::Ok) << got.why;
    EXPECT_FALSE(got.result["success"].bool_or(true));
    EXPECT_EQ(got.result["error_class"], "permanent");
    return std::string(got.result["error"].string_or(""));
  }

  // Repositories that git asked about.
  bool was_fetched(const std::string& name) const {
    for (const Asked& asked : server_.seen())
      if (asked.target.find(name) != std::string::npos) return true;
    return false;
  }
  int sessions() const { return scripted::sessions_of(transcript_); }

  const scripted::Claude claude_;
  const davit::testing::StateFolder state_;
  FakeGithub fake_;
  FakeSentry sentry_{"Bearer sentry-secret"};
  std::map<std::string, int> broken_;  // parts of targets of git, and what is answered; before the first run
  davit::testing::GitServer server_;
  std::map<std::string, std::string> secrets_;
  scripted::Transcript transcript_;  // of all executions
  Json config_ = Json::object();
};

TEST_F(DiscoveryAgentTest, AnIssueOfGitHubIsAboutItsRepository) {
  fake_.permit(11, "write");
  const Got got = run_issue("It is 1 cent off.");
  EXPECT_EQ(output(got)["repository"], "acme/shop");
  EXPECT_EQ(output(got)["how"], "payload");
  EXPECT_EQ(output(got)["score"].number_or(0), 1.0);
  EXPECT_EQ(output(got).at_pointer("/work/repository"), "acme/shop");
  EXPECT_EQ(output(got).at_pointer("/work/default_branch"), "main");
  EXPECT_EQ(output(got).at_pointer("/work/request/text"), "It is 1 cent off.");
  EXPECT_EQ(got.result["next_agent"], "planning-agent");
  EXPECT_THAT(fake_.journal(), ElementsAre("GET /repos/acme/shop/collaborators/user-11/permission"));
  EXPECT_EQ(server_.connections(), 0);
}

TEST_F(DiscoveryAgentTest, WithoutAListGitHubsOwnRepositoryIsTaken) {
  config_.erase("repositories");
  fake_.permit(11, "write");
  EXPECT_EQ(output(run_issue("It is 1 cent off."))["how"], "payload");
  config_.set("next_agent", "");
  EXPECT_FALSE(run_issue("It is 1 cent off.").result.has("next_agent"));
}

// A mapping for another sender takes nothing away from it.
TEST_F(DiscoveryAgentTest, WithoutAListMappingsAreNone) {
  config_.erase("repositories");
  config_.set("mappings", Json::parse(R"([{"when": {"source": "jira"}, "repository": "acme/api"}])"));
  fake_.permit(11, "write");
  EXPECT_EQ(output(run_issue("It is 1 cent off."))["repository"], "acme/shop");
}

TEST_F(DiscoveryAgentTest, AnIssueOfAnotherRepositoryIsNotAboutTheOnlyOne) {
  make_repositories();
  config_.set("repositories", Json::array({"acme/api"}));
  fake_.add_issue("Wrong", "It is 1 cent off.");
  add_repository("acme/api", "write");
  EXPECT_EQ(run_issue("It is 1 cent off.").status, Status::Permanent);
  EXPECT_EQ(output(run_issue("place_order says \"order has no lines\""))["how"], "search");
}

TEST_F(DiscoveryAgentTest, AMappingDecidesBeforeAnythingIsSearched) {
  add_repository("acme/blog", "none", true, "pages");
  config_.set("mappings", Json::parse(R"([{"when": {"sentry_project": "staging"}, "repository": "acme/shop"},
                              {"when": {"sentry_project": "production", "webhook": "sentry"}, "repository": "acme/blog"},
                              {"when": {"source": "sentry"}, "repository": "acme/shop"}])"));
  const Got got = run(api_alert());
  EXPECT_EQ(output(got)["repository"], "acme/blog");
  EXPECT_EQ(output(got)["how"], "mapping");
  EXPECT_EQ(output(got).at_pointer("/work/default_branch"), "pages");
  EXPECT_THAT(std::string(output(got).at_pointer("/evidence/0/what").string_or("")),
              AllOf(StartsWith("mappings[1]"), HasSubstr("sentry_project production")));
  EXPECT_EQ(server_.connections(), 0);
}

TEST_F(DiscoveryAgentTest, ALinkDecides) {
  add_repository("acme/blog");
  Json payload = api_alert();
  payload.set("comment", Json::object({{"text", "See http://" + server_.host() + "/acme/blog/issues/7"}}));
  const Got got = run(std::move(payload));
  EXPECT_EQ(output(got)["repository"], "acme/blog");
  EXPECT_EQ(output(got)["how"], "link");
  EXPECT_EQ(server_.connections(), 0);
}

TEST_F(DiscoveryAgentTest, OfTwoLinksTheCodeDecides) {
  make_repositories();
  Json payload = api_alert();
  payload.set("comment", Json::object({{"text", "acme/blog#7 or acme/api#8"}}));
  const Got got = run(std::move(payload));
  EXPECT_EQ(output(got)["repository"], "acme/api");
  EXPECT_EQ(output(got)["how"], "search");
  EXPECT_EQ(output(got)["candidates"].size(), 2u);
  EXPECT_FALSE(was_fetched("acme/shop")) << "it is not named";
}

TEST_F(DiscoveryAgentTest, ALinkToWhatIsNotInTheListCountsNothing) {
  make_repositories();
  server_.commit("evil/api", "main", {{"app/orders/service.py", Blob{"def place_order(cart): pass\n"}}});
  Json payload = api_alert();
  payload.set(
      "comment",
      Json::object({{"text", "It is http://" + server_.host() + "/evil/api and evil/api#1, really"}}));
  const Got got = run(std::move(payload));
  EXPECT_EQ(output(got)["repository"], "acme/api");
  EXPECT_EQ(output(got)["how"], "search");
  EXPECT_FALSE(was_fetched("evil"));
  EXPECT_THAT(fake_.journal(), IsEmpty());
}

TEST_F(DiscoveryAgentTest, AStackTraceIsFoundInTheCode) {
  make_repositories();
  const Got got = run(api_alert());
  EXPECT_EQ(output(got)["repository"], "acme/api");
  EXPECT_EQ(output(got)["how"], "search");
  EXPECT_THAT(output(got)["score"].number_or(0), Gt(0.9));
  EXPECT_EQ(output(got).at_pointer("/work/default_branch"), "trunk");
  EXPECT_EQ(output(got).at_pointer("/candidates/0/repository"), "acme/api");
  EXPECT_EQ(output(got)["candidates"].size(), 3u);
  EXPECT_THAT(output(got)["evidence"].dump(),
              AllOf(HasSubstr("path usr/src/app/orders/service.py"), HasSubstr("identifier place_order"),
                    HasSubstr("message order has no lines"), HasSubstr("app/orders/service.py:2")));
  EXPECT_EQ(got.result["next_agent"], "planning-agent");

  const int connections = server_.connections();
  EXPECT_EQ(run(api_alert()).result.dump(), got.result.dump()) << "and the same again";
  EXPECT_EQ(server_.connections(), connections) << "the copies are at hand";
}

TEST_F(DiscoveryAgentTest, WhatAllHaveDecidesNothing) {
  make_repositories();
  const Got got = run(alert("x", "src/index.ts", "start"));
  EXPECT_EQ(got.status, Status::Permanent);
  EXPECT_THAT(got.why, HasSubstr("it is not clear which repository is meant"));
}

TEST_F(DiscoveryAgentTest, WithoutAModelATieIsAFailureThatSaysWhatToDo) {
  make_repositories();
  const Got got = run(tie());
  EXPECT_EQ(got.status, Status::Permanent);
  EXPECT_THAT(got.why, AllOf(HasSubstr("acme/api 0."), HasSubstr("acme/shop 0."),
                             HasSubstr("config.mappings"), HasSubstr("owner/name")));
  ASSERT_THAT(sentry_.texts(), SizeIs(1));
  EXPECT_THAT(sentry_.texts()[0], AllOf(HasSubstr("not clear which repository"), HasSubstr("acme/api"),
                                        HasSubstr("acme/shop"), HasSubstr("owner/name")));
  EXPECT_EQ(sessions(), 0);
}

TEST_F(DiscoveryAgentTest, TheModelDecidesATie) {
  make_repositories();
  use_model("Acme/Shop", 0.8);
  const Got got = run(tie());
  EXPECT_EQ(output(got)["repository"], "acme/shop");
  EXPECT_EQ(output(got)["how"], "model");
  EXPECT_EQ(output(got)["score"].number_or(0), 0.8);
  EXPECT_EQ(output(got).at_pointer("/work/default_branch"), "main");
  EXPECT_THAT(output(got)["evidence"].dump(), HasSubstr("It has the limit."));
  EXPECT_GT(got.result.at_pointer("/usage/cost_usd").number_or(0), 0.0);
  EXPECT_EQ(sessions(), 1);
  EXPECT_THAT(scripted::lines_of(transcript_, "stderr"),
              AllOf(HasSubstr("MAX_CART_LINES is ignored"), HasSubstr("- acme/api"),
                    HasSubstr("limits.env:1"), HasSubstr("Orders behind the shop.")));
  EXPECT_EQ(output(run(tie()))["repository"], "acme/shop");
}

TEST_F(DiscoveryAgentTest, TheModelIsNotAskedWhereItIsClearOrNotWanted) {
  make_repositories();
  use_model("acme/shop", 0.9);
  EXPECT_EQ(output(run(api_alert()))["how"], "search");
  secrets_.erase(claude_.kGrant);
  EXPECT_THAT(run(tie()).why,
              AllOf(HasSubstr("no model is asked"), HasSubstr("there is no key for the model")));
  use_model("acme/shop", 0.9);
  const Json usual(config_["claude"]);
  config_.set("claude", Json(usual).set("path", "/no/such/claude"));
  EXPECT_THAT(run(tie()).why, AllOf(HasSubstr("/no/such/claude"), HasSubstr("install Claude Code")));
  config_.set("claude", Json(usual)).set("use_model", false);
  EXPECT_EQ(run(tie()).status, Status::Permanent);
  EXPECT_EQ(sessions(), 0);
}

TEST_F(DiscoveryAgentTest, AnAnswerOfTheModelThatIsNoneIsAFailure) {
  make_repositories();
  struct Row {
    const char* repository;
    double confidence;
    const char* status;
    const char* says;
  };
  for (const Row& row :
       {Row{"evil/api", 0.99, "found", "no candidate"}, Row{"", 0.99, "found", "no candidate"},
        Row{"acme/shop", 0.4, "found", "not sure of acme/shop"},
        Row{"acme/shop", 0.9, "cannot", "cannot tell"}}) {
    use_model(row.repository, row.confidence, row.status);
    const Got got = run(tie());
    EXPECT_EQ(got.status, Status::Permanent) << row.says;
    EXPECT_THAT(got.why, AllOf(HasSubstr(row.says), HasSubstr("config.mappings")));
  }
  EXPECT_THAT(sentry_.texts(), SizeIs(1)) << "one note";
  EXPECT_EQ(sessions(), 4);
}

TEST_F(DiscoveryAgentTest, TroubleOfTheModelIsTriedAgain) {
  make_repositories();
  secrets_[claude_.kGrant] = claude_.grant();
  claude_.answer_with("overloaded");
  EXPECT_EQ(run(tie()).status, Status::RateLimited);
  EXPECT_THAT(sentry_.texts(), IsEmpty());
}

TEST_F(DiscoveryAgentTest, AStrangerMakesItDoNothing) {
  use_model("acme/shop", 0.9);
  fake_.add_issue("Wrong", "It is 1 cent off.");
  fake_.permit(11, "read");
  add_repository("acme/api", "read");
  add_repository("acme/blog");
  EXPECT_THAT(refusal(run_issue("It is 1 cent off.")), HasSubstr("write is the least"));
  config_.set("repositories", Json::array({"acme/api", "acme/blog"}));
  refusal(run_issue("MAX_CART_LINES is ignored"));
  refusal(run_issue("It is acme/api#1"));
  config_.set("mappings", Json::parse(R"([{"when": {"source": "github"}, "repository": "acme/api"}])"));
  refusal(run_issue("MAX_CART_LINES is ignored"));
  EXPECT_EQ(server_.connections(), 0);
  EXPECT_EQ(sessions(), 0);
  EXPECT_THAT(fake_.comments(1), IsEmpty());
  for (const std::string& asked : fake_.journal()) EXPECT_THAT(asked, HasSubstr("/permission"));
}

// Neither by the answer nor by what is fetched, said or named can somebody find out what other repositories
// hold.
TEST_F(DiscoveryAgentTest, OnlyWhereTheAskerMayStartWorkIsSearched) {
  make_repositories();
  config_.set("gate", Json::parse(R"({"people": {"jira": {"5c5f": 11}}})"));
  config_.set("repositories", Json::array({"acme/api", "acme/shop"}));
  fake_.permit(11, "write");
  add_repository("acme/api", "read");
  const auto ask = [&](const std::string& text) {
    return run(
        Json::object(
            {{"source", "jira"},
             {"issue", Json::object({{"summary", "Wrong"}, {"description", text}, {"project", "SHOP"}})}}),
        "jira", "jira:x.atlassian.net/SHOP-1", Json::object({{"id", "5c5f"}}));
  };
  const Got none = ask("place_order says \"order has no lines\", see acme/api#7");
  EXPECT_EQ(none.status, Status::Permanent);
  EXPECT_THAT(none.why, Not(HasSubstr("acme/api")));
  const Got got = ask("recalculateCart is slow");
  EXPECT_EQ(output(got)["repository"], "acme/shop");
  EXPECT_THAT(got.result.dump(), Not(HasSubstr("acme/api")));
  EXPECT_FALSE(was_fetched("acme/api"));
  EXPECT_EQ(output(ask("acme/api#7 or acme/shop#8"))["repository"], "acme/shop");
}

// An issue may be read by anybody.
TEST_F(DiscoveryAgentTest, OnAnIssueOfGitHubNothingPrivateIsNamed) {
  make_repositories();
  config_.set("repositories", Json::array({"acme/api", "acme/blog"}));
  fake_.add_issue("Wrong", "start is slow");
  add_repository("acme/api", "write");
  add_repository("acme/blog", "admin", false);
  const Got got = run_issue("It starts slowly.");
  EXPECT_EQ(got.status, Status::Permanent);
  EXPECT_THAT(got.why, AllOf(HasSubstr("acme/api"), HasSubstr("acme/blog")));
  ASSERT_THAT(fake_.comments(1), SizeIs(1));
  EXPECT_THAT(fake_.comments(1)[0], AllOf(HasSubstr("acme/blog"), Not(HasSubstr("acme/api"))));
}

TEST_F(DiscoveryAgentTest, WhatCannotBeFetchedIsTriedAgainOnlyIfItIsNeeded) {
  make_repositories();
  broken_["acme/blog"] = 503;
  const Got clear = run(api_alert());
  EXPECT_EQ(output(clear)["repository"], "acme/api");
  const Got unclear = run(tie());
  EXPECT_EQ(unclear.status, Status::Retryable);
  EXPECT_THAT(unclear.why, HasSubstr("acme/blog could not be searched"));
  EXPECT_THAT(sentry_.texts(), IsEmpty());
  const Got last = run(tie(), "sentry", "sentry:acme/1635244907", Json::object({{"id", "sentry"}}), 4);
  EXPECT_EQ(last.status, Status::Permanent);
  EXPECT_THAT(sentry_.texts(), SizeIs(1));
}

TEST_F(DiscoveryAgentTest, ARepositoryThatIsNotThereIsLeftOut) {
  make_repositories();
  config_.set("repositories", Json::array({"acme/api", "acme/gone", "acme/shop"}));
  EXPECT_EQ(output(run(api_alert()))["repository"], "acme/api");
  EXPECT_EQ(run(tie()).status, Status::Permanent) << "it will not be there the next time either";
  EXPECT_THAT(scripted::lines_of(transcript_, "left out"), HasSubstr("acme/gone is not searched"));
}

TEST_F(DiscoveryAgentTest, AnOldCopyIsBroughtUpToDateIfItCanBe) {
  make_repositories();
  run(api_alert());
  server_.commit("acme/blog", "main", {{"src/feed.ts", Blob{"export function renderFeed() {}\n"}}});
  const auto make_old = [&] {
    for (const char* name : {"acme/api.git", "acme/blog.git", "acme/shop.git"})
      fs::last_write_time(state_.path() / "mirrors" / server_.host() / name / "davit-address",
                          fs::file_time_type::clock::now() - std::chrono::hours(30));
  };
  EXPECT_EQ(run(alert("x", "feed.ts", "renderFeed")).status, Status::Permanent);
  make_old();
  EXPECT_EQ(output(run(alert("x", "feed.ts", "renderFeed")))["repository"], "acme/blog");
  make_old();
  fs::remove_all(server_.repository("acme/blog"));
  EXPECT_EQ(output(run(alert("x", "feed.ts", "renderFeed")))["repository"], "acme/blog");
}

TEST_F(DiscoveryAgentTest, TheOnlyRepositoryNeedsNoSearch) {
  config_.set("repositories", Json::array({"acme/shop"}));
  const Got got = run(alert("x", "y.py", "z"));
  EXPECT_EQ(output(got)["repository"], "acme/shop");
  EXPECT_EQ(output(got)["how"], "only");
  EXPECT_EQ(server_.connections(), 0);
}

// What is asked for is looked for as it is, in little time, and goes into no command.
TEST_F(DiscoveryAgentTest, HostileTextIsOnlyText) {
  make_repositories();
  const fs::path marker = state_.path() / "marker";
  const std::string touch = "`--open-files-in-pager=touch " + marker.string() + "`";
  server_.commit("acme/shop", "main", {{"src/odd.ts", Blob{"// -O/bin/sh (a+)+b odd_name\n"}}});
  std::string many;
  while (many.size() < (1 << 20))
    many +=
        "`-O/bin/sh` (((a+)+)+)+$ \"--all -e x\" ../../../etc/passwd.py $(touch " + marker.string() + ") ";
  for (const std::string& text : {touch, many, std::string("a\0b_c \"x y\0 z text\"", 20),
                                  std::string("-e\n--\nHEAD:src \\Q(?{1})"), std::string(1 << 20, '(')}) {
    const Got got = run(
        Json::object({{"source", "sentry"}, {"event", Json::object({{"title", text}, {"message", text}})}}));
    EXPECT_THAT(got.status, AnyOf(Status::Permanent, Status::Ok)) << got.why;
    for (const char* member : {"/output/evidence", "/output/candidates"})
      EXPECT_LT(got.result.at_pointer(member).dump().size(), 16'384u);
    EXPECT_LT(got.why.size(), 2'000u);
  }
  EXPECT_FALSE(fs::exists(marker));
  const Got found =
      run(Json::object({{"source", "sentry"}, {"event", Json::object({{"title", "odd_name"}})}}));
  EXPECT_EQ(output(found)["repository"], "acme/shop");
}

TEST_F(DiscoveryAgentTest, ASecretInTheRequestIsInNoTextOfOurs) {
  make_repositories();
  server_.commit("acme/api", "trunk", {{"keys.py", Blob{std::string("key = '") + kToken + "'\n"}}});
  const Got got = run(alert("order has no lines", std::string("app/") + kToken + ".py", kToken,
                            std::string("key = '") + kToken + "'"));
  EXPECT_EQ(output(got)["repository"], "acme/api");
  EXPECT_THAT(output(got)["evidence"].dump(), AllOf(HasSubstr("removed]"), Not(HasSubstr(kToken))));
  for (const auto& [kind, line] : got.transcript) EXPECT_THAT(line, Not(HasSubstr(kToken)));
}

TEST_F(DiscoveryAgentTest, WhatItCannotStartWithIsSaidWithoutAskingAnybody) {
  const auto refused = [&](Json payload) {
    const Got got = run(std::move(payload), "cli", "");
    EXPECT_EQ(got.status, Status::Ignored) << got.why;
    return got.why;
  };
  EXPECT_THAT(refused(Json::parse(R"({"repository": "acme/other", "request": "Do it."})")),
              AllOf(HasSubstr("acme/other"), HasSubstr("config.repositories")));
  config_.erase("repositories");
  EXPECT_THAT(refused(Json::parse(R"({"request": "Do it."})")), HasSubstr("config.mappings"));
  secrets_.erase("github_token");
  EXPECT_THAT(refused(Json::parse(R"({"repository": "acme/shop", "request": "Do it."})")),
              HasSubstr("grant github_token"));
  EXPECT_THAT(fake_.seen(), IsEmpty());
  EXPECT_EQ(server_.connections(), 0);
}

TEST_F(DiscoveryAgentTest, ByHandARepositoryIsTakenAtItsWord) {
  const Got got = run(Json::parse(R"({"repository": "acme/shop", "request": "Do it."})"), "cli", "");
  EXPECT_EQ(output(got)["how"], "payload");
  EXPECT_EQ(output(got)["repository"], "acme/shop");
}

TEST_F(DiscoveryAgentTest, AConfigThatCannotBeMeantIsRefused) {
  const Json whole = Json(config_);
  for (const char* bad : {R"({"repositories": ["shop"]})", R"({"repositories": ["-x/shop"]})",
                          R"({"mappings": [{"when": {"colour": "red"}, "repository": "acme/shop"}]})",
                          R"({"mappings": [{"when": {}, "repository": "acme/shop"}]})",
                          R"({"mappings": [{"when": {"label": ""}, "repository": "acme/shop"}]})",
                          R"({"mappings": [{"when": {"label": "x"}, "repository": "../x"}]})"}) {
    const Json json = Json::parse(bad);
    config_ = Json(whole);
    for (const auto& [name, value] : json.members()) config_.set(name, Json(value));
    EXPECT_THROW(run(tie()), davit::Failure) << bad;
  }
}

}  // namespace
