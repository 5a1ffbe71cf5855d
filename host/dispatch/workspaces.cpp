// Why folders are used again: making and removing one costs more than all else the dispatcher does for a
// small task (an inode each time, and removing waits for the disk's discard; measured on ext4: 27 of 50 us
// CPU a task, and a third of the throughput), and renaming one for each session costs half of that. So a
// folder that an execution left as it was serves the next one, under the name it has.
//
// How a folder is known to be as it was: whatever is made, removed or renamed in it, and any change of its
// mode or owner, sets its change time, which no program can set otherwise. Two changes within one tick of the
// file system's clock have the same time, so that proves nothing about a folder that was changed just before
// it was handed out: such a one is looked into.
#include "host/dispatch/workspaces.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <system_error>
#include <utility>

#include "host/base/file.h"
#include "host/base/id.h"

namespace davit::dispatch {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostSpare = 64;
constexpr off_t kFreshFolderBytes = 4096;  // a folder that held much stays large on some file systems
constexpr std::int64_t kCoarsestTick = 2'000'000'000;  // nanoseconds

std::int64_t nanoseconds(const timespec& time) { return time.tv_sec * 1'000'000'000 + time.tv_nsec; }

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

bool is_ours(const struct stat& status) {
  return S_ISDIR(status.st_mode) && status.st_uid == ::geteuid() && (status.st_mode & 07777) == 0700 &&
         status.st_size <= kFreshFolderBytes;
}

// Empty, ours, and nobody touched its mode; read through a descriptor, so that no link is followed.
bool is_as_good_as_new(const std::string& folder) {
  int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return false;
  struct stat status {};
  bool untouched = ::fstat(fd, &status) == 0 && is_ours(status);
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

// When it was last changed, if that is long enough ago for any later change to show; else 0.
std::int64_t settled_change(const struct stat& status) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  const std::int64_t changed = nanoseconds(status.st_ctim);
  return nanoseconds(now) - changed >= kCoarsestTick ? changed : 0;
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
  for (const fs::path& path : left) workspaces->remove({path.native()});
  if (!left.empty()) log.info("workspaces of an earlier run removed", {{"count", left.size()}});
  return workspaces;
}

Workspaces::Workspaces(fs::path folder, Log& log) : folder_(std::move(folder)), log_(log) {}

Workspaces::~Workspaces() {
  for (const Workspace& workspace : spare_) ::rmdir(workspace.path.c_str());
  if (remover_.joinable()) {
    remover_.request_stop();
    remover_.join();
  }
}

Result<Workspace> Workspaces::create() {
  if (!spare_.empty()) {
    Workspace spare = std::move(spare_.back());
    spare_.pop_back();
    return spare;
  }
  Workspace workspace{(folder_ / new_id()).native()};
  if (::mkdir(workspace.path.c_str(), 0700) != 0)
    return Error{ErrorCode::Unavailable, "workspace " + workspace.path + ": " + errno_text(errno)};
  return workspace;
}

void Workspaces::remove(Workspace workspace) {
  struct stat status {};
  const bool here = ::lstat(workspace.path.c_str(), &status) == 0;
  const bool unchanged =
      workspace.changed != 0 && here && nanoseconds(status.st_ctim) == workspace.changed && is_ours(status);
  if (spare_.size() < kMostSpare && (unchanged || (here && is_as_good_as_new(workspace.path)))) {
    workspace.changed = settled_change(status);
    spare_.push_back(std::move(workspace));
    return;
  }
  if (::rmdir(workspace.path.c_str()) == 0 || errno == ENOENT) return;
  {
    std::lock_guard lock(mutex_);
    condemned_.push_back(workspace.path);
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
