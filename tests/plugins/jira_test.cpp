// The jira webhook's rules, on real payloads changed in one place, and on bodies nobody sends on purpose.
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

const std::string kPayloads = DAVIT_SOURCE_DIR "/plugins/webhooks/jira/testdata/payloads/";

std::string payload(const std::string& name) { return testdata::read_file(kPayloads + name); }

const std::string kCreated = "cloud-issue-created.json";
const std::string kLabelled = "derived-issue-created-ai-fix.json";
const std::string kSentry = "derived-issue-created-by-sentry.json";
const std::string kLabelAdded = "derived-issue-updated-ai-fix-label-added.json";
const std::string kCloudComment = "derived-cloud-comment-created-approve.json";
const std::string kDcComment = "derived-dc-issue-updated-commented-run.json";
const std::string kAccount = "5c5f880629be9642ba529340";
const std::string kAnybody = R"({"command_users": ["*"]})";

// The event's own account, in every place it is named.
std::string by_account_type(const std::string& body, const std::string& type) {
  return replaced(body, "\"accountId\"", "\"accountType\": \"" + type + "\", \"accountId\"");
}

// Recorded before Cloud told what each account is.
std::string created() { return by_account_type(payload(kCreated), "atlassian"); }

std::string with_description(const std::string& json) {
  return replaced(created(), "\"description\": \"Unit test description, not that long\"",
                  "\"description\": " + json);
}

class JiraWebhookTest : public testing::Test {
 protected:
  Outcome deliver(const std::string& body, const std::string& config = "{}") {
    host_.config = config;
    RequestBuilder request(body);
    return WebhookDriver(testdata::plugin("jira").webhooks(), 0, host_).deliver(request);
  }
  Outcome parse(const std::string& body) {
    RequestBuilder request(body);
    return WebhookDriver(testdata::plugin("jira").webhooks(), 0, host_).parse_payload(request);
  }
  // The reason for which nothing is done; "(queued)" and the message if something is.
  std::string reason(const Outcome& outcome) {
    if (outcome.status == Status::Ok) {
      const Json answer = Json::parse(outcome.output);
      return "(queued) " + std::string(answer.at_pointer("/response/message").string_or(""));
    }
    return outcome.status == Status::Ignored ? outcome.output : "error: " + outcome.error;
  }
  std::string said(const std::string& body, const std::string& config = "{}") {
    return reason(deliver(body, config));
  }
  // What parse_payload makes of a description that is this document.
  std::string description_of(const std::string& content) {
    const Outcome outcome =
        parse(with_description(R"({"type": "doc", "version": 1, "content": )" + content + "}"));
    if (outcome.status != Status::Ok) return reason(outcome);
    const Json event = Json::parse(outcome.output);
    return std::string(event["issue"]["description"].string_or("(none)"));
  }

  FakeHost host_;
};

// ---- metadata

TEST_F(JiraWebhookTest, DeclaresItsSignatureMethodsAsDataAndSha1IsNotAmongThem) {
  const Json metadata = Json::parse(metadata_of(testdata::plugin("jira").webhooks(), 0, host_).output);
  EXPECT_EQ(metadata["name"], "jira");
  EXPECT_EQ(metadata["secret_env_var"], "JIRA_WEBHOOK_SECRET");
  EXPECT_EQ(metadata.at_pointer("/delivery_id/header"), "X-Atlassian-Webhook-Identifier");
  EXPECT_EQ(metadata["signature"]["headers"].dump(), R"(["X-Hub-Signature"])");
  std::string prefixes;
  for (JsonView accept : metadata["signature"]["accept"]) prefixes += accept["prefix"].string_or("?");
  EXPECT_EQ(prefixes, "sha256=sha384=sha512=");
  EXPECT_EQ(WebhookDriver(testdata::plugin("jira").webhooks(), 0, host_).abi().validate_signature, nullptr);
}

// ---- what the index of payloads expects

TEST_F(JiraWebhookTest, DoesWithEveryRealPayloadWhatItsIndexExpects) {
  const Json index = Json::parse(payload("index.json"));
  ASSERT_GE(index.size(), 16u);
  for (JsonView row : index) {
    const std::string file(row["file"].string_or(""));
    const Outcome outcome = deliver(payload(file));
    EXPECT_EQ(outcome.status, row["expect"] == "queued" ? Status::Ok : Status::Ignored)
        << file << ": " << reason(outcome);
    EXPECT_FALSE(reason(outcome).empty()) << file;
  }
}

// ---- issues

TEST_F(JiraWebhookTest, ANewIssueStartsTheAgentByItsLabelOrByItsText) {
  EXPECT_EQ(said(payload(kLabelled)),
            "(queued) Queued planning-agent for jira:some-instance-test.atlassian.net/"
            "TES-41: the issue has label 'AI-Fix'");
  EXPECT_THAT(said(payload(kSentry)), HasSubstr("the description has 'Sentry Issue:'"));
  EXPECT_EQ(said(created()), "neither a label nor a text that starts work");
  EXPECT_THAT(said(payload(kLabelled), R"({"agent": "command-agent"})"), HasSubstr("Queued command-agent"));
}

TEST_F(JiraWebhookTest, LabelsTextsAndEventsAreConfigurableAndCaseCounts) {
  EXPECT_THAT(said(created(), R"({"labels": ["x", "test-label"]})"), StartsWith("(queued)"));
  EXPECT_THAT(said(payload(kLabelled), R"({"labels": ["ai-fix"]})"), HasSubstr("neither"));
  EXPECT_THAT(said(payload(kSentry), R"({"text_markers": []})"), HasSubstr("neither"));
  EXPECT_THAT(said(created(), R"({"text_markers": ["not that long"]})"), StartsWith("(queued)"));
  EXPECT_EQ(said(payload(kLabelled), R"({"events": ["issue_updated"]})"), "issue_created is not in events");
  EXPECT_EQ(said(payload(kLabelAdded), R"({"events": ["issue_created"]})"), "issue_updated is not in events");
}

TEST_F(JiraWebhookTest, AnUpdateStartsWorkOnlyIfItAddsTheLabel) {
  EXPECT_THAT(said(payload(kLabelAdded)), HasSubstr("label 'AI-Fix' was added"));
  const std::string later =
      replaced(payload(kLabelAdded), R"("fromString": "test-label")", R"("fromString": "AI-Fix other")");
  EXPECT_EQ(said(later), "the update adds neither a label nor a text that starts work");
  EXPECT_THAT(said(later, R"({"any_update": true})"), HasSubstr("the issue has label 'AI-Fix'"));
  EXPECT_THAT(
      said(by_account_type(later, "app"), R"({"any_update": true, "allow_bots": [")" + kAccount + R"("]})"),
      HasSubstr("updates by apps start no work"))
      << "programs that answer each other never end";
  EXPECT_EQ(said(by_account_type(payload(kLabelAdded), "app"), R"({"allow_bots": [")" + kAccount + R"("]})"),
            "updates by apps start no work")
      << "also of one that may make issues";
  const std::string near = replaced(payload(kLabelAdded), R"("toString": "AI-Fix test-label")",
                                    R"("toString": "test-label AI-Fix2")");
  EXPECT_THAT(said(near), HasSubstr("adds neither"));
  std::string many;
  for (int i = 0; i < 999; ++i) many += "l" + std::to_string(i) + " ";
  const auto among = [&](const std::string& labels) {
    const std::string before =
        replaced(payload(kLabelAdded), R"("fromString": "test-label")", R"("fromString": ")" + labels + "\"");
    return said(
        replaced(before, R"("toString": "AI-Fix test-label")", R"("toString": ")" + labels + R"(AI-Fix")"));
  };
  EXPECT_THAT(among(many), HasSubstr("label 'AI-Fix' was added"));
  EXPECT_THAT(among(many + "one-more "), HasSubstr("adds neither")) << "of so many labels the first count";
  EXPECT_THAT(said(replaced(payload(kLabelAdded), "\"changelog\"", "\"changes\"")),
              HasSubstr("adds neither"));
}

TEST_F(JiraWebhookTest, AnUpdateStartsWorkOnlyIfItAddsTheText) {
  const auto edited = [&](const std::string& before) {
    return replaced(replaced(payload(kLabelAdded), R"("description": "Unit test)",
                             R"("description": "Sentry Issue: X-1. Unit test)"),
                    R"("field": "labels")",
                    R"("field": "description", "fromString": )" + before + R"(, "x": "labels")");
  };
  EXPECT_THAT(said(edited("null")), HasSubstr("'Sentry Issue:' was added to the description"));
  EXPECT_THAT(said(edited(R"("none yet")")), HasSubstr("was added to the description"));
  EXPECT_THAT(said(edited(R"("See Sentry Issue: X-1")")), HasSubstr("adds neither"));
}

TEST_F(JiraWebhookTest, DeletedAndDoneIssuesStartNothing) {
  EXPECT_EQ(said(replaced(payload(kLabelled), "jira:issue_created", "jira:issue_deleted")),
            "a deleted issue starts no work");
  EXPECT_EQ(said(replaced(payload(kLabelled), R"("key": "new")", R"("key": "done")")), "the issue is done");
}

TEST_F(JiraWebhookTest, IgnoresEventsItDoesNotHandle) {
  for (const char* event : {"worklog_created", "sprint_started", "jira:version_released", "user_deleted"})
    EXPECT_EQ(said(replaced(created(), "jira:issue_created", event)),
              "events " + std::string(event).substr(std::string(event).find(':') == 4 ? 5 : 0) +
                  " are not handled");
}

TEST_F(JiraWebhookTest, ReadsAbsentAndNullDescriptionsAndLabelsAsEmpty) {
  for (const char* none : {"null", "\"\""}) {
    EXPECT_THAT(said(with_description(none)), HasSubstr("neither")) << none;
  }
  const std::string no_labels = replaced(payload(kLabelled), "\"labels\"", "\"tags\"");
  EXPECT_THAT(said(no_labels), HasSubstr("neither"));
  EXPECT_THAT(said(replaced(no_labels, "\"tags\"", "\"labels\": null, \"tags\"")), HasSubstr("neither"));
}

TEST_F(JiraWebhookTest, TheTaskHoldsWhatAnAgentNeeds) {
  const Json answer = Json::parse(deliver(payload(kSentry), R"({"settle_seconds": 30})").output);
  const JsonView task = answer.at_pointer("/tasks/0");
  EXPECT_EQ(task["task_type"], "issue_fix");
  EXPECT_THAT(std::string(task["title"].string_or("")), StartsWith("TES-41: "));
  EXPECT_EQ(task["entity"], "jira:some-instance-test.atlassian.net/TES-41");
  EXPECT_EQ(task["key"], "jira:some-instance-test.atlassian.net/TES-41");
  EXPECT_EQ(task["run_at"].int_or(0), davit::unix_ms(host_.now) + 30'000);
  const JsonView issue = task["payload"]["issue"];
  EXPECT_EQ(task["payload"]["source"], "jira");
  EXPECT_EQ(issue["key"], "TES-41");
  EXPECT_EQ(issue["url"], "https://some-instance-test.atlassian.net/browse/TES-41");
  EXPECT_THAT(std::string(issue["description"].string_or("")), HasSubstr("Sentry Issue:"));
  EXPECT_TRUE(task["payload"]["sentry_issue"]["key"].is_string());
  EXPECT_EQ(answer["actor"].dump(), R"({"id":")" + kAccount + R"(","login":"admin","role":"atlassian"})");
  EXPECT_EQ(answer.at_pointer("/entity/type"), "issue");
}

TEST_F(JiraWebhookTest, ANameIsOneLineWhateverItsOwnerPutIntoIt) {
  std::string body = replaced(payload(kLabelled), "\"name\": \"admin\",", "");
  body = replaced(body, "\"displayName\": \"Test User\"", R"("displayName": "Ada\tL\u0001\u007f")");
  const Json answer = Json::parse(deliver(body).output);
  EXPECT_EQ(answer.at_pointer("/actor/login"), "Ada L  ") << "the host refuses control characters in names";
}

// ---- who may, and where

TEST_F(JiraWebhookTest, AppsStartNothingUnlessTheyAreAllowedAndTheReasonNamesTheirId) {
  const std::string app = by_account_type(payload(kSentry), "app");
  EXPECT_EQ(said(app), "user Test User (" + kAccount + ") is an app and not in allow_bots");
  EXPECT_THAT(said(app, R"({"allow_bots": [")" + kAccount + R"("]})"), StartsWith("(queued)"));
  EXPECT_THAT(said(app, R"({"users": [")" + kAccount + R"("]})"), HasSubstr("is an app"));
}

TEST_F(JiraWebhookTest, AnAccountThatIsNotKnownToBeAPersonsStartsNothingUnlessItIsListed) {
  const std::string recorded = payload(kCreated);
  const std::string listed = R"({"labels": ["test-label"], "users": [")" + kAccount + R"("]})";
  EXPECT_EQ(said(recorded, R"({"labels": ["test-label"]})"),
            "user Test User (" + kAccount +
                ") has an account of no type and is neither in users nor in command_users");
  EXPECT_THAT(said(recorded, listed), StartsWith("(queued)"));
  const std::string unknown = by_account_type(recorded, "robot");
  EXPECT_THAT(said(unknown, R"({"labels": ["test-label"], "allow_bots": [")" + kAccount + R"("]})"),
              HasSubstr("has an account of the unknown type 'robot'"));
  EXPECT_THAT(said(unknown, listed), StartsWith("(queued)"));
  const std::string comment =
      replaced(by_account_type(payload(kCloudComment), "robot"), "\"updateAuthor\"", "\"x\"");
  EXPECT_THAT(said(comment, kAnybody), HasSubstr("unknown type"));
  EXPECT_THAT(said(payload(kDcComment), kAnybody), StartsWith("(queued)")) << "Data Center tells no types";
}

TEST_F(JiraWebhookTest, CustomersOfServiceDesksStartNothingUnlessTheyAreAllowed) {
  const std::string customer = by_account_type(payload(kLabelled), "customer");
  EXPECT_THAT(said(customer), HasSubstr("is a customer of a service desk"));
  EXPECT_THAT(said(customer, R"({"allow_customers": true})"), StartsWith("(queued)"));
  EXPECT_THAT(said(customer, R"({"users": [")" + kAccount + R"("]})"), StartsWith("(queued)"));
  EXPECT_THAT(said(by_account_type(payload(kLabelled), "atlassian")), StartsWith("(queued)"));
}

TEST_F(JiraWebhookTest, UsersAreListedByAccountIdOrByDataCentersName) {
  EXPECT_THAT(said(payload(kLabelled), R"({"users": ["somebody"]})"), HasSubstr("is not in users"));
  EXPECT_THAT(said(payload(kLabelled), R"({"users": ["somebody", ")" + kAccount + R"("]})"),
              StartsWith("(queued)"));
  EXPECT_THAT(said(payload(kLabelled), R"({"ignore_users": [")" + kAccount + R"("]})"),
              HasSubstr("is in ignore_users"));
  EXPECT_THAT(said(payload(kDcComment), R"({"ignore_users": ["TestUser"]})"),
              HasSubstr("is in ignore_users"));
  EXPECT_THAT(said(payload(kDcComment), R"({"ignore_users": ["testUser"]})"),
              HasSubstr("is in ignore_users"));
  EXPECT_EQ(said(replaced(payload(kLabelled), "\"user\"", "\"nobody\"")), "nobody is named as user");
}

TEST_F(JiraWebhookTest, ProjectsAndIssueTypesCanBeListed) {
  EXPECT_THAT(said(payload(kLabelled), R"({"projects": ["tes"]})"), StartsWith("(queued)"));
  EXPECT_EQ(said(payload(kLabelled), R"({"projects": ["TE", "TEST"]})"), "project TES is not in projects");
  EXPECT_THAT(said(payload(kLabelled), R"({"issue_types": ["story"]})"), StartsWith("(queued)"));
  EXPECT_EQ(said(payload(kLabelled), R"({"issue_types": ["Bug"]})"),
            "issue type 'Story' is not in issue_types");
}

TEST_F(JiraWebhookTest, AConfigThatMakesNoSenseIsRefusedWithItsReason) {
  for (const char* config : {R"({"command_prefix": "/da vit"})", R"({"labels": ["AI Fix"]})"}) {
    try {
      deliver(payload(kLabelled), config);
      ADD_FAILURE() << config;
    } catch (const davit::Failure& failure) {
      EXPECT_EQ(failure.status(), Status::InvalidInput);
      EXPECT_THAT(failure.what(), HasSubstr("config."));
    }
  }
}

// ---- commands

TEST_F(JiraWebhookTest, ACommandInTheFirstLineActsOnTheEntitysTask) {
  const Json answer = Json::parse(deliver(payload(kCloudComment), kAnybody).output);
  EXPECT_EQ(answer["tasks"].size(), 0u);
  EXPECT_EQ(answer["actions"].dump(),
            R"([{"entity":"jira:some-instance-test.atlassian.net/TES-41",)"
            R"("comment":"looks right to me","via":"comment","action":"approve"}])");
  EXPECT_EQ(answer.at_pointer("/actor/id").string_or(""), kAccount);
}

TEST_F(JiraWebhookTest, KnowsFourVerbsAndRun) {
  const auto say = [&](const std::string& text, const std::string& more = "") {
    return deliver(replaced(payload(kCloudComment), "/davit approve looks right to me", text),
                   R"({"command_users": ["*"])" + more + "}");
  };
  for (const char* verb : {"approve", "reject", "retry", "cancel"}) {
    const Json answer = Json::parse(say(std::string("/davit ") + verb).output);
    EXPECT_EQ(answer.at_pointer("/actions/0/action").string_or(""), verb);
  }
  EXPECT_THAT(reason(say("/davit run planning-agent")), HasSubstr("Queued planning-agent for jira:"));
  EXPECT_THAT(reason(say("/davit run cicd-agent")), HasSubstr("names no agent of run_agents"));
  EXPECT_THAT(reason(say("/davit run cicd-agent", R"(, "run_agents": ["cicd-agent"])")),
              HasSubstr("Queued cicd-agent"));
  EXPECT_THAT(reason(say("/davit dance")), HasSubstr("is no command"));
  EXPECT_EQ(reason(say("please /davit approve")), "the comment is no command");
  EXPECT_EQ(reason(say("thanks\\n/davit approve")), "the comment is no command");
  EXPECT_EQ(say("!ai approve", R"(, "command_prefix": "!ai")").status, Status::Ok);
  EXPECT_EQ(say("/davit approve", R"(, "command_prefix": "")").status, Status::Ignored);
}

TEST_F(JiraWebhookTest, ACommandMayStandInADocument) {
  const std::string body =
      replaced(payload(kCloudComment), "\"/davit approve looks right to me\"",
               R"({"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [
                   {"type": "text", "text": "/davit "}, {"type": "text", "text": "reject"}]},
                  {"type": "paragraph", "content": [{"type": "text", "text": "no"}]}]})");
  const Json answer = Json::parse(deliver(body, kAnybody).output);
  EXPECT_EQ(answer.at_pointer("/actions/0/action"), "reject");
}

TEST_F(JiraWebhookTest, CommandsAreTakenFromNobodyUntilSomebodyIsNamed) {
  EXPECT_EQ(said(payload(kCloudComment)),
            "'/davit approve' by Test User (" + kAccount + "), who is not in command_users");
  EXPECT_THAT(said(payload(kCloudComment), R"({"command_users": [")" + kAccount + R"("]})"),
              StartsWith("(queued)"));
  EXPECT_THAT(said(payload(kDcComment), R"({"command_users": ["TestUser"]})"),
              HasSubstr("Queued planning-agent"));
  const std::string app =
      replaced(by_account_type(payload(kCloudComment), "app"), "\"updateAuthor\"", "\"x\"");
  EXPECT_THAT(said(app, kAnybody), HasSubstr("is an app"));
}

TEST_F(JiraWebhookTest, OneCommentIsOneCommandHoweverOftenItIsTold) {
  // Cloud may tell of it in an issue_updated event, too, and a newer Data Center in a comment_created with
  // issue.
  const std::string cloud_update =
      replaced(replaced(payload(kCloudComment), "\"comment_created\"", "\"jira:issue_updated\""),
               "\"comment\"", "\"issue_event_type_name\": \"issue_commented\", \"comment\"");
  EXPECT_THAT(said(cloud_update, kAnybody), HasSubstr("are read from comment_created events"));
  const std::string dc_comment =
      replaced(payload(kDcComment), "\"jira:issue_updated\"", "\"comment_created\"");
  EXPECT_THAT(said(dc_comment, kAnybody), HasSubstr("are read from issue_updated events"));
  EXPECT_THAT(said(dc_comment, R"({"command_users": ["*"], "comments_from": "comment_created"})"),
              HasSubstr("Queued planning-agent"));
  EXPECT_THAT(said(payload(kDcComment), R"({"command_users": ["*"], "comments_from": "comment_created"})"),
              HasSubstr("are read from comment_created events"));
  EXPECT_THAT(said(payload("dc-comment-created-without-issue.json"), kAnybody), HasSubstr("names no issue"));
}

TEST_F(JiraWebhookTest, ACommandGoesBeforeWhatAnyUpdateStarts) {
  const std::string approve = replaced(payload(kDcComment), "/davit run planning-agent", "/davit approve");
  const std::string labelled = replaced(approve, "\"labels\": []", "\"labels\": [\"AI-Fix\"]");
  const Json answer =
      Json::parse(deliver(labelled, R"({"command_users": ["*"], "any_update": true})").output);
  EXPECT_EQ(answer.at_pointer("/actions/0/action"), "approve");
  EXPECT_EQ(answer["tasks"].size(), 0u);
  EXPECT_THAT(said(replaced(labelled, "/davit approve", "thanks"), R"({"any_update": true})"),
              HasSubstr("has label"));
}

TEST_F(JiraWebhookTest, EditedAndDeletedCommentsAreNoCommands) {
  for (const char* event : {"comment_updated", "comment_deleted"}) {
    EXPECT_EQ(said(replaced(payload(kCloudComment), "comment_created", event), kAnybody),
              std::string(event) + " is not read for commands");
  }
  for (const char* type : {"issue_comment_edited", "issue_comment_deleted"}) {
    EXPECT_EQ(said(replaced(payload(kDcComment), "issue_commented", type), kAnybody),
              "the update adds neither a label nor a text that starts work");
  }
  const std::string edited = replaced(payload(kCloudComment), "\"updated\": \"2019-02-15T19:11:18",
                                      "\"updated\": \"2019-02-15T20:11:18");
  EXPECT_EQ(said(edited, kAnybody), "'/davit approve' is in a comment that was edited");
}

// ---- sites and links

TEST_F(JiraWebhookTest, TheEntityNamesTheSiteWithPortAndContextPath) {
  const auto entity = [&](const std::string& base) {
    const std::string body =
        replaced(payload(kLabelled), "\"self\": \"https://some-instance-test.atlassian.net/rest/api/2/issue/",
                 "\"self\": \"" + base + "/rest/api/2/issue/");
    const Outcome outcome = deliver(body);
    if (outcome.status != Status::Ok) return reason(outcome);
    const Json answer = Json::parse(outcome.output);
    return std::string(answer.at_pointer("/entity/key").string_or("")) + " " +
           std::string(answer.at_pointer("/entity/group").string_or("")) + " " +
           std::string(answer.at_pointer("/entity/url").string_or(""));
  };
  EXPECT_EQ(entity("http://JIRA.example.com:8080"),
            "jira:jira.example.com:8080/TES-41 jira:jira.example.com:8080/TES "
            "http://jira.example.com:8080/browse/TES-41");
  EXPECT_EQ(entity("https://example.com/Jira"),
            "jira:example.com/Jira/TES-41 jira:example.com/Jira/TES https://example.com/Jira/browse/TES-41");
  for (const char* bad : {"https://", "ftp://a", "https://a b", "https://u@h", "javascript:alert(1)", ""})
    EXPECT_THAT(entity(bad), HasSubstr("issue.self")) << bad;
}

TEST_F(JiraWebhookTest, FindsLinksInWikiMarkupMarkdownAndProse) {
  const auto links = [&](const std::string& text, const std::string& more = "") {
    const Json answer = Json::parse(
        deliver(with_description("\"" + text + "\""), R"({"labels": ["test-label"])" + more + "}").output);
    std::string all;
    for (JsonView link : answer["links"])
      all += std::string(link["rel"].string_or("")) + " " + std::string(link["key"].string_or("")) + ";";
    return all;
  };
  EXPECT_EQ(links("Sentry Issue: [BACKEND-4Z|https://acme.sentry.io/issues/12/?referrer=jira_integration]"),
            "sentry_issue sentry:acme/12;");
  EXPECT_EQ(links("Sentry Issue: [BACKEND-4Z](https://sentry.io/organizations/acme/issues/12/)"),
            "sentry_issue sentry:acme/12;");
  EXPECT_EQ(links("Sentry Issue: [BACKEND-4Z|https://errors.example.com/issues/12/]"),
            "sentry_issue BACKEND-4Z;");
  EXPECT_EQ(links("Sentry Issue: [B-4Z|https://errors.example.com/organizations/a/issues/12/]",
                  R"(, "sentry_hosts": ["errors.example.com"])"),
            "sentry_issue sentry:a/12;");
  EXPECT_EQ(links("Sentry Issue: BACKEND-4Z. More"), "sentry_issue BACKEND-4Z;");
  EXPECT_EQ(links("fixed by https://github.com/o/n/pull/12, see [x|https://github.com/o/n/issues/7]"),
            "pull_request github:o/n#12;issue github:o/n#7;");
  EXPECT_EQ(links("https://ghe.example.com/o/n/pull/12", R"(, "github_hosts": ["ghe.example.com"])"),
            "pull_request github:o/n#12;");
  EXPECT_EQ(links("like https://some-instance-test.atlassian.net/browse/TES-7?focused=1 and "
                  "https://x.atlassian.net/browse/AB-1"),
            "issue jira:some-instance-test.atlassian.net/TES-7;issue jira:x.atlassian.net/AB-1;");
  EXPECT_EQ(links("https://evil.example/browse/TES-7 https://atlassian.net.evil.example/browse/TES-7 "
                  "https://x.atlassian.net/browse/tes"),
            "");
  EXPECT_EQ(links("https://notsentry.io/issues/9/ https:// :// http://github.com/o Sentry Issue:["), "");
}

// ---- documents

TEST_F(JiraWebhookTest, DocumentsBecomeText) {
  const auto paragraph = [](const std::string& inside) {
    return R"({"type": "paragraph", "content": [)" + inside + "]}";
  };
  const std::string a = R"({"type": "text", "text": "a"})", b = R"({"type": "text", "text": "b"})";
  struct Case {
    std::string content, text;
  };
  for (
      const Case& tested : {
          Case{"[]", ""},
          Case{"[" + paragraph(a) + "," + paragraph(b) + "]", "a\n\nb"},
          Case{"[" + paragraph(a + R"(, {"type": "hardBreak"}, )" + b) + "]", "a\nb"},
          Case{R"([{"type": "heading", "attrs": {"level": 2}, "content": [)" + a + "]}]", "## a"},
          Case{
              R"([{"type": "bulletList", "content": [{"type": "listItem", "content": [)" + paragraph(a) +
                  R"(, {"type": "orderedList", "attrs": {"order": 3}, "content": [{"type": "listItem", "content": [)" +
                  paragraph(b) + R"(]}, {"type": "listItem", "content": [)" + paragraph(a) + "]}]}]}]}]",
              "- a\n  3. b\n  4. a"},
          Case{
              R"([{"type": "codeBlock", "attrs": {"language": "c"}, "content": [{"type": "text", "text": "int i;\n++i;"}]}])",
              "```c\nint i;\n++i;\n```"},
          Case{
              "[" +
                  paragraph(
                      R"({"type": "mention", "attrs": {"id": "1", "text": "@Ann"}}, {"type": "text", "text": " hi"})") +
                  "]",
              "@Ann hi"},
          Case{"[" + paragraph(R"({"type": "mention", "attrs": {"id": "abc"}})") + "]", "@abc"},
          Case{
              "[" +
                  paragraph(
                      R"({"type": "text", "text": "x", "marks": [{"type": "strong"}, {"type": "link", "attrs": {"href": "https://e.example/"}}]})") +
                  "]",
              "[x](https://e.example/)"},
          Case{"[" + paragraph(R"({"type": "text", "text": "f", "marks": [{"type": "code"}]})") + "]", "`f`"},
          Case{"[" + paragraph(R"({"type": "inlineCard", "attrs": {"url": "https://e.example/1"}})") + "]",
               "https://e.example/1"},
          Case{R"([{"type": "blockCard", "attrs": {"url": "https://e.example/2"}}])", "https://e.example/2"},
          Case{"[" + paragraph(R"({"type": "date", "attrs": {"timestamp": "1550286113023"}})") + "]",
               "2019-02-16"},
          Case{
              "[" +
                  paragraph(
                      R"({"type": "date", "attrs": {"timestamp": "99999999999999999"}}, {"type": "status", "attrs": {"text": "OPEN"}}, {"type": "emoji", "attrs": {"shortName": ":x:"}})") +
                  "]",
              "[OPEN]:x:"},
          Case{R"([{"type": "blockquote", "content": [)" + paragraph(a) + "," + paragraph(b) + "]}]",
               "> a\n> \n> b"},
          Case{R"([{"type": "rule"}, {"type": "panel", "attrs": {"panelType": "info"}, "content": [)" +
                   paragraph(a) + "]}]",
               "---\n\na"},
          Case{R"([{"type": "expand", "attrs": {"title": "More"}, "content": [)" + paragraph(a) + "]}]",
               "More\na"},
          Case{
              R"([{"type": "taskList", "content": [{"type": "taskItem", "attrs": {"state": "DONE"}, "content": [)" +
                  a + R"(]}, {"type": "taskItem", "attrs": {"state": "TODO"}, "content": [)" + b + "]}]}]",
              "[x] a\n[ ] b"},
          Case{
              R"([{"type": "table", "content": [{"type": "tableRow", "content": [{"type": "tableHeader", "content": [)" +
                  paragraph(a) + R"(]}, {"type": "tableCell", "content": [)" + paragraph(b) + "," +
                  paragraph(a) + "]}]}]}]",
              "| a | b a |"},
          Case{R"([{"type": "mediaSingle", "content": [{"type": "media", "attrs": {"alt": "shot.png"}}]}])",
               "shot.png"},
          Case{R"([{"type": "somethingNew", "content": [)" + paragraph(a) + "]}]", "a"},
          Case{
              R"([1, null, "x", [], {"type": 7}, {"type": "text"}, {"type": "text", "text": 5}, {"type": "heading", "attrs": []}])",
              "# "},
          Case{R"({"type": "text", "text": "no list"})", ""},
      }) {
    EXPECT_EQ(description_of(tested.content), tested.text) << tested.content;
  }
}

TEST_F(JiraWebhookTest, DeepDocumentsAreCutOffAndTooDeepBodiesAreRefused) {
  const auto nested = [](int levels) {
    std::string text = R"({"type": "paragraph", "content": [{"type": "text", "text": "deep"}]})";
    for (int i = 0; i < levels; ++i) text = R"({"type": "blockquote", "content": [)" + text + "]}";
    return "[" + text + "]";
  };
  EXPECT_THAT(description_of(nested(10)), HasSubstr("> > deep"));
  EXPECT_EQ(description_of(nested(25)), "");
  const Json event = Json::parse(parse(with_description(R"({"content": )" + nested(25) + "}")).output);
  EXPECT_TRUE(event["issue"]["cut"].bool_or(false));
  EXPECT_THAT(description_of(nested(40)), HasSubstr("nested deeper"));
}

TEST_F(JiraWebhookTest, LargeDocumentsAndTextsAreCutBetweenCharacters) {
  std::string many, fox;
  for (int i = 0; i < 12'000; ++i)
    many +=
        std::string(i ? "," : "") +
        R"({"type": "bulletList", "content": [{"type": "listItem", "content": [{"type": "text", "text": "abcdefgh"}]}]})";
  while (fox.size() < 300'000) fox += "\xF0\x9F\xA6\x8A";
  for (const std::string& description :
       {R"({"type": "doc", "content": [)" + many + "]}", "\"" + fox + "\"",
        R"({"type": "doc", "content": [{"type": "paragraph", "content": [{"type": "text", "text": ")" + fox +
            "\"}]}]}"}) {
    const Outcome outcome = deliver(with_description(description), R"({"labels": ["test-label"]})");
    ASSERT_EQ(outcome.status, Status::Ok) << reason(outcome).substr(0, 200);
    EXPECT_LT(outcome.output.size(), 140'000u);
    const Json answer = Json::parse(outcome.output);
    const JsonView issue = answer.at_pointer("/tasks/0/payload/issue");
    EXPECT_TRUE(issue["cut"].bool_or(false));
    EXPECT_GT(issue["description"].string_or("").size(), 64u * 1024 - 16);
    EXPECT_LE(issue["description"].string_or("").size(), 64u * 1024);
  }
}

TEST_F(JiraWebhookTest, ADocumentOfManyEmptyNodesSaysThatItWasCut) {
  for (const std::string& node :
       {std::string(R"({"type": "text"})"), std::string(R"({"type": "heading"})"),
        std::string(R"({"type": "tableRow"})"), std::string(R"({"type": "codeBlock"})"),
        std::string(R"({"type": "mention"})"), std::string(R"({"type": "taskItem"})")}) {
    std::string many;
    for (int i = 0; i < 66'000; ++i) many += (i ? "," : "") + node;
    const Outcome outcome = parse(with_description(R"({"type": "doc", "content": [)" + many + "]}"));
    ASSERT_EQ(outcome.status, Status::Ok) << reason(outcome).substr(0, 200);
    EXPECT_LE(outcome.output.size(), 200'000u) << node;
    const Json event = Json::parse(outcome.output);
    EXPECT_TRUE(event["issue"]["cut"].bool_or(false)) << node;
  }
}

TEST_F(JiraWebhookTest, NestingDoesNotMultiplyWhatADocumentTakes) {
  std::string lines;
  for (int i = 0; i < 30'000; ++i) lines += "\\n";
  std::string text = R"({"type": "paragraph", "content": [{"type": "text", "text": ")" + lines + R"("}]})";
  for (int i = 0; i < 20; ++i) text = R"({"type": "blockquote", "content": [)" + text + "]}";
  const Outcome outcome = parse(with_description(R"({"type": "doc", "content": [)" + text + "]}"));
  ASSERT_EQ(outcome.status, Status::Ok) << reason(outcome).substr(0, 200);
  EXPECT_LE(outcome.output.size(), 200'000u);
}

// ---- malformed bodies

TEST_F(JiraWebhookTest, MalformedBodiesAreInvalidInputThatNamesTheMember) {
  struct Case {
    std::string body;
    const char* says;
  };
  const std::string head = R"({"webhookEvent": "jira:issue_created", "user": {"accountId": "a"}, "issue": )";
  const auto issue = [&](const std::string& members) {
    return head + R"({"key": "T-1", "self": "https://h/rest/api/2/issue/1", )" + members + "}}";
  };
  const auto fields = [&](const std::string& members) { return issue("\"fields\": {" + members + "}"); };
  for (const Case& bad : {
           Case{"", "JSON, byte 0"},
           Case{"[]", "not a JSON object"},
           Case{"{}", "webhookEvent"},
           Case{R"({"webhookEvent": 7})", "webhookEvent"},
           Case{R"({"webhookEvent": "jira:issue_created"})", "issue is missing"},
           Case{head + "[]}", "issue is missing or not an object"},
           Case{head + "{}}", "issue.key"},
           Case{head + R"({"key": 5}})", "issue.key"},
           Case{head + R"({"key": "../etc"}})", "issue.key is no key"},
           Case{head + R"({"key": "T-1"}})", "issue.self"},
           Case{head + R"({"key": "T-1", "self": 5}})", "issue.self"},
           Case{issue(R"("fields": [])"), "issue.fields is missing or not an object"},
           Case{issue(R"("id": {})"), "issue.id"},
           Case{fields(R"("labels": {})"), "issue.fields.labels is not a list"},
           Case{fields(R"("labels": [1])"), "issue.fields.labels"},
           Case{fields(R"("description": 5)"), "issue.fields.description is neither text nor a document"},
           Case{fields(R"("description": [])"), "issue.fields.description"},
           Case{fields(R"("summary": {})"), "issue.fields.summary"},
           Case{fields(R"("issuetype": "Bug")"), "issue.fields.issuetype"},
           Case{fields(R"("status": {"name": 1})"), "issue.fields.status.name"},
           Case{replaced(issue(R"("fields": {})"), R"({"accountId": "a"})", "[]"),
                "user is missing or not an object"},
           Case{replaced(issue(R"("fields": {})"), R"("a")", "[]"), "user.accountId"},
           Case{replaced(payload(kLabelAdded), "\"changelog\": {", "\"changelog\": [], \"x\": {"),
                "changelog"},
           Case{replaced(payload(kLabelAdded), "\"items\": [", "\"items\": 5, \"x\": ["), "changelog.items"},
           Case{replaced(payload(kLabelAdded), R"("toString": "AI-Fix test-label")", R"("toString": 5)"),
                "changelog.items.toString"},
           Case{replaced(payload(kCloudComment), "\"comment\": {", "\"comment\": 5, \"x\": {"),
                "comment is missing or not an object"},
           Case{replaced(payload(kCloudComment), "\"/davit approve looks right to me\"", "5"),
                "comment.body"},
           Case{"{\"webhookEvent\": \"\xff\"}", "not UTF-8"},
           Case{head + std::string(70, '[') + std::string(70, ']') + "}", "nested deeper"},
       }) {
    const Outcome outcome = deliver(bad.body);
    EXPECT_EQ(outcome.status, Status::InvalidInput) << bad.body.substr(0, 300) << " " << reason(outcome);
    EXPECT_THAT(outcome.error, HasSubstr(bad.says)) << bad.body.substr(0, 300);
  }
}

// Whatever comes, it ends in one of these, with a sentence.
void expect_an_orderly_end(const Outcome& outcome) {
  ASSERT_TRUE(outcome.status == Status::Ok || outcome.status == Status::Ignored ||
              outcome.status == Status::InvalidInput)
      << static_cast<int>(outcome.status) << " " << outcome.error;
  ASSERT_FALSE(outcome.status == Status::InvalidInput ? outcome.error.empty() : outcome.output.empty());
}

TEST_F(JiraWebhookTest, SurvivesWrongTypesEverywhere) {
  host_.config = kAnybody;
  WebhookDriver webhook(testdata::plugin("jira").webhooks(), 0, host_);
  int tried = 0;
  for (const std::string& file :
       {kLabelAdded, kDcComment, kCloudComment, std::string("derived-issue-created-adf-description.json")}) {
    mutants::for_each_wrong_type(payload(file), [&](const std::string& body) {
      RequestBuilder request(body);
      expect_an_orderly_end(webhook.deliver(request));
      ++tried;
    });
  }
  EXPECT_GT(tried, 2000);
}

TEST_F(JiraWebhookTest, SurvivesAnyChangeOfAnyByte) {
  host_.config = kAnybody;
  WebhookDriver webhook(testdata::plugin("jira").webhooks(), 0, host_);
  std::mt19937 random(20240608);
  const Json index = Json::parse(payload("index.json"));
  int understood = 0;
  for (JsonView row : index) {
    const std::string original = payload(std::string(row["file"].string_or("")));
    for (int round = 0; round < 200; ++round) {
      RequestBuilder request(mutants::damaged(original, random));
      const Outcome outcome = webhook.deliver(request);
      expect_an_orderly_end(outcome);
      understood += outcome.status == Status::Ok;
    }
  }
  EXPECT_GT(understood, 0) << "no mutant got through to handle()";
}

}  // namespace
