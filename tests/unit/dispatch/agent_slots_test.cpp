#include "host/dispatch/agent_slots.h"

#include <gtest/gtest.h>

namespace davit::dispatch {
namespace {

class AgentSlotsTest : public testing::Test {
 protected:
  std::shared_ptr<plugin::Agent> add(const std::string& name, int concurrency) {
    auto agent = std::make_shared<plugin::Agent>();
    agent->settings.name = name;
    agent->settings.concurrency = concurrency;
    agent->generation = std::make_shared<const plugin::Generation>();
    plugins_.agents[name] = agent;
    return agent;
  }
  std::vector<ClaimedTask> tasks(const std::string& agent, int count) {
    std::vector<ClaimedTask> claimed(static_cast<std::size_t>(count));
    for (ClaimedTask& task : claimed) {
      task.agent = agent;
      slots_.take(agent);
    }
    return claimed;
  }
  plugin::Snapshot plugins_;
  AgentSlots slots_;
};

TEST_F(AgentSlotsTest, AsksForAllFreeSlotsOfTheServingAgents) {
  add("a", 2);
  add("b", 3);
  add("off", 5)->state = plugin::ServingState::Disabled;
  slots_.adopt(plugins_);
  slots_.take("b");
  auto claim = slots_.next_claim(16);
  ASSERT_EQ(claim.request.agents.size(), 2u);
  EXPECT_EQ(claim.request.agents[0].free_slots, 2);
  EXPECT_EQ(claim.request.agents[1].free_slots, 2);
  EXPECT_EQ(claim.request.limit, 4);
  EXPECT_EQ(slots_.next_claim(3).request.limit, 3);
  EXPECT_TRUE(slots_.next_claim(0).request.agents.empty());
}

TEST_F(AgentSlotsTest, StopsAskingForAnAgentWhoseTasksAreUsedUpUntilThereMayBeMore) {
  add("a", 2);
  add("b", 2);
  slots_.adopt(plugins_);
  auto claim = slots_.next_claim(16);
  slots_.claimed(claim.request, tasks("a", 2));
  EXPECT_TRUE(slots_.expects_tasks()) << "a took all it could";
  slots_.release("a");
  claim = slots_.next_claim(16);
  ASSERT_EQ(claim.request.agents.size(), 1u);
  EXPECT_EQ(claim.request.agents[0].agent, "a");
  slots_.claimed(claim.request, {});
  EXPECT_FALSE(slots_.expects_tasks());
  EXPECT_TRUE(slots_.next_claim(16).request.agents.empty());
  slots_.expect_tasks();
  EXPECT_EQ(slots_.next_claim(16).request.agents.size(), 2u);
}

TEST_F(AgentSlotsTest, AClaimThatGaveAllItWasAskedForSaysNothingAboutTheOthers) {
  add("a", 4);
  add("b", 4);
  slots_.adopt(plugins_);
  auto claim = slots_.next_claim(4);
  slots_.claimed(claim.request, tasks("a", 4));
  EXPECT_TRUE(slots_.expects_tasks());
  EXPECT_EQ(slots_.next_claim(4).request.agents.at(0).agent, "b");
}

TEST_F(AgentSlotsTest, SlotsThatAClaimUnderWayAsksForAreNotFree) {
  add("a", 3);
  slots_.adopt(plugins_);
  auto claim = slots_.next_claim(2);
  slots_.asked(claim.request);
  EXPECT_TRUE(slots_.next_claim(16).request.agents.empty());
  slots_.answered(claim.request);
  slots_.claimed(claim.request, tasks("a", 2));
  EXPECT_EQ(slots_.next_claim(16).request.limit, 1);
}

TEST_F(AgentSlotsTest, AnAgentThatIsGoneMayBeAnsweredFor) {
  add("a", 1);
  slots_.adopt(plugins_);
  auto claim = slots_.next_claim(16);
  slots_.asked(claim.request);
  slots_.adopt(plugin::Snapshot{});
  slots_.answered(claim.request);
  EXPECT_FALSE(slots_.expects_tasks());
  slots_.adopt(plugins_);
  EXPECT_EQ(slots_.next_claim(16).request.limit, 1);
}

TEST_F(AgentSlotsTest, ANewConcurrencyAppliesWithTheNextSnapshotAndCountsWhatRuns) {
  add("a", 4);
  slots_.adopt(plugins_);
  for (int i = 0; i < 3; ++i) slots_.take("a");
  add("a", 2);
  slots_.adopt(plugins_);
  EXPECT_TRUE(slots_.next_claim(16).request.agents.empty());
  slots_.release("a");
  slots_.release("a");
  EXPECT_EQ(slots_.next_claim(16).request.limit, 1);
}

TEST_F(AgentSlotsTest, AnAgentThatIsGoneGetsNoMoreTasksAndItsRunnersAreNotNeeded) {
  add("a", 1);
  slots_.adopt(plugins_);
  isolation::RunnerSpec runner = slots_.next_claim(1).serving.at("a")->runner->spec();
  EXPECT_TRUE(slots_.needs(runner));
  slots_.take("a");
  slots_.adopt(plugin::Snapshot{});
  EXPECT_FALSE(slots_.needs(runner));
  slots_.release("a");
  slots_.expect_tasks();
  EXPECT_TRUE(slots_.next_claim(16).request.agents.empty());
}

TEST_F(AgentSlotsTest, ARunnerWithAnotherConfigurationIsNotNeeded) {
  add("a", 1);
  slots_.adopt(plugins_);
  isolation::RunnerSpec runner = slots_.next_claim(1).serving.at("a")->runner->spec();
  add("a", 1)->settings.config = R"({"changed":true})";
  slots_.adopt(plugins_);
  EXPECT_FALSE(slots_.needs(runner));
}

}  // namespace
}  // namespace davit::dispatch
