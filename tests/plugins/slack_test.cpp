// The slack webhook's rules, on real payloads changed in one place, and on bodies nobody sends on purpose.
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

const std::string kPayloads = DAVIT_SOURCE_DIR "/plugins/webhooks/slack/testdata/payloads/";
const std::string kMention = "app-mention.json";
const std::string kCommand = "derived-slash-command-ours.form.txt";
const std::string kClick = "derived-block-actions-approve.form.txt";
const std::string kAnybody = R"({"command_users": ["*"]})";

std::string payload(const std::string& name) { return testdata::read_file(kPayloads + name); }

class SlackWebhookTest : public testing::Test {
 protected:
  Outcome deliver(const std::string& body, const std::string& config = "{}") {
    host_.config = config;
    RequestBuilder request(body);
    const bool form = !body.starts_with('{') && !body.starts_with('[');
    request.header("Content-Type",
                   form ? "application/x-www-form-urlencoded" : "application/json; charset=utf-8");
    return WebhookDriver(testdata::plugin("slack").webhooks(), 0, host_).deliver(request);
  }
  // The answer's message, or the reason for which there is none.
  std::string said(const std::string& body, const std::string& config = "{}") {
    const Outcome outcome = deliver(body, config);
    if (outcome.status != Status::Ok)
      return outcome.status == Status::Ignored ? outcome.output : "error: " + outcome.error;
    const Json answer = Json::parse(outcome.output);
    return "(" + std::string(answer.at_pointer("/response/status").string_or("?")) + ") " +
           std::string(answer.at_pointer("/response/message").string_or(""));
  }
  std::string mention(const std::string& text, const std::string& config = "{}") {
    return said(replaced(payload(kMention), "\"text\":\"<@U123> test\"", "\"text\":\"" + text + "\""),
                config);
  }
  std::string command(const std::string& text, const std::string& config = "{}") {
    return said(replaced(payload(kCommand), "look+at+https%3A%2F%2Facme.sentry.io%2Fissues%2F12%2F", text),
                config);
  }

  FakeHost host_;
};

TEST_F(SlackWebhookTest, DeclaresTheSignedTimeStampAndItsWindow) {
  const Json metadata = Json::parse(metadata_of(testdata::plugin("slack").webhooks(), 0, host_).output);
  const JsonView signature = metadata["signature"];
  EXPECT_EQ(signature["signed"], "v0:{timestamp}:{body}");
  EXPECT_EQ(signature["timestamp_header"], "X-Slack-Request-Timestamp");
  EXPECT_EQ(signature["tolerance_seconds"].int_or(0), 300);
  EXPECT_FALSE(metadata["answers_unverified"].bool_or(false)) << "the handshake is signed, too";
}

TEST_F(SlackWebhookTest, DoesWithEveryRealPayloadWhatItsIndexExpects) {
  const Json index = Json::parse(payload("index.json"));
  ASSERT_GE(index.size(), 15u);
  for (JsonView row : index) {
    const std::string file(row["file"].string_or(""));
    // Interactions come as forms; their JSON stands in the index for reading.
    if (file.ends_with(".json") && row["headers"]["Content-Type"] != "application/json") continue;
    const Outcome outcome = deliver(payload(file));
    ASSERT_TRUE(outcome.status == Status::Ok || outcome.status == Status::Ignored) << file << outcome.error;
    std::string status = "ignored";
    if (outcome.status == Status::Ok) {
      const Json answer = Json::parse(outcome.output);
      status = answer.at_pointer("/response/status").string_or("");
    }
    EXPECT_EQ(status, row["expect"].string_or("")) << file << ": " << said(payload(file));
  }
}

// ---- events

TEST_F(SlackWebhookTest, AMentionStartsTheAgentWithWhatStandsBehindIt) {
  EXPECT_EQ(mention("<@U123> look &lt;here&gt; &amp; there"),
            "(queued) Queued planning-agent for slack:T123/C123/1583636399.000700: it was asked for");
  const Json answer =
      Json::parse(deliver(replaced(payload(kMention), "<@U123> test",
                                   "<@U123> see <https://acme.sentry.io/issues/12/|x>\\nmore"))
                      .output);
  const JsonView task = answer.at_pointer("/tasks/0");
  EXPECT_EQ(task["title"], "see <https://acme.sentry.io/issues/12/|x>");
  EXPECT_EQ(task["task_type"], "request");
  EXPECT_EQ(task["payload"]["request"], "see <https://acme.sentry.io/issues/12/|x>\nmore");
  EXPECT_EQ(task["payload"]["channel"], "C123");
  EXPECT_EQ(answer.at_pointer("/links/0/key"), "sentry:acme/12");
  EXPECT_EQ(answer.at_pointer("/actor/id"), "U234");
  EXPECT_EQ(mention("<@U123>  "), "nothing is asked for");
  EXPECT_EQ(mention("<@U123> x", R"({"mentions": false})"), "mentions is not set");
}

TEST_F(SlackWebhookTest, AThreadIsOneEntity) {
  const std::string body = replaced(payload(kMention), "\"ts\":", "\"thread_ts\":\"1.2\",\"ts\":");
  EXPECT_THAT(said(body), HasSubstr("slack:T123/C123/1.2:"));
}

TEST_F(SlackWebhookTest, BotsNeverStartAnythingWhoeverTheyAre) {
  for (const char* mark : {R"("bot_id":"B1",)", R"("subtype":"bot_message",)", R"("bot_profile":{},)"}) {
    const std::string body =
        replaced(payload(kMention), "\"client_msg_id\"", mark + std::string("\"client_msg_id\""));
    EXPECT_EQ(said(body, R"({"users": ["U234"]})"), "it was written by a bot") << mark;
  }
  EXPECT_EQ(said(payload(kMention), R"({"ignore_users": ["U234"]})"), "user U234 is in ignore_users");
}

TEST_F(SlackWebhookTest, OtherMessagesStartNothing) {
  const std::string message =
      replaced(payload(kMention), "\"app_mention\"", "\"message\",\"channel_type\":\"channel\"");
  EXPECT_THAT(said(message), HasSubstr("messages in channels start no work"));
  const std::string direct = replaced(message, "\"channel\",", "\"im\",");
  EXPECT_EQ(said(direct), "direct_messages is not set");
  EXPECT_THAT(said(direct, R"({"direct_messages": true})"), StartsWith("(queued)"));
  const auto of_kind = [](const std::string& subtype) {
    return replaced(payload(kMention), "\"client_msg_id\"",
                    "\"subtype\":\"" + subtype + "\",\"client_msg_id\"");
  };
  EXPECT_EQ(said(of_kind("message_changed")), "messages message_changed start no work");
  EXPECT_THAT(said(of_kind("file_share")), StartsWith("(queued)")) << "a person's, with a file";
  EXPECT_EQ(said(payload("tokens-revoked.json")), "events tokens_revoked start no work");
}

TEST_F(SlackWebhookTest, TeamsChannelsAndUsersAreGatesAndOtherWorkspacesAreKeptOut) {
  EXPECT_THAT(said(payload(kMention), R"({"teams": ["T123"], "channels": ["C123"], "users": ["U234"]})"),
              StartsWith("(queued)"));
  EXPECT_EQ(said(payload(kMention), R"({"teams": ["T1"]})"), "team T123 is not in teams");
  EXPECT_EQ(said(payload(kMention), R"({"channels": ["C1"]})"), "channel C123 is not in channels");
  EXPECT_EQ(said(payload(kMention), R"({"users": ["U1"]})"), "user U234 is not in users");
  const std::string external =
      replaced(payload(kMention), "\"client_msg_id\"", "\"user_team\":\"T9\",\"client_msg_id\"");
  EXPECT_THAT(said(external), HasSubstr("is of another workspace"));
  EXPECT_THAT(said(external, R"({"allow_external": true})"), StartsWith("(queued)"));
}

TEST_F(SlackWebhookTest, ARepeatedEventHasTheSameIdWhateverItsRetryHeadersSay) {
  host_.config = "{}";
  RequestBuilder request(payload(kMention));
  request.header("X-Slack-Retry-Num", "1").header("X-Slack-Retry-Reason", "http_timeout");
  const Outcome parsed = WebhookDriver(testdata::plugin("slack").webhooks(), 0, host_).parse_payload(request);
  const Json event = Json::parse(parsed.output);
  EXPECT_EQ(event["delivery_id"], "mention:T123/C123/1583636399.000700");
}

TEST_F(SlackWebhookTest, AnEditOfAMentionHasItsIdAndAnotherMessageHasNot) {
  const auto id_of = [&](const std::string& body) {
    RequestBuilder request(body);
    request.header("Content-Type", "application/json");
    const Outcome parsed =
        WebhookDriver(testdata::plugin("slack").webhooks(), 0, host_).parse_payload(request);
    const Json event = Json::parse(parsed.output);
    return std::string(event["delivery_id"].string_or(""));
  };
  host_.config = "{}";
  const std::string first = payload(kMention);
  const std::string edited = replaced(replaced(first, "EvV1KV8BM3", "Ev2"), "\"client_msg_id\"",
                                      R"("edited":{"user":"U234","ts":"1583636400.000000"},"client_msg_id")");
  EXPECT_EQ(id_of(edited), id_of(first));
  EXPECT_NE(id_of(replaced(first, "1583636399.000700", "1583636399.000701")), id_of(first));
  EXPECT_EQ(id_of(replaced(first, "\"app_mention\"", "\"message\"")), "event:EvV1KV8BM3")
      << "the same message is an event of its own where all messages are";
}

TEST_F(SlackWebhookTest, WhatThisAppWroteAsAPersonStartsNothing) {
  const auto by_app = [&](const std::string& app) {
    return replaced(payload(kMention), "\"client_msg_id\"", "\"app_id\":\"" + app + "\",\"client_msg_id\"");
  };
  const Json body = Json::parse(payload(kMention));
  const std::string own(body["api_app_id"].string_or(""));
  ASSERT_FALSE(own.empty());
  EXPECT_EQ(said(by_app(own)), "it was written by a bot");
  EXPECT_THAT(said(by_app("A-other")), StartsWith("(queued)"));
}

TEST_F(SlackWebhookTest, ASlashCommandWithoutItsTriggerIsNone) {
  for (const char* trigger : {"trigger_id=", "other="}) {
    const Outcome outcome =
        deliver(replaced(payload(kCommand), "trigger_id=13345224609.738474920.8088930838d88f008e0", trigger));
    EXPECT_EQ(outcome.status, Status::InvalidInput);
    EXPECT_THAT(outcome.error, HasSubstr("trigger_id"));
  }
}

// ---- commands and buttons

TEST_F(SlackWebhookTest, ASlashCommandIsAnsweredToItsAuthorWith200) {
  const Json answer = Json::parse(deliver(payload(kCommand)).output);
  EXPECT_EQ(answer.at_pointer("/response/http/status").int_or(0), 200);
  const Json shown = Json::parse(answer.at_pointer("/response/http/body").string_or(""));
  EXPECT_EQ(shown["response_type"], "ephemeral");
  EXPECT_THAT(std::string(shown["text"].string_or("")), StartsWith("Queued planning-agent for slack:T0001/"));
  EXPECT_FALSE(answer.at_pointer("/tasks/0/payload").has("response_url")) << "an agent could write there";
  EXPECT_EQ(answer["reply"].dump(),
            R"({"url":"https://hooks.slack.com/example/response-url","body":{"response_type":"ephemeral",)"
            R"("replace_original":false,"text":"{text}"},"posts":5,"seconds":1800,"escape":"entities"})");
  EXPECT_EQ(answer.at_pointer("/links/0/key"), "sentry:acme/12");
  const Json other = Json::parse(deliver(payload("slash-command.form.txt")).output);
  EXPECT_EQ(other.at_pointer("/response/status"), "ignored");
  EXPECT_THAT(std::string(other.at_pointer("/response/http/body").string_or("")),
              HasSubstr("Command '/weather' is none of ours."));
  EXPECT_FALSE(other.has("reply")) << "nothing comes of it";
}

TEST_F(SlackWebhookTest, WhatIsNoAddressAsksForNoReply) {
  for (const char* instead : {"%28removed+0123456789abcdef%29", "", "javascript%3A1"}) {
    const std::string body =
        replaced(payload(kCommand), "https%3A%2F%2Fhooks.slack.com%2Fexample%2Fresponse-url", instead);
    const Json answer = Json::parse(deliver(body).output);
    EXPECT_EQ(answer["tasks"].size(), 1u);
    EXPECT_FALSE(answer.has("reply")) << instead;
  }
}

TEST_F(SlackWebhookTest, ItsSecretsAreDeclared) {
  const Json metadata = Json::parse(metadata_of(testdata::plugin("slack").webhooks(), 0, host_).output);
  EXPECT_EQ(metadata["secret_fields"].dump(), R"(["response_url","token"])");
  EXPECT_TRUE(metadata["answers_get"].bool_or(false)) << "of the check of its certificate";
}

TEST_F(SlackWebhookTest, VerbsActOnTheThreadOrOnTheTaskThatIsNamed) {
  const Json in_thread = Json::parse(
      deliver(replaced(payload(kMention), "<@U123> test", "<@U123> approve fine"), kAnybody).output);
  EXPECT_EQ(
      in_thread["actions"].dump(),
      R"([{"entity":"slack:T123/C123/1583636399.000700","comment":"fine","via":"message","action":"approve"}])");
  const Json named =
      Json::parse(deliver(replaced(payload(kCommand), "look+at+https%3A%2F%2Facme.sentry.io%2Fissues%2F12%2F",
                                   "cancel+task-1+too+late"),
                          kAnybody)
                      .output);
  EXPECT_EQ(named["actions"].dump(),
            R"([{"task_id":"task-1","comment":"too late","via":"command","action":"cancel"}])");
  EXPECT_THAT(command("retry", kAnybody), HasSubstr("names no task"));
  EXPECT_THAT(command("approve+task-1"), HasSubstr("is not in command_users"));
  EXPECT_THAT(mention("<@U123> run cicd-agent now", kAnybody), HasSubstr("names no agent of run_agents"));
  EXPECT_THAT(
      mention("<@U123> run cicd-agent now", R"({"command_users": ["U234"], "run_agents": ["cicd-agent"]})"),
      HasSubstr("Queued cicd-agent"));
  EXPECT_THAT(mention("<@U123> run planning-agent"), HasSubstr("is not in command_users"));
}

TEST_F(SlackWebhookTest, AnApprovalMayNameTheHashOfWhatItApproves) {
  const Json in_thread = Json::parse(
      deliver(replaced(payload(kMention), "<@U123> test", "<@U123> approve 0123456789ab fine"), kAnybody)
          .output);
  EXPECT_EQ(in_thread.at_pointer("/actions/0/content_hash"), "0123456789ab");
  EXPECT_EQ(in_thread.at_pointer("/actions/0/comment"), "fine");
  const Json named =
      Json::parse(deliver(replaced(payload(kCommand), "look+at+https%3A%2F%2Facme.sentry.io%2Fissues%2F12%2F",
                                   "approve+task-1+0123456789ab"),
                          kAnybody)
                      .output);
  EXPECT_EQ(named["actions"].dump(),
            R"([{"task_id":"task-1","content_hash":"0123456789ab","via":"command","action":"approve"}])");
}

TEST_F(SlackWebhookTest, OurButtonsActAndOthersDoNot) {
  const Json answer = Json::parse(deliver(payload(kClick), R"({"command_users": ["UA8RXUSPL"]})").output);
  EXPECT_EQ(answer["actions"].dump(),
            R"([{"entity":"jira:acme.atlassian.net/TES-41","via":"button","action":"approve"}])");
  EXPECT_EQ(answer.at_pointer("/response/http/body"), "");
  EXPECT_EQ(answer.at_pointer("/reply/url"), "https://hooks.slack.com/example/response-url");
  const Json hashed =
      Json::parse(deliver(replaced(payload(kClick), "TES-41", "TES-41%230123456789ab"), kAnybody).output);
  EXPECT_EQ(hashed.at_pointer("/actions/0/entity"), "jira:acme.atlassian.net/TES-41");
  EXPECT_EQ(hashed.at_pointer("/actions/0/content_hash"), "0123456789ab");
  const Json issue = Json::parse(deliver(replaced(payload(kClick), "TES-41", "r%2312"), kAnybody).output);
  EXPECT_EQ(issue.at_pointer("/actions/0/entity"), "jira:acme.atlassian.net/r#12") << "no hash is that short";
  EXPECT_THAT(said(payload(kClick)), HasSubstr("is not in command_users"));
  EXPECT_THAT(said(payload("block-actions-message-buttons.form.txt"), kAnybody),
              HasSubstr("is none of ours"));
  EXPECT_THAT(said(payload(kClick), R"({"command_users": ["*"], "button_prefix": "dav"})"),
              HasSubstr("does nothing"));
}

// ---- handshake

TEST_F(SlackWebhookTest, AnswersTheChallengeAndTheCertificateCheck) {
  const Json challenged = Json::parse(deliver(payload("url-verification.json")).output);
  EXPECT_EQ(
      challenged.at_pointer("/response/http").dump(),
      R"({"status":200,"content_type":"text/plain","body":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"})");
  const Json checked = Json::parse(deliver("ssl_check=1&token=x").output);
  EXPECT_EQ(checked.at_pointer("/response/http/status").int_or(0), 200);
  EXPECT_EQ(checked["tasks"].size(), 0u);
}

TEST_F(SlackWebhookTest, ATargetThatCannotBeOneIsAnsweredAtOnceAndNotTriedAgain) {
  for (const std::string& target : {std::string(65, 'x'), "a:" + std::string(255, 'x'), std::string("a%01b")})
    EXPECT_EQ(command("approve+" + target, kAnybody), "(ignored) 'approve' names no task: say its id");
  EXPECT_THAT(
      said(replaced(payload(kClick), "jira%3Aacme.atlassian.net%2FTES-41", std::string(300, 'x')), kAnybody),
      HasSubstr("names no task"));
  EXPECT_THAT(command("approve+" + std::string(64, 'x'), kAnybody), StartsWith("(queued)"));
}

TEST_F(SlackWebhookTest, ANameIsOneLine) {
  const std::string body = replaced(payload(kCommand), "user_name=Steve", "user_name=A%01B%0A");
  const Json answer = Json::parse(deliver(body).output);
  EXPECT_EQ(answer.at_pointer("/actor/login"), "A B ");
}

// ---- malformed bodies

TEST_F(SlackWebhookTest, MalformedBodiesAreInvalidInputThatNamesTheMember) {
  struct Case {
    std::string body;
    const char* says;
  };
  for (const Case& bad : {
           Case{"[]", "not a JSON object"},
           Case{"{}", "type"},
           Case{R"({"type": "url_verification"})", "challenge"},
           Case{R"({"type": "url_verification", "challenge": ""})", "challenge"},
           Case{R"({"type": "event_callback"})", "event is missing"},
           Case{R"({"type": "event_callback", "event": {}})", "event.type"},
           Case{replaced(payload(kMention), "\"text\":\"<@U123> test\"", "\"text\":[]"), "event.text"},
           Case{replaced(payload(kMention), "\"event_id\":\"", "\"event_id\":{},\"x\":\""), "event_id"},
           Case{"{\"type\": \"\xff\"}", "not UTF-8"},
           Case{"a=1", "neither a field 'payload' nor a field 'command'"},
           Case{"", "neither a field"},
           Case{"payload=", "JSON, byte 0"},
           Case{"payload=7", "payload is not a JSON object"},
           Case{"payload=%7B%22type%22%3A%22block_actions%22%7D", "actions[0]"},
           Case{"payload=%7B%22type%22%3A%22block_actions%22%2C%22user%22%3A7%7D",
                "user is missing or not an object"},
           Case{"command=%2Fdavit&user_id=a+b", "user_id"},
           Case{"command=%2Fdavit&user_id=U1", "trigger_id"},
       }) {
    const Outcome outcome = deliver(bad.body);
    EXPECT_EQ(outcome.status, Status::InvalidInput) << bad.body.substr(0, 200);
    EXPECT_THAT(outcome.error, HasSubstr(bad.says)) << bad.body.substr(0, 200);
  }
}

// Whatever comes, it ends in one of these, with a sentence.
void expect_an_orderly_end(const Outcome& outcome) {
  ASSERT_TRUE(outcome.status == Status::Ok || outcome.status == Status::Ignored ||
              outcome.status == Status::InvalidInput)
      << static_cast<int>(outcome.status) << " " << outcome.error;
  ASSERT_FALSE(outcome.status == Status::InvalidInput ? outcome.error.empty() : outcome.output.empty());
}

std::string url_encoded(const std::string& text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string encoded;
  for (const unsigned char c : text) {
    encoded += '%';
    encoded += kDigits[c >> 4];
    encoded += kDigits[c & 15];
  }
  return encoded;
}

TEST_F(SlackWebhookTest, SurvivesWrongTypesEverywhereAndAnyChangeOfAnyByte) {
  std::mt19937 random(20240610);
  const Json index = Json::parse(payload("index.json"));
  for (JsonView row : index) {
    const std::string file(row["file"].string_or("")), original = payload(file);
    const bool form = row["headers"]["Content-Type"] != "application/json";
    const auto in_its_shape = [&](const std::string& json) {
      return form ? "payload=" + url_encoded(json) : json;
    };
    if (file.ends_with(".json"))
      mutants::for_each_wrong_type(original, [&](const std::string& body) {
        expect_an_orderly_end(deliver(in_its_shape(body), kAnybody));
      });
    for (int round = 0; round < 200; ++round) {
      const std::string body = mutants::damaged(original, random);
      expect_an_orderly_end(deliver(file.ends_with(".json") ? in_its_shape(body) : body, kAnybody));
    }
  }
}

}  // namespace
