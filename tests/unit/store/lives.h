// Random lives of tasks in a store, for what must be true of them at any time. DAVIT_MODEL_SEED=<seed> gives
// one again.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "host/store/statement.h"
#include "tests/unit/store/conformance.h"

namespace davit::store {

class LivesTest : public StoreTest {
 protected:
  static constexpr Duration kDay{86'400'000};

  void SetUp() override { set_rules(); }

  std::unique_ptr<Database> connection(Database::Mode mode) {
    auto opened = Database::open(database_.path(), mode, "");
    return std::move(std::get<0>(opened));
  }
  // While the store is closed.
  void execute(const std::string& sql) {
    const auto database = connection(Database::Mode::Write);
    database->execute(sql.c_str());
    ASSERT_TRUE(database->check().ok()) << sql;
  }
  std::vector<std::string> found() { return verify(database_.path()).value(); }

  // What runs is lost, and booked.
  void restart() {
    database_.close();
    database_.open();
    set_rules();
    running_.clear();
  }
  void cancel_all() {
    restart();
    const auto tasks = store().tasks({.limit = 500}).value().items;
    for (const TaskSummary& task : tasks) {
      if (is_final(task.state)) continue;
      EXPECT_TRUE(cancel(task.task_id).ok());
    }
  }
  // Until nothing of that age is left that may go.
  void prune(Duration keep) {
    store().set_retention({.keep = keep});
    for (int i = 0; i < 3; ++i) write_something();
    store().set_retention({});
    write_something();
  }
  std::size_t finished() {
    const auto tasks = store().tasks({.limit = 500}).value().items;
    return static_cast<std::size_t>(std::count_if(
        tasks.begin(), tasks.end(), [](const TaskSummary& task) { return is_final(task.state); }));
  }
  void prune_all_that_is_finished() {
    store().set_retention({.keep = kDay});
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (finished() > 0 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
    EXPECT_EQ(finished(), 0u);
  }

  // Something that happens to tasks.
  void live() {
    switch (pick(10)) {
      case 0:
      case 1:
      case 2: {
        NewTask task = some_task();
        const std::string source = pick(2) == 0 ? "github" : "jira";
        static_cast<void>(
            wait<std::string>([&](auto done) { store().create_task(task, source, std::nullopt, done); }));
        return;
      }
      case 3:
      case 4:
        for (const ClaimedTask& task : claim(2, {{"planner", 9}, {"executor", 9}, {"reviewer", 9}}))
          running_.push_back(task.fence);
        return;
      case 5:
      case 6:
        if (!running_.empty()) end(take_running());
        return;
      case 7:
        if (!running_.empty()) report(running_[pick(running_.size())]);
        return;
      case 8:
        return decide();
      default:
        return pass_time();
    }
  }
  std::size_t pick(std::size_t of) { return std::uniform_int_distribution<std::size_t>(0, of - 1)(random_); }

 private:
  void set_rules() {
    ApprovalRules rules;
    rules.reworks = {{"planner", 2}, {"executor", 1}};
    ASSERT_TRUE(wait([&](auto done) { store().set_approval_rules(rules, done); }).ok());
  }
  void write_something() {
    ASSERT_TRUE(wait([&](auto done) { store().set_setting("touched", "", done); }).ok());
  }
  NewTask some_task() {
    static const std::vector<std::string> kAgents{"planner", "executor", "reviewer"};
    NewTask task = new_task(kAgents[pick(3)]);
    task.task_type = pick(2) == 0 ? "fix" : "review";
    task.max_retries = 1;
    return task;
  }
  Fence take_running() {
    const std::size_t at = pick(running_.size());
    const Fence fence = running_[at];
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(at));
    return fence;
  }
  Usage usage() {
    Usage usage;
    usage.model = pick(2) == 0 ? "big" : "small";
    usage.cost_micro_usd = static_cast<std::int64_t>(pick(1'000));
    usage.input_tokens = static_cast<std::int64_t>(pick(1'000));
    return usage;
  }
  // What it says so far is an estimate half of the time, which the end may put right.
  void report(const Fence& fence) {
    LiveReport report{.fence = fence, .usage = usage()};
    report.usage->cost_is_estimate = pick(2) == 0;
    static_cast<void>(wait([&](auto done) { store().report({report}, done); }));
  }
  void end(const Fence& fence) {
    const TaskState states[] = {TaskState::Completed, TaskState::Completed, TaskState::Queued,
                                TaskState::Failed};
    Finish done = finish_of(fence, states[pick(4)]);
    if (pick(3) > 0) done.result.usage = usage();
    if (done.result.success && pick(2) == 0) {
      done.successor = some_task();
      done.successor_awaits_approval = pick(2) == 0;
    }
    // Some take the place of one that waits in the same chain.
    for (std::size_t more = done.result.success ? pick(4) : 0; more > 1; --more) {
      done.result.tasks.push_back(some_task());
      if (pick(2) != 0) continue;
      // Their type stays the same: what has run as one type and goes on as another is counted as what it was.
      done.result.tasks.back().key = "key";
      done.result.tasks.back().task_type = "review";
    }
    static_cast<void>(finish(std::move(done)));  // it may have been lost meanwhile
  }
  // Somebody approves, rejects, cancels, opens again.
  void decide() {
    const auto tasks = store().tasks({}).value().items;
    if (tasks.empty()) return;
    const TaskSummary& task = tasks[pick(tasks.size())];
    if (task.state == TaskState::AwaitingApproval)
      static_cast<void>(pick(2) == 0 ? approve(task.task_id) : reject(task.task_id));
    else if (is_final(task.state) || task.state == TaskState::Parked)
      static_cast<void>(retry(task.task_id));
    else if (pick(3) == 0)
      static_cast<void>(cancel(task.task_id));
  }
  void pass_time() {
    clock_.advance(std::vector<Duration>{Duration(500), 2 * kLease, kDay / 3}[pick(3)]);
    if (pick(8) == 0) clock_.jump(pick(2) == 0 ? -kDay / 4 : kDay / 4);
    reap();
    if (pick(4) != 0) return;
    restart();
  }

  std::vector<Fence> running_;
  std::mt19937_64 random_{seed()};
  static std::uint64_t seed() {
    const char* given = std::getenv("DAVIT_MODEL_SEED");
    const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
    std::cout << "DAVIT_MODEL_SEED=" << seed << std::endl;
    return seed;
  }
};

}  // namespace davit::store
