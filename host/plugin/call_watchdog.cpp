// A call costs one more atomic load as long as the watchdog is awake. It is woken by the first call after a
// silence, then looks every quarter of a second until it finds no call under way, and sleeps. That it says
// "asleep" before it looks for the last time, and a call is noted before it looks at "asleep", lets no call
// go unwatched.
#include "host/plugin/call_watchdog.h"

#include <pthread.h>

namespace davit::plugin {
namespace {

constexpr Duration kBetweenLooks{250};

}  // namespace

CallWatchdog::CallWatchdog(BreadcrumbFile& trail, const Clock& clock,
                           std::function<void(const UnfinishedCall&)> on_hang)
    : trail_(trail), clock_(clock), on_hang_(std::move(on_hang)), thread_([this] { watch(); }) {}

CallWatchdog::~CallWatchdog() {
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

std::size_t CallWatchdog::enter(const CallNote& note) {
  const std::size_t number = trail_.enter(note);
  if (asleep_.load()) {
    std::lock_guard lock(mutex_);
    asleep_.store(false);
    woken_ = true;
    changed_.notify_all();
  }
  return number;
}

void CallWatchdog::watch() {
  pthread_setname_np(pthread_self(), "davit-watchdog");
  std::unique_lock lock(mutex_);
  while (!ending_) {
    asleep_.store(true);
    if (!trail_.in_use()) changed_.wait(lock, [this] { return woken_ || ending_; });
    asleep_.store(false);
    woken_ = false;
    if (changed_.wait_for(lock, kBetweenLooks, [this] { return ending_; })) return;
    ++looks_;
    if (auto call = trail_.hanging(clock_.monotonic())) {
      lock.unlock();
      on_hang_(*call);
      return;
    }
  }
}

}  // namespace davit::plugin
