// Addresses, names of branches, messages, patterns: no git, no files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "davit/failure.hpp"
#include "git_workspace/branch.h"
#include "git_workspace/command.h"
#include "git_workspace/message.h"
#include "git_workspace/path_pattern.h"
#include "git_workspace/remote.h"

namespace {

using git::Case;
using testing::HasSubstr;
using testing::Not;

const std::vector<std::string> kHosts{"github.com", "git.example.com:8443", "127.0.0.1:3000"};

TEST(RemoteTest, ReadsAPlainAddress) {
  const git::Remote remote = git::remote_at("https://GitHub.com/acme/shop.git", kHosts);
  EXPECT_EQ(remote.url, "https://github.com/acme/shop.git");
  EXPECT_EQ(remote.origin(), "https://github.com");
  EXPECT_EQ(remote.owner, "acme");
  EXPECT_EQ(remote.name, "shop");
  EXPECT_EQ(remote.key(), "github.com/acme/shop");
}

TEST(RemoteTest, AnAddressWithAndWithoutItsEndIsOneRepository) {
  EXPECT_EQ(git::remote_at("https://github.com/acme/shop", kHosts).key(),
            git::remote_at("https://github.com/acme/shop.git/", kHosts).key());
}

TEST(RemoteTest, ReadsPortsAndGroups) {
  const git::Remote remote = git::remote_at("https://git.example.com:8443/group/team/shop.git", kHosts);
  EXPECT_EQ(remote.host, "git.example.com:8443");
  EXPECT_EQ(remote.owner, "group/team");
  EXPECT_EQ(git::remote_at("http://127.0.0.1:3000/acme/shop.git", kHosts).scheme, "http");
}

TEST(RemoteTest, WhatIsNoPlainAddressOfAKnownHostIsRefused) {
  for (const char* url : {"",
                          "--upload-pack=touch /tmp/x",
                          "-u",
                          "ext::sh -c touch% /tmp/x",
                          "file:///etc/passwd",
                          "/etc",
                          "git@github.com:acme/shop.git",
                          "ssh://github.com/acme/shop.git",
                          "git://github.com/acme/shop.git",
                          "HTTPS://github.com/acme/shop.git",
                          "https://github.com",
                          "https://github.com/",
                          "https://github.com/acme",
                          "https://github.com//shop",
                          "https://github.com/acme//shop",
                          "https://github.com/acme/-shop",
                          "https://github.com/../shop",
                          "https://github.com/acme/..",
                          "https://github.com/acme/.git",
                          "https://github.com/acme/a.git/shop",
                          "https://github.com/acme/x.lock",
                          "https://github.com/acme/shop?x=1",
                          "https://github.com/acme/shop#x",
                          "https://github.com/acme/sh%6fp",
                          "https://github.com/acme/sh op",
                          "https://github.com/acme/shop\n",
                          "https://evil.example/acme/shop",
                          "https://github.com.evil.example/acme/shop",
                          "https://github.com:443/acme/shop",
                          "https://github.com:/acme/shop",
                          "https://github.com@evil.example/acme/shop",
                          "https://user:pw-in-it@github.com/acme/shop",
                          "https://-x/acme/shop",
                          "http://github.com/acme/shop",
                          "http://127.0.0.1.evil.example/acme/shop",
                          "http://127.0.0.1:3001/acme/shop",
                          "https://github.com\\@evil/acme/shop",
                          "https://github.com/a/b/c/d/e/f/g/h/i/j/k/l"}) {
    try {
      git::remote_at(url, kHosts);
      ADD_FAILURE() << url << " was taken";
    } catch (const davit::Failure& failure) {
      EXPECT_EQ(failure.status(), davit::Status::Permanent);
      EXPECT_THAT(failure.what(), HasSubstr("address of the repository"));
      EXPECT_THAT(failure.what(), Not(HasSubstr("pw-in-it")));
    }
  }
}

TEST(BranchNameTest, RefusesWhatChangesAnAddress) {
  for (const char* name : {"",         "-x",
                           "davit/-x", ".x",
                           "a/.x",     "a..b",
                           "a//b",     "/a",
                           "a/",       "a.",
                           "a.lock",   "a.lock/b",
                           "a@{1}",    "davit/x#main",
                           "a b",      "a~1",
                           "a^",       "a:b",
                           "a?",       "a*",
                           "a[",       "a\\b",
                           "a\x7f",    "a\nb",
                           "HEAD",     "refs/heads/main",
                           "a%2e%2e",  "\xc3\xa4"})
    EXPECT_FALSE(git::valid_branch(name)) << name;
}

TEST(BranchNameTest, TakesPlainNames) {
  for (const char* name : {"main", "davit/plan-1", "release/1.2", "A_b-c", "0"})
    EXPECT_TRUE(git::valid_branch(name)) << name;
  EXPECT_TRUE(git::valid_branch(std::string(200, 'a')));
  EXPECT_FALSE(git::valid_branch(std::string(201, 'a')));
}

TEST(BranchNameTest, IsMadeOfWordsAndAnId) {
  EXPECT_EQ(git::branch_name("davit/", "plan SHOP-412", "0190a1b2"), "davit/plan-shop-412-0190a1b2");
  EXPECT_EQ(git::branch_name("davit/", "../..#main @{x}", "7"), "davit/main-x-7");
  EXPECT_EQ(git::branch_name("davit/", "\xc3\xa4", ""), "davit/work");
  for (const char* words : {"", "...", "-", "a.lock", "HEAD", "\n\n", "refs/heads/x", "~^:?*[\\"}) {
    EXPECT_TRUE(git::valid_branch(git::branch_name("davit/", words, words))) << words;
  }
  EXPECT_TRUE(git::valid_branch(git::branch_name("davit/", std::string(5000, 'x'), std::string(5000, 'y'))));
}

TEST(CommitMessageTest, IsCleanedAndCut) {
  EXPECT_EQ(git::clean_message("\n\n Fix\t it \n\nbecause\x1b[31m\x07 \xff\r\n\n\n"),
            " Fix  it\n\nbecause[31m \xef\xbf\xbd");
  EXPECT_EQ(git::clean_message(" \n \n"), "");
  EXPECT_LE(git::clean_message(std::string(1 << 20, 'x')).size(), 16u * 1024);
}

TEST(CommitMessageTest, ATrailerIsFoundAgain) {
  const std::string message = git::with_trailer("Fix the shop\n", "Davit-Task", "0190/2");
  EXPECT_EQ(message, "Fix the shop\n\nDavit-Task: 0190/2");
  EXPECT_EQ(git::trailer(message + "\n", "Davit-Task"), "0190/2");
  EXPECT_EQ(git::trailer(message, "Davit"), std::nullopt);
  EXPECT_EQ(git::trailer("Fix the shop", "Davit-Task"), std::nullopt);
}

TEST(CommitMessageTest, NoWordsPretendToBeATrailer) {
  for (const char* words :
       {"Davit-Task: 1", "Fix\n\nDavit-Task: 1", "Fix\n\nDavit-Task: 1\n\n", "Davit-Task: 1\n"}) {
    EXPECT_EQ(git::trailer(git::with_trailer(words, "Davit-Task", "2"), "Davit-Task"), "2") << words;
    EXPECT_EQ(git::trailer(git::with_trailer(words, "Other", "2"), "Davit-Task"), std::nullopt) << words;
  }
}

struct PatternCase {
  const char *pattern, *path;
  bool matches;
};
TEST(PathPatternTest, MatchesAsItSays) {
  const std::vector<PatternCase> cases{{"**", "a/b/c", true},
                                       {"src/**", "src/a/b", true},
                                       {"src/**", "src", false},
                                       {"src/**", "other/src/a", false},
                                       {"src/*", "src/a", true},
                                       {"src/*", "src/a/b", false},
                                       {"**/x", "x", true},
                                       {"**/x", "a/b/x", true},
                                       {"**/x", "ax", false},
                                       {"**/.claude/**", ".claude/a", true},
                                       {"**/.claude/**", "a/.claude/b/c", true},
                                       {"**/.claude/**", "a.claude/b", false},
                                       {"a/**/b", "a/b", true},
                                       {"a/**/b", "a/x/y/b", true},
                                       {"a/**/b", "a/xb", false},
                                       {"*.lock", "a/b/c.lock", true},
                                       {"*.lock", "a.lock/b", false},
                                       {"Jenkinsfile", "ci/Jenkinsfile", true},
                                       {"Jenkinsfile", "Jenkinsfile2", false},
                                       {"a?c", "abc", true},
                                       {"x/a?c", "x/a/c", false},
                                       {"", "", true},
                                       {"", "a", false},
                                       {"a", "", false},
                                       {"a**c", "a/b/c", true},
                                       {"***", "a/b", true},
                                       {"[a]", "a", false},
                                       {"A", "a", false}};
  for (const auto& [pattern, path, matches] : cases)
    EXPECT_EQ(git::path_matches(pattern, path, Case::Counts), matches) << pattern << " and " << path;
}

TEST(PathPatternTest, MayIgnoreTheCaseOfLetters) {
  EXPECT_TRUE(git::path_matches("CLAUDE.md", "docs/Claude.MD", Case::Ignored));
}

// A pattern that made others try for ever.
TEST(PathPatternTest, ManyStarsCostNoMoreThanTheirNumber) {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "**/*a";
  EXPECT_FALSE(git::path_matches(pattern, std::string(4000, 'a') + "b", Case::Counts));
}

TEST(ComplaintTest, IsTheLastGraveLine) {
  EXPECT_EQ(git::complaint_in("remote: Hello\nfatal: unable to access 'x'\nhint: do that\n"),
            "unable to access 'x'");
  EXPECT_EQ(git::complaint_in("Receiving: 10%\rReceiving: 20%\rfatal: early EOF"), "early EOF");
  EXPECT_EQ(git::complaint_in("something\x1b[2J\n\n"), "something [2J");
  EXPECT_EQ(git::complaint_in(""), "");
  EXPECT_LE(git::complaint_in(std::string(10000, 'x')).size(), 300u);
}

}  // namespace
