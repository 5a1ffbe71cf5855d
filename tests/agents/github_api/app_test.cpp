// GitHub Apps: proofs, and the tokens they are exchanged for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "davit/failure.hpp"
#include "github_api/api.h"
#include "tests/agents/github_api/fake_github.h"
#include "tests/agents/github_api/state_folder.h"

namespace {

using namespace github;
using davit::Failure;
using davit::Json;
using davit::Status;
using davit::testing::FakeApp;
using davit::testing::FakeGithub;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class GithubAppTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { app_ = std::make_unique<FakeApp>(); }
  static void TearDownTestSuite() { app_.reset(); }

  GithubAppTest() { fake_.take_app(*app_); }

  AppAccount account() const {
    return {.id = FakeApp::kId,
            .key = app_->key(),
            .repository = shop_,
            .permissions = {{"contents", "write"}, {"pull_requests", "write"}}};
  }
  Api api(AppAccount account) {
    return Api({.api = fake_.api(), .token = "", .app = std::move(account), .state_folder = state_.path()},
               {},
               {.now = [&] { return fake_.time().now(); },
                .sleep = [&](std::chrono::milliseconds nap) { fake_.time().sleep(nap); }});
  }
  template <class Call>
  Failure failure_of(Call call) const {
    try {
      call();
    } catch (const Failure& failure) {
      EXPECT_THAT(failure.what(), Not(HasSubstr("eyJ"))) << "a proof is told";
      EXPECT_THAT(failure.what(), Not(HasSubstr("ghs_")));
      EXPECT_THAT(failure.what(), Not(HasSubstr("PRIVATE")));
      return failure;
    }
    ADD_FAILURE() << "nothing failed";
    return Failure::internal("nothing failed");
  }
  long tokens_made() const {
    const std::vector<std::string> journal = fake_.journal();
    return std::count(journal.begin(), journal.end(), "POST /app/installations/987/access_tokens");
  }

  static std::unique_ptr<FakeApp> app_;
  const davit::testing::StateFolder state_;
  FakeGithub fake_;
  const Repo shop_{"acme", "shop"};
};

std::unique_ptr<FakeApp> GithubAppTest::app_;

TEST_F(GithubAppTest, ATokenIsMadeNarrowedAndUsed) {
  Api api = this->api(account());
  EXPECT_EQ(api.repository(shop_).id, 77);
  EXPECT_THAT(fake_.journal(),
              ElementsAre("GET /repos/acme/shop/installation", "POST /app/installations/987/access_tokens",
                          "GET /repos/acme/shop"));
  EXPECT_EQ(fake_.asked_token().dump(),
            R"({"repositories":["shop"],"permissions":{"contents":"write","pull_requests":"write"}})");
  api.repository(shop_);
  EXPECT_EQ(api.token(), "ghs_installation1") << "git gets the same";
  EXPECT_EQ(tokens_made(), 1);
}

TEST_F(GithubAppTest, AnInstallationThatIsNamedIsNotLookedFor) {
  Api api = this->api({.id = FakeApp::kId, .key = app_->key(), .installation = FakeApp::kInstallation});
  api.repository(shop_);
  EXPECT_EQ(fake_.journal().front(), "POST /app/installations/987/access_tokens");
  EXPECT_EQ(fake_.asked_token().dump(), "{}");
}

TEST_F(GithubAppTest, ATokenIsRefreshedBeforeItEnds) {
  Api api = this->api(account());
  api.repository(shop_);
  fake_.time().sleep(minutes(54));
  api.repository(shop_);
  EXPECT_EQ(tokens_made(), 1);
  fake_.time().sleep(minutes(2));
  api.repository(shop_);
  EXPECT_EQ(tokens_made(), 2) << "it has less than five minutes left";
}

TEST_F(GithubAppTest, AfterA401ThereIsOneNewToken) {
  Api api = this->api(account());
  api.repository(shop_);
  fake_.revoke_tokens();
  const int number = fake_.add_issue("x", "");
  api.ensure_comment(shop_, number, "m", "Hello");
  EXPECT_EQ(tokens_made(), 2);
  EXPECT_EQ(fake_.comments(number).size(), 1u);

  fake_.fail("GET", "/repos/acme/shop", {.status = 401, .body = "{\"message\":\"Bad credentials\"}"}, 2);
  EXPECT_EQ(failure_of([&] { api.repository(shop_); }).status(), Status::Unauthorized);
  EXPECT_EQ(tokens_made(), 3);
}

TEST_F(GithubAppTest, UsesTheServersClock) {
  for (const auto ahead : {hours(-3), hours(3)}) {
    FakeGithub fake;
    fake.take_app(*app_);
    fake.run_ahead(ahead);
    const davit::testing::StateFolder state;
    Api api({.api = fake.api(), .token = "", .app = account(), .state_folder = state.path()}, {},
            {.now = [&] { return fake.time().now(); },
             .sleep = [&](std::chrono::milliseconds nap) { fake.time().sleep(nap); }});
    EXPECT_EQ(api.repository(shop_).id, 77);
    EXPECT_THAT(fake.journal(),
                ElementsAre("GET /repos/acme/shop/installation", "GET /repos/acme/shop/installation",
                            "POST /app/installations/987/access_tokens", "GET /repos/acme/shop"))
        << "the first refusal tells GitHub's time, and one is enough";
    fake.time().sleep(minutes(54));
    api.repository(shop_);
    EXPECT_EQ(fake.journal().back(), "GET /repos/acme/shop");
    EXPECT_EQ(fake.journal().size(), 5u) << "when the token ends is by that clock, too";
  }
}

TEST_F(GithubAppTest, AnAppWritesAsItsBot) {
  Api api = this->api(account());
  EXPECT_EQ(api.me().id, FakeGithub::kDavit);
  const std::vector<std::string> journal = fake_.journal();
  EXPECT_EQ(journal.back(), "GET /users/davit-app%5Bbot%5D");
  const int number = fake_.add_issue("x", "");
  api.ensure_comment(shop_, number, "m", "One");
  api.ensure_comment(shop_, number, "m", "Two");
  EXPECT_THAT(fake_.comments(number), ElementsAre("Two\n\n<!-- davit:m -->"));
}

TEST_F(GithubAppTest, TheAppsOwnHookIsAskedForAsTheApp) {
  fake_.add_delivery(1, "g1", 502);
  Api api = this->api(account());
  const DeliveryPage page = api.deliveries({});
  ASSERT_EQ(page.deliveries.size(), 1u);
  api.redeliver({}, 1);
  EXPECT_THAT(fake_.delivered(), ElementsAre("g1", "g1"));
  EXPECT_EQ(tokens_made(), 0);
}

TEST_F(GithubAppTest, AnotherAppsKeyIsRefusedOnceMore) {
  const FakeApp other;
  AppAccount wrong = account();
  wrong.key = other.key();
  Api api = this->api(wrong);
  const Failure failure = failure_of([&] { api.repository(shop_); });
  EXPECT_EQ(failure.status(), Status::Unauthorized);
  EXPECT_THAT(failure.what(), HasSubstr("the GitHub App's id or key is wrong"));
  EXPECT_EQ(fake_.journal().size(), 2u);
}

TEST_F(GithubAppTest, AKeyInOneLineIsRead) {
  AppAccount one_line = account();
  for (std::size_t at; (at = one_line.key.find('\n')) != std::string::npos;)
    one_line.key.replace(at, 1, "\\n");
  EXPECT_EQ(api(one_line).repository(shop_).id, 77);
}

TEST_F(GithubAppTest, WhatIsNoKeyIsRefusedWithoutTellingIt) {
  const FakeApp small(1024);
  for (const std::string& key : {std::string("PRIVATE rubbish"), small.key(), std::string("ghs_x")}) {
    AppAccount wrong = account();
    wrong.key = key;
    const Failure failure = failure_of([&] { api(wrong).repository(shop_); });
    EXPECT_EQ(failure.status(), Status::Permanent);
    EXPECT_THAT(failure.what(), HasSubstr("no RSA key in PEM"));
  }
  EXPECT_TRUE(fake_.journal().empty());
}

TEST_F(GithubAppTest, WhatIsMissingIsNamed) {
  AppAccount no_key = account(), nowhere = account();
  no_key.key = "";
  nowhere.repository = {};
  EXPECT_THAT(failure_of([&] { api(no_key); }).what(), HasSubstr("grant github_app_key"));
  EXPECT_THAT(failure_of([&] { api(nowhere); }).what(), HasSubstr("set github.installation"));
}

TEST_F(GithubAppTest, AnAnswerWithoutATokenIsRefused) {
  for (const char* body :
       {"{}", "[]", R"({"token":"ghs_x"})", R"({"token":"","expires_at":"2026-11-26T10:30:00Z"})",
        R"({"token":"ghs_x","expires_at":"tomorrow"})"}) {
    Api api = this->api(account());
    fake_.fail("POST", "/app/installations/987/access_tokens", {.status = 201, .body = body});
    EXPECT_EQ(failure_of([&] { api.repository(shop_); }).status(), Status::Permanent) << body;
  }
}

TEST_F(GithubAppTest, WhatTheInstallationMayNotIsTold) {
  fake_.fail("POST", "/app/installations/987/access_tokens",
             {.status = 422, .body = "{\"message\":\"The permissions requested are not granted\"}"});
  Api api = this->api(account());
  const Failure failure = failure_of([&] { api.repository(shop_); });
  EXPECT_EQ(failure.status(), Status::Permanent);
  EXPECT_THAT(failure.what(), HasSubstr("The permissions requested are not granted"));
}

TEST_F(GithubAppTest, LimitsAreOneForAllTokensOfAnInstallation) {
  const Account narrow{.api = "https://a", .app = account()};
  Account wide = narrow;
  wide.app.permissions = {};
  EXPECT_EQ(limits_name(narrow), limits_name(wide));
  EXPECT_NE(answers_name(narrow), answers_name(wide)) << "what they may see differs";
  Account other = narrow;
  other.app.repository.owner = "else";
  EXPECT_NE(limits_name(narrow), limits_name(other));
}

}  // namespace
