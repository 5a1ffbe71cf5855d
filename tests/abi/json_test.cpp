#include "davit/json.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <utility>

namespace {

using davit::Failure;
using davit::Json;
using davit::JsonView;

std::string failure_of(std::string_view text) {
  try {
    return Json::parse(text).dump();
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.status(), davit::Status::InvalidInput);
    return failure.what();
  }
}

TEST(SdkJsonTest, ReadsChainsAndGivesTheFallbackForWhatIsAbsent) {
  const Json json =
      Json::parse(R"({"issue": {"title": "Broken", "number": 7, "labels": ["a", "b"], "open": true}})");
  EXPECT_EQ(json["issue"]["title"].string_or(""), "Broken");
  EXPECT_EQ(json["issue"]["number"].int_or(0), 7);
  EXPECT_EQ(json["issue"]["labels"][1].string_or(""), "b");
  EXPECT_TRUE(json["issue"]["open"].bool_or(false));
  EXPECT_TRUE(json["issue"]["labels"].contains("a"));
  EXPECT_FALSE(json["issue"]["labels"].contains("c"));
  EXPECT_EQ(json["no"]["such"][3]["thing"].string_or("nothing"), "nothing");
  EXPECT_EQ(json["issue"]["title"]["deeper"].int_or(-1), -1);
  EXPECT_EQ(json["issue"]["labels"][-1].string_or("none"), "none");
  EXPECT_EQ(json["issue"]["number"].string_or("not text"), "not text");
}

TEST(SdkJsonTest, EscapesEveryControlByteWhereverItStands) {
  for (int byte = 0; byte < 0x20; ++byte) {
    for (std::size_t offset = 0; offset <= 40; ++offset) {
      const std::string text = std::string(offset, 'a') + static_cast<char>(byte) + std::string(40, 'b');
      const std::string json = Json::object({{"text", text}}).dump();
      for (char c : json)
        ASSERT_GE(static_cast<unsigned char>(c), 0x20) << "byte " << byte << " at " << offset;
      const Json back = Json::parse(json);
      ASSERT_EQ(back["text"].string_or(""), text) << "byte " << byte << " at " << offset;
    }
  }
}

TEST(SdkJsonTest, OfAMemberThatIsThereTwiceTheFirstCounts) {
  const Json json = Json::parse(R"({"a":"first","a":"second"})");
  EXPECT_EQ(json["a"].string_or(""), "first");
  EXPECT_EQ(json.at_pointer("/a").string_or(""), "first");
}

TEST(SdkJsonTest, FollowsJsonPointers) {
  const Json json = Json::parse(R"({"a": [{"b/c": 1, "d~e": 2}], "": 3})");
  EXPECT_EQ(json.at_pointer("/a/0/b~1c").int_or(0), 1);
  EXPECT_EQ(json.at_pointer("/a/0/d~0e").int_or(0), 2);
  EXPECT_EQ(json.at_pointer("/").int_or(0), 3);
  EXPECT_TRUE(json.at_pointer("").is_object());
  for (const char* nowhere : {"/a/1", "/a/00", "/a/-", "a", "/x/y"})
    EXPECT_TRUE(json.at_pointer(nowhere).is_null());
}

TEST(SdkJsonTest, IteratesArraysAndMembersAndNothingElse) {
  const Json json = Json::parse(R"({"list": [1, 2, 3], "map": {"x": 1, "y": 2}, "text": "t"})");
  std::int64_t sum = 0;
  for (JsonView element : json["list"]) sum += element.int_or(0);
  EXPECT_EQ(sum, 6);
  std::string names;
  for (auto [name, value] : json["map"].members()) names += name;
  EXPECT_EQ(names, "xy");
  for (JsonView element : json["text"]) ADD_FAILURE() << element.dump();
  for (auto member : json["list"].members()) ADD_FAILURE() << member.name;
}

TEST(SdkJsonTest, BuildsDocuments) {
  const Json other = Json::parse(R"({"in": {"a": "text that is long enough to lie in the other document"}})");
  Json json = Json::object({{"a", 1},
                            {"b", Json::array({"x", 2.5, true, nullptr, Json::array({})})},
                            {"c", other["in"]},
                            {"d", std::string("text")}});
  json["e"] = 5;
  json["e"] = "six";
  json["f"] = json["a"];
  json.set("g", Json::object({}));
  json.erase("d");
  EXPECT_EQ(
      json.dump(),
      R"({"a":1,"b":["x",2.5,true,null,[]],"c":{"a":"text that is long enough to lie in the other document"},)"
      R"("e":"six","f":1,"g":{}})");
}

TEST(SdkJsonTest, ReadingAMemberThatIsAbsentDoesNotMakeIt) {
  Json json = Json::object({{"a", 1}});
  EXPECT_EQ(json["b"].int_or(9), 9);
  EXPECT_EQ(json["b"]["c"].int_or(9), 9);
  EXPECT_EQ(json.dump(), R"({"a":1})");
}

TEST(SdkJsonTest, OwnsWhatWasPutIn) {
  Json outer;
  {
    std::string name = "a name that is built at run time";
    Json inner = Json::parse(R"(["a text that is longer than a short string"])");
    outer.set(name, std::move(inner));
    outer.set("copy", Json(outer[name]));
  }
  EXPECT_EQ(outer.at_pointer("/copy/0").string_or(""), "a text that is longer than a short string");
  const Json copy = outer;
  outer = Json(3);
  EXPECT_EQ(copy.at_pointer("/a name that is built at run time/0").string_or(""),
            "a text that is longer than a short string");
}

TEST(SdkJsonTest, KeepsNumbersExactly) {
  for (const char* text : {"0", "-1", "9223372036854775807", "-9223372036854775808", "18446744073709551615",
                           "0.1", "1e300", "123456789.123"}) {
    const std::string dumped = Json::parse(text).dump();
    EXPECT_EQ(Json::parse(dumped).number_or(0), Json::parse(text).number_or(1)) << text;
  }
  EXPECT_EQ(Json::parse("9223372036854775807").int_or(0), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(Json::parse("18446744073709551615").int_or(-1), -1);
  EXPECT_EQ(Json::parse(R"({"a":[0e200,-0.0e250,1e-400],"b":7})").dump(), R"({"a":[0.0,-0.0,0.0],"b":7})");
  EXPECT_EQ(Json::parse("1.7976931348623157e308").number_or(0), std::numeric_limits<double>::max());
  EXPECT_EQ(failure_of("1.7976931348623159e308"), "JSON, byte 0: a number that is too large");
  EXPECT_EQ(Json(std::numeric_limits<double>::infinity()).dump(), "null");
}

TEST(SdkJsonTest, RefusesWhatIsNotOneJsonDocument) {
  for (std::string_view bad : {std::string_view(""), std::string_view("{"), std::string_view("[1,]"),
                               std::string_view("1 2"), std::string_view("nul"), std::string_view("'a'"),
                               std::string_view("{}\0", 3), std::string_view("\"\0\"", 3)}) {
    EXPECT_TRUE(failure_of(bad).starts_with("JSON, byte ")) << bad << ": " << failure_of(bad);
  }
  EXPECT_EQ(failure_of("[1, x]").substr(0, 12), "JSON, byte 4");
}

TEST(SdkJsonTest, RefusesWhatIsNotUtf8) {
  for (const char* bad :
       {"\"\xff\"", "\"\xc0\xaf\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xe2\x82\"", R"("\ud800")",
        R"("\udc00")", R"("\uDC00 \ud83d\ude00")", R"({"\udfff": 1})"}) {
    EXPECT_TRUE(failure_of(bad).starts_with("JSON, byte ")) << bad;
  }
  EXPECT_EQ(Json::parse(R"("\ud83d\ude00")").dump(), "\"😀\"");
  EXPECT_EQ(Json::parse("\xEF\xBB\xBF[\"♥\"]").dump(), "[\"♥\"]");
}

TEST(SdkJsonTest, TakesSixtyFourLevelsAndNoMore) {
  EXPECT_NO_THROW(Json::parse(std::string(64, '[') + std::string(64, ']')));
  EXPECT_EQ(failure_of(std::string(65, '[') + std::string(65, ']')),
            "JSON, byte 64: nested deeper than 64 levels");
  EXPECT_TRUE(failure_of(std::string(10'000'000, '[')).starts_with("JSON, byte 64"));
}

TEST(SdkJsonTest, TakesAsManyValuesAsTheHostAndNoMore) {
  const auto zeros = [](std::size_t count) {
    std::string text = "[0";
    for (std::size_t i = 1; i < count; ++i) text += ",0";
    return text + "]";
  };
  EXPECT_NO_THROW(Json::parse(zeros(davit::kJsonMaxValues - 1))) << "and the list itself";
  EXPECT_NE(failure_of(zeros(davit::kJsonMaxValues)).find("more than 200000 values"), std::string::npos);
}

TEST(SdkJsonTest, WritesUtf8WhateverItWasGiven) {
  EXPECT_EQ(Json("a\xff\xc3").dump(), "\"a\xEF\xBF\xBD\xEF\xBF\xBD\"");
  EXPECT_EQ(Json("\x01\"\\").dump(), R"("\u0001\"\\")");
}

TEST(SdkJsonTest, SaysWhichRequiredMemberIsMissing) {
  const Json json = Json::parse(R"({"a": "text"})");
  EXPECT_EQ(json["a"].require_string("a"), "text");
  try {
    json["issue"]["key"].require_string("issue.key");
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_STREQ(failure.what(), "issue.key is missing or not a string");
  }
}

}  // namespace
