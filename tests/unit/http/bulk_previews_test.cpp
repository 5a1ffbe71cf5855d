#include "host/http/bulk_previews.h"

#include <gtest/gtest.h>

#include "tests/support/fake_clock.h"

namespace davit::http {
namespace {

BulkPreview preview_of(const std::string& actor, const std::string& task) {
  return {actor, TaskActionKind::Retry, {{task, TaskState::Failed, 1, ""}}};
}

TEST(BulkPreviewsTest, APreviewIsForWhoSawItAndOnce) {
  testing::FakeClock clock;
  BulkPreviews previews(clock);
  const std::string token = previews.keep(preview_of("alice", "t"));
  EXPECT_EQ(previews.take(token, "bob").error().code, ErrorCode::NotFound);
  EXPECT_EQ(previews.take("other", "alice").error().code, ErrorCode::NotFound);
  const auto taken = previews.take(token, "alice");
  ASSERT_TRUE(taken.ok());
  EXPECT_EQ(taken->action, TaskActionKind::Retry);
  EXPECT_EQ(taken->tasks.at(0).task_id, "t");
  EXPECT_EQ(previews.take(token, "alice").error().code, ErrorCode::NotFound) << "it was used";
}

TEST(BulkPreviewsTest, APreviewGrowsOld) {
  testing::FakeClock clock;
  BulkPreviews previews(clock);
  const std::string first = previews.keep(preview_of("alice", "1")),
                    second = previews.keep(preview_of("alice", "2"));
  clock.advance(BulkPreviews::kLifetime - Duration(1));
  EXPECT_TRUE(previews.take(first, "alice").ok());
  clock.advance(Duration(1));
  EXPECT_FALSE(previews.take(second, "alice").ok());
}

TEST(BulkPreviewsTest, NoMoreAreKeptThanThereIsRoomFor) {
  testing::FakeClock clock;
  BulkPreviews previews(clock);
  const std::string first = previews.keep(preview_of("alice", "1"));
  std::string last;
  for (std::size_t i = 0; i < BulkPreviews::kMost; ++i) last = previews.keep(preview_of("alice", "more"));
  EXPECT_FALSE(previews.take(first, "alice").ok());
  EXPECT_TRUE(previews.take(last, "alice").ok());
}

TEST(IdempotencyKeyTest, IsATextInQuotes) {
  EXPECT_EQ(idempotency_key("\"8e03978e-40d5\"").value(), "8e03978e-40d5");
  EXPECT_EQ(idempotency_key(R"("a\"b\\c")").value(), R"(a"b\c)");
  EXPECT_EQ(idempotency_key("\"" + std::string(128, 'k') + "\"").value().size(), 128u);
  for (const std::string& wrong :
       {std::string(), std::string("abc"), std::string("\""), std::string("\"\""), std::string("\"abc"),
        std::string("abc\""), std::string(R"("a"b")"), std::string(R"("a\b")"), std::string(R"("a\")"),
        std::string("\"a\tb\""), std::string("\"\xc3\xa4\""), "\"" + std::string(129, 'k') + "\""})
    EXPECT_EQ(idempotency_key(wrong).error().code, ErrorCode::InvalidInput) << wrong;
}

class IdempotentAnswersTest : public ::testing::Test {
 protected:
  static Response answer(const std::string& body) {
    Response response;
    response.body = body;
    return response;
  }
  // What became of a request: "new", the body of its answer, or the code of what is wrong.
  std::string begin(const std::string& actor, const std::string& key, const std::string& body) {
    const auto known = answers_.begin(actor, key, body);
    if (!known.ok()) return "refused " + std::to_string(static_cast<int>(known.error().code));
    return *known ? (*known)->body : "new";
  }
  static std::string refused(ErrorCode code) { return "refused " + std::to_string(static_cast<int>(code)); }
  testing::FakeClock clock_;
  IdempotentAnswers answers_{clock_};
};

TEST_F(IdempotentAnswersTest, TheSameRequestHasTheSameAnswer) {
  EXPECT_EQ(begin("alice", "k", "body"), "new");
  EXPECT_EQ(begin("alice", "k", "body"), refused(ErrorCode::Conflict)) << "it is being done";
  answers_.finish("alice", "k", answer("done"));
  EXPECT_EQ(begin("alice", "k", "body"), "done");
  EXPECT_EQ(begin("alice", "k", "other"), refused(ErrorCode::InvalidInput));
  EXPECT_EQ(begin("bob", "k", "body"), "new") << "keys are everybody's own";
  EXPECT_EQ(begin("alice", "l", "body"), "new");
}

TEST_F(IdempotentAnswersTest, WhatWasNotDoneMayBeTriedAgain) {
  EXPECT_EQ(begin("alice", "k", "body"), "new");
  answers_.forget("alice", "k");
  EXPECT_EQ(begin("alice", "k", "other"), "new");
}

TEST_F(IdempotentAnswersTest, AnAnswerIsKeptForADayAndNoMoreThanThereIsRoomFor) {
  EXPECT_EQ(begin("alice", "old", "body"), "new");
  answers_.finish("alice", "old", answer("done"));
  clock_.advance(IdempotentAnswers::kLifetime);
  EXPECT_EQ(begin("alice", "old", "other"), "new");
  answers_.finish("alice", "old", answer("done"));
  for (std::size_t i = 0; i < IdempotentAnswers::kMost; ++i)
    EXPECT_EQ(begin("alice", std::to_string(i), "body"), "new") << i;
  EXPECT_EQ(begin("alice", "one more", "body"), refused(ErrorCode::Overloaded))
      << "all of them are being done";
  answers_.finish("alice", "0", answer("done"));
  EXPECT_EQ(begin("alice", "one more", "body"), "new");
}

}  // namespace
}  // namespace davit::http
