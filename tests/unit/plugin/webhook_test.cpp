#include "host/plugin/webhook.h"

#include <gtest/gtest.h>

#include <thread>

#include "host/base/json.h"
#include "tests/unit/plugin/support.h"

namespace davit::plugin {
namespace {

using test::delivery;

std::shared_ptr<const PluginModule> load(const std::filesystem::path& file) {
  auto loaded = PluginModule::load(file);
  if (auto* refusal = std::get_if<Refusal>(&loaded)) {
    ADD_FAILURE() << refusal->code << ": " << refusal->reason;
    return nullptr;
  }
  return std::get<0>(loaded);
}

class WebhookInstanceTest : public testing::Test {
 protected:
  Result<std::shared_ptr<WebhookInstance>> create(std::string config, std::size_t offer = 0,
                                                  std::string library = "good_webhook") {
    settings_.instance = "good";
    settings_.config = std::move(config);
    module_ = load(library == "good_webhook" ? test::good_plugin(library) : test::broken_plugin(library));
    if (!module_) return Error{ErrorCode::Internal, "not loaded"};
    return WebhookInstance::create(module_, module_->report().offers[offer], settings_, *log_, clock_,
                                   trail_);
  }
  Result<HookOutcome> run(std::string mode, std::string body = "{\"a\":1}",
                          Duration time = Duration(60'000)) {
    auto instance = create("{\"mode\":\"" + mode + "\"}");
    if (!instance) return instance.error();
    return (*instance)->run(VerifiedDeliveryMaker::make(delivery(std::move(body)), "d-1", false),
                            clock_.monotonic() + time);
  }

  std::unique_ptr<Log> log_ = Log::silent();
  SystemClock clock_;
  WebhookSettings settings_;
  std::shared_ptr<const PluginModule> module_;
  Breadcrumb* trail_ = nullptr;
};

TEST_F(WebhookInstanceTest, AnswersWithTheTasksThePluginAsksFor) {
  auto outcome = run("echo", "{\"issue\":7}");
  ASSERT_TRUE(outcome.ok()) << outcome.error().message;
  EXPECT_EQ(outcome->answer.status, AnswerStatus::Queued);
  ASSERT_EQ(outcome->answer.tasks.size(), 1u);
  EXPECT_EQ(outcome->answer.tasks[0].agent, "command-agent");
  EXPECT_EQ(outcome->answer.tasks[0].payload, "{\"issue\":7}");
  EXPECT_EQ(outcome->answer.actor->login, "ada");
}

TEST_F(WebhookInstanceTest, IgnoringIsAnAnswerWithItsReason) {
  auto ignored = run("ignore");
  ASSERT_TRUE(ignored.ok());
  EXPECT_EQ(ignored->answer.status, AnswerStatus::Ignored);
  EXPECT_EQ(ignored->answer.message, "no news is good news");
  auto declined = run("decline");
  ASSERT_TRUE(declined.ok());
  EXPECT_EQ(declined->answer.message, "the label is missing");
}

TEST_F(WebhookInstanceTest, FailuresKeepTheirCodeAndThePluginsSentence) {
  auto invalid = run("invalid");
  ASSERT_FALSE(invalid.ok());
  EXPECT_EQ(invalid.error().code, ErrorCode::InvalidInput);
  EXPECT_EQ(invalid.error().message, "the body has no action");
  auto limited = run("limited");
  ASSERT_FALSE(limited.ok());
  EXPECT_EQ(limited.error().code, ErrorCode::RateLimited);
  auto silent = run("no_sentence");
  ASSERT_FALSE(silent.ok());
  EXPECT_EQ(silent.error().code, ErrorCode::Permanent);
  EXPECT_NE(silent.error().message.find("handle"), std::string::npos);
}

TEST_F(WebhookInstanceTest, AnswersThatBreakTheContractAreInternalErrors) {
  for (const char* mode : {"garbage", "huge"}) {
    auto outcome = run(mode);
    ASSERT_FALSE(outcome.ok()) << mode;
    EXPECT_EQ(outcome.error().code, ErrorCode::Internal) << mode;
  }
  // parse_payload promises JSON; the echo hands the body on as it is.
  auto outcome = run("echo", "not json");
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code, ErrorCode::Internal);
}

TEST_F(WebhookInstanceTest, AHookThatReturnsTooLateMissedItsDeadline) {
  auto outcome = run("slow", "{}", Duration(20));
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code, ErrorCode::Deadline);
  EXPECT_TRUE(run("slow").ok());
}

TEST_F(WebhookInstanceTest, ExceptionsOfHooksBecomeErrors) {
  auto instance = create("{}", 0, "hooks_throw");
  ASSERT_TRUE(instance.ok()) << instance.error().message;
  auto outcome = (*instance)->run(VerifiedDeliveryMaker::make(delivery("{}"), "d", false),
                                  clock_.monotonic() + Duration(60'000));
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code, ErrorCode::Internal);
  EXPECT_NE(outcome.error().message.find("thrown by parse_payload"), std::string::npos)
      << outcome.error().message;
}

TEST_F(WebhookInstanceTest, CreateSaysWhatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {{"missing_required_hook", "handle"},
                                                       {"create_fails", "the sender's API key is missing"},
                                                       {"create_overruns", "room"},
                                                       {"create_small_struct", "smaller"}};
  for (const auto& [library, text] : cases) {
    auto instance = create("{}", 0, library);
    ASSERT_FALSE(instance.ok()) << library;
    EXPECT_NE(instance.error().message.find(text), std::string::npos) << instance.error().message;
  }
}

TEST_F(WebhookInstanceTest, AConfigThatTheSchemaRefusesNeverReachesThePlugin) {
  auto instance = create("{\"mood\":\"echo\"}");
  ASSERT_FALSE(instance.ok());
  EXPECT_EQ(instance.error().code, ErrorCode::InvalidInput);
  EXPECT_NE(instance.error().message.find("mood"), std::string::npos) << instance.error().message;
}

TEST_F(WebhookInstanceTest, ThePluginsOwnCheckSeesTheSecrets) {
  settings_.secrets = {"new-secret", "old-secret"};
  auto instance = create("{}", 1);
  ASSERT_TRUE(instance.ok()) << instance.error().message;
  auto check = [&](std::vector<std::pair<std::string, std::string>> headers) {
    return (*instance)->validate_signature(delivery("{}", std::move(headers)),
                                           clock_.monotonic() + Duration(60'000));
  };
  EXPECT_TRUE(check({{"X-Plain-Secret", "old-secret"}}).ok());
  auto refused = check({{"X-Plain-Secret", "guess"}});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::Unauthorized);
  EXPECT_FALSE(check({}).ok());
}

TEST_F(WebhookInstanceTest, AnUnverifiedAnswerIsAResponseAndNothingElse) {
  auto instance = create("{\"mode\":\"challenge\"}");
  ASSERT_TRUE(instance.ok());
  auto answer = (*instance)->answer_unverified(delivery("{}"), clock_.monotonic() + Duration(60'000));
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  ASSERT_TRUE(answer->has_value());
  EXPECT_EQ((*answer)->http->body, "challenge-word");
  EXPECT_TRUE((*answer)->tasks.empty());
  auto silent = create("{}");
  EXPECT_FALSE(
      (*silent)->answer_unverified(delivery("{}"), clock_.monotonic() + Duration(60'000))->has_value());
}

TEST_F(WebhookInstanceTest, TheDeliveryIdIsFoundInThePayloadWhereTheMetadataPointsThere) {
  auto instance = create("{}", 1);
  ASSERT_TRUE(instance.ok());
  auto id = [&](std::string body) {
    return (*instance)
        ->run(VerifiedDeliveryMaker::make(delivery(std::move(body)), "body:x", true),
              clock_.monotonic() + Duration(60'000))
        ->payload_delivery_id;
  };
  EXPECT_EQ(id(R"({"event":{"id":"Ev123"}})"), "Ev123");
  EXPECT_EQ(id(R"({"event":{"id":123}})"), "123");
  EXPECT_EQ(id(R"({"event":{"id":"has blank"}})"), "");
  EXPECT_EQ(id(R"({"event":{}})"), "");
  EXPECT_EQ(id(R"({"event":[1]})"), "");
}

TEST_F(WebhookInstanceTest, ManyHeadersReachThePlugin) {
  settings_.secrets = {"the-secret"};
  auto instance = create("{}", 1);
  std::vector<std::pair<std::string, std::string>> headers;
  for (int i = 0; i < 200; ++i) headers.emplace_back("X-" + std::to_string(i), "v");
  headers.emplace_back("X-Plain-Secret", "the-secret");
  EXPECT_TRUE(
      (*instance)->validate_signature(delivery("{}", headers), clock_.monotonic() + Duration(60'000)).ok());
}

TEST_F(WebhookInstanceTest, ThreadsMayCallAtOnce) {
  auto instance = create("{}");
  ASSERT_TRUE(instance.ok());
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        auto outcome = (*instance)->run(VerifiedDeliveryMaker::make(delivery("{\"n\":1}"), "d", false),
                                        clock_.monotonic() + Duration(60'000));
        if (outcome.ok() && outcome->answer.tasks.size() == 1) ++good;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 800);
}

// Remembers what was noted.
struct ListTrail final : Breadcrumb {
  std::size_t enter(const CallNote& note) override {
    calls.emplace_back(note.call);
    return ++open;
  }
  void loaded(std::string_view, std::string_view, const std::filesystem::path&) override {}
  void leave(std::size_t) override { --open; }
  std::vector<std::string> calls;
  std::size_t open = 0;
};

TEST_F(WebhookInstanceTest, EveryCallLeavesATrailAndTakesItAway) {
  ListTrail trail;
  trail_ = &trail;
  {
    auto instance = create("{}");
    ASSERT_TRUE(instance.ok());
    ASSERT_TRUE((*instance)
                    ->run(VerifiedDeliveryMaker::make(delivery("{}"), "d", false),
                          clock_.monotonic() + Duration(60'000))
                    .ok());
  }
  EXPECT_EQ(trail.calls,
            (std::vector<std::string>{"create", "parse_payload", "should_process", "handle", "destroy"}));
  EXPECT_EQ(trail.open, 0u);
}

}  // namespace
}  // namespace davit::plugin
