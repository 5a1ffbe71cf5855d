#include "tests/faults/lane.h"

#include <gtest/gtest.h>

namespace davit::faults {
namespace {

TEST(LuckTest, TheSameSeedGivesTheSameNumbers) {
  Luck one(7), two(7), other(8);
  bool differs = false;
  for (int draw = 0; draw < 20; ++draw) {
    const int number = one.between(0, 1'000'000);
    EXPECT_EQ(number, two.between(0, 1'000'000));
    differs = differs || number != other.between(0, 1'000'000);
  }
  EXPECT_TRUE(differs);
}

TEST(LuckTest, StaysWithinBothEnds) {
  Luck luck(1);
  for (int draw = 0; draw < 1'000; ++draw) {
    const int number = luck.between(20, 22);
    EXPECT_GE(number, 20);
    EXPECT_LE(number, 22);
  }
}

}  // namespace
}  // namespace davit::faults
