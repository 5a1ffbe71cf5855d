#include "tests/bench/arguments.h"

#include <gtest/gtest.h>

#include <vector>

namespace davit::bench {
namespace {

using ::testing::ExitedWithCode;

struct Given {
  int tasks = 7;
  double seconds = 4;
  std::string perf;
};

Given read(std::vector<const char*> words) {
  Given given;
  words.insert(words.begin(), "bench");
  read_arguments(static_cast<int>(words.size()), words.data(), "bench [--tasks N]",
                 {{"--tasks", &given.tasks}, {"--seconds", &given.seconds}, {"--perf", &given.perf}});
  return given;
}

TEST(BenchArgumentsTest, ValuesGoWhereTheyBelongAndTheOthersStay) {
  const Given given = read({"--seconds", "0.5", "--perf", "here"});
  EXPECT_EQ(given.tasks, 7);
  EXPECT_EQ(given.seconds, 0.5);
  EXPECT_EQ(given.perf, "here");
  EXPECT_EQ(read({"--tasks", "100000"}).tasks, 100'000);
  EXPECT_EQ(read({}).tasks, 7);
}

TEST(BenchArgumentsTest, HelpIsNoError) {
  EXPECT_EXIT(read({"--help"}), ExitedWithCode(0), "");
  EXPECT_EXIT(read({"--tasks", "-h"}), ExitedWithCode(0), "");
}

TEST(BenchArgumentsTest, WrongArgumentsEndWithTwoAndALine) {
  EXPECT_EXIT(read({"--nonsense", "1"}), ExitedWithCode(2), "^bench: --nonsense is unknown; usage: .*\n$");
  EXPECT_EXIT(read({"nonsense"}), ExitedWithCode(2), "^bench: nonsense is unknown");
  EXPECT_EXIT(read({"--tasks"}), ExitedWithCode(2), "^bench: --tasks needs a value");
  EXPECT_EXIT(read({"--perf", ""}), ExitedWithCode(2), "^bench: --perf cannot be \"\"");
  for (const char* wrong : {"", "abc", "0", "-1", "1.5", "12a", " 1", "99999999999"})
    EXPECT_EXIT(read({"--tasks", wrong}), ExitedWithCode(2), "^bench: --tasks cannot be") << wrong;
  for (const char* wrong : {"0", "-0.5", "nan", "inf", "4s"})
    EXPECT_EXIT(read({"--seconds", wrong}), ExitedWithCode(2), "^bench: --seconds cannot be") << wrong;
}

}  // namespace
}  // namespace davit::bench
