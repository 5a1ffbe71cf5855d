// Files that several processes use at once.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace shared {

// A lock on a file, over all processes and threads. Let go when it is destroyed, and by the system when its
// process ends, however it does.
class FileLock {
 public:
  enum class Kind { Shared, Exclusive };

  // Nullopt while somebody else has it. The file is made if it is missing, and stays. Throws
  // davit::Failure(Retryable), naming the file, when it cannot be.
  static std::optional<FileLock> try_take(const std::filesystem::path& file, Kind kind = Kind::Exclusive);
  // The same until it is free; nullopt when `may_wait`, which is asked every now and then and may throw, says
  // no before.
  static std::optional<FileLock> wait(const std::filesystem::path& file, Kind kind,
                                      const std::function<bool()>& may_wait);

  ~FileLock();
  FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FileLock& operator=(FileLock&& other) noexcept { return std::swap(descriptor_, other.descriptor_), *this; }

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  bool take(const std::filesystem::path& file, Kind kind) const;
  int descriptor_;
};

// Makes it and what is above it, for this user only.
void make_private_folder(const std::filesystem::path& folder);

// All of it, if it is there and is not larger than `most`.
std::optional<std::string> read_file(const std::filesystem::path& file, std::size_t most);

// In place of what was there, at once: whoever reads sees the old or the new. Throws
// davit::Failure(Retryable), naming the file.
void replace_file(const std::filesystem::path& file, std::string_view content);

}  // namespace shared
