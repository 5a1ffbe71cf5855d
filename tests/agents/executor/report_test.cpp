#include "executor/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using davit::Json;
using executor::Landed;
using executor::page_of;
using executor::title_of;
using executor::Verdict;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const work::Request kRequest{.source = "github", .title = "Wrong sum"};

work::Plan plan(const std::string& summary = "Round once.") {
  return work::Plan(Json::object({{"summary", summary},
                                  {"steps", Json::array({Json::object({{"what", "Round."}})})},
                                  {"files", Json::array({"a.c"})}}));
}

Landed landed(Verdict verdict) {
  return {.sha = std::string(40, 'a'),
          .message = "Round once\n\n# It was twice.",
          .record = {},
          .files = {{.path = "a.c", .old_mode = git::kPlain, .new_mode = git::kPlain},
                    {.path = "b`c", .new_mode = git::kPlain},
                    {.path = "c.c", .old_mode = git::kPlain}},
          .beyond = {"b`c"},
          .tests = {
              .verdict = verdict, .why = "test_command exited with status 1", .log = "one\n```\n@ann two\n"}};
}

TEST(ExecutorReportTest, SaysWhatWasDoneInWhichFilesAndHowItWasTested) {
  const std::string page = page_of(landed(Verdict::Failed), plan(), kRequest, {"ctest", "--preset", "dev"});
  EXPECT_THAT(page,
              AllOf(HasSubstr("its tests fail"), HasSubstr(plan().sha256), HasSubstr("- changed `a.c`\n"),
                    HasSubstr("- added `b'c`, **which the plan does not name**\n"),
                    HasSubstr("- removed `c.c`\n"), HasSubstr("`ctest --preset dev` failed: test_command"),
                    HasSubstr("\n    one\n    ```\n    @"), HasSubstr("1. Round.")));
  EXPECT_THAT(page, AllOf(Not(HasSubstr("@ann")), Not(HasSubstr("\n# It was"))));
  EXPECT_THAT(page_of(landed(Verdict::Passed), plan(), kRequest, {"ctest"}),
              AllOf(HasSubstr("its tests pass"), HasSubstr("`ctest` passed."), Not(HasSubstr("    one"))));
  EXPECT_THAT(page_of(landed(Verdict::Untested), plan(), kRequest, {}),
              AllOf(HasSubstr("It was not tested"), Not(HasSubstr("## Tests"))));
}

TEST(ExecutorReportTest, IsNeverTooLargeForGitHub) {
  Landed large = landed(Verdict::Failed);
  large.tests.log = std::string(100'000, 'x');
  large.message += "\n\n" + std::string(16'000, 'y');
  for (int i = 0; i < 3000; ++i) large.files.push_back({.path = "file-" + std::to_string(i)});
  const std::string page = page_of(large, plan(std::string(100'000, 'z') + "\nend"), kRequest, {"ctest"});
  EXPECT_LT(page.size(), 65'536u);
  EXPECT_THAT(page, HasSubstr("more\n"));
  std::vector<git::Refusal> refused(3000, {"a", "path", "a may not be changed"});
  EXPECT_LT(page_of(refused, plan(), kRequest).size(), 65'536u);
  EXPECT_LT(executor::sentences_of(refused).size(), 2'200u);
}

TEST(ExecutorReportTest, ATitleIsOfAPlanNoLonger) {
  EXPECT_EQ(title_of("Plan: Wrong sum"), "Wrong sum");
  EXPECT_EQ(title_of("[plan] Plan: Wrong sum"), "Wrong sum");
  EXPECT_EQ(title_of("My title"), "My title");
  EXPECT_EQ(title_of("Plan: "), "Plan: ");
}

}  // namespace
