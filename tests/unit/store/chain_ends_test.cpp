// Who is told that the work of a chain has stopped, and when.
#include "host/store/database.h"
#include "tests/unit/store/conformance.h"

namespace davit::store {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr Duration kDay{24 * 3'600'000};
constexpr const char* kEntity = "github:o/r#1";

class ChainEndsTest : public StoreTest {
 protected:
  ChainEndsTest() { set_notify("teller"); }
  void set_notify(const std::string& agent) {
    database_.options.chain_notify = agent;
    ASSERT_TRUE(wait([&](auto done) { store().set_chain_notify(agent, done); }).ok());
  }
  void set_rules(ApprovalRules rules) {
    rules.hash_required = false;
    ASSERT_TRUE(wait([&](auto done) { store().set_approval_rules(rules, done); }).ok());
  }
  std::string create_about(const std::string& entity = kEntity) {
    NewTask task = new_task();
    task.entity = entity;
    return create(task);
  }
  // Titles of what waits to be told.
  std::vector<std::string> told(const std::string& agent = "teller") {
    return titles({.agent = agent, .state = TaskState::Queued});
  }
  // What is to be told; it is being told from then on.
  std::vector<ClaimedTask> telling() { return claim(16, {{"teller", 16}}); }
  ClaimedTask telling_one() {
    std::vector<ClaimedTask> all = telling();
    EXPECT_THAT(all, SizeIs(1));
    return all.empty() ? ClaimedTask{} : std::move(all.front());
  }
  // Lets the planner's newest task give its work to the executor; the executor's.
  ClaimedTask to_executor(bool asks = false) {
    Finish done = finish_of(claim_one().fence);
    done.result.output = R"({"work":{"chain":"x"}})";
    done.result.also = {"github:o/r#12"};
    done.successor = new_task("executor");
    done.successor_awaits_approval = asks;
    EXPECT_TRUE(finish(done).ok());
    if (asks) return {};
    return claim(1, {{"executor", 1}}).at(0);
  }
  std::string waiting() { return store().tasks({.state = TaskState::AwaitingApproval})->items.at(0).task_id; }
  void fail(const Fence& fence, FailureClass failure = FailureClass::Permanent) {
    Finish failed = finish_of(fence, TaskState::Failed);
    failed.result.failure = failure;
    ASSERT_TRUE(finish(failed).ok());
  }
};

TEST_F(ChainEndsTest, AFailureIsToldWithAllThatIsNeededToTellPeopleOfIt) {
  const std::string first = create_about();
  const ClaimedTask executor = to_executor();
  EXPECT_THAT(told(), IsEmpty());
  fail(executor.fence);
  const ClaimedTask task = telling_one();
  EXPECT_EQ(task.task_type, "chain_end");
  EXPECT_EQ(task.source, "chain_end");
  EXPECT_EQ(task.title, "Failed: Look into it");
  EXPECT_EQ(task.entity, "chain:" + first) << "so that what is told of one chain is told in turn";
  EXPECT_EQ(task.chain_depth, 1);
  EXPECT_EQ(task.previous_result, R"({"work":{"chain":"x"}})");
  EXPECT_EQ(task.payload,
            R"({"task_id":")" + executor.task_id + R"(","root":")" + first +
                R"(","how":"failed","state":"failed","title":"Look into it",)"
                R"("agent":"executor","entity":"github:o/r#1","source":"api",)"
                R"("reason":"it did not work","failure":"permanent","also":["github:o/r#12"]})");
  EXPECT_FALSE(task.actor) << "its cost is nobody's";
  expect_sound();
}

TEST_F(ChainEndsTest, WhatTheEndedTaskGaveItselfIsNewer) {
  create_about();
  Finish refused = finish_of(claim_one().fence, TaskState::Failed);
  refused.result.output = R"({"work":{"chain":"y"}})";
  ASSERT_TRUE(finish(refused).ok());
  EXPECT_EQ(telling_one().previous_result, R"({"work":{"chain":"y"}})");
}

TEST_F(ChainEndsTest, ATaskAboutNothingIsToldOfAsWell) {
  create();
  fail(claim_one().fence);
  EXPECT_THAT(telling_one().payload, AllOf(HasSubstr(R"("entity":null)"), HasSubstr(R"("also":[])")));
}

TEST_F(ChainEndsTest, WhatIsTriedAgainOrDoneIsNoEnd) {
  create();
  Finish again = finish_of(claim_one().fence, TaskState::Queued);
  ASSERT_TRUE(finish(again).ok());
  ASSERT_TRUE(finish(finish_of(claim_one().fence)).ok());
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(ChainEndsTest, WithoutAnAgentNobodyIsTold) {
  set_notify("");
  ASSERT_TRUE(cancel(create()).ok());
  EXPECT_THAT(store().tasks({})->items, SizeIs(1));
}

TEST_F(ChainEndsTest, WhatPeopleCancelIsTold) {
  const std::string waits = create_about();
  ASSERT_TRUE(cancel(waits).ok());
  ClaimedTask task = telling_one();
  EXPECT_EQ(task.title, "Cancelled: Look into it");
  EXPECT_THAT(task.payload, AllOf(HasSubstr(R"("how":"cancelled")"), HasSubstr(R"("reason":"not needed")"),
                                  HasSubstr(R"("failure":null)")));

  const std::string runs = create_about();
  const ClaimedTask running = claim_one();
  ASSERT_TRUE(cancel(runs).ok());
  EXPECT_THAT(told(), IsEmpty()) << "it has not ended";
  Finish ended = finish_of(running.fence, TaskState::Cancelled);
  ended.result.failure = FailureClass::Cancelled;
  ASSERT_TRUE(finish(ended).ok());
  EXPECT_THAT(told(), ElementsAre("Cancelled: Look into it"));
  EXPECT_THAT(telling_one().payload, HasSubstr(R"("how":"cancelled")"));
}

TEST_F(ChainEndsTest, ARejectionIsToldUnlessTheWorkGoesBackWithIt) {
  set_rules({.reworks = {{"planner", 1}}});
  create_about();
  to_executor(true);
  ASSERT_TRUE(reject(waiting(), "smaller steps").ok());
  EXPECT_THAT(told(), IsEmpty()) << "it is planned again";
  to_executor(true);
  ASSERT_TRUE(reject(waiting(), "still too large").ok());
  const ClaimedTask task = telling_one();
  EXPECT_EQ(task.title, "Rejected: Look into it");
  EXPECT_THAT(task.payload, AllOf(HasSubstr(R"("how":"rejected","state":"cancelled")"),
                                  HasSubstr(R"("reason":"still too large")")));
  expect_sound();
}

TEST_F(ChainEndsTest, AnApprovalThatNobodyGaveInTimeIsTold) {
  for (const bool park : {false, true}) {
    set_rules({.deadline = kDay, .park_at_deadline = park});
    create_about();
    to_executor(true);
    clock_.advance(kDay);
    ASSERT_TRUE(wait<std::optional<WallTime>>([&](auto done) { store().work_off_approvals(done); }).ok());
    EXPECT_THAT(told(), ElementsAre("Not approved in time: Look into it"));
    EXPECT_THAT(telling_one().payload, AllOf(HasSubstr(park ? R"("how":"deadline","state":"parked")"
                                                            : R"("how":"deadline","state":"cancelled")"),
                                             HasSubstr("nobody approved it by ")));
  }
}

TEST_F(ChainEndsTest, WhatIsPutAsideUntilARetryByHandIsTold) {
  create_about();
  Finish crashed = finish_of(claim_one().fence, TaskState::Parked);
  crashed.result.failure = FailureClass::Crash;
  ASSERT_TRUE(finish(crashed).ok());
  const ClaimedTask task = telling_one();
  EXPECT_EQ(task.title, "Put aside: Look into it");
  EXPECT_THAT(task.payload, AllOf(HasSubstr(R"("how":"parked")"), HasSubstr(R"("failure":"crash")")));
}

TEST_F(ChainEndsTest, WhatAQuarantineHoldsBackIsNoEnd) {
  const std::string id = create();
  for (const std::set<std::string>& held : {std::set<std::string>{"planner"}, std::set<std::string>{}}) {
    ASSERT_TRUE(wait([&](auto done) { store().hold_agents(held, done); }).ok());
    EXPECT_EQ(task(id).task.state, held.empty() ? TaskState::Queued : TaskState::Parked);
    EXPECT_THAT(told(), IsEmpty());
  }
  ASSERT_TRUE(wait([&](auto done) { store().hold_agents({"planner"}, done); }).ok());
  ASSERT_TRUE(cancel(id).ok());
  EXPECT_THAT(told(), SizeIs(1)) << "but this is";
}

TEST_F(ChainEndsTest, WhatGaveWayToNewerInputIsNoEnd) {
  NewTask task = new_task();
  task.key = task.entity = kEntity;
  create(task);
  const ClaimedTask older = claim_one();
  create(task);
  ASSERT_TRUE(finish(finish_of(older.fence, TaskState::Queued)).ok());
  EXPECT_EQ(this->task(older.task_id).task.state, TaskState::Cancelled);
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(ChainEndsTest, WhoeverTellsIsNotToldOfItself) {
  create_about();
  fail(claim_one().fence);
  const ClaimedTask teller = telling_one();
  fail(teller.fence);
  EXPECT_THAT(told(), IsEmpty());
  ASSERT_TRUE(retry(teller.task_id).ok());
  set_notify("another");
  fail(telling_one().fence);
  EXPECT_THAT(told("another"), IsEmpty()) << "whoever is to tell by now";

  ASSERT_TRUE(cancel(create(new_task("another"))).ok());
  EXPECT_THAT(told("another"), IsEmpty()) << "made by hand";
  // In a chain that others have begun.
  create_about();
  Finish hands_on = finish_of(claim_one().fence);
  hands_on.successor = new_task("another");
  ASSERT_TRUE(finish(hands_on).ok());
  fail(claim(1, {{"another", 1}}).at(0).fence);
  EXPECT_THAT(told("another"), IsEmpty());
  expect_sound();
}

TEST_F(ChainEndsTest, AReminderThatFailsIsToldToNobody) {
  set_rules({.remind_after = kDay, .notify = "messenger"});
  create_about();
  to_executor(true);
  ASSERT_TRUE(wait<std::optional<WallTime>>([&](auto done) { store().work_off_approvals(done); }).ok());
  fail(claim(1, {{"messenger", 1}}).at(0).fence);
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(ChainEndsTest, ATaskThatIsRetriedByHandAndFailsAgainHasAnotherEnd) {
  const std::string id = create_about();
  fail(claim_one().fence);
  fail(telling_one().fence, FailureClass::Permanent);
  ASSERT_TRUE(retry(id).ok());
  EXPECT_THAT(told(), IsEmpty());
  fail(claim_one().fence);
  EXPECT_THAT(told(), ElementsAre("Failed: Look into it"));
  expect_sound();
}

TEST_F(ChainEndsTest, ARetryTakesBackWhatNobodyHasBegunToTell) {
  const std::string id = create_about();
  fail(claim_one().fence);
  EXPECT_THAT(told(), SizeIs(1));
  ASSERT_TRUE(retry(id).ok());
  EXPECT_THAT(told(), IsEmpty());
  const auto taken = store().tasks({.agent = "teller"});
  ASSERT_THAT(taken->items, SizeIs(1));
  EXPECT_EQ(taken->items[0].error, "task " + id + " is tried again");
  expect_sound();
}

TEST_F(ChainEndsTest, OfTwoEndsThatNobodyHasBegunToTellTheNewerIsTold) {
  const std::string id = create_about();
  ASSERT_TRUE(finish(finish_of(claim_one().fence, TaskState::Parked)).ok());
  ASSERT_TRUE(cancel(id).ok());
  EXPECT_THAT(telling_one().payload, HasSubstr(R"("how":"cancelled")"));
}

TEST_F(ChainEndsTest, TwoEndsOfOneChainAreToldOneAfterTheOther) {
  create_about();
  Finish forks = finish_of(claim_one().fence);
  forks.result.tasks = {new_task("left"), new_task("right")};
  forks.result.tasks[0].entity = "x";
  forks.result.tasks[1].entity = "y";
  ASSERT_TRUE(finish(forks).ok());
  for (const ClaimedTask& task : claim(2, {{"left", 1}, {"right", 1}})) fail(task.fence);
  const ClaimedTask one = telling_one();
  ASSERT_TRUE(finish(finish_of(one.fence)).ok());
  EXPECT_NE(telling_one().payload, one.payload);
}

// The end and its task are one transaction: what a host that died has to end is told when the next one opens.
TEST_F(ChainEndsTest, WhatEndsWhileTheStoreOpensIsTold) {
  const std::string id = create_about();
  claim_one();
  ASSERT_TRUE(cancel(id).ok());
  database_.close();
  EXPECT_EQ(task(id).task.state, TaskState::Cancelled) << "nobody is left to end it in order";
  EXPECT_THAT(told(), ElementsAre("Cancelled: Look into it"));
  database_.close();
  EXPECT_THAT(told(), SizeIs(1)) << "once";
  expect_sound();
}

TEST_F(ChainEndsTest, WhatIsLostTooOftenIsTold) {
  create_about();
  for (int i = 0; i < 10; ++i) {
    ASSERT_THAT(claim(1), SizeIs(1));
    EXPECT_THAT(told(), IsEmpty());
    clock_.advance(kLease);
    reap();
  }
  EXPECT_THAT(told(), ElementsAre("Put aside: Look into it"));
}

TEST_F(ChainEndsTest, ALateResultOfAnAttemptThatWasReplacedEndsNothing) {
  create_about();
  const ClaimedTask late = claim_one();
  clock_.advance(kLease);
  reap();
  EXPECT_FALSE(finish(finish_of(late.fence, TaskState::Failed)).ok());
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(ChainEndsTest, AnEndThatIsToldTwiceIsFound) {
  const std::string id = create_about();
  ASSERT_TRUE(cancel(id).ok());
  ASSERT_TRUE(retry(id).ok());
  ASSERT_TRUE(cancel(id).ok());
  ASSERT_TRUE(finish(finish_of(telling_one().fence)).ok());
  expect_sound();
  database_.close();
  const auto damage = [&](const char* sql) {
    auto opened = Database::open(database_.path(), Database::Mode::Write, "");
    std::get<0>(opened)->execute(sql);
  };
  // The one that was taken back is among them.
  damage("DELETE FROM decision");
  EXPECT_THAT(verify(database_.path()).value(),
              ElementsAre(HasSubstr("told of more often than it has ended: task row 1")));
  damage("UPDATE task SET key = 'chain_end:nothing' WHERE source = 'chain_end'");
  EXPECT_THAT(verify(database_.path()).value(), ElementsAre(HasSubstr("tells of the end of no task")));
}

}  // namespace
}  // namespace davit::store
