// What pruning costs: bench_prune [--finished N] [--tasks N]
//
// A database holds N tasks that were completed two days ago, each with its delivery, an execution and a
// transcript, and tasks that wait. These are claimed and finished, 16 at a time, each step durable: in turns
// of --tasks tasks with nothing removed and with a retention of one day in force, which removes what is old
// in steps between the other writes.
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "host/store/store.h"
#include "tests/bench/arguments.h"
#include "tests/bench/process.h"
#include "tests/bench/sqlite_reference.h"

namespace {

using namespace davit;
using namespace davit::bench;

using SteadyTime = std::chrono::steady_clock::time_point;

constexpr const char* kAgent = "noop";
constexpr int kSlots = 16;
constexpr int kTurns = 10;  // of each kind
constexpr int kLines = 20;  // of a transcript
constexpr Duration kKept{86'400'000};

double milliseconds(SteadyTime from, SteadyTime to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// The writer asks for the time when it begins a transaction, and it alone: so this is when its last one
// began.
class WriterClock final : public Clock {
 public:
  WallTime wall() const override {
    began_ = std::chrono::steady_clock::now();
    return system_.wall();
  }
  MonotonicTime monotonic() const override { return system_.monotonic(); }
  SteadyTime began() const { return began_; }

 private:
  SystemClock system_;
  mutable std::atomic<SteadyTime> began_{SteadyTime{}};
};

struct Step {
  double took_ms = 0;
  std::int64_t deliveries = 0, tasks = 0;
  std::int64_t rows() const { return deliveries * kRowsOfOldDelivery + tasks * (kRowsOfOldTask + kLines); }
};

// Turns of one kind.
struct Turns {
  std::vector<double> tasks_per_second;  // of each turn
  double seconds = 0, cpu_seconds = 0;
  std::vector<double> claims_ms, finishes_ms;
};

template <typename T, typename Call>
T done(Call&& call) {
  std::promise<Result<T>> promise;
  call([&](Result<T> result) { promise.set_value(std::move(result)); });
  Result<T> result = promise.get_future().get();
  if (!result.ok()) give_up(result.error().message);
  return std::move(result).value();
}

class Bench {
 public:
  Bench(int finished, int waiting) : path_(folder_.path() / "davit.db") {
    open().reset();  // makes the tables
    fill_past(path_, kAgent, finished, kLines);
    fill_queue(path_, kAgent, waiting, 0);
    bytes_ = static_cast<double>(std::filesystem::file_size(path_));
    store_ = open();
    store_->on_prune([this](std::int64_t deliveries, std::int64_t tasks) {
      const double took = milliseconds(clock_.began(), std::chrono::steady_clock::now());
      const std::lock_guard lock(mutex_);
      steps_.push_back({took, deliveries, tasks});
    });
  }

  double mebibytes() const { return bytes_ / (1 << 20); }

  // Claims and finishes so many tasks.
  void turn(int tasks, bool prunes, Turns& to) {
    store_->set_retention({prunes ? kKept : Duration{0}, 0});
    claim("nobody");  // answered before the writer looks whether to prune: from here on it knows
    const SteadyTime start = std::chrono::steady_clock::now();
    const double cpu = cpu_seconds();
    for (int ended = 0; ended < tasks; ended += kSlots) {
      const SteadyTime asked = std::chrono::steady_clock::now();
      const std::vector<ClaimedTask> claimed = claim(kAgent);
      to.claims_ms.push_back(milliseconds(asked, std::chrono::steady_clock::now()));
      if (claimed.size() != kSlots) give_up("no task waits any more");
      finish(claimed, to.finishes_ms);
    }
    const double seconds = milliseconds(start, std::chrono::steady_clock::now()) / 1e3;
    to.cpu_seconds += cpu_seconds() - cpu;
    to.seconds += seconds;
    to.tasks_per_second.push_back(tasks / seconds);
  }

  // Once nothing runs any more.
  std::vector<Step> close() {
    store_.reset();
    return std::move(steps_);
  }

 private:
  std::unique_ptr<store::Store> open() {
    auto opened = store::Store::open({.path = path_, .create_if_missing = true}, *log_, clock_);
    if (auto* error = std::get_if<store::OpenError>(&opened)) give_up(error->message);
    return std::move(std::get<0>(opened));
  }

  std::vector<ClaimedTask> claim(const char* agent) {
    return done<std::vector<ClaimedTask>>([&](auto then) {
      store_->claim({.agents = {{agent, kSlots}}, .limit = kSlots, .lease = kKept}, then);
    });
  }

  void finish(const std::vector<ClaimedTask>& claimed, std::vector<double>& took_ms) {
    std::vector<SteadyTime> ended(claimed.size());
    std::promise<void> all_ended;
    std::size_t left = claimed.size();  // the writer's
    const SteadyTime asked = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < claimed.size(); ++i) {
      store::Finish finish;
      finish.fence = claimed[i].fence;
      finish.outcome = "completed";
      finish.result.success = true;
      finish.result.output = R"({"done":true})";
      store_->finish(std::move(finish), [&, i](const Result<TaskState>& state) {
        if (!state.ok()) give_up(state.error().message);
        ended[i] = std::chrono::steady_clock::now();
        if (--left == 0) all_ended.set_value();
      });
    }
    all_ended.get_future().wait();
    for (const SteadyTime& end : ended) took_ms.push_back(milliseconds(asked, end));
  }

  Folder folder_;
  const std::filesystem::path path_;
  double bytes_ = 0;
  std::unique_ptr<Log> log_ = Log::silent();
  WriterClock clock_;
  std::mutex mutex_;
  std::vector<Step> steps_;  // under the mutex while the store is open
  std::unique_ptr<store::Store> store_;
};

double of(std::vector<double> all, double quantile) {
  std::sort(all.begin(), all.end());
  return all[static_cast<std::size_t>(quantile * static_cast<double>(all.size() - 1))];
}

void times(const char* name, const std::vector<double>& took_ms) {
  row(name, "p50 %.2f, p99 %.2f, worst %.2f ms", of(took_ms, 0.5), of(took_ms, 0.99), of(took_ms, 1));
}

void print(const std::vector<Step>& steps, const Turns& off, const Turns& on, int finished) {
  std::vector<double> took, rows;
  double in_steps = 0, all_rows = 0, all_tasks = 0;
  for (const Step& step : steps) {
    took.push_back(step.took_ms);
    rows.push_back(static_cast<double>(step.rows()));
    in_steps += step.took_ms / 1e3;
    all_rows += static_cast<double>(step.rows());
    all_tasks += static_cast<double>(step.tasks);
  }
  std::vector<double> ratios;
  for (std::size_t i = 0; i < on.tasks_per_second.size(); ++i)
    ratios.push_back(on.tasks_per_second[i] / off.tasks_per_second[i]);

  row("steps", "%zu in %.1f s", steps.size(), on.seconds);
  row("a step removes", "p50 %.0f, most %.0f rows", of(rows, 0.5), of(rows, 1));
  times("a step takes", took);
  row("share of the writer's time", "%.1f %%", in_steps / on.seconds * 100);
  row("removed a second", "%.0f rows, of %.0f tasks", all_rows / on.seconds, all_tasks / on.seconds);
  row("until all that is old is gone", "%.0f s", finished / (all_tasks / on.seconds));
  row("tasks a second, nothing removed", "%.0f", of(off.tasks_per_second, 0.5));
  row("tasks a second, beside removing", "%.0f", of(on.tasks_per_second, 0.5));
  row("the second / the first", "%.2f (%.2f to %.2f in %zu turns)", of(ratios, 0.5), of(ratios, 0),
      of(ratios, 1), ratios.size());
  const auto cpu = [](const Turns& turns) {
    return turns.cpu_seconds * 1e6 / static_cast<double>(turns.finishes_ms.size());
  };
  row("CPU a task, nothing removed", "%.1f us", cpu(off));
  row("CPU a task, beside removing", "%.1f us", cpu(on));
  times("a claim of 16, nothing removed", off.claims_ms);
  times("a claim of 16, beside removing", on.claims_ms);
  times("a finish, nothing removed", off.finishes_ms);
  times("a finish, beside removing", on.finishes_ms);
}

}  // namespace

int main(int argc, char** argv) {
  int finished = 200'000, tasks = 8'000;
  read_arguments(argc, argv, "bench_prune [--finished N] [--tasks N]",
                 {{"--finished", &finished}, {"--tasks", &tasks}});
  tasks = (tasks + kSlots - 1) / kSlots * kSlots;
  Bench bench(finished, 2 * kTurns * tasks);
  std::printf(
      "\nprune: %d finished tasks with delivery, execution and %d lines, %.0f MiB; turns of %d tasks\n\n",
      finished, kLines, bench.mebibytes(), tasks);
  Turns off, on;
  for (int i = 0; i < kTurns; ++i) {
    bench.turn(tasks, false, off);
    bench.turn(tasks, true, on);
  }
  const std::vector<Step> steps = bench.close();
  std::int64_t gone = 0;
  for (const Step& step : steps) gone += step.tasks;
  if (steps.empty()) give_up("nothing was removed; ask for more tasks a turn");
  if (gone >= finished)
    give_up("all that was old was gone before the last turn; ask for more finished tasks");
  print(steps, off, on, finished);
}
