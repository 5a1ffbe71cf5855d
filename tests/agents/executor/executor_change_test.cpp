// What may be pushed, and how that is tried out.
#include "tests/agents/executor/executor_run.h"

namespace executor_test {
namespace {

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

}  // namespace
}  // namespace executor_test
