// The log as JSON: from the request of a sender to the session that worked on it, each line says what it is
// about.
#include <gmock/gmock.h>

#include <set>
#include <sstream>

#include "tests/support/hot_host.h"

namespace davit::testing {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;

class LogIdsTest : public ::testing::Test {
 protected:
  void start(const std::string& more = "") {
    host_.install(kTestPlugins / "good_webhook.so");
    host_.install(kPlugins / "command_agent.so");
    host_.install(kTestPlugins / "scripted_agent.so");
    host_.environment["THE_TOKEN"] = "s3cr3t-value";
    host_.log_options = ", format: json";
    host_.configure(
        "webhooks:\n  good: {secret_env: GITHUB_WEBHOOK_SECRET, isolation: process, answer_within_ms: "
        "10000}\n"
        "agents:\n  command-agent: {max_retries: 0, config: {command: [/bin/sh, -c, 'echo out; echo err "
        ">&2']}}\n"
        "  worker: {max_retries: 0, grants: {TOKEN: {env: THE_TOKEN}}}\n" +
        more);
    ASSERT_TRUE(host_.start()) << host_.log();
  }
  std::vector<JsonDocument> lines() const {
    std::vector<JsonDocument> all;
    std::istringstream text(host_.log());
    for (std::string line; std::getline(text, line);) {
      if (line.rfind('{', 0) != 0) continue;  // "davit: an admin token was made"
      auto read = parse_json(line);
      EXPECT_TRUE(read.ok()) << line;
      if (read.ok()) all.push_back(std::move(*read));
    }
    return all;
  }
  static bool names(const JsonDocument& line, const std::set<std::string>& ids) {
    for (const auto& member : line.GetObject())
      if (member.value.IsString() && ids.contains(member.value.GetString())) return true;
    return false;
  }
  static std::string id(const JsonDocument& line, const char* field) {
    return find_member(line, field) ? std::string(string_member(line, field)) : "";
  }
  // The lines about a task, once the one that says that its session ended is there.
  std::vector<JsonDocument> of_task(const std::string& task) {
    EXPECT_TRUE(eventually([&] {
      for (const JsonDocument& line : lines())
        if (id(line, "message") == "execution ended" && id(line, "task") == task) return true;
      return false;
    })) << host_.log();
    std::vector<JsonDocument> mine;
    for (JsonDocument& line : lines())
      if (names(line, {task})) mine.push_back(std::move(line));
    return mine;
  }
  HotHost host_;
};

TEST_F(LogIdsTest, ARequestIsFollowedToTheSessionThatWorkedOnIt) {
  start();
  const auto answer = host_.deliver(R"({"subject":"one"})");
  ASSERT_EQ(answer.status, 202) << answer.body;
  const std::string task(string_member(*parse_json(answer.body), "task_id"));
  host_.wait_for_task(task, {"completed"});
  of_task(task);

  // request → delivery → task
  std::string request, delivery, session;
  for (const JsonDocument& line : lines()) {
    if (id(line, "message") != "A delivery was stored") continue;
    request = id(line, "request");
    delivery = id(line, "delivery");
    EXPECT_EQ(id(line, "task"), task);
  }
  EXPECT_EQ(request, answer.header("X-Request-Id"));
  ASSERT_NE(delivery, "");
  // task → session
  for (const JsonDocument& line : lines())
    if (id(line, "message") == "execution started" && id(line, "task") == task) session = id(line, "session");
  ASSERT_NE(session, "");

  std::set<std::string> told;
  for (const JsonDocument& line : lines()) {
    if (!names(line, {request, delivery, task, session})) continue;
    SCOPED_TRACE(to_json(line));
    told.insert(id(line, "message"));
    const bool is_of_request = id(line, "request") == request && id(line, "delivery") == delivery;
    const bool is_of_session = id(line, "task") == task && id(line, "session") == session;
    EXPECT_TRUE(is_of_request || is_of_session);
    if (id(line, "message").rfind("execution", 0) == 0) {
      EXPECT_EQ(id(line, "chain"), task) << "the first of its chain";
    }
  }
  for (const char* said :
       {"A delivery was stored", "a runner started", "execution started", "execution ended"})
    EXPECT_TRUE(told.contains(said)) << said << "\n" << host_.log();
  // A runner that works has something it works on.
  for (const JsonDocument& line : lines()) {
    if (id(line, "message") != "a runner started") continue;
    EXPECT_TRUE((id(line, "request") != "" && id(line, "delivery") != "") ||
                (id(line, "task") != "" && id(line, "session") != ""))
        << to_json(line);
  }
}

TEST_F(LogIdsTest, WhatAPluginSaysAndPrintsIsOfItsSession) {
  start();
  const auto made = host_.api("POST", "/api/tasks", R"({"agent":"worker","payload":{"mode":"gossip"}})");
  ASSERT_EQ(made.status, 201);
  const std::string task(string_member(*parse_json(made.body), "task_id"));
  ASSERT_TRUE(host_.wait_for_log("printed: my token is"));
  ASSERT_EQ(host_.api("POST", "/api/tasks/" + task + "/cancel").status, 200);
  of_task(task);
  std::set<std::string> told;
  for (const JsonDocument& line : lines()) {
    const std::string message = id(line, "message");
    if (message != "plugin" && message != "plugin output") continue;
    if (id(line, "line").find("my token is") == std::string::npos) continue;
    told.insert(message);
    EXPECT_EQ(id(line, "task"), task) << to_json(line);
    EXPECT_THAT(id(line, "session"), Not(IsEmpty()));
  }
  EXPECT_THAT(told, ::testing::ElementsAre("plugin", "plugin output")) << host_.log();
}

TEST_F(LogIdsTest, ACrashIsOfTheSessionAndARetryKeepsTheTask) {
  start("runners: {max: 8}\n");
  const auto made = host_.api("POST", "/api/tasks", R"({"agent":"worker","payload":{"mode":"crash"}})");
  const std::string task(string_member(*parse_json(made.body), "task_id"));
  host_.wait_for_task(task, {"failed", "parked"});
  std::set<std::string> told;
  for (const JsonDocument& line : of_task(task)) {
    SCOPED_TRACE(to_json(line));
    told.insert(id(line, "message"));
    if (id(line, "message") != "A task was made by hand") {
      EXPECT_THAT(id(line, "session"), Not(IsEmpty()));
    }
  }
  for (const char* said :
       {"A task was made by hand", "execution started", "a runner is gone", "execution ended"})
    EXPECT_TRUE(told.contains(said)) << said << "\n" << host_.log();
}

TEST_F(LogIdsTest, AFollowerNamesTheFirstOfItsChain) {
  start();
  const auto made = host_.api("POST", "/api/tasks", R"({"agent":"worker","payload":{"mode":"tell"}})");
  const std::string first(string_member(*parse_json(made.body), "task_id"));
  ASSERT_TRUE(eventually([&] {
    for (const JsonDocument& line : lines())
      if (id(line, "message") == "execution started" && id(line, "chain") == first &&
          id(line, "task") != first)
        return true;
    return false;
  })) << host_.log();
}

}  // namespace
}  // namespace davit::testing
