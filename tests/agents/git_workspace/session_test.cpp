#include "git_workspace/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <stdexcept>

#include "child_process/run_to_end.h"
#include "davit/sha256.hpp"
#include "tests/agents/git_workspace/workspace.h"
#include "tests/agents/git_workspace/zoo.h"

namespace {

namespace fs = std::filesystem;
using davit::Failure;
using davit::Status;
using davit::testing::Animal;
using davit::testing::Blob;
using davit::testing::run_git;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const git::Gate kOpen{.deny = {}, .most_bytes = 1 << 20, .binaries = true, .executables = true};

class SessionTest : public davit::testing::WorkspaceTest {
 protected:
  SessionTest() {
    const std::string submodule = server_.commit("acme/lib", "main", {{"x.c", Blob{"int x;\n"}}});
    base_ = server_.commit("acme/shop", "main",
                           {{"src/a.c", Blob{"int a;\n"}},
                            {"src/b.c", Blob{"int b;\n"}},
                            {".gitignore", Blob{"build/\n"}},
                            {"sub", Blob{submodule, "160000"}}},
                           "First");
  }

  git::Session open() const { return git::Session::open(fetch(), "main", workspace()); }

  // "A path", "M path", "D path".
  static std::vector<std::string> changed(const git::Change& change) {
    std::vector<std::string> list;
    for (const git::File& file : change.files) {
      const char* letter = file.old_mode == git::kNoFile ? "A " : file.new_mode == git::kNoFile ? "D " : "M ";
      list.push_back(letter + file.path);
    }
    return list;
  }
  static std::vector<std::string> rules(const git::Change& change) {
    std::vector<std::string> list;
    for (const git::Refusal& refusal : change.refused) list.push_back(refusal.rule);
    return list;
  }
  static std::string sentences(const git::Change& change) {
    std::string text;
    for (const git::Refusal& refusal : change.refused) text += refusal.sentence + "\n";
    return text;
  }

  fs::path marker() const { return server_.folder() / "marker"; }
  // Runs a script in a tree; $OUTER is git with the session's own folder.
  void run_script(const fs::path& tree, const std::string& script) const {
    const fs::path program = server_.folder() / "mark";
    if (!fs::exists(program)) {
      put(program, "#!/bin/sh\necho ran >> " + marker().string() + "\n");
      fs::permissions(program, fs::perms::owner_all);
    }
    child::Program shell;
    shell.path = "/bin/sh";
    shell.arguments = {"sh", "-c", script};
    shell.environment = {"PATH=/usr/bin:/bin:/usr/lib/git-core",
                         "HOME=/nonexistent",
                         "LC_ALL=C",
                         "MARK=" + program.string(),
                         "REAL=" + server_.repository("acme/lib").string(),
                         "OUTER=git --git-dir=" + (tree.parent_path() / "git").string() + " --work-tree=" +
                             tree.string() + " -c core.bare=false -c core.hooksPath=/dev/null",
                         "GIT_AUTHOR_NAME=A",
                         "GIT_AUTHOR_EMAIL=a@example.com",
                         "GIT_COMMITTER_NAME=A",
                         "GIT_COMMITTER_EMAIL=a@example.com",
                         "GIT_CONFIG_NOSYSTEM=1"};
    shell.working_directory = tree.string();
    child::run_to_end(shell, "", {}, {});
  }

  std::string base_;
};

TEST_F(SessionTest, HasTheFilesOfABranchOrACommit) {
  const std::string next = server_.commit("acme/shop", "main", {{"src/a.c", Blob{"int aa;\n"}}});
  const git::Mirror mirror = fetch();
  const git::Session newest = git::Session::open(mirror, "main", workspace());
  const git::Session first = git::Session::open(mirror, base_, workspace());
  EXPECT_EQ(newest.base(), next);
  EXPECT_EQ(newest.head(), next);
  EXPECT_EQ(content_of(newest.tree() / "src/a.c"), "int aa;\n");
  EXPECT_EQ(content_of(first.tree() / "src/a.c"), "int a;\n");
  EXPECT_FALSE(fs::exists(first.tree() / ".git"));
}

TEST_F(SessionTest, TakesFilesFromAnotherCommit) {
  const std::string base = server_.commit("acme/shop", "main", {{"CLAUDE.md", Blob{"be kind\n"}}});
  server_.commit("acme/shop", "change",
                 {{"src/a.c", Blob{"int a;\n"}},
                  {"src/z.c", Blob{"int z;\n"}},
                  {"Claude.md", Blob{"obey\n"}},
                  {"CLAUDE.md", Blob{"/etc/passwd", "120000"}},
                  {".claude", Blob{"src", "120000"}},
                  {"lib/.claude/settings.json", Blob{"{}\n"}},
                  {"lib/.claude/sub", Blob{std::string(40, 'a'), "160000"}}});
  const git::Mirror mirror = fetch();
  git::Session session = git::Session::open(mirror, "change", workspace());
  session.take_from(base, git::paths_that_lead_agents());
  EXPECT_FALSE(fs::is_symlink(session.tree() / "CLAUDE.md"));
  EXPECT_EQ(content_of(session.tree() / "CLAUDE.md"), "be kind\n");
  EXPECT_FALSE(fs::exists(session.tree() / "Claude.md"));
  EXPECT_FALSE(fs::is_symlink(session.tree() / ".claude"));
  EXPECT_FALSE(fs::exists(session.tree() / "lib/.claude/settings.json"));
  EXPECT_EQ(content_of(session.tree() / "src/z.c"), "int z;\n");
}

TEST_F(SessionTest, RefusesWhatIsNotThere) {
  const git::Mirror mirror = fetch();
  for (const std::string start : {"nothing", "--help", "main~1", "HEAD", ""}) {
    EXPECT_EQ(failure_of([&] { git::Session::open(mirror, start, workspace()); }).status(), Status::NotFound)
        << start;
  }
  EXPECT_EQ(failure_of([&] { git::Session::open(mirror, std::string(40, 'a'), workspace()); }).status(),
            Status::NotFound);
  EXPECT_TRUE(fs::is_empty(workspace())) << "something is left of what failed";
}

TEST_F(SessionTest, RefusesATreeOverTheLimits) {
  settings_.limits.files = 3;
  EXPECT_THAT(failure_of([&] { open(); }).what(), HasSubstr("more than the limits"));
  settings_.limits.files = 4;
  open();
  settings_.limits.tree_bytes = 10;
  EXPECT_EQ(failure_of([&] { open(); }).status(), Status::Permanent);
  EXPECT_TRUE(fs::is_empty(workspace()));
}

TEST_F(SessionTest, SeesNoChangeWhereThereIsNone) {
  git::Session session = open();
  const git::Change change = session.change({});
  EXPECT_TRUE(change.is_empty());
  EXPECT_THAT(change.refused, IsEmpty());
  EXPECT_EQ(change.diff, "");
}

TEST_F(SessionTest, SeesWhatIsDifferent) {
  git::Session session = open();
  put(session.tree() / "src/a.c", "int a;\nint more;\n");
  fs::remove(session.tree() / "src/b.c");
  put(session.tree() / "docs/ä b.md", "new\n");
  put(session.tree() / "build/ignored.o", "ignored");
  const git::Change change = session.change({});
  EXPECT_THAT(changed(change), ElementsAre("A docs/ä b.md", "M src/a.c", "D src/b.c"));
  EXPECT_THAT(change.refused, IsEmpty());
  EXPECT_THAT(change.diff,
              AllOf(HasSubstr("+int more;\n"), HasSubstr("-int b;\n"), HasSubstr("b/docs/ä b.md")));
}

TEST_F(SessionTest, TheHashIsOfTheDiffAndOfNothingElse) {
  git::Session one = open(), other = open();
  put(one.tree() / "new", std::string("a\0b", 3));
  put(other.tree() / "new", std::string("a\0b", 3));
  const git::Change change = one.change(kOpen);
  EXPECT_EQ(change.sha256.size(), 64u);
  EXPECT_EQ(change.sha256, other.change(kOpen).sha256);
  put(other.tree() / "new", std::string("a\0c", 3));
  EXPECT_NE(change.sha256, other.change(kOpen).sha256);
  EXPECT_EQ(change.sha256, one.change(kOpen).sha256);

  const git::Change cut = one.change({.most_bytes = 20});
  EXPECT_EQ(cut.sha256, "");
  EXPECT_EQ(cut.diff.size(), 20u);
  EXPECT_THAT(rules(cut), Contains("size"));
}

// The zoo: nothing of the tree runs, whatever it holds.
class ZooTest : public SessionTest, public testing::WithParamInterface<std::size_t> {
 protected:
  const Animal& animal() const { return davit::testing::zoo()[GetParam()]; }
};

INSTANTIATE_TEST_SUITE_P(Zoo, ZooTest, testing::Range<std::size_t>(0, davit::testing::zoo().size()),
                         [](const testing::TestParamInfo<std::size_t>& animal) {
                           return std::string(davit::testing::zoo()[animal.param].name);
                         });

TEST_P(ZooTest, SeesWhatTheTreeBecameWithoutRunningAnythingOfIt) {
  git::Session session = open();
  run_script(session.tree(), animal().plant);
  fs::remove(marker());  // planting may have set it off
  put(session.tree() / "src/b.c", "int b = 1;\n");

  const git::Change change = session.change(kOpen);
  EXPECT_FALSE(fs::exists(marker())) << "a program of the tree ran";
  EXPECT_THAT(changed(change), Contains("M src/b.c"));
  const git::Change again = session.change(kOpen);
  if (again.refused.empty()) {
    session.commit(again, {.name = "davit", .email = "davit@example.com"}, "Change b");
    session.push("davit/zoo", std::nullopt, token());
  }
  EXPECT_FALSE(fs::exists(marker())) << "a program of the tree ran";
}

// The test above would see it.
TEST_P(ZooTest, WhoRunsGitInTheTreeRunsItsPrograms) {
  git::Session session = open();
  run_script(session.tree(), animal().plant);
  fs::remove(marker());
  put(session.tree() / "src/b.c", "int b = 1;\n");
  run_script(session.tree(), animal().careless);
  EXPECT_TRUE(fs::exists(marker()));
}

TEST_F(SessionTest, AttributesOfTheTreeDoNotHideWhatChanged) {
  git::Session session = open();
  put(session.tree() / ".gitattributes", "*.c -diff binary\n*.bin diff text\n");
  put(session.tree() / "src/a.c", "int evil;\n");
  put(session.tree() / "x.bin", std::string("a\0b", 3));
  git::Gate gate = kOpen;
  gate.binaries = false;
  const git::Change change = session.change(gate);
  EXPECT_THAT(change.diff, HasSubstr("+int evil;\n"));
  EXPECT_THAT(rules(change), ElementsAre("binary"));
}

TEST_F(SessionTest, ACopyOfARepositoryIsNotAddedAsFiles) {
  git::Session session = open();
  run_script(session.tree(),
             "git init -q vendor; echo x > vendor/x; git -C vendor add -A; git -C vendor commit -qm x");
  const git::Change change = session.change(kOpen);
  EXPECT_THAT(rules(change), ElementsAre("repository"));
  EXPECT_THAT(changed(change), ElementsAre("A vendor/x"));
}

TEST_F(SessionTest, ARepositoryThatIsIgnoredDoesNotMatter) {
  git::Session session = open();
  run_script(session.tree(), "git init -q build/dep; echo x > build/dep/x");
  EXPECT_THAT(session.change(kOpen).refused, IsEmpty());
}

TEST_F(SessionTest, NothingIsPutInThePlaceOfASubmodule) {
  git::Session session = open();
  put(session.tree() / "sub/x", "x");
  EXPECT_THAT(rules(session.change(kOpen)), ElementsAre("submodule"));
  fs::remove_all(session.tree() / "sub");
  EXPECT_THAT(session.change(kOpen).refused, IsEmpty()) << "cleaning up took its empty folder away";
  fs::remove_all(session.tree() / "sub");
  put(session.tree() / "sub", "a file");
  EXPECT_THAT(rules(session.change(kOpen)), Contains("submodule"));
  fs::remove(session.tree() / "sub");
  fs::create_symlink("/etc", session.tree() / "sub");
  EXPECT_THAT(rules(session.change(kOpen)), Contains("submodule"));
}

TEST_F(SessionTest, WhatALinkLeadsToIsNotRead) {
  put(server_.folder() / "outside", "outside-content");
  git::Session session = open();
  fs::create_symlink(server_.folder() / "outside", session.tree() / "link");
  fs::remove_all(session.tree() / "src");
  fs::create_symlink(server_.folder(), session.tree() / "src");
  const git::Change change = session.change(kOpen);
  EXPECT_THAT(change.diff, Not(HasSubstr("outside-content")));
  EXPECT_THAT(changed(change), ElementsAre("A link", "A src", "D src/a.c", "D src/b.c"));
  EXPECT_THAT(rules(change), ElementsAre("symlink", "symlink"));
}

TEST_F(SessionTest, WhatGitDoesNotTakeIsRefusedAndTheRestIsJudged) {
  git::Session session = open();
  put(session.tree() / ".GIT/config", "x");
  put(session.tree() / "git~1/x", "x");
  fs::remove(session.tree() / "src/a.c");
  mkfifo((session.tree() / "src/a.c").c_str(), 0600);
  put(session.tree() / "run", "x");
  fs::permissions(session.tree() / "run", fs::perms::owner_all);
  const git::Change change = session.change({});
  EXPECT_THAT(rules(change), AllOf(Contains("git"), Contains("mode")));
  EXPECT_THAT(sentences(change), AllOf(HasSubstr(".GIT/config"), HasSubstr("git~1"), HasSubstr("src/a.c")));
}

TEST_F(SessionTest, WhatNobodyMayReadIsSeen) {
  git::Session session = open();
  put(session.tree() / "locked/file", "x\n");
  fs::permissions(session.tree() / "locked/file", fs::perms::none);
  fs::permissions(session.tree() / "locked", fs::perms::none);
  const git::Change change = session.change({});
  EXPECT_THAT(changed(change), ElementsAre("A locked/file"));
}

TEST_F(SessionTest, ATreeThatOutgrewTheLimitsIsRefusedBeforeGitReadsIt) {
  settings_.limits.tree_bytes = 100'000;
  git::Session session = open();
  put(session.tree() / "build/large", std::string(200'000, 'x'));
  const Failure failure = failure_of([&] { session.change({}); });
  EXPECT_EQ(failure.status(), Status::Permanent);
  EXPECT_THAT(failure.what(), HasSubstr("has grown"));
}

TEST_F(SessionTest, SecretsInFilesAreRefused) {
  settings_.secrets = redact::Redactor({"correct-horse-battery"});
  git::Session session = open();
  put(session.tree() / "src/a.c", "int a;\n// Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5\n");
  const git::Change change = session.change({});
  EXPECT_THAT(rules(change), ElementsAre("secret"));
  EXPECT_THAT(sentences(change), HasSubstr("src/a.c holds a secret"));
}

TEST_F(SessionTest, AFileTooLargeToLookThroughIsRefused) {
  git::Session session = open();
  put(session.tree() / "large", std::string((std::size_t{64} << 20) + 1, 'x'));
  git::Gate gate = kOpen;
  gate.most_bytes = std::size_t{1} << 30;
  EXPECT_THAT(rules(session.change(gate)), ElementsAre("secret"));
}

TEST_F(SessionTest, TheCallerWritesFilesOfItsOwn) {
  git::Session session = open();
  session.write("docs/plans/a.md", "# Plan\n");
  session.remove("src/b.c");
  EXPECT_THAT(changed(session.change({})), ElementsAre("A docs/plans/a.md", "D src/b.c"));
}

TEST_F(SessionTest, TheAgentHasARepositoryOfItsOwnUntilTheLook) {
  server_.commit("acme/shop", "main", {{"src/a.c", Blob{"int a = 1;\n"}}});
  git::Session session = open();
  for (const std::string content : {"int a = 2;\n", "int a = 3;\n"}) {
    session.give_repository();
    put(session.tree() / "src/a.c", content);
    EXPECT_EQ(run_git(session.tree(), {"status", "--porcelain"}), " M src/a.c");
    EXPECT_THAT(run_git(session.tree(), {"diff"}), HasSubstr("-int a = 1;\n+" + content.substr(0, 10)));
    EXPECT_EQ(run_git(session.tree(), {"log", "--format=%H"}), session.base()) << "of the history one commit";
    EXPECT_EQ(failure_of([&] { session.give_repository(); }).status(), Status::Retryable);
    const git::Change change = session.change({});
    EXPECT_THAT(changed(change), ElementsAre("M src/a.c"));
    EXPECT_THAT(change.refused, IsEmpty());
    EXPECT_FALSE(fs::exists(session.tree() / ".git"));
  }
}

TEST_F(SessionTest, IsGoneAfterwardsAlsoWhenItThrows) {
  try {
    git::Session session = open();
    run_script(session.tree(), "mkdir -p a/b; echo x > a/b/c; chmod 000 a/b a; git init -q .");
    EXPECT_FALSE(fs::is_empty(workspace()));
    throw std::runtime_error("the agent failed");
  } catch (const std::runtime_error&) {
  }
  EXPECT_TRUE(fs::is_empty(workspace()));
  {
    git::Session session = open();
    const git::Session moved = std::move(session);
    EXPECT_TRUE(fs::exists(moved.tree()));
  }
  EXPECT_TRUE(fs::is_empty(workspace()));
}

TEST_F(SessionTest, TwoSessionsDoNotSeeEachOther) {
  git::Session one = open(), other = open();
  put(one.tree() / "one", "1");
  put(other.tree() / "other", "2");
  EXPECT_THAT(changed(one.change({})), ElementsAre("A one"));
  EXPECT_THAT(changed(other.change({})), ElementsAre("A other"));
  const std::string commit = one.commit(one.change({}), {.name = "d", .email = "d@example.com"}, "One");
  EXPECT_FALSE(fetch().has(commit));
}

TEST_F(SessionTest, IsNotDisturbedByAFetch) {
  git::Session session = open();
  server_.commit("acme/shop", "main", {{"src/a.c", Blob{"int other;\n"}}});
  run_git(server_.repository("acme/shop"), {"update-ref", "refs/heads/main", "main"});
  fetch();
  put(session.tree() / "new", "x");
  EXPECT_THAT(changed(session.change({})), ElementsAre("A new"));
}

TEST_F(SessionTest, KeepsLineEndsAsTheRepositoryWantsThem) {
  server_.commit("acme/shop", "main",
                 {{".gitattributes", Blob{"*.txt text\n*.bat text eol=crlf\n"}},
                  {"a.txt", Blob{"a\n"}},
                  {"b.bat", Blob{"b\n"}}});
  git::Session session = open();
  EXPECT_EQ(content_of(session.tree() / "b.bat"), "b\r\n");
  put(session.tree() / "a.txt", "a\r\nmore\r\n");
  const git::Change change = session.change({});
  EXPECT_THAT(changed(change), ElementsAre("M a.txt"));
  EXPECT_THAT(change.diff, Not(HasSubstr("\r")));
}

TEST_F(SessionTest, CancellingEndsTheLook) {
  bool cancelled = false;
  cancelled_ = [&] { return cancelled; };
  git::Session session = open();
  cancelled = true;
  EXPECT_EQ(failure_of([&] { session.change({}); }).status(), Status::Cancelled);
}

}  // namespace
