#include "host/base/token_bucket.h"

#include <gtest/gtest.h>

namespace davit {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

const MonotonicTime kBegin = MonotonicTime(std::chrono::hours(1000));

TEST(TokenBucketTest, GivesItsBurstAtOnceAndThenSoManyPerSecond) {
  TokenBucket bucket;
  const Rate rate{10, 5};
  for (int i = 0; i < 5; ++i) EXPECT_EQ(bucket.take(rate, kBegin).count(), 0) << i;
  EXPECT_EQ(bucket.take(rate, kBegin), nanoseconds(milliseconds(100)));
  EXPECT_EQ(bucket.take(rate, kBegin), nanoseconds(milliseconds(100))) << "a refusal takes nothing";
  EXPECT_EQ(bucket.take(rate, kBegin + milliseconds(99)), nanoseconds(milliseconds(1)));
  EXPECT_EQ(bucket.take(rate, kBegin + milliseconds(100)).count(), 0);
  EXPECT_GT(bucket.take(rate, kBegin + milliseconds(100)).count(), 0);
}

TEST(TokenBucketTest, ARestFillsItUpToItsBurstAndNoFurther) {
  TokenBucket bucket;
  const Rate rate{1000, 3};
  for (int i = 0; i < 3; ++i) EXPECT_EQ(bucket.take(rate, kBegin).count(), 0);
  const MonotonicTime later = kBegin + std::chrono::hours(1);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(bucket.take(rate, later).count(), 0);
  EXPECT_GT(bucket.take(rate, later).count(), 0);
}

TEST(TokenBucketTest, WithoutARateThereIsNoLimit) {
  TokenBucket bucket;
  for (int i = 0; i < 10'000; ++i) ASSERT_EQ(bucket.take({0, 1}, kBegin).count(), 0);
}

TEST(TokenBucketTest, AChangedRateHoldsFromTheNextTakeOn) {
  TokenBucket bucket;
  EXPECT_EQ(bucket.take({1, 1}, kBegin).count(), 0);
  EXPECT_EQ(bucket.take({1, 1}, kBegin), nanoseconds(std::chrono::seconds(1)));
  EXPECT_EQ(bucket.take({1000, 5000}, kBegin).count(), 0);
}

}  // namespace
}  // namespace davit
