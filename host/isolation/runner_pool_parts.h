// What a pool is made of; for its own sources only (runner_pool.cpp: calls and who runs them; runner_life.cpp: a runner
// from its start to its end).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "host/isolation/frames.h"
#include "host/isolation/runner_pool.h"
#include "host/isolation/runner_process.h"

namespace davit::isolation {

enum class RunnerState { Greeting, Creating, Busy, Stopping, Idle, Closing, Dying };

// A tree that cannot be killed in this time is reported and given up.
inline constexpr Duration kKillLimit{10'000};

struct RunnerPool::Parts {
  struct Group;

  struct Waiting {
    CallId id = 0;
    Call call;
    Loop::TimerId timer = 0;
  };

  struct Runner {
    Group* group = nullptr;
    RunnerState state = RunnerState::Greeting;
    RunnerProcess process;
    FrameReader reader;
    FrameWriter writer;
    OutputCapture output;
    std::string nonce;
    int calls_begun = 0;
    bool retired = false;
    bool writable_awaited = false;
    bool socket_ended = false;

    CallId call_id = 0;  // 0: none
    Call call;
    bool deadline_passed = false;  // why it is Stopping

    MonotonicTime due{};  // what the state waits for: deadline, end of grace, idle end
    Loop::TimerId timer = 0;
    MonotonicTime timer_at{};

    // Dying.
    std::optional<TreeKill> kill;
    CallOutcome outcome;
    MonotonicTime kill_since{}, kill_until{};
    bool by_itself = false;
    std::optional<int> wait_status;
  };

  struct Group {
    std::shared_ptr<const PreparedSpec> spec;
    std::deque<Waiting> waiting;
    std::vector<Runner*> idle;  // the last one is the warmest
    std::size_t alive = 0;
  };

  Parts(Loop& its_loop, KnownChildren& its_children, PoolOptions its_options, Log& its_log,
        const Clock& its_clock)
      : loop(its_loop),
        children(its_children),
        options(std::move(its_options)),
        log(its_log),
        clock(its_clock) {}

  Loop& loop;
  KnownChildren& children;
  const PoolOptions options;
  Log& log;
  const Clock& clock;
  std::unordered_map<std::string, std::unique_ptr<Group>> groups;  // by key of the spec
  std::unordered_map<Runner*, std::unique_ptr<Runner>> runners;
  std::unordered_map<CallId, Runner*> running;
  CallId next_call = 1;
  std::size_t waiting = 0;
  std::size_t closing = 0;
  // Guards functions posted to the loop that may outlive the pool.
  std::shared_ptr<bool> alive_token = std::make_shared<bool>(true);
  struct Counters {
    std::atomic<std::size_t> alive{0}, busy{0}, waiting{0};
    std::atomic<std::uint64_t> spawned{0}, crashed{0}, killed{0};
  } counters;

  // Calls.
  CallId call(const std::shared_ptr<const PreparedSpec>& spec, Call call);
  void serve();
  Waiting take_first(Group& group);
  void end_later(Call call, CallOutcome outcome);
  void begin(Runner& runner, CallId id, Call call);
  void send_call(Runner& runner);
  void cancel(CallId id);
  void answered(Runner& runner, std::string answer);

  // Runners.
  void start(Group& group, CallId id, Call call);
  bool watch(Runner& runner);
  void on_calls(Runner& runner, std::uint32_t events);
  bool read_frames(Runner& runner);
  bool handle(Runner& runner, const Frame& frame);
  void on_exit(Runner& runner);
  std::string redacted(const Runner& runner, std::string_view said) const;
  void tell_output(const Runner& runner, std::string_view line);
  void log_about(LogLevel level, std::string_view sentence, const Call& call,
                 std::initializer_list<LogField> fields) const;
  void take_output(Runner& runner, std::size_t limit);
  void send(Runner& runner, FrameKind kind, std::string json, std::string blob = {});
  void ask_to_stop(Runner& runner, bool deadline);
  void become_idle(Runner& runner);
  void close(Runner& runner);
  bool close_longest_idle(const Group& except);

  // Time.
  void wait_until(Runner& runner, MonotonicTime due);
  void on_timer(Runner& runner);

  // Ends.
  void broke_protocol(Runner& runner, std::string_view what);
  void kill(Runner& runner, CallEnd end, std::string_view detail);
  void die(Runner& runner, CallEnd end, std::string_view detail, MonotonicTime since);
  void step_kill(Runner& runner);
  void bury(Runner& runner);
  void drop_if_unused(Group& group);
  std::string_view name(const Runner& runner) const { return runner.group->spec->spec().name; }
};

}  // namespace davit::isolation
