// What GitHub's answers mean: limits, errors, pages, names.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "davit/failure.hpp"
#include "davit/json.hpp"
#include "github_api/diff_lines.h"
#include "github_api/errors.h"
#include "github_api/etags.h"
#include "github_api/limits.h"
#include "github_api/pages.h"
#include "github_api/paths.h"
#include "github_api/shapes.h"

namespace {

using namespace github;
using davit::Failure;
using davit::Json;
using std::chrono::hours;
using std::chrono::seconds;
using std::chrono::system_clock;

constexpr const char* kDate = "Thu, 26 Nov 2026 09:30:00 GMT";
constexpr std::int64_t kSeconds = 1795685400;  // the same

http::Response answer(int status, std::vector<http::Header> headers, std::string body = "") {
  return {.status = status, .headers = std::move(headers), .body = std::move(body)};
}
// On a clock that is an hour behind GitHub's.
std::optional<std::chrono::milliseconds> wait(const http::Response& response) {
  return wait_after(response, system_clock::from_time_t(kSeconds - 3600));
}

TEST(GithubLimitsTest, WaitsAsTheHeaderSays) {
  EXPECT_EQ(wait(answer(403, {{"Retry-After", "17"}})), seconds(17));
  EXPECT_EQ(wait(answer(429, {{"retry-after", "17"}})), seconds(17));
  EXPECT_EQ(wait(answer(403, {{"Date", kDate}, {"Retry-After", "Thu, 26 Nov 2026 09:31:00 GMT"}})),
            seconds(60));
}

TEST(GithubLimitsTest, WaitsForTheResetByTheServersClock) {
  const std::string reset = std::to_string(kSeconds + 100);
  EXPECT_EQ(
      wait(answer(403, {{"Date", kDate}, {"X-RateLimit-Remaining", "0"}, {"X-RateLimit-Reset", reset}})),
      seconds(101));
  // Without its clock ours must do.
  EXPECT_EQ(wait(answer(403, {{"X-RateLimit-Remaining", "0"}, {"X-RateLimit-Reset", reset}})), seconds(3701));
}

TEST(GithubLimitsTest, WhatTheHeaderSaysFirstCounts) {
  EXPECT_EQ(wait(answer(403, {{"Date", kDate},
                              {"Retry-After", "5"},
                              {"X-RateLimit-Remaining", "0"},
                              {"X-RateLimit-Reset", std::to_string(kSeconds + 100)}})),
            seconds(5));
}

TEST(GithubLimitsTest, WaitsAMinuteWhereNothingIsSaid) {
  EXPECT_EQ(wait(answer(429, {})), seconds(60));
  EXPECT_EQ(wait(answer(403, {}, "{\"message\":\"You have exceeded a secondary rate limit\"}")), seconds(60));
  EXPECT_EQ(wait(answer(403, {{"X-RateLimit-Remaining", "0"}})), seconds(60));
  EXPECT_EQ(wait(answer(403, {{"Retry-After", "soon"}})), seconds(60));
}

TEST(GithubLimitsTest, NoHeaderMakesTheWaitAbsurd) {
  EXPECT_EQ(wait(answer(403, {{"Retry-After", "0"}})), seconds(1));
  EXPECT_EQ(wait(answer(403, {{"Retry-After", "-5"}})), seconds(60));
  EXPECT_EQ(wait(answer(403, {{"Retry-After", "999999999999"}})), hours(24));
  EXPECT_EQ(wait(answer(403, {{"Retry-After", "99999999999999999999999"}})), seconds(60));
  EXPECT_EQ(wait(answer(403, {{"Date", kDate}, {"X-RateLimit-Remaining", "0"}, {"X-RateLimit-Reset", "1"}})),
            seconds(1));
  EXPECT_EQ(wait(answer(403, {{"Date", kDate},
                              {"X-RateLimit-Remaining", "0"},
                              {"X-RateLimit-Reset", "9223372036854775807"}})),
            hours(24));
}

TEST(GithubLimitsTest, AMissingRightIsNoLimit) {
  EXPECT_EQ(wait(answer(403, {{"X-RateLimit-Remaining", "4999"}},
                        "{\"message\":\"Resource not accessible by integration\"}")),
            std::nullopt);
  EXPECT_EQ(wait(answer(200, {{"X-RateLimit-Remaining", "0"}})), std::nullopt);
  EXPECT_EQ(wait(answer(503, {{"Retry-After", "5"}})), std::nullopt);
}

TEST(GithubErrorsTest, SaysWhatGithubSaysInOneLine) {
  EXPECT_EQ(sentence_of(R"({"message":"Not Found","documentation_url":"https://docs"})"), "Not Found");
  EXPECT_EQ(sentence_of(R"({"message":"Validation Failed","errors":[
                {"resource":"PullRequest","code":"custom","message":"No commits between main and x"}]})"),
            "Validation Failed: No commits between main and x");
  EXPECT_EQ(sentence_of(R"({"message":"Validation Failed","errors":[
                {"resource":"PullRequest","field":"head","code":"invalid"},
                {"resource":"Issue","field":"title","code":"missing_field"}]})"),
            "Validation Failed: PullRequest head is invalid: Issue title is missing");
  EXPECT_EQ(sentence_of(R"({"message":"Unprocessable Entity","errors":["Can not approve your own"]})"),
            "Unprocessable Entity: Can not approve your own");
  EXPECT_EQ(sentence_of(R"({"message":"No","errors":"because"})"), "No: because");
}

TEST(GithubErrorsTest, SaysNothingOfWhatIsNotItsShape) {
  for (const char* body : {"", "<html>502</html>", "[1]", "{\"message\":7}", "{\"message\":\"cut", "null"})
    EXPECT_EQ(sentence_of(body), "") << body;
}

TEST(GithubErrorsTest, ALongOrBrokenMessageStaysOneShortLine) {
  const std::string sentence = sentence_of("{\"message\":\"a\\nb\\u0007" + std::string(900, 'x') + "\"}");
  EXPECT_EQ(sentence.substr(0, 5), "a b x");
  EXPECT_EQ(sentence.size(), 300u);
  // Never in the middle of a character.
  EXPECT_TRUE(davit::is_utf8(one_line("\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4", 6)));
  EXPECT_EQ(one_line("\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4", 6), "\xC3\xA4...");
}

TEST(GithubPagesTest, FindsTheNextPage) {
  EXPECT_EQ(next_page("<https://a/x?page=2>; rel=\"next\", <https://a/x?page=9>; rel=\"last\""),
            "https://a/x?page=2");
  EXPECT_EQ(next_page("<https://a/x?page=1>; rel=\"prev\", <https://a/x?page=3>; rel=\"next\""),
            "https://a/x?page=3");
  for (const char* link : {"", "<https://a/x>; rel=\"last\"", "><", "<https://a", "rel=\"next\""})
    EXPECT_EQ(next_page(link), "") << link;
}

TEST(GithubPagesTest, OnlyWhatLiesBelowTheApiIsFollowed) {
  const std::string api = "https://api.github.com";
  EXPECT_TRUE(lies_below(api, "https://api.github.com/repositories/1/issues?page=2"));
  for (const char* url : {"https://api.github.com.evil.example/x", "https://api.github.com@evil.example/x",
                          "http://api.github.com/x", "https://api.github.com:8443/x", "https://evil.example/",
                          "/repos", "", "https://api.github.com"})
    EXPECT_FALSE(lies_below(api, url)) << url;
}

TEST(GithubPathsTest, EverySegmentIsEscaped) {
  EXPECT_EQ(path_of({"acme", "shop.js"}), "/repos/acme/shop.js");
  EXPECT_EQ(path_of({"a/b", "c?d#e"}), "/repos/a%2Fb/c%3Fd%23e");
  EXPECT_EQ(segment("\xC3\xA4 %"), "%C3%A4%20%25");
  EXPECT_EQ(escape("a:b&c=d"), "a%3Ab%26c%3Dd");
}

TEST(GithubPathsTest, WhatWouldChangeThePathIsNoName) {
  for (const char* name : {"", ".", ".."}) {
    EXPECT_THROW(path_of({"acme", name}), Failure);
    EXPECT_THROW(path_of({name, "shop"}), Failure);
  }
}

TEST(GithubDiffTest, HoldsTheLinesThatAreShown) {
  const DiffLines lines(
      "@@ -1,3 +10,4 @@ int main()\n a\n-gone\n+b\n+c\n d\n\\ No newline at end of file\n"
      "@@ -40 +50 @@\n-x\n+y");
  for (const int line : {10, 11, 12, 13, 50}) EXPECT_TRUE(lines.hold(line, line)) << line;
  for (const int line : {0, 1, 9, 14, 40, 49, 51, -1}) EXPECT_FALSE(lines.hold(line, line)) << line;
  EXPECT_TRUE(lines.hold(10, 13));
  EXPECT_FALSE(lines.hold(13, 50)) << "from one hunk into another";
  EXPECT_FALSE(lines.hold(12, 11));
}

TEST(GithubDiffTest, WhatIsNoHunkHoldsNothing) {
  for (const char* patch :
       {"", "+a\n b", "@@\n+a", "@@ -1 @@\n+a", "@@ -1 +x @@\n+a", "@@ -1 +99999999999999999999 @@\n+a",
        "@@ -1,2 +0,0 @@\n-a\n-b", "@@ -1 +-5 @@\n+a"}) {
    for (const int line : {-5, 0, 1, 2}) EXPECT_FALSE(DiffLines(patch).hold(line, line)) << patch;
  }
  EXPECT_FALSE(DiffLines("@@ -1 +2147483647 @@\n+a\n+b").hold(1, 2147483647));
}

TEST(GithubEtagsTest, TheOldestMakesRoom) {
  Etags etags(100);
  etags.keep({"a", "1", std::string(40, 'x'), ""});
  etags.keep({"b", "1", std::string(40, 'x'), ""});
  etags.keep({"a", "2", std::string(40, 'y'), ""});
  ASSERT_TRUE(etags.find("a"));
  EXPECT_EQ(etags.find("a")->etag, "2");
  etags.keep({"c", "1", std::string(40, 'x'), ""});
  EXPECT_FALSE(etags.find("b"));
  EXPECT_TRUE(etags.find("a") && etags.find("c"));
  etags.keep({"d", "1", std::string(200, 'x'), ""});
  EXPECT_FALSE(etags.find("d"));
  EXPECT_TRUE(etags.find("a") && etags.find("c"));
}

TEST(GithubShapesTest, WhoIsGoneHasNoId) {
  const Json comment = Json::parse(R"({"id":1,"body":null,"user":null})");
  EXPECT_EQ(comment_of(comment).author.id, 0);
  EXPECT_EQ(comment_of(comment).body, "");
  const Json liar = Json::parse(R"({"id":"7","login":7,"type":"Bot"})");
  EXPECT_EQ(person_of(liar).id, 0);
  EXPECT_EQ(person_of(liar).login, "");
  EXPECT_TRUE(person_of(liar).bot);
}

TEST(GithubShapesTest, WithoutWhatEverythingHangsOnItIsRefused) {
  const Json nothing = Json::parse("{}"), list = Json::parse("[]");
  const Json no_sha = Json::parse(R"({"number":1,"head":{"ref":"x"},"base":{"ref":"main","sha":"1"}})");
  const Json huge = Json::parse(R"({"number":99999999999})");
  for (const Json* json : {&nothing, &list, &no_sha, &huge}) {
    EXPECT_THROW(pull_of(*json), Failure);
    EXPECT_THROW(repository_of(*json), Failure);
    EXPECT_THROW(comment_of(*json), Failure);
  }
  EXPECT_THROW(issue_of(nothing), Failure);
  EXPECT_THROW(issue_of(huge), Failure);
}

TEST(GithubShapesTest, WhatIsNotSaidGivesNoRights) {
  const Json json = Json::parse(R"({"id":1,"name":"n","owner":{"login":"o"},"default_branch":"main"})");
  EXPECT_TRUE(repository_of(json).is_private);
}

TEST(GithubShapesTest, APullRequestWhoseForkIsGoneCanBeRead) {
  const Json json = Json::parse(R"({"number":3,"state":"closed","merged_at":"2026-01-01T00:00:00Z",
      "head":{"ref":"x","sha":"1","repo":null},"base":{"ref":"main","sha":"2"}})");
  const Pull pull = pull_of(json);
  EXPECT_EQ(pull.state, PullState::Merged);
  EXPECT_EQ(pull.head.repo.owner, "");
}

}  // namespace
