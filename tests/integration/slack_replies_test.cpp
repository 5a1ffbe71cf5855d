// What Slack hears later, through the real program: a server on this machine stands in for Slack's.
#include <gmock/gmock.h>

#include <fstream>

#include "tests/support/hot_host.h"
#include "tests/support/reply_server.h"

namespace davit::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

class SlackRepliesTest : public ::testing::Test {
 protected:
  void start(const std::string& agent = "requires_approval: true") {
    host.install(DAVIT_BUILD_DIR "/plugins/slack.so");
    host.install(DAVIT_BUILD_DIR "/plugins/command_agent.so");
    host.environment["SECRET"] = RunningHost::kSecret;
    host.reply_options = "hosts: [], allow_loopback: true";
    host.configure(
        R"(webhooks:
  slack: {secret_env: SECRET, answer_within_ms: 10000, config: {agent: command-agent, command_users: ["*"]}}
agents:
  command-agent: {)" +
        agent +
        R"(, max_retries: 0, config: {command: [/bin/sh, -c, 'echo "{\"summary\":\"Found <it>\"}"']}}
)");
    ASSERT_TRUE(host.start()) << host.log();
  }
  // `/davit <text>` of somebody; the answer that they see.
  std::string command(const std::string& text, const std::string& path) {
    const auto read = read_file(
        DAVIT_SOURCE_DIR "/plugins/webhooks/slack/testdata/payloads/derived-slash-command-ours.form.txt");
    EXPECT_TRUE(read.ok());
    std::string body = *read;
    const auto put = [&](const std::string& old, const std::string& other) {
      ASSERT_NE(body.find(old), std::string::npos) << old;
      body.replace(body.find(old), old.size(), other);
    };
    put("look+at+https%3A%2F%2Facme.sentry.io%2Fissues%2F12%2F", text);
    put("https%3A%2F%2Fhooks.slack.com%2Fexample%2Fresponse-url", slack.url(path));
    put("trigger_id=", "trigger_id=" + std::to_string(++commands_));
    const auto file = host.folder() / "command.txt";
    std::ofstream(file) << body;
    return host.ask({"send", "slack", file.string()}).text;
  }
  std::string told(std::size_t number) {
    const auto all = slack.wait_for(number + 1);
    if (all.size() <= number) return "nothing; " + host.log();
    return all[number].path + " " + string_member(*parse_json(all[number].body), "text");
  }
  std::string shown(const std::string& path) { return host.api("GET", path).body; }

  HotHost host;
  ReplyServer slack;

 private:
  int commands_ = 0;
};

TEST_F(SlackRepliesTest, WhoAsksAndWhoApprovesHearWhatComesOfIt) {
  start();
  EXPECT_THAT(command("look+at+%3C%21channel%3E", "/commands/asked-4711"), HasSubstr("Queued command-agent"));
  const std::string waits = told(0);
  EXPECT_THAT(waits, MatchesRegex("/commands/asked-4711 command-agent waits for approval: look at "
                                  "&lt;!channel&gt; — approve [0-9a-f-]* [0-9a-f]*"));
  const std::string said = waits.substr(waits.find("approve ", waits.find("—")));
  std::string as_form = said;
  for (char& c : as_form)
    if (c == ' ') c = '+';
  EXPECT_THAT(command(as_form, "/commands/approved-4711"), HasSubstr("Passed on to the task"));

  // Each hears of it in its own order: all there is, whose is the end.
  std::vector<std::string> asker, approver;
  for (std::size_t count = 4; count < 9; ++count) {
    asker.clear(), approver.clear();
    for (std::size_t i = 0; i < slack.wait_for(count).size(); ++i) {
      const std::string each = told(i);
      const std::size_t blank = each.find(' ');
      (each.starts_with("/commands/asked") ? asker : approver).push_back(each.substr(blank + 1));
    }
    const auto ended = [](const auto& all) {
      return !all.empty() && all.back().find("is done") != std::string::npos;
    };
    if (ended(asker) && ended(approver)) break;
  }
  ASSERT_GE(approver.size(), 2u) << host.log();
  EXPECT_THAT(approver.front(), HasSubstr("approve accepted, now queued"));
  const std::string done = "command-agent is done: look at &lt;!channel&gt;: Found &lt;it&gt;";
  EXPECT_EQ(approver.back(), done);
  EXPECT_EQ(asker.back(), done);

  // The addresses are secrets.
  const std::string deliveries = shown("/api/dashboard/deliveries");
  const auto list = parse_json(deliveries);
  ASSERT_TRUE(list.ok());
  for (const JsonValue& each : find_member(*list, "deliveries")->GetArray()) {
    const std::string id = string_member(each, "delivery_id");
    for (const std::string& text :
         {shown("/api/dashboard/deliveries/" + id), host.ask({"deliveries", "show", id}).text,
          host.ask({"deliveries", "show", id, "--json"}).text}) {
      EXPECT_THAT(text, HasSubstr("removed"));
      EXPECT_THAT(text, Not(HasSubstr("4711")));
      EXPECT_THAT(text, Not(HasSubstr("example-verification-token")));
    }
  }
  const auto tasks = parse_json(shown("/api/dashboard/tasks"));
  for (const JsonValue& each : find_member(*tasks, "tasks")->GetArray())
    EXPECT_THAT(shown("/api/dashboard/tasks/" + string_member(each, "task_id")), Not(HasSubstr("4711")));
  EXPECT_THAT(host.log(), Not(HasSubstr("4711")));
  EXPECT_THAT(shown("/metrics"), HasSubstr("davit_replies_total{webhook=\"slack\",outcome=\"sent\"}"));
}

TEST_F(SlackRepliesTest, WhatHappenedWhileDavitWasDownIsTold) {
  start();
  command("look", "/asked");
  const std::string waits = told(0);
  EXPECT_EQ(host.end(SIGTERM), 0);
  const std::string id = waits.substr(waits.find("approve ", waits.find("—")) + 8, 36);
  const auto cancelled = host.command({"tasks", "cancel", id, "--offline"});
  ASSERT_EQ(cancelled.status, 0) << cancelled.text;
  ASSERT_TRUE(host.start()) << host.log();
  EXPECT_THAT(told(1), HasSubstr("/asked The task of command-agent was cancelled: look"));
}

TEST_F(SlackRepliesTest, AReloadChangesWhereItMayBeTold) {
  start();
  command("look", "/asked");
  EXPECT_THAT(told(0), HasSubstr("waits for approval"));
  std::string id = told(0);
  id = id.substr(id.find("approve ", id.find("—")) + 8, 36);
  auto config = *read_file(host.folder() / "davit.yaml");
  const std::string allowed = "allow_loopback: true";
  config.replace(config.find(allowed), allowed.size(), "allow_loopback: false");
  std::ofstream(host.folder() / "davit.yaml") << config;
  ASSERT_EQ(host.ask({"reload"}).status, 0) << host.log();
  ASSERT_EQ(host.ask({"tasks", "cancel", id}).status, 0);
  EXPECT_TRUE(host.wait_for_log("A sender could not be told what becomes of its delivery")) << host.log();
  EXPECT_THAT(host.log(), HasSubstr("the address is not one of https"));
  EXPECT_EQ(slack.wait_for(1).size(), 1u);
}

TEST_F(SlackRepliesTest, TheCheckOfItsCertificateByGetIsAnswered) {
  start();
  const auto checked = host.request("GET", "/webhooks/slack?ssl_check=1&token=x");
  EXPECT_EQ(checked.status, 200);
  EXPECT_EQ(checked.body, "");
  EXPECT_EQ(host.request("HEAD", "/webhooks/slack").status, 200);
  const auto unknown = host.request("GET", "/webhooks/nobody");
  EXPECT_EQ(unknown.status, 405);
  EXPECT_EQ(unknown.header("Allow"), "POST");
}

}  // namespace
}  // namespace davit::testing
