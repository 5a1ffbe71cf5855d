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

TEST_F(WorkspacesTest, MakesAPrivateEmptyFolderForEachExecution) {
  auto workspaces = Workspaces::open(root_ / "work", *log_);
  ASSERT_TRUE(workspaces.ok());
  auto one = (*workspaces)->create();
  auto other = (*workspaces)->create();
  ASSERT_TRUE(one.ok() && other.ok());
  EXPECT_NE(one->path, other->path);
  struct stat status {};
  ASSERT_EQ(::stat(one->path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
  EXPECT_TRUE(fs::is_empty(one->path));
}

TEST_F(WorkspacesTest, RemovesWhatAnAgentLeftAndNothingBehindItsLinks) {
  fs::create_directories(root_ / "outside");
  std::ofstream(root_ / "outside" / "precious") << "x";
  {
    auto workspaces = Workspaces::open(root_ / "work", *log_);
    Workspace workspace = *(*workspaces)->create();
    const fs::path folder = workspace.path;
    fs::create_directories(folder / "a" / "b");
    std::ofstream(folder / "a" / "b" / "file") << "x";
    fs::create_directory_symlink(root_ / "outside", folder / "a" / "link");
    ::chmod((folder / "a").c_str(), 0500);
    (*workspaces)->remove(workspace);
  }
  EXPECT_TRUE(fs::is_empty(root_ / "work"));
  EXPECT_TRUE(fs::exists(root_ / "outside" / "precious"));
}

TEST_F(WorkspacesTest, UsesAFolderAgainOnlyIfItIsAsGoodAsNew) {
  auto workspaces = Workspaces::open(root_ / "work", *log_);
  Workspace first = *(*workspaces)->create();
  (*workspaces)->remove(first);
  Workspace second = *(*workspaces)->create();
  EXPECT_EQ(second.path, first.path);
  ::chmod(second.path.c_str(), 0777);
  (*workspaces)->remove(second);
  EXPECT_FALSE(fs::exists(second.path)) << "its mode was changed";
  Workspace third = *(*workspaces)->create();
  std::ofstream(fs::path(third.path) / "secret") << "x";
  (*workspaces)->remove(third);
  Workspace fourth = *(*workspaces)->create();
  EXPECT_NE(fourth.path, third.path);
  EXPECT_TRUE(fs::is_empty(fourth.path));
  struct stat status {};
  ::stat(fourth.path.c_str(), &status);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
}

// The time of its last change as the folder itself has it, whenever that was.
std::int64_t change_of(const std::string& folder) {
  struct stat status {};
  ::stat(folder.c_str(), &status);
  return status.st_ctim.tv_sec * 1'000'000'000 + status.st_ctim.tv_nsec;
}

TEST_F(WorkspacesTest, DoesNotTrustTheTimeOfAChangeThatIsTooFresh) {
  auto workspaces = Workspaces::open(root_ / "work", *log_);
  Workspace folder = *(*workspaces)->create();
  EXPECT_EQ(folder.changed, 0);
  (*workspaces)->remove(folder);
  EXPECT_EQ((*workspaces)->create()->changed, 0) << "a second change might have the same time";
}

TEST_F(WorkspacesTest, DoesNotLookIntoAFolderWhoseLastChangeIsTheOneItHadBefore) {
  auto workspaces = Workspaces::open(root_ / "work", *log_);
  Workspace folder = *(*workspaces)->create();
  std::ofstream(fs::path(folder.path) / "file") << "x";
  folder.changed = change_of(folder.path);  // what only a test can say: it was changed after it was made
  (*workspaces)->remove(folder);
  EXPECT_EQ((*workspaces)->create()->path, folder.path);
  fs::remove(fs::path(folder.path) / "file");
}

TEST_F(WorkspacesTest, LooksIntoAFolderWhoseLastChangeIsNotTheOneItHadBefore) {
  auto workspaces = Workspaces::open(root_ / "work", *log_);
  Workspace folder = *(*workspaces)->create();
  std::ofstream(fs::path(folder.path) / "secret") << "x";
  folder.changed = change_of(folder.path) - 1;
  (*workspaces)->remove(folder);
  EXPECT_NE((*workspaces)->create()->path, folder.path);
}

TEST_F(WorkspacesTest, RemovesWhatAnEarlierRunLeft) {
  fs::create_directories(root_ / "work" / "old-session" / "checkout");
  {
    auto workspaces = Workspaces::open(root_ / "work", *log_);
    EXPECT_TRUE((*workspaces)->create().ok());
  }
  EXPECT_FALSE(fs::exists(root_ / "work" / "old-session"));
}

TEST_F(WorkspacesTest, SaysWhatIsWrongWithAWorkDirectoryThatCannotBeUsed) {
  std::ofstream(root_ / "file") << "x";
  auto workspaces = Workspaces::open(root_ / "file" / "work", *log_);
  ASSERT_FALSE(workspaces.ok());
  EXPECT_NE(workspaces.error().message.find("file"), std::string::npos);
}

}  // namespace
}  // namespace davit::dispatch
