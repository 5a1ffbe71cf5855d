// epoll with an eventfd for posts and the timers as epoll's own time-out.
//
// Waking. A post writes the eventfd only if the thread sleeps or is about to: `sleeping` is set under the
// lock of the queue in the same step that finds the queue empty, so a post either is seen there or sees the
// flag. Posts to a thread that is awake cost no system call.
//
// A turn runs ready descriptors, then due timers, then what had been posted when the turn began; what these
// post runs in the next turn, so that a function that posts itself starves nothing.
//
// A ready event names the watch by a number of its own, not by descriptor: a handler may close a descriptor
// and open another one with the same number while older events of the same turn are still to be delivered.
#include "host/isolation/loop.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <future>
#include <map>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "host/base/file.h"
#include "host/base/guarded.h"

namespace davit::isolation {
namespace {

using Function = std::function<void()>;
using Ready = std::function<void(std::uint32_t)>;

struct Watch {
  int fd = -1;
  Ready ready;
};

constexpr std::uint64_t kWakeNumber = 0;

}  // namespace

struct Loop::Parts {
  // Any thread.
  struct Posts {
    std::vector<Function> functions;
    bool sleeping = false;
    bool stopping = false;
  };
  Guarded<Posts> posts;
  UniqueFd epoll;
  UniqueFd wake;
  std::atomic<std::uint64_t> wake_ups{0};
  std::atomic<std::thread::id> thread_id{};
  std::thread thread;

  // Loop thread.
  std::map<std::pair<MonotonicTime, TimerId>, Function> timers;
  std::unordered_map<TimerId, MonotonicTime> timer_times;
  TimerId next_timer = 1;
  std::unordered_map<std::uint64_t, std::shared_ptr<Watch>> watches;  // by number
  std::unordered_map<int, std::uint64_t> numbers;                     // by descriptor
  std::uint64_t next_watch = kWakeNumber + 1;

  int milliseconds_to_sleep();
  void run();
  void run_timers();
};

// Rounded up, so that a timer never fires early and a turn never spins in front of one.
int Loop::Parts::milliseconds_to_sleep() {
  if (timers.empty()) return -1;
  auto left = timers.begin()->first.first - std::chrono::steady_clock::now();
  if (left <= left.zero()) return 0;
  auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(left).count();
  return static_cast<int>(std::min<std::int64_t>(milliseconds, 24 * 3'600'000));
}

void Loop::Parts::run_timers() {
  if (timers.empty()) return;
  const MonotonicTime now = std::chrono::steady_clock::now();
  const TimerId first_new = next_timer;  // a timer made by a timer waits for the next turn
  for (auto next = timers.begin(); next != timers.end() && next->first.first <= now;) {
    if (next->first.second >= first_new) {
      ++next;
      continue;
    }
    Function function = std::move(next->second);
    timer_times.erase(next->first.second);
    timers.erase(next);
    function();
    next = timers.begin();
  }
}

void Loop::Parts::run() {
  std::array<epoll_event, 64> events;
  std::vector<Function> batch;
  for (;;) {
    bool stop = false;
    bool sleeps = posts.with([&](Posts& now) {
      stop = now.stopping;
      now.sleeping = now.functions.empty();
      return now.sleeping;
    });
    if (stop) return;
    int count =
        epoll_wait(epoll.number(), events.data(), events.size(), sleeps ? milliseconds_to_sleep() : 0);
    if (sleeps) wake_ups.fetch_add(1, std::memory_order_relaxed);
    batch.clear();
    posts.with([&](Posts& now) {
      now.sleeping = false;
      stop = now.stopping;
      batch.swap(now.functions);
    });
    if (stop) return;
    for (int i = 0; i < count; ++i) {
      const std::uint64_t number = events[i].data.u64;
      if (number == kWakeNumber) {
        std::uint64_t ignored = 0;
        [[maybe_unused]] auto got = read(wake.number(), &ignored, sizeof ignored);
        continue;
      }
      auto found = watches.find(number);
      if (found == watches.end()) continue;
      std::shared_ptr<Watch> keep = found->second;  // it may unwatch itself
      keep->ready(events[i].events);
    }
    run_timers();
    for (Function& function : batch) {
      function();
      function = nullptr;
    }
  }
}

Loop::Loop(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Result<std::unique_ptr<Loop>> Loop::start(std::string thread_name) {
  auto parts = std::make_unique<Parts>();
  parts->epoll.reset(epoll_create1(EPOLL_CLOEXEC));
  parts->wake.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kWakeNumber;
  if (!parts->epoll.open() || !parts->wake.open() ||
      epoll_ctl(parts->epoll.number(), EPOLL_CTL_ADD, parts->wake.number(), &event) != 0) {
    return Error{ErrorCode::Unavailable, "event loop " + thread_name + ": " + errno_text(errno)};
  }
  std::unique_ptr<Loop> loop(new Loop(std::move(parts)));
  Parts* own = loop->parts_.get();
  try {
    own->thread = std::thread([own, name = thread_name.substr(0, 15)] {
      own->thread_id.store(std::this_thread::get_id());
      pthread_setname_np(pthread_self(), name.c_str());
      own->run();
    });
  } catch (const std::system_error& failure) {
    return Error{ErrorCode::Unavailable, "event loop " + thread_name + ": " + failure.what()};
  }
  return loop;
}

Loop::~Loop() { stop(); }

void Loop::stop() {
  if (!parts_->thread.joinable()) return;
  parts_->posts.with([](Parts::Posts& posts) { posts.stopping = true; });
  std::uint64_t one = 1;
  [[maybe_unused]] auto written = write(parts_->wake.number(), &one, sizeof one);
  parts_->thread.join();
  // Whoever waits for one of them goes on.
  std::vector<Function> dropped;
  parts_->posts.with([&](Parts::Posts& posts) { dropped.swap(posts.functions); });
}

void Loop::post(std::function<void()> function) {
  const bool wakes = parts_->posts.with([&](Parts::Posts& posts) {
    if (posts.stopping) return false;
    posts.functions.push_back(std::move(function));
    return std::exchange(posts.sleeping, false);
  });
  if (!wakes) return;
  std::uint64_t one = 1;
  [[maybe_unused]] auto written = write(parts_->wake.number(), &one, sizeof one);
}

bool Loop::run(const std::function<void()>& function) {
  if (on_loop_thread()) {
    function();
    return true;
  }
  // A loop that stops drops the posted function and the promise with it, which ends the wait too.
  auto done = std::make_shared<std::promise<void>>();
  std::future<void> ran = done->get_future();
  post([&function, promise = std::move(done)] {
    function();
    promise->set_value();
  });
  try {
    ran.get();
    return true;
  } catch (const std::future_error&) {
    return false;
  }
}

bool Loop::on_loop_thread() const { return parts_->thread_id.load() == std::this_thread::get_id(); }

Loop::TimerId Loop::after(Duration delay, std::function<void()> function) {
  const TimerId id = parts_->next_timer++;
  // A delay from a deadline far away must not overflow the clock.
  const MonotonicTime time =
      std::chrono::steady_clock::now() + std::min<Duration>(delay, std::chrono::hours(24 * 365));
  parts_->timers.emplace(std::pair(time, id), std::move(function));
  parts_->timer_times.emplace(id, time);
  return id;
}

void Loop::cancel(TimerId timer) {
  auto found = parts_->timer_times.find(timer);
  if (found == parts_->timer_times.end()) return;
  parts_->timers.erase({found->second, timer});
  parts_->timer_times.erase(found);
}

Result<> Loop::watch(int fd, std::uint32_t events, std::function<void(std::uint32_t)> ready) {
  const std::uint64_t number = parts_->next_watch++;
  epoll_event event{};
  event.events = events;
  event.data.u64 = number;
  if (epoll_ctl(parts_->epoll.number(), EPOLL_CTL_ADD, fd, &event) != 0) {
    return Error{ErrorCode::Unavailable, "cannot wait for a descriptor: " + errno_text(errno)};
  }
  auto watch = std::make_shared<Watch>();
  watch->fd = fd;
  watch->ready = std::move(ready);
  parts_->watches.emplace(number, std::move(watch));
  parts_->numbers[fd] = number;
  return {};
}

void Loop::rewatch(int fd, std::uint32_t events) {
  auto found = parts_->numbers.find(fd);
  if (found == parts_->numbers.end()) return;
  epoll_event event{};
  event.events = events;
  event.data.u64 = found->second;
  epoll_ctl(parts_->epoll.number(), EPOLL_CTL_MOD, fd, &event);
}

void Loop::unwatch(int fd) {
  auto found = parts_->numbers.find(fd);
  if (found == parts_->numbers.end()) return;
  epoll_ctl(parts_->epoll.number(), EPOLL_CTL_DEL, fd, nullptr);
  parts_->watches.erase(found->second);
  parts_->numbers.erase(found);
}

std::uint64_t Loop::wake_ups() const { return parts_->wake_ups.load(std::memory_order_relaxed); }

}  // namespace davit::isolation
