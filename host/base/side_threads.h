// Threads for jobs that are rare and may take seconds: a host without such jobs shall have no thread for
// them.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <string>

#include "host/base/result.h"

namespace davit {

// A job gets a thread of its own while fewer than `at_once` run, else it waits for its turn. Thread-safe.
class SideThreads {
 public:
  // The name is the threads'; the system shows 15 characters of it.
  SideThreads(std::string name, std::size_t at_once) : name_(std::move(name)), at_once_(at_once) {}
  // Drops the jobs that wait, and returns when those that run have ended.
  ~SideThreads();

  // Jobs must not throw. Unavailable if the job can never run, since the system gives no thread.
  Result<> run(std::function<void()> job);

 private:
  void work();

  const std::string name_;
  const std::size_t at_once_;
  std::mutex mutex_;
  std::condition_variable left_;
  std::deque<std::function<void()>> waiting_;
  std::size_t working_ = 0;
};

}  // namespace davit
