// How a check's child tells what it does and finds: lines over a socket, so that what was said before a crash
// counts and whatever the plugin prints cannot disturb it.
#pragma once

#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/conformance/rules.h"

namespace davit::conformance {

// The status of a child that lost its socket: the plugin closed it, or the parent is gone.
inline constexpr int kLostParent = 71;

// Thread-safe.
class Reporter {
 public:
  // `hung`: as of Job.
  Reporter(int fd, std::vector<std::string> hung) : fd_(fd), hung_(std::move(hung)) {}

  // Noted before each call into the plugin; the last one is blamed for a crash. "handle with an empty body".
  // Of one that is known to hang the check is told to end here, and this process ends.
  void doing(std::string_view call);
  // The call hangs; the check ends without it.
  void gave_up();
  // One finding of a rule is enough: what follows of the same rule is dropped.
  void found(const Rule& rule, std::string_view sentence);
  bool has_found(const Rule& rule) const;
  // The check came to its end.
  void done();

 private:
  void send(char kind, std::string_view text);
  bool is_known_to_hang(std::string_view call) const;
  const int fd_;
  const std::vector<std::string> hung_;
  mutable std::mutex mutex_;
  std::set<std::string_view> reported_;
};

}  // namespace davit::conformance
