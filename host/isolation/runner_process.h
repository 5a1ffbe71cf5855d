// One runner process as the host holds it: started, connected, its output captured.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/clock.h"
#include "host/base/file.h"
#include "host/base/result.h"
#include "host/isolation/process_tree.h"

namespace davit::isolation {

// The descriptors of a runner: frames of calls, then cancellation and, by its end, the host's life.
inline constexpr int kCallsFd = 3;
inline constexpr int kControlFd = 4;

struct RunnerStart {
  std::vector<std::string> command;  // empty: this program; "__runner 3 <name> <tag>" is appended
  std::string name;
  std::string tag;
  std::string working_directory;  // also its HOME; empty: "/" and a HOME that does not exist
  std::map<std::string, std::string> environment;
  bool use_cgroup = false;
};

// All descriptors are close-on-exec; calls, control and output are non-blocking.
struct RunnerProcess {
  pid_t pid = 0;
  UniqueFd pidfd;
  UniqueFd calls;
  UniqueFd control;
  UniqueFd output;  // its stdout and stderr
  std::unique_ptr<Cgroup> cgroup;
};

// posix_spawn, never fork. The child has a session of its own, default signal handlers, an empty mask, stdin
// from /dev/null, no other descriptor than its own, and no environment but PATH, LANG, TZ, HOME and what
// `start` names.
Result<RunnerProcess> start_runner(const RunnerStart& start, KnownChildren& known);

// What a plugin printed: lines for the log, bounded in length and rate, and the tail for a crash report.
// Confined to one thread.
class OutputCapture {
 public:
  using Line = std::function<void(std::string_view line)>;
  // Calls `line` for each whole line (2 KiB at most, 100 a second at most; what was left out is counted in a
  // line).
  void take(std::string_view bytes, MonotonicTime now, const Line& line);
  // The last line, if it had no end, and what was left out.
  void finish(const Line& line);
  // At most 8 KiB.
  std::string_view tail() const;
  // Reads what is there, at most `limit` bytes. False at the end of the pipe.
  bool read_from(int fd, std::size_t limit, MonotonicTime now, const Line& line);

 private:
  void emit(std::string_view text, MonotonicTime now, const Line& line);
  std::string tail_;
  std::string partial_;
  bool skipping_ = false;  // behind the cut of a long line
  MonotonicTime window_{};
  int lines_in_window_ = 0;
  std::uint64_t left_out_ = 0;
};

}  // namespace davit::isolation
