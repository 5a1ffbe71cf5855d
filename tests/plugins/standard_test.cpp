// The standard webhook: what its rules can say, what of a configuration it refuses, and bodies nobody sends
// on purpose. Whole deliveries are under its testdata.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/plugins/mutants.h"
#include "tests/plugins/testdata.h"

namespace {

using namespace davit::testing;
using davit::Json;
using davit::JsonView;
using davit::Status;
using testing::HasSubstr;
using testing::StartsWith;

class StandardWebhookTest : public testing::Test {
 protected:
  Outcome deliver(const std::string& body, const std::string& config, std::uint32_t index = 0) {
    host_.config = config;
    host_.instance_name = "acme";
    RequestBuilder request(body);
    request.header("Content-Type", "application/json");
    return WebhookDriver(testdata::plugin("standard").webhooks(), index, host_).deliver(request);
  }
  std::string reason(const Outcome& outcome) {
    if (outcome.status == Status::Ok) {
      const Json answer = Json::parse(outcome.output);
      return "(queued) " + std::string(answer.at_pointer("/response/message").string_or(""));
    }
    return outcome.status == Status::Ignored ? outcome.output : "error: " + outcome.error;
  }
  // Does a rule with this one condition apply to the body?
  bool applies(const std::string& condition, const std::string& body) {
    return deliver(body, R"({"rules": [{"events": ["*"], "when": [)" + condition + "]}]}").status ==
           Status::Ok;
  }
  Json answer(const std::string& body, const std::string& members) {
    const Outcome outcome = deliver(body, R"({"rules": [{"events": ["*"]}], )" + members + "}");
    EXPECT_EQ(outcome.status, Status::Ok) << reason(outcome);
    return outcome.status == Status::Ok ? Json::parse(outcome.output) : Json::object();
  }
  std::string refusal(const std::string& config) {
    try {
      return "(taken) " + reason(deliver("{}", config));
    } catch (const davit::Failure& failure) {
      EXPECT_EQ(failure.status(), Status::InvalidInput);
      return failure.what();
    }
  }

  FakeHost host_;
};

TEST_F(StandardWebhookTest, DeclaresTheSpecificationsSchemeUnderBothFamiliesOfHeaders) {
  for (const auto& [index, name, header] :
       {std::tuple(0u, "standard", "webhook"), std::tuple(1u, "svix", "svix")}) {
    const Json metadata =
        Json::parse(metadata_of(testdata::plugin("standard").webhooks(), index, host_).output);
    const std::string head(header);
    EXPECT_EQ(metadata["name"], name);
    EXPECT_FALSE(metadata["enabled"].bool_or(true)) << "it has no rules until an operator writes some";
    EXPECT_EQ(metadata.at_pointer("/delivery_id/header"), head + "-id");
    EXPECT_EQ(
        metadata["signature"].dump(),
        R"({"headers":[")" + head +
            R"(-signature"],"signed":"{id}.{timestamp}.{body}","accept":[)"
            R"({"algorithm":"hmac-sha256","encoding":"base64","prefix":"v1,","secret_prefix":"whsec_",)"
            R"("secret_encoding":"base64"},{"algorithm":"ed25519","encoding":"base64","prefix":"v1a,",)"
            R"("secret_prefix":"whpk_","secret_encoding":"base64"}],"separator":" ","timestamp_header":")" +
            head + R"(-timestamp","tolerance_seconds":300,"id_header":")" + head + R"(-id"})");
    host_.config = "{}";
    EXPECT_EQ(WebhookDriver(testdata::plugin("standard").webhooks(), index, host_).abi().validate_signature,
              nullptr);
  }
}

TEST_F(StandardWebhookTest, ANumberThatIsNotExactAnyMoreNamesNothing) {
  const std::string config = R"({"rules": [{"events": ["*"]}], "entity": {"key": "i/{/id}"}})";
  const auto with = [&](const std::string& id) { return deliver("{\"id\":" + id + "}", config); };
  for (const char* exact : {"7", "-7", "9223372036854775808", "18446744073709551615", "0.5", "1e3"})
    EXPECT_EQ(with(exact).status, Status::Ok) << exact << ": " << reason(with(exact));
  const Json largest = Json::parse(with("18446744073709551615").output);
  EXPECT_EQ(largest.at_pointer("/entity/key"), "acme:i/18446744073709551615");
  for (const char* rounded : {"18446744073709551616", "123456789012345678901234567890", "1e30", "-1e30"}) {
    const Outcome outcome = with(rounded);
    EXPECT_EQ(outcome.status, Status::InvalidInput) << rounded;
    EXPECT_THAT(outcome.error, HasSubstr("/id is a number of so many digits")) << rounded;
  }
}

TEST_F(StandardWebhookTest, SvixDoesWithABodyWhatStandardDoes) {
  const std::string body = R"({"type": "a.b", "data": {"id": 1}})";
  const std::string config = R"({"rules": [{"events": ["a.*"]}], "entity": {"key": "{/data/id}"}})";
  EXPECT_EQ(reason(deliver(body, config)),
            "(queued) Queued planning-agent for acme:1: rule '1' applies to event 'a.b'");
  EXPECT_EQ(deliver(body, config, 1).output, deliver(body, config).output);
}

// ---- conditions

TEST_F(StandardWebhookTest, EveryConditionHoldsForWhatItNamesAndNotForWhatIsAbsent) {
  struct Case {
    const char* condition;
    std::vector<const char*> good, bad;  // values at /v; "" is no such member
  };
  for (const Case& test : {
           Case{R"("equals": "a")", {R"("a")"}, {R"("A")", R"("ab")", "1", "null", "[]", R"(["a"])", ""}},
           Case{R"("equals": "")", {R"("")"}, {"null", "{}", ""}},
           Case{R"("equals": 7)", {"7"}, {R"("7")", "7.5", "8", "true", ""}},
           Case{R"("equals": 9007199254740993)", {"9007199254740993"}, {"9007199254740992"}},
           Case{R"("equals": 18446744073709551615)", {"18446744073709551615"}, {"18446744073709551614"}},
           Case{R"("equals": 1.5)", {"1.5", "15e-1"}, {"1", "2", R"("1.5")"}},
           Case{R"("equals": false)", {"false"}, {"true", "0", R"("false")", "null", ""}},
           Case{R"("one_of": ["a", 2, true])", {R"("a")", "2", "true"}, {R"("2")", "1", "false", "null", ""}},
           Case{R"("none_of": ["a", 2])", {R"("b")", "3", "false"}, {R"("a")", "2", "null", "[]", "{}", ""}},
           Case{R"("contains": "a")",
                {R"("bab")", R"(["b", "a"])"},
                {R"("b")", R"(["ba"])", R"({"a": "a"})", "1", "null", ""}},
           Case{R"("like": "a.*")",
                {R"("a.b")", R"("a.")"},
                {R"("a")", R"("b.a.b")", R"(["a.b"])", "null", ""}},
           Case{R"("exists": true)", {R"("")", "0", "false", "[]", "{}"}, {"null", ""}},
           Case{R"("exists": false)", {"null", ""}, {R"("")", "0", "false", "[]", "{}"}},
       }) {
    const std::string condition = std::string(R"({"at": "/v", )") + test.condition + "}";
    const auto body = [](const std::string& value) {
      return value.empty() ? "{}" : R"({"v": )" + value + "}";
    };
    for (const char* value : test.good) EXPECT_TRUE(applies(condition, body(value))) << condition << value;
    for (const char* value : test.bad) EXPECT_FALSE(applies(condition, body(value))) << condition << value;
  }
}

TEST_F(StandardWebhookTest, PatternsMatchFromTheirFirstToTheirLastCharacter) {
  const auto like = [&](const std::string& pattern, const std::string& text) {
    return applies(R"({"at": "/v", "like": ")" + pattern + "\"}", R"({"v": ")" + text + "\"}");
  };
  for (const auto& [pattern, text] : {std::pair("*", ""),
                                      {"*", "abc"},
                                      {"a*", "a"},
                                      {"*c", "abc"},
                                      {"a*c", "abcbc"},
                                      {"a**c", "ac"},
                                      {"*b*", "abc"},
                                      {"a*b*c", "aXbXbXc"},
                                      {"abc", "abc"}})
    EXPECT_TRUE(like(pattern, text)) << pattern << " " << text;
  for (const auto& [pattern, text] : {std::pair("a", ""),
                                      {"a*", "ba"},
                                      {"*c", "cb"},
                                      {"a*c", "acb"},
                                      {"abc", "ab"},
                                      {"ab", "abc"},
                                      {"a*b*c", "acb"},
                                      {"A", "a"}})
    EXPECT_FALSE(like(pattern, text)) << pattern << " " << text;
  EXPECT_TRUE(like("*a", std::string(1024, 'a')));
  EXPECT_FALSE(like("*a", std::string(1025, 'a'))) << "long texts are like nothing";
}

TEST_F(StandardWebhookTest, PointersGoThroughListsEscapesAndOddNames) {
  const std::string body = R"({"a/b": {"m~n": [{"": {"x": "yes"}}]}, "0": "zero", "": "empty"})";
  const auto is = [&](const std::string& at, const std::string& value) {
    return applies(R"({"at": ")" + at + R"(", "equals": ")" + value + "\"}", body);
  };
  EXPECT_TRUE(is("/a~1b/m~0n/0//x", "yes"));
  EXPECT_TRUE(is("/0", "zero"));
  EXPECT_TRUE(is("/", "empty"));
  for (const char* at : {"/a~1b/m~0n/00//x", "/a~1b/m~0n/1", "/a~1b/m~0n/-",
                         "/a~1b/m~0n/99999999999999999999", "/a~1b/m~0n/0//x/y", "/b", ""})
    EXPECT_FALSE(is(at, "yes")) << at;
  EXPECT_TRUE(applies(R"({"at": "", "exists": true})", body)) << "the whole body";
}

TEST_F(StandardWebhookTest, AllConditionsOfARuleAndOneOfAnyMustHold) {
  const std::string when = R"({"rules": [{"name": "r", "events": ["*"], "when": [{"at": "/a", "equals": 1},
      {"any": [{"at": "/b", "equals": 2}, {"at": "/c", "exists": true}]}]}]})";
  EXPECT_THAT(reason(deliver(R"({"a": 1, "b": 2})", when)), StartsWith("(queued)"));
  EXPECT_THAT(reason(deliver(R"({"a": 1, "c": 0})", when)), StartsWith("(queued)"));
  EXPECT_EQ(reason(deliver(R"({"a": 2, "b": 2})", when)), "rule 'r': /a is not 1");
  EXPECT_EQ(reason(deliver(R"({"a": 1})", when)), "rule 'r': /b is not 2, and /c is absent");
}

TEST_F(StandardWebhookTest, TheReasonSaysWhichConditionDidNotHoldAndNothingOfTheBody) {
  const auto say = [&](const std::string& condition) {
    return reason(deliver(R"({"v": "private"})",
                          R"({"rules": [{"events": ["*"], "when": [{"at": "/v", )" + condition + "}]}]}"));
  };
  EXPECT_EQ(say(R"("equals": "a")"), "rule '1': /v is not \"a\"");
  EXPECT_EQ(say(R"("one_of": ["a", 1])"), "rule '1': /v is not one of \"a\", 1");
  EXPECT_EQ(say(R"("none_of": ["private"])"), "rule '1': /v is absent or one of \"private\"");
  EXPECT_EQ(say(R"("contains": "x")"), "rule '1': /v does not contain 'x'");
  EXPECT_EQ(say(R"("like": "x*")"), "rule '1': /v is not like 'x*'");
  EXPECT_EQ(say(R"("exists": false)"), "rule '1': /v is there");
}

// ---- rules

TEST_F(StandardWebhookTest, TheFirstRuleThatAppliesDecides) {
  const std::string rules = R"({"rules": [
      {"name": "first", "events": ["a.*", "b"], "when": [{"at": "/n", "equals": 1}], "agent": "one", "priority": 5},
      {"name": "second", "events": ["a.*"], "agent": "two", "task_type": "other", "priority": -5}]})";
  const Json one = Json::parse(deliver(R"({"type": "a.x", "n": 1})", rules).output);
  EXPECT_EQ(one.at_pointer("/tasks/0/agent"), "one");
  EXPECT_EQ(one.at_pointer("/tasks/0/task_type"), "webhook_event");
  EXPECT_EQ(one.at_pointer("/tasks/0/priority").int_or(0), 5);
  const Json two = Json::parse(deliver(R"({"type": "a.x", "n": 2})", rules).output);
  EXPECT_EQ(two["tasks"].size(), 1u);
  EXPECT_EQ(two.at_pointer("/tasks/0/agent"), "two");
  EXPECT_EQ(two.at_pointer("/tasks/0/task_type"), "other");
  EXPECT_EQ(two.at_pointer("/tasks/0/priority").int_or(0), -5);
  EXPECT_EQ(reason(deliver(R"({"type": "b"})", rules)), "rule 'first': /n is not 1");
  EXPECT_EQ(reason(deliver(R"({"type": "c"})", rules)), "no rule is for event 'c'");
  EXPECT_EQ(reason(deliver("{}", rules)), "no rule is for an event without a name");
}

TEST_F(StandardWebhookTest, WithoutWhatIsRequiredNoRuleIsLookedAt) {
  const std::string gate =
      R"({"require": [{"at": "/user", "one_of": ["ada"]}], "rules": [{"events": ["*"]}]})";
  EXPECT_EQ(reason(deliver(R"({"user": "eve"})", gate)), "require: /user is not \"ada\"");
  EXPECT_EQ(reason(deliver("{}", gate)), "require: /user is not \"ada\"");
  EXPECT_THAT(reason(deliver(R"({"user": "ada"})", gate)), StartsWith("(queued)"));
}

TEST_F(StandardWebhookTest, TheEventsNameIsWhereEventAtSays) {
  const std::string config = R"({"event_at": "/meta/kind", "rules": [{"events": ["x"]}]})";
  EXPECT_THAT(reason(deliver(R"({"meta": {"kind": "x"}, "type": "y"})", config)), StartsWith("(queued)"));
  EXPECT_THAT(reason(deliver(R"({"type": "x"})", config)), HasSubstr("without a name"));
  EXPECT_EQ(reason(deliver(R"({"meta": {"kind": []}})", config)),
            "error: the event's name, at /meta/kind is missing or not a string");
}

// ---- what is taken out

TEST_F(StandardWebhookTest, AKeyIsWholeOrThereIsNoneAndBeginsWithTheInstancesName) {
  const auto key = [&](const std::string& value) {
    const Json made = answer(R"({"id": )" + value + "}",
                             R"("entity": {"key": "i/{/id}", "title": "t", "type": "k", "group": "all"})");
    EXPECT_EQ(made.at_pointer("/entity/group").string_or(""),
              made.at_pointer("/entity/key").is_null() ? "" : "acme:all");
    EXPECT_EQ(made.at_pointer("/tasks/0/entity").string_or(""), made.at_pointer("/entity/key").string_or(""));
    EXPECT_EQ(made.at_pointer("/tasks/0/key").string_or(""), made.at_pointer("/entity/key").string_or(""));
    return std::string(made.at_pointer("/entity/key").string_or(""));
  };
  EXPECT_EQ(key("5"), "acme:i/5");
  EXPECT_EQ(key("\"github:o/n#1\""), "acme:i/github:o/n#1");
  EXPECT_EQ(key("true"), "acme:i/true");
  for (const std::string nothing :
       {"null", "\"\"", "[]", "[1]", "{}", R"("a b")", R"("a\nb")", R"("a\u0000b")"})
    EXPECT_EQ(key(nothing), "") << nothing;
  EXPECT_EQ(key("\"" + std::string(249, 'x') + "\"").size(), 256u);
  EXPECT_EQ(key("\"" + std::string(250, 'x') + "\""), "") << "cut keys would fall together";
  EXPECT_EQ(key("\"" + std::string(5000, 'x') + "\""), "");
}

TEST_F(StandardWebhookTest, ATitleFallsBackToTheEntityAndTheEvent) {
  const auto title = [&](const std::string& body, const std::string& members) {
    const Json made = answer(body, members);
    return std::string(made.at_pointer("/tasks/0/title").string_or(""));
  };
  const std::string all = R"("title": "{/t}", "entity": {"key": "{/k}", "title": "{/e}"})";
  EXPECT_EQ(title(R"({"type": "a", "t": "T", "k": "K", "e": "E"})", all), "T");
  EXPECT_EQ(title(R"({"type": "a", "k": "K", "e": "E"})", all), "E");
  EXPECT_EQ(title(R"({"type": "a", "k": "K"})", all), "acme:K");
  EXPECT_EQ(title(R"({"type": "a", "e": "E"})", all), "a");
  EXPECT_EQ(title(R"({"t": "two\nlines\u0007"})", R"("title": "{/t}")"), "two lines ");
  EXPECT_EQ(title(R"({"t": ")" + std::string(5000, 'x') + "\"}", R"("title": "a {/t}")").size(), 1024u);
}

TEST_F(StandardWebhookTest, NamesAreOneLine) {
  const Json told = answer(R"({"type": "a", "by": "A\t\u007fB"})", R"("actor": {"login": "{/by}"})");
  EXPECT_EQ(told.at_pointer("/actor/login"), "A  B");
}

TEST_F(StandardWebhookTest, AddressesAreHttpAndKeepTheirQuery) {
  const auto url = [&](const std::string& value) {
    const Json made = answer(R"({"u": ")" + value + "\"}", R"("entity": {"key": "k", "url": "{/u}"})");
    return std::string(made.at_pointer("/entity/url").string_or(""));
  };
  EXPECT_EQ(url("https://a.example/x?id=1#y"), "https://a.example/x?id=1#y");
  for (const char* bad :
       {"javascript:alert(1)", "//a.example", "https://a.example/ x", "https://a\\n", "ftp://a"})
    EXPECT_EQ(url(bad), "") << bad;
}

TEST_F(StandardWebhookTest, LinksComeFromMembersAndFromTexts) {
  const Json made = answer(
      R"({"run": 7, "text": "https://git.example.com/o/n/pull/3 https://tickets.example.com/j/browse/AB-1"})",
      R"("links": [{"rel": "run", "key": "run:{/run}"}, {"rel": "gone", "key": "{/gone}"}], "texts": ["/text", "/gone"],
         "github_hosts": ["git.example.com"], "jira_site": "tickets.example.com/j")");
  EXPECT_EQ(
      made["links"].dump(),
      R"([{"rel":"run","key":"run:7"},)"
      R"({"rel":"pull_request","key":"github:o/n#3","url":"https://git.example.com/o/n/pull/3"},)"
      R"({"rel":"issue","key":"jira:tickets.example.com/j/AB-1","url":"https://tickets.example.com/j/browse/AB-1"}])");
}

// ---- configurations that make no sense

TEST_F(StandardWebhookTest, AConfigurationThatMakesNoSenseIsRefusedAndTheMemberNamed) {
  const auto when = [](const std::string& condition) {
    return R"({"rules": [{"when": [)" + condition + "]}]}";
  };
  for (const auto& [config, says] : {
           std::pair(when(R"({"at": "v", "exists": true})"),
                     std::string("config.rules[0].when[0].at: 'v' is no JSON pointer: it must begin with /")),
           {when(R"({"at": "/a~2", "exists": true})"),
            "config.rules[0].when[0].at: '/a~2' is no JSON pointer: ~"},
           {when(R"({"at": "/a~", "exists": true})"), "~ must be followed by 0"},
           {when(R"({"exists": true})"), "config.rules[0].when[0].at: say where"},
           {when(R"({"at": "/a"})"), "config.rules[0].when[0] does not say what must be so"},
           {when(R"({"at": "/a", "equals": 1, "like": "x"})"), "has both equals and like"},
           {when(R"({"at": "/a", "any": [{"at": "/b", "exists": true}]})"),
            "beside any there can be nothing"},
           {when(R"({"any": [{"at": "/b", "exists": true}, {"at": "/b"}]})"),
            "config.rules[0].when[0].any[1] does not"},
           {R"({"require": [{"at": "x"}]})", "config.require[0].at"},
           {R"({"event_at": "type"})", "config.event_at"},
           {R"({"title": "{data}"})", "config.title: braces must hold a JSON pointer"},
           {R"({"title": "a}"})", "config.title: braces"},
           {R"({"title": "{/a"})", "config.title: braces"},
           {R"({"title": "{"})", "config.title: braces"},
           {R"({"title": "{/a~}"})", "config.title: '/a~' is no JSON pointer"},
           {R"({"entity": {"key": "{x}"}})", "config.entity.key: braces"},
           {R"({"actor": {"role": "{x}"}})", "config.actor.role: braces"},
           {R"({"links": [{"rel": "a", "key": "b"}, {"rel": "a", "key": "{"}]})",
            "config.links[1].key: braces"},
           {R"({"texts": ["/a", "b"]})", "config.texts[1]"},
           {R"({"payload": {"x": "y"}})", "config.payload.x"},
           {R"({"payload": {"source": "/a"}})", "config.payload.source: a member of this name"},
       })
    EXPECT_THAT(refusal(config), HasSubstr(says)) << config;
}

// ---- bodies nobody sends on purpose

const char* const kEverything = R"({"require": [{"at": "/data/user", "none_of": ["bot"]}],
    "rules": [{"events": ["*"], "when": [{"any": [{"at": "/data/tags", "contains": "a"}, {"at": "/data/n", "one_of": [1, "x"]},
        {"at": "/data", "exists": true}, {"at": "/type", "like": "*.*"}]}]}],
    "title": "{/data/title}", "entity": {"key": "{/data/id}", "url": "{/data/url}"}, "actor": {"id": "{/data/user}"},
    "links": [{"rel": "r", "key": "{/data/tags/0}"}], "texts": ["/data/title"],
    "payload": {"all": "", "tags": "/data/tags", "id": "/data/id"}})";
const char* const kBody =
    R"({"type": "a.b", "data": {"id": 7, "user": "ada", "title": "Sentry Issue: AB-1 \ud83e\udd8a",
    "url": "https://a.example/7", "n": 1, "tags": ["a", "b"], "nested": {"deep": [[{}]]}}})";

void expect_an_orderly_end(const Outcome& outcome) {
  ASSERT_TRUE(outcome.status == Status::Ok || outcome.status == Status::Ignored ||
              outcome.status == Status::InvalidInput)
      << static_cast<int>(outcome.status) << " " << outcome.error;
  ASSERT_FALSE(outcome.status == Status::InvalidInput ? outcome.error.empty() : outcome.output.empty());
}

TEST_F(StandardWebhookTest, SurvivesWrongTypesEverywhereAndAnyChangeOfAnyByte) {
  host_.config = kEverything;
  WebhookDriver webhook(testdata::plugin("standard").webhooks(), 0, host_);
  int tried = 0, understood = 0;
  const auto deliver_body = [&](const std::string& body) {
    RequestBuilder request(body);
    const Outcome outcome = webhook.deliver(request);
    expect_an_orderly_end(outcome);
    ++tried, understood += outcome.status == Status::Ok;
  };
  mutants::for_each_wrong_type(kBody, deliver_body);
  std::mt19937 random(20240610);
  for (int round = 0; round < 3000; ++round) deliver_body(mutants::damaged(kBody, random));
  EXPECT_GT(tried, 3100);
  EXPECT_GT(understood, 100) << "hardly a mutant got through to handle()";
}

TEST_F(StandardWebhookTest, MalformedBodiesAreInvalidInputWithASentence) {
  for (const auto& [body, says] :
       {std::pair(std::string(), "JSON, byte 0"),
        {"[]", "not a JSON object"},
        {"5", "not a JSON object"},
        {"{\"a\": ", "JSON, byte"},
        {"{\"a\": \"\xff\"}", "not UTF-8"},
        {R"({"a": )" + std::string(60, '[') + std::string(60, ']') + "}", "nested deeper than 60 levels"},
        {R"({"type": {}})", "the event's name"}}) {
    const Outcome outcome = deliver(body, kEverything);
    EXPECT_EQ(outcome.status, Status::InvalidInput) << body;
    EXPECT_THAT(outcome.error, HasSubstr(says)) << body;
  }
  const std::string deep = R"({"type": "a.b", "a": )" + std::string(59, '[') + std::string(59, ']') + "}";
  EXPECT_EQ(deliver(deep, R"({"rules": [{"events": ["*"]}]})").status, Status::Ok)
      << "as a task's payload it has the host's 64";
}

}  // namespace
