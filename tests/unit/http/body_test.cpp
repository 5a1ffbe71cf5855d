// What bodies of requests are taken for, and what is named in those that are refused.
#include "host/http/body.h"

#include <gmock/gmock.h>

namespace davit::http {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<std::string> fields_of(const std::vector<FieldError>& errors) {
  std::vector<std::string> fields;
  for (const FieldError& error : errors) fields.push_back(error.field);
  return fields;
}

Result<JsonDocument> body_of(const std::string& text) {
  Request request;
  request.body = text;
  return body_object(request);
}

// What is wrong with a text of at most 8 characters.
std::string mistake_in(const std::string& json, Text kind) {
  const JsonDocument value = parse_json(json).value();
  std::vector<FieldError> errors;
  std::string text = "as it was";
  read_text("title", value, 8, kind, text, errors);
  EXPECT_EQ(errors.empty(), text != "as it was") << json;
  return errors.empty() ? "" : errors.front().field + ": " + errors.front().message;
}

TEST(BodyTest, IsAnObjectOrNothing) {
  EXPECT_EQ(body_of("").value().MemberCount(), 0u);
  EXPECT_EQ(body_of("{\"a\":1}").value().MemberCount(), 1u);
  for (const char* other : {"[]", "1", "null", "\"{}\"", "{", "{} {}", "\xff"})
    EXPECT_EQ(body_of(other).error().code, ErrorCode::InvalidInput) << other;
}

TEST(BodyTest, AMemberThatIsUnknownOrGivenTwiceIsNamed) {
  const JsonDocument body = body_of(R"({"a":1,"b":2,"a":3,"\u0000":4})").value();
  std::vector<FieldError> errors;
  std::vector<std::string> read;
  read_members(body, "a test", errors, [&](const std::string& name, const JsonValue&) {
    read.push_back(name);
    return name == "a";
  });
  EXPECT_THAT(read, ElementsAre("a", "b", std::string(1, '\0')));
  EXPECT_THAT(fields_of(errors), ElementsAre("b", "a", std::string(1, '\0')));
  EXPECT_EQ(errors[0].message, "is not a member of a test");
  EXPECT_EQ(errors[1].message, "is given more than once");
}

TEST(BodyTest, HoweverManyMembersAreWrongAFewAreToldOf) {
  std::string text = "{";
  for (int i = 0; i < 10'000; ++i) text += "\"" + std::string(100, 'x') + std::to_string(i) + "\":0,";
  const JsonDocument body = body_of(text + "\"last\":0}").value();
  std::vector<FieldError> errors;
  read_members(body, "a test", errors, [](const std::string&, const JsonValue&) { return false; });
  EXPECT_THAT(errors, SizeIs(32));
  EXPECT_EQ(errors.front().field.size(), 64u);
  errors.clear();
  query_from(body, "filter.", {}, errors);
  EXPECT_THAT(errors, SizeIs(32));
}

TEST(BodyTest, ATextHasNoControlCharactersAndOneOfSeveralLinesHasItsBreaks) {
  for (const char* good : {R"("")", R"("plain")", R"("\u00e9\u202e")", R"("\ud83d\ude00")",
                           R"("\u00a0\u00c2\u8a9e\u8a9e\u8a9e\u8a9e")"}) {
    EXPECT_EQ(mistake_in(good, Text::OneLine), "") << good;
    EXPECT_EQ(mistake_in(good, Text::Lines), "") << good;
  }
  for (const char* broken : {R"("a\nb")", R"("a\tb")", R"("a\r\nb")"}) {
    EXPECT_EQ(mistake_in(broken, Text::OneLine), "title: must be one line without control characters")
        << broken;
    EXPECT_EQ(mistake_in(broken, Text::Lines), "") << broken;
  }
  for (const char* bad :
       {R"("\u0000")", R"("a\u0000b")", R"("\u001b[1m")", R"("\u0008")", R"("\u001f")", R"("\u007f")", R"("\u0080")",
        R"("a\u009b1m")"}) {
    EXPECT_THAT(mistake_in(bad, Text::OneLine), HasSubstr("title: must be one line")) << bad;
    EXPECT_THAT(mistake_in(bad, Text::Lines), HasSubstr("title: must have no control characters")) << bad;
  }
  for (const char* other : {"1", "null", "{}", "[\"a\"]", "\"nine bytes\""})
    EXPECT_EQ(mistake_in(other, Text::OneLine), "title: must be a text of at most 8 characters") << other;
}

TEST(BodyTest, AFilterIsReadAsTheParametersOfAList) {
  std::vector<FieldError> errors;
  const JsonDocument good = body_of(R"({"agent":"a","status":["failed","parked"]})").value();
  const Query query = query_from(good, "filter.", {"status"}, errors);
  EXPECT_THAT(errors, IsEmpty());
  EXPECT_EQ(query.text("agent"), "a");
  EXPECT_THAT(query.texts("status"), ElementsAre("failed", "parked"));

  const JsonDocument bad = body_of(R"({"agent":["a"],"source":"","q":1,"status":[],"link":null})").value();
  query_from(bad, "filter.", {"status"}, errors);
  EXPECT_THAT(fields_of(errors),
              ElementsAre("filter.agent", "filter.source", "filter.q", "filter.status", "filter.link"));

  errors.clear();
  std::string many = R"({"status":["failed")";
  for (int i = 0; i < 100; ++i) many += R"(,"failed")";
  query_from(body_of(many + "]}").value(), "filter.", {"status"}, errors);
  EXPECT_THAT(fields_of(errors), ElementsAre("filter.status"));
}

}  // namespace
}  // namespace davit::http
