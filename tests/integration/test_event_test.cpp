// Test events in the real program: signed by the host, taken like any other delivery, or only tried.
#include <gmock/gmock.h>

#include "tests/support/hot_host.h"

namespace davit::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class TestEventTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    host.install(kPlugins / "github.so");
    host.install(kPlugins / "command_agent.so");
    host.put("good_webhook.so", kTestPlugins / "good_webhook.so");
    host.configure(
        "webhooks:\n  github: {secret_env: GITHUB_WEBHOOK_SECRET, config: {agent: command-agent}, isolation: " +
        std::string(GetParam()) +
        "}\n  good-own-check: {enabled: true, secret_env: GITHUB_WEBHOOK_SECRET, allow_own_signature_check: true}\n"
        "  off: {plugin: github, enabled: false, secret_env: GITHUB_WEBHOOK_SECRET, config: {agent: command-agent}}\n"
        "agents:\n  command-agent: {config: {command: [/bin/sh, -c, 'echo done']}}\n");
    ASSERT_TRUE(host.start()) << host.log();
  }
  // A recorded delivery of GitHub, asked for as a test event.
  std::string labeled(const std::string& more = "") const {
    std::string text = bytes_of(DAVIT_SOURCE_DIR "/examples/demo/1-issue-labeled.json");
    return R"({"event":"issues","headers":{"X-GitHub-Hook-ID":"1"},"body":)" + text + more + "}";
  }
  JsonDocument test(const std::string& body, const std::string& webhook = "github") {
    answer = host.api("POST", "/api/webhooks/" + webhook + "/test", body);
    auto document = parse_json(answer.body);
    return document.ok() ? std::move(*document) : JsonDocument();
  }
  std::string deliveries() { return host.api("GET", "/api/dashboard/deliveries?webhook=github").body; }

  HotHost host;
  test::RawAnswer answer;
};

TEST_P(TestEventTest, ADryRunShowsWhatWouldComeAndKeepsNothing) {
  const JsonDocument said = test(labeled(R"(,"dry_run":true)"));
  EXPECT_EQ(answer.status, 200) << answer.body << host.log();
  EXPECT_EQ(string_member(said, "verdict"), "queued") << answer.body;
  EXPECT_THAT(answer.body, AllOf(HasSubstr("\"dry_run\":true"), HasSubstr("\"agent\":\"command-agent\"")));
  EXPECT_THAT(deliveries(), HasSubstr("\"deliveries\":[]"));
  EXPECT_THAT(host.api("GET", "/api/dashboard/tasks").body, HasSubstr("\"tasks\":[]"));
}

TEST_P(TestEventTest, IsADeliveryThatIsMarkedEachTimeANewOne) {
  const JsonDocument first = test(labeled());
  EXPECT_EQ(answer.status, 200) << answer.body << host.log();
  EXPECT_EQ(int_member(first, "answered"), 202) << answer.body;
  EXPECT_EQ(string_member(first, "outcome"), "queued");
  const JsonDocument second = test(labeled());
  EXPECT_EQ(string_member(second, "outcome"), "queued") << "the same body again is another event";
  const std::string id = string_member(first, "delivery_id");
  EXPECT_NE(id, string_member(second, "delivery_id"));
  const std::string kept = host.api("GET", "/api/dashboard/deliveries/" + id).body;
  EXPECT_THAT(kept, AllOf(HasSubstr("\"tested_by\":\"admin\""), HasSubstr("\"secret_number\":1"),
                          HasSubstr("\"X-Hub-Signature-256\":\"(removed)\""),
                          HasSubstr("\"X-GitHub-Hook-ID\":\"1\"")));
  EXPECT_THAT(host.api("GET", "/api/dashboard/tasks").body, HasSubstr("\"tasks\":[{"));
  EXPECT_THAT(host.ask({"deliveries", "show", id}).text, HasSubstr("test by admin"));
  EXPECT_THAT(host.log(), AllOf(HasSubstr("A test event was asked for"), Not(HasSubstr("Signature"))));
}

TEST_P(TestEventTest, SaysWhatTheSenderWouldHaveBeenTold) {
  const JsonDocument said = test(R"({"event":"issues","body":"{"})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(int_member(said, "answered"), 400) << answer.body;
  EXPECT_EQ(string_member(said, "outcome"), "malformed");
  test(R"({"event":"issues","body":"{","dry_run":true})");
  EXPECT_EQ(answer.status, 400) << answer.body;
  test(R"({"event":"issues","body":"<x/>","headers":{"Content-Type":"text/xml"},"dry_run":true})");
  EXPECT_EQ(answer.status, 400) << answer.body;
  EXPECT_THAT(answer.body, HasSubstr("Content-Type"));
}

TEST_P(TestEventTest, IsRefusedWithTheReason) {
  struct Row {
    const char *webhook, *body;
    int status;
    const char* words;
  };
  const std::vector<Row> rows = {
      {"nobody", R"({"body":{}})", 404, "there is no webhook named nobody"},
      {"off", R"({"body":{}})", 409, "off does not serve"},
      {"good", R"({"body":{}})", 409, "it has no secret"},
      {"good-own-check", R"({"body":{}})", 409, "checks signatures by itself"},
      {"github", R"({"headers":{}})", 400, "\"field\":\"body\""},
      {"good-own-check", "{}", 400, "gives no sample"},
      {"github", "[]", 400, "must be a JSON object"},
      {"github", "{", 400, "detail"},
      {"github", R"({"body":{},"headers":{"A":1}})", 400, "\"field\":\"headers\""},
      {"github", R"({"body":{},"headers":{"A B":"c"}})", 400, "names no header"},
      {"github", R"({"body":{},"event":7})", 400, "\"field\":\"event\""},
      {"github", R"({"body":{},"dry_run":1,"more":2})", 400, "more\",\"detail\":\"is not a member"},
  };
  for (const Row& row : rows) {
    test(row.body, row.webhook);
    EXPECT_EQ(answer.status, row.status) << row.webhook << ' ' << row.body << answer.body;
    EXPECT_THAT(answer.body, HasSubstr(row.words)) << row.body;
  }
  EXPECT_EQ(host.request("POST", "/api/webhooks/github/test", R"({"body":{}})").status, 401);
  EXPECT_EQ(host.api("GET", "/api/webhooks/github/test").status, 405);
  EXPECT_THAT(deliveries(), HasSubstr("\"deliveries\":[]"));
}

// What comes with davit can be tried before its sender has sent anything, again and again.
TEST(SampleTest, EachShippedWebhookGivesOneThatMakesATaskOfItsOwn) {
  HotHost host;
  std::string webhooks = "webhooks:\n";
  for (const std::string name : {"github", "jira", "sentry", "slack"}) {
    host.install(kPlugins / (name + ".so"));
    webhooks += "  " + name + ": {secret_env: GITHUB_WEBHOOK_SECRET, config: {agent: command-agent}}\n";
  }
  host.install(kPlugins / "command_agent.so");
  host.configure(webhooks + "agents:\n  command-agent: {enabled: false, config: {command: [/bin/true]}}\n");
  ASSERT_TRUE(host.start()) << host.log();
  for (const std::string name : {"github", "jira", "sentry", "slack"}) {
    const auto tried = host.api("POST", "/api/webhooks/" + name + "/test", R"({"dry_run":true})");
    EXPECT_THAT(tried.body, AllOf(HasSubstr("\"verdict\":\"queued\""), HasSubstr("Test event"))) << name;
    const auto sent = host.api("POST", "/api/webhooks/" + name + "/test", "{}");
    EXPECT_THAT(sent.body, AllOf(HasSubstr("\"answered\":202"), HasSubstr("\"outcome\":\"queued\""))) << name << host.log();
    EXPECT_THAT(host.api("GET", "/api/dashboard/deliveries?webhook=" + name).body, HasSubstr("\"tested_by\":\"admin\"")) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Isolation, TestEventTest, ::testing::Values("inprocess", "process"));

}  // namespace
}  // namespace davit::testing
