#include "host/isolation/protocol.h"

#include <gtest/gtest.h>

#include "host/isolation/envelope.h"

namespace davit::isolation {
namespace {

Delivery sample() {
  Delivery delivery;
  delivery.id = "id";
  delivery.request_id = "request";
  delivery.webhook = "hook";
  delivery.method = "POST";
  delivery.path = "/webhooks/hook";
  delivery.query = "a=b";
  delivery.headers = {{"X-One", "1"}, {"X-Bytes", std::string_view("\xff\0\"", 3)}, {"X-Empty", ""}};
  delivery.body = std::string_view("body\0\xff", 6);
  delivery.remote_address = "::1";
  delivery.received_at = from_unix_ms(1234);
  return delivery;
}

TEST(ProtocolTest, ADeliveryArrivesByteForByte) {
  CallText text = webhook_run_request(VerifiedDeliveryMaker::make(sample(), "key", true));
  auto read = request_from(text.request, text.blob);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->kind, CallKind::WebhookRun);
  EXPECT_EQ(read->delivery_key, "key");
  EXPECT_TRUE(read->key_is_body_hash);
  const Delivery& delivery = read->delivery;
  const Delivery expected = sample();
  EXPECT_EQ(delivery.method, expected.method);
  EXPECT_EQ(delivery.path, expected.path);
  EXPECT_EQ(delivery.query, expected.query);
  EXPECT_EQ(delivery.body, expected.body);
  EXPECT_EQ(delivery.remote_address, expected.remote_address);
  EXPECT_EQ(delivery.received_at, expected.received_at);
  ASSERT_EQ(delivery.headers.size(), 3u);
  EXPECT_EQ(delivery.headers[1].value, expected.headers[1].value);
}

TEST(ProtocolTest, LengthsThatPassTheBlobAreRefused) {
  auto request = [](std::string_view parts) {
    return request_from(R"({"call":"webhook.run","parts":)" + std::string(parts) + "}", "0123456789");
  };
  EXPECT_TRUE(request("[1,2,3,0,0]").ok());
  EXPECT_FALSE(request("[1,2,3,0,5]").ok());
  EXPECT_FALSE(request("[1,2,3,0,18446744073709551615]").ok());
  EXPECT_FALSE(request("[1,2,3,0]").ok());
  EXPECT_FALSE(request("[1,2,3,0,0,1]").ok());
  EXPECT_FALSE(request("[-1,2,3,0,0]").ok());
  EXPECT_FALSE(request("{}").ok());
  EXPECT_FALSE(request_from(R"({"call":"no.such"})", "").ok());
}

TEST(ProtocolTest, AHookOutcomeSurvivesTheWay) {
  plugin::HookOutcome outcome;
  outcome.answer.status = AnswerStatus::Queued;
  outcome.answer.message = "yes";
  outcome.timings = {std::chrono::microseconds(1), std::chrono::microseconds(2), std::chrono::microseconds(3),
                     std::chrono::microseconds(4)};
  outcome.payload_delivery_id = "event-7";
  auto read = hook_outcome_from(hook_outcome_answer(outcome));
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->answer.status, AnswerStatus::Queued);
  EXPECT_EQ(read->answer.message, "yes");
  EXPECT_EQ(read->timings.verify.count(), 1);
  EXPECT_EQ(read->timings.handle.count(), 4);
  EXPECT_EQ(read->payload_delivery_id, "event-7");
  EXPECT_EQ(hook_outcome_from(hook_outcome_answer(Error{ErrorCode::RateLimited, "x"})).error().code,
            ErrorCode::RateLimited);
  EXPECT_EQ(hook_outcome_from(R"({"result":{"answer":)").error().code, ErrorCode::Internal);
}

TEST(ProtocolTest, AnExecutionIsToldWhatItMayLeave) {
  const CallText text = agent_run_request("{}", {.max_size = 5, .max_total = 7});
  const auto request = request_from(text.request, text.blob);
  ASSERT_TRUE(request.ok());
  EXPECT_EQ(request->artifacts.max_size, 5u);
  EXPECT_EQ(request->artifacts.max_total, 7u);
}

TEST(ProtocolTest, ReportsAreReadBackAsTheyWereWritten) {
  auto progress = parse_report(progress_report(0.25, "plan", "a \"quoted\" word"));
  ASSERT_TRUE(progress.ok());
  EXPECT_EQ(progress->kind, LiveReport::Kind::Progress);
  EXPECT_DOUBLE_EQ(progress->fraction, 0.25);
  EXPECT_EQ(progress->message, "a \"quoted\" word");
  EXPECT_EQ(parse_report(usage_report(R"({"input_tokens":5})"))->usage.input_tokens, 5);
  EXPECT_EQ(parse_report(transcript_report("tool", "line"))->line, "line");
  EXPECT_EQ(parse_report(artifact_report("plan.txt", "text/plain", 17))->name, "plan.txt");
  EXPECT_EQ(parse_report(artifact_report("plan.txt", "text/plain", 17))->bytes, 17u);
  EXPECT_FALSE(parse_report(R"({"report":"gossip"})").ok());
  EXPECT_FALSE(parse_report("nonsense").ok());
}

}  // namespace
}  // namespace davit::isolation
