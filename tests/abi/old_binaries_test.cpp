// Plugins that were built with an earlier SDK and are kept as they are (tests/abi/fixtures/): they load in
// every host of the same ABI major, older and newer than they are, and serve in the real program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "davit/testing/driver.hpp"
#include "davit/testing/library.hpp"

namespace {

using davit::Json;
using davit::Status;
using davit::testing::AgentDriver;
using davit::testing::FakeHost;
using davit::testing::Library;
using davit::testing::RequestBuilder;
using davit::testing::WebhookDriver;
using ::testing::HasSubstr;

const std::string kFolder = DAVIT_SOURCE_DIR "/tests/abi/fixtures/1.0/";
constexpr char kOrder[] = R"({"order": {"id": "A-17", "state": "failed", "reason": "card declined"}})";

Library fixture(const std::string& name) { return Library(kFolder + name + ".so"); }

// A struct as a host of a later minor has it: longer, with members that nobody of today knows.
template <class Struct>
struct Grown {
  explicit Grown(const Struct& known) : base(known) {
    base.struct_size = sizeof(Grown);
    std::memset(more, 0x5A, sizeof more);
  }
  bool is_untouched() const {
    return std::all_of(std::begin(more), std::end(more), [](unsigned char byte) { return byte == 0x5A; });
  }
  Struct base;
  unsigned char more[64];
};

TEST(OldBinariesTest, NeedNothingThatMinorZeroDidNotHave) {
  for (const char* name : {"webhook_cpp", "webhook_c"}) {
    EXPECT_EQ(fixture(name).webhooks()->abi_minor_needed, 0u) << name;
    EXPECT_EQ(fixture(name).webhooks()->abi_minor_built, 0u) << name;
    EXPECT_EQ(fixture(name).agents(), nullptr) << name;
  }
  for (const char* name : {"agent_cpp", "agent_c"}) {
    EXPECT_EQ(fixture(name).agents()->abi_minor_needed, 0u) << name;
    EXPECT_EQ(fixture(name).webhooks(), nullptr) << name;
  }
}

TEST(OldBinariesTest, WebhooksServeAHostThatOffersNothing) {
  for (const char* name : {"webhook_cpp", "webhook_c"}) {
    FakeHost host;
    host.services.clear();
    WebhookDriver webhook(fixture(name).webhooks(), 0, host);
    RequestBuilder request(kOrder);
    const auto answer = webhook.deliver(request.header("X-Shop-Event", "order"));
    EXPECT_EQ(answer.status, Status::Ok) << name << answer.error;
    EXPECT_THAT(answer.output, HasSubstr("card declined")) << name;
  }
}

TEST(OldBinariesTest, AgentsServeAHostThatOffersNothing) {
  for (const char* name : {"agent_cpp", "agent_c"}) {
    FakeHost host;
    host.services.clear();
    AgentDriver agent(fixture(name).agents(), 0, host);
    const auto result = agent.run(AgentDriver::context(Json::object({{"plain", true}})));
    EXPECT_EQ(result.status, Status::Ok) << name << result.error;
    EXPECT_THAT(result.output, HasSubstr("\"success\":true")) << name;
  }
}

TEST(OldBinariesTest, TheCppLayerLivesWithStructsCutBehindTheirContext) {
  FakeHost host;
  host.host_size = offsetof(davit_host, log);
  host.call_size = offsetof(davit_call, remaining_ms);
  AgentDriver agent(fixture("agent_cpp").agents(), 0, host);
  const auto result = agent.run(AgentDriver::context(Json::object({{"plain", true}})));
  EXPECT_EQ(result.status, Status::Ok) << result.error;
  EXPECT_TRUE(host.log.empty());
}

TEST(OldBinariesTest, WebhooksServeANewerHostWithLongerStructs) {
  for (const char* name : {"webhook_cpp", "webhook_c"}) {
    const davit_webhook_factory* factory = fixture(name).webhooks();
    FakeHost host;
    const Grown<davit_host> newer_host(*host.abi());
    Grown<davit_webhook> webhook(davit_webhook{});
    auto call = [&](auto function) {
      return host.call([&](const davit_call* made, const davit_sink* sink) {
        const Grown<davit_call> newer_call(*made);
        const Grown<davit_sink> newer_sink(*sink);
        return function(&newer_call.base, &newer_sink.base);
      });
    };
    const auto created = call([&](const davit_call* made, const davit_sink*) {
      return factory->create(0, &newer_host.base, made, &webhook.base);
    });
    ASSERT_EQ(created.status, Status::Ok) << name << created.error;
    EXPECT_EQ(webhook.base.struct_size, sizeof(davit_webhook)) << name << ": it says what it wrote, no more";
    EXPECT_TRUE(webhook.is_untouched()) << name;

    RequestBuilder builder(kOrder);
    builder.header("X-Shop-Event", "order");
    const Grown<davit_request> request(builder.abi());
    const auto parsed = call([&](const davit_call* made, const davit_sink* sink) {
      return webhook.base.parse_payload(webhook.base.self, made, &request.base, sink);
    });
    EXPECT_EQ(parsed.status, Status::Ok) << name << parsed.error;
    const auto answer = call([&](const davit_call* made, const davit_sink* sink) {
      return webhook.base.handle(webhook.base.self, made, {parsed.output.data(), parsed.output.size()}, sink);
    });
    EXPECT_EQ(answer.status, Status::Ok) << name << answer.error;
    EXPECT_THAT(answer.output, HasSubstr("card declined")) << name;
    webhook.base.destroy(webhook.base.self);
  }
}

TEST(OldBinariesTest, AgentsServeANewerHostWithLongerStructs) {
  for (const char* name : {"agent_cpp", "agent_c"}) {
    const davit_agent_factory* factory = fixture(name).agents();
    FakeHost host;
    const Grown<davit_host> newer_host(*host.abi());
    Grown<davit_agent> agent(davit_agent{});
    const auto created = host.call([&](const davit_call* made, const davit_sink*) {
      return factory->create(0, &newer_host.base, made, &agent.base);
    });
    ASSERT_EQ(created.status, Status::Ok) << name << created.error;
    EXPECT_EQ(agent.base.struct_size, sizeof(davit_agent)) << name;
    EXPECT_TRUE(agent.is_untouched()) << name;
    const std::string context = AgentDriver::context().dump();
    const auto result = host.call([&](const davit_call* made, const davit_sink* sink) {
      const Grown<davit_call> newer_call(*made);
      return agent.base.execute(agent.base.self, &newer_call.base, {context.data(), context.size()}, sink);
    });
    EXPECT_EQ(result.status, Status::Ok) << name << result.error;
    EXPECT_EQ(host.progress.size(), 1u) << name;
    agent.base.destroy(agent.base.self);
  }
}

}  // namespace
