// What a durable delivery costs: bench_ingest [--seconds N] [--perf FILE]
//
// The real program on a new database gets signed GitHub deliveries over 64 connections that stay open, each a
// new issue and so a task of its own. In turns with it, in the same run, the two HTTP references get the same
// requests; then bare SQLite the same rows. Afterwards the database must hold a task for every 202.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/arguments.h"
#include "tests/bench/deliveries.h"
#include "tests/bench/load.h"
#include "tests/bench/process.h"
#include "tests/bench/sqlite_reference.h"

namespace {

using namespace davit;
using namespace davit::bench;

constexpr int kRounds = 3;
constexpr int kConnections = 64;

struct Subject {
  const char* name;
  const Program* program;
  double cpu = 0, seconds = 0;
  std::uint64_t requests = 0;
  std::vector<double> microseconds;

  void measure(Load load) {
    load.port = program->port();
    const double before = cpu_of_tree(program->pid());
    const LoadResult result = run(load);
    cpu += cpu_of_tree(program->pid()) - before;
    seconds += result.seconds;
    requests += result.count(202);
    if (result.count(202) != result.total())
      give_up(std::string(name) + " answered " + std::to_string(result.total() - result.count(202)) +
              " requests with another status than 202");
    microseconds.insert(microseconds.end(), result.microseconds.begin(), result.microseconds.end());
  }
  double per_cpu_second() const { return static_cast<double>(requests) / cpu; }
  double ms(double q) {
    std::sort(microseconds.begin(), microseconds.end());
    return microseconds[static_cast<std::size_t>(q * static_cast<double>(microseconds.size() - 1))] / 1000;
  }
};

// What the disk takes for one small append and its flush, in ms: median and p99.
std::pair<double, double> flush_time(const std::filesystem::path& folder) {
  const int fd = ::open((folder / "flush").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  const std::string block(8192, 'x');
  std::vector<double> times;
  for (int i = 0; i < 300; ++i) {
    const auto begun = std::chrono::steady_clock::now();
    if (::write(fd, block.data(), block.size()) < 0 || ::fdatasync(fd) != 0) give_up("the disk fails");
    times.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begun).count());
  }
  ::close(fd);
  std::sort(times.begin(), times.end());
  return {times[times.size() / 2], times[times.size() * 99 / 100]};
}

void configure(const Folder& folder) {
  std::filesystem::copy_file(DAVIT_BUILD_DIR "/plugins/github.so", folder.path() / "plugins/github.so");
  std::ofstream(folder.path() / "davit.yaml")
      << "server: {host: 127.0.0.1, port: 0}\n"
      << "storage: {path: " << (folder.path() / "davit.db").string() << "}\n"
      << "plugins: {directory: " << (folder.path() / "plugins").string()
      << ", store: " << (folder.path() / "plugin-store").string() << ", settle: 0}\n"
      << "metrics: {public: true}\n"
      << "webhooks:\n"
      << "  github: {secret_env: GITHUB_WEBHOOK_SECRET, isolation: inprocess, rate: 0, config: {agent: "
         "nobody}}\n";
}

std::vector<std::string> serve_command(const Folder& folder) {
  return {DAVIT_BUILD_DIR "/bin/davit", "serve", "--config=" + (folder.path() / "davit.yaml").string(),
          "--ready-fd={ready}"};
}

}  // namespace

int main(int argc, char** argv) {
  double seconds = 4;
  std::string perf;
  read_arguments(argc, argv, "bench_ingest [--seconds N] [--perf FILE]",
                 {{"--seconds", &seconds}, {"--perf", &perf}});
  Deliveries deliveries;
  Folder folder;
  configure(folder);
  const std::filesystem::path log = folder.path() / "log";
  const SyncCounter syncs(folder);
  Program host(serve_command(folder), log, syncs.with({{"GITHUB_WEBHOOK_SECRET", kDeliverySecret}}));
  Program guarded({DAVIT_BUILD_DIR "/tests/bench/http_reference", "guarded", "{ready}"}, log);
  Program stock({DAVIT_BUILD_DIR "/tests/bench/http_reference", "stock", "{ready}"}, log);
  std::this_thread::sleep_for(std::chrono::seconds(1));
  const pid_t host_pid = process_tree(host.pid()).back();  // below its supervisor
  const Memory idle = memory_of(host_pid), supervisor = memory_of(host.pid());

  Load load;
  load.connections = kConnections;
  load.seconds = seconds;
  load.next = [&] { return deliveries.next(); };
  Subject subjects[] = {{"stock Pistache", &stock}, {"guarded Pistache", &guarded}, {"davit", &host}};
  Load warm_up = load;
  warm_up.seconds = 0.5;
  std::uint64_t before_first = 0;
  for (Subject& subject : subjects) {
    warm_up.port = subject.program->port();
    const LoadResult result = run(warm_up);
    if (subject.program == &host) before_first = result.count(202);
  }
  const double commits_before = metric(host.port(), "davit_commit_writes_count");
  const std::uint64_t syncs_before = syncs.now();
  pid_t profiler = -1;
  for (int round = 0; round < kRounds; ++round) {
    for (Subject& subject : subjects) {
      if (subject.program == &host && !perf.empty() && round == 1) {
        profiler = ::fork();
        if (profiler == 0) {
          const std::string pid = std::to_string(host_pid);
          ::execlp("perf", "perf", "record", "-q", "-F", "4999", "-g", "-o", perf.c_str(), "-p", pid.c_str(),
                   static_cast<char*>(nullptr));
          ::_exit(1);
        }
      }
      subject.measure(load);
      if (profiler > 0 && subject.program == &host) ::kill(std::exchange(profiler, -1), SIGINT);
    }
  }
  Subject& davit = subjects[2];
  const double commits = metric(host.port(), "davit_commit_writes_count") - commits_before;
  const double synced = static_cast<double>(syncs.now() - syncs_before);
  const double batch = static_cast<double>(davit.requests) / commits;
  const Memory busy = memory_of(host_pid);

  const auto [flush, flush_p99] = flush_time(folder.path());
  Subject half{"davit at half load", &host};
  load.rate = static_cast<double>(davit.requests) / davit.seconds / 2;
  half.measure(load);
  load.rate = 0;

  const std::uint64_t accepted = before_first + davit.requests + half.requests;
  host.stop();
  stock.stop();
  guarded.stop();
  const TaskCounts tasks = count_tasks(folder.path() / "davit.db");
  const SqliteFigures bare =
      insert_deliveries(folder.path() / "davit.db", folder.path(), std::max(1, static_cast<int>(batch)), 3);

  std::printf(
      "\ningest: signed GitHub deliveries of %zu bytes, %d connections kept open, %d x %.0f s each\n\n",
      deliveries.body_size(), kConnections, kRounds, seconds);
  std::printf("  %-18s %10s %9s %9s %16s %14s\n", "", "req/s", "p50 ms", "p99 ms", "CPU-s per 1,000",
              "per CPU-s");
  for (Subject& subject : subjects) {
    std::printf("  %-18s %10.0f %9.2f %9.2f %16.4f %14.0f\n", subject.name,
                static_cast<double>(subject.requests) / subject.seconds, subject.ms(0.5), subject.ms(0.99),
                1000 * subject.cpu / static_cast<double>(subject.requests), subject.per_cpu_second());
  }
  std::printf("  %-18s %10.0f %9s %9s %16.4f %14.0f\n\n", "bare SQLite", bare.rows_per_second, "", "",
              bare.cpu_microseconds / 1000, 1e6 / bare.cpu_microseconds);
  row("davit per CPU-second / stock Pistache (target 0.55)", "%.2f",
      davit.per_cpu_second() / subjects[0].per_cpu_second());
  row("davit per CPU-second / guarded Pistache", "%.2f",
      davit.per_cpu_second() / subjects[1].per_cpu_second());
  row("davit req/s / bare SQLite rows/s, batches of the same size", "%.2f (%.0f per commit)",
      static_cast<double>(davit.requests) / davit.seconds / bare.rows_per_second, batch);
  row("syncs per accepted delivery, counted (target 0.1)", "%.3f",
      synced / static_cast<double>(davit.requests));
  row("commits per accepted delivery, by the writer's own count", "%.3f", 1 / batch);
  row("at half load: p50, p99", "%.2f ms, %.2f ms at %.0f req/s", half.ms(0.5), half.ms(0.99),
      static_cast<double>(half.requests) / half.seconds);
  row("the disk's append and flush, unloaded: p50, p99", "%.2f ms, %.2f ms", flush, flush_p99);
  row("half-load p99 / median flush (target under 10)", "%.1f", half.ms(0.99) / flush);
  row("host RSS idle, peak; its supervisor", "%.1f MiB, %.1f MiB; %.1f MiB", idle.now_mib, busy.peak_mib,
      supervisor.now_mib);
  row("202s, durable tasks", "%llu, %lld", static_cast<unsigned long long>(accepted), tasks.all);
  if (static_cast<long long>(accepted) != tasks.all) give_up("a 202 without its task, or a task too many");
  return 0;
}
