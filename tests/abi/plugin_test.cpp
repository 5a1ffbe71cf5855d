// Built plugins, loaded and driven through the C ABI.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "davit/json.hpp"
#include "davit/testing/driver.hpp"
#include "tests/abi/library.h"

namespace {

using namespace davit;
using namespace davit::testing;

TEST(TinyWebhookTest, OffersOneWebhookAndNoAgent) {
  const Library library("tiny_webhook");
  ASSERT_NE(library.webhooks(), nullptr);
  EXPECT_EQ(library.webhooks()->count, 1u);
  EXPECT_EQ(library.webhooks()->abi_minor_needed, 0u);
  EXPECT_EQ(library.agents(), nullptr);
}

TEST(TinyWebhookTest, MetadataCarriesTheSignatureScheme) {
  FakeHost host;
  const Outcome outcome = metadata_of(Library("tiny_webhook").webhooks(), 0, host);
  ASSERT_EQ(outcome.status, davit::Status::Ok) << outcome.error;
  const Json metadata = Json::parse(outcome.output);
  EXPECT_EQ(metadata["name"].string_or(""), "tiny");
  EXPECT_EQ(metadata.at_pointer("/signature/headers/0").string_or(""), "X-Tiny-Signature");
  EXPECT_EQ(metadata.at_pointer("/signature/accept/0").dump(),
            R"({"algorithm":"hmac-sha256","encoding":"hex","prefix":"sha256="})");
  EXPECT_EQ(metadata.at_pointer("/delivery_id/header").string_or(""), "X-Tiny-Delivery");
}

TEST(TinyWebhookTest, TurnsADeliveryIntoATask) {
  FakeHost host;
  WebhookDriver webhook(Library("tiny_webhook").webhooks(), 0, host);
  RequestBuilder request(R"({"title": "Fix it"})");
  const Outcome outcome = webhook.deliver(request);
  ASSERT_EQ(outcome.status, davit::Status::Ok) << outcome.error;
  const Json answer = Json::parse(outcome.output);
  EXPECT_EQ(answer.at_pointer("/response/status").string_or(""), "queued");
  EXPECT_EQ(answer["tasks"].dump(),
            R"([{"agent":"tiny-agent","title":"Fix it","payload":{"title":"Fix it"}}])");
}

TEST(TinyWebhookTest, WorksOnTheTextItIsGivenWhateverItParsedLast) {
  FakeHost host;
  WebhookDriver webhook(Library("tiny_webhook").webhooks(), 0, host);
  RequestBuilder first(R"({"title": "First"})"), second(R"({"title": "Other"})");
  const Outcome one = webhook.parse_payload(first);
  const Outcome other = webhook.parse_payload(second);
  for (const std::string& parsed : {one.output, other.output, one.output, other.output}) {
    const Outcome outcome = webhook.handle(parsed);
    ASSERT_EQ(outcome.status, davit::Status::Ok) << outcome.error;
    const Json answer = Json::parse(outcome.output);
    EXPECT_EQ(answer.at_pointer("/tasks/0/payload").dump(), parsed);
  }
}

TEST(TinyWebhookTest, LeavesHooksItDoesNotOverrideEmpty) {
  FakeHost host;
  WebhookDriver webhook(Library("tiny_webhook").webhooks(), 0, host);
  EXPECT_EQ(webhook.abi().validate_signature, nullptr);
  EXPECT_EQ(webhook.abi().answer_unverified, nullptr);
}

TEST(TinyAgentTest, TakesAPayloadAsDeepAsAWebhookMayHaveParsed) {
  FakeHost host;
  AgentDriver agent(Library("tiny_agent").agents(), 0, host);
  const Json payload = Json::parse(std::string(64, '[') + std::string(64, ']'));
  EXPECT_EQ(agent.execute(AgentDriver::context(payload)).status, davit::Status::Ok);
}

TEST(TinyAgentTest, RunsATaskToItsResult) {
  FakeHost host;
  const Library library("tiny_agent");
  EXPECT_EQ(library.webhooks(), nullptr);
  AgentDriver agent(library.agents(), 0, host);
  const Outcome outcome = agent.run(AgentDriver::context());
  ASSERT_EQ(outcome.status, davit::Status::Ok) << outcome.error;
  EXPECT_EQ(outcome.output, R"({"success":true,"output":{"title":"A task"}})");
  EXPECT_EQ(host.progress, std::vector<std::string>{"reading: "});
}

TEST(SeveralTest, OneLibraryOfSeveralFilesOffersAllThatTheyRegister) {
  FakeHost host;
  const Library library("several");
  ASSERT_EQ(library.webhooks()->count, 3u);
  ASSERT_EQ(library.agents()->count, 2u);
  std::set<std::string> names;
  for (std::uint32_t i = 0; i < 3; ++i) {
    const Json metadata = Json::parse(metadata_of(library.webhooks(), i, host).output);
    const std::string name(metadata["name"].string_or(""));
    names.insert(name);
    WebhookDriver webhook(library.webhooks(), i, host);
    const Json answer = Json::parse(webhook.handle("{}").output);
    EXPECT_EQ("webhook-" + std::string(answer.at_pointer("/response/message").string_or("")), name);
  }
  for (std::uint32_t i = 0; i < 2; ++i) {
    const Json metadata = Json::parse(metadata_of(library.agents(), i, host).output);
    names.insert(std::string(metadata["name"].string_or("")));
  }
  EXPECT_EQ(names, (std::set<std::string>{"webhook-a", "webhook-b", "webhook-c", "agent-a", "agent-b"}));
}

TEST(SeveralTest, TwoLibrariesInOneProcessDoNotShareARegistry) {
  const Library several("several");
  const Library tiny("tiny_webhook");
  EXPECT_EQ(tiny.webhooks()->count, 1u);
  EXPECT_EQ(several.webhooks()->count, 3u);
}

TEST(PlainWebhookTest, PlainCServesLikeTheRest) {
  FakeHost host;
  WebhookDriver webhook(Library("plain_webhook").webhooks(), 0, host);
  RequestBuilder request("{}");
  EXPECT_EQ(webhook.deliver(request).output, R"({"response":{"status":"ignored","message":"plain C"}})");
}

TEST(FullAgentTest, GetsWhatTheHostOffersAndReportsToIt) {
  FakeHost host;
  host.config = R"({"greeting": "good morning"})";
  host.secrets["TOKEN"] = "t0ken";
  host.remaining_ms = 5000;
  host.keys["count"] = "41";
  AgentDriver agent(Library("full_agent").agents(), 0, host);
  const Outcome outcome = agent.run(AgentDriver::context());
  ASSERT_EQ(outcome.status, davit::Status::Ok) << outcome.error;
  EXPECT_EQ(
      outcome.output,
      R"({"success":true,"output":{"greeting":"good morning","token":"t0ken","left":5000},)"
      R"("usage":{"input_tokens":12,"output_tokens":0,"cache_read_tokens":0,"cache_write_tokens":0,"cost_usd":0.0,)"
      R"("models":{"m":{"input_tokens":12,"output_tokens":0,"cache_read_tokens":0,"cache_write_tokens":0,)"
      R"("cost_usd":0.0}}},"metrics":{"files":3.0,"seen":1.0},"next_agent":"executor-agent",)"
      R"("next_input":{"plan":1},"wait_for_approval":true,"tasks":[{"agent":"other","priority":2}]})");
  ASSERT_EQ(host.log.size(), 1u);
  EXPECT_EQ(host.log[0].fields, R"({"greeting":"good morning","now":1700000000000})");
  EXPECT_EQ(host.progress, std::vector<std::string>{"start: Beginning"});
  const Json usage = Json::parse(host.usage.at(0));
  EXPECT_EQ(usage["cost_usd"].number_or(0), 0.25);
  EXPECT_EQ(host.transcript.at(0), (std::pair<std::string, std::string>("assistant", "good morning")));
  EXPECT_EQ(host.artifacts.at("plan.md").content, "# Plan");
  EXPECT_EQ(host.keys, (std::map<std::string, std::string>{{"count", "42"}}));
}

TEST(FullAgentTest, EndsEarlyWhenCancelledOrNotAllowed) {
  FakeHost host;
  AgentDriver agent(Library("full_agent").agents(), 0, host);
  host.cancelled = true;
  EXPECT_EQ(agent.run(AgentDriver::context()).status, davit::Status::Cancelled);
  host.cancelled = false;
  Json context = AgentDriver::context();
  context["attempt"] = 4;
  const Outcome refused = agent.run(context);
  EXPECT_EQ(refused.status, davit::Status::Ignored);
  EXPECT_EQ(refused.output, "three attempts are enough");
}

TEST(FullAgentTest, OnErrorMayMakeAResultOfAFailure) {
  FakeHost host;
  AgentDriver agent(Library("full_agent").agents(), 0, host);
  EXPECT_EQ(agent.run(AgentDriver::context(Json::object({{"fail", true}}))).output,
            R"({"success":false,"output":null,"error":"on_error: asked to fail","error_class":"permanent"})");
}

}  // namespace
