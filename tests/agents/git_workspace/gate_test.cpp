#include "git_workspace/gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using git::Contents;
using git::File;
using git::Gate;
using git::Refusal;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kSecret = "correct-horse-battery";

class GateTest : public testing::Test {
 protected:
  void add(const std::string& path, const Contents& contents = {"", "text\n"}, int new_mode = git::kPlain,
           int old_mode = git::kPlain) {
    files_.push_back({.path = path, .old_mode = old_mode, .new_mode = new_mode, .old_id = "", .new_id = ""});
    contents_.push_back(contents);
  }
  std::vector<Refusal> judge() {
    return git::judge(gate_, files_, contents_, diff_bytes_, repositories_, redact::Redactor({kSecret}));
  }
  // "rule path" of each.
  std::vector<std::string> rules() {
    std::vector<std::string> list;
    for (const Refusal& refusal : judge()) list.push_back(refusal.rule + " " + refusal.path);
    return list;
  }

  Gate gate_;
  std::vector<File> files_;
  std::vector<Contents> contents_;
  std::optional<std::size_t> diff_bytes_ = 100;
  std::vector<std::string> repositories_;
};

TEST_F(GateTest, LetsAPlainChangeThrough) {
  add("src/cart.cpp");
  add("docs/new.md", {"", "new\n"}, git::kPlain, git::kNoFile);
  add("old.md", {"old\n", ""}, git::kNoFile, git::kPlain);
  add("scripts/run", {"a", "b"}, git::kProgram, git::kProgram);
  add("link", {"", "docs/new.md"}, git::kLink, git::kNoFile);
  EXPECT_THAT(judge(), IsEmpty());
}

TEST_F(GateTest, RefusesPathsThatAreNotAllowed) {
  gate_.allow = {"src/**", "*.md"};
  add("src/a/b.cpp");
  add("docs/README.md");
  add("tests/a.cpp");
  EXPECT_THAT(rules(), ElementsAre("path tests/a.cpp"));
}

TEST_F(GateTest, RefusesWhatDecidesAboutProgramsElsewhere) {
  const std::vector<std::string> paths{".github/workflows/ci.yml",
                                       ".github/actions/x/action.yml",
                                       "action.yml",
                                       ".gitlab-ci.yml",
                                       ".circleci/config.yml",
                                       "ci/Jenkinsfile",
                                       ".claude/settings.json",
                                       "sub/.claude/hooks/x",
                                       ".mcp.json",
                                       "CLAUDE.md",
                                       "sub/Claude.md",
                                       ".husky/pre-commit",
                                       ".gitmodules",
                                       ".gitattributes",
                                       "sub/.gitattributes",
                                       ".GitHub/Workflows/ci.yml",
                                       ".vscode/tasks.json",
                                       ".envrc",
                                       ".github/CODEOWNERS",
                                       ".github/copilot-instructions.md",
                                       ".github/instructions/x.instructions.md",
                                       ".github/prompts/x.prompt.md",
                                       "AGENT.md",
                                       "GEMINI.md",
                                       ".claude.json",
                                       ".claude",
                                       ".windsurfrules",
                                       ".github/settings.yml",
                                       ".github/dependabot.yaml",
                                       ".woodpecker.yaml",
                                       ".gitea/workflows/ci.yml",
                                       ".forgejo/workflows/ci.yml",
                                       "appveyor.yml",
                                       ".semaphore/semaphore.yml",
                                       "buildspec.yml",
                                       "cloudbuild.yaml",
                                       "azure-pipelines.yaml",
                                       ".lefthook.yml",
                                       "lefthook.toml",
                                       "renovate.json"};
  for (const std::string& path : paths) add(path);
  std::vector<std::string> expected;
  for (const std::string& path : paths) expected.push_back("path " + path);
  EXPECT_EQ(rules(), expected);
}

TEST_F(GateTest, RefusesToTakeSuchPathsAway) {
  add(".github/workflows/ci.yml", {"on: push", ""}, git::kNoFile, git::kPlain);
  EXPECT_THAT(rules(), ElementsAre("path .github/workflows/ci.yml"));
}

TEST_F(GateTest, RefusesLinksInThePlaceOfFoldersOnTheWayToSuchPaths) {
  const std::vector<std::string> paths{".github", ".GitHub/workflows", ".claude", "sub/.claude", ".husky"};
  for (const std::string& path : paths) add(path, {"", "docs"}, git::kLink, git::kNoFile);
  add("github", {"", "docs"}, git::kLink, git::kNoFile);
  add("sub/.github", {"", "../docs"}, git::kLink, git::kNoFile);
  std::vector<std::string> expected;
  for (const std::string& path : paths) expected.push_back("path " + path);
  EXPECT_EQ(rules(), expected);
}

TEST_F(GateTest, RefusesTooManyFilesAndTooLargeADiff) {
  gate_.most_files = 2;
  add("a");
  add("b");
  EXPECT_THAT(judge(), IsEmpty());
  add("c");
  EXPECT_THAT(rules(), ElementsAre("files "));
  gate_.most_files = 3;
  gate_.most_bytes = 100;
  EXPECT_THAT(judge(), IsEmpty());
  diff_bytes_ = 101;
  EXPECT_THAT(rules(), ElementsAre("size "));
  diff_bytes_ = std::nullopt;
  EXPECT_THAT(rules(), ElementsAre("size "));
}

TEST_F(GateTest, RefusesBinaryFilesUnlessTheyAreAllowed) {
  add("a.png", {"", std::string(9000, 'x') + std::string(1, '\0')});
  EXPECT_THAT(rules(), ElementsAre("binary a.png"));
  gate_.binaries = true;
  EXPECT_THAT(judge(), IsEmpty());
}

TEST_F(GateTest, RefusesNewProgramsUnlessTheyAreAllowed) {
  add("run", {"a", "a"}, git::kProgram, git::kPlain);
  add("new", {"", "a"}, git::kProgram, git::kNoFile);
  add("no-more", {"a", "a"}, git::kPlain, git::kProgram);
  EXPECT_THAT(rules(), ElementsAre("mode run", "mode new"));
  gate_.executables = true;
  EXPECT_THAT(judge(), IsEmpty());
}

TEST_F(GateTest, RefusesLinksThatLeaveTheRepository) {
  for (const char* target : {"/etc/passwd", "../x", "../../x", "x/../../../y", "sub/..", "x/..",
                             ".git/config", "../.git", ".GIT/config", "", "a/.git/x", "./../.."}) {
    files_.clear();
    contents_.clear();
    add("a/link", {"", target}, git::kLink, git::kNoFile);
    const bool inside = std::string(target) == "../x";
    EXPECT_EQ(judge().empty(), inside) << target;
  }
  files_.clear();
  contents_.clear();
  for (const char* target : {"b", "../b", "../../b/c", "./b", "..", "../..", "...", ".gitignore"})
    add("d/e/link", {"", target}, git::kLink, git::kPlain);
  EXPECT_THAT(judge(), IsEmpty());
}

TEST_F(GateTest, RefusesSubmodules) {
  add("new", {"", ""}, git::kSubmodule, git::kNoFile);
  add("changed", {"", ""}, git::kSubmodule, git::kSubmodule);
  add("gone", {"", ""}, git::kNoFile, git::kSubmodule);
  EXPECT_THAT(rules(), ElementsAre("submodule new", "submodule changed", "submodule gone"));
}

TEST_F(GateTest, RefusesWhatWasARepositoryOfItsOwn) {
  repositories_ = {"", "build/_deps/x", "vendor/y"};
  add("vendor/y/a.c");
  add("vendor/yy/a.c");
  const std::vector<Refusal> refused = judge();
  ASSERT_EQ(refused.size(), 1u);
  EXPECT_EQ(refused[0].rule, "repository");
  EXPECT_THAT(refused[0].sentence, HasSubstr("vendor/y "));
}

TEST_F(GateTest, RefusesNamesThatAreNone) {
  add("a\nb");
  add("\xff");
  add("tab\there");
  EXPECT_THAT(rules(), ElementsAre("name a?b", "name \xef\xbf\xbd", "name tab?here"));
}

TEST_F(GateTest, RefusesSecretsPlainAndInBase64) {
  add("plain", {"", "one\ntwo correct-horse-battery\n"});
  add("base64", {"", "x = \"Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5\"\n"});
  add("shape", {"", "ghp_0123456789abcdefghijABCDEFGHIJ012345\n"});
  add("link", {"", "docs/correct-horse-battery"}, git::kLink, git::kNoFile);
  add("correct-horse-battery.txt");
  EXPECT_THAT(rules(), ElementsAre("secret plain", "secret base64", "secret shape", "secret link",
                                   "secret [configured secret removed].txt"));
  for (const Refusal& refusal : judge()) {
    EXPECT_THAT(refusal.sentence + refusal.path, Not(HasSubstr(kSecret)));
    EXPECT_THAT(refusal.sentence, Not(HasSubstr("ghp_")));
  }
  EXPECT_THAT(judge()[0].sentence, HasSubstr("in line 2"));
}

TEST_F(GateTest, ASecretThatWasThereBeforeIsNotTheAgents) {
  add("fixture",
      {"old\nghp_0123456789abcdefghijABCDEFGHIJ012345\n", "new\nghp_0123456789abcdefghijABCDEFGHIJ012345\n"});
  EXPECT_THAT(judge(), IsEmpty());
  add("other", {"ghp_0123456789abcdefghijABCDEFGHIJ012345",
                "ghp_0123456789abcdefghijABCDEFGHIJ012345 ghp_9999999999abcdefghijABCDEFGHIJ012345"});
  EXPECT_THAT(rules(), ElementsAre("secret other"));
}

TEST_F(GateTest, WhatCannotBeLookedThroughIsRefused) {
  add("large", {"", std::nullopt});
  add("was-large", {std::nullopt, "a"});
  EXPECT_THAT(rules(), ElementsAre("secret large", "secret was-large"));
}

TEST_F(GateTest, ListsAllAtOnce) {
  gate_.allow = {"src/**"};
  gate_.most_files = 1;
  diff_bytes_ = std::nullopt;
  add("CLAUDE.md", {"", std::string("correct-horse-battery\0", 22)}, git::kProgram, git::kNoFile);
  add("src/link", {"", "/etc"}, git::kLink, git::kNoFile);
  EXPECT_THAT(rules(), ElementsAre("files ", "size ", "path CLAUDE.md", "path CLAUDE.md", "mode CLAUDE.md",
                                   "binary CLAUDE.md", "secret CLAUDE.md", "symlink src/link"));
}

}  // namespace
