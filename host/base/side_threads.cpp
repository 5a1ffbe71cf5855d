// The threads are detached; the destructor waits until the last has left.
#include "host/base/side_threads.h"

#include <pthread.h>

#include <system_error>
#include <thread>

namespace davit {

SideThreads::~SideThreads() {
  std::unique_lock lock(mutex_);
  waiting_.clear();
  left_.wait(lock, [this] { return working_ == 0; });
}

Result<> SideThreads::run(std::function<void()> job) {
  std::lock_guard lock(mutex_);
  waiting_.push_back(std::move(job));
  if (working_ == at_once_) return {};
  try {
    std::thread([this] { work(); }).detach();
    ++working_;
  } catch (const std::system_error& failure) {
    if (working_ > 0) return {};  // one of those has time for it later
    waiting_.clear();
    return Error{ErrorCode::Unavailable, std::string("no thread to be had: ") + failure.what()};
  }
  return {};
}

void SideThreads::work() {
  pthread_setname_np(pthread_self(), name_.substr(0, 15).c_str());
  std::unique_lock lock(mutex_);
  while (!waiting_.empty()) {
    std::function<void()> job = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    job();
    job = nullptr;
    lock.lock();
  }
  --working_;
  left_.notify_all();
}

}  // namespace davit
