#include "host/config/secrets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "host/base/id.h"
#include "host/config/config_file.h"

namespace davit::config {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kGood = "0123456789abcdef";

Environment variables(std::map<std::string, std::string> known) {
  return [known = std::move(known)](const std::string& name) -> std::optional<std::string> {
    const auto found = known.find(name);
    if (found == known.end()) return std::nullopt;
    return found->second;
  };
}

std::vector<std::string> lines(const std::vector<Mistake>& mistakes) {
  std::vector<std::string> texts;
  for (const Mistake& mistake : mistakes) texts.push_back(to_string("f", mistake));
  return texts;
}

class SecretsTest : public ::testing::Test {
 protected:
  SecretsTest() { std::filesystem::create_directories(folder_); }
  ~SecretsTest() override { std::filesystem::remove_all(folder_); }

  std::string file(const std::string& text, unsigned mode = 0600) {
    const std::string path = folder_ / new_id();
    std::ofstream(path) << text;
    ::chmod(path.c_str(), mode);
    return path;
  }

  static Config with(const std::string& webhook) {
    const LoadedConfig loaded = parse_config("webhooks:\n  hook: {" + webhook + "}\n", "f");
    EXPECT_THAT(loaded.messages(), IsEmpty());
    return loaded.config;
  }

  std::filesystem::path folder_ = std::filesystem::temp_directory_path() / ("davit-secrets-" + new_id());
};

TEST_F(SecretsTest, ReadsAVariable) {
  const auto resolved = resolve_secrets(with("secret_env: S"), variables({{"S", kGood}}));
  EXPECT_THAT(resolved.webhooks.at("hook").values, ElementsAre(kGood));
  EXPECT_THAT(resolved.mistakes, IsEmpty());
  EXPECT_THAT(resolved.notes, IsEmpty());
}

TEST_F(SecretsTest, ReadsSeveralNewestFirst) {
  const auto resolved = resolve_secrets(
      with("secret_files: [" + file("new-new-new-new-new") + ", " + file("old-old-old-old-old") + "]"),
      variables({}));
  EXPECT_THAT(resolved.webhooks.at("hook").values, ElementsAre("new-new-new-new-new", "old-old-old-old-old"));
}

TEST_F(SecretsTest, AMissingVariableIsANoteAndLeavesTheWebhookWithoutSecret) {
  const auto resolved = resolve_secrets(with("secret_env: S"), variables({}));
  EXPECT_THAT(resolved.webhooks.at("hook").values, IsEmpty());
  EXPECT_THAT(resolved.mistakes, IsEmpty());
  EXPECT_THAT(
      lines(resolved.notes),
      ElementsAre(
          "f:2: webhooks.hook: the environment variable S is not set; this webhook answers 503 until it is"));
}

TEST_F(SecretsTest, AMissingFileIsANote) {
  const auto resolved = resolve_secrets(with("secret_file: /nowhere/s"), variables({}));
  EXPECT_THAT(resolved.mistakes, IsEmpty());
  EXPECT_THAT(lines(resolved.notes), ElementsAre(HasSubstr("the file /nowhere/s cannot be read")));
}

TEST_F(SecretsTest, NoSecretAtAllIsANote) {
  EXPECT_THAT(lines(resolve_secrets(with(""), variables({})).notes),
              ElementsAre(HasSubstr("webhooks.hook: names no secret; this webhook answers 503")));
  EXPECT_THAT(resolve_secrets(with("allow_unsigned: true"), variables({})).notes, IsEmpty());
}

TEST_F(SecretsTest, AnEmptyOrShortSecretIsUnfitAndItsPlaceIsNamedButNotItsValue) {
  const auto resolve = [&](const std::string& webhook, std::map<std::string, std::string> known = {}) {
    ResolvedSecrets resolved = resolve_secrets(with(webhook), variables(std::move(known)));
    EXPECT_THAT(resolved.mistakes, IsEmpty());
    EXPECT_THAT(resolved.webhooks.at("hook").values, IsEmpty());
    EXPECT_EQ(resolved.webhooks.at("hook").faults, resolved.unfit.at(0).text);
    return lines(resolved.unfit);
  };
  EXPECT_THAT(resolve("secret_env: S", {{"S", ""}}),
              ElementsAre(HasSubstr("f:2: webhooks.hook: the environment variable S is empty")));
  EXPECT_THAT(resolve("secret_env: S", {{"S", "hunter2"}}),
              ElementsAre(AllOf(HasSubstr("the environment variable S holds fewer than 16 bytes"),
                                Not(HasSubstr("hunter2")))));
  EXPECT_THAT(resolve("secret_env: S", {{"S", "hunter2hunter2\n\n"}}),
              ElementsAre(HasSubstr("holds fewer than 16 bytes")))
      << "line breaks are no part of it";
  EXPECT_THAT(resolve("secret_env: S", {{"S", "whsec_" + std::string(20, 'A')}}),
              ElementsAre(HasSubstr("holds fewer than 16 bytes")))
      << "the key has 15";
  EXPECT_THAT(
      resolve_secrets(with("secret_env: S"), variables({{"S", "whsec_" + std::string(24, 'A')}})).unfit,
      IsEmpty());
  const std::string empty = file("\n");
  EXPECT_THAT(resolve("secret_file: " + empty),
              ElementsAre(AllOf(HasSubstr("the file " + empty), HasSubstr("is empty"))));
}

TEST_F(SecretsTest, OfSeveralTheFitOnesServeUnderTheirNumbers) {
  const auto resolved = resolve_secrets(with("secret_envs: [GONE, SHORT, OLD]"),
                                        variables({{"SHORT", "short"}, {"OLD", kGood}}));
  const SigningSecrets& secrets = resolved.webhooks.at("hook");
  EXPECT_THAT(secrets.values, ElementsAre(kGood));
  EXPECT_THAT(secrets.numbers, ElementsAre(3));
  EXPECT_THAT(secrets.faults, AllOf(HasSubstr("GONE is not set"), HasSubstr("SHORT holds fewer")));
  EXPECT_EQ(resolved.unfit.size(), 1u);
  EXPECT_THAT(lines(resolved.notes), ElementsAre(HasSubstr("deliveries signed with it are refused")));
}

TEST_F(SecretsTest, ACredentialIsAFileInTheFolderThatSystemdNames) {
  const std::string path = file(std::string(kGood) + "\n");
  const std::string name = std::filesystem::path(path).filename();
  const auto resolved =
      resolve_secrets(with("credential: " + name), variables({{"CREDENTIALS_DIRECTORY", folder_.string()}}));
  EXPECT_THAT(resolved.webhooks.at("hook").values, ElementsAre(kGood));
  const auto both = resolve_secrets(with("credentials: [new, " + name + "]"),
                                    variables({{"CREDENTIALS_DIRECTORY", folder_.string()}}));
  EXPECT_THAT(both.webhooks.at("hook").numbers, ElementsAre(2));
  EXPECT_THAT(lines(both.notes), Contains(HasSubstr("/new cannot be read")));
  const auto elsewhere = resolve_secrets(with("credential: " + name), variables({}));
  EXPECT_THAT(lines(elsewhere.notes), ElementsAre(HasSubstr("CREDENTIALS_DIRECTORY is not set")));
  EXPECT_THAT(elsewhere.webhooks.at("hook").faults, HasSubstr("the credential " + name));
}

TEST_F(SecretsTest, ACredentialHasANameAndNoFolderAndStandsAlone) {
  for (const char* webhook : {"credential: ../secret", "credential: s, secret_env: S", "credentials: []",
                              "credential: s, allow_unsigned: true"}) {
    EXPECT_EQ(parse_config("webhooks:\n  hook: {" + std::string(webhook) + "}\n", "f").messages().size(), 1u)
        << webhook;
  }
  const LoadedConfig granted = parse_config("webhooks:\n  hook: {grants: {api: {credential: api}}}\n", "f");
  ASSERT_TRUE(granted.ok());
  EXPECT_EQ(granted.config.webhooks.at("hook").grants.at("api").kind, SecretSource::Kind::Credential);
}

TEST_F(SecretsTest, AFileOpenToEveryoneIsAMistakeWithItsMode) {
  for (const unsigned mode : {0644u, 0604u, 0606u, 0602u}) {
    const auto said =
        lines(resolve_secrets(with("secret_file: " + file(kGood, mode)), variables({})).mistakes);
    char text[8];
    std::snprintf(text, sizeof text, "%04o", mode);
    EXPECT_THAT(said, ElementsAre(AllOf(HasSubstr("mode " + std::string(text)), HasSubstr("chmod 0600"))));
  }
  EXPECT_THAT(resolve_secrets(with("secret_file: " + file(kGood, 0640)), variables({})).mistakes, IsEmpty());
}

TEST_F(SecretsTest, ALineBreakAtTheEndIsCutOffWithANote) {
  const auto resolved =
      resolve_secrets(with("secret_file: " + file(std::string(kGood) + "\r\n")), variables({}));
  EXPECT_THAT(resolved.webhooks.at("hook").values, ElementsAre(kGood));
  EXPECT_THAT(lines(resolved.notes), ElementsAre(HasSubstr("ends with a line break")));
}

TEST_F(SecretsTest, AFolderIsNoSecret) {
  ::chmod(folder_.c_str(), 0700);
  EXPECT_EQ(resolve_secrets(with("secret_file: " + folder_.string()), variables({})).mistakes.size(), 1u);
}

TEST_F(SecretsTest, DisabledWebhooksNeedNone) {
  const auto resolved = resolve_secrets(with("enabled: false, secret_env: S"), variables({{"S", ""}}));
  EXPECT_THAT(resolved.mistakes, IsEmpty());
  EXPECT_THAT(resolved.notes, IsEmpty());
}

TEST_F(SecretsTest, GrantsAndEnvironmentGoToTheirAgent) {
  const LoadedConfig loaded = parse_config(
      "agents:\n  a: {grants: {api: {env: KEY}, gone: {env: GONE}}, environment: [LANG, MISSING]}\n", "f");
  const auto resolved = resolve_secrets(loaded.config, variables({{"KEY", "k"}, {"LANG", "C"}}));
  EXPECT_EQ(resolved.agent_grants.at("a"), (SecretsByName{{"api", "k"}}));
  EXPECT_EQ(resolved.agent_environment.at("a"), (SecretsByName{{"LANG", "C"}}));
  EXPECT_THAT(
      lines(resolved.notes),
      ElementsAre(
          "f:2: agents.a.grants.gone: the environment variable GONE is not set; the plugin goes without it"));
}

TEST_F(SecretsTest, WhatIsForAllAgentsIsResolvedOnce) {
  const LoadedConfig loaded = parse_config(
      "agent_defaults: {grants: {api: {env: KEY}, gone: {env: GONE}}, environment: [LANG, MISSING]}\n", "f");
  const auto resolved = resolve_secrets(loaded.config, variables({{"KEY", "k"}, {"LANG", "C"}}));
  EXPECT_EQ(resolved.default_grants, (SecretsByName{{"api", "k"}}));
  EXPECT_EQ(resolved.default_environment, (SecretsByName{{"LANG", "C"}}));
  EXPECT_THAT(lines(resolved.notes),
              ElementsAre("f:1: agent_defaults.grants.gone: the environment variable GONE "
                          "is not set; the plugin goes without it"));
}

TEST_F(SecretsTest, TokensAreOptionalButNotShort) {
  const Config config;
  EXPECT_EQ(resolve_secrets(config, variables({})).admin_token, std::nullopt);
  EXPECT_EQ(resolve_secrets(config, variables({{"DAVIT_ADMIN_TOKEN", kGood}})).admin_token, kGood);
  EXPECT_THAT(lines(resolve_secrets(config, variables({{"DAVIT_READER_TOKEN", "short"}})).mistakes),
              ElementsAre(HasSubstr(
                  "auth.reader_token_env: the environment variable DAVIT_READER_TOKEN holds fewer than 16")));
}

TEST_F(SecretsTest, ReadersAreNotGivenTheAdminsToken) {
  const auto resolved =
      resolve_secrets(Config(), variables({{"DAVIT_ADMIN_TOKEN", kGood}, {"DAVIT_READER_TOKEN", std::string(kGood) + "\n"}}));
  EXPECT_THAT(lines(resolved.mistakes),
              ElementsAre(AllOf(HasSubstr("auth.reader_token_env: the environment variable DAVIT_READER_TOKEN holds the "
                                          "admin token, which the environment variable DAVIT_ADMIN_TOKEN has"),
                                Not(HasSubstr(kGood)))));
  EXPECT_THAT(resolve_secrets(Config(), variables({{"DAVIT_ADMIN_TOKEN", kGood},
                                                   {"DAVIT_READER_TOKEN", std::string(kGood) + "0"}}))
                  .mistakes,
              IsEmpty());
}

TEST_F(SecretsTest, ATokenThatNoRequestCanShowIsRefused) {
  const std::string good = "0123456789abcdef";
  for (const auto& [token, why] : std::map<std::string, std::string>{
           {" " + good, "begins or ends with a blank"},
           {good + " ", "begins or ends with a blank"},
           {good + "\t\n", "begins or ends with a blank"},
           {"correct horse battery", "has a blank in it"},
           {good + "\n" + good, "has a line break or another control character in it"},
           {good + "\x7f", "has a line break or another control character in it"},
           {good + "\xc3\xa4", "has a character in it that is not ASCII"}}) {
    SCOPED_TRACE(why);
    for (const char* variable : {"DAVIT_ADMIN_TOKEN", "DAVIT_READER_TOKEN"}) {
      const auto resolved = resolve_secrets(Config(), variables({{variable, token}}));
      EXPECT_THAT(lines(resolved.mistakes),
                  ElementsAre(AllOf(HasSubstr(std::string("the environment variable ") + variable + " " + why),
                                    Not(HasSubstr(good)), Not(HasSubstr("correct horse")))));
      EXPECT_EQ(resolved.admin_token, std::nullopt);
      EXPECT_EQ(resolved.reader_token, std::nullopt);
    }
  }
  for (const std::string& token : {good + "\n", good + "\r\n", std::string("!\"#$%&'()*+,-./:;<=>?@[]^_`{|}~")})
    EXPECT_THAT(resolve_secrets(Config(), variables({{"DAVIT_ADMIN_TOKEN", token}})).mistakes, IsEmpty());
}

}  // namespace
}  // namespace davit::config
