// What listening costs: bench_events [--clients N] [--tasks N]
//
// A host with N streams of events open, idle and then while tasks are made by the API one after the other:
// its memory, its processor time, and how long after the answer that follows the commit the last of the
// clients and one of them has the event.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/arguments.h"
#include "tests/bench/process.h"
#include "tests/integration/raw_client.h"
#include "tests/support/event_reader.h"

namespace {

using namespace davit;
using namespace davit::bench;
using SteadyClock = std::chrono::steady_clock;

double milliseconds(SteadyClock::time_point from, SteadyClock::time_point to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

double of(std::vector<double> values, double quantile) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(quantile * static_cast<double>(values.size() - 1))];
}

void times(const char* name, const std::vector<double>& took) {
  row(name, "p50 %.1f, p99 %.1f, worst %.1f ms", of(took, 0.5), of(took, 0.99), of(took, 1));
}

class Bench {
 public:
  explicit Bench(int clients) {
    std::filesystem::create_directories(folder_.path() / "plugins");
    std::filesystem::permissions(folder_.path() / "plugins", std::filesystem::perms::owner_all);
    std::filesystem::copy_file(DAVIT_BUILD_DIR "/tests/bench/noop_0.so",
                               folder_.path() / "plugins/noop_0.so");
    std::ofstream(folder_.path() / "davit.yaml")
        << "server: {host: 127.0.0.1, port: 0, max_event_streams: " << clients + 10
        << ", max_event_streams_per_token: " << clients + 10 << "}\n"
        << "storage: {path: " << (folder_.path() / "davit.db").string() << "}\n"
        << "plugins: {directory: " << (folder_.path() / "plugins").string()
        << ", store: " << (folder_.path() / "plugin-store").string() << ", settle: 0}\n"
        << "agents:\n  noop-0: {requires_approval: true}\n";
    host_ = std::make_unique<Program>(
        std::vector<std::string>{DAVIT_BUILD_DIR "/bin/davit", "serve", "--no-supervisor",
                                 "--config=" + (folder_.path() / "davit.yaml").string(),
                                 "--ready-fd={ready}"},
        folder_.path() / "log");
    std::ifstream token(folder_.path() / "admin.token");
    std::string text;
    std::getline(token, text);
    authorization_ = "Authorization: Bearer " + text + "\r\n";
  }

  pid_t pid() const { return host_->pid(); }

  void listen(int clients) {
    for (int i = 0; i < clients; ++i) {
      readers_.push_back(std::make_unique<testing::EventReader>(
          host_->port(), "/api/dashboard/events?topics=task", authorization_));
    }
    for (const auto& reader : readers_)
      if (!reader->next("hello")) give_up("a stream was not greeted: " + reader->head());
  }

  // A new task. When its making was answered, and how much later one stream had it, and all of them.
  void make_task(std::vector<double>& to_one, std::vector<double>& to_all) {
    const std::string body = R"({"agent":"noop-0","title":"for those who listen","payload":{}})";
    test::RawClient client(host_->port());
    const auto asked = SteadyClock::now();
    client.send("POST /api/tasks HTTP/1.1\r\nHost: bench\r\n" + authorization_ +
                "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    const test::RawAnswer answer = client.read_answer();
    const auto answered = SteadyClock::now();
    if (answer.status != 202 && answer.status != 201) give_up("no task was made: " + answer.body);
    for (const auto& reader : readers_) {
      if (!reader->next("task")) give_up("a stream did not tell of a task");
      if (reader == readers_.front()) to_one.push_back(milliseconds(answered, SteadyClock::now()));
    }
    to_all.push_back(milliseconds(answered, SteadyClock::now()));
    asked_.push_back(milliseconds(asked, answered));
  }
  const std::vector<double>& asked() const { return asked_; }

 private:
  Folder folder_;
  std::unique_ptr<Program> host_;
  std::string authorization_;
  std::vector<std::unique_ptr<testing::EventReader>> readers_;
  std::vector<double> asked_;
};

}  // namespace

int main(int argc, char** argv) {
  int clients = 500, tasks = 200;
  read_arguments(argc, argv, "bench_events [--clients N] [--tasks N]",
                 {{"--clients", &clients}, {"--tasks", &tasks}});
  Bench bench(clients);
  std::this_thread::sleep_for(std::chrono::seconds(1));
  const Memory before = memory_of(bench.pid());
  bench.listen(clients);
  const Cpu began = cpu_of(bench.pid());
  const auto idle_from = SteadyClock::now();
  std::this_thread::sleep_for(std::chrono::seconds(3));
  const double idle =
      (cpu_of(bench.pid()).own - began.own) / milliseconds(idle_from, SteadyClock::now()) * 1e3;
  const Memory listening = memory_of(bench.pid());

  std::vector<double> to_one, to_all;
  const Cpu working = cpu_of(bench.pid());
  for (int i = 0; i < tasks; ++i) bench.make_task(to_one, to_all);
  const double cpu = cpu_of(bench.pid()).own - working.own;
  const Memory after = memory_of(bench.pid());

  std::printf("\nevents: %d streams, %d tasks\n\n", clients, tasks);
  row("memory before, with the streams idle", "%.1f, %.1f MiB", before.now_mib, listening.now_mib);
  row("  more, for all of them (target 20)", "%.1f MiB", listening.now_mib - before.now_mib);
  row("  after all events", "%.1f MiB", after.now_mib);
  row("processor, idle", "%.2f %% of a core", 100 * idle);
  row("processor, a task and its event to all", "%.2f ms", 1e3 * cpu / tasks);
  times("making a task, asked to answered", bench.asked());
  times("from the answer to one stream", to_one);
  times("  to all of them (target 200)", to_all);
  return 0;
}
