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

TEST(LuckTest, ASeedThatIsNoNumberIsRefused) {
  EXPECT_EQ(Luck::parsed_seed("0"), 0u);
  EXPECT_EQ(Luck::parsed_seed("18446744073709551615"), 18446744073709551615u);
  for (const char* wrong : {"", "abc", "12a", " 1", "-1", "+1", "--long", "18446744073709551616"})
    EXPECT_THROW(Luck::parsed_seed(wrong), std::invalid_argument) << wrong;
}

}  // namespace
}  // namespace davit::faults
