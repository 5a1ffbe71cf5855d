// Conformance: what a store promises about tasks, whatever it is built on.
#include "host/base/id.h"
#include "tests/unit/store/conformance.h"

namespace davit::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class TaskQueueTest : public StoreTest {
 protected:
  std::string create_titled(std::string title, int priority = 0, Duration in = Duration(0)) {
    NewTask task = new_task();
    task.title = std::move(title);
    task.priority = priority;
    task.run_at = clock_.wall() + in;
    return create(task);
  }
  std::vector<std::string> claim_titles(int limit = 16) {
    std::vector<std::string> found;
    for (const ClaimedTask& claimed : claim(limit)) found.push_back(claimed.title);
    return found;
  }
};

TEST_F(TaskQueueTest, AClaimedTaskCarriesWhatTheAgentNeeds) {
  NewTask wanted = new_task();
  wanted.max_retries = 5;
  wanted.task_type = "issue_fix";
  wanted.entity = "github:o/n#1";
  const std::string id = wait<std::string>([&](auto done) {
                           store().create_task(wanted, "cli", Actor{"1", "bob", ""}, done);
                         }).value();
  const ClaimedTask claimed = claim_one();
  EXPECT_EQ(claimed.task_id, id);
  EXPECT_TRUE(is_id(claimed.session_id));
  EXPECT_EQ(claimed.payload, wanted.payload);
  EXPECT_EQ(claimed.previous_result, "null");
  EXPECT_EQ(claimed.actor->login, "bob");
  EXPECT_EQ(claimed.attempt, 1);
  EXPECT_EQ(claimed.max_retries, 5);
  EXPECT_EQ(claimed.entity, "github:o/n#1");
  EXPECT_EQ(claimed.source, "cli");
  EXPECT_EQ(task(id).task.state, TaskState::Running);
  EXPECT_EQ(task(id).task.current_session_id, claimed.session_id);
  expect_sound();
}

TEST_F(TaskQueueTest, ClaimSkipsTasksLeasedByAnotherWorker) {
  create();
  claim_one();
  EXPECT_THAT(claim(), IsEmpty());
}

TEST_F(TaskQueueTest, ClaimTakesHighPriorityFirstThenTheLongestDue) {
  create_titled("late", 0, Duration(-1'000));
  create_titled("early", 0, Duration(-9'000));
  create_titled("low", -5, Duration(-99'000));
  create_titled("high", 5);
  EXPECT_THAT(claim_titles(), ElementsAre("high", "early", "late", "low"));
}

TEST_F(TaskQueueTest, ClaimLeavesTasksOfTheFutureWhateverTheirPriority) {
  create_titled("future", 9, Duration(10'000));
  create_titled("now");
  EXPECT_THAT(claim_titles(), ElementsAre("now"));
  EXPECT_EQ(store().next_run_at(clock_.wall()).value(), clock_.wall() + Duration(10'000));
  clock_.advance(Duration(10'000));
  EXPECT_THAT(claim_titles(), ElementsAre("future"));
  EXPECT_EQ(store().next_run_at(clock_.wall()).value(), std::nullopt);
}

TEST_F(TaskQueueTest, ClaimKeepsToTheSlotsOfEachAgentAndToTheLimit) {
  for (int i = 0; i < 4; ++i) {
    create(new_task("planner"));
    create(new_task("executor"));
    create(new_task("idle"));
  }
  const auto agents_of = [](const std::vector<ClaimedTask>& tasks) {
    std::map<std::string, int> count;
    for (const ClaimedTask& claimed : tasks) ++count[claimed.agent];
    return count;
  };
  EXPECT_THAT(agents_of(claim(16, {{"planner", 1}, {"executor", 2}, {"nobody", 5}})),
              ElementsAre(std::pair("executor", 2), std::pair("planner", 1)));
  EXPECT_THAT(claim(3, {{"planner", 16}, {"executor", 16}}), SizeIs(3));
  EXPECT_THAT(claim(16, {{"planner", 0}}), IsEmpty());
}

TEST_F(TaskQueueTest, FinishStoresResultAndUsageAndEndsTheExecution) {
  const std::string id = create();
  const ClaimedTask claimed = claim_one();
  clock_.advance(Duration(1'500));
  Finish done = finish_of(claimed.fence);
  done.result.usage.input_tokens = 100;
  done.result.usage.output_tokens = 20;
  done.result.usage.cost_micro_usd = 1'234;
  done.result.usage.model = "opus";
  done.result.usage.models["opus"].input_tokens = 100;
  EXPECT_EQ(finish(done).value(), TaskState::Completed);

  const TaskDetail detail = task(id);
  EXPECT_EQ(detail.task.state, TaskState::Completed);
  EXPECT_EQ(detail.task.finished_at, clock_.wall());
  EXPECT_EQ(detail.task.total_cost_micro_usd, 1'234);
  EXPECT_EQ(detail.task.total_tokens, 120);
  EXPECT_EQ(detail.result, R"({"answer":42})");
  ASSERT_THAT(detail.executions, SizeIs(1));
  const AgentExecution& execution = detail.executions[0];
  EXPECT_EQ(execution.session_id, claimed.session_id);
  EXPECT_TRUE(execution.success);
  EXPECT_EQ(execution.outcome, "completed");
  EXPECT_EQ(execution.completed_at.value() - execution.started_at, Duration(1'500));
  EXPECT_EQ(execution.usage.models.at("opus").input_tokens, 100);
  expect_sound();
}

TEST_F(TaskQueueTest, ARetryWaitsItsTimeAndCountsTheAttempt) {
  const std::string id = create();
  Finish failed = finish_of(claim_one().fence, TaskState::Queued);
  failed.retry_after = Duration(2'000);
  EXPECT_EQ(finish(failed).value(), TaskState::Queued);
  EXPECT_EQ(task(id).task.error, "it did not work");
  EXPECT_THAT(claim(), IsEmpty());
  clock_.advance(Duration(2'000));
  const ClaimedTask again = claim_one();
  EXPECT_EQ(again.task_id, id);
  EXPECT_EQ(again.attempt, 2);
  EXPECT_THAT(task(id).executions, SizeIs(2));
}

TEST_F(TaskQueueTest, AnInterruptedAttemptDoesNotCount) {
  create();
  Finish interrupted = finish_of(claim_one().fence, TaskState::Queued);
  interrupted.attempt_counts = false;
  ASSERT_TRUE(finish(interrupted).ok());
  EXPECT_EQ(claim_one().attempt, 1);
}

TEST_F(TaskQueueTest, ACrashIsCountedApart) {
  create();
  Finish crashed = finish_of(claim_one().fence, TaskState::Queued);
  crashed.result.failure = FailureClass::Crash;
  crashed.attempt_counts = false;
  ASSERT_TRUE(finish(crashed).ok());
  const ClaimedTask again = claim_one();
  EXPECT_EQ(again.attempt, 1);
  EXPECT_EQ(again.crashes, 1);
}

TEST_F(TaskQueueTest, FinishTwiceIsRefused) {
  const std::string id = create();
  const ClaimedTask claimed = claim_one();
  ASSERT_TRUE(finish(finish_of(claimed.fence)).ok());
  EXPECT_EQ(finish(finish_of(claimed.fence, TaskState::Failed)).error().code, ErrorCode::Conflict);
  EXPECT_EQ(task(id).task.state, TaskState::Completed);
}

TEST_F(TaskQueueTest, FinishIntoAnIllegalStateIsRefusedAndStoresNothing) {
  const std::string id = create();
  const ClaimedTask claimed = claim_one();
  EXPECT_EQ(finish(finish_of(claimed.fence, TaskState::Running)).error().code, ErrorCode::InvalidInput);
  EXPECT_EQ(task(id).executions[0].outcome, "running");
  EXPECT_TRUE(finish(finish_of(claimed.fence)).ok());
}

TEST_F(TaskQueueTest, TheSuccessorGetsTheResultInTheSameTransaction) {
  const std::string id = accept(new_delivery("a"))->task_ids[0];
  const ClaimedTask first = claim_one();
  Finish done = finish_of(first.fence);
  done.successor = new_task("executor");
  done.successor->payload = "";
  done.result.tasks.push_back(new_task("reviewer"));
  ASSERT_TRUE(finish(done).ok());

  const std::vector<ClaimedTask> next = claim(16, {{"executor", 1}});
  ASSERT_THAT(next, SizeIs(1));
  EXPECT_EQ(next[0].previous_result, R"({"answer":42})");
  EXPECT_EQ(next[0].payload, first.payload);
  EXPECT_EQ(next[0].chain_depth, 2);
  EXPECT_EQ(next[0].source, "chain");
  const TaskDetail detail = task(next[0].task_id);
  EXPECT_EQ(detail.task.parent_id, id);
  EXPECT_EQ(detail.task.root_id, id);
  EXPECT_EQ(task(id).task.root_id, id);
  EXPECT_FALSE(detail.delivery_id.empty());
  EXPECT_THAT(claim(16, {{"reviewer", 1}}), SizeIs(1));

  Finish second = finish_of(next[0].fence);
  second.successor = new_task("reviewer");
  ASSERT_TRUE(finish(second).ok());
  const ClaimedTask third = claim(1, {{"reviewer", 5}}).at(0);
  EXPECT_EQ(third.chain_depth, 3);
  EXPECT_EQ(task(third.task_id).task.root_id, id);
  expect_sound();
}

TEST_F(TaskQueueTest, AChainIsShownWholeWithItsCost) {
  const std::string first = create();
  const auto cost = [](Finish finish, std::int64_t micro_usd, std::int64_t tokens) {
    finish.result.usage.cost_micro_usd = micro_usd;
    finish.result.usage.input_tokens = tokens;
    return finish;
  };
  // One attempt fails: it cost something all the same.
  ASSERT_TRUE(finish(cost(finish_of(claim_one().fence, TaskState::Queued), 100, 1)).ok());
  Finish done = cost(finish_of(claim_one().fence), 2'000, 20);
  done.successor = new_task("executor");
  done.result.tasks.push_back(new_task("reviewer"));
  ASSERT_TRUE(finish(done).ok());
  const ClaimedTask second = claim(16, {{"executor", 1}}).at(0);
  EXPECT_EQ(second.chain, std::vector<std::string>{"planner"});
  done = cost(finish_of(second.fence), 30'000, 300);
  done.successor = new_task("reviewer");
  ASSERT_TRUE(finish(done).ok());

  for (const std::string& id : {first, second.task_id}) {
    const Chain chain = task(id).chain;
    EXPECT_EQ(chain.task_count, 4);
    EXPECT_EQ(chain.cost_micro_usd, 32'100);
    EXPECT_EQ(chain.tokens, 321);
    ASSERT_THAT(chain.tasks, SizeIs(4));
    EXPECT_EQ(chain.tasks[0].task_id, first);
    EXPECT_EQ(chain.tasks[0].parent_id, "");
    EXPECT_EQ(chain.tasks[0].state, TaskState::Completed);
    EXPECT_EQ(chain.tasks[0].cost_micro_usd, 2'100);
    EXPECT_TRUE(chain.tasks[0].finished_at);
    EXPECT_EQ(chain.tasks[3].agent, "reviewer");
    EXPECT_EQ(chain.tasks[3].parent_id, second.task_id);
    EXPECT_EQ(chain.tasks[3].depth, 3);
    EXPECT_EQ(chain.tasks[3].state, TaskState::Queued);
  }
  EXPECT_EQ(task(second.task_id).chain.agents, (std::vector<std::string>{"planner", "executor"}));
  EXPECT_EQ(task(create()).chain.task_count, 1) << "of another chain";
  for (const ClaimedTask& reviewed : claim(16, {{"reviewer", 2}})) {
    const bool last = reviewed.chain_depth == 3;
    EXPECT_EQ(reviewed.chain,
              last ? (std::vector<std::string>{"planner", "executor"}) : std::vector<std::string>{"planner"});
  }
  expect_sound();
}

TEST_F(TaskQueueTest, AVeryLargeChainIsCountedWholeAndShownInPart) {
  const std::string first = create();
  Finish done = finish_of(claim_one().fence);
  done.result.usage.cost_micro_usd = 5;
  for (int i = 0; i < 250; ++i) done.result.tasks.push_back(new_task("reviewer"));
  ASSERT_TRUE(finish(done).ok());
  const Chain chain = task(first).chain;
  EXPECT_THAT(chain.tasks, SizeIs(200));
  EXPECT_EQ(chain.task_count, 251);
  EXPECT_EQ(chain.cost_micro_usd, 5);
}

TEST_F(TaskQueueTest, AnIllegalSuccessorRefusesTheWholeFinish) {
  const std::string id = create();
  Finish done = finish_of(claim_one().fence);
  done.successor = NewTask{};
  EXPECT_EQ(finish(done).error().code, ErrorCode::InvalidInput);
  EXPECT_EQ(task(id).task.state, TaskState::Running);
}

TEST_F(TaskQueueTest, ASuccessorMayWaitForApproval) {
  create();
  Finish done = finish_of(claim_one().fence);
  done.successor = new_task("executor");
  done.successor_awaits_approval = true;
  ASSERT_TRUE(finish(done).ok());
  EXPECT_THAT(claim(16, {{"executor", 1}}), IsEmpty());
  const std::string id = store().tasks({.agent = "executor"})->items.at(0).task_id;
  const TaskDetail detail = task(id);
  EXPECT_EQ(detail.task.state, TaskState::AwaitingApproval);

  EXPECT_EQ(detail.previous_result, R"({"answer":42})");
  ApprovedContent content{.agent = "executor",
                          .task_type = "",
                          .source = "chain",
                          .title = detail.task.title,
                          .payload = detail.payload};
  EXPECT_EQ(approve(id, content_hash(content)).error().code, ErrorCode::Conflict);
  content.previous_result = detail.previous_result;
  EXPECT_EQ(approve(id, content_hash(content)).value(), TaskState::Queued);
  EXPECT_EQ(approve(id).error().code, ErrorCode::Conflict);
  EXPECT_THAT(claim(16, {{"executor", 1}}), SizeIs(1));
}

TEST_F(TaskQueueTest, RejectedIsCancelledWithTheComment) {
  create();
  Finish done = finish_of(claim_one().fence);
  done.successor = new_task("executor");
  done.successor_awaits_approval = true;
  ASSERT_TRUE(finish(done).ok());
  const std::string id = store().tasks({.agent = "executor"})->items.at(0).task_id;
  EXPECT_EQ(reject(id).value(), TaskState::Cancelled);
  EXPECT_EQ(task(id).task.error, "too risky");
}

// --- leases and fences

TEST_F(TaskQueueTest, ExpiredLeaseMakesTheTaskClaimableAgain) {
  const std::string id = create();
  claim_one();
  clock_.advance(kLease - Duration(1));
  EXPECT_EQ(reap(), 0);
  clock_.advance(Duration(1));
  EXPECT_EQ(reap(), 1);
  EXPECT_EQ(task(id).executions[0].outcome, "lost");
  const ClaimedTask again = claim_one();
  EXPECT_EQ(again.task_id, id);
  EXPECT_EQ(again.attempt, 1);
  EXPECT_EQ(again.crashes, 0);
  EXPECT_EQ(task(id).task.losses, 1);
  expect_sound();
}

TEST_F(TaskQueueTest, ARenewedLeaseGoesOn) {
  create();
  const ClaimedTask claimed = claim_one();
  clock_.advance(kLease - Duration(1));
  EXPECT_THAT(renew({claimed.fence}).lost, IsEmpty());
  clock_.advance(kLease - Duration(1));
  EXPECT_EQ(reap(), 0);
}

TEST_F(TaskQueueTest, JumpsOfTheWallClockNeitherEndNorKeepALease) {
  create();
  claim_one();
  clock_.jump(std::chrono::hours(24));
  EXPECT_EQ(reap(), 0);
  clock_.jump(-std::chrono::hours(48));
  clock_.advance(kLease);
  EXPECT_EQ(reap(), 1);
}

TEST_F(TaskQueueTest, ASupersededAttemptIsNotHeard) {
  const std::string id = create();
  const ClaimedTask first = claim_one();
  clock_.advance(kLease);
  ASSERT_EQ(reap(), 1);
  const ClaimedTask second = claim_one();
  ASSERT_NE(first.fence.number, second.fence.number);

  EXPECT_THAT(renew({first.fence, second.fence}).lost, ElementsAre(first.fence));
  LiveReport late{.fence = first.fence};
  late.usage.emplace().input_tokens = 1'000'000;
  late.progress = 0.9;
  late.transcript.lines = {{"text", "from the grave"}};
  ASSERT_TRUE(wait([&](auto done) { store().report({late}, done); }).ok());
  EXPECT_EQ(finish(finish_of(first.fence)).error().code, ErrorCode::Conflict);

  EXPECT_EQ(task(id).task.state, TaskState::Running);
  EXPECT_EQ(task(id).task.total_tokens, 0);
  EXPECT_THAT(store().transcript(first.session_id, 10).value(), IsEmpty());
  EXPECT_TRUE(finish(finish_of(second.fence)).ok());
  EXPECT_EQ(finish(finish_of(first.fence)).error().code, ErrorCode::Conflict);
  expect_sound();
}

TEST_F(TaskQueueTest, OfTwoTasksOfOneKeyThatAreLostTogetherTheOlderGivesWay) {
  NewTask keyed = new_task();
  keyed.key = "one key";
  for (const bool host_died : {false, true}) {
    const std::string older = create(keyed);
    claim_one();
    const std::string newer = create(keyed);
    claim_one();
    if (host_died) {
      database_.close();
    } else {
      clock_.advance(kLease);
      EXPECT_EQ(reap(), 2);
    }
    EXPECT_EQ(task(older).task.state, TaskState::Cancelled);
    EXPECT_EQ(task(newer).task.state, TaskState::Queued);
    EXPECT_EQ(claim_one().task_id, newer);
    ASSERT_TRUE(cancel(newer).ok());
    clock_.advance(kLease);
    reap();
  }
  expect_sound();
}

TEST_F(TaskQueueTest, ATaskThatIsLostAgainAndAgainIsPutAsideSayingWhy) {
  const std::string id = create();
  for (int loss = 1; loss <= 10; ++loss) {
    claim_one();
    clock_.advance(kLease);
    ASSERT_EQ(reap(), 1);
    EXPECT_EQ(task(id).task.losses, loss);
  }
  EXPECT_EQ(task(id).task.state, TaskState::Parked);
  EXPECT_EQ(
      task(id).task.error,
      "the lease of this attempt ran out; that happened 10 times under this task, so it is put aside; retry "
      "it by hand when the cause is gone");
  EXPECT_THAT(claim(), IsEmpty());
  EXPECT_EQ(retry(id).value(), TaskState::Queued);
  claim_one();
  EXPECT_EQ(task(id).task.losses, 0);
  expect_sound();
}

TEST_F(TaskQueueTest, WhatRanWhenTheHostEndedIsReturnedAtTheNextStart) {
  const std::string id = create();
  const ClaimedTask first = claim_one();
  database_.close();
  EXPECT_EQ(task(id).task.state, TaskState::Queued);
  EXPECT_EQ(task(id).executions[0].outcome, "lost");
  EXPECT_EQ(finish(finish_of(first.fence)).error().code, ErrorCode::Conflict);
  const ClaimedTask second = claim_one();
  EXPECT_GT(second.fence.number, first.fence.number);
  EXPECT_EQ(second.attempt, 1);
  expect_sound();
}

TEST_F(TaskQueueTest, AHostThatEndsUnderATaskIsALossAndNoCrash) {
  const std::string id = create();
  for (int host = 0; host < 3; ++host) {
    claim_one();
    database_.close();
  }
  const TaskDetail detail = task(id);
  EXPECT_EQ(detail.task.state, TaskState::Queued);
  EXPECT_EQ(detail.task.losses, 3);
  EXPECT_EQ(detail.task.crashes, 0);
  EXPECT_EQ(detail.task.attempt, 0);
  EXPECT_EQ(detail.executions.at(0).failure, "interrupted");
}

TEST_F(TaskQueueTest, AnExecutionKeepsTheClassOfItsFailure) {
  const std::string id = create();
  ASSERT_TRUE(finish(finish_of(claim_one().fence, TaskState::Queued)).ok());
  ASSERT_TRUE(finish(finish_of(claim_one().fence)).ok());
  const TaskDetail detail = task(id);
  EXPECT_EQ(detail.executions.at(0).failure, "retryable");
  EXPECT_EQ(detail.executions.at(1).failure, "");
}

TEST_F(TaskQueueTest, ReportsShowWhileTheTaskRunsAndOutliveIt) {
  const std::string id = create();
  const ClaimedTask claimed = claim_one();
  LiveReport report{.fence = claimed.fence};
  report.usage.emplace().input_tokens = 500;
  report.usage->cost_micro_usd = 70;
  report.progress = 0.5;
  report.progress_message = "half way";
  report.transcript.lines = {{"text", "one"}, {"tool", "two"}, {"text", "three"}};
  ASSERT_TRUE(wait([&](auto done) { store().report({report}, done); }).ok());
  EXPECT_EQ(task(id).executions[0].progress, 0.5);
  EXPECT_EQ(task(id).executions[0].progress_message, "half way");
  const std::vector<TranscriptLine> lines = store().transcript(claimed.session_id, 2).value();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].kind + " " + lines[0].text, "tool two");
  EXPECT_EQ(lines[1].text, "three");

  Finish killed = finish_of(claimed.fence, TaskState::Failed);
  killed.outcome = "timed_out";
  ASSERT_TRUE(finish(killed).ok());
  EXPECT_EQ(task(id).task.total_tokens, 500);
  EXPECT_EQ(task(id).task.total_cost_micro_usd, 70);
  EXPECT_EQ(store().transcript(new_id(), 2).error().code, ErrorCode::NotFound);
}

// --- by hand

TEST_F(TaskQueueTest, AQueuedTaskIsCancelledAtOnce) {
  const std::string id = create();
  EXPECT_EQ(cancel(id).value(), TaskState::Cancelled);
  EXPECT_EQ(task(id).task.error, "not needed");
  EXPECT_THAT(claim(), IsEmpty());
  EXPECT_EQ(cancel(id).error().code, ErrorCode::Conflict);
  EXPECT_EQ(cancel(new_id()).error().code, ErrorCode::NotFound);
  EXPECT_EQ(cancel("nonsense").error().code, ErrorCode::NotFound);
}

TEST_F(TaskQueueTest, CancellingARunningTaskAsksItsDispatcher) {
  std::vector<Change> requests;
  store().on_change([&](const std::vector<Change>& changes) {
    for (const Change& change : changes) {
      if (change.kind == Change::Kind::CancelRequested) requests.push_back(change);
    }
  });
  const std::string id = create();
  const ClaimedTask claimed = claim_one();
  EXPECT_EQ(cancel(id).value(), TaskState::Running);
  ASSERT_THAT(requests, SizeIs(1));
  EXPECT_EQ(requests[0].fence, claimed.fence);
  EXPECT_THAT(renew({claimed.fence}).cancelled, ElementsAre(claimed.fence));
  Finish ended = finish_of(claimed.fence, TaskState::Cancelled);
  EXPECT_EQ(finish(ended).value(), TaskState::Cancelled);
  EXPECT_EQ(task(id).task.error, "not needed");
  expect_sound();
}

TEST_F(TaskQueueTest, ATaskWhoseEndWasAskedForIsNotRetried) {
  const std::string id = create();
  const ClaimedTask claimed = claim_one();
  ASSERT_TRUE(cancel(id).ok());
  EXPECT_EQ(finish(finish_of(claimed.fence, TaskState::Queued)).value(), TaskState::Cancelled);
}

TEST_F(TaskQueueTest, ARequestToCancelOutlivesTheHost) {
  const std::string id = create();
  claim_one();
  ASSERT_TRUE(cancel(id).ok());
  database_.close();
  EXPECT_EQ(task(id).task.state, TaskState::Cancelled);
}

TEST_F(TaskQueueTest, RetryByHandBeginsAnew) {
  const std::string id = create();
  EXPECT_EQ(retry(id).error().code, ErrorCode::Conflict);
  ASSERT_TRUE(finish(finish_of(claim_one().fence, TaskState::Failed)).ok());
  EXPECT_EQ(retry(id).value(), TaskState::Queued);
  EXPECT_EQ(task(id).task.finished_at, std::nullopt);
  const ClaimedTask again = claim_one();
  EXPECT_EQ(again.attempt, 1);
  ASSERT_TRUE(finish(finish_of(again.fence)).ok());
  EXPECT_EQ(retry(id).error().code, ErrorCode::Conflict);
  expect_sound();
}

TEST_F(TaskQueueTest, ACommandAboutAnEntityFindsTheTaskThatItFits) {
  int comments = 0;
  const auto say = [&](TaskActionKind kind) {
    NewDelivery comment = new_delivery("comment " + std::to_string(++comments), 0);
    comment.answer.message = "";
    comment.answer.actions = {{.kind = kind, .entity = "github:o/n#12"}};
    return accept(comment).value().message;
  };
  const auto about_it = [&](const std::string& agent) {
    NewTask task = new_task(agent);
    task.entity = "github:o/n#12";
    return create(task);
  };
  EXPECT_EQ(say(TaskActionKind::Retry), "no failed, cancelled or parked task for github:o/n#12");
  const std::string older = about_it("planner");
  ASSERT_TRUE(finish(finish_of(claim_one().fence, TaskState::Failed)).ok());
  const std::string completed = about_it("planner");
  ASSERT_TRUE(finish(finish_of(claim_one().fence)).ok());
  EXPECT_EQ(say(TaskActionKind::Cancel), "no open task for github:o/n#12");
  EXPECT_EQ(say(TaskActionKind::Retry), "task " + older + ": retry accepted, now queued")
      << "not the newer one that is completed";
  EXPECT_EQ(task(completed).task.state, TaskState::Completed);
  EXPECT_EQ(say(TaskActionKind::Retry), "no failed, cancelled or parked task for github:o/n#12");
  EXPECT_EQ(say(TaskActionKind::Cancel), "task " + older + ": cancel accepted, now cancelled");
  expect_sound();
}

TEST_F(TaskQueueTest, ADecisionKeepsWhoMadeItAndHow) {
  const std::string id = create();
  ASSERT_TRUE(cancel(id, "not needed").ok());
  clock_.advance(Duration(1'000));
  NewDelivery comment = new_delivery("comment", 0);
  comment.answer.actor = Actor{"4711", "bob", "owner"};
  comment.answer.actions = {{.kind = TaskActionKind::Retry, .task_id = id, .comment = "needed after all"}};
  ASSERT_TRUE(accept(comment).ok());
  EXPECT_EQ(approve(id).error().code, ErrorCode::Conflict) << "what is refused is no decision";

  const std::vector<TaskDecision> made = task(id).decisions;
  ASSERT_THAT(made, SizeIs(2));
  EXPECT_EQ(made[0].kind, "cancel");
  EXPECT_EQ(made[0].by, "alice");
  EXPECT_EQ(made[0].actor_id, "17");
  EXPECT_EQ(made[0].way, "api");
  EXPECT_EQ(made[0].comment, "not needed");
  EXPECT_EQ(made[1].at - made[0].at, Duration(1'000));
  EXPECT_EQ(made[1].kind, "retry");
  EXPECT_EQ(made[1].by, "github:bob");
  EXPECT_EQ(made[1].actor_id, "4711");
  EXPECT_EQ(made[1].way, "github");
  EXPECT_EQ(made[1].comment, "needed after all");
}

// --- in bulk

class BulkRetryTest : public TaskQueueTest {
 protected:
  // So many failed tasks; gives their ids.
  std::vector<std::string> failed(int count, const std::string& agent = "planner") {
    std::vector<std::string> ids;
    for (int i = 0; i < count; ++i) ids.push_back(create(new_task(agent)));
    for (std::vector<ClaimedTask> claimed; !(claimed = claim(256, {{agent, 256}})).empty();)
      for (const ClaimedTask& each : claimed)
        EXPECT_TRUE(finish(finish_of(each.fence, TaskState::Failed)).ok());
    return ids;
  }
  Result<BulkStep> retry_all(TaskFilter filter) {
    return wait<BulkStep>([&](auto done) { store().retry_all(std::move(filter), alice(), done); });
  }
};

TEST_F(BulkRetryTest, FailedTasksOfAnAgentAreRetriedInBulkAndOthersAreNot) {
  const std::vector<std::string> early = failed(2);
  clock_.advance(Duration(10'000));
  const std::vector<std::string> late = failed(3), other = failed(1, "executor");
  const std::string cancelled = create();
  ASSERT_TRUE(cancel(cancelled).ok());

  const BulkStep step =
      retry_all({.agent = "planner", .state = TaskState::Failed, .start = clock_.wall()}).value();
  EXPECT_EQ(step.done, 3);
  EXPECT_EQ(step.left, 0);
  EXPECT_EQ(step.next_cursor, "");
  for (const std::string& id : late) {
    EXPECT_EQ(task(id).task.state, TaskState::Queued);
    EXPECT_EQ(task(id).decisions.at(0).by, "alice");
  }
  for (const std::string& id : {early[0], early[1], other[0]})
    EXPECT_EQ(task(id).task.state, TaskState::Failed);
  EXPECT_EQ(task(cancelled).task.state, TaskState::Cancelled);
  expect_sound();
}

TEST_F(BulkRetryTest, ABulkRetryGoesInStepsAndSaysWhatIsLeft) {
  const std::vector<std::string> ids = failed(203);
  TaskFilter filter{.state = TaskState::Failed};
  const BulkStep first = retry_all(filter).value();
  EXPECT_EQ(first.done, 200);
  EXPECT_EQ(first.left, 3);
  // What fails again meanwhile is not taken twice.
  ASSERT_TRUE(finish(finish_of(claim_one().fence, TaskState::Failed)).ok());
  filter.cursor = first.next_cursor;
  const BulkStep second = retry_all(filter).value();
  EXPECT_EQ(second.done, 3);
  EXPECT_EQ(second.next_cursor, "");
  EXPECT_EQ(store().tasks({.state = TaskState::Failed})->items.size(), 1u);
}

TEST_F(BulkRetryTest, WhatCannotBeRetriedIsLeftOutAndWhatNeverCanIsRefused) {
  const std::string id = failed(1).at(0);
  ASSERT_TRUE(wait([&](auto done) { store().hold_agents({"planner"}, done); }).ok());
  const std::string held = create();
  EXPECT_EQ(task(held).task.state, TaskState::Parked);
  EXPECT_EQ(retry_all({.state = TaskState::Parked})->done, 0) << "its agent's plugin is in quarantine";
  EXPECT_EQ(retry_all({.state = TaskState::Completed}).error().code, ErrorCode::InvalidInput);
  EXPECT_EQ(retry_all({}).error().code, ErrorCode::InvalidInput);
  EXPECT_EQ(retry_all({.state = TaskState::Failed, .cursor = "-1"}).error().code, ErrorCode::InvalidInput);
  EXPECT_EQ(task(id).task.state, TaskState::Failed);
}

// --- coalescing

TEST_F(TaskQueueTest, AQueuedTaskWithTheSameKeyIsReplacedAndKeepsItsId) {
  NewTask first = new_task();
  first.key = "github:o/n#12";
  NewTask second = first;
  second.title = "Newer";
  second.payload = R"({"issue":13})";
  const std::string id = create(first);
  EXPECT_EQ(create(second), id);
  EXPECT_THAT(titles(), ElementsAre("Newer"));
  EXPECT_EQ(claim_one().payload, second.payload);
  EXPECT_NE(create(first), id) << "a running task is not replaced";
  NewTask other = first;
  other.agent = "executor";
  create(other);
  EXPECT_THAT(titles(), SizeIs(3));
  expect_sound();
}

// --- reading

TEST_F(TaskQueueTest, TheListGoesFromNewToOldInPages) {
  for (int i = 0; i < 5; ++i) create_titled(std::to_string(i));
  TaskFilter filter{.limit = 2};
  Page<TaskSummary> page = store().tasks(filter).value();
  std::vector<std::string> seen;
  for (;;) {
    for (const TaskSummary& item : page.items) seen.push_back(item.title);
    create_titled("new while paging");
    if (page.next_cursor.empty()) break;
    filter.cursor = page.next_cursor;
    page = store().tasks(filter).value();
  }
  EXPECT_THAT(seen, ElementsAre("4", "3", "2", "1", "0"));
}

TEST_F(TaskQueueTest, TheListIsFilteredByEachOfItsFilters) {
  NewTask special = new_task("executor");
  special.title = "100% _odd_";
  special.entity = "github:o/n#7";
  create(special);
  clock_.advance(Duration(10'000));
  create_titled("plain");
  ASSERT_TRUE(accept(new_delivery("a")).ok());
  ASSERT_TRUE(finish(finish_of(claim_one().fence, TaskState::Failed)).ok());

  EXPECT_THAT(titles({.agent = "executor"}), ElementsAre("100% _odd_"));
  EXPECT_THAT(titles({.source = "github"}), ElementsAre("Look into it"));
  EXPECT_THAT(titles({.entity = "github:o/n#7"}), ElementsAre("100% _odd_"));
  EXPECT_THAT(titles({.text = "100% _od"}), IsEmpty());
  EXPECT_THAT(titles({.text = "100% _odd"}), ElementsAre("100% _odd_"));
  EXPECT_THAT(titles({.text = "DID NOT WORK"}), ElementsAre("plain"));
  EXPECT_THAT(titles({.state = TaskState::Failed}), ElementsAre("plain"));
  EXPECT_THAT(titles({.state = TaskState::Queued}), ElementsAre("Look into it", "100% _odd_"));
  EXPECT_THAT(titles({.end = clock_.wall()}), ElementsAre("100% _odd_"));
  EXPECT_THAT(titles({.start = clock_.wall()}), SizeIs(2));
  EXPECT_EQ(store().tasks({.limit = 0}).error().code, ErrorCode::InvalidInput);
  EXPECT_EQ(store().tasks({.limit = 501}).error().code, ErrorCode::InvalidInput);
  EXPECT_EQ(store().tasks({.cursor = "-1"}).error().code, ErrorCode::InvalidInput);
  EXPECT_EQ(store().task(new_id()).error().code, ErrorCode::NotFound);
}

TEST_F(TaskQueueTest, TheQueueReportCountsByAgentAndState) {
  EXPECT_THAT(store().queue()->depths, IsEmpty());
  EXPECT_EQ(store().queue()->oldest_queued, std::nullopt);
  create_titled("due", 0, Duration(-5'000));
  create_titled("future", 0, Duration(5'000));
  create(new_task("executor"));
  claim(1, {{"executor", 1}});
  const QueueReport report = store().queue().value();
  std::vector<std::tuple<std::string, TaskState, std::int64_t>> depths;
  for (const QueueDepth& depth : report.depths) depths.emplace_back(depth.agent, depth.state, depth.count);
  EXPECT_THAT(depths, UnorderedElementsAre(std::tuple("planner", TaskState::Queued, 2),
                                           std::tuple("executor", TaskState::Running, 1)));
  EXPECT_EQ(report.oldest_queued, clock_.wall() - Duration(5'000));
}

TEST_F(TaskQueueTest, SettingsOutliveTheStore) {
  EXPECT_EQ(store().setting("x").value(), std::nullopt);
  ASSERT_TRUE(wait([&](auto done) { store().set_setting("x", "1", done); }).ok());
  ASSERT_TRUE(wait([&](auto done) { store().set_setting("x", "2", done); }).ok());
  database_.close();
  EXPECT_EQ(store().setting("x").value(), "2");
}

TEST_F(TaskQueueTest, AWriteThatFailsHalfwayUndoesOnlyItself) {
  NewTask twice = new_task();
  twice.id = new_id();
  ASSERT_EQ(create(twice), twice.id);
  // All of these wait for the writer together: the first holds it back.
  std::promise<void> gate;
  std::shared_future<void> open(gate.get_future());
  store().set_setting("gate", "1", [open](Result<>) { open.wait(); });
  std::vector<std::future<Result<std::string>>> answers;
  for (int i = 0; i < 9; ++i) {
    NewTask task = i == 4 ? twice : new_task();
    auto promise = std::make_shared<std::promise<Result<std::string>>>();
    answers.push_back(promise->get_future());
    store().create_task(task, "api", std::nullopt,
                        [promise](Result<std::string> id) { promise->set_value(id); });
  }
  gate.set_value();
  for (int i = 0; i < 9; ++i) {
    const Result<std::string> answer = answers[static_cast<std::size_t>(i)].get();
    EXPECT_EQ(answer.ok(), i != 4) << i;
    if (i == 4) {
      EXPECT_EQ(answer.error().code, ErrorCode::Conflict);
    }
  }
  EXPECT_THAT(titles(), SizeIs(9));
  expect_sound();
}

TEST_F(TaskQueueTest, AClaimSeesWhatTheSameBatchBringsAndFrees) {
  std::promise<void> gate;
  std::shared_future<void> open(gate.get_future());
  std::promise<void> at_gate;
  store().set_setting("gate", "1", [&at_gate, open](Result<>) {
    at_gate.set_value();
    open.wait();
  });
  at_gate.get_future().wait();  // what is asked for now comes in one batch
  std::promise<std::size_t> claimed;
  store().claim({.agents = {{"planner", 4}}},
                [&](Result<std::vector<ClaimedTask>> tasks) { claimed.set_value(tasks.value().size()); });
  store().create_task(new_task(), "api", std::nullopt, nullptr);
  gate.set_value();
  EXPECT_EQ(claimed.get_future().get(), 1u);
}

TEST_F(TaskQueueTest, TooManyWaitingWritesAreTurnedAwayButNeverAFinish) {
  database_.options.max_waiting_writes = 4;
  create();
  const ClaimedTask claimed = claim_one();
  std::promise<void> gate;
  std::shared_future<void> open(gate.get_future());
  std::promise<void> entered;
  store().set_setting("gate", "1", [open, &entered](Result<>) {
    entered.set_value();
    open.wait();
  });
  entered.get_future().wait();
  std::vector<ErrorCode> refused;
  for (int i = 0; i < 6; ++i) {
    store().create_task(new_task(), "api", std::nullopt, [&](Result<std::string> id) {
      if (!id.ok()) refused.push_back(id.error().code);
    });
  }
  EXPECT_THAT(refused, ElementsAre(ErrorCode::Overloaded, ErrorCode::Overloaded));
  EXPECT_TRUE(store().writer_stats().full);
  std::promise<bool> finished;
  store().finish(finish_of(claimed.fence), [&](Result<TaskState> state) { finished.set_value(state.ok()); });
  gate.set_value();
  EXPECT_TRUE(finished.get_future().get());
  std::promise<bool> emptied;  // what waited before it is written with it
  store().set_setting("gate", "2", [&](const Result<>& set) { emptied.set_value(set.ok()); });
  EXPECT_TRUE(emptied.get_future().get());
  EXPECT_FALSE(store().writer_stats().full);
}

TEST_F(TaskQueueTest, TheWriterIsReachedWithoutAWrite) {
  create();
  const std::uint64_t commits = store().writer_stats().commits;
  std::promise<void> reached;
  store().reach_writer([&] { reached.set_value(); });
  reached.get_future().wait();
  EXPECT_EQ(store().writer_stats().commits, commits);
}

}  // namespace
}  // namespace davit::store
