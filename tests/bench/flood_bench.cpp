// What a flood of forged deliveries costs: bench_flood [--seconds N]
//
// The real program gets signed GitHub deliveries, then the same with a wrong signature, in turns over 64
// connections, each from an address of its own behind a trusted proxy, so that no limit of addresses helps:
// the CPU of the host for each. Then a good sender at a steady rate, alone and while the flood goes on beside
// it: what it waits. Last, the flood from one address, against the limit of addresses.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <thread>

#include "tests/bench/arguments.h"
#include "tests/bench/deliveries.h"
#include "tests/bench/load.h"
#include "tests/bench/process.h"

namespace {

using namespace davit;
using namespace davit::bench;

constexpr int kRounds = 3;
constexpr double kGoodRate = 50;

std::string address_number(std::int64_t number) {
  return "10." + std::to_string(number >> 16 & 255) + "." + std::to_string(number >> 8 & 255) + "." +
         std::to_string(number & 255);
}

struct Figures {
  double cpu = 0, seconds = 0;
  std::uint64_t requests = 0;
  double microseconds_per_request() const { return 1e6 * cpu / static_cast<double>(requests); }
};

class Bench {
 public:
  explicit Bench(double seconds) : seconds_(seconds) {
    std::filesystem::copy_file(DAVIT_BUILD_DIR "/plugins/github.so", folder_.path() / "plugins/github.so");
    std::ofstream(folder_.path() / "davit.yaml")
        << "server: {host: 127.0.0.1, port: 0, trusted_proxies: [127.0.0.1]}\n"
        << "storage: {path: " << (folder_.path() / "davit.db").string() << "}\n"
        << "plugins: {directory: " << (folder_.path() / "plugins").string()
        << ", store: " << (folder_.path() / "plugin-store").string() << ", settle: 0}\n"
        << "metrics: {public: true}\n"
        << "webhooks:\n"
        << "  github: {secret_env: GITHUB_WEBHOOK_SECRET, isolation: inprocess, rate: 0, config: {agent: "
           "nobody}}\n";
    host_.emplace(std::vector<std::string>{DAVIT_BUILD_DIR "/bin/davit", "serve",
                                           "--config=" + (folder_.path() / "davit.yaml").string(),
                                           "--ready-fd={ready}"},
                  folder_.path() / "log",
                  std::map<std::string, std::string>{{"GITHUB_WEBHOOK_SECRET", kDeliverySecret}});
  }

  // Answers other than `status` end the bench.
  Figures load(const std::string& secret, int status,
               const std::function<std::string(std::int64_t)>& address) {
    Load load;
    load.port = host_->port();
    load.seconds = seconds_;
    load.next = [&] {
      const std::int64_t number = ++count_;
      return deliveries_.make(number, secret, address(number));
    };
    Figures figures;
    const double before = cpu_of_tree(host_->pid());
    const LoadResult result = run(load);
    figures.cpu = cpu_of_tree(host_->pid()) - before;
    figures.seconds = result.seconds;
    figures.requests = result.total();
    if (status != 0 && result.count(status) != result.total())
      give_up("the host answered with another status than " + std::to_string(status));
    return figures;
  }

  // A good sender by itself.
  LoadResult steady() {
    Load load;
    load.port = host_->port();
    load.connections = 4;
    load.seconds = seconds_;
    load.rate = kGoodRate;
    load.next = [&] { return deliveries_.make(++steady_count_, kDeliverySecret, "203.0.113.9"); };
    const LoadResult result = run(load);
    if (result.count(202) != result.total()) give_up("the good sender was not always answered 202");
    return result;
  }

  std::size_t body_size() const { return deliveries_.body_size(); }
  double metric_value(const std::string& name) { return metric(host_->port(), name); }

 private:
  const double seconds_;
  Folder folder_;
  std::optional<Program> host_;
  const Deliveries deliveries_;
  std::int64_t count_ = 0, steady_count_ = 500'000'000;
};

void add(Figures& all, const Figures& more) {
  all.cpu += more.cpu;
  all.seconds += more.seconds;
  all.requests += more.requests;
}

}  // namespace

int main(int argc, char** argv) {
  double seconds = 3;
  read_arguments(argc, argv, "bench_flood [--seconds N]", {{"--seconds", &seconds}});
  Bench bench(seconds);
  Figures good, forged, limited;
  for (int round = 0; round < kRounds; ++round) {
    add(good, bench.load(kDeliverySecret, 202, address_number));
    add(forged, bench.load("not-the-secret-of-the-bench", 401, address_number));
  }
  const double writes_before = bench.metric_value("davit_commit_writes_sum");
  add(forged, bench.load("not-the-secret-of-the-bench", 401, address_number));
  const double writes = bench.metric_value("davit_commit_writes_sum") - writes_before;
  const LoadResult alone = bench.steady();
  LoadResult beside;
  {
    std::thread good_sender([&] { beside = bench.steady(); });
    add(forged, bench.load("not-the-secret-of-the-bench", 401, address_number));
    good_sender.join();
  }
  add(limited, bench.load("not-the-secret-of-the-bench", 0, [](std::int64_t) { return "198.51.100.7"; }));

  std::printf("\nflood: forged and signed GitHub deliveries of %zu bytes, 64 connections, %.0f s each\n\n",
              bench.body_size(), seconds);
  const auto line = [](const char* name, const Figures& figures) {
    std::printf("  %-44s %8.0f req/s %8.1f us of CPU per request\n", name,
                static_cast<double>(figures.requests) / figures.seconds, figures.microseconds_per_request());
  };
  line("signed, stored and queued (202)", good);
  line("forged, from everywhere (401)", forged);
  line("forged, from one address (401, then 429)", limited);
  std::printf("\n");
  row("CPU of a forged request / of a signed one (target under 0.5)", "%.2f",
      forged.microseconds_per_request() / good.microseconds_per_request());
  row("writes of the store in a flood, per second", "%.1f", writes / seconds);
  row("a good sender alone: p50, p99", "%.2f ms, %.2f ms", alone.quantile(0.5) / 1000,
      alone.quantile(0.99) / 1000);
  row("a good sender beside the flood: p50, p99", "%.2f ms, %.2f ms, all 202", beside.quantile(0.5) / 1000,
      beside.quantile(0.99) / 1000);
  return 0;
}
