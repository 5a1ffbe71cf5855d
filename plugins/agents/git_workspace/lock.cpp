#include "git_workspace/lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>

namespace git {
namespace {

using Clock = std::chrono::steady_clock;
using davit::Failure;
using std::chrono::milliseconds;

constexpr milliseconds kFirstPause{5}, kLongestPause{200};

child::Descriptor open_file(const std::filesystem::path& file) {
  child::Descriptor descriptor(open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!descriptor.open())
    throw Failure::retryable("cannot open the lock " + file.string() + ": " + std::strerror(errno));
  return descriptor;
}

bool take(const child::Descriptor& file, Lock::Kind kind) {
  const int how = (kind == Lock::Kind::Shared ? LOCK_SH : LOCK_EX) | LOCK_NB;
  while (flock(file.number(), how) != 0) {
    if (errno == EWOULDBLOCK) return false;
    if (errno != EINTR) throw Failure::retryable(std::string("cannot lock a file: ") + std::strerror(errno));
  }
  return true;
}

}  // namespace

// flock(2) can wait by itself, but not until a time, nor until somebody cancels.
Lock Lock::wait(const std::filesystem::path& file, Kind kind, milliseconds wall, const Cancel& cancelled) {
  const Clock::time_point end = Clock::now() + wall;
  child::Descriptor descriptor = open_file(file);
  for (milliseconds pause = kFirstPause; !take(descriptor, kind);
       pause = std::min(pause * 2, kLongestPause)) {
    if (cancelled && cancelled()) throw Failure::cancelled("waiting for " + file.string() + " was cancelled");
    if (Clock::now() >= end) {
      throw Failure::retryable("somebody else had the lock " + file.string() + " for " +
                               std::to_string(wall.count() / 1000) + " s");
    }
    std::this_thread::sleep_for(pause);
  }
  return Lock(std::move(descriptor));
}

std::optional<Lock> Lock::try_now(const std::filesystem::path& file, Kind kind) {
  child::Descriptor descriptor = open_file(file);
  if (!take(descriptor, kind)) return std::nullopt;
  return Lock(std::move(descriptor));
}

}  // namespace git
