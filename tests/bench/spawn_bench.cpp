// What starting costs and what idling costs: bench_spawn [--starts N] [--idle SECONDS]
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "host/isolation/protocol.h"
#include "host/isolation/runner_pool.h"
#include "tests/bench/arguments.h"
#include "tests/bench/process.h"

namespace {

using namespace davit;
using namespace davit::bench;
using Clock = std::chrono::steady_clock;

constexpr int kPlugins = 10;
constexpr int kWarmUps = 5;

double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return values[std::min(static_cast<std::size_t>(q * static_cast<double>(values.size())),
                         values.size() - 1)];
}

double cpu_milliseconds(int who) {
  rusage usage{};
  ::getrusage(who, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
}

// Milliseconds from the call to the answer of a runner that was not there before: spawn, load, handshake,
// first call. One at a time, on the real program.
std::vector<double> cold_starts(int count) {
  auto log = Log::silent();
  SystemClock clock;
  isolation::KnownChildren children;
  isolation::PoolOptions options;
  options.runner_command = {DAVIT_BUILD_DIR "/bin/davit"};
  auto loop = isolation::Loop::start("bench");
  if (!loop) give_up(loop.error().message);
  std::unique_ptr<isolation::RunnerPool> pool;
  (*loop)->run(
      [&] { pool = std::make_unique<isolation::RunnerPool>(**loop, children, options, *log, clock); });
  isolation::RunnerSpec spec;
  spec.library = DAVIT_BUILD_DIR "/tests/bench/noop_0.so";
  spec.kind = PluginKind::Agent;
  spec.name = "noop-0";
  spec.calls_per_runner = 1;
  const auto prepared = isolation::PreparedSpec::make(spec);
  std::vector<double> times;
  for (int i = 0; i < count + kWarmUps; ++i) {
    std::promise<isolation::CallOutcome> ended;
    const auto begun = Clock::now();
    (*loop)->run([&] {
      isolation::Call call;
      isolation::set_request(call,
                             isolation::agent_run_request(R"({"task_id":"t","task":{"payload":{"a":1}}})"));
      call.deadline = Clock::now() + std::chrono::minutes(1);
      call.on_end = [&](isolation::CallOutcome outcome) { ended.set_value(std::move(outcome)); };
      pool->call(prepared, std::move(call));
    });
    const isolation::CallOutcome outcome = ended.get_future().get();
    if (outcome.end != isolation::CallEnd::Answered) give_up("a runner did not answer: " + outcome.detail);
    if (i >= kWarmUps)
      times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begun).count());
  }
  (*loop)->run([&] { pool.reset(); });
  return times;
}

// Wake-ups per second by thread.
std::map<std::string, double> idle_wake_ups(pid_t pid, double seconds) {
  const auto before = wake_ups_of(pid);
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  std::map<std::string, double> rates;
  for (const auto& [name, count] : wake_ups_of(pid)) {
    const auto found = before.find(name);
    rates[name] = static_cast<double>(count - (found == before.end() ? 0 : found->second)) / seconds;
  }
  return rates;
}

}  // namespace

int main(int argc, char** argv) {
  int starts = 200;
  double idle_seconds = 10;
  read_arguments(argc, argv, "bench_spawn [--starts N] [--idle SECONDS]",
                 {{"--starts", &starts}, {"--idle", &idle_seconds}});
  const auto cpu_so_far = [] { return cpu_milliseconds(RUSAGE_SELF) + cpu_milliseconds(RUSAGE_CHILDREN); };
  const double before = cpu_so_far();
  const std::vector<double> cold = cold_starts(starts);
  const double cold_cpu = (cpu_so_far() - before) / (starts + kWarmUps);

  Folder folder;
  std::string agents;
  for (int i = 0; i < kPlugins; ++i) {
    const std::string file = "noop_" + std::to_string(i) + ".so";
    std::filesystem::copy_file(std::filesystem::path(DAVIT_BUILD_DIR) / "tests/bench" / file,
                               folder.path() / "plugins" / file);
    agents += "  noop-" + std::to_string(i) + ": {enabled: true}\n";
  }
  std::ofstream(folder.path() / "davit.yaml")
      << "server: {host: 127.0.0.1, port: 0}\n"
      << "storage: {path: " << (folder.path() / "davit.db").string() << "}\n"
      << "plugins: {directory: " << (folder.path() / "plugins").string()
      << ", store: " << (folder.path() / "plugin-store").string() << "}\n"
      << "agents:\n"
      << agents;
  const std::vector<std::string> serve{DAVIT_BUILD_DIR "/bin/davit", "serve",
                                       "--config=" + (folder.path() / "davit.yaml").string(),
                                       "--ready-fd={ready}"};
  const std::filesystem::path log = folder.path() / "log";
  double first = 0;
  {
    Program host(serve, log);
    first = 1000 * host.seconds_to_ready();
  }
  std::vector<double> ready;
  double ready_cpu = 0;
  for (int i = 0; i < std::min(starts, 20); ++i) {
    Program host(serve, log);
    ready.push_back(1000 * host.seconds_to_ready());
    ready_cpu += 1000 * cpu_of_tree(host.pid());
  }

  Program host(serve, log);
  Program reference({DAVIT_BUILD_DIR "/tests/bench/http_reference", "stock", "{ready}"}, log);
  std::this_thread::sleep_for(std::chrono::seconds(2));
  const pid_t supervisor = host.pid(), host_pid = process_tree(supervisor).at(1);
  const double cpu = cpu_of_tree(supervisor);
  auto of_reference = std::async(std::launch::async, idle_wake_ups, reference.pid(), idle_seconds);
  auto of_supervisor = std::async(std::launch::async, idle_wake_ups, supervisor, idle_seconds);
  const auto of_host = idle_wake_ups(host_pid, idle_seconds);
  const double idle_cpu = (cpu_of_tree(supervisor) - cpu) / idle_seconds;

  std::printf("\nspawn: starting and idling\n\n");
  row("cold agent: spawn, load, handshake, first call: p50, p99", "%.1f ms, %.1f ms (target 10)",
      quantile(cold, 0.5), quantile(cold, 0.99));
  row("  CPU of it, with the runner's end", "%.1f ms", cold_cpu);
  row("davit serve ready, 10 plugins probed before: p50, most", "%.0f ms, %.0f ms (target 300)",
      quantile(ready, 0.5), quantile(ready, 1));
  row("  CPU of it, supervisor and host", "%.0f ms", ready_cpu / static_cast<double>(ready.size()));
  row("  the same with all 10 to probe", "%.0f ms", first);
  const Memory memory = memory_of(host_pid), above = memory_of(supervisor);
  row("RSS idle, the host (target 30); its supervisor", "%.1f MiB; %.1f MiB", memory.now_mib, above.now_mib);
  row("idle CPU, both", "%.2f %% of a core", 100 * idle_cpu);
  double other = 0;
  for (const auto& [name, rate] : of_host) {
    row(("wake-ups per second: " + name).c_str(), "%.1f", rate);
    if (name.rfind("davit-http", 0) != 0) other += rate;
  }
  for (const auto& [name, rate] : of_supervisor.get()) {
    row(("wake-ups per second, supervisor: " + name).c_str(), "%.1f", rate);
    other += rate;
  }
  for (const auto& [name, rate] : of_reference.get())
    row(("wake-ups per second, stock Pistache: " + name).c_str(), "%.1f", rate);
  row("wake-ups per second but those of Pistache's threads", "%.1f (target 1)", other);
  return 0;
}
