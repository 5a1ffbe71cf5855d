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
    return next_in_chain(task_, result, plugins_, {.max_depth = 3});
  }
  plugin::Snapshot plugins_;
  ClaimedTask task_;
  std::string next_input_;
  bool wait_ = false;
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

}  // namespace
}  // namespace davit::dispatch
