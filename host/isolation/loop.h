// One thread that waits for descriptors, timers and posted functions. Ingest and dispatch own one each; everything that
// belongs to a runner happens on the loop it was started from, so runner code needs no locks.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "host/base/clock.h"
#include "host/base/result.h"

namespace davit::isolation {

class Loop {
 public:
  static Result<std::unique_ptr<Loop>> start(std::string thread_name);
  ~Loop();  // stops and joins; functions not yet run are dropped

  // From any thread. Runs soon on the loop thread, in order. Does not wake the thread more than once per turn.
  void post(std::function<void()> function);
  bool on_loop_thread() const;

  // Loop thread only. Timers fire at or after their time; an id is never reused.
  using TimerId = std::uint64_t;
  TimerId after(Duration delay, std::function<void()> function);
  void cancel(TimerId timer);

  // Loop thread only. `ready` gets the epoll events; level-triggered.
  Result<> watch(int fd, std::uint32_t events, std::function<void(std::uint32_t)> ready);
  void rewatch(int fd, std::uint32_t events);
  void unwatch(int fd);

 private:
  struct Parts;
  explicit Loop(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace davit::isolation
