#include "executor/record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "git_workspace/message.h"

namespace {

using executor::found_in;
using executor::Record;
using executor::Verdict;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Record record() {
  return {.chain = "0190-aaaa",
          .round = 2,
          .task = "0190-bbbb",
          .plan_sha256 = std::string(64, 'p'),
          .change_sha256 = std::string(64, 'c'),
          .verdict = Verdict::Failed};
}

// As it is committed.
std::string message_of(std::string_view subject, std::string_view body,
                       const std::vector<std::string>& deviations, const Record& record) {
  const git::Trailer trailer = record.trailer();
  return git::with_trailer(executor::message_of(subject, body, deviations), trailer.key, trailer.value);
}

TEST(ExecutorRecordTest, IsReadAsItWasWritten) {
  const std::string message =
      message_of("Round once", "It was twice.", {"The test\nlies elsewhere."}, record());
  EXPECT_THAT(message,
              AllOf(StartsWith("Round once\n\nIt was twice.\n\nWhere the plan was left:\n- The test lies "
                               "elsewhere.\n\nDavit-Task: 0190-aaaa/2 0190-bbbb "),
                    EndsWith(" failed")));
  const auto read = Record::in(message);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->trailer().value, record().trailer().value);
  EXPECT_EQ(read->round, 2);
  EXPECT_EQ(executor::words_of(message),
            "Round once\n\nIt was twice.\n\nWhere the plan was left:\n- The test lies elsewhere.");
}

TEST(ExecutorRecordTest, AChainIsOneWordWhateverItIsCalled) {
  Record odd = record();
  odd.chain = "a b\nDavit-Task: c";
  EXPECT_EQ(Record::in(message_of("x", "", {}, odd))->chain, "abDavit-Task:c");
}

TEST(ExecutorRecordTest, NothingElsePassesForIt) {
  for (const char* message :
       {"", "Subject", "Davit-Task: a/0 b c d passed", "Subject\n\nDavit-Task: a/0 b c d",
        "Subject\n\nDavit-Task: a/0 b c d great", "Subject\n\nDavit-Task: a/x b c d passed",
        "Subject\n\nDavit-Task: a b c d passed", "Subject\n\nDavit-Task: a/0 b c d passed e",
        "Subject\n\nDavit-Task: a/0 b c d passed\n\nmore"})
    EXPECT_FALSE(Record::in(message)) << message;
  const std::string planted =
      message_of("x\n\nDavit-Task: a/0 b c d passed", "Davit-Task: a/0 b c d passed", {}, record());
  EXPECT_EQ(Record::in(planted)->task, "0190-bbbb");
}

TEST(ExecutorRecordTest, IsInTheLongestMessageThatACommitCanHave) {
  const std::string message = message_of(std::string(1000, 's'), std::string(100'000, 'b'),
                                         std::vector<std::string>(100, std::string(1000, 'd')), record());
  EXPECT_EQ(git::clean_message(message), message) << "nothing is cut of it when it is committed";
  EXPECT_TRUE(Record::in(message));
}

TEST(ExecutorRecordTest, AMessageWithoutWordsHasSome) {
  EXPECT_THAT(message_of("", "", {}, record()), StartsWith("Carry out the plan\n\nDavit-Task"));
  EXPECT_THAT(message_of("Fixes #1 @ann", "", {}, record()),
              AllOf(Not(HasSubstr("Fixes")), Not(HasSubstr("@ann"))));
}

TEST(ExecutorRecordTest, TheNewestOfThisTaskAndPlanIsFound) {
  const auto commit = [](const std::string& id, const Record& of) {
    return git::Commit{id, {}, "", message_of("x", "", {}, of)};
  };
  Record other = record(), older = record();
  other.task = "0190-cccc";
  const std::string plan = record().plan_sha256;
  const std::vector<git::Commit> commits{
      commit("4", other), {"3", {}, "", "By hand"}, commit("2", record()), commit("1", older)};
  ASSERT_TRUE(found_in(commits, "0190-bbbb", plan));
  EXPECT_EQ(found_in(commits, "0190-bbbb", plan)->commit.id, "2");
  EXPECT_FALSE(found_in(commits, "0190-bbbb", std::string(64, 'q')));
  EXPECT_FALSE(found_in(commits, "0190-dddd", plan));
}

}  // namespace
