// What is heard of a session while it runs, and what it is said to have cost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "tests/agents/claude_cli/streams.h"

namespace {

using claude::End;
using claude::Lines;
using claude::Outcome;
using claude::Transcript;
using streams::bytes_of;
using streams::exited;
using streams::killed_by;
using streams::outcome_of;
using streams::outcome_of_stream;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

constexpr char kMain[] = "claude-sonnet-4-5-20250929";
constexpr char kSmall[] = "claude-haiku-4-5-20251001";

std::vector<std::string> lines_of(std::string_view bytes, std::size_t step, std::size_t most = 100) {
  std::vector<std::string> lines;
  const auto take = [&](std::string_view line) { lines.emplace_back(line); };
  Lines cut(most);
  for (; !bytes.empty(); bytes.remove_prefix(std::min(step, bytes.size())))
    cut.add(bytes.substr(0, step), take);
  cut.finish(take);
  return lines;
}

TEST(ClaudeStreamTest, LinesAreTheSameHoweverTheyAreCut) {
  for (std::size_t step = 1; step <= 12; ++step)
    EXPECT_THAT(lines_of("one\n\ntwo\r\nthree", step), ElementsAre("one", "", "two\r", "three")) << step;
  EXPECT_THAT(lines_of("", 1), IsEmpty());
}

TEST(ClaudeStreamTest, ALineOfTheMostBytesIsTakenAndALongerOneIsDroppedAndCounted) {
  for (const std::size_t step : {1, 3, 1000}) {
    EXPECT_THAT(lines_of("abcde\nabcdef\nx\n", step, 5), ElementsAre("abcde", "x")) << step;
    EXPECT_THAT(lines_of("x\nabcdefgh", step, 5), ElementsAre("x")) << step;
  }
  Lines cut(5);
  const auto ignore = [](std::string_view) {};
  cut.add("abcdefgh\nabc", ignore);
  EXPECT_EQ(cut.too_long(), 1u);
  cut.add("defgh", ignore);
  cut.finish(ignore);
  EXPECT_EQ(cut.too_long(), 2u);
}

TEST(ClaudeStreamTest, ALineWithoutEndIsHeldInBoundedMemory) {
  constexpr std::size_t kMost = 1 << 20;
  Lines cut(kMost);
  int lines = 0;
  const std::string piece(64 * 1024, 'x');
  std::size_t most_held = 0;
  for (int i = 0; i < 1024; ++i) {
    cut.add(piece, [&](std::string_view) { ++lines; });
    most_held = std::max(most_held, cut.held());
  }
  EXPECT_GE(most_held, kMost / 2) << "the line is not held at all";
  EXPECT_LE(most_held, 2 * kMost);
  EXPECT_LE(cut.held(), 1024u) << "a line that is dropped takes no room";
  cut.add("\nnext\n", [&](std::string_view line) { lines += line == "next"; });
  EXPECT_EQ(lines, 1);
}

TEST(ClaudeStreamTest, ABufferThatALongLineNeededIsGivenBack) {
  Lines cut(16 << 20);
  const std::string half(2 << 20, 'x');
  std::size_t size = 0;
  cut.add(half, [](std::string_view) {});
  cut.add(half + "\n", [&](std::string_view line) { size = line.size(); });
  EXPECT_EQ(size, 2 * half.size());
  EXPECT_LE(cut.held(), 1024u * 1024u);
}

TEST(ClaudeStreamTest, ALineOfThreeMegabytesIsRead) {
  const std::string big(3'000'000, 'x');
  std::string bytes = bytes_of("success");
  const std::size_t at = bytes.find("The date is compared as text.\",\"stop_reason\"");
  ASSERT_NE(at, std::string::npos);
  bytes.insert(at, big);
  for (const std::size_t step : {std::size_t{4096}, std::size_t{65536}, bytes.size()}) {
    const Outcome outcome = outcome_of(bytes, {}, {}, step);
    EXPECT_EQ(outcome.end, End::Ok) << outcome.why;
    EXPECT_EQ(outcome.text, big + "The date is compared as text.");
    EXPECT_EQ(outcome.skipped.too_long, 0u);
  }
}

TEST(ClaudeStreamTest, ALineOfFiftyMegabytesIsSkippedAndTheNextOneIsRead) {
  Transcript session({}, claude::usual_prices());
  session.take("{\"type\":\"user\",\"message\":\"");
  const std::string piece(1 << 20, 'x');
  for (int i = 0; i < 50; ++i) session.take(piece);
  session.take("\"}\n" + bytes_of("success"));
  const Outcome outcome = std::move(session).finish({});
  EXPECT_EQ(outcome.end, End::Ok) << outcome.why;
  EXPECT_EQ(outcome.skipped.too_long, 1u);
}

TEST(ClaudeStreamTest, AnOutcomeDoesNotDependOnHowItsBytesCame) {
  for (const char* name : {"success", "streamed", "chatter", "half_line", "interrupted_line", "two_models"}) {
    const std::string bytes = bytes_of(name);
    const Outcome whole = outcome_of(bytes, {}, {}, bytes.size());
    for (const std::size_t step : {1, 7, 512}) {
      const Outcome pieces = outcome_of(bytes, {}, {}, step);
      EXPECT_EQ(pieces.end, whole.end) << name;
      EXPECT_EQ(pieces.why, whole.why) << name;
      EXPECT_EQ(pieces.text, whole.text) << name;
      EXPECT_EQ(pieces.usage.to_json().dump(), whole.usage.to_json().dump()) << name;
    }
  }
}

TEST(ClaudeStreamTest, SkipsChatter) {
  std::vector<std::pair<std::string, std::string>> told;
  Transcript session({}, claude::usual_prices(),
                     [&](std::string_view kind, std::string_view line) { told.emplace_back(kind, line); });
  session.take(bytes_of("chatter"));
  const Outcome outcome = std::move(session).finish({});
  EXPECT_EQ(outcome.end, End::Ok) << outcome.why;
  EXPECT_EQ(outcome.skipped.chatter, 3u) << "empty lines are none";
  EXPECT_EQ(outcome.skipped.unreadable, 0u);
  EXPECT_THAT(told, testing::Contains(Pair("stdout", "[DEBUG] connected")));
  EXPECT_THAT(told, testing::Contains(Pair("stdout", "(node:7) Warning: something is deprecated")));
}

TEST(ClaudeStreamTest, TellsEachBlockAsItComes) {
  std::vector<std::pair<std::string, std::string>> told;
  Transcript session({}, claude::usual_prices(),
                     [&](std::string_view kind, std::string_view line) { told.emplace_back(kind, line); });
  EXPECT_FALSE(session.started());
  session.take(bytes_of("killed"));
  EXPECT_TRUE(session.started());
  EXPECT_FALSE(session.has_result());
  EXPECT_THAT(told, ElementsAre(Pair("thinking", "The two dates are strings."),
                                Pair("tool", "Read {\"file_path\":\"/repo/dates.cpp\"}"),
                                Pair("tool-result", "1 bool later(string a, string b) { return a > b; }"),
                                Pair("assistant", "The date is compared as text.")));
}

TEST(ClaudeStreamTest, ALineOfTheTranscriptIsCutBetweenCharacters) {
  std::string told;
  Transcript session({}, claude::usual_prices(),
                     [&](std::string_view, std::string_view line) { told = line; });
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "ä";
  session.take(
      "{\"type\":\"assistant\",\"message\":{\"id\":\"a\",\"content\":[{\"type\":\"text\",\"text\":\"x" +
      text + "\"}]}}\n");
  EXPECT_EQ(told, "x" + text.substr(0, 4094));
}

TEST(ClaudeStreamTest, CountsAMessageOnceHoweverManyLinesRepeatIt) {
  std::string bytes = bytes_of("killed");
  bytes += bytes + bytes;
  const Outcome outcome = outcome_of(bytes, {.wait_status = killed_by(9)});
  EXPECT_EQ(outcome.usage.input_tokens, 12);
  EXPECT_EQ(outcome.usage.output_tokens, 420) << "of an id the largest figure counts";
  EXPECT_EQ(outcome.usage.cache_read_tokens, 21000);
  EXPECT_EQ(outcome.usage.cache_write_tokens, 7000);
  EXPECT_NEAR(outcome.usage.cost_usd, 0.038886, 1e-9);
}

TEST(ClaudeStreamTest, AKilledSessionHasItsCost) {
  const Outcome outcome = outcome_of_stream("killed", {.wait_status = killed_by(9)});
  EXPECT_EQ(outcome.end, End::Killed);
  EXPECT_NEAR(outcome.usage.cost_usd, 0.038886, 1e-9);
  EXPECT_TRUE(outcome.cost_is_estimate);
  EXPECT_TRUE(outcome.usage.cost_is_estimate) << "and says so wherever it is told";
  EXPECT_EQ(outcome.usage.model, kMain);
}

TEST(ClaudeStreamTest, WhatTwoSessionsUsedAddsUpModelByModel) {
  const davit::Usage killed = outcome_of_stream("killed", {.wait_status = killed_by(9)}).usage;
  const davit::Usage whole = outcome_of_stream("two_models").usage;
  const davit::Usage sum = claude::sum_of(killed, whole);
  EXPECT_DOUBLE_EQ(sum.cost_usd, killed.cost_usd + whole.cost_usd);
  EXPECT_EQ(sum.output_tokens, killed.output_tokens + whole.output_tokens);
  EXPECT_EQ(sum.models.at(kMain).input_tokens,
            killed.models.at(kMain).input_tokens + whole.models.at(kMain).input_tokens);
  EXPECT_EQ(sum.models.size(), whole.models.size());
  EXPECT_TRUE(sum.cost_is_estimate) << "as long as a part of it is";
  EXPECT_FALSE(claude::sum_of(whole, whole).cost_is_estimate);
  EXPECT_EQ(claude::sum_of({}, whole).to_json().dump(), whole.to_json().dump());
}

TEST(ClaudeStreamTest, WhatAnAnswerUsedIsKnownWhenItHasStreamed) {
  const Outcome outcome = outcome_of_stream("streamed", {.wait_status = killed_by(9)});
  EXPECT_EQ(outcome.usage.output_tokens, 640 + 90 + 55) << "the lines of the message itself said 1";
  EXPECT_EQ(outcome.usage.input_tokens, 40);
  EXPECT_NEAR(outcome.usage.cost_usd, 0.045035, 1e-9);
  ASSERT_EQ(outcome.usage.models.size(), 2u)
      << "a subagent's answer that streams at the same time is its own";
  EXPECT_EQ(outcome.usage.models.at(kSmall).output_tokens, 55);
}

TEST(ClaudeStreamTest, UsageIsToldWhenItChangesAndOnce) {
  Transcript session({}, claude::usual_prices());
  EXPECT_FALSE(session.new_usage());
  session.take(bytes_of("init_only"));
  EXPECT_FALSE(session.new_usage());
  session.take(bytes_of("killed"));
  const auto usage = session.new_usage();
  ASSERT_TRUE(usage);
  EXPECT_EQ(usage->output_tokens, 420);
  EXPECT_TRUE(usage->cost_is_estimate) << "so that what the session says at its end takes its place";
  EXPECT_FALSE(session.new_usage());
}

TEST(ClaudeStreamTest, TwoModelsAreKeptApart) {
  const Outcome outcome = outcome_of_stream("two_models");
  ASSERT_EQ(outcome.usage.models.size(), 2u);
  EXPECT_EQ(outcome.usage.models.at(kSmall).input_tokens, 600);
  EXPECT_DOUBLE_EQ(outcome.usage.models.at(kSmall).cost_usd, 0.001);
  EXPECT_EQ(outcome.usage.models.at(kMain).output_tokens, 420);
  EXPECT_DOUBLE_EQ(outcome.usage.models.at(kMain).cost_usd, 0.0421);
  EXPECT_EQ(outcome.usage.model, kMain) << "the one that cost most";
  EXPECT_EQ(outcome.usage.input_tokens, 612);
  EXPECT_DOUBLE_EQ(outcome.usage.cost_usd, 0.0431);
  EXPECT_FALSE(outcome.cost_is_estimate);
}

TEST(ClaudeStreamTest, TwoModelsAreKeptApartWithoutAResultAsWell) {
  const Outcome outcome = outcome_of_stream("two_models_killed");
  ASSERT_EQ(outcome.usage.models.size(), 2u);
  EXPECT_DOUBLE_EQ(outcome.usage.models.at(kSmall).cost_usd, 1);
  EXPECT_DOUBLE_EQ(outcome.usage.models.at(kMain).cost_usd, 3);
  EXPECT_EQ(outcome.usage.model, kMain);
}

TEST(ClaudeStreamTest, TheSessionsOwnAccountReplacesTheEstimate) {
  Transcript session({}, claude::usual_prices());
  session.take(bytes_of("two_models_killed"));
  EXPECT_DOUBLE_EQ(session.new_usage()->cost_usd, 4);
  session.take(bytes_of("success"));
  EXPECT_DOUBLE_EQ(session.new_usage()->cost_usd, 0.0421);
  const Outcome outcome = std::move(session).finish({});
  EXPECT_DOUBLE_EQ(outcome.usage.cost_usd, 0.0421);
  EXPECT_FALSE(outcome.cost_is_estimate);
}

TEST(ClaudeStreamTest, ACostThatIsNoneIsNotBelieved) {
  for (const char* name : {"cost_absent", "cost_negative", "cost_huge"}) {
    const Outcome outcome = outcome_of_stream(name);
    EXPECT_EQ(outcome.end, End::Ok) << name;
    EXPECT_DOUBLE_EQ(outcome.usage.cost_usd, 0.0421) << name << ": the sum of the models";
    EXPECT_TRUE(outcome.cost_is_estimate) << name;
  }
  const Outcome free = outcome_of_stream("cost_zero");
  EXPECT_NEAR(free.usage.cost_usd, 0.038886, 1e-9) << "tokens that cost nothing";
  EXPECT_TRUE(free.cost_is_estimate);
}

TEST(ClaudeStreamTest, NothingUsedCostsNothing) {
  const Outcome outcome = outcome_of_stream("not_logged_in", {.wait_status = exited(1)});
  EXPECT_EQ(outcome.usage.cost_usd, 0);
  EXPECT_FALSE(outcome.cost_is_estimate);
  EXPECT_THAT(outcome.usage.models, IsEmpty()) << "<synthetic> is no model";
}

TEST(ClaudeStreamTest, AnAccountWithoutModelsTakesThemFromTheMessages) {
  const Outcome outcome = outcome_of_stream("no_models");
  EXPECT_DOUBLE_EQ(outcome.usage.cost_usd, 0.0421);
  EXPECT_FALSE(outcome.cost_is_estimate);
  EXPECT_EQ(outcome.usage.model, kMain);
  EXPECT_EQ(outcome.usage.output_tokens, 420);
}

TEST(ClaudeStreamTest, OfTwoResultsTheFirstCountsAndTheDearerIsBooked) {
  const Outcome outcome = outcome_of_stream("two_results");
  EXPECT_EQ(outcome.end, End::Ok) << outcome.why;
  EXPECT_EQ(outcome.text, "The date is compared as text.");
  EXPECT_DOUBLE_EQ(outcome.usage.cost_usd, 0.05);
}

TEST(ClaudeStreamTest, FiguresThatMakeNoSenseAreBounded) {
  const Outcome outcome = outcome_of_stream("usage_nonsense");
  EXPECT_EQ(outcome.usage.input_tokens, 1);
  EXPECT_EQ(outcome.usage.output_tokens, 1);
  EXPECT_EQ(outcome.usage.cache_read_tokens, claude::kMostTokens);
  EXPECT_TRUE(std::isfinite(outcome.usage.cost_usd));
}

TEST(ClaudeStreamTest, AModelWithoutAPriceCostsAsMuchAsTheDearest) {
  claude::Spending spending({{"claude-cheap", {1, 2, 0, 0}}, {"claude-dear", {10, 20, 0, 0}}});
  spending.take(claude::Assistant{"a", "claude-new", {.input = 1'000'000}, {}});
  EXPECT_DOUBLE_EQ(spending.total().cost_usd, 10);
}

TEST(ClaudeStreamTest, TheLongestPrefixGivesThePriceBehindARegionAsWell) {
  claude::Spending spending(
      {{"claude-x", {1, 0, 0, 0}}, {"claude-x-5", {3, 0, 0, 0}}, {"my-", {5, 0, 0, 0}}});
  spending.take(claude::Assistant{"a", "claude-x-4", {.input = 1'000'000}, {}});
  EXPECT_DOUBLE_EQ(spending.total().cost_usd, 1);
  spending.take(claude::Assistant{"b", "us.anthropic.claude-x-5-20250101-v1:0", {.input = 1'000'000}, {}});
  EXPECT_DOUBLE_EQ(spending.total().cost_usd, 4);
  spending.take(claude::Assistant{"c", "my-gateway", {.input = 1'000'000}, {}});
  EXPECT_DOUBLE_EQ(spending.total().cost_usd, 9);
}

TEST(ClaudeStreamTest, ManyMessagesAndModelsAreCountedInBoundedMemory) {
  claude::Spending spending(claude::usual_prices());
  for (int i = 0; i < 20'000; ++i) {
    spending.take(
        claude::Assistant{"msg_" + std::to_string(i), "model-" + std::to_string(i % 100), {.output = 1}, {}});
    spending.take(
        claude::Streamed{"msg_" + std::to_string(i), "", "parent-" + std::to_string(i), {.output = 1}});
  }
  const davit::Usage usage = spending.total();
  EXPECT_EQ(usage.output_tokens, 20'000);
  EXPECT_LE(usage.models.size(), 33u);
  EXPECT_GT(usage.models.at("other").output_tokens, 0);
}

TEST(ClaudeStreamTest, WhatIsPrintedBeyondTheLimitIsNotReadAndEndsTheSession) {
  const std::string bytes = bytes_of("killed");
  Transcript session({}, claude::usual_prices(), {}, {.line = 1 << 20, .all = bytes.size() + 10});
  session.take(bytes);
  EXPECT_FALSE(session.must_stop());
  session.take("0123456789");
  EXPECT_FALSE(session.must_stop());
  session.take("\n" + bytes_of("success"));
  EXPECT_TRUE(session.must_stop());
  EXPECT_FALSE(session.has_result());
  const Outcome outcome =
      std::move(session).finish({.wait_status = killed_by(9), .stop = claude::Stop::Unusable});
  EXPECT_EQ(outcome.end, End::OutputLimit);
  EXPECT_NEAR(outcome.usage.cost_usd, 0.038886, 1e-9);
}

TEST(ClaudeStreamTest, AResultBeforeTheLimitStands) {
  const std::string bytes = bytes_of("success");
  Transcript session({}, claude::usual_prices(), {}, {.line = 1 << 20, .all = bytes.size()});
  session.take(bytes);
  EXPECT_TRUE(session.has_result());
  session.take("more");
  EXPECT_TRUE(session.must_stop());
  EXPECT_EQ(std::move(session).finish({.wait_status = killed_by(9)}).end, End::Ok);
}

TEST(ClaudeStreamTest, ASessionThatLacksWhatWasAskedForIsToBeEndedAtOnce) {
  Transcript session({.servers = {"tracker"}}, claude::usual_prices());
  session.take(bytes_of("init_only"));
  EXPECT_TRUE(session.must_stop());
  Transcript good({.servers = {"tracker"}}, claude::usual_prices());
  good.take(bytes_of("mcp_connected"));
  EXPECT_FALSE(good.must_stop());
}

TEST(ClaudeStreamTest, UnknownTypesAndShapesArePassedOver) {
  const Outcome outcome = outcome_of_stream("unknown_types");
  EXPECT_EQ(outcome.end, End::Ok) << outcome.why;
  EXPECT_EQ(outcome.skipped.unreadable, 0u);
  EXPECT_EQ(outcome.usage.output_tokens, 420);
}

}  // namespace
