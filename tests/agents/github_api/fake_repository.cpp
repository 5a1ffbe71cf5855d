// The fake's part that is about the repository itself: what was pushed, and what its checks find.
#include <sstream>

#include "tests/agents/git_workspace/git_server.h"
#include "tests/agents/github_api/fake_github.h"

namespace davit::testing {
namespace {

constexpr std::int64_t kActions = 15368;  // the id of GitHub's own App

const char* status_word(char letter) {
  return letter == 'A' ? "added" : letter == 'D' ? "removed" : "modified";
}

}  // namespace

void FakeGithub::lie_at(const std::filesystem::path& repository) {
  std::lock_guard lock(mutex_);
  repository_ = repository;
}

void FakeGithub::check_commits(Conclude conclusion, const std::string& log) {
  std::lock_guard lock(mutex_);
  conclusion_ = std::move(conclusion);
  log_of_checks_ = log;
}

// A closed pull request keeps the head that it had, and a fork's branches lie elsewhere.
void FakeGithub::read_repository() {
  branches_.clear();
  std::istringstream lines(
      run_git(repository_, {"for-each-ref", "--format=%(objectname) %(refname:lstrip=2)", "refs/heads"}));
  for (std::string sha, branch; lines >> sha >> branch;) branches_[branch] = sha;
  for (auto& [number, pull] : pulls_) {
    const std::string label(pull.at_pointer("/head/label").string_or("")), own = "acme:";
    if (pull["state"] != "open" || !label.starts_with(own)) continue;
    const auto branch = branches_.find(label.substr(own.size()));
    if (branch == branches_.end()) continue;
    Json head(pull["head"]);
    pull.set("head", std::move(head.set("sha", branch->second)));
  }
}

// Where git finds its head.
void FakeGithub::show_pull(int number, const std::string& branch) {
  run_git(repository_,
          {"symbolic-ref", "refs/pull/" + std::to_string(number) + "/head", "refs/heads/" + branch});
}

// As GitHub shows it: against where the branch began.
std::vector<Json>& FakeGithub::files_of(int number) {
  std::vector<Json>& files = issues_[number].files;
  const auto pull = pulls_.find(number);
  if (repository_.empty() || pull == pulls_.end()) return files;
  files.clear();
  const std::string range = std::string(pull->second.at_pointer("/base/ref").string_or("")) + "..." +
                            std::string(pull->second.at_pointer("/head/sha").string_or(""));
  std::istringstream lines(run_git(repository_, {"diff", "--no-renames", "--name-status", range}));
  for (std::string line; std::getline(lines, line);) {
    const std::string path = line.substr(line.find('\t') + 1);
    Json file = Json::object({{"filename", path}, {"status", status_word(line[0])}});
    const std::string diff = run_git(repository_, {"diff", "--no-renames", range, "--", path});
    if (const std::size_t hunk = diff.find("\n@@"); hunk != std::string::npos)
      file.set("patch", diff.substr(hunk + 1));
    files.push_back(std::move(file));
  }
  return files;
}

void FakeGithub::check_commit(const std::string& sha) {
  if (!conclusion_ || sha.empty()) return;
  for (const Json& run : runs_)
    if (run["head_sha"] == sha) return;
  const std::int64_t run = next_id_++, job = next_id_++;
  const auto ended = [&](Json json) {
    return json.set("head_sha", sha).set("status", "completed").set("conclusion", conclusion_(sha));
  };
  runs_.push_back(ended(Json::object({{"id", run},
                                      {"name", "CI"},
                                      {"workflow_id", 1},
                                      {"check_suite_id", run},
                                      {"event", "push"},
                                      {"run_attempt", 1}})));
  check_runs_.push_back(
      ended(Json::object({{"id", job},
                          {"name", "test"},
                          {"html_url", "https://github.example/acme/shop/job"},
                          {"app", Json::object({{"id", kActions}, {"slug", "github-actions"}})},
                          {"check_suite", Json::object({{"id", run}})}})));
  logs_[job] = log_of_checks_;
}

}  // namespace davit::testing
