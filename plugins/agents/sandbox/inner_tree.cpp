#include "sandbox/inner_tree.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

namespace sandbox {
namespace {

constexpr int kLongestEndMs = 5000;

// Of {"child-pid": 12, "pid-namespace": 4026532181, ...}; 0 if it is not there.
unsigned long number_of(std::string_view info, std::string_view name) {
  const std::string key = "\"" + std::string(name) + "\":";
  std::size_t at = info.find(key);
  if (at == std::string_view::npos) return 0;
  at = info.find_first_not_of(" \t\n", at + key.size());
  if (at == std::string_view::npos) return 0;
  unsigned long number = 0;
  std::from_chars(info.data() + at, info.data() + info.size(), number);
  return number;
}

}  // namespace

void end_inner_tree(const child::Descriptor& info) {
  std::string text;
  child::drain(info, [&](std::string_view piece) { text += piece; });
  const unsigned long first = number_of(text, "child-pid"), space = number_of(text, "pid-namespace");
  if (first == 0 || space == 0) return;

  const child::Descriptor process(static_cast<int>(syscall(SYS_pidfd_open, first, 0)));
  if (!process.open()) return;
  // Its number may be another's by now; the namespace is not.
  std::error_code failed;
  const auto lives_in = std::filesystem::read_symlink("/proc/" + std::to_string(first) + "/ns/pid", failed);
  if (failed || lives_in != "pid:[" + std::to_string(space) + "]") return;

  // As the first of its namespace, its end is noticed only after that of all others there.
  syscall(SYS_pidfd_send_signal, process.number(), SIGKILL, nullptr, 0);
  pollfd end{process.number(), POLLIN, 0};
  while (poll(&end, 1, kLongestEndMs) < 0 && errno == EINTR) {
  }
}

}  // namespace sandbox
