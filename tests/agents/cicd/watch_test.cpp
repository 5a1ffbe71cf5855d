// Waiting for checks, by a clock that stands still until somebody waits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "cicd/watch.h"
#include "davit/failure.hpp"
#include "tests/agents/cicd/check_shapes.h"
#include "tests/agents/github_api/fake_github.h"
#include "tests/agents/github_api/state_folder.h"

namespace {

using namespace cicd;
using namespace cicd_test;
using davit::Failure;
using davit::Status;
using davit::testing::FakeGithub;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Lt;
using testing::SizeIs;

class WatchTest : public testing::Test {
 protected:
  WatchTest() {
    fake_.add_branch("davit/plan-1", kSha);
    pull_ = fake_.add_pull("davit/plan-1", "open");
  }

  Watch watch(seconds settle = seconds(0)) {
    return {api_,
            {.repo = {"acme", "shop"}, .sha = kSha, .pull = pull_},
            {.wait = minutes(30), .poll = seconds(20), .settle = settle},
            {.now = [this] { return now(); },
             .pass =
                 [this](milliseconds time) {
                   fake_.time().sleep(time);
                   pauses_.push_back(std::chrono::floor<seconds>(time).count());
                   if (meanwhile_) meanwhile_(pauses_.size());
                 },
             .tell = [this](const std::string& what) { told_.push_back(what); }}};
  }
  milliseconds now() { return std::chrono::floor<milliseconds>(fake_.time().now().time_since_epoch()); }

  const davit::testing::StateFolder state_;
  FakeGithub fake_;
  int pull_ = 0;
  std::function<void(std::size_t)> meanwhile_;  // with the number of pauses up to now
  std::vector<std::int64_t> pauses_;            // seconds
  std::vector<std::string> told_;
  github::Api api_{{.api = fake_.api(), .token = FakeGithub::kToken, .state_folder = state_.path()},
                   {},
                   {.now = [this] { return fake_.time().now(); },
                    .sleep = [this](milliseconds time) { fake_.time().sleep(time); }}};
};

TEST_F(WatchTest, WaitsForWhatHasNotEndedAndLooksLessOften) {
  fake_.add_check_run(check_run(1, "lint", nullptr));
  meanwhile_ = [&](std::size_t pauses) {
    if (pauses == 5) fake_.add_check_run(check_run(2, "lint", "success"));
  };
  Watch one = watch();
  EXPECT_EQ(one.until_complete(), End::Complete);
  EXPECT_THAT(pauses_, ElementsAre(20, 30, 45, 60, 60));
  EXPECT_THAT(told_[0], HasSubstr("1 of 1 checks have not ended: lint"));
  ASSERT_THAT(one.checks().all, SizeIs(1));
  EXPECT_EQ(one.checks().all[0].state, github::CheckState::Good);
}

TEST_F(WatchTest, WhatIsUnchangedCostsNothing) {
  fake_.add_check_run(check_run(1, "lint", nullptr));
  int counted = 0;
  bool unchanged = false;
  meanwhile_ = [&](std::size_t pauses) {
    if (pauses == 1) counted = fake_.counted();
    if (pauses == 4) unchanged = fake_.counted() == counted;
  };
  EXPECT_EQ(watch().until_complete(), End::OutOfTime);
  EXPECT_TRUE(unchanged);
}

TEST_F(WatchTest, SeesChecksThatComeAfterTheFirstHaveEnded) {
  fake_.add_check_run(check_run(1, "lint", "success"));
  meanwhile_ = [&](std::size_t pauses) {
    if (pauses == 2) fake_.add_check_run(check_run(3, "late", "failure"));
  };
  Watch one = watch(seconds(90));
  EXPECT_EQ(one.until_complete(), End::Complete);
  EXPECT_THAT(one.checks().all, SizeIs(2));
  std::int64_t waited = 0;
  for (const std::int64_t pause : pauses_) waited += pause;
  EXPECT_GE(waited, 20 + 30 + 90) << "from the news on it waits anew";
}

TEST_F(WatchTest, WithoutAnyCheckItIsCompleteWhenNoneCame) {
  Watch one = watch(seconds(90));
  EXPECT_EQ(one.until_complete(), End::Complete);
  EXPECT_THAT(one.checks().all, IsEmpty());
  EXPECT_FALSE(pauses_.empty());
}

TEST_F(WatchTest, AnotherHeadEndsIt) {
  fake_.add_check_run(check_run(1, "lint", nullptr));
  meanwhile_ = [&](std::size_t) { fake_.move_head(pull_, std::string(40, 'b')); };
  EXPECT_EQ(watch().until_complete(), End::Superseded);
}

TEST_F(WatchTest, APullRequestThatIsNotOpenAnyMoreEndsIt) {
  pull_ = fake_.add_pull("davit/plan-1", "merged");
  EXPECT_EQ(watch().until_complete(), End::Closed);
}

TEST_F(WatchTest, EndsWhenItsTimeIsOver) {
  fake_.add_check_run(check_run(1, "lint", nullptr));
  const milliseconds begin = now();
  Watch one = watch();
  EXPECT_EQ(one.until_complete(), End::OutOfTime);
  EXPECT_GE(now() - begin, minutes(30));
  EXPECT_LT(now() - begin, minutes(31));
  EXPECT_EQ(one.until_complete(), End::OutOfTime) << "its time is for all of it";
}

TEST_F(WatchTest, WhatEndedCountsWhenTheTimeIsOverBeforeItSettled) {
  fake_.add_check_run(check_run(1, "lint", "success"));
  EXPECT_EQ(watch(minutes(60)).until_complete(), End::Complete);
}

TEST_F(WatchTest, AFewLooksMayFail) {
  fake_.add_check_run(check_run(1, "lint", "success"));
  // The API asks three times by itself.
  fake_.fail("GET", "/repos/acme/shop/commits", {.status = 502}, 3 * 4);
  EXPECT_EQ(watch().until_complete(), End::Complete);
  EXPECT_THAT(pauses_, SizeIs(4));

  fake_.fail("GET", "/repos/acme/shop/commits", {.status = 502}, 3 * 5);
  try {
    watch().until_complete();
    ADD_FAILURE() << "nothing failed";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.status(), Status::Retryable);
  }
}

TEST_F(WatchTest, AListThatLagsBehindANewAttemptCountsAsWaiting) {
  fake_.add_workflow_run(workflow_run(7, "failure", 1));
  fake_.add_check_run(check_run(1, "test", "failure", 7));
  Watch one = watch();
  ASSERT_EQ(one.until_complete(), End::Complete);
  one.started_again(7, 1);
  meanwhile_ = [&](std::size_t pauses) {
    if (pauses != 2) return;
    fake_.end_reruns("success");
    api_.rerun_failed({"acme", "shop"}, 7, 1);
  };
  EXPECT_EQ(one.until_complete(), End::Complete);
  EXPECT_THAT(pauses_, SizeIs(2));
  EXPECT_FALSE(one.checks().any(github::CheckState::Bad));
}

}  // namespace
