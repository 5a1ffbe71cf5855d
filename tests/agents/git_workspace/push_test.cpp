#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "git_workspace/message.h"
#include "git_workspace/session.h"
#include "tests/agents/git_workspace/workspace.h"

namespace {

namespace fs = std::filesystem;
using davit::Failure;
using davit::Status;
using davit::testing::Asked;
using davit::testing::Blob;
using davit::testing::run_git;
using davit::testing::Wire;
using git::Session;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const git::Author kAuthor{.name = "davit",
                          .email = "davit@example.com",
                          .when = std::chrono::system_clock::from_time_t(1'700'000'000)};

class PushTest : public davit::testing::WorkspaceTest {
 protected:
  PushTest() { base_ = server_.commit("acme/shop", "main", {{"a", Blob{"1\n"}}}); }

  Session open(const std::string& start = "main") const { return Session::open(fetch(), start, workspace()); }
  std::string commit(Session& session, const std::string& content, const std::string& message = "Change a",
                     const std::optional<git::Trailer>& trailer = std::nullopt) const {
    put(session.tree() / "a", content);
    return session.commit(session.change({}), kAuthor, message, trailer);
  }
  std::string show(const std::string& commit, const std::string& format) const {
    return run_git(server_.repository("acme/shop"), {"show", "--no-patch", "--format=" + format, commit});
  }

  std::string base_;
};

TEST_F(PushTest, MakesABranchWithTheCommit) {
  Session session = open();
  const std::string made = commit(session, "2\n", "Change a", git::Trailer{"Davit-Task", "0190/1"});
  EXPECT_EQ(session.head(), made);
  EXPECT_EQ(session.push("davit/x", std::nullopt, token()), Session::Pushed::Now);
  EXPECT_EQ(server_.head("acme/shop", "davit/x"), made);
  EXPECT_EQ(server_.head("acme/shop", "main"), base_);
  EXPECT_EQ(show(made, "%P"), base_);
  EXPECT_EQ(show(made, "%an <%ae> %at %cn <%ce>"),
            "davit <davit@example.com> 1700000000 davit <davit@example.com>");
  EXPECT_EQ(run_git(server_.repository("acme/shop"), {"show", made + ":a"}), "2");

  // A later run finds it.
  const git::Mirror mirror = fetch();
  const std::vector<git::Commit> commits = mirror.commits(base_, *mirror.head("davit/x"));
  ASSERT_EQ(commits.size(), 1u);
  EXPECT_EQ(git::trailer(commits[0].message, "Davit-Task"), "0190/1");
}

TEST_F(PushTest, SeveralCommitsLieOnTopOfEachOther) {
  Session session = open();
  const std::string first = commit(session, "2\n");
  const std::string second = commit(session, "3\n");
  EXPECT_EQ(session.push("davit/x", std::nullopt, token()), Session::Pushed::Now);
  EXPECT_EQ(show(second, "%P"), first);
  EXPECT_EQ(commit(session, "3\n"), second) << "nothing is new";
  EXPECT_THAT(session.change({}).diff, HasSubstr("-1\n+3\n")) << "all since the session began";
}

TEST_F(PushTest, AnotherRoundGoesOnWhereTheBranchIs) {
  Session first = open();
  const std::string one = commit(first, "2\n");
  first.push("davit/x", std::nullopt, token());
  Session second = open("davit/x");
  EXPECT_EQ(second.base(), one);
  const std::string two = commit(second, "3\n");
  EXPECT_EQ(second.push("davit/x", one, token()), Session::Pushed::Now);
  EXPECT_EQ(server_.head("acme/shop", "davit/x"), two);
}

TEST_F(PushTest, ASecondPushOfTheSameIsNone) {
  Session session = open();
  commit(session, "2\n");
  EXPECT_EQ(session.push("davit/x", std::nullopt, token()), Session::Pushed::Now);
  EXPECT_EQ(session.push("davit/x", std::nullopt, token()), Session::Pushed::AlreadyThere);
  // The same work of a run that was killed before it knew.
  Session again = open();
  commit(again, "2\n");
  EXPECT_EQ(again.push("davit/x", std::nullopt, token()), Session::Pushed::AlreadyThere);
}

TEST_F(PushTest, OnlyBelowThePrefix) {
  server_.commit("acme/shop", "davit/default", {{"a", Blob{"1\n"}}});
  run_git(server_.repository("acme/shop"), {"symbolic-ref", "HEAD", "refs/heads/davit/default"});
  Session session = open();
  commit(session, "2\n");
  for (const char* branch :
       {"main", "other", "davit", "davit/", "Davit/x", "xdavit/x", "refs/heads/main", "refs/tags/v1", "HEAD",
        "davit/../main", "davit/x:main", "davit/x#main", "davit//x", "+davit/x", "--mirror", "",
        "davit/default", "davit/x.lock", "davit/x y"}) {
    EXPECT_EQ(failure_of([&] { session.push(branch, std::nullopt, token()); }).status(), Status::Permanent)
        << branch;
  }
  EXPECT_EQ(server_.head("acme/shop", "main"), base_);
}

TEST_F(PushTest, NeverOverWhatSomebodyElsePushed) {
  Session session = open();
  const std::string ours = commit(session, "2\n");
  session.push("davit/x", std::nullopt, token());
  Session next = open("davit/x");
  commit(next, "3\n");
  const std::string theirs = server_.commit("acme/shop", "davit/x", {{"b", Blob{"theirs\n"}}});
  for (const auto& expected : {std::optional(ours), std::optional<std::string>()}) {
    const Failure failure = failure_of([&] { next.push("davit/x", expected, token()); });
    EXPECT_EQ(failure.status(), Status::Retryable);
    EXPECT_THAT(failure.what(), HasSubstr("somebody else pushed"));
  }
  EXPECT_EQ(server_.head("acme/shop", "davit/x"), theirs);

  // Nor if it is known: what is there must be below what is pushed.
  Session late = open("main");
  commit(late, "4\n");
  const Failure failure = failure_of([&] { late.push("davit/x", theirs, token()); });
  EXPECT_EQ(failure.status(), Status::Permanent);
  EXPECT_THAT(failure.what(), HasSubstr("would lose commit"));
  EXPECT_EQ(server_.head("acme/shop", "davit/x"), theirs);
}

TEST_F(PushTest, ABranchThatIsGoneIsNotMadeAgainUnnoticed) {
  Session session = open();
  const std::string one = commit(session, "2\n");
  session.push("davit/x", std::nullopt, token());
  run_git(server_.repository("acme/shop"), {"update-ref", "-d", "refs/heads/davit/x"});
  commit(session, "3\n");
  EXPECT_EQ(failure_of([&] { session.push("davit/x", one, token()); }).status(), Status::Retryable);
  EXPECT_EQ(server_.head("acme/shop", "davit/x"), "");
}

TEST_F(PushTest, ServersThatRefuseAreHeard) {
  Session session = open();
  commit(session, "2\n");
  const fs::path hook = server_.repository("acme/shop") / "hooks/update";
  put(hook, "#!/bin/sh\necho 'no workflows here' >&2\nexit 1\n");
  fs::permissions(hook, fs::perms::owner_all);
  const Failure failure = failure_of([&] { session.push("davit/x", std::nullopt, token()); });
  EXPECT_EQ(failure.status(), Status::Permanent);
  EXPECT_THAT(failure.what(), HasSubstr("hook declined"));

  server_.before = [](const Asked& asked, Wire& wire) {
    if (asked.method != "POST") return false;
    wire.answer(403, "");
    return true;
  };
  EXPECT_EQ(failure_of([&] { session.push("davit/x", std::nullopt, token()); }).status(),
            Status::Unauthorized);
  server_.before = [](const Asked&, Wire& wire) {
    wire.reset();
    return true;
  };
  EXPECT_EQ(failure_of([&] { session.push("davit/x", std::nullopt, token()); }).status(), Status::Retryable);

  settings_.limits.push = std::chrono::milliseconds(300);
  server_.before = {};
  Session hasty = open();
  commit(hasty, "2\n");
  server_.before = [](const Asked&, Wire& wire) {
    wire.until_gone();
    return true;
  };
  EXPECT_EQ(failure_of([&] { hasty.push("davit/x", std::nullopt, token()); }).status(), Status::Retryable);
}

TEST_F(PushTest, AReceivedPushWhoseAnswerIsLostIsFoundByTheNextTry) {
  Session session = open();
  const std::string made = commit(session, "2\n");
  server_.before = [&](const Asked& asked, Wire& wire) {
    if (asked.method != "POST" || asked.target.find("receive-pack") == std::string::npos) return false;
    davit::testing::answer_of_git(server_.folder() / "root", asked);  // goes to nobody
    wire.reset();
    return true;
  };
  EXPECT_EQ(failure_of([&] { session.push("davit/x", std::nullopt, token()); }).status(), Status::Retryable);
  server_.before = {};
  EXPECT_EQ(server_.head("acme/shop", "davit/x"), made);
  EXPECT_EQ(session.push("davit/x", std::nullopt, token()), Session::Pushed::AlreadyThere);
}

TEST_F(PushTest, TheTokenIsInNoArgumentFileOrMessage) {
  token_ = "canary-token-4711";
  server_.token = token_;
  std::atomic<int> authorized{0};
  std::atomic<bool> in_arguments{false};
  Session session = open();
  commit(session, "2\n");
  server_.before = [&](const Asked& asked, Wire&) {
    if (asked.header("Authorization") != davit::testing::authorization_of(token_)) return false;
    ++authorized;
    if (davit::testing::is_in_arguments(token_)) in_arguments = true;
    return false;
  };
  EXPECT_EQ(session.push("davit/x", std::nullopt, token()), Session::Pushed::Now);
  EXPECT_GE(authorized, 2);
  EXPECT_FALSE(in_arguments);
  EXPECT_THAT(davit::testing::files_with(state(), token_), IsEmpty());
  EXPECT_THAT(davit::testing::files_with(workspace(), token_), IsEmpty());

  const fs::path hook = server_.repository("acme/shop") / "hooks/update";
  put(hook, "#!/bin/sh\necho 'fatal: bad canary-token-4711' >&2\nexit 1\n");
  fs::permissions(hook, fs::perms::owner_all);
  commit(session, "3\n");
  EXPECT_THAT(failure_of([&] { session.push("davit/y", std::nullopt, token()); }).what(),
              Not(HasSubstr(token_)));
}

TEST_F(PushTest, AShallowMirrorServesToo) {
  settings_.limits.mirror_bytes = 100'000;
  std::string noise;
  for (unsigned i = 1, x = 7; i < 200'000; ++i)
    noise += static_cast<char>((x = x * 1664525 + 1013904223) >> 24);
  server_.commit("acme/shop", "main", {{"a", Blob{noise}}});
  const std::string last = server_.commit("acme/shop", "main", {{"a", Blob{"small\n"}}});
  ASSERT_TRUE(fetch().is_shallow());
  Session session = open();
  EXPECT_EQ(session.base(), last);
  const std::string made = commit(session, "2\n");
  EXPECT_EQ(session.push("davit/x", std::nullopt, token()), Session::Pushed::Now);
  EXPECT_EQ(show(made, "%P"), last);
  Session next = open("davit/x");
  commit(next, "3\n");
  EXPECT_EQ(next.push("davit/x", made, token()), Session::Pushed::Now);
}

using CommitTest = PushTest;

TEST_F(CommitTest, RefusesAChangeThatTheGateRefused) {
  Session session = open();
  put(session.tree() / "CLAUDE.md", "obey\n");
  git::Change change = session.change({});
  ASSERT_FALSE(change.refused.empty());
  EXPECT_THAT(failure_of([&] { session.commit(change, kAuthor, "x"); }).what(), HasSubstr("CLAUDE.md"));
  change.refused.clear();
  EXPECT_THAT(failure_of([&] { session.commit(change, kAuthor, "x"); }).what(),
              HasSubstr("not one that was looked at"));
  change.tree = "--help";
  EXPECT_EQ(failure_of([&] { session.commit(change, kAuthor, "x"); }).status(), Status::Permanent);
  EXPECT_EQ(session.head(), base_);
}

TEST_F(CommitTest, WhatChangesAfterTheLookIsNotCommitted) {
  Session session = open();
  put(session.tree() / "a", "2\n");
  const git::Change change = session.change({});
  put(session.tree() / "a", "evil\n");
  const std::string made = session.commit(change, kAuthor, "x");
  session.push("davit/x", std::nullopt, token());
  EXPECT_EQ(run_git(server_.repository("acme/shop"), {"show", made + ":a"}), "2");
}

TEST_F(CommitTest, TakesSecretsOutOfItsMessage) {
  settings_.secrets = redact::Redactor({"correct-horse-battery"});
  Session session = open();
  const std::string made =
      commit(session, "2\n", "Use correct-horse-battery\n\nAnd ghp_0123456789abcdefghijABCDEFGHIJ012345\n");
  session.push("davit/x", std::nullopt, token());
  EXPECT_EQ(show(made, "%B"), "Use [configured secret removed]\n\nAnd [GitHub token removed]");
  EXPECT_EQ(failure_of([&] { session.push("davit/correct-horse-battery", std::nullopt, token()); }).status(),
            Status::Permanent);
}

// davit knows its own commits by it, whatever words other people put before it.
TEST_F(CommitTest, ItsTrailerIsNoPartOfASecretInItsWords) {
  const std::string begin = std::string("-----BEGIN PRIVATE ") + "KEY-----";
  const std::string key = begin + "\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7";
  Session session = open();
  const git::Trailer trailer{"Davit-Task", "0190/1 " + std::string(64, 'a')};
  const std::string line = "\n\nDavit-Task: " + trailer.value;
  const std::string words = commit(session, "2\n", "Read " + begin, trailer);
  const std::string secret = commit(session, "3\n", "Read " + key, trailer);
  session.push("davit/x", std::nullopt, token());
  EXPECT_EQ(show(words, "%B"), "Read " + begin + line);
  EXPECT_EQ(show(secret, "%B"), "Read [private key removed]" + line);
}

TEST_F(CommitTest, ATrailerThatCannotBeReadBackIsRefused) {
  settings_.secrets = redact::Redactor({"correct-horse-battery"});
  Session session = open();
  put(session.tree() / "a", "2\n");
  const git::Change change = session.change({});
  for (const char* value : {"", "0190\n\nof the task", "correct-horse-battery"}) {
    const Failure failure = failure_of([&] {
      session.commit(change, kAuthor, "x", git::Trailer{"Davit-Task", value});
    });
    EXPECT_EQ(failure.status(), Status::Permanent) << value;
    EXPECT_THAT(failure.what(), AllOf(HasSubstr("Davit-Task"), Not(HasSubstr("correct-horse")))) << value;
  }
  EXPECT_EQ(session.head(), base_);
}

TEST_F(CommitTest, NeedsAMessageAndAnAuthor) {
  Session session = open();
  put(session.tree() / "a", "2\n");
  const git::Change change = session.change({});
  EXPECT_EQ(failure_of([&] { session.commit(change, kAuthor, " \n"); }).status(), Status::Permanent);
  EXPECT_EQ(failure_of([&] { session.commit(change, {.name = "<>\n", .email = "a@b"}, "x"); }).status(),
            Status::Permanent);
  EXPECT_EQ(failure_of([&] { session.commit(change, {.name = "a", .email = ""}, "x"); }).status(),
            Status::Permanent);
  const std::string made = session.commit(
      change, {.name = "Ann <x>\ncommitter Eve <e@e> 1 +0000", .email = "ann@example.com"}, "x");
  session.push("davit/x", std::nullopt, token());
  EXPECT_EQ(show(made, "%an"), "Ann xcommitter Eve e@e 1 +0000");
  EXPECT_EQ(show(made, "%ae"), "ann@example.com");
}

}  // namespace
