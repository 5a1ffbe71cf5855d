// What ./scripts/run --demo shows, without a host: each delivery of examples/demo through the webhook and,
// where it becomes a task, through command-agent with the demo's program.
#include <gtest/gtest.h>

#include <sstream>

#include "tests/plugins/testdata.h"

namespace {

using namespace davit::testing;
using davit::Json;
using davit::Status;

const std::string kDemo = DAVIT_SOURCE_DIR "/examples/demo/";

Outcome deliver(const std::string& plugin, const std::string& event, const std::string& file) {
  FakeHost host;
  host.config = R"({"agent": "command-agent"})";
  RequestBuilder request(testdata::read_file(kDemo + file));
  request.header("Content-Type", "application/json").header("X-GitHub-Event", event);
  return WebhookDriver(testdata::plugin(plugin).webhooks(), 0, host).deliver(request);
}

TEST(DemoTest, EveryDeliveryEndsAsTheListSays) {
  std::istringstream lines(testdata::read_file(kDemo + "deliveries.txt"));
  int deliveries = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream words(line);
    std::string webhook, event, file, expected;
    ASSERT_TRUE(words >> webhook >> event >> file >> expected) << line;
    const Outcome outcome = deliver(webhook, event, file);
    EXPECT_EQ(outcome.status, expected == "queued" ? Status::Ok : Status::Ignored) << line;
    ++deliveries;
  }
  EXPECT_EQ(deliveries, 5);
}

TEST(DemoTest, TheProgramFinishesTheTaskOfARealDelivery) {
  for (const std::string file : {"1-issue-labeled.json", "4-issue-opened-sentry.json"}) {
    const Json answer = Json::parse(deliver("github", "issues", file).output);
    const davit::JsonView task = answer.at_pointer("/tasks/0");
    ASSERT_EQ(task["agent"].string_or(""), "command-agent");
    Json context = Json::object({{"task_id", "t"}, {"session_id", "s"}, {"attempt", 1}, {"task", task}});

    FakeHost host;
    Json config = Json::object();
    config.set("command", Json::array({kDemo + "summarize_task"}));
    host.config = config.dump();
    const Outcome outcome = AgentDriver(testdata::plugin("command_agent").agents(), 0, host).run(context);
    ASSERT_EQ(outcome.status, Status::Ok) << outcome.error;
    const Json result = Json::parse(outcome.output);
    EXPECT_TRUE(result["success"].bool_or(false)) << outcome.output;
    EXPECT_EQ(result["output"]["title"].string_or(""), task["title"].string_or("?"));
    EXPECT_EQ(result["output"]["repository"].string_or(""),
              task["payload"]["repository"]["full_name"].string_or("?"));
    EXPECT_GT(result["output"]["words_in_body"].int_or(0), 5);
    EXPECT_EQ(host.transcript.size(), 1u);
  }
}

}  // namespace
