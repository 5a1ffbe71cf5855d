// The queue as operators handle it, in the real program: pauses over the API and the command line, recurring
// tasks from the configuration.
#include <gmock/gmock.h>
#include <signal.h>

#include "tests/support/hot_host.h"

namespace davit::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class QueueTest : public ::testing::Test {
 protected:
  void configure(const std::string& schedules) {
    host.configure("agents:\n  command-agent: {config: {command: [/bin/sh, -c, 'echo done']}}\n" + schedules);
  }
  void start(const std::string& schedules = "") {
    host.install(kPlugins / "command_agent.so");
    configure(schedules);
    ASSERT_TRUE(host.start()) << host.log();
  }
  std::string create() {
    const auto made = parse_json(host.api("POST", "/api/tasks", R"({"agent":"command-agent"})").body);
    return made.ok() ? string_member(*made, "task_id") : "";
  }
  JsonDocument task(const std::string& id) {
    auto shown = parse_json(host.api("GET", "/api/dashboard/tasks/" + id).body);
    return shown.ok() ? std::move(shown).value() : JsonDocument();
  }
  bool wait_for_status(const std::string& id, const std::string& status) {
    return eventually([&] { return string_member(task(id), "status") == status; });
  }

  HotHost host;
};

TEST_F(QueueTest, TasksByHandNameTheGroupWhoseLineTheyStandIn) {
  host.install(kPlugins / "command_agent.so");
  host.configure(
      "agents:\n  command-agent: {one_at_a_time: group, concurrency: 2, config: {command: [/bin/sleep, "
      "'60']}}\n");
  ASSERT_TRUE(host.start()) << host.log();
  const auto made = host.ask({"tasks", "create", "command-agent", "--entity", "repo#1", "--group", "repo"});
  ASSERT_EQ(made.status, 0) << made.text;
  const std::string first = made.text.substr(0, made.text.find(' '));
  ASSERT_TRUE(wait_for_status(first, "running")) << host.log();
  const auto beside = parse_json(
      host.api("POST", "/api/tasks", R"({"agent":"command-agent","entity":"repo#2","group":"repo"})").body);
  ASSERT_TRUE(beside.ok());
  EXPECT_THAT(string_member(task(string_member(*beside, "task_id")), "hold_reason"), HasSubstr(first));
  const auto wrong =
      host.api("POST", "/api/tasks", R"({"agent":"command-agent","entity":"repo#2","group":7})");
  EXPECT_EQ(wrong.status, 400) << wrong.body;
  EXPECT_THAT(wrong.body, HasSubstr("\"group\""));
}

TEST_F(QueueTest, WhoIsPausedGetsNothingUntilHeIsResumedAlsoOverARestart) {
  start();
  const auto paused = host.api("POST", "/api/queue/pause", R"({"agent":"command-agent","reason":"upkeep"})");
  EXPECT_EQ(paused.status, 200) << paused.body;
  const std::string id = create();
  EXPECT_EQ(host.end(SIGTERM), 0);
  ASSERT_TRUE(host.start()) << host.log();
  const JsonDocument waiting = task(id);
  EXPECT_EQ(string_member(waiting, "status"), "queued");
  EXPECT_EQ(string_member(waiting, "hold_reason"), "agent command-agent is paused: upkeep");
  EXPECT_THAT(host.ask({"queue", "show"}).text,
              AllOf(HasSubstr("Agent command-agent is paused, since "), HasSubstr(", by admin: upkeep")));
  EXPECT_THAT(host.api("GET", "/metrics").body, HasSubstr("davit_queue_paused{agent=\"command-agent\"} 1\n"));

  const auto resumed = host.ask({"queue", "resume", "command-agent"});
  EXPECT_EQ(resumed.status, 0);
  EXPECT_EQ(resumed.text, "command-agent  resumed\n");
  EXPECT_TRUE(wait_for_status(id, "completed")) << host.log();
  EXPECT_EQ(host.ask({"queue", "resume", "command-agent"}).text, "command-agent  was not paused\n");
  EXPECT_THAT(host.api("GET", "/metrics").body, Not(HasSubstr("davit_queue_paused{")));
}

TEST_F(QueueTest, AnAgentWorksOnAsManyAsACommandSaysAlsoOverARestartUntilThatIsCleared) {
  host.install(kPlugins / "command_agent.so");
  host.configure("agents:\n  command-agent: {concurrency: 1, config: {command: [/bin/sleep, '600']}}\n");
  ASSERT_TRUE(host.start()) << host.log();
  const std::string first = create(), second = create();
  ASSERT_TRUE(wait_for_status(first, "running")) << host.log();
  EXPECT_EQ(string_member(task(second), "status"), "queued");
  const std::string path = "/api/agents/command-agent/concurrency";
  const auto set = host.api("PUT", path, R"({"concurrency":2})");
  EXPECT_EQ(set.status, 200) << set.body;
  EXPECT_THAT(set.body, HasSubstr(R"("concurrency":2,"configured_concurrency":1,"concurrency_is_set":true)"));
  EXPECT_TRUE(wait_for_status(second, "running")) << "no restart is needed";
  EXPECT_EQ(host.end(SIGTERM), 0);
  ASSERT_TRUE(host.start()) << host.log();
  EXPECT_THAT(host.api("GET", "/api/dashboard/agents").body,
              HasSubstr(R"("concurrency":2,"configured_concurrency":1,"concurrency_is_set":true)"));
  EXPECT_EQ(host.ask({"plugins", "concurrency", "command-agent", "3"}).text,
            "command-agent: 3 at one time, set by command (configured: 1)\n");
  EXPECT_EQ(host.ask({"plugins", "concurrency", "command-agent", "configured"}).text,
            "command-agent: 1 at one time, as configured\n");
  const auto cleared = host.api("DELETE", path);
  EXPECT_THAT(cleared.body,
              HasSubstr(R"("concurrency":1,"configured_concurrency":1,"concurrency_is_set":false)"));
}

TEST_F(QueueTest, ANumberOfExecutionsThatCannotBeIsRefused) {
  start();
  const std::string path = "/api/agents/command-agent/concurrency";
  for (const char* body : {"{}", "[]", "{", R"({"concurrency":0})", R"({"concurrency":257})",
                           R"({"concurrency":"2"})", R"({"concurrency":1.5})", R"({"concurrency":2,"more":1})"})
    EXPECT_EQ(host.api("PUT", path, body).status, 400) << body;
  EXPECT_EQ(host.api("PUT", "/api/agents/nobody/concurrency", R"({"concurrency":2})").status, 404);
  EXPECT_EQ(host.api("DELETE", "/api/agents/nobody/concurrency").status, 404);
  EXPECT_EQ(host.request("PUT", path, R"({"concurrency":2})").status, 401);
  EXPECT_EQ(host.request("DELETE", path).status, 401);
  EXPECT_EQ(host.ask({"plugins", "concurrency", "command-agent", "many"}).status, 2);
  EXPECT_THAT(host.api("GET", "/api/dashboard/agents").body, HasSubstr("\"concurrency_is_set\":false"));
}

TEST_F(QueueTest, AllArePausedForATimeAndWithoutAHost) {
  start();
  EXPECT_EQ(host.ask({"queue", "pause", "--for", "2h", "--reason", "a day off"}).text,
            "all agents  paused\n");
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"queue", "resume", ""}, {"tasks", "retry", "--all", "--agent", ""}, {"tasks", "retry", "--all", "--since", ""}})
    EXPECT_EQ(host.ask(words).status, 2) << words[1] << ": what is empty is not all";
  const std::string id = create();
  EXPECT_EQ(string_member(task(id), "hold_reason"), "all agents are paused: a day off");
  EXPECT_NE(string_member(task(id), "resume_at"), "");
  EXPECT_EQ(host.end(SIGTERM), 0);
  EXPECT_EQ(host.command({"queue", "resume", "--offline", "--json"}).text,
            "{\"agent\":null,\"paused\":false,\"was_paused\":true}\n");
  ASSERT_TRUE(host.start()) << host.log();
  EXPECT_TRUE(wait_for_status(id, "completed")) << host.log();
}

TEST_F(QueueTest, WhatIsWrongWithARequestIsNamed) {
  start();
  struct Row {
    const char *path, *body;
    int status;
    const char* words;
  };
  const std::vector<Row> rows = {
      {"/api/queue/pause", R"({"agent":"nobody"})", 400, "no agent of this name is loaded"},
      {"/api/queue/pause", R"({"until":"2020-01-01T00:00:00Z"})", 400, "until: has passed"},
      {"/api/queue/pause", R"({"until":"tomorrow"})", 400, "\"field\":\"until\""},
      {"/api/queue/pause", R"({"agent":7,"note":""})", 400, "note\",\"detail\":\"is not a member"},
      {"/api/queue/pause", "[]", 400, "must be a JSON object"},
      {"/api/queue/pause", "{", 400, "detail"},
      {"/api/queue/resume", R"({"reason":"x"})", 400, "reason"},
      {"/api/queue/resume", R"({"agent":"nobody"})", 400, "no agent of this name is loaded"},
  };
  for (const Row& row : rows) {
    const auto answer = host.api("POST", row.path, row.body);
    EXPECT_EQ(answer.status, row.status) << row.body;
    EXPECT_THAT(answer.body, HasSubstr(row.words)) << row.body;
  }
  EXPECT_EQ(host.request("POST", "/api/queue/pause", "{}").status, 401);
  EXPECT_THAT(host.ask({"queue", "show"}).text, Not(HasSubstr("paused, since")));
}

TEST_F(QueueTest, RecurringTasksAreTakenOverAndLeftWithTheConfiguration) {
  start(
      "schedules:\n  yearly: {agent: command-agent, cron: '@yearly', payload: {a: 1}}\n"
      "  never: {agent: command-agent, cron: '@hourly', enabled: false}\n");
  ASSERT_TRUE(eventually([&] {
    return host.ask({"queue", "show"}).text.find("yearly") != std::string::npos;
  }));
  const std::string shown = host.api("GET", "/api/dashboard/queue").body;
  EXPECT_THAT(shown, AllOf(HasSubstr("\"name\":\"yearly\",\"agent\":\"command-agent\",\"cron\":\"@yearly\""),
                           HasSubstr("-01-01T00:00:00.000Z"), HasSubstr("\"last_at\":null"),
                           Not(HasSubstr("never"))));

  configure("schedules:\n  yearly: {agent: command-agent, cron: '61 * * * *'}\n");
  EXPECT_THAT(host.ask({"reload"}).text,
              HasSubstr("schedules.yearly.cron: minute \"61\" is none of 0 to 59"));
  EXPECT_THAT(host.ask({"queue", "show"}).text, HasSubstr("yearly"));

  configure("");
  EXPECT_EQ(host.ask({"reload"}).status, 0);
  EXPECT_TRUE(eventually([&] {
    return host.ask({"queue", "show"}).text.find("yearly") == std::string::npos;
  }));
}

}  // namespace
}  // namespace davit::testing
