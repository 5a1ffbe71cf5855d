// What checks that ended say about a commit, by rule.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "github_api/checks.h"

namespace cicd {

// Why a check failed. The same commit failed twice where that could be tried, so chance is out.
enum class Cause {
  Real,     // the change, as far as anybody can tell
  Infra,    // the machine it ran on, or a service of that
  Stopped,  // nothing: somebody ended it, or has to let it begin
};
std::string_view name_of(Cause cause);

struct Failed {
  github::Check check;
  std::string name;  // of one line, without secrets
  Cause cause = Cause::Real;
  std::string sign = {};        // what speaks for Infra
  std::string log = {};         // its end, without secrets
  std::string why_no_log = {};  // a sentence; empty when there is one
};

enum class Verdict {
  Green,
  Flaky,  // green, after what had failed was started again
  Infra,
  Real,  // the change broke something, whatever else is broken
  None,  // there is no check, or somebody stopped what failed
};
std::string_view name_of(Verdict verdict);

// Those that failed by themselves: a workflow run is named by its failed jobs, and a job that was cancelled
// because another one of its run failed is not named at all.
std::vector<github::Check> failures_in(const github::Checks& checks);

// Workflow runs that failed, in an attempt up to `reruns`: their failed jobs may be started again. None that
// somebody cancelled.
std::vector<github::Check> to_start_again(const github::Checks& checks, int reruns);

// `text`: what is known of how it failed, its log or its summary. `sign` gets the pattern that decided.
Cause cause_of(const github::Check& check, std::string_view text,
               const std::vector<std::string>& infra_patterns, std::string& sign);

Verdict verdict_of(const github::Checks& checks, const std::vector<Failed>& failed, bool started_again);

}  // namespace cicd
