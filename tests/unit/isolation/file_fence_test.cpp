#include "host/isolation/file_fence.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <functional>

#include "host/base/file.h"
#include "host/base/id.h"

namespace davit::isolation {
namespace {

namespace fs = std::filesystem;

bool kernel_has_landlock() {
  return ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION) >= 1;
}

class FileFenceTest : public ::testing::Test {
 protected:
  FileFenceTest() {
    fs::create_directories(hidden / "copies");
    fs::create_directories(folder / "beside");
    for (const fs::path& file :
         {hidden / "database", hidden / "copies/seen.so", hidden / "copies/other.so", folder / "beside/open"})
      std::ofstream(file) << "text";
    fs::create_symlink(hidden / "database", folder / "beside/link");
  }
  ~FileFenceTest() override { fs::remove_all(folder); }

  // 0: a child behind the fence, if the kernel has one, gave true.
  int behind_the_fence(const std::function<bool()>& check) const {
    const pid_t child = ::fork();
    if (child == 0) {
      const bool fenced = fence_off_files({hidden, hidden / "copies"}, hidden / "copies/seen.so");
      ::_exit(fenced != kernel_has_landlock() ? 2 : check() ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return status;
  }
  // Can it be opened so? Without a fence everything here can.
  static bool opens(const fs::path& path, int flags = O_RDONLY) {
    const int fd = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
    if (fd >= 0) ::close(fd);
    return fd >= 0;
  }
  static bool is_refused(const fs::path& path, int flags = O_RDONLY) {
    return opens(path, flags) ? !kernel_has_landlock() : errno == EACCES;
  }

  const fs::path folder = fs::temp_directory_path() / ("davit-file-fence-" + new_id());
  const fs::path hidden = folder / "state";
};

TEST_F(FileFenceTest, OfAHiddenFolderOnlyWhatIsLookedAtCanBeRead) {
  EXPECT_EQ(behind_the_fence([&] {
              return opens(hidden / "copies/seen.so") && is_refused(hidden / "database") &&
                     is_refused(hidden / "copies/other.so") && is_refused(hidden, O_RDONLY | O_DIRECTORY) &&
                     is_refused(folder / "beside/link");
            }),
            0);
}

TEST_F(FileFenceTest, WhatLiesBesideCanBeReadAndSoCanTheSystem) {
  EXPECT_EQ(behind_the_fence([&] {
              return opens(folder / "beside/open") && opens("/usr/lib", O_RDONLY | O_DIRECTORY) &&
                     opens("/etc/ld.so.cache") && opens("/proc/self/maps") && opens("/proc/cpuinfo") &&
                     opens("/dev/urandom") && opens("/dev/null", O_WRONLY);
            }),
            0);
}

TEST_F(FileFenceTest, NothingIsWrittenMadeOrRemoved) {
  EXPECT_EQ(behind_the_fence([&] {
              const fs::path beside = folder / "beside";
              return is_refused(beside / "open", O_WRONLY) &&
                     is_refused(beside / "new", O_WRONLY | O_CREAT) &&
                     (::unlink((beside / "open").c_str()) != 0) == kernel_has_landlock() &&
                     is_refused(hidden / "copies/seen.so", O_WRONLY);
            }),
            0);
}

TEST_F(FileFenceTest, TheMemoryOfItsParentCannotBeOpened) {
  const fs::path memory = "/proc/" + std::to_string(::getpid()) + "/mem";
  EXPECT_EQ(behind_the_fence([&] { return is_refused(memory); }), 0);
}

}  // namespace
}  // namespace davit::isolation
