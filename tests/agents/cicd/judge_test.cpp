// The rules by which failures are told apart.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cicd/feedback.h"
#include "cicd/judge.h"
#include "cicd/settings.h"

namespace {

using namespace cicd;
using github::Check;
using github::CheckKind;
using github::Checks;
using github::CheckState;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Check job(std::int64_t id, const std::string& conclusion, std::int64_t run = 7) {
  return {.kind = CheckKind::CheckRun,
          .state = conclusion == "success" ? CheckState::Good : CheckState::Bad,
          .id = id,
          .name = "job",
          .conclusion = conclusion,
          .run = run,
          .attempt = run > 0 ? 1 : 0};
}

Check workflow(const std::string& conclusion, int attempt = 1, std::int64_t id = 7) {
  Check check = job(id, conclusion, id);
  check.kind = CheckKind::WorkflowRun;
  check.attempt = attempt;
  return check;
}

std::vector<std::int64_t> ids(const std::vector<Check>& checks) {
  std::vector<std::int64_t> ids;
  for (const Check& check : checks) ids.push_back(check.id);
  return ids;
}

TEST(JudgeTest, AWorkflowRunIsNamedByItsFailedJobs) {
  EXPECT_THAT(ids(failures_in({{job(1, "success"), job(2, "failure"), workflow("failure")}})),
              ElementsAre(2));
  EXPECT_THAT(ids(failures_in({{workflow("startup_failure")}})), ElementsAre(7)) << "it has no jobs";
}

TEST(JudgeTest, WhatWasCancelledBecauseAnotherJobFailedIsNotNamed) {
  EXPECT_THAT(ids(failures_in({{job(1, "cancelled"), job(2, "failure"), workflow("failure")}})),
              ElementsAre(2));
  EXPECT_THAT(ids(failures_in({{job(1, "cancelled"), workflow("cancelled")}})), ElementsAre(1));
  EXPECT_THAT(ids(failures_in({{job(1, "cancelled", 8), job(2, "failure", 9)}})), ElementsAre(1, 2))
      << "of another run";
}

TEST(JudgeTest, OtherProgramsChecksAreNamedThemselves) {
  EXPECT_THAT(ids(failures_in({{job(1, "failure", 0), job(2, "cancelled", 0)}})), ElementsAre(1, 2));
  EXPECT_THAT(ids(failures_in({{job(1, "success", 0)}})), IsEmpty());
}

TEST(JudgeTest, OnlyWhatFailedEarlyIsStartedAgain) {
  const auto again = [](const Check& check, int reruns) {
    return !to_start_again({{check}}, reruns).empty();
  };
  EXPECT_TRUE(again(workflow("failure", 1), 1));
  EXPECT_TRUE(again(workflow("timed_out", 1), 1));
  EXPECT_TRUE(again(workflow("failure", 2), 2));
  EXPECT_FALSE(again(workflow("failure", 2), 1));
  EXPECT_FALSE(again(workflow("failure", 1), 0));
  EXPECT_FALSE(again(workflow("failure", 0), 1)) << "nobody knows which attempt that is";
  for (const char* conclusion : {"success", "cancelled", "action_required", "startup_failure", "stale"})
    EXPECT_FALSE(again(workflow(conclusion, 1), 1)) << conclusion;
  EXPECT_FALSE(again(job(1, "failure"), 1)) << "jobs are started with their run";
}

TEST(JudgeTest, ALogThatSpeaksOfTheMachineIsInfra) {
  const std::vector<std::string> patterns = shipped_infra_patterns();
  std::string sign;
  EXPECT_EQ(cause_of(job(1, "failure"), "write: No space left on device\n", patterns, sign), Cause::Infra);
  EXPECT_EQ(sign, "no space left on device");
  sign.clear();
  EXPECT_EQ(cause_of(job(1, "failure"), "expected 1, got 2", patterns, sign), Cause::Real);
  EXPECT_EQ(cause_of(job(1, "timed_out"), "", patterns, sign), Cause::Real);
  EXPECT_EQ(cause_of(workflow("startup_failure"), "", patterns, sign), Cause::Infra);
  EXPECT_EQ(sign, "");
  EXPECT_EQ(cause_of(job(1, "failure"), "OUR PROXY IS DOWN", {"our proxy"}, sign), Cause::Infra);
}

TEST(JudgeTest, WhatSomebodyStoppedIsNobodysFault) {
  std::string sign;
  for (const char* conclusion : {"cancelled", "action_required", "stale"})
    EXPECT_EQ(cause_of(job(1, conclusion), "no space left on device", shipped_infra_patterns(), sign),
              Cause::Stopped);
}

TEST(JudgeTest, TheWorstCauseDecides) {
  const Checks checks{{job(1, "failure")}};
  const auto verdict = [&](std::vector<Cause> causes) {
    std::vector<Failed> failed;
    for (const Cause cause : causes) failed.push_back({.check = checks.all[0], .cause = cause});
    return verdict_of(checks, failed, false);
  };
  EXPECT_EQ(verdict({Cause::Stopped, Cause::Infra, Cause::Real}), Verdict::Real);
  EXPECT_EQ(verdict({Cause::Stopped, Cause::Infra}), Verdict::Infra);
  EXPECT_EQ(verdict({Cause::Stopped}), Verdict::None);
  EXPECT_EQ(verdict({}), Verdict::Green);
  EXPECT_EQ(verdict_of(checks, {}, true), Verdict::Flaky);
  EXPECT_EQ(verdict_of({}, {}, false), Verdict::None);
}

TEST(JudgeTest, TheExecutorIsToldWhatFailedAndGetsTheLogsOfTheChangesOwn) {
  const std::vector<Failed> failed = {
      {.check = job(1, "failure"), .name = "test", .log = "out of 1\n"},
      {.check = job(2, "failure"), .name = "build", .why_no_log = "GitHub has no log"},
      {.check = job(3, "failure"), .name = "upload", .cause = Cause::Infra, .log = "no space left"}};
  EXPECT_EQ(feedback_for("abc", failed, true, 1000),
            "Checks of commit abc failed, also when they were started again:\n"
            "- test: failure\n- build: failure\n- upload: failure, not by the change (infra)\n"
            "\nThe end of what test said:\nout of 1\n\n\nbuild: GitHub has no log\n");
}

}  // namespace
