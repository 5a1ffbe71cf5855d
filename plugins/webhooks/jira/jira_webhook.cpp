// Jira's deliveries: what they are about (event), whether they matter (decision), and the task they become.
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

namespace jira {
namespace {

using davit::Answer;
using davit::Json;
using davit::JsonView;
using davit::Signature;

// What the agent gets: the event without what only decisions need.
Json payload_of(JsonView event, const std::vector<davit::Link>& links) {
  Json payload = Json::object({{"source", "jira"}});
  for (const auto& [name, value] : event.members()) {
    if (name != "changes" && name != "cloud" && name != "type") payload.set(name, value);
  }
  for (const davit::Link& link : links) {
    if (link.rel != "sentry_issue") continue;
    payload.set("sentry_issue", Json::object({{"key", link.key}, {"url", link.url}}));
    break;
  }
  return payload;
}

davit::Actor actor_of(JsonView event) {
  const JsonView user = event["user"];
  return {.id = std::string(user["id"].string_or("")),
          .login = std::string(user["name"].string_or(user["display_name"].string_or(""))),
          .role = std::string(reading::cut(user["type"].string_or(""), 64))};
}

class JiraWebhook : public davit::WebhookHandler {
 public:
  davit::WebhookMetadata metadata() const override {
    std::vector<std::string> events = {"jira:issue_created", "jira:issue_updated", "jira:issue_deleted",
                                       "comment_created",    "comment_updated",    "comment_deleted"};
    return {.name = "jira",
            .endpoint = "/webhooks/jira",
            .description = "Starts an agent on Jira issues that are labelled for it or come from Sentry",
            .secret_env_var = "JIRA_WEBHOOK_SECRET",
            .event_types = std::move(events),
            .delivery_id = {.header = "X-Atlassian-Webhook-Identifier"},
            .content_types = {"application/json"},
            .max_body_bytes = 25 * 1024 * 1024,
            // The header names its method. These are the ones taken; sha1 is not.
            .signature = Signature::hmac_sha256("X-Hub-Signature")
                             .prefix("sha256=")
                             .hex()
                             .or_hmac_sha384()
                             .prefix("sha384=")
                             .hex()
                             .or_hmac_sha512()
                             .prefix("sha512=")
                             .hex(),
            .config_schema = kConfigSchema,
            .sample = kSample};
  }

  void configure(const Json& config) override { settings_ = Settings::from(config); }

  davit::Parsed parse_payload(const davit::Request& request) const override {
    const Json body = request.json();
    return read_event(body);
  }

  davit::Decision should_process(const Json& event) const override {
    Verdict verdict = decide(settings_, event);
    if (verdict.move == Verdict::Move::Nothing) return davit::Decision::no(std::move(verdict.reason));
    return davit::Decision::yes(std::move(verdict.reason));
  }

  Answer handle(const Json& event) const override {
    const Verdict verdict = decide(settings_, event);
    if (verdict.move == Verdict::Move::Nothing) return Answer::ignored(verdict.reason);
    const davit::Entity entity = entity_of(event);
    std::vector<davit::Link> links = links_of(event);

    const bool starts = verdict.move == Verdict::Move::Start;
    Answer answer =
        Answer::queued((starts ? "Queued " + verdict.agent + " for " : "Passed on to the task of ") +
                       entity.key + ": " + verdict.reason);
    if (starts) {
      answer.task(task_of(event, verdict, entity, links));
    } else {
      answer.action({.action = verdict.verb,
                     .entity = entity.key,
                     .comment = verdict.comment,
                     .content_hash = verdict.content_hash,
                     .via = verdict.via});
    }
    answer.by(actor_of(event)).about(entity);
    for (davit::Link& link : links) answer.link(std::move(link));
    return answer;
  }

 private:
  std::vector<davit::Link> links_of(JsonView event) const {
    const reading::LinkHosts hosts{.github = settings_.github_hosts,
                                   .sentry = settings_.sentry_hosts,
                                   .jira = std::string(event["site"].string_or(""))};
    std::vector<davit::Link> links;
    const JsonView texts[] = {event["issue"]["summary"], event["issue"]["description"],
                              event["comment"]["body"]};
    for (const JsonView text : texts) find_links(text.string_or(""), hosts, settings_.text_markers, links);
    return links;
  }

  davit::NewTask task_of(const Json& event, const Verdict& verdict, const davit::Entity& entity,
                         const std::vector<davit::Link>& links) const {
    const std::string key(event["issue"]["key"].string_or(""));
    davit::NewTask task{.agent = verdict.agent,
                        .task_type = settings_.task_type,
                        .title = entity.title.empty() ? key : key + ": " + entity.title,
                        .payload = payload_of(event, links),
                        .entity = entity.key,
                        .key = entity.key};
    if (settings_.settle_seconds > 0)
      task.run_at = host().now() + std::chrono::seconds(settings_.settle_seconds);
    return task;
  }

  Settings settings_;
};

}  // namespace
}  // namespace jira

DAVIT_REGISTER_WEBHOOK(jira::JiraWebhook)
