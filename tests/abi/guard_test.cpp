// Nothing that a plugin throws crosses the border, and struct sizes are respected.
#include <gtest/gtest.h>
#include <pthread.h>

#include <cstddef>
#include <string>

#include "davit/testing/driver.hpp"
#include "tests/abi/library.h"

namespace {

using davit::Failure;
using davit::Json;
using davit::Status;
using davit::testing::AgentDriver;
using davit::testing::FakeHost;
using davit::testing::metadata_of;
using davit::testing::Outcome;
using davit::testing::RequestBuilder;
using davit::testing::WebhookDriver;

enum : std::uint32_t { InHooks, InConstructor, InMetadata, InConfigure };

class ThrowingTest : public ::testing::Test {
 protected:
  Failure creation_failure(std::uint32_t index) {
    try {
      WebhookDriver webhook(library_.webhooks(), index, host_);
    } catch (const Failure& failure) {
      return failure;
    }
    return Failure(Status::Ok, "nothing was thrown");
  }

  Library library_{"throwing"};
  FakeHost host_;
};

TEST_F(ThrowingTest, AConstructorThatThrowsFailsCreationAndMetadata) {
  const Failure failure = creation_failure(InConstructor);
  EXPECT_EQ(failure.status(), Status::Internal);
  EXPECT_STREQ(failure.what(), "the plugin threw something that is not a std::exception");
  EXPECT_EQ(metadata_of(library_.webhooks(), InConstructor, host_).status, Status::Internal);
}

TEST_F(ThrowingTest, MetadataThatThrowsIsAStatusWithItsSentence) {
  const Outcome outcome = metadata_of(library_.webhooks(), InMetadata, host_);
  EXPECT_EQ(outcome.status, Status::Internal);
  EXPECT_EQ(outcome.error, "it broke");
}

TEST_F(ThrowingTest, ConfigureThatThrowsFailsCreation) {
  host_.config = R"({"throw": "permanent"})";
  EXPECT_EQ(creation_failure(InConfigure).status(), Status::Permanent);
  EXPECT_STREQ(creation_failure(InConfigure).what(), "never");
  host_.config = "not JSON";
  EXPECT_EQ(creation_failure(InConfigure).status(), Status::InvalidInput);
}

TEST_F(ThrowingTest, AnIndexThatIsNotOfferedIsNotFound) {
  EXPECT_EQ(metadata_of(library_.webhooks(), 4, host_).status, Status::NotFound);
  EXPECT_EQ(metadata_of(library_.webhooks(), UINT32_MAX, host_).status, Status::NotFound);
  EXPECT_EQ(creation_failure(4).status(), Status::NotFound);
}

struct Case {
  const char* what;
  Status status;
  const char* error;
};
constexpr Case kCases[] = {
    {"int", Status::Internal, "the plugin threw something that is not a std::exception"},
    {"exception", Status::Internal, "it broke"},
    {"not utf-8", Status::Internal, "it broke \xEF\xBF\xBD"},
    {"memory", Status::Retryable, "out of memory"},
    {"rate", Status::RateLimited, "too many"},
    {"permanent", Status::Permanent, "never"},
    {"ok", Status::Internal, "a failure that says ok"},
    {"number", Status::Internal, "a status nobody knows"},
};

TEST_F(ThrowingTest, EveryWebhookHookTurnsAnythingThrownIntoAStatus) {
  WebhookDriver webhook(library_.webhooks(), InHooks, host_);
  for (const Case& one : kCases) {
    RequestBuilder request(one.what);
    const std::string parsed = Json(one.what).dump();
    for (const Outcome& outcome :
         {webhook.validate_signature(request, {"secret"}, davit::Time{}), webhook.answer_unverified(request),
          webhook.parse_payload(request), webhook.should_process(parsed), webhook.handle(parsed)}) {
      EXPECT_EQ(outcome.status, one.status) << one.what;
      EXPECT_EQ(outcome.error, one.error);
      EXPECT_EQ(outcome.output, "");
      EXPECT_EQ(outcome.retry_after.has_value(), one.status == Status::RateLimited);
    }
  }
}

TEST_F(ThrowingTest, EveryAgentHookTurnsAnythingThrownIntoAStatus) {
  AgentDriver agent(library_.agents(), 0, host_);
  for (const Case& one : kCases) {
    const Json context = AgentDriver::context(one.what);
    for (const Outcome& outcome : {agent.pre_execute(context), agent.execute(context),
                                   agent.post_execute(context, R"({"success":true})"),
                                   agent.on_error(context, Status::Internal, "before")}) {
      EXPECT_EQ(outcome.status, one.status) << one.what;
      EXPECT_EQ(outcome.error, one.error);
    }
  }
  agent.cancel();
}

TEST_F(ThrowingTest, HandsThatAreNotJsonAreInvalidInput) {
  WebhookDriver webhook(library_.webhooks(), InHooks, host_);
  EXPECT_EQ(webhook.handle("{").status, Status::InvalidInput);
  AgentDriver agent(library_.agents(), 0, host_);
  EXPECT_EQ(agent.abi().post_execute != nullptr, true);
  EXPECT_EQ(agent.post_execute(AgentDriver::context(), "[").status, Status::InvalidInput);
}

TEST_F(ThrowingTest, AThreadThatIsEndedInsideAHookUnwindsThroughIt) {
  WebhookDriver webhook(library_.webhooks(), InHooks, host_);
  pthread_t thread;
  auto end_inside = [](void* driver) -> void* {
    static_cast<WebhookDriver*>(driver)->handle(R"("exit thread")");
    return driver;
  };
  ASSERT_EQ(pthread_create(&thread, nullptr, end_inside, &webhook), 0);
  void* result = &thread;
  ASSERT_EQ(pthread_join(thread, &result), 0);
  EXPECT_EQ(result, nullptr) << "the hook returned";
}

TEST(StructSizeTest, APluginWritesNoMoreThanThereIsRoomForAndSaysHowMuch) {
  FakeHost host;
  const Library library("tiny_webhook");
  struct {
    davit_webhook webhook;
    unsigned char behind[64];
  } room{};
  std::memset(&room, 0x5A, sizeof room);
  room.webhook.struct_size = sizeof room;  // a host newer than the plugin
  const Outcome outcome = host.call([&](const davit_call* call, const davit_sink*) {
    return library.webhooks()->create(0, host.abi(), call, &room.webhook);
  });
  ASSERT_EQ(outcome.status, Status::Ok) << outcome.error;
  EXPECT_EQ(room.webhook.struct_size, sizeof(davit_webhook));
  for (unsigned char byte : room.behind) EXPECT_EQ(byte, 0x5A);
  room.webhook.destroy(room.webhook.self);
}

TEST(StructSizeTest, ARoomTooSmallForVersionOneIsRefused) {
  FakeHost host;
  try {
    WebhookDriver webhook(Library("tiny_webhook").webhooks(), 0, host, sizeof(davit_webhook) - 8);
    FAIL() << "created";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.status(), Status::Internal);
  }
}

TEST(PoorerHostTest, AHostWithoutServicesStillRunsAnAgent) {
  FakeHost host;
  host.services.clear();
  AgentDriver agent(Library("full_agent").agents(), 0, host);
  const Outcome plain = agent.execute(AgentDriver::context(Json::object({{"plain", true}})));
  EXPECT_EQ(plain.status, Status::Ok) << plain.error;
  const Outcome needy = agent.execute(AgentDriver::context());
  EXPECT_EQ(needy.status, Status::NotImplemented);
  EXPECT_EQ(needy.error, "this host does not offer davit.artifact/1, or did not grant it");
}

TEST(PoorerHostTest, MembersBehindTheHostsSizeAreNeverRead) {
  for (const std::uint32_t host_size : {offsetof(davit_host, log), offsetof(davit_host, secret),
                                        offsetof(davit_host, now_unix_ms), offsetof(davit_host, service)}) {
    for (const std::uint32_t call_size :
         {offsetof(davit_call, set_error), offsetof(davit_call, set_retry_after),
          offsetof(davit_call, remaining_ms), offsetof(davit_call, is_cancelled)}) {
      FakeHost host;
      host.host_size = host_size;
      host.call_size = call_size;
      AgentDriver agent(Library("full_agent").agents(), 0, host);
      EXPECT_EQ(agent.execute(AgentDriver::context(Json::object({{"plain", true}}))).status, Status::Ok);
      EXPECT_EQ(agent.execute(AgentDriver::context(Json::object({{"fail", true}}))).status,
                Status::Retryable);
    }
  }
}

}  // namespace
