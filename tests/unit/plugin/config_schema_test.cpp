#include "host/plugin/config_schema.h"

#include <gtest/gtest.h>

namespace davit::plugin {
namespace {

Result<ConfigSchema> schema_of(std::string_view json) {
  auto document = parse_json(json);
  EXPECT_TRUE(document.ok()) << json;
  return ConfigSchema::from_json(*document);
}

std::string refusal_of(std::string_view schema) {
  auto read = schema_of(schema);
  EXPECT_FALSE(read.ok()) << schema;
  return read.ok() ? "" : read.error().message;
}

std::string fault_of(std::string_view schema, std::string_view config) {
  auto read = schema_of(schema);
  EXPECT_TRUE(read.ok()) << read.error().message;
  auto checked = read->check(config);
  EXPECT_FALSE(checked.ok()) << config;
  return checked.ok() ? "" : checked.error().message;
}

constexpr std::string_view kSchema =
    R"({"$schema":"http://json-schema.org/draft-04/schema#","title":"x","type":"object","required":["label"],
        "properties":{"label":{"type":"string","minLength":1,"default":"AI-Fix"},
                      "repos":{"type":"array","items":{"$ref":"#/definitions/repo"},"maxItems":2},
                      "limit":{"type":"integer","minimum":1,"maximum":10},
                      "a/b":{"enum":["x","y",3]}},
        "additionalProperties":false,
        "definitions":{"repo":{"type":"string","pattern":"^[a-z]+/[a-z]+$"}}})";

TEST(ConfigSchemaTest, AcceptsAConfigThatFits) {
  auto schema = schema_of(kSchema);
  ASSERT_TRUE(schema.ok()) << schema.error().message;
  EXPECT_TRUE(schema->check(R"({"label":"x"})").ok());
  EXPECT_TRUE(schema->check(R"({"label":"x","repos":["a/b"],"limit":10,"a/b":3})").ok());
}

TEST(ConfigSchemaTest, NamesPlaceKeywordAndMember) {
  EXPECT_NE(fault_of(kSchema, "{}").find("\"label\""), std::string::npos);
  EXPECT_NE(fault_of(kSchema, R"({"label":"x","lable":1})").find("\"/lable\""), std::string::npos);
  std::string fault = fault_of(kSchema, R"({"label":"x","limit":11})");
  EXPECT_NE(fault.find("/limit"), std::string::npos) << fault;
  EXPECT_NE(fault.find("maximum: 10"), std::string::npos) << fault;
  fault = fault_of(kSchema, R"({"label":"x","repos":["a/b","nope"]})");
  EXPECT_NE(fault.find("/repos/1"), std::string::npos) << fault;
  EXPECT_NE(fault.find("pattern"), std::string::npos) << fault;
  EXPECT_NE(fault_of(kSchema, R"({"label":7})").find("type"), std::string::npos);
  EXPECT_NE(fault_of(kSchema, R"({"label":"x","a/b":"z"})").find("/a~1b"), std::string::npos);
}

struct FaultCase {
  const char* name;
  const char* config;
  const char* pointer;
  const char* sentence;
};
void PrintTo(const FaultCase& fault, std::ostream* out) { *out << fault.config; }

class ConfigFaultTest : public ::testing::TestWithParam<FaultCase> {};

constexpr std::string_view kFaultSchema =
    R"({"type":"object","required":["agent"],"additionalProperties":false,
        "properties":{"agent":{"type":"string"},"command":{"type":"array","items":{"type":"string"},"minItems":1},
                      "limit":{"type":["integer","null"],"maximum":10},"on":{"type":"boolean"},
                      "mode":{"enum":["fast","slow",3]},"a/b":{"$ref":"#/definitions/pair"},
                      "closed":{"type":"object","additionalProperties":false}},
        "definitions":{"pair":{"type":"object","required":["x","y"],"properties":{"x":{"type":"number"}}}}})";

TEST_P(ConfigFaultTest, HasAPointerAndASentenceWithARemedy) {
  auto schema = schema_of(kFaultSchema);
  ASSERT_TRUE(schema.ok()) << schema.error().message;
  auto fault = schema->fault(GetParam().config);
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->pointer, GetParam().pointer);
  EXPECT_EQ(fault->sentence, GetParam().sentence);
  EXPECT_EQ(schema->check(GetParam().config).error().message, to_sentence(*fault));
}

INSTANTIATE_TEST_SUITE_P(
    Every, ConfigFaultTest,
    ::testing::Values(
        FaultCase{"UnknownAndNear", R"({"agent":"x","agnet":"y"})", "/agnet",
                  R"(is not known to the plugin; did you mean "agent"?)"},
        FaultCase{
            "UnknownAndFar", R"({"agent":"x","colour":"y"})", "/colour",
            R"(is not known to the plugin; known here: "agent", "command", "limit", "on", "mode", "a/b", "closed")"},
        FaultCase{"UnknownWhereNothingIsKnown", R"({"agent":"x","closed":{"z":1}})", "/closed/z",
                  "is not known to the plugin; remove it"},
        FaultCase{"ListForText", R"({"agent":[1]})", "/agent",
                  "has the wrong type: it is a list; expected text"},
        FaultCase{"NumberInAList", R"({"agent":"x","command":["a",5]})", "/command/1",
                  "has the wrong type: it is a number; expected text, in quotes"},
        FaultCase{"TextForEither", R"({"agent":"x","limit":"5"})", "/limit",
                  "has the wrong type: it is text; expected a whole number or null"},
        FaultCase{"NullForBoolean", R"({"agent":"x","on":null})", "/on",
                  "has the wrong type: it is empty; expected true or false"},
        FaultCase{"OneMissing", "{}", "", R"(lacks the member "agent"; add it)"},
        FaultCase{"SeveralMissing", R"({"agent":"x","a/b":{}})", "/a~1b",
                  R"(lacks the members "x", "y"; add them)"},
        FaultCase{"NoneOfTheValues", R"({"agent":"x","mode":"fats"})", "/mode",
                  R"(is none of the values that the plugin takes; use one of "fast","slow",3)"},
        FaultCase{"TooFew", R"({"agent":"x","command":[]})", "/command",
                  "is not what the plugin's schema asks for; change it to fit (minItems: 1)"},
        FaultCase{"TooLarge", R"({"agent":"x","limit":11})", "/limit",
                  "is not what the plugin's schema asks for; change it to fit (maximum: 10)"},
        FaultCase{"NoObject", "[]", "", "must be an object"}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST(ConfigSchemaTest, WhatFitsHasNoFault) {
  EXPECT_FALSE(schema_of(kFaultSchema)->fault(R"({"agent":"x","a/b":{"x":1,"y":2}})"));
}

TEST(ConfigSchemaTest, AConfigMustBeAnObjectAndJson) {
  EXPECT_NE(fault_of("{}", "[]").find("object"), std::string::npos);
  EXPECT_NE(fault_of("{}", "{").find("malformed"), std::string::npos);
}

TEST(ConfigSchemaTest, KeywordsNobodyWouldCheckAreRefused) {
  for (const char* keyword : {"format", "const", "if", "then", "contains", "propertyNames", "$defs",
                              "minimun", "unevaluatedProperties", "dependentRequired", "contentEncoding"}) {
    std::string schema = std::string("{\"") + keyword + "\":\"x\"}";
    EXPECT_NE(refusal_of(schema).find(keyword), std::string::npos) << keyword;
  }
  EXPECT_NE(
      refusal_of(R"({"properties":{"a":{"items":[{"format":"uri"}]}}})").find("/properties/a/items/0/format"),
      std::string::npos);
}

TEST(ConfigSchemaTest, AnythingMayBeTheNameOfAProperty) {
  auto schema = schema_of(R"({"properties":{"format":{"type":"string"},"patternProperties":{"type":"array"},
      "required":{"type":"boolean"},"$ref":{"type":"string"},"items":{},"enum":{},"not":{},"type":{},"properties":{},
      "pattern":{"type":"string"},"allOf":{},"dependencies":{}}})");
  ASSERT_TRUE(schema.ok()) << schema.error().message;
  EXPECT_TRUE(schema->check(R"({"format":"x","patternProperties":[],"required":true,"$ref":"x"})").ok());
  EXPECT_FALSE(schema->check(R"({"patternProperties":"x"})").ok());
}

TEST(ConfigSchemaTest, ValuesThatWouldBeMisreadOrTakeTheValidatorDownAreRefused) {
  for (const char* schema : {R"--([])--",
                             R"--({"type":"text"})--",
                             R"--({"type":[]})--",
                             R"--({"type":7})--",
                             R"--({"enum":[]})--",
                             R"--({"enum":[{"a":1}]})--",
                             R"--({"minLength":-1})--",
                             R"--({"minLength":"1"})--",
                             R"--({"exclusiveMinimum":5})--",
                             R"--({"exclusiveMinimum":true})--",
                             R"--({"minimum":"1"})--",
                             R"--({"multipleOf":0})--",
                             R"--({"pattern":7})--",
                             R"--({"pattern":"("})--",
                             R"--({"pattern":"(?=a)"})--",
                             R"--({"pattern":"((a{100}){100}){100}"})--",
                             R"--({"allOf":[]})--",
                             R"--({"allOf":{}})--",
                             R"--({"anyOf":[7]})--",
                             R"--({"properties":[]})--",
                             R"--({"properties":{"a":true}})--",
                             R"--({"patternProperties":7})--",
                             R"--({"patternProperties":{"(":{}}})--",
                             R"--({"items":7})--",
                             R"--({"items":[true]})--",
                             R"--({"required":true})--",
                             R"--({"required":[]})--",
                             R"--({"required":[7]})--",
                             R"--({"dependencies":{"patternProperties":["a"]}})--",
                             R"--({"dependencies":{"a":7}})--",
                             R"--({"not":[]})--",
                             R"--({"additionalProperties":"no"})--",
                             R"--({"definitions":7})--",
                             R"--({"type":"string","type":"number"})--"}) {
    refusal_of(schema);
  }
  std::string deep = "{}";
  for (int i = 0; i < 40; ++i) deep = "{\"not\":" + deep + "}";
  EXPECT_NE(refusal_of(deep).find("nested"), std::string::npos);
}

TEST(ConfigSchemaTest, PatternsTheValidatorWouldMisreadOrAssertOnAreRefused) {
  for (std::string pattern :
       {"",       "(",    ")",        "a)", "()", "|a", "a|",  "*",   "a**",   "(*a)", "a{",    "a{}", "a{2",
        "a{2,1}", "a{0}", "a{99999}", "[",  "[]", "[a", "a^b", "a$b", "\\\\d", "\\\\", "(?:a)", "]"}) {
    EXPECT_FALSE(refusal_of("{\"pattern\":\"" + pattern + "\"}").empty()) << pattern;
  }
  for (std::string pattern : {"a", "^a$", "^[a-z][a-z0-9_-]*$", "(a|b)+", "a{2,3}", "a{2,}", "^(x|y)?z$",
                              "[^/]+", "\\\\.so$", "a\\\\$", "caf\xC3\xA9"}) {
    auto schema = schema_of("{\"pattern\":\"" + pattern + "\"}");
    EXPECT_TRUE(schema.ok()) << pattern;
  }
}

// The validator follows each way without a character: without end, or twice as many with each repetition.
TEST(ConfigSchemaTest, WhatMayMatchNothingIsNeitherRepeatedNorTwoAlternatives) {
  for (std::string pattern : {"(a*)*", "(a?)+", "(a{0,50}){1,50}", "(a?){2}", "((a|b?))*", "(a?|b?)",
                              "(a*|b{0,2})c", "(x|(a?b?))?", "^(a?)*$"})
    EXPECT_NE(refusal_of("{\"pattern\":\"" + pattern + "\"}").find("nor may it repeat"), std::string::npos)
        << pattern;
  for (std::string pattern : {"(ab?)*", "(a?b)+", "a?b?c?", "(a?|b)c?", "(a{1,50}){0,20}", "(x(a?b?))?"}) {
    const auto schema = schema_of("{\"properties\":{\"x\":{\"pattern\":\"" + pattern + "\"}}}");
    ASSERT_TRUE(schema.ok()) << pattern;
    (void)schema->check("{\"x\":\"" + std::string(200, 'a') + "\"}");  // comes to an end
  }
}

TEST(ConfigSchemaTest, DependenciesOfNothingSayNothing) {
  const auto schema = schema_of(R"({"dependencies":{}})");
  ASSERT_TRUE(schema.ok());
  EXPECT_TRUE(schema->check(R"({"a":1})").ok());
}

// Whatever a pattern is, reading it ends without an assertion, and what is accepted can be run.
TEST(ConfigSchemaTest, RandomPatternsNeverTakeTheProcessDown) {
  constexpr std::string_view kCharacters = "ab()[]{}|*+?^$.,\\-123";
  std::uint64_t seed = 7;
  auto random = [&] { return seed = seed * 6364136223846793005ull + 1442695040888963407ull, seed >> 33; };
  int accepted = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string pattern;
    for (std::uint64_t length = random() % 10; length > 0; --length) {
      pattern += kCharacters[random() % kCharacters.size()];
    }
    auto schema = schema_of("{\"properties\":{\"x\":{\"pattern\":" + json_quote(pattern) + "}}}");
    if (!schema.ok()) continue;
    ++accepted;
    (void)schema->check(R"({"x":"aab11-("})").ok();
  }
  EXPECT_GT(accepted, 100);
}

TEST(ConfigSchemaTest, ReferencesGoToDefinitionsAndNeverInACircle) {
  EXPECT_NE(refusal_of(R"({"$ref":"http://example.org/x"})").find("$ref"), std::string::npos);
  EXPECT_NE(refusal_of(R"({"$ref":"#"})").find("$ref"), std::string::npos);
  EXPECT_NE(refusal_of(R"({"$ref":"#/definitions/absent"})").find("names no definition"), std::string::npos);
  EXPECT_NE(refusal_of(R"({"definitions":{"a":{"$ref":"#/definitions/a"}}})").find("circle"),
            std::string::npos);
  EXPECT_NE(
      refusal_of(
          R"({"definitions":{"a":{"allOf":[{"$ref":"#/definitions/b"}]},"b":{"not":{"$ref":"#/definitions/a"}}}})")
          .find("circle"),
      std::string::npos);
  EXPECT_NE(
      refusal_of(R"({"definitions":{"a":{}},"properties":{"x":{"$ref":"#/definitions/a","minLength":3}}})")
          .find("beside"),
      std::string::npos);
}

TEST(ConfigSchemaTest, DefinitionsThatMultiplyAreStopped) {
  std::string schema = "{\"definitions\":{\"d0\":{}";
  for (int i = 1; i < 20; ++i) {
    std::string before = "{\"$ref\":\"#/definitions/d" + std::to_string(i - 1) + "\"}";
    schema += ",\"d" + std::to_string(i) + "\":{\"allOf\":[" + before + "," + before + "," + before + "]}";
  }
  EXPECT_NE(
      refusal_of(schema + "},\"properties\":{\"x\":{\"$ref\":\"#/definitions/d19\"}}}").find("too many"),
      std::string::npos);
}

}  // namespace
}  // namespace davit::plugin
