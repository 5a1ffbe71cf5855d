// Threads for requests that read the database or wait for anything else: I/O threads never do.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace davit::http {

// Thread-safe. Jobs that have not begun when it ends are dropped (their Responder answers 500 by itself).
class Workers {
 public:
  Workers(int threads, std::size_t max_waiting);
  ~Workers();

  // False, and the job untouched, when too many wait: the caller answers 503.
  bool run(std::function<void()>& job);

 private:
  void serve();

  const std::size_t max_waiting_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace davit::http
