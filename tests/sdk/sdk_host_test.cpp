// What authors build, in the real program: every example, what `davit plugins new` makes, and the plugin of
// the SDK's README, each given a signed delivery or a task. The libraries are built by the other tests of
// this folder.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/running_host.h"

namespace davit::testing {
namespace {

using ::testing::HasSubstr;

const std::filesystem::path kLibraries = DAVIT_SDK_LIBRARIES;
const std::filesystem::path kCommandAgent = DAVIT_BUILD_DIR "/plugins/command_agent.so";

constexpr char kCommand[] =
    "  command-agent: {config: {command: [/bin/sh, -c, \"cat >/dev/null; echo done\"]}}\n";

class SdkHost {
 public:
  // All libraries of a folder, or the one of that name.
  void install(const std::filesystem::path& what) {
    ASSERT_TRUE(std::filesystem::exists(what))
        << what << " is not built; run ctest -R Sdk, which builds it first";
    if (!std::filesystem::is_directory(what)) return host.install(what);
    for (const auto& file : std::filesystem::directory_iterator(what)) host.install(file.path());
  }

  // Signs as `<prefix><hex>` into `header`, posts, and gives the task's end. Null if it is not accepted.
  JsonDocument deliver(const std::string& webhook, const std::string& body, const std::string& header,
                       const std::string& prefix,
                       std::vector<std::pair<std::string, std::string>> more = {}) {
    more.emplace_back("Content-Type", "application/json");
    more.emplace_back(header, prefix + to_hex(hmac(HashAlgorithm::Sha256, RunningHost::kSecret, body)));
    const auto answer = host.request("POST", "/webhooks/" + webhook, body, more);
    EXPECT_EQ(answer.status, 202) << webhook << ": " << answer.body << host.log();
    auto parsed = parse_json(answer.body);
    if (answer.status != 202 || !parsed) return JsonDocument();
    return host.wait_for_task(string_member(*parsed, "task_id"), {"completed", "failed"});
  }

  JsonDocument run(const std::string& agent, const std::string& payload) {
    const auto made = host.api("POST", "/api/tasks",
                               R"({"agent":")" + agent + R"(","title":"By hand","payload":)" + payload + "}");
    EXPECT_EQ(made.status, 201) << agent << ": " << made.body << host.log();
    auto parsed = parse_json(made.body);
    if (made.status != 201 || !parsed) return JsonDocument();
    return host.wait_for_task(string_member(*parsed, "task_id"), {"completed", "failed"});
  }

  // The first execution's output; "not completed" and the task where it failed.
  static std::string output(const JsonDocument& task) {
    if (string_member(task, "status") != "completed") return "not completed: " + to_json(task);
    const JsonValue* executions = find_member(task, "agent_executions");
    if (executions == nullptr || executions->Empty()) return "no execution";
    const JsonValue* output = find_member((*executions)[0], "output");
    return output == nullptr ? "no output" : to_json(*output);
  }

  RunningHost host;
};

class SdkExamplesTest : public ::testing::TestWithParam<const char*>, public SdkHost {};

INSTANTIATE_TEST_SUITE_P(Isolation, SdkExamplesTest, ::testing::Values("inprocess", "process"));

TEST_P(SdkExamplesTest, EveryExampleServesInTheRealHost) {
  ASSERT_NO_FATAL_FAILURE(install(kLibraries / "example"));
  const std::string settings =
      std::string("secret_env: GITHUB_WEBHOOK_SECRET, answer_within_ms: 10000, isolation: ") + GetParam();
  std::string sections = "webhooks:\n";
  for (const char* name : {"shop", "echo", "echo-rust", "desk-tickets", "desk-surveys"})
    sections += std::string("  ") + name + ": {" + settings + "}\n";
  sections += "  invoices: {" + settings + ", config: {limit: 1000, agent: echo-agent}}\n";
  host.configure(sections + "agents:\n  order-agent: {config: {contact: the shop}}\n");
  ASSERT_TRUE(host.start()) << host.log();

  const std::string order = R"({"order": {"id": "A-17", "state": "failed", "reason": "card declined"}})";
  EXPECT_EQ(output(deliver("shop", order, "X-Shop-Signature",
                           "sha256=", {{"X-Shop-Event", "order"}, {"X-Shop-Delivery", "d-1"}})),
            R"({"order":"A-17","reason":"card declined","tell":"the shop"})");
  EXPECT_THAT(
      output(deliver("echo", R"({"n":1})", "X-Echo-Signature", "sha256=", {{"X-Echo-Delivery", "d-2"}})),
      HasSubstr(R"("payload":{"n":1})"));
  EXPECT_THAT(
      output(deliver("echo-rust", R"({"n":2})", "X-Echo-Signature", "sha256=", {{"X-Echo-Delivery", "d-3"}})),
      HasSubstr(R"("payload":{"n":2})"));
  EXPECT_THAT(output(deliver("invoices", R"({"invoice": {"number": "7", "amount": 1001}})",
                             "X-Invoice-Signature", "", {{"X-Invoice-Delivery", "d-4"}})),
              HasSubstr(R"("payload":{"invoice":"7","customer":"","amount":1001})"));
  EXPECT_EQ(
      output(deliver("desk-tickets", R"({"id": "T-1", "text": "the site is down"})", "X-Desk-Signature", "")),
      R"({"drawer":"urgent"})");
  EXPECT_EQ(output(deliver("desk-surveys", R"({"id": "S-1", "stars": 1})", "X-Desk-Signature", "")),
            R"({"draft":"Dear customer, we look into it (survey)."})");
}

TEST(SdkNewTest, WhatPluginsNewMakesServesInTheRealHost) {
  SdkHost sdk;
  ASSERT_NO_FATAL_FAILURE(sdk.install(kLibraries / "new"));
  ASSERT_NO_FATAL_FAILURE(sdk.install(kCommandAgent));
  std::string sections = "webhooks:\n";
  for (const char* name : {"test", "switch", "self"})
    sections += std::string("  ") + name + ": {secret_env: GITHUB_WEBHOOK_SECRET, answer_within_ms: 10000}\n";
  sdk.host.configure(sections + "agents:\n" + kCommand);
  ASSERT_TRUE(sdk.host.start()) << sdk.host.log();
  for (const std::string name : {"Test", "Switch", "Self"}) {
    std::string webhook = name;
    webhook[0] = static_cast<char>(webhook[0] + 32);
    const auto task = sdk.deliver(
        webhook, R"({"id":7})", "X-" + name + "-Signature",
        "sha256=", {{"X-" + name + "-Event", "failed"}, {"X-" + name + "-Delivery", "d-" + name}});
    EXPECT_EQ(string_member(task, "status"), "completed") << webhook << sdk.host.log();
    EXPECT_EQ(string_member(task, "title"), "Something failed");
  }
  const std::string payload = R"({"id":7,"text":"four"})";
  EXPECT_EQ(SdkHost::output(sdk.run("new-agent", payload)), R"({"id":7,"bytes":4})");
  EXPECT_THAT(SdkHost::output(sdk.run("all", payload)), HasSubstr(R"("payload":{"id":7,"text":"four"})"));
  EXPECT_THAT(SdkHost::output(sdk.run("r2--d2_", payload)), HasSubstr(R"("payload":{"id":7,"text":"four"})"));
}

class SdkReadmeTest : public ::testing::TestWithParam<const char*>, public SdkHost {};

INSTANTIATE_TEST_SUITE_P(Build, SdkReadmeTest, ::testing::Values("readme", "by_hand"));

TEST_P(SdkReadmeTest, ThePluginOfTheReadmeServesInTheRealHost) {
  ASSERT_NO_FATAL_FAILURE(install(kLibraries / (std::string(GetParam()) + ".so")));
  ASSERT_NO_FATAL_FAILURE(install(kCommandAgent));
  host.configure(
      "webhooks:\n  shop: {secret_env: GITHUB_WEBHOOK_SECRET, answer_within_ms: 10000}\nagents:\n" +
      std::string(kCommand));
  ASSERT_TRUE(host.start()) << host.log();
  const auto task =
      deliver("shop", R"({"order":7})", "X-Shop-Signature", "sha256=", {{"X-Shop-Delivery", "d-1"}});
  EXPECT_EQ(string_member(task, "status"), "completed") << host.log();
  EXPECT_EQ(string_member(task, "title"), "An order");
}

}  // namespace
}  // namespace davit::testing
