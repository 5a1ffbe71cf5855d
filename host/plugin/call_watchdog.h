// Looks after calls into plugins in this process: one that does not come back has taken its thread, and only
// ending the process gives it back.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "host/plugin/breadcrumb.h"

namespace davit::plugin {

// A trail that notes into a BreadcrumbFile and watches what is noted. Thread-safe. Its thread sleeps while no
// call is under way.
class CallWatchdog final : public Breadcrumb {
 public:
  // `on_hang` is told of the first call that goes on past its CallNote::end_by, on the watchdog's thread. It
  // is expected to end the process; the watchdog looks no further.
  CallWatchdog(BreadcrumbFile& trail, const Clock& clock, std::function<void(const UnfinishedCall&)> on_hang);
  ~CallWatchdog() override;

  std::size_t enter(const CallNote& note) override;
  void leave(std::size_t number) override { trail_.leave(number); }
  void loaded(std::string_view plugin, std::string_view sha256,
              const std::filesystem::path& library) override {
    trail_.loaded(plugin, sha256, library);
  }

  // How often the thread looked: for tests.
  std::uint64_t looks() const { return looks_.load(); }

 private:
  void watch();

  BreadcrumbFile& trail_;
  const Clock& clock_;
  const std::function<void(const UnfinishedCall&)> on_hang_;
  std::atomic<bool> asleep_{false};
  std::atomic<std::uint64_t> looks_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false, ending_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace davit::plugin
