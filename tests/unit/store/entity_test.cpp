// Conformance: what a store promises about tasks that are about the same thing: newer input takes the place
// of what waits, and only one of them runs at a time.
#include <thread>

#include "tests/unit/store/conformance.h"

namespace davit::store {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr const char* kIssue = "github:o/n#12";

class EntityTest : public StoreTest {
 protected:
  // An event about the issue, with one task without a key of its own; gives the id of the task it became.
  std::string event(const std::string& title, const std::string& agent = "planner", bool approval = false) {
    NewDelivery delivery = new_delivery("event " + std::to_string(++events_));
    delivery.answer.entity = Entity{kIssue, "issue", "Broken", ""};
    delivery.answer.tasks[0].agent = agent;
    delivery.answer.tasks[0].title = title;
    delivery.answer.tasks[0].payload = "\"" + title + "\"";
    delivery.answer.tasks[0].awaits_approval = approval;
    return accept(std::move(delivery)).value().task_ids.at(0);
  }
  std::string about_issue(const std::string& title, const std::string& agent = "planner", int priority = 0,
                          Duration in = Duration(0)) {
    NewTask task = new_task(agent);
    task.entity = kIssue;
    task.title = title;
    task.priority = priority;
    task.run_at = clock_.wall() + in;
    return create(task);
  }
  std::vector<ClaimedTask> claim_all() { return claim(16, {{"planner", 8}, {"executor", 8}}); }
  std::vector<std::string> claim_titles() {
    std::vector<std::string> found;
    for (const ClaimedTask& claimed : claim_all()) found.push_back(claimed.title);
    return found;
  }
  Finish retry_of(const Fence& fence) { return finish_of(fence, TaskState::Queued); }
  void TearDown() override { expect_sound(); }

 private:
  int events_ = 0;
};

TEST_F(EntityTest, ANewerEventReplacesTheInputOfTheTaskThatWaits) {
  const std::string id = event("first");
  EXPECT_EQ(event("second"), id);
  EXPECT_EQ(event("third"), id);
  const std::vector<ClaimedTask> claimed = claim_all();
  ASSERT_THAT(claimed, SizeIs(1));
  EXPECT_EQ(claimed[0].payload, "\"third\"");
}

class GroupTest : public EntityTest {
 protected:
  std::string event_about(const std::string& number, const std::string& agent = "planner") {
    NewDelivery delivery = new_delivery(agent + " on " + number);
    delivery.answer.entity = Entity{"github:o/n#" + number, "issue", "Broken", "", "github:o/n"};
    delivery.answer.tasks[0].agent = agent;
    delivery.answer.tasks[0].title = agent + " " + number;
    return accept(std::move(delivery)).value().task_ids.at(0);
  }
  void rule(LineRule of_planner) {
    ASSERT_TRUE(wait<std::monostate>([&](auto done) {
                  store().set_line_rules({{"planner", of_planner}}, done);
                }).ok());
  }
};

TEST_F(GroupTest, TwoIssuesOfARepositoryRunSideBySideByDefault) {
  event_about("1");
  event_about("2");
  EXPECT_THAT(claim_titles(), ElementsAre("planner 1", "planner 2"));
}

TEST_F(GroupTest, OneTaskOfARepositoryRunsAtATimeWhereSo) {
  rule(LineRule::Group);
  event_about("1");
  event_about("2");
  event_about("3", "executor");  // another agent, by its own rule
  const std::vector<ClaimedTask> first = claim_all();
  ASSERT_THAT(first, SizeIs(2));
  EXPECT_EQ(first[0].title, "planner 1");
  EXPECT_EQ(first[1].title, "executor 3");
  EXPECT_THAT(claim_titles(), IsEmpty());
  ASSERT_TRUE(finish(finish_of(first[0].fence)).ok());
  EXPECT_THAT(claim_titles(), ElementsAre("planner 2"));
}

TEST_F(GroupTest, WhatHasNoGroupStandsInTheLineOfItsEntity) {
  rule(LineRule::Group);
  about_issue("first");
  about_issue("second");
  EXPECT_THAT(claim_titles(), ElementsAre("first"));
}

TEST_F(GroupTest, WhatFollowsInAChainBelongsToTheSameRepository) {
  event_about("1", "executor");
  event_about("2");
  const std::vector<ClaimedTask> both = claim_all();
  ASSERT_THAT(both, SizeIs(2));
  rule(LineRule::Group);
  for (const ClaimedTask& task : both) {
    Finish finish = finish_of(task.fence);
    finish.successor = new_task("planner");
    finish.successor->entity = task.entity;
    finish.successor->title = "after " + task.title;
    ASSERT_TRUE(StoreTest::finish(std::move(finish)).ok());
  }
  EXPECT_THAT(claim_titles(), SizeIs(1));
}

TEST_F(GroupTest, ATaskByHandWaitsForTheOneOfItsEntityThatAnEventMade) {
  rule(LineRule::Group);
  event_about("12");
  const std::vector<ClaimedTask> running = claim_all();
  ASSERT_THAT(running, SizeIs(1));
  about_issue("by hand");
  EXPECT_THAT(claim_titles(), IsEmpty()) << "they are about one issue";
  ASSERT_TRUE(finish(finish_of(running[0].fence)).ok());
  EXPECT_THAT(claim_titles(), ElementsAre("by hand"));
}

TEST_F(GroupTest, ATaskSaysWhatItsEntityBelongsToUnlessThatIsKnown) {
  rule(LineRule::Group);
  event_about("1");
  const std::vector<ClaimedTask> running = claim_all();
  ASSERT_THAT(running, SizeIs(1));
  for (const auto& [title, entity, group] :
       {std::tuple("new issue", "github:o/n#2", "github:o/n"),
        std::tuple("elsewhere", "github:o/m#1", "github:o/m"), std::tuple("no entity", "", "github:o/m"),
        std::tuple("known issue", "github:o/n#1", "github:o/m")}) {
    NewTask task = new_task("planner");
    task.title = title;
    task.entity = entity;
    task.group = group;
    create(task);
  }
  const std::vector<ClaimedTask> beside = claim_all();
  ASSERT_THAT(beside, SizeIs(1));
  EXPECT_EQ(beside[0].title, "elsewhere");
  ASSERT_TRUE(finish(finish_of(beside[0].fence)).ok());
  EXPECT_THAT(claim_titles(), ElementsAre("no entity"));
  ASSERT_TRUE(finish(finish_of(running[0].fence)).ok());
  EXPECT_THAT(claim_titles(), ElementsAre("new issue"));
}

TEST_F(GroupTest, FollowUpsAboutTwoKnownIssuesOfARepositoryRunOneAfterAnother) {
  event_about("1", "executor");
  event_about("2", "executor");
  for (const ClaimedTask& done : claim_all()) ASSERT_TRUE(finish(finish_of(done.fence)).ok());
  rule(LineRule::Group);
  NewTask about_neither = new_task("executor");
  about_neither.entity = "slack:thread";
  create(about_neither);
  Finish done = finish_of(claim_all().at(0).fence);
  for (const char* number : {"1", "2"}) {
    done.result.tasks.push_back(new_task("planner"));
    done.result.tasks.back().title = number;
    done.result.tasks.back().entity = std::string("github:o/n#") + number;
  }
  ASSERT_TRUE(finish(done).ok());
  const std::vector<ClaimedTask> first = claim_all();
  ASSERT_THAT(first, SizeIs(1));
  EXPECT_EQ(first[0].title, "1");
  ASSERT_TRUE(finish(finish_of(first[0].fence)).ok());
  EXPECT_THAT(claim_titles(), ElementsAre("2"));
}

TEST_F(GroupTest, WithoutALineNothingWaits) {
  rule(LineRule::None);
  NewTask task = new_task("planner");
  task.entity = kIssue;
  create(task);
  create(task);
  EXPECT_THAT(claim_all(), SizeIs(2));
}

TEST_F(EntityTest, WhatANewerEventMakesDueDoesNotStayBehindOneThatIsLater) {
  about_issue("in a while", "planner", 0, Duration(10'000));
  NewTask keyed = new_task();
  keyed.entity = kIssue;
  keyed.key = "by this key";
  keyed.run_at = clock_.wall() + Duration(20'000);
  const std::string id = create(keyed);
  keyed.run_at.reset();
  EXPECT_EQ(create(keyed), id) << "taken over";
  EXPECT_EQ(claim_one().task_id, id);
}

TEST_F(EntityTest, WhileOneRunsOneFollowUpIsKeptWithTheNewestInput) {
  const std::string running = event("first");
  const ClaimedTask claimed = claim_one();
  const std::string follow_up = event("second");
  EXPECT_NE(follow_up, running);
  EXPECT_EQ(event("third"), follow_up);
  EXPECT_THAT(claim_all(), IsEmpty()) << "not before the running one has ended";
  ASSERT_TRUE(finish(finish_of(claimed.fence)).ok());
  EXPECT_THAT(claim_titles(), ElementsAre("third"));
}

TEST_F(EntityTest, WhatIsQueuedSaysWhichTaskOfItsLineItWaitsFor) {
  const std::string first = about_issue("first");
  const std::string second = about_issue("second");
  EXPECT_EQ(task(first).task.hold_reason, "");
  EXPECT_EQ(task(second).task.hold_reason, "waits for task " + first + " of " + kIssue);
  const ClaimedTask running = claim_one();
  about_issue("other", "executor");
  const Page<TaskSummary> queued = store().tasks({.state = TaskState::Queued}).value();
  EXPECT_THAT(queued.items, SizeIs(2));
  for (const TaskSummary& shown : queued.items)
    EXPECT_EQ(shown.hold_reason, "waits for task " + first + " of " + kIssue) << shown.title;
  ASSERT_TRUE(finish(finish_of(running.fence)).ok());
  EXPECT_EQ(task(second).task.hold_reason, "");
}

TEST_F(EntityTest, WhoWaitsForItsEntityIsToldOfWhenItsTurnHasCome) {
  std::vector<std::string> queued;
  store().on_change([&](const std::vector<Change>& changes) {
    for (const Change& change : changes)
      if (change.kind == Change::Kind::TaskQueued) queued.push_back(change.id);
  });
  event("first");
  const ClaimedTask claimed = claim_one();
  const std::string follow_up = event("second");
  queued.clear();
  ASSERT_TRUE(finish(finish_of(claimed.fence)).ok());
  EXPECT_THAT(queued, ElementsAre(follow_up));
}

TEST_F(EntityTest, TasksOfOneAnswerDoNotReplaceOneAnotherButRunOneByOne) {
  NewDelivery delivery = new_delivery("a", 3);
  delivery.answer.entity = Entity{kIssue, "issue", "", ""};
  const std::vector<std::string> ids = accept(delivery)->task_ids;
  EXPECT_THAT(titles(), SizeIs(3));
  for (int i = 0; i < 3; ++i) {
    const std::vector<ClaimedTask> claimed = claim_all();
    ASSERT_THAT(claimed, SizeIs(1));
    EXPECT_EQ(claimed[0].task_id, ids[static_cast<std::size_t>(i)]);
    ASSERT_TRUE(finish(finish_of(claimed[0].fence)).ok());
  }
}

TEST_F(EntityTest, AFailedTaskOfOneAnswerIsTriedAgainBesideTheOthers) {
  NewDelivery delivery = new_delivery("a", 2);
  delivery.answer.entity = Entity{kIssue, "issue", "", ""};
  accept(delivery).value();
  const ClaimedTask first = claim_one();
  EXPECT_EQ(finish(retry_of(first.fence)).value(), TaskState::Queued);
  EXPECT_THAT(titles({.state = TaskState::Queued}), SizeIs(2));
}

TEST_F(EntityTest, AKeyOfItsOwnKeepsATaskApart) {
  NewDelivery delivery = new_delivery("a");
  delivery.answer.entity = Entity{kIssue, "issue", "", ""};
  delivery.answer.tasks[0].key = "comment 7";
  const std::string own = accept(delivery)->task_ids.at(0);
  EXPECT_NE(event("an event"), own);
  EXPECT_THAT(claim_all(), SizeIs(1)) << "they are about one issue all the same";
}

TEST_F(EntityTest, TasksByHandAreNeverReplacedByAnEvent) {
  const std::string id = about_issue("by hand");
  EXPECT_NE(event("an event"), id);
  EXPECT_THAT(titles({.state = TaskState::Queued}), ElementsAre("an event", "by hand"));
}

TEST_F(EntityTest, OtherAgentsWaitForTheirTurnToo) {
  about_issue("plan");
  about_issue("execute", "executor");
  EXPECT_THAT(claim(16, {{"executor", 8}, {"planner", 8}}), SizeIs(1));
  EXPECT_THAT(claim_all(), IsEmpty());
}

TEST_F(EntityTest, AnAgentThatTakesNothingHoldsUpNobodyElse) {
  about_issue("waits for its agent", "absent");
  about_issue("second");
  about_issue("third");
  const std::vector<ClaimedTask> claimed = claim_all();
  ASSERT_THAT(claimed, SizeIs(1));
  EXPECT_EQ(claimed[0].title, "second");
  ASSERT_TRUE(finish(finish_of(claimed[0].fence)).ok());
  EXPECT_THAT(claim_titles(), ElementsAre("third"));
}

TEST_F(EntityTest, ABusyEntityCostsOtherTasksNoSlot) {
  about_issue("running");
  claim_one();
  about_issue("blocked", "planner", 9);
  for (int i = 0; i < 3; ++i) create();
  EXPECT_THAT(claim(3, {{"planner", 3}}), SizeIs(3));
}

TEST_F(EntityTest, TasksThatOneClaimFindsBusyLeaveTheirPlacesToOthers) {
  about_issue("execute", "executor", 2);
  about_issue("plan", "planner", 1);
  create(new_task("planner"));
  EXPECT_THAT(claim(2, {{"executor", 1}, {"planner", 1}}), SizeIs(2));
}

TEST_F(EntityTest, PriorityAndTimeDecideWhoIsNext) {
  about_issue("running");
  const ClaimedTask running = claim_one();
  about_issue("low", "planner", -1);
  about_issue("high", "planner", 1);
  about_issue("later", "planner", 9, Duration(60'000));
  ASSERT_TRUE(finish(finish_of(running.fence)).ok());
  for (const char* title : {"high", "low"}) {
    const std::vector<ClaimedTask> claimed = claim_all();
    ASSERT_THAT(claimed, SizeIs(1));
    EXPECT_EQ(claimed[0].title, title);
    ASSERT_TRUE(finish(finish_of(claimed[0].fence)).ok());
  }
  EXPECT_THAT(claim_all(), IsEmpty());
  EXPECT_TRUE(store().next_run_at(clock_.wall()).value().has_value()) << "the timer knows of the last one";
  clock_.advance(Duration(60'000));
  EXPECT_THAT(claim_titles(), ElementsAre("later"));
}

TEST_F(EntityTest, ATaskOfTheFutureHoldsUpNothingThatIsDue) {
  about_issue("tomorrow", "planner", 5, Duration(86'400'000));
  about_issue("now");
  EXPECT_THAT(claim_titles(), ElementsAre("now"));
}

TEST_F(EntityTest, WhatWouldBeTriedAgainGivesWayToNewerInput) {
  const std::string old = event("first");
  const ClaimedTask claimed = claim_one();
  const std::string newer = event("second");
  EXPECT_EQ(finish(retry_of(claimed.fence)).value(), TaskState::Cancelled);
  EXPECT_THAT(task(old).task.error, HasSubstr(newer));
  EXPECT_THAT(claim_titles(), ElementsAre("second"));
}

TEST_F(EntityTest, WithoutNewerInputARetryKeepsItsPlaceAndLetsOthersGoMeanwhile) {
  event("first");
  Finish failed = retry_of(claim_one().fence);
  about_issue("by hand");
  failed.retry_after = Duration(5'000);
  EXPECT_EQ(finish(failed).value(), TaskState::Queued);
  const std::vector<ClaimedTask> other = claim_all();
  ASSERT_THAT(other, SizeIs(1));
  EXPECT_EQ(other[0].title, "by hand");
  clock_.advance(Duration(5'000));
  EXPECT_THAT(claim_all(), IsEmpty());
  ASSERT_TRUE(finish(finish_of(other[0].fence)).ok());
  EXPECT_THAT(claim_titles(), ElementsAre("first"));
}

TEST_F(EntityTest, AFinalFailureLetsTheFollowUpRun) {
  event("first");
  const ClaimedTask claimed = claim_one();
  event("second");
  ASSERT_TRUE(finish(finish_of(claimed.fence, TaskState::Failed)).ok());
  EXPECT_THAT(claim_titles(), ElementsAre("second"));
}

TEST_F(EntityTest, AnExpiredLeaseLetsTheFollowUpRunInPlaceOfTheOldInput) {
  const std::string old = event("first");
  const ClaimedTask lost = claim_one();
  event("second");
  clock_.advance(kLease + Duration(1));
  EXPECT_EQ(reap(), 1);
  EXPECT_EQ(task(old).task.state, TaskState::Cancelled);
  EXPECT_THAT(claim_titles(), ElementsAre("second"));
  EXPECT_EQ(finish(finish_of(lost.fence)).error().code, ErrorCode::Conflict);
}

TEST_F(EntityTest, AfterTheHostDiedTheFollowUpRunsInPlaceOfTheOldInput) {
  event("first");
  claim_one();
  about_issue("by hand", "executor");
  event("second");
  database_.close();
  EXPECT_THAT(claim_titles(), SizeIs(1));
  EXPECT_THAT(titles({.state = TaskState::Cancelled}), ElementsAre("first"));
}

TEST_F(EntityTest, CancellingTheRunningOneLetsTheFollowUpRunOnceItHasEnded) {
  const std::string id = event("first");
  const ClaimedTask claimed = claim_one();
  event("second");
  ASSERT_TRUE(cancel(id).ok());
  EXPECT_THAT(claim_all(), IsEmpty());
  ASSERT_TRUE(finish(finish_of(claimed.fence, TaskState::Cancelled)).ok());
  EXPECT_THAT(claim_titles(), ElementsAre("second"));
}

TEST_F(EntityTest, CancellingTheOneThatIsNextLetsTheOneBehindItGo) {
  const std::string next = about_issue("next");
  const std::string behind = about_issue("behind");
  ASSERT_TRUE(cancel(next).ok());
  EXPECT_THAT(claim_titles(), ElementsAre("behind"));
}

TEST_F(EntityTest, CancellingTheFollowUpLeavesTheRunningOneAlone) {
  event("first");
  const ClaimedTask claimed = claim_one();
  ASSERT_TRUE(cancel(event("second")).ok());
  ASSERT_TRUE(finish(finish_of(claimed.fence)).ok());
  EXPECT_THAT(claim_all(), IsEmpty());
}

TEST_F(EntityTest, WhatWaitsForApprovalKeepsTheInputThatIsApproved) {
  const std::string seen = event("seen", "planner", true);
  const std::string newer = event("newer");
  EXPECT_NE(newer, seen);
  EXPECT_EQ(task(seen).payload, "\"seen\"");
  const ClaimedTask running = claim_one();
  ASSERT_TRUE(approve(seen).ok());
  EXPECT_THAT(claim_all(), IsEmpty()) << "approved, but another one of its issue runs";
  EXPECT_NE(event("newest"), seen) << "approved input is not replaced";
  ASSERT_TRUE(finish(finish_of(running.fence)).ok());
  const ClaimedTask approved = claim_one();
  EXPECT_EQ(approved.task_id, seen);
  EXPECT_EQ(approved.payload, "\"seen\"");
  EXPECT_EQ(finish(retry_of(approved.fence)).value(), TaskState::Queued) << "nor does it give way";
}

TEST_F(EntityTest, ANewerEventReplacesTheInputOfATaskThatWaitsForApproval) {
  const std::string id = event("first", "planner", true);
  const AwaitedApproval before = *task(id).approval;
  clock_.advance(Duration(1'000));
  EXPECT_EQ(event("second", "planner", true), id);
  const TaskDetail now = task(id);
  EXPECT_EQ(now.task.state, TaskState::AwaitingApproval);
  EXPECT_EQ(now.payload, "\"second\"");
  EXPECT_EQ(now.approval->content_hash, content_hash({.agent = "planner",
                                                      .task_type = now.task.task_type,
                                                      .source = "github",
                                                      .title = "second",
                                                      .entity = kIssue,
                                                      .payload = "\"second\""}));
  EXPECT_EQ(now.approval->asked_at, before.asked_at + Duration(1'000)) << "its wait begins anew";
  const Result<TaskState> late = approve(id, before.content_hash);
  EXPECT_EQ(late.error().code, ErrorCode::Conflict);
  EXPECT_THAT(late.error().message, HasSubstr(now.approval->content_hash));
  EXPECT_EQ(reject(id, "no", before.content_hash).error().code, ErrorCode::Conflict) << "nor is it rejected unseen";
  EXPECT_EQ(task(id).task.state, TaskState::AwaitingApproval);
  ASSERT_TRUE(approve(id, now.approval->content_hash).ok());
  EXPECT_EQ(claim_one().payload, "\"second\"");
}

TEST_F(EntityTest, WhatIsApprovedBeforeTheNewerEventComesIsNotReplaced) {
  const std::string approved = event("first", "planner", true);
  ASSERT_TRUE(approve(approved).ok());
  const std::string waits = event("second", "planner", true);
  EXPECT_NE(waits, approved);
  EXPECT_EQ(event("third", "planner", true), waits);
  const ClaimedTask running = claim_one();
  EXPECT_EQ(running.payload, "\"first\"");
  ASSERT_TRUE(finish(finish_of(running.fence)).ok());
  ASSERT_TRUE(approve(waits).ok());
  EXPECT_EQ(claim_one().payload, "\"third\"");
}

TEST_F(EntityTest, ANewerEventWithTheSameContentLeavesTheWaitAsItIs) {
  const std::string id = event("the same", "planner", true);
  const AwaitedApproval before = *task(id).approval;
  clock_.advance(Duration(1'000));
  EXPECT_EQ(event("the same", "planner", true), id);
  EXPECT_EQ(task(id).approval->asked_at, before.asked_at);
  EXPECT_TRUE(approve(id, before.content_hash).ok());
}

// An approval and a newer event that come at once: whichever is first, nothing runs that nobody has seen.
TEST_F(EntityTest, AnApprovalThatRacesWithANewerEventNeverCountsForTheNewerContent) {
  for (int round = 0; round < 40; ++round) {
    const std::string id = event("seen " + std::to_string(round), "planner", true);
    const std::string seen = task(id).approval->content_hash;
    Result<TaskState> said = Error{ErrorCode::Internal, "not asked"};
    std::thread person([&] { said = approve(id, seen); });
    const std::string newer = event("newer " + std::to_string(round), "planner", true);
    person.join();
    const std::vector<ClaimedTask> claimed = claim_all();
    if (said.ok()) {
      EXPECT_NE(newer, id);
      ASSERT_THAT(claimed, SizeIs(1));
      EXPECT_EQ(claimed[0].payload, "\"seen " + std::to_string(round) + "\"");
      ASSERT_TRUE(finish(finish_of(claimed[0].fence)).ok());
    } else {
      EXPECT_EQ(newer, id);
      EXPECT_EQ(said.error().code, ErrorCode::Conflict);
      EXPECT_THAT(claimed, IsEmpty());
    }
    ASSERT_TRUE(reject(newer).ok());
  }
}

TEST_F(EntityTest, OfTwoPlansAboutOneThingTheOlderIsCancelledIfNobodyHasApprovedIt) {
  const auto plan = [&](const std::string& title) {
    event(title);
    Finish done = finish_of(claim_one().fence);
    done.successor = new_task("executor");
    done.successor->payload = "\"" + title + "\"";
    done.successor_awaits_approval = true;
    EXPECT_TRUE(finish(done).ok());
    return store().tasks({.agent = "executor", .limit = 1})->items.at(0).task_id;
  };
  const std::string older = plan("first plan");
  const std::string newer = plan("second plan");
  EXPECT_NE(older, newer) << "each has its place in its own chain";
  EXPECT_EQ(task(older).task.state, TaskState::Cancelled);
  EXPECT_THAT(task(older).task.error, HasSubstr("before task " + newer + " came with newer input"));
  EXPECT_EQ(task(newer).task.state, TaskState::AwaitingApproval);
  ASSERT_TRUE(approve(newer).ok());
  const std::string third = plan("third plan");
  EXPECT_EQ(task(newer).task.state, TaskState::Queued) << "what is approved stays";
  EXPECT_EQ(task(third).task.state, TaskState::AwaitingApproval);
}

// A chain's depth and money are counted by its root, so its input never runs as another one's.
TEST_F(EntityTest, AFollowUpThatNamesAKeyKeepsItsChainAndTheOneThatWaitsGivesWay) {
  NewTask keyed = new_task("executor");
  keyed.key = "k";
  const std::string former = create(keyed);
  const std::string root = event("first");
  Finish done = finish_of(claim_one().fence);
  keyed.title = "follow-up";
  done.result.tasks = {keyed};
  ASSERT_TRUE(finish(done).ok());
  EXPECT_EQ(task(former).task.state, TaskState::Cancelled);
  const std::vector<ClaimedTask> claimed = claim_all();
  ASSERT_THAT(claimed, SizeIs(1)) << "the newest input runs, once";
  EXPECT_EQ(claimed[0].title, "follow-up");
  EXPECT_EQ(claimed[0].chain_depth, 2);
  const TaskSummary follow_up = task(claimed[0].task_id).task;
  EXPECT_EQ(follow_up.root_id, root);
  EXPECT_EQ(follow_up.parent_id, root);
  EXPECT_THAT(task(former).task.error, HasSubstr("before task " + follow_up.task_id));
}

TEST_F(EntityTest, InputFromOutsideRunsInNoChainThatHasOneOfItsKeyQueued) {
  event("first");
  Finish done = finish_of(claim_one().fence);
  NewTask keyed = new_task("executor");
  keyed.key = "k";
  done.result.tasks = {keyed};
  ASSERT_TRUE(finish(done).ok());
  const std::string of_the_chain = store().tasks({.agent = "executor"})->items.at(0).task_id;
  keyed.title = "by hand";
  const std::string by_hand = create(keyed);
  EXPECT_NE(by_hand, of_the_chain);
  EXPECT_EQ(task(of_the_chain).task.state, TaskState::Cancelled);
  EXPECT_EQ(task(by_hand).task.root_id, by_hand);
  EXPECT_EQ(task(by_hand).task.chain_depth, 1);
  EXPECT_THAT(claim_titles(), ElementsAre("by hand"));
}

TEST_F(EntityTest, WhatWasApprovedIsNotTriedAgainAfterNewerInputThatWasApproved) {
  const std::string older = event("older", "planner", true);
  ASSERT_TRUE(approve(older).ok());
  const ClaimedTask first = claim_one();
  const std::string newer = event("newer", "planner", true);
  Finish failed = retry_of(first.fence);
  failed.retry_after = Duration(60'000);
  ASSERT_EQ(finish(failed).value(), TaskState::Queued) << "nobody has approved the newer one";
  clock_.advance(Duration(60'000));
  const ClaimedTask second = claim_one();
  ASSERT_EQ(second.task_id, older);
  ASSERT_TRUE(approve(newer).ok());
  EXPECT_EQ(finish(retry_of(second.fence)).value(), TaskState::Cancelled);
  EXPECT_THAT(task(older).task.error, HasSubstr("task " + newer + " came meanwhile with newer input"));
  EXPECT_THAT(claim_titles(), ElementsAre("newer"));
}

TEST_F(EntityTest, NorAfterThatHasRun) {
  ASSERT_TRUE(wait<std::monostate>([&](auto done) {
                store().set_line_rules({{"planner", LineRule::None}}, done);
              }).ok());
  const std::string older = event("older", "planner", true);
  ASSERT_TRUE(approve(older).ok());
  const ClaimedTask slow = claim_one();
  ASSERT_TRUE(approve(event("newer", "planner", true)).ok());
  ASSERT_TRUE(finish(finish_of(claim_one().fence)).ok());
  EXPECT_EQ(finish(retry_of(slow.fence)).value(), TaskState::Cancelled);
  EXPECT_THAT(claim_all(), IsEmpty());
}

TEST_F(EntityTest, AFailedTaskIsNotTriedAgainBesideANewerOneOfItsKey) {
  const std::string older = event("older");
  ASSERT_TRUE(finish(finish_of(claim_one().fence, TaskState::Failed)).ok());
  const std::string newer = event("newer");
  const Result<TaskState> refused = retry(older);
  EXPECT_EQ(refused.error().code, ErrorCode::Conflict);
  EXPECT_THAT(refused.error().message, HasSubstr("task " + newer + " waits under the same key"));
  EXPECT_EQ(task(older).task.state, TaskState::Failed);
  EXPECT_THAT(task(older).decisions, IsEmpty());

  ASSERT_TRUE(cancel(newer).ok());
  EXPECT_EQ(retry(older).value(), TaskState::Queued) << "nothing waits any more";
  EXPECT_EQ(retry(newer).value(), TaskState::Queued) << "its input is newer";
  EXPECT_EQ(task(older).task.state, TaskState::Cancelled);
  EXPECT_THAT(task(older).task.error, HasSubstr("task " + newer + ", which has newer input"));
  EXPECT_THAT(claim_titles(), ElementsAre("newer"));
}

TEST_F(EntityTest, NorBesideOneOfItsKeyThatWaitsForApproval) {
  const std::string older = event("older", "planner", true);
  ASSERT_TRUE(approve(older).ok());
  ASSERT_TRUE(finish(finish_of(claim_one().fence, TaskState::Failed)).ok());
  const std::string newer = event("newer", "planner", true);
  EXPECT_EQ(retry(older).error().code, ErrorCode::Conflict);
  ASSERT_TRUE(reject(newer, "").ok());
  EXPECT_EQ(retry(older).value(), TaskState::Queued);
}

TEST_F(EntityTest, OfAllThatIsTriedAgainOfOneKeyTheNewestInputRuns) {
  for (const char* title : {"first", "second", "third"}) {
    event(title);
    ASSERT_TRUE(finish(finish_of(claim_one().fence, TaskState::Failed)).ok());
  }
  const BulkStep step = wait<BulkStep>([&](auto done) {
                          store().retry_all({.state = TaskState::Failed}, alice(), done);
                        }).value();
  EXPECT_EQ(step.done, 3);
  EXPECT_THAT(claim_titles(), ElementsAre("third"));
  EXPECT_THAT(titles({.state = TaskState::Cancelled}), SizeIs(2));
}

TEST_F(EntityTest, TheSuccessorOfAChainIsNotReplacedAndWaitsForItsEntity) {
  event("plan");
  Finish done = finish_of(claim_one().fence);
  event("plan again");
  done.successor = new_task("executor");
  done.successor->title = "execute";
  ASSERT_TRUE(finish(done).ok());
  event("execute something else", "executor");
  EXPECT_THAT(titles({.state = TaskState::Queued}), SizeIs(3));
  for (int i = 0; i < 3; ++i) {
    const std::vector<ClaimedTask> claimed = claim_all();
    ASSERT_THAT(claimed, SizeIs(1));
    ASSERT_TRUE(finish(finish_of(claimed[0].fence)).ok());
  }
  EXPECT_THAT(claim_all(), IsEmpty());
}

TEST_F(EntityTest, ATaskThatBecomesAboutSomethingElseLeavesItsPlaceInTheOldLine) {
  NewTask first = new_task();
  first.entity = kIssue;
  first.key = "k";
  create(first);
  about_issue("behind");
  first.entity = "github:o/n#13";
  create(first);
  EXPECT_THAT(claim_all(), SizeIs(2));
}

TEST_F(EntityTest, TasksOfAQuarantinedAgentLeaveTheLineAndComeBack) {
  about_issue("planner's");
  about_issue("planner's second");
  about_issue("executor's", "executor");
  ASSERT_TRUE(wait([&](auto done) { store().hold_agents({"planner"}, done); }).ok());
  EXPECT_THAT(titles({.state = TaskState::Parked}), SizeIs(2));
  const std::vector<ClaimedTask> running = claim_all();
  ASSERT_THAT(running, SizeIs(1));
  ASSERT_TRUE(wait([&](auto done) { store().hold_agents({}, done); }).ok());
  EXPECT_THAT(claim_all(), IsEmpty());
  ASSERT_TRUE(finish(finish_of(running[0].fence)).ok());
  EXPECT_THAT(claim_all(), SizeIs(1));
}

TEST_F(EntityTest, BlockedTasksCountAsQueued) {
  event("first");
  claim_one();
  event("second");
  const QueueReport report = store().queue().value();
  std::int64_t queued = 0;
  for (const QueueDepth& depth : report.depths)
    if (depth.state == TaskState::Queued) queued += depth.count;
  EXPECT_EQ(queued, 1);
  EXPECT_THAT(titles({.state = TaskState::Queued}), ElementsAre("second"));
}

}  // namespace
}  // namespace davit::store
