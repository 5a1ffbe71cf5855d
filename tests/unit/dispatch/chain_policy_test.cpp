#include "host/dispatch/chain_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace davit::dispatch {
namespace {

using testing::HasSubstr;

class ChainPolicyTest : public testing::Test {
 protected:
  ChainPolicyTest() {
    add("planner", plugin::ServingState::Serving);
    add("executor", plugin::ServingState::Serving).max_retries = 7;
    add("careful", plugin::ServingState::Serving).requires_approval = true;
    add("off", plugin::ServingState::Disabled);
    add("gone", plugin::ServingState::Missing);
    task_.agent = "planner";
    task_.task_type = "fix";
    task_.title = "a title";
    task_.entity = "github:a/b#1";
    task_.payload = R"({"own":1})";
  }
  plugin::Agent& add(const std::string& name, plugin::ServingState state) {
    auto agent = std::make_shared<plugin::Agent>();
    agent->settings.name = name;
    agent->state = state;
    plugins_.agents[name] = agent;
    return *agent;
  }
  ChainStep after(const std::string& next_agent) {
    AgentResult result;
    result.success = true;
    result.next_agent = next_agent;
    result.next_input = next_input_;
    result.wait_for_approval = wait_;
    for (const std::string& agent : follow_ups_) {
      NewTask task;
      task.agent = agent;
      result.tasks.push_back(task);
    }
    return next_in_chain(task_, result, plugins_, options_);
  }
  plugin::Snapshot plugins_;
  ClaimedTask task_;
  std::string next_input_;
  bool wait_ = false;
  std::vector<std::string> follow_ups_;
  ChainOptions options_{.max_depth = 3, .max_visits = 1};
};

TEST_F(ChainPolicyTest, EndsWhenTheResultNamesNobody) {
  ChainStep step = after("");
  EXPECT_FALSE(step.successor);
  EXPECT_EQ(step.refusal, "");
}

TEST_F(ChainPolicyTest, HandsTheTaskOnWithItsTypeTitleEntityAndTheRetriesOfTheNextAgent) {
  ChainStep step = after("executor");
  ASSERT_TRUE(step.successor) << step.refusal;
  EXPECT_EQ(step.successor->agent, "executor");
  EXPECT_EQ(step.successor->task_type, "fix");
  EXPECT_EQ(step.successor->title, "a title");
  EXPECT_EQ(step.successor->entity, "github:a/b#1");
  EXPECT_EQ(step.successor->max_retries, 7);
  EXPECT_EQ(step.successor->payload, "") << "means the task's own, for the store";
  EXPECT_FALSE(step.awaits_approval);
}

TEST_F(ChainPolicyTest, GivesTheNextAgentTheInputThatTheResultNames) {
  next_input_ = R"({"plan":2})";
  EXPECT_EQ(after("executor").successor->payload, R"({"plan":2})");
}

TEST_F(ChainPolicyTest, WaitsForApprovalWhenTheResultOrTheNextAgentDemandsIt) {
  EXPECT_TRUE(after("careful").awaits_approval);
  wait_ = true;
  EXPECT_TRUE(after("executor").awaits_approval);
}

TEST_F(ChainPolicyTest, AnAgentThatIsOnlyAwayForNowIsALegalSuccessor) {
  EXPECT_TRUE(after("gone").successor);
}

TEST_F(ChainPolicyTest, RefusesUnknownDisabledAndOwnNamesSayingWhy) {
  struct Row {
    std::string next;
    std::string why;
  };
  for (const Row& row :
       {Row{"nobody", "no such agent"}, Row{"off", "disabled"}, Row{"planner", "to itself"}}) {
    ChainStep step = after(row.next);
    EXPECT_FALSE(step.successor);
    EXPECT_THAT(step.refusal, HasSubstr("planner names " + row.next));
    EXPECT_THAT(step.refusal, HasSubstr(row.why));
  }
}

TEST_F(ChainPolicyTest, StopsAtTheConfiguredDepth) {
  task_.chain_depth = 2;
  EXPECT_TRUE(after("executor").successor);
  task_.chain_depth = 3;
  ChainStep step = after("executor");
  EXPECT_FALSE(step.successor);
  EXPECT_THAT(step.refusal, HasSubstr("chain.max_depth is 3"));
}

TEST_F(ChainPolicyTest, ALoopIsRefusedNamingTheAgentsOnTheWay) {
  task_.agent = "executor";
  task_.chain = {"planner"};
  task_.chain_depth = 2;
  ChainStep step = after("planner");
  EXPECT_FALSE(step.successor);
  EXPECT_EQ(step.refusal,
            "executor names planner as the next agent: it was there already (planner, executor);"
            " chain.max_visits is 1");
}

TEST_F(ChainPolicyTest, AVisitMoreIsAllowedWhereConfigured) {
  options_ = {.max_depth = 10, .max_visits = 2};
  task_.agent = "executor";
  task_.chain = {"planner"};
  EXPECT_TRUE(after("planner").successor);
  task_.chain = {"planner", "executor", "planner"};
  EXPECT_THAT(after("planner").refusal, HasSubstr("chain.max_visits is 2"));
}

TEST_F(ChainPolicyTest, FollowUpsAreLinksOfTheChainLikeAnyOther) {
  follow_ups_ = {"executor", "careful"};
  ChainStep step = after("");
  ASSERT_EQ(step.follow_ups.size(), 2u) << step.refusal;
  EXPECT_EQ(step.follow_ups[0].max_retries, 7);
  EXPECT_FALSE(step.follow_ups[0].awaits_approval);
  EXPECT_TRUE(step.follow_ups[1].awaits_approval);

  for (const auto& [agent, why] : {std::pair("nobody", "no such agent"), std::pair("off", "disabled"),
                                   std::pair("planner", "it was there already (planner)")}) {
    follow_ups_ = {"executor", agent};
    step = after("executor");
    EXPECT_THAT(step.refusal, HasSubstr("planner asks for a task of " + std::string(agent) + ": "));
    EXPECT_THAT(step.refusal, HasSubstr(why));
    EXPECT_TRUE(step.follow_ups.empty()) << "whole or not at all";
    EXPECT_FALSE(step.successor);
  }
  follow_ups_ = {"executor"};
  task_.chain_depth = 3;
  EXPECT_THAT(after("").refusal, HasSubstr("chain.max_depth is 3"));
}

TEST_F(ChainPolicyTest, ApprovalOfNothingIsRefused) {
  wait_ = true;
  EXPECT_EQ(after("").refusal,
            "planner asks for approval of nothing: wait_for_approval goes with a next_agent that waits");
}

}  // namespace
}  // namespace davit::dispatch
