// What an execution makes of reports, also of those that no runner of ours would send.
#include "host/dispatch/execution.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "host/base/json.h"
#include "host/plugin/marshal.h"
#include "tests/support/fake_clock.h"

namespace davit::dispatch {
namespace {

using isolation::artifact_report;
using isolation::transcript_report;
using ::testing::ElementsAre;
using Heard = Execution::Heard;

class ExecutionTest : public ::testing::Test {
 protected:
  static std::shared_ptr<const ServingAgent> serving() {
    auto agent = std::make_shared<plugin::Agent>();
    agent->settings.name = "worker";
    agent->settings.granted = {{"TOKEN", "s3cr3t-value"}};
    agent->generation = std::make_shared<plugin::Generation>();
    return std::make_shared<const ServingAgent>(agent);
  }
  std::vector<std::string> said() {
    std::vector<std::string> lines;
    for (const store::TranscriptPack& pack : execution_.take_transcript().packs) {
      const auto unpacked = store::unpack_lines(pack.first_line, pack.lines, pack.bytes, pack.packed).value();
      for (const store::TranscriptLine& line : unpacked) lines.push_back(line.kind + ": " + line.text);
    }
    return lines;
  }
  davit::testing::FakeClock clock_;
  Execution execution_{ClaimedTask{}, serving(), {.artifacts = {.max_size = 20, .max_total = 30}}, clock_};
};

TEST_F(ExecutionTest, AnArtifactWithoutProperNameIsRefused) {
  for (const char* name : {"../x", "", "..", "a/b"})
    EXPECT_EQ(execution_.hear(artifact_report(name, "text/plain", 1), "x"), Heard::ArtifactRefused) << name;
  EXPECT_FALSE(execution_.next_artifact());
  EXPECT_EQ(said().at(0), "davit: an artifact was not kept: its name is none that a file may have");
}

TEST_F(ExecutionTest, AnArtifactThatIsNotAsLargeAsItIsSaidToBeIsRefused) {
  EXPECT_EQ(execution_.hear(artifact_report("a", "text/plain", 5), "four"), Heard::ArtifactRefused);
  EXPECT_EQ(execution_.hear(artifact_report("b", "text/plain", 1), std::string(21, 'x')),
            Heard::ArtifactRefused);
  EXPECT_FALSE(execution_.next_artifact());
  EXPECT_THAT(
      said(),
      ElementsAre("davit: artifact \"a\" was not kept: it did not come whole",
                  "davit: artifact \"b\" was not kept: 21 bytes are more than artifacts.max_size (20)"));
}

TEST_F(ExecutionTest, ArtifactsGoOneAfterTheOtherAndTheNewestOfAName) {
  EXPECT_EQ(execution_.hear(artifact_report("a", "text/plain", 5), "first"), Heard::ArtifactWaits);
  EXPECT_EQ(execution_.next_artifact()->content, "first");
  execution_.hear(artifact_report("a", "text/plain", 6), "second");
  execution_.hear(artifact_report("a", "text/plain", 5), "third");
  EXPECT_FALSE(execution_.next_artifact()) << "one is on its way";
  EXPECT_TRUE(execution_.has_artifacts());
  execution_.artifact_stored({});
  EXPECT_EQ(execution_.next_artifact()->content, "third");
  execution_.artifact_stored(Error{ErrorCode::Overloaded, "too many writes wait"});
  EXPECT_FALSE(execution_.has_artifacts());
  EXPECT_THAT(said(), ElementsAre("davit: artifact \"a\" was not kept: too many writes wait"));
}

isolation::CallOutcome refuses_the_approval() {
  AgentResult result;
  result.failure = FailureClass::ApprovalRefused;
  result.error = "not by him";
  result.usage.cost_micro_usd = 7;
  isolation::CallOutcome outcome;
  outcome.end = isolation::CallEnd::Answered;
  outcome.answer = R"({"result":)" + plugin::to_json(result) + "}";
  return outcome;
}

TEST_F(ExecutionTest, AnApprovalDoesNotCountOnlyWhereItRanOnOne) {
  const Ended without = execution_.conclude(refuses_the_approval());
  EXPECT_EQ(without.result.failure, FailureClass::Permanent);
  EXPECT_EQ(without.outcome, "failed");
  EXPECT_EQ(without.result.error,
            "the agent says that an approval does not count, and this task ran on none: not by him");

  ClaimedTask task;
  task.approval = TaskDecision{.kind = "approve", .by = "github:bob"};
  const Execution approved(task, serving(), {}, clock_);
  isolation::CallOutcome late = refuses_the_approval();
  late.past_deadline = true;
  for (const isolation::CallOutcome& outcome : {refuses_the_approval(), late}) {
    const Ended with = approved.conclude(outcome);
    EXPECT_EQ(with.result.failure, FailureClass::ApprovalRefused);
    EXPECT_EQ(with.outcome, "approval_refused");
    EXPECT_EQ(with.result.error, "not by him");
    EXPECT_EQ(with.result.usage.cost_micro_usd, 7) << "what it has cost is spent";
  }

  Execution stopped(task, serving(), {}, clock_);
  stopped.stop(StopReason::CancelRequested);
  EXPECT_EQ(stopped.conclude(refuses_the_approval()).outcome, "cancelled");
}

// Every text that an agent can put into a result or a report, with a way to put one there.
struct Place {
  const char* name;
  std::function<void(AgentResult&, const std::string&)> put;
};
NewTask& task_of(AgentResult& result) {
  if (result.tasks.empty()) result.tasks.push_back({.agent = "other"});
  return result.tasks.front();
}
const Place kPlaces[] = {
    {"error", [](AgentResult& result, const std::string& text) { result.error = text; }},
    {"output", [](AgentResult& result, const std::string& text) { result.output = json_quote(text); }},
    {"metrics", [](AgentResult& result,
                   const std::string& text) { result.metrics = "{\"m\":" + json_quote(text) + "}"; }},
    {"next_agent", [](AgentResult& result, const std::string& text) { result.next_agent = text; }},
    {"next_input",
     [](AgentResult& result, const std::string& text) { result.next_input = json_quote(text); }},
    {"also", [](AgentResult& result, const std::string& text) { result.also = {text}; }},
    {"usage.model", [](AgentResult& result, const std::string& text) { result.usage.model = text; }},
    {"usage.models",
     [](AgentResult& result, const std::string& text) { result.usage.models[text].cost_micro_usd = 5; }},
    {"tasks.agent", [](AgentResult& result, const std::string& text) { task_of(result).agent = text; }},
    {"tasks.task_type",
     [](AgentResult& result, const std::string& text) { task_of(result).task_type = text; }},
    {"tasks.title", [](AgentResult& result, const std::string& text) { task_of(result).title = text; }},
    {"tasks.payload",
     [](AgentResult& result, const std::string& text) { task_of(result).payload = json_quote(text); }},
    {"tasks.entity", [](AgentResult& result, const std::string& text) { task_of(result).entity = text; }},
    {"tasks.key", [](AgentResult& result, const std::string& text) { task_of(result).key = text; }},
};

TEST_F(ExecutionTest, NoTextOfAResultHoldsASecret) {
  for (const Place& place : kPlaces) {
    AgentResult result;
    result.success = true;
    result.usage.cost_micro_usd = 7;
    place.put(result, "s3cr3t-value");
    const Ended ended = execution_.conclude({.answer = isolation::agent_result_answer(result)});
    const std::string kept = plugin::to_json(ended.result);
    EXPECT_EQ(kept.find("s3cr3t"), std::string::npos) << place.name << ": " << kept;
    EXPECT_NE(kept.find("[secret TOKEN]"), std::string::npos) << place.name << ": " << kept;
  }
}

TEST_F(ExecutionTest, NoTextOfALiveReportHoldsASecret) {
  execution_.hear(isolation::usage_report(
                      R"({"cost_usd":3,"model":"s3cr3t-value","models":{"s3cr3t-value":{"cost_usd":1},)"
                      R"("[secret TOKEN]":{"cost_usd":2}}})"),
                  "");
  execution_.hear(isolation::progress_report(0.5, "s3cr3t-value", ""), "");
  std::optional<store::LiveReport> report = execution_.take_report();
  ASSERT_TRUE(report && report->usage);
  EXPECT_EQ(report->progress_message, "[secret TOKEN]");
  EXPECT_EQ(report->usage->model, "[secret TOKEN]");
  ASSERT_EQ(report->usage->models.size(), 1u);
  EXPECT_EQ(report->usage->models.at("[secret TOKEN]").cost_micro_usd, 3'000'000) << "both are one now";
  execution_.hear(isolation::progress_report(0.6, "phase", "now s3cr3t-value"), "");
  EXPECT_EQ(execution_.take_report()->progress_message, "now [secret TOKEN]");
  // What is said live is what counts when the result says nothing of it, or there is none.
  for (const isolation::CallEnd end : {isolation::CallEnd::Answered, isolation::CallEnd::Crashed}) {
    const std::string answer = isolation::agent_result_answer({.success = true});
    EXPECT_EQ(execution_.conclude({.end = end, .answer = answer}).result.usage.model, "[secret TOKEN]");
  }
}

TEST_F(ExecutionTest, AnEstimateIsChargedUntilTheResultKnowsBetter) {
  execution_.hear(isolation::usage_report(R"({"cost_usd":3,"cost_is_estimate":true})"), "");
  EXPECT_EQ(execution_.take_report()->usage->cost_micro_usd, 3'000'000);
  AgentResult result{.success = true};
  result.usage.cost_micro_usd = 2'000'000;
  const Usage known = execution_.conclude({.answer = isolation::agent_result_answer(result)}).result.usage;
  EXPECT_EQ(known.cost_micro_usd, 2'000'000);
  EXPECT_FALSE(known.cost_is_estimate);
  const Usage killed = execution_.conclude({.end = isolation::CallEnd::Crashed}).result.usage;
  EXPECT_EQ(killed.cost_micro_usd, 3'000'000);
  EXPECT_TRUE(killed.cost_is_estimate);
}

TEST_F(ExecutionTest, LinesAreCutAndHoldNoSecretWhateverARunnerSends) {
  execution_.hear(transcript_report("s3cr3t-value" + std::string(100, 'k'), std::string(100'000, 'x')), "");
  execution_.hear(transcript_report("text", "a\x1b[31m s3cr3t-value"), "");
  execution_.hear("no report at all", "");
  const std::vector<std::string> lines = said();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].find("[secret TOKEN]"), 0u);
  EXPECT_LT(lines[0].size(), 66'000u);
  EXPECT_EQ(lines[1].find('\x1b'), std::string::npos);
  EXPECT_EQ(lines[1].find("s3cr3t"), std::string::npos);
}

}  // namespace
}  // namespace davit::dispatch
