// Each step is taken from the descriptor of the folder before, and no step follows a link: a name that is
// changed between looking and acting leads nowhere else.
#include "git_workspace/folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <optional>
#include <system_error>

#include "child_process/child_process.h"
#include "davit/failure.hpp"
#include "davit/text.hpp"

namespace git {
namespace {

namespace fs = std::filesystem;
using child::Descriptor;
using davit::Failure;

constexpr int kFolder = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

// chmod(2) of the very file, also of one that cannot be opened.
void make_accessible(int folder, const char* name, mode_t mode) {
  const Descriptor file(openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (file.open()) chmod(("/proc/self/fd/" + std::to_string(file.number())).c_str(), mode);
}

Descriptor open_folder(int parent, const char* name) {
  Descriptor folder(openat(parent, name, kFolder));
  struct stat status {};
  const bool is_usable =
      folder.open() && fstat(folder.number(), &status) == 0 && (status.st_mode & S_IRWXU) == S_IRWXU;
  if (is_usable) return folder;
  if (fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode))
    make_accessible(parent, name, (status.st_mode & 07777) | S_IRWXU);
  if (!folder.open()) folder = Descriptor(openat(parent, name, kFolder));
  return folder;
}

// Names first, so that what is removed or made while they are visited does not disturb the reading.
std::vector<std::string> names_in(int folder) {
  std::vector<std::string> names;
  const int copy = openat(folder, ".", kFolder);
  DIR* const entries = copy < 0 ? nullptr : fdopendir(copy);
  if (!entries) {
    if (copy >= 0) ::close(copy);
    return names;
  }
  while (const dirent* entry = readdir(entries)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  closedir(entries);
  return names;
}

bool is_folder(int parent, const char* name) {
  struct stat status {};
  return fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
}

// Folders below folders are first moved up to the top, so that no depth needs more than two descriptors, and
// no path is ever long.
void empty_folder(int top) {
  std::size_t moved = 0;
  const auto free_name = [&] {
    for (;;) {
      std::string name = "davit-moved-" + std::to_string(moved++);
      struct stat status {};
      if (fstatat(top, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return name;
    }
  };
  for (bool more = true; more;) {
    more = false;
    for (const std::string& name : names_in(top)) {
      if (!is_folder(top, name.c_str())) {
        unlinkat(top, name.c_str(), 0);
        continue;
      }
      const Descriptor folder = open_folder(top, name.c_str());
      if (!folder.open()) continue;
      for (const std::string& inner : names_in(folder.number())) {
        if (!is_folder(folder.number(), inner.c_str())) {
          unlinkat(folder.number(), inner.c_str(), 0);
          continue;
        }
        open_folder(folder.number(), inner.c_str());  // a folder that cannot be written cannot be moved
        if (renameat(folder.number(), inner.c_str(), top, free_name().c_str()) == 0) more = true;
      }
      unlinkat(top, name.c_str(), AT_REMOVEDIR);
    }
  }
}

// A disk that is full or fails: nothing that the one who asked for it could help.
bool is_of_the_disk(int error) { return error == ENOSPC || error == EDQUOT || error == EIO; }

Failure refusal(const std::string& message, int error) {
  const std::string text = message + ": " + std::strerror(error);
  return is_of_the_disk(error) ? Failure::retryable(text + " (look after the disk)")
                               : Failure::permanent(text);
}

// 0, or what went wrong.
int write_all(int file, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = ::write(file, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return written < 0 ? errno : EIO;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

[[noreturn]] void cannot(const std::string& what, const std::string& path, int error) {
  throw Failure::retryable("cannot " + what + " " + davit::to_utf8(path) +
                           " of the work tree: " + std::strerror(error));
}

class Sweep {
 public:
  explicit Sweep(const SweepLimits& limits) : limits_(limits) {}

  void visit(int folder, const std::string& path, int depth) {
    if (depth > kDeepest) {
      throw Failure::permanent("the work tree is nested more than " + std::to_string(kDeepest) +
                               " folders deep at " + davit::to_utf8(path).substr(0, 200));
    }
    for (const std::string& name : names_in(folder)) {
      const std::string inner = path.empty() ? name : path + "/" + name;
      if (name == ".git") {
        remove(folder, name.c_str(), inner);
        swept_.repositories.push_back(path);
        continue;
      }
      struct stat status {};
      if (fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) cannot("look at", inner, errno);
      count(status);
      if (S_ISDIR(status.st_mode)) {
        const Descriptor below = open_folder(folder, name.c_str());
        if (!below.open()) cannot("open", inner, errno);
        visit(below.number(), inner, depth + 1);
      } else if (S_ISREG(status.st_mode) && (status.st_mode & S_IRUSR) == 0) {
        make_accessible(folder, name.c_str(), (status.st_mode & 07777) | S_IRUSR | S_IWUSR);
      }
    }
  }

  Swept take() { return std::move(swept_); }

 private:
  void remove(int folder, const char* name, const std::string& path) {
    if (is_folder(folder, name)) {
      const Descriptor below = open_folder(folder, name);
      if (below.open()) empty_folder(below.number());
      if (unlinkat(folder, name, AT_REMOVEDIR) != 0) cannot("remove", path, errno);
    } else if (unlinkat(folder, name, 0) != 0) {
      cannot("remove", path, errno);
    }
  }

  void count(const struct stat& status) {
    ++swept_.files;
    if (S_ISREG(status.st_mode)) swept_.bytes += static_cast<std::uint64_t>(status.st_size);
    if (swept_.files > limits_.files) {
      throw Failure::permanent("the work tree has grown to more than " + std::to_string(limits_.files) +
                               " files");
    }
    if (swept_.bytes > limits_.bytes) {
      throw Failure::permanent("the work tree has grown to more than " + std::to_string(limits_.bytes >> 20) +
                               " MiB");
    }
  }

  const SweepLimits& limits_;
  Swept swept_;
};

// The folder that a plain relative path ends in, and the last part.
struct Place {
  Descriptor folder;
  std::string name;
};

enum class Missing { Make, Leave };

// Nullopt where a folder is missing and is not to be made.
std::optional<Place> place_of(const fs::path& tree, std::string_view path, Missing missing) {
  const std::string what = "cannot write " + davit::to_utf8(path) + " in the work tree";
  const auto refuse = [&](const std::string& why) { return Failure::permanent(what + ": " + why); };
  Place place{Descriptor(open(tree.c_str(), kFolder)), ""};
  if (!place.folder.open()) throw refusal(what, errno);
  for (std::string_view rest = path;;) {
    const std::size_t slash = rest.find('/');
    place.name = rest.substr(0, slash);
    if (place.name.empty() || place.name == "." || place.name == ".." || place.name == ".git" ||
        place.name.find('\0') != std::string::npos)
      throw refuse("it is not a plain relative path");
    if (slash == std::string_view::npos) return place;
    rest.remove_prefix(slash + 1);
    const int parent = place.folder.number();
    if (missing == Missing::Make && mkdirat(parent, place.name.c_str(), 0777) != 0 && errno != EEXIST)
      throw refusal(what, errno);
    Descriptor next(openat(parent, place.name.c_str(), kFolder));
    if (!next.open() && errno == ENOENT && missing == Missing::Leave) return std::nullopt;
    if (!next.open()) throw refuse(place.name + " is a link, or no folder");
    place.folder = std::move(next);
  }
}

}  // namespace

bool remove_folder(const fs::path& folder) noexcept try {
  {
    const Descriptor top = open_folder(AT_FDCWD, folder.c_str());
    if (top.open()) empty_folder(top.number());
  }
  return rmdir(folder.c_str()) == 0 || errno == ENOENT;
} catch (...) {
  return false;
}

std::uint64_t bytes_below(const fs::path& folder) {
  std::uint64_t bytes = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code gone;
    if (!entry->is_regular_file(gone)) continue;
    const std::uint64_t size = entry->file_size(gone);
    if (!gone) bytes += size;
  }
  return bytes;
}

Swept sweep(const fs::path& tree, const SweepLimits& limits) {
  const Descriptor top = open_folder(AT_FDCWD, tree.c_str());
  if (!top.open()) cannot("open", tree.string(), errno);
  Sweep sweep(limits);
  sweep.visit(top.number(), "", 0);
  return sweep.take();
}

void make_folder(const fs::path& folder, const std::string& doing) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw Failure::retryable(doing + ": cannot make " + folder.string() + ": " + error.message());
}

void copy_file(const fs::path& from, const fs::path& to, const std::string& doing) {
  std::error_code error;
  fs::copy_file(from, to, error);
  if (error) throw Failure::retryable(doing + ": cannot copy to " + to.string() + ": " + error.message());
}

void write_file(const fs::path& file, std::string_view content, const std::string& doing) {
  const auto refuse = [&](int error) {
    return Failure::retryable(doing + ": cannot write " + file.string() + ": " + std::strerror(error));
  };
  const std::string anew = file.string() + ".new";
  {
    const Descriptor half(open(anew.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666));
    if (!half.open()) throw refuse(errno);
    if (const int error = write_all(half.number(), content); error != 0) throw refuse(error);
    if (fsync(half.number()) != 0) throw refuse(errno);
  }
  if (rename(anew.c_str(), file.c_str()) != 0) throw refuse(errno);
  const Descriptor folder(open(file.parent_path().c_str(), kFolder));
  if (!folder.open() || fsync(folder.number()) != 0) throw refuse(errno);
}

void write_below(const fs::path& tree, std::string_view path, std::string_view content) {
  const std::string what = "cannot write " + davit::to_utf8(path) + " in the work tree";
  const std::optional<Place> place = place_of(tree, path, Missing::Make);
  const Descriptor file(openat(place->folder.number(), place->name.c_str(),
                               O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666));
  if (!file.open()) throw refusal(what, errno);
  if (const int error = write_all(file.number(), content); error != 0) throw refusal(what, error);
}

void remove_below(const fs::path& tree, std::string_view path) {
  const std::optional<Place> place = place_of(tree, path, Missing::Leave);
  if (!place || unlinkat(place->folder.number(), place->name.c_str(), 0) == 0 || errno == ENOENT) return;
  throw refusal("cannot remove " + davit::to_utf8(path) + " of the work tree", errno);
}

bool is_empty_folder_below(const fs::path& tree, std::string_view path) try {
  const std::optional<Place> place = place_of(tree, std::string(path) + "/any", Missing::Make);
  return place && names_in(place->folder.number()).empty();
} catch (const Failure&) {
  return false;
}

}  // namespace git
