// Agents that refuse to end, and everything they started, are gone soon after the deadline.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include "tests/faults/lane.h"
#include "tests/faults/misbehaviour.h"
#include "tests/faults/processes.h"
#include "tests/support/running_host.h"

namespace davit::faults {
namespace {

using namespace std::chrono_literals;
using ::davit::testing::RunningHost;
using ::testing::IsEmpty;
using ::testing::Not;

struct Refusal {
  const char* mode;
  std::size_t processes;  // that it makes, itself included
};
constexpr Refusal kRefusals[] = {
    {"deaf", 1}, {"daemon", 2}, {"stopped", 1}, {"pipe", 2}, {"storm", 1 + kStormSize}};

constexpr auto kTimeout = 3s;  // of the agent, as configured below
constexpr auto kGrace = 2s;    // between asking an agent to stop and killing it
constexpr auto kPromised = 3s;

TEST(ProcessTreeTest, WhateverRefusesToEndIsGoneSoonAfterItsDeadline) {
  keep_descendants();
  Luck luck;
  RunningHost host;
  host.install(DAVIT_BUILD_DIR "/tests/faults/unlucky_agent.so");
  host.configure("agents:\n  unlucky: {concurrency: 5, max_retries: 0, timeout_seconds: 3}\n");
  ASSERT_TRUE(host.start()) << host.log();

  std::size_t wanted = 0;
  for (const Refusal& refusal : kRefusals) wanted += refusal.processes;
  std::chrono::milliseconds longest{0};
  for (int trial = 0; trial < trials(2, 100); ++trial) {
    std::vector<Refusal> refusals(std::begin(kRefusals), std::end(kRefusals));
    std::shuffle(refusals.begin(), refusals.end(), luck.engine());
    std::vector<std::string> tasks;
    for (const Refusal& refusal : refusals) {
      auto answer =
          host.api("POST", "/api/tasks",
                   std::string(R"({"agent":"unlucky","payload":{"mode":")") + refusal.mode + "\"}}");
      ASSERT_EQ(answer.status, 201) << answer.body;
      tasks.push_back(string_member(*parse_json(answer.body), "task_id"));
    }
    ASSERT_TRUE(eventually([&] { return living_below(host.pid()).size() >= wanted; }, 20s))
        << "they did not all begin:" << names_of(living_below(host.pid())) << host.log();
    // The last of them began now or earlier, so its deadline is not later than this.
    const auto deadline = std::chrono::steady_clock::now() + kTimeout;
    EXPECT_TRUE(eventually([&] { return living_below(host.pid()).empty(); }, kTimeout + kGrace + kPromised))
        << "left running:" << names_of(living_below(host.pid()));
    longest = std::max(longest, std::chrono::duration_cast<std::chrono::milliseconds>(
                                    std::chrono::steady_clock::now() - deadline));
    for (const std::string& task : tasks) {
      auto shown = host.wait_for_task(task, {"failed"});
      EXPECT_THAT(string_member(shown, "error"), ::testing::HasSubstr("timed out after 3 s"));
    }
  }
  EXPECT_TRUE(host.running());
  std::cout << "from the last deadline to an empty tree, grace included: at most " << longest.count()
            << " ms\n";
  EXPECT_EQ(host.end(SIGTERM), 0);
  EXPECT_THAT(names_of(living_below(getpid())), ::testing::StrEq(" none"));
}

// The known-bad variant: a reaper that kills the group of the agent and nothing else.
std::vector<Process> left_by_a_group_kill(const Refusal& refusal) {
  const pid_t agent = ::fork();
  if (agent == 0) {
    ::setsid();
    refuse_to_end(refusal.mode);
    ::_exit(1);
  }
  // Before the agent leads a group, a kill of that group reaches nobody; before its children left the group,
  // it reaches them too.
  const auto stands = [&] {
    const auto living = living_below(getpid());
    const auto outside = std::count_if(living.begin(), living.end(), [&](const Process& one) {
      const pid_t group = ::getpgid(one.pid);
      return group > 0 && group != agent;
    });
    return ::getpgid(agent) == agent && static_cast<std::size_t>(outside) + 1 >= refusal.processes;
  };
  EXPECT_TRUE(eventually(stands, 20s)) << refusal.mode;
  ::killpg(agent, SIGKILL);
  if (::testing::Test::HasFailure()) ::kill(agent, SIGKILL);  // perhaps it leads none
  ::waitpid(agent, nullptr, 0);
  auto left = living_below(getpid());
  kill_all_below(getpid());
  return left;
}

TEST(ProcessTreeTest, WhatAGroupKillMissesIsSeen) {
  keep_descendants();
  for (const Refusal& refusal : kRefusals) {
    const auto left = left_by_a_group_kill(refusal);
    if (refusal.processes == 1) {
      EXPECT_THAT(left, IsEmpty()) << refusal.mode << ":" << names_of(left);
    } else {
      EXPECT_THAT(left, Not(IsEmpty())) << refusal.mode;
    }
  }
}

}  // namespace
}  // namespace davit::faults
