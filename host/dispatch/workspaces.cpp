// Why folders are used again: making and removing one costs more than all else the dispatcher does for a
// small task (an inode each time, and removing waits for the disk's discard; measured on ext4: 27 of 50 us
// CPU a task, and a third of the throughput). A folder that an execution left empty is renamed for the next
// one instead.
#include "host/dispatch/workspaces.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>
#include <vector>

#include "host/base/file.h"

namespace davit::dispatch {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostSpare = 64;
constexpr off_t kFreshFolderBytes = 4096;  // a folder that held much stays large on some file systems

// An agent may have taken the write permission from its own folders; remove_all then needs it back.
void make_removable(const fs::path& folder) {
  std::error_code failure;
  ::chmod(folder.c_str(), 0700);
  for (fs::directory_iterator entry(folder, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    std::error_code ignored;
    if (entry->is_directory(ignored) && !entry->is_symlink(ignored)) make_removable(entry->path());
  }
}

// Empty, ours, and nobody touched its mode; read through a descriptor, so that no link is followed.
bool as_good_as_new(const fs::path& folder) {
  int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return false;
  struct stat status {};
  bool untouched = ::fstat(fd, &status) == 0 && status.st_uid == ::geteuid() &&
                   (status.st_mode & 07777) == 0700 && status.st_size <= kFreshFolderBytes;
  DIR* entries = ::fdopendir(fd);
  if (!entries) {
    ::close(fd);
    return false;
  }
  while (const dirent* entry = untouched ? ::readdir(entries) : nullptr) {
    std::string_view name = entry->d_name;
    if (name != "." && name != "..") untouched = false;
  }
  ::closedir(entries);
  return untouched;
}

}  // namespace

Result<std::unique_ptr<Workspaces>> Workspaces::open(const fs::path& folder, Log& log) {
  std::error_code failure;
  fs::path absolute = fs::absolute(folder, failure);
  if (failure)
    return Error{ErrorCode::Unavailable, "work directory " + folder.string() + ": " + failure.message()};
  TRY(ensure_private_directory(absolute));
  std::unique_ptr<Workspaces> workspaces(new Workspaces(absolute, log));
  std::vector<fs::path> left;
  for (fs::directory_iterator entry(absolute, failure), end; !failure && entry != end;
       entry.increment(failure))
    left.push_back(entry->path());
  if (failure)
    return Error{ErrorCode::Unavailable, "work directory " + absolute.string() + ": " + failure.message()};
  for (const fs::path& path : left) workspaces->remove(path);
  if (!left.empty()) log.info("workspaces of an earlier run removed", {{"count", left.size()}});
  return workspaces;
}

Workspaces::Workspaces(fs::path folder, Log& log) : folder_(std::move(folder)), log_(log) {}

Workspaces::~Workspaces() {
  for (const fs::path& folder : spare_) ::rmdir(folder.c_str());
  if (remover_.joinable()) {
    remover_.request_stop();
    remover_.join();
  }
}

Result<fs::path> Workspaces::create(std::string_view session_id) {
  fs::path workspace = folder_ / session_id;
  if (!spare_.empty()) {
    fs::path spare = std::move(spare_.back());
    spare_.pop_back();
    if (::renameat2(AT_FDCWD, spare.c_str(), AT_FDCWD, workspace.c_str(), RENAME_NOREPLACE) == 0)
      return workspace;
    ::rmdir(spare.c_str());
  }
  if (::mkdir(workspace.c_str(), 0700) != 0)
    return Error{ErrorCode::Unavailable, "workspace " + workspace.string() + ": " + errno_text(errno)};
  return workspace;
}

void Workspaces::remove(const fs::path& workspace) {
  if (spare_.size() < kMostSpare && as_good_as_new(workspace)) {
    spare_.push_back(workspace);
    return;
  }
  if (::rmdir(workspace.c_str()) == 0 || errno == ENOENT) return;
  {
    std::lock_guard lock(mutex_);
    condemned_.push_back(workspace);
  }
  if (!remover_.joinable()) remover_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  filled_.notify_one();
}

void Workspaces::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (filled_.wait(lock, stop, [this] { return !condemned_.empty(); }) || !condemned_.empty()) {
    fs::path next = std::move(condemned_.front());
    condemned_.pop_front();
    lock.unlock();
    remove_whole(next);
    lock.lock();
  }
}

void Workspaces::remove_whole(const fs::path& workspace) {
  std::error_code failure;
  fs::remove_all(workspace, failure);
  if (!failure) return;
  make_removable(workspace);
  failure.clear();
  fs::remove_all(workspace, failure);
  if (failure)
    log_.warn("workspace not removed", {{"path", workspace.string()}, {"reason", failure.message()}});
}

}  // namespace davit::dispatch
