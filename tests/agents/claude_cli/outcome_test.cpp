// The table of ends, row by row over streams/, and what the host is told of each.
#include "claude_cli/outcome.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "tests/agents/claude_cli/streams.h"

namespace {

using claude::Asked;
using claude::End;
using claude::Exit;
using claude::failure_of;
using claude::Outcome;
using claude::Stop;
using davit::Status;
using std::chrono::milliseconds;
using streams::exited;
using streams::killed_by;
using streams::outcome_of_stream;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

struct Row {
  std::string name;  // of the test
  std::string stream;
  End end;
  std::string why;  // a part of it
  Exit exit = {};
  Asked asked = {};
};

// For its name in the list of tests.
void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

const Asked kSchema{.schema = true};
const Asked kTools{.tools = {"Read", "Grep", "Glob"}};
const Asked kTracker{.servers = {"tracker"}};

const std::vector<Row>& rows() {
  static const std::vector<Row> all = {
      // Ended by us.
      {"CancelledIsCancelled",
       "killed",
       End::Cancelled,
       "cancelled",
       {killed_by(SIGTERM), Stop::Cancelled, ""}},
      {"CancelledIsCancelledAlsoWithAResult",
       "success",
       End::Cancelled,
       "cancelled",
       {0, Stop::Cancelled, ""}},
      {"TheDeadlineIsTheDeadline",
       "killed",
       End::Deadline,
       "time is nearly over",
       {exited(143), Stop::Deadline, ""}},
      {"AnErrorThatOurSignalCausedIsTheDeadline",
       "error_during_execution",
       End::Deadline,
       "time is nearly over",
       {exited(143), Stop::Deadline, ""}},
      // What cannot work.
      {"AnOldVersionIsNotInstalled", "old_version", End::NotInstalled,
       "'1.0.128' and must be at least 2.1.0: install"},
      {"AnOptionItDoesNotKnowIsAnOldVersion",
       "empty",
       End::NotInstalled,
       "unknown option '--json-schema'",
       {exited(1), Stop::None, "error: unknown option '--json-schema'"}},
      {"AMissingToolIsNamed", "tool_missing", End::Crashed, "no tool Grep", {}, kTools},
      {"AServerThatFailedIsNamed",
       "mcp_failed",
       End::Crashed,
       "MCP server tracker did not start (failed)",
       {},
       kTracker},
      {"AServerThatIsAbsentIsNamed",
       "mcp_absent",
       End::Crashed,
       "MCP server tracker did not start (missing)",
       {},
       kTracker},
      {"AServerThatIsThereIsGood", "mcp_connected", End::Ok, "", {}, kTracker},
      // Answers.
      {"ASuccessIsGood", "success", End::Ok, "", {}, kTools},
      {"AnAnswerInItsShapeIsGood", "structured", End::Ok, "", {}, kSchema},
      {"ASuccessWithoutTheShapeIsASchemaFailure",
       "structured_missing",
       End::Schema,
       "no structured output",
       {},
       kSchema},
      {"WhatItSaysItCannotIsGivenUp", "cannot", End::GaveUp, "holds no such function", {}, kSchema},
      {"ARefusalIsGivenUp", "refusal", End::GaveUp, "refused: I cannot help"},
      {"MoreTurnsThanAllowedAreNoSuccess",
       "too_many_turns",
       End::MaxTurns,
       "took 61 turns",
       {},
       {.max_turns = 60}},
      {"UnknownTypesChangeNothing", "unknown_types", End::Ok, ""},
      {"ChatterChangesNothing", "chatter", End::Ok, ""},
      {"ALastLineWithoutEndCounts", "no_newline_at_end", End::Ok, ""},
      {"BytesThatAreNoTextAreReplaced", "invalid_utf8", End::Ok, ""},
      {"AZeroByteSpoilsItsLineOnly", "zero_byte", End::Ok, ""},
      {"HalfACharacterIsReplaced", "lone_surrogate", End::Ok, ""},
      {"ALineCutByAnotherIsSkipped", "interrupted_line", End::Ok, ""},
      {"DenialsAreNoFailure", "denials", End::Ok, ""},
      {"OfTwoResultsTheFirstCounts", "two_results", End::Ok, ""},
      {"TwoModelsAreGood", "two_models", End::Ok, ""},
      {"ARateLimitThatMoneyLiftsIsGood", "rate_limit_overage", End::Ok, ""},
      {"WithoutACostItIsGood", "cost_absent", End::Ok, ""},
      {"WithANegativeCostItIsGood", "cost_negative", End::Ok, ""},
      {"WithoutMoneyItIsGood", "cost_zero", End::Ok, ""},
      {"WithAHugeCostItIsGood", "cost_huge", End::Ok, ""},
      {"WithoutModelsItIsGood", "no_models", End::Ok, ""},
      // The exit status beside a result.
      {"AGoodResultOutweighsABadStatus",
       "success",
       End::Ok,
       "",
       {exited(1), Stop::None, "MCP server failed"}},
      {"AGoodResultOutweighsASignal", "success", End::Ok, "", {killed_by(SIGKILL), Stop::None, ""}},
      {"WhatHangsAfterItsResultIsGood", "success", End::Ok, "", {killed_by(SIGKILL), Stop::AfterResult, ""}},
      {"ABadResultOutweighsAGoodStatus",
       "error_during_execution",
       End::Crashed,
       "Cannot read properties",
       {exited(0)}},
      // Failures it tells.
      {"ItsTurnsAreUsedUp", "error_max_turns", End::MaxTurns, "max_turns (120)", {exited(1)}},
      {"ItsMoneyIsUsedUp", "error_max_budget_usd", End::Budget, "max_usd", {exited(1)}},
      {"ItFindsNoShape", "error_max_structured_output_retries", End::Schema, "after 5 attempts", {exited(1)}},
      {"AnErrorIsACrash", "error_during_execution", End::Crashed, "error_during_execution", {exited(1)}},
      {"AnUnknownSubtypeIsACrash",
       "unknown_subtype",
       End::Crashed,
       "(error_of_next_year): something new",
       {exited(1)}},
      {"ASuccessThatIsAnErrorIsACrash", "error_without_word", End::Crashed, "Connection error", {exited(0)}},
      {"NotLoggedInIsAuth", "not_logged_in", End::Auth, "grant a good ANTHROPIC_API_KEY", {exited(1)}},
      {"AWrongKeyIsAuth", "invalid_key", End::Auth, "Invalid API key", {exited(1)}},
      {"AForbiddenKeyIsAuth", "forbidden", End::Auth, "403", {exited(1)}},
      {"AnEmptyAccountIsAuth", "no_credit", End::Auth, "Credit balance", {exited(1)}},
      {"ARateLimitWithStatusZeroIsARateLimit",
       "success_is_error",
       End::RateLimited,
       "hit your session limit",
       {exited(0)}},
      {"TooManyRequestsAreARateLimit", "rate_limit_429", End::RateLimited, "429", {exited(1)}},
      {"AnOverloadIsAnOverload", "overloaded", End::Overloaded, "529", {exited(1)}},
      {"AServerErrorIsAnOverload", "server_error", End::Overloaded, "500", {exited(1)}},
      // No result.
      {"RejectedAndGoneIsARateLimit", "rate_limit_no_result", End::RateLimited, "rate limit", {exited(1)}},
      {"SilentWhileItTriesAgainIsAnOverload",
       "retrying",
       End::Overloaded,
       "trouble",
       {exited(143), Stop::Silent, ""}},
      {"SilentIsHung", "killed", End::Hung, "idle_seconds", {exited(143), Stop::Silent, ""}},
      {"ATryThatWorkedIsForgotten", "retried", End::Hung, "idle_seconds", {exited(143), Stop::Silent, ""}},
      {"SilentFromTheBeginningIsHung",
       "empty",
       End::Hung,
       "start_seconds",
       {killed_by(SIGKILL), Stop::NeverStarted, ""}},
      {"ASignalIsKilled", "killed", End::Killed, "signal 9 (SIGKILL)", {killed_by(SIGKILL), Stop::None, ""}},
      {"ASignalToldByAShellIsKilled", "streamed", End::Killed, "status 137", {exited(137), Stop::None, ""}},
      {"TwoModelsAndASignalAreKilled",
       "two_models_killed",
       End::Killed,
       "SIGSEGV",
       {killed_by(SIGSEGV), Stop::None, ""}},
      {"NothingButAStatusIsACrash",
       "empty",
       End::Crashed,
       "exited with status 1 without a result",
       {exited(1), Stop::None, ""}},
      {"NothingAndAGoodStatusIsACrash",
       "init_only",
       End::Crashed,
       "exited with status 0 without a result",
       {exited(0), Stop::None, ""}},
      {"HalfAResultIsNone", "half_line", End::Crashed, "without a result", {exited(0), Stop::None, ""}},
      {"NonsenseIsACrash", "usage_nonsense", End::Crashed, "without a result", {exited(0), Stop::None, ""}},
      {"TheLastErrorLineIsTold",
       "empty",
       End::Crashed,
       "status 3 without a result: no space left",
       {exited(3), Stop::None, "no space left"}},
      {"WithoutItsInterpreterItIsNotInstalled",
       "empty",
       End::NotInstalled,
       "native installer",
       {exited(127), Stop::None, "env: 'node': No such file or directory"}},
      {"ThatStatusOnceItHadBegunIsACrash", "init_only", End::Crashed, "status 127", {exited(127)}},
      {"AnErrorLineAboutTheKeyIsAuth",
       "empty",
       End::Auth,
       "Invalid API key",
       {exited(1), Stop::None, "Invalid API key"}},
  };
  return all;
}

class ClaudeOutcomeTest : public testing::TestWithParam<Row> {};

TEST_P(ClaudeOutcomeTest, Row) {
  const Row& row = GetParam();
  const Outcome outcome = outcome_of_stream(row.stream, row.exit, row.asked);
  EXPECT_EQ(claude::name_of(outcome.end), claude::name_of(row.end)) << outcome.why;
  EXPECT_THAT(outcome.why, HasSubstr(row.why));
  EXPECT_EQ(outcome.why.empty(), row.end == End::Ok);
  EXPECT_EQ(outcome.why, claude::one_line(outcome.why, 2000)) << "one line";
}

INSTANTIATE_TEST_SUITE_P(Table, ClaudeOutcomeTest, testing::ValuesIn(rows()),
                         [](const auto& row) { return row.param.name; });

TEST(ClaudeOutcomeTableTest, EveryStreamIsInTheTable) {
  std::set<std::string> used;
  for (const Row& row : rows()) used.insert(row.stream);
  int streams = 0;
  for (const auto& entry : std::filesystem::directory_iterator(streams::folder())) {
    ++streams;
    EXPECT_EQ(used.count(entry.path().stem().string()), 1u) << entry.path();
  }
  EXPECT_EQ(static_cast<std::size_t>(streams), used.size());
}

TEST(ClaudeOutcomeTableTest, EveryEndIsInTheTableOrTestedBesideIt) {
  std::set<End> ends{End::OutputLimit};  // ClaudeStreamTest
  for (const Row& row : rows()) ends.insert(row.end);
  EXPECT_EQ(ends.size(), static_cast<std::size_t>(End::Deadline) + 1);
}

TEST(ClaudeOutcomeTableTest, ASuccessThatIsAnErrorIsAFailure) {
  for (const char* name : {"success_is_error", "not_logged_in", "error_without_word", "invalid_key"}) {
    const Outcome outcome = outcome_of_stream(name, {.wait_status = exited(0)});
    EXPECT_NE(outcome.end, End::Ok) << name;
    EXPECT_TRUE(failure_of(outcome, davit::Time{})) << name;
  }
}

TEST(ClaudeOutcomeTableTest, ExitStatusCountsOnlyWithoutAResult) {
  for (const int status : {exited(0), exited(1), exited(143), killed_by(SIGKILL)}) {
    EXPECT_EQ(outcome_of_stream("success", {.wait_status = status}).end, End::Ok);
    EXPECT_EQ(outcome_of_stream("error_max_turns", {.wait_status = status}).end, End::MaxTurns);
    EXPECT_NE(outcome_of_stream("killed", {.wait_status = status}).end, End::Ok);
  }
}

TEST(ClaudeOutcomeTableTest, AnOutcomeTellsWhatTheSessionSaid) {
  const Outcome outcome = outcome_of_stream("structured", {}, kSchema);
  EXPECT_EQ(outcome.structured["cause"], "text");
  EXPECT_EQ(outcome.turns, 2);
  EXPECT_EQ(outcome.version, "2.1.197");
  EXPECT_FALSE(outcome.cost_is_estimate);
  EXPECT_THAT(outcome_of_stream("denials").denied_tools, ElementsAre("Bash", "WebFetch"));
  EXPECT_EQ(outcome_of_stream("interrupted_line").skipped.unreadable, 1u);
  EXPECT_EQ(outcome_of_stream("invalid_utf8").text, "The date \xEF\xBF\xBD\xEF\xBF\xBD is compared as text.");
  EXPECT_EQ(outcome_of_stream("lone_surrogate").text, "cut here \xEF\xBF\xBD");
}

TEST(ClaudeOutcomeTableTest, WhatItSpentBeforeItFailedIsBooked) {
  EXPECT_DOUBLE_EQ(outcome_of_stream("error_max_turns").usage.cost_usd, 1.4);
  EXPECT_DOUBLE_EQ(outcome_of_stream("error_max_budget_usd").usage.cost_usd, 2.03);
  EXPECT_GT(outcome_of_stream("killed", {.stop = Stop::Cancelled}).usage.cost_usd, 0);
}

TEST(ClaudeOutcomeTableTest, EveryEndHasItsClass) {
  const auto status = [](End end) {
    Outcome outcome;
    outcome.end = end;
    outcome.why = "so it was";
    const auto failure = failure_of(outcome, davit::Time{});
    EXPECT_STREQ(failure ? failure->what() : "claude: so it was", "claude: so it was");
    return failure ? failure->status() : Status::Ok;
  };
  EXPECT_EQ(status(End::Ok), Status::Ok);
  EXPECT_EQ(status(End::GaveUp), Status::Permanent);
  EXPECT_EQ(status(End::MaxTurns), Status::Permanent);
  EXPECT_EQ(status(End::Budget), Status::Permanent);
  EXPECT_EQ(status(End::Schema), Status::Retryable);
  EXPECT_EQ(status(End::Auth), Status::RateLimited) << "whoever gives it a good key need not start the work again";
  EXPECT_EQ(status(End::RateLimited), Status::RateLimited);
  EXPECT_EQ(status(End::Overloaded), Status::RateLimited);
  EXPECT_EQ(status(End::Hung), Status::Retryable);
  EXPECT_EQ(status(End::OutputLimit), Status::Permanent);
  EXPECT_EQ(status(End::Killed), Status::Retryable);
  EXPECT_EQ(status(End::Crashed), Status::Retryable);
  EXPECT_EQ(status(End::NotInstalled), Status::Permanent);
  EXPECT_EQ(status(End::Cancelled), Status::Cancelled);
  EXPECT_EQ(status(End::Deadline), Status::Deadline);
}

TEST(ClaudeOutcomeTableTest, ARateLimitIsWaitedForUntilItsTime) {
  const Outcome outcome = outcome_of_stream("success_is_error");
  ASSERT_EQ(outcome.until, davit::time_from_unix_ms(1'790'000'000'000));
  const auto wait = [&](std::chrono::seconds before) {
    return failure_of(outcome, *outcome.until - before)->retry_after();
  };
  EXPECT_EQ(wait(std::chrono::hours(2)), milliseconds(std::chrono::hours(2)));
  EXPECT_EQ(wait(std::chrono::seconds(3)), milliseconds(std::chrono::seconds(5))) << "at least";
  EXPECT_EQ(wait(-std::chrono::hours(2)), milliseconds(std::chrono::seconds(5))) << "at least";
  EXPECT_EQ(wait(std::chrono::hours(100)), milliseconds(std::chrono::hours(24))) << "at most";
  EXPECT_EQ(failure_of(outcome_of_stream("rate_limit_429"), davit::Time{})->retry_after(),
            milliseconds(std::chrono::minutes(1)));
}

TEST(ClaudeOutcomeTableTest, AnOverloadAndABadKeyAreTriedAgainAfterAMinuteOrWhenSomebodyKnows) {
  for (const char* stream : {"overloaded", "invalid_key", "no_credit"}) {
    Outcome outcome = outcome_of_stream(stream);
    EXPECT_TRUE(claude::is_of_account(outcome.end)) << stream;
    EXPECT_EQ(failure_of(outcome, davit::Time{})->status(), Status::RateLimited) << stream;
    EXPECT_EQ(failure_of(outcome, davit::Time{})->retry_after(), milliseconds(std::chrono::minutes(1)));
    outcome.until = davit::Time{} + std::chrono::minutes(4);
    EXPECT_EQ(failure_of(outcome, davit::Time{})->retry_after(), milliseconds(std::chrono::minutes(4)));
  }
  EXPECT_FALSE(claude::is_of_account(outcome_of_stream("killed").end));
  EXPECT_EQ(failure_of(outcome_of_stream("killed"), davit::Time{})->retry_after(), std::nullopt);
}

TEST(ClaudeOutcomeTableTest, WithoutTheProgramTheSentenceSaysWhatToInstall) {
  const Outcome outcome = claude::not_installed("program claude is in no folder of PATH");
  EXPECT_EQ(outcome.end, End::NotInstalled);
  EXPECT_THAT(outcome.why, HasSubstr("program claude is in no folder of PATH: install Claude Code"));
  EXPECT_THAT(outcome.why, HasSubstr("command-agent works without it"));
  EXPECT_EQ(outcome.usage.cost_usd, 0);
}

}  // namespace
