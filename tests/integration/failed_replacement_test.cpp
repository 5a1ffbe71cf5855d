// A replacement that does not work leaves the one before serving, says why, and costs no request.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/hot_host.h"

namespace davit::testing {
namespace {

using ::testing::HasSubstr;

class FailedReplacementTest : public ::testing::Test {
 protected:
  void start(const std::string& isolation = "process") {
    host.put("good_webhook.so", library);
    host.put("worker.so", worker);
    host.plugin_options = ", probe_timeout: " + std::to_string(kProbeSeconds) + "s, quarantine_after: 2";
    host.configure(
        "webhooks: {good: {secret_env: GITHUB_WEBHOOK_SECRET, replay_window: 0s, answer_within_ms: 10000, "
        "isolation: " +
        isolation + ", config: {mode: obey}}}\nagents: {worker: {concurrency: 2, max_retries: 5}}\n");
    ASSERT_TRUE(host.start({})) << host.log();
    ASSERT_EQ(answer(), "echo");
  }
  // What the webhook says, which tells its code.
  std::string answer() {
    auto body = parse_json(host.deliver().body);
    return body ? string_member(*body, "message") : "";
  }
  bool not_replaced_since(const std::string& kind, const std::string& name, const std::string& why) {
    return eventually([&] { return host.reason_of(kind, name).find(why) != std::string::npos; });
  }
  std::string result_of_task(const std::string& mode) {
    auto made = host.api("POST", "/api/tasks", R"({"agent":"worker","payload":{"mode":")" + mode + "\"}}");
    const std::string id = string_member(*parse_json(made.body), "task_id");
    return string_member(host.wait_for_task(id, {"completed", "failed", "parked"}), "status");
  }
  const std::filesystem::path library = kTestPlugins / "good_webhook.so";
  const std::filesystem::path worker = kTestPlugins / "scripted_agent.so";
  HotHost host;
};

TEST_F(FailedReplacementTest, AWebhookThatCannotBeCreatedInARunnerReplacesNothing) {
  start();
  Load load(host.port(), 100, [](std::size_t) { return "{}"; });
  for (const auto& [broken, why] : std::vector<std::pair<std::string, std::string>>{
           {"create_refuses", "it cannot be created: the shop has no address"},
           {"create_crashes", "SIGSEGV"},
           {"create_hangs", "did not come back within " + std::to_string(kProbeSeconds) + "000 ms"}}) {
    host.put("good_webhook.so", kTestPlugins / (broken + ".so"));
    EXPECT_TRUE(not_replaced_since("webhook", "good", why)) << host.log();
    EXPECT_EQ(host.state_of("webhook", "good"), "serving");
    EXPECT_THAT(host.reason_of("webhook", "good"), HasSubstr("serves on"));
    const JsonDocument serving = host.plugin("webhook", "good");
    EXPECT_EQ(string_member(serving, "sha256"), sha256_hex(bytes_of(library)));
    const JsonValue* held_back = find_member(serving, "held_back");
    ASSERT_TRUE(held_back != nullptr && held_back->IsObject()) << to_json(serving);
    EXPECT_EQ(string_member(*held_back, "state"), "bad_config");
    EXPECT_EQ(string_member(*held_back, "sha256"), sha256_hex(bytes_of(kTestPlugins / (broken + ".so"))));
    EXPECT_THAT(string_member(*held_back, "reason"), HasSubstr(why));
    EXPECT_EQ(answer(), "echo");
  }
  EXPECT_THAT(host.ask({"plugins", "list"}).text, HasSubstr("did not come back"));
  // The next one that works serves at once.
  host.put("good_webhook.so", kTestPlugins / "second_webhook.so");
  EXPECT_TRUE(eventually([&] { return answer() == "second"; })) << host.log();
  EXPECT_EQ(host.reason_of("webhook", "good"), "");
  Load::Sent sent = load.stop();
  EXPECT_EQ(sent.statuses[202], sent.sent) << ::testing::PrintToString(sent.statuses);
  EXPECT_EQ(sent.deferred, 0u) << "no request may ever have met one that was not created";
}

TEST_F(FailedReplacementTest, AnAgentThatCannotBeCreatedReplacesNothing) {
  start();
  host.put("worker.so", kTestPlugins / "refusing_worker.so");
  EXPECT_TRUE(not_replaced_since("agent", "worker", "the model is not installed")) << host.log();
  EXPECT_EQ(result_of_task("noop"), "completed");
}

TEST_F(FailedReplacementTest, WhatServedBeforeServesAgainAfterARestart) {
  start();
  host.put("good_webhook.so", kTestPlugins / "create_refuses.so");
  ASSERT_TRUE(not_replaced_since("webhook", "good", "the shop has no address")) << host.log();
  EXPECT_EQ(host.end(SIGTERM), 0);
  ASSERT_TRUE(host.start({})) << host.log();
  EXPECT_EQ(answer(), "echo") << host.log();
  EXPECT_TRUE(not_replaced_since("webhook", "good", "the shop has no address"));
}

TEST_F(FailedReplacementTest, WhatServedBeforeRefusedBytesServesAgainAfterEachRestart) {
  start();
  host.put_bytes("good_webhook.so", "this is no library");
  host.put("worker.so", kBrokenPlugins / "constructor_segfaults.so");
  ASSERT_TRUE(eventually([&] { return host.refusal_of("good_webhook.so") == "not_elf"; })) << host.log();
  ASSERT_TRUE(eventually([&] { return host.refusal_of("worker.so") == "constructor_crashed"; }))
      << host.log();
  for (int restart = 1; restart <= 2; ++restart) {
    EXPECT_EQ(host.end(SIGTERM), 0);
    ASSERT_TRUE(host.start({})) << host.log();
    EXPECT_EQ(answer(), "echo") << restart << host.log();
    EXPECT_EQ(string_member(host.plugin("webhook", "good"), "sha256"), sha256_hex(bytes_of(library)));
    EXPECT_EQ(result_of_task("noop"), "completed");
    EXPECT_TRUE(eventually([&] { return host.refusal_of("worker.so") == "constructor_crashed"; }))
        << host.log();
    const auto listed = host.ask({"plugins", "list"}).text;
    EXPECT_THAT(listed,
                ::testing::ContainsRegex("good_webhook.so: not_elf: .*\\(generation [0-9]+ serves on\\)"));
    EXPECT_THAT(listed, ::testing::ContainsRegex("worker.so: constructor_crashed: .*SIGSEGV.* serves on"));
  }
  // What is taken away while nobody looks is gone all the same.
  EXPECT_EQ(host.end(SIGTERM), 0);
  host.remove("good_webhook.so");
  ASSERT_TRUE(host.start({})) << host.log();
  EXPECT_EQ(host.deliver().status, 503);
  EXPECT_EQ(host.state_of("webhook", "good"), "missing");
  // Nor do refused bytes alone bring it back.
  EXPECT_EQ(host.end(SIGTERM), 0);
  host.put_bytes("good_webhook.so", "this is no library");
  ASSERT_TRUE(host.start({})) << host.log();
  EXPECT_EQ(host.deliver().status, 503);
  host.put("good_webhook.so", kTestPlugins / "second_webhook.so");
  EXPECT_TRUE(eventually([&] { return answer() == "second"; })) << host.log();
}

TEST_F(FailedReplacementTest, AnAgentThatIsPutIntoQuarantineLeavesItsTasksToTheOneBefore) {
  start();
  const std::int64_t first = host.generation_of("agent", "worker");
  host.put("worker.so", kTestPlugins / "crashing_worker.so");
  ASSERT_TRUE(eventually([&] { return host.generation_of("agent", "worker") > first; })) << host.log();
  const auto crashing = [&] {
    auto made = host.api("POST", "/api/tasks", R"({"agent":"worker","payload":{"mode":"noop"}})");
    return string_member(*parse_json(made.body), "task_id");
  };
  const std::string one = crashing(), other = crashing();
  EXPECT_TRUE(not_replaced_since("agent", "worker", "its plugin crashed 2 times")) << host.log();
  EXPECT_EQ(host.generation_of("agent", "worker"), first);
  for (const std::string& id : {one, other})
    EXPECT_EQ(string_member(host.wait_for_task(id, {"completed", "failed", "parked"}), "status"), "completed")
        << host.log();
}

TEST_F(FailedReplacementTest, AWebhookThatCrashedTheHostIntoItsQuarantineLeavesItsPlaceToTheOneBefore) {
  start("inprocess");
  host.put("good_webhook.so", kTestPlugins / "second_webhook.so");
  ASSERT_TRUE(eventually([&] { return answer() == "second"; })) << host.log();
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(host.deliver("{\"do\":\"crash-now\"}").status, 0);
    ASSERT_TRUE(eventually([&] { return host.follow_port(); })) << host.log();
  }
  EXPECT_EQ(answer(), "echo") << host.log();
  EXPECT_TRUE(not_replaced_since("webhook", "good", "its plugin crashed 2 times")) << host.log();
  // Its quarantine ends by command, although another one serves.
  EXPECT_EQ(host.ask({"plugins", "clear", "webhook", "good"}).status, 0);
  EXPECT_TRUE(eventually([&] { return answer() == "second"; })) << host.log();
}

}  // namespace
}  // namespace davit::testing
