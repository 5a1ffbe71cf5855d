#include "host/signals.h"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <thread>

#include "host/app.h"

namespace davit {

// Shared with a thread that lives as long as the process.
struct Signals::State {
  bool supervised = false;
  std::atomic<Duration::rep> longest_stop_ms{60'000};
  std::mutex mutex;
  std::condition_variable changed;
  bool reload = false, stop = false;

  void wish(Wish what) {
    std::lock_guard lock(mutex);
    (what == Wish::Stop ? stop : reload) = true;
    changed.notify_all();
  }
  void watch();
  [[noreturn]] void guard_the_stop();
};

void Signals::State::watch() {
  pthread_setname_np(pthread_self(), "davit-signals");
  const sigset_t handled = stop_signals();
  for (;;) {
    int signal = 0;
    if (::sigwait(&handled, &signal) != 0) continue;
    if (signal != SIGHUP) break;
    wish(Wish::Reload);
  }
  wish(Wish::Stop);
  guard_the_stop();
}

void Signals::State::guard_the_stop() {
  sigset_t again;
  sigemptyset(&again);
  if (!supervised) {
    sigaddset(&again, SIGTERM);
    sigaddset(&again, SIGINT);
  }
  const MonotonicTime end = std::chrono::steady_clock::now() + Duration{longest_stop_ms.load()};
  for (;;) {
    const Duration left =
        std::max(std::chrono::ceil<Duration>(end - std::chrono::steady_clock::now()), Duration{0});
    const timespec limit{left.count() / 1000, left.count() % 1000 * 1'000'000};
    if (::sigtimedwait(&again, nullptr, &limit) > 0) break;
    if (errno != EAGAIN) continue;  // a debugger had a look, or somebody stopped and continued the process
    std::fputs("davit: the stop takes too long; ending at once (a plugin may hang)\n", stderr);
    break;
  }
  ::_exit(kExitFailure);
}

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  return set;
}

Signals::Signals(bool supervised) : state_(std::make_shared<State>()) {
  state_->supervised = supervised;
  std::thread([state = state_] { state->watch(); }).detach();
}

Signals::Wish Signals::next() {
  std::unique_lock lock(state_->mutex);
  state_->changed.wait(lock, [this] { return state_->stop || state_->reload; });
  if (state_->stop) return Wish::Stop;
  state_->reload = false;
  return Wish::Reload;
}

void Signals::stop_takes(Duration longest) { state_->longest_stop_ms = longest.count(); }

}  // namespace davit
