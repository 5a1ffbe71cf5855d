#include "host/isolation/usage_file.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/temp_database.h"

namespace davit::isolation {
namespace {

Usage totals(std::int64_t micro_usd, bool estimate = true) {
  Usage usage;
  usage.input_tokens = 10;
  usage.output_tokens = 20;
  usage.cache_read_tokens = 30;
  usage.cache_write_tokens = 40;
  usage.cost_micro_usd = micro_usd;
  usage.cost_is_estimate = estimate;
  usage.model = "a-name-that-might-be-a-secret";
  return usage;
}

class UsageFileTest : public ::testing::Test {
 protected:
  std::filesystem::path path() const { return folder_.path() / "session.usage"; }
  std::int64_t cost() const {
    const auto read = read_usage_file(path());
    return read ? read->cost_micro_usd : -1;
  }
  std::string content() const {
    std::ifstream stream(path());
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  testing::TempFolder folder_;
  UsageFile file_;
};

TEST_F(UsageFileTest, TheNewestTotalsAreReadWithoutAnyText) {
  EXPECT_EQ(read_usage_file(path()), std::nullopt);
  file_.begin(path());
  EXPECT_FALSE(std::filesystem::exists(path())) << "who reports nothing leaves nothing";
  file_.add(totals(100));
  file_.add(totals(90, false));
  const auto read = read_usage_file(path());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->input_tokens, 10);
  EXPECT_EQ(read->output_tokens, 20);
  EXPECT_EQ(read->cache_read_tokens, 30);
  EXPECT_EQ(read->cache_write_tokens, 40);
  EXPECT_EQ(read->cost_micro_usd, 90);
  EXPECT_FALSE(read->cost_is_estimate);
  EXPECT_EQ(content().find("name"), std::string::npos);
}

TEST_F(UsageFileTest, AnExecutionThatFollowsHasAFileOfItsOwn) {
  file_.begin(path());
  file_.add(totals(100));
  file_.begin(folder_.path() / "other.usage");
  file_.add(totals(7));
  EXPECT_EQ(cost(), 100);
  file_.begin("");
  file_.add(totals(8));
  EXPECT_EQ(read_usage_file(folder_.path() / "other.usage")->cost_micro_usd, 7);
}

TEST_F(UsageFileTest, OfManyReportsTheLastIsFound) {
  file_.begin(path());
  for (int i = 1; i <= 1000; ++i) file_.add(totals(i));
  EXPECT_EQ(cost(), 1000);
}

// A writer may be killed between any two bytes.
TEST_F(UsageFileTest, WhateverIsCutOffTheLastWholeLineCounts) {
  file_.begin(path());
  file_.add(totals(100));
  file_.add(totals(200));
  const std::string whole = content();
  const std::size_t first = whole.find('\n') + 1;
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    std::ofstream(path()) << whole.substr(0, size);
    EXPECT_EQ(cost(), size < first ? -1 : size < whole.size() ? 100 : 200) << size;
  }
}

TEST_F(UsageFileTest, WhatIsNoneIsNotBelieved) {
  for (const char* line : {"", "\n", "1 2 3 4 5\n", "1 2 3 4 -5 0\n", "1 2 3 4 5 0 6\n", "a b c d e f\n"}) {
    std::ofstream(path()) << line;
    EXPECT_EQ(cost(), -1) << line;
  }
  std::filesystem::remove(path());
  std::ofstream(folder_.path() / "real") << "1 2 3 4 5 0\n";
  std::filesystem::create_symlink(folder_.path() / "real", path());
  EXPECT_EQ(cost(), -1) << "a link is not followed";
  file_.begin(path());
  file_.add(totals(100));
  std::filesystem::remove(path());
  std::filesystem::create_directory(path());
  EXPECT_EQ(cost(), -1);
}

}  // namespace
}  // namespace davit::isolation
