// Files that several processes use at once.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace github {

// One holder at a time over all processes, or threads. Let go when it is destroyed, and by the system when
// its process ends, however it does.
class FileLock {
 public:
  // Nullopt while somebody else has it. Throws davit::Failure(Retryable), naming the file, when it cannot be
  // made.
  static std::optional<FileLock> try_take(const std::filesystem::path& file);

  ~FileLock();
  FileLock(FileLock&& other) noexcept : descriptor_(other.descriptor_) { other.descriptor_ = -1; }
  FileLock& operator=(FileLock&& other) noexcept { return std::swap(descriptor_, other.descriptor_), *this; }

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

// Makes it and what is above it, for this user only.
void make_private_folder(const std::filesystem::path& folder);

// All of it, if it is there and is not larger than `most`.
std::optional<std::string> read_file(const std::filesystem::path& file, std::size_t most);

// In place of what was there, at once: whoever reads sees the old or the new. Throws
// davit::Failure(Retryable), naming the file.
void replace_file(const std::filesystem::path& file, std::string_view content);

}  // namespace github
