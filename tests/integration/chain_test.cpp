// Agents that hand over to one another, in the real program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/running_host.h"

namespace davit::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
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
  start("chain: {max_visits: 1}\nagents: {worker: {}, second: {}, third: {}}\n");
  const std::string refused = make(R"({"mode":"again"})");
  EXPECT_THAT(string_member(host.wait_for_task(refused, {"failed"}), "error"),
              HasSubstr("chain.max_visits is 1"));
  host.configure("chain: {max_visits: 2}\nagents: {worker: {}, second: {}, third: {}}\n");
  ASSERT_EQ(davit({"reload"}).status, 0);
  const std::string second = after(make(R"({"mode":"again"})"));
  EXPECT_THAT(string_member(host.wait_for_task(second, {"failed"}), "error"),
              HasSubstr("it was there already (worker, worker); chain.max_visits is 2"));
}

TEST_F(ChainTest, SomebodyIsToldWhenTheWorkOfAChainStops) {
  const std::string agents = "agents: {worker: {}, second: {}, third: {}}\n";
  const auto told = [&] {
    const auto answer = parse_json(host.api("GET", "/api/dashboard/tasks?agent=third").body);
    std::vector<std::string> titles;
    for (const JsonValue& task : (*find_member(*answer, "tasks")).GetArray())
      titles.push_back(string_member(task, "title"));
    return titles;
  };
  start(agents);
  host.wait_for_task(make(R"({"mode":"chain","next":"nobody"})"), {"failed"});
  EXPECT_THAT(told(), IsEmpty());

  host.configure("chain: {notify: third}\n" + agents);
  ASSERT_EQ(davit({"reload"}).status, 0);
  const std::string failed = make(R"({"mode":"chain","next":"nobody"})");
  host.wait_for_task(failed, {"failed"});
  EXPECT_THAT(told(), ElementsAre("Failed: A chain")) << "with the end, not after it";
  const std::string teller = [&] {
    const auto answer = parse_json(host.api("GET", "/api/dashboard/tasks?agent=third").body);
    return string_member((*find_member(*answer, "tasks"))[0], "task_id");
  }();
  const JsonDocument task = host.wait_for_task(teller, {"failed"});  // which is told to nobody
  EXPECT_EQ(string_member(*find_member(task, "payload"), "task_id"), failed);
  EXPECT_THAT(string_member(*find_member(task, "payload"), "reason"), HasSubstr("no such agent"));

  // The configuration's is known from the start on, and to commands on a database without a host.
  ASSERT_EQ(host.end(SIGTERM), 0);
  ASSERT_EQ(host.command({"tasks", "retry", failed, "--offline"}).status, 0);
  ASSERT_EQ(host.command({"tasks", "cancel", failed, "--offline"}).status, 0);
  ASSERT_TRUE(host.start()) << host.log();
  EXPECT_THAT(told(), ElementsAre("Cancelled: A chain", "Failed: A chain"));
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
