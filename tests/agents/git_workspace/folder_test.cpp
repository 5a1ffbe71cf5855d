#include "git_workspace/folder.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "davit/failure.hpp"

namespace {

namespace fs = std::filesystem;
using davit::Failure;
using testing::UnorderedElementsAre;

constexpr git::SweepLimits kRoomy{.bytes = 1 << 30, .files = 100'000};

class FolderTest : public testing::Test {
 protected:
  FolderTest() {
    std::string pattern = (fs::temp_directory_path() / "davit-folder-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    fs::create_directories(tree());
    put(folder_ / "outside/kept", "kept");
  }
  ~FolderTest() override { git::remove_folder(folder_); }

  fs::path tree() const { return folder_ / "tree"; }
  fs::path outside() const { return folder_ / "outside"; }
  static void put(const fs::path& file, const std::string& content) {
    fs::create_directories(file.parent_path());
    std::ofstream(file) << content;
  }
  static std::string content_of(const fs::path& file) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
  }

  fs::path folder_;
};

TEST_F(FolderTest, IsRemovedWithAllInIt) {
  put(tree() / "a/b/c", "x");
  put(tree() / "davit-moved-0", "x");
  put(tree() / "davit-moved-1/davit-moved-0/x", "x");
  fs::create_symlink(outside(), tree() / "a/link");
  fs::create_symlink("nowhere", tree() / "dangling");
  mkfifo((tree() / "pipe").c_str(), 0600);
  EXPECT_TRUE(git::remove_folder(tree()));
  EXPECT_FALSE(fs::exists(tree()));
  EXPECT_EQ(content_of(outside() / "kept"), "kept");
  EXPECT_TRUE(git::remove_folder(tree())) << "what is not there is removed";
}

TEST_F(FolderTest, ALinkInItsPlaceIsNotFollowed) {
  fs::create_symlink(outside(), folder_ / "link");
  EXPECT_FALSE(git::remove_folder(folder_ / "link"));
  EXPECT_EQ(content_of(outside() / "kept"), "kept");
}

TEST_F(FolderTest, WhatNobodyMayReadIsRemovedToo) {
  put(tree() / "a/b/c", "x");
  fs::permissions(tree() / "a/b", fs::perms::none);
  fs::permissions(tree() / "a", fs::perms::none);
  EXPECT_TRUE(git::remove_folder(tree()));
}

// Made step by step: no path to the innermost is short enough for the system.
void nest(const fs::path& top, int depth) {
  int folder = open(top.c_str(), O_RDONLY | O_DIRECTORY);
  for (int i = 0; i < depth; ++i) {
    ASSERT_EQ(mkdirat(folder, "nested-folder", 0700), 0);
    const int next = openat(folder, "nested-folder", O_RDONLY | O_DIRECTORY);
    close(folder);
    folder = next;
  }
  close(folder);
}

TEST_F(FolderTest, NoDepthIsTooDeepToRemove) {
  nest(tree(), 2000);
  EXPECT_TRUE(git::remove_folder(tree()));
}

TEST_F(FolderTest, SweepingRefusesATreeThatIsTooDeep) {
  nest(tree(), git::kDeepest);
  EXPECT_NO_THROW(git::sweep(tree(), kRoomy));
  fs::remove_all(tree());
  fs::create_directories(tree());
  nest(tree(), git::kDeepest + 1);
  EXPECT_THROW(git::sweep(tree(), kRoomy), Failure);
}

TEST_F(FolderTest, SweepingRemovesEachRepositoryUnread) {
  put(tree() / ".git/config", "x");
  put(tree() / "a/.git/deep/er/config", "x");
  put(tree() / "b/.git", "gitdir: ../../outside");
  fs::create_directories(tree() / "c");
  fs::create_symlink(outside(), tree() / "c/.git");
  mkfifo((tree() / "a/b.git").c_str(), 0600);
  put(tree() / "d/.gitignore", "x");
  put(tree() / "e/x", "x");
  fs::permissions(tree() / "e", fs::perms::none);
  fs::create_symlink(outside(), tree() / "f");
  put(outside() / ".git/config", "kept");

  const git::Swept swept = git::sweep(tree(), kRoomy);
  EXPECT_THAT(swept.repositories, UnorderedElementsAre("", "a", "b", "c"));
  for (const char* gone : {".git", "a/.git", "b/.git", "c/.git"})
    EXPECT_FALSE(fs::exists(fs::symlink_status(tree() / gone))) << gone;
  EXPECT_EQ(content_of(tree() / "d/.gitignore"), "x");
  EXPECT_EQ(content_of(tree() / "e/x"), "x");
  EXPECT_EQ(content_of(outside() / ".git/config"), "kept");
}

TEST_F(FolderTest, SweepingRefusesATreeThatIsTooLarge) {
  put(tree() / "a", std::string(1000, 'x'));
  put(tree() / "b", "x");
  EXPECT_NO_THROW(git::sweep(tree(), {.bytes = 1001, .files = 2}));
  EXPECT_THROW(git::sweep(tree(), {.bytes = 1000, .files = 2}), Failure);
  EXPECT_THROW(git::sweep(tree(), {.bytes = 1001, .files = 1}), Failure);
}

TEST_F(FolderTest, WritesAndRemovesFilesOfTheTree) {
  git::write_below(tree(), "docs/plans/a.md", "one, and more");
  EXPECT_EQ(content_of(tree() / "docs/plans/a.md"), "one, and more");
  git::write_below(tree(), "docs/plans/a.md", "two");
  EXPECT_EQ(content_of(tree() / "docs/plans/a.md"), "two");
  git::remove_below(tree(), "docs/plans/a.md");
  EXPECT_FALSE(fs::exists(tree() / "docs/plans/a.md"));
  EXPECT_NO_THROW(git::remove_below(tree(), "docs/plans/a.md"));
  EXPECT_NO_THROW(git::remove_below(tree(), "no/where"));
}

TEST_F(FolderTest, NeverWritesOrRemovesThroughALink) {
  fs::create_symlink(outside(), tree() / "docs");
  fs::create_symlink(outside() / "kept", tree() / "file");
  for (const char* path : {"docs/kept", "docs/new/x", "file"}) {
    EXPECT_THROW(git::write_below(tree(), path, "overwritten"), Failure) << path;
  }
  EXPECT_THROW(git::remove_below(tree(), "docs/kept"), Failure);
  EXPECT_FALSE(git::is_empty_folder_below(tree(), "docs"));
  EXPECT_FALSE(git::is_empty_folder_below(tree(), "docs/made"));
  EXPECT_FALSE(fs::exists(outside() / "made"));
  EXPECT_FALSE(fs::exists(outside() / "new"));
  EXPECT_EQ(content_of(outside() / "kept"), "kept");
}

TEST_F(FolderTest, RefusesPathsThatAreNotPlain) {
  for (const char* path : {"", "/etc/x", "../x", "a/../x", "a//x", "a/", "./x", ".git/config", "a/.git"})
    EXPECT_THROW(git::write_below(tree(), path, "x"), Failure) << path;
  mkfifo((tree() / "pipe").c_str(), 0600);
  EXPECT_THROW(git::write_below(tree(), "pipe", "x"), Failure) << "it would wait for a reader";
}

TEST_F(FolderTest, KnowsAnEmptyFolderAndMakesOne) {
  EXPECT_TRUE(git::is_empty_folder_below(tree(), "libs/sub"));
  EXPECT_TRUE(fs::is_directory(tree() / "libs/sub"));
  put(tree() / "libs/sub/x", "x");
  EXPECT_FALSE(git::is_empty_folder_below(tree(), "libs/sub"));
  put(tree() / "file", "x");
  EXPECT_FALSE(git::is_empty_folder_below(tree(), "file"));
}

}  // namespace
