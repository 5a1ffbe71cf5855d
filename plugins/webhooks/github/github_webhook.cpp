// GitHub's deliveries: what they are about (event), whether they matter (decision), and the task they become.
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "../reading/excerpt.h"
#include "../reading/links.h"
#include "../reading/lists.h"
#include "davit/webhook.hpp"
#include "decision.h"
#include "event.h"
#include "sample.h"
#include "settings.h"

namespace github {
namespace {

using davit::Answer;
using davit::Failure;
using davit::Json;
using davit::JsonView;

constexpr std::string_view kEventHeader = "X-GitHub-Event";

// GitHub says who wrote an item, not what the sender is; that is the same person only sometimes.
davit::Actor actor_of(JsonView event) {
  const JsonView sender = event["sender"];
  davit::Actor actor{.id = std::string(sender["id"].string_or("")),
                     .login = std::string(sender["login"].string_or(""))};
  for (const char* member : {"comment", "review", "pull_request", "issue"}) {
    const JsonView item = event[member];
    if (!item.is_object()) continue;
    if (!actor.id.empty() && item["author"]["id"] == actor.id)
      actor.role = reading::cut(item["author_association"].string_or(""), 64);
    break;
  }
  return actor;
}

// "github.com", or the enterprise server's name.
std::string_view host_of(JsonView event) {
  std::string_view url = event["repository"]["url"].string_or("");
  const std::size_t begin = url.find("://");
  if (begin == std::string_view::npos) return "github.com";
  url.remove_prefix(begin + 3);
  return url.substr(0, url.find('/'));
}

std::vector<davit::Link> links_of(const Settings& settings, JsonView event) {
  const reading::LinkHosts hosts{.github = {std::string(host_of(event))}, .sentry = settings.sentry_hosts};
  std::vector<davit::Link> links;
  for (const char* member : {"issue", "pull_request", "comment", "review"}) {
    for (const char* part : {"title", "body"}) {
      reading::find_links(event[member][part].string_or(""), hosts, settings.text_markers, links);
    }
  }
  return links;
}

// What the agent gets: the event without what only decisions need.
Json payload_of(JsonView event, const std::vector<davit::Link>& links) {
  Json payload = Json::object({{"source", "github"}});
  for (const auto& [name, value] : event.members()) {
    if (name != "hook" && name != "installation") payload.set(name, value);
  }
  for (const davit::Link& link : links) {
    if (link.rel != "sentry_issue") continue;
    payload.set("sentry_issue", Json::object({{"key", link.key}, {"url", link.url}}));
    break;
  }
  return payload;
}

class GithubWebhook : public davit::WebhookHandler {
 public:
  davit::WebhookMetadata metadata() const override {
    std::vector<std::string> events = {"issues",
                                       "issue_comment",
                                       "pull_request",
                                       "check_run",
                                       "check_suite",
                                       "pull_request_review",
                                       "pull_request_review_comment",
                                       "workflow_run",
                                       "workflow_job",
                                       "push",
                                       "ping",
                                       "installation"};
    return {.name = "github",
            .endpoint = "/webhooks/github",
            .description = "Starts an agent on GitHub issues that are labelled for it or come from Sentry",
            .secret_env_var = "GITHUB_WEBHOOK_SECRET",
            .event_types = std::move(events),
            .event_header = std::string(kEventHeader),
            .delivery_id = {.header = "X-GitHub-Delivery", .required = true},
            .content_types = {"application/json", "application/x-www-form-urlencoded"},
            .max_body_bytes = 25 * 1024 * 1024,
            .signature = davit::Signature::hmac_sha256("X-Hub-Signature-256").prefix("sha256=").hex(),
            .config_schema = kConfigSchema,
            .sample = kSample};
  }

  void configure(const Json& config) override { settings_ = Settings::from(config); }

  davit::Parsed parse_payload(const davit::Request& request) const override {
    const std::vector<std::string_view> names = request.headers(kEventHeader);
    if (names.size() != 1 || names[0].empty())
      throw Failure::invalid_input(std::string(kEventHeader) + " must be there once; is this GitHub?");
    if (!is_known_event(names[0]))
      return davit::Ignored{"events " + std::string(names[0].substr(0, 64)) + " are not handled"};
    const Json body = body_of(request);
    return read_event(names[0], body);
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
    std::vector<davit::Link> links = links_of(settings_, event);

    Answer answer =
        verdict.move == Verdict::Move::Start
            ? Answer::queued("Queued " + verdict.agent + " for " + entity.key + ": " + verdict.reason)
            : Answer::queued("Passed on to the task of " + entity.key + ": " + verdict.reason);
    if (verdict.move == Verdict::Move::Start) {
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
  static Json body_of(const davit::Request& request) {
    constexpr std::string_view kForm = "application/x-www-form-urlencoded";
    if (!reading::same_name(request.header("Content-Type").substr(0, kForm.size()), kForm))
      return request.json();
    const davit::Form form = request.form();
    if (!form.has("payload")) throw Failure::invalid_input("the form has no field 'payload'");
    return Json::parse(form["payload"]);
  }

  davit::NewTask task_of(const Json& event, const Verdict& verdict, const davit::Entity& entity,
                         const std::vector<davit::Link>& links) const {
    davit::NewTask task{.agent = verdict.agent,
                        .task_type = verdict.task_type,
                        .title = entity.title.empty() ? entity.key : entity.title,
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
}  // namespace github

DAVIT_REGISTER_WEBHOOK(github::GithubWebhook)
