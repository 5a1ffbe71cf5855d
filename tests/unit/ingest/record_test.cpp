// What is kept of what hooks say.
#include "host/ingest/record.h"

#include <gtest/gtest.h>

#include <functional>

#include "host/base/json.h"
#include "host/plugin/marshal.h"
#include "host/plugin/redact.h"

namespace davit::ingest {
namespace {

constexpr const char* kSecret = "s3cr3t-value";

plugin::Webhook webhook() {
  plugin::Webhook webhook;
  webhook.settings.instance = "hook";
  webhook.settings.granted = {{"api", kSecret}};
  webhook.settings.secrets = {"signing-secret"};
  webhook.redactor = plugin::redactor_for(webhook.settings);
  return webhook;
}

// Every text that a webhook can put into its answer, with a way to put one there.
struct Place {
  const char* name;
  std::function<void(WebhookAnswer&, const std::string&)> put;
};
NewTask& task_of(WebhookAnswer& answer) {
  if (answer.tasks.empty()) answer.tasks.emplace_back().agent = "worker";
  return answer.tasks.front();
}
TaskAction& action_of(WebhookAnswer& answer) {
  if (answer.actions.empty()) answer.actions.emplace_back();
  return answer.actions.front();
}
HttpOverride& http_of(WebhookAnswer& answer) { return answer.http ? *answer.http : answer.http.emplace(); }
Actor& actor_of(WebhookAnswer& answer) { return answer.actor ? *answer.actor : answer.actor.emplace(); }
Entity& entity_of(WebhookAnswer& answer) { return answer.entity ? *answer.entity : answer.entity.emplace(); }
Link& link_of(WebhookAnswer& answer) {
  if (answer.links.empty()) answer.links.emplace_back();
  return answer.links.front();
}
using Text = const std::string&;
const Place kPlaces[] = {
    {"message", [](WebhookAnswer& answer, Text text) { answer.message = text; }},
    {"details",
     [](WebhookAnswer& answer, Text text) { answer.details = "{\"a\":" + json_quote(text) + "}"; }},
    {"http.content_type", [](WebhookAnswer& answer, Text text) { http_of(answer).content_type = text; }},
    {"http.body", [](WebhookAnswer& answer, Text text) { http_of(answer).body = text; }},
    {"tasks.agent", [](WebhookAnswer& answer, Text text) { task_of(answer).agent = text; }},
    {"tasks.task_type", [](WebhookAnswer& answer, Text text) { task_of(answer).task_type = text; }},
    {"tasks.title", [](WebhookAnswer& answer, Text text) { task_of(answer).title = text; }},
    {"tasks.payload", [](WebhookAnswer& answer, Text text) { task_of(answer).payload = json_quote(text); }},
    {"tasks.entity", [](WebhookAnswer& answer, Text text) { task_of(answer).entity = text; }},
    {"tasks.key", [](WebhookAnswer& answer, Text text) { task_of(answer).key = text; }},
    {"actions.task_id", [](WebhookAnswer& answer, Text text) { action_of(answer).task_id = text; }},
    {"actions.entity", [](WebhookAnswer& answer, Text text) { action_of(answer).entity = text; }},
    {"actions.agent", [](WebhookAnswer& answer, Text text) { action_of(answer).agent = text; }},
    {"actions.comment", [](WebhookAnswer& answer, Text text) { action_of(answer).comment = text; }},
    {"actions.content_hash", [](WebhookAnswer& answer, Text text) { action_of(answer).content_hash = text; }},
    {"actions.via", [](WebhookAnswer& answer, Text text) { action_of(answer).via = text; }},
    {"actor.id", [](WebhookAnswer& answer, Text text) { actor_of(answer).id = text; }},
    {"actor.login", [](WebhookAnswer& answer, Text text) { actor_of(answer).login = text; }},
    {"actor.role", [](WebhookAnswer& answer, Text text) { actor_of(answer).role = text; }},
    {"entity.key", [](WebhookAnswer& answer, Text text) { entity_of(answer).key = text; }},
    {"entity.type", [](WebhookAnswer& answer, Text text) { entity_of(answer).type = text; }},
    {"entity.title", [](WebhookAnswer& answer, Text text) { entity_of(answer).title = text; }},
    {"entity.url", [](WebhookAnswer& answer, Text text) { entity_of(answer).url = text; }},
    {"entity.group", [](WebhookAnswer& answer, Text text) { entity_of(answer).group = text; }},
    {"links.rel", [](WebhookAnswer& answer, Text text) { link_of(answer).rel = text; }},
    {"links.key", [](WebhookAnswer& answer, Text text) { link_of(answer).key = text; }},
    {"links.url", [](WebhookAnswer& answer, Text text) { link_of(answer).url = text; }},
    {"reply.body", [](WebhookAnswer& answer,
                      Text text) { answer.reply.emplace().body = "{\"text\":" + json_quote(text) + "}"; }},
};

TEST(RecordTest, NoTextOfAnAnswerHoldsASecretThatTheWebhookWasGiven) {
  for (const Place& place : kPlaces) {
    plugin::HookOutcome outcome;
    place.put(outcome.answer, std::string("it is ") + kSecret + " and signing-secret");
    const Result<plugin::HookOutcome> said = hide_secrets(webhook(), outcome);
    ASSERT_TRUE(said.ok());
    const std::string kept = plugin::to_json(said->answer);
    EXPECT_NE(kept.find("it is [secret api] and [secret of the signature]"), std::string::npos)
        << place.name << ": " << kept;
    EXPECT_EQ(kept.find(kSecret), std::string::npos) << place.name << ": " << kept;
  }
}

TEST(RecordTest, WhereAReplyGoesIsLeftAsItIs) {
  WebhookAnswer answer;
  answer.reply.emplace().url = std::string("https://hooks.test/") + kSecret;
  EXPECT_EQ(hide_secrets(webhook(), answer).reply->url, std::string("https://hooks.test/") + kSecret);
}

TEST(RecordTest, NoSecretIsInWhyHooksFailNorInTheIdTheyFind) {
  const Result<plugin::HookOutcome> failed =
      hide_secrets(webhook(), Error{ErrorCode::Unavailable, std::string("no luck with ") + kSecret});
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code, ErrorCode::Unavailable);
  EXPECT_EQ(failed.error().message, "no luck with [secret api]");
  plugin::HookOutcome outcome;
  outcome.payload_delivery_id = kSecret;
  EXPECT_EQ(hide_secrets(webhook(), outcome)->payload_delivery_id, "[secret api]");
}

TEST(RecordTest, OfAWebhookWithoutItsPluginNobodyKnowsWhichHeaderIsSigned) {
  Delivery delivery;
  delivery.headers = {{"X-Proof", "abc"}, {"Content-Type", "application/json"}, {"User-Agent", "sender"}};
  plugin::Webhook missing = webhook();
  EXPECT_NE(headers_json(missing, delivery).find("abc"), std::string::npos);
  missing.state = plugin::ServingState::Missing;
  EXPECT_EQ(headers_json(missing, delivery),
            R"x({"X-Proof":"(removed)","Content-Type":"application/json","User-Agent":"sender"})x");
}

}  // namespace
}  // namespace davit::ingest
