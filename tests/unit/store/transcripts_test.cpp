#include "host/store/transcripts.h"

#include "host/store/database.h"
#include "host/store/statement.h"
#include "tests/unit/store/conformance.h"

namespace davit::store {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class TranscriptsTest : public StoreTest {
 protected:
  TranscriptsTest() {
    id_ = create();
    claimed_ = claim_one();
  }
  std::vector<TranscriptLine> some_lines(int from, int to) const {
    std::vector<TranscriptLine> lines;
    for (int i = from; i <= to; ++i)
      lines.push_back({"stderr", "line " + std::to_string(i), clock_.wall() + Duration(i)});
    return lines;
  }
  void report(TranscriptNews news) {
    LiveReport report{.fence = claimed_.fence};
    report.transcript = std::move(news);
    ASSERT_TRUE(wait([&](auto done) { store().report({report}, done); }).ok());
  }
  std::vector<TranscriptLine> read(int limit = 1'000, std::optional<std::int64_t> after = std::nullopt) {
    return store().transcript(claimed_.session_id, limit, {.after = after, .before = {}}).value();
  }
  std::vector<TranscriptLine> read_before(std::int64_t number, int limit = 1'000) {
    return store().transcript(claimed_.session_id, limit, {.after = {}, .before = number}).value();
  }
  // Lines from..to with their numbers.
  static void expect_lines(const std::vector<TranscriptLine>& lines, int from, int to) {
    ASSERT_EQ(lines.size(), static_cast<std::size_t>(std::max(to - from + 1, 0)));
    for (int i = from; i <= to; ++i) {
      const TranscriptLine& line = lines[static_cast<std::size_t>(i - from)];
      EXPECT_EQ(line.text, "line " + std::to_string(i));
      EXPECT_EQ(line.number, i);
    }
  }
  std::int64_t count(const std::string& table) {
    auto opened = Database::open(database_.path(), Database::Mode::Read, "");
    return std::get<0>(opened)->integer(("SELECT count(*) FROM " + table).c_str());
  }
  void execute(const std::string& sql) {
    auto opened = Database::open(database_.path(), Database::Mode::Write, "");
    std::get<0>(opened)->execute(sql.c_str());
    ASSERT_FALSE(std::get<0>(opened)->failed());
  }
  std::string id_;
  ClaimedTask claimed_;
};

TEST_F(TranscriptsTest, WhatWasPackedReadsAsItWasSaid) {
  std::vector<TranscriptLine> said{
      {"assistant", "a \"quoted\" line\twith\nbreaks \u2028 and \\", clock_.wall()},
      {"", "", clock_.wall() + Duration(1)},
      {"tool", R"({"json":[1,2]})", clock_.wall() + Duration(2)},
      {"t\"ool", std::string(70'000, 'x') + "\u00fc", clock_.wall()}};
  report({.packs = {pack_lines(1, said)}});
  const std::vector<TranscriptLine> lines = read();
  ASSERT_EQ(lines.size(), said.size());
  for (std::size_t i = 0; i < said.size(); ++i) {
    EXPECT_EQ(lines[i].kind, said[i].kind);
    EXPECT_EQ(lines[i].text, said[i].text);
    EXPECT_EQ(lines[i].at, said[i].at);
    EXPECT_EQ(lines[i].number, static_cast<std::int64_t>(i + 1));
  }
}

TEST_F(TranscriptsTest, APackTakesThePlaceOfTheSingleLinesBeforeIt) {
  report({.lines = some_lines(1, 10)});
  expect_lines(read(), 1, 10);
  report({.packs = {pack_lines(1, some_lines(1, 12))}, .lines = some_lines(13, 14)});
  EXPECT_EQ(count("transcript"), 2);
  expect_lines(read(), 1, 14);
  Finish end = finish_of(claimed_.fence);
  end.transcript.packs = {pack_lines(13, some_lines(13, 20))};
  ASSERT_TRUE(finish(end).ok());
  EXPECT_EQ(count("transcript"), 0);
  EXPECT_EQ(count("transcript_pack"), 2);
  expect_lines(read(), 1, 20);
  expect_sound();
}

TEST_F(TranscriptsTest, LinesAreFollowedByTheirNumbers) {
  report({.packs = {pack_lines(1, some_lines(1, 10)), pack_lines(11, some_lines(11, 20))},
          .lines = some_lines(21, 25)});
  expect_lines(read(1'000, 0), 1, 25);
  expect_lines(read(5, 0), 1, 5);
  expect_lines(read(5, 8), 9, 13);
  expect_lines(read(1'000, 10), 11, 25);
  expect_lines(read(2, 22), 23, 24);
  expect_lines(read(10, 19), 20, 25);
  EXPECT_THAT(read(10, 25), SizeIs(0));
  EXPECT_THAT(read(10, 99), SizeIs(0));
  // Without a number: the newest.
  expect_lines(read(3), 23, 25);
  expect_lines(read(7), 19, 25);
  expect_lines(read(25), 1, 25);
}

TEST_F(TranscriptsTest, LinesAreReadBackByTheirNumbers) {
  report({.packs = {pack_lines(1, some_lines(1, 10)), pack_lines(11, some_lines(11, 20))},
          .lines = some_lines(21, 25)});
  expect_lines(read_before(99), 1, 25);
  expect_lines(read_before(26, 2), 24, 25);
  expect_lines(read_before(24, 2), 22, 23);
  expect_lines(read_before(22, 5), 17, 21);
  expect_lines(read_before(21), 1, 20);
  expect_lines(read_before(21, 3), 18, 20);
  expect_lines(read_before(16, 8), 8, 15);
  expect_lines(read_before(11, 4), 7, 10);
  expect_lines(read_before(2), 1, 1);
  EXPECT_THAT(read_before(1), SizeIs(0));
  // Page by page each line is there once, also where some are packed meanwhile.
  std::vector<std::int64_t> numbers;
  for (std::int64_t first = 26; first > 1; first = numbers.back()) {
    const auto page = read_before(first, 4);
    ASSERT_FALSE(page.empty());
    for (auto line = page.rbegin(); line != page.rend(); ++line) numbers.push_back(line->number);
    if (first == 26) report({.packs = {pack_lines(21, some_lines(21, 25))}});
  }
  ASSERT_THAT(numbers, SizeIs(25));
  for (std::size_t i = 0; i < numbers.size(); ++i) EXPECT_EQ(numbers[i], static_cast<std::int64_t>(25 - i));
}

TEST_F(TranscriptsTest, APackThatComesTwiceIsKeptOnce) {
  report({.packs = {pack_lines(1, some_lines(1, 10))}});
  Finish end = finish_of(claimed_.fence);
  end.transcript.packs = {pack_lines(1, some_lines(1, 10)), pack_lines(11, some_lines(11, 12))};
  ASSERT_TRUE(finish(end).ok());
  expect_lines(read(), 1, 12);
  EXPECT_EQ(count("transcript_pack"), 2);
  expect_sound();
}

TEST_F(TranscriptsTest, WhatIsLeftOutIsTold) {
  report({.packs = {pack_lines(1, some_lines(1, 5)), pack_lines(6, some_lines(6, 9)),
                    pack_lines(10, some_lines(10, 12))}});
  report({.left_out_from = 6, .left_out_to = 10});
  const std::vector<TranscriptLine> lines = read();
  ASSERT_EQ(lines.size(), 9u);
  EXPECT_EQ(lines[5].kind, "davit");
  EXPECT_EQ(lines[5].text, "4 lines are left out here (transcripts.max_size)");
  EXPECT_EQ(lines[5].number, 9);
  EXPECT_EQ(lines[6].number, 10);
  EXPECT_EQ(read(10, 7).at(0).number, 9) << "who follows is told as well";
  EXPECT_EQ(read(10, 9).at(0).text, "line 10");
  EXPECT_EQ(read_before(10).back().number, 9) << "and so is who reads back";
  expect_lines(read_before(9), 1, 5);
  expect_lines(read_before(7), 1, 5);
  const auto across = read_before(11, 3);
  ASSERT_EQ(across.size(), 3u);
  EXPECT_EQ(across[0].text, "line 5");
  EXPECT_EQ(across[1].kind, "davit");
}

TEST_F(TranscriptsTest, ADamagedPackIsToldInItsPlace) {
  report({.packs = {pack_lines(1, some_lines(1, 5)), pack_lines(6, some_lines(6, 9))},
          .lines = some_lines(10, 11)});
  execute("UPDATE transcript_pack SET packed = substr(packed, 1, length(packed) - 5) WHERE first_line = 1");
  const std::vector<TranscriptLine> lines = read();
  ASSERT_EQ(lines.size(), 7u);
  EXPECT_EQ(lines[0].text, "5 lines are not readable: packed bytes are damaged");
  EXPECT_EQ(lines[0].number, 5);
  EXPECT_EQ(lines[6].number, 11);
  expect_lines(read_before(10, 4), 6, 9);
  EXPECT_EQ(read_before(10, 5).at(0).number, 5);
  EXPECT_EQ(read_before(6, 3).at(0).number, 5);
  EXPECT_THAT(read_before(5), SizeIs(0));
  execute("UPDATE transcript_pack SET bytes = 7 WHERE first_line = 6");
  EXPECT_THAT(read().at(1).text, HasSubstr("more than the 7 that they are said to be"));
  const auto findings = verify(database_.path()).value();
  ASSERT_EQ(findings.size(), 2u);
  EXPECT_THAT(findings[0], HasSubstr("lines cannot be read (packed bytes are damaged): transcript_pack row"));
}

TEST_F(TranscriptsTest, WhoHasEndedSaysNothingMore) {
  ASSERT_TRUE(finish(finish_of(claimed_.fence)).ok());
  report({.packs = {pack_lines(1, some_lines(1, 5))}, .lines = some_lines(6, 7)});
  EXPECT_THAT(read(), SizeIs(0));
  EXPECT_EQ(count("transcript_pack"), 0);
}

TEST_F(TranscriptsTest, ALostExecutionKeepsItsSingleLines) {
  report({.packs = {pack_lines(1, some_lines(1, 5))}, .lines = some_lines(6, 7)});
  clock_.advance(2 * kLease);
  ASSERT_EQ(reap(), 1);
  ASSERT_EQ(task(id_).executions.at(0).outcome, "lost");
  expect_lines(read(), 1, 7);
  expect_sound();
}

}  // namespace
}  // namespace davit::store
