#include "host/isolation/envelope.h"

#include <gtest/gtest.h>

namespace davit::isolation {
namespace {

TEST(EnvelopeTest, HelloNamesBothSidesWhenNoProtocolFits) {
  ASSERT_TRUE(hello_from_json(hello_json("ab", "n")).ok());
  auto newer = hello_from_json(R"({"protocol":[7,8],"davit":"9.9.9","nonce":"n"})");
  ASSERT_FALSE(newer.ok());
  EXPECT_NE(newer.error().message.find("[7,8]"), std::string::npos);
  EXPECT_NE(newer.error().message.find("9.9.9"), std::string::npos);
  EXPECT_TRUE(hello_from_json(R"({"protocol":[7,1],"davit":"9.9.9","nonce":"n"})").ok());
  EXPECT_FALSE(hello_from_json(R"({"protocol":1})").ok());
  EXPECT_FALSE(hello_from_json("[").ok());
}

TEST(EnvelopeTest, WelcomeMustCarryTheNonce) {
  EXPECT_TRUE(check_welcome(welcome_json("abc"), "abc").ok());
  EXPECT_FALSE(check_welcome(welcome_json("abd"), "abc").ok());
  EXPECT_FALSE(check_welcome(R"({"protocol":2,"nonce":"abc"})", "abc").ok());
}

TEST(EnvelopeTest, CreateCarriesConfigAndSecretsUnchanged) {
  RunnerSpec spec;
  spec.library = "/store/a.so";
  spec.sha256 = "00ff";
  spec.kind = PluginKind::Webhook;
  spec.index = 3;
  spec.name = "billing";
  spec.config = R"({"a" : 1.50})";
  spec.granted = {{"token", "s3cret\"\n"}};
  spec.signature_secrets = {"new", "old"};
  spec.without_effects = true;
  auto read = create_from_json(create_json(spec, 77));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->spec.library, spec.library);
  EXPECT_EQ(read->spec.kind, PluginKind::Webhook);
  EXPECT_EQ(read->spec.index, 3u);
  EXPECT_EQ(read->spec.config, spec.config);
  EXPECT_EQ(read->spec.granted.at(0).value, "s3cret\"\n");
  EXPECT_EQ(read->spec.signature_secrets, spec.signature_secrets);
  EXPECT_TRUE(read->spec.without_effects);
  EXPECT_EQ(read->address_space_limit, 77u);
}

TEST(EnvelopeTest, ACallKeepsItsDeadlineToTheNanosecond) {
  const MonotonicTime deadline{std::chrono::nanoseconds(123'456'789'012)};
  auto head = call_from_json(call_json(5, deadline, "/tmp/a \"b\"", R"({"call":"x"})"));
  ASSERT_TRUE(head.ok());
  EXPECT_EQ(head->id, 5u);
  EXPECT_EQ(head->deadline, deadline);
  EXPECT_EQ(head->directory, "/tmp/a \"b\"");
  EXPECT_EQ(head->request, R"({"call":"x"})");
  EXPECT_FALSE(call_from_json(R"({"id":0,"request":{}})").ok());
  EXPECT_FALSE(call_from_json(R"({"id":1})").ok());
}

TEST(EnvelopeTest, AnswersAreAResultOrAnErrorWithItsCode) {
  EXPECT_EQ(*result_of_answer(result_answer(R"({"a":[1]})")), R"({"a":[1]})");
  auto failed = result_of_answer(error_answer({ErrorCode::RateLimited, "later"}));
  EXPECT_EQ(failed.error().code, ErrorCode::RateLimited);
  EXPECT_EQ(failed.error().message, "later");
  EXPECT_FALSE(result_of_answer("{}").ok());
  EXPECT_FALSE(result_of_answer("[]").ok());
  EXPECT_FALSE(result_of_answer(R"({"other":1,"result":2})").ok());
}

TEST(PreparedSpecTest, EqualSpecsHaveEqualKeysAndEveryMemberCounts) {
  RunnerSpec spec;
  spec.name = "a";
  const std::string key = PreparedSpec::make(spec)->key();
  EXPECT_EQ(PreparedSpec::make(spec)->key(), key);
  auto differs = [&](auto change) {
    RunnerSpec other = spec;
    change(other);
    return PreparedSpec::make(other)->key() != key;
  };
  EXPECT_TRUE(differs([](RunnerSpec& s) { s.library = "x"; }));
  EXPECT_TRUE(differs([](RunnerSpec& s) { s.sha256 = "x"; }));
  EXPECT_TRUE(differs([](RunnerSpec& s) { s.kind = PluginKind::Webhook; }));
  EXPECT_TRUE(differs([](RunnerSpec& s) { s.index = 1; }));
  EXPECT_TRUE(differs([](RunnerSpec& s) { s.name = "b"; }));
  EXPECT_TRUE(differs([](RunnerSpec& s) { s.config = "{ }"; }));
  EXPECT_TRUE(differs([](RunnerSpec& s) { s.granted = {{"a", "b"}}; }));
  EXPECT_TRUE(differs([](RunnerSpec& s) { s.signature_secrets = {"a"}; }));
  EXPECT_TRUE(differs([](RunnerSpec& s) { s.environment = {{"a", "b"}}; }));
  EXPECT_TRUE(differs([](RunnerSpec& s) { s.calls_per_runner = 1; }));
  EXPECT_TRUE(differs([](RunnerSpec& s) { s.max_runners = 1; }));
  EXPECT_TRUE(differs([](RunnerSpec& s) { s.without_effects = true; }));
}

}  // namespace
}  // namespace davit::isolation
