#include "host/plugin/breadcrumb.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <thread>

#include "tests/unit/plugin/support.h"

namespace davit::plugin {
namespace {

TEST(BreadcrumbTest, WhatWasNotLeftIsFoundByTheNextLife) {
  test::TempFolder folder;
  test::FakeClock clock;
  auto trail = BreadcrumbFile::open(folder / "trail", clock);
  ASSERT_TRUE(trail.ok()) << trail.error().message;
  { NotedCall done(trail->get(), {"github", "abc", "parse_payload", "r1"}); }
  (*trail)->enter({"github", std::string(64, 'f'), "handle", "r2"});
  auto left = BreadcrumbFile::left_behind(folder / "trail");
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].plugin, "github");
  EXPECT_EQ(left[0].sha256, std::string(64, 'f'));
  EXPECT_EQ(left[0].call, "handle");
  EXPECT_EQ(left[0].request_id, "r2");
  EXPECT_EQ(left[0].began_at, clock.wall());
}

TEST(BreadcrumbTest, OpeningStartsOver) {
  test::TempFolder folder;
  test::FakeClock clock;
  (*BreadcrumbFile::open(folder / "trail", clock))->enter({"a", "b", "c", "d"});
  auto again = BreadcrumbFile::open(folder / "trail", clock);
  EXPECT_TRUE(BreadcrumbFile::left_behind(folder / "trail").empty());
}

TEST(BreadcrumbTest, NoFileAndForeignFilesBlameNobody) {
  test::TempFolder folder;
  EXPECT_TRUE(BreadcrumbFile::left_behind(folder / "absent").empty());
  test::write(folder / "foreign", std::string(40'000, 'x'));
  EXPECT_TRUE(BreadcrumbFile::left_behind(folder / "foreign").empty());
}

TEST(BreadcrumbTest, ManyThreadsAndMoreCallsThanSlotsAreFine) {
  test::TempFolder folder;
  test::FakeClock clock;
  auto trail = BreadcrumbFile::open(folder / "trail", clock);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) NotedCall call(trail->get(), {"p", "h", "c", "r"});
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(BreadcrumbFile::left_behind(folder / "trail").empty());
  for (int i = 0; i < 300; ++i) (*trail)->enter({"p", "h", "c", "r"});
  EXPECT_EQ(BreadcrumbFile::left_behind(folder / "trail").size(), 128u);
}

TEST(BreadcrumbTest, AFileThatCannotBeMadeIsAnError) {
  test::FakeClock clock;
  EXPECT_FALSE(BreadcrumbFile::open("/nonexistent/trail", clock).ok());
}

// Each runs its ending in a child of its own, with a call under way on another thread.
class EndsOfTheProcess : public testing::Test {
 protected:
  std::vector<UnfinishedCall> after(const std::function<void(BreadcrumbFile&)>& end) {
    EXPECT_EXIT(
        {
          SystemClock clock;
          auto trail = BreadcrumbFile::open(folder_ / "trail", clock).value();
          trail->watch_for_ends();
          std::thread([&] { trail->enter({"innocent", "abc", "handle", "r1"}); }).join();
          end(*trail);
          std::_Exit(0);
        },
        [](int) { return true; }, "");
    return BreadcrumbFile::left_behind(folder_ / "trail");
  }
  static void enter(BreadcrumbFile& trail) { trail.enter({"guilty", "def", "parse_payload", "r2"}); }
  test::TempFolder folder_;
};
using EndsOfTheProcessDeathTest = EndsOfTheProcess;

TEST_F(EndsOfTheProcessDeathTest, AFatalSignalBlamesTheCallOfItsThreadAlone) {
  auto left = after([](BreadcrumbFile& trail) {
    enter(trail);
    std::abort();
  });
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].plugin, "guilty");
  EXPECT_EQ(left[0].call, "parse_payload");
  EXPECT_TRUE(left[0].is_seen);
}

TEST_F(EndsOfTheProcessDeathTest, AnExitBlamesTheCallOfItsThreadAlone) {
  auto left = after([](BreadcrumbFile& trail) {
    enter(trail);
    std::exit(0);
  });
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].plugin, "guilty");
  EXPECT_TRUE(left[0].is_seen);
}

TEST_F(EndsOfTheProcessDeathTest, ACrashOutsideOfAnyCallBlamesNobody) {
  EXPECT_TRUE(after([](BreadcrumbFile&) { std::abort(); }).empty());
}

TEST_F(EndsOfTheProcessDeathTest, ACallThatClosesDescriptorsEndsTheProcessAndLeavesAllUnderSuspicion) {
  auto left = after([](BreadcrumbFile& trail) {
    NotedCall guilty(&trail, {"guilty", "def", "handle", "r2"});
    for (int fd = 3; fd < 1024; ++fd) ::close(fd);
    // What takes the number now is not what was there.
    for (int i = 0; i < 32; ++i) static_cast<void>(::open("/dev/null", O_RDONLY));
  });
  ASSERT_EQ(left.size(), 2u);
  for (const UnfinishedCall& call : left) {
    EXPECT_EQ(call.cause, "the host's descriptors were closed");
    EXPECT_TRUE(call.is_seen);
  }
}

TEST_F(EndsOfTheProcessDeathTest, AnEndThatNobodySawLeavesAllUnderSuspicion) {
  auto left = after([](BreadcrumbFile& trail) {
    enter(trail);
    ::raise(SIGKILL);
  });
  ASSERT_EQ(left.size(), 2u);
  for (const UnfinishedCall& call : left) EXPECT_FALSE(call.is_seen) << call.plugin;
}

TEST_F(EndsOfTheProcessDeathTest, AnEndThatWasAskedForBlamesNobody) {
  EXPECT_TRUE(after([](BreadcrumbFile& trail) {
                enter(trail);
                trail.blame_nobody();
                std::abort();
              }).empty());
}

}  // namespace
}  // namespace davit::plugin
