// A program that is only waited for: what it says comes back whole, or it is ended.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "child_process/child_process.h"

namespace child {

struct Bounds {
  std::chrono::milliseconds wall = std::chrono::minutes(2);
  std::size_t most_output = std::size_t{64} << 20;  // bytes; the program is ended over more
};

enum class Stopped { No, Cancelled, TimedOut, TooMuch };

struct Finished {
  int wait_status = 0;  // as of waitpid(2)
  std::string out;      // at most most_output bytes
  std::string err;      // its last kMostErrors bytes
  Stopped stopped = Stopped::No;

  bool succeeded() const { return stopped == Stopped::No && wait_status == 0; }
};
inline constexpr std::size_t kMostErrors = 16 * 1024;

// Asked before the start, then every quarter of a second or more often, on the caller's thread.
using Cancel = std::function<bool()>;

// Blocks until the program and its process group are gone. One that must stop gets SIGTERM, and SIGKILL a
// second later. Throws davit::Failure as ChildProcess does where it cannot be started.
Finished run_to_end(const Program& program, std::string_view input, const Bounds& bounds,
                    const Cancel& cancelled);

}  // namespace child
