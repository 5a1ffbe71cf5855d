// The runner's side of the frames: what every runner process does, whatever it serves.
//
// Two threads. The main thread reads frames and runs calls, one at a time. The control thread, which starts
// when the fences stand, just before code of the plugin runs, waits on the control socket alone: a Cancel
// interrupts the call, the end of the socket means that the host is gone, and then everything below this
// process and the process itself end at once, whatever the main thread is doing.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "host/base/clock.h"
#include "host/base/guarded.h"
#include "host/base/log.h"
#include "host/base/result.h"
#include "host/isolation/envelope.h"
#include "host/isolation/frames.h"
#include "host/model/plugin_info.h"

namespace davit::isolation {

// Where a runner writes. Thread-safe.
class RunnerOutput {
 public:
  explicit RunnerOutput(int fd) : fd_(fd) {}
  // A live report of the call that runs. Dropped outside a call, so that a thread that outlives its call
  // spoils nothing. TooLarge over the caps of a frame.
  Result<> report(std::string_view json, std::string_view blob = {});
  void log(LogLevel level, std::string_view line);
  // During a scan: the library's constructors have run.
  void constructed();

 private:
  friend class RunnerServer;
  Result<> send(FrameKind kind, std::string_view json, std::string_view blob = {});
  const int fd_;
  struct State {
    bool in_call = false;
  };
  Guarded<State> state_;  // held while a frame is sent: frames must not mix
};

// What is served: a plugin (runner_main.cpp), or a script in tests.
class Servant {
 public:
  virtual ~Servant() = default;
  // Nullopt if calls may come.
  virtual std::optional<Refusal> create(const CreateRequest& request, RunnerOutput& output) = 0;
  // The JSON of a ProbeReport.
  virtual std::variant<std::string, Refusal> scan(const CreateRequest& request, RunnerOutput& output) = 0;
  // The JSON of the answer. `directory` is the current directory then.
  virtual std::string run(const CallHead& head, std::string_view blob) = 0;
  // From another thread while run() runs, or just after.
  virtual void cancel() = 0;
  // An orderly end: releases the instance.
  virtual void release() = 0;
};

// Serves frames on `calls_fd` and the descriptor after it until the host says End or is gone. Does not
// return: ends the process with 0, or with 70 if the host sent what no host of ours sends, or if a socket is
// not its own any more, which is the plugin's doing.
[[noreturn]] void serve_runner(int calls_fd, Servant& servant);

inline constexpr int kProtocolFailure = 70;

}  // namespace davit::isolation
