// Acts on many tasks: step by step, each with its outcomes, known under their key also to the next host.
#include "host/store/bulk_acts.h"

#include <future>

#include "tests/unit/store/conformance.h"

namespace davit::store {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class BulkActsTest : public StoreTest {
 protected:
  // Handed in together, so that they share commits.
  std::vector<std::string> create_many(std::size_t count) {
    std::vector<std::future<std::string>> made;
    for (std::size_t i = 0; i < count; ++i) {
      auto promise = std::make_shared<std::promise<std::string>>();
      made.push_back(promise->get_future());
      store().create_task(new_task(), "api", std::nullopt,
                          [promise](const Result<std::string>& id) { promise->set_value(id.value()); });
    }
    std::vector<std::string> ids;
    for (auto& each : made) ids.push_back(each.get());
    return ids;
  }
  static BulkAct cancelling(const std::vector<std::string>& ids, const std::string& key = "k") {
    BulkAct act{"ada", key, "the request's", TaskActionKind::Cancel, "not needed", {}};
    for (const std::string& id : ids) act.tasks.push_back({id, TaskState::Queued, 0, ""});
    return act;
  }
  Result<> begin(const BulkAct& act, Audited line = {}) {
    return wait([&](auto done) { store().begin_bulk_act(act, done, line); });
  }
  Result<BulkProgress> go_on(const std::string& key = "k") {
    return wait<BulkProgress>([&](auto done) { store().continue_bulk_act("ada", key, done); });
  }
  std::optional<BulkProgress> known(const std::string& actor = "ada", const std::string& key = "k") {
    return store().bulk_act(actor, key).value();
  }
  TaskState state_of(const std::string& id) { return store().task(id)->task.state; }
};

TEST_F(BulkActsTest, IsDoneStepByStepAndKnownWithAllThatCameOfIt) {
  const auto ids = create_many(Store::kMostChosen + 1);
  ASSERT_TRUE(begin(cancelling(ids)).ok());
  EXPECT_EQ(state_of(ids.front()), TaskState::Queued) << "it was only begun";
  EXPECT_THAT(known()->outcomes, SizeIs(0));
  const auto first = go_on();
  ASSERT_TRUE(first.ok());
  EXPECT_FALSE(first->finished);
  EXPECT_THAT(first->outcomes, SizeIs(Store::kMostChosen));
  EXPECT_EQ(first->outcomes.front().task_id, ids.front());
  EXPECT_EQ(first->outcomes.front().state, TaskState::Cancelled);
  EXPECT_EQ(state_of(ids.back()), TaskState::Queued);
  const auto last = go_on();
  EXPECT_TRUE(last->finished);
  EXPECT_THAT(last->outcomes, SizeIs(1));
  EXPECT_EQ(state_of(ids.back()), TaskState::Cancelled);
  EXPECT_EQ(store().task(ids.back())->task.error, "not needed");
  const auto whole = known();
  EXPECT_TRUE(whole->finished);
  EXPECT_EQ(whole->request_sha256, "the request's");
  EXPECT_EQ(whole->action, TaskActionKind::Cancel);
  ASSERT_THAT(whole->outcomes, SizeIs(ids.size()));
  for (std::size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(whole->outcomes[i].task_id, ids[i]);
  const auto more = go_on();
  EXPECT_TRUE(more->finished) << "there is nothing left";
  EXPECT_THAT(more->outcomes, SizeIs(0));
}

TEST_F(BulkActsTest, TheNextHostGoesOnWhereThisOneEnded) {
  const auto ids = create_many(2 * Store::kMostChosen);
  ASSERT_TRUE(begin(cancelling(ids)).ok());
  ASSERT_TRUE(go_on().ok());
  database_.open();
  EXPECT_FALSE(known()->finished);
  EXPECT_THAT(known()->outcomes, SizeIs(Store::kMostChosen));
  EXPECT_TRUE(go_on()->finished);
  EXPECT_THAT(known()->outcomes, SizeIs(ids.size()));
  for (const std::string& id : ids) {
    EXPECT_EQ(state_of(id), TaskState::Cancelled);
    EXPECT_THAT(store().task(id)->decisions, SizeIs(1)) << "decided once";
  }
}

TEST_F(BulkActsTest, WhatHasChangedSinceItWasChosenIsRefusedByItselfAndRemembered) {
  const auto ids = create_many(2);
  ASSERT_TRUE(begin(cancelling({ids[0], ids[1], new_id()})).ok());
  ASSERT_TRUE(wait<TaskState>([&](auto done) { store().cancel(ids[1], alice(), "", done); }).ok());
  ASSERT_TRUE(go_on()->finished);
  const auto whole = known();
  EXPECT_EQ(whole->outcomes[0].state, TaskState::Cancelled);
  EXPECT_FALSE(whole->outcomes[1].state);
  EXPECT_THAT(whole->outcomes[1].refusal, HasSubstr("has changed since it was chosen"));
  EXPECT_THAT(whole->outcomes[2].refusal, HasSubstr("does not exist"));
}

TEST_F(BulkActsTest, WhatIsRejectedIsWhatWasShown) {
  NewTask asks = new_task();
  asks.awaits_approval = true;
  BulkAct act{"ada", "k", "the request's", TaskActionKind::Reject, "no", {}};
  for (const char* title : {"first", "second"}) {
    asks.title = title;
    const std::string id = create(asks);
    act.tasks.push_back({id, TaskState::AwaitingApproval, 0, task(id).approval->content_hash});
  }
  act.tasks[0].content_hash = act.tasks[1].content_hash;
  ASSERT_TRUE(begin(act).ok());
  ASSERT_TRUE(go_on().ok());
  EXPECT_THAT(known()->outcomes[0].refusal, HasSubstr("is not what was looked at"));
  EXPECT_EQ(state_of(act.tasks[0].task_id), TaskState::AwaitingApproval);
  EXPECT_EQ(known()->outcomes[1].state, TaskState::Cancelled);
}

TEST_F(BulkActsTest, AKeyIsItsActorsAndStandsForOneActForADay) {
  const auto ids = create_many(1);
  ASSERT_TRUE(begin(cancelling(ids)).ok());
  EXPECT_EQ(begin(cancelling(ids)).error().code, ErrorCode::Conflict);
  EXPECT_FALSE(known("bob"));
  EXPECT_FALSE(known("ada", "other"));
  EXPECT_FALSE(known("ad", "ak")) << "actor and key do not run into one another";
  EXPECT_EQ(go_on("other").error().code, ErrorCode::NotFound);
  ASSERT_TRUE(go_on().ok());
  clock_.advance(kBulkActKept - Duration(1));
  EXPECT_TRUE(known());
  clock_.advance(Duration(1));
  EXPECT_FALSE(known());
  ASSERT_TRUE(begin(cancelling(create_many(1))).ok());
  EXPECT_FALSE(known()->finished) << "another act under the same key";
}

TEST_F(BulkActsTest, AKeyIsKeptForADayHoweverManyActsThereAre) {
  ASSERT_TRUE(begin(cancelling({new_id()}, "first")).ok());
  ASSERT_TRUE(go_on("first").ok());
  clock_.advance(Duration(60'000));
  for (std::size_t i = 1; i < kMostBulkActs; ++i)
    store().begin_bulk_act(cancelling({new_id()}, std::to_string(i)), [](const Result<>& begun) { EXPECT_TRUE(begun.ok()); });
  // His next one is refused, and nothing of it is kept; another's is not.
  const Result<> refused = begin(cancelling({new_id()}, "more"));
  EXPECT_EQ(refused.error().code, ErrorCode::RateLimited);
  const WallTime first_goes = clock_.wall() - Duration(60'000) + kBulkActKept;
  EXPECT_THAT(refused.error().message, HasSubstr("the next may begin at " + to_iso8601(first_goes)));
  EXPECT_FALSE(known("ada", "more"));
  BulkAct of_another = cancelling({new_id()}, "more");
  of_another.actor = "bob";
  EXPECT_TRUE(begin(of_another).ok());
  ASSERT_TRUE(known("ada", "first"));
  EXPECT_TRUE(known("ada", "first")->finished);
  EXPECT_THAT(known("ada", "first")->outcomes, SizeIs(1));
  EXPECT_EQ(begin(cancelling({new_id()}, "first")).error().code, ErrorCode::Conflict);
  clock_.advance(first_goes - clock_.wall());
  EXPECT_TRUE(begin(cancelling({new_id()}, "more")).ok());
  EXPECT_FALSE(known("ada", "first"));
  EXPECT_TRUE(known("ada", "1"));
}

TEST_F(BulkActsTest, ItsLineIsInTheAuditLogBeforeAnythingOfItIsDone) {
  AuditEntry line;
  line.actor = "ada";
  line.operation = "actOnTasksBulk";
  ASSERT_TRUE(begin(cancelling(create_many(1)), line).ok());
  EXPECT_FALSE(begin(cancelling(create_many(1)), line).ok());
  const auto lines = store().audit({})->items;
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_EQ(lines[1].outcome, "done");
  EXPECT_EQ(lines[0].outcome, "refused");
}

TEST_F(BulkActsTest, EachTaskHasItsLineInTheAuditLogAlsoWhereItIsRefused) {
  const std::vector<std::string> ids = create_many(2);
  BulkAct act = cancelling(ids);
  act.way = "session";
  act.address = "198.51.100.7";
  act.request_id = "r1";
  ASSERT_TRUE(begin(act).ok());
  const Person other{"bob", {}, "api"};
  ASSERT_TRUE(wait<TaskState>([&](auto done) { store().cancel(ids[0], other, "", done, {}); }).ok());
  ASSERT_TRUE(go_on().ok());
  for (const std::string& id : ids) {
    const auto lines = store().audit({.object = id})->items;
    ASSERT_THAT(lines, SizeIs(1)) << id;
    EXPECT_EQ(lines[0].operation, "cancelTask");
    EXPECT_EQ(lines[0].parameters, R"({"with":"actOnTasksBulk"})");
    EXPECT_EQ(lines[0].actor + " " + lines[0].way + " " + lines[0].address + " " + lines[0].request_id, "ada session 198.51.100.7 r1");
    EXPECT_EQ(lines[0].outcome, id == ids[0] ? "refused" : "done");
    EXPECT_EQ(lines[0].reason.empty(), id != ids[0]);
  }
}

}  // namespace
}  // namespace davit::store
