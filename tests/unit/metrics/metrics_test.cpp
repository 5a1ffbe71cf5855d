#include "host/metrics/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <thread>

namespace davit::metrics {
namespace {

using std::chrono::microseconds;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::vector<std::string> lines_of(const Metrics& metrics, std::string_view prefix) {
  std::vector<std::string> lines;
  std::istringstream text(metrics.exposition());
  for (std::string line; std::getline(text, line);)
    if (line.starts_with(prefix)) lines.push_back(line);
  return lines;
}

TEST(MetricTableTest, RowsStandAtTheirOwnNumber) {
  for (std::size_t i = 0; i < metric_table().size(); ++i)
    EXPECT_EQ(static_cast<std::size_t>(metric_table()[i].id), i);
}

TEST(MetricTableTest, KeepsTheNamesLabelsAndBucketsOfThePlan) {
  struct Promise {
    std::string_view name;
    std::vector<std::string_view> labels;
    std::vector<double> buckets;
  };
  const std::vector<Promise> promises{
      {"ai_agent_execution_total", {"agent", "status", "task_type"}, {}},
      {"ai_agent_execution_duration_seconds",
       {"agent", "task_type"},
       {30, 60, 120, 300, 600, 1200, 1800, 3600}},
      {"ai_agent_cost_total_usd", {"agent", "model"}, {}},
      {"ai_agent_tokens_total", {"agent", "token_type"}, {}},
      {"ai_agent_sessions_active", {"agent"}, {}},
      {"ai_agent_session_duration_seconds", {"agent", "task_type"}, {60, 300, 600, 1200, 1800, 3600, 7200}},
      {"ai_agent_task_success_rate", {"agent"}, {}},
      {"ai_agent_chain_depth", {}, {1, 2, 3, 4, 5, 10}}};
  for (std::size_t i = 0; i < promises.size(); ++i) {
    EXPECT_EQ(metric_table()[i].name, promises[i].name);
    EXPECT_EQ(metric_table()[i].labels, promises[i].labels) << promises[i].name;
    EXPECT_EQ(metric_table()[i].buckets, promises[i].buckets) << promises[i].name;
  }
}

TEST(MetricsTest, ExposesEveryNameOfTheTableWithItsTypeBeforeAnythingHappened) {
  std::string text = Metrics("1.2.3").exposition();
  for (const MetricRow& row : metric_table()) {
    EXPECT_THAT(text,
                HasSubstr("# TYPE " + std::string(row.name) + " " + std::string(to_string(row.kind)) + "\n"));
    EXPECT_THAT(text, HasSubstr("# HELP " + std::string(row.name) + " "));
  }
  EXPECT_THAT(text, HasSubstr("davit_build_info{version=\"1.2.3\"} 1\n"));
}

TEST(MetricsTest, CountsAnExecutionWithItsTimeTokensAndCostByModel) {
  Metrics metrics("1");
  Usage usage;
  usage.input_tokens = 10;
  usage.output_tokens = 20;
  usage.cache_read_tokens = 30;
  usage.cache_write_tokens = 40;
  usage.cost_micro_usd = 1'500'000;
  usage.model = "big";
  usage.models["small"].cost_micro_usd = 250'000;
  usage.models["big"].cost_micro_usd = 1'000'000;
  metrics.session_started("planner");
  EXPECT_THAT(lines_of(metrics, "ai_agent_sessions_active"),
              ElementsAre("ai_agent_sessions_active{agent=\"planner\"} 1"));
  metrics.session_ended({.agent = "planner",
                         .task_type = "fix",
                         .worked = std::chrono::seconds(45),
                         .session = std::chrono::seconds(61)});
  metrics.execution_booked("planner", "completed", "fix", usage);
  EXPECT_THAT(lines_of(metrics, "ai_agent_sessions_active"),
              ElementsAre("ai_agent_sessions_active{agent=\"planner\"} 0"));
  EXPECT_THAT(
      lines_of(metrics, "ai_agent_execution_total"),
      ElementsAre("ai_agent_execution_total{agent=\"planner\",status=\"success\",task_type=\"fix\"} 1"));
  // What the models do not account for (0.25) belongs to the main one.
  EXPECT_THAT(
      lines_of(metrics, "ai_agent_cost_total_usd"),
      testing::UnorderedElementsAre("ai_agent_cost_total_usd{agent=\"planner\",model=\"big\"} 1.25",
                                    "ai_agent_cost_total_usd{agent=\"planner\",model=\"small\"} 0.25"));
  EXPECT_THAT(
      lines_of(metrics, "ai_agent_cost_usd_total"),
      testing::UnorderedElementsAre("ai_agent_cost_usd_total{agent=\"planner\",model=\"big\"} 1.25",
                                    "ai_agent_cost_usd_total{agent=\"planner\",model=\"small\"} 0.25"));
  EXPECT_THAT(lines_of(metrics, "ai_agent_tokens_total"),
              Contains("ai_agent_tokens_total{agent=\"planner\",token_type=\"cache_write\"} 40"));
  auto worked = lines_of(metrics, "ai_agent_execution_duration_seconds_bucket");
  EXPECT_THAT(worked, Contains(HasSubstr("le=\"30\"} 0")));
  EXPECT_THAT(worked, Contains(HasSubstr("le=\"60\"} 1")));
  auto session = lines_of(metrics, "ai_agent_session_duration_seconds_bucket");
  EXPECT_THAT(session, Contains(HasSubstr("le=\"60\"} 0")));
  EXPECT_THAT(session, Contains(HasSubstr("le=\"300\"} 1")));
}

TEST(MetricsTest, WritesEveryBucketOfTheTable) {
  Metrics metrics("1");
  metrics.chain_ended(3);
  EXPECT_THAT(
      lines_of(metrics, "ai_agent_chain_depth_bucket"),
      ElementsAre("ai_agent_chain_depth_bucket{le=\"1\"} 0", "ai_agent_chain_depth_bucket{le=\"2\"} 0",
                  "ai_agent_chain_depth_bucket{le=\"3\"} 1", "ai_agent_chain_depth_bucket{le=\"4\"} 1",
                  "ai_agent_chain_depth_bucket{le=\"5\"} 1", "ai_agent_chain_depth_bucket{le=\"10\"} 1",
                  "ai_agent_chain_depth_bucket{le=\"+Inf\"} 1"));
}

TEST(MetricsTest, SuccessRateLooksBackOnTheLastHundredTasks) {
  Metrics metrics("1");
  for (int i = 0; i < 50; ++i) metrics.task_settled("a", i, false);
  EXPECT_THAT(lines_of(metrics, "ai_agent_task_success_rate"),
              ElementsAre("ai_agent_task_success_rate{agent=\"a\"} 0"));
  for (int i = 50; i < 125; ++i) metrics.task_settled("a", i, true);
  EXPECT_THAT(lines_of(metrics, "ai_agent_task_success_rate"),
              ElementsAre("ai_agent_task_success_rate{agent=\"a\"} 0.75"));
  for (int i = 125; i < 150; ++i) metrics.task_settled("a", i, true);
  EXPECT_THAT(lines_of(metrics, "ai_agent_task_success_rate"),
              ElementsAre("ai_agent_task_success_rate{agent=\"a\"} 1"));
}

TEST(MetricsTest, ATaskThatIsRetriedByHandCountsOnceWithHowItEndedLast) {
  Metrics metrics("1");
  metrics.task_settled("a", 1, false);
  metrics.task_settled("a", 2, true);
  metrics.task_settled("a", 1, true);
  EXPECT_THAT(lines_of(metrics, "ai_agent_task_success_rate"),
              ElementsAre("ai_agent_task_success_rate{agent=\"a\"} 1"));
}

TEST(MetricsTest, ApprovalsAreCountedByDecisionAndWayAndTheLongestWaitIsShown) {
  Metrics metrics("1");
  metrics.approval_decided("approve", "cli");
  metrics.approval_decided("approve", "cli");
  metrics.approval_decided("reject", "deadline");
  metrics.approval_reminded();
  metrics.ask_queue([] { return QueueGauges{.approval_oldest_seconds = 90}; });
  EXPECT_THAT(lines_of(metrics, "davit_approvals_total"),
              ElementsAre("davit_approvals_total{decision=\"approve\",way=\"cli\"} 2",
                          "davit_approvals_total{decision=\"reject\",way=\"deadline\"} 1"));
  EXPECT_THAT(lines_of(metrics, "davit_reminders_total"), ElementsAre("davit_reminders_total 1"));
  EXPECT_THAT(lines_of(metrics, "davit_approval_oldest_seconds"),
              ElementsAre("davit_approval_oldest_seconds 90"));
  EXPECT_THAT(lines_of(metrics, "davit_queue_oldest_seconds"), ElementsAre("davit_queue_oldest_seconds 0"));
}

TEST(MetricsTest, WhatWasPrunedIsCountedByKind) {
  Metrics metrics("1");
  metrics.pruned(3, 0);
  metrics.pruned(1, 7);
  EXPECT_THAT(lines_of(metrics, "davit_pruned_rows_total"),
              ElementsAre("davit_pruned_rows_total{kind=\"delivery\"} 4",
                          "davit_pruned_rows_total{kind=\"task\"} 7"));
}

TEST(MetricsTest, LabelValuesBeyondTheCapAreCountedAsOther) {
  Metrics metrics("1");
  for (std::size_t i = 0; i < kMaxLabelValues + 10; ++i) metrics.plugin_refused("code_" + std::to_string(i));
  metrics.plugin_refused("code_0");
  auto lines = lines_of(metrics, "davit_plugin_load_failures_total");
  EXPECT_EQ(lines.size(), kMaxLabelValues + 1);
  EXPECT_THAT(lines, Contains("davit_plugin_load_failures_total{code=\"other\"} 10"));
  EXPECT_THAT(lines, Contains("davit_plugin_load_failures_total{code=\"code_0\"} 2"));
}

TEST(MetricsTest, CombinationsBeyondTheCapAreCountedTogether) {
  Metrics metrics("1");
  for (int webhook = 0; webhook < 60; ++webhook)
    for (int reason = 0; reason < 60; ++reason)
      metrics.delivery_rejected("w" + std::to_string(webhook), "r" + std::to_string(reason));
  auto lines = lines_of(metrics, "davit_delivery_rejections_total");
  EXPECT_EQ(lines.size(), kMaxSeries);
  std::string rest = std::to_string(60 * 60 - (kMaxSeries - 1));
  EXPECT_THAT(lines, Contains("davit_delivery_rejections_total{webhook=\"other\",reason=\"other\"} " + rest));
}

TEST(MetricsTest, ValuesThatAreNoTextOrTooLongAreCountedAsOther) {
  Metrics metrics("1");
  metrics.plugin_refused("\xff\xfe");
  metrics.plugin_refused(std::string(200, 'x'));
  metrics.plugin_refused("a\"b\nc");
  EXPECT_THAT(lines_of(metrics, "davit_plugin_load_failures_total"),
              testing::UnorderedElementsAre("davit_plugin_load_failures_total{code=\"other\"} 2",
                                            "davit_plugin_load_failures_total{code=\"a\\\"b\\nc\"} 1"));
}

TEST(MetricsTest, AsksGaugesAtEachExpositionAndAddsUpSeveralAnswers) {
  Metrics metrics("1");
  std::int64_t open = 5;
  metrics.ask_connections([&] { return open; });
  metrics.ask_runners([] { return RunnerGauges{.busy = 2, .idle = 1}; });
  metrics.ask_runners([] { return RunnerGauges{.busy = 1, .idle = 0}; });
  int asked = 0;
  metrics.ask_queue([&] {
    ++asked;
    return QueueGauges{{{"planner", "queued", 7}}, 12.5, 0, {{"github", 3}}};
  });
  EXPECT_THAT(lines_of(metrics, "davit_http_connections"), ElementsAre("davit_http_connections 5"));
  open = 6;
  std::string text = metrics.exposition();
  EXPECT_EQ(asked, 2) << "once per exposition";
  EXPECT_THAT(text, HasSubstr("davit_http_connections 6\n"));
  EXPECT_THAT(text, HasSubstr("davit_runners{state=\"busy\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("davit_runners{state=\"idle\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("davit_queue_tasks{agent=\"planner\",state=\"queued\"} 7\n"));
  EXPECT_THAT(text, HasSubstr("davit_queue_oldest_seconds 12.5\n"));
  EXPECT_THAT(text, HasSubstr("davit_deliveries_deferred{webhook=\"github\"} 3\n"));
}

TEST(MetricsTest, PluginsThatServeReplaceThoseBefore) {
  Metrics metrics("1");
  metrics.plugins_serving({{PluginKind::Webhook, "github", "1.0", "aa"}});
  metrics.plugins_serving({{PluginKind::Webhook, "github", "1.1", "bb"}});
  EXPECT_THAT(
      lines_of(metrics, "davit_plugin_info"),
      ElementsAre("davit_plugin_info{kind=\"webhook\",name=\"github\",version=\"1.1\",sha256=\"bb\"} 1"));
}

TEST(MetricsTest, WhatIsWantedAndDoesNotServeIsToldWithItsStateUntilItDoes) {
  Metrics metrics("1");
  metrics.plugins_not_serving({{PluginKind::Webhook, "github", "missing"}});
  EXPECT_THAT(
      lines_of(metrics, "davit_plugin_not_serving"),
      ElementsAre("davit_plugin_not_serving{kind=\"webhook\",name=\"github\",state=\"missing\"} 1"));
  metrics.plugins_not_serving({});
  EXPECT_THAT(lines_of(metrics, "davit_plugin_not_serving"), ::testing::IsEmpty());
}

TEST(MetricsTest, WhatSeldomRisesIsSeenAtZeroOnceItsPluginServes) {
  Metrics metrics("1");
  metrics.plugins_serving(
      {{PluginKind::Webhook, "github", "1.0", "aa"}, {PluginKind::Agent, "planner", "1.0", "bb"}});
  EXPECT_THAT(lines_of(metrics, "davit_deliveries_total"),
              Contains("davit_deliveries_total{webhook=\"github\",outcome=\"parked\"} 0"));
  EXPECT_THAT(lines_of(metrics, "davit_tasks_ended_total"),
              Contains("davit_tasks_ended_total{agent=\"planner\",state=\"failed\"} 0"));
}

TEST(MetricsTest, TasksThatEndedBeforeARestartCountForTheRateOnly) {
  Metrics metrics("1");
  metrics.restore_settled("a", 1, false);
  metrics.task_settled("a", 2, true);
  EXPECT_THAT(lines_of(metrics, "davit_tasks_ended_total"),
              ElementsAre("davit_tasks_ended_total{agent=\"a\",state=\"completed\"} 1"));
  EXPECT_THAT(lines_of(metrics, "ai_agent_task_success_rate"),
              ElementsAre("ai_agent_task_success_rate{agent=\"a\"} 0.5"));
}

TEST(MetricsTest, PartsAndWhatTheProcessTakesAreTold) {
  Metrics metrics("1");
  metrics.ask_parts([] { return std::vector<PartGauge>{{"store", true}, {"disk", false}}; });
  EXPECT_THAT(lines_of(metrics, "davit_ready"),
              ElementsAre("davit_ready{part=\"store\"} 1", "davit_ready{part=\"disk\"} 0"));
  for (const char* name :
       {"process_cpu_seconds_total", "process_resident_memory_bytes", "process_virtual_memory_bytes",
        "process_open_fds", "process_max_fds", "process_start_time_seconds"}) {
    const auto lines = lines_of(metrics, name);
    ASSERT_EQ(lines.size(), 1u) << name;
    EXPECT_GT(std::stod(lines[0].substr(lines[0].find(' '))), 0) << lines[0];
  }
}

TEST(MetricsTest, CountersContinueFromWhatTheRowsKnow) {
  Metrics metrics("1");
  metrics.restore_executions("a", "completed", "fix", 41);
  Usage usage;
  usage.cost_micro_usd = 2'000'000;
  usage.models["small"].cost_micro_usd = 500'000;
  metrics.restore_usage("a", usage);
  metrics.task_settled("a", 1, false);
  metrics.task_settled("a", 2, true);
  metrics.execution_booked("a", "completed", "fix", usage);
  metrics.task_settled("a", 3, true);
  EXPECT_THAT(lines_of(metrics, "ai_agent_execution_total"),
              ElementsAre("ai_agent_execution_total{agent=\"a\",status=\"success\",task_type=\"fix\"} 42"));
  EXPECT_THAT(lines_of(metrics, "ai_agent_cost_total_usd"),
              testing::UnorderedElementsAre("ai_agent_cost_total_usd{agent=\"a\",model=\"unknown\"} 3",
                                            "ai_agent_cost_total_usd{agent=\"a\",model=\"small\"} 1"));
  EXPECT_THAT(lines_of(metrics, "ai_agent_task_success_rate"),
              ElementsAre(StartsWith("ai_agent_task_success_rate{agent=\"a\"} 0.66")));
}

TEST(MetricsTest, ManySmallCostsAddUpToWhatTheirSumIsAfterARestart) {
  Metrics before("1"), after("1");
  Usage cent, all;
  cent.cost_micro_usd = 10'000;
  for (int i = 0; i < 1'000; ++i) before.execution_booked("a", "completed", "fix", cent);
  all.cost_micro_usd = 10'000'000;
  after.restore_usage("a", all);
  EXPECT_EQ(lines_of(before, "ai_agent_cost_total_usd"), lines_of(after, "ai_agent_cost_total_usd"));
}

TEST(MetricsTest, TheDatabaseIsAskedForItsSize) {
  Metrics metrics("1");
  metrics.ask_database([] { return DatabaseGauges{3, 2, 1}; });
  EXPECT_THAT(lines_of(metrics, "davit_database_bytes"),
              ElementsAre("davit_database_bytes{kind=\"used\"} 3", "davit_database_bytes{kind=\"free\"} 2",
                          "davit_database_bytes{kind=\"log\"} 1"));
  metrics.ask_database(
      [] { return DatabaseGauges{.disk_free = 7, .failed_commits = 2, .waiting_writes = 5}; });
  EXPECT_THAT(lines_of(metrics, "davit_disk_free_bytes"), ElementsAre("davit_disk_free_bytes 7"));
  EXPECT_THAT(lines_of(metrics, "davit_commit_failures_total"), ElementsAre("davit_commit_failures_total 2"));
  EXPECT_THAT(lines_of(metrics, "davit_writes_waiting"), ElementsAre("davit_writes_waiting 5"));
}

TEST(MetricsTest, ThreadsThatMeetTheSameSeriesForTheFirstTimeLoseNoCount) {
  Metrics metrics("1");
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) metrics.request_answered("/r" + std::to_string(i % 20), 200);
    });
  std::thread([&] { EXPECT_THAT(metrics.exposition(), HasSubstr("davit_http_requests_total")); }).join();
  threads.clear();
  auto lines = lines_of(metrics, "davit_http_requests_total");
  EXPECT_EQ(lines.size(), 20u);
  for (const std::string& line : lines) EXPECT_THAT(line, testing::EndsWith(" 400"));
}

}  // namespace
}  // namespace davit::metrics
