// What a person approves, and that nothing else runs for it.
#include <sqlite3.h>

#include <fstream>

#include "tests/unit/store/conformance.h"

namespace davit::store {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class ApprovalsTest : public StoreTest {
 protected:
  // A task that waits for approval, about `entity`.
  std::string ask(const std::string& payload = R"({"plan":1})", const std::string& entity = "gh:o/r#1") {
    NewTask task = new_task("executor");
    task.payload = payload;
    task.entity = entity;
    task.awaits_approval = true;
    return create(task);
  }
  std::string hash_of(const std::string& id) {
    const auto waits = task(id).approval;
    EXPECT_TRUE(waits) << "it is " << to_string(task(id).task.state);
    return waits ? waits->content_hash : "";
  }
  // Of what ask() makes.
  static ApprovedContent content_with(std::string_view payload) {
    return {.agent = "executor",
            .task_type = "",
            .source = "api",
            .title = "Look into it",
            .entity = "gh:o/r#1",
            .payload = payload};
  }
  std::vector<ClaimedTask> claim_executor() { return claim(16, {{"executor", 16}}); }

  // What a webhook's action about an entity comes to.
  std::string say(TaskActionKind kind, const std::string& hash, const std::string& entity = "gh:o/r#1") {
    NewDelivery delivery = new_delivery(new_id(), 0);
    delivery.answer.actor = Actor{"17", "alice", "member"};
    delivery.answer.actions.push_back(
        {.kind = kind, .entity = entity, .comment = "go", .content_hash = hash, .via = "comment"});
    return accept(std::move(delivery))->message;
  }
  void set_rules(ApprovalRules rules) {
    ASSERT_TRUE(wait([&](auto done) { store().set_approval_rules(std::move(rules), done); }).ok());
  }
  void allow_without_hash() { set_rules({.hash_required = false}); }
  // Another process writes into the file while the store is closed.
  void write_behind_its_back(const std::string& sql) {
    database_.close();
    sqlite3* handle = nullptr;
    ASSERT_EQ(sqlite3_open(database_.path().c_str(), &handle), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(handle);
    sqlite3_close(handle);
  }
};

TEST_F(ApprovalsTest, AnApprovalIsOfThisContentOrDoesNotCount) {
  const std::string id = ask();
  const std::string hash = hash_of(id);
  EXPECT_EQ(hash, content_hash(content_with(R"({"plan":1})")));
  const Result<TaskState> other = approve(id, content_hash(content_with(R"({"plan":2})")));
  EXPECT_EQ(other.error().code, ErrorCode::Conflict);
  EXPECT_THAT(other.error().message, HasSubstr(hash)) << "so that one can look again";
  EXPECT_THAT(claim_executor(), IsEmpty());
  EXPECT_THAT(task(id).decisions, IsEmpty());
  EXPECT_EQ(approve(id, hash).value(), TaskState::Queued);
  EXPECT_THAT(claim_executor(), SizeIs(1));
  expect_sound();
}

TEST_F(ApprovalsTest, TheBeginningOfAHashIsEnoughIfItIsLongEnough) {
  const std::string id = ask();
  const std::string hash = hash_of(id);
  for (const std::string& bad :
       {hash.substr(0, 11), hash + "0", std::string("of something else"), std::string("%")})
    EXPECT_EQ(approve(id, bad).error().code, ErrorCode::InvalidInput) << bad;
  std::string shouted = hash.substr(0, 12);
  for (char& c : shouted) c = static_cast<char>(std::toupper(c));
  EXPECT_EQ(approve(id, shouted).value(), TaskState::Queued);
  EXPECT_EQ(task(id).decisions.at(0).content_hash, hash) << "the whole of it is kept";
}

TEST_F(ApprovalsTest, AnApprovalWithoutAHashIsRefusedNamingTheOneToGive) {
  const std::string id = ask();
  const Result<TaskState> refused = approve(id, "");
  EXPECT_EQ(refused.error().code, ErrorCode::InvalidInput);
  EXPECT_THAT(refused.error().message, HasSubstr(hash_of(id)));
  allow_without_hash();
  EXPECT_EQ(approve(id, "").value(), TaskState::Queued);
  EXPECT_EQ(task(id).decisions.at(0).content_hash, content_hash(content_with(R"({"plan":1})")));
  EXPECT_THAT(claim_executor(), SizeIs(1));
}

TEST_F(ApprovalsTest, PartsOfWhatIsHashedCannotChangePlaces) {
  const auto hash = [](std::string_view agent, std::string_view payload, std::string_view previous) {
    return content_hash({.agent = agent,
                         .task_type = "",
                         .source = "",
                         .title = "",
                         .payload = payload,
                         .previous_result = previous});
  };
  const std::set<std::string> all{hash("a", "b", "c"), hash("ab", "", "c"),    hash("a", "bc", ""),
                                  hash("a", "", "bc"), hash("", "1:b1:c", ""), hash("", "b", "1:c")};
  EXPECT_EQ(all.size(), 6u);
}

TEST_F(ApprovalsTest, EachPartOfWhatAnAgentIsGivenIsApproved) {
  const Actor actor{"17", "alice", "member"};
  const std::vector<Link> links{{"mentions", "gh:o/r#2", "https://h/2"}};
  const ApprovedContent whole{"executor", "fix", "github", "title", "gh:o/r#1", &actor, links, "{}", "null"};
  std::set<std::string> all{content_hash(whole)};
  const auto with = [&](auto change) {
    ApprovedContent other = whole;
    change(other);
    all.insert(content_hash(other));
  };
  for (const auto part : {&ApprovedContent::agent, &ApprovedContent::task_type, &ApprovedContent::source,
                          &ApprovedContent::title, &ApprovedContent::entity, &ApprovedContent::payload,
                          &ApprovedContent::previous_result})
    with([&](ApprovedContent& content) { content.*part = "another"; });
  const Actor nobody, others[]{{"18", "alice", "member"}, {"17", "bob", "member"}, {"17", "alice", "owner"}};
  with([](ApprovedContent& content) { content.actor = nullptr; });
  with([&](ApprovedContent& content) { content.actor = &nobody; });
  for (const Actor& other : others) with([&](ApprovedContent& content) { content.actor = &other; });
  const Link changed[]{{"closes", "gh:o/r#2", "https://h/2"},
                       {"mentions", "gh:o/r#3", "https://h/2"},
                       {"mentions", "gh:o/r#2", "https://h/3"}};
  for (const Link& other : changed)
    with([&](ApprovedContent& content) { content.links = std::span(&other, 1); });
  with([](ApprovedContent& content) { content.links = {}; });
  EXPECT_EQ(all.size(), 1u + 7u + 5u + 4u);
}

// All that a newer event brings takes the older one's place, so none of it may run for its approval.
TEST_F(ApprovalsTest, AnApprovalDoesNotCountForANewerTitleActorLinkOrKindOfTheSamePayload) {
  const auto event = [&](auto change) {
    NewDelivery delivery = new_delivery(new_id());
    delivery.answer.entity = Entity{"gh:o/r#1", "issue", "Broken", ""};
    delivery.answer.actor = Actor{"17", "alice", "member"};
    delivery.answer.tasks[0].agent = "executor";
    delivery.answer.tasks[0].awaits_approval = true;
    change(delivery.answer);
    return accept(std::move(delivery)).value().task_ids.at(0);
  };
  const std::string id = event([](WebhookAnswer&) {});
  const auto expect_refused_after = [&](const char* what, auto change) {
    const std::string seen = hash_of(id);
    EXPECT_EQ(event(change), id) << what;
    EXPECT_EQ(approve(id, seen).error().code, ErrorCode::Conflict) << what;
  };
  expect_refused_after("title", [](WebhookAnswer& answer) { answer.tasks[0].title = "Other"; });
  expect_refused_after("type", [](WebhookAnswer& answer) { answer.tasks[0].task_type = "other"; });
  expect_refused_after("actor", [](WebhookAnswer& answer) {
    answer.actor = Actor{"666", "mallory", "none"};
  });
  expect_refused_after("links", [](WebhookAnswer& answer) {
    answer.links = {{"mentions", "k", "https://h"}};
  });
  EXPECT_THAT(claim_executor(), IsEmpty());
}

TEST_F(ApprovalsTest, ATaskWhoseTitleChangedAfterItsApprovalWaitsAgain) {
  const std::string id = ask();
  ASSERT_TRUE(approve(id, hash_of(id)).ok());
  write_behind_its_back("UPDATE task SET title = 'Something else'");
  EXPECT_THAT(claim_executor(), IsEmpty());
  EXPECT_EQ(task(id).task.state, TaskState::AwaitingApproval);
}

TEST_F(ApprovalsTest, AnApprovedTaskDoesNotRunBeforeItsTime) {
  NewTask task = new_task("executor");
  task.awaits_approval = true;
  task.run_at = clock_.wall() + Duration(60'000);
  const std::string id = create(task);
  ASSERT_EQ(approve(id).value(), TaskState::Queued);
  EXPECT_EQ(StoreTest::task(id).task.run_at, *task.run_at);
  EXPECT_THAT(claim_executor(), IsEmpty());
  clock_.advance(Duration(60'000));
  EXPECT_THAT(claim_executor(), SizeIs(1));
}

TEST_F(ApprovalsTest, WhatIsDueRunsOnceApprovedAlsoWhenTheClockWasSetBackMeanwhile) {
  const std::string id = ask();
  clock_.jump(Duration(-86'400'000));
  ASSERT_TRUE(approve(id, hash_of(id)).ok());
  EXPECT_THAT(claim_executor(), SizeIs(1));
}

TEST_F(ApprovalsTest, ATaskWhoseContentChangedAfterItsApprovalWaitsAgain) {
  const std::string id = ask();
  ASSERT_TRUE(approve(id, hash_of(id)).ok());
  write_behind_its_back("UPDATE task_body SET payload = '{\"plan\":666}'");
  EXPECT_THAT(claim_executor(), IsEmpty());
  const TaskDetail again = task(id);
  EXPECT_EQ(again.task.state, TaskState::AwaitingApproval);
  EXPECT_THAT(again.executions, IsEmpty());
  ASSERT_THAT(again.decisions, SizeIs(2));
  EXPECT_EQ(again.decisions[1].kind, "changed");
  EXPECT_EQ(again.decisions[1].by, "davit");
  EXPECT_EQ(again.decisions[1].content_hash, content_hash(content_with(R"({"plan":666})")));
  ASSERT_TRUE(again.approved_before);
  EXPECT_EQ(again.approved_before->task_id, id);
  EXPECT_EQ(again.approved_before->decision.content_hash, content_hash(content_with(R"({"plan":1})")));
  EXPECT_FALSE(again.approved_before->is_kept) << "of what was approved there is the hash alone";
  expect_sound();
  ASSERT_TRUE(approve(id, again.approval->content_hash).ok());
  EXPECT_THAT(claim_executor(), SizeIs(1));
}

TEST_F(ApprovalsTest, WhatWasApprovedBeforeAboutTheSameThingIsFoundToCompareWith) {
  const std::string first = ask();
  EXPECT_FALSE(task(first).approved_before);
  const std::string hash = hash_of(first);
  ASSERT_TRUE(approve(first, hash).ok());
  EXPECT_FALSE(task(first).approved_before) << "its own approval is none before it";
  const std::string second = ask(R"({"plan":2})");
  const auto before = task(second).approved_before;
  ASSERT_TRUE(before);
  EXPECT_EQ(before->task_id, first);
  EXPECT_EQ(before->decision.content_hash, hash);
  EXPECT_TRUE(before->is_kept);
  EXPECT_FALSE(task(ask(R"({"plan":2})", "gh:o/r#2")).approved_before) << "of something else";
  ASSERT_TRUE(reject(second).ok());
  EXPECT_EQ(task(second).approved_before->task_id, first) << "also once it is decided";
  ASSERT_TRUE(approve(ask(R"({"plan":3})"), content_hash(content_with(R"({"plan":3})"))).ok());
  EXPECT_EQ(task(second).approved_before->task_id, first) << "what was approved later is not before it";
}

TEST_F(ApprovalsTest, WhatWaitsIsListedByWhoHasWaitedLongestPageByPage) {
  const std::string first = ask(R"({"plan":1})", "gh:o/r#1");
  clock_.advance(Duration(1'000));
  const std::string second = ask(R"({"plan":1})", "gh:o/r#2");
  const std::string third = ask(R"({"plan":1})", "gh:o/r#3");
  ASSERT_TRUE(reject(first).ok());
  clock_.advance(Duration(1'000));
  ASSERT_EQ(retry(first).value(), TaskState::AwaitingApproval);
  const auto page = store().waiting("", 2, "").value();
  EXPECT_THAT(page.items, ElementsAre(second, third)) << "the oldest task has asked last";
  ask(R"({"plan":1})", "gh:o/r#4");
  ASSERT_TRUE(reject(second).ok());
  EXPECT_THAT(store().waiting("", 1, page.next_cursor)->items, ElementsAre(first));
  EXPECT_EQ(store().waiting("", 3, "")->next_cursor, "");
  EXPECT_THAT(store().waiting("somebody-else", 2, "")->items, IsEmpty());
  for (const char* wrong : {"-", "1", "1-", "-1", "1-x", "x-1", "1--1", "9999999999999999999999-1"})
    EXPECT_EQ(store().waiting("", 2, wrong).error().code, ErrorCode::InvalidInput) << wrong;
  EXPECT_EQ(store().waiting("", 0, "").error().code, ErrorCode::InvalidInput);
}

TEST_F(ApprovalsTest, WhatRunsUnapprovedIsFoundByTheCheck) {
  const std::string id = ask();
  ASSERT_TRUE(approve(id, hash_of(id)).ok());
  ASSERT_THAT(claim_executor(), SizeIs(1));
  expect_sound();
  write_behind_its_back("UPDATE task_body SET payload = '{}'");
  EXPECT_THAT(verify(database_.path()).value(),
              ::testing::Contains(HasSubstr("nobody approved what it runs")));
}

TEST_F(ApprovalsTest, WhatWaitsForApprovalWaitsOverARestart) {
  const std::string id = ask();
  const AwaitedApproval before = *task(id).approval;
  database_.open();
  const AwaitedApproval after = *task(id).approval;
  EXPECT_EQ(after.content_hash, before.content_hash);
  EXPECT_EQ(after.asked_at, before.asked_at);
  EXPECT_THAT(claim_executor(), IsEmpty());
  ASSERT_TRUE(approve(id, before.content_hash).ok());
  database_.open();
  EXPECT_THAT(claim_executor(), SizeIs(1)) << "and what was approved stays so";
}

TEST_F(ApprovalsTest, ARetryOfWhatWasApprovedNeedsNoOtherApproval) {
  const std::string id = ask();
  ASSERT_TRUE(approve(id, hash_of(id)).ok());
  ASSERT_TRUE(finish(finish_of(claim_executor().at(0).fence, TaskState::Failed)).ok());
  EXPECT_EQ(retry(id).value(), TaskState::Queued);
  EXPECT_THAT(claim_executor(), SizeIs(1));
}

TEST_F(ApprovalsTest, ARejectionThatNamesItsContentIsOfThisOrDoesNotCount) {
  const std::string id = ask();
  const std::string hash = hash_of(id);
  const Result<TaskState> other = reject(id, "no", content_hash(content_with(R"({"plan":2})")));
  EXPECT_EQ(other.error().code, ErrorCode::Conflict);
  EXPECT_THAT(other.error().message, HasSubstr(hash)) << "so that one can look again";
  for (const std::string& bad : {hash.substr(0, 11), hash + "0", std::string("of something else")})
    EXPECT_EQ(reject(id, "no", bad).error().code, ErrorCode::InvalidInput) << bad;
  EXPECT_EQ(task(id).task.state, TaskState::AwaitingApproval);
  EXPECT_THAT(task(id).decisions, IsEmpty());
  EXPECT_EQ(reject(id, "no", hash.substr(0, 12)).value(), TaskState::Cancelled);
  EXPECT_EQ(task(id).decisions.at(0).content_hash, hash) << "the whole of it is kept";
  EXPECT_EQ(reject(ask(R"({"plan":2})")).value(), TaskState::Cancelled) << "to stop something needs no hash";
  expect_sound();
}

TEST_F(ApprovalsTest, AButtonRejectsWhatItWasShownWithOrNothing) {
  const std::string id = ask();
  const auto press = [&](const std::string& hash) {
    NewDelivery delivery = new_delivery(new_id(), 0);
    delivery.answer.actor = Actor{"17", "alice", "member"};
    delivery.answer.actions.push_back(
        {.kind = TaskActionKind::Reject, .task_id = id, .content_hash = hash, .via = "button"});
    return accept(std::move(delivery))->message;
  };
  EXPECT_THAT(press(std::string(12, '0')), HasSubstr("is not what was looked at"));
  EXPECT_EQ(task(id).task.state, TaskState::AwaitingApproval);
  EXPECT_THAT(press(hash_of(id).substr(0, 12)), HasSubstr("reject accepted, now cancelled"));
}

TEST_F(ApprovalsTest, ARetryOfWhatWasRejectedWaits) {
  const std::string id = ask();
  const std::string hash = hash_of(id);
  ASSERT_TRUE(reject(id).ok());
  EXPECT_EQ(task(id).decisions.at(0).content_hash, hash) << "what was rejected is known too";
  EXPECT_EQ(retry(id).value(), TaskState::AwaitingApproval);
}

TEST_F(ApprovalsTest, TheDecisionNamesPersonWayAndHash) {
  const std::string id = ask();
  const std::string hash = hash_of(id);
  EXPECT_THAT(say(TaskActionKind::Approve, hash.substr(0, 12)), HasSubstr("approve accepted, now queued"));
  const TaskDecision decision = task(id).decisions.at(0);
  EXPECT_EQ(decision.kind, "approve");
  EXPECT_EQ(decision.by, "github:alice");
  EXPECT_EQ(decision.actor_id, "17");
  EXPECT_EQ(decision.way, "github comment");
  EXPECT_EQ(decision.comment, "go");
  EXPECT_EQ(decision.content_hash, hash);
}

TEST_F(ApprovalsTest, WhoRunsAnApprovedTaskIsToldByWhomAndOfWhat) {
  const std::string id = ask();
  const std::string hash = hash_of(id);
  say(TaskActionKind::Approve, hash);
  const ClaimedTask claimed = claim_executor().at(0);
  ASSERT_TRUE(claimed.approval);
  EXPECT_EQ(claimed.approval->by, "github:alice");
  EXPECT_EQ(claimed.approval->actor_id, "17");
  EXPECT_EQ(claimed.approval->way, "github comment");
  EXPECT_EQ(claimed.approval->content_hash, hash);
  EXPECT_EQ(claimed.approval->at, task(id).decisions.at(0).at);
}

TEST_F(ApprovalsTest, WhoRunsATaskThatNeedsNoApprovalIsToldOfNone) {
  create(new_task("executor"));
  EXPECT_FALSE(claim_executor().at(0).approval);
}

TEST_F(ApprovalsTest, OfAnEntityTheHashSaysWhichTaskIsMeant) {
  const std::string older = ask(R"({"plan":"good"})");
  const std::string newer = ask(R"({"plan":"other"})");
  EXPECT_THAT(say(TaskActionKind::Approve, hash_of(older).substr(0, 16)), HasSubstr(older));
  EXPECT_EQ(task(newer).task.state, TaskState::AwaitingApproval);
  EXPECT_EQ(task(older).task.state, TaskState::Queued);
  const std::string unknown = say(TaskActionKind::Approve, std::string(64, '0'));
  EXPECT_THAT(unknown,
              AllOf(HasSubstr("approve refused: nothing of gh:o/r#1 waits"), HasSubstr(hash_of(newer))));
  EXPECT_THAT(say(TaskActionKind::Approve, std::string(64, '0'), "gh:o/r#2"),
              HasSubstr("no task of gh:o/r#2 waits"));
}

TEST_F(ApprovalsTest, AnEntitysApprovalWithoutAHashIsRefusedNamingTheOneToGive) {
  const std::string id = ask();
  EXPECT_THAT(say(TaskActionKind::Approve, ""), AllOf(HasSubstr("approve refused"), HasSubstr(hash_of(id))));
  EXPECT_THAT(claim_executor(), IsEmpty());
}

TEST_F(ApprovalsTest, WhereNoHashIsWantedAnApprovalOfAnEntityIsRefusedWhenTwoWait) {
  allow_without_hash();
  const std::string first = ask(R"({"plan":1})");
  const std::string second = ask(R"({"plan":2})");
  EXPECT_THAT(say(TaskActionKind::Approve, ""), AllOf(HasSubstr("2 tasks of gh:o/r#1 wait"),
                                                      HasSubstr(hash_of(first)), HasSubstr(hash_of(second))));
  ASSERT_TRUE(reject(first).ok());
  EXPECT_THAT(say(TaskActionKind::Approve, ""), HasSubstr("accepted"));
}

TEST_F(ApprovalsTest, WhereNoHashIsWantedNobodyApprovesWhatBeganToWaitAfterHeSpoke) {
  allow_without_hash();
  NewDelivery said = new_delivery("said-before", 0);
  said.answer.actions.push_back({.kind = TaskActionKind::Approve, .entity = "gh:o/r#1"});
  clock_.advance(Duration(5'000));
  const std::string id = ask();
  EXPECT_THAT(accept(said)->message, HasSubstr("began to wait after this was said"));
  EXPECT_EQ(task(id).task.state, TaskState::AwaitingApproval);
}

TEST_F(ApprovalsTest, ARejectionNeedsNoHash) {
  ask(R"({"plan":1})");
  const std::string newest = ask(R"({"plan":2})");
  EXPECT_THAT(say(TaskActionKind::Reject, ""), HasSubstr(newest));
  EXPECT_EQ(task(newest).task.state, TaskState::Cancelled);
}

TEST_F(ApprovalsTest, OfTwoDecisionsTheFirstCounts) {
  const std::string id = ask();
  const std::string hash = hash_of(id);
  std::promise<Result<TaskState>> first, second, third;
  store().reject(id, alice(), hash, [&](auto answer) { first.set_value(std::move(answer)); }, "no");
  store().approve(id, alice(), hash, [&](auto answer) { second.set_value(std::move(answer)); });
  store().cancel(id, alice(), "never mind", [&](auto answer) { third.set_value(std::move(answer)); });
  EXPECT_EQ(first.get_future().get().value(), TaskState::Cancelled);
  EXPECT_EQ(second.get_future().get().error().code, ErrorCode::Conflict);
  EXPECT_EQ(third.get_future().get().error().code, ErrorCode::Conflict);
  EXPECT_THAT(task(id).decisions, SizeIs(1));
  expect_sound();
}

TEST_F(ApprovalsTest, DecisionsAreToldWithTheirWayAfterTheirCommit) {
  std::vector<std::string> told;
  store().on_decision([&](std::string_view kind, std::string_view way) {
    told.push_back(std::string(kind) + " " + std::string(way));
  });
  const std::string first = ask(R"({"plan":1})");
  ASSERT_TRUE(approve(first, hash_of(first)).ok());
  ask(R"({"plan":2})");
  say(TaskActionKind::Reject, "");
  const std::string third = ask(R"({"plan":3})");
  ASSERT_TRUE(wait<TaskState>([&](auto done) { store().reject(third, {"bob", "", "cli"}, "", done); }).ok());
  const std::string fourth = ask(R"({"plan":4})");
  ASSERT_TRUE(cancel(fourth).ok()) << "which is no decision about its approval";
  EXPECT_EQ(told, (std::vector<std::string>{"approve api", "reject webhook", "reject cli"}));
}

TEST_F(ApprovalsTest, TheLongestWaitIsReported) {
  EXPECT_FALSE(store().queue()->oldest_asked);
  const std::string first = ask(R"({"plan":1})");
  const WallTime asked = clock_.wall();
  clock_.advance(Duration(60'000));
  ask(R"({"plan":2})");
  EXPECT_EQ(store().queue()->oldest_asked, asked);
  ASSERT_TRUE(reject(first).ok());
  EXPECT_GT(*store().queue()->oldest_asked, asked);
}

// --- approvals that do not count

class RefusedApprovalsTest : public ApprovalsTest {
 protected:
  static Person bob(std::string name = "github:bob") { return {std::move(name), "18", "github comment"}; }
  Result<TaskState> approve_as(const std::string& id, const Person& by) {
    const std::string hash = hash_of(id);
    return wait<TaskState>([&](auto done) { store().approve(id, by, hash, done); });
  }
  // What the dispatcher makes of an agent's word that the approval it runs on does not count.
  static Finish refusal_of(const Fence& fence) {
    Finish refusal = finish_of(fence, TaskState::AwaitingApproval);
    refusal.result.failure = FailureClass::ApprovalRefused;
    refusal.result.error = "bob may not write";
    refusal.result.usage.cost_micro_usd = 7;
    refusal.outcome = "approval_refused";
    refusal.attempt_counts = false;
    return refusal;
  }
  // Bob approves, and the agent finds that he may not.
  Result<TaskState> refused(const std::string& id, const Person& by = bob()) {
    const Result<TaskState> approved = approve_as(id, by);
    EXPECT_TRUE(approved.ok()) << approved.error().message;
    return finish(refusal_of(claim_executor().at(0).fence));
  }
};

TEST_F(RefusedApprovalsTest, TheTaskWaitsAgainForTheSameAndTheHistorySaysWhoAndWhy) {
  std::vector<std::string> told;
  std::vector<Change::Kind> changed;
  store().on_decision([&](std::string_view kind, std::string_view way) {
    told.push_back(std::string(kind) + " " + std::string(way));
  });
  store().on_change([&](const std::vector<Change>& changes) {
    for (const Change& change : changes) changed.push_back(change.kind);
  });
  const std::string id = ask();
  const std::string hash = hash_of(id);
  const WallTime asked = task(id).approval->asked_at;
  clock_.advance(Duration(5'000));
  changed.clear();
  EXPECT_EQ(refused(id).value(), TaskState::AwaitingApproval);
  EXPECT_THAT(changed, ::testing::Contains(Change::Kind::ApprovalAsked));

  const TaskDetail again = task(id);
  EXPECT_EQ(again.task.attempt, 0) << "no retry is used";
  EXPECT_EQ(again.task.error, "bob may not write");
  EXPECT_EQ(again.task.total_cost_micro_usd, 7);
  EXPECT_EQ(again.approval->content_hash, hash);
  EXPECT_EQ(again.approval->asked_at, asked);
  ASSERT_THAT(again.executions, SizeIs(1));
  EXPECT_EQ(again.executions[0].outcome, "approval_refused");
  EXPECT_EQ(again.executions[0].failure, "approval_refused");
  ASSERT_THAT(again.decisions, SizeIs(2));
  EXPECT_EQ(again.decisions[1].kind, "refused");
  EXPECT_EQ(again.decisions[1].by, "github:bob");
  EXPECT_EQ(again.decisions[1].actor_id, "18");
  EXPECT_EQ(again.decisions[1].way, "github comment");
  EXPECT_EQ(again.decisions[1].comment, "bob may not write");
  EXPECT_EQ(again.decisions[1].content_hash, hash);
  EXPECT_EQ(told, (std::vector<std::string>{"approve api", "refused agent"}));
  EXPECT_THAT(claim_executor(), IsEmpty());
  expect_sound();

  ASSERT_EQ(approve(id, hash).value(), TaskState::Queued) << "somebody else's counts";
  const ClaimedTask claimed = claim_executor().at(0);
  EXPECT_EQ(claimed.approval->by, "alice");
  EXPECT_EQ(claimed.attempt, 1);
  expect_sound();
  EXPECT_EQ(finish(finish_of(claimed.fence)).value(), TaskState::Completed);
  expect_sound();
}

TEST_F(RefusedApprovalsTest, WhoWasRefusedDoesNotStartItAgain) {
  const std::string id = ask();
  ASSERT_TRUE(refused(id).ok());
  for (const Person& same : {bob(), bob("github:robert"), Person{"github:bob", "", "api"}}) {
    const Result<TaskState> second = approve_as(id, same);
    EXPECT_EQ(second.error().code, ErrorCode::Conflict) << same.name;
    EXPECT_THAT(second.error().message, AllOf(HasSubstr("bob may not write"), HasSubstr("somebody else")));
  }
  EXPECT_THAT(claim_executor(), IsEmpty());
  EXPECT_THAT(task(id).decisions, SizeIs(2)) << "what is refused leaves nothing";
  database_.open();
  EXPECT_EQ(approve_as(id, bob()).error().code, ErrorCode::Conflict) << "over a restart, too";
  // Who has the name today, and another sender's number 18.
  ASSERT_TRUE(refused(id, {"github:bob", "19", "github comment"}).ok());
  ASSERT_TRUE(refused(id, {"jira:bob", "18", "jira comment"}).ok());
  EXPECT_TRUE(approve(id).ok());
}

TEST_F(RefusedApprovalsTest, AWebhooksDeliveryIsAnsweredWithTheReason) {
  const std::string id = ask();
  const std::string hash = hash_of(id);
  EXPECT_THAT(say(TaskActionKind::Approve, hash), HasSubstr("accepted"));
  ASSERT_TRUE(finish(refusal_of(claim_executor().at(0).fence)).ok());
  EXPECT_THAT(say(TaskActionKind::Approve, hash),
              AllOf(HasSubstr("waits for somebody else"), HasSubstr("an approval by github:alice")));
}

TEST_F(RefusedApprovalsTest, ARetryByHandAsksAnewAlsoWhoWasRefused) {
  const std::string id = ask();
  ASSERT_TRUE(refused(id).ok());
  ASSERT_EQ(cancel(id).value(), TaskState::Cancelled);
  ASSERT_EQ(retry(id).value(), TaskState::AwaitingApproval);
  EXPECT_EQ(approve_as(id, bob()).value(), TaskState::Queued);
}

TEST_F(RefusedApprovalsTest, AnApprovalOfOtherContentIsAnother) {
  const std::string id = ask();
  ASSERT_TRUE(refused(id).ok());
  write_behind_its_back("UPDATE task_body SET payload = '{\"plan\":2}'");
  EXPECT_EQ(approve_as(id, bob()).value(), TaskState::Queued);
  EXPECT_THAT(claim_executor(), SizeIs(1));
}

TEST_F(RefusedApprovalsTest, ACancellationAskedForMeanwhileIsHeard) {
  const std::string id = ask();
  ASSERT_TRUE(approve_as(id, bob()).ok());
  const Fence fence = claim_executor().at(0).fence;
  ASSERT_EQ(cancel(id, "never mind").value(), TaskState::Running);
  EXPECT_EQ(finish(refusal_of(fence)).value(), TaskState::Cancelled);
  EXPECT_EQ(task(id).task.error, "never mind");
  EXPECT_EQ(retry(id).value(), TaskState::AwaitingApproval) << "the refused approval counts no more";
  expect_sound();
}

TEST_F(RefusedApprovalsTest, ItGivesWayToNewerInputThatWaitsMeanwhile) {
  const auto planned = [&](const char* payload) {
    NewTask task = new_task("executor");
    task.payload = payload;
    task.entity = task.key = "gh:o/r#1";
    task.awaits_approval = true;
    return create(task);
  };
  const std::string older = planned(R"({"plan":1})");
  ASSERT_TRUE(approve_as(older, bob()).ok());
  const Fence fence = claim_executor().at(0).fence;
  const std::string newer = planned(R"({"plan":2})");
  ASSERT_NE(newer, older);
  EXPECT_EQ(finish(refusal_of(fence)).value(), TaskState::Cancelled);
  EXPECT_THAT(task(older).task.error, HasSubstr(newer));
  EXPECT_EQ(task(newer).task.state, TaskState::AwaitingApproval);
  expect_sound();
}

TEST_F(RefusedApprovalsTest, WithoutAnApprovalNothingBeginsToWait) {
  create(new_task("executor"));
  const Fence unasked = claim_executor().at(0).fence;
  EXPECT_EQ(finish(refusal_of(unasked)).error().code, ErrorCode::InvalidInput);
  ASSERT_TRUE(finish(finish_of(unasked)).ok());
  const std::string id = ask();
  ASSERT_TRUE(approve(id).ok());
  const Fence approved = claim_executor().at(0).fence;
  EXPECT_EQ(finish(finish_of(approved, TaskState::AwaitingApproval)).error().code, ErrorCode::InvalidInput)
      << "nor for another reason";
  EXPECT_EQ(task(id).task.state, TaskState::Running);
  expect_sound();
}

TEST_F(RefusedApprovalsTest, AnApprovalFromBeforeThisSchemaIsAskedForAnew) {
  set_rules({.deadline = Duration(60'000)});
  const std::string id = ask();
  ASSERT_TRUE(approve_as(id, bob()).ok());
  write_behind_its_back("UPDATE decision SET asked_at = NULL, deadline = NULL, reminders = NULL");
  set_rules({.deadline = Duration(60'000)});
  clock_.advance(Duration(5'000));
  ASSERT_EQ(finish(refusal_of(claim_executor().at(0).fence)).value(), TaskState::AwaitingApproval);
  EXPECT_EQ(task(id).approval->asked_at, clock_.wall());
  EXPECT_EQ(task(id).approval->deadline, clock_.wall() + Duration(60'000));
}

TEST_F(RefusedApprovalsTest, WhatRunsOnARefusedApprovalIsFoundByTheCheck) {
  const std::string id = ask();
  ASSERT_TRUE(refused(id).ok());
  ASSERT_TRUE(approve(id).ok());
  ASSERT_THAT(claim_executor(), SizeIs(1));
  expect_sound();
  write_behind_its_back("UPDATE decision SET kind = 'refused' WHERE by_whom = 'alice'");
  EXPECT_THAT(verify(database_.path()).value(),
              ::testing::Contains(HasSubstr("nobody approved what it runs")));
}

// --- reminders and deadlines

constexpr Duration kDay{24 * 3'600'000};

class RemindersTest : public ApprovalsTest {
 protected:
  RemindersTest() { set_rules({.deadline = 7 * kDay, .remind_after = kDay, .notify = "messenger"}); }
  // When the next reminder is due, after those that are were made.
  std::optional<WallTime> work_off() {
    return wait<std::optional<WallTime>>([&](auto done) { store().work_off_approvals(done); }).value();
  }
  std::vector<ClaimedTask> messages() { return claim(16, {{"messenger", 16}}); }
};

TEST_F(RemindersTest, AReminderIsMadeOnceAlsoOverARestart) {
  const WallTime asked = clock_.wall();
  const std::string id = ask();
  EXPECT_EQ(work_off(), asked + kDay) << "whoever is to be told is told at once";
  EXPECT_EQ(work_off(), asked + kDay);
  const ClaimedTask told = messages().at(0);
  EXPECT_THAT(messages(), IsEmpty());
  EXPECT_EQ(told.title, "Approval wanted: Look into it");
  EXPECT_THAT(told.payload, AllOf(HasSubstr("\"task_id\":\"" + id + "\""), HasSubstr(hash_of(id)),
                                  HasSubstr("\"reminder\":0"), HasSubstr("\"entity\":\"gh:o/r#1\"")));
  ASSERT_TRUE(finish(finish_of(told.fence)).ok());

  clock_.advance(kDay);
  work_off();
  database_.open();
  set_rules({.deadline = 7 * kDay, .remind_after = kDay, .notify = "messenger"});
  EXPECT_EQ(work_off(), asked + 2 * kDay);
  const std::vector<ClaimedTask> again = messages();
  ASSERT_THAT(again, SizeIs(1));
  EXPECT_THAT(again[0].payload, HasSubstr("\"reminder\":1"));
  EXPECT_EQ(task(id).approval->reminders, 2);
  expect_sound();
}

TEST_F(RemindersTest, WhoeverIsToldIsGivenAllThatIsNeededToTellPeopleOfIt) {
  NewTask task = new_task();
  task.entity = "gh:o/r#1";
  const std::string root = create(task);
  Finish planned = finish_of(claim_one().fence);
  planned.result.output = R"({"work":{"chain":"x"}})";
  planned.result.also = {"gh:o/r#12"};
  planned.successor = new_task("executor");
  planned.successor_awaits_approval = true;
  ASSERT_TRUE(finish(planned).ok());
  work_off();
  const ClaimedTask told = messages().at(0);
  EXPECT_EQ(told.task_type, "approval_reminder");
  EXPECT_EQ(told.entity, "chain:" + root) << "so that what is told of one chain is told in turn";
  EXPECT_EQ(told.previous_result, R"({"work":{"chain":"x"}})");
  EXPECT_EQ(told.chain_depth, 1);
  EXPECT_THAT(told.payload, AllOf(HasSubstr("\"root\":\"" + root + "\""), HasSubstr(R"("source":"api")"),
                                  HasSubstr(R"("also":["gh:o/r#12"])"), HasSubstr(R"("deadline":"20)")));
  expect_sound();
}

TEST_F(RemindersTest, AReminderThatNobodyHasReadYetIsReplacedByTheNext) {
  ask();
  work_off();
  clock_.advance(kDay);
  work_off();
  const std::vector<ClaimedTask> told = messages();
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_THAT(told[0].payload, HasSubstr("\"reminder\":1"));
}

TEST_F(RemindersTest, AWaitThatNobodyAnswersEndsAtItsDeadline) {
  std::vector<std::string> told;
  store().on_decision([&](std::string_view kind, std::string_view way) {
    told.push_back(std::string(kind) + " " + std::string(way));
  });
  const std::string id = ask();
  const std::string hash = hash_of(id);
  clock_.advance(7 * kDay - Duration(1));
  work_off();
  EXPECT_EQ(task(id).task.state, TaskState::AwaitingApproval);
  clock_.advance(Duration(1));
  EXPECT_EQ(work_off(), std::nullopt);
  const TaskDetail ended = task(id);
  EXPECT_EQ(ended.task.state, TaskState::Cancelled);
  EXPECT_THAT(ended.task.error, HasSubstr("nobody approved it by "));
  ASSERT_THAT(ended.decisions, SizeIs(1));
  EXPECT_EQ(ended.decisions[0].kind, "reject");
  EXPECT_EQ(ended.decisions[0].way, "deadline");
  EXPECT_EQ(told, (std::vector<std::string>{"reminder timer", "reject deadline"}));
  EXPECT_EQ(approve(id, hash).error().code, ErrorCode::Conflict) << "too late";
  expect_sound();
}

TEST_F(RemindersTest, WhatIsParkedAtItsDeadlineAsksAgainWhenItIsRetried) {
  set_rules({.deadline = kDay, .park_at_deadline = true});
  const std::string id = ask();
  clock_.advance(kDay);
  work_off();
  EXPECT_EQ(task(id).task.state, TaskState::Parked);
  EXPECT_EQ(retry(id).value(), TaskState::AwaitingApproval);
  EXPECT_EQ(work_off(), clock_.wall() + kDay) << "with a deadline of its own";
  expect_sound();
}

TEST_F(RemindersTest, WithoutRulesAWaitIsForEver) {
  set_rules({});
  ask();
  clock_.advance(1'000 * kDay);
  EXPECT_EQ(work_off(), std::nullopt);
  EXPECT_THAT(store().tasks({.state = TaskState::AwaitingApproval})->items, SizeIs(1));
}

TEST_F(RemindersTest, WhoeverIsToTellIsNotToldOfItsOwnTasks) {
  set_rules({.remind_after = kDay, .notify = "executor"});
  ask();
  work_off();
  EXPECT_THAT(store().tasks({})->items, SizeIs(1));
}

class RefusedRemindersTest : public RefusedApprovalsTest {
 protected:
  std::optional<WallTime> work_off() {
    return wait<std::optional<WallTime>>([&](auto done) { store().work_off_approvals(done); }).value();
  }
};

TEST_F(RefusedRemindersTest, TheWaitGoesOnWithItsRemindersAndEndsAtItsDeadline) {
  set_rules({.deadline = 7 * kDay, .remind_after = 2 * kDay});
  const WallTime asked = clock_.wall();
  const std::string id = ask();
  clock_.advance(2 * kDay);
  EXPECT_EQ(work_off(), asked + 4 * kDay);
  clock_.advance(kDay);
  ASSERT_EQ(refused(id).value(), TaskState::AwaitingApproval);
  const AwaitedApproval goes_on = *task(id).approval;
  EXPECT_EQ(goes_on.asked_at, asked);
  EXPECT_EQ(goes_on.deadline, asked + 7 * kDay);
  EXPECT_EQ(goes_on.next_at, asked + 4 * kDay);
  EXPECT_EQ(goes_on.reminders, 1);
  EXPECT_EQ(work_off(), asked + 4 * kDay) << "it is not reminded of more often for that";
  clock_.advance(4 * kDay);
  work_off();
  EXPECT_EQ(task(id).task.state, TaskState::Cancelled);
  EXPECT_THAT(task(id).task.error, HasSubstr("nobody approved it by "));
  expect_sound();
}

TEST_F(RefusedRemindersTest, WhoeverIsNotifiedHearsAtOnceWhoseApprovalDoesNotCountAndWhy) {
  set_rules({.remind_after = kDay, .notify = "messenger"});
  const std::string id = ask();
  work_off();
  const ClaimedTask first = claim(16, {{"messenger", 16}}).at(0);
  EXPECT_THAT(first.payload, HasSubstr("\"refused\":null"));
  ASSERT_TRUE(finish(finish_of(first.fence)).ok());
  ASSERT_TRUE(refused(id).ok());
  EXPECT_EQ(work_off(), clock_.wall() + kDay);
  const std::vector<ClaimedTask> told = claim(16, {{"messenger", 16}});
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_THAT(told[0].payload,
              AllOf(HasSubstr(R"("refused":{"by":"github:bob","way":"github comment","why":"bob may not write"})"),
                    HasSubstr(hash_of(id)), HasSubstr("\"reminder\":1")));
  expect_sound();
}

// --- rework

class ReworkTest : public ApprovalsTest {
 protected:
  ReworkTest() { set_rules({.reworks = {{"planner", 2}}}); }
  // Lets the planner work; the id of what waits for approval then.
  std::string plan(const std::string& output) {
    Finish done = finish_of(claim_one().fence);
    done.result.output = output;
    done.successor = new_task("executor");
    done.successor->payload = output;
    done.successor_awaits_approval = true;
    EXPECT_TRUE(finish(done).ok());
    return store().tasks({.agent = "executor", .state = TaskState::AwaitingApproval})->items.at(0).task_id;
  }
};

TEST_F(ReworkTest, ARejectedPlanGoesBackToItsAgentWithTheComment) {
  NewTask first = new_task();
  first.entity = "gh:o/r#1";
  const std::string root = create(first);
  const std::string rejected = plan(R"({"plan":"risky"})");
  const std::string hash = hash_of(rejected);
  EXPECT_EQ(reject(rejected, "too risky").value(), TaskState::Cancelled);

  const ClaimedTask again = claim_one();
  EXPECT_EQ(again.agent, "planner");
  EXPECT_EQ(again.payload, first.payload);
  EXPECT_EQ(again.entity, "gh:o/r#1");
  EXPECT_EQ(again.previous_result, R"({"rejected":{"comment":"too risky","by":"alice","actor_id":")" +
                                       alice().id + R"(","way":")" + alice().way + R"(","content_hash":")" +
                                       hash + R"(","output":{"plan":"risky"}}})");
  EXPECT_THAT(again.chain, IsEmpty()) << "it is where it was: that is no further visit";
  EXPECT_EQ(again.chain_depth, 1);
  EXPECT_EQ(task(again.task_id).rework, 1);
  EXPECT_EQ(task(again.task_id).task.root_id, root);
  EXPECT_EQ(task(root).chain.task_count, 3);
  expect_sound();
}

TEST_F(ReworkTest, AfterItsLastReworkARejectEndsTheChain) {
  create();
  for (int round = 0; round < 2; ++round) ASSERT_TRUE(reject(plan("1"), "no").ok());
  ASSERT_TRUE(reject(plan("1"), "still no").ok());
  EXPECT_THAT(claim(), IsEmpty());
  EXPECT_EQ(store().tasks({.limit = 500})->items.size(), 6u);
}

TEST_F(ReworkTest, ARejectWithoutACommentOrAnAgentBeforeItCancels) {
  create();
  ASSERT_TRUE(reject(plan("1"), "").ok());
  ASSERT_TRUE(reject(ask(), "no").ok());
  EXPECT_THAT(claim(), IsEmpty());
}

TEST_F(ReworkTest, AnAgentThatDoesNotWantItGetsNothingBack) {
  set_rules({});
  create();
  ASSERT_TRUE(reject(plan("1"), "no").ok());
  EXPECT_THAT(claim(), IsEmpty());
}

}  // namespace
}  // namespace davit::store
