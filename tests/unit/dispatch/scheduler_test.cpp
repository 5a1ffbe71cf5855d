// Recurring tasks with a real store and a clock that the test moves.
#include "host/dispatch/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "tests/support/fake_clock.h"
#include "tests/support/temp_database.h"

namespace davit::dispatch {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

WallTime at(const char* text) { return parse_iso8601(text).value(); }

TEST(NewestSlotTest, IsTheLastOneThatHasPassed) {
  struct Row {
    const char *cron, *after, *until, *expected;
  };
  const std::vector<Row> rows = {
      {"* * * * *", "2020-01-01T00:00:00Z", "2026-01-01T00:00:30Z", "2026-01-01T00:00"},
      {"*/5 * * * *", "2026-01-01T00:00:00Z", "2026-01-01T00:04:59Z", "none"},
      {"*/5 * * * *", "2026-01-01T00:00:00Z", "2026-01-01T00:05:00Z", "2026-01-01T00:05"},
      {"0 3 * * *", "2025-12-01T00:00:00Z", "2026-01-01T02:59:00Z", "2025-12-31T03:00"},
      {"0 0 1 * *", "2025-01-15T00:00:00Z", "2026-01-20T00:00:00Z", "2026-01-01T00:00"},
      {"0 0 29 2 *", "2019-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "2024-02-29T00:00"},
      {"0 0 29 2 *", "2024-03-01T00:00:00Z", "2026-01-01T00:00:00Z", "none"},
      {"* * * * *", "2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z", "none"},
  };
  for (const Row& row : rows) {
    const auto slot = newest_slot(Cron::parse(row.cron).value(), at(row.after), at(row.until));
    EXPECT_EQ(slot ? to_iso8601(*slot).substr(0, 16) : "none", row.expected) << row.cron << " " << row.until;
  }
}

class SchedulerTest : public ::testing::Test {
 protected:
  SchedulerTest() {
    loop_ = isolation::Loop::start("test").value();
    box_ = std::make_shared<PostBox>(*loop_);
    serve({"planner"});
  }
  ~SchedulerTest() override {
    stop();
    box_->close();
  }

  void serve(const std::vector<std::string>& agents) {
    auto snapshot = std::make_shared<plugin::Snapshot>();
    for (const std::string& name : agents) {
      auto agent = std::make_shared<plugin::Agent>();
      agent->settings.name = agent->offer.name = name;
      agent->max_retries = 7;
      snapshot->agents[name] = agent;
    }
    registry_.publish(snapshot);
  }

  Schedule schedule(bool catch_up = true) const {
    Schedule schedule{"nightly", "0 * * * *", Cron::parse("0 * * * *").value(), {}, catch_up};
    schedule.task.agent = "planner";
    schedule.task.title = "Look around";
    return schedule;
  }
  void start(std::vector<Schedule> schedules) {
    loop_->run([&] {
      scheduler_ =
          std::make_unique<Scheduler>(*loop_, box_, database_.store(), registry_, metrics_, *log_, clock_);
      scheduler_->adopt(std::move(schedules));
    });
    settle();
  }
  void stop() {
    loop_->run([&] { scheduler_.reset(); });
  }
  // As its timer does.
  void look() {
    loop_->run([&] { scheduler_->plugins_changed(); });
    settle();
  }
  // What was handed to the store is answered, and what follows from the answer likewise.
  void settle() {
    for (int i = 0; i < 4; ++i) {
      EXPECT_TRUE(testing::wait<std::monostate>([&](auto done) {
                    database_.store().set_setting("test", "", done);
                  }).ok());
      loop_->run([] {});
    }
  }
  // Oldest first.
  std::vector<std::string> tasks() {
    std::vector<std::string> found;
    const auto page = database_.store().tasks({.limit = 500}).value();
    for (auto item = page.items.rbegin(); item != page.items.rend(); ++item)
      found.push_back(to_iso8601(item->created_at).substr(11, 5) + " " + item->source + " " +
                      std::to_string(item->max_retries));
    return found;
  }

  testing::FakeClock clock_;  // at 08:00 on 2027-01-15
  std::unique_ptr<Log> log_ = Log::silent();
  testing::TempDatabase database_{clock_};
  plugin::Registry registry_;
  metrics::Metrics metrics_{"test"};
  std::unique_ptr<isolation::Loop> loop_;
  std::shared_ptr<PostBox> box_;
  std::unique_ptr<Scheduler> scheduler_;
};

TEST_F(SchedulerTest, AScheduleFiresOnceForEachSlotAlsoOverARestart) {
  start({schedule()});
  EXPECT_THAT(tasks(), IsEmpty());  // what was before its adoption is none of its business
  clock_.advance(hours(1));
  look();
  look();
  EXPECT_THAT(tasks(), ElementsAre("09:00 schedule 7"));
  stop();
  start({schedule()});
  EXPECT_THAT(tasks(), ElementsAre("09:00 schedule 7"));
  clock_.advance(minutes(59));
  look();
  EXPECT_THAT(tasks(), ElementsAre("09:00 schedule 7"));
  clock_.advance(minutes(1));
  look();
  EXPECT_THAT(tasks(), ElementsAre("09:00 schedule 7", "10:00 schedule 7"));
  EXPECT_THAT(metrics_.exposition(),
              HasSubstr(R"(davit_schedule_fires_total{schedule="nightly",outcome="made"} 2)"));
}

TEST_F(SchedulerTest, AfterALongStopTheNewestMissedSlotFiresOnce) {
  start({schedule()});
  stop();
  clock_.advance(hours(30) + minutes(20));
  start({schedule()});
  EXPECT_THAT(tasks(), ElementsAre("14:20 schedule 7"));
  EXPECT_EQ(database_.store().schedules().value()[0].last_slot, at("2027-01-16T14:00:00Z"));
  look();
  EXPECT_THAT(tasks(), ElementsAre("14:20 schedule 7"));
}

TEST_F(SchedulerTest, WithoutCatchUpWhatWasMissedIsLeftOut) {
  start({schedule(false)});
  stop();
  clock_.advance(hours(30) + minutes(20));
  start({schedule(false)});
  EXPECT_THAT(tasks(), IsEmpty());
  EXPECT_THAT(metrics_.exposition(),
              HasSubstr(R"(davit_schedule_fires_total{schedule="nightly",outcome="skipped"} 1)"));
  clock_.advance(minutes(40));
  look();
  EXPECT_THAT(tasks(), ElementsAre("15:00 schedule 7"));
}

TEST_F(SchedulerTest, AClockThatIsSetBackFiresNothingTwice) {
  start({schedule()});
  clock_.advance(hours(1));
  look();
  clock_.jump(-hours(3));
  for (int i = 0; i < 3; ++i) {
    clock_.advance(hours(1));
    look();
  }
  EXPECT_THAT(tasks(), ElementsAre("09:00 schedule 7"));
  clock_.advance(hours(1));
  look();
  EXPECT_THAT(tasks(), ElementsAre("09:00 schedule 7", "10:00 schedule 7"));
}

TEST_F(SchedulerTest, AClockThatIsSetForwardADayFiresOnce) {
  start({schedule()});
  clock_.jump(hours(24));
  look();
  EXPECT_THAT(tasks(), ElementsAre("08:00 schedule 7"));
}

TEST_F(SchedulerTest, AScheduleWaitsForItsAgent) {
  serve({});
  start({schedule()});
  clock_.advance(hours(2) + minutes(1));
  look();
  EXPECT_THAT(tasks(), IsEmpty());
  serve({"planner"});
  look();
  EXPECT_THAT(tasks(), ElementsAre("10:01 schedule 7"));
}

TEST_F(SchedulerTest, WhatWasTakenOutFiresNoMore) {
  start({schedule()});
  loop_->run([&] { scheduler_->adopt({}); });
  settle();
  clock_.advance(hours(2));
  look();
  EXPECT_THAT(tasks(), IsEmpty());
  EXPECT_THAT(database_.store().schedules().value(), IsEmpty());
}

TEST_F(SchedulerTest, ATaskThatCannotBeStoredIsNotTriedForEver) {
  Schedule wrong = schedule();
  wrong.task.priority = 1'000;
  start({wrong});
  clock_.advance(hours(1));
  look();
  EXPECT_THAT(tasks(), IsEmpty());
}

}  // namespace
}  // namespace davit::dispatch
