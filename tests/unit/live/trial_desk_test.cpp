#include "host/live/trial_desk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

namespace davit::live {
namespace {

using ::testing::IsEmpty;

// Trials that end when the test says so: by instance, empty for one that works.
class Runners {
 public:
  std::optional<std::string> operator()(const isolation::RunnerSpec& spec) {
    std::unique_lock lock(mutex_);
    ++begun_;
    changed_.wait(lock, [&] { return faults_.contains(spec.name); });
    const std::string fault = faults_.at(spec.name);
    return fault.empty() ? std::nullopt : std::optional(fault);
  }
  void end(const std::string& name, const std::string& fault) {
    std::lock_guard lock(mutex_);
    faults_[name] = fault;
    changed_.notify_all();
  }
  int begun() {
    std::lock_guard lock(mutex_);
    return begun_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::string> faults_;
  int begun_ = 0;
};

class TrialDeskTest : public ::testing::Test {
 protected:
  static plugin::Webhook webhook(const std::string& name, const std::string& sha256 = "abc") {
    plugin::Webhook webhook;
    webhook.settings.instance = name;
    auto generation = std::make_shared<plugin::Generation>();
    generation->sha256 = sha256;
    webhook.generation = generation;
    return webhook;
  }
  std::string verdict(const plugin::Webhook& webhook) {
    desk_.of(webhook);
    desk_.wait(Duration(60'000));
    return desk_.of(webhook).value_or("none");
  }
  Runners runners_;
  std::atomic<int> told_{0};
  TrialDesk desk_{[this](const isolation::RunnerSpec& spec) { return runners_(spec); }, [this] { ++told_; }};
};

TEST_F(TrialDeskTest, ATrialIsHeldOnceAndItsVerdictStands) {
  EXPECT_EQ(desk_.of(webhook("good")), std::nullopt);
  EXPECT_EQ(desk_.of(webhook("good")), std::nullopt);
  EXPECT_TRUE(desk_.any_under_way());
  runners_.end("good", "");
  EXPECT_EQ(verdict(webhook("good")), "");
  EXPECT_FALSE(desk_.any_under_way());
  EXPECT_THAT(desk_.failed(), IsEmpty());
  EXPECT_EQ(runners_.begun(), 1);
}

TEST_F(TrialDeskTest, OtherBytesAreAnotherTrial) {
  runners_.end("good", "");
  EXPECT_EQ(verdict(webhook("good", "abc")), "");
  EXPECT_EQ(verdict(webhook("good", "def")), "");
  EXPECT_EQ(runners_.begun(), 2);
}

TEST_F(TrialDeskTest, OneThatHangsHoldsUpNoOther) {
  EXPECT_EQ(desk_.of(webhook("hangs")), std::nullopt);
  runners_.end("bad", "it has no address");
  std::optional<std::string> bad;
  while (!(bad = desk_.of(webhook("bad")))) desk_.wait(Duration(1));
  EXPECT_EQ(*bad, "it has no address");
  EXPECT_EQ(desk_.of(webhook("hangs")), std::nullopt);
  runners_.end("hangs", "");
  EXPECT_EQ(verdict(webhook("hangs")), "");
}

TEST_F(TrialDeskTest, WhatFailedIsTriedAgainWhenThatIsForgotten) {
  EXPECT_FALSE(desk_.forget_failures());
  runners_.end("bad", "it has no address");
  EXPECT_EQ(verdict(webhook("bad")), "it has no address");
  EXPECT_EQ(desk_.failed().size(), 1u);
  runners_.end("bad", "");
  EXPECT_EQ(verdict(webhook("bad")), "it has no address");
  EXPECT_TRUE(desk_.forget_failures());
  EXPECT_EQ(verdict(webhook("bad")), "");
}

TEST_F(TrialDeskTest, WhatNobodyAsksForIsForgotten) {
  runners_.end("good", "");
  EXPECT_EQ(verdict(webhook("good")), "");
  desk_.forget_unasked();  // was asked for
  EXPECT_EQ(verdict(webhook("good")), "");
  desk_.forget_unasked();
  desk_.forget_unasked();
  EXPECT_EQ(verdict(webhook("good")), "");
  EXPECT_EQ(runners_.begun(), 2);
}

}  // namespace
}  // namespace davit::live
