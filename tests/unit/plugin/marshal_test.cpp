#include "host/plugin/marshal.h"

#include <gtest/gtest.h>

#include "host/base/json.h"

namespace davit::plugin {
namespace {

TEST(MarshalTest, AFullWebhookAnswerSurvivesTheTripThroughJson) {
  constexpr std::string_view kAnswer =
      R"({"response":{"status":"queued","message":"on it","details":{"n":1},"http":{"status":202,"content_type":"text/plain","body":"ok"}},
          "tasks":[{"agent":"planning-agent","task_type":"issue_fix","title":"Fix it","payload":{"x":[1,2]},"priority":-5,
                    "run_at":1700000000000,"entity":"github:o/r#1","group":"github:o/r","key":"k"}],
          "actions":[{"action":"approve","task_id":"t1","comment":"fine","content_hash":"abc"},{"action":"cancel","entity":"e","agent":"a"}],
          "actor":{"id":"1","login":"ada","role":"owner"},
          "entity":{"key":"github:o/r#1","type":"issue","title":"Broken","url":"https://example.org/1"},
          "links":[{"rel":"fixes","key":"sentry:A-1","url":"https://example.org/2"}],
          "reply":{"url":"https://example.org/3","body":{"text":"{text}"},"posts":3,"seconds":60,"escape":"entities"},
          "unknown":true})";
  auto answer = webhook_answer_from_json(kAnswer);
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ(answer->status, AnswerStatus::Queued);
  EXPECT_EQ(answer->details, R"({"n":1})");
  EXPECT_EQ(answer->http->status, 202);
  ASSERT_EQ(answer->tasks.size(), 1u);
  EXPECT_EQ(answer->tasks[0].payload, R"({"x":[1,2]})");
  EXPECT_EQ(answer->tasks[0].priority, -5);
  EXPECT_EQ(answer->tasks[0].group, "github:o/r");
  EXPECT_EQ(to_unix_ms(*answer->tasks[0].run_at), 1'700'000'000'000);
  ASSERT_EQ(answer->actions.size(), 2u);
  EXPECT_EQ(answer->actions[1].kind, TaskActionKind::Cancel);
  EXPECT_EQ(answer->actor->login, "ada");
  EXPECT_EQ(answer->entity->title, "Broken");
  EXPECT_EQ(answer->links[0].rel, "fixes");
  EXPECT_EQ(answer->reply->url, "https://example.org/3");
  EXPECT_EQ(answer->reply->body, R"({"text":"{text}"})");
  EXPECT_EQ(answer->reply->posts, 3);
  EXPECT_EQ(answer->reply->valid, Duration(60'000));
  EXPECT_TRUE(answer->reply->escape);

  std::string json = to_json(*answer);
  auto again = webhook_answer_from_json(json);
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(to_json(*again), json);
}

TEST(MarshalTest, AnAgentGetsOfAMemberThatIsThereTwiceTheFirstWhichIsWhatWasJudged) {
  std::string many = R"({"x":0)";
  for (int i = 0; i < 100; ++i) many += ",\"m" + std::to_string(i) + "\":[{}]";
  for (const auto& [payload, kept] :
       {std::pair<std::string, std::string>(R"({"a":1,"a":2})", R"({"a":1})"),
        {R"([{"a":{"b":"x","b":[1]}},{"a":null}])", R"([{"a":{"b":"x"}},{"a":null}])"},
        {R"({"a":1,"\u0061":2,"A":3})", R"({"a":1,"A":3})"},
        {many + R"(,"x":1,"m7":2})", many + "}"}}) {
    const auto answer = webhook_answer_from_json(R"({"tasks":[{"agent":"a","payload":)" + payload + "}]}");
    ASSERT_TRUE(answer.ok()) << answer.error().message;
    EXPECT_EQ(answer->tasks.at(0).payload, kept);
  }
}

TEST(MarshalTest, AReplyHasAnAddressAndABodyAndNothingThatIsHalfUnderstood) {
  const auto read = [](const std::string& reply) {
    return webhook_answer_from_json(R"({"reply":)" + reply + "}");
  };
  const auto plain = read(R"({"url":"https://x","body":{}})");
  ASSERT_TRUE(plain.ok()) << plain.error().message;
  EXPECT_EQ(plain->reply->posts, 5);
  EXPECT_EQ(plain->reply->valid, Duration(1'800'000));
  EXPECT_FALSE(plain->reply->escape);
  EXPECT_FALSE(read("null")->reply);
  for (const auto& [reply, member] : {std::pair("{}", "reply.url"),
                                      {R"({"url":""})", "reply.url"},
                                      {R"({"url":"https://x"})", "reply.body"},
                                      {R"({"url":"https://x","body":"{text}"})", "reply.body"},
                                      {R"({"url":"https://x","body":{},"posts":0})", "reply.posts"},
                                      {R"({"url":"https://x","body":{},"posts":21})", "reply.posts"},
                                      {R"({"url":"https://x","body":{},"seconds":0})", "reply.seconds"},
                                      {R"({"url":"https://x","body":{},"seconds":86401})", "reply.seconds"},
                                      {R"({"url":"https://x","body":{},"escape":"html"})", "reply.escape"},
                                      {"7", "reply"}}) {
    const auto bad = read(reply);
    ASSERT_FALSE(bad.ok()) << reply;
    EXPECT_NE(bad.error().message.find(member), std::string::npos) << bad.error().message;
  }
}

TEST(MarshalTest, AnEmptyAnswerMeansIgnored) {
  auto answer = webhook_answer_from_json("{}");
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->status, AnswerStatus::Ignored);
  EXPECT_EQ(webhook_answer_from_json(R"({"tasks":[{"agent":"a"}]})")->status, AnswerStatus::Queued);
}

TEST(MarshalTest, AWrongMemberOfAnAnswerIsNamed) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {R"([])", "answer"},
      {R"({"tasks":{}})", "tasks"},
      {R"({"tasks":[7]})", "tasks[0]"},
      {R"({"tasks":[{"title":"x"}]})", "tasks[0].agent"},
      {R"({"tasks":[{"agent":"Bad Name"}]})", "tasks[0].agent"},
      {R"({"tasks":[{"agent":"a"},{"agent":"a","priority":101}]})", "tasks[1].priority"},
      {R"({"tasks":[{"agent":"a","priority":1.5}]})", "tasks[0].priority"},
      {R"({"tasks":[{"agent":"a","run_at":"tomorrow"}]})", "tasks[0].run_at"},
      {R"({"tasks":[{"agent":"a","key":"a\nb"}]})", "tasks[0].key"},
      {R"({"tasks":[{"agent":"a","title":7}]})", "tasks[0].title"},
      {R"({"actions":[{"action":"explode","task_id":"t"}]})", "actions[0].action"},
      {R"({"actions":[{"action":"approve"}]})", "actions[0].task_id"},
      {R"({"response":7})", "response"},
      {R"({"response":{"status":"done"}})", "response.status"},
      {R"({"response":{"details":[]}})", "response.details"},
      {R"({"response":{"http":{"status":99}}})", "response.http.status"},
      {R"({"response":{"http":{"content_type":"a\r\nSet-Cookie: x"}}})", "response.http.content_type"},
      {R"({"entity":{"type":"issue"}})", "entity.key"},
      {R"({"actor":"ada"})", "actor"},
      {R"({"links":[{"url":7}]})", "links[0].url"},
  };
  for (const auto& [json, member] : cases) {
    auto answer = webhook_answer_from_json(json);
    ASSERT_FALSE(answer.ok()) << json;
    EXPECT_EQ(answer.error().code, ErrorCode::InvalidInput);
    EXPECT_NE(answer.error().message.find(member), std::string::npos)
        << json << " gave " << answer.error().message;
  }
}

TEST(MarshalTest, TooManyTasksAndTooLargePayloadsAreRefused) {
  std::string tasks = "{\"tasks\":[";
  for (int i = 0; i < 257; ++i) tasks += i ? ",{\"agent\":\"a\"}" : "{\"agent\":\"a\"}";
  EXPECT_FALSE(webhook_answer_from_json(tasks + "]}").ok());
  std::string large =
      "{\"tasks\":[{\"agent\":\"a\",\"payload\":\"" + std::string((1 << 20) + 1, 'x') + "\"}]}";
  EXPECT_FALSE(webhook_answer_from_json(large).ok());
}

TEST(MarshalTest, SentencesAreCutAtACharacterAndFreedOfControlBytes) {
  std::string message(4095, 'x');
  auto answer =
      webhook_answer_from_json("{\"response\":{\"message\":\"\\u001b[31m" + message + "\xC3\xA9\"}}");
  ASSERT_TRUE(answer.ok());
  EXPECT_LE(answer->message.size(), 4096u);
  EXPECT_EQ(answer->message.find('\x1b'), std::string::npos);
  EXPECT_TRUE(is_utf8(answer->message));
}

TEST(MarshalTest, AFullResultSurvivesTheTripThroughJson) {
  constexpr std::string_view kResult =
      R"({"success":true,"output":{"plan":["a"]},"usage":{"input_tokens":10,"output_tokens":2,"cache_read_tokens":3,
          "cache_write_tokens":4,"cost_usd":0.123457,"model":"big","models":{"big":{"input_tokens":10,"cost_usd":0.1}}},
          "metrics":{"files":3},"next_agent":"executor-agent","next_input":{"go":1},"wait_for_approval":true,
          "also":["github:o/r#12"],"tasks":[{"agent":"code-review-agent"}]})";
  auto result = agent_result_from_json(kResult);
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_EQ(result->usage.cost_micro_usd, 123'457);
  EXPECT_EQ(result->usage.models.at("big").cost_micro_usd, 100'000);
  EXPECT_EQ(result->next_input, R"({"go":1})");
  EXPECT_TRUE(result->wait_for_approval);
  EXPECT_EQ(result->also, std::vector<std::string>{"github:o/r#12"});
  std::string json = to_json(*result);
  auto again = agent_result_from_json(json);
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(to_json(*again), json);
}

TEST(MarshalTest, AFailureKeepsItsClassAndItsWait) {
  auto result = agent_result_from_json(
      R"({"success":false,"error":"quota","error_class":"rate_limited","retry_after_ms":1500})");
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->failure, FailureClass::RateLimited);
  EXPECT_EQ(result->retry_after, Duration(1500));
  EXPECT_EQ(agent_result_from_json(to_json(*result))->failure, FailureClass::RateLimited);
  EXPECT_EQ(agent_result_from_json(R"({"success":false})")->failure, FailureClass::Retryable);
  EXPECT_EQ(agent_result_from_json(R"({"success":true})")->failure, FailureClass::None);
}

TEST(MarshalTest, ThatAnApprovalDoesNotCountIsAClassOfItsOwn) {
  const auto result = agent_result_from_json(
      R"({"success":false,"error":"not by him","error_class":"permanent","approval_refused":true})");
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->failure, FailureClass::ApprovalRefused);
  EXPECT_EQ(result->error, "not by him");
  const std::string json = to_json(*result);
  EXPECT_NE(json.find(R"("error_class":"permanent")"), std::string::npos) << json;
  EXPECT_EQ(agent_result_from_json(json)->failure, FailureClass::ApprovalRefused);
  EXPECT_EQ(agent_result_from_json(R"({"success":false,"approval_refused":true})")->failure,
            FailureClass::ApprovalRefused);
  EXPECT_EQ(agent_result_from_json(R"({"success":false,"approval_refused":false})")->failure,
            FailureClass::Retryable);
  EXPECT_FALSE(agent_result_from_json(R"({"success":true,"approval_refused":true})").ok());
  EXPECT_FALSE(agent_result_from_json(R"({"success":false,"approval_refused":"yes"})").ok());
  EXPECT_FALSE(agent_result_from_json(R"({"success":false,"error_class":"approval_refused"})").ok());
}

TEST(MarshalTest, AResultCannotClaimWhatOnlyTheHostKnows) {
  EXPECT_FALSE(agent_result_from_json(R"({"success":false,"error_class":"interrupted"})").ok());
  EXPECT_FALSE(agent_result_from_json(R"({"success":false,"error_class":"crash"})").ok());
  EXPECT_FALSE(agent_result_from_json(R"({"success":false,"error_class":"none"})").ok());
}

TEST(MarshalTest, BrokenResultsAreRefused) {
  for (std::string_view json :
       {"", "null", "{}", R"({"success":1})", R"({"success":true,"metrics":7})",
        R"({"success":true,"next_agent":"../x"})", R"({"success":true,"usage":[]})",
        R"({"success":true,"usage":{"input_tokens":"7"}})", R"({"success":true} x)"}) {
    EXPECT_FALSE(agent_result_from_json(json).ok()) << json;
  }
}

TEST(MarshalTest, FurtherKeysAreFewShortAndNothingButText) {
  const auto result_with = [](const std::string& also) {
    return agent_result_from_json(R"({"success":true,"also":)" + also + "}");
  };
  EXPECT_TRUE(result_with("null")->also.empty());
  EXPECT_EQ(result_with(R"(["1","2","3","4","5","6","7","8"])")->also.size(), 8u);
  EXPECT_TRUE(result_with("[\"" + std::string(256, 'k') + "\"]").ok());
  for (const std::string& also :
       {std::string(R"("key")"), std::string("[1]"), std::string(R"([""])"), std::string(R"(["a\nb"])"),
        std::string(R"(["1","2","3","4","5","6","7","8","9"])"), "[\"" + std::string(257, 'k') + "\"]"})
    EXPECT_FALSE(result_with(also).ok()) << also;
}

TEST(MarshalTest, ImpossibleUsageIsMendedAndFlagged) {
  bool mended = false;
  auto usage = usage_from_json(R"({"input_tokens":-5,"output_tokens":7.9,"cost_usd":-0.5})", &mended);
  ASSERT_TRUE(usage.ok());
  EXPECT_TRUE(mended);
  EXPECT_EQ(usage->input_tokens, 0);
  EXPECT_EQ(usage->output_tokens, 7);
  EXPECT_EQ(usage->cost_micro_usd, 0);
  mended = false;
  EXPECT_EQ(usage_from_json(R"({"cost_usd":1e300})", &mended)->cost_micro_usd, 1'000'000'000'000);
  EXPECT_TRUE(mended);
  EXPECT_FALSE(usage_from_json(R"({"cost_usd":NaN})").ok());
  mended = false;
  ASSERT_TRUE(usage_from_json(R"({"cost_usd":0.25})", &mended).ok());
  EXPECT_FALSE(mended);
}

TEST(MarshalTest, WhatModelsAreCalledNeverLosesWhatTheyCost) {
  const std::string longest(128, 'm'), too_long(129, 'm');
  for (const std::string& name : {too_long, std::string("a\\u0007b"), std::string("a\\nb")}) {
    bool mended = false;
    auto result = agent_result_from_json(
        R"({"success":true,"usage":{"cost_usd":3,"input_tokens":7,"model":")" + name + R"(","models":{")" +
            name + R"(":{"cost_usd":2},")" + longest + R"(":{"cost_usd":1}}}})",
        &mended);
    ASSERT_TRUE(result.ok()) << name << ": " << result.error().message;
    EXPECT_TRUE(mended);
    EXPECT_EQ(result->usage.cost_micro_usd, 3'000'000);
    EXPECT_EQ(result->usage.input_tokens, 7);
    EXPECT_EQ(result->usage.model, "");
    ASSERT_EQ(result->usage.models.size(), 2u);
    EXPECT_EQ(result->usage.models.at("other").cost_micro_usd, 2'000'000);
    EXPECT_EQ(result->usage.models.at(longest).cost_micro_usd, 1'000'000);
  }
}

TEST(MarshalTest, ModelsBeyondTheLimitAreSummedUpOnce) {
  std::string json = R"({"cost_usd":100,"models":{)";
  for (int i = 0; i < 100; ++i)
    json += (i ? ",\"model-" : "\"model-") + std::to_string(i) + R"(":{"cost_usd":1})";
  const Usage usage = *usage_from_json(json + "}}");
  EXPECT_EQ(usage.models.size(), 65u);
  EXPECT_EQ(usage.models.at("other").cost_micro_usd, 36'000'000);
  const Usage again = *usage_from_json(to_json(usage));
  EXPECT_EQ(to_json(again), to_json(usage)) << "as it goes from the runner to the host";
  EXPECT_EQ(to_json(merged(usage, usage)), to_json(usage));
  const Usage more = merged(usage, *usage_from_json(R"({"models":{"new":{"cost_usd":40}}})"));
  EXPECT_EQ(more.models.size(), 65u);
  EXPECT_EQ(more.models.at("other").cost_micro_usd, 40'000'000);
}

TEST(MarshalTest, MergedUsageNeverShrinks) {
  Usage before = *usage_from_json(
      R"({"input_tokens":100,"cost_usd":0.5,"model":"m","models":{"m":{"input_tokens":100}}})");
  Usage now = *usage_from_json(R"({"input_tokens":10,"output_tokens":3,"models":{"n":{"output_tokens":3}}})");
  Usage sum = merged(before, now);
  EXPECT_EQ(sum.input_tokens, 100);
  EXPECT_EQ(sum.output_tokens, 3);
  EXPECT_EQ(sum.cost_micro_usd, 500'000);
  EXPECT_EQ(sum.model, "m");
  EXPECT_EQ(sum.models.size(), 2u);
}

TEST(MarshalTest, AnExactCostTakesThePlaceOfAnEstimateButNothingSaidDoesNot) {
  const Usage estimate = *usage_from_json(
      R"({"output_tokens":9,"cost_usd":1.5,"cost_is_estimate":true,"models":{"a":{"cost_usd":1},"b":{"cost_usd":0.5}}})");
  EXPECT_TRUE(usage_from_json(to_json(estimate))->cost_is_estimate)
      << "as it goes from the runner to the host";
  const Usage exact =
      *usage_from_json(R"({"output_tokens":3,"cost_usd":1.2,"models":{"a":{"cost_usd":1.2}}})");
  const Usage known = merged(estimate, exact);
  EXPECT_EQ(known.cost_micro_usd, 1'200'000);
  EXPECT_FALSE(known.cost_is_estimate);
  EXPECT_EQ(known.output_tokens, 9) << "tokens are counted, never estimated";
  EXPECT_EQ(known.models.at("a").cost_micro_usd, 1'200'000);
  EXPECT_EQ(known.models.at("b").cost_micro_usd, 0);
  const Usage silent = merged(estimate, *usage_from_json(R"({"output_tokens":12})"));
  EXPECT_EQ(silent.cost_micro_usd, 1'500'000);
  EXPECT_TRUE(silent.cost_is_estimate);
  const Usage lower = merged(exact, *usage_from_json(R"({"cost_usd":1.1,"cost_is_estimate":true})"));
  EXPECT_EQ(lower.cost_micro_usd, 1'200'000);
  EXPECT_FALSE(lower.cost_is_estimate);
  const Usage higher = merged(exact, estimate);
  EXPECT_EQ(higher.cost_micro_usd, 1'500'000);
  EXPECT_TRUE(higher.cost_is_estimate);
  EXPECT_FALSE(usage_from_json(R"({"cost_is_estimate":"yes"})").ok());
}

TEST(MarshalTest, AProbeReportSurvivesTheTripAndIsCheckedAgain) {
  ProbeReport report;
  report.offers.push_back(
      {PluginKind::Webhook, 0, "github", "1.0.0", R"({"name":"github","version":"1.0.0"})"});
  report.offers.push_back({PluginKind::Agent, 1, "github", "", R"({"name":"github"})"});
  auto again = probe_report_from_json(to_json(report));
  ASSERT_TRUE(again.ok()) << again.error().message;
  ASSERT_EQ(again->offers.size(), 2u);
  EXPECT_EQ(again->offers[0].version, "1.0.0");
  EXPECT_EQ(again->offers[1].index, 1u);
  EXPECT_EQ(again->offers[1].kind, PluginKind::Agent);

  report.offers[0].metadata = R"({"name":"../evil"})";
  EXPECT_FALSE(probe_report_from_json(to_json(report)).ok());
  EXPECT_FALSE(probe_report_from_json(R"({"abi_minor_needed":999,"offers":[]})").ok());
  EXPECT_FALSE(probe_report_from_json(R"({"offers":[{"kind":"daemon"}]})").ok());
}

TEST(MarshalTest, TheContextOfAnAgentHasEverythingTheAbiNames) {
  ClaimedTask task;
  task.task_id = "t";
  task.session_id = "s";
  task.agent = "planning-agent";
  task.title = "a \"quoted\" title";
  task.payload = R"({"x":1})";
  task.previous_result = "null";
  task.entity = "github:o/r#1";
  task.actor = Actor{"1", "ada", "owner"};
  task.links.push_back({"fixes", "k", "u"});
  task.attempt = 2;
  task.max_retries = 3;
  task.chain_depth = 4;
  task.approval = TaskDecision{from_unix_ms(6),  "approve", "github:bob",        "42",
                               "github comment", "ship it", std::string(64, 'c')};
  auto context = parse_json(agent_context_json(task, R"({"mode":"x"})", from_unix_ms(5),
                                               {"/tmp/w", "/var/agents", {"bubble", false}}));
  ASSERT_TRUE(context.ok()) << context.error().message;
  EXPECT_EQ(string_member(*context, "session_id"), "s");
  EXPECT_EQ(int_member(*context, "attempt"), 2);
  EXPECT_EQ(int_member(*context, "deadline_unix_ms"), 5);
  EXPECT_EQ(text_member(*context, "config"), R"({"mode":"x"})");
  EXPECT_TRUE(find_member(*context, "previous_result")->IsNull());
  const JsonValue& shown = *find_member(*context, "task");
  EXPECT_EQ(text_member(shown, "payload"), R"({"x":1})");
  EXPECT_EQ(string_member(*find_member(shown, "entity"), "key"), "github:o/r#1");
  EXPECT_EQ(string_member(*find_member(shown, "actor"), "login"), "ada");
  EXPECT_EQ(int_member(*context, "max_retries"), 3);
  EXPECT_EQ(int_member(*context, "chain_depth"), 4);
  EXPECT_EQ(string_member(*context, "workspace"), "/tmp/w");
  EXPECT_EQ(string_member(*context, "state_folder"), "/var/agents");
  EXPECT_EQ(text_member(*context, "sandbox"), R"({"command":"bubble","required":false})");
  EXPECT_EQ(text_member(*context, "approval"),
            R"({"by":"github:bob","actor_id":"42","way":"github comment","at":6,"content_hash":")" +
                std::string(64, 'c') + "\"}");
}

TEST(MarshalTest, AContextSaysThatNobodyHadToApproveAndWhereThereIsNoFolder) {
  auto context = parse_json(
      agent_context_json(ClaimedTask{.payload = "{}", .previous_result = "null"}, "{}", from_unix_ms(5), {}));
  ASSERT_TRUE(context.ok()) << context.error().message;
  EXPECT_TRUE(find_member(*context, "approval")->IsNull());
  EXPECT_EQ(string_member(*context, "state_folder"), "");
  EXPECT_EQ(text_member(*context, "sandbox"), R"({"command":"bwrap","required":true})");
}

}  // namespace
}  // namespace davit::plugin
