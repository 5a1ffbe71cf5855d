// The command agent with small shell programs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <chrono>
#include <deque>
#include <thread>

#include "tests/plugins/testdata.h"

namespace {

using namespace davit::testing;
using davit::Json;
using davit::Status;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class CommandAgentTest : public testing::Test {
 protected:
  CommandAgentTest() {
    std::string pattern = testing::TempDir() + "davit-command-XXXXXX";
    workspace_ = mkdtemp(pattern.data());
  }
  ~CommandAgentTest() override { std::filesystem::remove_all(workspace_); }

  // The config for `script` run by sh, with more members.
  static Json sh(const std::string& script, Json more = Json::object()) {
    more.set("command", Json::array({"sh", "-c", script}));
    return more;
  }
  Json context(Json payload = {}) const {
    Json context = AgentDriver::context(std::move(payload));
    return context.set("workspace", workspace_.string());
  }
  Outcome run(const Json& config) { return run(config, context()); }
  Outcome run(const Json& config, const Json& context) {
    host_.config = config.dump();
    AgentDriver agent(testdata::plugin("command_agent").agents(), 0, host_);
    return agent.run(context);
  }
  // Lives as long as the test.
  const Json& result(const Outcome& outcome) {
    EXPECT_EQ(outcome.status, Status::Ok) << outcome.error;
    return results_.emplace_back(outcome.status == Status::Ok ? Json::parse(outcome.output) : Json::object());
  }
  // Waits for a file that the program makes; false after ten seconds.
  bool wait_for(const std::string& file) const {
    const auto end = std::chrono::steady_clock::now() + seconds(10);
    while (!std::filesystem::exists(workspace_ / file)) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::yield();
    }
    return true;
  }
  // Is the process whose number the program left in a file gone? Waits ten seconds for it.
  bool gone(const std::string& file) const {
    const auto end = std::chrono::steady_clock::now() + seconds(10);
    while (runs(file)) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::yield();
    }
    return true;
  }
  bool runs(const std::string& file) const {
    const std::string stat = [&] {
      std::ifstream in("/proc/" + std::to_string(std::stol(testdata::read_file(workspace_ / file))) +
                       "/stat");
      std::string line;
      std::getline(in, line);
      return line;
    }();
    return !stat.empty() && stat.find(") Z") == std::string::npos;
  }

  FakeHost host_;
  std::filesystem::path workspace_;
  std::deque<Json> results_;
};

// ---- what goes in

TEST_F(CommandAgentTest, GivesTheTaskOnStandardInput) {
  const Json in = context(Json::object({{"issue", 7}}));
  const Json out = result(run(sh("cat"), in));
  EXPECT_EQ(out["success"].dump(), "true");
  EXPECT_EQ(out["output"].dump(), in.dump()) << "a JSON object on standard output is the output";
}

TEST_F(CommandAgentTest, GivesThePayloadAloneWhenAskedTo) {
  const Json out =
      result(run(sh("cat", Json::object({{"input", "payload"}})), context(Json::object({{"issue", 7}}))));
  EXPECT_EQ(out["output"].dump(), R"({"issue":7})");
}

TEST_F(CommandAgentTest, AProgramThatReadsNothingOfAMegabyteEndsWell) {
  const Json in = context(std::string(1024 * 1024, 'x'));
  EXPECT_EQ(result(run(sh("echo done"), in))["output"].dump(), R"({"text":"done\n"})");
  EXPECT_EQ(result(run(sh("wc -c"), in))["output"]["text"].string_or(""),
            std::to_string(in.dump().size() + 1) + "\n");
}

TEST_F(CommandAgentTest, TheEnvironmentIsOnlyWhatIsNamed) {
  setenv("GITHUB_WEBHOOK_SECRET", "hush", 1);
  setenv("DAVIT_TEST_PASSED", "through", 1);
  host_.secrets["TOKEN"] = "granted";
  Json more = Json::object();
  more.set("environment", Json::object({{"COLOUR", "never = ever"}, {"LANG", "C"}}));
  more.set("pass_environment", Json::array({"DAVIT_TEST_PASSED", "TOKEN", "NOT_THERE"}));
  const Json out = result(run(sh("env", std::move(more))));
  const std::string text(out["output"]["text"].string_or(""));
  EXPECT_THAT(text, Not(HasSubstr("hush")));
  for (const std::string& line :
       {std::string("COLOUR=never = ever"), std::string("LANG=C"), std::string("DAVIT_TEST_PASSED=through"),
        std::string("TOKEN=granted"), std::string("DAVIT_TASK_ID=task-1"),
        std::string("DAVIT_SESSION_ID=session-1"), std::string("DAVIT_ATTEMPT=1"),
        "HOME=" + workspace_.string(), "DAVIT_WORKSPACE=" + workspace_.string()}) {
    EXPECT_THAT("\n" + text, HasSubstr("\n" + line + "\n"));
  }
  EXPECT_THAT(text, Not(HasSubstr("NOT_THERE")));
  EXPECT_THAT(text, Not(HasSubstr("LANG=C.UTF-8")));
}

TEST_F(CommandAgentTest, RunsInTheWorkspaceWithoutAShellAndWithoutOtherDescriptors) {
  EXPECT_EQ(result(run(sh("pwd -P")))["output"]["text"].string_or(""),
            std::filesystem::canonical(workspace_).string() + "\n");
  EXPECT_EQ(
      result(run(sh("pwd", Json::object({{"working_directory", "/"}}))))["output"]["text"].string_or(""),
      "/\n");
  Json plain = Json::object();
  plain.set("command", Json::array({"echo", "$HOME", "a b", ";", "ls"}));
  EXPECT_EQ(result(run(plain))["output"]["text"].string_or(""), "$HOME a b ; ls\n");
  Json list = Json::object();
  list.set("command", Json::array({"ls", "/proc/self/fd"}));
  EXPECT_EQ(result(run(list))["output"]["text"].string_or(""), "0\n1\n2\n3\n")
      << "3 is the folder that ls reads";
}

// ---- what comes out

TEST_F(CommandAgentTest, TextIsTheOutputAsText) {
  EXPECT_EQ(result(run(sh("printf 'a\\nb'")))["output"].dump(), R"({"text":"a\nb"})");
  EXPECT_EQ(result(run(sh("true")))["output"].dump(), R"({"text":""})");
  EXPECT_EQ(result(run(sh("echo 7")))["output"].dump(), R"({"text":"7\n"})")
      << "a lone number is no document";
  EXPECT_EQ(result(run(sh("echo '{} and more'")))["output"].dump(), R"({"text":"{} and more\n"})");
  EXPECT_EQ(result(run(sh("echo '{}'", Json::object({{"output", "text"}}))))["output"].dump(),
            R"({"text":"{}\n"})");
  EXPECT_EQ(result(run(sh("printf 'a\\377b'")))["output"].dump(), "{\"text\":\"a\xEF\xBF\xBD\x62\"}");
}

TEST_F(CommandAgentTest, JsonIsDemandedWhereConfigured) {
  const auto json = [&](const std::string& script) -> const Json& {
    return result(run(sh(script, Json::object({{"output", "json"}}))));
  };
  EXPECT_EQ(json("echo 7")["output"].dump(), "7");
  for (const char* script : {"echo hello", "true", "echo '{} {}'", "printf '\"\\377\"'"}) {
    const Json out = json(script);
    EXPECT_EQ(out["success"].dump(), "false") << script;
    EXPECT_THAT(std::string(out["error"].string_or("")), StartsWith("sh printed no JSON: ")) << script;
    EXPECT_EQ(out["error_class"].string_or(""), "permanent");
  }
}

TEST_F(CommandAgentTest, AnObjectMarkedAsResultIsTheAgentsResult) {
  const Json out = result(run(sh(
      R"(echo '{"davit_result": true, "output": {"pr": 7}, "usage": {"input_tokens": 12, "cost_usd": 0.5},)"
      R"( "metrics": {"files": 3}, "next_agent": "reviewer", "next_input": {"n": 1}, "wait_for_approval": true}')")));
  EXPECT_EQ(out["success"].dump(), "true");
  EXPECT_EQ(out["output"].dump(), R"({"pr":7})");
  EXPECT_EQ(out["usage"]["input_tokens"].int_or(0), 12);
  EXPECT_EQ(out["usage"]["cost_usd"].number_or(0), 0.5);
  EXPECT_EQ(out["metrics"].dump(), R"({"files":3})");
  EXPECT_EQ(out["next_agent"].string_or(""), "reviewer");
  EXPECT_EQ(out["next_input"].dump(), R"({"n":1})");
  EXPECT_EQ(out["wait_for_approval"].dump(), "true");

  const Json unmarked = result(run(sh(R"(echo '{"success": false, "next_agent": "x"}')")));
  EXPECT_EQ(unmarked["success"].dump(), "true");
  EXPECT_EQ(unmarked["output"].dump(), R"({"success":false,"next_agent":"x"})");
  EXPECT_FALSE(unmarked.has("next_agent"));
}

TEST_F(CommandAgentTest, AResultMaySayItFailedAndUsageCountsAllTheSame) {
  const Json out = result(run(
      sh(R"(echo '{"davit_result": true, "success": false, "error": "no tests", "error_class": "permanent",)"
         R"( "usage": {"output_tokens": 9}}')",
         Json::object({{"next_agent", "reviewer"}}))));
  EXPECT_EQ(out["success"].dump(), "false");
  EXPECT_EQ(out["error"].string_or(""), "no tests");
  EXPECT_EQ(out["error_class"].string_or(""), "permanent");
  EXPECT_EQ(out["usage"]["output_tokens"].int_or(0), 9);
  EXPECT_FALSE(out.has("next_agent"));
}

TEST_F(CommandAgentTest, TheConfiguredNextAgentFollowsSuccessOnly) {
  EXPECT_EQ(result(run(sh("true", Json::object({{"next_agent", "reviewer"}}))))["next_agent"].string_or(""),
            "reviewer");
  EXPECT_FALSE(result(run(sh("false", Json::object({{"next_agent", "reviewer"}})))).has("next_agent"));
}

TEST_F(CommandAgentTest, EndlessOutputIsBoundedAndMarked) {
  const Json out =
      result(run(sh("head -c 50000000 /dev/zero | tr '\\0' x", Json::object({{"max_output_bytes", 1000}}))));
  EXPECT_EQ(out["output"]["text"].string_or(""), std::string(1000, 'x'));
  EXPECT_EQ(out["output"]["bytes"].int_or(0), 50000000);
  EXPECT_TRUE(out["output"]["cut"].bool_or(false));
  const Json json = result(
      run(sh("yes '[1]' | head -1000", Json::object({{"max_output_bytes", 100}, {"output", "json"}}))));
  EXPECT_THAT(std::string(json["error"].string_or("")), HasSubstr("more than 100 bytes"));
}

TEST_F(CommandAgentTest, StandardErrorIsTheTranscriptLineByLine) {
  const Json out = result(run(sh("echo one >&2; printf 'two\\r\\n\\nthree' >&2")));
  EXPECT_EQ(out["output"].dump(), R"({"text":""})");
  using Line = std::pair<std::string, std::string>;
  EXPECT_EQ(host_.transcript,
            (std::vector<Line>{{"stderr", "one"}, {"stderr", "two"}, {"stderr", ""}, {"stderr", "three"}}));
}

TEST_F(CommandAgentTest, TheFilesInItsFolderAreLeftAsArtifacts) {
  const Json out =
      result(run(sh("cd $DAVIT_ARTIFACTS; echo '# Plan' > plan.md; printf '\\377' > raw; mkdir inner; "
                    "echo no > inner/file; ln -s /etc/passwd link; mkfifo pipe; "
                    "head -c 9000000 /dev/zero > large; exit 3")));
  EXPECT_FALSE(out["success"].bool_or(true)) << "also what a program leaves that fails";
  ASSERT_EQ(host_.artifacts.size(), 2u);
  EXPECT_EQ(host_.artifacts.at("plan.md").content, "# Plan\n");
  EXPECT_EQ(host_.artifacts.at("plan.md").content_type, "text/markdown");
  EXPECT_EQ(host_.artifacts.at("raw").content, "\377");
  EXPECT_EQ(host_.artifacts.at("raw").content_type, "application/octet-stream");
  std::vector<std::string> told;
  for (const auto& [kind, line] : host_.transcript)
    if (kind == "artifact") told.push_back(line.substr(0, line.find(' ')));
  EXPECT_THAT(told, testing::ElementsAre("\"inner\"", "\"large\"", "\"link\"", "\"pipe\""));
}

TEST_F(CommandAgentTest, WhatTheHostDoesNotKeepIsTold) {
  host_.services.erase(DAVIT_SERVICE_ARTIFACT);
  result(run(sh("echo x > $DAVIT_ARTIFACTS/file")));
  ASSERT_EQ(host_.transcript.size(), 1u);
  EXPECT_THAT(host_.transcript[0].second, StartsWith("\"file\" was not left: "));
}

TEST_F(CommandAgentTest, AFloodOnStandardErrorIsCutOnceAndLongLinesComeInPieces) {
  result(run(sh("head -c 20000 /dev/zero | tr '\\0' y >&2; echo >&2; yes | head -5000000 >&2",
                Json::object({{"max_output_bytes", 30000}}))));
  ASSERT_GT(host_.transcript.size(), 4u);
  EXPECT_EQ(host_.transcript[0].second.size(), 8u * 1024);
  EXPECT_EQ(host_.transcript[2].second.size(), 20000 - 2 * 8 * 1024u);
  EXPECT_EQ(host_.transcript.back().second, "(more was written and is dropped)");
  std::size_t total = 0;
  for (const auto& [kind, line] : host_.transcript) total += line.size();
  EXPECT_LT(total, 31000u);
}

// ---- how it ends

TEST_F(CommandAgentTest, AStatusThatIsNoSuccessFailsForGoodWithItsLastWords) {
  const Json out = result(run(sh("echo partial; echo 'disk is full' >&2; exit 3")));
  EXPECT_EQ(out["success"].dump(), "false");
  EXPECT_EQ(out["error"].string_or(""), "sh exited with status 3: disk is full");
  EXPECT_EQ(out["error_class"].string_or(""), "permanent");
  EXPECT_EQ(out["output"]["text"].string_or(""), "partial\n");
}

TEST_F(CommandAgentTest, StatusesForSuccessAndForAnotherTryAreConfigurable) {
  EXPECT_EQ(result(run(sh("exit 75")))["error_class"].string_or(""), "retryable");
  Json more = Json::object();
  more.set("success_exit_codes", Json::array({0, 4})).set("retry_exit_codes", Json::array({5}));
  EXPECT_EQ(result(run(sh("exit 4", more)))["success"].dump(), "true");
  EXPECT_EQ(result(run(sh("exit 5", more)))["error_class"].string_or(""), "retryable");
  EXPECT_EQ(result(run(sh("exit 75", more)))["error_class"].string_or(""), "permanent");
}

TEST_F(CommandAgentTest, AResultThatClaimsSuccessDoesNotOutweighTheStatus) {
  const Json out = result(
      run(sh(R"(echo '{"davit_result": true, "success": true, "usage": {"input_tokens": 5}}'; exit 2)")));
  EXPECT_EQ(out["success"].dump(), "false");
  EXPECT_EQ(out["error"].string_or(""), "sh exited with status 2");
  EXPECT_EQ(out["usage"]["input_tokens"].int_or(0), 5);
}

TEST_F(CommandAgentTest, ASignalIsNamedAndTriedAgain) {
  const Json out = result(run(sh("kill -SEGV $$")));
  EXPECT_EQ(out["error"].string_or(""), "sh was killed by signal 11 (SIGSEGV)");
  EXPECT_EQ(out["error_class"].string_or(""), "retryable");
}

TEST_F(CommandAgentTest, WhatCannotBeRunFailsForGoodAndNamesThePath) {
  testdata::write_file(workspace_ / "plain", "no program");
  testdata::write_file(workspace_ / "lost", "#!/no/such/interpreter\n");
  testdata::write_file(workspace_ / "garbage",
                       "\x7f"
                       "ELFnot really");
  for (const char* file : {"lost", "garbage"})
    std::filesystem::permissions(workspace_ / file, std::filesystem::perms::owner_all);
  struct Case {
    std::string program;
    const char* says;
  };
  for (const Case& bad : {Case{"/no/such/program", "/no/such/program does not exist"},
                          Case{"no-such-program-anywhere", "is in no folder of PATH"},
                          Case{(workspace_ / "plain").string(), "is not an executable file"},
                          Case{workspace_.string(), "is not an executable file"},
                          Case{(workspace_ / "lost").string(), "interpreter"},
                          Case{(workspace_ / "garbage").string(), "neither a binary nor begins with #!"}}) {
    Json config = Json::object();
    config.set("command", Json::array({bad.program}));
    const Outcome outcome = run(config);
    EXPECT_EQ(outcome.status, Status::Permanent) << bad.program;
    EXPECT_THAT(outcome.error, HasSubstr(bad.program));
    EXPECT_THAT(outcome.error, HasSubstr(bad.says));
  }
  const Outcome outcome = run(sh("true", Json::object({{"working_directory", "/no/such/folder"}})));
  EXPECT_EQ(outcome.status, Status::Permanent);
  EXPECT_THAT(outcome.error, HasSubstr("/no/such/folder is no folder"));
}

TEST_F(CommandAgentTest, AConfigThatMakesNoSenseIsRefused) {
  for (const char* config :
       {"{}", R"({"command": []})", R"({"command": [""]})", R"({"command": ["a\u0000b"]})",
        R"({"command": ["a"], "environment": {"A=B": "c"}})",
        R"({"command": ["a"], "working_directory": "here"})"}) {
    host_.config = config;
    EXPECT_THROW(AgentDriver(testdata::plugin("command_agent").agents(), 0, host_), davit::Failure) << config;
  }
}

// ---- being ended

TEST_F(CommandAgentTest, CancelEndsTheProgramAndItsGroup) {
  host_.config = sh("sleep 1000 & echo $! > child; touch ready; wait").dump();
  AgentDriver agent(testdata::plugin("command_agent").agents(), 0, host_);
  Outcome outcome;
  std::jthread running([&] { outcome = agent.execute(context()); });
  ASSERT_TRUE(wait_for("ready"));
  agent.cancel();
  running.join();
  EXPECT_EQ(outcome.status, Status::Cancelled);
  EXPECT_THAT(outcome.error, HasSubstr("signal 15 (SIGTERM)"));
  EXPECT_TRUE(gone("child"));
}

TEST_F(CommandAgentTest, WhoIgnoresTheRequestIsKilledAfterTheGrace) {
  host_.config =
      sh("trap '' TERM; touch ready; while :; do sleep 1000; done", Json::object({{"kill_grace_ms", 50}}))
          .dump();
  AgentDriver agent(testdata::plugin("command_agent").agents(), 0, host_);
  Outcome outcome;
  std::jthread running([&] { outcome = agent.execute(context()); });
  ASSERT_TRUE(wait_for("ready"));
  host_.cancelled = true;  // without cancel(): is_cancelled() says the same
  running.join();
  EXPECT_EQ(outcome.status, Status::Cancelled);
  EXPECT_THAT(outcome.error, HasSubstr("signal 9 (SIGKILL)"));
}

TEST_F(CommandAgentTest, TheDeadlineEndsIt) {
  host_.remaining_ms = 0;
  const Outcome outcome = run(sh("sleep 1000"));
  EXPECT_EQ(outcome.status, Status::Deadline);
  EXPECT_THAT(outcome.error, HasSubstr("the deadline has come"));
}

TEST_F(CommandAgentTest, ACancelOfAnEarlierExecutionDoesNotEndTheNext) {
  host_.config = sh("echo fine").dump();
  AgentDriver agent(testdata::plugin("command_agent").agents(), 0, host_);
  agent.cancel();
  EXPECT_EQ(result(agent.run(context()))["output"]["text"].string_or(""), "fine\n");
}

TEST_F(CommandAgentTest, AGrandchildThatHoldsThePipesHoldsNobodyUp) {
  const auto start = std::chrono::steady_clock::now();
  const Json out = result(run(sh("sleep 1000 & echo $! > child; echo done")));
  EXPECT_EQ(out["output"]["text"].string_or(""), "done\n");
  EXPECT_TRUE(gone("child")) << "what the program left behind ends with it";
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(20));
}

TEST_F(CommandAgentTest, AGrandchildInAnotherSessionHoldsNobodyUpEither) {
  const Json out = result(run(sh(
      "setsid sh -c 'trap \"\" PIPE; echo $$ > child; touch ready; while :; do echo y; done' 2>/dev/null & "
      "while ! [ -e ready ]; do :; done; echo done")));
  EXPECT_EQ(out["success"].dump(), "true");
  ASSERT_TRUE(runs("child"));  // the host's sweep would end it
  kill(static_cast<pid_t>(std::stol(testdata::read_file(workspace_ / "child"))), SIGKILL);
}

}  // namespace
