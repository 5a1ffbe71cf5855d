// Instances of new generations are tried before they take the place of ones that serve: created once, in a
// process of their own. As many at once as there is room for, so that one that hangs holds up no other.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "host/base/clock.h"
#include "host/base/side_threads.h"
#include "host/isolation/runner_spec.h"
#include "host/plugin/plugin_store.h"

namespace davit::live {

// Thread-safe.
class TrialDesk final : public plugin::Trials {
 public:
  static constexpr std::size_t kAtOnce = 4;
  // Blocks until the trial has ended; nullopt if the instance could be created, else why not:
  // isolation::try_out.
  using Trial = std::function<std::optional<std::string>(const isolation::RunnerSpec& spec)>;

  // `told` is called from another thread when a trial has ended. Both must be good for as long as the desk.
  TrialDesk(Trial trial, std::function<void()> told) : trial_(std::move(trial)), told_(std::move(told)) {}

  std::optional<std::string> of(const plugin::Webhook& webhook) override {
    return ask(isolation::runner_spec_of(webhook));
  }
  std::optional<std::string> of(const plugin::Agent& agent) override {
    return ask(isolation::runner_spec_of(agent));
  }

  // Forgets what nobody has asked for since the last call.
  void forget_unasked();
  // What failed is tried again when it is asked for. True if anything had.
  bool forget_failures();
  bool any_under_way() const;
  // Waits until none is, no longer than `limit`.
  void wait(Duration limit);
  // Hashes of the libraries of those that are.
  std::set<std::string> under_way() const;
  // A word for each trial that failed, always the same for the same instance of the same bytes.
  std::set<std::string> failed() const;

 private:
  struct Entry {
    std::string sha256;                  // of the library
    std::optional<std::string> verdict;  // none yet
    bool asked = true;
  };
  std::optional<std::string> ask(isolation::RunnerSpec spec);

  bool is_one_under_way() const;  // with the mutex held

  const Trial trial_;
  const std::function<void()> told_;
  mutable std::mutex mutex_;
  std::condition_variable ended_;
  std::map<std::string, Entry> entries_;  // by key of the spec
  SideThreads threads_{"davit-trial", kAtOnce};
};

}  // namespace davit::live
