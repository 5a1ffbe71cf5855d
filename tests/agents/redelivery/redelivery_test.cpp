// The redelivery agent against a GitHub of this machine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <thread>

#include "child_process/child_process.h"
#include "tests/agents/github_api/fake_github.h"
#include "tests/agents/github_api/state_folder.h"
#include "tests/agents/redelivery/redelivery_config.h"

namespace {

using namespace davit::testing;
using agent_run::Got;
using davit::Json;
using davit::JsonView;
using davit::Status;
using redelivery_test::config_for;
using std::chrono::hours;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kAttempts = "/attempts";

class RedeliveryAgentTest : public testing::Test {
 protected:
  Got run() {
    given_.now = std::chrono::floor<std::chrono::milliseconds>(fake_.time().now());
    Got got = agent_run::run(given_);
    EXPECT_THAT(got.all, Not(HasSubstr(FakeGithub::kToken)));
    return got;
  }
  // The result of an execution that gives one; lives as long as the test.
  const Json& result() {
    Got got = run();
    EXPECT_EQ(got.status, Status::Ok) << got.why;
    return results_.emplace_back(std::move(got.result));
  }
  // Deliveries that were asked for, in their order.
  std::vector<std::string> asked_for() const {
    std::vector<std::string> ids;
    for (const std::string& line : fake_.journal()) {
      if (!line.starts_with("POST ") || !line.ends_with(kAttempts)) continue;
      const std::string path = line.substr(0, line.size() - std::string(kAttempts).size());
      ids.push_back(path.substr(path.rfind('/') + 1));
    }
    return ids;
  }

  const davit::testing::StateFolder state_;
  FakeGithub fake_;
  std::deque<Json> results_;
  agent_run::Given given_ = redelivery_test::given_for(fake_.api(), state_.path());
};

TEST_F(RedeliveryAgentTest, AsksForEachMissedDeliveryOnce) {
  fake_.add_delivery(1, "missed", 502);
  fake_.add_delivery(2, "came", 200);
  fake_.add_delivery(3, "came-later", 500);
  fake_.add_delivery(4, "came-later", 200, true);
  fake_.add_delivery(5, "missed-too", 0);
  const Json first = result();
  EXPECT_TRUE(first["success"].bool_or(false)) << first.dump();
  EXPECT_THAT(asked_for(), ElementsAre("1", "5"));
  EXPECT_EQ(first.at_pointer("/output/asked").int_or(0), 2);
  EXPECT_EQ(first.at_pointer("/output/hooks/0/listed").int_or(0), 5);
  EXPECT_EQ(first.at_pointer("/output/hooks/0/missed").int_or(0), 2);

  EXPECT_EQ(result().at_pointer("/output/asked").int_or(-1), 0);
  EXPECT_THAT(asked_for(), ElementsAre("1", "5"));
}

TEST_F(RedeliveryAgentTest, AsksOnceAlsoWhileTheListDoesNotShowIt) {
  fake_.add_delivery(1, "missed", 502);
  const std::string before = R"([{"id":1,"guid":"missed","delivered_at":"2026-11-26T09:30:00Z",
                                  "redelivery":false,"status_code":502}])";
  result();
  fake_.fail("GET", "/repos/acme/shop/hooks/5/deliveries", {.status = 200, .body = before}, 2);
  EXPECT_EQ(result().at_pointer("/output/hooks/0/asked_before").int_or(0), 1);
  fake_.time().sleep(hours(5));
  EXPECT_EQ(result().at_pointer("/output/hooks/0/asked_before").int_or(0), 1);
  EXPECT_THAT(asked_for(), ElementsAre("1"));
}

TEST_F(RedeliveryAgentTest, WhatFailsAgainIsLeftAlone) {
  fake_.add_delivery(1, "refused", 401);
  fake_.add_delivery(2, "refused", 401, true);
  const Json json = result();
  EXPECT_THAT(asked_for(), IsEmpty());
  EXPECT_EQ(json.at_pointer("/output/hooks/0/failed_again").int_or(0), 1);
}

TEST_F(RedeliveryAgentTest, LooksAtAllPagesButNoFurtherBackThanItShall) {
  fake_.add_delivery(1, "too-old", 502);
  fake_.time().sleep(hours(73));
  fake_.add_delivery(2, "missed", 502);
  for (int id = 3; id < 153; ++id) fake_.add_delivery(id, "came-" + std::to_string(id), 200);
  const Json json = result();
  EXPECT_THAT(asked_for(), ElementsAre("2"));
  EXPECT_EQ(json.at_pointer("/output/hooks/0/listed").int_or(0), 151);
}

TEST_F(RedeliveryAgentTest, AsksForNoMoreThanItMayTheOldestFirst) {
  for (int id = 1; id < 4; ++id) fake_.add_delivery(id, "missed-" + std::to_string(id), 502);
  Json config = Json::parse(given_.config);
  given_.config = config.set("most", 1).dump();
  const Json json = result();
  EXPECT_THAT(asked_for(), ElementsAre("1"));
  EXPECT_EQ(json.at_pointer("/output/hooks/0/left").int_or(0), 2);
}

TEST_F(RedeliveryAgentTest, AsksForNothingShortBeforeItsDeadline) {
  fake_.add_delivery(1, "missed", 502);
  given_.remaining = std::chrono::seconds(20);
  EXPECT_EQ(result().at_pointer("/output/hooks/0/left").int_or(0), 1);
  EXPECT_THAT(asked_for(), IsEmpty());
}

TEST_F(RedeliveryAgentTest, StopsAtTheRateLimit) {
  fake_.add_delivery(1, "missed-1", 502);
  fake_.add_delivery(2, "missed-2", 502);
  fake_.limit_to(2, hours(1));  // the list, and one of them
  const Got outcome = run();
  EXPECT_EQ(outcome.status, Status::RateLimited);
  ASSERT_TRUE(outcome.retry_after);
  EXPECT_GT(*outcome.retry_after, minutes(59));
  EXPECT_THAT(fake_.delivered(), ElementsAre("missed-1", "missed-2", "missed-1"));
}

TEST_F(RedeliveryAgentTest, ARefusalForTheLimitIsNoDoubt) {
  fake_.add_delivery(1, "missed", 502);
  fake_.fail(
      "POST", "/repos/acme/shop/hooks/5/deliveries/1",
      {.status = 403, .body = R"({"message":"secondary rate limit"})", .head = "Retry-After: 3600\r\n"});
  EXPECT_EQ(run().status, Status::RateLimited);
  std::filesystem::remove_all(state_.path() / "github");  // as if the hour were over
  EXPECT_EQ(result().at_pointer("/output/asked").int_or(0), 1);
}

TEST_F(RedeliveryAgentTest, WhatMayHaveBeenTakenIsAskedForAgainOnlyWhenTheListDoesNotComeToShowIt) {
  fake_.add_delivery(1, "missed", 502);
  fake_.fail("POST", "/repos/acme/shop/hooks/5/deliveries/1", {.kind = Fault::Kind::Reset});
  const Json failed = result();
  EXPECT_FALSE(failed["success"].bool_or(true));
  EXPECT_EQ(failed["error_class"].string_or(""), "retryable");
  EXPECT_EQ(result().at_pointer("/output/hooks/0/asked_before").int_or(0), 1) << "it is in doubt";
  fake_.time().sleep(minutes(11));
  EXPECT_EQ(result().at_pointer("/output/asked").int_or(0), 1);
}

TEST_F(RedeliveryAgentTest, WhatWasTakenInSpiteOfA500IsNotAskedForAgain) {
  fake_.add_delivery(1, "missed", 502);
  fake_.fail("POST", "/repos/acme/shop/hooks/5/deliveries/1", {.kind = Fault::Kind::DoneBut500});
  EXPECT_FALSE(result()["success"].bool_or(true));
  fake_.time().sleep(minutes(11));
  EXPECT_EQ(result().at_pointer("/output/hooks/0/missed").int_or(-1), 0);
  EXPECT_THAT(fake_.delivered(), ElementsAre("missed", "missed"));
}

TEST_F(RedeliveryAgentTest, AHookThatIsGoneKeepsNoOtherFromBeingServed) {
  fake_.add_delivery(1, "missed", 502);
  given_.config = config_for(fake_.api(), Json::array({Json::object({{"repository", "acme/shop"}, {"id", 9}}),
                                                       Json::object({{"organization", "acme"}, {"id", 5}})}));
  const Json json = result();
  EXPECT_FALSE(json["success"].bool_or(true));
  EXPECT_EQ(json["error_class"].string_or(""), "permanent");
  EXPECT_THAT(std::string(json["error"].string_or("")), HasSubstr("acme/shop, hook 9: "));
  EXPECT_EQ(json.at_pointer("/output/hooks/1/asked").int_or(0), 1);
}

TEST_F(RedeliveryAgentTest, WithoutTheRightItEndsSoonAndSaysWhatGithubSays) {
  for (int id = 1; id < 6; ++id) fake_.add_delivery(id, "missed-" + std::to_string(id), 502);
  fake_.fail("POST", "/repos/acme/shop/hooks/5/deliveries",
             {.status = 422, .body = R"({"message":"Hooks are not yours"})"}, 100);
  const Json json = result();
  EXPECT_EQ(asked_for().size(), 3u);
  EXPECT_THAT(std::string(json["error"].string_or("")), HasSubstr("Hooks are not yours"));
  EXPECT_EQ(json.at_pointer("/output/hooks/0/left").int_or(0), 5);
}

TEST_F(RedeliveryAgentTest, AnAppLooksAfterItsOwnHook) {
  const FakeApp app;
  fake_.take_app(app);
  fake_.add_delivery(1, "missed", 502);
  Json config = Json::parse(config_for(fake_.api(), Json::array({Json::object({{"app", true}})})));
  config.set("github",
             Json::object(
                 {{"api", fake_.api()}, {"app_id", FakeApp::kId}, {"installation", FakeApp::kInstallation}}));
  given_.config = config.dump();
  given_.secrets["github_app_key"] = app.key();
  EXPECT_EQ(result().at_pointer("/output/asked").int_or(0), 1);
  EXPECT_EQ(fake_.journal().back(), "POST /app/hook/deliveries/1/attempts");
}

TEST_F(RedeliveryAgentTest, ADamagedFileOfWhatWasAskedForStopsNothing) {
  fake_.add_delivery(1, "missed", 502);
  result();
  int files = 0;
  for (const auto& file : std::filesystem::directory_iterator(state_.path() / "redelivery")) {
    if (file.path().extension() != ".json") continue;
    std::filesystem::resize_file(file.path(), std::filesystem::file_size(file) / 2);
    ++files;
  }
  EXPECT_EQ(files, 1);
  EXPECT_TRUE(result()["success"].bool_or(false));
}

TEST_F(RedeliveryAgentTest, RefusesWithASentenceWhatItCannotDo) {
  given_.secrets.clear();
  Got got = run();
  EXPECT_EQ(got.status, Status::Ignored);
  EXPECT_THAT(got.why, HasSubstr("grant github_token"));
  given_.config = "{}";
  got = run();
  EXPECT_EQ(got.status, Status::Ignored);
  EXPECT_THAT(got.why, HasSubstr("config.hooks names no hook"));
  EXPECT_THAT(fake_.journal(), IsEmpty());
}

TEST_F(RedeliveryAgentTest, AConfigThatMakesNoSenseIsRefused) {
  for (const char* config :
       {R"({"hooks":[{"repository":"acme/shop"}]})", R"({"hooks":[{"repository":"shop","id":5}]})",
        R"({"hooks":[{"id":5}]})", R"({"hooks":[{"app":true,"id":5}]})",
        R"({"hooks":[{"repository":"acme/shop","organization":"acme","id":5}]})",
        R"({"hooks":[{"repository":"acme/..","id":5}]})", R"({"most":0})", R"({"lookback_hours":100})",
        R"({"github":{"api":"http://github.example"}})", R"({"github":{"token":"x"}})"}) {
    given_.config = config;
    EXPECT_THROW(agent_run::run(given_), davit::Failure) << config;
  }
}

// Lists one delivery that failed, and never says whether it took the wish for another.
class SilentGithub {
 public:
  std::atomic<bool> shows = false;  // the list has the delivery that was asked for

  std::string api() const { return server_.url(""); }
  int asked() const {
    const std::vector<Asked> seen = server_.seen();
    return static_cast<int>(
        std::count_if(seen.begin(), seen.end(), [](const Asked& one) { return one.method == "POST"; }));
  }

 private:
  LoopbackServer server_{[this](const Asked& asked, Wire& wire) {
    const std::string first =
        R"({"id":1,"guid":"g","delivered_at":"2026-11-26T09:30:00Z","status_code":502})";
    const std::string again =
        R"({"id":2,"guid":"g","delivered_at":"2026-11-26T09:31:00Z","status_code":200,"redelivery":true},)";
    if (asked.method == "GET") return wire.answer(200, "[" + (shows ? again : "") + first + "]");
    wire.until_gone();
  }};
};

TEST_F(RedeliveryAgentTest, KilledBetweenAskingAndNotingAsksOnce) {
  SilentGithub github;
  child::Program program;
  program.path = std::string(DAVIT_BUILD_DIR) + "/tests/redeliver_once";
  program.arguments = {"redeliver_once", github.api(), state_.path().string()};
  child::ChildProcess process(program, "");
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (github.asked() == 0 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  process.signal(SIGKILL);
  const int status = process.finish();
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
  ASSERT_EQ(github.asked(), 1);

  given_.config = config_for(github.api());
  EXPECT_EQ(result().at_pointer("/output/hooks/0/asked_before").int_or(0), 1) << "the list lags";
  github.shows = true;
  fake_.time().sleep(minutes(11));
  EXPECT_EQ(result().at_pointer("/output/hooks/0/missed").int_or(-1), 0);
  EXPECT_EQ(github.asked(), 1);
}

}  // namespace
