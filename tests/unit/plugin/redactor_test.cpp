#include "host/plugin/redactor.h"

#include <gtest/gtest.h>

namespace davit::plugin {
namespace {

Redactor knowing(std::vector<Secret> secrets) { return Redactor(secrets); }

std::string redacted(const Redactor& redactor, std::string text) {
  redactor.redact(text);
  return text;
}

TEST(RedactorTest, PutsTheNameOfASecretInPlaceOfEachOfItsValues) {
  Redactor redactor = knowing({{"TOKEN", "hunter22"}});
  EXPECT_EQ(redacted(redactor, "hunter22 and xhunter22y"), "[secret TOKEN] and x[secret TOKEN]y");
  EXPECT_EQ(redacted(redactor, "hunter and 2"), "hunter and 2");
}

TEST(RedactorTest, FindsAValueAsAJsonStringSpellsIt) {
  Redactor redactor = knowing({{"KEY", "a\"b\\c\nd"}});
  EXPECT_EQ(redacted(redactor, R"({"x":"a\"b\\c\nd"})"), R"({"x":"[secret KEY]"})");
}

TEST(RedactorTest, FindsTheSingleLinesOfAKey) {
  Redactor redactor = knowing({{"PEM", "-----BEGIN KEY-----\nMIIBVgIBADANBgkqhkiG9w0\nx\n"}});
  EXPECT_EQ(redacted(redactor, "line MIIBVgIBADANBgkqhkiG9w0 of x"), "line [secret PEM] of x");
}

TEST(RedactorTest, LeavesNoTailOfALongerSecretBehind) {
  Redactor redactor = knowing({{"A", "secret"}, {"B", "secret-and-more"}});
  EXPECT_EQ(redacted(redactor, "secret-and-more"), "[secret B]");
}

// What a plugin says is cut where it is too long, before its secrets are looked for.
TEST(RedactorTest, FindsTheBeginningOfASecretWhereATextWasCut) {
  Redactor redactor = knowing(
      {{"TOKEN", "ghp_0123456789abcdef"}, {"PASS", "hunter22"}, {"PEM", "one\ntwo-and-a-half-three"}});
  EXPECT_EQ(redacted(redactor, "it is ghp_0123456789abcde"), "it is [secret TOKEN]");
  EXPECT_EQ(redacted(redactor, "it is ghp_0123"), "it is [secret TOKEN]");
  EXPECT_EQ(redacted(redactor, "it is ghp_012"), "it is ghp_012") << "too little to be of use";
  EXPECT_EQ(redacted(redactor, "it is ghp_0123456789 and on"), "it is ghp_0123456789 and on")
      << "not the end";
  EXPECT_EQ(redacted(redactor, "hunter22, hunte"), "[secret PASS], [secret PASS]");
  EXPECT_EQ(redacted(redactor, "hunt"), "hunt");
  EXPECT_EQ(redacted(redactor, "a line: two-and-a-ha"), "a line: [secret PEM]");
  EXPECT_EQ(redacted(redactor, "ghp_0123ghp_0123"), "ghp_0123[secret TOKEN]");
}

TEST(RedactorTest, LeavesTextAloneWithoutSecretsOrWithOnesThatAreTooShort) {
  EXPECT_FALSE(knowing({}).has_secrets());
  EXPECT_EQ(redacted(knowing({{"PIN", "12345"}}), "12345"), "12345");
}

TEST(RedactorTest, TakesVariablesForSecretsByTheirNameOrTheirLength) {
  const std::map<std::string, std::string> environment{
      {"PGPASSWORD", "hunter22"},
      {"api_key", "/begins/with/a/slash"},
      {"WHATEVER", "0123456789ab"},
      {"DATABASE", "postgres://davit:hunter22@db/davit"},
      {"HOOK", "https://example.org/hook?k=1"},
      {"MODE", "production"},
      {"FOLDER", "/srv/davit/checkouts"},
      {"SERVER", "https://github.example.org"},
      {"ANTHROPIC_MODEL", "a-model-of-20250514"},
      {"MODEL_KEY", "a-model-of-20250514"},
  };
  std::vector<std::string> names;
  for (const Secret& secret : secrets_in(environment)) names.push_back(secret.name);
  EXPECT_EQ(names,
            (std::vector<std::string>{"DATABASE", "HOOK", "MODEL_KEY", "PGPASSWORD", "WHATEVER", "api_key"}));
}

}  // namespace
}  // namespace davit::plugin
