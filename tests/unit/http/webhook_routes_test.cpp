#include "host/http/webhook_routes.h"

#include <gtest/gtest.h>

#include "host/base/json.h"

namespace davit::http {
namespace {

using ingest::Outcome;
using ingest::OutcomeKind;

Outcome outcome(OutcomeKind kind, std::string message = "because") {
  Outcome result;
  result.kind = kind;
  result.message = std::move(message);
  return result;
}

TEST(WebhookResponseTest, EachOutcomeHasItsStatus) {
  const std::pair<OutcomeKind, int> table[] = {
      {OutcomeKind::Queued, 202},
      {OutcomeKind::Deferred, 202},
      {OutcomeKind::Ignored, 200},
      {OutcomeKind::Duplicate, 200},
      {OutcomeKind::Error, 422},
      {OutcomeKind::Malformed, 400},
      {OutcomeKind::Unauthorized, 401},
      {OutcomeKind::NotFound, 404},
      {OutcomeKind::TooLarge, 413},
      {OutcomeKind::RateLimited, 429},
      {OutcomeKind::UnsupportedMedia, 415},
      {OutcomeKind::Unavailable, 503},
  };
  for (const auto& [kind, status] : table) {
    Response response = webhook_response(outcome(kind), "request-1");
    EXPECT_EQ(response.status, status);
    EXPECT_FALSE(response.close) << "the whole request was read";
  }
}

TEST(WebhookResponseTest, QueuedNamesTheFirstTaskAndListsSeveral) {
  Outcome queued = outcome(OutcomeKind::Queued, "Queued issue 7");
  queued.task_ids = {"t-1", "t-2"};
  queued.delivery_id = "d-1";
  queued.details = R"({"rule":"label"})";
  auto body = parse_json(webhook_response(queued, "r").body);
  ASSERT_TRUE(body.ok());
  EXPECT_EQ(
      to_json(*body),
      R"({"status":"queued","task_id":"t-1","message":"Queued issue 7","details":{"rule":"label","delivery_id":"d-1","task_ids":["t-1","t-2"]}})");
}

TEST(WebhookResponseTest, ADuplicateCarriesTheFirstOutcome) {
  Outcome duplicate = outcome(OutcomeKind::Duplicate);
  duplicate.task_ids = {"t-1"};
  auto body = parse_json(webhook_response(duplicate, "r").body);
  EXPECT_EQ(string_member(*body, "status"), "queued");
  EXPECT_EQ(string_member(*body, "task_id"), "t-1");
  EXPECT_TRUE(bool_member(*find_member(*body, "details"), "duplicate"));
}

TEST(WebhookResponseTest, DeferredSaysSo) {
  auto body = parse_json(webhook_response(outcome(OutcomeKind::Deferred), "r").body);
  EXPECT_EQ(string_member(*body, "status"), "queued");
  EXPECT_TRUE(bool_member(*find_member(*body, "details"), "deferred"));
}

TEST(WebhookResponseTest, AnOverrideReplacesTheAnswer) {
  Outcome ignored = outcome(OutcomeKind::Ignored);
  ignored.http = HttpOverride{200, "text/plain", "challenge-123"};
  Response response = webhook_response(ignored, "r");
  EXPECT_EQ(response.content_type, "text/plain");
  EXPECT_EQ(response.body, "challenge-123");
}

TEST(WebhookResponseTest, RetryAfterIsInWholeSecondsRoundedUp) {
  Outcome limited = outcome(OutcomeKind::RateLimited);
  limited.retry_after = Duration{1'001};
  Response response = webhook_response(limited, "r");
  EXPECT_EQ(response.headers, (std::vector<std::pair<std::string, std::string>>{{"Cache-Control", "no-store"},
                                                                                {"Retry-After", "2"}}));
}

}  // namespace
}  // namespace davit::http
