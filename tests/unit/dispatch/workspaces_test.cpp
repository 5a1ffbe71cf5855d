#include "host/dispatch/workspaces.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

namespace davit::dispatch {
namespace {

namespace fs = std::filesystem;

class WorkspacesTest : public testing::Test {
 protected:
  WorkspacesTest() {
    std::string pattern = fs::temp_directory_path() / "davit-workspaces-XXXXXX";
    root_ = ::mkdtemp(pattern.data());
  }
  ~WorkspacesTest() override { fs::remove_all(root_); }
  std::unique_ptr<Log> log_ = Log::silent();
  fs::path root_;
};

TEST_F(WorkspacesTest, MakesAPrivateEmptyFolderForEachSession) {
  auto workspaces = Workspaces::open(root_ / "work", *log_);
  ASSERT_TRUE(workspaces.ok());
  auto folder = (*workspaces)->create("session-1");
  ASSERT_TRUE(folder.ok());
  struct stat status {};
  ASSERT_EQ(::stat(folder->c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
  EXPECT_TRUE(fs::is_empty(*folder));
}

TEST_F(WorkspacesTest, RefusesTheFolderOfAnotherSession) {
  auto workspaces = Workspaces::open(root_ / "work", *log_);
  ASSERT_TRUE((*workspaces)->create("twice").ok());
  auto again = (*workspaces)->create("twice");
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, ErrorCode::Unavailable);
}

TEST_F(WorkspacesTest, RemovesWhatAnAgentLeftAndNothingBehindItsLinks) {
  fs::create_directories(root_ / "outside");
  std::ofstream(root_ / "outside" / "precious") << "x";
  {
    auto workspaces = Workspaces::open(root_ / "work", *log_);
    fs::path folder = *(*workspaces)->create("s");
    fs::create_directories(folder / "a" / "b");
    std::ofstream(folder / "a" / "b" / "file") << "x";
    fs::create_directory_symlink(root_ / "outside", folder / "a" / "link");
    ::chmod((folder / "a").c_str(), 0500);
    (*workspaces)->remove(folder);
  }
  EXPECT_TRUE(fs::is_empty(root_ / "work"));
  EXPECT_TRUE(fs::exists(root_ / "outside" / "precious"));
}

TEST_F(WorkspacesTest, UsesAFolderAgainOnlyIfItIsAsGoodAsNew) {
  auto workspaces = Workspaces::open(root_ / "work", *log_);
  auto inode = [](const fs::path& folder) {
    struct stat status {};
    ::stat(folder.c_str(), &status);
    return status.st_ino;
  };
  fs::path first = *(*workspaces)->create("first");
  ino_t number = inode(first);
  (*workspaces)->remove(first);
  fs::path second = *(*workspaces)->create("second");
  EXPECT_EQ(inode(second), number);
  EXPECT_FALSE(fs::exists(first));
  EXPECT_EQ(second.filename(), "second");
  ::chmod(second.c_str(), 0777);
  (*workspaces)->remove(second);
  EXPECT_FALSE(fs::exists(second)) << "its mode was changed";
  fs::path third = *(*workspaces)->create("third");
  std::ofstream(third / "secret") << "x";
  (*workspaces)->remove(third);
  fs::path fourth = *(*workspaces)->create("fourth");
  EXPECT_TRUE(fs::is_empty(fourth));
  struct stat status {};
  ::stat(fourth.c_str(), &status);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
}

TEST_F(WorkspacesTest, RemovesWhatAnEarlierRunLeft) {
  fs::create_directories(root_ / "work" / "old-session" / "checkout");
  { auto workspaces = Workspaces::open(root_ / "work", *log_); }
  EXPECT_TRUE(fs::is_empty(root_ / "work"));
}

TEST_F(WorkspacesTest, SaysWhatIsWrongWithAWorkDirectoryThatCannotBeUsed) {
  std::ofstream(root_ / "file") << "x";
  auto workspaces = Workspaces::open(root_ / "file" / "work", *log_);
  ASSERT_FALSE(workspaces.ok());
  EXPECT_NE(workspaces.error().message.find("file"), std::string::npos);
}

}  // namespace
}  // namespace davit::dispatch
