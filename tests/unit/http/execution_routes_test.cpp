// What is answered about executions, from a real store.
#include "host/http/execution_routes.h"

#include <gtest/gtest.h>

#include "host/base/json.h"
#include "host/http/mailbox.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temp_database.h"

namespace davit::http {
namespace {

using testing::wait;

constexpr std::size_t kMiB = 1u << 20;

class TranscriptRouteTest : public ::testing::Test {
 protected:
  TranscriptRouteTest() {
    NewTask task;
    task.agent = "worker";
    task.title = "talks";
    task.max_retries = 100;
    id_ = wait<std::string>([&](auto done) {
            database_.store().create_task(task, "api", std::nullopt, done);
          }).value();
  }
  // One more execution that says as much and fails.
  std::string run(std::size_t bytes) {
    const auto claimed =
        wait<std::vector<ClaimedTask>>([&](auto done) {
          database_.store().claim({.agents = {{"worker", 1}}, .limit = 1, .lease = Duration(60'000)}, done);
        }).value();
    EXPECT_EQ(claimed.size(), 1u);
    store::Finish finish;
    finish.fence = claimed.at(0).fence;
    finish.next_state = TaskState::Queued;
    finish.outcome = "failed";
    finish.result.failure = FailureClass::Retryable;
    constexpr std::size_t kLine = 64u << 10;
    for (std::size_t said = 0; said < bytes; said += kLine)
      finish.transcript.lines.push_back({"text", std::string(kLine, 'x'), clock_.wall()});
    EXPECT_TRUE(wait<TaskState>([&](auto done) { database_.store().finish(finish, done); }).ok());
    return claimed.at(0).session_id;
  }
  Response get(const std::string& query) {
    const auto mailbox = std::make_shared<Mailbox>();
    Exchange exchange{{}, Responder(mailbox, {}, "request", 0), {id_}};
    exchange.request.query = query;
    execution_routes(database_.store()).front().answer(std::move(exchange));
    std::vector<Mail> mail;
    mailbox->take_or_sleep(mail);
    if (mail.size() != 1) {
      ADD_FAILURE() << "expected one answer, got " << mail.size();
      return {};
    }
    return std::get<Response>(std::move(mail.front().content));
  }
  // Of each execution how many lines are told; -1 where they are left out.
  std::vector<int> told(const std::string& query = "") {
    const auto document = parse_json(get(query).body, {.max_bytes = 64 * kMiB});
    EXPECT_TRUE(document.ok());
    std::vector<int> counts;
    for (const JsonValue& execution : find_member(*document, "executions")->GetArray()) {
      const int lines = static_cast<int>(find_member(execution, "lines")->Size());
      const bool truncated = bool_member(execution, "truncated", true);
      EXPECT_TRUE(!truncated || lines == 0);
      counts.push_back(truncated ? -1 : lines);
    }
    return counts;
  }
  testing::FakeClock clock_;
  testing::TempDatabase database_{clock_};
  std::string id_;
};

TEST_F(TranscriptRouteTest, HoweverManyExecutionsThereAreAnAnswerHasAnEnd) {
  std::string oldest = run(3 * kMiB);
  for (int i = 0; i < 5; ++i) run(3 * kMiB);
  EXPECT_EQ(told(), (std::vector<int>{-1, -1, -1, -1, 48, 48}));
  EXPECT_LT(get("").body.size(), 8 * kMiB);
  EXPECT_EQ(told("limit=1"), (std::vector<int>{1, 1, 1, 1, 1, 1}));
  EXPECT_EQ(told("session=" + oldest), (std::vector<int>{48}));
  EXPECT_EQ(told("after=40&session=" + oldest), (std::vector<int>{8}));
  EXPECT_EQ(told("before=41&session=" + oldest), (std::vector<int>{40}));
  EXPECT_EQ(told("before=41&limit=7"), (std::vector<int>{7})) << "of the newest";
}

TEST_F(TranscriptRouteTest, ItIsReadBackOrFollowedAndNotBoth) {
  run(256u << 10);
  const auto back = parse_json(get("before=4&limit=2").body, {.max_bytes = 64 * kMiB});
  const JsonValue& lines = *find_member((*find_member(*back, "executions"))[0], "lines");
  ASSERT_EQ(lines.Size(), 2u);
  EXPECT_EQ(int_member(lines[0], "number"), 2);
  EXPECT_EQ(int_member(lines[1], "number"), 3);
  EXPECT_EQ(told("before=1"), (std::vector<int>{0}));
  for (const char* wrong : {"before=0", "before=-1", "before=x", "before=1&after=1"}) {
    const Response refused = get(wrong);
    EXPECT_EQ(refused.status, 400) << wrong;
    EXPECT_NE(refused.body.find(R"("field":"before")"), std::string::npos) << refused.body;
  }
}

TEST_F(TranscriptRouteTest, TheNewestExecutionIsToldWholeHoweverLongItIs) {
  run(64u << 10);
  run(9 * kMiB);
  EXPECT_EQ(told(), (std::vector<int>{-1, 144}));
}

}  // namespace
}  // namespace davit::http
