// Deliveries of any sender that signs by the Standard Webhooks specification
// (https://github.com/standard-webhooks/standard-webhooks). What they mean is said in the configuration.
#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "../reading/excerpt.h"
#include "../reading/links.h"
#include "davit/webhook.hpp"
#include "decision.h"
#include "settings.h"

namespace standard {
namespace {

using davit::Answer;
using davit::Failure;
using davit::Json;
using davit::JsonView;
using davit::Link;

constexpr std::size_t kMaxKey = 256;
constexpr int kMaxDepth = 60;  // the host takes 64 levels, and the body is the fifth of a task
const std::vector<std::string> kMarkers = {"Sentry Issue:"};

// One name for one thing: nothing that is too long, none with blanks or control characters.
std::string key_of(const Template& key, JsonView body, std::string prefix = "") {
  const std::string filled = key.fill(body);
  const auto bad = [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F; };
  if (filled.empty() || prefix.size() + filled.size() > kMaxKey ||
      std::any_of(filled.begin(), filled.end(), bad)) {
    return "";
  }
  return prefix + filled;
}

// Unlike an address found in a text it keeps its query, which the operator asked for.
std::string url_of(const Template& url, JsonView body) {
  const std::string filled = url.fill(body);
  const auto bad = [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F; };
  const bool good = (filled.starts_with("https://") || filled.starts_with("http://")) &&
                    filled.size() <= reading::kMaxUrl && std::none_of(filled.begin(), filled.end(), bad);
  return good ? filled : "";
}

std::string line_of(const Template& text, JsonView body, std::size_t limit) {
  return reading::one_line(text.fill(body), limit);
}

class StandardWebhook : public davit::WebhookHandler {
 public:
  davit::WebhookMetadata metadata() const override { return metadata_for("standard", "webhook"); }

  void configure(const Json& config) override { settings_ = Settings::from(config); }

  davit::Parsed parse_payload(const davit::Request& request) const override {
    Json body = Json::parse(request.body(), kMaxDepth);
    if (!body.is_object()) throw Failure::invalid_input("the body is not a JSON object");
    const std::string name(reading::text_or_none(body.at_pointer(settings_.event_at),
                                                 "the event's name, at " + settings_.event_at));
    return Json::object({{"event", reading::cut(name, reading::kMaxLine)}, {"body", std::move(body)}});
  }

  davit::Decision should_process(const Json& event) const override {
    Verdict verdict = decide(settings_, event);
    if (!verdict.rule) return davit::Decision::no(std::move(verdict.reason));
    return davit::Decision::yes(std::move(verdict.reason));
  }

  Answer handle(const Json& event) const override {
    const Verdict verdict = decide(settings_, event);
    if (!verdict.rule) return Answer::ignored(verdict.reason);
    const davit::Entity entity = entity_of(event["body"]);
    std::vector<Link> links = links_of(event["body"]);

    Answer answer = Answer::queued("Queued " + verdict.rule->agent +
                                   (entity.key.empty() ? "" : " for " + entity.key) + ": " + verdict.reason);
    answer.task(task_of(event, *verdict.rule, entity, links));
    answer.by(actor_of(event["body"])).about(entity);
    for (Link& link : links) answer.link(std::move(link));
    return answer;
  }

 protected:
  static davit::WebhookMetadata metadata_for(const std::string& name, const std::string& header) {
    return {.name = name,
            .endpoint = "/webhooks/" + name,
            .description = "Starts agents on events of a sender that signs by Standard Webhooks (" + header +
                           "-id, " + header + "-signature); its config says on which",
            .secret_env_var = name == "svix" ? "SVIX_WEBHOOK_SECRET" : "STANDARD_WEBHOOK_SECRET",
            .enabled = false,  // without rules it has nothing to do
            .delivery_id = {.header = header + "-id"},
            .content_types = {"application/json"},
            .max_body_bytes = 256 * 1024,
            .signature = davit::Signature::hmac_sha256(header + "-signature")
                             .prefix("v1,")
                             .base64()
                             .secret_prefix("whsec_")
                             .secret_base64()
                             .or_ed25519()
                             .prefix("v1a,")
                             .base64()
                             .secret_prefix("whpk_")
                             .secret_base64()
                             .separator(" ")
                             .signs("{id}.{timestamp}.{body}")
                             .timestamp(header + "-timestamp", std::chrono::seconds(300))
                             .id(header + "-id"),
            .config_schema = kConfigSchema};
  }

 private:
  // One sender must not be able to name what belongs to another: keys begin with the instance's name.
  davit::Entity entity_of(JsonView body) const {
    const std::string prefix = std::string(host().instance_name()) + ":";
    const std::string key = key_of(settings_.entity_key, body, prefix);
    if (key.empty()) return {};
    return {.key = key,
            .type = settings_.entity_type,
            .title = line_of(settings_.entity_title, body, reading::kMaxLine),
            .url = url_of(settings_.entity_url, body),
            .group = key_of(settings_.entity_group, body, prefix)};
  }

  davit::Actor actor_of(JsonView body) const {
    return {.id = key_of(settings_.actor_id, body),
            .login = line_of(settings_.actor_login, body, kMaxKey),
            .role = line_of(settings_.actor_role, body, 64)};
  }

  std::vector<Link> links_of(JsonView body) const {
    std::vector<Link> links;
    for (const Settings::LinkTexts& link : settings_.links) {
      if (std::string key = key_of(link.key, body); !key.empty())
        links.push_back({.rel = link.rel, .key = std::move(key), .url = url_of(link.url, body)});
    }
    for (const std::string& text : settings_.texts)
      reading::find_links(body.at_pointer(text).string_or(""), settings_.hosts, kMarkers, links);
    return links;
  }

  Json payload_of(JsonView event, const std::vector<Link>& links) const {
    Json payload = Json::object({{"source", host().instance_name()}, {"event", event["event"]}});
    if (settings_.payload.empty()) payload.set("body", event["body"]);
    for (const auto& [name, pointer] : settings_.payload) {
      const JsonView value = event["body"].at_pointer(pointer);
      if (!value.is_null()) payload.set(name, value);
    }
    for (const Link& link : links) {
      if (link.rel != "sentry_issue") continue;
      payload.set("sentry_issue", Json::object({{"key", link.key}, {"url", link.url}}));
      break;
    }
    return payload;
  }

  davit::NewTask task_of(JsonView event, const Rule& rule, const davit::Entity& entity,
                         const std::vector<Link>& links) const {
    std::string title = line_of(settings_.title, event["body"], reading::kMaxLine);
    if (title.empty()) title = entity.title;
    if (title.empty()) title = entity.key;
    if (title.empty()) title = event["event"].string_or("");
    davit::NewTask task{.agent = rule.agent,
                        .task_type = rule.task_type,
                        .title = std::move(title),
                        .payload = payload_of(event, links),
                        .priority = rule.priority,
                        .entity = entity.key,
                        .key = entity.key};
    if (settings_.settle_seconds > 0)
      task.run_at = host().now() + std::chrono::seconds(settings_.settle_seconds);
    return task;
  }

  Settings settings_;
};

// The same signatures under the names of headers that were there before the specification.
class SvixWebhook : public StandardWebhook {
 public:
  davit::WebhookMetadata metadata() const override { return metadata_for("svix", "svix"); }
};

}  // namespace
}  // namespace standard

DAVIT_REGISTER_WEBHOOK(standard::StandardWebhook)
DAVIT_REGISTER_WEBHOOK(standard::SvixWebhook)
