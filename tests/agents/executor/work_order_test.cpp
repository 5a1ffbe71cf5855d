#include "executor/work_order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "davit/failure.hpp"
#include "executor/test_run.h"
#include "skills/book.h"

namespace {

using davit::Json;
using executor::Answer;
using executor::Order;
using executor::Settings;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

work::Item item() {
  work::Item item;
  item.request = {.source = "github", .title = "Wrong sum", .text = "It is 1 cent off.", .author = "eve"};
  item.repository = "acme/shop";
  item.plan = work::Plan(Json::object({{"summary", "Round once."}}));
  return item;
}

Settings settings(
    const char* config = R"({"setup_command": ["cmake", "-B", "b"], "test_command": ["ctest"]})") {
  const Json json = Json::parse(config);
  return Settings::from(json);
}

std::string task_of(const Order& order) {
  const skills::Book book;
  return skills::fill(book.find(order.skill), order.parts, {}).task;
}

TEST(ExecutorWorkOrderTest, TellsWhatIsApprovedAndWhatIsSomebodysText) {
  const std::string task =
      task_of(executor::to_execute(settings(), item(), {"<b>it failed</b>", "the test command"}, true));
  EXPECT_THAT(task, AllOf(HasSubstr("\n{\"summary\":\"Round once.\"}\n"), HasSubstr("cmake -B b && ctest"),
                          HasSubstr("field request; from github; author eve"),
                          HasSubstr("field failures; from the test command"), HasSubstr("<b>it failed</b>"),
                          HasSubstr("At most 50 files")));
  const std::string repair =
      task_of(executor::to_repair(settings(), item(), {"red", "the checks"}, true, "+2"));
  EXPECT_THAT(repair, AllOf(HasSubstr("Mode: repair"), HasSubstr("field log; from the checks"),
                            HasSubstr("field changes"),
                            HasSubstr("Only files that the plan names, and tests, which are")));
  EXPECT_THAT(task_of(executor::to_execute(settings(R"({"test_paths": ["t/**"]})"), item(), {}, true)),
              HasSubstr("which are files that match one of: t/**. A change that touches any other file"));
  EXPECT_THAT(task_of(executor::to_execute(settings(R"({"test_paths": []})"), item(), {}, true)),
              HasSubstr("Only files that the plan names. A change that touches any other file"));
  EXPECT_THAT(task_of(executor::to_execute(settings(), item(), {}, false)),
              Not(HasSubstr("Only files that the plan names")));
}

TEST(ExecutorWorkOrderTest, AnAnswerOfEitherSkillIsReadForACommit) {
  const Json done = Json::parse(R"({"summary": "s", "commit_message": "Subject\n\nWhy.\nMore.",
      "deviations": ["a", "", 7], "warnings": ["w"]})");
  Answer answer = Answer::from(done);
  EXPECT_EQ(answer.subject, "Subject");
  EXPECT_EQ(answer.body, "Why.\nMore.");
  EXPECT_THAT(answer.deviations, ElementsAre("a"));
  EXPECT_THAT(answer.warnings, ElementsAre("w"));
  const Json fixed = Json::parse(R"({"explanation": "It was a word.", "commit_message": "Subject"})");
  answer = Answer::from(fixed);
  EXPECT_EQ(answer.body, "It was a word.");
  EXPECT_EQ(Answer::from({}).subject, "");
}

TEST(ExecutorSettingsTest, DenyAddsToWhatIsShippedAndNotDeniedTakesFromIt) {
  const Settings some =
      settings(R"({"deny": ["infra/**"], "not_denied": ["CODEOWNERS"], "allow": ["src/**"]})");
  EXPECT_THAT(some.gate.deny,
              AllOf(Contains("infra/**"), Contains(".github/workflows/**"), Not(Contains("CODEOWNERS"))));
  EXPECT_THAT(some.gate.allow, ElementsAre("src/**"));
  EXPECT_FALSE(some.gate.binaries);
  EXPECT_THROW(settings(R"({"not_denied": ["infra/**"]})"), davit::Failure);
  EXPECT_THROW(settings(R"({"setup_command": ["make"]})"), davit::Failure)
      << "there is nothing to set up for";
}

TEST(ExecutorSettingsTest, ACommandThatIsNotThereIsNamed) {
  EXPECT_THAT(executor::fault_of_commands(settings(R"({"test_command": ["sh", "x"]})")), IsEmpty());
  EXPECT_THAT(executor::fault_of_commands(settings(R"({"test_command": ["./scripts/test"]})")), IsEmpty())
      << "it is in the tree, or the test will say so";
  EXPECT_THAT(executor::fault_of_commands(settings(R"({"test_command": ["no-such-tool"]})")),
              AllOf(HasSubstr("no-such-tool"), HasSubstr("config.test_command")));
  EXPECT_THAT(executor::fault_of_commands(
                  settings(R"({"setup_command": ["/no/such/tool"], "test_command": ["sh"]})")),
              HasSubstr("config.setup_command"));
}

TEST(ExecutorSettingsTest, TheSchemaDescribesEachKey) {
  const Json schema = Json::parse(executor::config_schema());
  for (const auto& [name, of] : schema["properties"].members())
    EXPECT_FALSE(of["description"].string_or("").empty()) << name;
}

}  // namespace
