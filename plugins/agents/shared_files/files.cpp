#include "shared_files/files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <system_error>
#include <thread>

#include "davit/failure.hpp"

namespace shared {
namespace {

using davit::Failure;

// A file of ours is never reached by a link that somebody put there.
constexpr int kOurs = O_CLOEXEC | O_NOFOLLOW;
constexpr std::chrono::milliseconds kFirstPause{5}, kLongestPause{200};

[[noreturn]] void fail(const std::filesystem::path& file, int error) {
  throw Failure::retryable("cannot use the file " + file.string() + ": " +
                           std::generic_category().message(error));
}

bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

}  // namespace

bool FileLock::take(const std::filesystem::path& file, Kind kind) const {
  const int how = (kind == Kind::Shared ? LOCK_SH : LOCK_EX) | LOCK_NB;
  while (::flock(descriptor_, how) != 0) {
    if (errno == EWOULDBLOCK) return false;
    if (errno != EINTR) fail(file, errno);
  }
  return true;
}

// flock(2) can wait by itself, but not until a time, nor until somebody cancels.
std::optional<FileLock> FileLock::wait(const std::filesystem::path& file, Kind kind,
                                       const std::function<bool()>& may_wait) {
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | kOurs, 0600);
  if (descriptor < 0) fail(file, errno);
  FileLock lock(descriptor);
  for (auto pause = kFirstPause; !lock.take(file, kind); pause = std::min(pause * 2, kLongestPause)) {
    if (!may_wait()) return std::nullopt;
    std::this_thread::sleep_for(pause);
  }
  return lock;
}

std::optional<FileLock> FileLock::try_take(const std::filesystem::path& file, Kind kind) {
  return wait(file, kind, [] { return false; });
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void make_private_folder(const std::filesystem::path& folder) {
  std::error_code error;
  if (folder.has_parent_path()) std::filesystem::create_directories(folder.parent_path(), error);
  if (!error && ::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) fail(folder, errno);
  if (error) fail(folder, error.value());
}

std::optional<std::string> read_file(const std::filesystem::path& file, std::size_t most) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | kOurs);
  if (descriptor < 0) return std::nullopt;
  std::string content;
  char piece[16384];
  ssize_t count = 0;
  while ((count = ::read(descriptor, piece, sizeof piece)) > 0 && content.size() <= most)
    content.append(piece, static_cast<std::size_t>(count));
  ::close(descriptor);
  if (count < 0 || content.size() > most) return std::nullopt;
  return content;
}

void replace_file(const std::filesystem::path& file, std::string_view content) {
  std::string made = file.string() + ".XXXXXX";
  const int descriptor = ::mkostemp(made.data(), O_CLOEXEC);
  if (descriptor < 0) fail(file, errno);
  const bool written = write_all(descriptor, content);
  int error = errno;
  ::close(descriptor);
  if (written && std::rename(made.c_str(), file.c_str()) == 0) return;
  if (written) error = errno;
  ::unlink(made.c_str());
  fail(file, error);
}

}  // namespace shared
