// davit as it is shipped, with all of its agents, at work on a repository of this machine. Real are the host,
// the plugins, their sandbox and git; in the places of GitHub, Jira, Sentry, Slack and the model's program
// are those of tests/agents.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/agents/git_workspace/git_server.h"
#include "tests/agents/github_api/fake_github.h"
#include "tests/agents/model_session/scripted_claude.h"
#include "tests/agents/source_note/fake_senders.h"
#include "tests/integration/agents_chain/davit_program.h"

namespace davit::testing {

// Waits for what other processes do; false when it takes so long that something hangs.
template <class Condition>
bool comes(const Condition& condition, std::chrono::seconds patience = std::chrono::seconds(120)) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // polls the API of another process
  }
  return true;
}

// The repository acme/shop has one file, whose sum is wrong (issue 1). Its checks are red until the file says
// what kRight says; the executor's test is content with any sum. The model plans to add, does it and finds
// one thing to say about it, at a price for each.
//
// Confined to one thread.
class AgentsHost {
 public:
  static constexpr const char* kFile = "src/cart.cpp";
  static constexpr const char* kWrong = "int total(int a, int b) { return a - b; }\n";
  static constexpr const char* kHalf = "int total(int a, int b) { return b + b; }\n";
  static constexpr const char* kRight = "int total(int a, int b) { return a + b; }\n";
  static constexpr const char* kLog = "CartTest.Sums: expected 5, got 6\n";        // of checks that are red
  static constexpr double kPlanUsd = 0.11, kExecuteUsd = 0.23, kReviewUsd = 0.07;  // of a session
  // Who sets labels and comments in the recorded deliveries, and may write to the repository.
  static constexpr std::int64_t kLabeller = 35286603, kCommenter = 4643017;

  AgentsHost();

  // What a session of each kind does.
  void plan(const std::string& summary = "The sum subtracts.");
  void execute(const std::string& content);  // of the file; what checks complain of is repaired
  void review();
  // A plan's session ends by a limit of the account that lasts until then, and has cost nothing.
  void limit_plans(std::chrono::sys_seconds until);

  // Further lines of an agent's section of the configuration, by its name: "concurrency: 1".
  std::map<std::string, std::string> further_lines;
  // With these settings beside those that all tests have: an agent's name, and JSON of its config.
  void start(const std::map<std::string, Json>& configs = {});

  // A recorded delivery of a sender, with texts in it replaced, signed as that sender does it and sent. The
  // id of its task; empty where it made none, and then `said` is the answer.
  using Replace = std::vector<std::pair<std::string, std::string>>;
  std::string send(const std::string& webhook, const std::string& payload, const Replace& replace,
                   const std::string& event = "");
  std::string label_issue(int number = 1);                  // by kLabeller
  void comment(int number, const std::string& first_line, std::int64_t by = kCommenter);
  // The command that davit's note on an issue tells people to write, once it tells one; empty where that does
  // not come.
  std::string told_command(int number);
  std::string said;

  // Of a chain, by its first task: the task that waits for a person, once one does, and the hash that an
  // approval names.
  struct Waiting {
    std::string task, hash;
  };
  Waiting waiting(const std::string& root);
  std::optional<Waiting> what_waits(const Json& root);  // without waiting for it
  bool approve(const Waiting& waiting);
  // All of a chain, once nothing of it goes on: its first task as the API shows it. Empty if that does not
  // come.
  Json ended(const std::string& root);
  static bool has_ended(const Json& root);
  Json task(const std::string& id);
  // "planning-agent completed", of each task of a chain in its order.
  static std::vector<std::string> states(const Json& root);
  // Once notify-agent has done what it does when a chain stops and is not done.
  bool has_told_of_the_end();
  // The sum over all executions of a chain, by their tasks.
  double cost_of_executions(const Json& root);
  // How often the model was asked in it.
  int sessions(const Json& root);

  std::string git(std::vector<std::string> arguments) const;
  std::string branch() const;  // the one that was pushed
  // What was asked of GitHub that changes something: "POST /repos/acme/shop/pulls".
  std::vector<std::string> changes() const;

  scripted::Claude claude;
  FakeGithub github;
  GitServer repositories;
  FakeJira jira{"Bearer jira-secret"};
  FakeSentry sentry{"Bearer sentry-secret"};
  FakeSlack slack{"Bearer slack-secret"};
  DavitProgram davit;  // the last: it asks the others

 private:
  Json shared_config() const;
};

}  // namespace davit::testing
