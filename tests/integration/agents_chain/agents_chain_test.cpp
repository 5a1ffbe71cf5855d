// From a signed delivery to a pull request whose checks are green, through the real host and the built
// agents.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <ctime>

#include "tests/integration/agents_chain/agents_host.h"

namespace davit::testing {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

class AgentsChainTest : public ::testing::Test {
 protected:
  // The one pull request, made once and as it should be.
  void expect_the_right_change(int number, const std::vector<std::string>& commits) {
    const std::string branch = at.branch();
    EXPECT_EQ(at.git({"for-each-ref", "--format=%(refname)", "refs/heads", "refs/tags"}),
              "refs/heads/" + branch + "\nrefs/heads/main");
    EXPECT_EQ(at.git({"show", "main:src/cart.cpp"}) + "\n", AgentsHost::kWrong);
    EXPECT_EQ(at.git({"diff", "--name-only", "main", branch}), AgentsHost::kFile);
    EXPECT_EQ(at.git({"show", branch + ":src/cart.cpp"}) + "\n", AgentsHost::kRight);
    std::string log;
    for (const std::string& commit : commits)
      log += (log.empty() ? "" : "\n") + std::string("davit <davit@users.noreply.github.com> ") + commit;
    EXPECT_EQ(at.git({"log", "--format=%an <%ae> %s", "main.." + branch}), log);

    ASSERT_EQ(at.github.pulls(), 1u);
    const Json pull = at.github.pull(number);
    EXPECT_EQ(pull["state"], "open");
    EXPECT_FALSE(pull["draft"].bool_or(true));
    EXPECT_EQ(pull.at_pointer("/head/ref"), branch);
    EXPECT_EQ(pull.at_pointer("/base/ref"), "main");
    EXPECT_THAT(std::string(pull["body"].string_or("")), HasSubstr("its tests pass"));
    const std::string head = at.git({"rev-parse", branch});
    const std::vector<Json> reviews = at.github.reviews(number);
    ASSERT_FALSE(reviews.empty());
    EXPECT_EQ(reviews.back()["commit_id"], head);
    for (const Json& review : reviews) {
      EXPECT_EQ(review["event"], "COMMENT");
      EXPECT_EQ(review["comments"][0]["path"], AgentsHost::kFile);
      EXPECT_EQ(review["comments"][0]["line"].int_or(0), 1);
    }
    expect_no_forbidden_call();
  }

  // Each is asked with the token, and nobody merges, approves, closes or pushes by another way.
  void expect_no_forbidden_call() {
    for (const Asked& asked : at.github.seen()) {
      EXPECT_EQ(asked.header("Authorization"), std::string("Bearer ") + FakeGithub::kToken) << asked.target;
      EXPECT_THAT(asked.method, Not(::testing::AnyOf("PUT", "DELETE"))) << asked.target;
      EXPECT_THAT(asked.body, AllOf(Not(HasSubstr("APPROVE")), Not(HasSubstr("\"state\"")),
                                    Not(HasSubstr(FakeGithub::kToken))));
    }
    for (const std::string& line : at.github.journal()) {
      const bool is_of_the_repository = line.find(" /repos/acme/shop") != std::string::npos;
      const bool is_of_somebody = line.starts_with("GET /user") || line == "POST /graphql" ||
                                  line.starts_with("GET /repos/acme/warehouse/");
      EXPECT_TRUE(is_of_the_repository || is_of_somebody) << line;
    }
  }

  // What the sessions said they cost is what the chain cost.
  void expect_cost(const Json& all, int sessions, double usd) {
    EXPECT_EQ(at.sessions(all), sessions);
    EXPECT_NEAR(all["chain_cost_usd"].number_or(0), usd, 1e-9);
    EXPECT_NEAR(at.cost_of_executions(all), usd, 1e-9);
    double by_tasks = 0;
    for (const JsonView link : all["chain"]) by_tasks += link["total_cost_usd"].number_or(0);
    EXPECT_NEAR(by_tasks, usd, 1e-9);
  }

  // A chain of another sender, for which the repository is to be found.
  void to_green_checks_from(const std::string& root) {
    ASSERT_NE(root, "") << at.said << at.davit.log();
    EXPECT_TRUE(at.approve(at.waiting(root)));
    const Json all = at.ended(root);
    ASSERT_THAT(AgentsHost::states(all), ElementsAre("discovery-agent completed", "planning-agent completed",
                                                     "executor-agent completed",
                                                     "code-review-agent completed", "cicd-agent completed"))
        << all.dump() << at.davit.log();
    expect_the_right_change(2, {"Add the two", "Plan: " + title});
    EXPECT_THAT(at.github.reviews(2), SizeIs(1));
    EXPECT_THAT(at.github.comments(1), IsEmpty());
    EXPECT_THAT(at.github.comments(2), IsEmpty());
    expect_cost(all, 3, AgentsHost::kPlanUsd + AgentsHost::kExecuteUsd + AgentsHost::kReviewUsd);
  }

  // As the API writes a time; those of one form are in the order of what they stand for.
  static std::string iso8601(std::chrono::sys_seconds time) {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    return text;
  }

  AgentsHost at;
  std::string title;  // of the request
};

TEST_F(AgentsChainTest, FromAGithubIssueToGreenChecks) {
  at.start();
  const std::string root = at.label_issue();
  const AgentsHost::Waiting waiting = at.waiting(root);
  EXPECT_EQ(at.git({"diff", "--name-only", "main", at.branch()}), "docs/plans/shop-1.md");
  const std::string command = at.told_command(1);
  EXPECT_EQ(command, "/davit approve " + waiting.hash);
  EXPECT_THAT(at.github.comments(1),
              ElementsAre(AllOf(HasSubstr("waits for an approval"), HasSubstr("/acme/shop/pull/2"),
                                HasSubstr("this hash is void"))));
  at.comment(1, command);
  EXPECT_THAT(at.said, HasSubstr("approve accepted"));
  const Json all = at.ended(root);
  ASSERT_THAT(AgentsHost::states(all), ElementsAre("planning-agent completed", "executor-agent completed",
                                                   "code-review-agent completed", "cicd-agent completed"))
      << all.dump() << at.davit.log();
  expect_the_right_change(2, {"Add the two", "Plan: Wrong sum"});
  EXPECT_THAT(at.github.reviews(2), SizeIs(1));
  EXPECT_THAT(at.github.comments(1), ElementsAre(StartsWith("davit is done"))) << "one through all stages";
  EXPECT_THAT(at.github.comments(2), IsEmpty());
  expect_cost(all, 3, AgentsHost::kPlanUsd + AgentsHost::kExecuteUsd + AgentsHost::kReviewUsd);
}

TEST_F(AgentsChainTest, FromAJiraIssueToGreenChecks) {
  title = "Unit test summary";
  at.start();
  to_green_checks_from(at.send("jira", "jira/testdata/payloads/derived-issue-created-ai-fix.json",
                               {{"some-instance-test.atlassian.net", at.jira.url().substr(7)}}));
  EXPECT_THAT(at.jira.texts(),
              ElementsAre(AllOf(StartsWith("davit is done"), HasSubstr("/acme/shop/pull/2"))));
}

TEST_F(AgentsChainTest, FromASentryAlertToGreenChecks) {
  title = "Exception: Custom exception!";
  at.start();
  to_green_checks_from(
      at.send("sentry", "sentry/testdata/payloads/event-alert-triggered-python-exception.json",
              {{"hypro999-personal-organization", "acme"}, {"trigger-exception.py", AgentsHost::kFile}},
              "event_alert"));
  EXPECT_THAT(at.sentry.texts(),
              ElementsAre(AllOf(StartsWith("davit is done"), HasSubstr("/acme/shop/pull/2"))));
}

TEST_F(AgentsChainTest, FromASlackMentionToGreenChecks) {
  title = "Make the sum right";
  at.start();
  to_green_checks_from(at.send("slack", "slack/testdata/payloads/app-mention.json",
                               {{"<@U123> test", "<@U123> Make the sum right"}}));
  EXPECT_THAT(at.slack.texts(),
              ElementsAre(AllOf(StartsWith("davit is done"), HasSubstr("/acme/shop/pull/2"))));
}

TEST_F(AgentsChainTest, FromAStandardEventToGreenChecks) {
  title = "Checkout answers 500";
  at.start();
  to_green_checks_from(at.send("incidents", "standard/testdata/incident_created.delivery.json",
                               {{"https://github.com/acme/shop/pull/88", "acme/shop#88"}}));
}

// The executor's own test is content with the first try, the checks are not.
TEST_F(AgentsChainTest, WhatChecksFindGoesBackOnceAndIsRepaired) {
  at.execute(AgentsHost::kHalf);
  at.start();
  const std::string root = at.label_issue();
  EXPECT_TRUE(at.approve(at.waiting(root)));
  const Json all = at.ended(root);
  ASSERT_THAT(AgentsHost::states(all),
              ElementsAre("planning-agent completed", "executor-agent completed",
                          "code-review-agent completed", "cicd-agent completed", "executor-agent completed",
                          "code-review-agent completed", "cicd-agent completed"))
      << all.dump() << at.davit.log();
  expect_the_right_change(2, {"Add each of the two", "Add the two", "Plan: Wrong sum"});
  EXPECT_THAT(at.github.reviews(2), SizeIs(2)) << "one of each commit";
  EXPECT_THAT(at.github.comments(1), ElementsAre(StartsWith("davit is done")));
  expect_cost(all, 5, AgentsHost::kPlanUsd + 2 * AgentsHost::kExecuteUsd + 2 * AgentsHost::kReviewUsd);
}

TEST_F(AgentsChainTest, ARejectedPlanIsMadeAnewWithWhatWasSaidOfIt) {
  at.start();
  const std::string root = at.label_issue();
  const AgentsHost::Waiting first = at.waiting(root);
  at.plan("The sum subtracts, and the tax is left out.");
  at.comment(2, "/davit reject What about the tax?");
  EXPECT_THAT(at.said, HasSubstr("reject accepted"));
  ASSERT_TRUE(comes([&] { return at.what_waits(at.task(root)).value_or(first).task != first.task; }));
  const AgentsHost::Waiting second = at.waiting(root);
  EXPECT_NE(second.hash, first.hash);
  const Json pull = at.github.pull(2);
  EXPECT_THAT(std::string(pull["body"].string_or("")), HasSubstr("the tax is left out"));
  EXPECT_EQ(at.git({"rev-list", "--count", "main.." + at.branch()}), "2")
      << "the first plan stays to be seen";
  EXPECT_TRUE(at.approve(second));
  const Json all = at.ended(root);
  ASSERT_THAT(AgentsHost::states(all),
              ElementsAre("planning-agent completed", "executor-agent cancelled", "planning-agent completed",
                          "executor-agent completed", "code-review-agent completed", "cicd-agent completed"))
      << all.dump() << at.davit.log();
  expect_the_right_change(2, {"Add the two", "Plan: Wrong sum", "Plan: Wrong sum"});
  expect_cost(all, 4, 2 * AgentsHost::kPlanUsd + AgentsHost::kExecuteUsd + AgentsHost::kReviewUsd);
}

// The host is killed while they wait, too.
TEST_F(AgentsChainTest, WhatMeetsAnExhaustedAccountWaitsUntilItsTimeAndUsesNothing) {
  constexpr int kIssues = 5;
  for (int number = 2; number <= kIssues; ++number) at.github.add_issue("Wrong sum", "total(2, 3) is -1.");
  at.further_lines["planning-agent"] = "concurrency: 1\n    max_retries: 0";
  at.start();
  const auto end = std::chrono::ceil<std::chrono::seconds>(std::chrono::system_clock::now()) +
                   std::chrono::seconds(15);
  at.limit_plans(end);
  std::vector<std::string> tasks;
  for (int number = 1; number <= kIssues; ++number) {
    tasks.push_back(at.label_issue(number));
    ASSERT_NE(tasks.back(), "") << at.said;
  }
  Json queue;
  ASSERT_TRUE(comes([&] {
    queue = Json::parse(at.davit.api("GET", "/api/dashboard/queue").body);
    return !queue["pauses"].empty();
  })) << at.davit.log();
  const JsonView pause = queue["pauses"][0];
  EXPECT_EQ(pause["agent"], "planning-agent");
  EXPECT_EQ(pause["by"], "the agent");
  EXPECT_THAT(std::string(pause["reason"].string_or("")), HasSubstr("rate limit"));
  EXPECT_THAT(at.davit.api("GET", "/metrics").body, HasSubstr("davit_queue_paused{agent=\"planning-agent\"} 1"));
  at.davit.kill();
  at.plan();  // what is said from then on
  ASSERT_TRUE(at.davit.start()) << at.davit.log();

  int limited = 0, put_off = 0, sessions = 0;
  for (const std::string& id : tasks) {
    Json task;
    EXPECT_TRUE(comes([&] {
      task = at.task(id);
      return task["status"] == "completed" || task["status"] == "failed";
    }));
    EXPECT_EQ(task["status"], "completed") << task.dump();
    for (const JsonView execution : task["agent_executions"]) {
      EXPECT_EQ(execution["attempt"].int_or(0), 1) << "none has used one";
      const bool waited = execution["outcome"] == "put_off";
      put_off += waited;
      limited += execution["error_class"] == "rate_limited";
      if (execution["outcome"] == "completed") {
        EXPECT_GE(std::string(execution["started_at"].string_or("")), iso8601(end));
      } else {
        EXPECT_EQ(execution["total_cost_usd"].number_or(-1), 0);
      }
    }
    sessions += at.sessions(task);
  }
  EXPECT_EQ(limited, 1);
  EXPECT_LE(put_off, 2) << "one before the kill, and at most one after it";
  EXPECT_EQ(sessions, 1 + kIssues);
  queue = Json::parse(at.davit.api("GET", "/api/dashboard/queue").body);
  EXPECT_TRUE(queue["pauses"].empty()) << queue.dump();
}

TEST_F(AgentsChainTest, AStrangersIssueMakesNothingAndNobodyIsTold) {
  at.github.permit(AgentsHost::kLabeller, "read");
  at.start();
  const Json all = at.ended(at.label_issue());
  EXPECT_THAT(AgentsHost::states(all), ElementsAre("planning-agent failed"));
  EXPECT_THAT(std::string(all["error"].string_or("")), HasSubstr("write is the least"));
  EXPECT_TRUE(at.has_told_of_the_end());
  EXPECT_THAT(at.changes(), IsEmpty());
  EXPECT_THAT(at.repositories.seen(), IsEmpty()) << "nothing was fetched";
  expect_cost(all, 0, 0);
}

TEST_F(AgentsChainTest, ThatChecksStayRedIsToldWhereItWasAskedFor) {
  at.execute(AgentsHost::kHalf);
  at.start({{"cicd-agent", Json::parse(R"({"settle_seconds": 0, "poll_seconds": 1, "max_rounds": 0})")}});
  const std::string root = at.label_issue();
  EXPECT_TRUE(at.approve(at.waiting(root)));
  const Json all = at.ended(root);
  EXPECT_THAT(AgentsHost::states(all), ElementsAre("planning-agent completed", "executor-agent completed",
                                                   "code-review-agent completed", "cicd-agent failed"));
  EXPECT_TRUE(at.has_told_of_the_end());
  EXPECT_THAT(at.github.comments(1), ElementsAre(StartsWith("davit could not do this.")));
  expect_no_forbidden_call();
}

TEST_F(AgentsChainTest, AnApprovalByWhoMayNotWriteIsNotUsedUp) {
  at.github.permit(AgentsHost::kCommenter, "read");
  at.start();
  const std::string root = at.label_issue();
  const AgentsHost::Waiting waiting = at.waiting(root);
  const std::string command = at.told_command(1);
  at.comment(2, command);
  EXPECT_THAT(at.said, HasSubstr("approve accepted"));
  // It waits again for the same, and whoever looks at the issue reads why.
  ASSERT_TRUE(comes([&] {
    const Json shown = at.task(waiting.task);
    return shown["decisions"].dump().find("\"refused\"") != std::string::npos &&
           at.what_waits(at.task(root)).has_value();
  })) << at.davit.log();
  EXPECT_EQ(at.what_waits(at.task(root))->hash, waiting.hash);
  ASSERT_TRUE(comes([&] {
    const std::vector<std::string> notes = at.github.comments(1);
    return notes.size() == 1 && notes[0].find("does not count, so it takes one by") != std::string::npos;
  }));
  EXPECT_THAT(at.github.comments(1),
              ElementsAre(AllOf(StartsWith("davit has a proposal and waits for an approval."),
                                HasSubstr("    " + command + "\n"))));
  EXPECT_EQ(at.git({"diff", "--name-only", "main", at.branch()}), "docs/plans/shop-1.md");
  at.comment(2, command + " please");
  EXPECT_THAT(at.said, HasSubstr("waits for somebody else")) << "the same person starts it no second time";

  at.comment(2, command, AgentsHost::kLabeller);
  EXPECT_THAT(at.said, HasSubstr("approve accepted"));
  const Json all = at.ended(root);
  ASSERT_THAT(AgentsHost::states(all), ElementsAre("planning-agent completed", "executor-agent completed",
                                                   "code-review-agent completed", "cicd-agent completed"))
      << all.dump() << at.davit.log();
  expect_the_right_change(2, {"Add the two", "Plan: Wrong sum"});
  EXPECT_THAT(at.github.comments(1), ElementsAre(StartsWith("davit is done")));
  expect_cost(all, 3, AgentsHost::kPlanUsd + AgentsHost::kExecuteUsd + AgentsHost::kReviewUsd);
}

}  // namespace
}  // namespace davit::testing
