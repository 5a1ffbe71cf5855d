#include "host/base/json.h"

#include <gtest/gtest.h>

namespace davit {
namespace {

std::string nested(int depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(JsonTest, ReadsADocument) {
  auto document = parse_json(R"({"a":[1,2.5,"x"],"b":{"c":null}})");
  ASSERT_TRUE(document.ok());
  EXPECT_EQ(to_json(*document), R"({"a":[1,2.5,"x"],"b":{"c":null}})");
}

TEST(JsonTest, SkipsALeadingByteOrderMark) {
  EXPECT_TRUE(check_json("\xEF\xBB\xBF{}").ok());
  for (const char* bad :
       {"\xEF\xBB\xBF\xEF\xBB\xBF{}", "\xEF{}", "\xEF\xBB{}", "\xEF\xBB\xBF\xEF{}", "\xEF\xBB\xBF"}) {
    EXPECT_FALSE(check_json(bad).ok());
  }
}

TEST(JsonTest, RefusesWhatIsNotOneWellFormedValue) {
  for (const char* bad : {"", " ", "{", "{}{}", "[1,]", "nul", "NaN", "{\"a\":1e999}", "\"\xC0\xAF\"",
                          "\"\xED\xA0\x80\"", "\"\\ud800\"", "{'a':1}"}) {
    auto checked = check_json(bad);
    ASSERT_FALSE(checked.ok()) << bad;
    EXPECT_EQ(checked.error().code, ErrorCode::InvalidInput) << bad;
    EXPECT_FALSE(parse_json(bad).ok()) << bad;
  }
}

TEST(JsonTest, RefusesALoneSurrogateWhereverItStands) {
  for (const char* bad :
       {R"("\udc00")", R"(["\ud83e\udd8a","\uDFFF"])", R"({"\udc00":1})", R"("\ud800\ud800")"}) {
    auto checked = check_json(bad);
    ASSERT_FALSE(checked.ok()) << bad;
    EXPECT_EQ(checked.error().code, ErrorCode::InvalidInput) << bad;
    EXPECT_FALSE(parse_json(bad).ok()) << bad;
  }
  EXPECT_NE(check_json(R"("\udc00")").error().message.find("lone surrogate"), std::string::npos);
  EXPECT_TRUE(check_json(R"({"\ud83e\udd8a":"\\udc00 is no escape"})").ok());
}

TEST(JsonTest, ReadsNumbersAsTheyAreWritten) {
  struct Case {
    const char* text;
    double number;
  };
  for (const Case& good :
       {Case{"0e200", 0}, Case{"0e308", 0}, Case{"-0.000e300", 0}, Case{"1e-400", 0}, Case{"0.1", 0.1},
        Case{"1.7976931348623157e308", 1.7976931348623157e308}, Case{"5e-324", 5e-324},
        Case{"123456789012345678901", 123456789012345678901.0}, Case{"-7", -7}, Case{"2.5E+3", 2500}}) {
    auto document = parse_json(good.text);
    ASSERT_TRUE(document.ok()) << good.text;
    EXPECT_EQ(document->GetDouble(), good.number) << good.text;
  }
  EXPECT_TRUE(parse_json("2147483647")->IsInt());
  EXPECT_TRUE(parse_json("-9223372036854775808")->IsInt64());
  EXPECT_TRUE(parse_json("18446744073709551615")->IsUint64());
  EXPECT_TRUE(parse_json("18446744073709551616")->IsDouble());
  for (const char* bad : {"1e309", "-1e999", "1.7976931348623159e308"})
    EXPECT_FALSE(check_json(bad).ok()) << bad;
}

// As plugins that are built with the SDK read it: SdkJsonTest has the same name.
TEST(JsonTest, OfAMemberThatIsThereTwiceTheFirstCounts) {
  auto document = parse_json(R"({"a":"first","a":"second"})");
  ASSERT_TRUE(document.ok());
  EXPECT_EQ(string_member(*document, "a"), "first");
}

TEST(JsonTest, RefusesBytesBehindANul) {
  EXPECT_FALSE(check_json(std::string_view("{}\0{}", 5)).ok());
  EXPECT_FALSE(check_json(std::string_view("{}\0", 3)).ok());
}

TEST(JsonTest, AcceptsTheDepthLimitAndRefusesOneMore) {
  EXPECT_TRUE(check_json(nested(64)).ok());
  auto refused = check_json(nested(65));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message, "JSON is nested deeper than 64 levels");
  EXPECT_FALSE(parse_json(nested(1'000'000)).ok());
}

TEST(JsonTest, RefusesMoreValuesThanTheLimit) {
  JsonLimits limits;
  limits.max_values = 4;
  EXPECT_TRUE(check_json("[1,2,3]", limits).ok());
  EXPECT_EQ(check_json("[1,2,3,4]", limits).error().code, ErrorCode::TooLarge);
}

TEST(JsonTest, RefusesMoreBytesThanTheLimit) {
  JsonLimits limits;
  limits.max_bytes = 4;
  EXPECT_EQ(check_json("[1,2]", limits).error().code, ErrorCode::TooLarge);
}

TEST(JsonTest, ReadsMembersWithFallbacks) {
  auto document = parse_json(R"({"s":"x","n":7,"d":0.5,"b":true,"a":["p",1,"q"]})");
  ASSERT_TRUE(document.ok());
  EXPECT_EQ(string_member(*document, "s"), "x");
  EXPECT_EQ(string_member(*document, "n", "none"), "none");
  EXPECT_EQ(int_member(*document, "n"), 7);
  EXPECT_EQ(int_member(*document, "missing", -1), -1);
  EXPECT_EQ(number_member(*document, "d"), 0.5);
  EXPECT_TRUE(bool_member(*document, "b"));
  EXPECT_EQ(strings_member(*document, "a"), (std::vector<std::string>{"p", "q"}));
  EXPECT_EQ(text_member(*document, "a"), R"(["p",1,"q"])");
}

TEST(JsonTest, EscapesEveryControlByteWhereverItStands) {
  for (int byte = 0; byte < 0x20; ++byte) {
    for (std::size_t offset = 0; offset <= 40; ++offset) {
      std::string text = std::string(offset, 'a') + static_cast<char>(byte) + std::string(40, 'b');
      std::string json = json_quote(text);
      auto back = parse_json(json);
      ASSERT_TRUE(back.ok()) << "byte " << byte << " at " << offset << ": " << json;
      EXPECT_EQ(std::string(back->GetString(), back->GetStringLength()), text);
      for (char c : json)
        ASSERT_GE(static_cast<unsigned char>(c), 0x20) << "byte " << byte << " at " << offset;
      // And unescaped it is refused.
      EXPECT_FALSE(check_json("\"" + text + "\"").ok()) << "byte " << byte << " at " << offset;
    }
  }
}

TEST(JsonTest, WritesBytesThatAreNoTextAsReplacementCharacters) {
  EXPECT_EQ(json_quote("a\xFF\xFE"), "\"a\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

TEST(JsonTest, KnowsWellFormedUtf8) {
  EXPECT_TRUE(is_utf8("plain"));
  EXPECT_TRUE(is_utf8("\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80"));
  for (const char* bad : {"\xC0\xAF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xF0\x9F\x98",
                          "\x80", "\xC3", "\xFF", "a\xE2\x82"}) {
    EXPECT_FALSE(is_utf8(bad)) << ::testing::PrintToString(bad);
  }
}

}  // namespace
}  // namespace davit
