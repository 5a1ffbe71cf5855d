// Runner processes and the calls they serve. Confined to the thread of its Loop.
//
// A runner is this program started again in an internal mode (runner_main.h). It loads one stored library, creates one
// instance and serves calls over a socket pair. It may stay warm between calls; it is replaced after a crash, a kill, a
// new generation, or a configured number of calls.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/isolation/loop.h"
#include "host/model/plugin_info.h"
#include "host/plugin/settings.h"

namespace davit::isolation {

// What a runner is started for. Two calls with equal specs may share a warm runner.
struct RunnerSpec {
  std::filesystem::path library;  // in the store
  std::string sha256;
  PluginKind kind = PluginKind::Agent;
  std::uint32_t index = 0;
  std::string name;               // instance, for logs and argv
  std::string config = "{}";
  std::vector<plugin::Secret> granted;
  std::vector<std::string> signature_secrets;           // webhooks that check signatures themselves
  std::map<std::string, std::string> environment;       // beside PATH, LANG, TZ, HOME
  int calls_per_runner = 100;
};

enum class CallEnd {
  Answered,      // `answer` holds what the runner sent
  Crashed,       // the process ended by itself: `detail` says how (signal, exit status), with the tail of its stderr
  TimedOut,      // the deadline came; the tree was killed
  Cancelled,     // cancel() was called and the runner did not answer within the grace
  SpawnFailed,   // the process could not be started
  BrokeProtocol  // it sent what no runner of ours sends; killed
};

struct CallOutcome {
  CallEnd end = CallEnd::Answered;
  std::string answer;  // JSON
  std::string detail;
  Duration kill_took{0};  // from the deadline to an empty process tree
};

struct Call {
  std::string task_tag;        // shown in argv of a cold runner; for sweeps and people
  std::string request;         // JSON: {"call":"webhook.run"|"webhook.verify"|"agent.run", …}
  std::string blob;            // raw bytes beside it (a body)
  std::string working_directory;  // the runner's cwd for this call, may be empty
  MonotonicTime deadline{};
  Duration cancel_grace{2000};    // between asking and killing, for cancel and deadline alike
  // Live reports: one JSON frame each, with its raw bytes (artifact content). On the loop thread.
  std::function<void(std::string_view report, std::string_view blob)> on_report;
  // Exactly once, on the loop thread; after a kill only when the whole process tree is gone.
  std::function<void(CallOutcome)> on_end;
};

struct PoolOptions {
  std::vector<std::string> runner_command;  // default: /proc/self/exe with the internal mode
  std::size_t max_runners = 64;
  Duration idle{60'000};                    // an idle warm runner ends after this
  bool use_cgroups = true;                  // where the system lets us
  std::uint64_t address_space_limit = 0;    // bytes, 0: none
};

class RunnerPool {
 public:
  using CallId = std::uint64_t;

  RunnerPool(Loop& loop, PoolOptions options, Log& log, const Clock& clock);
  ~RunnerPool();  // kills what runs; no on_end afterwards

  // Starts the call on a warm runner of an equal spec, or on a new one. Waits in order when max_runners are busy.
  CallId call(const RunnerSpec& spec, Call call);
  // Asks the runner to stop the call; kills it after the call's grace. Unknown ids are ignored.
  void cancel(CallId id);
  // Ends idle runners whose spec does not hold any more (their library was replaced or disabled).
  void retire(const std::function<bool(const RunnerSpec&)>& obsolete);

  struct Stats {
    std::size_t alive = 0, busy = 0, waiting = 0;
    std::uint64_t spawned = 0, crashed = 0, killed = 0;
  };
  Stats stats() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace davit::isolation
