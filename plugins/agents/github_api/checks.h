// What was found out about a commit: GitHub knows two systems, check runs and statuses, and workflow runs
// beside them. All three are read, for each alone can be green while another is red.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "davit/json.hpp"

namespace github {

enum class CheckState {
  Waiting,
  Good,  // success, neutral, skipped
  Bad,   // all else, also what was cancelled or wants a person
};

enum class CheckKind { CheckRun, Status, WorkflowRun };

struct Check {
  CheckKind kind = CheckKind::CheckRun;
  CheckState state = CheckState::Waiting;
  std::int64_t id = 0;  // of a workflow's check run also that of its job, of which there is a log
  std::string name = {};
  std::string conclusion = {};  // in GitHub's word: "failure", "timed_out", "error"; empty while it waits
  std::string url = {};         // for people
  std::string summary = {};     // what whoever made it says; hostile, may be long
  std::int64_t run = 0;         // the workflow run, of GitHub's own; 0: of another program
  int attempt = 0;              // of that run, from 1 on
};

struct Checks {
  std::vector<Check> all;  // the latest of each

  bool any(CheckState state) const;
};

// One element of check_runs, statuses and workflow_runs. They throw davit::Failure(Permanent) without an id
// or name; a state that is not known waits for ever rather than being good.
struct CheckRun {
  Check check;
  std::int64_t app = 0, suite = 0;
  std::string sha = {};
  bool by_workflow = false;
};
struct WorkflowRun {
  Check check;
  std::int64_t workflow = 0, suite = 0;
  std::string sha = {}, event = {};
};
CheckRun check_run_of(davit::JsonView json);
Check status_of(davit::JsonView json);
WorkflowRun workflow_run_of(davit::JsonView json);

// Those of the commit `sha`, each in its latest attempt: a workflow that ran twice for one event counts with
// its newer run, and the check runs of its older one are out, red or green. Other programs' check runs count
// with the newest of their name.
Checks latest_of(const std::string& sha, std::vector<CheckRun> check_runs, std::vector<Check> statuses,
                 std::vector<WorkflowRun> workflow_runs);

}  // namespace github
