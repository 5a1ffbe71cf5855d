// The shared block `github` of agents' configs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "davit/failure.hpp"
#include "davit/testing/fake_host.hpp"
#include "github_account/settings.h"

namespace {

using davit::Failure;
using davit::Json;
using davit::testing::FakeHost;
using github::Account;
using github::Settings;
using testing::ElementsAre;
using testing::IsEmpty;

class GithubAccountTest : public testing::Test {
 protected:
  Account account(const char* config, const github::Repo& repo = {}) {
    const Json json = Json::parse(config);
    return Settings::from(json).account(davit::Host(host_.abi()), "/state", repo);
  }
  FakeHost host_;
};

TEST_F(GithubAccountTest, IsThatOfTheTokenByDefault) {
  host_.secrets = {{"github_token", "ghs_1"}, {"github_app_key", "key"}};
  for (const char* config : {"null", "{}", R"({"git_url": "https://github.com"})"}) {
    const Account all = account(config);
    EXPECT_EQ(all.api, "https://api.github.com");
    EXPECT_EQ(all.token, "ghs_1");
    EXPECT_EQ(all.app.id, "");
    EXPECT_EQ(all.state_folder, "/state");
    EXPECT_THAT(github::secrets_of(all), ElementsAre("ghs_1"));
  }
}

TEST_F(GithubAccountTest, OfAnAppHasNoTokenAndIsForOneRepository) {
  host_.secrets = {{"github_token", "ghs_1"}, {"github_app_key", "key"}};
  const Account app = account(R"({"app_id": "12", "installation": 3})", {"acme", "shop"});
  EXPECT_EQ(app.token, "");
  EXPECT_EQ(app.app.id, "12");
  EXPECT_EQ(app.app.key, "key");
  EXPECT_EQ(app.app.installation, 3);
  EXPECT_EQ(app.app.repository.name, "shop");
  EXPECT_EQ(account(R"({"app_id": "Iv1.abc"})").app.id, "Iv1.abc");
  EXPECT_THAT(github::secrets_of(app), ElementsAre("key"));
}

TEST_F(GithubAccountTest, WithoutGrantsHasNoSecrets) {
  EXPECT_EQ(account("{}").token, "");
  EXPECT_EQ(account(R"({"app_id": "1"})").app.key, "");
  EXPECT_THAT(github::secrets_of(account("{}")), IsEmpty());
}

TEST_F(GithubAccountTest, WhatMakesNoSenseIsRefused) {
  for (const char* config : {"[]", R"({"api": "http://github.example"})", R"({"api": 7})",
                             R"({"app_id": ""})", R"({"app_id": 12})", R"({"git_url": 7})",
                             R"({"installation": 0})", R"({"installation": "3"})", R"({"token": "ghs_1"})"})
    EXPECT_THROW(account(config), Failure) << config;
}

}  // namespace
