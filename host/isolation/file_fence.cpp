#include "host/isolation/file_fence.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <string>

#include "host/base/file.h"

namespace davit::isolation {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostEntries = 10'000;  // of a folder; what comes later cannot be read
constexpr std::uint64_t kRead =
    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t kReadOfFile = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE;
constexpr std::uint64_t kChange = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                                  LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
                                  LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
                                  LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
                                  LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM;
// Of later versions of the interface, which not every header has.
constexpr std::uint64_t kRefer = 1u << 13;     // 2: move or link to another folder
constexpr std::uint64_t kTruncate = 1u << 14;  // 3

// The ABI of the kernel's Landlock; below 1: none.
long version_of_kernel() {
  return ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

bool lies_in(const fs::path& path, const fs::path& folder) {
  return std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first == folder.end();
}

// Confined to one call of fence_off_files.
class Rules {
 public:
  explicit Rules(int fd) : fd_(fd) {}

  // Links are not followed: what they point to has a rule of its own, or none.
  void allow(const fs::path& path, std::uint64_t rights) const {
    const UniqueFd target(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    struct stat info {};
    if (!target.open() || ::fstat(target.number(), &info) != 0 || S_ISLNK(info.st_mode)) return;
    landlock_path_beneath_attr rule{};
    rule.allowed_access = S_ISDIR(info.st_mode) ? rights : rights & ~LANDLOCK_ACCESS_FS_READ_DIR;
    rule.parent_fd = target.number();
    static_cast<void>(::syscall(SYS_landlock_add_rule, fd_, LANDLOCK_RULE_PATH_BENEATH, &rule, 0));
  }

  // All that lies in the folder, as far as it does not lie in a hidden one.
  void allow_around(const fs::path& folder, const std::vector<fs::path>& hidden) const {
    std::error_code failed;
    std::size_t entries = 0;
    for (fs::directory_iterator at(folder, failed), end; !failed && at != end && entries < kMostEntries;
         at.increment(failed), ++entries) {
      const fs::path& path = at->path();
      if (std::find(hidden.begin(), hidden.end(), path) != hidden.end()) continue;
      const bool leads_to_one = std::any_of(hidden.begin(), hidden.end(),
                                            [&](const fs::path& each) { return lies_in(each, path); });
      if (leads_to_one)
        allow_around(path, hidden);
      else
        allow(path, kRead);
    }
  }

 private:
  const int fd_;
};

bool is_process(const fs::path& entry) {
  return std::isdigit(static_cast<unsigned char>(entry.filename().string().front())) != 0;
}

}  // namespace

bool fence_off_files(const std::vector<fs::path>& hidden, const fs::path& visible) {
  const long version = version_of_kernel();
  if (version < 1) return false;
  landlock_ruleset_attr handled{};
  handled.handled_access_fs = kRead | kChange | (version >= 2 ? kRefer : 0) | (version >= 3 ? kTruncate : 0);
  const UniqueFd ruleset(
      static_cast<int>(::syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0)));
  if (!ruleset.open()) return false;
  const Rules rules(ruleset.number());

  std::vector<fs::path> all{"/proc", "/dev"};
  std::error_code failed;
  for (const fs::path& folder : hidden) {
    const fs::path real = fs::canonical(folder, failed);
    if (!failed && real.has_relative_path()) all.push_back(real);
  }
  rules.allow_around("/", all);
  rules.allow(visible, kReadOfFile);
  for (const char* device : {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"})
    rules.allow(device, LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE);
  const std::string own = std::to_string(::getpid());
  for (fs::directory_iterator at("/proc", failed), end; !failed && at != end; at.increment(failed)) {
    const std::string name = at->path().filename().string();
    if (is_process(at->path()) ? name == own : name != "kcore") rules.allow(at->path(), kRead);
  }
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::syscall(SYS_landlock_restrict_self, ruleset.number(), 0) == 0;
}

}  // namespace davit::isolation
