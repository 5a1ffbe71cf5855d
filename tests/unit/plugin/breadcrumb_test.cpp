#include "host/plugin/breadcrumb.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace davit::plugin
