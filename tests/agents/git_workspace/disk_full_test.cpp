// A real disk without room: a small one in memory, mounted where only this process sees it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cstring>
#include <random>

#include "git_workspace/folder.h"
#include "tests/agents/git_workspace/workspace.h"

namespace {

namespace fs = std::filesystem;
using davit::Failure;
using davit::Status;
using davit::testing::Blob;
using git::Session;
using testing::HasSubstr;
using testing::IsEmpty;

std::string noise(std::size_t size) {
  std::mt19937 random(1);
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

class FullDiskTest : public davit::testing::WorkspaceTest {
 protected:
  // Before there is a second thread, which would keep a user without rights from it.
  static void SetUpTestSuite() {
    const unsigned user = ::geteuid(), group = ::getegid();
    if (::unshare(CLONE_NEWNS) != 0) {
      ASSERT_EQ(::unshare(CLONE_NEWUSER | CLONE_NEWNS), 0)
          << std::strerror(errno)
          << ": run as root, or allow unprivileged user namespaces, in a container CAP_SYS_ADMIN";
      const auto map = [](const char* file, const std::string& text) {
        std::ofstream("/proc/self/" + std::string(file)) << text;
      };
      map("setgroups", "deny");
      map("uid_map", "0 " + std::to_string(user) + " 1");
      map("gid_map", "0 " + std::to_string(group) + " 1");
    }
    ASSERT_EQ(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0) << std::strerror(errno);
  }

  FullDiskTest() {
    for (const fs::path& folder : {state(), workspace()})
      EXPECT_EQ(::mount("none", folder.c_str(), "tmpfs", 0, "mode=0700,size=3m"), 0) << std::strerror(errno);
    main_ = server_.commit("acme/shop", "main", {{"a", Blob{noise(20'000)}}, {"d/b", Blob{"1"}}});
  }
  ~FullDiskTest() override {
    for (const fs::path& folder : {state(), workspace()}) ::umount2(folder.c_str(), MNT_DETACH);
  }

  static void leave(const fs::path& disk, std::size_t free_bytes) {
    const std::size_t room = fs::space(disk).available;
    ASSERT_GT(room, free_bytes);
    std::ofstream(disk / "ballast") << std::string(room - free_bytes, 'x');
    ASSERT_LE(fs::space(disk).available, free_bytes);
  }
  static void empty(const fs::path& disk) { fs::remove(disk / "ballast"); }

  std::string main_;
};

TEST_F(FullDiskTest, AFetchIsTriedAgain) {
  int failed = 0;
  for (std::size_t pages = 0; pages < 30; pages += 2) {
    fs::remove_all(state() / "mirrors");
    leave(state(), pages * 4096);
    try {
      fetch();
    } catch (const Failure& failure) {
      ++failed;
      EXPECT_EQ(failure.status(), Status::Retryable) << pages << " pages: " << failure.what();
    }
    empty(state());
    EXPECT_EQ(fetch().head("main"), main_) << pages << " pages";
  }
  EXPECT_GT(failed, 3);
}

TEST_F(FullDiskTest, ASessionIsTriedAgain) {
  const git::Mirror mirror = fetch();
  int failed = 0;
  for (std::size_t pages = 0; pages < 30; pages += 2) {
    leave(workspace(), pages * 4096);
    try {
      Session session = Session::open(mirror, "main", workspace());
      session.give_repository();
    } catch (const Failure& failure) {
      ++failed;
      EXPECT_EQ(failure.status(), Status::Retryable) << pages << " pages: " << failure.what();
    }
    empty(workspace());
    EXPECT_THAT(fs::directory_iterator(workspace()), testing::Eq(fs::directory_iterator()))
        << pages << " pages";
  }
  EXPECT_GT(failed, 3);
}

// It is nobody's misdeed.
TEST_F(FullDiskTest, WhatGitHasNoRoomForIsNotRefused) {
  std::string words;
  for (const char c : noise(60'000)) words += static_cast<char>('a' + (c & 15));
  Session session = Session::open(fetch(), "main", workspace());
  put(session.tree() / "new", words);
  leave(workspace(), 8192);
  const Failure failure = failure_of([&] { session.change({}); });
  EXPECT_EQ(failure.status(), Status::Retryable) << failure.what();
  EXPECT_THAT(failure.what(), HasSubstr("disk"));
  const Failure other = failure_of([&] { session.write("other", noise(60'000)); });
  EXPECT_EQ(other.status(), Status::Retryable) << other.what();
  session.remove("other");
  empty(workspace());
  const git::Change change = session.change({});
  EXPECT_THAT(change.refused, IsEmpty());
  ASSERT_EQ(change.files.size(), 1u);
  EXPECT_EQ(change.files[0].path, "new");
}

}  // namespace
