// One pace for all who use an account: over objects, processes and restarts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "davit/failure.hpp"
#include "davit/json.hpp"
#include "github_api/api.h"
#include "tests/agents/github_api/fake_github.h"
#include "tests/agents/github_api/state_folder.h"

namespace {

using namespace github;
using davit::Failure;
using davit::Json;
using davit::Status;
using davit::testing::FakeGithub;
using davit::testing::FakeTime;
using davit::testing::Fault;
using davit::testing::StateFolder;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

template <class Call>
Failure failure_of(Call call) {
  try {
    call();
  } catch (const Failure& failure) {
    return failure;
  }
  ADD_FAILURE() << "nothing failed";
  return Failure::internal("nothing failed");
}

Waiting by(FakeTime& time, milliseconds most = seconds(60)) {
  return {
      .most = most, .now = [&] { return time.now(); }, .sleep = [&](milliseconds nap) { time.sleep(nap); }};
}

class PaceTest : public testing::Test {
 protected:
  Pace pace(const std::string& account = "me", milliseconds most = seconds(60)) {
    return Pace(folder_, account, by(time_, most), {});
  }
  // How long a reader of that budget waits.
  milliseconds wait(Pace reader, Budget budget = Budget::Core) {
    const auto before = time_.now();
    reader.await_read(budget, before + hours(48), "x");
    const milliseconds waited = std::chrono::duration_cast<milliseconds>(time_.now() - before);
    time_.sleep(-waited);
    return waited;
  }

  FakeTime time_;
  const StateFolder state_;
  const std::filesystem::path folder_ = state_.path() / "github";
};

TEST_F(PaceTest, NobodyWaitsWithoutAReason) {
  EXPECT_EQ(wait(pace()), milliseconds(0));
  const auto turn = pace().await_write(Budget::Core, time_.now(), "x");
  EXPECT_EQ(wait(pace()), milliseconds(0)) << "reading waits for no write";
}

TEST_F(PaceTest, OneWaitsForWhatAnotherWasTold) {
  pace().refused(Budget::Core, Move::Read, {.wait = seconds(30)});
  EXPECT_EQ(wait(pace()), seconds(30));
  EXPECT_EQ(wait(pace(), Budget::Search), seconds(30));
  EXPECT_EQ(wait(pace("you")), milliseconds(0)) << "another account";
  time_.sleep(seconds(31));
  EXPECT_EQ(wait(pace()), milliseconds(0));
}

TEST_F(PaceTest, ABudgetThatIsUsedUpStopsOnlyItself) {
  pace().refused(Budget::Search, Move::Read, {.wait = seconds(30), .of_all = false});
  EXPECT_EQ(wait(pace(), Budget::Search), seconds(30));
  EXPECT_EQ(wait(pace(), Budget::CodeSearch), milliseconds(0));
  EXPECT_EQ(wait(pace()), milliseconds(0));
  pace().answered(Budget::Core, Move::Read, seconds(7));
  EXPECT_EQ(wait(pace()), seconds(7));
}

TEST_F(PaceTest, AShorterLimitDoesNotEndALongerOne) {
  pace().refused(Budget::Core, Move::Read, {.wait = seconds(30)});
  pace().refused(Budget::Core, Move::Read, {.wait = seconds(2)});
  EXPECT_EQ(wait(pace()), seconds(30));
}

TEST_F(PaceTest, WhatIsNotSaidGetsLonger) {
  const Limit unsaid{.wait = minutes(1), .said = false};
  for (const int minute : {1, 2, 4, 8, 16, 32, 60, 60})
    EXPECT_EQ(pace().refused(Budget::Core, Move::Write, unsaid), minutes(minute));
  EXPECT_EQ(pace().refused(Budget::Core, Move::Read, unsaid), minutes(1)) << "reads are another matter";
  time_.sleep(hours(2));
  Pace reader = pace();
  reader.await_read(Budget::Core, time_.now(), "x");
  reader.answered(Budget::Core, Move::Read, std::nullopt);
  EXPECT_EQ(pace().refused(Budget::Core, Move::Write, unsaid), minutes(60));
  time_.sleep(hours(2));
  Pace writer = pace();
  { const auto turn = writer.await_write(Budget::Core, time_.now(), "x"); }
  writer.answered(Budget::Core, Move::Write, std::nullopt);
  EXPECT_EQ(pace().refused(Budget::Core, Move::Write, unsaid), minutes(1));
}

TEST_F(PaceTest, WhatTakesTooLongIsSaidWithTheTime) {
  pace().refused(Budget::Core, Move::Read, {.wait = seconds(61)});
  const Failure failure = failure_of([&] { pace().await_read(Budget::Core, pace().patience(), "GET /x"); });
  EXPECT_EQ(failure.status(), Status::RateLimited);
  EXPECT_EQ(failure.retry_after(), seconds(61));
  EXPECT_STREQ(failure.what(), "GET /x was not sent: GitHub asked for a pause before (again in 61 s)");
}

TEST_F(PaceTest, NobodyWaitsBeyondHisDeadline) {
  Waiting waiting = by(time_);
  waiting.remaining = [] { return seconds(5); };
  Pace hasty(folder_, "me", waiting, {});
  EXPECT_EQ(hasty.patience(), time_.now() + seconds(5));
  pace().refused(Budget::Core, Move::Read, {.wait = seconds(6)});
  EXPECT_EQ(failure_of([&] { hasty.await_read(Budget::Core, hasty.patience(), "x"); }).status(),
            Status::RateLimited);
}

TEST_F(PaceTest, WritesGoOneAtATimeAndASecondApart) {
  std::optional<shared::FileLock> turn = pace().await_write(Budget::Core, time_.now() + seconds(9), "x");
  const auto first = time_.now();
  const Failure failure =
      failure_of([&] { pace().await_write(Budget::Core, time_.now() + seconds(2), "POST /x"); });
  EXPECT_EQ(failure.status(), Status::RateLimited);
  EXPECT_THAT(failure.what(), HasSubstr("POST /x was not sent: others write"));
  { const auto other = pace("you").await_write(Budget::Core, time_.now(), "x"); }
  turn.reset();
  { const auto second = pace().await_write(Budget::Core, time_.now() + seconds(9), "x"); }
  const auto then = time_.now();
  EXPECT_GE(then - first, seconds(1));
  { const auto third = pace().await_write(Budget::Core, time_.now() + seconds(9), "x"); }
  EXPECT_EQ(time_.now() - then, seconds(1));
}

TEST_F(PaceTest, AWriterThatIsKilledHoldsUpNobody) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto turn = pace().await_write(Budget::Core, time_.now(), "x");
    if (::write(ready[1], "x", 1) == 1) ::pause();
    ::_exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_EQ(failure_of([&] { pace().await_write(Budget::Core, time_.now(), "x"); }).status(),
            Status::RateLimited);
  ::kill(child, SIGKILL);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  ::close(ready[0]);
  ::close(ready[1]);
  const auto turn = pace().await_write(Budget::Core, time_.now() + seconds(1), "x");
  std::ifstream file(folder_ / "limits.json");
  const Json known = Json::parse(std::string(std::istreambuf_iterator<char>(file), {}));
  EXPECT_GT(known["me"]["written"].int_or(0), 0) << "both writes are noted";
}

TEST_F(PaceTest, ManyProcessesTellEachOther) {
  std::vector<pid_t> children;
  for (int i = 0; i < 8; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      for (int j = 0; j < 20; ++j)
        Pace(folder_, "account-" + std::to_string(i), {}, {})
            .refused(Budget::Core, Move::Read, {.wait = minutes(1), .said = false});
      ::_exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  std::ifstream file(folder_ / "limits.json");
  const Json known = Json::parse(std::string(std::istreambuf_iterator<char>(file), {}));
  for (int i = 0; i < 8; ++i)
    EXPECT_EQ(known["account-" + std::to_string(i)]["unsaid"][0].int_or(0), 20) << "what one said is lost";
}

TEST_F(PaceTest, WhatIsDamagedIsNotKnown) {
  for (const char* content : {"", "{", "[]", "{\"me\":7}", "{\"me\":{\"all\":\"x\",\"unsaid\":[9e9,-1]}}"}) {
    pace().refused(Budget::Core, Move::Read, {.wait = seconds(30)});
    std::ofstream(folder_ / "limits.json") << content;
    EXPECT_EQ(wait(pace()), milliseconds(0)) << content;
  }
  pace().refused(Budget::Core, Move::Read, {.wait = seconds(30)});
  EXPECT_EQ(wait(pace()), seconds(30));
}

TEST_F(PaceTest, AClockThatWasSetBackStopsNobodyForLong) {
  pace().refused(Budget::Core, Move::Read, {.wait = hours(24)});
  { const auto turn = pace("you").await_write(Budget::Core, time_.now(), "x"); }
  time_.sleep(-hours(1000));
  EXPECT_EQ(wait(pace()), milliseconds(0)) << "no limit lasts for a thousand hours";
  const auto before = time_.now();
  { const auto turn = pace("you").await_write(Budget::Core, time_.now() + hours(1), "x"); }
  EXPECT_LE(time_.now() - before, seconds(1));
}

TEST_F(PaceTest, WhatIsLongAgoIsForgotten) {
  pace("old").refused(Budget::Core, Move::Read, {.wait = seconds(30)});
  time_.sleep(hours(49));
  pace().refused(Budget::Core, Move::Read, {.wait = seconds(30)});
  std::ifstream file(folder_ / "limits.json");
  const Json known = Json::parse(std::string(std::istreambuf_iterator<char>(file), {}));
  EXPECT_FALSE(known.has("old"));
  EXPECT_TRUE(known.has("me"));
}

TEST_F(PaceTest, AFolderThatCannotBeUsedIsNamed) {
  std::ofstream(state_.path() / "file") << "x";
  const Failure failure = failure_of([&] { Pace(state_.path() / "file" / "github", "me", {}, {}); });
  EXPECT_EQ(failure.status(), Status::Retryable);
  EXPECT_THAT(failure.what(), HasSubstr("file/github"));
}

TEST_F(PaceTest, CancelEndsTheWait) {
  pace().refused(Budget::Core, Move::Read, {.wait = seconds(30)});
  Pace cancelled(folder_, "me", by(time_), [] { return true; });
  EXPECT_EQ(failure_of([&] { cancelled.await_read(Budget::Core, time_.now() + minutes(1), "x"); }).status(),
            Status::Cancelled);
}

// The same over the whole way, against a GitHub that counts.
class GithubPaceTest : public testing::Test {
 protected:
  Api api(milliseconds most = seconds(60)) {
    return Api({.api = fake_.api(), .token = FakeGithub::kToken, .state_folder = state_.path()}, {},
               by(fake_.time(), most));
  }
  milliseconds since_start() const {
    return std::chrono::duration_cast<milliseconds>(fake_.time().now() - start_);
  }

  const StateFolder state_;
  mutable FakeGithub fake_;
  const FakeTime::Point start_ = fake_.time().now();
  const Repo shop_{"acme", "shop"};
};

TEST_F(GithubPaceTest, AShortLimitIsWaitedForInPlace) {
  for (const Fault& fault : {Fault{.status = 403, .head = "Retry-After: 17\r\n"},
                             Fault{.status = 429, .body = "", .head = "Retry-After: 17\r\n"}}) {
    const auto before = fake_.time().now();
    fake_.fail("GET", "/repos/acme/shop", fault);
    EXPECT_EQ(api().repository(shop_).id, 77);
    EXPECT_EQ(fake_.time().now() - before, seconds(17));
  }
  EXPECT_THAT(fake_.seen(), SizeIs(4));
}

TEST_F(GithubPaceTest, WhatIsMadeIsMadeOnceAfterALimit) {
  const int number = fake_.add_issue("x", "");
  fake_.fail("POST", "/repos/acme/shop/issues/1/comments",
             {.status = 403, .body = "{\"message\":\"secondary rate limit\"}"});
  api().ensure_comment(shop_, number, "m", "Hello");
  EXPECT_THAT(fake_.comments(number), SizeIs(1));
  EXPECT_GE(since_start(), seconds(60)) << "GitHub says nothing, so a minute is the least";
}

TEST_F(GithubPaceTest, ALimitThatDoesNotEndIsNotWaitedForForEver) {
  fake_.fail("GET", "/repos/acme/shop", {.status = 429, .head = "Retry-After: 1\r\n"}, 100);
  const Failure failure = failure_of([&] { api().repository(shop_); });
  EXPECT_EQ(failure.status(), Status::RateLimited);
  EXPECT_EQ(failure.retry_after(), seconds(1));
  EXPECT_THAT(fake_.seen(), SizeIs(3));
}

TEST_F(GithubPaceTest, OneRunnerWaitsForAnothersLimit) {
  fake_.fail("GET", "/repos/acme/shop", {.status = 403, .head = "Retry-After: 100\r\n"});
  Api first = api(), second = api();
  EXPECT_EQ(failure_of([&] { first.repository(shop_); }).retry_after(), seconds(100));
  const Failure failure = failure_of([&] { second.repository(shop_); });
  EXPECT_EQ(failure.status(), Status::RateLimited);
  EXPECT_EQ(failure.retry_after(), seconds(100));
  EXPECT_THAT(failure.what(), HasSubstr("GET /repos/acme/shop was not sent"));
  EXPECT_THAT(fake_.seen(), SizeIs(1)) << "it asked though another had been told to wait";
  fake_.time().sleep(seconds(50));
  EXPECT_EQ(second.repository(shop_).id, 77);
  EXPECT_EQ(since_start(), seconds(100));
}

TEST_F(GithubPaceTest, SurvivesARestart) {
  fake_.fail("GET", "/repos/acme/shop", {.status = 403, .head = "Retry-After: 100\r\n"});
  failure_of([&] { api().repository(shop_); });
  EXPECT_EQ(failure_of([&] { api().repository(shop_); }).retry_after(), seconds(100));
  EXPECT_THAT(fake_.seen(), SizeIs(1));
}

TEST_F(GithubPaceTest, TheLastRequestOfABudgetIsNoticed) {
  fake_.limit_to(3, seconds(90));
  const int number = fake_.add_issue("x", "");
  api().repository(shop_);
  api().issue(shop_, number);
  api().me();
  const Failure failure = failure_of([&] { api().pull_of_branch(shop_, "fix"); });
  EXPECT_EQ(failure.status(), Status::RateLimited);
  EXPECT_EQ(failure.retry_after(), seconds(91));
  EXPECT_THAT(fake_.seen(), SizeIs(3)) << "it let itself be refused";
  fake_.time().sleep(seconds(40));
  EXPECT_FALSE(api().pull_of_branch(shop_, "fix"));
}

TEST_F(GithubPaceTest, TheServersClockCountsWhateverOursSays) {
  fake_.run_ahead(hours(5));
  fake_.limit_to(1, seconds(30));
  EXPECT_EQ(api().me().id, FakeGithub::kDavit);
  EXPECT_EQ(since_start(), seconds(0));
  EXPECT_EQ(api().repository(shop_).id, 77);
  EXPECT_EQ(since_start(), seconds(31));
}

TEST_F(GithubPaceTest, ChangesAreASecondApartWhoeverMakesThem) {
  fake_.watch_spacing();
  const int number = fake_.add_issue("x", "");
  for (int i = 0; i < 3; ++i) {
    api().ensure_comment(shop_, number, "one", "Text " + std::to_string(i));
    api().ensure_comment(shop_, number, "two", "Text " + std::to_string(i));
  }
  const std::vector<milliseconds> at = fake_.changes_at();
  ASSERT_THAT(at, SizeIs(6));
  for (std::size_t i = 1; i < at.size(); ++i) EXPECT_EQ(at[i] - at[i - 1], seconds(1)) << i;
}

TEST_F(GithubPaceTest, WhatWasReadBeforeARestartCostsNothing) {
  const int number = fake_.add_issue("x", "");
  api().issue(shop_, number);
  const int before = fake_.counted();
  EXPECT_EQ(api().issue(shop_, number).title, "x");
  EXPECT_EQ(fake_.counted(), before);
}

TEST_F(GithubPaceTest, WithoutAFolderNothingIsAsked) {
  EXPECT_EQ(failure_of([&] { Api({.api = fake_.api(), .token = FakeGithub::kToken}, {}); }).status(),
            Status::Internal);
}

TEST_F(GithubPaceTest, TheTokenIsInNoFile) {
  const int number = fake_.add_issue("x", "");
  api().ensure_comment(shop_, number, "m", "Hello");
  int files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(state_.path())) {
    EXPECT_EQ(entry.path().string().find(FakeGithub::kToken), std::string::npos);
    if (!entry.is_regular_file()) continue;
    ++files;
    std::ifstream file(entry.path());
    const std::string content(std::istreambuf_iterator<char>(file), {});
    EXPECT_EQ(content.find(FakeGithub::kToken), std::string::npos) << entry.path();
  }
  EXPECT_GE(files, 3);
}

}  // namespace
