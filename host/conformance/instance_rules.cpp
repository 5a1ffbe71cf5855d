// Instances: under poorer, older and newer hosts, several at once, and again and again.
#include <malloc.h>
#include <unistd.h>

#include <fstream>

#include "host/conformance/agent_driver.h"
#include "host/conformance/check.h"
#include "host/conformance/instance_driver.h"
#include "host/conformance/webhook_driver.h"

extern "C" std::size_t __sanitizer_get_current_allocated_bytes() __attribute__((weak));

namespace davit::conformance {
namespace {

// Works through a few ordinary inputs in an instance of its own.
void live_once(Subject& subject, HostProfile profile) {
  CheckHost host(subject.job.config, profile, subject.report);
  InstanceDriver instance(subject, host);
  for (std::size_t i = 0; i < 3; ++i) instance.work(i);
}

// Bytes that are allocated and not freed.
std::size_t allocated() {
  if (__sanitizer_get_current_allocated_bytes) return __sanitizer_get_current_allocated_bytes();
  const struct mallinfo2 info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
}

std::size_t resident() {
  std::ifstream statm("/proc/self/statm");
  std::size_t size = 0, pages = 0;
  statm >> size >> pages;
  return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

constexpr int kWarmUp = 10;
constexpr int kWindows = 4;
constexpr std::size_t kLeakOfRound = 8;             // of malloc: the least block, 32 bytes, every fourth time
constexpr std::size_t kResidentOfRound = 4u << 10;  // of memory that malloc does not know

}  // namespace

void check_bare_host(Subject& subject) { live_once(subject, {.bare = true}); }
void check_older_host(Subject& subject) { live_once(subject, {.guard_structs = true}); }
void check_newer_host(Subject& subject) { live_once(subject, {.longer_structs = true}); }
void check_borrowed_text(Subject& subject) { live_once(subject, {.guard_texts = true}); }
void check_stale_handles(Subject& subject) { live_once(subject, {}); }

void check_instances(Subject& subject) {
  // Both orders of ending: the survivor must go on.
  for (const bool first_ends_first : {true, false}) {
    CheckHost host_a(subject.job.config, {}, subject.report), host_b(subject.job.config, {}, subject.report);
    auto a = std::make_unique<InstanceDriver>(subject, host_a);
    auto b = std::make_unique<InstanceDriver>(subject, host_b);
    a->work(0);
    b->work(1);
    (first_ends_first ? a : b).reset();
    (first_ends_first ? b : a)->work(0);
  }
  for (int i = 0; i < 20; ++i) {
    CheckHost host(subject.job.config, {}, subject.report);
    InstanceDriver instance(subject, host);
    if (i % 10 == 9 && !subject.is_late()) instance.work(0);
  }
}

void check_memory(Subject& subject) {
  CheckHost host(subject.job.config, {}, subject.report);
  auto round = [&] {
    host.begin_life();
    InstanceDriver instance(subject, host);
    for (std::size_t i = 0; i < 2; ++i) instance.work(i);
  };
  const MonotonicTime begin = std::chrono::steady_clock::now();
  for (int i = 0; i < kWarmUp; ++i) {
    round();
    if (std::chrono::steady_clock::now() - begin > std::chrono::seconds(4))
      return;  // too few rounds tell nothing
  }
  const auto of_round = (std::chrono::steady_clock::now() - begin) / kWarmUp;
  const auto time = std::chrono::milliseconds(subject.job.rounds_ms);
  const int rounds = static_cast<int>(
      std::clamp<std::int64_t>(of_round.count() > 0 ? time / of_round / kWindows : 200, 10, 200));
  // Caches fill up and heaps settle: only what grows in every window is a leak.
  std::size_t least = SIZE_MAX, least_resident = SIZE_MAX;
  for (int window = 0; window < kWindows; ++window) {
    const std::size_t before = allocated(), resident_before = resident();
    for (int i = 0; i < rounds; ++i) round();
    const std::size_t after = allocated(), resident_after = resident();
    least = std::min(least, after > before ? after - before : 0);
    least_resident =
        std::min(least_resident, resident_after > resident_before ? resident_after - resident_before : 0);
  }
  const auto per_round = [&](std::size_t bytes) { return bytes / static_cast<std::size_t>(rounds); };
  const std::string rounds_text =
      std::to_string(rounds * kWindows) + " rounds of create, two inputs and destroy";
  if (per_round(least) >= kLeakOfRound) {
    subject.report.found(rule("memory"), "At least " + std::to_string(per_round(least)) +
                                             " bytes are lost with every instance, over " + rounds_text);
  } else if (per_round(least_resident) >= kResidentOfRound && !__sanitizer_get_current_allocated_bytes) {
    subject.report.found(rule("memory"), "The process grows by " + std::to_string(per_round(least_resident)) +
                                             " bytes with every instance, over " + rounds_text);
  }
}

}  // namespace davit::conformance
