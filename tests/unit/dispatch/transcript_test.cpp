// A transcript on its way into a real store.
#include "host/dispatch/transcript.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fake_clock.h"
#include "tests/support/temp_database.h"

namespace davit::dispatch {
namespace {

using davit::testing::wait;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class TranscriptTest : public ::testing::Test {
 protected:
  TranscriptTest() {
    NewTask task;
    task.agent = "worker";
    wait<std::string>([&](auto done) { store().create_task(task, "test", std::nullopt, done); }).value();
    claimed_ = wait<std::vector<ClaimedTask>>([&](auto done) {
                 store().claim({.agents = {{"worker", 1}}, .limit = 1, .lease = Duration(45'000)}, done);
               })
                   .value()
                   .at(0);
  }
  store::Store& store() { return database_.store(); }
  std::string line(int number) const { return "line " + std::to_string(number) + std::string(80, '.'); }
  void say(Transcript& transcript, int from, int to) {
    for (int i = from; i <= to; ++i) transcript.add("stderr", line(i), clock_.wall());
  }
  std::vector<std::int64_t> send(const store::TranscriptNews& news) {
    std::vector<std::int64_t> packs;
    for (const store::TranscriptPack& pack : news.packs) packs.push_back(pack.first_line);
    store::LiveReport report{.fence = claimed_.fence};
    report.transcript = news;
    EXPECT_TRUE(wait([&](auto done) { store().report({report}, done); }).ok());
    return packs;
  }
  // A report that the store takes.
  void flush(Transcript& transcript) { transcript.stored(send(transcript.take(clock_.wall()))); }
  void finish(Transcript& transcript) {
    store::Finish finish;
    finish.fence = claimed_.fence;
    finish.outcome = "completed";
    finish.result.success = true;
    finish.transcript = transcript.take_rest(clock_.wall());
    EXPECT_TRUE(wait<TaskState>([&](auto done) { store().finish(finish, done); }).ok());
  }
  std::vector<store::TranscriptLine> read(int limit = 100'000) {
    return store().transcript(claimed_.session_id, limit).value();
  }
  void expect_all(int count) {
    const auto lines = read();
    ASSERT_EQ(lines.size(), static_cast<std::size_t>(count));
    for (int i = 1; i <= count; ++i) {
      EXPECT_EQ(lines[static_cast<std::size_t>(i - 1)].text, line(i));
      EXPECT_EQ(lines[static_cast<std::size_t>(i - 1)].number, i);
    }
  }
  davit::testing::FakeClock clock_;
  davit::testing::TempDatabase database_{clock_};
  ClaimedTask claimed_;
};

TEST_F(TranscriptTest, LinesAreThereAtOnceAndPackedWhenThereAreEnough) {
  Transcript transcript(4 << 20);
  EXPECT_FALSE(transcript.has_news());
  say(transcript, 1, 3);
  EXPECT_TRUE(transcript.has_news());
  EXPECT_FALSE(transcript.should_go());
  flush(transcript);
  EXPECT_FALSE(transcript.has_news());
  expect_all(3);
  say(transcript, 4, 1'000);
  EXPECT_TRUE(transcript.should_go());
  const store::TranscriptNews news = transcript.take(clock_.wall());
  ASSERT_THAT(news.packs, SizeIs(1));
  EXPECT_EQ(news.packs[0].first_line, 1);
  EXPECT_LT(news.packs[0].packed.size(), static_cast<std::size_t>(news.packs[0].bytes) / 4);
  transcript.stored(send(news));
  expect_all(1'000);
  say(transcript, 1'001, 1'010);
  finish(transcript);
  expect_all(1'010);
}

TEST_F(TranscriptTest, WhatTheStoreDidNotTakeComesWithTheResult) {
  Transcript transcript(4 << 20);
  say(transcript, 1, 900);
  (void)transcript.take(clock_.wall());  // lost
  say(transcript, 901, 1'800);
  flush(transcript);
  finish(transcript);
  expect_all(1'800);
}

TEST_F(TranscriptTest, APackOnItsWayTwiceIsThereOnce) {
  Transcript transcript(4 << 20);
  say(transcript, 1, 900);
  send(transcript.take(clock_.wall()));  // the answer has not come yet
  finish(transcript);
  expect_all(900);
}

TEST_F(TranscriptTest, ALongTranscriptKeepsItsBeginningAndItsEnd) {
  constexpr std::size_t kMax = 64 << 10;
  constexpr int kLines = 5'000;
  Transcript transcript(kMax);
  for (int i = 1; i <= kLines; ++i) {
    say(transcript, i, i);
    if (i % 100 == 0) flush(transcript);
  }
  finish(transcript);
  const auto lines = read();
  const auto gap = std::find_if(lines.begin(), lines.end(),
                                [](const store::TranscriptLine& each) { return each.kind == "davit"; });
  ASSERT_NE(gap, lines.end());
  EXPECT_THAT(gap->text, HasSubstr("lines are left out here (transcripts.max_size)"));
  std::size_t head = 0, tail = 0;
  for (auto each = lines.begin(); each != lines.end(); ++each) {
    if (each == gap) continue;
    EXPECT_EQ(each->text, line(static_cast<int>(each->number)));
    (each < gap ? head : tail) += each->text.size();
  }
  EXPECT_EQ(lines.front().number, 1);
  EXPECT_EQ(lines.back().number, kLines);
  EXPECT_EQ((gap + 1)->number, gap->number + 1);
  EXPECT_EQ(std::stoll(gap->text), gap->number - (gap - 1)->number) << "as many as are missing";
  EXPECT_LE(head + tail, kMax);
  EXPECT_GT(head, kMax / 16);
  EXPECT_GT(tail, head);
  EXPECT_EQ(std::count_if(lines.begin(), lines.end(),
                          [](const store::TranscriptLine& each) { return each.kind == "davit"; }),
            1);
}

TEST_F(TranscriptTest, WhatComesFasterThanItIsStoredIsDroppedSayingSo) {
  Transcript transcript(256 << 20);
  std::uint32_t seed = 1;
  int said = 0;
  // Hardly anything can be packed smaller here, and nobody stores it.
  for (std::size_t bytes = 0; bytes < 3u << 20; ++said) {
    std::string text;
    for (int i = 0; i < 1'000; ++i) {
      seed = seed * 1664525 + 1013904223;
      text += static_cast<char>('!' + (seed >> 24) % 90);
    }
    bytes += text.size();
    transcript.add("stdout", text, clock_.wall());
  }
  finish(transcript);
  const auto lines = read();
  ASSERT_LT(lines.size(), static_cast<std::size_t>(said));
  EXPECT_EQ(lines.back().kind, "davit");
  EXPECT_EQ(lines.back().text, std::to_string(static_cast<std::size_t>(said) - (lines.size() - 1)) +
                                   " lines dropped: they came faster than they could be stored");
}

}  // namespace
}  // namespace davit::dispatch
