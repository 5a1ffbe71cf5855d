#include "host/live/folder_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/support/no_descriptors.h"
#include "tests/support/temp_database.h"

namespace davit::live {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class FolderWatchTest : public ::testing::Test {
 protected:
  FolderWatchTest() { fs::create_directory(drop()); }
  fs::path drop() const { return fs::canonical(folder_.path()) / "drop"; }
  void watch(const fs::path& folder) {
    auto opened = FolderWatch::open(folder);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    watch_ = std::make_unique<FolderWatch>(std::move(*opened));
  }
  // Events of what was done before are there when the call that did it returns.
  bool readable() const {
    pollfd waits{watch_->fd(), POLLIN, 0};
    return ::poll(&waits, 1, 0) == 1;
  }
  bool changed() { return watch_->take().changed; }
  static void write(const fs::path& file, const std::string& bytes = "x") {
    std::ofstream(file, std::ios::binary) << bytes;
  }
  testing::TempFolder folder_;
  std::unique_ptr<FolderWatch> watch_;
};

TEST_F(FolderWatchTest, ALibraryThatIsWrittenAndClosedIsFinished) {
  watch(drop());
  EXPECT_FALSE(readable());
  write(drop() / "a.so");
  EXPECT_TRUE(readable());
  auto news = watch_->take();
  EXPECT_TRUE(news.changed);
  EXPECT_THAT(news.finished, ElementsAre(drop() / "a.so"));
  EXPECT_FALSE(readable());
}

TEST_F(FolderWatchTest, FoldersStayWatchedWhenThereIsNoDescriptorToListThem) {
  fs::create_directory(drop() / "more");
  watch(drop());
  {
    testing::NoDescriptors none;
    fs::create_directory(drop() / "another");
    EXPECT_TRUE(changed());
  }
  write(drop() / "more/a.so");
  EXPECT_THAT(watch_->take().finished, ElementsAre(drop() / "more/a.so"));
}

TEST_F(FolderWatchTest, ALibraryThatIsStillOpenIsNews) {
  watch(drop());
  std::ofstream open(drop() / "a.so");
  open << "x" << std::flush;
  auto news = watch_->take();
  EXPECT_TRUE(news.changed);
  EXPECT_THAT(news.finished, IsEmpty());
}

TEST_F(FolderWatchTest, ALibraryThatIsRenamedIntoPlaceIsFinished) {
  write(drop() / ".a.tmp");
  watch(drop());
  fs::rename(drop() / ".a.tmp", drop() / "a.so");
  EXPECT_THAT(watch_->take().finished, ElementsAre(drop() / "a.so"));
}

TEST_F(FolderWatchTest, WhatIsNoLibraryIsNoNews) {
  watch(drop());
  write(drop() / "notes.txt");
  write(drop() / ".a.so.part");
  EXPECT_FALSE(changed());
}

TEST_F(FolderWatchTest, ChangesOfModeAndRemovalsAreNews) {
  write(drop() / "a.so");
  watch(drop());
  ::chmod((drop() / "a.so").c_str(), 0600);
  EXPECT_TRUE(changed());
  fs::remove(drop() / "a.so");
  EXPECT_TRUE(changed());
  ::chmod(drop().c_str(), 0700);
  EXPECT_TRUE(changed());
}

TEST_F(FolderWatchTest, FoldersInTheFolderAreWatchedWhetherTheyAreOldOrNew) {
  fs::create_directory(drop() / "old");
  watch(drop());
  write(drop() / "old/a.so");
  EXPECT_THAT(watch_->take().finished, ElementsAre(drop() / "old/a.so"));
  fs::create_directory(drop() / "new");
  EXPECT_TRUE(changed());
  write(drop() / "new/b.so");
  EXPECT_THAT(watch_->take().finished, ElementsAre(drop() / "new/b.so"));
  fs::remove_all(drop() / "new");
  EXPECT_TRUE(changed());
}

TEST_F(FolderWatchTest, AFolderThatGoesAndComesBackIsWatchedAgain) {
  watch(drop());
  fs::remove_all(drop());
  EXPECT_TRUE(changed());
  fs::create_directory(drop());
  EXPECT_TRUE(changed());
  write(drop() / "a.so");
  EXPECT_THAT(watch_->take().finished, ElementsAre(drop() / "a.so"));
}

TEST_F(FolderWatchTest, AFolderThatIsExchangedForAnotherIsWatchedInItsPlace) {
  const fs::path other = drop().parent_path() / "other", aside = drop().parent_path() / "aside";
  fs::create_directory(other);
  watch(drop());
  fs::rename(drop(), aside);
  fs::rename(other, drop());
  EXPECT_TRUE(changed());
  write(drop() / "a.so");
  EXPECT_THAT(watch_->take().finished, ElementsAre(drop() / "a.so"));
  write(aside / "b.so");
  EXPECT_FALSE(changed());
}

TEST_F(FolderWatchTest, AFolderThatDoesNotExistYetIsNoticedWhenItComes) {
  const fs::path deep = drop() / "not/yet";
  watch(deep);
  EXPECT_FALSE(changed());
  fs::create_directory(drop() / "not");
  EXPECT_TRUE(changed());
  fs::create_directory(deep);
  EXPECT_TRUE(changed());
  write(deep / "a.so");
  EXPECT_THAT(watch_->take().finished, ElementsAre(deep / "a.so"));
}

TEST_F(FolderWatchTest, ALinkToAFolderIsFollowedAndItsExchangeNoticed) {
  const fs::path link = drop().parent_path() / "link", other = drop().parent_path() / "other";
  fs::create_directory(other);
  fs::create_directory_symlink(drop(), link);
  watch(link);
  write(drop() / "a.so");
  EXPECT_TRUE(changed());
  fs::create_directory_symlink(other, link.string() + ".new");
  fs::rename(link.string() + ".new", link);
  EXPECT_TRUE(changed());
  write(other / "b.so");
  EXPECT_TRUE(changed());
}

TEST_F(FolderWatchTest, AQueueThatOverflowsIsNews) {
  std::ifstream limit_file("/proc/sys/fs/inotify/max_queued_events");
  int limit = 0;
  limit_file >> limit;
  ASSERT_GT(limit, 0);
  watch(drop());
  // Events about the same file in a row are one; two names that take turns are not.
  for (int i = 0; i <= limit; ++i) write(drop() / (i % 2 == 0 ? "a" : "b"));
  EXPECT_TRUE(changed());
  write(drop() / "a.so");
  EXPECT_THAT(watch_->take().finished, ElementsAre(drop() / "a.so"));
}

}  // namespace
}  // namespace davit::live
