#include "host/config/quantity.h"

#include <gtest/gtest.h>

namespace davit::config {
namespace {

TEST(QuantityTest, ReadsDurationsInEveryUnit) {
  EXPECT_EQ(parse_duration("500"), Duration(500));
  EXPECT_EQ(parse_duration("500ms"), Duration(500));
  EXPECT_EQ(parse_duration("30s"), Duration(30'000));
  EXPECT_EQ(parse_duration("5m"), Duration(300'000));
  EXPECT_EQ(parse_duration("2h"), Duration(7'200'000));
  EXPECT_EQ(parse_duration("1d"), Duration(86'400'000));
}

TEST(QuantityTest, RefusesDurationsThatAreNone) {
  for (const char* text : {"", "s", "-5s", "+5s", "5 s", "1.5s", "5S", "5sec", "05s", "1e3",
                           "9223372036854775807d", "99999999999999999999"})
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
}

TEST(QuantityTest, ReadsSizesInEveryUnit) {
  EXPECT_EQ(parse_size("65536"), 65536u);
  EXPECT_EQ(parse_size("64B"), 64u);
  EXPECT_EQ(parse_size("512KiB"), 524288u);
  EXPECT_EQ(parse_size("8MiB"), 8388608u);
  EXPECT_EQ(parse_size("1GiB"), 1073741824u);
  EXPECT_EQ(parse_size("5MB"), 5'000'000u);
}

TEST(QuantityTest, RefusesSizesThatAreNone) {
  for (const char* text : {"", "MiB", "-1", "8mib", "8M", "8 MiB", "0x10", "010", "9999999999999GiB"})
    EXPECT_EQ(parse_size(text), std::nullopt) << text;
}

TEST(QuantityTest, ReadsDecimalIntegersOnly) {
  EXPECT_EQ(parse_integer("0"), 0);
  EXPECT_EQ(parse_integer("-7"), -7);
  for (const char* text :
       {"", "-", "+1", "01", "-01", "1.0", "1e3", "0x1", " 1", "1 ", "9223372036854775808"})
    EXPECT_EQ(parse_integer(text), std::nullopt) << text;
}

TEST(QuantityTest, WritesTheShortestFormThatReadsBack) {
  EXPECT_EQ(to_text(Duration(30'000)), "30s");
  EXPECT_EQ(to_text(Duration(1'500)), "1500ms");
  EXPECT_EQ(to_text(Duration(0)), "0ms");
  EXPECT_EQ(size_to_text(8u << 20), "8MiB");
  EXPECT_EQ(size_to_text(1000), "1000");
}

}  // namespace
}  // namespace davit::config
