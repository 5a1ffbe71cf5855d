// Folders whose contents somebody else made: walked and removed without being led out of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace git {

// Removes it with all below it, also what its maker made unreadable or nested without end; symbolic links are
// removed, not followed. True if nothing is left. Never throws.
bool remove_folder(const std::filesystem::path& folder) noexcept;

// Bytes of the files below; what vanishes meanwhile does not count.
std::uint64_t bytes_below(const std::filesystem::path& folder);

struct Swept {
  std::vector<std::string> repositories;  // folders, relative, that had a ".git"; "" is the top
  std::uint64_t bytes = 0;
  std::size_t files = 0;
};

struct SweepLimits {
  std::uint64_t bytes = 0;
  std::size_t files = 0;
};

// Removes every ".git" at the top and below, be it a folder, a file or a link, unread, and makes readable
// what its owner cannot read. Nothing may work in the folder meanwhile. Throws davit::Failure(Permanent),
// naming the place, for a tree beyond the limits or nested more than kDeepest folders; Retryable when the
// system refuses something.
inline constexpr int kDeepest = 100;
Swept sweep(const std::filesystem::path& tree, const SweepLimits& limits);

// Of files that davit alone writes. Each throws davit::Failure(Retryable), naming the place, when the system
// refuses it; `doing` begins the sentence.
void make_folder(const std::filesystem::path& folder, const std::string& doing);
void copy_file(const std::filesystem::path& from, const std::filesystem::path& to, const std::string& doing);
// Whole or not at all, also when the power fails meanwhile.
void write_file(const std::filesystem::path& file, std::string_view content, const std::string& doing);

// Writes a file below `tree`, and makes the folders that lead to it; a symbolic link on the way or in its
// place is an error. `path`: relative, plain parts. Throws davit::Failure: Retryable where the disk is full
// or fails, else Permanent.
void write_below(const std::filesystem::path& tree, std::string_view path, std::string_view content);
// Removes a file below `tree`, if it is there.
void remove_below(const std::filesystem::path& tree, std::string_view path);
// Whether it is an empty folder below `tree`, once it was made if it was missing. False for anything else, a
// link on the way too.
bool is_empty_folder_below(const std::filesystem::path& tree, std::string_view path);

}  // namespace git
