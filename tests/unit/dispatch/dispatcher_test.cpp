// The whole of dispatch with a real store, real runners and a real agent plugin
// (tests/plugins/scripted_agent.c).
#include "host/dispatch/dispatcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <condition_variable>
#include <fstream>
#include <future>
#include <sstream>

#include "host/base/file.h"
#include "host/base/json.h"
#include "host/isolation/runner_main.h"
#include "host/store/database.h"

namespace davit::dispatch {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr seconds kPatience{30};  // of a test that is going to fail

// Wakes those who wait for the store to say that something changed.
class ChangeBell {
 public:
  void ring() {
    std::lock_guard lock(mutex_);
    ++rung_;
    condition_.notify_all();
  }
  // Looks again after each change until the predicate holds.
  template <typename Predicate>
  bool wait_until(Predicate holds) {
    auto end = std::chrono::steady_clock::now() + kPatience;
    std::unique_lock lock(mutex_);
    for (;;) {
      std::uint64_t seen = rung_;
      lock.unlock();
      if (holds()) return true;
      lock.lock();
      if (!condition_.wait_until(lock, end, [&] { return rung_ != seen; })) return false;
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable condition_;
  std::uint64_t rung_ = 0;
};

// The machine's clocks, which a test may let jump ahead: to the host it is as if it had stood still
// meanwhile.
class JumpingClock final : public Clock {
 public:
  WallTime wall() const override { return system_.wall() + Duration(ahead_.load()); }
  MonotonicTime monotonic() const override { return system_.monotonic() + Duration(ahead_.load()); }
  void jump(Duration by) { ahead_ += by.count(); }

 private:
  SystemClock system_;
  std::atomic<Duration::rep> ahead_{0};
};

class DispatcherTest : public testing::Test {
 protected:
  DispatcherTest() {
    std::string pattern = fs::temp_directory_path() / "davit-dispatch-XXXXXX";
    root_ = ::mkdtemp(pattern.data());
    options_.work_directory = root_ / "work";
    options_.cancel_grace = Duration(300);
    options_.report_interval = Duration(20);
    options_.retry.base = Duration(1);
    options_.retry.cap = Duration(5);
    options_.seed = 1;
    generation_ = std::make_shared<plugin::Generation>();
    generation_->stored = DAVIT_BUILD_DIR "/tests/plugins/scripted_agent.so";
    for (std::uint32_t index = 0; index < 3; ++index) {
      static const char* const kNames[] = {"worker", "second", "third"};
      auto agent = std::make_shared<plugin::Agent>();
      agent->settings.name = agent->offer.name = kNames[index];
      agent->settings.concurrency = 2;
      agent->settings.granted = {{"TOKEN", "s3cr3t-value"}};
      agent->offer.kind = PluginKind::Agent;
      agent->offer.index = index;
      agent->generation = generation_;
      agent->timeout = seconds(20);
      agents_[kNames[index]] = agent;
    }
    open_store();
  }
  ~DispatcherTest() override {
    dispatcher_.reset();
    store_.reset();
    fs::remove_all(root_);
  }

  void open_store() {
    auto opened = store::Store::open({.path = root_ / "davit.db", .create_if_missing = true}, *log_, clock_);
    if (auto* error = std::get_if<store::OpenError>(&opened)) FAIL() << error->message;
    store_ = std::move(std::get<std::unique_ptr<store::Store>>(opened));
    store_->on_change([this](const std::vector<store::Change>& changes) {
      if (Dispatcher* dispatcher = listening_.load()) dispatcher->changed(changes);
      bell_.ring();
    });
    store_->on_commit([this](std::chrono::microseconds, std::size_t) { bell_.ring(); });
    store_->on_execution_end([this](const EndedExecution& ended) {
      metrics_.execution_booked(ended.agent, ended.outcome, ended.task_type, ended.usage);
    });
  }

  void publish() {
    auto snapshot = std::make_shared<plugin::Snapshot>();
    for (const auto& [name, agent] : agents_)
      snapshot->agents[name] = std::make_shared<const plugin::Agent>(*agent);
    registry_.publish(snapshot);
  }

  void start() {
    publish();
    auto started = Dispatcher::start({*store_, registry_, metrics_, children_, *log_, clock_}, options_);
    ASSERT_TRUE(started.ok()) << started.error().message;
    dispatcher_ = std::move(*started);
    listening_ = dispatcher_.get();
  }

  std::string submit(const std::string& payload, const std::string& agent = "worker", int max_retries = 3,
                     std::optional<WallTime> run_at = std::nullopt) {
    NewTask task;
    task.agent = agent;
    task.task_type = "test";
    task.title = "a test";
    task.payload = payload;
    task.max_retries = max_retries;
    task.run_at = run_at;
    std::promise<Result<std::string>> stored;
    store_->create_task(std::move(task), "test", std::nullopt,
                        [&](auto answer) { stored.set_value(std::move(answer)); });
    Result<std::string> id = stored.get_future().get();
    EXPECT_TRUE(id.ok());
    return id.ok() ? *id : "";
  }
  static std::string mode(const std::string& mode) { return R"({"mode":")" + mode + R"("})"; }
  std::string mode_with_file(const std::string& mode) const {
    return R"({"mode":")" + mode + R"(","file":")" + file().string() + R"("})";
  }
  fs::path file() const { return root_ / "marks"; }
  static void mark(const fs::path& file) { std::ofstream(file) << ""; }

  TaskDetail task(const std::string& id) {
    auto found = store_->task(id);
    EXPECT_TRUE(found.ok());
    return found.ok() ? *found : TaskDetail{};
  }
  TaskDetail settled(const std::string& id, TaskState state) {
    EXPECT_TRUE(bell_.wait_until([&] { return task(id).task.state == state; }))
        << "it is " << to_string(task(id).task.state) << " " << task(id).task.error;
    return task(id);
  }
  // Until the agent has said that it is at work.
  TaskDetail at_work(const std::string& id) {
    EXPECT_TRUE(bell_.wait_until([&] {
      TaskDetail now = task(id);
      return !now.executions.empty() && now.executions.back().progress >= 0;
    }));
    return task(id);
  }
  // The task that followed in the chain, when there is one.
  std::optional<TaskSummary> successor_of(const std::string& id) {
    auto page = store_->tasks({.limit = 500});
    for (const TaskSummary& summary : page->items)
      if (summary.parent_id == id) return summary;
    return std::nullopt;
  }
  std::vector<pid_t> marked_pids() const {
    std::ifstream marks(file());
    std::vector<pid_t> pids;
    for (pid_t pid; marks >> pid;) pids.push_back(pid);
    return pids;
  }
  void cancel(const std::string& id) {
    std::promise<void> done;
    store_->cancel(id, {"alice", "", "api"}, "no longer wanted", [&](auto answer) {
      EXPECT_TRUE(answer.ok());
      done.set_value();
    });
    done.get_future().get();
  }
  std::string metric(const std::string& name) {
    std::string found;
    std::istringstream text(metrics_.exposition());
    for (std::string line; std::getline(text, line);)
      if (line.starts_with(name)) found += line + "\n";
    return found;
  }

  // Metrics follow the commit that rings the bell.
  void expect_metric(const std::string& name, const std::string& part) {
    auto end = std::chrono::steady_clock::now() + kPatience;
    while (metric(name).find(part) == std::string::npos && std::chrono::steady_clock::now() < end)
      std::this_thread::yield();
    EXPECT_THAT(metric(name), HasSubstr(part));
  }

  JumpingClock clock_;
  std::unique_ptr<Log> log_ =
      std::getenv("DAVIT_TEST_LOG") ? Log::open({.level = LogLevel::Debug}).value() : Log::silent();
  fs::path root_;
  DispatchOptions options_;
  std::shared_ptr<plugin::Generation> generation_;
  std::map<std::string, std::shared_ptr<plugin::Agent>> agents_;
  plugin::Registry registry_;
  metrics::Metrics metrics_{"test"};
  isolation::KnownChildren children_;
  ChangeBell bell_;
  std::atomic<Dispatcher*> listening_{nullptr};
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Dispatcher> dispatcher_;
};

TEST_F(DispatcherTest, CompletesATaskThatWasQueuedBeforeTheStart) {
  std::string id = submit(R"({"mode":"context","x":17})");
  start();
  TaskDetail done = settled(id, TaskState::Completed);
  ASSERT_EQ(done.executions.size(), 1u);
  EXPECT_EQ(done.executions[0].outcome, "completed");
  EXPECT_TRUE(done.executions[0].success);
  // The agent was told who it is and what it works on.
  EXPECT_THAT(done.result, HasSubstr(R"("x":17)"));
  EXPECT_THAT(done.result, HasSubstr(id));
  EXPECT_THAT(done.result, HasSubstr(done.executions[0].session_id));
}

TEST_F(DispatcherTest, TakesATaskThatIsQueuedWhileItSleeps) {
  start();
  settled(submit(mode("noop")), TaskState::Completed);
  settled(submit(mode("noop"), "second"), TaskState::Completed);
  expect_metric("ai_agent_execution_total",
                R"(ai_agent_execution_total{agent="second",status="success",task_type="test"} 1)");
  expect_metric("ai_agent_sessions_active", R"({agent="worker"} 0)");
}

TEST_F(DispatcherTest, StartsATaskWhenItsTimeHasCome) {
  start();
  WallTime due = clock_.wall() + Duration(150);
  TaskDetail done = settled(submit(mode("noop"), "worker", 0, due), TaskState::Completed);
  ASSERT_EQ(done.executions.size(), 1u);
  EXPECT_GE(done.executions[0].started_at, due);
}

TEST_F(DispatcherTest, AStopRightBehindNewSchedulesWaitsForWhatTheStoreSaysOfThem) {
  for (int i = 0; i < 20; ++i) {
    start();
    dispatcher_->set_schedules({});
    dispatcher_->stop(Duration::zero());
    listening_ = nullptr;
    dispatcher_.reset();
  }
  EXPECT_TRUE(store_->schedules()->empty());
}

TEST_F(DispatcherTest, AResumedAgentGoesOnAtOnce) {
  start();
  const auto act = [&](auto call) {
    std::promise<bool> done;
    call([&](const auto& answer) { done.set_value(answer.ok()); });
    return done.get_future().get();
  };
  ASSERT_TRUE(act([&](auto done) { store_->pause({"worker", {}, std::nullopt, "", "a test"}, done); }));
  const std::string paused = submit(mode("noop"));
  settled(submit(mode("noop"), "second"), TaskState::Completed);
  EXPECT_EQ(task(paused).task.state, TaskState::Queued);
  ASSERT_TRUE(act([&](auto done) { store_->resume("worker", done); }));
  settled(paused, TaskState::Completed);
}

TEST_F(DispatcherTest, APauseEndsByItself) {
  start();
  std::promise<bool> done;
  const WallTime until = clock_.wall() + Duration(150);
  store_->pause({"", {}, until, "", "a test"}, [&](const auto& answer) { done.set_value(answer.ok()); });
  ASSERT_TRUE(done.get_future().get());
  const TaskDetail ran = settled(submit(mode("noop")), TaskState::Completed);
  EXPECT_GE(ran.executions.at(0).started_at, until);
}

TEST_F(DispatcherTest, GivesEachExecutionAFolderThatIsGoneAfterIt) {
  start();
  TaskDetail done = settled(submit(mode("context")), TaskState::Completed);
  EXPECT_THAT(done.result, HasSubstr("\"workspace\":\"" + (root_ / "work" / "").string()));
  dispatcher_->stop(seconds(1));
  EXPECT_TRUE(fs::is_empty(root_ / "work"));
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kLimitsMemory = false;  // a sanitizer reserves terabytes
#else
constexpr bool kLimitsMemory = true;
#endif

TEST_F(DispatcherTest, WhatAnAgentStartsMayLiftTheLimitOfItsAddresses) {
  options_.runners.address_space_limit = 4ull << 30;
  start();
  const auto limits = parse_json(settled(submit(mode("limits")), TaskState::Completed).result);
  ASSERT_TRUE(limits.ok());
  rlimit mine{};
  ASSERT_EQ(::getrlimit(RLIMIT_AS, &mine), 0);
  EXPECT_EQ(int_member(*limits, "hard"), static_cast<std::int64_t>(mine.rlim_max));
  EXPECT_EQ(int_member(*limits, "soft"),
            kLimitsMemory ? 4ll << 30 : static_cast<std::int64_t>(mine.rlim_cur));
}

TEST_F(DispatcherTest, FailsAfterTheLastRetryWithAllAttemptsOnRecord) {
  start();
  TaskDetail dead = settled(submit(mode("fail"), "worker", 2), TaskState::Failed);
  ASSERT_EQ(dead.executions.size(), 3u);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(dead.executions[i].attempt, i + 1);
    EXPECT_EQ(dead.executions[i].outcome, "failed");
    EXPECT_EQ(dead.executions[i].error, "no luck");
  }
  EXPECT_EQ(dead.task.error, "no luck");
  expect_metric("ai_agent_task_success_rate", "{agent=\"worker\"} 0\n");
}

TEST_F(DispatcherTest, DoesNotRetryWhatFailedForGood) {
  start();
  EXPECT_EQ(settled(submit(mode("permanent")), TaskState::Failed).executions.size(), 1u);
}

TEST_F(DispatcherTest, DoesNotRetryWhatTheAgentRefusedToBegin) {
  start();
  TaskDetail refused = settled(submit(mode("no")), TaskState::Failed);
  EXPECT_EQ(refused.executions.size(), 1u);
  EXPECT_THAT(refused.task.error, HasSubstr("not today"));
}

TEST_F(DispatcherTest, ARateLimitedTaskWaitsAsLongAsTheOtherSideSaid) {
  start();
  std::string id = submit(mode("rate_limited"));
  EXPECT_TRUE(bell_.wait_until([&] {
    return task(id).task.state == TaskState::Queued && !task(id).executions.empty() &&
           task(id).executions[0].completed_at;
  }));
  EXPECT_GE(task(id).task.run_at, clock_.wall() + std::chrono::minutes(59));
}

TEST_F(DispatcherTest, AnAgentThatPutsOneTaskOffGetsNoneUntilItsTimeAndOthersGoOn) {
  agents_["worker"]->settings.concurrency = 1;
  std::vector<std::string> gated;
  for (int i = 0; i < 5; ++i) gated.push_back(submit(mode_with_file("gated"), "worker", 0));
  start();
  EXPECT_TRUE(bell_.wait_until([&] { return !store_->queue()->pauses.empty(); }));
  settled(submit(mode("noop"), "second"), TaskState::Completed);
  const store::Pause pause = store_->queue()->pauses.at(0);
  EXPECT_EQ(pause.agent, "worker");
  EXPECT_EQ(pause.by, store::kHeldByItself);
  EXPECT_EQ(pause.reason, "the gate is shut");
  EXPECT_GE(pause.until, clock_.wall() + std::chrono::minutes(59));
  int begun = 0;
  for (const std::string& id : gated) {
    const TaskDetail waits = task(id);
    EXPECT_EQ(waits.task.state, TaskState::Queued);
    begun += static_cast<int>(waits.executions.size());
    for (const AgentExecution& execution : waits.executions) {
      EXPECT_EQ(execution.outcome, "put_off");
      EXPECT_EQ(execution.failure, "put_off");
    }
    if (waits.executions.empty()) {
      EXPECT_THAT(waits.task.hold_reason, HasSubstr("the gate is shut"));
    }
  }
  EXPECT_EQ(begun, 1);

  mark(file());
  clock_.jump(std::chrono::hours(1) + seconds(1));
  dispatcher_->changed({{store::Change::Kind::HoldChanged, {}, "worker", std::nullopt}});
  int executions = 0;
  for (const std::string& id : gated) {
    const TaskDetail done = settled(id, TaskState::Completed);
    EXPECT_EQ(done.executions.back().attempt, 1) << "without retries, and none was used";
    executions += static_cast<int>(done.executions.size());
  }
  EXPECT_EQ(executions, 6);
  EXPECT_TRUE(store_->queue()->pauses.empty());
}

TEST_F(DispatcherTest, AResultThatIsNoResultCountsAsAFailedAttempt) {
  start();
  TaskDetail failed = settled(submit(mode("refuse_result"), "worker", 0), TaskState::Failed);
  EXPECT_FALSE(failed.task.error.empty());
}

TEST_F(DispatcherTest, AResultThatAsksForAnImpossibleTaskFailsSayingSo) {
  start();
  TaskDetail failed = settled(submit(mode("bad_task"), "worker", 0), TaskState::Failed);
  EXPECT_THAT(failed.task.error, HasSubstr("priority"));
}

TEST_F(DispatcherTest, ACrashIsToldWithItsTrueReasonAndParkedWhenItGoesOn) {
  start();
  TaskDetail parked = settled(submit(mode("crash")), TaskState::Parked);
  ASSERT_EQ(parked.executions.size(), 3u);
  EXPECT_EQ(parked.executions[0].outcome, "crashed");
  EXPECT_THAT(parked.executions[0].error, HasSubstr("SIGSEGV"));
  EXPECT_EQ(parked.executions[2].attempt, 1) << "crashes are counted apart";
  expect_metric("davit_runner_ends_total", R"({kind="agent",how="crashed"} 3)");
  settled(submit(mode("noop")), TaskState::Completed);
}

TEST_F(DispatcherTest, AnAgentThatExitsInTheMiddleHasCrashed) {
  agents_["worker"]->settings.max_crashes = 1;
  start();
  TaskDetail parked = settled(submit(mode("exit")), TaskState::Parked);
  EXPECT_EQ(parked.executions[0].outcome, "crashed");
  EXPECT_THAT(parked.executions[0].error, HasSubstr("status 0"));
}

TEST_F(DispatcherTest, KillsWhatHangsPastItsDeadlineWithItsWholeTree) {
  agents_["worker"]->timeout = Duration(500);
  start();
  auto begin = std::chrono::steady_clock::now();
  TaskDetail failed = settled(submit(mode_with_file("hang"), "worker", 0), TaskState::Failed);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(5));
  EXPECT_EQ(failed.executions[0].outcome, "timed_out");
  EXPECT_THAT(failed.task.error, StartsWith("timed out after 0.5 s; its process tree was killed (took "));
  auto pids = marked_pids();
  EXPECT_EQ(pids.size(), 2u);
  for (pid_t pid : pids) EXPECT_NE(::kill(pid, 0), 0) << pid << " is still there";
}

TEST_F(DispatcherTest, CancelsWhatRunsAndKeepsTheReason) {
  start();
  std::string id = submit(mode("wait"));
  at_work(id);
  cancel(id);
  TaskDetail cancelled = settled(id, TaskState::Cancelled);
  EXPECT_EQ(cancelled.executions[0].outcome, "cancelled");
  EXPECT_EQ(cancelled.task.error, "no longer wanted");
}

TEST_F(DispatcherTest, CancelsWhatDoesNotListenByKillingIt) {
  start();
  std::string id = submit(mode_with_file("hang"));
  ASSERT_TRUE(bell_.wait_until([&] { return task(id).task.state == TaskState::Running; }));
  cancel(id);
  EXPECT_EQ(settled(id, TaskState::Cancelled).executions[0].outcome, "cancelled");
  for (pid_t pid : marked_pids()) EXPECT_NE(::kill(pid, 0), 0) << pid << " is still there";
}

TEST_F(DispatcherTest, ACancelledTaskThatWasDoneAllTheSameKeepsItsResultAndGoesNoFurther) {
  start();
  std::string id = submit(mode("finish_late"));
  at_work(id);
  cancel(id);
  TaskDetail cancelled = settled(id, TaskState::Cancelled);
  EXPECT_TRUE(cancelled.executions[0].success);
  EXPECT_THAT(cancelled.executions[0].output, HasSubstr("done all the same"));
  EXPECT_FALSE(successor_of(id));
}

TEST_F(DispatcherTest, RunsNoMoreOfAnAgentThanItsConcurrencyAndNoMoreInAllThanTheLimit) {
  agents_["worker"]->settings.concurrency = 3;
  options_.max_executions = 4;
  start();
  std::vector<std::string> ids;
  for (int i = 0; i < 20; ++i) ids.push_back(submit(mode_with_file("slow")));
  for (const std::string& id : ids) settled(id, TaskState::Completed);
  std::string marks = *read_file(file());
  int now = 0, most = 0;
  for (char mark : marks) most = std::max(most, now += mark == '+' ? 1 : -1);
  EXPECT_EQ(most, 3);
  EXPECT_EQ(marks.size(), 40u);
}

TEST_F(DispatcherTest, HandsTheResultOnToTheNextAgentOfTheChain) {
  start();
  std::string id = submit(R"({"mode":"chain","next":"second"})");
  TaskDetail first = settled(id, TaskState::Completed);
  EXPECT_EQ(first.executions[0].next_agent, "second");
  std::optional<TaskSummary> next = successor_of(id);
  ASSERT_TRUE(next) << "it is stored with the result";
  TaskDetail second = settled(next->task_id, TaskState::Completed);
  EXPECT_EQ(second.task.agent, "second");
  EXPECT_EQ(second.task.chain_depth, 2);
  EXPECT_THAT(second.result, HasSubstr(R"("previous_result":{"found":42})"));
  expect_metric("ai_agent_chain_depth_bucket", "{le=\"1\"} 0\n");
  expect_metric("ai_agent_chain_depth_bucket", "{le=\"2\"} 1\n");
}

TEST_F(DispatcherTest, AChainThatGoesOnInAFollowUpTaskHasNotEnded) {
  start();
  settled(submit(mode("tell")), TaskState::Completed);
  expect_metric("ai_agent_chain_depth_bucket", "{le=\"2\"} 1\n");
  EXPECT_THAT(metric("ai_agent_chain_depth_count"), HasSubstr(" 1\n")) << "once, where it ends";
  EXPECT_THAT(metric("ai_agent_chain_depth_bucket"), HasSubstr("{le=\"1\"} 0\n"));
}

TEST_F(DispatcherTest, TheNextAgentWaitsForApprovalWhenTheResultSaysSo) {
  start();
  std::string id = submit(R"({"mode":"chain","next":"second","ask":true})");
  settled(id, TaskState::Completed);
  EXPECT_EQ(successor_of(id)->state, TaskState::AwaitingApproval);
}

TEST_F(DispatcherTest, AnApprovalThatDoesNotCountIsNotUsedUp) {
  start();
  NewTask asks;
  asks.agent = "second";
  asks.title = "Asks first";
  asks.payload = mode("carol_only");
  asks.awaits_approval = true;
  std::promise<Result<std::string>> stored;
  store_->create_task(std::move(asks), "test", std::nullopt,
                      [&](auto answer) { stored.set_value(std::move(answer)); });
  const std::string id = stored.get_future().get().value();
  const std::string hash = task(id).approval->content_hash;
  const auto approve = [&](const std::string& by) {
    std::promise<Result<TaskState>> done;
    store_->approve(id, {by, "", "api"}, hash, [&](auto answer) { done.set_value(std::move(answer)); });
    return done.get_future().get();
  };
  ASSERT_TRUE(approve("bob").ok());
  EXPECT_TRUE(bell_.wait_until([&] { return task(id).decisions.size() == 2; }));
  const TaskDetail waits = task(id);
  EXPECT_EQ(waits.task.state, TaskState::AwaitingApproval);
  EXPECT_EQ(waits.task.attempt, 0);
  EXPECT_EQ(waits.task.error, "only carol may");
  EXPECT_EQ(waits.executions.at(0).outcome, "approval_refused");
  expect_metric("ai_agent_execution_total", "status=\"approval_refused\"");
  EXPECT_FALSE(approve("bob").ok());
  ASSERT_TRUE(approve("carol").ok());
  EXPECT_EQ(settled(id, TaskState::Completed).executions.size(), 2u);
}

TEST_F(DispatcherTest, AWaitForApprovalEndsByItselfAndItsReminderFindsAnAgent) {
  start();
  std::promise<void> set;
  store_->set_approval_rules({.deadline = Duration(300), .remind_after = Duration(20), .notify = "third"},
                             [&](auto) { set.set_value(); });
  set.get_future().get();
  std::string id = submit(R"({"mode":"chain","next":"second","ask":true})");
  settled(id, TaskState::Completed);
  TaskDetail ended = settled(successor_of(id)->task_id, TaskState::Cancelled);
  EXPECT_EQ(ended.decisions.at(0).way, "deadline");
  const auto told = store_->tasks({.agent = "third"});
  ASSERT_FALSE(told->items.empty());
  EXPECT_EQ(told->items.back().task_type, "approval_reminder");
}

TEST_F(DispatcherTest, RefusesAnUnknownSuccessorWithAClearReason) {
  start();
  std::string id = submit(R"({"mode":"chain","next":"nobody"})");
  TaskDetail failed = settled(id, TaskState::Failed);
  EXPECT_THAT(failed.task.error, StartsWith("worker names nobody as the next agent: no such agent"));
  ASSERT_EQ(failed.executions.size(), 1u);
  EXPECT_FALSE(failed.executions[0].success);
  EXPECT_EQ(failed.executions[0].outcome, "failed");
  EXPECT_EQ(failed.executions[0].failure, "permanent");
  EXPECT_EQ(failed.executions[0].error, failed.task.error);
  EXPECT_THAT(failed.executions[0].output, HasSubstr("42")) << "what it found is kept";
  expect_metric("ai_agent_execution_total", R"({agent="worker",status="failed")");
  EXPECT_THAT(metric("ai_agent_execution_total"), Not(HasSubstr("success")));
  EXPECT_FALSE(successor_of(id));
}

TEST_F(DispatcherTest, ALoopIsRefusedAlsoThroughAFollowUpAndNothingOfItIsStored) {
  options_.chain.max_visits = 1;
  start();
  std::string id = submit(mode("again"));
  TaskDetail failed = settled(id, TaskState::Failed);
  EXPECT_THAT(failed.task.error, StartsWith("worker asks for a task of worker: it was there already"));
  EXPECT_FALSE(successor_of(id));
  std::string first = submit(R"({"mode":"chain","next":"second"})");
  EXPECT_EQ(task(settled(first, TaskState::Completed).task.task_id).chain.agents,
            std::vector<std::string>{"worker"});
  EXPECT_EQ(settled(successor_of(first)->task_id, TaskState::Completed).chain.agents,
            (std::vector<std::string>{"worker", "second"}));
}

TEST_F(DispatcherTest, AnAgentThatAsksForItselfAsAFollowUpEndsAtTheDepth) {
  options_.chain = {.max_depth = 3, .max_visits = 100};
  start();
  const std::string first = submit(mode("again"));
  settled(first, TaskState::Completed);
  const std::string second = successor_of(first)->task_id;
  settled(second, TaskState::Completed);
  const std::string third = successor_of(second)->task_id;
  TaskDetail failed = settled(third, TaskState::Failed);
  EXPECT_THAT(failed.task.error, HasSubstr("chain.max_depth is 3"));
  EXPECT_EQ(failed.chain.task_count, 3);
  EXPECT_FALSE(successor_of(third));
}

TEST_F(DispatcherTest, AskingForApprovalOfNothingFailsTheTaskWithAReason) {
  start();
  EXPECT_THAT(settled(submit(mode("ask_nothing")), TaskState::Failed).task.error,
              StartsWith("worker asks for approval of nothing"));
}

TEST_F(DispatcherTest, NoSecretIsInAFollowUp) {
  start();
  const std::string id = submit(mode("tell"));
  settled(id, TaskState::Completed);
  const TaskDetail next = task(successor_of(id)->task_id);
  EXPECT_EQ(next.task.title, "with [secret TOKEN]");
  EXPECT_THAT(next.payload, Not(HasSubstr("s3cr3t-value")));
}

TEST_F(DispatcherTest, DoesNotClaimForAnAgentThatDoesNotServeUntilItDoes) {
  agents_["worker"]->state = plugin::ServingState::Disabled;
  start();
  std::string waits = submit(mode("noop"));
  settled(submit(mode("noop"), "second"), TaskState::Completed);
  EXPECT_EQ(task(waits).task.state, TaskState::Queued);
  agents_["worker"]->state = plugin::ServingState::Serving;
  publish();
  dispatcher_->plugins_changed();
  settled(waits, TaskState::Completed);
}

TEST_F(DispatcherTest, ReplacedRunnersEndWhenTheirGenerationDoes) {
  start();
  settled(submit(mode("noop")), TaskState::Completed);
  agents_["worker"]->settings.config = R"({"new":true})";
  publish();
  dispatcher_->plugins_changed();
  TaskDetail done = settled(submit(mode("context")), TaskState::Completed);
  EXPECT_THAT(done.result, HasSubstr(R"("config":{"new":true})"));
}

TEST_F(DispatcherTest, KeepsWhatAnAgentReportedWhileItRan) {
  start();
  TaskDetail done = settled(submit(mode("talk")), TaskState::Completed);
  const AgentExecution& execution = done.executions.at(0);
  EXPECT_EQ(execution.usage.input_tokens, 100) << "figures that shrink are ignored";
  EXPECT_EQ(execution.usage.output_tokens, 20);
  EXPECT_EQ(execution.usage.cost_micro_usd, 500'000);
  EXPECT_EQ(execution.progress_message, "half of it");
  auto transcript = store_->transcript(execution.session_id, 10);
  ASSERT_TRUE(transcript.ok());
  ASSERT_EQ(transcript->size(), 1u);
  EXPECT_EQ(transcript->at(0).kind, "assistant");
  EXPECT_EQ(transcript->at(0).text, "my token is [secret TOKEN]");
  expect_metric("ai_agent_cost_total_usd", R"({agent="worker",model="m"} 0.5)");
}

TEST_F(DispatcherTest, ASessionThatReachesItsShareOfTheBudgetIsStopped) {
  store::BudgetLimits limits;
  limits.day = 400'000;
  store_->set_budgets(limits, {});
  start();
  const TaskDetail stopped = settled(submit(mode("spend")), TaskState::Failed);
  ASSERT_EQ(stopped.executions.size(), 1u);
  EXPECT_EQ(stopped.executions[0].outcome, "over_budget");
  EXPECT_EQ(stopped.executions[0].error, "stopped: it had cost $0.50, and its share of the budget was $0.40");
  EXPECT_EQ(stopped.executions[0].usage.cost_micro_usd, 500'000);
  // What it has cost is spent, so the next one waits for tomorrow.
  const std::string next = submit(mode("noop"));
  EXPECT_THAT(task(next).task.hold_reason, HasSubstr("budgets.daily_usd is spent: $0.50 of $0.40"));
}

TEST_F(DispatcherTest, AnAgentIsToldWhatItMayCost) {
  start();
  EXPECT_THAT(settled(submit(mode("context")), TaskState::Completed).result,
              HasSubstr(R"("budget_usd":null)"));
  store::BudgetLimits limits;
  limits.agent_day = 10'000'000;
  limits.session_of_agent["worker"] = 250'000;
  store_->set_budgets(limits, {});
  EXPECT_THAT(settled(submit(mode("context")), TaskState::Completed).result,
              HasSubstr(R"("budget_usd":0.25)"));
}

TEST_F(DispatcherTest, ACrashedSessionCostsItsShare) {
  store::BudgetLimits limits;
  limits.agent_day = 10'000'000;
  store_->set_budgets(limits, {});
  start();
  settled(submit(mode("talk_crash"), "worker", 0), TaskState::Parked);
  // Three attempts, each with half a dollar reported and one set aside.
  ASSERT_EQ(store_->queue()->budgets.size(), 1u);
  EXPECT_EQ(store_->queue()->budgets[0].spent, 3'000'000);
}

TEST_F(DispatcherTest, LiveUsageSurvivesACrash) {
  agents_["worker"]->settings.max_crashes = 1;
  start();
  TaskDetail parked = settled(submit(mode("talk_crash")), TaskState::Parked);
  EXPECT_EQ(parked.executions.at(0).outcome, "crashed");
  EXPECT_EQ(parked.executions[0].usage.input_tokens, 100);
  EXPECT_EQ(parked.executions[0].usage.cost_micro_usd, 500'000);
  EXPECT_EQ(parked.task.total_cost_micro_usd, 500'000);
  EXPECT_EQ(store_->transcript(parked.executions[0].session_id, 10)->size(), 1u);
}

TEST_F(DispatcherTest, AFloodOfLinesBlocksNobodyAndIsCutSayingSo) {
  start();
  TaskDetail done = settled(submit(mode("talk_much")), TaskState::Completed);
  auto transcript = store_->transcript(done.executions[0].session_id, 30'000);
  ASSERT_TRUE(transcript.ok());
  EXPECT_GT(transcript->size(), 100u);
  EXPECT_EQ(transcript->front().number, 1);
  EXPECT_EQ(transcript->back().number, static_cast<std::int64_t>(transcript->size()));
}

TEST_F(DispatcherTest, LiveLinesAreThereBeforeTheyArePacked) {
  start();
  const std::string id = submit(mode("gossip"));
  at_work(id);
  const std::string session = task(id).executions.at(0).session_id;
  const auto lines = [&] { return store_->transcript(session, 10).value(); };
  EXPECT_TRUE(bell_.wait_until([&] { return lines().size() == 2; }));
  EXPECT_EQ(task(id).task.state, TaskState::Running);
  const auto live = lines();
  cancel(id);
  settled(id, TaskState::Cancelled);
  const auto packed = lines();
  ASSERT_EQ(packed.size(), live.size());
  for (std::size_t i = 0; i < live.size(); ++i) {
    EXPECT_EQ(packed[i].text, live[i].text);
    EXPECT_EQ(packed[i].number, live[i].number);
    EXPECT_EQ(packed[i].at, live[i].at);
  }
}

TEST_F(DispatcherTest, WhatAnExecutionLeavesIsThereWithItsResult) {
  start();
  const TaskDetail done = settled(submit(mode("leave")), TaskState::Completed);
  const auto left = store_->artifacts(done.task.task_id).value();
  ASSERT_EQ(left.size(), 2u);
  EXPECT_EQ(left[0].name, "plan.txt");
  EXPECT_EQ(left[0].content_type, "text/plain");
  EXPECT_EQ(left[0].session_id, done.executions.at(0).session_id);
  const auto plan = store_->artifact(done.task.task_id, left[0].session_id, "plan.txt");
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->content, "the plan, with [secret TOKEN]") << "the second of this name, without the secret";
  EXPECT_EQ(left[0].bytes, static_cast<std::int64_t>(plan->content.size()));
  expect_metric("davit_artifacts_total", R"({outcome="kept"})");
}

TEST_F(DispatcherTest, NoSecretIsInATranscriptOrArtifact) {
  agents_["worker"]->settings.environment = {{"MY_PASSWORD", "whisper"}, {"FOLDER", "/srv/some/folder"}};
  start();
  const std::string id = submit(mode("gossip"));
  at_work(id);
  const std::string session = task(id).executions.at(0).session_id;
  EXPECT_TRUE(bell_.wait_until([&] { return store_->transcript(session, 10)->size() == 2; }));
  cancel(id);
  settled(id, TaskState::Cancelled);
  const auto lines = store_->transcript(session, 10).value();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].kind, "[secret TOKEN]");
  EXPECT_EQ(lines[0].text, "my token is [secret TOKEN]");
  EXPECT_EQ(lines[1].text, "[secret MY_PASSWORD] in /srv/some/folder");

  const TaskDetail done = settled(submit(mode("leave")), TaskState::Completed);
  const auto left = store_->artifacts(done.task.task_id).value();
  EXPECT_EQ(left.size(), 2u);
  for (const store::ArtifactEntry& entry : left) {
    EXPECT_THAT(entry.name, Not(HasSubstr("s3cr3t")));
    EXPECT_THAT(store_->artifact(done.task.task_id, entry.session_id, entry.name)->content,
                Not(HasSubstr("s3cr3t")));
  }
}

TEST_F(DispatcherTest, AnArtifactThatCannotBeStoredIsToldAndTheResultComesAllTheSame) {
  {
    auto opened = store::Database::open(root_ / "davit.db", store::Database::Mode::Write, "");
    std::get<0>(opened)->execute(
        "CREATE TRIGGER refuse BEFORE INSERT ON artifact BEGIN SELECT RAISE(ABORT, 'none today'); END");
    ASSERT_FALSE(std::get<0>(opened)->failed());
  }
  start();
  const TaskDetail done = settled(submit(mode("leave")), TaskState::Completed);
  EXPECT_TRUE(store_->artifacts(done.task.task_id)->empty());
  const auto lines = store_->transcript(done.executions.at(0).session_id, 10).value();
  ASSERT_GE(lines.size(), 2u);
  for (const store::TranscriptLine& line : lines) {
    EXPECT_EQ(line.kind, "davit");
    EXPECT_THAT(line.text, HasSubstr("was not kept: "));
  }
  expect_metric("davit_artifacts_total", R"({outcome="failed"})");
}

TEST_F(DispatcherTest, AnArtifactBeyondTheLimitIsToldInTheTranscript) {
  options_.keep.artifacts = {.max_size = 100, .max_total = 150};
  start();
  const TaskDetail done = settled(submit(mode("leave_much")), TaskState::Completed);
  EXPECT_EQ(done.result, R"({"small":0,"big":2,"many":2})") << "the agent is told as well";
  const auto left = store_->artifacts(done.task.task_id).value();
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].name, "small");
  const auto lines = store_->transcript(done.executions.at(0).session_id, 10).value();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].kind, "davit");
  EXPECT_EQ(lines[0].text, "artifact \"big\" was not kept: 101 bytes are more than artifacts.max_size (100)");
  EXPECT_EQ(lines[1].text,
            "artifact \"many\" was not kept: with those before 160 bytes are more than "
            "artifacts.max_total (150)");
  expect_metric("davit_artifacts_total", R"({outcome="refused"} 2)");
}

TEST_F(DispatcherTest, StopGivesRunningWorkBackWithoutCountingIt) {
  start();
  std::string id = submit(mode_with_file("wait"));
  at_work(id);
  dispatcher_->stop(Duration::zero());
  TaskDetail back = task(id);
  EXPECT_EQ(back.task.state, TaskState::Queued);
  EXPECT_EQ(back.task.attempt, 0);
  EXPECT_EQ(back.executions.at(0).outcome, "interrupted");
  for (pid_t pid : marked_pids()) EXPECT_NE(::kill(pid, 0), 0) << pid << " is still there";
}

TEST_F(DispatcherTest, StopLetsWorkEndThatEndsWithinTheGrace) {
  start();
  std::string id = submit(mode_with_file("slow"));
  auto end = std::chrono::steady_clock::now() + kPatience;
  while (!fs::exists(file()) && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  dispatcher_->stop(kPatience);
  EXPECT_EQ(task(id).task.state, TaskState::Completed);
}

TEST_F(DispatcherTest, RunsAgainWhatAHostLeftRunningWhenItDied) {
  std::string id = submit(mode("noop"));
  std::promise<std::size_t> claimed;
  store_->claim({.agents = {{"worker", 1}}, .limit = 1},
                [&](auto answer) { claimed.set_value(answer->size()); });
  ASSERT_EQ(claimed.get_future().get(), 1u);
  store_.reset();
  open_store();
  start();
  TaskDetail done = settled(id, TaskState::Completed);
  ASSERT_EQ(done.executions.size(), 2u);
  EXPECT_EQ(done.executions[0].outcome, "lost");
  EXPECT_EQ(done.executions[1].outcome, "completed");
}

TEST_F(DispatcherTest, ALostLeaseKillsTheRunnerAndDropsItsResult) {
  options_.lease = Duration(300);
  start();
  std::string id = submit(mode_with_file("finish_late"));
  at_work(id);
  // Another worker finishes the task under its first attempt's name: rows count from 1 in a fresh database.
  store::Finish other;
  other.fence = {1, 1};
  other.outcome = "completed";
  other.result.success = true;
  other.result.output = R"("by another")";
  std::promise<bool> finished;
  store_->finish(other, [&](auto answer) { finished.set_value(answer.ok()); });
  ASSERT_TRUE(finished.get_future().get());
  expect_metric("ai_agent_sessions_active", "{agent=\"worker\"} 0");
  TaskDetail done = task(id);
  EXPECT_EQ(done.task.state, TaskState::Completed);
  EXPECT_EQ(done.result, R"("by another")");
  expect_metric("ai_agent_execution_total", R"(status="success",task_type="test"} 1)");
}

TEST_F(DispatcherTest, HeartbeatsKeepALeaseThatIsShorterThanTheWork) {
  options_.lease = Duration(60);
  start();
  std::string id = submit(mode("wait"));
  at_work(id);
  // Far more leases than one pass while this other agent works through its tasks, one after the other.
  agents_["second"]->settings.concurrency = 1;
  for (int i = 0; i < 15; ++i) settled(submit(mode_with_file("slow"), "second"), TaskState::Completed);
  TaskDetail still = task(id);
  EXPECT_EQ(still.task.state, TaskState::Running);
  EXPECT_EQ(still.executions.size(), 1u);
}

TEST_F(DispatcherTest, AHostThatStoodStillGoesOnWithWhatItHad) {
  options_.lease = Duration(300);
  start();
  std::string id = submit(mode("wait"));
  at_work(id);
  clock_.jump(10 * options_.lease);
  // Several heartbeats pass while this other agent works through its tasks, one after the other.
  agents_["second"]->settings.concurrency = 1;
  for (int i = 0; i < 10; ++i) settled(submit(mode_with_file("slow"), "second"), TaskState::Completed);
  TaskDetail still = task(id);
  EXPECT_EQ(still.task.state, TaskState::Running);
  EXPECT_EQ(still.task.losses, 0);
  EXPECT_EQ(still.executions.size(), 1u);
}

}  // namespace
}  // namespace davit::dispatch

// The runners of these tests are this program.
int main(int argc, char** argv) {
  int fd = -1;
  if (davit::isolation::is_runner_command(argc, argv, fd)) davit::isolation::runner_main(fd);
  davit::isolation::become_subreaper();
  testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}
