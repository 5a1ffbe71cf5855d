// The conventions that hold for all of the API, over the real program.
#include <gmock/gmock.h>
#include <signal.h>

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
    host.configure("agents:\n  command-agent: {config: {command: [/bin/true]}}\n");
    ASSERT_TRUE(host.start()) << host.log();
    // What is made stays as it is.
    ASSERT_EQ(host.api("POST", "/api/queue/pause", R"({"agent":"command-agent","reason":"for the test"})").status, 200);
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
  RunningHost host;
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
  EXPECT_EQ(ask("GET", "/api/dashboard/webhooks", {{"Accept-Encoding", "gzip"}}).header("Content-Encoding"), "")
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
  const auto answer = ask("GET", "/api/dashboard/tasks?limit=501&status=done&start_date=2026-01-01T00:00:00&x=1&q=a&q=b");
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
    const auto answer = ask(method, "/api/dashboard/tasks",
                            {{"Origin", "https://elsewhere.example"}, {"Access-Control-Request-Method", "POST"}});
    EXPECT_THAT(answer.head, Not(HasSubstr("Access-Control")));
    EXPECT_EQ(answer.status, std::string(method) == "GET" ? 200 : 405);
  }
}

}  // namespace
}  // namespace davit::testing
