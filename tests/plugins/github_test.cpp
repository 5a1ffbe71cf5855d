// The github webhook's rules, on real payloads changed in one place, and on bodies nobody sends on purpose.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "tests/plugins/mutants.h"
#include "tests/plugins/testdata.h"

namespace {

using namespace davit::testing;
using davit::Json;
using davit::Status;
using mutants::replaced;

const std::string kTestdata = DAVIT_SOURCE_DIR "/plugins/webhooks/github/testdata/";

std::string payload(const std::string& name) { return testdata::read_file(kTestdata + "payloads/" + name); }

class GithubWebhookTest : public testing::Test {
 protected:
  Outcome deliver(const std::string& event, const std::string& body, const std::string& config = "{}") {
    RequestBuilder request(body);
    request.header("Content-Type", "application/json").header("x-github-event", event);
    return deliver(request, config);
  }
  Outcome deliver(RequestBuilder& request, const std::string& config = "{}") {
    host_.config = config;
    return WebhookDriver(testdata::plugin("github").webhooks(), 0, host_).deliver(request);
  }
  // The reason for which nothing is done; "(queued)" and the message if something is.
  std::string reason(const Outcome& outcome) {
    if (outcome.status == Status::Ok) {
      const Json answer = Json::parse(outcome.output);
      return "(queued) " + std::string(answer.at_pointer("/response/message").string_or(""));
    }
    return outcome.status == Status::Ignored ? outcome.output : "error: " + outcome.error;
  }
  std::string agent(const Outcome& outcome) {
    if (outcome.status != Status::Ok) return reason(outcome);
    const Json answer = Json::parse(outcome.output);
    return std::string(answer.at_pointer("/tasks/0/agent").string_or("(no task)"));
  }

  FakeHost host_;
};

using testing::HasSubstr;
using testing::StartsWith;

const std::string kLabeled = "derived-issues-labeled-ai-fix.json";
const std::string kOpened = "issues-opened.json";
const std::string kSentry = "derived-issues-opened-sentry.json";
const std::string kComment = "derived-issue-comment-approve.json";
const std::string kReview = "pull-request-review-submitted-approved.json";

// Recorded before GitHub told what an author is to a repository.
std::string opened() {
  return replaced(payload(kOpened), "\"state\": \"open\"",
                  "\"state\": \"open\", \"author_association\": \"OWNER\"");
}

// With MEMBER as the association of who wrote the `item`.
std::string by_member(const std::string& body, const std::string& item) {
  return replaced(body, "\"" + item + "\": {", "\"" + item + R"(": {"author_association": "MEMBER",)");
}

// kLabeled, sent by somebody else than the author of the issue.
std::string sent_by(const std::string& body, const std::string& login, const std::string& id) {
  return replaced(body, "\"sender\": {\n        \"login\": \"sbansal1999\",\n        \"id\": 35286603",
                  "\"sender\": {\"login\": \"" + login + "\", \"id\": " + id);
}

// ---- metadata

TEST_F(GithubWebhookTest, DeclaresItsSignatureAsDataAndChecksNothingItself) {
  const Json metadata = Json::parse(metadata_of(testdata::plugin("github").webhooks(), 0, host_).output);
  EXPECT_EQ(metadata["name"].string_or(""), "github");
  EXPECT_EQ(metadata["secret_env_var"].string_or(""), "GITHUB_WEBHOOK_SECRET");
  EXPECT_EQ(metadata["signature"].dump(),
            R"({"headers":["X-Hub-Signature-256"],"signed":"{body}","accept":[{"algorithm":"hmac-sha256",)"
            R"("encoding":"hex","prefix":"sha256="}]})");
  EXPECT_EQ(metadata.at_pointer("/delivery_id/header").string_or(""), "X-GitHub-Delivery");
  EXPECT_EQ(metadata["event_header"].string_or(""), "X-GitHub-Event");
  EXPECT_EQ(metadata["max_body_bytes"].int_or(0), 25 * 1024 * 1024);
  EXPECT_TRUE(metadata["config_schema"].is_object());
  EXPECT_EQ(WebhookDriver(testdata::plugin("github").webhooks(), 0, host_).abi().validate_signature, nullptr);
}

// ---- what the index of payloads expects

TEST_F(GithubWebhookTest, DoesWithEveryRealPayloadWhatItsIndexExpects) {
  const Json index = Json::parse(payload("index.json"));
  ASSERT_GE(index.size(), 15u);
  for (davit::JsonView row : index) {
    const std::string file(row["file"].string_or(""));
    const Outcome outcome = deliver(std::string(row["event"].string_or("")), payload(file));
    EXPECT_EQ(outcome.status, row["expect"] == "queued" ? Status::Ok : Status::Ignored)
        << file << ": " << reason(outcome);
    EXPECT_FALSE(reason(outcome).empty()) << file;
  }
}

// ---- issues

TEST_F(GithubWebhookTest, ALabelThatIsAddedStartsTheAgentAndIsNamed) {
  EXPECT_EQ(reason(deliver("issues", payload(kLabeled))),
            "(queued) Queued planning-agent for github:sbansal1999/testing-gh#9: label 'AI-Fix' was added");
  EXPECT_EQ(agent(deliver("issues", payload(kLabeled), R"({"agent": "command-agent"})")), "command-agent");
}

TEST_F(GithubWebhookTest, OnlyTheLabelAddedCountsWhenOneIsAdded) {
  // The issue has AI-Fix already, "bug" is what was added now.
  const std::string body = payload("issues-labeled.json");
  const std::size_t list = body.find("\"labels\"");
  const std::string with_both = body.substr(0, list) + replaced(body.substr(list), "\"bug\"", "\"AI-Fix\"");
  EXPECT_EQ(reason(deliver("issues", with_both)), "label 'bug' starts no work");
}

TEST_F(GithubWebhookTest, AnyLabelCountsWhenAnIssueIsOpenedEditedOrReopened) {
  const std::string labelled = replaced(opened(), "\"name\": \"bug\"", "\"name\": \"AI-Fix\"");
  for (const char* action : {"opened", "edited", "reopened"}) {
    EXPECT_THAT(
        reason(deliver("issues", replaced(labelled, "\"opened\"", "\"" + std::string(action) + "\""))),
        HasSubstr("(queued)"))
        << action;
  }
  for (const char* action : {"deleted", "closed", "unlabeled", "transferred", "assigned", ""}) {
    EXPECT_EQ(deliver("issues", replaced(labelled, "\"opened\"", "\"" + std::string(action) + "\"")).status,
              Status::Ignored)
        << action;
  }
  EXPECT_EQ(reason(deliver("issues", labelled, R"({"issue_actions": ["labeled"]})")),
            "issues.opened starts no work");
}

TEST_F(GithubWebhookTest, LabelsAreConfigurableAndCaseCounts) {
  const std::string labelled = replaced(opened(), "\"name\": \"bug\"", "\"name\": \"ai-fix\"");
  EXPECT_EQ(deliver("issues", labelled).status, Status::Ignored);
  EXPECT_EQ(deliver("issues", labelled, R"({"labels": ["x", "ai-fix"]})").status, Status::Ok);
}

TEST_F(GithubWebhookTest, SentrysTextStartsTheAgentOnlyWhenTheIssueIsOpened) {
  EXPECT_THAT(reason(deliver("issues", payload(kSentry))), HasSubstr("the text has 'Sentry Issue:'"));
  EXPECT_EQ(deliver("issues", replaced(payload(kSentry), "\"opened\"", "\"edited\"")).status,
            Status::Ignored);
  EXPECT_EQ(deliver("issues", payload(kSentry), R"({"text_markers": []})").status, Status::Ignored);
  EXPECT_THAT(reason(deliver("issues", replaced(opened(), "Spelling error", "Sentry Issue: X-1"))),
              HasSubstr("(queued)"));
}

TEST_F(GithubWebhookTest, LeavesClosedIssuesAlone) {
  EXPECT_EQ(
      reason(deliver("issues", replaced(payload(kLabeled), "\"state\": \"open\"", "\"state\": \"closed\""))),
      "the issue is closed");
}

TEST_F(GithubWebhookTest, ReadsNullAndAbsentBodyAndLabelsAsEmpty) {
  for (const char* issue : {R"({"number": 1, "body": null, "labels": null})", R"({"number": 1})",
                            R"({"number": 1, "body": 5, "labels": [1, null, {"name": 2}, {}]})"}) {
    const Outcome outcome = deliver("issues", R"({"action": "opened", "issue": )" + std::string(issue) +
                                                  R"(, "repository": {"full_name": "o/n"},
                                                      "sender": {"login": "a", "id": 1, "type": "User"}})");
    EXPECT_EQ(reason(outcome), "neither a label nor a text that starts work");
  }
}

TEST_F(GithubWebhookTest, TheTaskHoldsWhatAnAgentNeeds) {
  const Outcome outcome = deliver("issues", payload(kSentry));
  const Json answer = Json::parse(outcome.output);
  const davit::JsonView task = answer.at_pointer("/tasks/0");
  EXPECT_EQ(task["task_type"], "issue_fix");
  EXPECT_EQ(task["title"], "ZeroDivisionError: division by zero");
  EXPECT_EQ(task["entity"], "github:baxterthehacker/public-repo#2");
  EXPECT_EQ(task["key"], "github:baxterthehacker/public-repo#2");
  EXPECT_EQ(task["payload"]["source"], "github");
  EXPECT_EQ(task["payload"]["repository"]["clone_url"], "https://github.com/baxterthehacker/public-repo.git");
  EXPECT_EQ(
      task["payload"]["sentry_issue"].dump(),
      R"({"key":"sentry:example/4504044639780864","url":"https://example.sentry.io/issues/4504044639780864/"})");
  EXPECT_EQ(answer["actor"].dump(), R"({"id":"6752317","login":"baxterthehacker","role":"OWNER"})");
  EXPECT_EQ(
      answer["links"].dump(),
      R"([{"rel":"sentry_issue","key":"sentry:example/4504044639780864","url":"https://example.sentry.io/issues/4504044639780864/"}])");
}

TEST_F(GithubWebhookTest, SettlingPutsTheTaskOff) {
  const Outcome outcome = deliver("issues", payload(kLabeled), R"({"settle_seconds": 30})");
  const Json answer = Json::parse(outcome.output);
  EXPECT_EQ(answer.at_pointer("/tasks/0/run_at").int_or(0), davit::unix_ms(host_.now) + 30'000);
}

// ---- who may

TEST_F(GithubWebhookTest, BotsStartNothingUnlessTheyAreAllowed) {
  const std::string bot = replaced(payload(kSentry), "\"sender\": {\n    \"login\": \"baxterthehacker\"",
                                   "\"sender\": {\n    \"login\": \"helper[bot]\"");
  EXPECT_EQ(reason(deliver("issues", bot)), "sender 'helper[bot]' is a bot and not in allow_bots");
  EXPECT_EQ(deliver("issues", bot, R"({"allow_bots": ["Helper[bot]"]})").status, Status::Ok);
  EXPECT_EQ(deliver("issues", bot, R"({"allow_bots": ["6752317"]})").status, Status::Ok) << "by id";
  EXPECT_EQ(deliver("issues", replaced(bot, "helper[bot]", "sentry-io[bot]")).status, Status::Ok)
      << "Sentry's own integration is allowed from the start";
}

TEST_F(GithubWebhookTest, IgnoredSendersAreNamedByLoginInAnyCaseOrById) {
  EXPECT_EQ(reason(deliver("issues", payload(kLabeled), R"({"ignore_senders": ["SBansal1999"]})")),
            "sender 'sbansal1999' is in ignore_senders");
  EXPECT_EQ(deliver("issues", payload(kLabeled), R"({"ignore_senders": ["35286603"]})").status,
            Status::Ignored);
  EXPECT_EQ(deliver("issues", payload(kLabeled), R"({"ignore_senders": ["3528660"]})").status, Status::Ok);
}

TEST_F(GithubWebhookTest, WordsOfOutsidersStartNothingButAMaintainersLabelDoes) {
  const auto by = [&](const std::string& file, const std::string& association) {
    const std::string body = payload(file);
    if (body.find("\"author_association\"") != std::string::npos)
      return replaced(body, "\"author_association\": \"OWNER\"",
                      "\"author_association\": \"" + association + "\"");
    return replaced(body, "\"state\": \"open\"",
                    "\"state\": \"open\", \"author_association\": \"" + association + "\"");
  };
  EXPECT_THAT(reason(deliver("issues", by(kSentry, "NONE"))), HasSubstr("its author is NONE"));
  EXPECT_THAT(reason(deliver("issues", by(kSentry, "CONTRIBUTOR"))), HasSubstr("trusted_associations"));
  EXPECT_EQ(deliver("issues", by(kSentry, "MEMBER")).status, Status::Ok);
  EXPECT_EQ(deliver("issues", by(kSentry, "NONE"), R"({"trusted_associations": ["NONE"]})").status,
            Status::Ok);
  const auto without = [&](const std::string& value) {
    return replaced(payload(kSentry), "\"author_association\": \"OWNER\"", value);
  };
  const std::string absent = without("\"x\": 1"), null = without("\"author_association\": null");
  for (const std::string& body : {absent, null, without("\"author_association\": 5")})
    EXPECT_THAT(reason(deliver("issues", body)), HasSubstr("its author is unknown"));
  const char* const kOldServer = R"({"trust_unknown_authors": true})";
  EXPECT_EQ(deliver("issues", absent, kOldServer).status, Status::Ok);
  EXPECT_THAT(reason(deliver("issues", null, kOldServer)), HasSubstr("its author is unknown"));
  EXPECT_THAT(reason(deliver("issues", by(kSentry, "NONE"), kOldServer)), HasSubstr("its author is NONE"));

  const std::string own_label = by(kLabeled, "NONE");
  EXPECT_EQ(reason(deliver("issues", own_label)),
            "label 'AI-Fix' came with the issue, whose author is NONE, which is not in trusted_associations")
      << "a template sets its labels in the name of whoever opens an issue";
  EXPECT_EQ(deliver("issues", sent_by(own_label, "maintainer", "1")).status, Status::Ok);
}

TEST_F(GithubWebhookTest, ANumberInAListIsAnIdAndNobodysLogin) {
  const std::string squatter = sent_by(payload(kLabeled), "6752317", "1");
  EXPECT_EQ(reason(deliver("issues", squatter, R"({"users": ["6752317"]})")),
            "sender '6752317' is not in users");
}

TEST_F(GithubWebhookTest, EditsByBotsStartNothingEvenIfTheyAreAllowed) {
  std::string edited =
      replaced(replaced(opened(), "\"opened\"", "\"edited\""), "\"name\": \"bug\"", "\"name\": \"AI-Fix\"");
  EXPECT_EQ(deliver("issues", edited).status, Status::Ok);
  edited = replaced(edited, "\"sender\": {\n    \"login\": \"baxterthehacker\"",
                    "\"sender\": {\n    \"login\": \"helper[bot]\"");
  EXPECT_EQ(reason(deliver("issues", edited, R"({"allow_bots": ["helper[bot]"]})")),
            "edits by bots start no work");
}

TEST_F(GithubWebhookTest, UsersCanBeListedByLoginInAnyCaseOrById) {
  const auto why = [&](const char* config) { return reason(deliver("issues", payload(kLabeled), config)); };
  EXPECT_THAT(why(R"({"users": ["ada", "SBansal1999"]})"), StartsWith("(queued)"));
  EXPECT_THAT(why(R"({"users": ["35286603"]})"), StartsWith("(queued)"));
  EXPECT_EQ(why(R"({"users": ["ada"]})"), "sender 'sbansal1999' is not in users");
  const std::string bot = replaced(payload(kSentry), "\"sender\": {\n    \"login\": \"baxterthehacker\"",
                                   "\"sender\": {\n    \"login\": \"sentry[bot]\"");
  EXPECT_THAT(reason(deliver("issues", bot, R"({"users": ["ada"]})")), StartsWith("(queued)"))
      << "an allowed bot is allowed by that";
}

TEST_F(GithubWebhookTest, RepositoriesCanBeListed) {
  const auto status = [&](const char* config) { return deliver("issues", payload(kLabeled), config).status; };
  EXPECT_EQ(status(R"({"repositories": ["SBansal1999/testing-gh"]})"), Status::Ok);
  EXPECT_EQ(status(R"({"repositories": ["o/n", "sbansal1999/*"]})"), Status::Ok);
  EXPECT_EQ(status(R"({"repositories": ["sbansal/*"]})"), Status::Ignored);
  EXPECT_EQ(status(R"({"repositories": ["sbansal1999/testing"]})"), Status::Ignored);
}

TEST_F(GithubWebhookTest, AConfigThatMakesNoSenseIsRefusedWithItsReason) {
  for (const char* config : {R"({"repositories": ["nameonly"]})", R"({"command_prefix": "/da vit"})"}) {
    try {
      deliver("issues", payload(kLabeled), config);
      ADD_FAILURE() << config;
    } catch (const davit::Failure& failure) {
      EXPECT_EQ(failure.status(), Status::InvalidInput);
      EXPECT_THAT(failure.what(), HasSubstr("config."));
    }
  }
}

// ---- commands

TEST_F(GithubWebhookTest, ACommandInTheFirstLineActsOnTheEntitysTask) {
  const Json answer = Json::parse(deliver("issue_comment", payload(kComment)).output);
  EXPECT_EQ(answer["tasks"].size(), 0u);
  EXPECT_EQ(answer["actions"].dump(),
            R"([{"entity":")" + std::string(answer.at_pointer("/entity/key").string_or("")) +
                R"(","comment":"looks right to me","via":"comment","action":"approve"}])");
  EXPECT_EQ(answer.at_pointer("/entity/type"), "pull_request");
  EXPECT_EQ(answer.at_pointer("/actor/role"), "OWNER");
}

TEST_F(GithubWebhookTest, ADecisionMayNameTheHashOfWhatItIsAbout) {
  const auto action = [&](const std::string& text) {
    const Json answer = Json::parse(
        deliver("issue_comment", replaced(payload(kComment), "/davit approve looks right to me", text))
            .output);
    return answer["actions"].dump();
  };
  const std::string about = R"([{"entity":"github:chhsia0/knative-route-demo#3",)";
  EXPECT_EQ(
      action("/davit approve 0123456789AB  looks right"),
      about +
          R"("comment":"looks right","content_hash":"0123456789AB","via":"comment","action":"approve"}])");
  EXPECT_EQ(action("/davit reject 0123456789abcdef"),
            about + R"("content_hash":"0123456789abcdef","via":"comment","action":"reject"}])");
  for (const std::string& none :
       {std::string("0123456789a"), std::string(65, 'a'), std::string("0123456789abx")})
    EXPECT_EQ(action("/davit approve " + none),
              about + "\"comment\":\"" + none + R"(","via":"comment","action":"approve"}])");
}

TEST_F(GithubWebhookTest, KnowsFourVerbsAndRun) {
  const auto say = [&](const std::string& text, const std::string& config = "{}") {
    return deliver("issue_comment", replaced(payload(kComment), "/davit approve looks right to me", text),
                   config);
  };
  for (const char* verb : {"approve", "reject", "retry", "cancel"}) {
    const Json answer = Json::parse(say(std::string("/davit ") + verb).output);
    EXPECT_EQ(answer.at_pointer("/actions/0/action").string_or(""), verb);
  }
  EXPECT_EQ(agent(say("/davit run planning-agent")), "planning-agent");
  EXPECT_EQ(agent(say("  /davit   run\\tplanning-agent  ")), "planning-agent");
  EXPECT_THAT(reason(say("/davit run cicd-agent")), HasSubstr("names no agent of run_agents"));
  EXPECT_EQ(agent(say("/davit run cicd-agent", R"({"run_agents": ["cicd-agent"]})")), "cicd-agent");
  EXPECT_THAT(reason(say("/davit run")), HasSubstr("names no agent"));
  EXPECT_THAT(reason(say("/davit dance")), HasSubstr("is no command"));
  EXPECT_THAT(reason(say("/davit")), HasSubstr("is no command"));
  EXPECT_EQ(reason(say("/davits approve")), "the comment is no command");
  EXPECT_EQ(reason(say("please /davit approve")), "the comment is no command");
  EXPECT_EQ(reason(say("thanks\\n/davit approve")), "the comment is no command");
  EXPECT_EQ(reason(say("> /davit approve")), "the comment is no command");
  EXPECT_EQ(say("!ai approve", R"({"command_prefix": "!ai"})").status, Status::Ok);
  EXPECT_EQ(say("/davit approve", R"({"command_prefix": ""})").status, Status::Ignored);
}

TEST_F(GithubWebhookTest, CommandsNeedATrustedAuthorAndANewComment) {
  std::string body = payload(kComment);
  const std::size_t comment = body.find("\"comment\": {");
  ASSERT_NE(comment, std::string::npos);
  const auto by = [&](const std::string& association) {
    return body.substr(0, comment) + replaced(body.substr(comment), "\"OWNER\"", association);
  };
  EXPECT_THAT(reason(deliver("issue_comment", by("\"NONE\""))), HasSubstr("an author who is NONE"));
  EXPECT_THAT(reason(deliver("issue_comment", by("\"CONTRIBUTOR\""))), HasSubstr("CONTRIBUTOR"));
  EXPECT_THAT(reason(deliver("issue_comment", by("null"))), HasSubstr("an author who is unknown"));
  EXPECT_EQ(deliver("issue_comment", by("\"COLLABORATOR\"")).status, Status::Ok);
  for (const char* action : {"edited", "deleted"}) {
    EXPECT_THAT(
        reason(deliver("issue_comment", replaced(body, "\"created\"", "\"" + std::string(action) + "\""))),
        HasSubstr("not read for commands"));
  }
}

TEST_F(GithubWebhookTest, ReviewsAndCommentsOnLinesAreReadForCommandsToo) {
  const std::string review = replaced(replaced(payload(kReview), "Looks great!", "/davit retry"),
                                      "\"state\": \"approved\"", "\"state\": \"commented\"");
  const std::string comment = payload("pull-request-review-comment-created.json");
  const std::size_t body = comment.find("\"body\": \"");
  ASSERT_NE(body, std::string::npos);
  const std::string line = comment.substr(0, body) + "\"body\": \"/davit cancel not this way\", \"x\": \"" +
                           comment.substr(body + 9);
  EXPECT_THAT(reason(deliver("pull_request_review", review)), HasSubstr("an author who is unknown"));
  EXPECT_THAT(reason(deliver("pull_request_review_comment", line)), HasSubstr("an author who is unknown"));
  const Json retry = Json::parse(deliver("pull_request_review", by_member(review, "review")).output);
  EXPECT_EQ(retry["actions"].dump(),
            R"([{"entity":"github:baxterthehacker/public-repo#8","via":"review","action":"retry"}])");
  const Json cancel = Json::parse(deliver("pull_request_review_comment", by_member(line, "comment")).output);
  EXPECT_EQ(cancel.at_pointer("/actions/0/action"), "cancel");
  EXPECT_EQ(cancel.at_pointer("/actions/0/comment"), "not this way");
  EXPECT_EQ(reason(deliver("pull_request_review_comment", replaced(line, "\"created\"", "\"edited\""))),
            "pull_request_review_comment.edited is not read for commands");
}

TEST_F(GithubWebhookTest, AReviewApprovesTheTaskOfItsPullRequestIfThatIsSet) {
  const char* const kByReview = R"({"approve_by": ["review"]})";
  const std::string old = by_member(payload(kReview), "review");
  const std::string commit = "b7a1f9c27caa4e03c14a88feb56e2d4f7500aa63";
  const std::string good = replaced(old, "\"review\": {", R"("review": {"commit_id": ")" + commit + "\",");
  const auto why = [&](const std::string& body, const char* config) {
    return reason(deliver("pull_request_review", body, config));
  };
  EXPECT_EQ(why(good, "{}"), "a review approves no task unless approve_by says so");
  EXPECT_EQ(why(good, R"({"approve_by": ["merge"]})"), "a review approves no task unless approve_by says so");
  EXPECT_EQ(why(good, kByReview),
            "(queued) Passed on to the task of github:baxterthehacker/public-repo#8: the pull request was "
            "approved");
  const Json answer = Json::parse(deliver("pull_request_review", good, kByReview).output);
  EXPECT_EQ(answer["actions"].dump(),
            R"([{"entity":"github:baxterthehacker/public-repo#8","via":"review","action":"approve"}])");
  EXPECT_EQ(why(replaced(good, "\"MEMBER\"", "null"), kByReview),
            "the reviewer is unknown, which is not in trusted_associations");
  EXPECT_EQ(why(replaced(good, "MEMBER", "CONTRIBUTOR"), kByReview),
            "the reviewer is CONTRIBUTOR, which is not in trusted_associations");
  for (const char* state : {"changes_requested", "commented", "dismissed", "APPROVED"}) {
    EXPECT_EQ(why(replaced(good, "\"state\": \"approved\"", "\"state\": \"" + std::string(state) + "\""),
                  kByReview),
              "the review approves nothing");
  }
  EXPECT_EQ(why(replaced(good, "\"submitted\"", "\"edited\""), kByReview),
            "pull_request_review.edited starts no work");
  for (const std::string& other : {old, replaced(good, commit, "9049f1265b7d61be4a8904a9a27120d2064dab3b")})
    EXPECT_EQ(why(other, kByReview), "the review is not of the pull request's last commit");
}

TEST_F(GithubWebhookTest, AReviewThatAsksForChangesApprovesNothingWhateverItsCommand) {
  const auto say = [&](const std::string& command) {
    const std::string review = replaced(by_member(payload(kReview), "review"), "\"state\": \"approved\"",
                                        "\"state\": \"changes_requested\"");
    const std::size_t body = review.find("\"body\":", review.find("\"review\": {"));
    return reason(deliver("pull_request_review", review.substr(0, body) + "\"body\": \"" + command +
                                                     "\", \"x\":" + review.substr(body + 7)));
  };
  EXPECT_EQ(say("/davit approve"), "the review asks for changes, so its command approves nothing");
  EXPECT_THAT(say("/davit reject not this way"), StartsWith("(queued)"));
}

TEST_F(GithubWebhookTest, AMergeApprovesTheTaskOfItsPullRequestIfThatIsSet) {
  const std::string merged = payload("derived-pull-request-closed-merged.json");
  EXPECT_EQ(reason(deliver("pull_request", merged)), "a merge approves no task unless approve_by says so");
  const char* const kByMerge = R"({"approve_by": ["merge"], "review_agent": "r"})";
  const Json answer = Json::parse(deliver("pull_request", merged, kByMerge).output);
  EXPECT_EQ(answer["actions"].dump(),
            R"([{"entity":"github:baxterthehacker/public-repo#1","via":"merge","action":"approve"}])");
  EXPECT_EQ(answer["tasks"].size(), 0u);
  EXPECT_EQ(
      reason(deliver("pull_request", replaced(merged, "\"merged\": true", "\"merged\": false"), kByMerge)),
      "pull_request.closed starts no review");
  EXPECT_EQ(reason(deliver("pull_request", merged,
                           R"({"approve_by": ["merge"], "ignore_senders": ["baxterthehacker"]})")),
            "sender 'baxterthehacker' is in ignore_senders");
}

// ---- runs and reviews

TEST_F(GithubWebhookTest, CheckSuitesCountOnlyIfTheyAreListed) {
  const std::string suite =
      R"({"action": "completed", "check_suite": {"id": 5, "head_branch": "main", "head_sha": "abc",
      "status": "completed", "conclusion": "failure", "app": {"name": "Builds"}, "pull_requests": []},
      "repository": {"full_name": "o/n"}, "sender": {"login": "a", "id": 1, "type": "User"}})";
  const char* const kListed = R"({"ci_agent": "cicd-agent", "ci_events": ["check_suite"]})";
  EXPECT_EQ(reason(deliver("check_suite", suite, R"({"ci_agent": "cicd-agent"})")),
            "check_suite.completed is not in ci_events");
  EXPECT_EQ(reason(deliver("check_suite", suite, kListed)),
            "(queued) Queued cicd-agent for github:o/n@abc: the run ended with 'failure'");
  EXPECT_EQ(reason(deliver("check_suite", replaced(suite, "\"main\"", "null"), kListed)),
            "the run is of a fork");
  EXPECT_EQ(reason(deliver("check_suite", replaced(suite, "\"failure\"", "\"success\""), kListed)),
            "conclusion 'success' starts no work");
  EXPECT_EQ(reason(deliver("workflow_run", payload("derived-workflow-run-completed-failure.json"), kListed)),
            "workflow_run.completed is not in ci_events");
  EXPECT_THAT(reason(deliver("check_run", suite, kListed)), HasSubstr("the body is that of another event"));
}

TEST_F(GithubWebhookTest, FailedRunsStartTheCiAgentWhenThereIsOne) {
  const std::string run = payload("derived-workflow-run-completed-failure.json");
  EXPECT_THAT(reason(deliver("workflow_run", run)), HasSubstr("no ci_agent"));
  const Outcome outcome = deliver("workflow_run", run, R"({"ci_agent": "cicd-agent"})");
  EXPECT_EQ(agent(outcome), "cicd-agent");
  const Json answer = Json::parse(outcome.output);
  EXPECT_EQ(answer.at_pointer("/entity/key"), "github:myorg/myrepo#77");
  EXPECT_EQ(answer.at_pointer("/entity/group"), "github:myorg/myrepo");
  EXPECT_EQ(
      agent(deliver("check_run", payload("check-run-rerequested.json"), R"({"ci_agent": "cicd-agent"})")),
      "check_run.rerequested is not the end of a run");
  const std::string forked =
      replaced(run, "\"conclusion\":", "\"head_repository\": {\"full_name\": \"x/y\"}, \"conclusion\":");
  EXPECT_THAT(reason(deliver("workflow_run", forked, R"({"ci_agent": "cicd-agent"})")),
              HasSubstr("of a fork"));
  const std::string gone = replaced(run, "\"pull_requests\":", "\"head_repository\": null, \"x\":");
  EXPECT_THAT(reason(deliver("workflow_run", gone, R"({"ci_agent": "cicd-agent"})")), HasSubstr("of a fork"));
  const std::string check =
      replaced(replaced(payload("check-run-rerequested.json"), "\"rerequested\"", "\"completed\""),
               "\"neutral\"", "\"failure\"");
  EXPECT_EQ(agent(deliver("check_run", check, R"({"ci_agent": "cicd-agent"})")), "cicd-agent");
}

TEST_F(GithubWebhookTest, ARunIsJudgedByItsBranchAndNotByWhoPushed) {
  const auto by = [](const std::string& login, const std::string& repository) {
    return R"({"action": "completed", "workflow_run": {"id": 5, "head_branch": "fix", "head_sha": "abc",
      "status": "completed", "conclusion": "failure", "head_repository": {"full_name": ")" +
           repository + R"("}}, "repository": {"full_name": "O/n"}, "sender": {"login": ")" + login +
           R"(", "id": 1, "type": "Bot"}})";
  };
  const char* const kConfig =
      R"({"ci_agent": "cicd-agent", "users": ["ada"], "ignore_senders": ["noise[bot]"]})";
  EXPECT_EQ(reason(deliver("workflow_run", by("our[bot]", "o/n"), kConfig)),
            "(queued) Queued cicd-agent for github:o/n@abc: the run ended with 'failure'")
      << "an agent's own pull request";
  EXPECT_EQ(reason(deliver("workflow_run", by("our[bot]", "x/n"), kConfig)), "the run is of a fork");
  EXPECT_THAT(reason(deliver("workflow_run", by("noise[bot]", "o/n"), kConfig)), HasSubstr("ignore_senders"));
}

TEST_F(GithubWebhookTest, PullRequestsAreReviewedWhenThereIsAnAgentForIt) {
  const std::string opened = replaced(payload("pull-request-opened.json"), "\"state\": \"open\"",
                                      "\"state\": \"open\", \"author_association\": \"MEMBER\"");
  EXPECT_EQ(agent(deliver("pull_request", opened, R"({"review_agent": "code-review-agent"})")),
            "code-review-agent");
  EXPECT_EQ(deliver("pull_request", opened).status, Status::Ignored);
  EXPECT_EQ(deliver("pull_request", replaced(opened, "MEMBER", "NONE"), R"({"review_agent": "r"})").status,
            Status::Ignored);
  EXPECT_EQ(deliver("pull_request", replaced(opened, "\"opened\"", "\"closed\""), R"({"review_agent": "r"})")
                .status,
            Status::Ignored);
}

// ---- header and body

TEST_F(GithubWebhookTest, AHeaderThatContradictsTheBodyIsNotBelieved) {
  struct Case {
    const char* event;
    std::string file;
  };
  for (const Case& mixed : {Case{"issues", kComment}, Case{"issue_comment", kLabeled}, Case{"push", kLabeled},
                            Case{"pull_request", "pull-request-review-submitted-approved.json"},
                            Case{"issues", "ping.json"}, Case{"ping", kLabeled},
                            Case{"installation", kLabeled}, Case{"issues", "installation-deleted.json"}}) {
    const Outcome outcome = deliver(mixed.event, payload(mixed.file));
    EXPECT_THAT(reason(outcome), HasSubstr("the body is that of another event"))
        << mixed.event << " " << mixed.file;
  }
}

TEST_F(GithubWebhookTest, AnswersAPingAndIgnoresEventsItDoesNotHandle) {
  EXPECT_EQ(reason(deliver("ping", payload("ping.json"))), "pong: deliveries of hook 20081052 arrive");
  EXPECT_EQ(reason(deliver("star", "{}")), "events star are not handled");
}

TEST_F(GithubWebhookTest, TheEventHeaderMustBeThereOnce) {
  RequestBuilder none(payload(kLabeled));
  EXPECT_EQ(deliver(none).status, Status::InvalidInput);
  RequestBuilder twice(payload(kLabeled));
  twice.header("X-GitHub-Event", "issues").header("X-GitHub-Event", "push");
  EXPECT_EQ(deliver(twice).status, Status::InvalidInput);
}

// ---- form bodies

TEST_F(GithubWebhookTest, TakesTheSameFromAFormAsFromJson) {
  RequestBuilder form(payload("derived-issues-labeled-ai-fix.form.txt"));
  form.header("content-type", "Application/X-WWW-Form-Urlencoded; charset=utf-8")
      .header("X-GitHub-Event", "issues");
  EXPECT_EQ(deliver(form).output, deliver("issues", payload(kLabeled)).output);
  RequestBuilder without("other=1");
  without.header("Content-Type", "application/x-www-form-urlencoded").header("X-GitHub-Event", "issues");
  EXPECT_THAT(reason(deliver(without)), HasSubstr("no field 'payload'"));
}

// ---- malformed bodies

TEST_F(GithubWebhookTest, MalformedBodiesAreInvalidInputWithASentence) {
  struct Case {
    std::string body;
    const char* says;
  };
  const std::string deep = std::string(70, '[') + std::string(70, ']');
  const std::string rest = R"(, "sender": {"login": "a"}})";
  for (const Case& bad : {
           Case{"", "JSON, byte 0"},
           Case{"[]", "not a JSON object"},
           Case{"{}", "not that of an event issues"},
           Case{"{\"issue\": ", "JSON, byte"},
           Case{R"({"issue": {"number": 1}})", "repository"},
           Case{R"({"issue": {"number": 1}, "repository": null)" + rest, "repository"},
           Case{R"({"issue": {"number": 1}, "repository": {"full_name": 7})" + rest, "repository.full_name"},
           Case{R"({"issue": {"number": 1}, "repository": {"full_name": "a"})" + rest, "owner/name"},
           Case{R"({"issue": {"number": 1}, "repository": {"full_name": "a/../b"})" + rest, "owner/name"},
           Case{R"({"issue": {"number": 1}, "repository": {"full_name": "a/.."})" + rest, "owner/name"},
           Case{R"({"issue": {"number": 1}, "repository": {"full_name": "a/b\u0000c"})" + rest, "owner/name"},
           Case{R"({"issue": {}, "repository": {"full_name": "a/b"})" + rest, "issue.number"},
           Case{R"({"issue": {"number": 0}, "repository": {"full_name": "a/b"})" + rest, "number is below 1"},
           Case{R"({"issue": {"number": -7}, "repository": {"full_name": "a/b"})" + rest,
                "number is below 1"},
           Case{R"({"issue": {"number": "1"}, "repository": {"full_name": "a/b"})" + rest, "issue.number"},
           Case{R"({"issue": {"number": 1.5}, "repository": {"full_name": "a/b"})" + rest, "issue.number"},
           Case{
               R"({"issue": {"number": 100000000000000000000000000001}, "repository": {"full_name": "a/b"})" +
                   rest,
               "issue.number"},
           Case{R"({"issue": 5, "repository": {"full_name": "a/b"})" + rest, "no object 'issue'"},
           Case{R"({"issue": )" + deep + "}", "nested deeper"},
           Case{"{\"issue\": \"\xff\"}", "not UTF-8"},
       }) {
    const Outcome outcome = deliver("issues", bad.body);
    EXPECT_EQ(outcome.status, Status::InvalidInput) << bad.body << " " << reason(outcome);
    EXPECT_THAT(outcome.error, HasSubstr(bad.says)) << bad.body;
  }
}

TEST_F(GithubWebhookTest, LongTextsAreCutBetweenCharacters) {
  std::string flood = "Sentry Issue: X-1 ";
  while (flood.size() < 300'000) flood += "\xF0\x9F\xA6\x8A";
  const Outcome outcome = deliver("issues", replaced(opened(), "It looks like", flood));
  ASSERT_EQ(outcome.status, Status::Ok) << reason(outcome);
  EXPECT_LT(outcome.output.size(), 140'000u);
  const Json answer = Json::parse(outcome.output);
  const davit::JsonView issue = answer.at_pointer("/tasks/0/payload/issue");
  EXPECT_TRUE(issue["cut"].bool_or(false));
  EXPECT_LE(issue["body"].string_or("").size(), 64u * 1024);
  EXPECT_GT(issue["body"].string_or("").size(), 64u * 1024 - 4);
}

TEST_F(GithubWebhookTest, FindsLinksInProseMarkdownAndHtml) {
  const auto links = [&](const std::string& text) {
    const Json answer = Json::parse(
        deliver("issues", replaced(payload(kLabeled), "This is some random Issue description", text)).output);
    std::string all;
    for (davit::JsonView link : answer["links"]) {
      all += std::string(link["rel"].string_or("")) + " " + std::string(link["key"].string_or("")) + ";";
    }
    return all;
  };
  EXPECT_EQ(links("see https://github.com/o/n/pull/12."), "pull_request github:o/n#12;");
  EXPECT_EQ(links("[x](https://github.com/o/n/issues/7#issuecomment-1) <https://github.com/o/n/issues/7>"),
            "issue github:o/n#7;");
  EXPECT_EQ(links("https://github.com/O/N/issues/7 https://WWW.GitHub.com/o/n/issues/7/"),
            "issue github:o/n#7;")
      << "one repository, whatever the case of its name, under both addresses";
  EXPECT_EQ(links("https://evil.example/github.com/o/n/pull/1 https://github.com.evil.example/o/n/pull/1"),
            "");
  EXPECT_EQ(links("https://github.com/o/n/pull/x https://github.com/o https://github.com/ https:// ://"), "");
  EXPECT_EQ(links("Sentry Issue: BACKEND-4Z. More"), "sentry_issue BACKEND-4Z;");
  EXPECT_EQ(links("Sentry Issue: https://acme.sentry.io/issues/123/?project=1"),
            "sentry_issue sentry:acme/123;");
  EXPECT_EQ(links("https://sentry.io/organizations/acme/issues/99/"), "sentry_issue sentry:acme/99;");
  EXPECT_EQ(links("https://notsentry.io/issues/99/ Sentry Issue: Sentry Issue:["), "sentry_issue Sentry;");
}

TEST_F(GithubWebhookTest, OfATextFullOfAddressesOnlySoManyAreLookedAt) {
  const auto links_behind = [&](int addresses) {
    std::string text;
    for (int i = 0; i < addresses; ++i) text += "http://";
    text += " https://acme.sentry.io/issues/12/";
    const Json answer = Json::parse(
        deliver("issues", replaced(payload(kLabeled), "This is some random Issue description", text)).output);
    return answer["links"].size();
  };
  EXPECT_EQ(links_behind(999), 1u);
  EXPECT_EQ(links_behind(1'000), 0u);
}

TEST_F(GithubWebhookTest, ALongAddressIsCutBetweenCharacters) {
  std::string address = "https://acme.sentry.io/issues/12/xx";
  while (address.size() < 4096) address += "\u00e9";
  const Json answer = Json::parse(
      deliver("issues", replaced(payload(kLabeled), "This is some random Issue description", address))
          .output);
  const std::string_view url = answer.at_pointer("/links/0/url").string_or("");
  EXPECT_EQ(url.size(), 2047u);
  EXPECT_EQ(url, address.substr(0, 2047));
}

TEST_F(GithubWebhookTest, AnAddressEndsAtAControlCharacterSinceTheHostRefusesOnesThatHoldAny) {
  const Json answer = Json::parse(
      deliver("issues",
              replaced(payload(kLabeled), "This is some random Issue description",
                       R"(https://acme.sentry.io/issues/12/\u0001 https://a.sentry.io/issues/3\u007f)"))
          .output);
  EXPECT_EQ(answer.at_pointer("/links/0/url"), "https://acme.sentry.io/issues/12/");
  EXPECT_EQ(answer.at_pointer("/links/1/url"), "https://a.sentry.io/issues/3");
}

// ---- hostile bytes, many threads

TEST_F(GithubWebhookTest, SurvivesAnyChangeOfAnyByte) {
  WebhookDriver webhook(testdata::plugin("github").webhooks(), 0, host_);
  std::mt19937 random(20240607);
  const Json index = Json::parse(payload("index.json"));
  int understood = 0;
  for (davit::JsonView row : index) {
    const std::string original = payload(std::string(row["file"].string_or("")));
    for (int round = 0; round < 300; ++round) {
      RequestBuilder request(mutants::damaged(original, random));
      request.header("X-GitHub-Event", std::string(row["event"].string_or("")));
      const Outcome outcome = webhook.deliver(request);
      understood += outcome.status == Status::Ok;
      ASSERT_TRUE(outcome.status == Status::Ok || outcome.status == Status::Ignored ||
                  outcome.status == Status::InvalidInput)
          << static_cast<int>(outcome.status) << " " << outcome.error;
      ASSERT_FALSE(reason(outcome).empty());
    }
  }
  EXPECT_GT(understood, 0) << "no mutant got through to handle()";
}

TEST_F(GithubWebhookTest, AnswersTheSameToManyThreadsAtOnce) {
  FakeHost host;
  WebhookDriver webhook(testdata::plugin("github").webhooks(), 0, host);
  const std::string expected = deliver("issues", payload(kLabeled)).output;
  std::vector<std::jthread> threads;
  std::atomic<int> wrong = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        RequestBuilder request(payload(kLabeled));
        request.header("X-GitHub-Event", "issues");
        if (webhook.deliver(request).output != expected) ++wrong;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
