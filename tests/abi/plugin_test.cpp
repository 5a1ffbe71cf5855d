// Built plugins, loaded and driven through the C ABI.
#include <gtest/gtest.h>

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

TEST(TinyWebhookTest, LeavesHooksItDoesNotOverrideEmpty) {
  FakeHost host;
  WebhookDriver webhook(Library("tiny_webhook").webhooks(), 0, host);
  EXPECT_EQ(webhook.abi().validate_signature, nullptr);
  EXPECT_EQ(webhook.abi().answer_unverified, nullptr);
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

}  // namespace
