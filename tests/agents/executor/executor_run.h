// An execution of the built agent, with a GitHub and repositories of this machine, and a program in the model's
// place in the real sandbox; its tests run in the real sandbox, too.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "github_api/api.h"
#include "plan_page/plan_page.h"
#include "tests/agents/agent_run/agent_run.h"
#include "tests/agents/git_workspace/git_server.h"
#include "tests/agents/git_workspace/pushed.h"
#include "tests/agents/github_api/fake_github.h"
#include "tests/agents/github_api/state_folder.h"
#include "tests/agents/model_session/scripted_claude.h"
#include "work_item/work_item.h"

namespace executor_test {

namespace fs = std::filesystem;
using agent_run::Got;
using davit::Json;
using davit::JsonView;
using davit::Status;
using davit::testing::Blob;
using davit::testing::FakeGithub;
using davit::testing::run_git;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

inline constexpr const char* kToken = FakeGithub::kToken;
inline constexpr const char* kShop = "acme/shop";
inline constexpr const char* kBranch = "davit/plan-shop-1-aaaa";
inline constexpr const char* kPlanFile = "docs/plans/shop-1.md";
inline constexpr int kPull = 2;

inline const work::Request kRequest{.source = "github",
                             .title = "Wrong sum",
                             .text = "It is 1 cent off.",
                             .url = "https://github.com/acme/shop/issues/1",
                             .author = "user-9"};

inline work::Plan plan() {
  work::Plan plan(
      Json::parse(R"({"status": "planned", "summary": "The sum is rounded twice.", "root_cause": "",
      "estimate": "small", "steps": [{"what": "Round once.", "why": "", "files": ["src/total"]}],
      "files": ["src/total"], "tests": ["check.sh"], "risks": []})"));
  plan.path = kPlanFile;
  return plan;
}

// What a session says of its work.
inline Json answer() {
  return Json::parse(R"({"status": "done", "summary": "The sum is right.",
      "commit_message": "Round the sum once\n\nIt was rounded twice.", "files": ["src/total"],
      "tests": {"added": [], "ran": [], "passed": true}, "deviations": []})");
}

class ExecutorAgentTest : public testing::Test {
 protected:
  ExecutorAgentTest() {
    server_.token = kToken;
    server_.before = [this](const davit::testing::Asked& asked, davit::testing::Wire& wire) {
      const auto pushed = davit::testing::pushed_in(asked);
      if (pushed && on_push && on_push(wire)) return true;
      if (pushed) {
        fake_.add_branch(pushed->branch, pushed->sha);
        fake_.move_head(kPull, pushed->sha);
      }
      return false;
    };
    const std::string main = server_.commit(
        kShop, "main",
        {{"src/total", Blob{"1\n"}},
         {"check.sh", Blob{"grep -q 2 src/total && echo good || { echo the total is wrong; exit 1; }\n"}},
         {".gitignore", Blob{"*.o\n"}}});
    run_git(server_.repository(kShop), {"branch", kBranch, "main"});
    planned_ = server_.commit(kShop, kBranch, {{kPlanFile, Blob{plan_page::file_of(plan(), kRequest)}}});
    fake_.add_branch("main", main);
    fake_.add_branch(kBranch, planned_);
    fake_.add_issue(kRequest.title, kRequest.text);
    fake_.permit(11, "write");
    fake_.permit(12, "write");
    open_pull();
    given_.plugin = "executor_agent";
    given_.state_folder = state_.path();
    given_.secrets = {{"github_token", kToken}, {claude_.kGrant, claude_.grant()}};
    fs::create_directories(workspace());
    config_.set("github", Json::object({{"api", fake_.api()}, {"git_url", "http://" + server_.host()}}));
    config_.set("notes", Json::object({{"github", false}}));
    config_.set("test_command", Json::array({"sh", "check.sh"}));
    config_.set("ready", false);  // two changes at GitHub are a second apart
    claude_.add_to(config_);
    play(put("src/total", "2\n"));
    approve();
  }

  fs::path workspace() const { return state_.path() / "workspace"; }

  void open_pull() {
    const davit::testing::StateFolder state;
    github::Api api({.api = fake_.api(), .token = kToken, .state_folder = state.path()}, {});
    const github::Repo repo{"acme", "shop"};
    const github::Pull pull = api.ensure_pull(repo, {.branch = kBranch,
                                                     .base = "main",
                                                     .title = "Plan: Wrong sum",
                                                     .body = plan_page::body_of(plan(), kRequest, kPlanFile),
                                                     .draft = true});
    EXPECT_EQ(pull.number, kPull);
  }

  // What planning-agent hands on: asked for by user 11, on issue 1.
  work::Item item() const {
    work::Item item;
    item.chain = "0190a1b2-0000-7000-8000-00000000aaaa";
    item.asked_by = {"github", Json::object({{"id", "11"}, {"login", "user-11"}}),
                     Json::parse(R"({"source": "github", "sender": {"id": "11", "type": "User"}})")};
    item.request = kRequest;
    item.repository = kShop;
    item.pull = work::Pull{kPull, "https://github.example/acme/shop/pull/2", kBranch, planned_};
    item.plan = plan();
    item.source_sha256 = work::sha256_of(kRequest);
    return item;
  }
  // The task as the host gives it once user 12 approved it.
  void approve(const work::Item& item, const std::string& task = "0190a1b2-0000-7000-8000-00000000bbbb") {
    given_.previous_result = Json::object({{"work", item.json()}});
    Json of = Json::object({{"task_id", task}, {"agent", "executor-agent"}, {"source", "chain"}});
    of.set("payload", Json::object()).set("entity", Json::object({{"key", "github:acme/shop#1"}}));
    given_.context = Json::object({{"task_id", task},
                                   {"session_id", "7d1f0b52-6c1e-4c3a-9b60-0a51f6f3c201"},
                                   {"max_retries", 3},
                                   {"workspace", workspace().string()}});
    given_.context.set("task", std::move(of));
    set_approval(Json::object({{"by", "github:user-12"},
                               {"actor_id", "12"},
                               {"way", "github comment"},
                               {"at", 1'795'685'000'000},
                               {"content_hash", std::string(64, 'c')}}));
  }
  void approve() { approve(item()); }
  void set_approval(Json approval) { given_.context.set("approval", std::move(approval)); }

  // Lines for the program in the model's place: that file holds that afterwards.
  std::string put(const std::string& path, const std::string& content) {
    const std::string name = "content-" + std::to_string(files_++);
    return "put " + path + " " + claude_.file(name, content) + "\n";
  }
  void play(const std::string& script) { claude_.answer(answer(), script); }

  const Got& run() {
    // As if more than a second had passed since the last change that was asked of GitHub.
    fs::remove_all(state_.path() / "github");
    given_.config = config_.dump();
    got_ = agent_run::run(given_);
    for (const auto& line : got_.transcript) transcript_.push_back(line);
    return got_;
  }
  // Of a run that went well.
  const Json& result() {
    run();
    EXPECT_EQ(got_.status, Status::Ok) << got_.why;
    EXPECT_TRUE(got_.result["success"].bool_or(false)) << got_.result["error"].string_or("");
    return got_.result;
  }
  // Why it failed for good, whichever way.
  std::string failure() {
    run();
    if (got_.status != Status::Ok) return got_.status == Status::Permanent ? got_.why : "not permanent";
    EXPECT_FALSE(got_.result["success"].bool_or(true));
    EXPECT_EQ(got_.result["error_class"], "permanent");
    return std::string(got_.result["error"].string_or(""));
  }

  int sessions() const { return scripted::sessions_of(transcript_); }
  std::string told() const { return scripted::lines_of(transcript_, "stderr"); }
  std::string head() const { return server_.head(kShop, kBranch); }
  std::string git(std::vector<std::string> arguments) const {
    return run_git(server_.repository(kShop), std::move(arguments));
  }
  std::string commits_above_the_plan() const {
    return git({"rev-list", "--count", planned_ + ".." + head()});
  }
  std::string pull_text(const char* member) {
    const Json pull = fake_.pull(kPull);
    return std::string(pull[member].string_or(""));
  }
  bool is_draft() {
    const Json pull = fake_.pull(kPull);
    return pull["draft"].bool_or(false);
  }

  std::function<bool(davit::testing::Wire&)> on_push;  // true: it was answered
  const scripted::Claude claude_;
  const davit::testing::StateFolder state_;
  FakeGithub fake_;
  davit::testing::GitServer server_;
  scripted::Transcript transcript_;  // of all executions
  Json config_ = Json::object();
  agent_run::Given given_;
  Got got_;  // of the last execution
  std::string planned_;
  int files_ = 0;
};

}  // namespace executor_test
