// What removing old rows costs: bench_prune [--deliveries N]
//
// A store with N old deliveries, each with a body of 8,000 bytes and a task that was completed, removes them
// all: first alone, then while a sender waits for each of its deliveries to be committed before it sends the
// next. Beside it, the same sender with nothing to remove.
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "host/base/id.h"
#include "host/store/database.h"
#include "host/store/store.h"
#include "tests/bench/arguments.h"
#include "tests/bench/process.h"

namespace {

using namespace davit;
using namespace davit::bench;

constexpr Duration kDay{86'400'000};
constexpr const char* kAgent = "noop";

// The system's, until it is set back.
class SetBackClock final : public Clock {
 public:
  WallTime wall() const override { return system_.wall() - back_.load(); }
  MonotonicTime monotonic() const override { return system_.monotonic(); }
  void set_back(Duration by) { back_ = by; }

 private:
  SystemClock system_;
  std::atomic<Duration> back_{Duration{0}};
};

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) { return double(time.tv_sec) + double(time.tv_usec) / 1e6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

store::NewDelivery delivery(const Clock& clock) {
  store::NewDelivery delivery;
  delivery.id = delivery.delivery_key = new_id();
  delivery.webhook = "bench";
  delivery.received_at = clock.wall();
  delivery.body = std::string(8'000, 'x');
  delivery.verdict = store::Verdict::Queued;
  delivery.answer.tasks.emplace_back();
  delivery.answer.tasks[0].id = new_id();
  delivery.answer.tasks[0].agent = kAgent;
  delivery.answer.tasks[0].payload = "{}";
  return delivery;
}

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
  explicit Bench(int deliveries) : count_(deliveries) {
    auto opened = store::Store::open({.path = path(), .create_if_missing = true}, *log_, clock_);
    if (auto* error = std::get_if<store::OpenError>(&opened)) give_up(error->message);
    store_ = std::move(std::get<0>(opened));
    store_->on_prune([this](std::int64_t deliveries_gone, std::int64_t tasks_gone) {
      pruned_ += deliveries_gone + tasks_gone;
    });
    clock_.set_back(2 * kDay);
    fill();
    clock_.set_back(Duration{0});
  }

  int rows() const { return 2 * count_; }
  void begin() { store_->set_retention({kDay, 0}); }
  bool ended() const { return pruned_ >= rows(); }
  void wait() const {
    while (!ended()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }

  // Milliseconds of each delivery that is sent until `enough` says so, in ascending order.
  template <typename Enough>
  std::vector<double> send_until(Enough enough) {
    std::vector<double> took;
    while (!enough(took.size())) {
      const auto start = std::chrono::steady_clock::now();
      done<store::Accepted>([&](auto then) { store_->accept(delivery(clock_), then); });
      took.push_back(seconds_since(start) * 1e3);
    }
    std::sort(took.begin(), took.end());
    return took;
  }

  // Pages that are free once the store is closed.
  std::int64_t close_and_count_free_pages() {
    store_.reset();
    auto database = store::Database::open(path(), store::Database::Mode::Read, "");
    return std::get<0>(database)->integer("PRAGMA freelist_count");
  }

 private:
  std::filesystem::path path() const { return folder_.path() / "davit.db"; }

  void fill() {
    for (int i = 0; i < count_; ++i) {
      if (i + 1 < count_ && i % 1'000 != 999) {
        store_->accept(delivery(clock_), nullptr);
      } else {
        done<store::Accepted>([&](auto then) { store_->accept(delivery(clock_), then); });
      }
    }
    for (;;) {
      const auto claimed = done<std::vector<ClaimedTask>>([&](auto then) {
        store_->claim({.agents = {{kAgent, 250}}, .limit = 250, .lease = kDay}, then);
      });
      if (claimed.empty()) return;
      for (const ClaimedTask& task : claimed) {
        store::Finish finish;
        finish.fence = task.fence;
        finish.outcome = "completed";
        finish.result.success = true;
        finish.result.output = "{}";
        if (&task == &claimed.back()) {
          done<TaskState>([&](auto then) { store_->finish(std::move(finish), then); });
        } else {
          store_->finish(std::move(finish), nullptr);
        }
      }
    }
  }

  const int count_;
  Folder folder_;
  std::unique_ptr<Log> log_ = Log::silent();
  SetBackClock clock_;
  std::atomic<std::int64_t> pruned_{0};
  std::unique_ptr<store::Store> store_;
};

}  // namespace

int main(int argc, char** argv) {
  int deliveries = 20'000;
  read_arguments(argc, argv, "bench_prune [--deliveries N]", {{"--deliveries", &deliveries}});

  Bench alone(deliveries);
  const double cpu = cpu_seconds();
  const auto start = std::chrono::steady_clock::now();
  alone.begin();
  alone.wait();
  const double seconds = seconds_since(start), thousands = alone.rows() / 1'000.0;
  const double cpu_per_thousand = (cpu_seconds() - cpu) * 1e3 / thousands;
  const double pages = static_cast<double>(alone.close_and_count_free_pages()) / thousands;

  Bench beside(deliveries);
  const std::vector<double> before = beside.send_until([](std::size_t sent) { return sent >= 2'000; });
  beside.begin();
  const std::vector<double> during = beside.send_until([&](std::size_t) { return beside.ended(); });

  std::printf("\nprune: %d old deliveries of 8,000 bytes with a completed task each\n\n", deliveries);
  row("CPU per 1,000 rows", "%.1f ms", cpu_per_thousand);
  row("pages given back per 1,000 rows", "%.0f", pages);
  row("rows per second, nothing else to do", "%.0f", alone.rows() / seconds);
  const auto line = [](const char* name, const std::vector<double>& took) {
    row(name, "p50 %.2f, p99 %.2f, worst %.2f ms (%zu)", took[took.size() / 2], took[took.size() * 99 / 100],
        took.back(), took.size());
  };
  line("a delivery's commit, nothing to remove", before);
  line("a delivery's commit while rows are removed", during);
}
