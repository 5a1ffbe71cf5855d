// Secrets are put together here, so that no scanner takes this file for a leak.
#include "redact/redactor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "davit/json.hpp"
#include "davit/text.hpp"

namespace {

using redact::Redactor;
using testing::HasSubstr;
using testing::Not;

std::string letters(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += "aB3dE5gH7jK9mN1"[i % 15];
  return text;
}

std::string capitals(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += "QX7ZK2MP"[i % 8];
  return text;
}

std::string pem_line(const std::string& what) { return "-----" + what + " PRIVATE " + "KEY-----"; }

// RFC 4648, from outside of what is tested.
std::string base64(std::string_view bytes, bool url = false) {
  const std::string alphabet =
      std::string("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") + (url ? "-_" : "+/");
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto byte = [&](std::size_t at) {
      return at < bytes.size() ? static_cast<unsigned>(static_cast<unsigned char>(bytes[at])) : 0u;
    };
    const unsigned group = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    text += alphabet[group >> 18];
    text += alphabet[group >> 12 & 63];
    text += i + 1 < bytes.size() ? alphabet[group >> 6 & 63] : '=';
    text += i + 2 < bytes.size() ? alphabet[group & 63] : '=';
  }
  return text;
}

// The text around `secret` stays, the secret goes, once, under its name.
void expect_taken_out(const std::string& secret, const std::string& name) {
  const auto result = Redactor().redact("before " + secret + " after");
  EXPECT_EQ(result.text, "before [" + name + " removed] after") << secret;
  EXPECT_EQ(result.count, 1u) << secret;
}

void expect_left(const std::string& text) {
  const auto result = Redactor().redact(text);
  EXPECT_EQ(result.text, text);
  EXPECT_EQ(result.count, 0u);
}

TEST(RedactorTest, GithubTokens) {
  for (const char* prefix : {"ghp_", "gho_", "ghu_", "ghs_", "ghr_"})
    expect_taken_out(prefix + letters(36), "GitHub token");
  expect_taken_out("github_pat_" + letters(22) + "_" + letters(59), "GitHub token");
  // Installation tokens of the newer form hold a JSON web token.
  expect_taken_out("ghs_" + letters(8) + "_eyJ" + letters(30) + ".eyJ" + letters(60) + "." + letters(43),
                   "GitHub token");
  expect_left("ghp_ begins a token, gh_" + letters(36) + " does not");
}

TEST(RedactorTest, AwsKeys) {
  expect_taken_out("AKIA" + capitals(16), "AWS access key");
  expect_taken_out("ASIA" + capitals(16), "AWS access key");
  const std::string secret = letters(20) + "/" + letters(18) + "+";
  expect_taken_out("aws_secret_access_key = " + secret, "AWS secret key");
  expect_taken_out("AWS_SECRET_ACCESS_KEY=" + secret, "AWS secret key");
  expect_taken_out("SecretAccessKey\": \"" + secret, "AWS secret key");
  expect_left("set aws_secret_access_key in the environment; ASIA is a continent, XAKIA" + capitals(16));
}

TEST(RedactorTest, SlackTokensAndWebhooks) {
  for (const char* kind : {"xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxe-"})
    expect_taken_out(std::string(kind) + "2-123456789012-" + letters(24), "Slack token");
  expect_taken_out("xapp-1-A01-" + letters(40), "Slack token");
  EXPECT_EQ(Redactor()("https://hooks.slack.com/services/T0001/B0002/" + letters(24)),
            "https://[Slack webhook removed]");
  expect_left("xox-files and xoxb- alone");
}

TEST(RedactorTest, ModelKeys) {
  expect_taken_out("sk-ant-api03-" + letters(40) + "-" + letters(40) + "AA", "Anthropic key");
  expect_taken_out("sk-ant-oat01-" + letters(40), "Anthropic key");
  expect_taken_out("sk-" + letters(48), "OpenAI key");
  expect_taken_out("sk-proj-" + letters(60) + "_" + letters(30), "OpenAI key");
  expect_left("the class sk-cube-grid-with-many-words-in-its-long-name and task-sk-" + letters(48));
}

TEST(RedactorTest, GoogleKeys) {
  expect_taken_out("AIza" + letters(35), "Google API key");
  expect_taken_out("ya29." + letters(60), "Google token");
  expect_left("AIza and ya29. alone");
}

TEST(RedactorTest, KeysOfOtherServices) {
  expect_taken_out("glpat-" + letters(20), "GitLab token");
  expect_taken_out("sk_live_" + letters(24), "Stripe key");
  expect_taken_out("rk_live_" + letters(24), "Stripe key");
  expect_taken_out("whsec_" + base64(letters(24)), "webhook secret");
  expect_taken_out("npm_" + letters(36), "npm token");
  expect_taken_out("pypi-AgE" + letters(60), "PyPI token");
  expect_taken_out("hf_" + letters(34), "Hugging Face token");
  expect_taken_out("ATATT3" + letters(90) + "=" + capitals(8), "Atlassian token");
  expect_taken_out("sntrys_" + letters(60), "Sentry token");
  expect_taken_out("sntryu_" + letters(60), "Sentry token");
  expect_taken_out("SG." + letters(22) + "." + letters(43), "SendGrid key");
  expect_taken_out("dop_v1_" + letters(64), "DigitalOcean token");
  expect_taken_out("dckr_pat_" + letters(27), "Docker token");
}

TEST(RedactorTest, JsonWebTokens) {
  const std::string token = base64(R"({"alg":"HS256","typ":"JWT"})", true).substr(0, 36) + "." +
                            base64(R"({"sub":"1234567890","name":"John"})", true).substr(0, 45) + ".";
  ASSERT_THAT(token, testing::StartsWith("eyJ"));
  expect_taken_out(token + letters(43), "JSON web token");
  expect_taken_out(token, "JSON web token");  // unsigned
  expect_left("eyJ" + letters(20) + " and eyJ" + letters(20) + ".eyJ" + letters(20));
}

TEST(RedactorTest, PrivateKeys) {
  const std::string begin = pem_line("BEGIN RSA"), end = pem_line("END RSA"), line = letters(64);
  expect_taken_out(begin + "\n" + line + "\n" + line + "\nabc=\n" + end, "private key");
  expect_taken_out(begin + "\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00FF\n\n" + line + "\n" + end,
                   "private key");
  expect_taken_out(pem_line("BEGIN OPENSSH") + "\r\n" + line + "\r\n" + pem_line("END OPENSSH"),
                   "private key");
  // In JSON, in a diff, in quotes line by line.
  expect_taken_out(begin + "\\n" + line + "\\n" + end, "private key");
  expect_taken_out(begin + "\n+" + line + "\n+" + end, "private key");
  expect_taken_out(begin + "\n-" + line + "\n-" + end, "private key");
  expect_taken_out(begin + "\\n\"\n  \"" + line + "\\n\"\n  \"" + end, "private key");
  // The end is missing: a log was cut.
  EXPECT_EQ(Redactor()("x " + begin + "\n" + line + "\n" + line.substr(0, 10)), "x [private key removed]");
  // Program text that only speaks of keys, and keys that are not private.
  expect_left("if (text.find(\"" + begin + "\") == 0) { return text.find(\"" + end + "\"); }");
  expect_left("-----BEGIN PUBLIC KEY-----\n" + line + "\n-----END PUBLIC KEY-----");
}

TEST(RedactorTest, WordsBehindTheFirstLineOfAPrivateKeyAreNone) {
  const std::string begin = pem_line("BEGIN"), hash(64, 'a');
  // A title, and what a program notes below it.
  expect_left("Parser fails on " + begin);
  expect_left("Plan: Parser fails on " + begin + "\n\nDavit-Plan: 0190a1b2-0000-7000-8000-00000000aaaa " +
              hash + " " + hash);
  expect_left(begin + " is not read by src/main/java/com/example/Reader21.java\n" + letters(64));
  expect_left(begin + "\n\nDavit-Task: " + letters(64) + "/0 " + letters(64));
  expect_left(begin + "\n" + hash + " is the sum");
  expect_left(begin + " 2026-11-26T16:00:00Z\n2026-11-26T16:00:01Z the file was read");
}

TEST(RedactorTest, APrivateKeyEndsWhereItsLinesEnd) {
  const std::string begin = pem_line("BEGIN"), line = letters(64);
  for (const std::string& key :
       {begin + "\n" + line + "\n" + line, begin + "\n" + line + "\nabc",
        begin + "\n" + line + "\nabc=", begin + "\\n" + line + "\\nabc=", begin + "\n" + line.substr(0, 24),
        begin + " " + line, begin + "\n> " + line + "\n> abc"}) {
    EXPECT_EQ(Redactor()(key + "\n\nDavit-Task: chain/0 task"),
              "[private key removed]\n\nDavit-Task: chain/0 task")
        << key;
    EXPECT_EQ(Redactor()(key + "\nwas in the file"), "[private key removed]\nwas in the file") << key;
  }
  EXPECT_EQ(Redactor()(R"({"key": ")" + begin + "\\n" + line + R"(\nabc\n", "name": "x"})"),
            R"({"key": "[private key removed]\n", "name": "x"})");
}

TEST(RedactorTest, PrivateKeysAsTheyAreQuoted) {
  const std::string begin = pem_line("BEGIN"), end = pem_line("END"), line = letters(64);
  const auto lines = [&](const std::string& with) {
    return begin + with + line + with + line + with + "abc=" + with + end;
  };
  for (const char* with : {"\n", "\r\n", "\r", " ", "\n    ", "\n\t", "\\n", "\\\\n", "\\r\\n", "\n> ", "\n+",
                           "\n+ ", "\\n\" +\n  \"", "\n2026-11-26T16:00:00.1234567Z ", "\n  12: ", "\n\n"})
    expect_taken_out(lines(with), "private key");
  // Letters that JSON may write otherwise, and a line that has no digit.
  expect_taken_out(begin + "\\n" + line + "\\/" + line + "\\u002b" + line + "\\u003d\\n" + end,
                   "private key");
  expect_taken_out(begin + "\n" + std::string(64, 'A') + "\n" + end, "private key");
  expect_taken_out(
      begin + "\n+Proc-Type: 4,ENCRYPTED\n+DEK-Info: AES-128-CBC,00FF\n+\n+" + line + "\n+" + end,
      "private key");
  const std::string block = pem_line("BEGIN PGP"), close = pem_line("END PGP");
  const auto named = [](std::string text) { return text.insert(text.size() - 5, " BLOCK"); };
  expect_taken_out(
      named(block) + "\nVersion: GnuPG v2\nComment: of hers\n\n" + line + "\nabc=\n=aB3d\n" + named(close),
      "private key");
}

TEST(RedactorTest, CredentialsInAddresses) {
  const auto result = Redactor().redact("push to https://bot:hunter2@example.com/r.git failed");
  EXPECT_EQ(result.text, "push to https://[credentials in an address removed]@example.com/r.git failed");
  EXPECT_EQ(result.count, 1u);
  EXPECT_EQ(Redactor()("postgres://app:p%40ss!w@db:5432/x"),
            "postgres://[credentials in an address removed]@db:5432/x");
  EXPECT_EQ(Redactor()("https://" + letters(30) + "@example.com"),
            "https://[credentials in an address removed]@example.com");
  expect_left("ssh://git@github.com/o/r.git and https://example.com/@scope/x and https://user:@host");
  expect_left(
      "https://bot:$TOKEN@example.com https://bot:${TOKEN}@example.com https://bot:<password>@h "
      "https://bot:***@h");
}

TEST(RedactorTest, AuthorizationHeaders) {
  EXPECT_EQ(Redactor()("Authorization: Bearer " + letters(40)), "Authorization: [bearer token removed]");
  EXPECT_EQ(Redactor()("authorization: bearer " + letters(40)), "authorization: [bearer token removed]");
  EXPECT_EQ(Redactor()("Authorization: Basic " + base64("user:P4ssword-of-hers")),
            "Authorization: [basic credentials removed]");
  expect_left("Bearer authentication-of-requests and Basic understandings of it");
}

TEST(RedactorTest, KnownValuesInEveryForm) {
  const std::string secret = "p@ss wörd/+\"7\\x";
  const Redactor redactor({secret});
  EXPECT_EQ(redactor("<" + secret + ">"), "<[configured secret removed]>");
  EXPECT_EQ(redactor("?a=p%40ss%20w%C3%B6rd%2F%2B%227%5Cx&b=1"), "?a=[configured secret removed]&b=1");
  EXPECT_EQ(redactor("?a=p%40ss%20w%c3%b6rd%2f%2b%227%5cx&b=1"), "?a=[configured secret removed]&b=1");
  EXPECT_EQ(redactor("0x704073732077C3B672642F2B22375C78!"), "0x[configured secret removed]!");
  EXPECT_EQ(redactor("0x704073732077c3b672642f2b22375c78!"), "0x[configured secret removed]!");
  EXPECT_EQ(redactor(R"({"a":"p@ss wörd/+\"7\\x"})"), R"({"a":"[configured secret removed]"})");
}

TEST(RedactorTest, KnownValuesInsideBase64WhereverTheyStand) {
  const std::string secret = "tok\xFF\xFE~en?of>ours";
  const Redactor redactor({secret});
  for (const bool url : {false, true}) {
    for (std::size_t before = 0; before < 7; ++before) {
      for (std::size_t behind = 0; behind < 4; ++behind) {
        const std::string text = base64(std::string(before, 'u') + secret + std::string(behind, 'z'), url);
        const auto result = redactor.redact(text);
        EXPECT_EQ(result.count, 1u) << text;
        // Of the two characters at each border that it shares with its neighbours nothing can be told.
        EXPECT_LE(result.text.size(), before * 4 / 3 + behind * 4 / 3 + 8 + 27) << result.text;
      }
    }
  }
}

TEST(RedactorTest, LinesOfAKnownKeyOneByOne) {
  const std::string first = "0123456789abcdefghij", second = "klmnopqrstuvwxyz0123";
  const Redactor redactor({first + "\n" + second + "\r\nend\n"});
  EXPECT_EQ(redactor("a: " + second + ", end"), "a: [configured secret removed], end");
  EXPECT_EQ(redactor("b: " + first), "b: [configured secret removed]");
}

TEST(RedactorTest, TooShortValuesAreNotLookedFor) {
  EXPECT_EQ(Redactor({"", "abc", "abcde"})("abcde abc"), "abcde abc");
  EXPECT_EQ(Redactor({"abcdef"})("abcdef"), "[configured secret removed]");
}

TEST(RedactorTest, OverlappingSecretsLeaveNoRest) {
  const std::string token = "ghp_" + letters(36);
  // A known one that begins inside of what looks like another, and goes on behind it.
  const std::string known = token.substr(30) + "!tail-of-it";
  const auto result = Redactor({known}).redact("x " + token + "!tail-of-it y");
  EXPECT_EQ(result.text, "x [GitHub token removed] y");
  EXPECT_EQ(result.count, 1u);
  EXPECT_EQ(Redactor({"abcdefgh", "efghijkl"})("abcdefghijkl"), "[configured secret removed]");
  // One right behind the other: what goes before is no part of a word any more.
  EXPECT_EQ(Redactor({"known-value"}).redact("known-valueAKIA" + capitals(16)).count, 2u);
}

TEST(RedactorTest, FindsTellWhereAndWhat) {
  const std::string token = "ghp_" + letters(36);
  const auto finds = Redactor({"configured"}).finds("a configured " + token);
  ASSERT_EQ(finds.size(), 2u);
  EXPECT_EQ(finds[0].at, 2u);
  EXPECT_EQ(finds[0].size, 10u);
  EXPECT_EQ(finds[0].what, "configured secret");
  EXPECT_EQ(finds[1].at, 13u);
  EXPECT_EQ(finds[1].size, token.size());
  EXPECT_EQ(finds[1].what, "GitHub token");
}

TEST(RedactorTest, OrdinaryTextIsLeft) {
  expect_left(
      "commit 0f3a9c1e2b4d5f6a7b8c9d0e1f2a3b4c5d6e7f80 in https://github.com/o/r/pull/12#issuecomment-1");
  expect_left(
      "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08, 550e8400-e29b-41d4-a716");
  expect_left("Grüße, \xF0\x9F\x98\x80 and \xFF\xFE bytes");
  expect_left("");
}

// What would be read again and again by a matcher that goes back; a quadratic one would need hours for these.
TEST(RedactorTest, MegabytesOfBeginningsAreReadOnce) {
  const Redactor redactor({"aaaaaaaab"});
  for (const std::string& piece :
       {std::string("sk-"), std::string("eyJ"), std::string("eyJaaaaaaaaaa."), std::string("ghs_"),
        std::string("github_pat_"), pem_line("BEGIN RSA"), std::string("-----BEGIN "), std::string("://a:"),
        std::string("://"), std::string("Bearer "), std::string("xoxb-"),
        std::string("aws_secret_access_key = "), std::string("a")}) {
    std::string text;
    while (text.size() < 1024 * 1024) text += piece;
    EXPECT_THAT(redactor(text).size(), testing::Le(text.size())) << piece;
  }
}

}  // namespace
