// What an execution makes, says and leaves.
#include "tests/agents/executor/executor_run.h"

namespace executor_test {
namespace {

TEST_F(ExecutorAgentTest, CarriesOutTheApprovedPlanAndPushesIt) {
  const Json& out = result();
  EXPECT_EQ(out["next_agent"], "code-review-agent");
  EXPECT_FALSE(out.has("wait_for_approval"));
  EXPECT_GT(out.at_pointer("/usage/cost_usd").number_or(0), 0.0);

  EXPECT_EQ(commits_above_the_plan(), "1");
  EXPECT_EQ(git({"diff", "--name-only", "main", kBranch}), "src/total") << "the plan's file is gone";
  EXPECT_EQ(git({"log", "-1", "--format=%an <%ae>|%s", kBranch}),
            "davit <davit@users.noreply.github.com>|Round the sum once");
  EXPECT_THAT(git({"log", "-1", "--format=%b", kBranch}),
              AllOf(HasSubstr("It was rounded twice."),
                    HasSubstr("Davit-Task: 0190a1b2-0000-7000-8000-00000000aaaa/0 "),
                    HasSubstr(plan().sha256), HasSubstr(" passed")));

  const JsonView output = out["output"];
  EXPECT_EQ(output["head_sha"], head());
  EXPECT_EQ(output["commits"].dump(), "[\"" + head() + "\"]");
  EXPECT_EQ(output.at_pointer("/work/pull/head_sha"), head());
  EXPECT_EQ(output.at_pointer("/work/approved/by"), "github:user-12");
  EXPECT_EQ(output.at_pointer("/work/approved/plan_sha256"), plan().sha256);
  EXPECT_TRUE(output.at_pointer("/tests/passed").bool_or(false));
  EXPECT_EQ(output.at_pointer("/tests/command").dump(), R"(["sh","check.sh"])");
  EXPECT_EQ(output.at_pointer("/tests/tail"), "good\n");
  EXPECT_THAT(std::string(output["change_sha256"].string_or("")), SizeIs(64));
  EXPECT_THAT(output["files"].dump(), HasSubstr(R"({"path":"src/total","status":"modified"})"));
  EXPECT_EQ(output["beyond_plan"].dump(), "[]");

  EXPECT_TRUE(is_draft()) << "config.ready says so";
  EXPECT_EQ(pull_text("title"), "Wrong sum");
  EXPECT_THAT(pull_text("body"),
              AllOf(HasSubstr("its tests pass"), HasSubstr(plan().sha256), HasSubstr(head()),
                    HasSubstr("It was rounded twice."), HasSubstr("1. Round once.")));
  EXPECT_THAT(got_.artifacts.at("change.diff"), HasSubstr("+2"));
  EXPECT_EQ(got_.artifacts.at("test.log"), "good\n");
  EXPECT_TRUE(fs::is_empty(workspace())) << "nothing of the trees is left";
}

TEST_F(ExecutorAgentTest, TheSessionGetsThePlanTheRequestAndItsLimits) {
  play("prompt /dev/stderr\narguments /dev/stderr\n" + put("src/total", "2\n"));
  result();
  EXPECT_THAT(told(), AllOf(HasSubstr("\"Round once.\""), HasSubstr("It is 1 cent off."),
                            HasSubstr(".github/workflows/**"), HasSubstr("sh check.sh"),
                            HasSubstr("--tools=Read,Grep,Glob,Edit,Write,Bash")));
}

TEST_F(ExecutorAgentTest, WhatTheModelCannotDoIsToldAtTheSource) {
  config_.set("notes", Json::object({{"github", true}}));
  Json cannot = answer();
  cannot.set("status", "cannot").set("summary", "There is no such file, @everybody.");
  claude_.answer(std::move(cannot));
  EXPECT_THAT(failure(), HasSubstr("There is no such file"));
  ASSERT_THAT(fake_.comments(1), SizeIs(1));
  EXPECT_THAT(fake_.comments(1)[0], AllOf(HasSubstr("There is no such file"), Not(HasSubstr("@everybody"))));
  EXPECT_EQ(head(), planned_);
  config_.set("notes", Json::object({{"github", false}}));
  play("");
  EXPECT_THAT(failure(), HasSubstr("changed nothing"));
}

TEST_F(ExecutorAgentTest, TheEndOfAMoneyOrOfPatienceIsAFailureOfItsClass) {
  claude_.answer_with("error_max_budget_usd");
  EXPECT_THAT(failure(), HasSubstr("money"));
  claude_.answer_with("overloaded");
  EXPECT_EQ(run().status, Status::RateLimited);
  EXPECT_EQ(head(), planned_);
}

TEST_F(ExecutorAgentTest, NothingThatSomebodyElsePushedIsLost) {
  std::string theirs;
  on_push = [&](davit::testing::Wire&) {
    if (theirs.empty()) theirs = server_.commit(kShop, kBranch, {{"src/other", Blob{"theirs\n"}}}, "Theirs");
    return false;
  };
  EXPECT_EQ(run().status, Status::Retryable) << got_.why;
  EXPECT_THAT(got_.why, HasSubstr("somebody else pushed"));
  EXPECT_EQ(head(), theirs);
  result();
  EXPECT_EQ(git({"rev-parse", std::string(kBranch) + "~1"}), theirs) << "the work begins with it";
  EXPECT_EQ(git({"show", std::string(kBranch) + ":src/other"}), "theirs");
}

TEST_F(ExecutorAgentTest, CancelledInTheMiddleItLeavesNothing) {
  play("touch begun\nhang\n");
  given_.cancel_when = [this] {
    for (const auto& folder : fs::directory_iterator(workspace()))
      if (fs::exists(folder.path() / "tree/begun")) return true;
    return false;
  };
  EXPECT_EQ(run().status, Status::Cancelled) << got_.why;
  EXPECT_EQ(sessions(), 1);
  EXPECT_EQ(head(), planned_);
  EXPECT_FALSE(davit::testing::is_in_arguments(fs::path(claude_.grant()).parent_path().string()));
  EXPECT_TRUE(fs::is_empty(workspace()));
}

TEST_F(ExecutorAgentTest, TheModelsWordsDoNothingButBeRead) {
  Json loud = answer();
  loud.set("commit_message",
           std::string("Fixes #1 for @ann with ") + kToken + "\n\nCloses #2\n\nDavit-Task: a/0 b c d passed");
  loud.set("deviations", Json::array({"![x](https://evil.example/x.png)\n# Big"}));
  claude_.answer(std::move(loud), put("src/total", "2\n") + put("src/more", "x\n"));
  config_.set("beyond_plan", "mark");
  result();
  const std::string message = git({"log", "-1", "--format=%B", kBranch});
  EXPECT_THAT(message, AllOf(Not(HasSubstr("Fixes #1")), Not(HasSubstr("Closes #2")), Not(HasSubstr("@ann")),
                             Not(HasSubstr(kToken)), Not(HasSubstr("![x]")), Not(HasSubstr("\n# Big"))));
  EXPECT_THAT(pull_text("body"),
              AllOf(Not(HasSubstr("Fixes #1")), Not(HasSubstr("@ann")), Not(HasSubstr(kToken)),
                    Not(HasSubstr("![x]")), Not(HasSubstr("\n# Big"))));
  EXPECT_THAT(pull_text("body"), HasSubstr("added `src/more`, **which the plan does not name**"));
  EXPECT_EQ(got_.result.at_pointer("/output/beyond_plan").dump(), R"(["src/more"])");
  EXPECT_THAT(got_.all, Not(HasSubstr(kToken)));
}

TEST_F(ExecutorAgentTest, WordsAboutKeyFilesDoNotHideTheRecordOfTheCommit) {
  const std::string begin = std::string("-----BEGIN PRIVATE ") + "KEY-----";
  Json about = answer();
  about.set("commit_message", "Round the sum once\n\nLike files that begin with " + begin);
  claude_.answer(std::move(about), put("src/total", "2\n"));
  result();
  EXPECT_THAT(git({"log", "-1", "--format=%B", kBranch}),
              AllOf(HasSubstr("begin with " + begin + "\n\nDavit-Task: "), Not(HasSubstr("removed"))));
  result();
  EXPECT_EQ(sessions(), 1);
  EXPECT_EQ(commits_above_the_plan(), "1");
}

TEST_F(ExecutorAgentTest, WhatAPersonWroteOnThePullRequestStays) {
  const davit::testing::StateFolder state;
  github::Api api({.api = fake_.api(), .token = kToken, .state_folder = state.path()}, {});
  const std::string mine = "My own words about plan " + plan().sha256;
  api.update_pull({"acme", "shop"}, kPull, {.title = "My title", .body = mine});
  result();
  EXPECT_EQ(pull_text("title"), "My title");
  const Json first(result());
  const Json previous(first["output"]);
  api.update_pull({"acme", "shop"}, kPull, {.body = "Mine alone."});
  work::Item again = work::Item::from({}, previous, "");
  again.round = 1;
  again.feedback = "unit: failure";
  approve(again, "0190a1b2-0000-7000-8000-00000000cccc");
  play(put("src/total", "22\n"));
  result();
  EXPECT_EQ(pull_text("body"), "Mine alone.");
}

TEST_F(ExecutorAgentTest, AClosedPullRequestOrOneOfAForkIsLeftAlone) {
  Json pull = fake_.pull(kPull);
  const auto instead = [&](Json changed) {
    davit::testing::Fault fault;
    fault.status = 200;
    fault.body = changed.dump();
    fake_.fail("GET", "/repos/acme/shop/pulls/2", fault);
  };
  instead(Json(pull).set("state", "closed"));
  EXPECT_THAT(failure(), HasSubstr("is closed"));
  Json head(pull["head"]);
  Json repo(head["repo"]);
  repo.set("owner", Json::object({{"login", "stranger"}, {"id", 6}}));
  head.set("repo", std::move(repo));
  instead(Json(pull).set("head", std::move(head)));
  EXPECT_THAT(failure(), HasSubstr("of another repository"));
  EXPECT_EQ(sessions(), 0);
}

}  // namespace
}  // namespace executor_test
