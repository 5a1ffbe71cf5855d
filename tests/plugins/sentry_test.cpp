// The sentry webhook's rules, on real payloads changed in one place, and on bodies nobody sends on purpose.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/plugins/mutants.h"
#include "tests/plugins/testdata.h"

namespace {

using namespace davit::testing;
using davit::Json;
using davit::JsonView;
using davit::Status;
using mutants::replaced;
using testing::HasSubstr;
using testing::StartsWith;

const std::string kPayloads = DAVIT_SOURCE_DIR "/plugins/webhooks/sentry/testdata/payloads/";

std::string payload(const std::string& name) { return testdata::read_file(kPayloads + name); }

const std::string kCreated = "derived-issue-created-today.json";
const std::string kAlert = "event-alert-triggered-python-exception.json";
const std::string kMetric = "metric-alert-critical.json";

std::string with_issue(const std::string& members) {
  return replaced(payload(kCreated), "\"issue\": {", "\"issue\": {" + members + ",");
}

class SentryWebhookTest : public testing::Test {
 protected:
  Outcome deliver(const std::string& resource, const std::string& body, const std::string& config = "{}") {
    RequestBuilder request(body);
    request.header("Content-Type", "application/json").header("sentry-hook-resource", resource);
    return deliver(request, config);
  }
  Outcome deliver(RequestBuilder& request, const std::string& config = "{}") {
    host_.config = config;
    return WebhookDriver(testdata::plugin("sentry").webhooks(), 0, host_).deliver(request);
  }
  Json parse(const std::string& resource, const std::string& body, const std::string& request_id = "") {
    RequestBuilder request(body);
    request.header("Sentry-Hook-Resource", resource);
    if (!request_id.empty()) request.header("Request-ID", request_id);
    host_.config = "{}";
    const Outcome outcome =
        WebhookDriver(testdata::plugin("sentry").webhooks(), 0, host_).parse_payload(request);
    return outcome.status == Status::Ok ? Json::parse(outcome.output) : Json(reason(outcome));
  }
  // The reason for which nothing is done; "(queued)" and the message if something is.
  std::string reason(const Outcome& outcome) {
    if (outcome.status == Status::Ok) {
      const Json answer = Json::parse(outcome.output);
      return "(queued) " + std::string(answer.at_pointer("/response/message").string_or(""));
    }
    return outcome.status == Status::Ignored ? outcome.output : "error: " + outcome.error;
  }
  std::string said(const std::string& resource, const std::string& body, const std::string& config = "{}") {
    return reason(deliver(resource, body, config));
  }

  FakeHost host_;
};

// ---- metadata

TEST_F(SentryWebhookTest, DeclaresBothSignatureHeadersAsDataAndChecksNothingItself) {
  const Json metadata = Json::parse(metadata_of(testdata::plugin("sentry").webhooks(), 0, host_).output);
  EXPECT_EQ(metadata["name"], "sentry");
  EXPECT_EQ(metadata["secret_env_var"], "SENTRY_WEBHOOK_SECRET");
  EXPECT_EQ(metadata["signature"].dump(),
            R"({"headers":["Sentry-Hook-Signature","Sentry-App-Signature"],"signed":"{body}",)"
            R"("accept":[{"algorithm":"hmac-sha256","encoding":"hex"}]})");
  EXPECT_EQ(metadata.at_pointer("/delivery_id/pointer"), "/delivery_id");
  EXPECT_EQ(WebhookDriver(testdata::plugin("sentry").webhooks(), 0, host_).abi().validate_signature, nullptr);
}

// ---- what the index of payloads expects

TEST_F(SentryWebhookTest, NamesAreOneLineWhateverTheirOwnersPutIntoThem) {
  const std::string named = replaced(payload(kCreated), R"("name": "Sentry")", R"("name": "A\u0001\nB")");
  const Json answer = Json::parse(deliver("issue", named).output);
  EXPECT_EQ(answer.at_pointer("/actor/login"), "A  B");
}

TEST_F(SentryWebhookTest, DoesWithEveryRealPayloadWhatItsIndexExpects) {
  const Json index = Json::parse(payload("index.json"));
  ASSERT_GE(index.size(), 13u);
  for (JsonView row : index) {
    const std::string file(row["file"].string_or(""));
    RequestBuilder request(payload(file));
    for (const auto& [name, value] : row["headers"].members())
      request.header(std::string(name), std::string(value.string_or("")));
    const Outcome outcome = deliver(request);
    EXPECT_EQ(outcome.status, row["expect"] == "queued"  ? Status::Ok
                              : row["expect"] == "error" ? Status::InvalidInput
                                                         : Status::Ignored)
        << file << ": " << reason(outcome);
    EXPECT_FALSE(reason(outcome).empty()) << file;
  }
}

// ---- issues

TEST_F(SentryWebhookTest, ANewIssueStartsTheAgent) {
  EXPECT_EQ(said("issue", payload(kCreated)),
            "(queued) Queued planning-agent for sentry:acme/1635244907: the issue was created");
  EXPECT_THAT(said("issue", payload(kCreated), R"({"agent": "command-agent"})"), HasSubstr("command-agent"));
  EXPECT_EQ(said("issue", payload(kCreated), R"({"issue_actions": []})"), "issue.created starts no work");
}

TEST_F(SentryWebhookTest, OtherActionsOnIssuesStartNothingExceptARegressionIfAskedFor) {
  for (const char* action : {"assigned", "resolved", "ignored", "archived", "unresolved", "somethingNew"}) {
    const std::string body =
        replaced(payload(kCreated), "\"action\": \"created\"", "\"action\": \"" + std::string(action) + "\"");
    EXPECT_EQ(said("issue", body), "issue." + std::string(action) + " starts no work");
  }
  EXPECT_THAT(said("issue", replaced(payload(kCreated), "\"created\"", "\"unresolved\""),
                   R"({"issue_actions": ["unresolved"]})"),
              HasSubstr("the issue was unresolved"));
}

TEST_F(SentryWebhookTest, OnlyErrorsAreWorkedOnNotOutagesOrFeedback) {
  for (const char* category : {"outage", "feedback", "performance", "cron"}) {
    const std::string body = replaced(payload(kCreated), R"("issueCategory": "error")",
                                      R"("issueCategory": ")" + std::string(category) + "\"");
    EXPECT_EQ(said("issue", body), "issue category '" + std::string(category) + "' is not in categories");
    EXPECT_THAT(said("issue", body, R"({"categories": []})"), StartsWith("(queued)"));
  }
}

TEST_F(SentryWebhookTest, LevelsAndProjectsAreConfigurable) {
  const std::string warning = replaced(payload(kCreated), R"("level": "error")", R"("level": "warning")");
  EXPECT_EQ(said("issue", warning), "level 'warning' is not in levels");
  EXPECT_THAT(said("issue", warning, R"({"levels": ["warning"]})"), StartsWith("(queued)"));
  EXPECT_THAT(said("issue", warning, R"({"levels": []})"), StartsWith("(queued)"));
  for (const char* resource : {"issue", "event_alert"}) {
    const std::string body = payload(resource == std::string("issue") ? kCreated : kAlert);
    EXPECT_THAT(said(resource, body, R"({"projects": ["zulip-integration-testing"]})"),
                StartsWith("(queued)"));
    EXPECT_THAT(said(resource, body, R"({"projects": ["x", "5216640"]})"), StartsWith("(queued)"));
    EXPECT_EQ(said(resource, body, R"({"projects": ["zulip"]})"),
              "project 'zulip-integration-testing' is not in projects");
  }
}

// ---- alerts and errors

TEST_F(SentryWebhookTest, AnAlertRuleThatFiresStartsTheAgent) {
  EXPECT_THAT(said("event_alert", payload(kAlert)),
              HasSubstr("alert rule 'Send a webhook payload to Webhook.site' fired"));
  EXPECT_THAT(said("event_alert", payload(kAlert), R"({"event_alerts": false})"),
              HasSubstr("starts no work"));
  EXPECT_EQ(said("event_alert", payload(kAlert), R"({"alert_rules": ["other"]})"),
            "alert rule 'Send a webhook payload to Webhook.site' is not in alert_rules");
  EXPECT_THAT(said("event_alert", payload("event-alert-triggered-with-rule-action.json"),
                   R"({"alert_rules": ["issue alert"]})"),
              StartsWith("(queued)"));
}

TEST_F(SentryWebhookTest, EnvironmentsAreTakenFromTheEventOrItsTags) {
  const char* const kProduction = R"({"environments": ["production"]})";
  EXPECT_THAT(said("event_alert", payload("event-alert-triggered-with-rule-action.json"), kProduction),
              StartsWith("(queued)"));
  EXPECT_EQ(said("event_alert", payload(kAlert), kProduction), "environment '' is not in environments");
  const std::string tagged =
      replaced(payload(kAlert), "\"tags\": [", "\"tags\": [[\"environment\", \"production\"],");
  EXPECT_THAT(said("event_alert", tagged, kProduction), StartsWith("(queued)"));
  const std::string objects =
      replaced(payload(kAlert), "\"tags\": [", R"("tags": [{"key": "environment", "value": "production"},)");
  EXPECT_THAT(said("event_alert", objects, kProduction), StartsWith("(queued)"));
}

TEST_F(SentryWebhookTest, SingleErrorsStartTheAgentOnlyIfAskedFor) {
  const std::string error = replaced(replaced(payload(kAlert), "\"event\": {", "\"error\": {"),
                                     "\"action\": \"triggered\"", "\"action\": \"created\"");
  EXPECT_THAT(said("error", error), HasSubstr("unless errors is set"));
  EXPECT_THAT(said("error", error, R"({"errors": true})"), HasSubstr("an error was sent"));
}

TEST_F(SentryWebhookTest, MetricAlertsGoToTheirAgentIfThereIsOne) {
  EXPECT_THAT(said("metric_alert", payload(kMetric)), HasSubstr("no metric_alert_agent is set"));
  const std::string agent = R"({"metric_alert_agent": "cicd-agent")";
  EXPECT_EQ(said("metric_alert", payload(kMetric), agent + "}"),
            "(queued) Queued cicd-agent for sentry:example/alert-789: the metric alert is critical");
  EXPECT_EQ(said("metric_alert", payload("metric-alert-resolved.json"), agent + "}"),
            "metric_alert.resolved starts no work");
  const std::string listed =
      replaced(payload(kMetric), "\"alert_rule\": {", R"("projects": ["web"], "alert_rule": {)");
  EXPECT_THAT(said("metric_alert", listed, agent + R"(, "projects": ["web"]})"), StartsWith("(queued)"));
  EXPECT_THAT(said("metric_alert", payload(kMetric), agent + R"(, "projects": ["web"]})"),
              HasSubstr("is not in projects"));
}

TEST_F(SentryWebhookTest, InstallationsAndCommentsAreAnsweredAndStartNothing) {
  EXPECT_EQ(said("installation", payload("installation-created.json")),
            "installation 7a485448-a9e2-4c85-8a3c-4f44175783c9 is created; that starts no work");
  EXPECT_EQ(said("comment", payload("comment-created.json")), "comments start no work");
  EXPECT_EQ(said("seer", "{}"), "resources seer are not handled");
}

// ---- who, and from where

TEST_F(SentryWebhookTest, OrganizationsInstallationsAndActorsAreGates) {
  const auto issue = [&](const char* config) { return said("issue", payload(kCreated), config); };
  EXPECT_THAT(issue(R"({"organizations": ["acme"]})"), StartsWith("(queued)"));
  EXPECT_EQ(issue(R"({"organizations": ["other"]})"), "organization 'acme' is not in organizations");
  EXPECT_THAT(issue(R"({"installations": ["65027794-169a-4042-80d0-808ece377141"]})"),
              StartsWith("(queued)"));
  EXPECT_THAT(issue(R"({"installations": ["other"]})"), HasSubstr("is not in installations"));
  EXPECT_EQ(issue(R"({"ignore_actors": ["sentry"]})"), "actor 'sentry' is in ignore_actors");
  const std::string number = replaced(payload(kCreated), R"("id": "sentry")", R"("id": 662437)");
  EXPECT_EQ(said("issue", number, R"({"ignore_actors": ["662437"]})"), "actor '662437' is in ignore_actors");
}

TEST_F(SentryWebhookTest, ADeliveryThatNamesNoOrganizationGetsTheSettingsOne) {
  const std::string old = payload("issue-created-python-exception.json");
  const Json named = Json::parse(
      deliver("issue", old, R"({"organization": "acme", "base_url": "https://errors.example.com/"})").output);
  EXPECT_EQ(named.at_pointer("/entity/key"), "sentry:acme/1635244907");
  EXPECT_EQ(named.at_pointer("/entity/group"), "sentry:acme/project-zulip-integration-testing");
  EXPECT_EQ(named.at_pointer("/entity/url"),
            "https://errors.example.com/organizations/acme/issues/1635244907/");
  const Json unnamed = Json::parse(deliver("issue", old).output);
  EXPECT_EQ(unnamed.at_pointer("/entity/key"), "sentry:65027794-169a-4042-80d0-808ece377141/1635244907");
}

TEST_F(SentryWebhookTest, AnAddressThatIsNoneIsRefused) {
  EXPECT_THROW(deliver("issue", payload(kCreated), R"({"base_url": "errors.example.com"})"), davit::Failure);
}

// ---- the task

TEST_F(SentryWebhookTest, TheTaskHoldsTitleCulpritReleaseFramesAndAddress) {
  std::string frames, exceptions;
  for (int i = 0; i < 40; ++i)
    frames += std::string(i ? "," : "") + R"({"filename": "f.py", "lineno": )" + std::to_string(i) +
              R"(, "function": "g", "in_app": true, "vars": {"password": "hunter2"}})";
  for (int i = 0; i < 5; ++i)
    exceptions += std::string(i ? "," : "") + R"({"type": "E)" + std::to_string(i) +
                  R"(", "value": "v", "stacktrace": {"frames": [)" + frames + "]}}";
  std::string body =
      replaced(payload(kAlert), "\"values\": [", R"("values": [)" + exceptions + R"(], "x": [)");
  body = replaced(body, "\"release\": null", "\"release\": \"web@1.2\"");
  const Json answer = Json::parse(deliver("event_alert", body, R"({"settle_seconds": 30})").output);
  const JsonView task = answer.at_pointer("/tasks/0"), event = task["payload"]["event"];
  EXPECT_EQ(task["task_type"], "issue_fix");
  EXPECT_EQ(task["title"], "Exception: Custom exception!");
  EXPECT_EQ(task["run_at"].int_or(0), davit::unix_ms(host_.now) + 30'000);
  EXPECT_EQ(task["key"], "sentry:hypro999-personal-organization/1635244907");
  EXPECT_EQ(task["payload"]["url"],
            "https://sentry.io/organizations/hypro999-personal-organization/issues/1635244907/");
  EXPECT_EQ(event["culprit"], "__main__ in <module>");
  EXPECT_EQ(event["release"], "web@1.2");
  EXPECT_EQ(event["tags"]["runtime"], "CPython 3.6.9");
  ASSERT_EQ(event["exceptions"].size(), 3u);
  EXPECT_EQ(event["exceptions"][0]["type"], "E4") << "the one raised last comes first";
  ASSERT_EQ(event["exceptions"][0]["frames"].size(), 12u);
  EXPECT_EQ(event["exceptions"][0]["frames"][0]["line"].int_or(0), 39) << "innermost first";
  EXPECT_EQ(answer.view().dump().find("hunter2"), std::string::npos) << "variables are not taken";
}

TEST_F(SentryWebhookTest, FramesAreFoundInEntriesToo) {
  const std::string body =
      replaced(payload("event-alert-triggered-with-rule-action.json"), "\"breadcrumbs\": {}",
               R"("entries": [{"type": "breadcrumbs"}, {"type": "exception", "data": {"values": [{"type": "T",
         "stacktrace": {"frames": [{"absPath": "/a.js", "lineNo": 3, "inApp": true}]}}]}}])");
  const Json answer = Json::parse(deliver("event_alert", body).output);
  EXPECT_EQ(answer.at_pointer("/tasks/0/payload/event/exceptions").dump(),
            R"([{"type":"T","frames":[{"file":"/a.js","line":3,"in_app":true}]}])");
}

TEST_F(SentryWebhookTest, AddressesLoseTheirQueryAndOthersThanHttpAreDropped) {
  const auto url = [&](const std::string& value) {
    const Json event =
        parse("issue",
              replaced(replaced(payload(kCreated),
                                R"("web_url": "https://acme.sentry.io/issues/1635244907/?statsPeriod=14d")",
                                R"("web_url": )" + value),
                       R"("permalink": "https)", R"("x": "https)"));
    return std::string(event["issue"]["url"].string_or("(none)"));
  };
  EXPECT_EQ(url(R"("https://acme.sentry.io/issues/1/?statsPeriod=14d#x")"),
            "https://acme.sentry.io/issues/1/");
  for (const char* bad : {"\"javascript:alert(1)\"", "7", "\"https://a b\"", "\"https://a\\nb\""})
    EXPECT_EQ(url(bad), "(none)") << bad;
  EXPECT_EQ(url("\"https://" + std::string(3000, 'a') + "\""), "(none)");
}

// ---- once

TEST_F(SentryWebhookTest, WhatHappensOnceHasItsOwnIdWhateverTheRequestIdSays) {
  const auto id = [&](const std::string& resource, const std::string& body, const std::string& request_id) {
    const Json event = parse(resource, body, request_id);
    return std::string(event["delivery_id"].string_or("(none)"));
  };
  EXPECT_EQ(id("issue", payload(kCreated), "r1"), "issue.created:1635244907");
  EXPECT_EQ(id("issue", payload(kCreated), "r2"), "issue.created:1635244907");
  const std::string alert = id("event_alert", payload(kAlert), "r1");
  EXPECT_THAT(alert, StartsWith("event_alert.triggered:599349254a1447a99774b5310711c1a8:"));
  EXPECT_EQ(id("event_alert", payload(kAlert), "r2"), alert);
  EXPECT_NE(id("event_alert", replaced(payload(kAlert), "Send a webhook", "Another rule"), "r1"), alert)
      << "another rule may be the one that is asked for";
  EXPECT_EQ(id("issue", payload("issue-resolved.json"), "r1"), "issue.resolved:r1");
  EXPECT_EQ(id("issue", payload("issue-resolved.json"), "two words"), "(none)");
  EXPECT_EQ(id("issue", payload("issue-resolved.json"), ""), "(none)");
}

// ---- header and body

TEST_F(SentryWebhookTest, AHeaderThatContradictsTheBodyIsNotBelieved) {
  struct Case {
    const char* resource;
    std::string file;
  };
  for (const Case& mixed :
       {Case{"issue", kAlert}, Case{"event_alert", kCreated}, Case{"installation", kCreated},
        Case{"comment", kMetric}, Case{"metric_alert", "installation-created.json"}}) {
    EXPECT_THAT(said(mixed.resource, payload(mixed.file)), HasSubstr("the header is not signed"))
        << mixed.resource << " " << mixed.file;
  }
}

TEST_F(SentryWebhookTest, RequestsOfInterfaceComponentsAreAnsweredWithOrWithoutABody) {
  for (const std::string& body : {std::string(), payload("alert-rule-action-request.json")}) {
    RequestBuilder request(body);
    request.header("Sentry-App-Signature", "0");
    EXPECT_THAT(reason(deliver(request)), HasSubstr("interface component"));
  }
  EXPECT_EQ(said("issue", ""), "an empty body says nothing");
}

TEST_F(SentryWebhookTest, TheResourceHeaderMustBeThereOnce) {
  RequestBuilder none(payload(kCreated));
  EXPECT_THAT(reason(deliver(none)), HasSubstr("must be there once"));
  RequestBuilder twice(payload(kCreated));
  twice.header("Sentry-Hook-Resource", "issue").header("Sentry-Hook-Resource", "comment");
  EXPECT_EQ(deliver(twice).status, Status::InvalidInput);
}

// ---- malformed bodies

TEST_F(SentryWebhookTest, MalformedBodiesAreInvalidInputThatNamesTheMember) {
  struct Case {
    const char* resource;
    std::string body;
    const char* says;
  };
  const auto alert = [&](const std::string& from, const std::string& to) {
    return replaced(payload(kAlert), from, to);
  };
  for (const Case& bad : {
           Case{"issue", "[]", "not a JSON object"},
           Case{"issue", "{}", "data is missing"},
           Case{"issue", R"({"data": {"issue": {"id": "1"}}})", "action"},
           Case{"issue", R"({"action": 7, "data": {"issue": {"id": "1"}}})", "action"},
           Case{"issue", R"({"action": "created", "data": {}})", "data.issue"},
           Case{"issue", R"({"action": "created", "data": {"issue": []}})",
                "data.issue is missing or not an object"},
           Case{"issue", R"({"action": "created", "data": {"issue": {}}})", "data.issue.id is missing"},
           Case{"issue", R"({"action": "created", "data": {"issue": {"id": ""}}})", "data.issue.id"},
           Case{"issue", R"({"action": "created", "data": {"issue": {"id": "a b"}}})", "data.issue.id"},
           Case{"issue", with_issue(R"("title": 5)"), "data.issue.title"},
           Case{"issue", with_issue(R"("culprit": {})"), "data.issue.culprit"},
           Case{"issue", with_issue(R"("project": "web")"), "data.issue.project"},
           Case{"issue", replaced(payload(kCreated), "\"actor\": {", "\"actor\": 5, \"x\": {"), "actor"},
           Case{"issue", replaced(payload(kCreated), R"("id": "sentry")", R"("id": [])"), "actor.id"},
           Case{"issue", replaced(payload(kCreated), "\"installation\": {", "\"installation\": [], \"x\": {"),
                "installation"},
           Case{"event_alert", alert("\"tags\": [", "\"tags\": 5, \"x\": ["),
                "data.event.tags is not a list"},
           Case{"event_alert", alert("\"values\": [", "\"values\": {}, \"x\": ["),
                "event.exception.values is not a list"},
           Case{"event_alert", alert("\"frames\": [", "\"frames\": 5, \"x\": ["),
                "stacktrace.frames is not a list"},
           Case{"event_alert", alert("\"event_id\": \"", "\"event_id\": {}, \"x\": \""),
                "data.event.event_id"},
           Case{"comment",
                replaced(payload("comment-created.json"), R"("issue_id": "123")", R"("issue_id": null)"),
                "data.issue_id"},
           Case{"metric_alert", replaced(payload(kMetric), R"("id": "789")", R"("id": {})"),
                "data.metric_alert.id"},
           Case{"issue", "{\"action\": \"\xff\"}", "not UTF-8"},
           Case{"issue", R"({"data": )" + std::string(70, '[') + std::string(70, ']') + "}", "nested deeper"},
       }) {
    const Outcome outcome = deliver(bad.resource, bad.body);
    EXPECT_EQ(outcome.status, Status::InvalidInput) << bad.body.substr(0, 200) << " " << reason(outcome);
    EXPECT_THAT(outcome.error, HasSubstr(bad.says)) << bad.body.substr(0, 200);
  }
}

TEST_F(SentryWebhookTest, HostileSizesAreCut) {
  const std::string flood(3'000'000, 'x');
  std::string tags;
  for (int i = 0; i < 5000; ++i)
    tags += "[\"k" + std::to_string(i) + "\", \"" + std::string(200, 'v') + "\"],";
  const std::string body = replaced(replaced(payload(kAlert), "\"tags\": [", "\"tags\": [" + tags),
                                    "\"title\": \"", "\"title\": \"" + flood);
  const Outcome outcome = deliver("event_alert", body);
  ASSERT_EQ(outcome.status, Status::Ok) << reason(outcome).substr(0, 200);
  EXPECT_LT(outcome.output.size(), 100'000u);
}

// Whatever comes, it ends in one of these, with a sentence.
void expect_an_orderly_end(const Outcome& outcome) {
  ASSERT_TRUE(outcome.status == Status::Ok || outcome.status == Status::Ignored ||
              outcome.status == Status::InvalidInput)
      << static_cast<int>(outcome.status) << " " << outcome.error;
  ASSERT_FALSE(outcome.status == Status::InvalidInput ? outcome.error.empty() : outcome.output.empty());
}

TEST_F(SentryWebhookTest, SurvivesWrongTypesEverywhere) {
  host_.config = R"({"errors": true, "metric_alert_agent": "a", "levels": [], "projects": ["ipe"]})";
  WebhookDriver webhook(testdata::plugin("sentry").webhooks(), 0, host_);
  const Json index = Json::parse(payload("index.json"));
  int tried = 0;
  for (JsonView row : index) {
    const std::string resource(row["headers"]["Sentry-Hook-Resource"].string_or("issue"));
    mutants::for_each_wrong_type(payload(std::string(row["file"].string_or(""))),
                                 [&](const std::string& body) {
                                   RequestBuilder request(body);
                                   request.header("Sentry-Hook-Resource", resource);
                                   expect_an_orderly_end(webhook.deliver(request));
                                   ++tried;
                                 });
  }
  EXPECT_GT(tried, 3000);
}

TEST_F(SentryWebhookTest, SurvivesAnyChangeOfAnyByte) {
  host_.config = R"({"errors": true, "metric_alert_agent": "a"})";
  WebhookDriver webhook(testdata::plugin("sentry").webhooks(), 0, host_);
  std::mt19937 random(20240609);
  const Json index = Json::parse(payload("index.json"));
  int understood = 0;
  for (JsonView row : index) {
    const std::string original = payload(std::string(row["file"].string_or("")));
    for (int round = 0; round < 200; ++round) {
      RequestBuilder request(mutants::damaged(original, random));
      request.header("Sentry-Hook-Resource",
                     std::string(row["headers"]["Sentry-Hook-Resource"].string_or("issue")));
      const Outcome outcome = webhook.deliver(request);
      expect_an_orderly_end(outcome);
      understood += outcome.status == Status::Ok;
    }
  }
  EXPECT_GT(understood, 0) << "no mutant got through to handle()";
}

}  // namespace
