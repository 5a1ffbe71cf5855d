// What a host that has worked exposes, and whether what is shipped beside it (config/prometheus.yml,
// alerts.yml, grafana/davit.json) goes by that. Judged by promtool.
#include <gmock/gmock.h>

#include <cstdio>
#include <regex>
#include <set>

#include "host/metrics/metric_table.h"
#include "tests/support/hot_host.h"

namespace davit::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;

const std::filesystem::path kConfig = DAVIT_SOURCE_DIR "/config";

std::string shipped(const std::string& file) {
  auto text = read_file(kConfig / file);
  EXPECT_TRUE(text.ok()) << file;
  return text.ok() ? *text : "";
}

struct Verdict {
  int status = -1;
  std::vector<std::string> lines;
};

// `arguments` are words of a shell.
Verdict promtool(const std::string& arguments) {
  Verdict verdict;
  FILE* said = ::popen((std::string(DAVIT_PROMTOOL) + " " + arguments + " 2>&1").c_str(), "r");
  if (!said) return verdict;
  char line[4096];
  while (std::fgets(line, sizeof line, said)) {
    verdict.lines.emplace_back(line);
    if (verdict.lines.back().back() == '\n') verdict.lines.back().pop_back();
  }
  const int status = ::pclose(said);
  verdict.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return verdict;
}

// The names that queries may go by: as many as the metric has series of its own.
std::map<std::string, const metrics::MetricRow*> names() {
  std::map<std::string, const metrics::MetricRow*> all;
  for (const metrics::MetricRow& row : metrics::metric_table()) {
    const std::string name(row.name);
    if (row.kind != metrics::MetricKind::Histogram) {
      all[name] = &row;
    } else {
      for (const char* part : {"_bucket", "_sum", "_count"}) all[name + part] = &row;
    }
  }
  return all;
}

std::vector<std::string> matches(const std::string& text, const std::string& pattern) {
  std::vector<std::string> found;
  const std::regex expression(pattern);
  for (std::sregex_iterator next(text.begin(), text.end(), expression), end; next != end; ++next)
    found.push_back(next->str(1));
  return found;
}

// What is wrong with the names and labels of a query.
std::vector<std::string> unknown_in(const std::string& query) {
  const auto known = names();
  std::vector<std::string> wrong;
  std::set<std::string> labels{"job", "instance"};
  const std::string recorded = "agent:ai_agent_execution_failures:ratio_rate1h";  // by alerts.yml
  std::string plain = std::regex_replace(query, std::regex("\"[^\"]*\""), "\"\"");
  if (plain.find(recorded) != std::string::npos) labels.insert("agent");
  plain = std::regex_replace(plain, std::regex(recorded), "");
  // Whatever stands before a selector, a range or nothing, and is neither a function nor a word of the
  // language.
  for (const std::string& name :
       matches(plain, R"(\b((?:ai_agent|davit|process)_[a-z0-9_]+|[a-zA-Z_:][\w:]*(?=\s*[\{\[])))")) {
    if (name == "up") continue;  // Prometheus' own
    const auto found = known.find(name);
    if (found == known.end()) {
      wrong.push_back("no metric " + name);
      continue;
    }
    for (std::string_view label : found->second->labels) labels.emplace(label);
    if (found->second->kind == metrics::MetricKind::Histogram) labels.insert("le");
  }
  for (const std::string& list : matches(plain, R"(\{([^}]*)\})")) {
    for (const std::string& label : matches(list, R"((\w+)\s*(?:=|!))"))
      if (!labels.contains(label)) wrong.push_back("no label " + label);
  }
  for (const std::string& list : matches(plain, R"(\b(?:by|without|on|ignoring)\s*\(([^)]*)\))"))
    for (const std::string& label : matches(list, R"((\w+))"))
      if (!labels.contains(label)) wrong.push_back("no label " + label);
  return wrong;
}

// ---- the exposition ----

class ExpositionTest : public ::testing::Test {
 protected:
  // Deliveries that are taken and refused, executions that succeed and fail and cost something, a library
  // that is refused, a budget: most of what there is has series.
  void work() {
    host_.install(kTestPlugins / "good_webhook.so");
    host_.install(kPlugins / "command_agent.so");
    host_.install(kTestPlugins / "scripted_agent.so");
    std::ofstream(host_.drop() / "broken.so") << "no library";
    std::filesystem::permissions(host_.drop() / "broken.so", std::filesystem::perms::owner_all);
    host_.configure(
        "webhooks:\n  good: {secret_env: GITHUB_WEBHOOK_SECRET, isolation: process, answer_within_ms: "
        "10000}\n"
        "agents:\n  command-agent: {max_retries: 0, config: {command: [/bin/true]}}\n  worker: {max_retries: "
        "0}\n"
        "budgets: {daily_usd: 100, per_agent_daily_usd: 50}\n");
    ASSERT_TRUE(host_.start()) << host_.log();
    const auto taken = host_.deliver(R"({"subject":"one"})");
    ASSERT_EQ(taken.status, 202) << taken.body;
    host_.wait_for_task(string_member(*parse_json(taken.body), "task_id"), {"completed"});
    const auto refused =
        host_.request("POST", "/webhooks/good", "{}",
                      {{"Content-Type", "application/json"}, {"X-Signature", "wrong"}, {"X-Delivery", "x"}});
    EXPECT_EQ(refused.status, 401) << refused.body;
    for (const auto& [mode, state] : {std::pair("talk", "completed"), std::pair("fail", "failed")}) {
      const auto made = host_.api("POST", "/api/tasks",
                                  std::string(R"({"agent":"worker","payload":{"mode":")") + mode + "\"}}");
      ASSERT_EQ(made.status, 201) << made.body;
      host_.wait_for_task(string_member(*parse_json(made.body), "task_id"), {state});
    }
    ASSERT_TRUE(eventually([&] { return host_.refusal_of("broken.so") != ""; }));
  }
  HotHost host_;
};

TEST_F(ExpositionTest, PromtoolObjectsToNothingButTheNameOfThePlan) {
  work();
  const std::string exposition = host_.api("GET", "/metrics").body;
  for (const char* series :
       {"ai_agent_execution_total{agent=\"worker\",status=\"failed\"",
        "ai_agent_cost_total_usd{agent=\"worker\"",
        "ai_agent_cost_usd_total{agent=\"worker\",model=\"m\"} 0.5", "ai_agent_tokens_total{agent=\"worker\"",
        "davit_deliveries_total{webhook=\"good\",outcome=\"queued\"} 1",
        "davit_deliveries_total{webhook=\"good\",outcome=\"parked\"} 0",
        "davit_delivery_rejections_total{webhook=\"good\"", "davit_plugin_load_failures_total{code=",
        "davit_tasks_ended_total{agent=\"worker\",state=\"failed\"} 1",
        "davit_tasks_ended_total{agent=\"command-agent\",state=\"failed\"} 0",
        "davit_ready{part=\"dispatch\"} 1", "davit_budget_spent_usd{scope=\"day\",agent=\"\"} 0.5",
        "davit_commit_failures_total 0"})
    EXPECT_THAT(exposition, HasSubstr(series));
  for (const char* zero :
       {"\nprocess_resident_memory_bytes 0\n", "\nprocess_open_fds 0\n", "\nprocess_max_fds 0\n",
        "\nprocess_cpu_seconds_total 0\n", "\ndavit_disk_free_bytes 0\n"})
    EXPECT_EQ(exposition.find(zero), std::string::npos) << zero;

  std::ofstream(host_.folder() / "exposition") << exposition;
  const Verdict verdict = promtool("check metrics < " + (host_.folder() / "exposition").string());
  EXPECT_THAT(verdict.lines,
              ElementsAre("ai_agent_cost_total_usd counter metrics should have \"_total\" suffix"));
  EXPECT_EQ(verdict.status, 3) << "that of a finding";
}

TEST_F(ExpositionTest, EveryMetricOfTheTableIsExposedAndNoOther) {
  work();
  const std::string exposition = host_.api("GET", "/metrics").body;
  std::set<std::string> told;
  for (const std::string& name : matches(exposition, "# TYPE ([^ ]+) ")) told.insert(name);
  std::set<std::string> table;
  for (const metrics::MetricRow& row : metrics::metric_table()) table.emplace(row.name);
  EXPECT_EQ(told, table);
}

// ---- what goes by it ----

TEST(PrometheusConfigTest, IsAcceptedWithItsAlerts) {
  const TempFolder folder;
  for (const char* file : {"prometheus.yml", "alerts.yml"})
    std::filesystem::copy_file(kConfig / file, folder.path() / file);
  const std::string check = "check config " + (folder.path() / "prometheus.yml").string();
  EXPECT_NE(promtool(check).status, 0) << "its token is not there";
  std::ofstream(folder.path() / "davit.token") << "davit_a-token";
  const Verdict verdict = promtool(check);
  EXPECT_EQ(verdict.status, 0) << ::testing::PrintToString(verdict.lines);
}

TEST(PrometheusConfigTest, AlertsGoByMetricsThatThereAreAndSayWhatToDo) {
  const std::string alerts = shipped("alerts.yml");
  const auto tests = read_file(DAVIT_SOURCE_DIR "/tests/operations/alerts_test.yml");
  ASSERT_TRUE(tests.ok());
  int count = 0;
  for (std::size_t at = alerts.find("- alert: "); at != std::string::npos;) {
    const std::size_t next = alerts.find("- alert: ", at + 1);
    const std::string rule = alerts.substr(at, next == std::string::npos ? next : next - at);
    at = next;
    const std::string name = rule.substr(9, rule.find('\n') - 9);
    SCOPED_TRACE(name);
    ++count;
    EXPECT_THAT(matches(rule, "severity: (page|ticket)"), ::testing::SizeIs(1));
    EXPECT_THAT(rule, HasSubstr("\n          summary: \""));
    EXPECT_THAT(rule, HasSubstr("\n          runbook: \""));
    EXPECT_THAT(unknown_in(rule.substr(0, rule.find("labels: {severity"))), IsEmpty());
    // Once as it fires, once as it does not.
    EXPECT_THAT(matches(*tests, "\n        (alertname: " + name +
                                    ")\n        exp_alerts:|(alertname: " + name + ", exp_alerts)"),
                ::testing::Not(IsEmpty()));
    EXPECT_THAT(*tests, HasSubstr("alertname: " + name + "}"));
  }
  EXPECT_GT(count, 20);
  const std::size_t record = alerts.find("- record: ");
  EXPECT_THAT(unknown_in(alerts.substr(record, alerts.find("- alert: ", record) - record)), IsEmpty());
}

// All queries of the dashboard, with its variables in place.
class DashboardTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto read = parse_json(shipped("grafana/davit.json"));
    ASSERT_TRUE(read.ok()) << read.error().message;
    board_ = std::move(*read);
  }
  static void replace(std::string& text, const std::string& from, const std::string& to) {
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
      text.replace(at, from.size(), to);
  }
  std::vector<std::string> queries() const {
    std::vector<std::string> all;
    for (const JsonValue& panel : find_member(board_, "panels")->GetArray()) {
      const JsonValue* targets = find_member(panel, "targets");
      if (targets == nullptr) continue;
      for (const JsonValue& target : targets->GetArray()) {
        std::string query(string_member(target, "expr"));
        replace(query, "$__rate_interval", "5m");
        replace(query, "$__range", "6h");
        for (const char* variable : {"$instance", "$agent", "$webhook"}) replace(query, variable, ".*");
        all.push_back(std::move(query));
      }
    }
    return all;
  }
  JsonDocument board_;
};

TEST_F(DashboardTest, CanBeImportedWhateverTheDataSourceIsCalled) {
  EXPECT_EQ(find_member(board_, "id"), nullptr) << "Grafana gives it one";
  EXPECT_EQ(string_member(board_, "uid"), "davit");
  EXPECT_EQ(string_member(board_, "title"), "davit");
  const JsonValue& variables = *find_member(*find_member(board_, "templating"), "list");
  EXPECT_EQ(string_member(variables[0], "name"), "datasource");
  EXPECT_EQ(string_member(variables[0], "type"), "datasource");
  EXPECT_EQ(string_member(variables[0], "query"), "prometheus");
  const std::string text = shipped("grafana/davit.json");
  for (const std::string& uid :
       matches(text, "\"datasource\": \\{\\s*\"type\": \"prometheus\",\\s*\"uid\": \"([^\"]*)\""))
    EXPECT_EQ(uid, "${datasource}");
  std::set<std::int64_t> ids;
  std::vector<std::string> rows;
  for (const JsonValue& panel : find_member(board_, "panels")->GetArray()) {
    EXPECT_TRUE(ids.insert(int_member(panel, "id")).second) << int_member(panel, "id");
    const JsonValue& place = *find_member(panel, "gridPos");
    EXPECT_LE(int_member(place, "x") + int_member(place, "w"), 24) << string_member(panel, "title");
    if (string_member(panel, "type") == "row")
      rows.emplace_back(string_member(panel, "title"));
    else
      EXPECT_GT(find_member(panel, "targets")->Size(), 0u) << string_member(panel, "title");
  }
  EXPECT_THAT(rows, ElementsAre("Overview", "Agents", "Cost and tokens", "Queue", "Webhooks", "Plugins",
                                "Store", "Process"));
}

TEST_F(DashboardTest, ItsQueriesAreOnesThatPrometheusUnderstands) {
  const TempFolder folder;
  std::ofstream rules(folder.path() / "rules.yml");
  rules << "groups:\n- name: dashboard\n  rules:\n";
  int number = 0;
  for (const std::string& query : queries())
    rules << "  - record: panel:" << ++number << "\n    expr: " << json_quote(query) << "\n";
  rules.close();
  const Verdict verdict = promtool("check rules " + (folder.path() / "rules.yml").string());
  EXPECT_EQ(verdict.status, 0) << ::testing::PrintToString(verdict.lines);
  EXPECT_GT(number, 50);
}

TEST_F(DashboardTest, ItsQueriesNameWhatIsExposed) {
  for (const std::string& query : queries()) EXPECT_THAT(unknown_in(query), IsEmpty()) << query;
  const auto known = names();
  for (const JsonValue& variable : find_member(*find_member(board_, "templating"), "list")->GetArray()) {
    if (string_member(variable, "type") != "query") continue;
    const auto metric =
        matches(std::string(string_member(variable, "definition")), R"(label_values\((\w+), \w+\))");
    ASSERT_EQ(metric.size(), 1u);
    ASSERT_TRUE(known.contains(metric[0])) << metric[0];
    const auto label =
        matches(std::string(string_member(variable, "definition")), R"(label_values\(\w+, (\w+)\))");
    const auto& labels = known.at(metric[0])->labels;
    EXPECT_TRUE(label[0] == "instance" || std::find(labels.begin(), labels.end(), label[0]) != labels.end())
        << label[0];
  }
}

TEST(QueryNamesTest, WhatIsNotThereIsFound) {
  EXPECT_THAT(unknown_in("rate(davit_nothing_total[5m])"), ElementsAre("no metric davit_nothing_total"));
  EXPECT_THAT(unknown_in("other{}"), ElementsAre("no metric other"));
  EXPECT_THAT(unknown_in("sum by (color) (davit_ready{shape=\"a\"})"),
              ElementsAre("no label shape", "no label color"));
  EXPECT_THAT(unknown_in("davit_commit_writes > 0"), ElementsAre("no metric davit_commit_writes"))
      << "a histogram has parts";
}

}  // namespace
}  // namespace davit::testing
