#include "host/base/pulse.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace davit {
namespace {

constexpr Duration kNoPatience{0};

class PulseTest : public ::testing::Test {
 protected:
  void answer() {
    std::vector<std::function<void()>> now;
    now.swap(asked_);
    for (const auto& each : now) each();
  }
  SystemClock clock_;
  std::vector<std::function<void()>> asked_;
  Pulse pulse_{[this](std::function<void()> reached) { asked_.push_back(std::move(reached)); }, clock_};
};

TEST_F(PulseTest, AThreadThatIsNotAskedOwesNoAnswer) {
  EXPECT_EQ(pulse_.unanswered_after(kNoPatience), Duration::zero());
}

TEST_F(PulseTest, AThreadThatDoesNotAnswerIsAskedOnceHoweverManyAsk) {
  for (int i = 0; i < 3; ++i) {
    pulse_.ask();
    EXPECT_GT(pulse_.unanswered_after(kNoPatience), Duration::zero());
  }
  EXPECT_EQ(asked_.size(), 1u);
  answer();
  EXPECT_EQ(pulse_.unanswered_after(kNoPatience), Duration::zero());
  pulse_.ask();
  EXPECT_EQ(asked_.size(), 1u) << "anew";
}

TEST_F(PulseTest, WhoWaitsGoesOnWithTheAnswer) {
  pulse_.ask();
  std::thread other([this] { answer(); });
  EXPECT_EQ(pulse_.unanswered_after(Duration{3'600'000}), Duration::zero());
  other.join();
}

TEST_F(PulseTest, AQuestionThatIsDroppedKeepsNobodyWaiting) {
  pulse_.ask();
  asked_.clear();
  EXPECT_EQ(pulse_.unanswered_after(Duration{3'600'000}), Duration::zero());
}

TEST_F(PulseTest, AnAnswerMayComeAfterWhoAskedIsGone) {
  std::vector<std::function<void()>> late;
  {
    Pulse gone([&](std::function<void()> reached) { late.push_back(std::move(reached)); }, clock_);
    gone.ask();
  }
  ASSERT_EQ(late.size(), 1u);
  late.front()();
}

}  // namespace
}  // namespace davit
