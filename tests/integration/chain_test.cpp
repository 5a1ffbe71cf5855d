// Agents that hand over to one another, in the real program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/running_host.h"

namespace davit::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ChainTest : public ::testing::Test {
 protected:
  ChainTest() { host.install(DAVIT_BUILD_DIR "/tests/plugins/scripted_agent.so"); }
  void start(const std::string& sections = "agents: {worker: {}, second: {}, third: {}}\n") {
    host.configure(sections);
    ASSERT_TRUE(host.start()) << host.log();
  }
  // Makes a task for the agent "worker"; its id.
  std::string make(const std::string& payload) {
    auto answer =
        host.api("POST", "/api/tasks", R"({"agent":"worker","title":"A chain","payload":)" + payload + "}");
    EXPECT_EQ(answer.status, 201) << answer.body;
    return string_member(*parse_json(answer.body), "task_id");
  }
  // The task after this one in its chain, once this one has ended.
  std::string after(const std::string& id) {
    const JsonDocument task = host.wait_for_task(id, {"completed", "failed"});
    for (const JsonValue& link : (*find_member(task, "chain")).GetArray())
      if (string_member(link, "parent_id") == id) return string_member(link, "task_id");
    return {};
  }
  RunningHost::Output davit(std::vector<std::string> words) {
    words.push_back("--url=http://127.0.0.1:" + std::to_string(host.port()));
    return host.command(std::move(words));
  }
  RunningHost host;
};

TEST_F(ChainTest, TheApiAndTheCommandLineShowAChainWhole) {
  start();
  const std::string first = make(R"({"mode":"chain","next":"second"})");
  const std::string second = after(first);
  const JsonDocument task = host.wait_for_task(second, {"completed"});
  EXPECT_EQ(to_json(*find_member(task, "chain_agents")), R"(["worker","second"])");
  EXPECT_EQ(int_member(task, "chain_tasks"), 2);
  const JsonValue& chain = *find_member(task, "chain");
  ASSERT_EQ(chain.Size(), 2u);
  EXPECT_EQ(string_member(chain[0], "task_id"), first);
  EXPECT_EQ(string_member(chain[0], "agent"), "worker");
  EXPECT_EQ(string_member(chain[0], "status"), "completed");
  EXPECT_EQ(string_member(chain[1], "parent_id"), first);
  EXPECT_EQ(int_member(chain[1], "chain_depth"), 2);

  const auto shown = davit({"tasks", "show", second});
  EXPECT_EQ(shown.status, 0) << shown.text;
  EXPECT_THAT(shown.text, HasSubstr("Chain of 2 tasks"));
  EXPECT_THAT(shown.text, HasSubstr("  1. " + first + "  worker  completed\n"));
  EXPECT_THAT(shown.text, HasSubstr("* 2. " + second + "  second  completed\n"));
}

TEST_F(ChainTest, HowOftenAnAgentMayStandInAChainIsConfiguredAndReloaded) {
  start();
  const std::string refused = make(R"({"mode":"again"})");
  EXPECT_THAT(string_member(host.wait_for_task(refused, {"failed"}), "error"),
              HasSubstr("chain.max_visits is 1"));
  host.configure("chain: {max_visits: 2}\nagents: {worker: {}, second: {}, third: {}}\n");
  ASSERT_EQ(davit({"reload"}).status, 0);
  const std::string second = after(make(R"({"mode":"again"})"));
  EXPECT_THAT(string_member(host.wait_for_task(second, {"failed"}), "error"),
              HasSubstr("it was there already (worker, worker); chain.max_visits is 2"));
}

TEST_F(ChainTest, AgentsAreFoundByWhatTheyCanDo) {
  host.install(DAVIT_BUILD_DIR "/tests/plugins/good_agent.so");
  start("agents: {worker: {}, good-agent: {}}\n");
  const std::string planners = host.api("GET", "/api/dashboard/agents?capability=planning").body;
  EXPECT_THAT(planners, HasSubstr(R"("name":"good-agent")"));
  EXPECT_THAT(planners, Not(HasSubstr(R"("name":"worker")")));
  EXPECT_THAT(host.api("GET", "/api/dashboard/agents").body, HasSubstr(R"("name":"worker")"));
  EXPECT_EQ(host.api("GET", "/api/dashboard/agents?capability=flying").body, R"({"agents":[]})");
  EXPECT_EQ(host.api("GET", "/api/dashboard/agents?can=fly").status, 400);
  EXPECT_THAT(davit({"plugins", "list", "--capability", "planning"}).text, HasSubstr("good-agent"));
  EXPECT_THAT(davit({"plugins", "list", "--capability", "flying"}).text,
              HasSubstr("No agent is capable of flying."));
}

}  // namespace
}  // namespace davit::testing
