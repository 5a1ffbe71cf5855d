#include "host/plugin/webhook_verification.h"

#include <gtest/gtest.h>

#include "host/base/crypto.h"
#include "tests/unit/plugin/support.h"

namespace davit::plugin {
namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

class WebhookVerificationTest : public testing::Test {
 protected:
  WebhookVerificationTest() {
    webhook_.settings.instance = "github";
    webhook_.settings.secrets = {"a-secret-of-16-bytes"};
    auto scheme = parse_json(
        R"({"headers":["X-Signature"],"accept":[{"prefix":"sha256=","algorithm":"hmac-sha256","encoding":"hex"}]})");
    webhook_.scheme = *SignatureScheme::from_json(*scheme);
    webhook_.content_types = {"application/json"};
    webhook_.delivery_id_header = "X-Delivery";
  }
  Headers good(std::string body = "{}", Headers more = {}) {
    Headers headers{
        {"Content-Type", "application/json"},
        {"X-Signature", "sha256=" + to_hex(hmac(HashAlgorithm::Sha256, "a-secret-of-16-bytes", body))}};
    headers.insert(headers.end(), more.begin(), more.end());
    return headers;
  }
  Result<VerifiedDelivery> check(Headers headers, std::string body = "{}") {
    return verify(webhook_, test::delivery(std::move(body), std::move(headers)), from_unix_ms(0), cause_);
  }
  Webhook webhook_;
  std::string_view cause_;
};

TEST_F(WebhookVerificationTest, ASignedDeliveryIsVerifiedUnderTheSendersId) {
  auto verified = check(good("{}", {{"x-delivery", "abc-1"}}));
  ASSERT_TRUE(verified.ok()) << verified.error().message;
  EXPECT_EQ(verified->delivery_key(), "abc-1");
  EXPECT_FALSE(verified->key_is_body_hash());
  EXPECT_TRUE(cause_.empty());
}

TEST_F(WebhookVerificationTest, WithoutAnIdTheHashOfTheBodyIsTheKey) {
  auto verified = check(good());
  ASSERT_TRUE(verified.ok());
  EXPECT_EQ(verified->delivery_key(), "body:" + sha256_hex("{}"));
  EXPECT_TRUE(verified->key_is_body_hash());
}

TEST_F(WebhookVerificationTest, AnIdThatTheSenderNeverLeavesOutMustBeThere) {
  webhook_.delivery_id_required = true;
  auto verified = check(good());
  ASSERT_FALSE(verified.ok());
  EXPECT_EQ(verified.error().code, ErrorCode::InvalidInput);
  EXPECT_EQ(verified.error().message, "the header X-Delivery is missing");
  EXPECT_EQ(cause_, "no_delivery_id");
  EXPECT_TRUE(check(good("{}", {{"X-Delivery", "a"}})).ok());
  EXPECT_FALSE(check({{"Content-Type", "application/json"}}).ok());
  EXPECT_EQ(cause_, "missing") << "the signature is asked for first";
}

TEST_F(WebhookVerificationTest, EverySignatureFaultHasOneTextAndItsCause) {
  auto missing = check({{"Content-Type", "application/json"}});
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(cause_, "missing");
  auto wrong = check(good("other body"));
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(cause_, "mismatch");
  EXPECT_EQ(missing.error().code, ErrorCode::Unauthorized);
  EXPECT_EQ(missing.error().message, wrong.error().message);
}

TEST_F(WebhookVerificationTest, ItSaysWhichOfTheConfiguredSecretsSignedIt) {
  EXPECT_EQ(check(good())->secret_number(), 1);
  webhook_.settings.secrets = {"another-secret-of-many-bytes", "a-secret-of-16-bytes"};
  EXPECT_EQ(check(good())->secret_number(), 2);
  webhook_.settings.secret_numbers = {2, 5};  // 1, 3 and 4 are missing
  EXPECT_EQ(check(good())->secret_number(), 5);
  webhook_.settings.secrets = {"a-secret-of-16-bytes", "a-secret-of-16-bytes"};
  EXPECT_EQ(check(good())->secret_number(), 2) << "the newest that fits";
  webhook_.settings.secrets.clear();
  webhook_.settings.allow_unsigned = true;
  EXPECT_EQ(check(good())->secret_number(), std::nullopt);
}

TEST_F(WebhookVerificationTest, ABodyThatWasWrittenAnewOnTheWayIsAMismatch) {
  const std::string sent = R"({"text":"caf\u00e9","n":1.0})";
  for (const std::string body : {R"({"text":"café","n":1.0})", R"({"text": "caf\u00e9", "n": 1.0})",
                                 R"({"n":1.0,"text":"caf\u00e9"})", R"({"text":"caf\u00e9","n":1})"}) {
    EXPECT_FALSE(check(good(sent), body).ok()) << body;
    EXPECT_EQ(cause_, "mismatch");
  }
  EXPECT_TRUE(check(good(sent), sent).ok());
}

TEST_F(WebhookVerificationTest, WhatIsRefusedStaysWithTheCaller) {
  Delivery delivery = test::delivery("{}", good("other body", {{"X-Delivery", "a"}}));
  ASSERT_FALSE(verify(webhook_, std::move(delivery), from_unix_ms(0), cause_).ok());
  EXPECT_EQ(delivery.body, "{}");
  EXPECT_EQ(delivery.headers.size(), 3u);
}

TEST_F(WebhookVerificationTest, BadDeliveryIdsAreRefusedAfterTheSignature) {
  for (std::string id : {std::string(), std::string(257, 'x'), std::string(10'000, 'x'), std::string("a b"),
                         std::string("a\x01"), std::string("\xC3\xA9")}) {
    auto verified = check(good("{}", {{"X-Delivery", id}}));
    ASSERT_FALSE(verified.ok()) << id;
    EXPECT_EQ(verified.error().code, ErrorCode::InvalidInput);
    EXPECT_EQ(cause_, "delivery_id");
  }
  EXPECT_FALSE(check(good("{}", {{"X-Delivery", "a"}, {"X-Delivery", "b"}})).ok());
  EXPECT_EQ(cause_, "delivery_id");
  EXPECT_FALSE(check({{"Content-Type", "application/json"}, {"X-Delivery", ""}}).ok());
  EXPECT_EQ(cause_, "missing");
}

TEST_F(WebhookVerificationTest, MediaTypesAreComparedWithoutParametersAndCase) {
  auto with = [&](Headers types) {
    Headers headers = good();
    headers.erase(headers.begin());
    headers.insert(headers.end(), types.begin(), types.end());
    return check(std::move(headers));
  };
  EXPECT_TRUE(with({{"Content-Type", "Application/JSON ; charset=utf-8"}}).ok());
  for (Headers types :
       {Headers{}, Headers{{"Content-Type", "text/plain"}}, Headers{{"Content-Type", ""}},
        Headers{{"Content-Type", "application/json"}, {"Content-Type", "application/json"}}}) {
    auto refused = with(types);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::InvalidInput);
    EXPECT_EQ(cause_, "media_type");
  }
  webhook_.settings.allow_unsigned = true;
  webhook_.settings.secrets.clear();
  EXPECT_TRUE(check({}, "").ok());
}

TEST_F(WebhookVerificationTest, WithoutSecretNothingIsVerifiedUnlessAllowedByName) {
  webhook_.settings.secrets.clear();
  auto refused = check(good());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::Unavailable);
  EXPECT_EQ(cause_, "no_secret");
  webhook_.settings.allow_unsigned = true;
  EXPECT_EQ(who_checks(webhook_), WhoChecks::Nobody);
  EXPECT_TRUE(check({{"Content-Type", "application/json"}}).ok());
}

TEST_F(WebhookVerificationTest, ASecretIsUsedEvenWhereUnsignedIsAllowed) {
  webhook_.settings.allow_unsigned = true;
  EXPECT_EQ(who_checks(webhook_), WhoChecks::ByScheme);
  EXPECT_FALSE(check({{"Content-Type", "application/json"}}).ok());
}

TEST_F(WebhookVerificationTest, ThePluginsVerdictCountsOnlyWhereAllowed) {
  webhook_.scheme.reset();
  EXPECT_EQ(who_checks(webhook_), WhoChecks::ByPlugin);
  EXPECT_FALSE(check(good()).ok());
  EXPECT_EQ(cause_, "by_plugin");
  auto by_plugin = [&](Result<> verdict) {
    return verify_by_plugin(webhook_, test::delivery("{}", good()), verdict, cause_);
  };
  EXPECT_FALSE(by_plugin({}).ok());
  webhook_.settings.allow_own_signature_check = true;
  EXPECT_TRUE(by_plugin({}).ok());
  auto refused = by_plugin(Error{ErrorCode::Unauthorized, "the plugin's own words"});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::Unauthorized);
  EXPECT_EQ(refused.error().message.find("own words"), std::string::npos);
  EXPECT_FALSE(by_plugin(Error{ErrorCode::Deadline, "late"}).ok());
  EXPECT_EQ(cause_, "plugin");
}

}  // namespace
}  // namespace davit::plugin
