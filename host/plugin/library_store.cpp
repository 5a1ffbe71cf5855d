#include "host/plugin/library_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "host/base/crypto.h"
#include "host/base/file.h"
#include "host/plugin/marshal.h"
#include "host/plugin/refusal_codes.h"

namespace davit::plugin {
namespace {

constexpr std::uint64_t kMaxLibraryBytes = 512u << 20;

Refusal unusable(std::string_view action) {
  return refuse(refusal::kStoreUnusable,
                "The store cannot " + std::string(action) + ": " + errno_text(errno));
}

bool write_all(int fd, const char* bytes, std::size_t count) {
  while (count > 0) {
    ssize_t written = ::write(fd, bytes, count);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes += written, count -= static_cast<std::size_t>(written);
  }
  return true;
}

// Of all its bytes from the beginning; empty if it cannot be read or is too large.
std::string hash_of(int fd) {
  Sha256Stream hash;
  std::string buffer(256u << 10, '\0');
  for (off_t at = 0;;) {
    ssize_t count = ::pread(fd, buffer.data(), buffer.size(), at);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return {};
    if (count == 0) return hash.finish_hex();
    hash.update({buffer.data(), static_cast<std::size_t>(count)});
    at += count;
    if (static_cast<std::uint64_t>(at) > kMaxLibraryBytes) return {};
  }
}

// Is there a file of these very bytes already?
bool holds_same_bytes(const std::filesystem::path& file, const std::string& sha256) {
  UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat info {};
  if (!fd.open() || ::fstat(fd.number(), &info) != 0 || !S_ISREG(info.st_mode)) return false;
  return hash_of(fd.number()) == sha256;
}

std::filesystem::path report_file(const StoredLibrary& library) {
  return library.file.parent_path() / (library.sha256 + ".probe.json");
}

}  // namespace

Result<LibraryStore> LibraryStore::open(const std::filesystem::path& folder) {
  TRY(ensure_private_directory(folder));
  const std::string name = folder.string();
  struct stat info {};
  if (::lstat(folder.c_str(), &info) != 0) {
    return Error{ErrorCode::Unavailable, name + ": cannot be looked at: " + errno_text(errno)};
  }
  if (!S_ISDIR(info.st_mode))
    return Error{ErrorCode::Unavailable, name + ": is no folder of its own; remove the link"};
  if (info.st_uid != ::geteuid()) {
    return Error{ErrorCode::Unavailable,
                 name + ": belongs to another user; give it to the user davit runs as"};
  }
  if ((info.st_mode & 07777) != 0700 && ::chmod(folder.c_str(), 0700) != 0) {
    return Error{ErrorCode::Unavailable, name + ": cannot be made private (0700): " + errno_text(errno)};
  }
  struct statvfs mount {};
  if (::statvfs(folder.c_str(), &mount) == 0 && (mount.f_flag & ST_NOEXEC) != 0) {
    return Error{ErrorCode::Unavailable,
                 name + ": lies on a file system mounted noexec; put the store elsewhere"};
  }
  return LibraryStore(folder);
}

std::variant<StoredLibrary, Refusal> LibraryStore::take(int fd,
                                                        const std::vector<std::string>& pinned_sha256) {
  const auto wanted = [&](const std::string& sha256) {
    return pinned_sha256.empty() ||
           std::find(pinned_sha256.begin(), pinned_sha256.end(), sha256) != pinned_sha256.end();
  };
  const auto kept_as = [&](const std::string& sha256) {
    return StoredLibrary{folder_ / (sha256 + ".so"), sha256};
  };
  // What is here already is not written again, so that a start with a full disk serves what it served before.
  const std::string known = hash_of(fd);
  if (!known.empty() && wanted(known) && holds_same_bytes(kept_as(known).file, known)) return kept_as(known);

  std::string name = (folder_ / ".incoming.XXXXXX").string();
  UniqueFd copy(::mkostemp(name.data(), O_CLOEXEC));
  if (!copy.open()) return unusable("make a file");
  auto drop = [&](Refusal refusal) {
    ::unlink(name.c_str());
    return refusal;
  };

  Sha256Stream hash;
  std::string buffer(256u << 10, '\0');
  std::uint64_t total = 0;
  for (;;) {
    ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return drop(refuse(refusal::kUnreadable, "It cannot be read: " + errno_text(errno)));
    if (count == 0) break;
    total += static_cast<std::uint64_t>(count);
    if (total > kMaxLibraryBytes) return drop(refuse(refusal::kTooLarge, "It is larger than 512 MiB"));
    hash.update({buffer.data(), static_cast<std::size_t>(count)});
    if (!write_all(copy.number(), buffer.data(), static_cast<std::size_t>(count)))
      return drop(unusable("write a file"));
  }

  StoredLibrary library = kept_as(hash.finish_hex());
  if (!wanted(library.sha256)) {
    return drop(refuse(refusal::kNotPinned, "Its hash " + library.sha256 + " is not among the pinned ones"));
  }
  if (::fchmod(copy.number(), 0500) != 0 || ::fsync(copy.number()) != 0)
    return drop(unusable("finish a file"));
  copy.reset();
  // Over an older copy that was damaged: whoever has that one mapped keeps it.
  if (::rename(name.c_str(), library.file.c_str()) != 0) return drop(unusable("name a file"));
  return library;
}

std::optional<StoredLibrary> LibraryStore::find(const std::string& sha256) const {
  StoredLibrary library{folder_ / (sha256 + ".so"), sha256};
  if (!holds_same_bytes(library.file, sha256)) return std::nullopt;
  return library;
}

std::optional<ProbeReport> LibraryStore::remembered(const StoredLibrary& library) const {
  auto json = read_file(report_file(library));
  if (!json) return std::nullopt;
  auto report = probe_report_from_json(*json);
  if (!report) return std::nullopt;
  return std::move(report).value();
}

Result<> LibraryStore::remember(const StoredLibrary& library, const ProbeReport& report) {
  return write_file_atomically(report_file(library), to_json(report));
}

std::size_t LibraryStore::keep_only(const std::set<std::string>& sha256) {
  constexpr std::size_t kHashDigits = 64;
  std::vector<std::filesystem::path> unneeded;
  std::error_code failed;
  for (std::filesystem::directory_iterator at(folder_, failed), end; !failed && at != end;
       at.increment(failed)) {
    const std::string name = at->path().filename().string();
    const bool ours = name.size() > kHashDigits &&
                      name.find_first_not_of("0123456789abcdef") == kHashDigits &&
                      (name.ends_with(".so") || name.ends_with(".probe.json"));
    if (name.starts_with(".incoming.") || (ours && !sha256.contains(name.substr(0, kHashDigits))))
      unneeded.push_back(at->path());
  }
  return static_cast<std::size_t>(std::count_if(unneeded.begin(), unneeded.end(), [](const auto& file) {
    std::error_code ignored;
    return std::filesystem::remove(file, ignored);
  }));
}

}  // namespace davit::plugin
