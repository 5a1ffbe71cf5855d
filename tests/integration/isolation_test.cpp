// The pool against a runner program that serves scripts (tests/support/test_runner.cpp). After each test no
// process with its tag may be left, and the pool must still serve.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <future>
#include <iterator>
#include <thread>

#include "host/base/file.h"
#include "host/base/id.h"
#include "host/isolation/envelope.h"
#include "host/isolation/runner_pool.h"
#include "tests/support/process_file.h"

namespace davit::isolation {
namespace {

constexpr Duration kLong{60'000};

// Living processes whose command line holds the tag. A zombie has none.
std::vector<pid_t> tagged(const std::string& tag) {
  std::vector<pid_t> found;
  for (const ProcessEntry& entry : all_processes()) {
    if (entry.dead()) continue;
    if (entry.pid != getpid() && testing::process_file(entry.pid, "cmdline").find(tag) != std::string::npos)
      found.push_back(entry.pid);
  }
  return found;
}

bool eventually(const std::function<bool()>& condition, Duration limit = Duration{10'000}) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(Duration{2});
  }
  return true;
}

struct Pending {
  std::promise<CallOutcome> promise;
  std::future<CallOutcome> future = promise.get_future();
  std::atomic<int> ends{0};
  std::atomic<int> reports{0};
  std::string last_report;
  RunnerPool::CallId id = 0;
  CallOutcome wait() {
    if (future.wait_for(std::chrono::seconds(30)) != std::future_status::ready) {
      ADD_FAILURE() << "on_end was never called";
      return {};
    }
    return future.get();
  }
};

class RunnerPoolTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { become_subreaper(); }

  void SetUp() override {
    loop_ = Loop::start("isolation").value();
    options_.runner_command = {DAVIT_TEST_RUNNER};
    make_pool();
  }
  void TearDown() override {
    drop_pool();
    EXPECT_EQ(tagged(tag_), std::vector<pid_t>{}) << "processes were left";
    EXPECT_FALSE(has_children()) << "a child was not reaped";
  }
  void make_pool() {
    loop_->run([&] { pool_ = std::make_unique<RunnerPool>(*loop_, children_, options_, *log_, clock_); });
  }
  void drop_pool() {
    loop_->run([&] { pool_.reset(); });
  }

  RunnerSpec spec(const std::string& name = "script") const {
    RunnerSpec made;
    made.name = name;
    return made;
  }
  std::shared_ptr<Pending> start(const RunnerSpec& spec, const std::string& request, std::string blob = {},
                                 Duration deadline = kLong, Duration grace = Duration{2000},
                                 const std::string& directory = {}) {
    auto pending = std::make_shared<Pending>();
    Call call;
    call.task_tag = tag_;
    call.request = request;
    call.blob = std::move(blob);
    call.working_directory = directory;
    call.deadline = std::chrono::steady_clock::now() + deadline;
    call.cancel_grace = grace;
    call.on_report = [pending](std::string_view report, std::string_view) {
      pending->last_report = report;
      ++pending->reports;
    };
    call.on_end = [pending, this](CallOutcome outcome) {
      EXPECT_TRUE(loop_->on_loop_thread());
      if (++pending->ends == 1) pending->promise.set_value(std::move(outcome));
    };
    loop_->run([&] { pending->id = pool_->call(spec, std::move(call)); });
    return pending;
  }
  CallOutcome call(const std::string& request, std::string blob = {}) {
    return start(spec(), request, std::move(blob))->wait();
  }
  std::string result(const std::string& request) {
    CallOutcome outcome = call(request);
    EXPECT_EQ(outcome.end, CallEnd::Answered) << outcome.detail;
    auto text = result_of_answer(outcome.answer);
    return text.ok() ? *text : text.error().message;
  }
  // Crashes by `request` and checks all that every crash has in common.
  CallOutcome expect_end(CallEnd end, const std::string& request, Duration deadline = kLong,
                         Duration grace = Duration{100}, const std::string& name = "script") {
    auto pending = start(spec(name), request, {}, deadline, grace);
    CallOutcome outcome = pending->wait();
    EXPECT_EQ(to_string(outcome.end), to_string(end)) << outcome.detail;
    EXPECT_EQ(tagged(tag_), std::vector<pid_t>{}) << "processes were left when the call ended";
    EXPECT_EQ(result(R"({"call":"calls"})"), "1") << "the pool does not go on with a fresh runner";
    EXPECT_EQ(pending->ends, 1);
    loop_->run([&] { pool_->retire([](const RunnerSpec&) { return true; }); });
    EXPECT_TRUE(eventually([&] { return pool_->stats().alive == 0; }));
    return outcome;
  }

  const std::string tag_ = "tag-" + new_id();
  std::unique_ptr<Log> log_ = Log::silent();
  SystemClock clock_;
  KnownChildren children_;
  PoolOptions options_;
  std::unique_ptr<Loop> loop_;
  std::unique_ptr<RunnerPool> pool_;
};

// --- serving

TEST_F(RunnerPoolTest, AnswersWithTheBlobIntact) {
  std::string blob = "bytes \x01\x02 and \"quotes\"";
  CallOutcome outcome = call(R"({"call":"echo"})", blob);
  ASSERT_EQ(outcome.end, CallEnd::Answered) << outcome.detail;
  EXPECT_EQ(result_of_answer(outcome.answer).value(), R"("bytes \u0001\u0002 and \"quotes\"")");
  outcome = call(R"({"call":"size"})", std::string(30u << 20, 'x'));
  EXPECT_EQ(result_of_answer(outcome.answer).value(), std::to_string(30u << 20));
}

TEST_F(RunnerPoolTest, AWarmRunnerServesCallsOfAnEqualSpec) {
  EXPECT_EQ(result(R"({"call":"calls"})"), "1");
  EXPECT_EQ(result(R"({"call":"calls"})"), "2");
  RunnerSpec other = spec();
  other.config = R"({"a":1})";
  EXPECT_EQ(start(other, R"({"call":"calls"})")->wait().answer, R"({"result":1})");
  EXPECT_EQ(start(other, R"({"call":"config"})")->wait().answer, R"({"result":"{\"a\":1}"})");
  EXPECT_EQ(pool_->stats().spawned, 2u);
}

TEST_F(RunnerPoolTest, ARunnerIsReplacedAfterItsNumberOfCalls) {
  RunnerSpec few = spec();
  few.calls_per_runner = 2;
  for (const char* expected : {"1", "2", "1", "2", "1"}) {
    EXPECT_EQ(start(few, R"({"call":"calls"})")->wait().answer, "{\"result\":" + std::string(expected) + "}");
  }
  EXPECT_EQ(pool_->stats().spawned, 3u);
}

TEST_F(RunnerPoolTest, CallsWaitInOrderForTheirTurn) {
  drop_pool();
  options_.max_runners = 1;
  make_pool();
  std::vector<std::shared_ptr<Pending>> calls;
  for (int i = 0; i < 20; ++i) calls.push_back(start(spec(), R"({"call":"calls"})"));
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(calls[i]->wait().answer, "{\"result\":" + std::to_string(i + 1) + "}");
  }
  EXPECT_EQ(pool_->stats().spawned, 1u);
}

TEST_F(RunnerPoolTest, AnIdleRunnerMakesRoomForAnotherSpec) {
  drop_pool();
  options_.max_runners = 1;
  make_pool();
  EXPECT_EQ(result(R"({"call":"calls"})"), "1");
  EXPECT_EQ(start(spec("other"), R"({"call":"calls"})")->wait().answer, R"({"result":1})");
  EXPECT_EQ(result(R"({"call":"calls"})"), "1");
  EXPECT_EQ(pool_->stats().crashed + pool_->stats().killed, 0u);
}

TEST_F(RunnerPoolTest, ASpecAtItsOwnLimitHoldsUpNobodyElse) {
  RunnerSpec one = spec("one");
  one.max_runners = 1;
  auto first = start(one, R"({"call":"wait"})");
  auto second = start(one, R"({"call":"calls"})");
  EXPECT_EQ(result(R"({"call":"calls"})"), "1");
  EXPECT_EQ(second->ends, 0);
  ASSERT_TRUE(eventually([&] { return first->reports > 0; }));
  loop_->run([&] { pool_->cancel(first->id); });
  EXPECT_EQ(first->wait().end, CallEnd::Answered);
  EXPECT_EQ(second->wait().end, CallEnd::Answered);
}

TEST_F(RunnerPoolTest, AnIdleRunnerEndsAfterItsTime) {
  drop_pool();
  options_.idle = Duration{30};
  make_pool();
  EXPECT_EQ(result(R"({"call":"calls"})"), "1");
  EXPECT_TRUE(eventually([&] { return pool_->stats().alive == 0; }));
  EXPECT_EQ(pool_->stats().killed + pool_->stats().crashed, 0u);
}

TEST_F(RunnerPoolTest, RetiringEndsIdleRunnersNowAndBusyOnesAfterTheirCall) {
  EXPECT_EQ(result(R"({"call":"calls"})"), "1");
  auto busy = start(spec("busy"), R"({"call":"wait"})");
  ASSERT_TRUE(eventually([&] { return busy->reports > 0; }));
  loop_->run([&] { pool_->retire([](const RunnerSpec&) { return true; }); });
  EXPECT_TRUE(eventually([&] { return pool_->stats().alive == 1; }));
  loop_->run([&] { pool_->cancel(busy->id); });
  EXPECT_EQ(busy->wait().end, CallEnd::Answered);
  EXPECT_TRUE(eventually([&] { return pool_->stats().alive == 0; }));
}

TEST_F(RunnerPoolTest, ReportsComeInOrderBeforeTheAnswer) {
  auto pending = start(spec(), R"({"call":"report","number":1000})");
  EXPECT_EQ(pending->wait().end, CallEnd::Answered);
  EXPECT_EQ(pending->reports, 1000);
  EXPECT_EQ(pending->last_report, R"({"n":999})");
}

TEST_F(RunnerPoolTest, ErrorsOfThePluginAreAnswers) {
  CallOutcome outcome = call(R"({"call":"fail"})");
  EXPECT_EQ(outcome.end, CallEnd::Answered);
  EXPECT_EQ(result_of_answer(outcome.answer).error().code, ErrorCode::RateLimited);
}

TEST_F(RunnerPoolTest, TheRunnerSeesOnlyItsOwnEnvironmentAndDescriptors) {
  setenv("DAVIT_TEST_HOST_SECRET", "s3cret", 1);
  RunnerSpec with = spec();
  with.environment = {{"GRANTED", "yes"}};
  auto pending = start(with, R"({"call":"environment"})", {}, kLong, Duration{100}, "/tmp");
  const std::string environment = result_of_answer(pending->wait().answer).value();
  EXPECT_EQ(environment.find("s3cret"), std::string::npos);
  EXPECT_NE(environment.find("GRANTED=yes"), std::string::npos);
  EXPECT_NE(environment.find("HOME=/tmp\\n"), std::string::npos) << environment;
  EXPECT_NE(environment.find("PATH="), std::string::npos);
  EXPECT_EQ(result_of_answer(start(with, R"({"call":"descriptors"})")->wait().answer).value(),
            R"("0 1 2 3 4 ")");
  unsetenv("DAVIT_TEST_HOST_SECRET");
}

TEST_F(RunnerPoolTest, EachCallHasItsWorkingDirectory) {
  auto directory = [&](const std::string& path) {
    CallOutcome outcome = start(spec(), R"({"call":"directory"})", {}, kLong, Duration{100}, path)->wait();
    auto text = result_of_answer(outcome.answer);
    return text.ok() ? *text : text.error().message;
  };
  EXPECT_EQ(directory("/tmp"), "\"/tmp\"");
  EXPECT_EQ(directory("/usr"), "\"/usr\"");
  EXPECT_EQ(directory(""), "\"/\"");
  EXPECT_NE(directory("/nonexistent/folder").find("No such file"), std::string::npos);
}

// --- ends of the runner's own making

TEST_F(RunnerPoolTest, ASegmentationFaultIsACrashWithItsSignal) {
  EXPECT_EQ(expect_end(CallEnd::Crashed, R"({"call":"segv"})").detail,
            "killed by signal 11 (SIGSEGV) in the middle of a call");
  expect_end(CallEnd::Crashed, R"({"call":"segv","daemon":true})");
  EXPECT_EQ(pool_->stats().crashed, 2u);
}

TEST_F(RunnerPoolTest, AnAbortIsACrashWithTheLastWords) {
  CallOutcome outcome = expect_end(CallEnd::Crashed, R"({"call":"abort"})");
  EXPECT_EQ(outcome.detail, "killed by signal 6 (SIGABRT) in the middle of a call");
  EXPECT_NE(outcome.output_tail.find("the last words"), std::string::npos);
}

TEST_F(RunnerPoolTest, AnExceptionThatNobodyCatchesIsACrash) {
  EXPECT_EQ(expect_end(CallEnd::Crashed, R"({"call":"throw"})").detail,
            "killed by signal 6 (SIGABRT) in the middle of a call");
}

TEST_F(RunnerPoolTest, AnExitInTheMiddleOfACallIsACrashWithItsStatus) {
  EXPECT_EQ(expect_end(CallEnd::Crashed, R"({"call":"exit","number":0})").detail,
            "exited with status 0 in the middle of a call");
  EXPECT_EQ(expect_end(CallEnd::Crashed, R"({"call":"exit","number":7,"daemon":true})").detail,
            "exited with status 7 in the middle of a call");
}

TEST_F(RunnerPoolTest, AStackOverflowIsACrash) {
  EXPECT_EQ(expect_end(CallEnd::Crashed, R"({"call":"overflow"})").detail,
            "killed by signal 11 (SIGSEGV) in the middle of a call");
}

TEST_F(RunnerPoolTest, ACrashInAnotherThreadIsACrash) {
  expect_end(CallEnd::Crashed, R"({"call":"detached"})");
}

TEST_F(RunnerPoolTest, AKillBySomebodyElseIsACrashThatSaysSo) {
  EXPECT_NE(expect_end(CallEnd::Crashed, R"({"call":"kill","daemon":true})").detail.find("not by davit"),
            std::string::npos);
}

TEST_F(RunnerPoolTest, AnIdleRunnerThatDiesIsReplaced) {
  const pid_t pid = std::stoi(result(R"({"call":"pid"})"));
  kill(pid, SIGKILL);
  EXPECT_TRUE(eventually([&] { return pool_->stats().alive == 0; }));
  EXPECT_EQ(result(R"({"call":"calls"})"), "1");
}

TEST_F(RunnerPoolTest, ADeathBeforeTheCallIsACrash) {
  EXPECT_EQ(expect_end(CallEnd::Crashed, "{}", kLong, Duration{100}, "exits-at-once").detail,
            "exited with status 3 before the call");
  EXPECT_EQ(expect_end(CallEnd::Crashed, "{}", kLong, Duration{100}, "crashes-in-create").detail,
            "killed by signal 11 (SIGSEGV) before the call");
}

TEST_F(RunnerPoolTest, ARefusedCreationSaysWhy) {
  EXPECT_EQ(expect_end(CallEnd::Refused, "{}", kLong, Duration{100}, "refuses").detail,
            "bad_config: it never likes its configuration");
}

TEST_F(RunnerPoolTest, AProgramThatCannotBeStartedSaysWhy) {
  drop_pool();
  options_.runner_command = {"/nonexistent/davit"};
  make_pool();
  CallOutcome outcome = call("{}");
  EXPECT_EQ(outcome.end, CallEnd::SpawnFailed);
  EXPECT_NE(outcome.detail.find("/nonexistent/davit"), std::string::npos);
  EXPECT_EQ(pool_->stats().alive, 0u);
}

// --- ends by us

TEST_F(RunnerPoolTest, AHangIsKilledAfterDeadlineAndGrace) {
  CallOutcome outcome = expect_end(CallEnd::TimedOut, R"({"call":"hang"})", Duration{300}, Duration{200});
  EXPECT_GE(outcome.kill_took, Duration{200});
  EXPECT_LT(outcome.kill_took, Duration{3000});
}

TEST_F(RunnerPoolTest, AHangWithADaemonThatIgnoresEverySignalLeavesNothing) {
  CallOutcome outcome =
      expect_end(CallEnd::TimedOut, R"({"call":"hang","daemon":true})", Duration{500}, Duration{50});
  EXPECT_LT(outcome.kill_took, Duration{3000});
}

TEST_F(RunnerPoolTest, ACallThatStopsWhenAskedAfterItsDeadlineIsAnAnswerPastTheDeadline) {
  CallOutcome outcome = start(spec(), R"({"call":"wait"})", {}, Duration{300}, Duration{10'000})->wait();
  EXPECT_EQ(outcome.end, CallEnd::Answered);
  EXPECT_TRUE(outcome.past_deadline);
  EXPECT_EQ(result_of_answer(outcome.answer).error().code, ErrorCode::Cancelled);
  EXPECT_EQ(result(R"({"call":"calls"})"), "1") << "a runner that was cancelled must not be used again";
}

TEST_F(RunnerPoolTest, CancelAsksFirstAndKillsAfterTheGrace) {
  auto polite = start(spec(), R"({"call":"wait"})");
  ASSERT_TRUE(eventually([&] { return polite->reports > 0; }));
  loop_->run([&] { pool_->cancel(polite->id); });
  CallOutcome outcome = polite->wait();
  EXPECT_EQ(outcome.end, CallEnd::Answered);
  EXPECT_FALSE(outcome.past_deadline);

  auto stubborn = start(spec(), R"({"call":"hang"})", {}, kLong, Duration{50});
  ASSERT_TRUE(eventually([&] { return stubborn->reports > 0; }));
  loop_->run([&] {
    pool_->cancel(stubborn->id);
    pool_->cancel(stubborn->id);
    pool_->cancel(123'456);
  });
  EXPECT_EQ(stubborn->wait().end, CallEnd::Cancelled);
}

TEST_F(RunnerPoolTest, CancelEndsACallThatWaitsOrIsJustBeginning) {
  drop_pool();
  options_.max_runners = 1;
  make_pool();
  auto beginning = start(spec("hangs-in-create"), "{}");
  auto waiting = start(spec(), R"({"call":"calls"})");
  loop_->run([&] { pool_->cancel(waiting->id); });
  EXPECT_EQ(waiting->wait().end, CallEnd::Cancelled);
  loop_->run([&] { pool_->cancel(beginning->id); });
  EXPECT_EQ(beginning->wait().end, CallEnd::Cancelled);
  EXPECT_EQ(pool_->stats().waiting, 0u);
}

TEST_F(RunnerPoolTest, ACallThatFindsNoFreeRunnerTimesOutWhileWaiting) {
  drop_pool();
  options_.max_runners = 1;
  make_pool();
  auto first = start(spec(), R"({"call":"wait"})");
  auto second = start(spec(), R"({"call":"calls"})", {}, Duration{50});
  CallOutcome outcome = second->wait();
  EXPECT_EQ(outcome.end, CallEnd::TimedOut);
  EXPECT_EQ(outcome.detail, "no runner became free before the deadline");
  loop_->run([&] { pool_->cancel(first->id); });
  first->wait();
}

TEST_F(RunnerPoolTest, AHangWhileLoadingIsKilledAtTheDeadline) {
  expect_end(CallEnd::TimedOut, "{}", Duration{300}, Duration{100}, "hangs-in-create");
  expect_end(CallEnd::TimedOut, "{}", Duration{300}, Duration{100}, "silent");
}

TEST_F(RunnerPoolTest, AStoppedRunnerIsKilled) {
  expect_end(CallEnd::TimedOut, R"({"call":"stop","daemon":true})", Duration{500}, Duration{50});
}

TEST_F(RunnerPoolTest, ATreeOfChildrenInManySessionsIsKilled) {
  auto pending = start(spec(), R"({"call":"children","number":14})", {}, kLong, Duration{1});
  ASSERT_TRUE(eventually([&] { return pending->reports > 0; }));
  loop_->run([&] { pool_->cancel(pending->id); });
  CallOutcome outcome = pending->wait();
  EXPECT_EQ(outcome.end, CallEnd::Cancelled);
  EXPECT_EQ(tagged(tag_), std::vector<pid_t>{});
  RecordProperty("kill_took_ms", static_cast<int>(outcome.kill_took.count()));
}

TEST_F(RunnerPoolTest, AForkStormIsKilled) {
  expect_end(CallEnd::TimedOut, R"({"call":"storm","number":6})", Duration{200}, Duration{20});
}

TEST_F(RunnerPoolTest, AProcessThatForksForEverIsKilled) {
  expect_end(CallEnd::TimedOut, R"({"call":"forks-for-ever"})", Duration{200}, Duration{20});
}

TEST_F(RunnerPoolTest, WhatACallLeavesRunningIsGoneWhenItAnswers) {
  EXPECT_EQ(result(R"({"call":"calls","daemon":true})"), "1");
  EXPECT_EQ(tagged(tag_).size(), 1u);
  EXPECT_EQ(result(R"({"call":"calls"})"), "2");
}

TEST_F(RunnerPoolTest, DroppingThePoolKillsWhatRunsAndCallsNobody) {
  auto busy = start(spec(), R"({"call":"hang","daemon":true})");
  ASSERT_TRUE(eventually([&] { return busy->reports > 0; }));
  drop_pool();
  loop_->run([] {});
  EXPECT_EQ(busy->ends, 0);
  EXPECT_EQ(tagged(tag_), std::vector<pid_t>{});
}

// --- wrong frames

TEST_F(RunnerPoolTest, ARunnerThatClosesItsSocketIsKilled) {
  expect_end(CallEnd::BrokeProtocol, R"({"call":"close"})");
}

TEST_F(RunnerPoolTest, GarbageIsABrokenProtocol) {
  expect_end(CallEnd::BrokeProtocol, R"({"call":"garbage","daemon":true})");
}

TEST_F(RunnerPoolTest, AnAnnouncedAnswerOverTheCapIsABrokenProtocol) {
  EXPECT_NE(expect_end(CallEnd::BrokeProtocol, R"({"call":"too-large"})").detail.find("3221225472"),
            std::string::npos);
}

TEST_F(RunnerPoolTest, AnAnswerOverTheCapIsAPermanentErrorOfThePlugin) {
  CallOutcome outcome = call(R"({"call":"large-answer"})");
  EXPECT_EQ(outcome.end, CallEnd::Answered);
  EXPECT_EQ(result_of_answer(outcome.answer).error().code, ErrorCode::Permanent);
}

TEST_F(RunnerPoolTest, AnUnexpectedFrameIsABrokenProtocol) {
  expect_end(CallEnd::BrokeProtocol, R"({"call":"unexpected"})");
}

TEST_F(RunnerPoolTest, ASecondAnswerIsABrokenProtocolAndSpoilsNoOtherCall) {
  EXPECT_EQ(call(R"({"call":"answer-twice"})").answer, "{}");
  ASSERT_TRUE(eventually([&] { return pool_->stats().alive == 0; }));
  EXPECT_EQ(result(R"({"call":"calls"})"), "1");
}

TEST_F(RunnerPoolTest, ALieInTheHandshakeIsABrokenProtocol) {
  expect_end(CallEnd::BrokeProtocol, "{}", kLong, Duration{100}, "lies");
  expect_end(CallEnd::BrokeProtocol, "{}", kLong, Duration{100}, "other-protocol");
}

TEST_F(RunnerPoolTest, ACallOverTheCapIsRefused) {
  CallOutcome outcome = start(spec(), R"({"call":"size"})", std::string((32u << 20) + 1, 'x'))->wait();
  EXPECT_EQ(outcome.end, CallEnd::Refused);
  EXPECT_EQ(result(R"({"call":"calls"})"), "1");
}

// --- output

TEST_F(RunnerPoolTest, AFloodOnStdoutIsDrainedWithoutGrowing) {
  auto resident = [] {
    std::ifstream file("/proc/self/statm");
    long size = 0, pages = 0;
    file >> size >> pages;
    return pages * (sysconf(_SC_PAGESIZE) >> 10);
  };
  call(R"({"call":"calls"})");
  const long before = resident();
  EXPECT_EQ(start(spec(), R"({"call":"flood","number":1024})")->wait().end, CallEnd::Answered);
  EXPECT_LT(resident() - before, 8 << 10) << "KiB";
}

TEST_F(RunnerPoolTest, PrintedLinesAndLogFramesReachTheLogWithThePluginsName) {
  const std::string path = ::testing::TempDir() + "/" + tag_ + ".log";
  log_ = Log::open({LogLevel::Debug, LogFormat::Text, path}).value();
  drop_pool();
  make_pool();
  call(R"({"call":"log"})");
  call(R"({"call":"abort"})");
  drop_pool();
  log_ = Log::silent();
  const std::string text = read_file(path).value();
  EXPECT_NE(text.find("warning plugin plugin=script"), std::string::npos) << text;
  EXPECT_NE(text.find("line=\"a line of the plugin\""), std::string::npos);
  EXPECT_NE(text.find("line=\"the last words\""), std::string::npos);
  unlink(path.c_str());
}

// --- the host's own end

struct HostProcess {
  KnownChildren& children;
  pid_t pid = 0;
  UniqueFd output;
  HostProcess(KnownChildren& known, const std::string& tag, const std::string& request) : children(known) {
    int fds[2];
    EXPECT_EQ(pipe2(fds, O_CLOEXEC), 0);
    output.reset(fds[0]);
    UniqueFd theirs(fds[1]);
    auto started = children.start([&]() -> Result<pid_t> {
      posix_spawn_file_actions_t actions;
      posix_spawn_file_actions_init(&actions);
      posix_spawn_file_actions_adddup2(&actions, theirs.number(), 1);
      std::string program = DAVIT_TEST_RUNNER, mode = "host", its_tag = tag, its_request = request;
      char* argv[] = {program.data(), mode.data(), its_tag.data(), its_request.data(), nullptr};
      pid_t child = 0;
      const int failed = posix_spawn(&child, program.c_str(), &actions, nullptr, argv, environ);
      posix_spawn_file_actions_destroy(&actions);
      if (failed != 0) return Error{ErrorCode::Unavailable, "spawn"};
      return child;
    });
    EXPECT_TRUE(started.ok());
    pid = *started;
  }
  void wait_for_report() {
    char byte = 0;
    EXPECT_EQ(read(output.number(), &byte, 1), 1);
  }
  void kill_hard() {
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    children.forget(pid);
  }
};

class HostDeathTest : public ::testing::TestWithParam<const char*> {};

// Runner and grandchildren fall to this test, which is a subreaper and does nothing but look until they are
// gone.
TEST_P(HostDeathTest, EverythingIsGoneWithinFiveSeconds) {
  become_subreaper();
  KnownChildren children;
  const std::string tag = "tag-" + new_id();
  HostProcess host(children, tag, GetParam());
  host.wait_for_report();
  EXPECT_GE(tagged(tag).size(), 3u);  // host, runner, daemon
  host.kill_hard();
  EXPECT_TRUE(eventually([&] { return tagged(tag).empty(); }, Duration{5000}));
  EXPECT_TRUE(eventually([&] { return sweep_orphans(children); }));
  EXPECT_FALSE(has_children());
}
INSTANTIATE_TEST_SUITE_P(Calls, HostDeathTest,
                         ::testing::Values(R"({"call":"hang","daemon":true})",
                                           R"({"call":"children","number":9})"));

TEST(HostDeathOfAStoppedRunnerTest, AStoppedRunnerSeesTheEndOfTheHostToo) {
  become_subreaper();
  KnownChildren children;
  const std::string tag = "tag-" + new_id();
  HostProcess host(children, tag, R"({"call":"hang","daemon":true})");
  host.wait_for_report();
  for (const ProcessEntry& entry : all_processes()) {
    if (entry.parent == host.pid) kill(entry.pid, SIGSTOP);
  }
  host.kill_hard();
  EXPECT_TRUE(eventually([&] { return tagged(tag).empty(); }, Duration{5000}));
  EXPECT_TRUE(eventually([&] { return sweep_orphans(children); }));
}

// --- the tree

TEST(ProcessTreeTest, ASweepKillsOrphansAndSparesKnownChildren) {
  become_subreaper();
  KnownChildren children;
  auto sleeper = [](pid_t& pid) {
    std::string program = "sleep", seconds = "1000";
    char* argv[] = {program.data(), seconds.data(), nullptr};
    return posix_spawnp(&pid, "sleep", nullptr, nullptr, argv, environ);
  };
  auto known = children.start([&]() -> Result<pid_t> {
    pid_t pid = 0;
    if (sleeper(pid) != 0) return Error{ErrorCode::Unavailable, "spawn"};
    return pid;
  });
  ASSERT_TRUE(known.ok());
  pid_t orphan = 0;
  ASSERT_EQ(sleeper(orphan), 0);
  EXPECT_TRUE(eventually([&] { return sweep_orphans(children); }));
  EXPECT_FALSE(process(orphan).has_value());
  ASSERT_TRUE(process(*known).has_value());
  EXPECT_FALSE(process(*known)->dead());
  UniqueFd pidfd = open_process(*known);
  TreeKill kill(*known, pidfd.number(), children, nullptr);
  EXPECT_TRUE(kill_tree(kill, Duration{5000}));
  EXPECT_EQ(describe_end(*kill.wait_status()), "killed by signal 9 (SIGKILL)");
  EXPECT_FALSE(children.knows(*known));
  EXPECT_FALSE(has_children());
}

TEST(ProcessTreeTest, AProcessIsNotKilledUnderAnotherStartTime) {
  auto self = process(getpid());
  ASSERT_TRUE(self.has_value());
  self->start_time += 1;
  EXPECT_FALSE(kill_process(*self));
}

}  // namespace
}  // namespace davit::isolation
