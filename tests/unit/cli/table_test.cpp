#include "host/cli/table.h"

#include <gtest/gtest.h>

#include <sstream>

namespace davit::cli {
namespace {

std::string printed(const Table& table, int width) {
  std::ostringstream out;
  table.print(out, width);
  return out.str();
}

TEST(TableTest, AlignsColumnsAndPadsNothingAtTheEndOfALine) {
  Table table({{"NAME"}, {"N", Align::Right}, {"TEXT"}});
  table.add({"a", "1", "x"});
  table.add({"long name", "100", ""});
  EXPECT_EQ(printed(table, 100),
            "NAME         N  TEXT\n"
            "a            1  x\n"
            "long name  100  -\n");
}

TEST(TableTest, CutsTheWidestColumnThatMayShrinkWithAnEllipsis) {
  Table table({{"ID"}, {"TITLE", Align::Left, true}, {"N"}});
  table.add({"0123456789", std::string(200, 't'), "1"});
  const std::string text = printed(table, 40);
  EXPECT_EQ(text,
            "ID          TITLE                      N\n"
            "0123456789  " +
                std::string(24, 't') + "…  1\n");
}

TEST(TableTest, CutsBetweenCharactersNotInsideThem) {
  Table table({{"TITLE", Align::Left, true}});
  std::string umlauts;
  for (int i = 0; i < 40; ++i) umlauts += "ü";
  table.add({umlauts});
  const std::string text = printed(table, 20);
  EXPECT_TRUE(is_utf8(text));
  EXPECT_NE(text.find("ü…\n"), std::string::npos);
}

TEST(TableTest, ValuesCannotTakeTheTerminalOver) {
  Table table({{"TITLE"}});
  table.add({"a\x1b[2J\nfake line\r\u202egnp.exe\x07"});
  EXPECT_EQ(printed(table, 100), "TITLE\na\\x1b[2J\\nfake line\\r\\u202egnp.exe\\x07\n");
}

TEST(PrintableTest, EscapesWhatMovesHidesOrTurnsText) {
  EXPECT_EQ(printable("plain ü 日本 🙂"), "plain ü 日本 🙂");
  EXPECT_EQ(printable(std::string_view("a\0b\x7f", 4)), "a\\x00b\\x7f");
  EXPECT_EQ(printable("\u009b31m"), "\\x9b31m");
  EXPECT_EQ(printable("a\u200bb\u2066c\ufeff"), "a\\u200bb\\u2066c\\ufeff");
  EXPECT_EQ(printable("\xff\xc3"), "\\xff\\xc3");
  EXPECT_EQ(printable("a\n\tb", Lines::Keep), "a\n\tb");
  EXPECT_EQ(printable("a\n\x1b", Lines::Keep), "a\n\\x1b");
}

TEST(TextTest, SaysAgesInTheirLargestUnit) {
  const WallTime now = *parse_iso8601("2026-01-10T00:00:00Z");
  EXPECT_EQ(age("2026-01-09T23:59:30Z", now), "30s");
  EXPECT_EQ(age("2026-01-09T23:00:01Z", now), "59m");
  EXPECT_EQ(age("2026-01-09T00:00:00Z", now), "24h");
  EXPECT_EQ(age("2026-01-01T00:00:00Z", now), "9d");
  EXPECT_EQ(age("2027-01-01T00:00:00Z", now), "0s");
  EXPECT_EQ(age("yesterday", now), "-");
}

TEST(TextTest, SaysDurationsMoneyAndCounts) {
  const auto parsed =
      parse_json(R"({"short":0.1234,"long":185.4,"longest":7260,"none":null,"cost":0.0123,"much":12.5})");
  const JsonValue& json = *parsed;
  EXPECT_EQ(seconds_text(find_member(json, "short")), "0.12s");
  EXPECT_EQ(seconds_text(find_member(json, "long")), "3m 05s");
  EXPECT_EQ(seconds_text(find_member(json, "longest")), "2h 01m");
  EXPECT_EQ(seconds_text(find_member(json, "none")), "-");
  EXPECT_EQ(dollars_text(json, "cost"), "$0.0123");
  EXPECT_EQ(dollars_text(json, "much"), "$12.50");
  EXPECT_EQ(dollars_text(json, "absent"), "-");
  EXPECT_EQ(count_text(1234567), "1,234,567");
  EXPECT_EQ(count_text(-999), "-999");
}

TEST(TextTest, IndentsJson) {
  const auto parsed = parse_json(R"({"a":[1,{"b":"x"}],"c":{},"d":[]})");
  EXPECT_EQ(indented(*parsed),
            "{\n"
            "  \"a\": [\n"
            "    1,\n"
            "    {\n"
            "      \"b\": \"x\"\n"
            "    }\n"
            "  ],\n"
            "  \"c\": {},\n"
            "  \"d\": []\n"
            "}");
}

}  // namespace
}  // namespace davit::cli
