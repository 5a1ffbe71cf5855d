#include "cicd/judge.h"

#include <algorithm>
#include <set>

#include "github_api/paths.h"

namespace cicd {

using github::Check;
using github::CheckKind;
using github::Checks;
using github::CheckState;

namespace {

bool is_stopped(const Check& check) {
  return check.conclusion == "cancelled" || check.conclusion == "action_required" ||
         check.conclusion == "stale";
}

}  // namespace

std::string_view name_of(Cause cause) {
  constexpr std::string_view kNames[] = {"real", "infra", "stopped"};
  return kNames[static_cast<std::size_t>(cause)];
}

std::string_view name_of(Verdict verdict) {
  constexpr std::string_view kNames[] = {"green", "flaky", "infra", "real", "none"};
  return kNames[static_cast<std::size_t>(verdict)];
}

std::vector<Check> failures_in(const Checks& checks) {
  std::set<std::int64_t> with_jobs, with_failed_jobs;
  for (const Check& check : checks.all) {
    if (check.state != CheckState::Bad || check.kind != CheckKind::CheckRun || check.run == 0) continue;
    with_jobs.insert(check.run);
    if (!is_stopped(check)) with_failed_jobs.insert(check.run);
  }
  std::vector<Check> failures;
  for (const Check& check : checks.all) {
    if (check.state != CheckState::Bad) continue;
    if (check.kind == CheckKind::WorkflowRun && with_jobs.contains(check.run)) continue;
    if (check.kind == CheckKind::CheckRun && is_stopped(check) && with_failed_jobs.contains(check.run))
      continue;
    failures.push_back(check);
  }
  return failures;
}

std::vector<Check> to_start_again(const Checks& checks, int reruns) {
  std::vector<Check> runs;
  for (const Check& check : checks.all) {
    const bool failed = check.conclusion == "failure" || check.conclusion == "timed_out";
    if (check.kind == CheckKind::WorkflowRun && failed && check.attempt >= 1 && check.attempt <= reruns)
      runs.push_back(check);
  }
  return runs;
}

Cause cause_of(const Check& check, std::string_view text, const std::vector<std::string>& infra_patterns,
               std::string& sign) {
  if (is_stopped(check)) return Cause::Stopped;
  // The file of a workflow is wrong, or GitHub could not begin: no file that an agent may change.
  if (check.conclusion == "startup_failure") return Cause::Infra;
  const std::string small = github::lower(std::string(text));
  for (const std::string& pattern : infra_patterns) {
    if (small.find(github::lower(pattern)) == std::string::npos) continue;
    sign = pattern;
    return Cause::Infra;
  }
  return Cause::Real;
}

Verdict verdict_of(const Checks& checks, const std::vector<Failed>& failed, bool started_again) {
  const auto any = [&](Cause cause) {
    return std::any_of(failed.begin(), failed.end(), [&](const Failed& one) { return one.cause == cause; });
  };
  if (any(Cause::Real)) return Verdict::Real;
  if (any(Cause::Infra)) return Verdict::Infra;
  if (checks.all.empty() || any(Cause::Stopped)) return Verdict::None;
  return started_again ? Verdict::Flaky : Verdict::Green;
}

}  // namespace cicd
