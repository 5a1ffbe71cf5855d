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

TEST(KeysInUseTest, AKeyIsOnesOwnUntilItsActHasEnded) {
  KeysInUse keys;
  auto held = keys.take("alice", "k");
  ASSERT_TRUE(held.ok());
  EXPECT_EQ(keys.take("alice", "k").error().code, ErrorCode::Conflict) << "it is being done";
  EXPECT_TRUE(keys.take("bob", "k").ok()) << "keys are everybody's own";
  EXPECT_TRUE(keys.take("alice", "l").ok());
  held->reset();
  EXPECT_TRUE(keys.take("alice", "k").ok());
}

TEST(KeysInUseTest, NoMoreActsGoOnAtATimeThanThereIsRoomFor) {
  KeysInUse keys;
  std::vector<KeysInUse::Hold> held;
  for (std::size_t i = 0; i < KeysInUse::kMost; ++i) held.push_back(*keys.take("alice", std::to_string(i)));
  EXPECT_EQ(keys.take("bob", "one more").error().code, ErrorCode::Overloaded);
  held.pop_back();
  EXPECT_TRUE(keys.take("bob", "one more").ok());
}

}  // namespace
}  // namespace davit::http
