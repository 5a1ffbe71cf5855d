// What a call into a runner costs: isolation_bench [rounds]. Needs the libraries of tests/plugins.
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <future>
#include <string>
#include <vector>

#include "host/isolation/protocol.h"
#include "host/isolation/runner_pool.h"

using namespace davit;
using namespace davit::isolation;
using Clock_ = std::chrono::steady_clock;

namespace {

double cpu_us(int who) {
  rusage usage{};
  getrusage(who, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 + usage.ru_utime.tv_usec +
         usage.ru_stime.tv_usec;
}

class Bench {
 public:
  explicit Bench(std::vector<std::string> command) {
    options_.runner_command = std::move(command);
    loop_->run([&] { pool_ = std::make_unique<RunnerPool>(*loop_, children_, options_, *log_, clock_); });
  }
  ~Bench() {
    loop_->run([&] { pool_.reset(); });
  }

  // `rounds` calls with `slots` at a time; the microseconds of each.
  std::vector<double> run(const RunnerSpec& spec, const CallText& text, int rounds, int slots) {
    auto prepared = PreparedSpec::make(spec);
    std::vector<double> times;
    std::promise<void> done;
    int started = 0;
    std::function<void()> next = [&] {
      if (started == rounds) return;
      ++started;
      Call call;
      set_request(call, text);
      call.task_tag = "bench";
      call.deadline = Clock_::now() + std::chrono::hours(1);
      call.on_end = [&, begin = Clock_::now()](CallOutcome outcome) {
        if (outcome.end != CallEnd::Answered) std::fprintf(stderr, "%s\n", outcome.detail.c_str());
        times.push_back(std::chrono::duration<double, std::micro>(Clock_::now() - begin).count());
        if (static_cast<int>(times.size()) < rounds)
          next();
        else
          done.set_value();  // last: `run` may return at once
      };
      pool_->call(prepared, std::move(call));
    };
    loop_->run([&] {
      for (int i = 0; i < slots; ++i) next();
    });
    done.get_future().wait();
    std::sort(times.begin(), times.end());
    return times;
  }
  double kill_of_a_tree(int children) {
    std::promise<CallOutcome> done;
    RunnerPool::CallId id = 0;
    Call call;
    call.request = R"({"call":"children","number":)" + std::to_string(children) + "}";
    call.deadline = Clock_::now() + std::chrono::hours(1);
    call.cancel_grace = Duration{0};
    Clock_::time_point begin;
    call.on_report = [&](std::string_view, std::string_view) {
      loop_->post([&] {
        begin = Clock_::now();
        pool_->cancel(id);
      });
    };
    call.on_end = [&](CallOutcome outcome) { done.set_value(std::move(outcome)); };
    RunnerSpec spec;
    spec.name = "script";
    loop_->run([&] { id = pool_->call(spec, std::move(call)); });
    done.get_future().wait();
    return std::chrono::duration<double, std::micro>(Clock_::now() - begin).count();
  }

 private:
  std::unique_ptr<Log> log_ = Log::silent();
  SystemClock clock_;
  KnownChildren children_;
  PoolOptions options_;
  std::unique_ptr<Loop> loop_ = Loop::start("bench").value();
  std::unique_ptr<RunnerPool> pool_;
};

void print(const char* what, const std::vector<double>& sorted) {
  std::printf("%-42s p50 %9.1f us   p99 %9.1f us\n", what, sorted[sorted.size() / 2],
              sorted[sorted.size() * 99 / 100]);
}

}  // namespace

int main(int argc, char** argv) {
  become_subreaper();
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 20'000;
  const std::string tests = DAVIT_BUILD_DIR "/tests";
  {
    Bench bench({DAVIT_TEST_RUNNER});
    RunnerSpec spec;
    spec.name = "script";
    spec.calls_per_runner = 1 << 30;
    for (std::size_t bytes : {std::size_t{200}, std::size_t{64} << 10}) {
      CallText text{R"({"call":"size"})", std::string(bytes, 'x')};
      bench.run(spec, text, 100, 1);
      print(("warm round trip, blob of " + std::to_string(bytes)).c_str(), bench.run(spec, text, rounds, 1));
    }
    std::vector<double> kills;
    for (int i = 0; i < 20; ++i) kills.push_back(bench.kill_of_a_tree(13));
    std::sort(kills.begin(), kills.end());
    print("kill of a tree of 20 processes", kills);
  }
  RunnerSpec agent;
  agent.library = tests + "/plugins/good_agent.so";
  agent.name = "agent";
  agent.config = R"({"mode":"negative"})";  // one usage report, then {"success":true}
  agent.calls_per_runner = 1 << 30;
  const CallText execution = agent_run_request(R"({"task_id":"t","task":{"payload":{"a":1}}})");
  {
    double own = 0, wall = 0, children = cpu_us(RUSAGE_CHILDREN);
    {
      Bench bench({DAVIT_TEST_RUNNER, "plugin"});
      bench.run(agent, execution, 200, 16);
      own = cpu_us(RUSAGE_SELF);
      auto begin = Clock_::now();
      auto times = bench.run(agent, execution, rounds, 16);
      wall = std::chrono::duration<double>(Clock_::now() - begin).count();
      own = cpu_us(RUSAGE_SELF) - own;
      print("warm agent execution, 16 slots", times);
    }
    children = cpu_us(RUSAGE_CHILDREN) - children;
    std::printf("%-42s %9.0f /s, CPU %.1f us host + %.1f us runner (starts of 16 runners included)\n",
                "warm agent executions", rounds / wall, own / rounds, children / rounds);
  }
  {
    agent.calls_per_runner = 1;
    constexpr int kStarts = 200;
    const double own = cpu_us(RUSAGE_SELF), children = cpu_us(RUSAGE_CHILDREN);
    {
      Bench bench({DAVIT_TEST_RUNNER, "plugin"});
      print("cold: spawn, load, handshake, first call", bench.run(agent, execution, kStarts, 1));
    }
    std::printf("%-42s CPU %.1f us host + %.1f us runner, with its end\n", "cold",
                (cpu_us(RUSAGE_SELF) - own) / kStarts, (cpu_us(RUSAGE_CHILDREN) - children) / kStarts);
  }
  return 0;
}
