// The trail of calls into plugins: noted before each in-process call, taken away after it, so that what is
// left after a crash names the plugin and the call that brought the process down.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/clock.h"
#include "host/base/result.h"

namespace davit::plugin {

struct CallNote {
  std::string_view plugin;      // instance
  std::string_view sha256;      // of its library
  std::string_view call;        // "handle"
  std::string_view request_id;  // or session id
};

// Thread-safe.
class Breadcrumb {
 public:
  virtual ~Breadcrumb() = default;
  // Gives the number to leave with.
  virtual std::size_t enter(const CallNote& note) = 0;
  virtual void leave(std::size_t number) = 0;
};

// What a process that died was in the middle of.
struct UnfinishedCall {
  std::string plugin, sha256, call, request_id;
  WallTime began_at{};
};

// Notes in a file that is mapped shared, so that they outlive the process without a system call per note.
// Thread-safe.
class BreadcrumbFile final : public Breadcrumb {
 public:
  // Calls that a former owner of the file did not finish; empty if the file does not exist or was left in
  // order.
  static std::vector<UnfinishedCall> left_behind(const std::filesystem::path& file);
  // Starts over: read left_behind first.
  static Result<std::unique_ptr<BreadcrumbFile>> open(const std::filesystem::path& file, const Clock& clock);
  ~BreadcrumbFile() override;

  std::size_t enter(const CallNote& note) override;
  void leave(std::size_t number) override;

 private:
  struct Page;
  BreadcrumbFile(Page* page, const Clock& clock) : page_(page), clock_(clock) {}
  Page* page_;
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
