// How deep the queue was: what is noted, what it costs, and that nothing is told of times in which nobody
// looked.
#include "host/store/queue_samples.h"

#include <filesystem>
#include <future>

#include "host/store/statement.h"
#include "tests/unit/store/conformance.h"
#include "tests/unit/store/undone.h"

namespace davit::store {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr Duration kMinute{60'000};
constexpr Duration kDay{86'400'000};

class QueueSamplesTest : public StoreTest {
 protected:
  void SetUp() override { store(); }
  void TearDown() override {
    database_.close();
    expect_sound();
  }
  // Until the writer has done all that is due.
  void settle() {
    for (int turn = 0; turn < 2; ++turn) {
      std::promise<void> reached;
      store().reach_writer([&] { reached.set_value(); });
      reached.get_future().wait();
    }
  }
  // A minute goes by, and what was written before is looked at.
  void pass_a_minute() {
    clock_.advance(kMinute);
    settle();
  }
  // Turns true; the writer prunes and counts on its own, between other writes.
  template <typename Condition>
  void comes(Condition condition) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition() && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  }
  // What is counted is indexed, too, so no writes are to come of it.
  void wait_until_counted(int tasks) {
    comes([&] { return ask("SELECT coalesce(sum(tasks), 0) FROM task_made") == tasks; });
    settle();
  }
  std::vector<QueuePoint> minutes(int back, const std::string& agent = "") {
    const WallTime now(std::chrono::floor<std::chrono::minutes>(clock_.wall()));
    return store().queue_series({kMinute, agent, now - back * kMinute, now + kMinute}).value();
  }
  // "2" for two that are queued in the end of a minute, "?" where nobody knows, and "|" before where it
  // begins anew.
  std::string queued(int back, const std::string& agent = "") {
    std::string text;
    for (const QueuePoint& point : minutes(back, agent)) {
      if (!text.empty()) text += ' ';
      if (point.gap) text += '|';
      text += point.last ? std::to_string(point.last->queued) : "?";
    }
    return text;
  }
  std::unique_ptr<Database> connection(Database::Mode mode) {
    return std::move(std::get<0>(Database::open(database_.path(), mode, "")));
  }
  std::int64_t ask(const std::string& sql) { return connection(Database::Mode::Read)->integer(sql.c_str()); }
  // While the store is closed.
  void execute(const std::string& sql) {
    const auto database = connection(Database::Mode::Write);
    database->execute(sql.c_str());
    ASSERT_TRUE(database->check().ok()) << sql;
  }
  // As after kill -9: what is on the disk now is all that the next host finds.
  void kill() {
    const std::filesystem::path kept = database_.folder() / "kept";
    std::filesystem::create_directory(kept);
    for (const char* suffix : {"", "-wal"})
      std::filesystem::copy_file(database_.path().string() + suffix,
                                 kept / ("davit.db" + std::string(suffix)));
    database_.close();
    for (const char* suffix : {"", "-wal"}) {
      std::filesystem::remove(database_.path().string() + suffix);
      std::filesystem::copy_file(kept / ("davit.db" + std::string(suffix)),
                                 database_.path().string() + suffix);
    }
    std::filesystem::remove_all(kept);
  }
};

TEST_F(QueueSamplesTest, WhatWaitsAndRunsIsNotedByAgentAndOfAll) {
  clock_.advance(kMinute);
  create();
  create();
  create(new_task("executor"));
  NewTask asks = new_task("executor");
  asks.awaits_approval = true;
  create(asks);
  claim_one();
  NewDelivery deferred = new_delivery("deferred", 0);
  deferred.verdict = Verdict::Deferred;
  accept(deferred).value();
  pass_a_minute();
  EXPECT_EQ(minutes(0).at(0).last, (QueueCounts{2, 1, 1, 1}));
  EXPECT_EQ(minutes(0, "planner").at(0).last, (QueueCounts{1, 1, 0, 0}));
  EXPECT_EQ(minutes(0, "executor").at(0).last, (QueueCounts{1, 0, 1, 0}));
  EXPECT_EQ(minutes(0, "nobody").at(0).last, QueueCounts{});
}

TEST_F(QueueSamplesTest, OfABucketTheLastAndTheHighestAreTold) {
  for (int i = 0; i < 5; ++i) create();
  pass_a_minute();
  for (const ClaimedTask& task : claim(5)) ASSERT_TRUE(finish(finish_of(task.fence)).ok());
  create();
  pass_a_minute();
  EXPECT_EQ(queued(2), "|0 5 1");
  const WallTime begin(std::chrono::floor<std::chrono::days>(clock_.wall()));
  const auto day = store().queue_series({kDay, "", begin, begin + kDay}).value();
  ASSERT_EQ(day.size(), 1u);
  EXPECT_EQ(day[0].last->queued, 1);
  EXPECT_EQ(day[0].highest->queued, 5);
  EXPECT_TRUE(day[0].gap) << "davit was started on that day";
}

TEST_F(QueueSamplesTest, OnceAMinuteAtMostAndOnlyWhatIsOtherThanBefore) {
  create();
  clock_.advance(Duration(59'000));
  settle();
  EXPECT_EQ(ask("SELECT count(*) FROM queue_sample"), 0) << "looked at when davit began";
  clock_.advance(Duration(1'000));
  settle();
  EXPECT_EQ(ask("SELECT count(*) FROM queue_sample"), 2) << "of the agent and of all";
  create(new_task("executor"));
  pass_a_minute();
  EXPECT_EQ(ask("SELECT count(*) FROM queue_sample WHERE agent = 'planner'"), 1);
  EXPECT_EQ(ask("SELECT count(*) FROM queue_sample"), 4);
}

TEST_F(QueueSamplesTest, AfterARestOneIsTakenASecondAfterTheFirstWrite) {
  clock_.advance(10 * kMinute);
  create();
  settle();
  EXPECT_EQ(queued(0), "0");
  create();
  clock_.advance(Duration(1'000));
  settle();
  EXPECT_EQ(queued(0), "2");
}

TEST_F(QueueSamplesTest, WhereNothingIsWrittenNothingIsWrittenForItEither) {
  create();
  pass_a_minute();
  wait_until_counted(1);
  const auto log = std::filesystem::path(database_.path().string() + "-wal");
  const auto size = std::filesystem::file_size(log);
  const std::int64_t until = ask("SELECT max(until) FROM queue_watch");
  for (int minute = 0; minute < 5; ++minute) pass_a_minute();
  EXPECT_EQ(std::filesystem::file_size(log), size);
  EXPECT_EQ(ask("SELECT max(until) FROM queue_watch"), until);
  EXPECT_EQ(queued(5), "1 1 1 1 1 1") << "but while davit runs that is no gap";
}

TEST_F(QueueSamplesTest, WhileDavitDoesNotRunThereIsAGap) {
  create();
  pass_a_minute();
  database_.close();
  clock_.advance(3 * kMinute);
  EXPECT_EQ(queued(4), "|0 |1 |? |? |1");
  pass_a_minute();
  EXPECT_EQ(queued(0), "1");
}

TEST_F(QueueSamplesTest, ARestartIsSeenHoweverShortItIs) {
  create();
  pass_a_minute();
  database_.close();
  clock_.advance(kMinute);
  store();
  clock_.advance(2 * kMinute);
  EXPECT_EQ(queued(4), "|0 |1 |1 1 1");
}

TEST_F(QueueSamplesTest, AfterAKillTheGapBeginsWhereSomethingWasWrittenLast) {
  create();
  pass_a_minute();
  clock_.advance(3 * kMinute);
  kill();
  clock_.advance(kMinute);
  EXPECT_EQ(queued(5), "|0 |1 |? |? |? |1");
}

TEST_F(QueueSamplesTest, WhatRanInAHostThatWasKilledIsQueuedFromTheStartOnAndNotBefore) {
  create();
  claim_one();
  pass_a_minute();
  kill();
  clock_.advance(2 * kMinute);
  EXPECT_EQ(queued(3), "|0 |0 |? |1");
}

TEST_F(QueueSamplesTest, AHostThatStartsAgainAndAgainFillsNoTable) {
  for (int i = 0; i < 20; ++i) {
    database_.close();
    clock_.advance(Duration(10'000));
    store();
  }
  EXPECT_EQ(ask("SELECT count(*) FROM queue_watch"), 1);
  EXPECT_THAT(minutes(2), Each(::testing::Field(&QueuePoint::gap, true)));
}

TEST_F(QueueSamplesTest, WhereTheClockIsSetBackWhatComesOnceMoreIsDroppedAndTheLineIsBroken) {
  for (int i = 0; i < 10; ++i) {
    create();
    pass_a_minute();
  }
  EXPECT_EQ(queued(3), "7 8 9 10");
  clock_.jump(-5 * kMinute);
  create();
  pass_a_minute();
  EXPECT_EQ(queued(3), "3 4 5 |11") << "from where it is seen on";
  pass_a_minute();
  EXPECT_EQ(queued(4), "3 4 5 |11 11");
  EXPECT_EQ(ask("SELECT max(at) FROM queue_sample"), to_unix_ms(clock_.wall() - kMinute));
}

TEST_F(QueueSamplesTest, SoItIsWhenItWasSetBackWhileDavitDidNotRun) {
  for (int i = 0; i < 10; ++i) {
    create();
    pass_a_minute();
  }
  database_.close();
  clock_.jump(-5 * kMinute - Duration(1));
  EXPECT_EQ(queued(2), "2 3 |10");
}

TEST_F(QueueSamplesTest, WhatTheClockIsSetForwardOverIsAGap) {
  create();
  pass_a_minute();
  clock_.jump(3 * kMinute);
  create();
  pass_a_minute();
  EXPECT_EQ(queued(4), "1 |1 |? |? |2");
}

TEST_F(QueueSamplesTest, ASampleThatCannotBeWrittenHoldsNobodyUp) {
  database_.close();
  execute("CREATE TRIGGER no BEFORE INSERT ON queue_sample BEGIN SELECT RAISE(ABORT, 'no'); END");
  create();
  pass_a_minute();
  EXPECT_FALSE(store().health().ok());
  create();
  EXPECT_TRUE(store().health().ok());
  database_.close();
  execute("DROP TRIGGER no");
  create();
  pass_a_minute();
  EXPECT_EQ(minutes(0).at(0).last->queued, 3);
}

TEST_F(QueueSamplesTest, WhatIsOldIsPrunedButForWhatHoldsStill) {
  create();
  pass_a_minute();  // holds for all that follows
  clock_.advance(10 * kDay);
  database_.close();
  store();
  create(new_task("executor"));
  pass_a_minute();
  clock_.advance(kQueueSamplesKept + std::chrono::days(1));
  create(new_task("reviewer"));
  pass_a_minute();
  store().set_retention({});
  settle();
  EXPECT_EQ(ask("SELECT count(*) FROM queue_watch"), 1) << "the first ended longer ago";
  EXPECT_EQ(ask("SELECT count(*) FROM queue_sample WHERE agent = ''"), 2);
  EXPECT_EQ(ask("SELECT count(*) FROM queue_sample"), 2 + 3);
  clock_.advance(kDay);
  store().set_retention({.keep = 60 * kMinute});
  settle();
  EXPECT_EQ(ask("SELECT count(*) FROM queue_sample WHERE agent = ''"), 1) << "no longer than finished tasks";
  EXPECT_EQ(queued(0, "planner"), "1");
  EXPECT_EQ(queued(0, "executor"), "1");
  EXPECT_EQ(queued(0), "3");
}

TEST_F(QueueSamplesTest, ManyOldOnesGoAFewAtATime) {
  pass_a_minute();
  database_.close();
  execute(
      "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
      " INSERT INTO queue_sample SELECT '', i * 60000, i, 0, 0, 0 FROM n");
  store().set_retention({});
  comes([&] { return ask("SELECT count(*) FROM queue_sample") <= 2; });
  EXPECT_LE(ask("SELECT count(*) FROM queue_sample"), 2);
}

TEST_F(QueueSamplesTest, AStoreThatIsOnlyReadKnowsNothingOfNow) {
  create();
  pass_a_minute();
  database_.close();
  clock_.advance(2 * kMinute);
  Options options = database_.options;
  options.read_only = true;
  const auto log = Log::silent();
  auto opened = Store::open(options, *log, clock_);
  const Store& read = *std::get<0>(opened);
  const WallTime now(std::chrono::floor<std::chrono::minutes>(clock_.wall()));
  const auto points = read.queue_series({kMinute, "", now - 2 * kMinute, now + kMinute}).value();
  EXPECT_TRUE(points.at(0).last.has_value());
  EXPECT_FALSE(points.at(1).last.has_value());
  EXPECT_FALSE(points.at(2).last.has_value());
}

TEST_F(QueueSamplesTest, OfTheFutureThereIsNothingAndNoGap) {
  clock_.advance(kMinute);
  const WallTime now(std::chrono::floor<std::chrono::minutes>(clock_.wall()));
  const auto points = store().queue_series({kMinute, "", now, now + 3 * kMinute}).value();
  ASSERT_EQ(points.size(), 3u);
  EXPECT_FALSE(points[0].gap);
  EXPECT_TRUE(points[0].last.has_value());
  for (int i : {1, 2}) {
    EXPECT_FALSE(points[i].gap);
    EXPECT_FALSE(points[i].last.has_value());
  }
}

TEST_F(QueueSamplesTest, TasksThatWereMadeAreCountedByHourAndDayWhateverIsPruned) {
  const WallTime hour(std::chrono::floor<std::chrono::hours>(clock_.wall()));
  create();
  create(new_task("executor"));
  clock_.advance(60 * kMinute);
  create();
  using Made = std::pair<Duration, std::int64_t>;
  const auto made = [&](Bucket bucket, const std::string& agent, WallTime start) {
    std::vector<Made> told;
    const auto all = store().tasks_made({bucket, agent, start, clock_.wall() + Duration(1)}).value();
    for (const TasksMade& each : all) told.emplace_back(each.at - hour, each.tasks);
    return told;
  };
  const auto expect_all = [&] {
    EXPECT_THAT(made(Bucket::Hour, "", hour), ElementsAre(Made(Duration(0), 2), Made(60 * kMinute, 1)));
    EXPECT_THAT(made(Bucket::Hour, "", hour + 60 * kMinute), ElementsAre(Made(60 * kMinute, 1)));
    EXPECT_THAT(made(Bucket::Hour, "executor", hour), ElementsAre(Made(Duration(0), 1)));
    const WallTime day(std::chrono::floor<std::chrono::days>(hour));
    EXPECT_THAT(made(Bucket::Day, "", day), ElementsAre(Made(day - hour, 3)));
  };
  expect_all();  // whether the search has reached them or not
  wait_until_counted(3);
  expect_all();
  for (const ClaimedTask& task : claim(9, {{"planner", 9}, {"executor", 9}}))
    ASSERT_TRUE(finish(finish_of(task.fence)).ok());
  clock_.advance(2 * kDay);
  store().set_retention({.keep = kDay});
  comes([&] { return ask("SELECT count(*) FROM task") == 0; });
  EXPECT_EQ(ask("SELECT count(*) FROM task"), 0);
  expect_all();
}

TEST_F(QueueSamplesTest, ADatabaseFromBeforeKnowsWhatWasMadeAndNothingOfTheQueue) {
  create();
  clock_.advance(10 * kMinute);
  database_.close();
  execute(undo_steps_behind(14));
  EXPECT_EQ(queued(1), "|? |1");
  EXPECT_EQ(store().tasks_made({Bucket::Day, "", clock_.wall() - kDay, clock_.wall()}).value().at(0).tasks,
            1);
}

TEST_F(QueueSamplesTest, CountsThatAreTooSmallAreFound) {
  create();
  wait_until_counted(1);
  database_.close();
  execute("UPDATE task_made SET tasks = tasks - 1");
  EXPECT_THAT(verify(database_.path()).value(),
              Contains(HasSubstr("more were made in an hour than were counted")));
  execute("UPDATE task_made SET tasks = tasks + 1");
  execute("INSERT INTO queue_sample VALUES ('planner', 9000000000000, 1, 1, 1, 1)");
  EXPECT_THAT(verify(database_.path()).value(), Contains(HasSubstr("noted of the queue when nobody looked")));
  execute("DELETE FROM queue_sample");
}

}  // namespace
}  // namespace davit::store
