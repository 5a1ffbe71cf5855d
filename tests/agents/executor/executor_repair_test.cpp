// What fails and is repaired, and what is begun anew.
#include "tests/agents/executor/executor_run.h"

namespace executor_test {
namespace {

TEST_F(ExecutorAgentTest, FailingTestsAreGivenBackUntilTheyPass) {
  const std::string good = claude_.stream_of(answer(), {.name = "good"});
  claude_.play("arguments /dev/stderr\nunless wrong " + put("src/total", "3\n") + "when wrong " +
                   put("src/total", "2\n") + "emit " + good + "\n",
               "script");
  const Json& out = result();
  EXPECT_EQ(sessions(), 2);
  EXPECT_EQ(commits_above_the_plan(), "1");
  EXPECT_EQ(git({"show", std::string(kBranch) + ":src/total"}), "2");
  EXPECT_TRUE(out.at_pointer("/output/tests/passed").bool_or(false));

  EXPECT_DOUBLE_EQ(out.at_pointer("/usage/cost_usd").number_or(0), 2 * 0.0421);
  double before = 0;
  for (const Json& usage : got_.usage) {
    EXPECT_GE(usage["cost_usd"].number_or(0), before) << "what was used does not become less";
    before = usage["cost_usd"].number_or(0);
  }
  EXPECT_DOUBLE_EQ(before, 2 * 0.0421);
  std::set<std::string> ids;
  const std::string lines = told(), option = "--session-id=";
  for (std::size_t at = 0; (at = lines.find(option, at)) != std::string::npos; ++at)
    ids.insert(lines.substr(at, option.size() + 36));
  EXPECT_THAT(ids, SizeIs(2));
}

TEST_F(ExecutorAgentTest, WhatStillFailsIsPushedAsADraftAndTheTaskFails) {
  config_.set("fix_rounds", 1).set("ready", true);
  config_.set("notes", Json::object({{"github", true}}));
  play(put("src/total", "3\n"));
  EXPECT_THAT(failure(), AllOf(HasSubstr("test_command exited with status 1"), HasSubstr("/pull/2")));
  EXPECT_EQ(sessions(), 2);
  EXPECT_EQ(commits_above_the_plan(), "1");
  EXPECT_TRUE(is_draft());
  EXPECT_THAT(pull_text("body"), AllOf(HasSubstr("its tests fail"), HasSubstr("    the total is wrong\n")));
  EXPECT_FALSE(got_.result.at_pointer("/output/tests/passed").bool_or(true));
  EXPECT_EQ(got_.result.at_pointer("/output/tests/tail"), "the total is wrong\n");
  EXPECT_FALSE(got_.result.has("next_agent"));
  EXPECT_THAT(fake_.comments(1).at(0), AllOf(HasSubstr("could not do this"), HasSubstr("its tests fail")));

  // Again it pays nothing, and looks whether the tests still fail.
  config_.set("notes", Json::object({{"github", false}}));
  EXPECT_THAT(failure(), HasSubstr("test_command exited with status 1"));
  EXPECT_EQ(sessions(), 2);
  config_.set("ready", false);
  server_.commit(kShop, kBranch, {{"src/total", Blob{"2\n"}}}, "Mend it");
  result();
  EXPECT_EQ(sessions(), 2);
  EXPECT_EQ(got_.result.at_pointer("/output/head_sha"), head());
}

TEST_F(ExecutorAgentTest, WhereARepairIsNotToBeHadWhatWasMadeIsPushedAllTheSame) {
  Json cannot = answer();
  cannot.set("status", "cannot").set("summary", "The check is wrong.");
  claude_.play("unless wrong " + put("src/total", "3\n") + "unless wrong emit " +
                   claude_.stream_of(answer(), {.name = "good"}) + "\nwhen wrong emit " +
                   claude_.stream_of(std::move(cannot), {.name = "bad"}) + "\n",
               "script");
  EXPECT_THAT(failure(),
              AllOf(HasSubstr("test_command exited with status 1"), HasSubstr("The check is wrong.")));
  EXPECT_EQ(sessions(), 2);
  EXPECT_EQ(git({"show", std::string(kBranch) + ":src/total"}), "3");

  // Nor is a repair that is not allowed: of it nothing is pushed.
  run_git(server_.repository(kShop), {"branch", "-f", kBranch, planned_});
  claude_.play("unless wrong " + put("src/total", "3\n") + "when wrong " + put(".envrc", "x\n") + "emit " +
                   claude_.stream_of(answer(), {.name = "good"}) + "\n",
               "script");
  EXPECT_THAT(failure(), AllOf(HasSubstr("it was not repaired"), HasSubstr(".envrc may not be changed")));
  EXPECT_THAT(pull_text("body"), HasSubstr(".envrc may not be changed"));
  EXPECT_EQ(git({"diff", "--name-only", "main", kBranch}), "src/total");
}

TEST_F(ExecutorAgentTest, RunAgainAfterEachStepFindsItsCommitAndPaysNothing) {
  config_.set("ready", true);
  davit::testing::Fault refused;
  refused.status = 422;
  on_push = [](davit::testing::Wire& wire) {
    wire.answer(500, "");
    return true;
  };
  EXPECT_EQ(run().status, Status::Retryable) << got_.why;
  EXPECT_EQ(head(), planned_);
  on_push = {};
  fake_.fail("PATCH", "/repos/acme/shop/pulls/2", refused);
  EXPECT_NE(run().status, Status::Ok);
  const std::string pushed = head();
  EXPECT_NE(pushed, planned_);
  EXPECT_EQ(sessions(), 2) << "nothing was kept of the first";
  fake_.fail("POST", "/graphql", refused);
  EXPECT_NE(run().status, Status::Ok);
  EXPECT_THAT(pull_text("body"), HasSubstr(pushed));
  EXPECT_TRUE(is_draft());

  const Json first(result());
  EXPECT_FALSE(is_draft());
  EXPECT_FALSE(first.has("usage"));
  const Json second(result());
  EXPECT_EQ(second["output"].dump(), first["output"].dump());
  EXPECT_EQ(sessions(), 2);
  EXPECT_EQ(head(), pushed);
  EXPECT_EQ(commits_above_the_plan(), "1");
  EXPECT_THAT(fake_.comments(kPull), IsEmpty());
}

// What cicd-agent hands back, with the work of the execution before.
TEST_F(ExecutorAgentTest, ARepairOfChecksNeedsNoApprovalWithinThePlan) {
  const Json first(result());
  const std::string made = head();
  const auto repair = [&](const std::string& task) {
    const Json previous(first["output"]);
    work::Item again = work::Item::from({}, previous, "");
    again.round = 1;
    again.feedback = "Checks of the commit failed:\n- unit: failure\n\nexpected 2 and got two";
    approve(again, task);
    set_approval({});
  };
  repair("0190a1b2-0000-7000-8000-00000000cccc");
  claude_.answer(Json::parse(R"({"status": "fixed", "cause": "change", "explanation": "It was a word.",
                     "evidence": [], "files": ["src/total"], "commit_message": "Say 2 and not two"})"),
                 "prompt /dev/stderr\n" + put("src/total", "2 2\n") + put("tests/total_test", "x\n"));
  result();
  EXPECT_THAT(told(), AllOf(HasSubstr("expected 2 and got two"), HasSubstr("Mode: repair"), HasSubstr("+2")));
  EXPECT_EQ(commits_above_the_plan(), "2");
  EXPECT_EQ(git({"rev-parse", std::string(kBranch) + "~1"}), made);
  EXPECT_THAT(git({"log", "-1", "--format=%B", kBranch}),
              AllOf(HasSubstr("Say 2 and not two"), HasSubstr("It was a word."), HasSubstr("aaaa/1 ")));
  EXPECT_EQ(got_.result.at_pointer("/output/work/round").int_or(0), 1);
  EXPECT_FALSE(got_.result.at_pointer("/output/work").has("feedback"));
  EXPECT_EQ(got_.result.at_pointer("/output/work/approved/by"), "github:user-12");

  // Beyond it nothing is, also where what a person approved is only marked.
  config_.set("beyond_plan", "mark").set("fix_rounds", 0);
  const std::string repaired = head();
  repair("0190a1b2-0000-7000-8000-00000000dddd");
  play(put("src/total", "2 3\n") + put("src/other", "x\n"));
  EXPECT_THAT(failure(), HasSubstr("src/other is neither named by the approved plan nor a test"));
  EXPECT_EQ(head(), repaired);
  EXPECT_EQ(got_.result.at_pointer("/output/refused/0/rule"), "plan");

  // Nor does a change without any approval before it come to anything.
  const Json previous(first["output"]);
  work::Item alone = work::Item::from({}, previous, "");
  alone.round = 1;
  alone.approved.reset();
  approve(alone);
  set_approval({});
  EXPECT_EQ(run().status, Status::Ignored);
}

TEST_F(ExecutorAgentTest, WhatNeedsNoRepairIsNotRepaired) {
  work::Item again = item();
  again.round = 1;
  again.feedback = "unit: failure";
  approve(again);
  claude_.answer(Json::parse(R"({"status": "judged", "cause": "flaky", "explanation": "A port was taken.",
                     "evidence": [], "files": [], "commit_message": ""})"));
  EXPECT_THAT(failure(), AllOf(HasSubstr("nothing of the change to repair"), HasSubstr("A port was taken.")));
  EXPECT_EQ(head(), planned_);
}

TEST_F(ExecutorAgentTest, RejectedWithACommentItDoesItAgainOnTop) {
  const Json first(result());
  Json rejected = Json::object(
      {{"comment", "Make it 22."}, {"by", "github:user-12"}, {"actor_id", "12"}, {"way", "github comment"}});
  rejected.set("output", Json(first["output"]));
  approve(item(), "0190a1b2-0000-7000-8000-00000000cccc");
  given_.previous_result = Json::object({{"rejected", std::move(rejected)}});
  play("prompt /dev/stderr\n" + put("src/total", "22\n"));
  result();
  EXPECT_THAT(told(), HasSubstr("Make it 22."));
  EXPECT_EQ(commits_above_the_plan(), "2");
  EXPECT_EQ(git({"show", std::string(kBranch) + ":src/total"}), "22");
}

TEST_F(ExecutorAgentTest, WordsOfSomebodyWhoMayNotWriteStartNothing) {
  fake_.permit(13, "read");
  Json rejected = Json::object(
      {{"comment", "Make it 22."}, {"by", "github:user-13"}, {"actor_id", "13"}, {"way", "github comment"}});
  rejected.set("output", Json(given_.previous_result));
  given_.previous_result = Json::object({{"rejected", std::move(rejected)}});
  EXPECT_THAT(failure(), HasSubstr("the rejection does not count: 'user-13' has the permission read"));
  EXPECT_EQ(sessions(), 0);
  EXPECT_EQ(head(), planned_);
}

}  // namespace
}  // namespace executor_test
