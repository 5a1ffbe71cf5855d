// The API against a GitHub of this machine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "davit/failure.hpp"
#include "github_api/api.h"
#include "tests/agents/github_api/fake_github.h"
#include "tests/agents/github_api/state_folder.h"

namespace {

using namespace github;
using davit::Failure;
using davit::Json;
using davit::Status;
using davit::testing::Asked;
using davit::testing::FakeGithub;
using davit::testing::Fault;
using davit::testing::LoopbackServer;
using davit::testing::Wire;
using std::chrono::seconds;
using testing::Each;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

using Kind = Fault::Kind;

class GithubApiTest : public testing::Test {
 protected:
  Account account(const FakeGithub& fake) const {
    return {.api = fake.api(), .token = FakeGithub::kToken, .state_folder = state_.path()};
  }
  // Nobody waits for real: whoever sleeps moves the fake's clock.
  static Waiting waiting(FakeGithub& fake) {
    return {.now = [&] { return fake.time().now(); },
            .sleep = [&](std::chrono::milliseconds time) { fake.time().sleep(time); }};
  }

  // What it fails with; the test fails if it does not.
  template <class Call>
  static Failure failure_of(Call call) {
    try {
      call();
    } catch (const Failure& failure) {
      EXPECT_THAT(failure.what(), Not(HasSubstr(FakeGithub::kToken)));
      EXPECT_THAT(failure.what(), Not(HasSubstr("\n")));
      return failure;
    }
    ADD_FAILURE() << "nothing failed";
    return Failure::internal("nothing failed");
  }
  long count(const std::string& line) const {
    const std::vector<std::string> journal = fake_.journal();
    return std::count(journal.begin(), journal.end(), line);
  }

  const davit::testing::StateFolder state_;
  FakeGithub fake_;
  const Repo shop_{"acme", "shop"};
  Api api_{account(fake_), {}, waiting(fake_)};
};

TEST_F(GithubApiTest, ReadsARepositoryAnIssueAndAPullRequest) {
  const Repository repository = api_.repository(shop_);
  EXPECT_EQ(repository.id, 77);
  EXPECT_EQ(repository.default_branch, "main");
  EXPECT_TRUE(repository.is_private);

  const int number = fake_.add_issue("It is slow", "Very.");
  const Issue issue = api_.issue(shop_, number);
  EXPECT_EQ(issue.title, "It is slow");
  EXPECT_EQ(issue.body, "Very.");
  EXPECT_EQ(issue.author.id, 9);
  EXPECT_THAT(issue.labels, ElementsAre("bug"));
  EXPECT_TRUE(issue.open);
  EXPECT_FALSE(issue.is_pull);

  fake_.add_branch("fix");
  const Pull pull = api_.pull(shop_, fake_.add_pull("fix", "open"));
  EXPECT_EQ(pull.head.name, "fix");
  EXPECT_EQ(pull.head.sha, std::string(39, '0') + "2");
  EXPECT_EQ(pull.base.name, "main");
  EXPECT_EQ(pull.state, PullState::Open);
  EXPECT_TRUE(api_.issue(shop_, pull.number).is_pull);
}

TEST_F(GithubApiTest, AsksAsGithubWantsToBeAsked) {
  api_.repository(shop_);
  const Asked asked = fake_.seen().at(0);
  EXPECT_EQ(asked.header("Accept"), "application/vnd.github+json");
  EXPECT_EQ(asked.header("X-GitHub-Api-Version"), "2022-11-28");
  EXPECT_EQ(asked.header("User-Agent"), "davit");
}

TEST_F(GithubApiTest, WithoutATokenItSaysWhatToGrant) {
  const Failure failure =
      failure_of([&] { Api({.api = fake_.api(), .token = "", .state_folder = state_.path()}, {}); });
  EXPECT_EQ(failure.status(), Status::Permanent);
  EXPECT_THAT(failure.what(), HasSubstr("grant github_token"));
}

TEST_F(GithubApiTest, NamesOfOthersCannotChangeThePath) {
  EXPECT_EQ(failure_of([&] { api_.repository({"acme", "shop/../../user"}); }).status(), Status::NotFound);
  EXPECT_EQ(failure_of([&] { api_.repository({"acme", "shop?x=y#z"}); }).status(), Status::NotFound);
  EXPECT_EQ(failure_of([&] { api_.repository({"acme", ".."}); }).status(), Status::InvalidInput);
  EXPECT_EQ(failure_of([&] { api_.issue(shop_, 0); }).status(), Status::InvalidInput);
  EXPECT_THAT(fake_.journal(),
              ElementsAre("GET /repos/acme/shop%2F..%2F..%2Fuser", "GET /repos/acme/shop%3Fx%3Dy%23z"));
}

TEST_F(GithubApiTest, FollowsPages) {
  const int number = fake_.add_issue("x", "");
  for (int i = 0; i < 250; ++i) fake_.add_comment(number, 9, "Comment " + std::to_string(i));
  fake_.add_comment(number, FakeGithub::kDavit, "Old\n\n<!-- davit:m -->");
  api_.ensure_comment(shop_, number, "m", "New");
  EXPECT_EQ(count("GET /repos/acme/shop/issues/1/comments"), 3);
  EXPECT_THAT(fake_.comments(number), SizeIs(251));
  EXPECT_EQ(fake_.comments(number).back(), "New\n\n<!-- davit:m -->");
}

TEST_F(GithubApiTest, FollowsPagesOfItsHostOnly) {
  LoopbackServer other([](const Asked&, Wire& wire) { wire.answer(200, "[]"); });
  const int number = fake_.add_issue("x", "");
  fake_.fail(
      "GET", "/repos/acme/shop/issues/1/comments",
      {.status = 200, .body = "[]", .head = "Link: <" + other.url("/x?page=2") + ">; rel=\"next\"\r\n"});
  const Failure failure = failure_of([&] { api_.ensure_comment(shop_, number, "m", "Hello"); });
  EXPECT_EQ(failure.status(), Status::Permanent);
  EXPECT_THAT(failure.what(), HasSubstr("names a next page that is not below"));
  EXPECT_EQ(other.connections(), 0);
  EXPECT_THAT(fake_.comments(number), IsEmpty()) << "it wrote without having looked everywhere";
}

TEST_F(GithubApiTest, PagesWithoutAnEndAreNotReadForEver) {
  const int number = fake_.add_issue("x", "");
  fake_.fail("GET", "/repos/acme/shop/issues/1/comments",
             {.status = 200,
              .body = "[]",
              .head = "Link: <" + fake_.api() + "/repos/acme/shop/issues/1/comments>; rel=\"next\"\r\n"},
             1000);
  EXPECT_THAT(failure_of([&] { api_.ensure_comment(shop_, number, "m", "Hello"); }).what(),
              HasSubstr("more than 50 pages"));
  EXPECT_EQ(count("GET /repos/acme/shop/issues/1/comments"), 50);
}

TEST_F(GithubApiTest, ARedirectToAnotherHostGetsNoToken) {
  LoopbackServer other([](const Asked&, Wire& wire) { wire.answer(200, "{}"); });
  fake_.fail("GET", "/repos/acme/shop",
             {.status = 302, .body = "", .head = "Location: " + other.url() + "\r\n"});
  EXPECT_EQ(failure_of([&] { api_.repository(shop_); }).status(), Status::Permanent);
  EXPECT_EQ(other.connections(), 0);
}

TEST_F(GithubApiTest, ARepositoryThatWasRenamedIsFound) {
  fake_.fail("GET", "/repos/acme/old",
             {.status = 301, .body = "{}", .head = "Location: " + fake_.api() + "/repos/acme/shop\r\n"});
  EXPECT_EQ(api_.repository({"acme", "old"}).repo.name, "shop");
}

TEST_F(GithubApiTest, NotModifiedCostsNothing) {
  const int number = fake_.add_issue("x", "");
  for (int i = 0; i < 150; ++i) fake_.add_comment(number, 9, "Comment");
  api_.ensure_comment(shop_, number, "m", "Same");  // made: the last page is another now
  api_.ensure_comment(shop_, number, "m", "Same");
  const int before = fake_.counted();
  const std::size_t asked = fake_.seen().size();
  api_.ensure_comment(shop_, number, "m", "Same");
  EXPECT_EQ(fake_.counted(), before);
  EXPECT_EQ(fake_.seen().size(), asked + 2) << "it did not ask for both pages";
  EXPECT_THAT(fake_.journal(), Each(Not(StartsWith("PATCH")))) << "it changed what is the same";
}

TEST_F(GithubApiTest, AChangeIsSeenInSpiteOfWhatIsKept) {
  const int number = fake_.add_issue("x", "");
  const Comment first = api_.ensure_comment(shop_, number, "m", "One");
  const Comment second = api_.ensure_comment(shop_, number, "m", "Two");
  EXPECT_EQ(first.id, second.id);
  EXPECT_THAT(fake_.comments(number), ElementsAre("Two\n\n<!-- davit:m -->"));
}

TEST_F(GithubApiTest, WaitsForALimitAsItIsTold) {
  fake_.fail("GET", "/repos/acme/shop",
             {.status = 403,
              .body = "{\"message\":\"API rate limit exceeded for user ID 4242.\"}",
              .head = "Date: Thu, 26 Nov 2026 09:30:00 GMT\r\nX-RateLimit-Remaining: 0\r\n"
                      "X-RateLimit-Reset: 1795685500\r\n"});
  const Failure failure = failure_of([&] { api_.repository(shop_); });
  EXPECT_EQ(failure.status(), Status::RateLimited);
  EXPECT_EQ(failure.retry_after(), seconds(101));
  EXPECT_STREQ(failure.what(),
               "GitHub answered 403 to GET /repos/acme/shop: API rate limit exceeded for user ID 4242. "
               "(again in 101 s)");
  EXPECT_THAT(fake_.seen(), SizeIs(1)) << "it asked again though it was told to wait";
}

TEST_F(GithubApiTest, ALimitWhileMakingSomethingIsNoDoubt) {
  const int number = fake_.add_issue("x", "");
  fake_.fail("POST", "/repos/acme/shop/issues/1/comments",
             {.status = 429, .body = "", .head = "Retry-After: 90\r\n"});
  const Failure failure = failure_of([&] { api_.ensure_comment(shop_, number, "m", "Hello"); });
  EXPECT_EQ(failure.status(), Status::RateLimited);
  EXPECT_EQ(failure.retry_after(), seconds(90));
  EXPECT_EQ(count("POST /repos/acme/shop/issues/1/comments"), 1);
}

TEST_F(GithubApiTest, EachRefusalHasItsClassAndSaysWhatGithubSaid) {
  const auto refused = [&](int status, const std::string& body) {
    fake_.fail("GET", "/repos/acme/shop", {.status = status, .body = body});
    return failure_of([&] { api_.repository(shop_); });
  };
  const std::string no_right = "{\"message\":\"Resource not accessible by personal access token\"}";
  EXPECT_EQ(refused(401, "{\"message\":\"Bad credentials\"}").status(), Status::Unauthorized);
  EXPECT_EQ(refused(403, no_right).status(), Status::Permanent);
  EXPECT_EQ(refused(404, "{\"message\":\"Not Found\"}").status(), Status::NotFound);
  EXPECT_EQ(refused(410, "{}").status(), Status::NotFound);
  EXPECT_EQ(refused(422, "{}").status(), Status::Permanent);
  EXPECT_EQ(refused(304, "").status(), Status::Permanent);
  EXPECT_STREQ(
      refused(403, no_right).what(),
      "GitHub answered 403 to GET /repos/acme/shop: Resource not accessible by personal access token");
}

TEST_F(GithubApiTest, AMessageThatRepeatsTheTokenIsToldWithoutIt) {
  fake_.fail("GET", "/repos/acme/shop",
             {.status = 422, .body = std::string("{\"message\":\"no: ") + FakeGithub::kToken + "\"}"});
  EXPECT_THAT(failure_of([&] { api_.repository(shop_); }).what(), EndsWith(": no: ***"));
}

TEST_F(GithubApiTest, ReadsAgainWhatFailedByChance) {
  for (const Fault& fault : {Fault{.status = 502, .body = "<html>"}, Fault{.kind = Kind::Reset},
                             Fault{.kind = Kind::CutShort}, Fault{.kind = Kind::NotJson}}) {
    FakeGithub fake;
    fake.fail("GET", "/repos/acme/shop", fault);
    EXPECT_EQ(Api(account(fake), {}, waiting(fake)).repository(shop_).id, 77);
    EXPECT_THAT(fake.seen(), SizeIs(2));
  }
}

TEST_F(GithubApiTest, ReadsThreeTimesAndThenGivesUp) {
  fake_.fail("GET", "/repos/acme/shop", {.status = 500}, 10);
  EXPECT_EQ(failure_of([&] { api_.repository(shop_); }).status(), Status::Retryable);
  EXPECT_THAT(fake_.seen(), SizeIs(3));
}

TEST_F(GithubApiTest, AnAnswerWithoutAnEndIsRefused) {
  fake_.fail("GET", "/repos/acme/shop",
             {.status = 200, .body = "{\"x\":\"" + std::string((8u << 20) + 1, 'x') + "\"}"});
  const Failure failure = failure_of([&] { api_.repository(shop_); });
  EXPECT_EQ(failure.status(), Status::Permanent);
  EXPECT_THAT(failure.what(), HasSubstr("more than 8 MiB"));
}

TEST_F(GithubApiTest, CancelEndsWhateverWaits) {
  fake_.fail("GET", "/repos/acme/shop", {.status = 500}, 10);
  Api api(
      account(fake_), [&] { return !fake_.seen().empty(); }, waiting(fake_));
  EXPECT_EQ(failure_of([&] { api.repository(shop_); }).status(), Status::Cancelled);
  EXPECT_THAT(fake_.seen(), SizeIs(1));
}

TEST_F(GithubApiTest, FindsThePullRequestOfABranch) {
  EXPECT_FALSE(api_.pull_of_branch(shop_, "fix"));
  fake_.add_branch("fix");
  fake_.add_branch("twin", std::string(39, '0') + "2");  // at the same commit
  fake_.add_pull("twin", "open");
  fake_.add_pull("fix", "open", true);  // a stranger's branch of that name
  EXPECT_FALSE(api_.pull_of_branch(shop_, "fix"));

  const int merged = fake_.add_pull("fix", "merged");
  EXPECT_EQ(api_.pull_of_branch(shop_, "fix")->state, PullState::Merged);
  const int open = fake_.add_pull("fix", "open");
  const int closed = fake_.add_pull("fix", "closed");
  EXPECT_LT(merged, open);
  EXPECT_LT(open, closed);
  EXPECT_EQ(api_.pull_of_branch(shop_, "fix")->number, open);
}

TEST_F(GithubApiTest, EnsurePullMakesOne) {
  fake_.add_branch("davit/plan-1");
  const Pull pull = api_.ensure_pull(
      shop_,
      {.branch = "davit/plan-1", .base = "main", .title = "Plan", .body = "How to do it.", .draft = true});
  EXPECT_EQ(pull.state, PullState::Open);
  EXPECT_TRUE(pull.draft);
  EXPECT_EQ(pull.title, "Plan");
  EXPECT_EQ(pull.body, "How to do it.");
  EXPECT_EQ(pull.head.name, "davit/plan-1");
  EXPECT_EQ(fake_.pulls(), 1u);
}

TEST_F(GithubApiTest, EnsurePullFindsItsOwn) {
  fake_.add_branch("davit/plan-1");
  const NewPull wanted{.branch = "davit/plan-1", .base = "main", .title = "Plan", .body = "", .draft = false};
  const Pull first = api_.ensure_pull(shop_, wanted);
  const Pull second = Api(account(fake_), {}, waiting(fake_)).ensure_pull(shop_, wanted);
  EXPECT_EQ(first.number, second.number);
  EXPECT_EQ(count("POST /repos/acme/shop/pulls"), 1);
}

TEST_F(GithubApiTest, EnsurePullOpensNoneBesideOneThatWasClosed) {
  fake_.add_branch("davit/plan-1");
  const int closed = fake_.add_pull("davit/plan-1", "closed");
  const Pull pull = api_.ensure_pull(
      shop_, {.branch = "davit/plan-1", .base = "main", .title = "Plan", .body = "", .draft = false});
  EXPECT_EQ(pull.number, closed);
  EXPECT_EQ(pull.state, PullState::Closed);
}

TEST_F(GithubApiTest, APullRequestThatWasMadeInSpiteOfTheFailureIsFound) {
  for (const Kind kind : {Kind::DoneBut500, Kind::DoneButReset}) {
    FakeGithub fake;
    fake.add_branch("fix");
    fake.fail("POST", "/repos/acme/shop/pulls", {.kind = kind});
    const Pull pull =
        Api(account(fake), {}, waiting(fake))
            .ensure_pull(shop_,
                         {.branch = "fix", .base = "main", .title = "Fix", .body = "", .draft = false});
    EXPECT_EQ(pull.title, "Fix");
    EXPECT_EQ(fake.pulls(), 1u);
  }
}

TEST_F(GithubApiTest, APullRequestThatSomebodyElseMadeMeanwhileIsTaken) {
  fake_.add_branch("fix");
  fake_.fail("GET", "/repos/acme/shop/pulls", {.status = 200, .body = "[]"});  // a list that lags behind
  const int number = fake_.add_pull("fix", "open");
  EXPECT_EQ(
      api_.ensure_pull(shop_, {.branch = "fix", .base = "main", .title = "x", .body = "", .draft = false})
          .number,
      number);
  EXPECT_EQ(count("POST /repos/acme/shop/pulls"), 1);
}

TEST_F(GithubApiTest, APullRequestThatCannotBeMadeSaysWhy) {
  const auto refused = [&](const std::string& branch, const std::string& base) {
    return failure_of([&] {
      api_.ensure_pull(shop_, {.branch = branch, .base = base, .title = "x", .body = "", .draft = false});
    });
  };
  fake_.add_branch("empty", std::string(39, '0') + "1");
  EXPECT_EQ(refused("nowhere", "main").status(), Status::Permanent);
  EXPECT_THAT(refused("nowhere", "main").what(), EndsWith("Validation Failed: PullRequest head is invalid"));
  EXPECT_THAT(refused("empty", "main").what(), EndsWith("No commits between main and empty"));
}

TEST_F(GithubApiTest, WhereThereAreNoDraftsItIsNone) {
  fake_.allow_no_drafts();
  fake_.add_branch("fix");
  const Pull pull =
      api_.ensure_pull(shop_, {.branch = "fix", .base = "main", .title = "Fix", .body = "", .draft = true});
  EXPECT_FALSE(pull.draft);
  EXPECT_EQ(fake_.pulls(), 1u);
}

TEST_F(GithubApiTest, ACommentThatWasMadeInSpiteOfA500IsNotMadeAgain) {
  for (const Kind kind : {Kind::DoneBut500, Kind::DoneButReset}) {
    FakeGithub fake;
    const int number = fake.add_issue("x", "");
    fake.fail("POST", "/repos/acme/shop/issues/1/comments", {.kind = kind});
    const Comment comment = Api(account(fake), {}, waiting(fake)).ensure_comment(shop_, number, "m", "Hello");
    EXPECT_EQ(comment.author.id, FakeGithub::kDavit);
    EXPECT_THAT(fake.comments(number), ElementsAre("Hello\n\n<!-- davit:m -->"));
  }
}

TEST_F(GithubApiTest, ACommentThatWasNotMadeIsMadeAgainOnce) {
  const int number = fake_.add_issue("x", "");
  fake_.fail("POST", "/repos/acme/shop/issues/1/comments", {.kind = Kind::Reset});
  api_.ensure_comment(shop_, number, "m", "Hello");
  EXPECT_THAT(fake_.comments(number), SizeIs(1));

  fake_.fail("POST", "/repos/acme/shop/issues/1/comments", {.status = 500}, 10);
  EXPECT_EQ(failure_of([&] { api_.ensure_comment(shop_, number, "other", "Hello"); }).status(),
            Status::Retryable);
  EXPECT_EQ(count("POST /repos/acme/shop/issues/1/comments"), 4);
}

TEST_F(GithubApiTest, AChangeOfACommentIsTriedAgain) {
  const int number = fake_.add_issue("x", "");
  const Comment comment = api_.ensure_comment(shop_, number, "m", "One");
  fake_.fail("PATCH", "/repos/acme/shop/issues/comments/" + std::to_string(comment.id),
             {.kind = Kind::DoneBut500});
  EXPECT_EQ(api_.ensure_comment(shop_, number, "m", "Two").id, comment.id);
  EXPECT_THAT(fake_.comments(number), ElementsAre("Two\n\n<!-- davit:m -->"));
}

TEST_F(GithubApiTest, CommentsOfOthersAreNotOurs) {
  const int number = fake_.add_issue("x", "");
  const std::string marked = "I am davit\n\n<!-- davit:m -->";
  fake_.add_comment(number, 9, marked);
  fake_.add_comment(number, 0, marked);  // of somebody who is gone
  // Ours, but it only quotes the marker; and one for another purpose.
  fake_.add_comment(number, FakeGithub::kDavit, "> <!-- davit:m -->\n\nsays the issue");
  fake_.add_comment(number, FakeGithub::kDavit, "x\n\n<!-- davit:mm -->");
  api_.ensure_comment(shop_, number, "m", "Hello");
  const std::vector<std::string> comments = fake_.comments(number);
  ASSERT_THAT(comments, SizeIs(5));
  EXPECT_EQ(comments.at(0), marked);
  EXPECT_EQ(comments.at(4), "Hello\n\n<!-- davit:m -->");
}

TEST_F(GithubApiTest, ALongCommentIsCutAndKeepsItsMarker) {
  const int number = fake_.add_issue("x", "");
  std::string body = "a";
  while (body.size() < 70'000) body += "\xC3\xA4";
  api_.ensure_comment(shop_, number, "m", body);
  api_.ensure_comment(shop_, number, "m", body);
  ASSERT_THAT(fake_.comments(number), SizeIs(1));
  const std::string made = fake_.comments(number).at(0);
  EXPECT_LE(made.size(), 65'536u);
  EXPECT_THAT(made, EndsWith("\xC3\xA4\n\n(cut)\n\n<!-- davit:m -->"));
}

TEST_F(GithubApiTest, AMarkerThatCouldEndItsCommentIsRefused) {
  const int number = fake_.add_issue("x", "");
  for (const std::string& marker :
       {std::string(), std::string("a-->b"), std::string("a b"), std::string(65, 'a')})
    EXPECT_EQ(failure_of([&] { api_.ensure_comment(shop_, number, marker, "x"); }).status(),
              Status::InvalidInput);
  EXPECT_THAT(fake_.seen(), IsEmpty());
}

class GithubReviewTest : public GithubApiTest {
 protected:
  GithubReviewTest() {
    fake_.add_branch("fix", kSha);
    number_ = fake_.add_pull("fix", "open");
    fake_.add_file(number_, "src/a.cpp", "@@ -1,2 +10,3 @@\n a\n+b\n c\n@@ -30 +40,2 @@\n+d\n e");
    fake_.add_file(number_, "logo.png", "");
  }

  static constexpr const char* kSha = "feedc0de00000000000000000000000000000000";
  int number_ = 0;
};

TEST_F(GithubReviewTest, ReviewLinesLieInTheDiff) {
  const PostedReview posted = api_.ensure_review(
      shop_, number_, kSha,
      {.marker = "m",
       .body = "Three things.",
       .verdict = Verdict::Comment,
       .findings = {{.path = "src/a.cpp", .line = 11, .start_line = 0, .body = "This leaks."},
                    {.path = "src/a.cpp", .line = 12, .start_line = 10, .body = "Three lines."},
                    {.path = "src/a.cpp", .line = 40, .start_line = 12, .body = "Two hunks."},
                    {.path = "src/a.cpp", .line = 99, .start_line = 0, .body = "Not shown."},
                    {.path = "logo.png", .line = 1, .start_line = 0, .body = "Ugly."},
                    {.path = "other.cpp", .line = 1, .start_line = 0, .body = "Not changed."}}});
  EXPECT_EQ(posted.at_lines, 2);
  EXPECT_EQ(posted.in_body, 4);
  ASSERT_THAT(fake_.reviews(number_), SizeIs(1));
  const Json review = fake_.reviews(number_).at(0);
  EXPECT_EQ(review["id"].int_or(0), posted.id);
  EXPECT_EQ(review["commit_id"], kSha);
  EXPECT_EQ(review["event"], "COMMENT");
  EXPECT_EQ(review["comments"].size(), 2u);
  EXPECT_FALSE(review["comments"][0].has("start_line"));
  EXPECT_EQ(review["comments"][1]["start_line"].int_or(0), 10);
  EXPECT_EQ(review["body"],
            "Three things.\n\nsrc/a.cpp, line 40: Two hunks.\n\nsrc/a.cpp, line 99: Not shown.\n\n"
            "logo.png, line 1: Ugly.\n\nother.cpp, line 1: Not changed.\n\n<!-- davit:m." +
                std::string(kSha) + " -->");
}

TEST_F(GithubReviewTest, WhenGithubRefusesOnePlaceAllFindingsGoIntoTheBody) {
  davit::testing::Fault refusal;
  refusal.status = 422;
  refusal.body = R"({"message": "Unprocessable Entity", "errors": ["Path could not be resolved"]})";
  fake_.fail("POST", "/repos/acme/shop/pulls", refusal);
  const PostedReview posted = api_.ensure_review(
      shop_, number_, kSha,
      {.marker = "m",
       .body = "Two things.",
       .verdict = Verdict::Comment,
       .findings = {{.path = "src/a.cpp", .line = 11, .start_line = 0, .body = "This leaks."},
                    {.path = "src/a.cpp", .line = 12, .start_line = 10, .body = "x", .in_body = "Three."}}});
  EXPECT_TRUE(posted.made);
  EXPECT_EQ(posted.at_lines, 0);
  EXPECT_EQ(posted.in_body, 2);
  ASSERT_THAT(fake_.reviews(number_), SizeIs(1));
  const Json review = fake_.reviews(number_).at(0);
  EXPECT_EQ(review["comments"].size(), 0u);
  EXPECT_THAT(std::string(review["body"].string_or("")),
              HasSubstr("Two things.\n\nsrc/a.cpp, line 11: This leaks.\n\nThree.\n\n<!-- "));
}

TEST_F(GithubReviewTest, WhatIsNotAboutPlacesIsRefusedForGood) {
  davit::testing::Fault refusal;
  refusal.status = 403;
  refusal.body = R"({"message": "Resource not accessible by integration"})";
  fake_.fail("POST", "/repos/acme/shop/pulls", refusal, 2);
  const Failure failure = failure_of([&] {
    api_.ensure_review(shop_, number_, kSha,
                       {.marker = "m",
                        .body = "One.",
                        .findings = {{.path = "src/a.cpp", .line = 11, .start_line = 0, .body = "x"}}});
  });
  EXPECT_EQ(failure.status(), Status::Permanent);
  EXPECT_THAT(failure.what(), HasSubstr("not accessible"));
  EXPECT_THAT(fake_.reviews(number_), IsEmpty());
}

TEST_F(GithubReviewTest, OneReviewACommit) {
  const NewReview wanted{.marker = "m", .body = "Good.", .verdict = Verdict::Comment, .findings = {}};
  const PostedReview first = api_.ensure_review(shop_, number_, kSha, wanted);
  const PostedReview second =
      Api(account(fake_), {}, waiting(fake_)).ensure_review(shop_, number_, kSha, wanted);
  EXPECT_EQ(second.id, first.id);
  EXPECT_EQ(second.url, first.url);
  EXPECT_TRUE(first.made);
  EXPECT_FALSE(second.made);
  EXPECT_THAT(fake_.reviews(number_), SizeIs(1));

  const std::string next(40, 'a');
  fake_.move_head(number_, next);
  api_.ensure_review(shop_, number_, next, wanted);
  EXPECT_THAT(fake_.reviews(number_), SizeIs(2));
}

TEST_F(GithubReviewTest, ACommitThatIsNotTheHeadAnyMoreIsNotReviewed) {
  fake_.move_head(number_, std::string(40, 'a'));
  const Failure failure = failure_of([&] { api_.ensure_review(shop_, number_, kSha, {.marker = "m"}); });
  EXPECT_EQ(failure.status(), Status::Retryable);
  EXPECT_THAT(failure.what(), HasSubstr("is at another commit"));
  EXPECT_THAT(fake_.reviews(number_), IsEmpty());
}

TEST_F(GithubReviewTest, AReviewThatWasPostedInSpiteOfA500IsNotPostedAgain) {
  fake_.fail("POST", "/repos/acme/shop/pulls", {.kind = Kind::DoneBut500});
  const PostedReview posted = api_.ensure_review(shop_, number_, kSha, {.marker = "m", .body = "Good."});
  ASSERT_THAT(fake_.reviews(number_), SizeIs(1));
  EXPECT_EQ(fake_.reviews(number_).at(0)["id"].int_or(0), posted.id);
}

TEST_F(GithubReviewTest, ChangesAreRequestedOfOthersOnly) {
  const NewReview wanted{.marker = "m", .body = "No.", .verdict = Verdict::RequestChanges, .findings = {}};
  api_.ensure_review(shop_, number_, kSha, wanted);
  EXPECT_EQ(fake_.reviews(number_).at(0)["event"], "COMMENT") << "on a pull request of our own";
  const int theirs = fake_.add_pull("fix", "open", true);
  api_.ensure_review(shop_, theirs, kSha, wanted);
  EXPECT_EQ(fake_.reviews(theirs).at(0)["event"], "REQUEST_CHANGES");
}

TEST_F(GithubApiTest, TheTokenIsAskedOnceWhoseItIs) {
  EXPECT_EQ(api_.me().id, FakeGithub::kDavit);
  api_.me();
  EXPECT_EQ(count("GET /user"), 1);
}

}  // namespace
