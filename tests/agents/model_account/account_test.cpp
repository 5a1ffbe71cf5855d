// What one execution learns of an account, as others see it: by a clock of their own.
#include "model_account/account.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "tests/agents/github_api/state_folder.h"

namespace model_account {
namespace {

namespace fs = std::filesystem;
using davit::Status;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kIdentity = "ANTHROPIC_API_KEY=sk-ant-0123456789";

class AccountTest : public testing::Test {
 protected:
  Account account(const std::string& who, const std::string& identity = kIdentity) const {
    return {folder_.path(), identity, who};
  }
  bool is_open(const std::string& who) const { return !account(who).enter(now_); }
  std::vector<fs::path> notes() const {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder_.path() / "model-accounts"))
      if (entry.path().extension() == ".json") files.push_back(entry.path());
    return files;
  }

  const davit::testing::StateFolder folder_;
  davit::Time now_ = davit::time_from_unix_ms(1'790'000'000'000);
};

TEST_F(AccountTest, WhoKnowsNothingBegins) {
  EXPECT_TRUE(is_open("one"));
  EXPECT_FALSE(account("one").answered());
  EXPECT_FALSE(fs::exists(folder_.path() / "model-accounts")) << "and leaves nothing behind";
}

TEST_F(AccountTest, ALimitWhoseEndWasSaidHoldsAllUntilThenAndNobodyLonger) {
  const davit::Time end = now_ + hours(3);
  const auto refused = account("one").refused("the limit is reached", end, now_);
  EXPECT_EQ(refused.until, end);
  EXPECT_TRUE(refused.is_new);
  const auto closed = account("two").enter(now_);
  ASSERT_TRUE(closed);
  EXPECT_EQ(closed->until, end);
  EXPECT_THAT(closed->why, HasSubstr("the limit is reached"));
  EXPECT_EQ(closed->failure(now_).status(), Status::RateLimited);
  EXPECT_EQ(closed->failure(now_).retry_after(), milliseconds(hours(3)));
  now_ = end - milliseconds(1);
  EXPECT_FALSE(is_open("one"));
  now_ = end;
  EXPECT_TRUE(is_open("two"));
  EXPECT_TRUE(is_open("three")) << "all begin at once: there is nothing to try";
  EXPECT_TRUE(account("two").answered());
  EXPECT_FALSE(account("three").answered());
  EXPECT_TRUE(account("one").refused("again", now_ + hours(1), now_).is_new);
}

TEST_F(AccountTest, OfWhatNobodyKnowsTheEndOneTriesAndTheRestWait) {
  EXPECT_EQ(account("one").refused("no such key", std::nullopt, now_).until, now_ + kFirstWait);
  EXPECT_FALSE(is_open("two"));
  now_ += kFirstWait;
  EXPECT_TRUE(is_open("two"));
  EXPECT_TRUE(is_open("two")) << "pre_execute and the session are of one execution";
  const auto closed = account("three").enter(now_);
  ASSERT_TRUE(closed);
  EXPECT_EQ(closed->until, now_ + kTrial);
  EXPECT_THAT(closed->why, AllOf(HasSubstr("another execution tries it"), HasSubstr("no such key")));
  EXPECT_TRUE(account("two").answered());
  EXPECT_TRUE(is_open("three"));
}

TEST_F(AccountTest, WhoTriesAndIsNotHeardOfAgainIsFollowedByAnother) {
  account("one").refused("overloaded", std::nullopt, now_);
  now_ += kFirstWait;
  EXPECT_TRUE(is_open("killed"));
  now_ += kTrial;
  EXPECT_TRUE(is_open("two"));
  EXPECT_FALSE(is_open("three"));
}

TEST_F(AccountTest, TheWaitsGrowUpToTheLongestAndAreToldOnce) {
  EXPECT_TRUE(account("one").refused("no such key", std::nullopt, now_).is_new);
  std::vector<davit::Time::duration> waits;
  davit::Time until = now_ + kFirstWait;
  for (int i = 0; i < 6; ++i) {
    now_ = until;
    const std::string who = "try " + std::to_string(i);
    EXPECT_TRUE(is_open(who));
    const auto refused = account(who).refused("no such key", std::nullopt, now_ + seconds(2));
    EXPECT_FALSE(refused.is_new);
    until = refused.until;
    waits.push_back(until - now_ - seconds(2));
  }
  EXPECT_THAT(waits, testing::ElementsAre(minutes(2), minutes(4), minutes(8), minutes(15), minutes(15),
                                          minutes(15)));
  EXPECT_TRUE(account("one").answered());
  EXPECT_EQ(account("one").refused("no such key", std::nullopt, now_).until, now_ + kFirstWait);
}

TEST_F(AccountTest, WhoBeganBeforeTheNoteDoesNotMakeTheWaitLonger) {
  account("one").refused("overloaded", std::nullopt, now_);
  for (const char* who : {"two", "three", "four"})
    EXPECT_EQ(account(who).refused("overloaded", std::nullopt, now_ + seconds(1)).until, now_ + kFirstWait);
  const auto later = account("five").refused("the limit is reached", now_ + hours(1), now_ + seconds(1));
  EXPECT_EQ(later.until, now_ + hours(1)) << "but one that knows better is heard";
  EXPECT_FALSE(later.is_new);
  EXPECT_EQ(account("six").enter(now_ + minutes(30))->until, now_ + hours(1));
}

TEST_F(AccountTest, ATimeThatIsSaidIsNeitherNowNorNever) {
  EXPECT_EQ(account("one").refused("limit", now_ - hours(1), now_).until, now_ + kLeastSaid);
  now_ += hours(1);
  EXPECT_EQ(account("one").refused("limit", now_ + hours(1000), now_).until, now_ + kMostSaid);
}

TEST_F(AccountTest, AnotherAccountIsAnotherMatter) {
  account("one").refused("no such key", std::nullopt, now_);
  EXPECT_FALSE(account("two", "ANTHROPIC_API_KEY=sk-ant-another").enter(now_));
  EXPECT_FALSE(account("two", "ANTHROPIC_API_KEY=sk-ant-another").answered());
  EXPECT_FALSE(is_open("two")) << "and it says nothing about this one";
}

TEST_F(AccountTest, NoSecretIsInTheNoteOrItsName) {
  account("one").refused("no such key", std::nullopt, now_);
  ASSERT_EQ(notes().size(), 1u);
  std::ifstream stream(notes()[0]);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  EXPECT_THAT(text + notes()[0].string(), AllOf(HasSubstr("no such key"), Not(HasSubstr("sk-ant"))));
  EXPECT_EQ(fs::status(folder_.path() / "model-accounts").permissions(), fs::perms::owner_all);
}

TEST_F(AccountTest, ANoteThatCannotBeReadOrIsOfAClockThatWasSetBackHoldsNobody) {
  account("one").refused("limit", now_ + hours(2), now_);
  EXPECT_FALSE(is_open("two"));
  EXPECT_FALSE(account("two").enter(now_ - hours(100))) << "a wait can never be so long";
  for (const char* content : {"", "{", "[]", "{\"until\": \"never\"}", "{\"until\": -9223372036854775808}",
                              "{\"until\": 9223372036854775807}"}) {
    std::ofstream(notes()[0]) << content;
    EXPECT_TRUE(is_open("two")) << content;
  }
  EXPECT_EQ(account("one").refused("limit", now_ + hours(2), now_).until, now_ + hours(2));
  EXPECT_FALSE(is_open("two"));
}

TEST_F(AccountTest, WithoutAFolderEachFindsOutByItself) {
  const Account alone("", kIdentity, "one");
  const auto refused = alone.refused("no such key", std::nullopt, now_);
  EXPECT_EQ(refused.until, now_ + kFirstWait);
  EXPECT_TRUE(refused.is_new);
  EXPECT_EQ(alone.refused("limit", now_ + hours(1), now_).until, now_ + hours(1));
  EXPECT_FALSE(alone.enter(now_));
  EXPECT_FALSE(alone.answered());
}

TEST_F(AccountTest, AFolderThatCannotBeUsedKeepsNobodyFromWorking) {
  std::ofstream(folder_.path() / "model-accounts") << "in the way";
  EXPECT_EQ(account("one").refused("no such key", std::nullopt, now_).until, now_ + kFirstWait);
  EXPECT_TRUE(is_open("two"));
  EXPECT_FALSE(account("two").answered());
}

}  // namespace
}  // namespace model_account
