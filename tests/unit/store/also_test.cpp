// Conformance: what agents say that their tasks are about, beside the entity, and whom what is said there is
// meant for.
#include "tests/unit/store/conformance.h"

namespace davit::store {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kIssue = "gh:o/r#7";
constexpr const char* kPull = "gh:o/r#12";

class AlsoTest : public StoreTest {
 protected:
  std::string plan_about(const std::string& entity) {
    NewTask task = new_task("planner");
    task.entity = entity;
    return create(task);
  }
  // Its planner made a pull request; what comes next waits for approval.
  Finish planned(const Fence& fence, const std::string& payload = "{}") {
    Finish end = finish_of(fence);
    end.result.also = {kPull, kIssue};
    end.successor = new_task("executor");
    end.successor->entity = kIssue;
    end.successor->payload = payload;
    end.successor_awaits_approval = true;
    return end;
  }
  TaskDetail newest_of(const std::string& agent) {
    const Page<TaskSummary> page = store().tasks({.agent = agent}).value();
    return page.items.empty() ? TaskDetail{} : task(page.items.front().task_id);
  }
  // What a webhook's action about an entity comes to.
  std::string say(TaskActionKind kind, const std::string& entity, const std::string& hash = "",
                  const std::string& comment = "") {
    NewDelivery delivery = new_delivery(new_id(), 0);
    delivery.answer.actor = Actor{"17", "alice", "member"};
    delivery.answer.actions.push_back(
        {.kind = kind, .entity = entity, .comment = comment, .content_hash = hash, .via = "comment"});
    return accept(std::move(delivery))->message;
  }
  void set_rules(ApprovalRules rules) {
    ASSERT_TRUE(wait([&](auto done) { store().set_approval_rules(std::move(rules), done); }).ok());
  }
};

TEST_F(AlsoTest, AnApprovalOnThePullRequestFindsTheTaskOfTheIssue) {
  const std::string plan = plan_about(kIssue);
  ASSERT_TRUE(finish(planned(claim_one().fence)).ok());
  EXPECT_THAT(task(plan).also, ElementsAre(kPull)) << "its entity needs no second mention";
  const TaskDetail waits = newest_of("executor");
  EXPECT_THAT(waits.also, ElementsAre(kPull));
  EXPECT_THAT(say(TaskActionKind::Approve, kPull),
              HasSubstr("approve refused: an approval names the content hash"));
  EXPECT_THAT(say(TaskActionKind::Approve, kPull, waits.approval->content_hash),
              HasSubstr("task " + waits.task.task_id + ": approve accepted"));
  EXPECT_THAT(say(TaskActionKind::Cancel, kIssue), HasSubstr(waits.task.task_id))
      << "where the issue is, it is found too";
  expect_sound();
}

TEST_F(AlsoTest, WhatFollowsInTheChainIsFoundAsWellAndHandsTheKeysOn) {
  plan_about(kIssue);
  Finish first = finish_of(claim_one().fence);
  first.result.also = {kPull};
  first.successor = new_task("executor");
  ASSERT_TRUE(finish(std::move(first)).ok());
  Finish second = finish_of(claim(1, {{"executor", 1}}).at(0).fence);
  second.result.also = {"gh:o/r#13"};
  second.successor = new_task("reviewer");
  second.result.tasks = {new_task("messenger")};
  ASSERT_TRUE(finish(std::move(second)).ok());
  EXPECT_THAT(newest_of("reviewer").also, ElementsAre(kPull, "gh:o/r#13"));
  EXPECT_THAT(newest_of("messenger").also, ElementsAre(kPull, "gh:o/r#13"));
  EXPECT_THAT(newest_of("planner").also, ElementsAre(kPull)) << "nothing goes back";
  EXPECT_THAT(say(TaskActionKind::Cancel, "gh:o/r#13"), HasSubstr("cancel accepted"));
}

TEST_F(AlsoTest, ATaskOfTheEntityItselfComesFirst) {
  plan_about(kIssue);
  ASSERT_TRUE(finish(planned(claim_one().fence)).ok());
  const std::string waits = newest_of("executor").task.task_id;
  const std::string own = plan_about(kPull);
  EXPECT_THAT(say(TaskActionKind::Cancel, kPull), HasSubstr("task " + own + ": cancel accepted"));
  EXPECT_THAT(say(TaskActionKind::Cancel, kPull), HasSubstr("task " + waits + ": cancel accepted"));
  EXPECT_THAT(say(TaskActionKind::Retry, kPull), HasSubstr("task " + own + ": retry accepted"));
}

TEST_F(AlsoTest, WhereNoHashIsWantedTwoThatWaitMustBeToldApart) {
  set_rules({.hash_required = false});
  plan_about(kIssue);
  ASSERT_TRUE(finish(planned(claim_one().fence)).ok());
  NewTask own = new_task("executor");
  own.entity = kPull;
  own.awaits_approval = true;
  own.payload = R"({"other":1})";
  create(own);
  clock_.advance(Duration(1'000));
  EXPECT_THAT(say(TaskActionKind::Approve, kPull), HasSubstr("2 tasks of gh:o/r#12 wait"));
  EXPECT_THAT(say(TaskActionKind::Reject, kPull), HasSubstr("reject accepted"));
  EXPECT_THAT(say(TaskActionKind::Approve, kPull), HasSubstr("approve accepted")) << "the one that is left";
}

TEST_F(AlsoTest, LinksOfTextsAreNoKeys) {
  NewDelivery delivery = new_delivery(new_id(), 1);
  delivery.answer.entity = Entity{.key = kIssue};
  delivery.answer.links = {{"mentions", kPull, "https://h/12"}};
  ASSERT_TRUE(accept(std::move(delivery)).ok());
  EXPECT_THAT(say(TaskActionKind::Cancel, kPull), HasSubstr("no open task for gh:o/r#12"));
  EXPECT_THAT(say(TaskActionKind::Approve, kPull, std::string(64, '0')),
              HasSubstr("no task of gh:o/r#12 waits"));
}

TEST_F(AlsoTest, AFailedAttemptsKeysFindItsTask) {
  const std::string id = plan_about(kIssue);
  Finish end = finish_of(claim_one().fence, TaskState::Failed);
  end.result.also = {kPull};
  ASSERT_TRUE(finish(std::move(end)).ok());
  EXPECT_THAT(say(TaskActionKind::Retry, kPull), HasSubstr("task " + id + ": retry accepted"));
}

TEST_F(AlsoTest, ReworkKeepsTheKeysOfWhatWasRejected) {
  ApprovalRules rules;
  rules.reworks["planner"] = 3;
  set_rules(rules);
  plan_about(kIssue);
  ASSERT_TRUE(finish(planned(claim_one().fence)).ok());
  EXPECT_THAT(say(TaskActionKind::Reject, kPull, "", "smaller steps"), HasSubstr("reject accepted"));
  const TaskDetail again = newest_of("planner");
  EXPECT_EQ(again.rework, 1);
  EXPECT_THAT(again.also, ElementsAre(kPull));
}

}  // namespace
}  // namespace davit::store
