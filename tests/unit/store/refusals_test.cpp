// What was refused: counts that add up, samples that do not pile up.
#include "host/store/refusals.h"

#include "tests/unit/store/conformance.h"

namespace davit::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class RefusalsTest : public StoreTest {
 protected:
  void note(const std::string& webhook, const std::string& cause, std::int64_t count, int at,
            std::size_t samples = 1) {
    RefusedDeliveries refused{webhook, cause, count, from_unix_ms(at), from_unix_ms(at), {}};
    for (std::size_t i = 0; i < samples; ++i) {
      RefusedSample sample;
      sample.received_at = from_unix_ms(at);
      sample.request_id = std::to_string(at);
      sample.remote_address = "198.51.100.7";
      sample.method = "POST";
      sample.path = "/webhooks/" + webhook;
      sample.headers = R"({"A":"b"})";
      sample.body_bytes = 7;
      refused.samples.push_back(sample);
    }
    ASSERT_TRUE(wait([&](auto done) { store().note_refusals({refused}, done); }).ok());
  }
};

TEST_F(RefusalsTest, CountsAddUpByWebhookAndCause) {
  note("github", "mismatch", 10, 1'000);
  note("github", "mismatch", 5, 2'000);
  note("github", "stale", 1, 3'000);
  note("jira", "mismatch", 2, 2'500);
  const auto all = store().refusals({}).value();
  ASSERT_THAT(all, SizeIs(3));
  EXPECT_EQ(all[0].cause, "stale") << "the most recent one first";
  EXPECT_EQ(all[1].webhook, "jira");
  EXPECT_EQ(all[2].count, 15);
  EXPECT_EQ(to_unix_ms(all[2].first_at), 1'000);
  EXPECT_EQ(to_unix_ms(all[2].last_at), 2'000);
  EXPECT_THAT(store().refusals({"jira", ""}).value(), SizeIs(1));
  EXPECT_THAT(store().refusals({"", "mismatch"}).value(), SizeIs(2));
  EXPECT_THAT(store().refusals({"jira", "stale"}).value(), IsEmpty());
}

TEST_F(RefusalsTest, OfEachCauseTheNewestAreKept) {
  note("github", "stale", 1, 1);
  for (int at = 1; at <= 3 * kRefusedKept; ++at) note("github", "mismatch", 1, at);
  const auto all = store().refusals({"github", "mismatch"}).value();
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_EQ(all[0].count, 3 * kRefusedKept);
  ASSERT_THAT(all[0].samples, SizeIs(kRefusedKept));
  EXPECT_EQ(all[0].samples.front().request_id, std::to_string(3 * kRefusedKept));
  EXPECT_EQ(all[0].samples.back().request_id, std::to_string(2 * kRefusedKept + 1));
  EXPECT_THAT(store().refusals({"github", "stale"}).value().at(0).samples, SizeIs(1));
}

TEST_F(RefusalsTest, ASampleIsReadAsItWasWritten) {
  note("github", "mismatch", 1, 1'000);
  const RefusedSample sample = store().refusals({}).value().at(0).samples.at(0);
  EXPECT_EQ(to_unix_ms(sample.received_at), 1'000);
  EXPECT_EQ(sample.remote_address, "198.51.100.7");
  EXPECT_EQ(sample.method, "POST");
  EXPECT_EQ(sample.path, "/webhooks/github");
  EXPECT_EQ(sample.headers, R"({"A":"b"})");
  EXPECT_EQ(sample.body_bytes, 7u);
}

TEST_F(RefusalsTest, ADeliveryRemembersWhichSecretSignedIt) {
  NewDelivery delivery = new_delivery("a", 1);
  delivery.secret_number = 2;
  EXPECT_EQ(store().delivery(accept(delivery)->delivery_id)->secret_number, 2);
  EXPECT_EQ(store().delivery(accept(new_delivery("b", 1))->delivery_id)->secret_number, std::nullopt);
  NewDelivery failed = new_delivery("c", 0);
  failed.verdict = Verdict::Error;
  failed.secret_number = 2;
  const std::string id = accept(failed)->delivery_id;
  failed.id = new_id();
  failed.secret_number = 1;
  EXPECT_EQ(accept(failed)->delivery_id, id);
  EXPECT_EQ(store().delivery(id)->secret_number, 1) << "of the try that counts";
}

}  // namespace
}  // namespace davit::store
