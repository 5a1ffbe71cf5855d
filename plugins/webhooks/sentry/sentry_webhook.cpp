// Sentry's deliveries: what they are about (event), whether they matter (decision), and the task they become.
#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "../reading/excerpt.h"
#include "../reading/links.h"
#include "davit/webhook.hpp"
#include "decision.h"
#include "event.h"
#include "sample.h"
#include "settings.h"

namespace sentry {
namespace {

using davit::Answer;
using davit::Failure;
using davit::Json;
using davit::JsonView;

constexpr std::string_view kResourceHeader = "Sentry-Hook-Resource";

// "" unless it is there once and looks like an id.
std::string_view request_id_of(const davit::Request& request) {
  const std::vector<std::string_view> values = request.headers("Request-ID");
  if (values.size() != 1 || values[0].size() > 64) return {};
  const auto visible = [](char c) { return c > 0x20 && c < 0x7F; };
  return std::all_of(values[0].begin(), values[0].end(), visible) ? values[0] : std::string_view();
}

// What the agent gets: the event without what only decisions need.
Json payload_of(JsonView event, const davit::Entity& entity) {
  Json payload = Json::object({{"source", "sentry"}});
  for (const auto& [name, value] : event.members()) {
    if (name != "delivery_id" && name != "installation") payload.set(name, value);
  }
  if (!entity.url.empty()) payload.set("url", entity.url);
  return payload;
}

davit::Actor actor_of(JsonView event) {
  const JsonView actor = event["actor"];
  return {.id = std::string(actor["id"].string_or("")),
          .login = std::string(actor["name"].string_or("")),
          .role = std::string(reading::cut(actor["type"].string_or(""), 64))};
}

class SentryWebhook : public davit::WebhookHandler {
 public:
  davit::WebhookMetadata metadata() const override {
    return {
        .name = "sentry",
        .endpoint = "/webhooks/sentry",
        .description = "Starts an agent on new Sentry issues and on alerts that fire",
        .secret_env_var = "SENTRY_WEBHOOK_SECRET",
        .event_types = {"issue", "event_alert", "metric_alert", "error", "comment", "installation"},
        .event_header = std::string(kResourceHeader),
        .delivery_id = {.pointer = "/delivery_id"},
        .content_types = {"application/json"},
        .max_body_bytes = 8 * 1024 * 1024,
        // Requests of an integration's interface components are signed in the second one.
        .signature =
            davit::Signature::hmac_sha256("Sentry-Hook-Signature").or_header("Sentry-App-Signature").hex(),
        .config_schema = kConfigSchema,
        .sample = kSample};
  }

  void configure(const Json& config) override { settings_ = Settings::from(config); }

  davit::Parsed parse_payload(const davit::Request& request) const override {
    const std::vector<std::string_view> resources = request.headers(kResourceHeader);
    if (resources.empty() && request.has_header("Sentry-App-Signature"))
      return davit::Ignored{"a request of an interface component of the integration, and no event"};
    if (resources.size() != 1 || resources[0].empty()) {
      throw Failure::invalid_input(
          std::string(kResourceHeader) +
          " must be there once; the legacy WebHooks plugin sends none: use an internal integration");
    }
    if (request.body().empty()) return davit::Ignored{"an empty body says nothing"};
    if (!is_known_resource(resources[0]))
      return davit::Ignored{"resources " + std::string(resources[0].substr(0, 64)) + " are not handled"};
    const Json body = request.json();
    return read_event(resources[0], body, request_id_of(request));
  }

  davit::Decision should_process(const Json& event) const override {
    Verdict verdict = decide(settings_, event);
    if (!verdict.starts) return davit::Decision::no(std::move(verdict.reason));
    return davit::Decision::yes(std::move(verdict.reason));
  }

  Answer handle(const Json& event) const override {
    const Verdict verdict = decide(settings_, event);
    if (!verdict.starts) return Answer::ignored(verdict.reason);
    const davit::Entity entity = entity_of(settings_, event);
    Answer answer = Answer::queued("Queued " + verdict.agent + " for " + entity.key + ": " + verdict.reason);
    answer.task(task_of(event, verdict, entity)).by(actor_of(event)).about(entity);
    for (davit::Link& link : links_of(event)) answer.link(std::move(link));
    return answer;
  }

 private:
  davit::NewTask task_of(const Json& event, const Verdict& verdict, const davit::Entity& entity) const {
    const std::string short_id(event["issue"]["short_id"].string_or(""));
    std::string title = entity.title.empty() ? entity.key : entity.title;
    if (!short_id.empty()) title = short_id + ": " + title;
    davit::NewTask task{
        .agent = verdict.agent,
        .task_type = event["resource"] == "metric_alert" ? "metric_alert" : settings_.task_type,
        .title = std::move(title),
        .payload = payload_of(event, entity),
        .entity = entity.key,
        .key = entity.key};
    if (settings_.settle_seconds > 0)
      task.run_at = host().now() + std::chrono::seconds(settings_.settle_seconds);
    return task;
  }

  // By its short id an issue is known to people and in other systems' texts.
  static std::vector<davit::Link> links_of(JsonView event) {
    std::vector<davit::Link> links;
    const std::string_view short_id = event["issue"]["short_id"].string_or("");
    if (!short_id.empty() && short_id.size() <= 128)
      links.push_back({.rel = "sentry_issue", .key = std::string(short_id)});
    for (const char* member : {"title", "message"}) {
      reading::find_links(event["event"][member].string_or(""), {}, {}, links);
    }
    return links;
  }

  Settings settings_;
};

}  // namespace
}  // namespace sentry

DAVIT_REGISTER_WEBHOOK(sentry::SentryWebhook)
