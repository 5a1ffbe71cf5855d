// The audit log: a line with each act, in its transaction, also with one that is refused.
#include "host/store/audit.h"

#include <functional>
#include <thread>

#include "host/base/json.h"

#include "tests/unit/store/conformance.h"

namespace davit::store {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class AuditTest : public StoreTest {
 protected:
  static AuditEntry line(std::string operation, std::string object = "", std::string actor = "ada") {
    AuditEntry entry;
    entry.actor = std::move(actor);
    entry.way = "token";
    entry.operation = std::move(operation);
    entry.object = std::move(object);
    entry.parameters = R"({"reason":"later"})";
    entry.address = "198.51.100.7";
    entry.request_id = "request-1";
    return entry;
  }
  void note(AuditEntry entry) {
    ASSERT_TRUE(wait([&](auto done) { store().note_audit(entry, done); }).ok());
  }
  std::vector<AuditEntry> entries(AuditFilter filter = {}) { return store().audit(filter).value().items; }
  std::vector<std::string> operations(const AuditFilter& filter) {
    std::vector<std::string> found;
    for (const AuditEntry& entry : entries(filter)) found.push_back(entry.operation);
    return found;
  }
  // Turns true; the writer prunes on its own, between other writes.
  static bool eventually(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
  }
};

TEST_F(AuditTest, AnActAndItsLineAreCommittedTogether) {
  const std::string id = create();
  ASSERT_TRUE(wait<TaskState>([&](auto done) {
                store().cancel(id, alice(), "not needed", done, line("cancelTask", id));
              }).ok());
  const auto all = entries();
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_EQ(all[0].actor, "ada");
  EXPECT_EQ(all[0].way, "token");
  EXPECT_EQ(all[0].operation, "cancelTask");
  EXPECT_EQ(all[0].object, id);
  EXPECT_EQ(all[0].parameters, R"({"reason":"later"})");
  EXPECT_EQ(all[0].outcome, "done");
  EXPECT_EQ(all[0].reason, "");
  EXPECT_EQ(all[0].address, "198.51.100.7");
  EXPECT_EQ(all[0].request_id, "request-1");
  EXPECT_EQ(all[0].at, clock_.wall());
}

TEST_F(AuditTest, TheLineOfWhatMakesSomethingNamesIt) {
  const auto make = [&](NewTask task) {
    return wait<std::string>([&](auto done) {
      store().create_task(std::move(task), "api", std::nullopt, done, line("createTask", ""));
    });
  };
  const std::string id = make(new_task()).value();
  EXPECT_FALSE(make(new_task("")).ok());
  const auto all = entries();
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all[1].object, id);
  EXPECT_EQ(all[0].object, "");
  EXPECT_EQ(all[0].outcome, "refused");
  EXPECT_THAT(store().audit({.object = id})->items, SizeIs(1));
}

TEST_F(AuditTest, ARefusedActHasItsLineWithTheReason) {
  const std::string id = create();
  EXPECT_FALSE(wait<TaskState>([&](auto done) {
                 store().approve(id, alice(), "", done, "", line("approveTask", id));
               }).ok());
  ASSERT_THAT(entries(), SizeIs(1));
  EXPECT_EQ(entries()[0].outcome, "refused");
  EXPECT_THAT(entries()[0].reason, HasSubstr("does not wait for approval"));
}

TEST_F(AuditTest, EveryActOfTheStoreTakesALine) {
  const std::string id = create();
  const auto act = [&](auto call) { (void)wait<TaskState>(call); };
  act([&](auto done) { store().cancel(id, alice(), "", done, line("cancel")); });
  act([&](auto done) { store().retry(id, alice(), done, line("retry")); });
  act([&](auto done) { store().approve(id, alice(), "", done, "", line("approve")); });
  act([&](auto done) { store().reject(id, alice(), "", done, "", line("reject")); });
  (void)wait<BulkStep>(
      [&](auto done) { store().retry_all({.state = TaskState::Failed}, alice(), done, line("retry_all")); });
  (void)wait<BulkStep>([&](auto done) { store().retry_all({}, alice(), done, line("retry_none")); });
  (void)wait([&](auto done) { store().pause({"planner", {}, {}, "", "ada"}, done, line("pause")); });
  (void)wait<bool>([&](auto done) { store().resume("planner", done, line("resume")); });
  (void)wait<std::string>([&](auto done) { store().replay(new_id(), "ada", done, line("replay")); });
  (void)wait<std::string>(
      [&](auto done) { store().create_task(new_task(), "api", std::nullopt, done, line("create_task")); });
  AccessToken token;
  token.name = "ci";
  token.sha256 = std::string(32, 'x');
  (void)wait([&](auto done) { store().create_token(token, done, line("create_token")); });
  (void)wait<AccessToken>([&](auto done) { store().revoke_token("ci", done, line("revoke_token")); });
  const LoginSession session{std::string(32, 's'), token.sha256, clock_.wall(), clock_.wall(), ""};
  (void)wait<std::vector<std::string>>([&](auto done) {
    store().open_session(session, {Duration(1), Duration(1)}, done, line("open_session"));
  });
  (void)wait([&](auto done) { store().close_session(session.sha256, done, line("close_session")); });
  (void)wait([&](auto done) { store().set_setting("x", "1", done, line("set_setting")); });
  (void)wait([&](auto done) { store().clear_crashes({"a", "b"}, done, line("clear_crashes")); });
  EXPECT_THAT(operations({.limit = 100}),
              ElementsAre("clear_crashes", "set_setting", "close_session", "open_session", "revoke_token",
                          "create_token", "create_task", "replay", "resume", "pause", "retry_none",
                          "retry_all", "reject", "approve", "retry", "cancel"));
}

TEST_F(AuditTest, WhatIsBegunHasItsLineBeforeItIsDoneAndOnlyOneAndTellsWhatIsKnownIfNobodySawItEnd) {
  const auto begun = wait<std::int64_t>([&](auto done) { store().begin_audit(line("reload"), done); });
  const auto lost = wait<std::int64_t>([&](auto done) { store().begin_audit(line("reload", "lost"), done); });
  ASSERT_TRUE(begun.ok() && lost.ok());
  EXPECT_NE(*begun, *lost);
  ASSERT_THAT(entries(), SizeIs(2));
  EXPECT_EQ(entries()[1].outcome, "begun");
  EXPECT_EQ(entries()[1].number, *begun);
  store().end_audit(*begun, "refused", "a mistake");
  database_.open();
  ASSERT_THAT(entries(), SizeIs(2));
  EXPECT_EQ(entries()[1].outcome, "refused");
  EXPECT_EQ(entries()[1].reason, "a mistake");
  EXPECT_EQ(entries()[1].request_id, "request-1");
  EXPECT_EQ(entries()[0].outcome, "begun");
  // How something ended is told once.
  store().end_audit(*begun, "done", "");
  note(line("last"));
  EXPECT_EQ(entries()[2].outcome, "refused");
}

TEST_F(AuditTest, FiltersCombineAndPagesFollow) {
  note(line("approveTask", "a"));
  note(line("approveTask", "b", "bob"));
  clock_.advance(Duration(1'000));
  note(line("cancelTask", "a"));
  EXPECT_THAT(operations({.actor = "ada"}), ElementsAre("cancelTask", "approveTask"));
  EXPECT_THAT(operations({.actor = "ada", .operation = "approveTask"}), ElementsAre("approveTask"));
  EXPECT_THAT(operations({.object = "b"}), ElementsAre("approveTask"));
  EXPECT_THAT(operations({.start = clock_.wall()}), ElementsAre("cancelTask"));
  EXPECT_THAT(operations({.end = clock_.wall()}), SizeIs(2));
  EXPECT_THAT(operations({.outcome = "denied"}), IsEmpty());

  const auto first = store().audit({.limit = 2}).value();
  ASSERT_THAT(first.items, SizeIs(2));
  ASSERT_NE(first.next_cursor, "");
  const auto second = store().audit({.limit = 2, .cursor = first.next_cursor}).value();
  ASSERT_THAT(second.items, SizeIs(1));
  EXPECT_EQ(second.items[0].object, "a");
  EXPECT_EQ(second.next_cursor, "");
}

TEST_F(AuditTest, ACursorOfSomebodyElsesIsRefused) {
  for (const char* bad : {"x", "12x", "-1", "0", "99999999999999999999", " 1"}) {
    const auto refused = store().audit({.cursor = bad});
    ASSERT_FALSE(refused.ok()) << bad;
    EXPECT_EQ(refused.error().code, ErrorCode::InvalidInput);
  }
  EXPECT_FALSE(store().audit({.limit = 0}).ok());
  EXPECT_FALSE(store().audit({.limit = 501}).ok());
}

TEST_F(AuditTest, WhatIsTooLongIsCutBetweenCharacters) {
  AuditEntry entry = line("rejectTask");
  entry.outcome = "refused";
  for (int i = 0; i < 1'000; ++i) entry.reason += "é";
  entry.parameters = "{\"comment\":\"" + std::string(10'000, 'x') + "\"}";
  note(entry);
  EXPECT_EQ(entries()[0].reason.size(), 1'024u);
  EXPECT_TRUE(is_utf8(entries()[0].reason));
  EXPECT_EQ(entries()[0].parameters, "{\"comment\":\"" + std::string(1'024, 'x') + "\"}");
  // What says who and what stays beside it.
  entry.parameters = "{\"reason\":\"" + std::string(9'000, 'y') + "\",\"by\":\"mallory\",\"all\":true,\"list\":[\"" +
                     std::string(2'000, 'z') + "\"]}";
  note(entry);
  EXPECT_EQ(entries()[0].parameters, "{\"reason\":\"" + std::string(1'024, 'y') + "\",\"by\":\"mallory\",\"all\":true}");
  entry.parameters = std::string(9'000, '[');
  note(entry);
  EXPECT_EQ(entries()[0].parameters, "{}");
}

TEST_F(AuditTest, LinesGoWithTheirAge) {
  for (int i = 0; i < 3; ++i) note(line("old"));
  clock_.advance(Duration(10'000));
  note(line("young"));
  store().set_retention({.keep = Duration(5'000)});
  EXPECT_TRUE(eventually([&] { return entries().size() == 1; }));
  EXPECT_THAT(operations({}), ElementsAre("young"));
}

}  // namespace
}  // namespace davit::store
