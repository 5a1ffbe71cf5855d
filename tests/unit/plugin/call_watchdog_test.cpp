#include "host/plugin/call_watchdog.h"

#include <gtest/gtest.h>

#include <future>

#include "tests/unit/plugin/support.h"

namespace davit::plugin {
namespace {

class CallWatchdogTest : public ::testing::Test {
 protected:
  static MonotonicTime in(Duration time) { return std::chrono::steady_clock::now() + time; }
  CallNote note(MonotonicTime end_by) const { return {"github", "abc", "handle", "r1", end_by}; }
  test::TempFolder folder_;
  SystemClock clock_;
  std::unique_ptr<BreadcrumbFile> trail_ = BreadcrumbFile::open(folder_ / "trail", clock_).value();
};

TEST_F(CallWatchdogTest, ACallThatDoesNotComeBackIsToldAndBlamed) {
  std::promise<UnfinishedCall> hung;
  CallWatchdog watchdog(*trail_, clock_, [&](const UnfinishedCall& call) { hung.set_value(call); });
  watchdog.enter(note(in(Duration(3'600'000))));
  watchdog.enter({"jira", "def", "parse_payload", "r2", in(Duration(1))});
  EXPECT_EQ(hung.get_future().get().plugin, "jira");
  auto left = BreadcrumbFile::left_behind(folder_ / "trail");
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].plugin, "jira");
}

TEST_F(CallWatchdogTest, ACallThatComesBackInTimeIsNoneOfItsBusiness) {
  CallWatchdog watchdog(*trail_, clock_, [](const UnfinishedCall&) { FAIL(); });
  for (int i = 0; i < 1'000; ++i) watchdog.leave(watchdog.enter(note(in(Duration(60'000)))));
}

TEST_F(CallWatchdogTest, ItLooksOnlyWhileCallsAreUnderWay) {
  CallWatchdog watchdog(*trail_, clock_, [](const UnfinishedCall&) { FAIL(); });
  EXPECT_EQ(watchdog.looks(), 0u);
  const std::size_t number = watchdog.enter(note(in(Duration(60'000))));
  const std::uint64_t during = watchdog.looks();
  while (watchdog.looks() < during + 2) std::this_thread::yield();
  watchdog.leave(number);
}

}  // namespace
}  // namespace davit::plugin
