#include "github_api/checks.h"

#include <algorithm>
#include <limits>
#include <set>
#include <tuple>
#include <utility>

#include "davit/failure.hpp"

namespace github {
namespace {

using davit::Failure;
using davit::JsonView;

std::string text(JsonView json) { return std::string(json.string_or("")); }

std::int64_t id_in(JsonView json) { return std::max<std::int64_t>(json.int_or(0), 0); }

Check named(CheckKind kind, JsonView json, JsonView name) {
  Check check{.kind = kind, .id = id_in(json["id"]), .name = text(name)};
  if (check.id == 0 || check.name.empty())
    throw Failure::permanent("GitHub's answer has a check without id or name");
  return check;
}

// Of check runs and workflow runs.
// Source: docs.github.com/rest/checks/runs, "List check runs for a Git reference".
void conclude(Check& check, JsonView json) {
  if (json["status"] != "completed") return;
  check.conclusion = text(json["conclusion"]);
  if (check.conclusion.empty()) return;
  const bool good =
      check.conclusion == "success" || check.conclusion == "neutral" || check.conclusion == "skipped";
  check.state = good ? CheckState::Good : CheckState::Bad;
}

// Keeps of each key the one with the highest id.
template <class One, class KeyOf>
void keep_newest(std::vector<One>& all, KeyOf key_of) {
  std::map<decltype(key_of(all.front())), std::int64_t> newest;
  for (const One& one : all) {
    std::int64_t& id = newest[key_of(one)];
    id = std::max(id, one.check.id);
  }
  std::erase_if(all, [&](const One& one) { return newest.at(key_of(one)) != one.check.id; });
}

}  // namespace

bool Checks::any(CheckState state) const {
  return std::any_of(all.begin(), all.end(), [&](const Check& check) { return check.state == state; });
}

CheckRun check_run_of(JsonView json) {
  CheckRun run{.check = named(CheckKind::CheckRun, json, json["name"]),
               .app = id_in(json["app"]["id"]),
               .suite = id_in(json["check_suite"]["id"]),
               .sha = text(json["head_sha"]),
               .by_workflow = json["app"]["slug"] == "github-actions"};
  conclude(run.check, json);
  run.check.url = text(json["html_url"]);
  run.check.summary = text(json["output"]["summary"]);
  return run;
}

Check status_of(JsonView json) {
  Check check = named(CheckKind::Status, json, json["context"]);
  check.url = text(json["target_url"]);
  check.summary = text(json["description"]);
  const JsonView state = json["state"];
  if (state == "success") check.state = CheckState::Good;
  if (state == "failure" || state == "error") check.state = CheckState::Bad;
  if (check.state != CheckState::Waiting) check.conclusion = text(state);
  return check;
}

WorkflowRun workflow_run_of(JsonView json) {
  // A workflow without a name is called by its file.
  const JsonView name = json["name"].string_or("").empty() ? json["path"] : json["name"];
  WorkflowRun run{.check = named(CheckKind::WorkflowRun, json, name),
                  .workflow = id_in(json["workflow_id"]),
                  .suite = id_in(json["check_suite_id"]),
                  .sha = text(json["head_sha"]),
                  .event = text(json["event"])};
  conclude(run.check, json);
  run.check.url = text(json["html_url"]);
  run.check.run = run.check.id;
  run.check.attempt =
      static_cast<int>(std::min<std::int64_t>(id_in(json["run_attempt"]), std::numeric_limits<int>::max()));
  return run;
}

Checks latest_of(const std::string& sha, std::vector<CheckRun> check_runs, std::vector<Check> statuses,
                 std::vector<WorkflowRun> workflow_runs) {
  const auto of_another = [&](const auto& run) { return run.sha != sha; };
  std::erase_if(check_runs, of_another);
  std::erase_if(workflow_runs, of_another);

  std::set<std::int64_t> old_suites;
  for (const WorkflowRun& run : workflow_runs) {
    if (run.suite > 0) old_suites.insert(run.suite);
  }
  keep_newest(workflow_runs, [](const WorkflowRun& run) { return std::pair(run.workflow, run.event); });
  std::map<std::int64_t, const WorkflowRun*> run_of_suite;
  for (const WorkflowRun& run : workflow_runs) {
    old_suites.erase(run.suite);
    run_of_suite[run.suite] = &run;
  }
  std::erase_if(check_runs, [&](const CheckRun& run) { return old_suites.contains(run.suite); });
  // Two workflows may each have a job of the same name; another program has it in one suite after the other.
  keep_newest(check_runs, [](const CheckRun& run) {
    return std::tuple(run.app, run.by_workflow ? run.suite : 0, run.check.name);
  });

  Checks checks;
  for (CheckRun& run : check_runs) {
    if (const auto workflow = run_of_suite.find(run.suite);
        run.by_workflow && workflow != run_of_suite.end()) {
      run.check.run = workflow->second->check.id;
      run.check.attempt = workflow->second->check.attempt;
    }
    checks.all.push_back(std::move(run.check));
  }
  for (Check& status : statuses) checks.all.push_back(std::move(status));
  for (WorkflowRun& run : workflow_runs) checks.all.push_back(std::move(run.check));
  return checks;
}

}  // namespace github
