#include "host/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace davit {
namespace {

Error system_error(const std::filesystem::path& path, const char* action, int error_number) {
  ErrorCode code = error_number == ENOENT ? ErrorCode::NotFound : ErrorCode::Unavailable;
  return Error{code, path.string() + ": cannot " + action + ": " + errno_text(error_number)};
}

Result<> write_all(int fd, std::string_view bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return system_error(path, "write", errno);
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace

void UniqueFd::reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

std::string errno_text(int error_number) { return std::generic_category().message(error_number); }

Result<std::string> read_file(const std::filesystem::path& path, std::size_t limit) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.open()) return system_error(path, "open", errno);
  struct stat info {};
  if (::fstat(fd.number(), &info) != 0) return system_error(path, "stat", errno);
  if (!S_ISREG(info.st_mode))
    return Error{ErrorCode::InvalidInput, path.string() + ": is not a regular file"};
  std::string bytes;
  char buffer[65536];
  for (;;) {
    ssize_t count = ::read(fd.number(), buffer, sizeof buffer);
    if (count < 0) {
      if (errno == EINTR) continue;
      return system_error(path, "read", errno);
    }
    if (count == 0) return bytes;
    if (bytes.size() + static_cast<std::size_t>(count) > limit) {
      return Error{ErrorCode::TooLarge,
                   path.string() + ": is larger than " + std::to_string(limit) + " bytes"};
    }
    bytes.append(buffer, static_cast<std::size_t>(count));
  }
}

Result<> write_file_atomically(const std::filesystem::path& path, std::string_view bytes, unsigned mode) {
  std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  std::string name = (folder / (".tmp." + path.filename().string() + ".XXXXXX")).string();
  UniqueFd fd(::mkostemp(name.data(), O_CLOEXEC));
  if (!fd.open()) return system_error(folder, "create a file in", errno);
  auto fail = [&](Error error) {
    ::unlink(name.c_str());
    return error;
  };
  if (::fchmod(fd.number(), mode) != 0) return fail(system_error(name, "set the mode of", errno));
  if (auto written = write_all(fd.number(), bytes, name); !written) return fail(std::move(written).error());
  if (::fsync(fd.number()) != 0) return fail(system_error(name, "sync", errno));
  if (::rename(name.c_str(), path.c_str()) != 0) return fail(system_error(path, "replace", errno));
  UniqueFd folder_fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder_fd.open()) ::fsync(folder_fd.number());
  return {};
}

Result<std::uint64_t> free_bytes(const std::filesystem::path& path) {
  struct statvfs disk {};
  if (::statvfs(path.c_str(), &disk) != 0)
    return Error{ErrorCode::Unavailable, path.string() + ": " + errno_text(errno)};
  return std::uint64_t{disk.f_bavail} * disk.f_frsize;
}

Result<> ensure_private_directory(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return {};
  if (path.has_parent_path() && path.parent_path() != path) {
    if (auto parent = ensure_private_directory(path.parent_path()); !parent) return parent;
  }
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    return system_error(path, "create the folder", errno);
  if (!std::filesystem::is_directory(path, error)) {
    return Error{ErrorCode::InvalidInput, path.string() + ": exists and is not a folder"};
  }
  return {};
}

}  // namespace davit
