// Descriptors and small files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "host/base/result.h"

namespace davit {

// Owns a descriptor and closes it.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  ~UniqueFd() { reset(); }

  int number() const { return fd_; }
  bool open() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

// The text of errno, thread-safe.
std::string errno_text(int error_number);

// Whole file, at most `limit` bytes (TooLarge beyond), regular files only.
Result<std::string> read_file(const std::filesystem::path& path, std::size_t limit = 16 << 20);

// Writes beside the target, syncs, renames over it, syncs the folder: readers see the old or the new file,
// whole.
Result<> write_file_atomically(const std::filesystem::path& path, std::string_view bytes,
                               unsigned mode = 0600);

// What is left for us on the disk that holds `path`.
Result<std::uint64_t> free_bytes(const std::filesystem::path& path);

// Creates the folder and its parents with mode 0700 where they do not exist.
Result<> ensure_private_directory(const std::filesystem::path& path);

}  // namespace davit
