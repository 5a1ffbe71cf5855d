// Watched are the folder, the folders in it, and the nearest folder above it that exists, for the one name in
// it that leads here. Whenever a folder comes or goes, all of that is set up anew; a watch that exists
// already is left as it is by the kernel. Folders are armed before they are listed by anybody, so what
// changes between arming and looking is told again. A queue that overflowed is news like any other:
// everything is looked at.
#include "host/live/folder_watch.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <set>

namespace davit::live {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kInFolder = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE |
                                    IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
constexpr std::uint32_t kAbove =
    IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_ONLYDIR;

}  // namespace

FolderWatch::FolderWatch(fs::path folder, UniqueFd inotify)
    : folder_(std::move(folder)), inotify_(std::move(inotify)) {}

Result<FolderWatch> FolderWatch::open(const fs::path& folder) {
  UniqueFd inotify(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!inotify.open()) {
    return Error{ErrorCode::Unavailable,
                 folder.string() + ": cannot be watched: " + errno_text(errno) +
                     "; raise fs.inotify.max_user_instances, or say plugins.watch: false"};
  }
  fs::path named = fs::absolute(folder).lexically_normal();
  if (!named.has_filename()) named = named.parent_path();  // "plugins/"
  FolderWatch watch(std::move(named), std::move(inotify));
  watch.arm();
  return watch;
}

void FolderWatch::arm() {
  std::map<int, Watched> now;
  auto add = [&](const fs::path& path, std::uint32_t mask, const fs::path& waits_for) {
    int number = ::inotify_add_watch(inotify_.number(), path.c_str(), mask);
    if (number >= 0) now[number] = {path, waits_for};
    return number >= 0;
  };
  fs::path above = folder_.parent_path(), name = folder_.filename();
  while (!add(above, kAbove, name) && above != above.parent_path()) {
    name = above.filename();
    above = above.parent_path();
  }
  std::error_code failed;
  const fs::path root = fs::canonical(folder_, failed);
  if (!failed && add(root, kInFolder, {})) {
    for (fs::directory_iterator at(root, failed), end; !failed && at != end; at.increment(failed)) {
      std::error_code unknown;
      if (at->symlink_status(unknown).type() == fs::file_type::directory) add(at->path(), kInFolder, {});
    }
    // What could not be looked through (no descriptor left, say) is watched as before.
    if (failed) now.insert(watched_.begin(), watched_.end());
  }
  for (const auto& [number, watched] : watched_) {
    if (!now.contains(number)) ::inotify_rm_watch(inotify_.number(), number);
  }
  watched_ = std::move(now);
}

// True if folders came or went.
bool FolderWatch::take_event(const inotify_event& event, News& news) {
  if ((event.mask & IN_Q_OVERFLOW) != 0) {
    news.changed = true;
    return true;
  }
  auto found = watched_.find(event.wd);
  if (found == watched_.end()) return false;
  if ((event.mask & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF)) != 0) {
    if ((event.mask & IN_IGNORED) != 0) watched_.erase(found);
    news.changed = true;
    return true;
  }
  const fs::path name = event.len > 0 ? fs::path(event.name) : fs::path();
  if (!found->second.waits_for.empty()) {
    if (name != found->second.waits_for) return false;
    news.changed = true;
    return true;
  }
  const bool is_folder = (event.mask & IN_ISDIR) != 0;
  if (!is_folder && name.extension() != ".so") return false;
  news.changed = true;
  if (!is_folder && (event.mask & (IN_CLOSE_WRITE | IN_MOVED_TO)) != 0)
    news.finished.push_back(found->second.path / name);
  return is_folder && (event.mask & (IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE)) != 0;
}

FolderWatch::News FolderWatch::take() {
  News news;
  bool folders_changed = false;
  alignas(inotify_event) std::array<char, 16 * 1024> buffer;
  for (;;) {
    ssize_t got = ::read(inotify_.number(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    for (ssize_t at = 0; at < got;) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
      if (take_event(*event, news)) folders_changed = true;
      at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
    }
  }
  if (folders_changed) arm();
  return news;
}

}  // namespace davit::live
