// Runner processes and the calls they serve. Confined to the thread of its Loop.
//
// A runner is this program started again in an internal mode (runner_main.h). It loads one stored library,
// creates one instance and serves one call at a time over a socket pair. It may stay warm between calls; it
// is replaced after a crash, a kill, a new generation, or a configured number of calls.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/isolation/loop.h"
#include "host/isolation/process_tree.h"
#include "host/isolation/runner_spec.h"

namespace davit::isolation {

enum class CallEnd {
  Answered,   // `answer` holds what the runner sent
  Crashed,    // the process ended by itself: `detail` says how (signal, exit status)
  TimedOut,   // the deadline came; the tree was killed, or no runner had become free
  Cancelled,  // cancel() was called, and the runner did not answer within the grace or had not begun
  Refused,    // the instance could not be created or the call is over the limits of a frame: not better next
              // time
  SpawnFailed,    // the process could not be started
  BrokeProtocol,  // it sent what no runner of ours sends; killed
};
std::string_view to_string(CallEnd end);  // "timed_out"

struct CallOutcome {
  CallEnd end = CallEnd::Answered;
  std::string answer;          // JSON; read by protocol.h
  std::string detail;          // a sentence
  std::string output_tail;     // what the runner printed last, at most 8 KiB; empty for Answered
  int signal = 0;              // with Crashed: what killed it, 0 if it exited
  bool past_deadline = false;  // it answered, but only in the grace after the deadline
  Duration kill_took{0};       // from the deadline (or from cancel()) to an empty process tree
};

struct Call {
  std::string task_tag;  // shown in argv of a cold runner; for sweeps and people
  // What it is about, for log lines: each names an id, such as a task. The names are literals.
  std::vector<LogField> ids;
  std::string request;            // JSON text; made by protocol.h
  std::string blob;               // raw bytes beside it (a body, an agent's context)
  std::string working_directory;  // the runner's cwd and HOME for this call, may be empty
  MonotonicTime deadline{};
  Duration cancel_grace{2000};  // between asking and killing, for cancel and deadline alike
  // Live reports: one JSON frame each, with its raw bytes (artifact content). On the loop thread.
  std::function<void(std::string_view report, std::string_view blob)> on_report;
  // Exactly once, on the loop thread, never inside call() or cancel(); for all ends but Answered only when
  // the whole process tree is gone.
  std::function<void(CallOutcome)> on_end;
};

struct PoolOptions {
  std::vector<std::string> runner_command;  // default: /proc/self/exe with the internal mode
  std::size_t max_runners = 64;
  Duration idle{60'000};  // an idle warm runner ends after this
  // Where the system lets us, beside the walk over the tree. Moving a process into a new group makes the
  // kernel wait for up to 15 ms, more than all the rest of a start, and the walk finds the same processes.
  bool use_cgroups = false;
  std::uint64_t address_space_limit = 0;  // bytes, 0: none
};

// All functions on the loop thread, constructor and destructor included (Loop::run), but stats().
class RunnerPool {
 public:
  using CallId = std::uint64_t;

  RunnerPool(Loop& loop, KnownChildren& children, PoolOptions options, Log& log, const Clock& clock);
  ~RunnerPool();  // kills what runs and waits for it (some milliseconds); no on_end afterwards

  // Starts the call on a warm runner of an equal spec, or on a new one. Waits in order when max_runners are
  // busy.
  CallId call(const std::shared_ptr<const PreparedSpec>& spec, Call call);
  // The same for a spec that is used once: digests the spec at each call.
  CallId call(const RunnerSpec& spec, Call call);
  // Asks the runner to stop the call; kills it after the call's grace. Unknown ids are ignored.
  void cancel(CallId id);
  // Ends runners whose spec does not hold any more (their library was replaced or disabled): idle ones now,
  // busy ones after their call.
  void retire(const std::function<bool(const RunnerSpec&)>& obsolete);

  struct Stats {
    std::size_t alive = 0, busy = 0, waiting = 0;
    std::uint64_t spawned = 0, crashed = 0, killed = 0;
  };
  Stats stats() const;  // from any thread

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace davit::isolation
