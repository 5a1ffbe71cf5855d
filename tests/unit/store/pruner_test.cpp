// Conformance: what a store removes by age and by size, and what it never removes.
#include "host/store/pruner.h"

#include <atomic>
#include <filesystem>
#include <thread>

#include "host/base/file.h"
#include "tests/unit/store/conformance.h"

namespace davit::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr Duration kDay{86'400'000};

class PrunerTest : public StoreTest {
 protected:
  // Turns true; the writer prunes on its own, between other writes.
  template <typename Condition>
  bool comes(Condition condition) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (std::chrono::steady_clock::now() < until) {
      if (condition()) return true;
      std::this_thread::yield();
    }
    return false;
  }
  std::size_t deliveries() { return store().deliveries({.limit = 500})->items.size(); }
  std::size_t tasks() { return store().tasks({.limit = 500})->items.size(); }
  void complete_all() {
    for (const ClaimedTask& claimed : claim(16)) ASSERT_TRUE(finish(finish_of(claimed.fence)).ok());
  }
  void prune(Duration keep, std::int64_t max_bytes = 0) { store().set_retention({keep, max_bytes}); }
  NewDelivery large(std::string key) {
    NewDelivery delivery = new_delivery(std::move(key), 0);
    delivery.body = std::string(100'000, 'x');
    return delivery;
  }
  void TearDown() override { expect_sound(); }
};

TEST_F(PrunerTest, WhatIsDoneAndOldGoesWithAllThatBelongsToIt) {
  NewDelivery delivery = new_delivery("a");
  delivery.answer.links = {{"mentions", "sentry:acme/1", ""}};
  accept(delivery).value();
  const ClaimedTask claimed = claim_one();
  LiveReport report;
  report.fence = claimed.fence;
  report.transcript.lines.push_back({"assistant", "hello"});
  ASSERT_TRUE(wait([&](auto done) { store().report({report}, done); }).ok());
  Finish end = finish_of(claimed.fence);
  end.result.also = {"github:o/r#12"};
  ASSERT_TRUE(finish(std::move(end)).ok());
  clock_.advance(8 * kDay);
  accept(new_delivery("young")).value();

  prune(7 * kDay);
  EXPECT_TRUE(comes([&] { return deliveries() == 1 && tasks() == 1; }));
  EXPECT_EQ(store().task(claimed.task_id).error().code, ErrorCode::NotFound);
  EXPECT_EQ(store().transcript(claimed.session_id, 10).error().code, ErrorCode::NotFound);
  EXPECT_THAT(store().deliveries({.link = "sentry:acme/1"})->items, IsEmpty());
  EXPECT_EQ(accept(new_delivery("a"))->repeat, Repeat::None) << "its key went with it";
}

TEST_F(PrunerTest, WhatAnUnfinishedTaskNeedsStays) {
  const Accepted open = accept(new_delivery("open")).value();
  Finish done = finish_of(claim_one().fence);
  done.successor = new_task("executor");
  ASSERT_TRUE(finish(done).ok());
  NewDelivery deferred = new_delivery("deferred", 0);
  deferred.verdict = Verdict::Deferred;
  accept(deferred).value();
  accept(new_delivery("ignored", 0)).value();
  clock_.advance(8 * kDay);

  prune(7 * kDay);
  EXPECT_TRUE(comes([&] { return deliveries() == 2; })) << "the ignored one goes";
  EXPECT_EQ(tasks(), 2u) << "the first of a chain stays while its successor waits";
  EXPECT_TRUE(store().delivery(open.delivery_id).ok());

  ASSERT_TRUE(finish(finish_of(claim(1, {{"executor", 1}}).at(0).fence)).ok());
  clock_.advance(8 * kDay);
  prune(7 * kDay);
  EXPECT_TRUE(comes([&] { return deliveries() == 1 && tasks() == 0; }));
  EXPECT_THAT(store().due_deferred(10).value(), SizeIs(1));
}

TEST_F(PrunerTest, ADeliveryStaysWhileATaskThatItNamesWaitsForALaterOne) {
  NewDelivery first = new_delivery("a"), second = new_delivery("b");
  for (NewDelivery* delivery : {&first, &second})
    delivery->answer.entity = Entity{"jira:X-1", "issue", "", ""};
  const Accepted named = accept(first).value();
  clock_.advance(8 * kDay);
  second.received_at = clock_.wall();
  EXPECT_EQ(accept(second)->task_ids, named.task_ids) << "taken over";
  accept(new_delivery("ignored", 0)).value();
  clock_.advance(2 * kDay);

  prune(kDay);
  EXPECT_TRUE(comes([&] { return deliveries() == 2; })) << "the ignored one goes";
  EXPECT_TRUE(store().delivery(named.delivery_id).ok());
  complete_all();
  clock_.advance(2 * kDay);
  prune(kDay);
  EXPECT_TRUE(comes([&] { return deliveries() + tasks() == 0; }));
}

TEST_F(PrunerTest, ATaskThatEndedLatelyStaysHoweverOldItIs) {
  create();
  clock_.advance(8 * kDay);
  complete_all();
  NewDelivery old = new_delivery("b", 0);
  old.received_at = clock_.wall() - 8 * kDay;
  accept(old).value();
  prune(7 * kDay);
  EXPECT_TRUE(comes([&] { return deliveries() == 0; }));
  EXPECT_EQ(tasks(), 1u);
  clock_.advance(8 * kDay);
  prune(7 * kDay);
  EXPECT_TRUE(comes([&] { return tasks() == 0; }));
}

TEST_F(PrunerTest, AFailedDeliveryGoesWithoutTheKeyThatAnotherBodyTookOver) {
  NewDelivery failed = new_delivery("a", 0);
  failed.verdict = Verdict::Error;
  accept(failed).value();
  clock_.advance(8 * kDay);
  NewDelivery other = new_delivery("a", 0);
  other.body = "another";
  const std::string id = accept(other)->delivery_id;
  prune(7 * kDay);
  EXPECT_TRUE(comes([&] { return deliveries() == 1; }));
  EXPECT_EQ(accept(other)->delivery_id, id) << "still a duplicate";
}

TEST_F(PrunerTest, AFailedDeliveryThatComesAgainStandsInNobodysWay) {
  for (const Duration guard : {Duration(0), kDay / 2}) {
    NewDelivery failed = new_delivery("failed", 0);
    failed.verdict = Verdict::Error;
    failed.received_at = clock_.wall();
    const std::string id = accept(failed).value().delivery_id;
    for (int i = 0; i < 5; ++i) {
      NewDelivery ignored = new_delivery("ignored " + std::to_string(i), 0);
      ignored.received_at = clock_.wall();
      accept(ignored).value();
    }
    clock_.advance(2 * kDay);
    failed.id = new_id();
    failed.received_at = clock_.wall();
    EXPECT_EQ(accept(failed).value().delivery_id, id);
    store().set_retention({.keep = kDay, .guard = guard});
    EXPECT_TRUE(comes([&] { return deliveries() == 1; })) << "those behind it go";
    EXPECT_TRUE(store().delivery(id).ok()) << "it came just now";
    clock_.advance(2 * kDay);
    store().set_retention({.keep = kDay, .guard = guard});
    EXPECT_TRUE(comes([&] { return deliveries() == 0; }));
  }
}

TEST_F(PrunerTest, BeyondItsSizeTheOldestGoFirst) {
  std::string newest;
  for (int i = 0; i < 60; ++i) {
    newest = accept(large(std::to_string(i)))->delivery_id;
    clock_.advance(Duration(1'000));
  }
  prune(Duration(0), 3'000'000);
  EXPECT_TRUE(comes([&] { return deliveries() < 30; }));
  accept(new_delivery("a write after the step", 0)).value();
  EXPECT_GT(deliveries(), 20u) << "and no more than must";
  EXPECT_TRUE(store().delivery(newest).ok());
}

TEST_F(PrunerTest, WhatASenderMightSendAgainStaysHoweverLargeTheDatabaseIs) {
  const auto guarded = [&](const std::string& key) {
    NewDelivery delivery = large(key);
    delivery.body = key + delivery.body;
    delivery.replay_window = kDay;
    return delivery;
  };
  for (int i = 0; i < 10; ++i) accept(guarded("old " + std::to_string(i))).value();
  clock_.advance(kDay + Duration(1));
  for (int i = 0; i < 40; ++i) accept(guarded("young " + std::to_string(i))).value();
  store().set_retention({.max_bytes = 1'000'000, .guard = kDay});
  EXPECT_TRUE(comes([&] { return deliveries() == 40; }));
  accept(new_delivery("a write after the step", 0)).value();
  EXPECT_EQ(deliveries(), 41u);
  EXPECT_EQ(accept(guarded("young 0"))->repeat, Repeat::SameKey);
  NewDelivery caught = guarded("young 1");
  caught.delivery_key = "another id";
  EXPECT_EQ(accept(caught)->repeat, Repeat::OtherKey);
  clock_.advance(kDay);
  store().set_retention({.max_bytes = 1'000'000, .guard = kDay});
  EXPECT_TRUE(comes([&] { return deliveries() < 15; })) << "once that is over it goes";
}

TEST_F(PrunerTest, NorDoesItGoBecauseOfItsAge) {
  accept(new_delivery("a", 0)).value();
  clock_.advance(2 * kDay);
  accept(new_delivery("b", 0)).value();
  store().set_retention({.keep = kDay, .guard = 3 * kDay});
  accept(new_delivery("a write after the step", 0)).value();
  EXPECT_EQ(deliveries(), 3u);
  clock_.advance(2 * kDay);
  store().set_retention({.keep = kDay, .guard = 3 * kDay});
  EXPECT_TRUE(comes([&] { return deliveries() == 2; }));
}

TEST_F(PrunerTest, BeyondTheirNumberTheOldestTasksGoFirstWithTheDeliveriesBefore) {
  std::vector<std::string> ids;
  for (int i = 0; i < 20; ++i) {
    ids.push_back(accept(new_delivery(std::to_string(i)))->task_ids.at(0));
    clock_.advance(Duration(1'000));
  }
  complete_all();  // 16 of them
  store().set_retention({.max_tasks = 5});
  EXPECT_TRUE(comes([&] { return tasks() == 9; })) << "five that are done, four that wait";
  accept(new_delivery("a write after the step", 0)).value();
  EXPECT_EQ(tasks(), 9u);
  EXPECT_EQ(deliveries(), 10u);
  EXPECT_FALSE(store().task(ids[10]).ok());
  EXPECT_TRUE(store().task(ids[11]).ok());
}

TEST_F(PrunerTest, OfAChainThatGoesOnNothingGoesAlsoWithoutADelivery) {
  const std::string first = create();
  Finish done = finish_of(claim_one().fence);
  done.successor = new_task("executor");
  ASSERT_TRUE(finish(done).ok());
  create();
  complete_all();  // of another chain
  clock_.advance(2 * kDay);
  prune(kDay);
  EXPECT_TRUE(comes([&] { return tasks() == 2; }));
  EXPECT_TRUE(store().task(first).ok()) << "its budget counts what this one cost";
  ASSERT_TRUE(finish(finish_of(claim(1, {{"executor", 1}}).at(0).fence)).ok());
  clock_.advance(2 * kDay);
  prune(kDay);
  EXPECT_TRUE(comes([&] { return tasks() == 0; }));
}

TEST_F(PrunerTest, WhatWasSpentTodayCountsThoughItsTaskIsGone) {
  BudgetLimits limits;
  limits.day = 10'000'000;
  ASSERT_TRUE(wait([&](auto done) { store().set_budgets(limits, done); }).ok());
  create();
  Finish done = finish_of(claim_one().fence);
  done.result.usage.cost_micro_usd = 4'000'000;
  ASSERT_TRUE(finish(done).ok());
  clock_.advance(Duration(10));
  prune(Duration(5));
  EXPECT_TRUE(comes([&] { return tasks() == 0; }));
  EXPECT_EQ(store().queue()->budgets.at(0).spent, 4'000'000);
}

TEST_F(PrunerTest, WhatIsFreedIsUsedAgain) {
  const auto fill = [&](const std::string& name) {
    for (int i = 0; i < 40; ++i) accept(large(name + std::to_string(i))).value();
  };
  fill("first");
  clock_.advance(2 * kDay);
  prune(kDay);
  ASSERT_TRUE(comes([&] { return deliveries() == 0; }));
  database_.close();  // which moves the log into the file
  const auto size = std::filesystem::file_size(database_.path());
  fill("second");
  database_.close();
  EXPECT_LE(std::filesystem::file_size(database_.path()), size + size / 20);
}

TEST_F(PrunerTest, ThatMostOfTheFileIsFreeIsToldOnce) {
  const std::filesystem::path log_file = database_.folder() / "log.txt";
  auto log = Log::open({LogLevel::Info, LogFormat::Text, log_file.string()}).value();
  auto opened = Store::open(database_.options, *log, clock_);
  const auto& told = std::get<std::unique_ptr<Store>>(opened);
  const auto fill_and_prune = [&] {
    for (int i = 0; i < 20; ++i) {
      NewDelivery delivery = new_delivery(new_id(), 0);
      delivery.body = std::string(1 << 20, 'x');
      ASSERT_TRUE(wait<Accepted>([&](auto done) { told->accept(delivery, done); }).ok());
    }
    clock_.advance(2 * kDay);
    told->set_retention({.keep = kDay});
    EXPECT_TRUE(comes([&] { return told->deliveries({})->items.empty(); }));
    EXPECT_GT(told->database_size()->free, 16 << 20);
  };
  const auto times_told = [&] {
    const std::string text = read_file(log_file).value();
    int count = 0;
    for (std::size_t at = 0; (at = text.find("run davit compact", at)) != std::string::npos; ++at) ++count;
    return count;
  };
  fill_and_prune();
  EXPECT_TRUE(comes([&] { return times_told() == 1; }));
  fill_and_prune();
  std::get<std::unique_ptr<Store>>(opened).reset();
  EXPECT_EQ(times_told(), 1);
}

TEST_F(PrunerTest, WithoutARetentionNothingGoes) {
  create();
  complete_all();
  accept(new_delivery("a", 0)).value();
  clock_.advance(Duration(400 * kDay));
  prune(Duration(0));
  EXPECT_TRUE(accept(new_delivery("b", 0)).ok());
  EXPECT_EQ(tasks(), 1u);
  EXPECT_EQ(deliveries(), 2u);
}

TEST_F(PrunerTest, WritesGoOnWhileItPrunesAndWhatItRemovedIsTold) {
  std::atomic<std::int64_t> told_deliveries{0}, told_tasks{0};
  store().on_prune([&](std::int64_t deliveries, std::int64_t tasks) {
    told_deliveries += deliveries;
    told_tasks += tasks;
  });
  for (int i = 0; i < 400; ++i) accept(new_delivery("old " + std::to_string(i))).value();
  for (;;) {
    const std::vector<ClaimedTask> claimed = claim(100);
    if (claimed.empty()) break;
    for (const ClaimedTask& task : claimed) ASSERT_TRUE(finish(finish_of(task.fence)).ok());
  }
  clock_.advance(2 * kDay);
  prune(kDay);
  for (int i = 0; i < 100; ++i) accept(new_delivery("new " + std::to_string(i))).value();
  EXPECT_TRUE(comes([&] { return told_deliveries == 400 && told_tasks == 400; }));
  EXPECT_EQ(deliveries(), 100u);
  EXPECT_EQ(tasks(), 100u);
  EXPECT_THAT(claim(200), SizeIs(100));
}

TEST_F(PrunerTest, IfItFailsNothingIsLostAndTheNextWriteIsStored) {
  accept(new_delivery("old", 0)).value();
  clock_.advance(2 * kDay);
  database_.close();
  const auto execute = [&](const char* sql) {
    auto opened = Database::open(database_.path(), Database::Mode::Write, "");
    std::get<0>(opened)->execute(sql);
    ASSERT_FALSE(std::get<0>(opened)->failed());
  };
  execute("CREATE TRIGGER no BEFORE DELETE ON delivery BEGIN SELECT RAISE(ABORT, 'no'); END");
  prune(kDay);
  EXPECT_TRUE(comes([&] { return !store().health().ok(); }));
  EXPECT_TRUE(accept(new_delivery("new", 0)).ok());
  EXPECT_TRUE(store().health().ok());
  EXPECT_EQ(deliveries(), 2u);
  database_.close();
  execute("DROP TRIGGER no");
  prune(kDay);
  EXPECT_TRUE(comes([&] { return deliveries() == 1; }));
}

// --- step by step

class PrunerStepTest : public StoreTest {
 protected:
  // Closes the store; from then on there is only this.
  Database& raw() {
    if (!raw_) {
      database_.close();
      raw_ = std::move(std::get<0>(Database::open(database_.path(), Database::Mode::Write, "")));
      index_.emplace(*raw_);
      chain_sums_.emplace(*raw_);
      pruner_.emplace(*raw_, *index_, *chain_sums_);
    }
    return *raw_;
  }
  Pruner::Step step(const Retention& retention, int effort) {
    raw().begin();
    const Pruner::Step done = pruner_->step(retention, clock_.wall(), effort);
    chain_sums_->flush();
    EXPECT_TRUE(raw().commit());
    return done;
  }
  std::int64_t count(const char* table) {
    return raw().integer(("SELECT count(*) FROM " + std::string(table)).c_str());
  }
  void TearDown() override {
    pruner_.reset();
    chain_sums_.reset();
    index_.reset();
    raw_.reset();
    expect_sound();
  }

 private:
  std::unique_ptr<Database> raw_;
  std::optional<TaskIndex> index_;
  std::optional<ChainSums> chain_sums_;
  std::optional<Pruner> pruner_;
};

TEST_F(PrunerStepTest, AStepIsNoLargerThanItMayBeAndTheOlderOfDeliveriesAndTasksGoesFirst) {
  accept(new_delivery("oldest", 0)).value();
  clock_.advance(Duration(1));
  create();
  ASSERT_TRUE(finish(finish_of(claim_one().fence)).ok());
  clock_.advance(Duration(1));
  accept(new_delivery("newest", 0)).value();
  clock_.advance(2 * kDay);

  const Retention retention{kDay, 0};
  std::vector<std::pair<std::int64_t, std::int64_t>> left;
  for (bool more = true; more;) {
    const Pruner::Step done = step(retention, 1);
    EXPECT_LE(done.deliveries + done.tasks, 1);
    left.emplace_back(count("delivery"), count("task"));
    more = done.more;
  }
  EXPECT_THAT(left, ElementsAre(std::pair(1, 1), std::pair(1, 0), std::pair(0, 0)));
  for (const char* table : {"delivery_body", "delivery_key", "task_body", "execution", "execution_result"})
    EXPECT_EQ(count(table), 0) << table;
}

TEST_F(PrunerStepTest, WhatPeopleSpentIsForgottenAfterAWeekAndWhatAgentsDidIsNot) {
  for (int i = 0; i < 9; ++i) {
    create();
    Finish done = finish_of(claim_one().fence);
    done.result.usage.cost_micro_usd = 10;
    ASSERT_TRUE(finish(done).ok());
    clock_.advance(kDay);
  }
  step({400 * kDay, 0}, 100);
  step({400 * kDay, 0}, 100);
  EXPECT_EQ(raw().integer("SELECT count(*) FROM spend WHERE scope = 2"), 7);
  EXPECT_EQ(raw().integer("SELECT count(*) FROM spend WHERE scope = 1"), 9);
}

TEST_F(PrunerStepTest, ALongTranscriptGoesInPieces) {
  create();
  const ClaimedTask claimed = claim_one();
  LiveReport report;
  report.fence = claimed.fence;
  for (int i = 0; i < 95; ++i) report.transcript.lines.push_back({"assistant", "line"});
  ASSERT_TRUE(wait([&](auto done) { store().report({report}, done); }).ok());
  ASSERT_TRUE(finish(finish_of(claimed.fence)).ok());
  clock_.advance(2 * kDay);

  for (int left = 85; left > 0; left -= 10) {
    EXPECT_TRUE(step({kDay, 0}, 10).more);
    EXPECT_EQ(count("transcript"), left);
    EXPECT_EQ(count("task"), 1);
  }
  EXPECT_EQ(step({kDay, 0}, 10).tasks, 1);
  EXPECT_EQ(count("task") + count("execution") + count("transcript"), 0);
}

TEST_F(PrunerStepTest, PackedLinesAndArtifactsGoAFewAtATime) {
  create();
  ASSERT_TRUE(finish(finish_of(claim_one().fence)).ok());
  clock_.advance(2 * kDay);
  raw().execute(R"(
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9)
    INSERT INTO artifact (execution, name, content_type, bytes, sha256, deflated, content)
      SELECT (SELECT max(row) FROM execution), i, 'text/plain', 1, '', 0, x'41' FROM n;
    INSERT INTO transcript_pack (execution, first_line, lines, bytes, packed)
      SELECT execution, row, 1, 1, x'41' FROM artifact)");
  ASSERT_TRUE(raw().check().ok());

  std::int64_t left = 18;
  for (bool more = true; more;) {
    more = step({kDay, 0}, 1'000'000).more;
    const std::int64_t now = count("artifact") + count("transcript_pack");
    EXPECT_LT(left - now, 9) << "too much at once";
    left = now;
  }
  EXPECT_EQ(left + count("task") + count("execution"), 0);
}

TEST_F(PrunerStepTest, ALargeBodyCountsByItsPages) {
  for (const char* key : {"a", "b"}) {
    NewDelivery delivery = new_delivery(key, 0);
    delivery.body = std::string(1 << 20, 'x');
    accept(delivery).value();
  }
  clock_.advance(2 * kDay);
  EXPECT_EQ(step({kDay, 0}, 100).deliveries, 1);
  EXPECT_EQ(step({kDay, 0}, 100).deliveries, 1);
}

TEST_F(PrunerStepTest, ItTellsThatMoreWouldGoButForTheGuard) {
  for (const char* key : {"a", "b"}) {
    NewDelivery delivery = new_delivery(key, 0);
    delivery.body = std::string(1 << 20, 'x');
    accept(delivery).value();
    clock_.advance(2 * kDay);
  }
  const Pruner::Step done = step({.max_bytes = 1'000'000, .guard = 3 * kDay}, 100'000);
  EXPECT_EQ(done.deliveries, 1);
  EXPECT_TRUE(done.guarded);
  EXPECT_FALSE(step({.guard = 3 * kDay}, 100'000).guarded) << "nothing is to go";
}

TEST_F(PrunerStepTest, ItStopsLookingWhereWhatIsYoungBegins) {
  accept(new_delivery("old", 0)).value();
  clock_.advance(2 * kDay);
  for (int i = 0; i < 50; ++i) accept(new_delivery(std::to_string(i), 0)).value();
  const Pruner::Step done = step({kDay, 0}, 2);
  EXPECT_EQ(done.deliveries, 1);
  EXPECT_FALSE(done.more);
}

TEST_F(PrunerStepTest, WhatWasMadeBeforeTheClockWasSetBackDoesNotStandInItsWay) {
  clock_.jump(Duration(400 * kDay));
  accept(new_delivery("from the future", 0)).value();
  clock_.jump(Duration(-400 * kDay));
  accept(new_delivery("old", 0)).value();
  clock_.advance(2 * kDay);
  EXPECT_EQ(step({kDay, 0}, 100).deliveries, 1);
  EXPECT_EQ(count("delivery"), 1);
}

TEST_F(PrunerStepTest, ByAgeItGoesOnThoughThereIsRoomAndBySizeThoughAllIsYoung) {
  accept(new_delivery("old", 0)).value();
  clock_.advance(2 * kDay);
  NewDelivery young = new_delivery("young", 0);
  young.body = std::string(1 << 20, 'x');
  accept(young).value();
  EXPECT_EQ(step({kDay, std::int64_t{1} << 40}, 100).deliveries, 1);
  EXPECT_EQ(step({kDay, 1 << 20}, 100).deliveries, 1);
  EXPECT_EQ(count("delivery"), 0);
}

}  // namespace
}  // namespace davit::store
