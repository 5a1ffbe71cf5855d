// What agents are given and what they say, as the SDK reads and writes it.
#include "davit/agent.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "davit/json.hpp"
#include "davit/testing/driver.hpp"

namespace {

using namespace davit;
using davit::testing::AgentDriver;

TEST(AgentContextTest, TellsBudgetRetriesStateSandboxAndApproval) {
  const AgentContext context(Json::parse(
      R"({"attempt":2,"max_retries":3,"chain_depth":4,"state_folder":"/var/agents","budget_usd":1.5,)"
      R"("sandbox":{"command":"bubble","required":false},)"
      R"("approval":{"by":"github:bob","actor_id":"42","way":"github comment","at":6,"content_hash":"cc"}})"));
  EXPECT_EQ(context.max_retries, 3);
  EXPECT_EQ(context.chain_depth, 4);
  EXPECT_EQ(context.state_folder, "/var/agents");
  EXPECT_EQ(context.budget_usd, 1.5);
  EXPECT_EQ(context.sandbox.command, "bubble");
  EXPECT_FALSE(context.sandbox.required);
  ASSERT_TRUE(context.approval);
  EXPECT_EQ(context.approval->by, "github:bob");
  EXPECT_EQ(context.approval->actor_id, "42");
  EXPECT_EQ(context.approval->way, "github comment");
  EXPECT_EQ(unix_ms(context.approval->at), 6);
  EXPECT_EQ(context.approval->content_hash, "cc");
}

TEST(AgentResultTest, NamesWhatElseItIsAbout) {
  const Json json = AgentResult::ok().also_about("github:o/r#12").to_json();
  EXPECT_EQ(json["also"].dump(), R"(["github:o/r#12"])");
  EXPECT_EQ(AgentResult::from_json(json).also, std::vector<std::string>{"github:o/r#12"});
  EXPECT_FALSE(AgentResult::ok().to_json().has("also"));
}

TEST(AgentResultTest, SaysThatAnApprovalDoesNotCountSoThatAnOlderHostFailsForGood) {
  const Json json = AgentResult::approval_does_not_count("bob may not write").to_json();
  EXPECT_EQ(json.dump(), R"({"success":false,"output":null,"error":"bob may not write",)"
                         R"("error_class":"permanent","approval_refused":true})");
  EXPECT_TRUE(AgentResult::from_json(json).approval_refused);
  EXPECT_FALSE(AgentResult::failed("no").to_json().has("approval_refused"));
  const Json plain = AgentResult::failed("no").to_json();
  EXPECT_FALSE(AgentResult::from_json(plain).approval_refused);
}

TEST(AgentContextTest, UsageSaysThatItsCostIsAnEstimateOnlyWhereItIs) {
  EXPECT_FALSE(Usage{.cost_usd = 1}.to_json().has("cost_is_estimate"));
  const Json estimate = Usage{.cost_usd = 1, .cost_is_estimate = true}.to_json();
  EXPECT_TRUE(Usage::from_json(estimate).cost_is_estimate);
}

TEST(AgentContextTest, OfAnOlderHostKnowsNoLimitsButThatASandboxIsRequired) {
  const AgentContext context(AgentDriver::context());
  EXPECT_FALSE(context.max_retries);
  EXPECT_EQ(context.chain_depth, 1);
  EXPECT_TRUE(context.state_folder.empty());
  EXPECT_FALSE(context.budget_usd);
  EXPECT_EQ(context.sandbox.command, "bwrap");
  EXPECT_TRUE(context.sandbox.required);
  EXPECT_FALSE(context.approval);
}

}  // namespace
