#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>
#include <utility>

#include "host/base/file.h"
#include "host/store/database.h"
#include "tests/support/temp_database.h"

namespace davit::store {
namespace {

using ::testing::HasSubstr;

class LockFileTest : public ::testing::Test {
 protected:
  LockFileTest() {
    EXPECT_EQ(::pipe(held_), 0);
    EXPECT_EQ(::pipe(release_), 0);
  }
  // A host takes the lock, and so does a child that it was just making. The child lets go when release_ is
  // closed; `dies` says whether the host is dead by then.
  void hold(bool dies) {
    host_ = ::fork();
    if (host_ == 0) {
      const auto lock = LockFile::acquire(database());
      char byte = lock.ok() ? 1 : 0;
      const pid_t child = dies ? ::fork() : 0;
      if (child == 0) {
        ::close(release_[1]);
        [[maybe_unused]] auto told = ::write(held_[1], &byte, 1);
        [[maybe_unused]] auto waited = ::read(release_[0], &byte, 1);
      }
      ::_exit(0);
    }
    char byte = 0;
    ASSERT_EQ(::read(held_[0], &byte, 1), 1);
    ASSERT_EQ(byte, 1);
    if (dies) {
      ASSERT_EQ(::waitpid(host_, nullptr, 0), host_);
    }
  }
  void let_go() { ::close(std::exchange(release_[1], -1)); }
  void TearDown() override {
    if (release_[1] >= 0) let_go();
    ::waitpid(host_, nullptr, 0);
    for (int fd : {held_[0], held_[1], release_[0]}) ::close(fd);
  }
  std::filesystem::path database() const { return folder_.path() / "davit.db"; }

  testing::TempFolder folder_;
  int held_[2]{}, release_[2]{};
  pid_t host_ = -1;
};

TEST_F(LockFileTest, AHostThatLivesKeepsOthersOutAndIsNamed) {
  hold(false);
  const auto lock = LockFile::acquire(database());
  ASSERT_FALSE(lock.ok());
  EXPECT_EQ(lock.error().code, ErrorCode::Conflict);
  EXPECT_THAT(lock.error().message,
              HasSubstr("already in use by a running davit (pid " + std::to_string(host_)));
}

TEST_F(LockFileTest, AChildThatAKilledHostWasMakingIsWaitedFor) {
  hold(true);
  const UniqueFd opened(::inotify_init1(IN_CLOEXEC));
  ASSERT_GE(::inotify_add_watch(opened.number(), (database().string() + ".lock").c_str(), IN_OPEN), 0);
  std::thread later([&] {
    alignas(inotify_event) char event[256];
    EXPECT_GT(::read(opened.number(), event, sizeof event), 0);  // somebody is about to want the lock
    let_go();
  });
  EXPECT_TRUE(LockFile::acquire(database()).ok());
  later.join();
}

TEST_F(LockFileTest, AChildThatNeverLetsGoIsNotWaitedForForEver) {
  hold(true);
  EXPECT_FALSE(LockFile::acquire(database()).ok());
}

}  // namespace
}  // namespace davit::store
