#include "host/ingest/refusals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/ingest/record.h"

namespace davit::ingest {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class RefusalsTest : public ::testing::Test {
 protected:
  RefusalsTest() { webhook_.settings.instance = "hook"; }

  Delivery delivery(int number = 1) {
    Delivery delivery;
    delivery.request_id = "request-" + std::to_string(number);
    delivery.method = "POST";
    delivery.path = "/webhooks/hook";
    delivery.query = "token=abc&a=b";
    delivery.headers = {{"X-Hub-Signature-256", "sha256=abcdef"}, {"X-GitHub-Event", "issues"}};
    delivery.body = "the body of a stranger";
    delivery.remote_address = "198.51.100.7";
    delivery.received_at = from_unix_ms(number);
    return delivery;
  }

  plugin::Webhook webhook_;
  Refusals refusals_;
};

TEST_F(RefusalsTest, AllAreCountedAndAFewKept) {
  for (int i = 1; i <= 1000; ++i) refusals_.note(webhook_, delivery(i), "mismatch");
  refusals_.note(webhook_, delivery(7), "stale");
  const auto taken = refusals_.take();
  ASSERT_THAT(taken, SizeIs(2));
  EXPECT_EQ(taken[0].webhook, "hook");
  EXPECT_EQ(taken[0].cause, "mismatch");
  EXPECT_EQ(taken[0].count, 1000);
  EXPECT_EQ(to_unix_ms(taken[0].first_at), 1);
  EXPECT_EQ(to_unix_ms(taken[0].last_at), 1000);
  EXPECT_THAT(taken[0].samples, SizeIs(Refusals::kSamples));
  EXPECT_EQ(taken[1].cause, "stale");
  EXPECT_EQ(taken[1].count, 1);
  EXPECT_THAT(refusals_.take(), IsEmpty());
}

TEST_F(RefusalsTest, OnlyTheFirstAfterATakeAsksForTheNextOne) {
  EXPECT_TRUE(refusals_.note(webhook_, delivery(), "mismatch"));
  EXPECT_FALSE(refusals_.note(webhook_, delivery(), "mismatch"));
  EXPECT_FALSE(refusals_.note(webhook_, delivery(), "stale"));
  refusals_.take();
  EXPECT_TRUE(refusals_.note(webhook_, delivery(), "stale"));
}

TEST_F(RefusalsTest, ASampleHoldsNeitherBodyNorSignatureNorToken) {
  refusals_.note(webhook_, delivery(), "mismatch");
  const auto taken = refusals_.take();
  const store::RefusedSample& sample = taken.at(0).samples.at(0);
  EXPECT_EQ(sample.request_id, "request-1");
  EXPECT_EQ(sample.remote_address, "198.51.100.7");
  EXPECT_EQ(sample.body_bytes, 22u);
  EXPECT_EQ(sample.query, "token=(removed)&a=b");
  EXPECT_THAT(sample.headers, AllOf(HasSubstr(R"("X-GitHub-Event":"issues")"), Not(HasSubstr("abcdef"))));
}

TEST_F(RefusalsTest, HeadersWhoseNamesSpeakOfASecretAreTakenOut) {
  Delivery one = delivery();
  for (const char* name : {"X-JWT-Assertion", "X-Auth", "X-Session-Id", "X-Passphrase", "X-Amz-Credential",
                           "X-Access-Key", "X-Sig", "X-Body-SIG-V2", "X-Api-Key", "X-Hub-Token"})
    one.headers.push_back({name, "hunter2"});
  for (const char* name : {"X-Signal", "X-Event-Key", "X-Design", "Content-Type"})
    one.headers.push_back({name, "kept"});
  const std::string headers = headers_json(webhook_, one);
  EXPECT_THAT(headers, Not(HasSubstr("hunter2")));
  for (const char* name : {"X-Signal", "X-Event-Key", "X-Design", "Content-Type"})
    EXPECT_THAT(headers, HasSubstr("\"" + std::string(name) + "\":\"kept\""));
}

}  // namespace
}  // namespace davit::ingest
