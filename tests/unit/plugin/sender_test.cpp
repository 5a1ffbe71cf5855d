#include "host/plugin/sender.h"

#include <gmock/gmock.h>

#include "host/base/json.h"

namespace davit::plugin {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

// A sender that names its event and its id, and signs in one of two headers.
Sender shop() {
  auto scheme = parse_json(
      R"({"headers":["X-Signature","X-Old-Signature"],"accept":[{"prefix":"sha256=","algorithm":"hmac-sha256","encoding":"hex"}]})");
  return {"shop", "X-Event", "X-Delivery", *SignatureScheme::from_json(*scheme), true};
}

Result<SignedHeaders> signed_as(const SignatureScheme& scheme, std::string_view body, const std::string& id) {
  return SignedHeaders{{{scheme.headers.front(), "of " + std::string(body) + " " + id}}};
}

Result<SentHeaders> sent(const Sample& sample, const Wishes& wishes, const Sender& sender = shop()) {
  return headers_as_sent(sender, sample, wishes, signed_as);
}

TEST(SenderTest, NamesIdAndEventSignsAndAddsWhatWasRecorded) {
  const auto headers = sent({"{}", {{"x-delivery", "old"}, {"X-Version", "7"}}},
                            {.headers = {}, .event = "order", .id = "new", .signature_header = {}, .user_agent = "me"});
  ASSERT_TRUE(headers.ok()) << headers.error().message;
  EXPECT_THAT(*headers, ElementsAre(Pair("X-Delivery", "new"), Pair("X-Event", "order"),
                                    Pair("X-Signature", "of {} new"), Pair("X-Version", "7"),
                                    Pair("Content-Type", "application/json"), Pair("User-Agent", "me")));
}

TEST(SenderTest, WhatIsWishedForStandsInThePlaceOfWhatWouldBePut) {
  const auto headers = sent({"a=b", {{"User-Agent", "recorded"}}}, {.headers = {{"x-signature", "mine"}},
                                                                    .event = {},
                                                                    .id = "1",
                                                                    .signature_header = {},
                                                                    .user_agent = "me"});
  ASSERT_TRUE(headers.ok());
  EXPECT_THAT(*headers, ElementsAre(Pair("x-signature", "mine"), Pair("X-Delivery", "1"),
                                    Pair("User-Agent", "recorded"),
                                    Pair("Content-Type", "application/x-www-form-urlencoded")));
}

TEST(SenderTest, TheSignatureStandsWhereItWasRecordedOrIsWished) {
  const Sample recorded{"{}", {{"x-old-signature", "stale"}}};
  auto headers = sent(recorded, {});
  ASSERT_TRUE(headers.ok());
  EXPECT_THAT(*headers, testing::Contains(Pair("X-Old-Signature", "of {} ")));
  EXPECT_THAT(*headers, testing::Not(testing::Contains(Pair(testing::_, "stale"))));
  headers = sent({"{}", {}}, {.headers = {}, .event = {}, .id = {}, .signature_header = "x-old-signature", .user_agent = {}});
  ASSERT_TRUE(headers.ok());
  EXPECT_EQ(headers->front().first, "X-Delivery");
  EXPECT_THAT(*headers, testing::Contains(Pair("X-Old-Signature", "of {} ")));
  headers = sent({"{}", {}}, {.headers = {}, .event = {}, .id = {}, .signature_header = "X-Other", .user_agent = {}});
  ASSERT_FALSE(headers.ok());
  EXPECT_THAT(headers.error().message, HasSubstr("are signed in X-Signature, X-Old-Signature"));
}

TEST(SenderTest, WhoDoesNotSignLeavesRecordedSignaturesOut) {
  Sender sender = shop();
  sender.signs = false;
  const auto headers = sent({"{}", {{"X-Signature", "stale"}}}, {}, sender);
  ASSERT_TRUE(headers.ok());
  EXPECT_THAT(*headers, testing::Not(testing::Contains(Pair("X-Signature", testing::_))));
}

TEST(SenderTest, AnEventThatNoHeaderNamesIsRefusedAndSoIsWhatTheSignerRefuses) {
  Sender sender = shop();
  sender.event_header.clear();
  const Wishes wishes{.headers = {}, .event = "order", .id = {}, .signature_header = {}, .user_agent = {}};
  const auto headers = sent({"{}", {}}, wishes, sender);
  ASSERT_FALSE(headers.ok());
  EXPECT_THAT(headers.error().message, HasSubstr("deliveries to shop name no event in a header"));
  const auto unsigned_headers = headers_as_sent(
      shop(), {"{}", {}}, {},
      [](const SignatureScheme&, std::string_view, const std::string&) -> Result<SignedHeaders> {
        return Error{ErrorCode::InvalidInput, "no key"};
      });
  ASSERT_FALSE(unsigned_headers.ok());
  EXPECT_EQ(unsigned_headers.error().message, "no key");
}

TEST(SenderTest, ASampleIsReadFromWhatWasRecorded) {
  const auto read = [](const char* text) { return read_sample(*parse_json(text)); };
  const auto whole = read(R"({"headers":{"A":"b"},"body":{"c":[1]}})");
  ASSERT_TRUE(whole.ok());
  EXPECT_THAT(whole->sample.headers, ElementsAre(Pair("A", "b")));
  EXPECT_EQ(whole->sample.body, R"({"c":[1]})");
  EXPECT_EQ(read(R"({"body":"c=1"})")->sample.body, "c=1");
  EXPECT_FALSE(read(R"({"body":"c=1"})")->has_headers);
  EXPECT_FALSE(read("[]")->has_body);
  EXPECT_FALSE(read(R"({"headers":[]})").ok());
  EXPECT_FALSE(read(R"({"headers":{"A":1}})").ok());
}

TEST(SenderTest, OtherBytesMeanTheSame) {
  const std::string once = in_other_bytes("{\"a\":1}"), again = in_other_bytes("{\"a\":1}");
  EXPECT_NE(once, again);
  EXPECT_EQ(to_json(*parse_json(once)), to_json(*parse_json(again)));
  EXPECT_THAT(in_other_bytes("a=1"), testing::StartsWith("a=1&davit_again="));
}

TEST(SenderTest, TheSampleOfTheMetadataIsAnEventOfThisMoment) {
  const WallTime now = from_unix_ms(1'700'000'000'999);
  EXPECT_FALSE(own_sample(R"({"name":"shop"})", now));
  EXPECT_FALSE(own_sample("no metadata", now));
  const auto sample = own_sample(
      R"({"sample":{"headers":{"At":"{timestamp}","X":"y"},"body":{"id":"{timestamp}-{timestamp}","n":{"timestamp":1}}}})", now);
  ASSERT_TRUE(sample);
  EXPECT_EQ(sample->headers, (SentHeaders{{"At", "1700000000"}, {"X", "y"}}));
  EXPECT_EQ(sample->body, R"({"id":"1700000000-1700000000","n":{"timestamp":1}})");
  EXPECT_EQ(own_sample(R"({"sample":{"body":"a=b"}})", now)->body, "a=b");
}

}  // namespace
}  // namespace davit::plugin
