// The conventions that hold for all of the API, over the real program.
#include <gmock/gmock.h>
#include <signal.h>

#include <set>
#include <utility>

#include "tests/support/hot_host.h"

namespace davit::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class ApiTest : public ::testing::Test {
 protected:
  using Headers = std::vector<std::pair<std::string, std::string>>;

  void SetUp() override {
    host.install(kPlugins / "command_agent.so");
    host.configure("agents:\n  command-agent: {max_retries: 0, config: {command: [/bin/true]}" +
                   agent_options + "}\n");
    ASSERT_TRUE(host.start()) << host.log();
    // What is made stays as it is.
    ASSERT_EQ(
        host.api("POST", "/api/queue/pause", R"({"agent":"command-agent","reason":"for the test"})").status,
        200);
  }
  test::RawAnswer ask(const std::string& method, const std::string& target, Headers headers = {}) {
    headers.emplace_back("Authorization", "Bearer " + host.token());
    return host.request(method, target, "", headers);
  }
  std::string make(const std::string& members) {
    const auto made = host.api("POST", "/api/tasks", R"({"agent":"command-agent",)" + members + "}");
    EXPECT_EQ(made.status, 201) << made.body;
    return string_member(*parse_json(made.body), "task_id");
  }
  JsonDocument get(const std::string& target) {
    const auto answer = ask("GET", target);
    EXPECT_EQ(answer.status, 200) << target << answer.body;
    auto body = parse_json(answer.body);
    return body ? std::move(*body) : JsonDocument();
  }
  std::vector<std::string> titles(const std::string& query) {
    std::vector<std::string> found;
    const JsonDocument body = get("/api/dashboard/tasks?" + query);
    for (const JsonValue& task : body["tasks"].GetArray()) found.push_back(string_member(task, "title"));
    return found;
  }
  test::RawAnswer post(const std::string& target, const std::string& body, Headers headers = {}) {
    headers.emplace_back("Authorization", "Bearer " + host.token());
    return host.request("POST", target, body, headers);
  }
  JsonDocument preview(const std::string& members) {
    const auto answer = post("/api/tasks/bulk/preview", "{" + members + "}");
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.header("Cache-Control"), "no-store");
    auto body = parse_json(answer.body);
    return body ? std::move(*body) : JsonDocument();
  }
  static std::string token_body(const JsonValue& preview) {
    return R"({"token":")" + string_member(preview, "token") + R"("})";
  }
  std::string agent_options;
  RunningHost host;
};

class ApprovalsApiTest : public ApiTest {
 protected:
  ApprovalsApiTest() { agent_options = ", requires_approval: true"; }
};

TEST_F(ApiTest, WhoHasAnAnswerIsToldSoUntilItChanges) {
  const auto first = ask("GET", "/api/dashboard/tasks");
  ASSERT_EQ(first.status, 200);
  const std::string tag = first.header("ETag");
  ASSERT_THAT(tag, Not(IsEmpty()));
  EXPECT_EQ(first.header("Cache-Control"), "private, no-cache");
  const auto again = ask("GET", "/api/dashboard/tasks", {{"If-None-Match", tag}});
  EXPECT_EQ(again.status, 304);
  EXPECT_EQ(again.body, "");
  EXPECT_EQ(again.header("ETag"), tag);
  make(R"("title":"new")");
  EXPECT_EQ(ask("GET", "/api/dashboard/tasks", {{"If-None-Match", tag}}).status, 200);
  EXPECT_EQ(host.request("GET", "/api/dashboard/tasks", "", {{"If-None-Match", tag}}).status, 401)
      << "a tag is no token";
}

TEST_F(ApiTest, LargeAnswersArePackedForWhoTakesThat) {
  for (int i = 0; i < 5; ++i) make(R"("title":"one of several")");
  const auto plain = ask("GET", "/api/dashboard/tasks");
  const auto packed = ask("GET", "/api/dashboard/tasks", {{"Accept-Encoding", "br, gzip"}});
  EXPECT_EQ(plain.header("Content-Encoding"), "");
  EXPECT_EQ(packed.header("Content-Encoding"), "gzip");
  EXPECT_EQ(packed.header("Vary"), "Accept-Encoding");
  EXPECT_EQ(packed.body.substr(0, 2), "\x1f\x8b");
  EXPECT_LT(packed.body.size(), plain.body.size() / 2);
  EXPECT_NE(packed.header("ETag"), plain.header("ETag"));
  EXPECT_EQ(ask("GET", "/api/dashboard/webhooks", {{"Accept-Encoding", "gzip"}}).header("Content-Encoding"),
            "")
      << "a small one stays as it is";
  EXPECT_EQ(ask("GET", "/metrics", {{"Accept-Encoding", "gzip"}}).header("Content-Encoding"), "gzip");
}

TEST_F(ApiTest, HeadTellsWhatGetWould) {
  for (const char* target : {"/api/dashboard/tasks", "/api/dashboard/overview", "/api/dashboard/nothing",
                             "/api/dashboard/tasks?limit=0"}) {
    const auto get = ask("GET", target), head = ask("HEAD", target);
    EXPECT_EQ(head.status, get.status) << target;
    EXPECT_EQ(head.body, "") << target;
    EXPECT_EQ(head.header("ETag"), get.header("ETag")) << target;
    EXPECT_EQ(head.header("Content-Type"), get.header("Content-Type")) << target;
    if (get.status == 200) {
      EXPECT_EQ(head.header("Content-Length"), std::to_string(get.body.size())) << target;
    }
  }
}

TEST_F(ApiTest, AProblemNamesEachFieldAtFaultAndIsNotKept) {
  const auto answer =
      ask("GET", "/api/dashboard/tasks?limit=501&status=done&start_date=2026-01-01T00:00:00&x=1&q=a&q=b");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.header("Content-Type"), "application/problem+json");
  EXPECT_EQ(answer.header("Cache-Control"), "no-store");
  const auto problem = parse_json(answer.body);
  ASSERT_TRUE(problem.ok());
  EXPECT_EQ(string_member(*problem, "title"), "Bad Request");
  EXPECT_EQ(string_member(*problem, "request_id"), answer.header("X-Request-Id"));
  std::vector<std::string> fields;
  for (const JsonValue& error : (*problem)["errors"].GetArray()) {
    fields.push_back(string_member(error, "field"));
    EXPECT_THAT(string_member(error, "detail"), Not(IsEmpty()));
  }
  EXPECT_THAT(fields, ::testing::UnorderedElementsAre("limit", "status", "start_date", "x", "q"));
  EXPECT_EQ(ask("GET", "/api/dashboard/tasks/none").header("Cache-Control"), "no-store");
}

TEST_F(ApiTest, NoOtherSiteMayAsk) {
  for (const char* method : {"GET", "OPTIONS"}) {
    const auto answer =
        ask(method, "/api/dashboard/tasks",
            {{"Origin", "https://elsewhere.example"}, {"Access-Control-Request-Method", "POST"}});
    EXPECT_THAT(answer.head, Not(HasSubstr("Access-Control")));
    EXPECT_EQ(answer.status, std::string(method) == "GET" ? 200 : 405);
  }
}

TEST_F(ApiTest, TasksAreFoundByWordsAndSeveralStates) {
  make(R"("title":"The login page crashes","entity":"github:octo/repo#7")");
  const std::string gone = make(R"("title":"The logout page")");
  EXPECT_EQ(host.api("POST", "/api/tasks/" + gone + "/cancel").status, 200);
  make(R"("title":"Something else")");
  EXPECT_THAT(titles("q=PAGE%20log"), ::testing::ElementsAre("The logout page", "The login page crashes"));
  EXPECT_THAT(titles("q=page&status=queued"), ::testing::ElementsAre("The login page crashes"));
  EXPECT_THAT(titles("q=page&status=cancelled,queued&source=api&agent=command-agent"), ::testing::SizeIs(2));
  EXPECT_THAT(titles("status=cancelled&status=failed"), ::testing::ElementsAre("The logout page"));
  EXPECT_THAT(titles("q=octo/repo%237"), ::testing::ElementsAre("The login page crashes"));
  EXPECT_THAT(titles("q=%22%20OR%20%22"), IsEmpty());
  const auto too_long = ask("GET", "/api/dashboard/tasks?q=" + std::string(201, 'a'));
  EXPECT_EQ(too_long.status, 400);
  EXPECT_THAT(too_long.body,
              HasSubstr(R"("errors":[{"field":"q","detail":"must have at most 200 characters"}])"));
  EXPECT_EQ(ask("GET", "/api/dashboard/tasks?start_date=2026-01-02&end_date=2026-01-01").status, 400);
}

TEST_F(ApiTest, WhatWasShownIsActedOnOnceHoweverOftenItIsSent) {
  for (int i = 0; i < 120; ++i) make(R"("title":"one of many","key":")" + std::to_string(i) + "\"");
  const std::string other = make(R"("title":"another")");
  const JsonDocument shown = preview(R"("action":"cancel","filter":{"q":"many"})");
  EXPECT_EQ(int_member(shown, "count"), 120);
  EXPECT_FALSE(bool_member(shown, "more", true));
  EXPECT_EQ(int_member(shown["by_status"], "queued"), 120);
  EXPECT_EQ(shown["samples"].Size(), 10u);
  make(R"("title":"many, and later","key":"later")");

  const Headers key{{"Idempotency-Key", "\"one\""}};
  const auto done = post("/api/tasks/bulk", token_body(shown), key);
  ASSERT_EQ(done.status, 200) << done.body;
  const auto outcome = parse_json(done.body);
  EXPECT_EQ(int_member(*outcome, "done"), 120);
  EXPECT_EQ(int_member(*outcome, "refused"), 0);
  EXPECT_EQ((*outcome)["outcomes"].Size(), 120u);
  EXPECT_EQ(string_member((*outcome)["outcomes"][0], "status"), "cancelled");
  EXPECT_THAT(titles("status=queued"), ::testing::ElementsAre("many, and later", "another"));

  const auto again = post("/api/tasks/bulk", token_body(shown), key);
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.body, done.body);
  EXPECT_EQ(post("/api/tasks/bulk", R"({"token":"other"})", key).status, 422);
  EXPECT_EQ(post("/api/tasks/bulk", token_body(shown), {{"Idempotency-Key", "\"two\""}}).status, 404)
      << "used";
  EXPECT_EQ(host.api("POST", "/api/tasks/" + other + "/cancel").status, 200);
}

TEST_F(ApiTest, AnActThatAKillInterruptsIsDoneOnceWhenItIsSentAgain) {
  constexpr int kTasks = 180;  // several steps, so that some are done and some are not
  std::vector<std::string> ids;
  for (int i = 0; i < kTasks; ++i) ids.push_back(make(R"("title":"one of many","key":")" + std::to_string(i) + "\""));
  const std::string body = token_body(preview(R"("action":"cancel","filter":{"status":"queued"})"));
  const Headers key{{"Idempotency-Key", "\"interrupted\""}};
  {
    test::RawClient client(host.port());
    client.send("POST /api/tasks/bulk HTTP/1.1\r\nHost: localhost\r\nIdempotency-Key: \"interrupted\"\r\nAuthorization: Bearer " +
                host.token() + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    // It has begun, and nobody has read an answer.
    ASSERT_TRUE(eventually([&] { return get("/api/dashboard/tasks?status=cancelled&limit=1")["tasks"].Size() == 1; }));
    host.end(SIGKILL);
  }
  ASSERT_TRUE(host.start()) << host.log();
  const auto done = post("/api/tasks/bulk", body, key);
  ASSERT_EQ(done.status, 200) << done.body;
  const auto outcome = parse_json(done.body);
  EXPECT_EQ(int_member(*outcome, "done"), kTasks) << "what was done before the end counts as done";
  EXPECT_EQ(int_member(*outcome, "refused"), 0);
  std::set<std::string> told;
  for (const JsonValue& each : std::as_const(*outcome)["outcomes"].GetArray()) told.insert(string_member(each, "task_id"));
  EXPECT_EQ(told, std::set<std::string>(ids.begin(), ids.end()));
  for (const std::string& id : ids) {
    const JsonDocument task = get("/api/dashboard/tasks/" + id);
    EXPECT_EQ(string_member(task, "status"), "cancelled");
    EXPECT_EQ(task["decisions"].Size(), 1u) << "decided once";
  }
  EXPECT_EQ(post("/api/tasks/bulk", body, key).body, done.body);
  EXPECT_EQ(post("/api/tasks/bulk", R"({"token":"another"})", key).status, 422);
  host.end(SIGTERM);
  ASSERT_TRUE(host.start()) << host.log();
  EXPECT_EQ(post("/api/tasks/bulk", body, key).body, done.body) << "also after an orderly end";
}

TEST_F(ApiTest, APreviewIsForgottenAtARestartAndItsTokenSaysToPreviewAgain) {
  const std::string id = make(R"("title":"kept")");
  const std::string body = token_body(preview(R"("action":"cancel","filter":{})"));
  host.end(SIGTERM);
  ASSERT_TRUE(host.start()) << host.log();
  const auto refused = post("/api/tasks/bulk", body, {{"Idempotency-Key", "\"k\""}});
  EXPECT_EQ(refused.status, 404);
  EXPECT_THAT(refused.body, HasSubstr("davit was started anew since; preview again"));
  EXPECT_EQ(string_member(get("/api/dashboard/tasks/" + id), "status"), "queued");
  // The key was not used up.
  const std::string again = token_body(preview(R"("action":"cancel","filter":{})"));
  EXPECT_EQ(post("/api/tasks/bulk", again, {{"Idempotency-Key", "\"k\""}}).status, 200);
}

TEST_F(ApiTest, WhoHasChangedSinceItWasShownIsLeftAlone) {
  const std::string first = make(R"("title":"first")"), second = make(R"("title":"second","key":"2")");
  const std::string final_one = make(R"("title":"third","key":"3")");
  EXPECT_EQ(host.api("POST", "/api/tasks/" + final_one + "/cancel").status, 200);
  const JsonDocument shown = preview(R"("action":"cancel","ids":[")" + first + R"(",")" + second + R"(",")" +
                                     first + R"(",")" + final_one + R"(","none"])");
  EXPECT_EQ(int_member(shown, "count"), 2);
  ASSERT_EQ(shown["left_out"].Size(), 2u);
  EXPECT_EQ(string_member(shown["left_out"][0], "detail"), "is cancelled");
  EXPECT_EQ(string_member(shown["left_out"][1], "detail"), "does not exist");
  EXPECT_EQ(host.api("POST", "/api/tasks/" + second + "/cancel").status, 200);
  const auto done =
      parse_json(post("/api/tasks/bulk", token_body(shown), {{"Idempotency-Key", "\"k\""}}).body);
  ASSERT_TRUE(done.ok());
  EXPECT_EQ(int_member(*done, "done"), 1);
  EXPECT_EQ(int_member(*done, "refused"), 1);
  EXPECT_THAT(string_member((*done)["outcomes"][1], "detail"), HasSubstr("has changed since it was chosen"));
}

TEST_F(ApiTest, BulkRequestsAreChecked) {
  for (const char* bad :
       {"", "[]", "{}", R"({"action":"delete","filter":{}})", R"({"action":"cancel"})",
        R"({"action":"cancel","filter":{},"ids":["a"]})", R"({"action":"cancel","ids":[]})",
        R"({"action":"cancel","ids":[1]})", R"({"action":"cancel","filter":{"status":"done"}})",
        R"({"action":"cancel","filter":{"status":[1]}})", R"({"action":"cancel","filter":{"status":[]}})",
        R"({"action":"cancel","filter":{"status":","}})", R"({"action":"cancel","filter":{"agent":""}})",
        R"({"action":"cancel","filter":{"limit":"1"}})", R"({"action":"cancel","filter":{"agent":1}})",
        R"({"action":"cancel","filter":{},"x":1})"})
    EXPECT_EQ(post("/api/tasks/bulk/preview", bad).status, 400) << bad;
  const std::string body = token_body(preview(R"("action":"cancel","filter":{})"));
  EXPECT_EQ(post("/api/tasks/bulk", body).status, 400) << "without a key";
  EXPECT_EQ(post("/api/tasks/bulk", body, {{"Idempotency-Key", "bare"}}).status, 400);
  EXPECT_EQ(post("/api/tasks/bulk", "{}", {{"Idempotency-Key", "\"k\""}}).status, 400);
  EXPECT_EQ(post("/api/tasks/bulk", body, {{"Idempotency-Key", "\"k\""}}).status, 200);
  EXPECT_EQ(host.request("POST", "/api/tasks/bulk/preview", "{}").status, 401);
}

TEST_F(ApprovalsApiTest, WhatWaitsIsListedApprovedAsShownAndRemembered) {
  const std::string first = make(R"("title":"first","entity":"e1","payload":{"plan":1})"),
                    second = make(R"("title":"second","entity":"e2")");
  const JsonDocument waiting = get("/api/dashboard/approvals");
  ASSERT_EQ(waiting["approvals"].Size(), 2u);
  const JsonValue& newest = waiting["approvals"][0];
  EXPECT_EQ(string_member(newest["task"], "task_id"), second);
  EXPECT_EQ(string_member(newest["approval"], "content_hash").size(), 64u);
  EXPECT_TRUE(newest["plan"].IsNull());
  EXPECT_FALSE(bool_member(newest, "plan_left_out", true));

  const JsonDocument shown = preview(R"("action":"approve","filter":{"agent":"command-agent"})");
  EXPECT_EQ(int_member(shown, "count"), 2);
  const auto done =
      parse_json(post("/api/tasks/bulk", token_body(shown), {{"Idempotency-Key", "\"k\""}}).body);
  EXPECT_EQ(int_member(*done, "done"), 2) << to_json(*done);
  EXPECT_EQ(get("/api/dashboard/approvals")["approvals"].Size(), 0u);
  const JsonDocument history = get("/api/dashboard/approvals/history?limit=1");
  ASSERT_EQ(history["decisions"].Size(), 1u);
  EXPECT_EQ(string_member(history["decisions"][0], "kind"), "approve");
  EXPECT_THAT(string_member(history, "next_cursor"), Not(IsEmpty()));
  const JsonDocument older =
      get("/api/dashboard/approvals/history?cursor=" + string_member(history, "next_cursor"));
  EXPECT_EQ(older["decisions"].Size(), 1u);
  EXPECT_EQ(ask("GET", "/api/dashboard/approvals?limit=101").status, 400);
}

TEST_F(ApiTest, TablesCanBeTakenAwayPartByPart) {
  make(R"+("title":"=HYPERLINK(\"x\")")+");
  make(R"("title":"two\nlines")");
  make(R"("title":"third")");
  const auto whole = ask("GET", "/api/dashboard/tasks.csv");
  ASSERT_EQ(whole.status, 200);
  EXPECT_EQ(whole.header("Content-Type"), "text/csv; charset=utf-8; header=present");
  EXPECT_EQ(whole.header("Content-Disposition"), "attachment; filename=\"tasks.csv\"");
  EXPECT_EQ(whole.header("Link"), "");
  EXPECT_TRUE(whole.body.starts_with("task_id,status,source,"));
  EXPECT_THAT(whole.body, HasSubstr("\"'=HYPERLINK(\"\"x\"\")\""));
  EXPECT_THAT(whole.body, HasSubstr("\"two\nlines\""));

  std::string parts;
  for (std::string target = "/api/dashboard/tasks.csv?status=queued&limit=2"; !target.empty();) {
    const auto part = ask("GET", target);
    ASSERT_EQ(part.status, 200) << target;
    parts += part.body;
    const std::string link = part.header("Link");
    target = link.empty() ? "" : link.substr(1, link.find('>') - 1);
  }
  EXPECT_EQ(parts, whole.body);

  const auto lines = ask("GET", "/api/dashboard/tasks.ndjson?q=third");
  EXPECT_EQ(lines.header("Content-Type"), "application/x-ndjson");
  ASSERT_TRUE(lines.body.ends_with("\n"));
  EXPECT_EQ(string_member(*parse_json(lines.body), "title"), "third");
  const auto costs = ask("GET", "/api/dashboard/cost-breakdown.csv?group_by=day");
  EXPECT_TRUE(costs.body.starts_with("day,executions,total_duration_seconds,total_cost_usd,")) << costs.body;
  EXPECT_EQ(ask("GET", "/api/dashboard/tasks.csv?limit=5001").status, 400);
  // What a client may send unescaped does not end the address in the header.
  for (const char* key : {"a", "b"}) make(std::string(R"("title":"same <thing>","key":")") + key + "\"");
  const std::string next = ask("GET", "/api/dashboard/tasks.csv?q=same<thing>&c%75rsor=&limit=1").header("Link");
  EXPECT_THAT(
      next,
      ::testing::MatchesRegex(
          "</api/dashboard/tasks.csv.q=same%3Cthing%3E&limit=1&cursor=t[0-9]+-0-[0-9a-f]+>; rel=\"next\""));
}

TEST_F(ApiTest, ASeriesHasAPointForEachBucket) {
  const JsonDocument days = get("/api/dashboard/series");
  EXPECT_EQ(string_member(days, "metric"), "executions");
  EXPECT_EQ(days["points"].Size(), 30u);
  const JsonDocument hours = get("/api/dashboard/series?metric=tokens&bucket=hour");
  EXPECT_EQ(hours["points"].Size(), 24u);
  EXPECT_EQ(int_member(hours["points"][0], "value", -1), 0);
  const JsonDocument two =
      get("/api/dashboard/series?metric=duration&start_date=2026-01-01&end_date=2026-01-03");
  ASSERT_EQ(two["points"].Size(), 2u);
  EXPECT_EQ(string_member(two["points"][1], "at"), "2026-01-02T00:00:00.000Z");
  EXPECT_TRUE(two["points"][1]["value"].IsNull());
  for (const char* bad :
       {"metric=weight", "bucket=week", "bucket=hour&start_date=2026-01-01&end_date=2026-03-01",
        "start_date=2026-01-02&end_date=2026-01-01", "agents=x"})
    EXPECT_EQ(ask("GET", std::string("/api/dashboard/series?") + bad).status, 400) << bad;
}

}  // namespace
}  // namespace davit::testing
