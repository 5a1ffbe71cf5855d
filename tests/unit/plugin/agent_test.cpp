#include "host/plugin/agent.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "host/base/json.h"
#include "host/plugin/marshal.h"
#include "tests/unit/plugin/support.h"

namespace davit::plugin {
namespace {

class AgentInstanceTest : public testing::Test {
 protected:
  Result<std::unique_ptr<AgentInstance>> create(const std::string& mode) {
    auto loaded = PluginModule::load(test::good_plugin("good_agent"));
    if (auto* refusal = std::get_if<Refusal>(&loaded)) return Error{ErrorCode::Internal, refusal->reason};
    auto module = std::get<0>(loaded);
    settings_.name = "good-agent";
    settings_.config = "{\"mode\":\"" + mode + "\"}";
    return AgentInstance::create(module, module->report().offers[0], settings_, reports_, *log_, clock_);
  }
  AgentResult run(const std::string& mode, Duration time = Duration(60'000)) {
    auto agent = create(mode);
    EXPECT_TRUE(agent.ok()) << agent.error().message;
    return (*agent)->run("{\"task_id\":\"t\"}", clock_.monotonic() + time);
  }

  std::unique_ptr<Log> log_ = Log::silent();
  SystemClock clock_;
  AgentSettings settings_;
  AgentReports reports_;
};

TEST_F(AgentInstanceTest, GivesTheResultTheAgentWrote) {
  AgentResult result = run("echo");
  EXPECT_TRUE(result.success);
  EXPECT_EQ(result.failure, FailureClass::None);
  EXPECT_EQ(result.output, "{\"task_id\":\"t\"}");
  EXPECT_EQ(result.metrics, "{\"runs\":1}");
}

TEST_F(AgentInstanceTest, AnInstanceRunsMoreThanOnceAndForgetsTheUsageBefore) {
  reports_.usage = [](std::string_view) {};
  auto agent = create("echo");
  ASSERT_TRUE(agent.ok());
  (*agent)->run("{}", clock_.monotonic() + Duration(60'000));
  AgentResult second = (*agent)->run("{}", clock_.monotonic() + Duration(60'000));
  EXPECT_EQ(second.metrics, "{\"runs\":2}");
  EXPECT_EQ(second.usage.input_tokens, 7);
}

TEST_F(AgentInstanceTest, ReportsReachTheHostWhileItRuns) {
  std::string seen;
  reports_.progress = [&](double fraction, std::string_view phase, std::string_view message) {
    seen += std::to_string(static_cast<int>(fraction * 100)) + " " + std::string(phase) + " " +
            std::string(message) + ";";
  };
  reports_.usage = [&](std::string_view json) {
    seen += std::to_string(usage_from_json(json)->cost_micro_usd) + ";";
  };
  reports_.transcript = [&](std::string_view kind, std::string_view line) {
    seen += std::string(kind) + ": " + std::string(line) + ";";
  };
  AgentResult result = run("echo");
  EXPECT_EQ(seen, "50 work half way;10000;assistant: hello;");
  EXPECT_EQ(result.usage.cost_micro_usd, 10'000);
  EXPECT_EQ(result.usage.model, "test-model");
}

TEST_F(AgentInstanceTest, ServicesThatAreNotOfferedAreNull) {
  EXPECT_EQ(run("services").output, "[false,false,false,false,false,false]");
  reports_.progress = [](double, std::string_view, std::string_view) {};
  reports_.kv_read = [](std::string_view) -> Result<std::string> { return std::string(); };
  EXPECT_EQ(run("services").output, "[true,false,false,false,false,false]");
}

TEST_F(AgentInstanceTest, ArtifactsAndValuesGoThroughTheHost) {
  std::string artifact, value;
  reports_.artifact = [&](std::string_view name, std::string_view type,
                          std::string_view content) -> Result<> {
    artifact = std::string(name) + "|" + std::string(type) + "|" + std::string(content);
    return {};
  };
  reports_.kv_write = [&](std::string_view, std::string_view bytes) -> Result<> {
    return value = bytes, Result<>();
  };
  reports_.kv_read = [&](std::string_view) -> Result<std::string> { return value; };
  reports_.kv_remove = [](std::string_view) -> Result<> { return {}; };
  AgentResult result = run("artifact");
  EXPECT_TRUE(result.success) << result.error;
  EXPECT_EQ(artifact, "plan.txt|text/plain|the plan");
  EXPECT_EQ(result.output, "\"green\"");
}

TEST_F(AgentInstanceTest, SecretsAreThoseGrantedByName) {
  EXPECT_EQ(run("secret").output, "null");
  settings_.granted = {{"OTHER", "\"no\""}, {"TOKEN", "\"sesame\""}};
  EXPECT_EQ(run("secret").output, "\"sesame\"");
}

TEST_F(AgentInstanceTest, APreExecuteThatSaysNoEndsTheTaskForGood) {
  AgentResult result = run("refuse");
  EXPECT_FALSE(result.success);
  EXPECT_EQ(result.failure, FailureClass::Permanent);
  EXPECT_EQ(result.error, "the repository is frozen");
}

TEST_F(AgentInstanceTest, APreExecuteThatNamesATimePutsOffWhatIsNotBegun) {
  AgentResult result = run("rescued_wait");
  EXPECT_FALSE(result.success) << "it is no error that on_error could make up for";
  EXPECT_EQ(result.failure, FailureClass::PutOff);
  EXPECT_EQ(result.error, "the model is asked nothing at present");
  EXPECT_EQ(result.retry_after, Duration(1500));
}

TEST_F(AgentInstanceTest, FailuresKeepClassSentenceAndWait) {
  AgentResult failed = run("fail");
  EXPECT_EQ(failed.failure, FailureClass::Permanent);
  EXPECT_EQ(failed.error, "no such branch");
  AgentResult status = run("status");
  EXPECT_EQ(status.failure, FailureClass::RateLimited);
  EXPECT_EQ(status.error, "the model is busy");
  EXPECT_EQ(status.retry_after, Duration(1500));
}

TEST_F(AgentInstanceTest, OnErrorMayStillMakeAResult) {
  AgentResult result = run("rescued");
  EXPECT_TRUE(result.success);
  EXPECT_EQ(result.output, "\"rescued from: the model is busy\"");
}

TEST_F(AgentInstanceTest, OnErrorHearsOfAFailureBeforeAndAfterTheWork) {
  EXPECT_EQ(run("rescued_before").output, "\"rescued from: no disk to check out on\"");
  reports_.usage = [](std::string_view) {};
  AgentResult after = run("rescued_after");
  EXPECT_TRUE(after.success);
  EXPECT_EQ(after.output, "\"rescued from: the plan has no end\"");
  EXPECT_EQ(after.usage.input_tokens, 7) << "what the work cost it cost";
}

TEST_F(AgentInstanceTest, PostExecuteDoesNotChangeWhatOnErrorMade) {
  EXPECT_EQ(run("rescued").output, "\"rescued from: the model is busy\"")
      << "this one's would say \"changed\"";
}

TEST_F(AgentInstanceTest, AFailureOfPostExecuteStandsWhereNobodyMakesUpForIt) {
  AgentResult failed = run("bad_end");
  EXPECT_FALSE(failed.success);
  EXPECT_EQ(failed.failure, FailureClass::Retryable);
  EXPECT_EQ(failed.error, "the plan has no end");
}

TEST_F(AgentInstanceTest, PostExecuteHasTheLastWord) { EXPECT_EQ(run("post").output, "\"changed\""); }

TEST_F(AgentInstanceTest, AResultThatCannotBeReadIsAFailureThatSaysHow) {
  AgentResult result = run("garbage");
  EXPECT_FALSE(result.success);
  EXPECT_EQ(result.failure, FailureClass::Retryable);
  EXPECT_NE(result.error.find("execute"), std::string::npos) << result.error;
}

TEST_F(AgentInstanceTest, UsageNeverShrinks) {
  std::vector<std::int64_t> seen;
  reports_.usage = [&](std::string_view json) { seen.push_back(usage_from_json(json)->input_tokens); };
  AgentResult result = run("shrink");
  EXPECT_EQ(seen, (std::vector<std::int64_t>{100, 100}));
  EXPECT_EQ(result.usage.input_tokens, 100);
  EXPECT_EQ(result.usage.output_tokens, 3);
  EXPECT_EQ(result.usage.cost_micro_usd, 500'000);
}

TEST_F(AgentInstanceTest, NegativeCostCountsAsNothing) {
  reports_.usage = [](std::string_view) {};
  AgentResult result = run("negative");
  EXPECT_TRUE(result.success);
  EXPECT_EQ(result.usage.cost_micro_usd, 0);
  EXPECT_EQ(result.usage.input_tokens, 0);
}

TEST_F(AgentInstanceTest, CancelEndsTheRunAsCancelled) {
  auto agent = create("waits");
  ASSERT_TRUE(agent.ok());
  // Before or during the run: both count.
  std::thread canceller([&] { (*agent)->cancel(); });
  AgentResult result = (*agent)->run("{}", clock_.monotonic() + Duration(60'000));
  canceller.join();
  EXPECT_EQ(result.failure, FailureClass::Cancelled);
  EXPECT_EQ(result.error, "stopped as asked");
}

TEST_F(AgentInstanceTest, TheDeadlineIsVisibleToTheAgent) {
  EXPECT_EQ(run("waits", Duration(30)).failure, FailureClass::Deadline);
}

TEST_F(AgentInstanceTest, NobodyIsCancelledByHisOwnWord) {
  EXPECT_EQ(run("sly").failure, FailureClass::Retryable);
}

TEST_F(AgentInstanceTest, AConfigThatTheSchemaRefusesGivesNoInstance) {
  settings_.config = "{}";
  auto loaded = PluginModule::load(test::good_plugin("good_agent"));
  auto module = std::get<0>(loaded);
  settings_.config = "{\"mode\":7}";
  auto agent = AgentInstance::create(module, module->report().offers[0], settings_, {}, *log_, clock_);
  ASSERT_FALSE(agent.ok());
  EXPECT_EQ(agent.error().code, ErrorCode::InvalidInput);
  EXPECT_NE(agent.error().message.find("/mode"), std::string::npos);
}

}  // namespace
}  // namespace davit::plugin
