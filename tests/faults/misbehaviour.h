// How processes refuse to end, for the agent that does it under davit's care and for the known-bad variants.
// After fork() only what is safe there: the process may have threads.
#pragma once

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <string_view>

namespace davit::faults {

constexpr int kStormSize = 120;

[[noreturn]] inline void hang() {
  for (;;) ::pause();
}
inline void ignore_polite_signals() {
  for (int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT}) ::signal(signal, SIG_IGN);
}

// A grandchild in a session of its own whose parent has left.
inline void leave_a_daemon() {
  if (::fork() != 0) return;
  ::setsid();
  if (::fork() != 0) ::_exit(0);
  ignore_polite_signals();
  hang();
}

// A child in another session that keeps whatever its parent had as output.
inline void leave_a_holder_of_the_output() {
  if (::fork() != 0) return;
  ::setsid();
  ignore_polite_signals();
  for (;;) {
    [[maybe_unused]] auto written = ::write(1, ".", 1);
    ::usleep(1000);
  }
}

// Children that fork children, each in a session of its own, until there are kStormSize of them.
inline void start_a_storm() {
  void* shared =
      ::mmap(nullptr, sizeof(std::atomic<int>), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return;
  auto* count = new (shared) std::atomic<int>(0);
  if (::fork() != 0) return;
  for (;;) {
    ::setsid();
    ignore_polite_signals();
    if (count->fetch_add(1) >= kStormSize) hang();
    if (::fork() < 0) hang();
  }
}

// Returns only if it does not know the name.
inline void refuse_to_end(std::string_view how) {
  ignore_polite_signals();
  if (how == "deaf") hang();
  if (how == "daemon") {
    leave_a_daemon();
    hang();
  }
  if (how == "stopped") {
    ::raise(SIGSTOP);
    hang();
  }
  if (how == "pipe") {
    leave_a_holder_of_the_output();
    hang();
  }
  if (how == "storm") {
    start_a_storm();
    hang();
  }
}

}  // namespace davit::faults
