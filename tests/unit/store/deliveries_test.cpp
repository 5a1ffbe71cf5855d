// Conformance: what a store promises about deliveries, whatever it is built on.
#include <thread>

#include "host/store/database.h"
#include "tests/unit/store/conformance.h"

namespace davit::store {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class DeliveriesTest : public StoreTest {
 protected:
  Result<Accepted> settle(NewDelivery delivery) {
    return wait<Accepted>([&](auto done) { store().settle_deferred(std::move(delivery), done); });
  }
  Result<bool> defer_again(const std::string& id, WallTime again_at, int max_tries) {
    return wait<bool>([&](auto done) { store().defer_again(id, "it crashed", again_at, max_tries, done); });
  }
  Result<std::string> replay(const std::string& id) {
    return wait<std::string>([&](auto done) { store().replay(id, "alice", done); });
  }
  NewDelivery deferred(std::string key) {
    NewDelivery delivery = new_delivery(std::move(key), 0);
    delivery.verdict = Verdict::Deferred;
    return delivery;
  }
};

TEST_F(DeliveriesTest, AcceptStoresTheDeliveryAndItsTasksTogether) {
  NewDelivery delivery = new_delivery("a", 2);
  delivery.answer.actor = Actor{"7", "alice", "maintainer"};
  delivery.answer.entity = Entity{"github:o/n#12", "issue", "Broken", "https://example.org/12"};
  delivery.answer.links = {{"fixes", "jira:X-1", ""}};
  delivery.answer.message = "two tasks";
  const Accepted accepted = accept(delivery).value();

  EXPECT_EQ(accepted.delivery_id, delivery.id);
  EXPECT_EQ(accepted.verdict, Verdict::Queued);
  EXPECT_EQ(accepted.repeat, Repeat::None);
  ASSERT_THAT(accepted.task_ids, SizeIs(2));
  const TaskDetail detail = task(accepted.task_ids[0]);
  EXPECT_EQ(detail.task.source, "github");
  EXPECT_EQ(detail.task.entity, "github:o/n#12");
  EXPECT_EQ(detail.delivery_id, delivery.id);
  EXPECT_EQ(detail.actor->login, "alice");
  EXPECT_EQ(detail.links[0].key, "jira:X-1");
  EXPECT_EQ(detail.payload, R"({"issue":12})");
  const DeliveryDetail stored = store().delivery(delivery.id).value();
  EXPECT_EQ(stored.body, delivery.body);
  EXPECT_EQ(stored.delivery.task_ids, accepted.task_ids);
  EXPECT_EQ(stored.delivery.message, "two tasks");
  expect_sound();
}

TEST_F(DeliveriesTest, TasksThatHaveIdsKeepThemAndTheDeliveryNamesThem) {
  NewDelivery delivery = new_delivery("a", 2);
  for (NewTask& task : delivery.answer.tasks) task.id = new_id();
  const Accepted accepted = accept(delivery).value();
  EXPECT_THAT(accepted.task_ids, ElementsAre(delivery.answer.tasks[0].id, delivery.answer.tasks[1].id));
  EXPECT_EQ(store().delivery(accepted.delivery_id)->delivery.task_ids, accepted.task_ids);
  EXPECT_EQ(accept(delivery)->task_ids, accepted.task_ids) << "as a duplicate";
}

TEST_F(DeliveriesTest, ADeliveryWhoseTaskIsMergedIntoOneThatWaitsNamesThatOne) {
  NewDelivery first = new_delivery("a", 1), second = new_delivery("b", 1);
  for (NewDelivery* delivery : {&first, &second}) {
    delivery->answer.tasks[0].key = "o/n#12";
    delivery->answer.tasks[0].id = new_id();
  }
  const Accepted waiting = accept(first).value(), merged = accept(second).value();
  EXPECT_EQ(merged.task_ids, waiting.task_ids);
  EXPECT_EQ(store().delivery(merged.delivery_id)->delivery.task_ids, waiting.task_ids);
  EXPECT_FALSE(store().task(second.answer.tasks[0].id).ok());
}

TEST_F(DeliveriesTest, TheSameKeyAgainGivesTheFirstOutcomeAndStoresNothing) {
  const Accepted first = accept(new_delivery("a")).value();
  const Accepted second = accept(new_delivery("a")).value();
  EXPECT_EQ(second.repeat, Repeat::SameKey);
  EXPECT_EQ(second.delivery_id, first.delivery_id);
  EXPECT_EQ(second.task_ids, first.task_ids);
  EXPECT_EQ(second.verdict, Verdict::Queued);
  EXPECT_THAT(titles(), SizeIs(1));
  EXPECT_EQ(store().delivery(first.delivery_id)->delivery.duplicates, 1);
}

TEST_F(DeliveriesTest, TheSameKeyOfAnotherWebhookIsNotADuplicate) {
  ASSERT_TRUE(accept(new_delivery("a")).ok());
  NewDelivery other = new_delivery("a");
  other.webhook = "gitlab";
  EXPECT_EQ(accept(other)->repeat, Repeat::None);
}

TEST_F(DeliveriesTest, TheSameKeyAtOnceFromEightThreadsMakesOneTaskAndOneIdInAllAnswers) {
  store();
  for (int round = 0; round < 20; ++round) {
    std::vector<Accepted> answers(8);
    std::vector<std::thread> senders;
    for (Accepted& answer : answers) {
      senders.emplace_back([&] { answer = accept(new_delivery("round " + std::to_string(round))).value(); });
    }
    for (std::thread& sender : senders) sender.join();
    int firsts = 0;
    for (const Accepted& answer : answers) {
      EXPECT_EQ(answer.task_ids, answers[0].task_ids);
      EXPECT_EQ(answer.delivery_id, answers[0].delivery_id);
      firsts += answer.repeat == Repeat::None ? 1 : 0;
    }
    EXPECT_EQ(firsts, 1);
    EXPECT_THAT(answers[0].task_ids, SizeIs(1));
  }
  EXPECT_THAT(titles(), SizeIs(20));
}

TEST_F(DeliveriesTest, AnErrorMayRunAgainAndKeepsItsFirstId) {
  NewDelivery failed = new_delivery("a", 0);
  failed.verdict = Verdict::Error;
  const Accepted first = accept(failed).value();
  const Accepted second = accept(new_delivery("a")).value();
  EXPECT_EQ(second.repeat, Repeat::None);
  EXPECT_EQ(second.delivery_id, first.delivery_id);
  ASSERT_THAT(second.task_ids, SizeIs(1));
  const Accepted third = accept(new_delivery("a")).value();
  EXPECT_EQ(third.repeat, Repeat::SameKey);
  EXPECT_EQ(third.task_ids, second.task_ids);
  expect_sound();
}

TEST_F(DeliveriesTest, AKeyWithAWindowCountsOnlyWithinIt) {
  NewDelivery delivery = new_delivery("body:abc");
  delivery.key_window = Duration(60'000);
  const Accepted first = accept(delivery).value();
  clock_.advance(Duration(30'000));
  NewDelivery within = new_delivery("body:abc");
  within.key_window = Duration(60'000);
  EXPECT_EQ(accept(within)->repeat, Repeat::SameKey);
  clock_.advance(Duration(31'000));
  NewDelivery after = new_delivery("body:abc");
  after.key_window = Duration(60'000);
  const Accepted second = accept(after).value();
  EXPECT_EQ(second.repeat, Repeat::None);
  EXPECT_NE(second.delivery_id, first.delivery_id);
  expect_sound();
}

// --- the same body under another id

class ReplayGuardTest : public DeliveriesTest {
 protected:
  NewDelivery guarded(std::string key, std::string body = R"({"n":1})", int tasks = 1) {
    NewDelivery delivery = new_delivery(std::move(key), tasks);
    delivery.body = std::move(body);
    delivery.replay_window = Duration(60'000);
    return delivery;
  }
  void TearDown() override { expect_sound(); }
};

TEST_F(ReplayGuardTest, TheSameBodyUnderANewIdGivesTheFirstOutcomeAndIsCountedApart) {
  const Accepted first = accept(guarded("a")).value();
  for (const char* key : {"b", "c"}) {
    const Accepted again = accept(guarded(key)).value();
    EXPECT_EQ(again.repeat, Repeat::OtherKey);
    EXPECT_EQ(again.delivery_id, first.delivery_id);
    EXPECT_EQ(again.task_ids, first.task_ids);
  }
  EXPECT_EQ(accept(guarded("a"))->repeat, Repeat::SameKey);
  EXPECT_THAT(titles(), SizeIs(1));
  const DeliverySummary stored = store().delivery(first.delivery_id)->delivery;
  EXPECT_EQ(stored.same_body, 2);
  EXPECT_EQ(stored.duplicates, 1);
}

TEST_F(ReplayGuardTest, ItLooksNoFurtherBackThanItsWindowWhichDoesNotGrow) {
  ASSERT_TRUE(accept(guarded("a")).ok());
  clock_.advance(Duration(59'999));
  EXPECT_EQ(accept(guarded("b"))->repeat, Repeat::OtherKey);
  clock_.advance(Duration(1));
  EXPECT_EQ(accept(guarded("b"))->repeat, Repeat::None);
}

TEST_F(ReplayGuardTest, ABodyIsGuardedAlsoIfItComesWithoutItsIdFirstOrLater) {
  const auto without_id = [&](std::string body) {
    NewDelivery delivery = guarded("body:" + body, body);
    delivery.key_window = Duration(60'000);
    return delivery;
  };
  const Accepted first = accept(guarded("a", "x")).value();
  EXPECT_EQ(accept(without_id("x"))->repeat, Repeat::OtherKey);
  EXPECT_EQ(accept(without_id("x"))->delivery_id, first.delivery_id);

  const Accepted second = accept(without_id("y")).value();
  EXPECT_EQ(second.repeat, Repeat::None);
  EXPECT_EQ(accept(guarded("b", "y"))->repeat, Repeat::OtherKey);
  EXPECT_EQ(accept(without_id("y"))->repeat, Repeat::SameKey);
  EXPECT_THAT(titles(), SizeIs(2));
}

TEST_F(ReplayGuardTest, OneByteOfDifferenceIsAnotherEvent) {
  ASSERT_TRUE(accept(guarded("a", "x1")).ok());
  EXPECT_EQ(accept(guarded("b", "x2"))->repeat, Repeat::None);
}

TEST_F(ReplayGuardTest, OtherWebhooksAndThoseWhoseIdsAreSignedAreNotGuarded) {
  ASSERT_TRUE(accept(guarded("a")).ok());
  NewDelivery other = guarded("b");
  other.webhook = "gitlab";
  EXPECT_EQ(accept(other)->repeat, Repeat::None);
  NewDelivery is_signed = guarded("c");
  is_signed.replay_window.reset();
  EXPECT_EQ(accept(is_signed)->repeat, Repeat::None);
}

TEST_F(ReplayGuardTest, WhatFailedAtFirstMayComeAgainUnderAnyId) {
  NewDelivery failed = guarded("a", "x", 0);
  failed.verdict = Verdict::Error;
  const std::string first = accept(failed)->delivery_id;
  const Accepted second = accept(guarded("b", "x")).value();
  EXPECT_EQ(second.repeat, Repeat::None);
  EXPECT_NE(second.delivery_id, first);
  EXPECT_EQ(accept(guarded("a", "x"))->delivery_id, second.delivery_id)
      << "what succeeded under the other id does not run again under the one that failed";
}

TEST_F(ReplayGuardTest, WhatWasIgnoredHasNotUsedItsBodyUp) {
  const auto ignored = [&](const std::string& key, const std::string& body) {
    NewDelivery delivery = guarded(key, body, 0);
    delivery.verdict = Verdict::Ignored;
    return delivery;
  };
  const std::string first = accept(ignored("a", "x"))->delivery_id;
  EXPECT_EQ(accept(ignored("b", "x"))->delivery_id, first) << "one row for what is ignored again";
  const Accepted right = accept(guarded("c", "x")).value();
  EXPECT_EQ(right.repeat, Repeat::None) << "under the right name of its event";
  EXPECT_NE(right.delivery_id, first);
  EXPECT_EQ(accept(guarded("d", "x"))->delivery_id, right.delivery_id);
  EXPECT_EQ(accept(ignored("e", "x"))->repeat, Repeat::OtherKey);

  NewDelivery without_id = ignored("body:y", "y");
  without_id.key_window = Duration(60'000);
  ASSERT_TRUE(accept(without_id).ok());
  EXPECT_EQ(accept(without_id)->repeat, Repeat::SameKey);
  NewDelivery runs = guarded("body:y", "y");
  runs.key_window = Duration(60'000);
  const Accepted ran = accept(runs).value();
  EXPECT_EQ(ran.repeat, Repeat::None);
  EXPECT_EQ(accept(runs)->repeat, Repeat::SameKey);
  EXPECT_EQ(accept(without_id)->delivery_id, ran.delivery_id);
  EXPECT_THAT(titles(), SizeIs(2));
}

TEST_F(ReplayGuardTest, ABodyUnderTheIdOfAFailedOneIsGuarded) {
  NewDelivery failed = guarded("a", "x", 0);
  failed.verdict = Verdict::Error;
  ASSERT_TRUE(accept(failed).ok());
  const Accepted second = accept(guarded("a", "y")).value();
  EXPECT_EQ(second.repeat, Repeat::None);
  EXPECT_EQ(accept(guarded("b", "y"))->delivery_id, second.delivery_id);
  EXPECT_EQ(accept(guarded("c", "x"))->repeat, Repeat::None);
}

TEST_F(ReplayGuardTest, ADeferredOneIsNotDeferredTwice) {
  NewDelivery delivery = guarded("a", "x", 0);
  delivery.verdict = Verdict::Deferred;
  ASSERT_TRUE(accept(delivery).ok());
  NewDelivery again = guarded("b", "x", 0);
  again.verdict = Verdict::Deferred;
  EXPECT_EQ(accept(again)->repeat, Repeat::OtherKey);
  EXPECT_THAT(store().due_deferred(10).value(), SizeIs(1));
}

TEST_F(ReplayGuardTest, TheSameIdWithAnotherBodyLeavesTheFirstAsItIs) {
  const Accepted first = accept(guarded("a", "x")).value();
  const Accepted other = accept(guarded("a", "y")).value();
  EXPECT_EQ(other.repeat, Repeat::OtherBody);
  EXPECT_EQ(other.delivery_id, first.delivery_id);
  EXPECT_EQ(other.task_ids, first.task_ids);
  EXPECT_EQ(store().delivery(first.delivery_id)->body, "x");
}

TEST_F(DeliveriesTest, TheIdOfAFailedOneWithAnotherBodyRunsAndBothAreKept) {
  for (const Verdict verdict : {Verdict::Error, Verdict::Parked}) {
    const std::string key(to_string(verdict));
    NewDelivery failed = new_delivery(key, 0);
    failed.verdict = Verdict::Error;
    if (verdict == Verdict::Parked) failed.verdict = Verdict::Deferred;
    const std::string first = accept(failed)->delivery_id;
    if (verdict == Verdict::Parked) {
      ASSERT_TRUE(defer_again(first, clock_.wall(), 1).ok());
    }
    ASSERT_EQ(store().delivery(first)->delivery.verdict, verdict);

    NewDelivery other = new_delivery(key);
    other.body = "another";
    const Accepted second = accept(other).value();
    EXPECT_EQ(second.repeat, Repeat::None);
    EXPECT_NE(second.delivery_id, first);
    EXPECT_EQ(second.former_id, first);
    EXPECT_THAT(second.task_ids, SizeIs(1));
    EXPECT_EQ(store().delivery(first)->body, failed.body) << "what failed can still be replayed";
    EXPECT_EQ(store().delivery(first)->delivery.verdict, verdict);

    EXPECT_EQ(accept(other)->repeat, Repeat::SameKey) << "the key is the new one's";
    EXPECT_EQ(accept(new_delivery(key))->repeat, Repeat::OtherBody);
    ASSERT_TRUE(replay(first).ok());
    EXPECT_EQ(accept(other)->delivery_id, second.delivery_id);
  }
  expect_sound();
}

TEST_F(DeliveriesTest, ADeferredDeliveryIsDueAndSettledOnce) {
  const NewDelivery delivery = deferred("a");
  EXPECT_EQ(accept(delivery)->verdict, Verdict::Deferred);
  EXPECT_EQ(accept(deferred("a"))->repeat, Repeat::SameKey);
  std::vector<DeferredDelivery> due = store().due_deferred(10).value();
  ASSERT_THAT(due, SizeIs(1));
  EXPECT_EQ(due[0].delivery.body, delivery.body);
  EXPECT_EQ(due[0].delivery.path, delivery.path);

  NewDelivery outcome = due[0].delivery;
  outcome.verdict = Verdict::Queued;
  outcome.answer.tasks.push_back(new_task());
  const Accepted accepted = settle(outcome).value();
  EXPECT_EQ(accepted.delivery_id, delivery.id);
  EXPECT_THAT(accepted.task_ids, SizeIs(1));
  EXPECT_THAT(store().due_deferred(10).value(), IsEmpty());
  EXPECT_EQ(settle(outcome).error().code, ErrorCode::Conflict);
  EXPECT_THAT(titles(), SizeIs(1));
  EXPECT_EQ(accept(new_delivery("a"))->task_ids, accepted.task_ids);
  expect_sound();
}

TEST_F(DeliveriesTest, ADeferredDeliveryIsParkedAfterTooManyTriesAndReplayable) {
  const std::string id = accept(deferred("a"))->delivery_id;
  EXPECT_FALSE(defer_again(id, clock_.wall() + Duration(5'000), 2).value());
  EXPECT_THAT(store().due_deferred(10).value(), IsEmpty());
  clock_.advance(Duration(5'000));
  ASSERT_THAT(store().due_deferred(10).value(), SizeIs(1));
  EXPECT_EQ(store().due_deferred(10)->front().tries, 1);
  EXPECT_TRUE(defer_again(id, clock_.wall(), 2).value());
  EXPECT_EQ(store().delivery(id)->delivery.verdict, Verdict::Parked);
  EXPECT_THAT(store().due_deferred(10).value(), IsEmpty());
  EXPECT_EQ(defer_again(id, clock_.wall(), 2).error().code, ErrorCode::Conflict);

  ASSERT_TRUE(replay(id).ok());
  EXPECT_THAT(store().due_deferred(10).value(), SizeIs(1));
}

TEST_F(DeliveriesTest, ATryIsCountedBeforeItIsMadeAndNotTwice) {
  const std::string id = accept(deferred("a"))->delivery_id;
  const auto begin_try = [&] {
    return wait([&](auto done) { store().begin_try(id, clock_.wall() + Duration(5'000), done); });
  };
  ASSERT_TRUE(begin_try().ok());
  EXPECT_THAT(store().due_deferred(10).value(), IsEmpty()) << "it is under way";
  EXPECT_THAT(store().delivery(id)->delivery.message, HasSubstr("try 1 of its hooks has begun"));
  clock_.advance(Duration(5'000));
  ASSERT_THAT(store().due_deferred(10).value(), SizeIs(1)) << "nothing was heard of it";
  EXPECT_EQ(store().due_deferred(10)->front().tries, 1);
  ASSERT_TRUE(begin_try().ok());
  ASSERT_TRUE(wait<bool>([&](auto done) {
                store().defer_again(id, "it failed", clock_.wall(), 3, done, Try::Begun);
              }).ok());
  EXPECT_EQ(store().due_deferred(10)->front().tries, 2);
  ASSERT_TRUE(begin_try().ok());
  ASSERT_TRUE(wait<bool>([&](auto done) {
                store().defer_again(id, "it failed", clock_.wall(), 3, done, Try::Begun);
              }).ok());
  EXPECT_EQ(store().delivery(id)->delivery.verdict, Verdict::Parked);
  EXPECT_EQ(begin_try().error().code, ErrorCode::Conflict);
  expect_sound();
}

TEST_F(DeliveriesTest, WhatWaitsForItsWebhookIsNotDueAndCountsNoTryUntilThatServes) {
  const std::string id = accept(deferred("a"))->delivery_id;
  const std::string webhook = store().delivery(id)->delivery.webhook;
  const auto serve = [&](std::vector<std::string> names) {
    return wait<int>([&](auto done) { store().webhooks_serve(std::move(names), done); }).value();
  };
  ASSERT_TRUE(wait([&](auto done) { store().wait_for_webhook(id, "waits, because", done); }).ok());
  EXPECT_EQ(store().delivery(id)->delivery.message, "waits, because");
  EXPECT_EQ(store().delivery(id)->delivery.verdict, Verdict::Deferred);
  EXPECT_EQ(store().next_deferred_at().value(), std::nullopt);
  clock_.advance(Duration(365ll * 86'400'000));
  EXPECT_THAT(store().due_deferred(10).value(), IsEmpty());
  EXPECT_EQ(serve({"another"}), 0);
  EXPECT_THAT(store().due_deferred(10).value(), IsEmpty());
  EXPECT_EQ(serve({"another", webhook}), 1);
  ASSERT_THAT(store().due_deferred(10).value(), SizeIs(1));
  EXPECT_EQ(store().due_deferred(10)->front().tries, 0);
  EXPECT_EQ(serve({webhook}), 0) << "it does not wait any more";
  expect_sound();
}

// --- replays by hand

TEST_F(DeliveriesTest, AReplayIsADeliveryOfItsOwnThatNoKeyStandsAgainst) {
  NewDelivery original = new_delivery("a");
  original.replay_window = Duration(60'000);
  original.answer.tasks[0].entity = "github:o/n#12";
  const Accepted first = accept(original).value();
  clock_.advance(Duration(5'000));
  const std::string id = replay(first.delivery_id).value();
  EXPECT_NE(id, first.delivery_id);

  const std::vector<DeferredDelivery> due = store().due_deferred(10).value();
  ASSERT_THAT(due, SizeIs(1));
  EXPECT_EQ(due[0].delivery.id, id);
  EXPECT_EQ(due[0].delivery.body, original.body);
  EXPECT_EQ(due[0].delivery.headers, original.headers);
  NewDelivery outcome = due[0].delivery;
  outcome.verdict = Verdict::Queued;
  outcome.answer.tasks.push_back(new_task());
  const Accepted second = settle(outcome).value();
  EXPECT_NE(second.task_ids, first.task_ids);
  EXPECT_THAT(titles(), SizeIs(2));

  const DeliveryDetail shown = store().delivery(id).value();
  EXPECT_EQ(shown.delivery.replay_of, first.delivery_id);
  EXPECT_EQ(shown.replayed_by, "alice");
  EXPECT_EQ(shown.delivery.received_at, clock_.wall());
  EXPECT_EQ(store().delivery(first.delivery_id)->delivery.verdict, Verdict::Queued) << "as it was";
  EXPECT_EQ(accept(original)->delivery_id, first.delivery_id) << "the sender's key is still the first one's";

  const std::string again = replay(id).value();
  EXPECT_EQ(store().delivery(again)->delivery.replay_of, first.delivery_id) << "of the one that was sent";
  expect_sound();
}

TEST_F(DeliveriesTest, WhatIsStillToBeRunIsNotReplayed) {
  const std::string id = accept(deferred("a"))->delivery_id;
  EXPECT_EQ(replay(id).error().code, ErrorCode::Conflict);
  EXPECT_EQ(replay(new_id()).error().code, ErrorCode::NotFound);
  EXPECT_THAT(store().due_deferred(10).value(), SizeIs(1));
}

TEST_F(DeliveriesTest, ADeliveryWithoutItsBodyIsNotRunAgain) {
  const std::string id = accept(new_delivery("a"))->delivery_id;
  database_.close();
  {
    auto opened = Database::open(database_.path(), Database::Mode::Write, "");
    std::get<0>(opened)->execute("DELETE FROM delivery_body");
    ASSERT_FALSE(std::get<0>(opened)->failed());
  }
  for (const Error& error : {replay(id).error(), store().delivery_to_run(id).error()}) {
    EXPECT_EQ(error.code, ErrorCode::NotFound);
    EXPECT_EQ(error.message, "the body of delivery " + id + " is not kept any more; it cannot be run again");
  }
  for (const std::string& unknown : {new_id(), std::string("nonsense")})
    EXPECT_EQ(store().delivery_to_run(unknown).error().message,
              "delivery " + unknown + " does not exist, or is not kept any more");
  EXPECT_THAT(store().due_deferred(10).value(), IsEmpty());
}

// --- links

TEST_F(DeliveriesTest, TasksAndDeliveriesAreFoundByWhatTheirEventMentions) {
  NewDelivery delivery = new_delivery("a");
  delivery.answer.links = {{"mentions", "sentry:acme/12", "https://sentry.example/12"},
                           {"mentions", "", "https://example.org/page"},
                           {"mentions", "sentry:acme/12", "https://sentry.example/12?again"}};
  const Accepted accepted = accept(delivery).value();
  accept(new_delivery("b")).value();
  for (const char* key : {"sentry:acme/12", "https://example.org/page"}) {
    EXPECT_THAT(store().tasks({.link = key})->items, SizeIs(1)) << key;
    const Page<DeliverySummary> found = store().deliveries({.link = key}).value();
    ASSERT_THAT(found.items, SizeIs(1)) << key;
    EXPECT_EQ(found.items[0].delivery_id, accepted.delivery_id);
  }
  EXPECT_THAT(store().tasks({.link = "sentry:acme/1"})->items, IsEmpty());
  EXPECT_THAT(store().delivery(accepted.delivery_id)->links, SizeIs(3));

  Finish done = finish_of(claim_one().fence);
  done.successor = new_task("executor");
  ASSERT_TRUE(finish(done).ok());
  EXPECT_THAT(store().tasks({.link = "sentry:acme/12"})->items, SizeIs(2)) << "also the chain's next one";
}

TEST_F(DeliveriesTest, ATaskThatANewerEventTookHasTheLinksOfThatOne) {
  NewDelivery first = new_delivery("a"), second = new_delivery("b");
  for (NewDelivery* delivery : {&first, &second})
    delivery->answer.entity = Entity{"jira:X-1", "issue", "", ""};
  first.answer.links = {{"mentions", "sentry:acme/1", ""}};
  second.answer.links = {{"mentions", "sentry:acme/2", ""}};
  accept(first).value();
  accept(second).value();
  EXPECT_THAT(store().tasks({.link = "sentry:acme/1"})->items, IsEmpty());
  EXPECT_THAT(store().tasks({.link = "sentry:acme/2"})->items, SizeIs(1));
  EXPECT_THAT(store().deliveries({.link = "sentry:acme/1"})->items, SizeIs(1));
}

TEST_F(DeliveriesTest, ADeferredDeliveryGetsItsLinksWhenItIsSettled) {
  NewDelivery delivery = deferred("a");
  accept(delivery).value();
  delivery.verdict = Verdict::Ignored;
  delivery.answer.links = {{"mentions", "sentry:acme/1", ""}};
  delivery.plugin_version = "1.2.3";
  settle(delivery).value();
  EXPECT_THAT(store().deliveries({.link = "sentry:acme/1"})->items, SizeIs(1));
  EXPECT_EQ(store().delivery(delivery.id)->plugin_version, "1.2.3");
}

TEST_F(DeliveriesTest, ActionsOnTasksAreCommittedWithTheDelivery) {
  NewTask waiting = new_task();
  waiting.entity = "github:o/n#12";
  const std::string id = create(waiting);
  NewDelivery delivery = new_delivery("a", 0);
  delivery.answer.message = "because";
  delivery.answer.actions.push_back(
      {.kind = TaskActionKind::Cancel, .entity = "github:o/n#12", .comment = "stop"});
  delivery.answer.actions.push_back({.kind = TaskActionKind::Approve, .task_id = id});
  const Accepted accepted = accept(delivery).value();
  EXPECT_EQ(accepted.message, "because; task " + id + ": cancel accepted, now cancelled; task " + id +
                                  " is cancelled: cannot approve it; it does not wait for approval");
  EXPECT_EQ(store().delivery(delivery.id)->delivery.message, accepted.message);
  EXPECT_EQ(task(id).task.state, TaskState::Cancelled);
  EXPECT_EQ(task(id).task.error, "stop");

  NewDelivery later = new_delivery("b", 0);
  later.answer.message = "";
  later.answer.actions.push_back({.kind = TaskActionKind::Approve, .entity = "github:o/n#12"});
  EXPECT_EQ(accept(later).value().message, "approve refused: no task of github:o/n#12 waits for approval");
  EXPECT_EQ(accept(later).value().message, "approve refused: no task of github:o/n#12 waits for approval")
      << "also when it comes again";
}

TEST_F(DeliveriesTest, ADeliveryWithABadTaskIsRefusedWhole) {
  NewDelivery delivery = new_delivery("a", 2);
  delivery.answer.tasks[1].agent = "";
  EXPECT_EQ(accept(delivery).error().code, ErrorCode::InvalidInput);
  EXPECT_THAT(titles(), IsEmpty());
  EXPECT_EQ(store().delivery(delivery.id).error().code, ErrorCode::NotFound);
  EXPECT_EQ(accept(new_delivery("a"))->repeat, Repeat::None);
}

TEST_F(DeliveriesTest, TheListGoesFromNewToOldInPages) {
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(accept(new_delivery(std::to_string(i), i % 2))->delivery_id);
  Store::DeliveryFilter filter{.limit = 2};
  std::vector<std::string> seen;
  do {
    const Page<DeliverySummary> page = store().deliveries(filter).value();
    for (const DeliverySummary& item : page.items) seen.push_back(item.delivery_id);
    filter.cursor = page.next_cursor;
  } while (!filter.cursor.empty());
  EXPECT_THAT(seen, ElementsAre(ids[4], ids[3], ids[2], ids[1], ids[0]));
  EXPECT_THAT(store().deliveries({.verdict = Verdict::Queued})->items, SizeIs(2));
  EXPECT_EQ(store().deliveries({.cursor = "x"}).error().code, ErrorCode::InvalidInput);
}

TEST_F(DeliveriesTest, ListsOfWebhooksAndVerdictsAreThoseOfAllThatPass) {
  for (int i = 0; i < 40; ++i) {
    NewDelivery delivery = new_delivery(std::to_string(i), i % 3);
    delivery.webhook = std::vector<std::string>{"github", "jira", "slack"}[static_cast<std::size_t>(i * i % 7 % 3)];
    if (i % 11 == 0) delivery.verdict = Verdict::Error;
    ASSERT_TRUE(accept(std::move(delivery)).ok());
  }
  const auto ids = [&](Store::DeliveryFilter filter) {
    std::vector<std::string> seen;
    do {
      const Page<DeliverySummary> page = store().deliveries(filter).value();
      EXPECT_LE(page.items.size(), static_cast<std::size_t>(filter.limit));
      for (const DeliverySummary& item : page.items) seen.push_back(item.delivery_id);
      filter.cursor = page.next_cursor;
    } while (!filter.cursor.empty());
    return seen;
  };
  const Page<DeliverySummary> all = store().deliveries({.limit = 500}).value();
  for (const std::string webhook : {"", "github", "jira", "slack", "nobody"}) {
    for (const std::optional<Verdict> verdict :
         {std::optional<Verdict>(), std::optional(Verdict::Queued), std::optional(Verdict::Ignored),
          std::optional(Verdict::Error), std::optional(Verdict::Parked)}) {
      std::vector<std::string> passing;
      for (const DeliverySummary& each : all.items)
        if ((webhook.empty() || each.webhook == webhook) && (!verdict || each.verdict == *verdict))
          passing.push_back(each.delivery_id);
      for (const int limit : {1, 3, 500})
        EXPECT_EQ(ids({.webhook = webhook, .verdict = verdict, .limit = limit}), passing) << webhook << " " << limit;
    }
  }
}

}  // namespace
}  // namespace davit::store
