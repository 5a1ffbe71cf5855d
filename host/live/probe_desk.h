// Probes, beside each other and beside whoever asks: a library that hangs when it is looked at holds up
// nobody but itself, and however many of them there are, they hold up nobody for long.
//
//   new bytes ──> short look ──> verdict
//                     │ it did not come back
//                     v
//   retries ────> patient look ──> verdict       never on more than half of the threads
//
// So what is new waits for short looks at most.
#pragma once

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>

#include "host/base/clock.h"
#include "host/base/side_threads.h"
#include "host/plugin/plugin_store.h"

namespace davit::live {

// Thread-safe.
class ProbeDesk {
 public:
  static constexpr std::size_t kAtOnce = 8;
  static constexpr std::size_t kPatientAtOnce = kAtOnce / 2;
  using Verdict = std::variant<ProbeReport, Refusal>;
  // How long a probe may take: a part of the deadline, or all of it.
  enum class Look { Short, Patient };
  using Prober = std::function<Verdict(const std::filesystem::path& stored_file, Look look)>;

  // `prober` is called on threads of the desk, up to kAtOnce at a time; `told` after each verdict, on one of
  // these threads.
  // At its end the desk drops what waits and lets what is under way end: let the prober be quick about it.
  ProbeDesk(Prober prober, std::function<void()> told);
  ~ProbeDesk();

  // The verdict about a stored file if there is one, else `probing` (refusal_codes.h); then it is being
  // probed. A refusal that may pass is given again until forget(); others are asked for once.
  Verdict ask(const std::filesystem::path& stored_file);
  // Refusals that may pass are probed again when next asked for.
  void forget();
  // Hashes of the stored files that wait or are being probed.
  std::set<std::string> under_way() const;
  // Waits for the next verdict, no longer than `limit`; at once if nothing is being probed.
  void wait(Duration limit);

 private:
  struct Next {
    std::filesystem::path file;
    Look look;
  };
  void work();
  std::optional<Next> take_next();

  const Prober prober_;
  const std::function<void()> told_;
  mutable std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  std::map<std::filesystem::path, Verdict> verdicts_;
  std::set<std::filesystem::path> open_;             // waiting or under way
  std::deque<std::filesystem::path> new_, patient_;  // of these, the waiting ones by their next look
  std::set<std::filesystem::path> retried_;          // if it is asked for again: its refusal may pass
  std::size_t patient_now_ = 0;                      // patient looks under way
  bool ending_ = false;
  std::uint64_t verdicts_told_ = 0;
  SideThreads threads_{"davit-probe", kAtOnce};  // first to end
};

}  // namespace davit::live
