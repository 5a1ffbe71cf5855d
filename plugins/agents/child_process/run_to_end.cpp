#include "child_process/run_to_end.h"

#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <iterator>
#include <optional>

namespace child {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kLook{250};
constexpr milliseconds kKillGrace{1000};

}  // namespace

Finished run_to_end(const Program& program, std::string_view input, const Bounds& bounds,
                    const Cancel& cancelled) {
  const Clock::time_point end = Clock::now() + bounds.wall;
  Finished finished;
  if (cancelled && cancelled()) {
    finished.stopped = Stopped::Cancelled;
    return finished;
  }
  ChildProcess process(program, input);
  const auto take_output = [&](std::string_view piece) {
    const std::size_t room = bounds.most_output - finished.out.size();
    if (piece.size() > room && finished.stopped == Stopped::No) finished.stopped = Stopped::TooMuch;
    finished.out.append(piece.substr(0, room));
  };
  const auto take_errors = [&](std::string_view piece) {
    finished.err.append(piece);
    if (finished.err.size() > kMostErrors) finished.err.erase(0, finished.err.size() - kMostErrors);
  };

  bool output_open = true, errors_open = true;
  std::optional<Clock::time_point> kill_at;
  for (;;) {
    pollfd watched[] = {{process.ended().number(), POLLIN, 0},
                        {output_open ? process.output().number() : -1, POLLIN, 0},
                        {errors_open ? process.errors().number() : -1, POLLIN, 0}};
    const auto left = std::chrono::duration_cast<milliseconds>(kill_at.value_or(end) - Clock::now());
    poll(watched, std::size(watched), static_cast<int>(std::clamp(left, milliseconds(1), kLook).count()));
    if (watched[1].revents != 0) output_open = read_piece(process.output(), take_output);
    if (watched[2].revents != 0) errors_open = read_piece(process.errors(), take_errors);
    if (watched[0].revents != 0) break;

    if (finished.stopped == Stopped::No && cancelled && cancelled()) finished.stopped = Stopped::Cancelled;
    if (finished.stopped == Stopped::No && Clock::now() >= end) finished.stopped = Stopped::TimedOut;
    if (finished.stopped != Stopped::No && !kill_at) {
      process.signal(SIGTERM);
      kill_at = Clock::now() + kKillGrace;
    } else if (kill_at && Clock::now() >= *kill_at) {
      process.signal(SIGKILL);
    }
  }
  finished.wait_status = process.finish();
  if (output_open) drain(process.output(), take_output);
  if (errors_open) drain(process.errors(), take_errors);
  return finished;
}

}  // namespace child
