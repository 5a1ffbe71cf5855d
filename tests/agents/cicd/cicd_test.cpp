// The agent against a GitHub of this machine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "source_note/source_note.h"
#include "tests/agents/agent_run/agent_run.h"
#include "tests/agents/cicd/check_shapes.h"
#include "tests/agents/github_api/fake_github.h"
#include "tests/agents/github_api/state_folder.h"
#include "work_item/work_item.h"

namespace {

using namespace cicd_test;
using agent_run::Got;
using davit::Json;
using davit::JsonView;
using davit::Status;
using davit::testing::FakeGithub;
using davit::testing::Fault;
using std::chrono::seconds;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class CicdAgentTest : public testing::Test {
 protected:
  CicdAgentTest() {
    fake_.add_branch("davit/plan-1", kSha);
    pull_ = fake_.add_pull("davit/plan-1", "open");
    fake_.permit(11, "write");
    given_.previous_result = Json::object({{"work", work_of_a_plan(0).json()}});
  }

  // As the executor leaves it.
  work::Item work_of_a_plan(int round) const {
    work::Item item;
    item.asked_by = {"github", Json::object({{"id", "11"}, {"login", "user-11"}}),
                     Json::parse(R"({"source": "github", "sender": {"id": "11", "type": "User"}})")};
    item.request = {.source = "github", .title = "It is slow"};
    item.repository = "acme/shop";
    item.pull = work::Pull{pull_, "", "davit/plan-1", kSha};
    item.plan = work::Plan(Json::object({{"summary", "Make it fast"}}));
    item.round = round;
    return item;
  }
  void be_at_round(int round) {
    given_.previous_result = Json::object({{"work", work_of_a_plan(round).json()}});
  }
  // A run of somebody's push, as the webhook tells of it.
  void come_from_a_delivery() {
    given_.previous_result = {};
    given_.payload = Json::parse(R"({"source":"github","event":"workflow_run","action":"completed",
        "repository":{"full_name":"acme/shop"},
        "run":{"id":7,"name":"CI","conclusion":"failure","head_branch":"main","pull_requests":[],
               "head_sha":")" + kSha +
                                 "\"}}");
  }
  void configure(const std::string& key, Json value) {
    given_.config = config_.set(key, std::move(value)).dump();
  }

  Got run() {
    given_.config = config_.dump();
    Got got = agent_run::run(given_);
    EXPECT_THAT(got.all, Not(HasSubstr(FakeGithub::kToken)));
    return got;
  }
  // The result of an execution that gives one; lives as long as the test.
  const Json& result() {
    Got got = run();
    EXPECT_EQ(got.status, Status::Ok) << got.why;
    artifacts_ = got.artifacts;
    return results_.emplace_back(std::move(got.result));
  }
  static std::string verdict(const Json& result) {
    return std::string(result.at_pointer("/output/verdict").string_or(""));
  }
  std::vector<std::string> reruns() const {
    std::vector<std::string> lines = fake_.journal();
    std::erase_if(lines, [](const std::string& line) { return !line.starts_with("POST "); });
    return lines;
  }

  // A workflow with one job that failed, 70, and one that did not.
  void fail_workflow(int attempt = 1, const std::string& log = "expected 1, got 2\n") {
    fake_.add_workflow_run(workflow_run(7, "failure", attempt));
    fake_.add_check_run(check_run(60, "build", "success", 7));
    fake_.add_check_run(check_run(70, "test", "failure", 7));
    fake_.add_log(70, log);
  }

  const davit::testing::StateFolder state_;
  FakeGithub fake_;
  int pull_ = 0;
  std::deque<Json> results_;
  std::map<std::string, std::string> artifacts_;
  Json config_ = Json::object({{"github", Json::object({{"api", fake_.api()}})}, {"settle_seconds", 0}});
  // Time enough for what these tests do, and little for an agent that waits for what does not come.
  agent_run::Given given_{.plugin = "cicd_agent",
                          .secrets = {{"github_token", FakeGithub::kToken}},
                          .state_folder = state_.path(),
                          .remaining = seconds(35)};
};

TEST_F(CicdAgentTest, ThatAllIsGreenIsSaidInTheNoteThatIsThere) {
  const int issue = fake_.add_issue("It is slow", "");
  const std::string place = "github:acme/shop#" + std::to_string(issue);
  Json task(davit::Json::object({{"entity", Json::object({{"key", place}})}}));
  given_.context.set("task", std::move(task));
  work::Item item = work_of_a_plan(0);
  item.chain = "0190a1b2-0000-7000-8000-000000000001";
  given_.previous_result = Json::object({{"work", item.json()}});
  fake_.add_workflow_run(workflow_run(7, "success"));
  fake_.add_check_run(check_run(70, "test", "success", 7));
  result();
  EXPECT_THAT(fake_.comments(issue), IsEmpty()) << "nothing was said there before";

  const github::Account account{
      .api = fake_.api(), .token = FakeGithub::kToken, .state_folder = state_.path()};
  github::Api api(account, {});
  note::Notes({}, {}, state_.path(), {}, {})
      .tell(&api, *note::place_of(place), item.chain, note::Stage::Started, "");
  result();
  EXPECT_THAT(fake_.comments(issue),
              ElementsAre(testing::AllOf(StartsWith("davit is done"), HasSubstr("/acme/shop/pull/"),
                                         HasSubstr("all checks of"))));
}

TEST_F(CicdAgentTest, GreenEndsTheChain) {
  fake_.add_workflow_run(workflow_run(7, "success"));
  fake_.add_check_run(check_run(70, "test", "success", 7));
  fake_.add_check_run(check_run(80, "lint", "neutral"));
  fake_.add_status(status(90, "deploy", "success"));
  const Json& json = result();
  EXPECT_TRUE(json["success"].bool_or(false)) << json.dump();
  EXPECT_EQ(verdict(json), "green");
  EXPECT_FALSE(json.view().has("next_agent"));
  EXPECT_EQ(json.at_pointer("/output/work/pull/head_sha"), kSha);
  EXPECT_THAT(reruns(), IsEmpty());
}

TEST_F(CicdAgentTest, EachSystemOfChecksCounts) {
  fake_.add_workflow_run(workflow_run(7, "success"));
  fake_.add_check_run(check_run(70, "test", "success", 7));
  fake_.add_status(status(90, "deploy", "failure", "2 of 10 smoke tests failed"));
  const Json& json = result();
  EXPECT_EQ(verdict(json), "real");
  EXPECT_THAT(std::string(json.at_pointer("/output/work/feedback").string_or("")),
              HasSubstr("2 of 10 smoke tests failed"));
  EXPECT_THAT(reruns(), IsEmpty()) << "what is not GitHub's own cannot be started again";
}

TEST_F(CicdAgentTest, WithoutChecksThereIsNoVerdict) {
  const Json& json = result();
  EXPECT_TRUE(json["success"].bool_or(false));
  EXPECT_EQ(verdict(json), "none");
  EXPECT_FALSE(json.view().has("next_agent"));
}

TEST_F(CicdAgentTest, RerunsWhatLooksFlakyOnce) {
  fail_workflow();
  fake_.end_reruns("success");
  const Json& json = result();
  EXPECT_EQ(verdict(json), "flaky");
  EXPECT_TRUE(json["success"].bool_or(false));
  EXPECT_FALSE(json.view().has("next_agent"));
  EXPECT_EQ(json.at_pointer("/output/started_again/0"), "CI");
  EXPECT_THAT(reruns(), ElementsAre("POST /repos/acme/shop/actions/runs/7/rerun-failed-jobs"));

  EXPECT_EQ(verdict(result()), "green") << "an execution that begins anew";
  EXPECT_EQ(reruns().size(), 1u);
}

TEST_F(CicdAgentTest, WhatSomebodyStartedAgainBeforeIsNotStartedAThirdTime) {
  fail_workflow(2);
  EXPECT_EQ(verdict(result()), "real");
  EXPECT_THAT(reruns(), IsEmpty());
}

TEST_F(CicdAgentTest, GivesARealFailureWithItsLogToTheExecutor) {
  fail_workflow(1, "the first attempt\n");
  fake_.end_reruns("failure");
  fake_.add_log(71,
                "2026-11-26T09:30:00.1234567Z compiling\n2026-11-26T09:30:01.1234567Z expected 1, got 2\n");
  const Json& json = result();
  EXPECT_TRUE(json["success"].bool_or(false)) << json.dump();
  EXPECT_EQ(verdict(json), "real");
  EXPECT_EQ(json["next_agent"], "executor-agent");
  EXPECT_EQ(reruns().size(), 1u);

  // What the executor finds.
  const work::Item item = work::Item::from(JsonView(), json["output"], "");
  EXPECT_EQ(item.round, 1);
  EXPECT_EQ(item.pull->head_sha, kSha);
  EXPECT_EQ(item.plan->sha256, work_of_a_plan(0).plan->sha256);
  EXPECT_THAT(item.feedback, HasSubstr("- test: failure\n"));
  EXPECT_THAT(item.feedback, HasSubstr("\ncompiling\nexpected 1, got 2\n"));
  EXPECT_THAT(item.feedback, Not(HasSubstr("first attempt")));
  EXPECT_EQ(artifacts_["job-71.log"], "compiling\nexpected 1, got 2\n");
}

TEST_F(CicdAgentTest, OnlyTheEndsOfLogsAreHandedOn) {
  configure("log_bytes", 2048);
  fail_workflow(2, std::string(100, '#') + "\n" + std::string(5000, 'x') + "\nthe end of the first\n");
  fake_.add_check_run(check_run(72, "test on arm", "failure", 7));
  fake_.add_log(72, std::string(5000, 'y') + "\nthe end of the second\n");
  const Json& json = result();
  const std::string feedback(json.at_pointer("/output/work/feedback").string_or(""));
  EXPECT_THAT(feedback, HasSubstr("the end of the first"));
  EXPECT_THAT(feedback, HasSubstr("the end of the second"));
  EXPECT_LT(feedback.size(), 3000u);
}

TEST_F(CicdAgentTest, StopsAfterTheRounds) {
  be_at_round(2);
  fail_workflow(2);
  const Json& json = result();
  EXPECT_FALSE(json["success"].bool_or(true));
  EXPECT_EQ(json["error_class"], "permanent");
  EXPECT_THAT(std::string(json["error"].string_or("")), HasSubstr("given back 2 times already"));
  EXPECT_FALSE(json.view().has("next_agent"));
  EXPECT_EQ(verdict(json), "real");

  be_at_round(1);
  EXPECT_EQ(result()["next_agent"], "executor-agent");
  configure("max_rounds", 0);
  EXPECT_FALSE(result().view().has("next_agent"));
}

TEST_F(CicdAgentTest, AnOldShaCountsNothing) {
  const std::string older(40, 'a');
  fake_.add_check_run(check_run(80, "lint", "failure", 0, older));
  fake_.add_workflow_run(workflow_run(7, "failure", 1, older));
  EXPECT_EQ(verdict(result()), "none") << "checks of another commit";

  fail_workflow();
  fake_.move_head(pull_, std::string(40, 'b'));
  const Json& json = result();
  EXPECT_EQ(verdict(json), "superseded");
  EXPECT_TRUE(json["success"].bool_or(false));
  EXPECT_FALSE(json.view().has("next_agent"));
  EXPECT_THAT(reruns(), IsEmpty());
}

TEST_F(CicdAgentTest, WhatTheMachineDidIsNotGivenBack) {
  fail_workflow(2, "tar: write error: No space left on device\n");
  const Json& json = result();
  EXPECT_EQ(verdict(json), "infra");
  EXPECT_EQ(json.at_pointer("/output/failed/0/sign"), "no space left on device");
  EXPECT_FALSE(json["success"].bool_or(true)) << "the change is not known to be good";
  EXPECT_FALSE(json.view().has("next_agent"));
}

TEST_F(CicdAgentTest, AnInfraFailureBesideARealOneIsNoWorkForTheExecutor) {
  fail_workflow(2);
  fake_.add_check_run(check_run(72, "upload", "failure", 7));
  fake_.add_log(72, "curl: (6) Could not resolve host: example.org\n");
  const Json& json = result();
  EXPECT_EQ(json["next_agent"], "executor-agent");
  const std::string feedback(json.at_pointer("/output/work/feedback").string_or(""));
  EXPECT_THAT(feedback, HasSubstr("- upload: failure, not by the change (infra)"));
  EXPECT_THAT(feedback, Not(HasSubstr("curl")));
}

TEST_F(CicdAgentTest, WhatSomebodyCancelledIsNoVerdict) {
  fake_.add_workflow_run(workflow_run(7, "cancelled"));
  fake_.add_check_run(check_run(70, "test", "cancelled", 7));
  const Json& json = result();
  EXPECT_EQ(verdict(json), "none");
  EXPECT_FALSE(json["success"].bool_or(true));
  EXPECT_THAT(std::string(json["error"].string_or("")), HasSubstr("somebody stopped them"));
  EXPECT_THAT(reruns(), IsEmpty());
}

TEST_F(CicdAgentTest, WithoutAPlanItOnlyJudges) {
  come_from_a_delivery();
  fail_workflow(2);
  const Json& json = result();
  EXPECT_EQ(verdict(json), "real");
  EXPECT_TRUE(json["success"].bool_or(false)) << json.dump();
  EXPECT_FALSE(json.view().has("next_agent"));
  EXPECT_EQ(json.at_pointer("/output/failed/0/name"), "test");
}

TEST_F(CicdAgentTest, ForWhomTheGateDoesNotLetItOnlyJudges) {
  fake_.permit(13, "read");
  come_from_a_delivery();
  Json task = Json::object({{"source", "github"}, {"payload", given_.payload}});
  task.set("actor", Json::object({{"id", "13"}, {"login", "user-13"}}));
  given_.context.set("task", std::move(task));
  fake_.add_check_run(check_run(80, "lint", "success"));
  EXPECT_EQ(verdict(result()), "green");
  const auto asks_who = [&] {
    const std::vector<std::string> journal = fake_.journal();
    return std::count_if(journal.begin(), journal.end(), [](const std::string& line) {
      return line.find("/permission") != std::string::npos;
    });
  };
  EXPECT_EQ(asks_who(), 0) << "who only reads is not asked about";

  fail_workflow();
  const Got got = run();
  EXPECT_EQ(verdict(got.result), "real");
  EXPECT_TRUE(got.result["success"].bool_or(false)) << got.result.dump();
  EXPECT_THAT(reruns(), IsEmpty());
  EXPECT_THAT(got.all, HasSubstr("nothing is started again: 'user-13' has the permission read"));
  EXPECT_EQ(asks_who(), 1);

  fake_.permit(13, "write");
  fake_.end_reruns("success");
  EXPECT_EQ(verdict(result()), "flaky");
  EXPECT_EQ(reruns().size(), 1u);
}

TEST_F(CicdAgentTest, WhoMayNotIsNotHelpedByAChain) {
  fake_.permit(11, "read");
  fail_workflow();
  EXPECT_EQ(result()["next_agent"], "executor-agent") << "which asks for itself";
  EXPECT_THAT(reruns(), IsEmpty());
}

TEST_F(CicdAgentTest, AForkIsLeftAlone) {
  fake_.add_branch("theirs", kSha);
  work::Item item = work_of_a_plan(0);
  item.pull->number = fake_.add_pull("theirs", "open", true);
  given_.previous_result = Json::object({{"work", item.json()}});
  fail_workflow();
  const Json& json = result();
  EXPECT_EQ(json["error_class"], "permanent");
  EXPECT_THAT(std::string(json["error"].string_or("")), HasSubstr("another repository"));
  EXPECT_THAT(reruns(), IsEmpty());
}

TEST_F(CicdAgentTest, AClosedPullRequestEndsIt) {
  work::Item item = work_of_a_plan(0);
  item.pull->number = fake_.add_pull("davit/plan-1", "merged");
  given_.previous_result = Json::object({{"work", item.json()}});
  fail_workflow();
  EXPECT_EQ(verdict(result()), "closed");
  EXPECT_THAT(reruns(), IsEmpty());
}

TEST_F(CicdAgentTest, WhatCannotBeStartedAgainIsJudgedAsItIs) {
  fail_workflow();
  fake_.fail("POST", "/repos/acme/shop/actions/runs/7/rerun-failed-jobs",
             {.status = 403, .body = R"({"message":"This workflow run is too old"})"});
  const Got got = run();
  EXPECT_EQ(got.result["next_agent"], "executor-agent");
  EXPECT_THAT(got.all, HasSubstr("This workflow run is too old"));
}

TEST_F(CicdAgentTest, ALogThatIsGoneIsSaidAndNoReasonNotToJudge) {
  fail_workflow(2, "");
  const Json& json = result();
  EXPECT_EQ(json["next_agent"], "executor-agent");
  EXPECT_THAT(std::string(json.at_pointer("/output/work/feedback").string_or("")),
              HasSubstr("no log of this job any more"));
}

TEST_F(CicdAgentTest, SecretsOfALogGoNowhere) {
  fail_workflow(2, std::string("token: ") + FakeGithub::kToken + "\nAKIAIOSFODNN7EXAMPLE and more\n");
  const Got got = run();  // looks for the token
  EXPECT_EQ(got.result["next_agent"], "executor-agent");
  EXPECT_THAT(got.all, Not(HasSubstr("AKIAIOSFODNN7EXAMPLE")));
}

TEST_F(CicdAgentTest, ChecksThatDoNotEndInTimeAreWaitedForOnceMore) {
  fake_.add_check_run(check_run(80, "slow", nullptr));
  given_.remaining = seconds(30);
  const Json& first = result();
  EXPECT_EQ(first["error_class"], "retryable");
  EXPECT_THAT(std::string(first["error"].string_or("")), HasSubstr("have not ended in time: slow"));
  given_.attempt = 2;
  EXPECT_EQ(result()["error_class"], "permanent");
}

TEST_F(CicdAgentTest, ALimitOfGithubsIsWaitedForOutside) {
  fake_.limit_to(1, std::chrono::hours(1));
  const Got got = run();
  EXPECT_EQ(got.status, Status::RateLimited);
  EXPECT_TRUE(got.retry_after);
}

TEST_F(CicdAgentTest, EndsWhenItIsCancelled) {
  fake_.add_check_run(check_run(80, "slow", nullptr));
  given_.cancelled = true;
  EXPECT_EQ(run().status, Status::Cancelled);
}

TEST_F(CicdAgentTest, RefusesWithASentenceWhatItCannotDo) {
  const auto refusal = [&] {
    const Got got = run();
    EXPECT_EQ(got.status, Status::Ignored);
    return got.why;
  };
  given_.secrets.clear();
  EXPECT_THAT(refusal(), HasSubstr("grant github_token"));
  given_.secrets = {{"github_token", FakeGithub::kToken}};
  given_.previous_result = {};
  EXPECT_THAT(refusal(), HasSubstr("names no repository"));
  given_.payload = Json::object({{"repository", "acme/shop"}});
  EXPECT_THAT(refusal(), HasSubstr("neither a pull request nor a commit"));
  for (const char* sha : {"main", "0011", "00112233445566778899AABBCCDDEEFF00112233", "../../../etc"}) {
    given_.payload = Json::object({{"repository", "acme/shop"}, {"sha", sha}});
    EXPECT_THAT(refusal(), HasSubstr("whole sha"));
  }
  EXPECT_THAT(fake_.journal(), IsEmpty());
}

TEST_F(CicdAgentTest, ByHandItJudgesACommit) {
  given_.previous_result = {};
  given_.payload = Json::object({{"repository", "acme/shop"}, {"sha", kSha}});
  fake_.add_check_run(check_run(80, "lint", "success"));
  EXPECT_EQ(verdict(result()), "green");
}

TEST_F(CicdAgentTest, AConfigThatMakesNoSenseIsRefused) {
  for (const char* config :
       {R"({"wait_minutes":0})", R"({"wait_minutes":"30"})", R"({"reruns":9})", R"({"max_rounds":-1})",
        R"({"log_bytes":1})", R"({"infra_patterns":["e"]})", R"({"github":{"api":"ftp://x"}})"}) {
    given_.config = config;
    EXPECT_THROW(agent_run::run(given_), davit::Failure) << config;
  }
}

}  // namespace
