// Files of skills: the shipped ones, the user's own, and broken ones.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "davit/failure.hpp"
#include "davit/json.hpp"
#include "skills/book.h"
#include "skills/prompt.h"

namespace {

namespace fs = std::filesystem;
using skills::Book;
using skills::parse_skill;
using skills::Skill;
using skills::Tools;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

const std::string kFront =
    "---\nname: plan\ndescription: Plans.\ntools: read\nmax_turns: 5\nfields: [issue]\n";
const std::string kBody = "---\n# Rules\nBe kind.\n# Task\nFix {{issue}}.\n";

// The sentence with which a text is refused.
std::string refusal(const std::string& text, const Skill* shipped = nullptr) {
  try {
    parse_skill(text, "/own/plan.md", shipped);
    return "";
  } catch (const davit::Failure& failure) {
    EXPECT_EQ(failure.status(), davit::Status::Permanent);
    return failure.what();
  }
}

class OwnFolder {
 public:
  OwnFolder() {
    std::string pattern = testing::TempDir() + "davit-skills-XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~OwnFolder() { fs::remove_all(path_); }
  OwnFolder(const OwnFolder&) = delete;
  OwnFolder& operator=(const OwnFolder&) = delete;
  const fs::path& path() const { return path_; }
  void write(const std::string& name, const std::string& text) const { std::ofstream(path_ / name) << text; }
  std::string refusal() const {
    try {
      Book book(path_);
      return "";
    } catch (const davit::Failure& failure) {
      EXPECT_EQ(failure.status(), davit::Status::Permanent);
      return failure.what();
    }
  }

 private:
  fs::path path_;
};

TEST(SkillsTest, EveryShippedSkillCanBeUsed) {
  const Book book;
  std::vector<std::string> names;
  for (const auto& [name, skill] : book.all()) names.push_back(name);
  EXPECT_THAT(names,
              ElementsAre("discover-repository", "execute-plan", "fix-ci", "plan-changes", "review-changes"));
  for (const auto& [name, skill] : book.all()) {
    EXPECT_EQ(skill.name, name);
    EXPECT_FALSE(skill.description.empty()) << name;
    EXPECT_FALSE(skill.rules.empty()) << name;
    EXPECT_GT(skill.max_turns, 0) << name;
    // Each says in its answer whether it could, and whether a text tried to lead it astray.
    const davit::Json schema = davit::Json::parse(skill.schema);
    EXPECT_TRUE(schema["required"].contains("status")) << name;
    EXPECT_TRUE(schema["properties"]["status"]["enum"].contains("cannot")) << name;
    EXPECT_TRUE(schema["properties"].has("warnings")) << name;
    for (const davit::JsonView required : schema["required"])
      EXPECT_TRUE(schema["properties"].has(required.string_or(""))) << name << " " << required.string_or("");
    // Each field is used, and can be filled.
    std::vector<skills::Part> parts;
    for (const std::string& field : skill.fields) {
      EXPECT_THAT(skill.task, HasSubstr("{{" + field + "}}")) << name;
      skills::Part part;
      part.name = field;
      part.text = "text of " + field;
      parts.push_back(part);
    }
    EXPECT_THAT(skills::fill(skill, parts, {}).task, testing::Not(HasSubstr("{{"))) << name;
  }
}

TEST(SkillsTest, OnlyWhatMakesChangesMayEdit) {
  const Book book;
  EXPECT_EQ(book.find("discover-repository").tools, Tools::None);
  EXPECT_EQ(book.find("plan-changes").tools, Tools::Read);
  EXPECT_EQ(book.find("review-changes").tools, Tools::Read);
  EXPECT_EQ(book.find("execute-plan").tools, Tools::Edit);
  EXPECT_EQ(book.find("fix-ci").tools, Tools::Edit);
}

TEST(SkillsTest, ASkillThatIsNotThereIsNamed) {
  const Book book;
  try {
    book.find("dance");
    ADD_FAILURE() << "was found";
  } catch (const davit::Failure& failure) {
    EXPECT_EQ(failure.status(), davit::Status::Internal);
    EXPECT_STREQ(failure.what(), "there is no skill dance");
  }
}

TEST(SkillsTest, AFileIsReadWithAllItSays) {
  const Skill skill = parse_skill(
      "---\r\nname: plan\r\ndescription: Plans: much.\r\n\r\ntools: edit\r\nmax_turns: 7\r\n"
      "model: m-1\r\nfields: [issue, plan_2]\r\nschema:\r\n  {\"type\":\r\n   \"object\"}\r\n---\r\n"
      "\r\n# Rules\r\nBe kind.\r\n\r\n# Task\r\n\r\n{{issue}} {{plan_2}}\r\n## Part\r\n",
      "/own/plan.md");
  EXPECT_EQ(skill.name, "plan");
  EXPECT_EQ(skill.description, "Plans: much.");
  EXPECT_EQ(skill.tools, Tools::Edit);
  EXPECT_EQ(skill.max_turns, 7);
  EXPECT_EQ(skill.model, "m-1");
  EXPECT_THAT(skill.fields, ElementsAre("issue", "plan_2"));
  EXPECT_EQ(skill.schema, R"({"type":"object"})");
  EXPECT_EQ(skill.rules, "Be kind.");
  EXPECT_EQ(skill.task, "{{issue}} {{plan_2}}\n## Part");
  EXPECT_EQ(skill.file, "/own/plan.md");
}

TEST(SkillsTest, ABrokenFileIsRefusedWithItsLine) {
  EXPECT_EQ(refusal(kFront + kBody), "");
  const auto front = [](const std::string& line) { return refusal(kFront + line + kBody); };
  EXPECT_EQ(refusal(""), "skill /own/plan.md:1: the first line must be ---, the begin of the front matter");
  EXPECT_THAT(refusal("# Task\nx"), StartsWith("skill /own/plan.md:1: the first line must be ---"));
  EXPECT_EQ(refusal("---\nname: plan\n"),
            "skill /own/plan.md:2: the front matter has no end: a line of --- is missing");
  EXPECT_EQ(
      front("tool: none\n"),
      "skill /own/plan.md:7: unknown key \"tool\"; there are name, description, tools, max_turns, model, "
      "fields and schema");
  EXPECT_EQ(front("tools: read\n"), "skill /own/plan.md:7: key tools is there twice");
  EXPECT_EQ(front("nonsense\n"), "skill /own/plan.md:7: \"nonsense\" is not of the form key: value");
  EXPECT_EQ(front("model:  \n"), "skill /own/plan.md:7: key model has no value");
  EXPECT_EQ(refusal("---\nname: plan\ndescription: x\nfields: []\nmax_turns: 1\n" + kBody),
            "skill /own/plan.md:6: key tools is missing above this line");
  EXPECT_EQ(
      refusal("---\nname: other\ndescription: x\n" + kBody),
      "skill /own/plan.md:2: name is \"other\" in the file \"plan.md\": the file must be called name.md");
  EXPECT_EQ(refusal("---\nname: plan\ndescription: x\ntools: all\n" + kBody),
            "skill /own/plan.md:4: tools is \"all\"; it can be none, read or edit");
  for (const char* turns : {"0", "-1", "1001", "5x", "99999999999999999999"}) {
    EXPECT_EQ(refusal("---\nname: plan\ndescription: x\ntools: read\nmax_turns: " + std::string(turns) +
                      "\n" + kBody),
              "skill /own/plan.md:5: max_turns is \"" + std::string(turns) +
                  "\"; it must be a number from 1 to 1000");
  }
}

TEST(SkillsTest, BrokenFieldsAreRefusedWithTheirLine) {
  const auto fields = [](const std::string& value) {
    return refusal("---\nname: plan\ndescription: x\ntools: read\nmax_turns: 1\nfields: " + value + "\n" +
                   kBody);
  };
  EXPECT_EQ(fields("issue"), "skill /own/plan.md:6: fields must be a list: [issue, repository]");
  EXPECT_EQ(fields("[issue, Issue]"),
            "skill /own/plan.md:6: field \"Issue\" must be small letters, digits and underscores");
  EXPECT_EQ(fields("[issue, issue]"), "skill /own/plan.md:6: field \"issue\" is there twice");
  EXPECT_EQ(fields("[plan]"), "skill /own/plan.md:11: there is no field {{issue}}; there are: plan");
}

TEST(SkillsTest, ABrokenSchemaIsRefusedWithItsLine) {
  EXPECT_THAT(refusal(kFront + "schema:\n  {\"type\": }\n" + kBody),
              StartsWith("skill /own/plan.md:7: schema is no JSON: "));
  EXPECT_EQ(refusal(kFront + "schema:\n  {\"type\": \"array\"}\n" + kBody),
            "skill /own/plan.md:7: schema must be of \"type\": \"object\"");
  EXPECT_EQ(refusal(kFront + "schema:\n" + kBody), "skill /own/plan.md:7: key schema has no value");
}

TEST(SkillsTest, ABrokenBodyIsRefusedWithItsLine) {
  const auto body = [](const std::string& text) { return refusal(kFront + "---\n" + text); };
  EXPECT_EQ(body("hello\n# Task\nx"),
            "skill /own/plan.md:8: text must stand below a line \"# Rules\" or \"# Task\"");
  EXPECT_EQ(body("# Rules\nx\n"), "skill /own/plan.md:9: there is nothing below a line \"# Task\"");
  EXPECT_EQ(body("# Task\n\n"), "skill /own/plan.md:9: there is nothing below a line \"# Task\"");
  EXPECT_EQ(body("# Task\nx\n# Task\ny"), "skill /own/plan.md:10: section # Task is there twice");
  EXPECT_EQ(body("# Task\n{{isue}}"), "skill /own/plan.md:9: there is no field {{isue}}; there are: issue");
  EXPECT_EQ(body("# Task\n{{ issue }}"),
            "skill /own/plan.md:9: {{ must be followed by the name of a field and }}");
  EXPECT_EQ(body("# Task\n{{issue"),
            "skill /own/plan.md:9: {{ must be followed by the name of a field and }}");
  EXPECT_EQ(body("# Rules\n{{issue}}\n# Task\nx"),
            "skill /own/plan.md:9: {{issue}} can stand below # Task only");
  EXPECT_EQ(body("# Task\nx\xFFy"), "skill /own/plan.md:9: this line is not UTF-8");
}

TEST(SkillsTest, TheUsersOwnWins) {
  const OwnFolder own;
  own.write("review-changes.md",
            "---\nname: review-changes\ndescription: Ours.\nmax_turns: 3\n---\n# Task\nLook at {{diff}}.\n");
  own.write("README.md", "about our skills");
  own.write("notes.txt", "x");
  const Book book(own.path()), shipped;
  const Skill& skill = book.find("review-changes");
  EXPECT_EQ(skill.task, "Look at {{diff}}.");
  EXPECT_EQ(skill.rules, "");
  EXPECT_EQ(skill.max_turns, 3);
  EXPECT_EQ(skill.file, (own.path() / "review-changes.md").string());
  // What it leaves out is as shipped.
  EXPECT_EQ(skill.tools, Tools::Read);
  EXPECT_EQ(skill.schema, shipped.find("review-changes").schema);
  EXPECT_EQ(book.find("plan-changes").task, shipped.find("plan-changes").task);
}

TEST(SkillsTest, ABrokenFileOfTheUserIsNeverReplacedByTheShippedOne) {
  const OwnFolder own;
  own.write("fix-ci.md", "---\nname: fix-ci\ndescription: Ours.\n---\n# Task\n{{diff}}\n");
  EXPECT_EQ(own.refusal(),
            "skill " + (own.path() / "fix-ci.md").string() +
                ":6: there is no field {{diff}}; there are: repository, mode, plan, checks, log, "
                "changes, limits");
}

TEST(SkillsTest, WhatCannotBeReadInTheUsersFolderIsRefused) {
  {
    const OwnFolder own;
    own.write("plan-change.md", "x");
    EXPECT_EQ(own.refusal(),
              "skill " + (own.path() / "plan-change.md").string() +
                  " takes the place of none; there are discover-repository, execute-plan, fix-ci, "
                  "plan-changes, review-changes");
  }
  {
    const OwnFolder own;
    fs::create_directory(own.path() / "fix-ci.md");
    EXPECT_THAT(own.refusal(), HasSubstr("fix-ci.md is no file that can be read"));
  }
  {
    const OwnFolder own;
    fs::create_symlink("/nowhere/at/all", own.path() / "fix-ci.md");
    EXPECT_THAT(own.refusal(), HasSubstr("fix-ci.md is no file that can be read"));
  }
  {
    const OwnFolder own;
    own.write("fix-ci.md", std::string(256 * 1024 + 1, 'x'));
    EXPECT_THAT(own.refusal(), HasSubstr("fix-ci.md is larger than 256 KiB"));
  }
  EXPECT_THROW(Book("relative/folder"), davit::Failure);
  EXPECT_THROW(Book("/nowhere/at/all"), davit::Failure);
}

TEST(SkillsTest, TheUsersSchemaMayDemandMoreButNotLess) {
  const Skill shipped = parse_skill(
      kFront + "schema:\n  {\"type\": \"object\", \"required\": [\"status\"]}\n" + kBody, "plan.md");
  const auto own = [&](const std::string& required) {
    return refusal("---\nname: plan\ndescription: x\nschema: {\"type\": \"object\", \"required\": [" +
                       required + "]}\n" + kBody,
                   &shipped);
  };
  EXPECT_EQ(own("\"more\", \"status\""), "");
  EXPECT_EQ(
      own("\"more\""),
      "skill /own/plan.md:4: schema does not require \"status\", which the agent reads; it may demand more "
      "than the shipped one, not less");
  EXPECT_EQ(refusal("---\nname: plan\ndescription: x\nfields: [issue, other]\n" + kBody, &shipped),
            "skill /own/plan.md:4: the agent gives no field other; it gives issue");
}

}  // namespace
