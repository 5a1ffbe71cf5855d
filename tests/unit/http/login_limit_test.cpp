#include "host/http/login_limit.h"

#include <gtest/gtest.h>

#include <string>

namespace davit::http {
namespace {

using namespace std::chrono_literals;

const MonotonicTime kNow{1h};

std::string address(int number) {
  return "10." + std::to_string(number >> 16) + "." + std::to_string(number >> 8 & 255) + "." +
         std::to_string(number & 255);
}

TEST(AddressBucketsTest, EachAddressHasItsOwnAndAnIPv6NetworkOne) {
  AddressBuckets buckets;
  EXPECT_EQ(buckets.known("10.0.0.1"), nullptr);
  EXPECT_EQ(buckets.of("10.0.0.1", kNow).take(1s, 1, kNow), 0s);
  EXPECT_GT(buckets.of("10.0.0.1", kNow).take(1s, 1, kNow), 0s);
  EXPECT_EQ(buckets.of("10.0.0.2", kNow).take(1s, 1, kNow), 0s);
  EXPECT_EQ(buckets.of("2001:db8::1", kNow).take(1s, 1, kNow), 0s);
  EXPECT_GT(buckets.of("2001:db8::2", kNow).take(1s, 1, kNow), 0s);
  EXPECT_EQ(buckets.of("2001:db8:0:1::1", kNow).take(1s, 1, kNow), 0s);
  EXPECT_NE(buckets.known("10.0.0.1"), nullptr);
}

TEST(AddressBucketsTest, AFloodFromEverNewAddressesTakesNoMoreRoomAndForgetsNoBusyOne) {
  AddressBuckets buckets;
  for (int i = 0; i < 10; ++i) buckets.of("192.0.2.1", kNow).take(6s, 10, kNow);
  for (int i = 0; i < 3 * static_cast<int>(AddressBuckets::kMost); ++i) {
    EXPECT_EQ(buckets.of(address(i), kNow).take(6s, 10, kNow), 0s);
    ASSERT_LE(buckets.size(), AddressBuckets::kMost);
  }
  EXPECT_GT(buckets.of("192.0.2.1", kNow).take(6s, 10, kNow), 0s) << "its guesses are remembered";
}

TEST(AddressBucketsTest, WhoHasWaitedIsForgottenFirst) {
  AddressBuckets buckets;
  for (int i = 0; i < static_cast<int>(AddressBuckets::kMost); ++i) buckets.of(address(i), kNow).take(6s, 10, kNow);
  buckets.of("192.0.2.1", kNow + 1min).take(6s, 10, kNow + 1min);
  EXPECT_EQ(buckets.size(), 1u);
}

TEST(WrongTokenLimitTest, AnAddressIsToldSomeTimesAndThenOnceInSixSeconds) {
  WrongTokenLimit limit;
  for (int i = 0; i < WrongTokenLimit::kBurst; ++i) EXPECT_EQ(limit.take("10.0.0.1", kNow), 0s);
  EXPECT_EQ(limit.take("10.0.0.1", kNow), 6s);
  EXPECT_EQ(limit.take("10.0.0.1", kNow + 2s), 4s) << "asking does not make the wait longer";
  EXPECT_EQ(limit.take("10.0.0.1", kNow + 6s), 0s);
  EXPECT_EQ(limit.take("10.0.0.2", kNow), 0s);
}

}  // namespace
}  // namespace davit::http
