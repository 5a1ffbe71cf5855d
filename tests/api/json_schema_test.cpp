// That the check of answers is one that fails.
#include "tests/api/json_schema.h"

#include <gmock/gmock.h>

namespace davit::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kDocument = R"({
  "Base": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string", "format": "uuid"}}},
  "Whole": {"allOf": [{"$ref": "#/Base"}, {"type": "object", "required": ["n"],
    "properties": {"n": {"type": ["integer", "null"], "minimum": 1}, "at": {"type": "string", "format": "date-time"}}}]},
  "Open": {"type": "object", "properties": {"a": {"type": "boolean"}}, "additionalProperties": true},
  "Map": {"type": "object", "additionalProperties": {"type": "number", "maximum": 2}},
  "Either": {"oneOf": [{"$ref": "#/Base"}, {"type": "null"}]},
  "Word": {"type": "string", "enum": ["yes", "no"]},
  "List": {"type": "array", "items": {"$ref": "#/Word"}, "minItems": 1, "maxItems": 3},
  "Constant": {"const": true},
  "Hash": {"type": "string", "pattern": "^[0-9a-f]+$", "minLength": 2, "maxLength": 3},
  "New": {"type": "string", "contentEncoding": "base64"}})";

class JsonSchemaTest : public ::testing::Test {
 protected:
  std::vector<std::string> mistakes(const std::string& schema, const std::string& value) {
    return check.mistakes(*find_member(*document, schema), *parse_json(value));
  }
  Result<JsonDocument> document = parse_json(kDocument);
  SchemaCheck check{*document};
};

constexpr const char* kId = R"("id":"01900d4e-0000-7000-8000-000000000000")";

TEST_F(JsonSchemaTest, WhatFitsHasNoMistakes) {
  EXPECT_THAT(mistakes("Whole", std::string("{") + kId + R"(,"n":1,"at":"2026-01-31T12:00:00.000Z"})"), IsEmpty());
  EXPECT_THAT(mistakes("Whole", std::string("{") + kId + R"(,"n":null})"), IsEmpty());
  EXPECT_THAT(mistakes("Open", R"({"a":true,"b":1})"), IsEmpty());
  EXPECT_THAT(mistakes("Map", R"({"x":1,"y":2.0})"), IsEmpty());
  EXPECT_THAT(mistakes("Either", "null"), IsEmpty());
  EXPECT_THAT(mistakes("List", R"(["yes","no"])"), IsEmpty());
  EXPECT_THAT(mistakes("Hash", R"("a0")"), IsEmpty());
}

TEST_F(JsonSchemaTest, WhatDoesNotFitIsToldWithItsPlace) {
  EXPECT_THAT(mistakes("Base", "{}"), ElementsAre(": lacks id"));
  EXPECT_THAT(mistakes("Base", R"({"id":"x"})"), ElementsAre(R"(/id: "x" is no uuid)"));
  EXPECT_THAT(mistakes("Base", "[]"), ElementsAre(HasSubstr("is wanted")));
  EXPECT_THAT(mistakes("Whole", std::string("{") + kId + R"(,"n":0})"), ElementsAre("/n: 0 is less than 1"));
  EXPECT_THAT(mistakes("Whole", std::string("{") + kId + R"(,"n":1.5})"), ElementsAre(HasSubstr("/n: ")));
  EXPECT_THAT(mistakes("Whole", std::string("{") + kId + R"(,"n":1,"at":"yesterday"})"),
              ElementsAre(HasSubstr("is no date-time")));
  EXPECT_THAT(mistakes("Map", R"({"x":3})"), ElementsAre("/x: 3 is more than 2"));
  EXPECT_THAT(mistakes("Either", "{}"), ElementsAre(HasSubstr(": ")));
  EXPECT_THAT(mistakes("List", R"(["maybe"])"), ElementsAre(HasSubstr(R"(/0: "maybe" is none of)")));
  EXPECT_THAT(mistakes("List", "[]"), ElementsAre(": has too few items"));
  EXPECT_THAT(mistakes("List", R"(["no","no","no","no"])"), ElementsAre(": has too many items"));
  EXPECT_THAT(mistakes("Constant", "false"), ElementsAre(": false is not true"));
  EXPECT_THAT(mistakes("Hash", R"("xyz0")"), ElementsAre(HasSubstr("does not match"), ": is too long"));
  EXPECT_THAT(mistakes("Hash", R"("a")"), ElementsAre(": is too short"));
}

TEST_F(JsonSchemaTest, AMemberThatIsNotDescribedIsAMistakeAlsoInAWholeOfParts) {
  EXPECT_THAT(mistakes("Base", std::string("{") + kId + R"(,"more":1})"),
              ElementsAre(": has a member that is not described: more"));
  EXPECT_THAT(mistakes("Whole", std::string("{") + kId + R"(,"n":1,"more":1})"),
              ElementsAre(": has a member that is not described: more"));
}

TEST_F(JsonSchemaTest, AKeywordThatIsNotCheckedIsAMistake) {
  EXPECT_THAT(mistakes("New", R"("x")"), ElementsAre(": unknown keyword contentEncoding"));
}

TEST_F(JsonSchemaTest, OnlyMembersWithAValueThatFittedCountAsSeen) {
  const JsonValue* whole = find_member(*document, "Whole");
  const JsonValue* number = find_member(*find_member((*find_member(*whole, "allOf"))[1], "properties"), "n");
  mistakes("Whole", std::string("{") + kId + R"(,"n":null})");
  mistakes("Whole", R"({"n":2})");
  EXPECT_FALSE(check.seen().contains(number));
  mistakes("Whole", std::string("{") + kId + R"(,"n":2})");
  EXPECT_TRUE(check.seen().contains(number));
}

}  // namespace
}  // namespace davit::testing
