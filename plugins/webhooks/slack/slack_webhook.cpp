// Slack's requests: what they are about (event), whether they matter (decision), and the task they become.
//
// Slack shows people what it is answered: a slash command gets a sentence that only its author sees, an
// interaction nothing at all. So these two are never left to should_process, whose no is answered in davit's
// own words.
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

namespace slack {
namespace {

using davit::Answer;
using davit::Json;
using davit::JsonView;
using Move = Verdict::Move;

constexpr std::string_view kForm = "application/x-www-form-urlencoded";

bool is_plain_event(JsonView event) { return event["kind"] == "event"; }

std::string sentence(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 32);
  return text + ".";
}

Answer answer_of(const Verdict& verdict, const std::string& entity) {
  switch (verdict.move) {
    case Move::Nothing:
      return Answer::ignored(verdict.reason);
    case Move::Start:
      return Answer::queued("Queued " + verdict.agent + " for " + entity + ": " + verdict.reason);
    case Move::Act:
      return Answer::queued("Passed on to the task of " + verdict.target + ": " + verdict.reason);
  }
  return Answer::ignored(verdict.reason);
}

class SlackWebhook : public davit::WebhookHandler {
 public:
  davit::WebhookMetadata metadata() const override {
    return {.name = "slack",
            .endpoint = "/webhooks/slack",
            .description = "Starts an agent on mentions, slash commands and buttons in Slack",
            .secret_env_var = "SLACK_SIGNING_SECRET",
            .event_types = {"app_mention", "message", "slash command", "block_actions"},
            .delivery_id = {.pointer = "/delivery_id"},
            .content_types = {"application/json", std::string(kForm)},
            .max_body_bytes = 1024 * 1024,
            .signature = davit::Signature::hmac_sha256("X-Slack-Signature")
                             .prefix("v0=")
                             .hex()
                             .signs("v0:{timestamp}:{body}")
                             .timestamp("X-Slack-Request-Timestamp", std::chrono::seconds(300)),
            .config_schema = kConfigSchema,
            .answers_get = true,  // the check of the certificate comes by GET, too
            // Whoever has the address can write into the channel; the old token vouches for Slack's requests.
            .secret_fields = {"response_url", "token"},
            .sample = kSample};
  }

  void configure(const Json& config) override { settings_ = Settings::from(config); }

  davit::Parsed parse_payload(const davit::Request& request) const override {
    if (reading::same_name(request.header("Content-Type").substr(0, kForm.size()), kForm)) {
      const davit::Form form = request.form();
      return read_form(form);
    }
    const Json body = request.json();
    return read_event(body);
  }

  davit::Decision should_process(const Json& event) const override {
    if (!is_plain_event(event)) return davit::Decision::yes("Slack wants an answer of its own kind");
    Verdict verdict = decide(settings_, event);
    if (verdict.move == Move::Nothing) return davit::Decision::no(std::move(verdict.reason));
    return davit::Decision::yes(std::move(verdict.reason));
  }

  Answer handle(const Json& event) const override {
    const std::string_view kind = event["kind"].string_or("");
    if (kind == "url_verification") {
      Answer answer = Answer::ignored("the address was verified");
      answer.http({.content_type = "text/plain", .body = std::string(event["challenge"].string_or(""))});
      return answer;
    }
    if (kind == "ssl_check")
      return Answer::ignored("the certificate was checked").http({.content_type = "text/plain", .body = ""});

    const Verdict verdict = decide(settings_, event);
    const davit::Entity entity = entity_of(event);
    Answer answer = answer_of(verdict, entity.key);
    if (verdict.move == Move::Start) start(answer, event, verdict, entity);
    if (verdict.move == Move::Act) act(answer, verdict);
    if (verdict.move != Move::Nothing) {
      answer.by({.id = std::string(event["user"].string_or("")),
                 .login = std::string(event["user_name"].string_or(""))});
      answer.about(entity);
      reply_to(answer, event);
    }
    if (kind == "command") {
      const Json shown = Json::object({{"response_type", "ephemeral"}, {"text", sentence(answer.message)}});
      answer.http({.body = shown.dump()});
    } else if (!is_plain_event(event)) {
      answer.http({.content_type = "text/plain", .body = ""});
    }
    return answer;
  }

 private:
  // Slack takes five posts within half an hour, and reads & < > as its own marks. Only who asked sees them:
  // in a channel that many read, it is for them to say what came of it.
  static void reply_to(Answer& answer, const Json& event) {
    const std::string_view url = event["response_url"].string_or("");
    if (url.empty()) return;
    answer.reply_to({.url = std::string(url),
                     .body = Json::object(
                         {{"response_type", "ephemeral"}, {"replace_original", false}, {"text", "{text}"}}),
                     .posts = 5,
                     .valid = std::chrono::minutes(30),
                     .escape = davit::Reply::Escape::Entities});
  }

  void start(Answer& answer, const Json& event, const Verdict& verdict, const davit::Entity& entity) const {
    Json payload = Json::object({{"source", "slack"}});
    for (const auto& [name, value] : event.members()) {
      if (name != "delivery_id" && name != "external" && name != "response_url") payload.set(name, value);
    }
    payload.set("request", verdict.request);
    const std::string_view line = std::string_view(verdict.request).substr(0, verdict.request.find('\n'));
    std::vector<davit::Link> links;
    reading::find_links(verdict.request, {}, {"Sentry Issue:"}, links);
    answer.task({.agent = verdict.agent,
                 .task_type = settings_.task_type,
                 .title = line.empty() ? entity.key : std::string(reading::cut(line, 256)),
                 .payload = std::move(payload),
                 .entity = entity.key,
                 .key = "slack:" + std::string(event["delivery_id"].string_or(""))});
    for (davit::Link& link : links) answer.link(std::move(link));
  }

  static void act(Answer& answer, const Verdict& verdict) {
    davit::TaskAction action{.action = verdict.verb,
                             .comment = verdict.comment,
                             .content_hash = verdict.content_hash,
                             .via = verdict.via};
    const bool entity = verdict.target.find(':') != std::string::npos;
    (entity ? action.entity : action.task_id) = verdict.target;
    answer.action(std::move(action));
  }

  Settings settings_;
};

}  // namespace
}  // namespace slack

DAVIT_REGISTER_WEBHOOK(slack::SlackWebhook)
