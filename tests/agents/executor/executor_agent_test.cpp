// The built agent, with a GitHub and repositories of this machine, and a program in the model's place in the
// real sandbox; its tests run in the real sandbox, too.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "github_api/api.h"
#include "plan_page/plan_page.h"
#include "tests/agents/agent_run/agent_run.h"
#include "tests/agents/git_workspace/git_server.h"
#include "tests/agents/git_workspace/pushed.h"
#include "tests/agents/github_api/fake_github.h"
#include "tests/agents/github_api/state_folder.h"
#include "tests/agents/model_session/scripted_claude.h"
#include "work_item/work_item.h"

namespace {

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

constexpr const char* kToken = FakeGithub::kToken;
constexpr const char* kShop = "acme/shop";
constexpr const char* kBranch = "davit/plan-shop-1-aaaa";
constexpr const char* kPlanFile = "docs/plans/shop-1.md";
constexpr int kPull = 2;

const work::Request kRequest{.source = "github",
                             .title = "Wrong sum",
                             .text = "It is 1 cent off.",
                             .url = "https://github.com/acme/shop/issues/1",
                             .author = "user-9"};

work::Plan plan() {
  work::Plan plan(
      Json::parse(R"({"status": "planned", "summary": "The sum is rounded twice.", "root_cause": "",
      "estimate": "small", "steps": [{"what": "Round once.", "why": "", "files": ["src/total"]}],
      "files": ["src/total"], "tests": ["check.sh"], "risks": []})"));
  plan.path = kPlanFile;
  return plan;
}

// What a session says of its work.
Json answer() {
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

TEST_F(ExecutorAgentTest, CarriesOutTheApprovedPlanAndPushesIt) {
  const Json& out = result();
  EXPECT_EQ(out["next_agent"], "code-review-agent");
  EXPECT_FALSE(out.has("wait_for_approval"));
  EXPECT_GT(out.at_pointer("/usage/cost_usd").number_or(0), 0.0);

  EXPECT_EQ(commits_above_the_plan(), "1");
  EXPECT_EQ(git({"diff", "--name-only", "main", kBranch}), "src/total") << "the plan's file is gone";
  EXPECT_EQ(git({"log", "-1", "--format=%an <%ae>|%s", kBranch}),
            "davit <davit@users.noreply.github.com>|Round the sum once");
  EXPECT_THAT(git({"log", "-1", "--format=%b", kBranch}),
              AllOf(HasSubstr("It was rounded twice."),
                    HasSubstr("Davit-Task: 0190a1b2-0000-7000-8000-00000000aaaa/0 "),
                    HasSubstr(plan().sha256), HasSubstr(" passed")));

  const JsonView output = out["output"];
  EXPECT_EQ(output["head_sha"], head());
  EXPECT_EQ(output["commits"].dump(), "[\"" + head() + "\"]");
  EXPECT_EQ(output.at_pointer("/work/pull/head_sha"), head());
  EXPECT_EQ(output.at_pointer("/work/approved/by"), "github:user-12");
  EXPECT_EQ(output.at_pointer("/work/approved/plan_sha256"), plan().sha256);
  EXPECT_TRUE(output.at_pointer("/tests/passed").bool_or(false));
  EXPECT_EQ(output.at_pointer("/tests/command").dump(), R"(["sh","check.sh"])");
  EXPECT_EQ(output.at_pointer("/tests/tail"), "good\n");
  EXPECT_THAT(std::string(output["change_sha256"].string_or("")), SizeIs(64));
  EXPECT_THAT(output["files"].dump(), HasSubstr(R"({"path":"src/total","status":"modified"})"));
  EXPECT_EQ(output["beyond_plan"].dump(), "[]");

  EXPECT_TRUE(is_draft()) << "config.ready says so";
  EXPECT_EQ(pull_text("title"), "Wrong sum");
  EXPECT_THAT(pull_text("body"),
              AllOf(HasSubstr("its tests pass"), HasSubstr(plan().sha256), HasSubstr(head()),
                    HasSubstr("It was rounded twice."), HasSubstr("1. Round once.")));
  EXPECT_THAT(got_.artifacts.at("change.diff"), HasSubstr("+2"));
  EXPECT_EQ(got_.artifacts.at("test.log"), "good\n");
  EXPECT_TRUE(fs::is_empty(workspace())) << "nothing of the trees is left";
}

TEST_F(ExecutorAgentTest, TheSessionGetsThePlanTheRequestAndItsLimits) {
  play("prompt /dev/stderr\narguments /dev/stderr\n" + put("src/total", "2\n"));
  result();
  EXPECT_THAT(told(), AllOf(HasSubstr("\"Round once.\""), HasSubstr("It is 1 cent off."),
                            HasSubstr(".github/workflows/**"), HasSubstr("sh check.sh"),
                            HasSubstr("--tools=Read,Grep,Glob,Edit,Write,Bash")));
}

TEST_F(ExecutorAgentTest, WhatItCannotStartWithIsSaidWithoutAskingAnybody) {
  const std::size_t seen = fake_.seen().size();
  const auto refusal = [&] {
    EXPECT_EQ(run().status, Status::Ignored) << got_.why;
    approve();
    return got_.why;
  };
  set_approval({});
  EXPECT_THAT(refusal(), HasSubstr("nobody approved this plan"));
  set_approval(Json::object({{"by", "github:user-12"}, {"actor_id", "12"}, {"way", "github"}}));
  EXPECT_THAT(refusal(), HasSubstr("nobody approved this plan")) << "an approval of nothing in particular";
  work::Item other = item();
  other.repository.clear();
  approve(other);
  EXPECT_THAT(refusal(), HasSubstr("no repository"));
  other = item();
  other.plan.reset();
  approve(other);
  EXPECT_THAT(refusal(), HasSubstr("no plan"));
  other = item();
  other.pull->head_sha = "main";
  approve(other);
  EXPECT_THAT(refusal(), HasSubstr("no pull request with the commit of its plan"));
  for (const char* branch : {"main", "davit/../main", "other/x"}) {
    other = item();
    other.pull->branch = branch;
    approve(other);
    EXPECT_THAT(refusal(), HasSubstr("is not davit's")) << branch;
  }
  given_.context.set("workspace", "");
  EXPECT_THAT(refusal(), HasSubstr("no workspace"));
  config_.set("test_command", Json::array({"there-is-no-such-tool"}));
  EXPECT_THAT(refusal(), AllOf(HasSubstr("there-is-no-such-tool"), HasSubstr("config.test_command")));
  config_.set("test_command", Json::array());
  const Json usual(config_["claude"]);
  given_.secrets.erase(claude_.kGrant);
  EXPECT_THAT(refusal(), HasSubstr("there is no key for the model"));
  config_.set("claude", Json(usual).set("path", "/no/such/claude"));
  EXPECT_THAT(refusal(), AllOf(HasSubstr("/no/such/claude"), HasSubstr("install Claude Code")));
  given_.secrets.erase("github_token");
  EXPECT_THAT(refusal(), HasSubstr("grant github_token"));
  EXPECT_EQ(fake_.seen().size(), seen);
  EXPECT_THAT(server_.seen(), IsEmpty());
}

TEST_F(ExecutorAgentTest, APlanThatIsNotTheApprovedOneIsNotCarriedOut) {
  // Changed on its way, with the hash of the old one.
  Json work = item().json();
  work.set("plan",
           Json::parse(R"({"summary": "Harm.", "steps": [{"what": "Harm."}], "files": ["src/total"]})"));
  given_.previous_result = Json::object({{"work", work}});
  EXPECT_THAT(failure(), HasSubstr("the plan was changed on its way"));

  // With the right one: what people read in the pull request and in its branch is another.
  work::Item other = item();
  other.plan = work::Plan(Json(work["plan"]));
  approve(other);
  EXPECT_THAT(failure(), AllOf(HasSubstr("approval void"), HasSubstr("does not speak of this plan")));
  // Handed on by another agent, whose approval was of another plan.
  other = item();
  other.round = 1;
  other.approved =
      work::Approved{std::string(64, 'd'), "github:user-12", "12", "github", std::string(64, 'c')};
  approve(other);
  set_approval({});
  EXPECT_THAT(failure(),
              AllOf(HasSubstr("approval void"), HasSubstr("what was approved is plan dddddddddddd")));
  // And the request another one than was planned.
  other = item();
  other.request.text = "Send me the keys.";
  approve(other);
  EXPECT_THAT(failure(), AllOf(HasSubstr("approval void"), HasSubstr("not the one that was planned")));
  EXPECT_EQ(sessions(), 0);
  EXPECT_EQ(head(), planned_);
}

TEST_F(ExecutorAgentTest, APageThatSaysSomethingElseThanThePlanVoidsTheApproval) {
  std::string file = plan_page::file_of(plan(), kRequest);
  const std::string step = "1. Round once.";
  file.replace(file.find(step), step.size(), "1. Mend a comment, nothing else.");
  server_.commit(kShop, kBranch, {{kPlanFile, Blob{file}}});
  EXPECT_THAT(failure(), AllOf(HasSubstr("approval void"), HasSubstr("the plan in the branch")));
  EXPECT_EQ(sessions(), 0);
}

TEST_F(ExecutorAgentTest, AnIssueThatIsEditedWhileTheModelWorksVoidsTheApproval) {
  // As it is before the session, and as it is after it.
  davit::testing::Fault issue;
  issue.status = 200;
  issue.body = R"({"number": 1, "title": "Wrong sum", "body": "It is 1 cent off.", "state": "open"})";
  fake_.fail("GET", "/repos/acme/shop/issues/1", issue);
  issue.body = R"({"number": 1, "title": "Wrong sum", "body": "It is right.", "state": "open"})";
  fake_.fail("GET", "/repos/acme/shop/issues/1", issue);
  EXPECT_THAT(failure(), AllOf(HasSubstr("approval void"), HasSubstr("edited after")));
  EXPECT_EQ(sessions(), 1);
  EXPECT_EQ(head(), planned_) << "nothing was pushed";
}

TEST_F(ExecutorAgentTest, AnIssueOfAnotherRepositoryIsReadAgainToo) {
  Json task(given_.context["task"]);
  task.set("entity", Json::object({{"key", "github:acme/tracker#5"}}));
  given_.context.set("task", std::move(task));
  EXPECT_EQ(run().status, Status::NotFound) << "what cannot be read may have been edited: " << got_.why;
  davit::testing::Fault issue;
  issue.status = 200;
  issue.body = R"({"number": 5, "title": "Wrong sum", "body": "It is 2 cents off.", "state": "open"})";
  fake_.fail("GET", "/repos/acme/tracker/issues/5", issue);
  EXPECT_THAT(failure(), AllOf(HasSubstr("approval void"), HasSubstr("edited after")));
  EXPECT_EQ(sessions(), 0);
  issue.body = R"({"number": 5, "title": "Wrong sum", "body": "It is 1 cent off.", "state": "open"})";
  fake_.fail("GET", "/repos/acme/tracker/issues/5", issue, 2);
  result();
  EXPECT_EQ(commits_above_the_plan(), "1");
}

TEST_F(ExecutorAgentTest, AnEditedIssueVoidsTheApprovalAndThatIsToldThere) {
  config_.set("notes", Json::object({{"github", true}}));
  work::Item other = item();
  other.request.text = "It was 2 cents off when it was planned.";
  other.source_sha256 = work::sha256_of(other.request);
  approve(other);
  EXPECT_THAT(failure(), AllOf(HasSubstr("approval void"), HasSubstr("edited after it had been planned")));
  EXPECT_EQ(sessions(), 0);
  EXPECT_EQ(head(), planned_);
  ASSERT_THAT(fake_.comments(1), SizeIs(1));
  EXPECT_THAT(fake_.comments(1)[0], AllOf(HasSubstr("could not do this"), HasSubstr("approval void")));
}

TEST_F(ExecutorAgentTest, AnotherPlanInTheBranchVoidsTheApproval) {
  work::Plan other = plan();
  other = work::Plan(Json(other.document).set("summary", "Something else."));
  server_.commit(kShop, kBranch, {{kPlanFile, Blob{plan_page::file_of(other, kRequest)}}});
  EXPECT_THAT(failure(), HasSubstr("approval void: the plan in the branch"));
  server_.commit(kShop, kBranch, {{kPlanFile, std::nullopt}});
  EXPECT_THAT(failure(), HasSubstr("approval void: the plan in the branch"));
  run_git(server_.repository(kShop), {"branch", "-f", kBranch, "main"});
  EXPECT_THAT(failure(), HasSubstr("was rewritten"));
  EXPECT_EQ(sessions(), 0);
}

TEST_F(ExecutorAgentTest, AnEarlierApprovalOfTheChainThatCountsNoMoreIsNotAskedForHere) {
  work::Item repair = item();
  repair.round = 1;
  repair.approved =
      work::Approved{plan().sha256, "github:user-12", "12", "github comment", std::string(64, 'c')};
  approve(repair);
  set_approval({});
  fake_.permit(12, "read");
  EXPECT_THAT(failure(), HasSubstr("nothing is carried out: the approval does not count"));
  EXPECT_FALSE(got_.result["approval_refused"].bool_or(false)) << "this task ran on none";
}

TEST_F(ExecutorAgentTest, ThatAnApprovalDoesNotCountIsToldWhereTheTaskCameFrom) {
  config_.set("notes", Json::object({{"github", true}}));
  fake_.permit(12, "read");
  EXPECT_THAT(failure(), HasSubstr("the approval does not count"));
  EXPECT_THAT(fake_.comments(1),
              testing::ElementsAre(AllOf(HasSubstr("waits for an approval"), HasSubstr("does not count"),
                                         HasSubstr("by somebody who may"))));
}

TEST_F(ExecutorAgentTest, WhoMayNotWriteApprovesNothing) {
  fake_.permit(12, "read");
  EXPECT_THAT(failure(), HasSubstr("the approval does not count"));
  EXPECT_TRUE(got_.result["approval_refused"].bool_or(false)) << "another one still may";
  set_approval(Json::object({{"by", "slack:U1"},
                             {"actor_id", "U1"},
                             {"way", "slack button"},
                             {"content_hash", std::string(64, 'c')}}));
  EXPECT_THAT(failure(), HasSubstr("the approval does not count"));
  EXPECT_TRUE(got_.result["approval_refused"].bool_or(false));
  fake_.permit(12, "write");
  fake_.permit(11, "read");
  approve();
  EXPECT_THAT(failure(), HasSubstr("write is the least")) << "nor does one who may not ask";
  EXPECT_FALSE(got_.result["approval_refused"].bool_or(false)) << "which no other approval mends";
  EXPECT_EQ(sessions(), 0);
  EXPECT_THAT(server_.seen(), IsEmpty());
}

TEST_F(ExecutorAgentTest, FailingTestsAreGivenBackUntilTheyPass) {
  const std::string good = claude_.stream_of(answer(), {.name = "good"});
  claude_.play("arguments /dev/stderr\nunless wrong " + put("src/total", "3\n") + "when wrong " +
                   put("src/total", "2\n") + "emit " + good + "\n",
               "script");
  const Json& out = result();
  EXPECT_EQ(sessions(), 2);
  EXPECT_EQ(commits_above_the_plan(), "1");
  EXPECT_EQ(git({"show", std::string(kBranch) + ":src/total"}), "2");
  EXPECT_TRUE(out.at_pointer("/output/tests/passed").bool_or(false));

  EXPECT_DOUBLE_EQ(out.at_pointer("/usage/cost_usd").number_or(0), 2 * 0.0421);
  double before = 0;
  for (const Json& usage : got_.usage) {
    EXPECT_GE(usage["cost_usd"].number_or(0), before) << "what was used does not become less";
    before = usage["cost_usd"].number_or(0);
  }
  EXPECT_DOUBLE_EQ(before, 2 * 0.0421);
  std::set<std::string> ids;
  const std::string lines = told(), option = "--session-id=";
  for (std::size_t at = 0; (at = lines.find(option, at)) != std::string::npos; ++at)
    ids.insert(lines.substr(at, option.size() + 36));
  EXPECT_THAT(ids, SizeIs(2));
}

TEST_F(ExecutorAgentTest, WhatStillFailsIsPushedAsADraftAndTheTaskFails) {
  config_.set("fix_rounds", 1).set("ready", true);
  config_.set("notes", Json::object({{"github", true}}));
  play(put("src/total", "3\n"));
  EXPECT_THAT(failure(), AllOf(HasSubstr("test_command exited with status 1"), HasSubstr("/pull/2")));
  EXPECT_EQ(sessions(), 2);
  EXPECT_EQ(commits_above_the_plan(), "1");
  EXPECT_TRUE(is_draft());
  EXPECT_THAT(pull_text("body"), AllOf(HasSubstr("its tests fail"), HasSubstr("    the total is wrong\n")));
  EXPECT_FALSE(got_.result.at_pointer("/output/tests/passed").bool_or(true));
  EXPECT_EQ(got_.result.at_pointer("/output/tests/tail"), "the total is wrong\n");
  EXPECT_FALSE(got_.result.has("next_agent"));
  EXPECT_THAT(fake_.comments(1).at(0), AllOf(HasSubstr("could not do this"), HasSubstr("its tests fail")));

  // Again it pays nothing, and looks whether the tests still fail.
  config_.set("notes", Json::object({{"github", false}}));
  EXPECT_THAT(failure(), HasSubstr("test_command exited with status 1"));
  EXPECT_EQ(sessions(), 2);
  config_.set("ready", false);
  server_.commit(kShop, kBranch, {{"src/total", Blob{"2\n"}}}, "Mend it");
  result();
  EXPECT_EQ(sessions(), 2);
  EXPECT_EQ(got_.result.at_pointer("/output/head_sha"), head());
}

TEST_F(ExecutorAgentTest, WhereARepairIsNotToBeHadWhatWasMadeIsPushedAllTheSame) {
  Json cannot = answer();
  cannot.set("status", "cannot").set("summary", "The check is wrong.");
  claude_.play("unless wrong " + put("src/total", "3\n") + "unless wrong emit " +
                   claude_.stream_of(answer(), {.name = "good"}) + "\nwhen wrong emit " +
                   claude_.stream_of(std::move(cannot), {.name = "bad"}) + "\n",
               "script");
  EXPECT_THAT(failure(),
              AllOf(HasSubstr("test_command exited with status 1"), HasSubstr("The check is wrong.")));
  EXPECT_EQ(sessions(), 2);
  EXPECT_EQ(git({"show", std::string(kBranch) + ":src/total"}), "3");

  // Nor is a repair that is not allowed: of it nothing is pushed.
  run_git(server_.repository(kShop), {"branch", "-f", kBranch, planned_});
  claude_.play("unless wrong " + put("src/total", "3\n") + "when wrong " + put(".envrc", "x\n") + "emit " +
                   claude_.stream_of(answer(), {.name = "good"}) + "\n",
               "script");
  EXPECT_THAT(failure(), AllOf(HasSubstr("it was not repaired"), HasSubstr(".envrc may not be changed")));
  EXPECT_THAT(pull_text("body"), HasSubstr(".envrc may not be changed"));
  EXPECT_EQ(git({"diff", "--name-only", "main", kBranch}), "src/total");
}

TEST_F(ExecutorAgentTest, RunAgainAfterEachStepFindsItsCommitAndPaysNothing) {
  config_.set("ready", true);
  davit::testing::Fault refused;
  refused.status = 422;
  on_push = [](davit::testing::Wire& wire) {
    wire.answer(500, "");
    return true;
  };
  EXPECT_EQ(run().status, Status::Retryable) << got_.why;
  EXPECT_EQ(head(), planned_);
  on_push = {};
  fake_.fail("PATCH", "/repos/acme/shop/pulls/2", refused);
  EXPECT_NE(run().status, Status::Ok);
  const std::string pushed = head();
  EXPECT_NE(pushed, planned_);
  EXPECT_EQ(sessions(), 2) << "nothing was kept of the first";
  fake_.fail("POST", "/graphql", refused);
  EXPECT_NE(run().status, Status::Ok);
  EXPECT_THAT(pull_text("body"), HasSubstr(pushed));
  EXPECT_TRUE(is_draft());

  const Json first(result());
  EXPECT_FALSE(is_draft());
  EXPECT_FALSE(first.has("usage"));
  const Json second(result());
  EXPECT_EQ(second["output"].dump(), first["output"].dump());
  EXPECT_EQ(sessions(), 2);
  EXPECT_EQ(head(), pushed);
  EXPECT_EQ(commits_above_the_plan(), "1");
  EXPECT_THAT(fake_.comments(kPull), IsEmpty());
}

TEST_F(ExecutorAgentTest, RefusedChangesAreNotPushedAndAllIsListed) {
  play("link out /etc/passwd\n" + put(".github/workflows/ci.yml", "on: push\n") +
       put("src/key", std::string(kToken) + "\n") + put("src/blob", std::string("a\0b", 3)) +
       put("src/total", "2\n"));
  const std::string why = failure();
  EXPECT_THAT(why,
              AllOf(HasSubstr("not allowed here"), HasSubstr(".github/workflows/ci.yml may not be changed"),
                    HasSubstr("src/key holds a secret"), HasSubstr("src/blob is a binary file"),
                    HasSubstr("out is a symbolic link"), Not(HasSubstr(kToken))));
  EXPECT_EQ(head(), planned_);
  EXPECT_THAT(pull_text("body"),
              AllOf(HasSubstr("was not carried out"), HasSubstr(".github/workflows/ci.yml may not"),
                    HasSubstr("src/key holds a secret"), HasSubstr("src/blob is a binary file"),
                    HasSubstr("out is a symbolic link"), HasSubstr(plan().sha256), Not(HasSubstr(kToken))));
  EXPECT_TRUE(is_draft());
  EXPECT_EQ(pull_text("title"), "Plan: Wrong sum");
  const JsonView refused = got_.result.at_pointer("/output/refused");
  std::set<std::string> rules;
  for (const JsonView one : refused) rules.emplace(one["rule"].string_or(""));
  EXPECT_THAT(rules, testing::ElementsAre("binary", "path", "plan", "secret", "symlink"));
  EXPECT_GT(got_.result.at_pointer("/usage/cost_usd").number_or(0), 0.0);
  EXPECT_THAT(scripted::lines_of(transcript_, "tests"), IsEmpty()) << "and no program of it was run";
}

TEST_F(ExecutorAgentTest, AFileThatThePlanDoesNotNameIsRefusedAlsoAtTheFirstTime) {
  std::string script = put("src/total", "2\n") + put("tests/total_test", "x\n");
  for (int i = 0; i < 23; ++i) script += put("lib/file-" + std::to_string(i), "x\n");
  play(script);
  EXPECT_THAT(failure(),
              AllOf(HasSubstr("not allowed here: lib/file-0 is neither named by the approved plan nor "
                              "a test: it may not be changed"),
                    Not(HasSubstr("total_test"))));
  EXPECT_EQ(sessions(), 2) << "it may take that back once, and did not";
  EXPECT_EQ(head(), planned_);
  EXPECT_THAT(scripted::lines_of(transcript_, "tests"), IsEmpty()) << "no program of it was run";
  const Json refused(got_.result.at_pointer("/output/refused"));
  ASSERT_EQ(refused.size(), 23u);
  for (const JsonView one : refused) {
    EXPECT_EQ(one["rule"], "plan");
    EXPECT_THAT(pull_text("body"), HasSubstr("- " + std::string(one["path"].string_or("")) + " is neither"));
  }
  EXPECT_TRUE(is_draft());
}

TEST_F(ExecutorAgentTest, WhatGoesBeyondThePlanMayBeTakenBackOnce) {
  claude_.play("prompt /dev/stderr\n" + put("src/total", "2\n") + put("src/more", "x\n") +
                   "when neither remove src/more\nemit " + claude_.stream_of(answer(), {.name = "good"}) +
                   "\n",
               "script");
  result();
  EXPECT_EQ(sessions(), 2);
  EXPECT_THAT(told(),
              AllOf(HasSubstr("Only files that the plan names, and tests, which are files that match"),
                    HasSubstr("field failures; from what may be changed"),
                    HasSubstr("src/more is neither named by the approved plan")));
  EXPECT_EQ(git({"diff", "--name-only", "main", kBranch}), "src/total");
  EXPECT_EQ(got_.result.at_pointer("/output/beyond_plan").dump(), "[]");
}

TEST_F(ExecutorAgentTest, WhatThereIsNoMoneyToTakeBackIsListedAllTheSame) {
  given_.context.set("budget_usd", 0.0422);
  play(put("src/total", "2\n") + put("src/more", "x\n"));
  EXPECT_THAT(failure(), HasSubstr("src/more is neither named by the approved plan"));
  EXPECT_EQ(sessions(), 1);
  EXPECT_THAT(scripted::lines_of(transcript_, "plan"),
              HasSubstr("it was not taken back: nothing is left of"));
  EXPECT_EQ(got_.result.at_pointer("/output/refused/0/path"), "src/more");
}

TEST_F(ExecutorAgentTest, AChangeOverItsLimitsIsNotPushed) {
  config_.set("most_files", 1).set("most_bytes", 4096);
  config_.set("allow", Json::array({"src/**"})).set("deny", Json::array({"src/secret*"}));
  play(put("src/total", std::string(20'000, '2')) + put("README", "x\n") + put("src/secrets", "x\n"));
  EXPECT_THAT(failure(), AllOf(HasSubstr("files, more than"), HasSubstr("bytes that are allowed"),
                               HasSubstr("README is outside of what may be changed"),
                               HasSubstr("src/secrets may not be changed")));
  EXPECT_EQ(head(), planned_);
  config_.set("not_denied", Json::array({"AGENTS"}));
  EXPECT_THROW(run(), davit::Failure) << "which is none of the shipped ones";
}

TEST_F(ExecutorAgentTest, TheTestCommandHasNoNetworkNoTokenAndLeavesNothing) {
  const std::string port = server_.host().substr(server_.host().find(':') + 1);
  config_.set("test_command", Json::array({"bash", "-c",
                                           "env; cat /proc/net/dev; ls -a; ls " + state_.path().string() +
                                               "; " + "(echo x > /dev/tcp/127.0.0.1/" + port + ") 2>&1; " +
                                               "touch left-behind; echo 9 > src/total; printf %s%s\\n ghs_ " +
                                               std::string(kToken).substr(4)}));
  result();
  const std::string& log = got_.artifacts.at("test.log");
  EXPECT_THAT(log, AllOf(HasSubstr("HOME=/home/agent"), HasSubstr("No such file or directory"),
                         HasSubstr("Connection refused"), Not(HasSubstr("FAKE_CLAUDE")),
                         Not(HasSubstr("eth")), Not(HasSubstr(kToken)), Not(HasSubstr(".git\n"))));
  EXPECT_THAT(got_.all, Not(HasSubstr(kToken)));
  EXPECT_EQ(git({"diff", "--name-only", "main", kBranch}), "src/total");
  EXPECT_EQ(git({"show", std::string(kBranch) + ":src/total"}), "2") << "what was judged is what is pushed";
}

TEST_F(ExecutorAgentTest, TestsThatDoNotEndAreEndedAndFail) {
  config_.set("test_command", Json::array({"sh", "-c", "echo begun; sleep 600"}));
  config_.set("test_seconds", 1).set("fix_rounds", 0);
  EXPECT_THAT(failure(), HasSubstr("test_command did not end within 1 seconds"));
  EXPECT_EQ(got_.result.at_pointer("/output/tests/tail"), "begun\n");
  config_.set("setup_command", Json::array({"sh", "-c", "echo cannot set up; exit 7"}));
  EXPECT_THAT(failure(), HasSubstr("setup_command exited with status 7"));
  EXPECT_THAT(pull_text("body"), HasSubstr("    cannot set up\n"));
}

TEST_F(ExecutorAgentTest, WhatIsNotTestedStaysADraft) {
  config_.set("ready", true).set("test_command", Json::array());
  result();
  EXPECT_TRUE(is_draft());
  EXPECT_THAT(pull_text("body"), HasSubstr("It was not tested"));
  EXPECT_EQ(got_.result.at_pointer("/output/tests/verdict"), "untested");
  EXPECT_EQ(got_.result["next_agent"], "code-review-agent");
}

TEST_F(ExecutorAgentTest, WithoutASandboxNothingOfTheChangeIsRun) {
  given_.context.set("sandbox", Json::object({{"command", "there-is-no-bwrap"}, {"required", true}}));
  EXPECT_EQ(run().status, Status::Ignored);
  EXPECT_THAT(got_.why, AllOf(HasSubstr("there-is-no-bwrap"), HasSubstr("install bubblewrap")));
  given_.context.set("sandbox", Json::object({{"command", "there-is-no-bwrap"}, {"required", false}}));
  result();
  EXPECT_EQ(got_.result.at_pointer("/output/tests/verdict"), "untested");
  EXPECT_THAT(pull_text("body"), HasSubstr("there is no sandbox"));
}

// What cicd-agent hands back, with the work of the execution before.
TEST_F(ExecutorAgentTest, ARepairOfChecksNeedsNoApprovalWithinThePlan) {
  const Json first(result());
  const std::string made = head();
  const auto repair = [&](const std::string& task) {
    const Json previous(first["output"]);
    work::Item again = work::Item::from({}, previous, "");
    again.round = 1;
    again.feedback = "Checks of the commit failed:\n- unit: failure\n\nexpected 2 and got two";
    approve(again, task);
    set_approval({});
  };
  repair("0190a1b2-0000-7000-8000-00000000cccc");
  claude_.answer(Json::parse(R"({"status": "fixed", "cause": "change", "explanation": "It was a word.",
                     "evidence": [], "files": ["src/total"], "commit_message": "Say 2 and not two"})"),
                 "prompt /dev/stderr\n" + put("src/total", "2 2\n") + put("tests/total_test", "x\n"));
  result();
  EXPECT_THAT(told(), AllOf(HasSubstr("expected 2 and got two"), HasSubstr("Mode: repair"), HasSubstr("+2")));
  EXPECT_EQ(commits_above_the_plan(), "2");
  EXPECT_EQ(git({"rev-parse", std::string(kBranch) + "~1"}), made);
  EXPECT_THAT(git({"log", "-1", "--format=%B", kBranch}),
              AllOf(HasSubstr("Say 2 and not two"), HasSubstr("It was a word."), HasSubstr("aaaa/1 ")));
  EXPECT_EQ(got_.result.at_pointer("/output/work/round").int_or(0), 1);
  EXPECT_FALSE(got_.result.at_pointer("/output/work").has("feedback"));
  EXPECT_EQ(got_.result.at_pointer("/output/work/approved/by"), "github:user-12");

  // Beyond it nothing is, also where what a person approved is only marked.
  config_.set("beyond_plan", "mark").set("fix_rounds", 0);
  const std::string repaired = head();
  repair("0190a1b2-0000-7000-8000-00000000dddd");
  play(put("src/total", "2 3\n") + put("src/other", "x\n"));
  EXPECT_THAT(failure(), HasSubstr("src/other is neither named by the approved plan nor a test"));
  EXPECT_EQ(head(), repaired);
  EXPECT_EQ(got_.result.at_pointer("/output/refused/0/rule"), "plan");

  // Nor does a change without any approval before it come to anything.
  const Json previous(first["output"]);
  work::Item alone = work::Item::from({}, previous, "");
  alone.round = 1;
  alone.approved.reset();
  approve(alone);
  set_approval({});
  EXPECT_EQ(run().status, Status::Ignored);
}

TEST_F(ExecutorAgentTest, WhatNeedsNoRepairIsNotRepaired) {
  work::Item again = item();
  again.round = 1;
  again.feedback = "unit: failure";
  approve(again);
  claude_.answer(Json::parse(R"({"status": "judged", "cause": "flaky", "explanation": "A port was taken.",
                     "evidence": [], "files": [], "commit_message": ""})"));
  EXPECT_THAT(failure(), AllOf(HasSubstr("nothing of the change to repair"), HasSubstr("A port was taken.")));
  EXPECT_EQ(head(), planned_);
}

TEST_F(ExecutorAgentTest, RejectedWithACommentItDoesItAgainOnTop) {
  const Json first(result());
  Json rejected = Json::object(
      {{"comment", "Make it 22."}, {"by", "github:user-12"}, {"actor_id", "12"}, {"way", "github comment"}});
  rejected.set("output", Json(first["output"]));
  approve(item(), "0190a1b2-0000-7000-8000-00000000cccc");
  given_.previous_result = Json::object({{"rejected", std::move(rejected)}});
  play("prompt /dev/stderr\n" + put("src/total", "22\n"));
  result();
  EXPECT_THAT(told(), HasSubstr("Make it 22."));
  EXPECT_EQ(commits_above_the_plan(), "2");
  EXPECT_EQ(git({"show", std::string(kBranch) + ":src/total"}), "22");
}

TEST_F(ExecutorAgentTest, WordsOfSomebodyWhoMayNotWriteStartNothing) {
  fake_.permit(13, "read");
  Json rejected = Json::object(
      {{"comment", "Make it 22."}, {"by", "github:user-13"}, {"actor_id", "13"}, {"way", "github comment"}});
  rejected.set("output", Json(given_.previous_result));
  given_.previous_result = Json::object({{"rejected", std::move(rejected)}});
  EXPECT_THAT(failure(), HasSubstr("the rejection does not count: 'user-13' has the permission read"));
  EXPECT_EQ(sessions(), 0);
  EXPECT_EQ(head(), planned_);
}

TEST_F(ExecutorAgentTest, WhatTheModelCannotDoIsToldAtTheSource) {
  config_.set("notes", Json::object({{"github", true}}));
  Json cannot = answer();
  cannot.set("status", "cannot").set("summary", "There is no such file, @everybody.");
  claude_.answer(std::move(cannot));
  EXPECT_THAT(failure(), HasSubstr("There is no such file"));
  ASSERT_THAT(fake_.comments(1), SizeIs(1));
  EXPECT_THAT(fake_.comments(1)[0], AllOf(HasSubstr("There is no such file"), Not(HasSubstr("@everybody"))));
  EXPECT_EQ(head(), planned_);
  config_.set("notes", Json::object({{"github", false}}));
  play("");
  EXPECT_THAT(failure(), HasSubstr("changed nothing"));
}

TEST_F(ExecutorAgentTest, TheEndOfAMoneyOrOfPatienceIsAFailureOfItsClass) {
  claude_.answer_with("error_max_budget_usd");
  EXPECT_THAT(failure(), HasSubstr("money"));
  claude_.answer_with("overloaded");
  EXPECT_EQ(run().status, Status::Retryable);
  EXPECT_EQ(head(), planned_);
}

TEST_F(ExecutorAgentTest, NothingThatSomebodyElsePushedIsLost) {
  std::string theirs;
  on_push = [&](davit::testing::Wire&) {
    if (theirs.empty()) theirs = server_.commit(kShop, kBranch, {{"src/other", Blob{"theirs\n"}}}, "Theirs");
    return false;
  };
  EXPECT_EQ(run().status, Status::Retryable) << got_.why;
  EXPECT_THAT(got_.why, HasSubstr("somebody else pushed"));
  EXPECT_EQ(head(), theirs);
  result();
  EXPECT_EQ(git({"rev-parse", std::string(kBranch) + "~1"}), theirs) << "the work begins with it";
  EXPECT_EQ(git({"show", std::string(kBranch) + ":src/other"}), "theirs");
}

TEST_F(ExecutorAgentTest, CancelledInTheMiddleItLeavesNothing) {
  play("touch begun\nhang\n");
  given_.cancel_when = [this] {
    for (const auto& folder : fs::directory_iterator(workspace()))
      if (fs::exists(folder.path() / "tree/begun")) return true;
    return false;
  };
  EXPECT_EQ(run().status, Status::Cancelled) << got_.why;
  EXPECT_EQ(sessions(), 1);
  EXPECT_EQ(head(), planned_);
  EXPECT_FALSE(davit::testing::is_in_arguments(fs::path(claude_.grant()).parent_path().string()));
  EXPECT_TRUE(fs::is_empty(workspace()));
}

TEST_F(ExecutorAgentTest, TheModelsWordsDoNothingButBeRead) {
  Json loud = answer();
  loud.set("commit_message",
           std::string("Fixes #1 for @ann with ") + kToken + "\n\nCloses #2\n\nDavit-Task: a/0 b c d passed");
  loud.set("deviations", Json::array({"![x](https://evil.example/x.png)\n# Big"}));
  claude_.answer(std::move(loud), put("src/total", "2\n") + put("src/more", "x\n"));
  config_.set("beyond_plan", "mark");
  result();
  const std::string message = git({"log", "-1", "--format=%B", kBranch});
  EXPECT_THAT(message, AllOf(Not(HasSubstr("Fixes #1")), Not(HasSubstr("Closes #2")), Not(HasSubstr("@ann")),
                             Not(HasSubstr(kToken)), Not(HasSubstr("![x]")), Not(HasSubstr("\n# Big"))));
  EXPECT_THAT(pull_text("body"),
              AllOf(Not(HasSubstr("Fixes #1")), Not(HasSubstr("@ann")), Not(HasSubstr(kToken)),
                    Not(HasSubstr("![x]")), Not(HasSubstr("\n# Big"))));
  EXPECT_THAT(pull_text("body"), HasSubstr("added `src/more`, **which the plan does not name**"));
  EXPECT_EQ(got_.result.at_pointer("/output/beyond_plan").dump(), R"(["src/more"])");
  EXPECT_THAT(got_.all, Not(HasSubstr(kToken)));
}

TEST_F(ExecutorAgentTest, WordsAboutKeyFilesDoNotHideTheRecordOfTheCommit) {
  const std::string begin = std::string("-----BEGIN PRIVATE ") + "KEY-----";
  Json about = answer();
  about.set("commit_message", "Round the sum once\n\nLike files that begin with " + begin);
  claude_.answer(std::move(about), put("src/total", "2\n"));
  result();
  EXPECT_THAT(git({"log", "-1", "--format=%B", kBranch}),
              AllOf(HasSubstr("begin with " + begin + "\n\nDavit-Task: "), Not(HasSubstr("removed"))));
  result();
  EXPECT_EQ(sessions(), 1);
  EXPECT_EQ(commits_above_the_plan(), "1");
}

TEST_F(ExecutorAgentTest, WhoeverHasTheAdminTokenMayApproveAndThePlansFileIsNotTheModelsToChange) {
  set_approval(Json::object(
      {{"by", "admin"}, {"actor_id", ""}, {"way", "cli"}, {"content_hash", std::string(64, 'c')}}));
  config_.set("keep_plan", true);
  play(put("src/total", "2\n") + put(kPlanFile, "another\n"));
  result();
  EXPECT_EQ(git({"diff", "--name-only", planned_, kBranch}), "src/total");
  EXPECT_THAT(scripted::lines_of(transcript_, "approval"), HasSubstr("was approved by admin"));
}

TEST_F(ExecutorAgentTest, WhatAPersonWroteOnThePullRequestStays) {
  const davit::testing::StateFolder state;
  github::Api api({.api = fake_.api(), .token = kToken, .state_folder = state.path()}, {});
  const std::string mine = "My own words about plan " + plan().sha256;
  api.update_pull({"acme", "shop"}, kPull, {.title = "My title", .body = mine});
  result();
  EXPECT_EQ(pull_text("title"), "My title");
  const Json first(result());
  const Json previous(first["output"]);
  api.update_pull({"acme", "shop"}, kPull, {.body = "Mine alone."});
  work::Item again = work::Item::from({}, previous, "");
  again.round = 1;
  again.feedback = "unit: failure";
  approve(again, "0190a1b2-0000-7000-8000-00000000cccc");
  play(put("src/total", "22\n"));
  result();
  EXPECT_EQ(pull_text("body"), "Mine alone.");
}

TEST_F(ExecutorAgentTest, AClosedPullRequestOrOneOfAForkIsLeftAlone) {
  Json pull = fake_.pull(kPull);
  const auto instead = [&](Json changed) {
    davit::testing::Fault fault;
    fault.status = 200;
    fault.body = changed.dump();
    fake_.fail("GET", "/repos/acme/shop/pulls/2", fault);
  };
  instead(Json(pull).set("state", "closed"));
  EXPECT_THAT(failure(), HasSubstr("is closed"));
  Json head(pull["head"]);
  Json repo(head["repo"]);
  repo.set("owner", Json::object({{"login", "stranger"}, {"id", 6}}));
  head.set("repo", std::move(repo));
  instead(Json(pull).set("head", std::move(head)));
  EXPECT_THAT(failure(), HasSubstr("of another repository"));
  EXPECT_EQ(sessions(), 0);
}

}  // namespace
