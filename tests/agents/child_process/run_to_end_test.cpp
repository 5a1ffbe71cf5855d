#include "child_process/run_to_end.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <chrono>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include "davit/failure.hpp"

namespace {

using child::Bounds;
using child::Finished;
using child::Stopped;
using std::chrono::milliseconds;

Finished run(const std::string& script, std::string_view input = "", const Bounds& bounds = {},
             const child::Cancel& cancelled = {}) {
  child::Program program;
  program.path = "/bin/sh";
  program.arguments = {"sh", "-c", script};
  program.environment = {"PATH=/usr/bin:/bin"};
  return child::run_to_end(program, input, bounds, cancelled);
}

// The number that a script printed is of a process that has ended, or does so within twenty seconds.
bool is_gone(std::string number) {
  while (!number.empty() && number.back() == '\n') number.pop_back();
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  for (;;) {
    std::stringstream stat;
    stat << std::ifstream("/proc/" + number + "/stat").rdbuf();
    if (stat.str().empty() || stat.str().find(") Z") != std::string::npos) return true;
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
}

TEST(RunToEndTest, GivesBackWhatWasSaidAndHowItEnded) {
  const Finished finished = run("cat; echo oh >&2; exit 3", "some words");
  EXPECT_EQ(finished.out, "some words");
  EXPECT_EQ(finished.err, "oh\n");
  EXPECT_EQ(finished.stopped, Stopped::No);
  EXPECT_FALSE(finished.succeeded());
  EXPECT_EQ(WEXITSTATUS(finished.wait_status), 3);
  EXPECT_TRUE(run("true").succeeded());
}

TEST(RunToEndTest, TakesMoreThanPipesHold) {
  const Finished finished = run("head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2; echo end >&2");
  EXPECT_TRUE(finished.succeeded());
  EXPECT_EQ(finished.out.size(), 1'000'000u);
  EXPECT_EQ(finished.err.size(), child::kMostErrors);
  EXPECT_THAT(finished.err, testing::EndsWith("end\n")) << "the end of the errors is what counts";
}

TEST(RunToEndTest, EndsAProgramThatSaysTooMuch) {
  const Finished finished = run("yes", "", {.most_output = 1000});
  EXPECT_EQ(finished.stopped, Stopped::TooMuch);
  EXPECT_EQ(finished.out.size(), 1000u);
  EXPECT_EQ(run("printf 12345", "", {.most_output = 5}).stopped, Stopped::No);
  EXPECT_EQ(run("printf 123456", "", {.most_output = 5}).stopped, Stopped::TooMuch);
}

TEST(RunToEndTest, EndsAProgramThatTakesTooLong) {
  const Finished finished = run("echo $$; exec sleep 1000", "", {.wall = milliseconds(100)});
  EXPECT_EQ(finished.stopped, Stopped::TimedOut);
  ASSERT_FALSE(finished.out.empty());
  EXPECT_TRUE(is_gone(finished.out));
}

TEST(RunToEndTest, EndsOneThatDoesNotListenAndItsChildren) {
  const Finished finished =
      run("trap '' TERM; sleep 1000 & echo $!; wait; sleep 1000", "", {.wall = milliseconds(100)});
  EXPECT_EQ(finished.stopped, Stopped::TimedOut);
  EXPECT_TRUE(WIFSIGNALED(finished.wait_status));
  ASSERT_FALSE(finished.out.empty());
  EXPECT_TRUE(is_gone(finished.out));
}

TEST(RunToEndTest, DoesNotWaitForAGrandchildThatKeepsThePipe) {
  const Finished finished = run("sleep 1000 & echo $!");
  EXPECT_TRUE(finished.succeeded());
  ASSERT_FALSE(finished.out.empty());
  EXPECT_TRUE(is_gone(finished.out));
}

TEST(RunToEndTest, EndsWhenItIsCancelled) {
  int asked = 0;
  const Finished finished = run("exec sleep 1000", "", {}, [&] { return ++asked == 2; });
  EXPECT_EQ(finished.stopped, Stopped::Cancelled);
  EXPECT_FALSE(finished.succeeded());
}

TEST(RunToEndTest, StartsNothingWhenItIsCancelledAlready) {
  child::Program program;
  program.path = "/nonexistent/program";
  program.arguments = {"program"};
  EXPECT_EQ(child::run_to_end(program, "", {}, [] { return true; }).stopped, Stopped::Cancelled);
}

TEST(RunToEndTest, AProgramThatIsMissingIsAFailure) {
  child::Program program;
  program.path = "/nonexistent/program";
  program.arguments = {"program"};
  EXPECT_THROW(child::run_to_end(program, "", {}, {}), davit::Failure);
}

}  // namespace
