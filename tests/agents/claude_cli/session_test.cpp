// Sessions with a program in the CLI's place.
#include "claude_cli/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <chrono>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "davit/testing/fake_host.hpp"
#include "tests/agents/claude_cli/streams.h"

namespace {

namespace fs = std::filesystem;
using claude::End;
using claude::Outcome;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

class ClaudeSessionTest : public testing::Test {
 protected:
  ClaudeSessionTest() {
    std::string pattern = testing::TempDir() + "davit-session-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    fs::create_directories(work());
    session_.prompt = "Find the fault.";
    session_.session_id = "7d1f0b52-6c1e-4c3a-9b60-0a51f6f3c201";
    session_.work = work();
    session_.wall = std::chrono::minutes(5);
    settings_.path = fs::path(DAVIT_BUILD_DIR) / "tests/fake_claude";
  }
  ~ClaudeSessionTest() override { fs::remove_all(folder_); }

  fs::path work() const { return folder_ / "work"; }
  static std::string emit(const std::string& stream) {
    return "emit " + (streams::folder() / (stream + ".jsonl")).string() + "\n";
  }

  Outcome run(const std::string& script) {
    std::ofstream(folder_ / "script") << script;
    const claude::Start start{.program = [this] { return program(); },
                              .redact =
                                  [](std::string_view text) {
                                    std::string clean(text);
                                    const std::size_t at = clean.find("sk-canary");
                                    if (at != std::string::npos) clean.replace(at, 9, "[redacted]");
                                    return clean;
                                  }};
    Outcome outcome;
    const davit::Host host(host_.abi());
    const auto called = host_.call([&](const davit_call* call, const davit_sink*) -> davit_status {
      outcome = claude::run_session(settings_, session_, start, davit::Run(host, call));
      return DAVIT_OK;
    });
    EXPECT_EQ(called.status, davit::Status::Ok);
    return outcome;
  }

  child::Program program() const {
    child::Program program;
    program.path = child::find_program(settings_.path, "/usr/bin:/bin", "config.claude.path");
    program.arguments = arguments_for(settings_, session_, {});
    program.arguments.insert(program.arguments.begin(), "claude");
    program.arguments.insert(program.arguments.end(), more_arguments_.begin(), more_arguments_.end());
    program.environment = environment_for(settings_, {.home = folder_, .temporary = folder_},
                                          [](const std::string&) { return std::optional<std::string>(); });
    program.environment.push_back("FAKE_CLAUDE=" + (folder_ / "script").string());
    program.working_directory = work().string();
    return program;
  }

  std::string content_of(const std::string& file) const {
    std::stringstream text;
    text << std::ifstream(work() / file).rdbuf();
    return text.str();
  }
  // Waits for a file that the program makes; false after twenty seconds.
  bool wait_for(const std::string& file) const {
    const auto end = std::chrono::steady_clock::now() + seconds(20);
    while (!fs::exists(work() / file)) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::yield();
    }
    return true;
  }
  // Is the process whose number is in that file gone? Waits twenty seconds for it.
  bool gone(const std::string& file) const {
    const std::string number = content_of(file);
    if (number.empty()) return false;
    const auto end = std::chrono::steady_clock::now() + seconds(20);
    for (;;) {
      std::stringstream stat;
      stat << std::ifstream("/proc/" + number + "/stat").rdbuf();
      if (stat.str().empty() || stat.str().find(") Z") != std::string::npos) return true;
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::yield();
    }
  }

  fs::path folder_;
  claude::Settings settings_;
  claude::Session session_;
  std::vector<std::string> more_arguments_;
  davit::testing::FakeHost host_;
};

TEST_F(ClaudeSessionTest, AGoodSessionIsHeardToItsEnd) {
  const Outcome outcome = run("prompt got\n" + emit("success"));
  EXPECT_EQ(outcome.end, End::Ok) << outcome.why;
  EXPECT_EQ(outcome.text, "The date is compared as text.");
  EXPECT_DOUBLE_EQ(outcome.usage.cost_usd, 0.0421);
  EXPECT_EQ(content_of("got"), "Find the fault.");
  EXPECT_THAT(host_.transcript, Contains(Pair("assistant", "The date is compared as text.")));
  EXPECT_THAT(host_.progress, Contains("working: Read {\"file_path\":\"/repo/dates.cpp\"}"));
  ASSERT_FALSE(host_.usage.empty());
  EXPECT_THAT(host_.usage.back(), HasSubstr("\"cost_usd\":0.0421"));
}

TEST_F(ClaudeSessionTest, APromptOfMegabytesArrivesWhole) {
  session_.prompt = std::string(3'000'000, 'x') + "end";
  EXPECT_EQ(run("prompt got\n" + emit("success")).end, End::Ok);
  EXPECT_TRUE(content_of("got") == session_.prompt);
}

TEST_F(ClaudeSessionTest, StopsWhatHangsAfterItsResult) {
  settings_.result_grace = seconds(1);
  const Outcome outcome = run("ignore-term\n" + emit("success") + "hang\n");
  EXPECT_EQ(outcome.end, End::Ok) << outcome.why;
}

TEST_F(ClaudeSessionTest, AGrandchildThatHoldsTheOutputHoldsNobody) {
  const Outcome outcome = run("grandchild pid\n" + emit("success"));
  EXPECT_EQ(outcome.end, End::Ok) << outcome.why;
  EXPECT_TRUE(gone("pid"));
}

TEST_F(ClaudeSessionTest, StopsWhatIsSilentTooLong) {
  settings_.idle = seconds(1);
  const Outcome outcome = run(emit("killed") + "hang\n");
  EXPECT_EQ(outcome.end, End::Hung) << outcome.why;
  EXPECT_THAT(outcome.why, HasSubstr("idle_seconds"));
  EXPECT_NEAR(outcome.usage.cost_usd, 0.038886, 1e-9);
}

TEST_F(ClaudeSessionTest, StopsWhatNeverBegins) {
  settings_.start = seconds(1);
  const Outcome outcome = run("hang\n");
  EXPECT_EQ(outcome.end, End::Hung) << outcome.why;
  EXPECT_THAT(outcome.why, HasSubstr("start_seconds"));
}

TEST_F(ClaudeSessionTest, TheWallEndsIt) {
  session_.wall = milliseconds(1);
  const Outcome outcome = run(emit("killed") + "hang\n");
  EXPECT_EQ(outcome.end, End::Deadline) << outcome.why;
}

TEST_F(ClaudeSessionTest, TheRunsOwnDeadlineEndsIt) {
  host_.remaining_ms = 0;
  EXPECT_EQ(run("hang\n").end, End::Deadline);
}

TEST_F(ClaudeSessionTest, CancelEndsTheTreeWithinTheGrace) {
  std::thread person([this] {
    EXPECT_TRUE(wait_for("ready"));
    host_.cancelled = true;
  });
  const Outcome outcome = run("ignore-term\ngrandchild pid\n" + emit("killed") + "touch ready\nhang\n");
  person.join();
  EXPECT_EQ(outcome.end, End::Cancelled) << outcome.why;
  EXPECT_GT(outcome.usage.cost_usd, 0);
  EXPECT_TRUE(gone("pid"));
}

TEST_F(ClaudeSessionTest, ASessionThatLacksItsToolsIsEndedAtOnce) {
  session_.tools = claude::Tools::Read;
  const Outcome outcome =
      run(R"(say {"type":"system","subtype":"init","claude_code_version":"2.1.197","tools":["Read"]})"
          "\nhang\n");
  EXPECT_EQ(outcome.end, End::Crashed);
  EXPECT_THAT(outcome.why, HasSubstr("no tool Grep"));
}

TEST_F(ClaudeSessionTest, ASignalIsTold) {
  const Outcome outcome = run(emit("killed") + "kill 9\n");
  EXPECT_EQ(outcome.end, End::Killed);
  EXPECT_THAT(outcome.why, HasSubstr("SIGKILL"));
}

TEST_F(ClaudeSessionTest, TheLastErrorLineIsToldWithoutSecrets) {
  const Outcome outcome = run("error first\nerror bad key sk-canary\nexit 3\n");
  EXPECT_EQ(outcome.end, End::Crashed);
  EXPECT_THAT(outcome.why, HasSubstr("exited with status 3 without a result: bad key [redacted]"));
  EXPECT_THAT(host_.transcript, Contains(Pair("stderr", "first")));
  EXPECT_THAT(host_.transcript, Each(Pair(testing::_, Not(HasSubstr("canary")))));
}

TEST_F(ClaudeSessionTest, AnOptionItDoesNotKnowIsAnOldVersion) {
  more_arguments_ = {"--of-next-year"};
  const Outcome outcome = run("exit 0\n");
  EXPECT_EQ(outcome.end, End::NotInstalled);
  EXPECT_THAT(outcome.why, HasSubstr("unknown option '--of-next-year'"));
}

TEST_F(ClaudeSessionTest, APlantedHookNeverFires) {
  fs::create_directories(work() / ".claude");
  std::ofstream(work() / ".claude/hook") << "anything";
  EXPECT_EQ(run(emit("success")).end, End::Ok);
  EXPECT_FALSE(fs::exists(work() / "hook-ran"));
}

TEST_F(ClaudeSessionTest, WithoutTheProgramTheSentenceSaysWhatToInstall) {
  settings_.path = folder_ / "none";
  const Outcome outcome = run("");
  EXPECT_EQ(outcome.end, End::NotInstalled);
  EXPECT_THAT(outcome.why, AllOf(HasSubstr("none does not exist"), HasSubstr("install Claude Code"),
                                 HasSubstr("command-agent works without it")));
}

TEST_F(ClaudeSessionTest, ASessionThatCannotBeGivenIsRefused) {
  session_.prompt = "";
  EXPECT_EQ(host_
                .call([&](const davit_call* call, const davit_sink*) -> davit_status {
                  EXPECT_THROW(claude::run_session(settings_, session_, {}, davit::Run(davit::Host(), call)),
                               davit::Failure);
                  return DAVIT_OK;
                })
                .status,
            davit::Status::Ok);
}

// Peak of this process, in kilobytes.
long peak_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmHWM:", 0) == 0) return std::stol(line.substr(6));
  }
  return -1;
}

TEST_F(ClaudeSessionTest, OneGigabyteOfOutputKeepsMemoryFlat) {
  const long before = peak_memory();
  ASSERT_GT(before, 0);
  const Outcome outcome = run(emit("killed") + "flood 1200000000\n" + emit("success"));
  EXPECT_EQ(outcome.end, End::OutputLimit) << outcome.why;
  EXPECT_EQ(outcome.skipped.too_long, 1u);
  EXPECT_NEAR(outcome.usage.cost_usd, 0.038886, 1e-9);
  EXPECT_LT(peak_memory() - before, 100'000);
}

}  // namespace
