#include "git_workspace/mirror.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <random>
#include <thread>

#include "child_process/run_to_end.h"
#include "git_workspace/folder.h"
#include "tests/agents/git_workspace/workspace.h"

namespace {

namespace fs = std::filesystem;
using davit::Failure;
using davit::Status;
using davit::testing::Asked;
using davit::testing::Blob;
using davit::testing::Wire;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class MirrorTest : public davit::testing::WorkspaceTest {
 protected:
  // The same for the same number; nothing packs it.
  static std::string noise(unsigned number, std::size_t size) {
    std::mt19937 random(number);
    std::string text(size, '\0');
    for (char& c : text) c = static_cast<char>(random());
    return text;
  }
  fs::path folder() const { return state() / "mirrors" / server_.host() / "acme/shop.git"; }
};

TEST_F(MirrorTest, HasEachBranchAsTheServerHasIt) {
  const std::string main = server_.commit("acme/shop", "main", {{"a.txt", Blob{"one\n"}}});
  const std::string old = server_.commit("acme/shop", "release/1.0", {{"a.txt", Blob{"old\n"}}});
  EXPECT_EQ(fetch().head("main"), main);
  const std::string next = server_.commit("acme/shop", "main", {{"a.txt", Blob{"two\n"}}});
  davit::testing::run_git(server_.repository("acme/shop"), {"branch", "-D", "release/1.0"});

  const git::Mirror mirror = fetch();
  EXPECT_EQ(mirror.default_branch(), "main");
  EXPECT_EQ(mirror.head("main"), next);
  EXPECT_EQ(mirror.head("release/1.0"), std::nullopt) << "a branch that is gone stays";
  EXPECT_FALSE(mirror.is_shallow());
  EXPECT_TRUE(mirror.has(main));
  EXPECT_FALSE(mirror.has(std::string(40, '1')));
}

TEST_F(MirrorTest, KnowsTheDefaultBranchOfToday) {
  server_.commit("acme/shop", "main", {{"a", Blob{"1"}}});
  server_.commit("acme/shop", "trunk", {{"a", Blob{"2"}}});
  EXPECT_EQ(fetch().default_branch(), "main");
  davit::testing::run_git(server_.repository("acme/shop"), {"symbolic-ref", "HEAD", "refs/heads/trunk"});
  EXPECT_EQ(fetch().default_branch(), "trunk");
}

TEST_F(MirrorTest, AnEmptyRepositoryHasNothing) {
  server_.commit("acme/shop", "main", {{"a", Blob{"1"}}});
  davit::testing::run_git(server_.repository("acme/shop"), {"update-ref", "-d", "refs/heads/main"});
  const git::Mirror mirror = fetch();
  EXPECT_EQ(mirror.default_branch(), "");
  EXPECT_EQ(mirror.head("main"), std::nullopt);
  EXPECT_THAT(mirror.grep("1"), IsEmpty());
  EXPECT_EQ(failure_of([&] { git::Session::open(mirror, "main", workspace()); }).status(), Status::NotFound);
}

TEST_F(MirrorTest, FetchesTheHeadOfAPullRequestWhenAsked) {
  server_.commit("acme/shop", "main", {{"a", Blob{"1"}}});
  const std::string pull = server_.commit("acme/shop", "other", {{"a", Blob{"2"}}});
  davit::testing::run_git(server_.repository("acme/shop"), {"update-ref", "refs/pull/7/head", pull});
  davit::testing::run_git(server_.repository("acme/shop"), {"branch", "-D", "other"});
  git::Mirrors mirrors = this->mirrors();
  const git::Remote remote = mirrors.remote_at(server_.url("acme/shop"));
  EXPECT_EQ(mirrors.fetch(remote, {}).pull_head(7), std::nullopt);
  EXPECT_EQ(mirrors.fetch(remote, {}, {7}).pull_head(7), pull);
  EXPECT_EQ(failure_of([&] { mirrors.fetch(remote, {}, {8}); }).status(), Status::NotFound);
}

TEST_F(MirrorTest, ReadsFilesCommitsAndDifferences) {
  const std::string first =
      server_.commit("acme/shop", "main", {{"a.txt", Blob{"one\n"}}, {"d/b", Blob{"b"}}}, "First");
  const std::string side = server_.commit("acme/shop", "side", {{"z", Blob{"z"}}}, "Apart");
  const std::string second =
      server_.commit("acme/shop", "main", {{"a.txt", Blob{"one\ntwo\n"}}}, "Second\n\nDavit-Task: 0190/1\n");
  const git::Mirror mirror = fetch();
  EXPECT_EQ(mirror.read(first, "a.txt"), "one\n");
  EXPECT_EQ(mirror.read(second, "a.txt"), "one\ntwo\n");
  EXPECT_EQ(mirror.read(second, "no.txt"), std::nullopt);
  EXPECT_EQ(mirror.read(second, "d"), std::nullopt) << "a folder is no file";
  EXPECT_EQ(mirror.read(second, "a\nb"), std::nullopt);
  EXPECT_EQ(failure_of([&] { mirror.read(second, "a.txt", 5); }).status(), Status::Permanent);
  EXPECT_EQ(failure_of([&] { mirror.read("HEAD", "a.txt"); }).status(), Status::Permanent);

  const git::Text diff = mirror.diff(first, second);
  EXPECT_THAT(diff.text, HasSubstr("\n one\n+two\n"));
  EXPECT_FALSE(diff.cut);
  const git::Text cut = mirror.diff(first, second, 30);
  EXPECT_EQ(cut.text, "diff --git a/a.txt b/a.txt\n");
  EXPECT_TRUE(cut.cut);
  EXPECT_EQ(failure_of([&] { mirror.diff("--output=x", second); }).status(), Status::Permanent);

  const std::vector<git::File> files = mirror.files(first, side);
  ASSERT_EQ(files.size(), 3u);
  EXPECT_EQ(files[0].path, "a.txt");
  EXPECT_EQ(files[0].new_mode, git::kNoFile);
  EXPECT_EQ(files[2].path, "z");
  EXPECT_EQ(files[2].old_mode, git::kNoFile);
  EXPECT_EQ(files[2].new_mode, git::kPlain);
  EXPECT_EQ(failure_of([&] { mirror.files(first, "--output=x"); }).status(), Status::Permanent);

  const std::vector<git::Commit> commits = mirror.commits(first, second);
  ASSERT_EQ(commits.size(), 1u);
  EXPECT_EQ(commits[0].id, second);
  EXPECT_THAT(commits[0].parents, ElementsAre(first));
  EXPECT_EQ(commits[0].author_email, "ann@example.com");
  EXPECT_EQ(commits[0].message, "Second\n\nDavit-Task: 0190/1");
  EXPECT_EQ(mirror.merge_base(first, second), first);
  EXPECT_EQ(mirror.merge_base(side, second), std::nullopt);
}

TEST_F(MirrorTest, AsksTheServerForABranch) {
  server_.commit("acme/shop", "main", {{"a", Blob{"1"}}});
  const git::Mirror mirror = fetch();
  EXPECT_EQ(mirror.remote_head("davit/x", token()), std::nullopt);
  const std::string made = server_.commit("acme/shop", "davit/x", {{"a", Blob{"2"}}});
  EXPECT_EQ(mirror.remote_head("davit/x", token()), made);
  EXPECT_EQ(mirror.head("davit/x"), std::nullopt) << "the mirror is as it was fetched";
}

TEST_F(MirrorTest, AllAreSearched) {
  server_.commit("acme/shop", "main",
                 {{"src/cart.cpp", Blob{"int a;\nint total_of_cart();\n"}},
                  {"blob", Blob{std::string("total_of_cart\0", 14)}}});
  server_.commit("acme/blog", "main", {{"post.md", Blob{"-e total_of_cart\n"}}});
  server_.commit("acme/blog", "draft", {{"draft.md", Blob{"total_of_cart\n"}}});
  fetch("acme/shop");
  fetch("acme/blog");
  std::vector<std::string> hits, files, odd;
  mirrors().for_each([&](const git::Mirror& mirror) {
    for (const git::Hit& hit : mirror.grep("total_of_cart"))
      hits.push_back(mirror.remote().name + ":" + hit.path + ":" + std::to_string(hit.line) + ":" + hit.text);
    for (const std::string& file : mirror.files_ending("cart.cpp"))
      files.push_back(mirror.remote().name + ":" + file);
    for (const git::Hit& hit : mirror.grep("-e total")) odd.push_back(hit.path);
    EXPECT_THAT(mirror.grep("total\ncart"), IsEmpty());
    EXPECT_THAT(mirror.grep(""), IsEmpty());
    EXPECT_THAT(mirror.files_ending("art.cpp"), IsEmpty()) << "half a name";
  });
  EXPECT_THAT(hits,
              ElementsAre("blog:post.md:1:-e total_of_cart", "shop:src/cart.cpp:2:int total_of_cart();"));
  EXPECT_THAT(files, ElementsAre("shop:src/cart.cpp"));
  EXPECT_THAT(odd, ElementsAre("post.md"));
}

TEST_F(MirrorTest, ManyWordsAreLookedForAtOnce) {
  server_.commit("acme/shop", "main",
                 {{"src/cart.cpp", Blob{"int total;\nint apply_coupon();\nint apply_coupon_twice();\n"}},
                  {"src/list.cpp", Blob{"apply_coupon, apply_coupon\n"}},
                  {"odd\xff.cpp", Blob{"apply_coupon\n"}},
                  {"blob", Blob{std::string("apply_coupon\0", 13)}}});
  const git::Mirror mirror = fetch();
  const auto places = [&](const std::vector<std::string>& words, git::Words how) {
    std::vector<std::string> list;
    const git::WordHits found = mirror.search(words, how);
    EXPECT_TRUE(found.all);
    for (const git::WordHit& hit : found.hits)
      list.push_back(words[hit.word] + " " + hit.path + ":" + std::to_string(hit.line));
    return list;
  };
  EXPECT_THAT(
      places({"apply_coupon", "total", "nowhere"}, git::Words::Whole),
      ElementsAre("total src/cart.cpp:1", "apply_coupon src/cart.cpp:2", "apply_coupon src/list.cpp:1"));
  EXPECT_THAT(places({"apply_coupon", "apply_coupon()"}, git::Words::Whole),
              ElementsAre("apply_coupon() src/cart.cpp:2", "apply_coupon src/list.cpp:1"))
      << "the longer one counts";
  EXPECT_THAT(places({"COUPON"}, git::Words::Whole), IsEmpty());
  EXPECT_THAT(places({"COUPON", "Coupon"}, git::Words::Anywhere),
              ElementsAre("COUPON src/cart.cpp:2", "COUPON src/list.cpp:1"));
  EXPECT_THAT(mirror.files(), ElementsAre("blob", "src/cart.cpp", "src/list.cpp"));
}

// What is looked for comes from whoever wrote the request.
TEST_F(MirrorTest, WordsAreTextsAndNothingElse) {
  server_.commit("acme/shop", "main",
                 {{"a.txt", Blob{"-O/bin/sh --open-files-in-pager=sh :(top) ^a*$ \\Qx (a+)+b\n"}}});
  const git::Mirror mirror = fetch();
  for (const char* word : {"-O/bin/sh", "--open-files-in-pager=sh", ":(top)", "^a*$", "\\Qx", "(a+)+b"}) {
    for (const git::Words how : {git::Words::Whole, git::Words::Anywhere})
      EXPECT_EQ(mirror.search({word}, how).hits.size(), 1u) << word;
  }
  for (const std::string& word : {std::string("(a*)*c"), std::string(".*"), std::string("a\ntxt"),
                                  std::string("a\0", 2), std::string(), std::string(201, 'a')}) {
    EXPECT_THAT(mirror.search({word}, git::Words::Anywhere).hits, IsEmpty()) << word;
  }
  std::vector<std::string> many(100, "nothing");
  many.push_back("sh");
  EXPECT_THAT(mirror.search(many, git::Words::Anywhere).hits, IsEmpty()) << "over the limit";
  EXPECT_THAT(mirror.search({}, git::Words::Whole).hits, IsEmpty());
}

TEST_F(MirrorTest, IsAtHandWithoutAskingTheServer) {
  server_.commit("acme/shop", "main", {{"a", Blob{"1"}}});
  const git::Remote remote = mirrors().remote_at(server_.url("acme/shop"));
  EXPECT_FALSE(mirrors().kept(remote));
  EXPECT_FALSE(fs::exists(state() / "mirrors")) << "looking makes nothing";
  const auto before = std::chrono::system_clock::now() - std::chrono::seconds(2);  // a file's time is coarse
  fetch();
  const auto first = mirrors().kept(remote)->fetched_at();
  EXPECT_GT(first, before);
  fs::last_write_time(folder() / "davit-address", fs::file_time_type::clock::now() - std::chrono::hours(30));
  EXPECT_LT(mirrors().kept(remote)->fetched_at(), before);
  fetch();
  const int connections = server_.connections();
  EXPECT_GT(mirrors().kept(remote)->fetched_at(), before);
  EXPECT_EQ(mirrors().kept(remote)->default_branch(), "main");
  EXPECT_EQ(server_.connections(), connections);
}

TEST_F(MirrorTest, AHostThatIsNotInTheListAnyMoreIsNotSearched) {
  server_.commit("acme/shop", "main", {{"a", Blob{"1"}}});
  fetch();
  settings_.hosts = {"github.com"};
  int seen = 0;
  mirrors().for_each([&](const git::Mirror&) { ++seen; });
  EXPECT_EQ(seen, 0);
}

// The second process begins while the first one is in the middle of its fetch.
TEST_F(MirrorTest, TwoProcessesFetchOneRepositoryAndBothAreServed) {
  const std::string main = server_.commit("acme/shop", "main", {{"a", Blob{"1"}}});
  std::mutex mutex;
  std::condition_variable changed;
  bool held = false, go_on = false;
  server_.before = [&](const Asked& asked, Wire&) {
    if (asked.method != "POST") return false;
    std::unique_lock lock(mutex);
    held = true;
    changed.notify_all();
    changed.wait_for(lock, std::chrono::seconds(30), [&] { return go_on; });
    return false;
  };
  child::Program program;
  program.path = std::string(DAVIT_BUILD_DIR) + "/tests/fetch_once";
  program.arguments = {"fetch_once", state(), server_.host(), server_.url("acme/shop")};
  const auto run = [&] { return child::run_to_end(program, "", {}, {}); };
  child::Finished one, other;
  std::thread first([&] { one = run(); });
  {
    std::unique_lock lock(mutex);
    EXPECT_TRUE(changed.wait_for(lock, std::chrono::seconds(30), [&] { return held; }));
  }
  const auto asked = server_.seen().size();
  std::thread second([&] { other = run(); });
  // It waits for the lock: two processes have the file open.
  const std::string lock_file = (state() / "mirrors" / server_.host() / "acme/shop.fetch.lock").string();
  const auto holders = [&] {
    int count = 0;
    std::error_code error;
    for (const auto& process : fs::directory_iterator("/proc", error)) {
      for (fs::directory_iterator file(process.path() / "fd", error), end; !error && file != end;
           file.increment(error)) {
        std::error_code gone;
        if (fs::read_symlink(file->path(), gone) == lock_file) ++count;
      }
      error.clear();
    }
    return count;
  };
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (holders() < 2 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  EXPECT_EQ(holders(), 2);
  EXPECT_EQ(server_.seen().size(), asked) << "both fetch at once";
  {
    std::lock_guard lock(mutex);
    go_on = true;
  }
  changed.notify_all();
  first.join();
  second.join();
  EXPECT_TRUE(one.succeeded()) << one.err;
  EXPECT_TRUE(other.succeeded()) << other.err;
  EXPECT_EQ(one.out, main + "\n");
  EXPECT_EQ(other.out, main + "\n");
}

TEST_F(MirrorTest, AServerThatSaysNothingEndsByTheDeadline) {
  server_.before = [](const Asked&, Wire& wire) {
    wire.until_gone();
    return true;
  };
  settings_.limits.fetch = std::chrono::milliseconds(300);
  settings_.limits.push = std::chrono::milliseconds(300);
  const Failure failure = failure_of([&] { fetch(); });
  EXPECT_EQ(failure.status(), Status::Retryable);
  EXPECT_THAT(failure.what(), HasSubstr("was not done after"));
}

TEST_F(MirrorTest, AServerThatGoesSilentIsGivenUpBeforeTheDeadline) {
  server_.before = [](const Asked&, Wire& wire) {
    wire.until_gone();
    return true;
  };
  settings_.limits.silence = std::chrono::seconds(1);
  const Failure failure = failure_of([&] { fetch(); });
  EXPECT_EQ(failure.status(), Status::Retryable);
  EXPECT_THAT(failure.what(), HasSubstr("too slow"));
}

TEST_F(MirrorTest, CancellingEndsAFetch) {
  std::atomic<bool> cancelled{false};
  server_.before = [&](const Asked&, Wire& wire) {
    cancelled = true;
    wire.until_gone();
    return true;
  };
  cancelled_ = [&] { return cancelled.load(); };
  EXPECT_EQ(failure_of([&] { fetch(); }).status(), Status::Cancelled);
}

TEST_F(MirrorTest, CancellingEndsTheWaitForAnother) {
  server_.commit("acme/shop", "main", {{"a", Blob{"1"}}});
  fetch();
  const auto other = shared::FileLock::try_take(folder().parent_path() / "shop.fetch.lock");
  ASSERT_TRUE(other);
  cancelled_ = [] { return true; };
  EXPECT_EQ(failure_of([&] { fetch(); }).status(), Status::Cancelled);
  cancelled_ = {};
  settings_.limits.fetch = std::chrono::milliseconds(50);
  const Failure failure = failure_of([&] { fetch(); });
  EXPECT_EQ(failure.status(), Status::Retryable);
  EXPECT_THAT(failure.what(), HasSubstr("shop.fetch.lock"));
}

TEST_F(MirrorTest, WhatTheServerAnswersDecidesWhetherToTryAgain) {
  struct Row {
    int status;
    Status expected;
  };
  for (const Row row :
       {Row{401, Status::Unauthorized}, Row{403, Status::Unauthorized}, Row{404, Status::NotFound},
        Row{500, Status::Retryable}, Row{503, Status::Retryable}, Row{302, Status::Permanent}}) {
    server_.before = [&](const Asked&, Wire& wire) {
      wire.answer(row.status, "",
                  "WWW-Authenticate: Basic realm=\"x\"\r\nLocation: http://127.0.0.1:1/a/b.git\r\n");
      return true;
    };
    EXPECT_EQ(failure_of([&] { fetch(); }).status(), row.expected) << row.status;
  }
  server_.before = [&](const Asked&, Wire& wire) {
    wire.reset();
    return true;
  };
  EXPECT_EQ(failure_of([&] { fetch(); }).status(), Status::Retryable);
}

TEST_F(MirrorTest, APageInsteadOfARepositoryTakesNoBranchAway) {
  const std::string main = server_.commit("acme/shop", "main", {{"a", Blob{"1"}}});
  fetch();
  for (const char* page : {"<html>Log in</html>", "<html>\nLog in\n</html>\n", ""}) {
    server_.before = [&](const Asked&, Wire& wire) {
      wire.answer(200, page, "Content-Type: text/html\r\n");
      return true;
    };
    EXPECT_EQ(failure_of([&] { fetch(); }).status(), Status::Retryable) << page;
  }
  mirrors().for_each([&](const git::Mirror& mirror) { EXPECT_EQ(mirror.head("main"), main); });
}

TEST_F(MirrorTest, TheTokenIsInNoArgumentFileOrMessage) {
  token_ = "canary-token-4711";
  server_.token = token_;
  server_.commit("acme/shop", "main", {{"a", Blob{"1"}}});
  std::atomic<int> authorized{0};
  std::atomic<bool> in_arguments{false};
  server_.before = [&](const Asked& asked, Wire&) {
    if (asked.header("Authorization") != davit::testing::authorization_of(token_)) return false;
    ++authorized;
    if (davit::testing::is_in_arguments(token_)) in_arguments = true;
    return false;
  };
  fetch();
  EXPECT_GE(authorized, 2);
  EXPECT_FALSE(in_arguments);
  EXPECT_THAT(davit::testing::files_with(state(), token_), IsEmpty());

  // A server that gives it back.
  server_.before = [&](const Asked& asked, Wire& wire) {
    if (asked.method != "POST") return false;
    wire.answer(403, "no " + token_, "Content-Type: text/plain\r\n");
    return true;
  };
  EXPECT_THAT(failure_of([&] { fetch(); }).what(), Not(HasSubstr(token_)));
  server_.before = [&](const Asked&, Wire& wire) {
    const std::string line = "ERR bad token " + token_;
    char size[5];
    std::snprintf(size, sizeof size, "%04x", static_cast<unsigned>(line.size() + 4));
    wire.answer(200, "001e# service=git-upload-pack\n0000" + std::string(size) + line,
                "Content-Type: application/x-git-upload-pack-advertisement\r\n");
    return true;
  };
  const std::string said = failure_of([&] { fetch(); }).what();
  EXPECT_THAT(said, HasSubstr("bad token"));
  EXPECT_THAT(said, Not(HasSubstr(token_)));
}

// What the test above would see if the token were in the address.
TEST_F(MirrorTest, ATokenInAnAddressIsSeenByEverybody) {
  server_.commit("acme/shop", "main", {{"a", Blob{"1"}}});
  std::atomic<bool> in_arguments{false};
  server_.before = [&](const Asked&, Wire&) {
    if (davit::testing::is_in_arguments("canary-token-4712")) in_arguments = true;
    return false;
  };
  std::string url = server_.url("acme/shop");
  url.insert(url.find("://") + 3, "x:canary-token-4712@");
  davit::testing::run_git(server_.folder(), {"clone", "--quiet", "--bare", url, "careless.git"});
  EXPECT_TRUE(in_arguments);
  EXPECT_THAT(davit::testing::files_with(server_.folder() / "careless.git", "canary-token-4712"),
              Not(IsEmpty()));
}

TEST_F(MirrorTest, NoOtherServerIsAskedOrGetsTheToken) {
  token_ = "canary-token-4711";
  davit::testing::GitServer other;
  server_.before = [&](const Asked& asked, Wire& wire) {
    wire.answer(
        301, "",
        "Location: " + other.url("acme/shop") + asked.target.substr(asked.target.find("/info")) + "\r\n");
    return true;
  };
  const Failure failure = failure_of([&] { fetch(); });
  EXPECT_EQ(failure.status(), Status::Permanent);
  EXPECT_THAT(failure.what(), HasSubstr("it has moved"));
  EXPECT_EQ(other.connections(), 0);
}

TEST_F(MirrorTest, ATokenOfSeveralLinesIsRefused) {
  token_ = "a\nhost=evil.example";
  EXPECT_EQ(failure_of([&] { fetch(); }).status(), Status::Permanent);
  EXPECT_EQ(server_.connections(), 0);
}

TEST_F(MirrorTest, ARepositoryOverTheLimitIsShallow) {
  settings_.limits.mirror_bytes = 300'000;
  server_.commit("acme/shop", "main", {{"a", Blob{noise(1, 200'000)}}});
  server_.commit("acme/shop", "other", {{"a", Blob{noise(4, 200'000)}}});
  server_.commit("acme/shop", "main", {{"a", Blob{noise(2, 200'000)}}});
  const std::string last = server_.commit("acme/shop", "main", {{"a", Blob{"small\n"}}});
  const std::string ours = server_.commit("acme/shop", "davit/x", {{"a", Blob{"ours\n"}}});
  {
    const git::Mirror mirror = fetch();
    EXPECT_TRUE(mirror.is_shallow());
    EXPECT_EQ(mirror.head("main"), last);
    EXPECT_EQ(mirror.head("davit/x"), ours);
    EXPECT_EQ(mirror.head("other"), std::nullopt);
    EXPECT_EQ(mirror.read(last, "a"), "small\n");
  }
  // It stays so, and is not fetched as a whole in vain again.
  const std::string next = server_.commit("acme/shop", "main", {{"a", Blob{"next\n"}}});
  EXPECT_EQ(fetch().head("main"), next);
  EXPECT_LT(git::bytes_below(folder()), 100'000u);
  // Unless there is more room.
  settings_.limits.mirror_bytes = 10'000'000;
  const git::Mirror mirror = fetch();
  EXPECT_FALSE(mirror.is_shallow());
  EXPECT_EQ(mirror.head("main"), next);
  EXPECT_TRUE(mirror.head("other").has_value());
}

// Else it would be waited for.
TEST_F(MirrorTest, AFetchEndsAsSoonAsItIsTooLarge) {
  settings_.limits.mirror_bytes = 300'000;
  server_.commit("acme/shop", "main", {{"a", Blob{noise(1, 2'000'000)}}});
  const std::string last = server_.commit("acme/shop", "main", {{"a", Blob{"small\n"}}});
  std::atomic<bool> stalled{false};
  server_.before = [&](const Asked& asked, Wire& wire) {
    if (asked.method != "POST" || asked.body.find("command=fetch") == std::string::npos ||
        stalled.exchange(true))
      return false;
    const std::string answer = davit::testing::answer_of_git(server_.folder() / "root", asked);
    wire.send(std::string_view(answer).substr(0, answer.size() / 2));
    wire.until_gone();
    return true;
  };
  const git::Mirror mirror = fetch();
  EXPECT_TRUE(stalled);
  EXPECT_TRUE(mirror.is_shallow());
  EXPECT_EQ(mirror.head("main"), last);
}

TEST_F(MirrorTest, ARepositoryWhoseLastCommitIsOverTheLimitIsRefused) {
  settings_.limits.mirror_bytes = 100'000;
  server_.commit("acme/shop", "main", {{"a", Blob{noise(1, 200'000)}}});
  const Failure failure = failure_of([&] { fetch(); });
  EXPECT_EQ(failure.status(), Status::Permanent);
  EXPECT_THAT(failure.what(), HasSubstr("git.mirror_bytes"));
  EXPECT_FALSE(fs::exists(folder()));
}

TEST_F(MirrorTest, WhatIsInUseIsNotRemoved) {
  settings_.limits.mirror_bytes = 300'000;
  const std::string first = server_.commit("acme/shop", "main", {{"a", Blob{"small\n"}}});
  const git::Mirror mirror = fetch();
  server_.commit("acme/shop", "main", {{"a", Blob{noise(1, 400'000)}}});
  const Failure failure = failure_of([&] { fetch(); });
  EXPECT_EQ(failure.status(), Status::Retryable);
  EXPECT_THAT(failure.what(), HasSubstr("while others work with it"));
  EXPECT_EQ(mirror.read(first, "a"), "small\n");
}

TEST_F(MirrorTest, WhatAKilledFetchLeftDoesNotStopTheNext) {
  server_.commit("acme/shop", "main", {{"a", Blob{"1"}}});
  fetch();
  const std::string next = server_.commit("acme/shop", "main", {{"a", Blob{"2"}}});
  for (const char* file :
       {"packed-refs.lock", "HEAD.lock", "config.lock", "shallow.lock", "refs/heads/main.lock",
        "objects/pack/tmp_pack_abcdef", "objects/12/tmp_obj_abcdef"})
    put(folder() / file, "half");
  EXPECT_EQ(fetch().head("main"), next);
  EXPECT_FALSE(fs::exists(folder() / "objects/pack/tmp_pack_abcdef"));
  EXPECT_FALSE(fs::exists(folder() / "objects/12/tmp_obj_abcdef"));
}

TEST_F(MirrorTest, AMirrorThatWasNeverFetchedAsAWholeIsMadeAnew) {
  const std::string main = server_.commit("acme/shop", "main", {{"a", Blob{"1"}}});
  put(folder() / "HEAD", "garbage");
  put(folder() / "objects/x", "garbage");
  int seen = 0;
  mirrors().for_each([&](const git::Mirror&) { ++seen; });
  EXPECT_EQ(seen, 0);
  EXPECT_EQ(fetch().head("main"), main);
}

TEST_F(MirrorTest, ADamagedMirrorIsWholeAgainAfterASecondTry) {
  for (const std::string damaged : {".pack", ".idx"}) {
    const std::string name = "acme/shop" + damaged;
    const std::string first = server_.commit(name, "main", {{"a", Blob{"1"}}});
    fetch(name);
    int files = 0;
    for (const auto& entry : fs::recursive_directory_iterator(state() / "mirrors" / server_.host())) {
      if (entry.path().extension() != damaged) continue;
      fs::permissions(entry.path(), fs::perms::owner_all);
      std::ofstream(entry.path()) << "damaged";
      ++files;
    }
    EXPECT_GE(files, 1);
    const std::string next = server_.commit(name, "main", {{"a", Blob{"2"}}});
    try {
      fetch(name);
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.status(), Status::Retryable) << failure.what();
    }
    const git::Mirror mirror = fetch(name);
    EXPECT_EQ(mirror.head("main"), next);
    EXPECT_EQ(mirror.read(next, "a"), "2");
    EXPECT_EQ(mirror.read(first, "a"), "1");
  }
}

// A crash or a failing disk leaves such files; nobody is there to remove them by hand.
TEST_F(MirrorTest, ADamagedMirrorIsMadeAnewWhateverIsDamaged) {
  const std::string main = server_.commit("acme/shop", "main", {{"a", Blob{"1"}}});
  const auto holds = [this](const char* file, const std::string& content) {
    return [this, file, content] { put(folder() / file, content); };
  };
  const auto has_no = [this](const char* name) { return [this, name] { fs::remove_all(folder() / name); }; };
  const std::vector<std::pair<std::string, std::function<void()>>> damages{
      {"HEAD is empty", holds("HEAD", "")},
      {"HEAD is garbage", holds("HEAD", "garbage")},
      {"HEAD is gone", has_no("HEAD")},
      {"config is garbage", holds("config", "[core\n\x01")},
      {"packed-refs is garbage", holds("packed-refs", "garbage garbage\n")},
      {"packed-refs is zeros", holds("packed-refs", std::string(200, '\0'))},
      {"a branch is empty", holds("refs/heads/main", "")},
      {"a branch has no commit", holds("refs/heads/main", std::string(40, '1') + "\n")},
      {"shallow is garbage", holds("shallow", "garbage")},
      {"no objects", has_no("objects")},
      {"no packs", has_no("objects/pack")},
      {"no refs", has_no("refs")},
      {"the address is empty", holds("davit-address", "")},
      {"the address is another's", holds("davit-address", server_.url("acme/other") + "\n")},
      {"the address is of no host of ours", holds("davit-address", "https://evil.example/x/y\n")}};
  for (const auto& [what, damage] : damages) {
    fetch();
    damage();
    try {
      fetch();
    } catch (const Failure& failure) {  // seen in the middle
      EXPECT_EQ(failure.status(), Status::Retryable) << what << ": " << failure.what();
    }
    EXPECT_EQ(fetch().head("main"), main) << what;
    const git::Mirrors mirrors = this->mirrors();
    const auto kept = mirrors.kept(mirrors.remote_at(server_.url("acme/shop")));
    ASSERT_TRUE(kept) << what;
    EXPECT_EQ(kept->read(main, "a"), "1") << what;
    int seen = 0;
    mirrors.for_each([&](const git::Mirror&) { ++seen; });
    EXPECT_EQ(seen, 1) << what;
  }
}

TEST_F(MirrorTest, AMirrorThatSaysItIsAnotherOneIsNotShown) {
  server_.commit("acme/shop", "main", {{"a", Blob{"1"}}});
  fetch();
  put(folder() / "davit-address", server_.url("acme/other") + "\n");
  const git::Mirrors mirrors = this->mirrors();
  EXPECT_FALSE(mirrors.kept(mirrors.remote_at(server_.url("acme/shop"))));
  mirrors.for_each([](const git::Mirror& mirror) { ADD_FAILURE() << mirror.remote().key(); });
}

TEST_F(MirrorTest, ADamagedMirrorInUseIsMadeAnewOnceNobodyReadsIt) {
  const std::string main = server_.commit("acme/shop", "main", {{"a", Blob{"1"}}});
  {
    const git::Mirror mirror = fetch();
    put(folder() / "HEAD", "garbage");
    const Failure failure = failure_of([&] { fetch(); });
    EXPECT_EQ(failure.status(), Status::Retryable);
    EXPECT_THAT(failure.what(), HasSubstr("damaged, and cannot be made anew while others work with it"));
  }
  EXPECT_EQ(fetch().head("main"), main);
}

// No fetch looks at all objects.
TEST_F(MirrorTest, DamageThatAReaderComesUponIsGoneAfterTheNextFetch) {
  const std::string main = server_.commit("acme/shop", "main", {{"a", Blob{noise(1, 20'000)}}});
  fetch();
  for (const auto& entry : fs::recursive_directory_iterator(folder() / "objects")) {
    if (entry.path().extension() != ".pack") continue;
    fs::permissions(entry.path(), fs::perms::owner_all);
    std::fstream pack(entry.path());
    pack.seekp(static_cast<std::streamoff>(entry.file_size() / 2));
    pack << "damaged";
  }
  const Failure failure = failure_of([&] { git::Session::open(fetch(), "main", workspace()); });
  EXPECT_EQ(failure.status(), Status::Retryable) << failure.what();
  EXPECT_THAT(failure.what(), HasSubstr("the next fetch makes it anew"));
  const git::Session session = git::Session::open(fetch(), "main", workspace());
  EXPECT_EQ(content_of(session.tree() / "a"), noise(1, 20'000));
}

TEST_F(MirrorTest, RefusesSettingsThatCannotBe) {
  for (const char* prefix : {"", "/", "davit", "-x/", "a..b/", "a//", "HEAD/"}) {
    settings_.prefix = prefix;
    EXPECT_EQ(failure_of([&] { mirrors(); }).status(), Status::Permanent) << prefix;
  }
  settings_.prefix = "davit/";
  settings_.state_folder = "relative";
  EXPECT_EQ(failure_of([&] { mirrors(); }).status(), Status::Permanent);
}

}  // namespace
