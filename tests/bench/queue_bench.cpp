// What the queue costs: bench_queue [--tasks N] [--finished N] [--rounds N] [--perf FILE]
//
// The real program claims, runs and completes tasks of an agent that does nothing, 16 at a time on warm
// runners, each step durable: with N tasks waiting, again with finished ones behind them (a tenth of so many,
// and all), and by turns with and without what is checked of budgets and approvals. Beside it, bare SQLite
// changing the same rows in batches of the same size.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "host/store/store.h"
#include "tests/bench/arguments.h"
#include "tests/bench/process.h"
#include "tests/bench/sqlite_reference.h"

namespace {

using namespace davit::bench;

constexpr const char* kAgent = "noop-0";
constexpr int kSlots = 16;

struct Load {
  int waiting = 0;
  int finished = 0;
  bool budgets = false;   // four limits that are far away
  bool approved = false;  // each task had to be approved, and was
};

std::vector<std::string> prepare(const Folder& folder, const Load& load) {
  std::filesystem::copy_file(DAVIT_BUILD_DIR "/tests/bench/noop_0.so", folder.path() / "plugins/noop_0.so");
  std::ofstream(folder.path() / "davit.yaml")
      << "server: {host: 127.0.0.1, port: 0}\n"
      << "storage: {path: " << (folder.path() / "davit.db").string() << "}\n"
      << "plugins: {directory: " << (folder.path() / "plugins").string()
      << ", store: " << (folder.path() / "plugin-store").string() << ", settle: 0}\n"
      << "metrics: {public: true}\n"
      << "agents:\n  " << kAgent << ": {concurrency: " << kSlots << ", executions_per_runner: 100000}\n"
      << (load.budgets ? "budgets: {per_task_usd: 9000000, per_agent_daily_usd: 9000000,"
                         " per_actor_daily_usd: 9000000, daily_usd: 9000000}\n"
                       : "");
  return {DAVIT_BUILD_DIR "/bin/davit", "serve", "--config=" + (folder.path() / "davit.yaml").string(),
          "--ready-fd={ready}"};
}

std::filesystem::path database(const Folder& folder) { return folder.path() / "davit.db"; }

// A first start makes the database; then the tasks are put into it.
void fill(const Folder& folder, const std::vector<std::string>& serve, const Load& load) {
  Program(serve, folder.path() / "log").stop();
  const std::string payload = waiting_payload();
  const auto approved = [&](const std::string& entity) {
    return davit::store::content_hash({.agent = kAgent,
                                       .task_type = "issue_fix",
                                       .source = "github",
                                       .title = "A title",
                                       .entity = entity,
                                       .payload = payload});
  };
  if (load.approved) {
    fill_queue(database(folder), kAgent, load.waiting, load.finished, approved);
  } else {
    fill_queue(database(folder), kAgent, load.waiting, load.finished);
  }
}

void wait_until(const ExecutionCount& executions, long long count) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(5);
  while (executions.now() < count) {
    if (std::chrono::steady_clock::now() > until) give_up("the queue stands still");
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

struct Figures {
  double per_second = 0, host_us = 0, all_us = 0, writes_per_commit = 0, commits_per_task = 0,
         syncs_per_task = 0;
};

Figures measure(const Load& load, const std::string& perf = "") {
  const int waiting = load.waiting, finished = load.finished;
  Folder folder;
  const std::vector<std::string> serve = prepare(folder, load);
  fill(folder, serve, load);
  const ExecutionCount executions(database(folder));
  const SyncCounter syncs(folder);
  Program host(serve, folder.path() / "log", syncs.with({}));
  const pid_t host_pid = process_tree(host.pid()).at(1);  // below its supervisor
  const long long warm = finished + waiting / 10, end = finished + waiting * 9LL / 10;
  wait_until(executions, warm);
  pid_t profiler = -1;
  if (!perf.empty()) {
    profiler = ::fork();
    if (profiler == 0) {
      const std::string pid = std::to_string(host_pid);
      ::execlp("perf", "perf", "record", "-q", "-F", "1999", "-g", "-o", perf.c_str(), "-p", pid.c_str(),
               static_cast<char*>(nullptr));
      ::_exit(1);
    }
  }
  const auto wall = std::chrono::steady_clock::now();
  const double all = cpu_of_tree(host.pid()), own = cpu_of(host_pid).own;
  const double commits = metric(host.port(), "davit_commit_writes_count"),
               writes = metric(host.port(), "davit_commit_writes_sum");
  const std::uint64_t synced = syncs.now();
  const long long from = executions.now();
  wait_until(executions, end);
  const double tasks = static_cast<double>(executions.now() - from);
  Figures figures;
  figures.per_second = tasks / std::chrono::duration<double>(std::chrono::steady_clock::now() - wall).count();
  figures.all_us = (cpu_of_tree(host.pid()) - all) * 1e6 / tasks;
  figures.host_us = (cpu_of(host_pid).own - own) * 1e6 / tasks;
  const double committed = metric(host.port(), "davit_commit_writes_count") - commits;
  figures.writes_per_commit = (metric(host.port(), "davit_commit_writes_sum") - writes) / committed;
  figures.commits_per_task = committed / tasks;
  figures.syncs_per_task = static_cast<double>(syncs.now() - synced) / tasks;
  if (profiler > 0) ::kill(profiler, SIGINT);
  wait_until(executions, finished + waiting);
  if (host.stop() != 0) give_up("davit did not end well");
  const TaskCounts counts = count_tasks(database(folder));
  if (counts.all != waiting + finished || counts.completed != counts.all)
    give_up("of " + std::to_string(waiting + finished) + " tasks " + std::to_string(counts.completed) +
            " are completed");
  return figures;
}

SqliteFigures bare(const Load& load, int batch) {
  Folder folder;
  const std::vector<std::string> serve = prepare(folder, load);
  fill(folder, serve, load);
  return cycle_tasks(database(folder), batch, load.waiting * 9 / 10);
}

// What a check costs: by turns with it and without, since a machine is not equally fast all the time.
struct Checked {
  Load load;
  std::vector<Figures> with, without;

  void take_turn() {
    const Load plain{.waiting = load.waiting};
    const bool first = with.size() % 2 == 0;
    if (first) without.push_back(measure(plain));
    with.push_back(measure(load));
    if (!first) without.push_back(measure(plain));
  }
  // Over the rounds, of what `figure` takes of a round: the median, the least and the most.
  template <typename Figure>
  std::string over_rounds(const char* format, Figure figure) const {
    std::vector<double> values;
    for (std::size_t i = 0; i < with.size(); ++i) values.push_back(figure(with[i], without[i]));
    std::sort(values.begin(), values.end());
    char text[96];
    std::snprintf(text, sizeof text, format, values[values.size() / 2], values.front(), values.back());
    return text;
  }
  void print(const char* name) const {
    std::printf("  %-34s %26s %26s\n", name,
                over_rounds("%.2f (%.2f to %.2f)",
                            [](const Figures& mine, const Figures& plain) {
                              return mine.per_second / plain.per_second;
                            })
                    .c_str(),
                over_rounds("%.2f (%.2f to %.2f)", [](const Figures& mine, const Figures& plain) {
                  return plain.all_us / mine.all_us;
                }).c_str());
  }
};

}  // namespace

int main(int argc, char** argv) {
  int waiting = 100'000, finished = 1'000'000, rounds = 7;
  std::string perf;
  read_arguments(
      argc, argv, "bench_queue [--tasks N] [--finished N] [--rounds N] [--perf FILE]",
      {{"--tasks", &waiting}, {"--finished", &finished}, {"--rounds", &rounds}, {"--perf", &perf}});
  const Load plain{.waiting = waiting};
  const Figures empty = measure(plain, perf);
  const Figures some = measure({.waiting = waiting, .finished = finished / 10});
  const Figures full = measure({.waiting = waiting, .finished = finished});
  // Shorter runs, so that what a round compares lies close together.
  Checked budgets{.load = {.waiting = waiting / 3, .budgets = true}, .with = {}, .without = {}};
  Checked approved{.load = {.waiting = waiting / 3, .approved = true}, .with = {}, .without = {}};
  Checked both{
      .load = {.waiting = waiting / 3, .budgets = true, .approved = true}, .with = {}, .without = {}};
  for (int round = 0; round < rounds; ++round)
    for (Checked* checked : {&budgets, &approved, &both}) checked->take_turn();
  const int batch = std::max(1, static_cast<int>(1 / empty.commits_per_task + 0.5));
  const SqliteFigures sqlite = bare(plain, batch);

  std::printf("\nqueue: claim, run (no-op, warm runners, %d slots), complete, each durable; %d waiting\n\n",
              kSlots, waiting);
  std::printf("  %-34s %9s %14s %16s %14s\n", "", "tasks/s", "CPU us, all", "CPU us, host", "commits/task");
  const auto line = [](const std::string& name, const Figures& figures) {
    std::printf("  %-34s %9.0f %14.1f %16.1f %14.3f\n", name.c_str(), figures.per_second, figures.all_us,
                figures.host_us, figures.commits_per_task);
  };
  line("davit, nothing behind", empty);
  line("davit, " + std::to_string(finished / 10) + " finished behind", some);
  line("davit, " + std::to_string(finished) + " finished behind", full);
  std::printf("  %-34s %9.0f %14s %16.1f %14.3f\n\n", "bare SQLite, the same batches", sqlite.rows_per_second,
              "", sqlite.cpu_microseconds, 1.0 / batch);
  row("tasks/s (target 6,000)", "%.0f", empty.per_second);
  row("CPU per task, host and runners (target under 150 us)", "%.1f us", empty.all_us);
  row("finished behind / nothing behind, tasks/s (target 0.9)", "%.2f", full.per_second / empty.per_second);
  row("  the same in CPU per task", "%.2f", empty.all_us / full.all_us);
  row("syncs per task, counted", "%.3f", empty.syncs_per_task);
  row("writes per commit", "%.1f", empty.writes_per_commit);
  std::printf("\n  %-34s %26s %26s\n",
              ("with / without (target 0.9), " + std::to_string(rounds) + " turns").c_str(), "tasks/s",
              "CPU per task, inverse");
  budgets.print("  four budgets");
  approved.print("  each approved");
  both.print("  four budgets, each approved");
  return 0;
}
