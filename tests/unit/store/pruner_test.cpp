// Conformance: what a store removes by age and by size, and what it never removes.
#include <thread>

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
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
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
  void TearDown() override { expect_sound(); }
};

TEST_F(PrunerTest, WhatIsDoneAndOldGoesWithAllThatBelongsToIt) {
  NewDelivery delivery = new_delivery("a");
  delivery.answer.links = {{"mentions", "sentry:acme/1", ""}};
  accept(delivery).value();
  const ClaimedTask claimed = claim_one();
  LiveReport report;
  report.fence = claimed.fence;
  report.transcript.emplace_back("assistant", "hello");
  ASSERT_TRUE(wait([&](auto done) { store().report({report}, done); }).ok());
  ASSERT_TRUE(finish(finish_of(claimed.fence)).ok());
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

TEST_F(PrunerTest, ATaskThatEndedLatelyStaysHoweverOldItIs) {
  create();
  clock_.advance(8 * kDay);
  complete_all();
  accept(new_delivery("b", 0)).value();
  clock_.advance(2 * kDay);
  create(new_task("executor"));
  prune(kDay);
  EXPECT_TRUE(comes([&] { return tasks() == 1; }));
  EXPECT_TRUE(comes([&] { return deliveries() == 0; }));
}

TEST_F(PrunerTest, BeyondItsSizeTheOldestGoFirst) {
  std::string newest;
  for (int i = 0; i < 60; ++i) {
    NewDelivery delivery = new_delivery(std::to_string(i), 0);
    delivery.body = std::string(100'000, 'x');
    newest = accept(delivery)->delivery_id;
    clock_.advance(Duration(1'000));
  }
  prune(Duration(0), 3'000'000);
  EXPECT_TRUE(comes([&] { return deliveries() < 60; }));
  EXPECT_GT(deliveries(), 15u) << "and no more than must";
  EXPECT_LT(deliveries(), 30u);
  EXPECT_TRUE(store().delivery(newest).ok());
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

}  // namespace
}  // namespace davit::store
