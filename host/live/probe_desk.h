// Probes, beside each other and beside whoever asks: a library that hangs when it is looked at holds up
// nobody but itself.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <set>

#include "host/base/clock.h"
#include "host/live/side_threads.h"
#include "host/plugin/plugin_store.h"

namespace davit::live {

// Thread-safe. Has threads only while there is something to probe.
class ProbeDesk {
 public:
  static constexpr std::size_t kAtOnce = 8;
  using Verdict = std::variant<ProbeReport, Refusal>;

  // `prober` is called on threads of the desk, up to kAtOnce at a time; `told` after each verdict, on one of
  // these threads.
  // At its end the desk drops what waits and lets what is under way end: let the prober be quick about it.
  ProbeDesk(plugin::Prober prober, std::function<void()> told);

  // The verdict about a stored file if there is one, else `probing` (refusal_codes.h); then it is being
  // probed. A refusal that may pass is given again until forget(); others are asked for once.
  Verdict ask(const std::filesystem::path& stored_file);
  // Refusals that may pass are probed again when next asked for.
  void forget();
  // Waits for the next verdict, no longer than `limit`; at once if nothing is being probed.
  void wait(Duration limit);

 private:
  void probe(const std::filesystem::path& file);

  const plugin::Prober prober_;
  const std::function<void()> told_;
  std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  std::map<std::filesystem::path, Verdict> verdicts_;
  std::set<std::filesystem::path> open_;  // waiting or under way
  std::uint64_t verdicts_told_ = 0;
  SideThreads threads_{"davit-probe", kAtOnce};  // first to end
};

}  // namespace davit::live
