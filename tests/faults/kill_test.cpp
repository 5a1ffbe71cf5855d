// FT-01: the host is killed in the middle of a load, again and again, on one database.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/store/store.h"
#include "tests/faults/hasty_front.h"
#include "tests/faults/lane.h"

namespace davit::faults {
namespace {

using ::testing::IsEmpty;
using testing::RunningHost;

constexpr int kConnections = 4;

TEST(KillTest, WhatWasAcknowledgedIsThereAfterEveryKill) {
  Luck luck;
  RunningHost host;
  make_echo_host(host);
  Acknowledged acknowledged;
  const int cycles = trials(60, 1'000);
  for (int cycle = 0; cycle < cycles; ++cycle) {
    SCOPED_TRACE("cycle " + std::to_string(cycle));
    ASSERT_TRUE(host.start()) << host.log();
    Senders senders(host.port(), kConnections, "c" + std::to_string(cycle), acknowledged);
    ASSERT_TRUE(acknowledged.wait_for(acknowledged.count() + luck.between(1, 120))) << host.log();
    ASSERT_EQ(host.end(SIGKILL), -SIGKILL);
    senders.stop();
    ASSERT_EQ(senders.surprises(), 0);
    const auto broken = broken_promises(acknowledged, Books::read(host.folder() / "davit.db"));
    ASSERT_THAT(broken, IsEmpty()) << join(broken);
  }
  ASSERT_TRUE(host.start()) << host.log();
  EXPECT_EQ(deliver(host.port(), "afterwards").status, 202);
  EXPECT_EQ(host.end(SIGTERM), 0);
  const auto findings = store::verify(host.folder() / "davit.db");
  ASSERT_TRUE(findings.ok()) << findings.error().message;
  EXPECT_THAT(*findings, IsEmpty());
  std::cout << cycles << " kills, " << acknowledged.count() << " acknowledged, none lost" << std::endl;
}

// The same with a front that acknowledges before the commit: the oracle must see losses.
TEST(KillTest, AnAcknowledgementBeforeTheCommitIsCaught) {
  Luck luck;
  RunningHost host;
  make_echo_host(host);
  Acknowledged acknowledged;
  std::vector<std::string> broken;
  int cycle = 0;
  for (; cycle < 60 && broken.empty(); ++cycle) {
    ASSERT_TRUE(host.start()) << host.log();
    HastyFront front(host.port());
    Senders senders(front.port(), kConnections, "c" + std::to_string(cycle), acknowledged);
    ASSERT_TRUE(acknowledged.wait_for(acknowledged.count() + luck.between(1, 120))) << host.log();
    ASSERT_EQ(host.end(SIGKILL), -SIGKILL);
    senders.stop();
    broken = broken_promises(acknowledged, Books::read(host.folder() / "davit.db"));
  }
  EXPECT_FALSE(broken.empty()) << "this test would not notice lost deliveries";
  std::cout << cycle << " kills behind a hasty front, " << acknowledged.count() << " acknowledged, "
            << broken.size() << " lost" << std::endl;
}

}  // namespace
}  // namespace davit::faults
