// One thread that waits for descriptors, timers and posted functions. Ingest and dispatch own one each;
// everything that belongs to a runner happens on the loop it was started from, so runner code needs no locks.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "host/base/clock.h"
#include "host/base/result.h"

namespace davit::isolation {

// Functions given to the loop must not throw. An idle loop sleeps without any wake-up.
class Loop {
 public:
  // The name is cut to the system's 15 characters. Unavailable if the system gives no descriptor or thread.
  static Result<std::unique_ptr<Loop>> start(std::string thread_name);
  // As stop().
  ~Loop();
  // Ends and joins the thread; functions not yet run are dropped, as are those posted later. Never called on
  // the loop thread.
  void stop();

  // From any thread. Runs soon on the loop thread, in order. Wakes the thread only if it sleeps, so a burst
  // of posts costs one wake-up.
  void post(std::function<void()> function);
  // From any thread: runs the function on the loop thread and waits until it returned (on the loop thread: at
  // once). False if the loop ended before.
  bool run(const std::function<void()>& function);
  bool on_loop_thread() const;

  // Loop thread only. Timers fire at or after their time; an id is never reused and never 0.
  using TimerId = std::uint64_t;
  TimerId after(Duration delay, std::function<void()> function);
  void cancel(TimerId timer);

  // Loop thread only. `ready` gets the epoll events; level-triggered. It may unwatch any descriptor, its own
  // included.
  Result<> watch(int fd, std::uint32_t events, std::function<void(std::uint32_t)> ready);
  void rewatch(int fd, std::uint32_t events);
  void unwatch(int fd);  // before the descriptor is closed

  // How often the thread was woken since it started: for tests and metrics, from any thread.
  std::uint64_t wake_ups() const;

 private:
  struct Parts;
  explicit Loop(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace davit::isolation
