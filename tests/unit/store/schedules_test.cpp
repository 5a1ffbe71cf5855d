// Each time of a recurring task becomes one task, whatever happens in between.
#include "tests/unit/store/conformance.h"

namespace davit::store {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class SchedulesTest : public StoreTest {
 protected:
  using States = std::vector<ScheduleState>;
  States adopt(const States& schedules) {
    return wait<States>([&](auto done) { store().adopt_schedules(schedules, done); }).value();
  }
  std::optional<std::string> fire(WallTime slot) {
    NewTask task = new_task();
    task.key = task.entity = "schedule:nightly";
    task.title = "at " + to_iso8601(slot);
    task.awaits_approval = awaits_approval_;
    return wait<std::optional<std::string>>(
               [&](auto done) { store().fire_schedule("nightly", slot, std::move(task), done); })
        .value();
  }
  WallTime minute(int number) const { return start_ + Duration(number * 60'000); }

  const ScheduleState nightly_{"nightly", "planner", "* * * * *", {}, {}};
  const WallTime start_ = clock_.wall();
  bool awaits_approval_ = false;
};

TEST_F(SchedulesTest, ATimeBecomesOneTask) {
  adopt({nightly_});
  const std::optional<std::string> made = fire(minute(1));
  ASSERT_TRUE(made);
  EXPECT_EQ(fire(minute(1)), std::nullopt);
  EXPECT_EQ(fire(minute(0)), std::nullopt);
  EXPECT_EQ(task(*made).task.source, "schedule");
  database_.close();
  EXPECT_EQ(fire(minute(1)), std::nullopt);
  EXPECT_THAT(titles(), SizeIs(1));
  const States known = store().schedules().value();
  ASSERT_THAT(known, SizeIs(1));
  EXPECT_EQ(known[0].last_slot, minute(1));
  EXPECT_EQ(known[0].last_task, *made);
  expect_sound();
}

TEST_F(SchedulesTest, ATaskThatStillWaitsTakesTheNewTime) {
  adopt({nightly_});
  const auto first = fire(minute(1));
  EXPECT_EQ(fire(minute(2)), first);
  EXPECT_EQ(task(*first).task.title, "at " + to_iso8601(minute(2)));
  const ClaimedTask running = claim_one();
  const auto next = fire(minute(3));
  EXPECT_NE(next, first);
  EXPECT_THAT(claim(), IsEmpty());  // while the one before it runs
  ASSERT_TRUE(finish(finish_of(running.fence)).ok());
  EXPECT_THAT(claim(), SizeIs(1));
}

TEST_F(SchedulesTest, WhatNobodyApprovesDoesNotPileUp) {
  awaits_approval_ = true;
  adopt({nightly_});
  const auto first = fire(minute(1));
  EXPECT_EQ(fire(minute(2)), first);
  EXPECT_EQ(fire(minute(2)), std::nullopt);
  EXPECT_THAT(titles(), SizeIs(1));
  EXPECT_EQ(task(*first).task.title, "at " + to_iso8601(minute(1)));  // what somebody may be reading
}

TEST_F(SchedulesTest, AScheduleGoesOnWhereItWasAfterARestart) {
  EXPECT_EQ(adopt({nightly_})[0].last_slot, start_);
  const auto made = fire(minute(1));
  clock_.advance(std::chrono::hours(30));
  database_.close();
  const States known = adopt({nightly_});
  ASSERT_THAT(known, SizeIs(1));
  EXPECT_EQ(known[0].last_slot, minute(1));
  EXPECT_EQ(known[0].last_task, *made);
}

TEST_F(SchedulesTest, ANewTimetableBeginsWithItsAdoption) {
  adopt({nightly_});
  const auto made = fire(minute(1));
  clock_.advance(Duration(3'600'000));
  ScheduleState changed = nightly_;
  changed.cron = "@hourly";
  const States known = adopt({changed});
  EXPECT_EQ(known[0].last_slot, clock_.wall());
  EXPECT_EQ(known[0].last_task, *made);
}

TEST_F(SchedulesTest, AScheduleThatWasTakenOutIsForgotten) {
  adopt({nightly_});
  fire(minute(1));
  EXPECT_THAT(adopt({}), IsEmpty());
  EXPECT_EQ(fire(minute(2)), std::nullopt);
  clock_.advance(Duration(3'600'000));
  EXPECT_EQ(adopt({nightly_})[0].last_slot, clock_.wall());
}

TEST_F(SchedulesTest, WhatIsSkippedMakesNothing) {
  adopt({nightly_});
  ASSERT_TRUE(
      wait<std::monostate>([&](auto done) { store().skip_schedule("nightly", minute(5), done); }).ok());
  EXPECT_EQ(fire(minute(5)), std::nullopt);
  EXPECT_TRUE(fire(minute(6)));
}

TEST_F(SchedulesTest, AClockThatWasYearsAheadDoesNotSilenceIt) {
  clock_.jump(std::chrono::hours(24 * 700));
  adopt({nightly_});
  clock_.jump(-std::chrono::hours(24 * 700));
  EXPECT_EQ(adopt({nightly_})[0].last_slot, clock_.wall());
}

}  // namespace
}  // namespace davit::store
