// The trail of calls into plugins: noted before each in-process call, taken away after it, so that what is
// left after a crash names the plugin and the call that brought the process down.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/clock.h"
#include "host/base/file.h"
#include "host/base/result.h"

namespace davit::plugin {

struct CallNote {
  std::string_view plugin;      // instance
  std::string_view sha256;      // of its library
  std::string_view call;        // "handle"
  std::string_view request_id;  // or session id
  MonotonicTime end_by =
      MonotonicTime::max();  // a call that goes on longer hangs, and takes its thread for good
};

// Thread-safe.
class Breadcrumb {
 public:
  virtual ~Breadcrumb() = default;
  // Gives the number to leave with.
  virtual std::size_t enter(const CallNote& note) = 0;
  virtual void leave(std::size_t number) = 0;
  // A library was loaded: where its code lies, a crash outside of any call is its own.
  virtual void loaded(std::string_view plugin, std::string_view sha256,
                      const std::filesystem::path& library) = 0;
};

// What a process that died was in the middle of.
struct UnfinishedCall {
  std::string plugin, sha256, call, request_id;
  WallTime began_at{};
  std::string cause;  // a sentence, where more is known than how the process ended
  // Was it seen to end the process? If not, it was under way, and the end may have come from elsewhere.
  bool is_seen = false;
};

// Notes in a file that is mapped shared, so that they outlive the process and need no system call; to leave a
// call takes one, which looks after our descriptors. Thread-safe.
class BreadcrumbFile final : public Breadcrumb {
 public:
  static constexpr std::string_view kNoCall = "no call";

  // Calls that a former owner of the file died in; empty if the file does not exist or was left in order.
  // Where the thread that brought it down is known, only its call. If that thread was in no call but in the
  // code of a library, that library with the call kNoCall; else none.
  static std::vector<UnfinishedCall> left_behind(const std::filesystem::path& file);
  // Starts over: read left_behind first.
  static Result<std::unique_ptr<BreadcrumbFile>> open(const std::filesystem::path& file, const Clock& clock);
  ~BreadcrumbFile() override;

  std::size_t enter(const CallNote& note) override;
  // Ends the process if the call has closed its descriptors; all calls under way are suspects then.
  void leave(std::size_t number) override;
  void loaded(std::string_view plugin, std::string_view sha256,
              const std::filesystem::path& library) override;

  // From now on a fatal signal or an exit() notes the call that its thread is in, so that of several calls
  // under way the right one is blamed. The signal then does what it did before; an exit() in a call ends as
  // abort(). For one file of the process, until that file is closed.
  void watch_for_ends();
  // Is any call under way?
  bool in_use() const;
  // A call that should have ended, if there is one; it is noted as the one to blame. None after
  // blame_nobody().
  std::optional<UnfinishedCall> hanging(MonotonicTime now);
  // What ends the process from now on is nobody's fault: it was asked to stop.
  void blame_nobody();

 private:
  struct Page;
  BreadcrumbFile(Page* page, UniqueFd fd, std::uint64_t inode, const Clock& clock)
      : page_(page), fd_(std::move(fd)), inode_(inode), clock_(clock) {}
  bool has_its_descriptor() const;

  Page* page_;
  const UniqueFd fd_;  // of no use but to show that nobody closes descriptors here
  const std::uint64_t inode_;
  const Clock& clock_;
};

// Notes for as long as it lives; does nothing with a null trail.
class NotedCall {
 public:
  NotedCall(Breadcrumb* trail, const CallNote& note)
      : trail_(trail), number_(trail ? trail->enter(note) : 0) {}
  ~NotedCall() {
    if (trail_) trail_->leave(number_);
  }
  NotedCall(const NotedCall&) = delete;
  NotedCall& operator=(const NotedCall&) = delete;

 private:
  Breadcrumb* trail_;
  std::size_t number_;
};

}  // namespace davit::plugin
