// Data that lives inside its lock: the only way to it is to hold the lock.
#pragma once

#include <condition_variable>
#include <mutex>
#include <utility>

namespace davit {

template <typename T>
class Guarded {
 public:
  Guarded() = default;
  explicit Guarded(T value) : value_(std::move(value)) {}

  // Calls `use` with the data while the lock is held. Never call a plugin, SQL or the log from inside.
  template <typename Use>
  decltype(auto) with(Use&& use) {
    std::lock_guard lock(mutex_);
    return std::forward<Use>(use)(value_);
  }
  template <typename Use>
  decltype(auto) with(Use&& use) const {
    std::lock_guard lock(mutex_);
    return std::forward<Use>(use)(value_);
  }
  // Waits on `changed` until `ready` of the data is true, then calls `use` with the data. The lock is held in
  // both.
  template <typename Ready, typename Use>
  decltype(auto) wait(std::condition_variable& changed, Ready&& ready, Use&& use) {
    std::unique_lock lock(mutex_);
    changed.wait(lock, [&] { return ready(value_); });
    return std::forward<Use>(use)(value_);
  }

  // The same, but no longer than `limit`: then `use` is called although it is not ready.
  template <typename Limit, typename Ready, typename Use>
  decltype(auto) wait_for(std::condition_variable& changed, Limit limit, Ready&& ready, Use&& use) {
    std::unique_lock lock(mutex_);
    changed.wait_for(lock, limit, [&] { return ready(value_); });
    return std::forward<Use>(use)(value_);
  }

 private:
  mutable std::mutex mutex_;
  T value_{};
};

}  // namespace davit
