#include "host/ingest/test_event.h"

#include <gmock/gmock.h>

#include "host/plugin/webhook_verification.h"

namespace davit::ingest {
namespace {

using testing::HasSubstr;

constexpr const char* kSecret = "a-secret-of-16-bytes";
const WallTime kNow = from_unix_ms(1'700'000'000'000);

plugin::Webhook webhook(const char* scheme) {
  plugin::Webhook webhook;
  webhook.settings.instance = "shop";
  webhook.settings.secrets = {kSecret, "another-secret-of-16"};
  webhook.scheme = *plugin::SignatureScheme::from_json(*parse_json(scheme));
  webhook.event_header = "X-Event";
  webhook.delivery_id_header = "X-Delivery";
  return webhook;
}
plugin::Webhook shop() {
  return webhook(
      R"({"headers":["X-Signature"],"accept":[{"prefix":"sha256=","algorithm":"hmac-sha256","encoding":"hex"}]})");
}

Result<Delivery> made(const plugin::Webhook& webhook, TestEvent wanted = {{"{}", {}}, "order", "admin"}) {
  return test_delivery(webhook, std::move(wanted), "request-1", kNow);
}

TEST(TestEventTest, PassesTheChecksThatADeliveryOfTheSenderPasses) {
  const plugin::Webhook hook = shop();
  auto delivery = made(hook);
  ASSERT_TRUE(delivery.ok()) << delivery.error().message;
  EXPECT_EQ(header_values(*delivery, "X-Event"), std::vector<std::string_view>{"order"});
  EXPECT_EQ(tested_by(delivery->remote_address), "admin");
  const std::string id(header_values(*delivery, "X-Delivery").front());
  std::string_view cause;
  auto verified = plugin::verify(hook, std::move(*delivery), kNow, cause);
  ASSERT_TRUE(verified.ok()) << cause;
  EXPECT_EQ(verified->delivery_key(), id);
  EXPECT_EQ(verified->secret_number(), 1);
  for (const DeliveryHeader& header : verified->delivery().headers)
    EXPECT_EQ(header.value.find(kSecret), std::string_view::npos);
}

TEST(TestEventTest, IsAnotherEventEachTime) {
  const plugin::Webhook hook = shop();
  const auto first = made(hook), second = made(hook);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_NE(first->body, second->body);
  EXPECT_NE(header_values(*first, "X-Delivery"), header_values(*second, "X-Delivery"));
}

TEST(TestEventTest, IsNotSignedWhereNobodyChecks) {
  plugin::Webhook hook = shop();
  hook.settings.secrets.clear();
  hook.settings.allow_unsigned = true;
  const auto delivery = made(hook);
  ASSERT_TRUE(delivery.ok());
  EXPECT_TRUE(header_values(*delivery, "X-Signature").empty());
}

TEST(TestEventTest, IsRefusedWhereDavitHasNoKeyOrTheWebhookDoesNotServe) {
  plugin::Webhook sleeping = shop();
  sleeping.state = plugin::ServingState::NoSecret;
  sleeping.state_reason = "it has no secret to check signatures with";
  plugin::Webhook own = shop();
  own.scheme.reset();
  own.settings.allow_own_signature_check = true;
  const plugin::Webhook with_key = webhook(
      R"({"headers":["X-Signature"],"accept":[{"algorithm":"ed25519","encoding":"hex"}]})");
  for (const auto& [hook, words] : {std::pair(sleeping, "it has no secret to check signatures with"),
                                    {own, "checks signatures by itself"},
                                    {with_key, "a private key that only its sender has"}}) {
    const auto delivery = made(hook);
    ASSERT_FALSE(delivery.ok()) << words;
    EXPECT_EQ(delivery.error().code, ErrorCode::Conflict);
    EXPECT_THAT(delivery.error().message, HasSubstr(words));
    EXPECT_EQ(delivery.error().message.find(kSecret), std::string::npos);
  }
}

TEST(TestEventTest, HeadersThatNoRequestCanHaveAreRefused) {
  const std::vector<plugin::SentHeaders> bad{
      {{"A B", "c"}}, {{"", "c"}}, {{"A", "b\r\nC: d"}}, {{"A", std::string(9'000, 'x')}},
      plugin::SentHeaders(101, {"A", "b"})};
  for (const plugin::SentHeaders& headers : bad) {
    const auto delivery = made(shop(), {{"{}", headers}, "", "admin"});
    ASSERT_FALSE(delivery.ok());
    EXPECT_EQ(delivery.error().code, ErrorCode::InvalidInput);
  }
  EXPECT_FALSE(made(shop(), {{"{}", {}}, "a\nb", "admin"}).ok());
}

TEST(TestEventTest, AnAddressIsNobodysTest) {
  EXPECT_EQ(tested_by("127.0.0.1"), std::nullopt);
  EXPECT_EQ(tested_by("::1"), std::nullopt);
  EXPECT_EQ(tested_by(""), std::nullopt);
}

}  // namespace
}  // namespace davit::ingest
