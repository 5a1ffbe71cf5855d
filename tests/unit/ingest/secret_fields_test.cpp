#include "host/ingest/secret_fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace davit::ingest {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::vector<std::string> kNames{"response_url", "token"};
constexpr char kJson[] = "application/json";
constexpr char kForm[] = "application/x-www-form-urlencoded; charset=utf-8";

std::string json(const std::string& body) { return without_secrets(body, kJson, kNames); }
std::string form(const std::string& body) { return without_secrets(body, kForm, kNames); }

TEST(SecretFieldsTest, TakesTheTextsOfNamedMembersOutAtAnyDepthAndLeavesTheRestAsItIs) {
  const std::string kept =
      json(R"( {"a" : "token", "token":"abc", "b":[{"response_url"  :  "https:\/\/x\"y"}],
    "token_type":"t", "n": 7} )");
  EXPECT_THAT(kept, HasSubstr(R"( {"a" : "token", "token":"(removed )"));
  EXPECT_THAT(kept, HasSubstr(R"([{"response_url"  :  "(removed )"));
  EXPECT_THAT(kept, HasSubstr(R"("token_type":"t", "n": 7} )"));
  EXPECT_THAT(kept, Not(HasSubstr("abc")));
  EXPECT_THAT(kept, Not(HasSubstr("https")));
}

TEST(SecretFieldsTest, ValuesThatAreNoTextsGoAsAWhole) {
  for (const std::string value :
       {"4711", "true", "-1.5e3", R"(["4711", {"]": "}"}])", R"({"a": {"b": "4711\"}"}})", "[]", "x4711"}) {
    const std::string before = "[{\"token\" : ", after = ", \"n\": 7}]";
    const std::string kept = json(before + value + after);
    EXPECT_THAT(kept, ::testing::StartsWith(before + "\"(removed "));
    EXPECT_THAT(kept, ::testing::EndsWith(")\"" + after)) << "the rest stays";
    EXPECT_THAT(kept.substr(before.size()), Not(HasSubstr(value)));
  }
  const std::string two = json(R"({"token":[4711],"a":{"token":"4712"},"b":4713})");
  EXPECT_THAT(two, Not(HasSubstr("4711")));
  EXPECT_THAT(two, Not(HasSubstr("4712")));
  EXPECT_THAT(two, HasSubstr("4713"));
  EXPECT_THAT(json(R"({"token":4711)"), Not(HasSubstr("4711"))) << "cut off";
  EXPECT_THAT(json(R"({"token":["4711)"), Not(HasSubstr("4711"))) << "cut off";
  EXPECT_THAT(form("payload=%7B%22token%22%3A%7B%22v%22%3A4711%7D%7D"), Not(HasSubstr("4711")));
}

TEST(SecretFieldsTest, ANameIsKnownHoweverItIsWritten) {
  EXPECT_THAT(json(R"({"tok\u0065n":"abc"})"), Not(HasSubstr("abc")));
  EXPECT_EQ(json(R"({"tok\xen":"abc","\u":"token"})"), R"({"tok\xen":"abc","\u":"token"})")
      << "that is no JSON";
}

TEST(SecretFieldsTest, FormFieldsAndTheJsonWithinThemAreLookedThrough) {
  EXPECT_THAT(form("a=b&token=abc%2F&c=d+e"),
              ::testing::MatchesRegex("a=b&token=%28removed%20.*%29&c=d\\+e"));
  const std::string click =
      form("x=%7E&payload=%7B%22response_url%22%3A%22https%3A%5C%2F%5C%2Fhooks%22%2C%22n%22%3A1%7D");
  EXPECT_THAT(click, HasSubstr("x=%7E&payload=%7B%22response_url%22%3A%22%28removed"));
  EXPECT_THAT(click, HasSubstr("%2C%22n%22%3A1%7D"));
  EXPECT_THAT(click, Not(HasSubstr("hooks")));
  EXPECT_THAT(form("t%6Fken=abc"), Not(HasSubstr("abc"))) << "however it is written";
}

TEST(SecretFieldsTest, EqualSecretsStayEqualAndOthersDifferent) {
  EXPECT_EQ(json(R"({"token":"a"})"), json(R"({"token":"a"})"));
  EXPECT_NE(json(R"({"token":"a"})"), json(R"({"token":"b"})"));
}

TEST(SecretFieldsTest, ABodyWithoutThemKeepsEveryByte) {
  for (const std::string body :
       {"", "{}", "[1,2", "\"token\"", "{\"token\":null}", "{\"token\"", "{\"token\":", "{\"token\":\"",
        "{\"x\":\"\\", "payload=%7B%22a%22%3A%22%2B+%22%7D&b", "\xff\xfe\"token", "token", "&&=&="}) {
    EXPECT_EQ(json(body), body == "{\"token\":\"" ? json(body) : body);
    EXPECT_EQ(form(body), body);
    EXPECT_EQ(without_secrets(body, kJson, {}), body);
  }
  EXPECT_EQ(form("token=&a=b"), "token=&a=b") << "nothing is no secret";
}

TEST(SecretFieldsTest, TextsThatNeverEndAreTakenOutToTheEnd) {
  EXPECT_THAT(json(R"({"token":"abc)"), Not(HasSubstr("abc")));
  EXPECT_THAT(json(R"({"token":"abc\)"), Not(HasSubstr("abc")));
}

}  // namespace
}  // namespace davit::ingest
