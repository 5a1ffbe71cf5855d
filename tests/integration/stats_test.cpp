// What the real program tells about its work, and that a restart takes nothing from it.
#include <gmock/gmock.h>
#include <signal.h>

#include <algorithm>
#include <sstream>

#include "tests/support/hot_host.h"

namespace davit::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;

class StatsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    host.install(kPlugins / "command_agent.so");
    // Costs a quarter; fails where its task says so.
    host.configure(R"(agents:
  command-agent:
    max_retries: 0
    config:
      input: payload
      command: [/bin/sh, -c, 'grep -q broken && exit 1; echo "$ANSWER"']
      environment:
        ANSWER: '{"davit_result":true,"output":{},"usage":{"model":"big","input_tokens":100,"cost_usd":0.25,"models":{"small":{"cost_usd":0.05}}}}'
)");
    ASSERT_TRUE(host.start()) << host.log();
  }
  std::string run(const std::string& payload = "{}") {
    const auto made =
        parse_json(host.api("POST", "/api/tasks",
                            R"({"agent":"command-agent","task_type":"fix","payload":)" + payload + "}")
                       .body);
    const std::string id = made.ok() ? string_member(*made, "task_id") : "";
    return string_member(host.wait_for_task(id, {"completed", "failed"}), "status");
  }
  // The lines of what the books count.
  std::vector<std::string> counters() {
    std::istringstream text(host.api("GET", "/metrics").body);
    std::vector<std::string> lines;
    for (std::string line; std::getline(text, line);)
      for (const char* name : {"ai_agent_execution_total{", "ai_agent_cost_total_usd{",
                               "ai_agent_tokens_total{", "ai_agent_task_success_rate{"})
        if (line.starts_with(name)) lines.push_back(line);
    std::sort(lines.begin(), lines.end());
    return lines;
  }
  bool settled(const std::string& line) {
    return eventually([&] {
      const auto lines = counters();
      return std::find(lines.begin(), lines.end(), line) != lines.end();
    });
  }

  HotHost host;
};

TEST_F(StatsTest, CountersGoOnWhereTheyWereBeforeTheRestart) {
  EXPECT_EQ(run(), "completed");
  EXPECT_EQ(run(R"("broken")"), "failed");
  ASSERT_TRUE(settled("ai_agent_task_success_rate{agent=\"command-agent\"} 0.5"));
  const std::vector<std::string> before = counters();
  EXPECT_THAT(before,
              IsSupersetOf(
                  {"ai_agent_execution_total{agent=\"command-agent\",status=\"success\",task_type=\"fix\"} 1",
                   "ai_agent_execution_total{agent=\"command-agent\",status=\"failed\",task_type=\"fix\"} 1",
                   "ai_agent_cost_total_usd{agent=\"command-agent\",model=\"big\"} 0.2",
                   "ai_agent_cost_total_usd{agent=\"command-agent\",model=\"small\"} 0.05"}));
  EXPECT_EQ(host.end(SIGTERM), 0);
  ASSERT_TRUE(host.start()) << host.log();
  EXPECT_EQ(counters(), before);

  host.end(SIGKILL);
  ASSERT_TRUE(host.start()) << host.log();
  EXPECT_EQ(counters(), before) << "also when nobody stopped it in order";
  EXPECT_EQ(run(), "completed");
  EXPECT_TRUE(
      settled("ai_agent_execution_total{agent=\"command-agent\",status=\"success\",task_type=\"fix\"} 2"));
  EXPECT_THAT(counters(), Contains("ai_agent_cost_total_usd{agent=\"command-agent\",model=\"big\"} 0.4"));
  EXPECT_THAT(host.api("GET", "/metrics").body,
              AllOf(HasSubstr("davit_database_bytes{kind=\"used\"} "),
                    Not(HasSubstr("davit_database_bytes{kind=\"used\"} 0\n"))));
}

TEST_F(StatsTest, TheApiAndTheCommandLineTellTheSame) {
  EXPECT_EQ(run(), "completed");
  EXPECT_EQ(run(R"("broken")"), "failed");
  const auto get = [&](const std::string& path) { return host.api("GET", "/api/dashboard/" + path).body; };
  EXPECT_THAT(
      get("agent-stats?agent=command-agent"),
      AllOf(HasSubstr(R"("stats":[{"agent":"command-agent","executions":2,)"),
            HasSubstr(R"("outcomes":{"completed":1,"failed":1},"success_rate":0.5,"success_rate_tasks":2)"),
            HasSubstr(R"("total_cost_usd":0.25,"total_tokens":100)"), HasSubstr("p95_duration_seconds")));
  EXPECT_EQ(get("agent-stats?agent=nobody"), R"({"stats":[]})");
  EXPECT_THAT(get("cost-breakdown?group_by=model"),
              AllOf(HasSubstr(R"({"group":"big","executions":1,)"), HasSubstr(R"("total_cost_usd":0.05)"),
                    HasSubstr(R"("total_cost_usd":0.25})")));
  const std::string counted = R"("chain_patterns":{"command-agent":{"count":2,)";
  EXPECT_THAT(get("agent-chain-analytics"),
              AllOf(HasSubstr(counted), HasSubstr(R"("success_rate":0.5,"total_cost_usd":0.25})")));
  EXPECT_THAT(get("agent-chain-analytics?agent=command-agent&start_date=2000-01-01T00:00:00Z"), HasSubstr(counted));
  EXPECT_THAT(get("agent-chain-analytics?agent=nobody"), HasSubstr(R"("chain_patterns":{}})"));
  EXPECT_EQ(get("agent-chain-analytics?start_date=2025-12-31T23:00:00Z&end_date=2026-01-31T00:00:00Z"),
            R"({"start_date":"2025-12-31T23:00:00.000Z","end_date":"2026-01-31T00:00:00.000Z","chain_patterns":{}})");
  EXPECT_THAT(get("overview"), AllOf(HasSubstr(R"("total_tasks":2,"success_rate":0.5,"total_cost":0.25,)"),
                                     HasSubstr(R"("queue":{"queued":0,)")));

  struct Row {
    const char *path, *words;
  };
  const Row wrong[] = {
      {"cost-breakdown?group_by=moon", "must be agent, day, task_type, model or source"},
      {"cost-breakdown?start_date=2026-02-01&end_date=2026-01-01", "must be before end_date"},
      {"cost-breakdown?start_date=soon", "start_date"},
      {"agent-chain-analytics?start_date=2026-02-01&end_date=2026-01-01", "must be before end_date"},
      {"agent-chain-analytics?end_date=soon", "end_date"},
      {"agent-chain-analytics?group_by=agent", "group_by"},
      {"overview?days=3", "days"},
      {"agent-stats?name=x", "name"},
  };
  for (const Row& row : wrong) {
    const auto answer = host.api("GET", std::string("/api/dashboard/") + row.path);
    EXPECT_EQ(answer.status, 400) << row.path;
    EXPECT_THAT(answer.body, HasSubstr(row.words)) << row.path;
  }
  EXPECT_EQ(host.request("GET", "/api/dashboard/overview").status, 401);

  const std::vector<std::vector<std::string>> asked = {
      {"stats"}, {"stats", "agents"}, {"stats", "costs", "--by", "source"}, {"stats", "chains"}};
  std::vector<std::string> told;
  for (const auto& words : asked) told.push_back(host.ask(words).text);
  EXPECT_THAT(told[0], HasSubstr("2 tasks, of those that came to their end 50.0% succeeded"));
  EXPECT_THAT(told[1], HasSubstr("$0.2500"));
  EXPECT_THAT(told[2], AllOf(HasSubstr("api"), HasSubstr("$0.2500 in all.")));
  EXPECT_THAT(told[3], AllOf(HasSubstr("command-agent"), HasSubstr("Those that ended from 20")));
  EXPECT_THAT(host.ask({"stats", "chains", "--since", "2000-01-01", "--until", "2000-02-01", "--agent", "x"}).text,
              HasSubstr("No chain came to its end in that time."));
  EXPECT_EQ(host.ask({"stats", "costs", "--by", "moon"}).status, 1);

  EXPECT_EQ(host.ask({"compact"}).status, 15) << "a host runs";
  EXPECT_EQ(host.end(SIGTERM), 0);
  for (std::size_t i = 0; i < asked.size(); ++i) {
    std::vector<std::string> words = asked[i];
    words.push_back("--offline");
    EXPECT_EQ(host.command(words).text, told[i]) << "from the database";
  }
  const auto compacted = host.command({"compact"});
  EXPECT_EQ(compacted.status, 0) << compacted.text;
  EXPECT_THAT(compacted.text, HasSubstr(" MiB before, "));
  ASSERT_TRUE(host.start()) << host.log();
  EXPECT_THAT(get("overview"), HasSubstr(R"("total_tasks":2)"));
}

}  // namespace
}  // namespace davit::testing
