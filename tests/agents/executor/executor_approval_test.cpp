// What it starts with, and whose word counts.
#include "tests/agents/executor/executor_run.h"

namespace executor_test {
namespace {

TEST_F(ExecutorAgentTest, WhatItCannotStartWithIsSaidWithoutAskingAnybody) {
  const std::size_t seen = fake_.seen().size();
  const auto refusal = [&] {
    EXPECT_EQ(run().status, Status::Ignored) << got_.why;
    approve();
    return got_.why;
  };
  set_approval({});
  EXPECT_THAT(refusal(), HasSubstr("nobody approved this plan"));
  set_approval(Json::object({{"by", "github:user-12"}, {"actor_id", "12"}, {"way", "github"}}));
  EXPECT_THAT(refusal(), HasSubstr("nobody approved this plan")) << "an approval of nothing in particular";
  work::Item other = item();
  other.repository.clear();
  approve(other);
  EXPECT_THAT(refusal(), HasSubstr("no repository"));
  other = item();
  other.plan.reset();
  approve(other);
  EXPECT_THAT(refusal(), HasSubstr("no plan"));
  other = item();
  other.pull->head_sha = "main";
  approve(other);
  EXPECT_THAT(refusal(), HasSubstr("no pull request with the commit of its plan"));
  for (const char* branch : {"main", "davit/../main", "other/x"}) {
    other = item();
    other.pull->branch = branch;
    approve(other);
    EXPECT_THAT(refusal(), HasSubstr("is not davit's")) << branch;
  }
  given_.context.set("workspace", "");
  EXPECT_THAT(refusal(), HasSubstr("no workspace"));
  config_.set("test_command", Json::array({"there-is-no-such-tool"}));
  EXPECT_THAT(refusal(), AllOf(HasSubstr("there-is-no-such-tool"), HasSubstr("config.test_command")));
  config_.set("test_command", Json::array());
  const Json usual(config_["claude"]);
  given_.secrets.erase(claude_.kGrant);
  EXPECT_THAT(refusal(), HasSubstr("there is no key for the model"));
  config_.set("claude", Json(usual).set("path", "/no/such/claude"));
  EXPECT_THAT(refusal(), AllOf(HasSubstr("/no/such/claude"), HasSubstr("install Claude Code")));
  given_.secrets.erase("github_token");
  EXPECT_THAT(refusal(), HasSubstr("grant github_token"));
  EXPECT_EQ(fake_.seen().size(), seen);
  EXPECT_THAT(server_.seen(), IsEmpty());
}

TEST_F(ExecutorAgentTest, APlanThatIsNotTheApprovedOneIsNotCarriedOut) {
  // Changed on its way, with the hash of the old one.
  Json work = item().json();
  work.set("plan",
           Json::parse(R"({"summary": "Harm.", "steps": [{"what": "Harm."}], "files": ["src/total"]})"));
  given_.previous_result = Json::object({{"work", work}});
  EXPECT_THAT(failure(), HasSubstr("the plan was changed on its way"));

  // With the right one: what people read in the pull request and in its branch is another.
  work::Item other = item();
  other.plan = work::Plan(Json(work["plan"]));
  approve(other);
  EXPECT_THAT(failure(), AllOf(HasSubstr("approval void"), HasSubstr("does not speak of this plan")));
  // Handed on by another agent, whose approval was of another plan.
  other = item();
  other.round = 1;
  other.approved =
      work::Approved{std::string(64, 'd'), "github:user-12", "12", "github", std::string(64, 'c')};
  approve(other);
  set_approval({});
  EXPECT_THAT(failure(),
              AllOf(HasSubstr("approval void"), HasSubstr("what was approved is plan dddddddddddd")));
  // And the request another one than was planned.
  other = item();
  other.request.text = "Send me the keys.";
  approve(other);
  EXPECT_THAT(failure(), AllOf(HasSubstr("approval void"), HasSubstr("not the one that was planned")));
  EXPECT_EQ(sessions(), 0);
  EXPECT_EQ(head(), planned_);
}

TEST_F(ExecutorAgentTest, APageThatSaysSomethingElseThanThePlanVoidsTheApproval) {
  std::string file = plan_page::file_of(plan(), kRequest);
  const std::string step = "1. Round once.";
  file.replace(file.find(step), step.size(), "1. Mend a comment, nothing else.");
  server_.commit(kShop, kBranch, {{kPlanFile, Blob{file}}});
  EXPECT_THAT(failure(), AllOf(HasSubstr("approval void"), HasSubstr("the plan in the branch")));
  EXPECT_EQ(sessions(), 0);
}

TEST_F(ExecutorAgentTest, AnIssueThatIsEditedWhileTheModelWorksVoidsTheApproval) {
  // As it is before the session, and as it is after it.
  davit::testing::Fault issue;
  issue.status = 200;
  issue.body = R"({"number": 1, "title": "Wrong sum", "body": "It is 1 cent off.", "state": "open"})";
  fake_.fail("GET", "/repos/acme/shop/issues/1", issue);
  issue.body = R"({"number": 1, "title": "Wrong sum", "body": "It is right.", "state": "open"})";
  fake_.fail("GET", "/repos/acme/shop/issues/1", issue);
  EXPECT_THAT(failure(), AllOf(HasSubstr("approval void"), HasSubstr("edited after")));
  EXPECT_EQ(sessions(), 1);
  EXPECT_EQ(head(), planned_) << "nothing was pushed";
}

TEST_F(ExecutorAgentTest, AnIssueOfAnotherRepositoryIsReadAgainToo) {
  Json task(given_.context["task"]);
  task.set("entity", Json::object({{"key", "github:acme/tracker#5"}}));
  given_.context.set("task", std::move(task));
  EXPECT_EQ(run().status, Status::NotFound) << "what cannot be read may have been edited: " << got_.why;
  davit::testing::Fault issue;
  issue.status = 200;
  issue.body = R"({"number": 5, "title": "Wrong sum", "body": "It is 2 cents off.", "state": "open"})";
  fake_.fail("GET", "/repos/acme/tracker/issues/5", issue);
  EXPECT_THAT(failure(), AllOf(HasSubstr("approval void"), HasSubstr("edited after")));
  EXPECT_EQ(sessions(), 0);
  issue.body = R"({"number": 5, "title": "Wrong sum", "body": "It is 1 cent off.", "state": "open"})";
  fake_.fail("GET", "/repos/acme/tracker/issues/5", issue, 2);
  result();
  EXPECT_EQ(commits_above_the_plan(), "1");
}

TEST_F(ExecutorAgentTest, AnEditedIssueVoidsTheApprovalAndThatIsToldThere) {
  config_.set("notes", Json::object({{"github", true}}));
  work::Item other = item();
  other.request.text = "It was 2 cents off when it was planned.";
  other.source_sha256 = work::sha256_of(other.request);
  approve(other);
  EXPECT_THAT(failure(), AllOf(HasSubstr("approval void"), HasSubstr("edited after it had been planned")));
  EXPECT_EQ(sessions(), 0);
  EXPECT_EQ(head(), planned_);
  ASSERT_THAT(fake_.comments(1), SizeIs(1));
  EXPECT_THAT(fake_.comments(1)[0], AllOf(HasSubstr("could not do this"), HasSubstr("approval void")));
}

TEST_F(ExecutorAgentTest, AnotherPlanInTheBranchVoidsTheApproval) {
  work::Plan other = plan();
  other = work::Plan(Json(other.document).set("summary", "Something else."));
  server_.commit(kShop, kBranch, {{kPlanFile, Blob{plan_page::file_of(other, kRequest)}}});
  EXPECT_THAT(failure(), HasSubstr("approval void: the plan in the branch"));
  server_.commit(kShop, kBranch, {{kPlanFile, std::nullopt}});
  EXPECT_THAT(failure(), HasSubstr("approval void: the plan in the branch"));
  run_git(server_.repository(kShop), {"branch", "-f", kBranch, "main"});
  EXPECT_THAT(failure(), HasSubstr("was rewritten"));
  EXPECT_EQ(sessions(), 0);
}

TEST_F(ExecutorAgentTest, AnEarlierApprovalOfTheChainThatCountsNoMoreIsNotAskedForHere) {
  work::Item repair = item();
  repair.round = 1;
  repair.approved =
      work::Approved{plan().sha256, "github:user-12", "12", "github comment", std::string(64, 'c')};
  approve(repair);
  set_approval({});
  fake_.permit(12, "read");
  EXPECT_THAT(failure(), HasSubstr("nothing is carried out: the approval does not count"));
  EXPECT_FALSE(got_.result["approval_refused"].bool_or(false)) << "this task ran on none";
}

TEST_F(ExecutorAgentTest, ThatAnApprovalDoesNotCountIsToldWhereTheTaskCameFrom) {
  config_.set("notes", Json::object({{"github", true}}));
  fake_.permit(12, "read");
  EXPECT_THAT(failure(), HasSubstr("the approval does not count"));
  EXPECT_THAT(fake_.comments(1),
              testing::ElementsAre(AllOf(HasSubstr("waits for an approval"), HasSubstr("does not count"),
                                         HasSubstr("by somebody who may"))));
}

TEST_F(ExecutorAgentTest, WhoMayNotWriteApprovesNothing) {
  fake_.permit(12, "read");
  EXPECT_THAT(failure(), HasSubstr("the approval does not count"));
  EXPECT_TRUE(got_.result["approval_refused"].bool_or(false)) << "another one still may";
  set_approval(Json::object({{"by", "slack:U1"},
                             {"actor_id", "U1"},
                             {"way", "slack button"},
                             {"content_hash", std::string(64, 'c')}}));
  EXPECT_THAT(failure(), HasSubstr("the approval does not count"));
  EXPECT_TRUE(got_.result["approval_refused"].bool_or(false));
  fake_.permit(12, "write");
  fake_.permit(11, "read");
  approve();
  EXPECT_THAT(failure(), HasSubstr("write is the least")) << "nor does one who may not ask";
  EXPECT_FALSE(got_.result["approval_refused"].bool_or(false)) << "which no other approval mends";
  EXPECT_EQ(sessions(), 0);
  EXPECT_THAT(server_.seen(), IsEmpty());
}

TEST_F(ExecutorAgentTest, WhoeverHasTheAdminTokenMayApproveAndThePlansFileIsNotTheModelsToChange) {
  set_approval(Json::object(
      {{"by", "admin"}, {"actor_id", ""}, {"way", "cli"}, {"content_hash", std::string(64, 'c')}}));
  config_.set("keep_plan", true);
  play(put("src/total", "2\n") + put(kPlanFile, "another\n"));
  result();
  EXPECT_EQ(git({"diff", "--name-only", planned_, kBranch}), "src/total");
  EXPECT_THAT(scripted::lines_of(transcript_, "approval"), HasSubstr("was approved by admin"));
}

}  // namespace
}  // namespace executor_test
