#include "host/dispatch/redactor.h"

#include <gtest/gtest.h>

namespace davit::dispatch {
namespace {

Redactor knowing(std::vector<plugin::Secret> secrets) { return Redactor(secrets); }

std::string redacted(const Redactor& redactor, std::string text) {
  redactor.redact(text);
  return text;
}

TEST(RedactorTest, PutsTheNameOfASecretInPlaceOfEachOfItsValues) {
  Redactor redactor = knowing({{"TOKEN", "hunter22"}});
  EXPECT_EQ(redacted(redactor, "hunter22 and xhunter22y"), "[secret TOKEN] and x[secret TOKEN]y");
  EXPECT_EQ(redacted(redactor, "hunter2"), "hunter2");
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

TEST(RedactorTest, LeavesTextAloneWithoutSecretsOrWithOnesThatAreTooShort) {
  EXPECT_FALSE(knowing({}).has_secrets());
  EXPECT_EQ(redacted(knowing({{"PIN", "12345"}}), "12345"), "12345");
}

}  // namespace
}  // namespace davit::dispatch
