// What GitHub's answers mean: limits, errors, pages, names.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "davit/failure.hpp"
#include "davit/json.hpp"
#include "github_api/checks.h"
#include "github_api/dates.h"
#include "github_api/diff_lines.h"
#include "github_api/errors.h"
#include "github_api/etags.h"
#include "github_api/hooks.h"
#include "github_api/limits.h"
#include "github_api/pages.h"
#include "github_api/paths.h"
#include "github_api/people.h"
#include "github_api/shapes.h"
#include "tests/agents/github_api/state_folder.h"

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
constexpr system_clock::time_point kOurs{seconds(kSeconds - 3600)};
std::optional<std::chrono::milliseconds> wait(const http::Response& response) {
  const auto limit = limit_in(response, kOurs);
  return limit ? std::optional(limit->wait) : std::nullopt;
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

TEST(GithubLimitsTest, ABudgetThatIsUsedUpStopsNothingElse) {
  const std::vector<http::Header> used_up{
      {"Date", kDate}, {"X-RateLimit-Remaining", "0"}, {"X-RateLimit-Reset", std::to_string(kSeconds + 100)}};
  EXPECT_FALSE(limit_in(answer(403, used_up), kOurs)->of_all);
  EXPECT_TRUE(limit_in(answer(403, used_up), kOurs)->said);
  EXPECT_TRUE(limit_in(answer(403, {{"Retry-After", "5"}}), kOurs)->of_all);
  EXPECT_TRUE(limit_in(answer(429, {}), kOurs)->of_all);
  EXPECT_FALSE(limit_in(answer(429, {}), kOurs)->said);
}

TEST(GithubLimitsTest, TheLastOfABudgetSaysWhenThereIsMore) {
  const std::string reset = std::to_string(kSeconds + 100);
  EXPECT_EQ(github::used_up(
                answer(200, {{"Date", kDate}, {"X-RateLimit-Remaining", "0"}, {"X-RateLimit-Reset", reset}}),
                kOurs),
            seconds(101));
  EXPECT_EQ(github::used_up(
                answer(200, {{"Date", kDate}, {"X-RateLimit-Remaining", "1"}, {"X-RateLimit-Reset", reset}}),
                kOurs),
            std::nullopt);
  EXPECT_EQ(github::used_up(answer(200, {{"X-RateLimit-Remaining", "0"}}), kOurs), std::nullopt);
}

TEST(GithubDatesTest, ReadsBothWays) {
  EXPECT_EQ(http_date(kDate), std::chrono::sys_seconds(seconds(kSeconds)));
  EXPECT_EQ(utc_date("2026-11-26T09:30:00Z"), std::chrono::sys_seconds(seconds(kSeconds)));
  EXPECT_EQ(utc_date("2026-11-26T09:30:00.123Z"), std::chrono::sys_seconds(seconds(kSeconds)));
  for (const char* text :
       {"", "2026-11-26", "2026-11-26T09:30:00", "2026-11-26T09:30:00+02:00", "2026-11-26T09:30:00.Z?",
        "2026-13-26T09:30:00Z", "Thu, 26 Nov 2026 09:30:00 GMT, and more"}) {
    EXPECT_EQ(utc_date(text), std::nullopt) << text;
    EXPECT_EQ(http_date(text), std::nullopt) << text;
  }
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

TEST(GithubErrorsTest, NamesTheRightThatARequestNeeds) {
  const std::string commit = "/repos/acme/shop/commits/" + std::string(40, 'a');
  EXPECT_EQ(right_for("", "GET", commit + "/check-runs"), "Checks: read");
  EXPECT_EQ(right_for("", "GET", commit + "/status"), "Commit statuses: read");
  EXPECT_EQ(right_for("", "GET", "/repos/acme/shop/actions/runs"), "Actions: read");
  EXPECT_EQ(right_for("", "POST", "/repos/acme/shop/actions/runs/7/rerun-failed-jobs"), "Actions: write");
  EXPECT_EQ(right_for("", "POST", "/repos/acme/shop/pulls/2/reviews"), "Pull requests: write");
  EXPECT_EQ(right_for("", "POST", "/repos/acme/shop/issues/2/comments"), "Issues: write");
  EXPECT_EQ(right_for("", "POST", "/graphql"), "");
  EXPECT_EQ(right_for("pull_requests=write", "POST", "/graphql"), "Pull requests: write");
  EXPECT_EQ(right_for("contents=write,workflows=write; administration=write", "PUT", "/x"),
            "Contents: write and Workflows: write, or Administration: write");
  for (const std::string& bad : {std::string("<b>"), std::string("a\nb"), std::string(400, 'x')})
    EXPECT_EQ(right_for(bad, "GET", commit + "/status"), "Commit statuses: read") << bad;
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

class GithubEtagsTest : public testing::Test {
 protected:
  const davit::testing::StateFolder state_;
  const std::filesystem::path folder_ = state_.path() / "answers";
};

TEST_F(GithubEtagsTest, KeepsAnAnswerForWhoComesLater) {
  Etags(folder_, "me").keep("https://a/x", {"W/\"1\"", "{\"a\":\n1}", "<l>"});
  const auto kept = Etags(folder_, "me").find("https://a/x");
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->etag, "W/\"1\"");
  EXPECT_EQ(kept->body, "{\"a\":\n1}");
  EXPECT_EQ(kept->link, "<l>");
  EXPECT_FALSE(Etags(folder_, "me").find("https://a/y"));
  EXPECT_FALSE(Etags(folder_, "you").find("https://a/x")) << "another account sees something else there";
}

TEST_F(GithubEtagsTest, OnlyThisUserMayRead) {
  Etags(folder_, "me").keep("https://a/x", {"1", "private", ""});
  using std::filesystem::perms;
  const perms others = perms::group_all | perms::others_all;
  EXPECT_EQ(std::filesystem::status(folder_).permissions() & others, perms::none);
  for (const auto& file : std::filesystem::directory_iterator(folder_))
    EXPECT_EQ(file.status().permissions() & others, perms::none);
}

TEST_F(GithubEtagsTest, WhatIsDamagedIsNotThere) {
  Etags etags(folder_, "me");
  etags.keep("https://a/x", {"1", "the whole body", ""});
  const std::filesystem::path file = std::filesystem::directory_iterator(folder_)->path();
  std::filesystem::resize_file(file, std::filesystem::file_size(file) - 1);
  EXPECT_FALSE(etags.find("https://a/x"));
  std::ofstream(file) << "not what it was";
  EXPECT_FALSE(etags.find("https://a/x"));
  etags.keep("https://a/x", {"2", "another", ""});
  EXPECT_TRUE(etags.find("https://a/x"));
}

TEST_F(GithubEtagsTest, WhatWasNotUsedForLongestMakesRoom) {
  Etags etags(folder_, "me", 4000);
  const auto url = [](int i) { return "https://a/" + std::to_string(i); };
  for (int i = 0; i < 4; ++i) {
    etags.keep(url(i), {"1", std::string(400, 'x'), ""});
    // File systems may not tell apart what follows at once: each is as old as it would be a minute later.
    for (const auto& file : std::filesystem::directory_iterator(folder_)) {
      std::filesystem::last_write_time(
          file.path(), std::filesystem::last_write_time(file.path()) - std::chrono::minutes(1));
    }
  }
  EXPECT_TRUE(etags.find(url(0)));  // used just now
  for (int i = 4; i < 9; ++i) etags.keep(url(i), {"1", std::string(400, 'x'), ""});
  EXPECT_FALSE(etags.find(url(1)));
  EXPECT_TRUE(etags.find(url(0)) && etags.find(url(8)));
  std::uintmax_t bytes = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder_)) bytes += file.file_size();
  EXPECT_LE(bytes, 4000u);
  etags.keep(url(9), {"1", std::string(501, 'x'), ""});
  EXPECT_FALSE(etags.find(url(9))) << "more than an eighth of all the room";
}

TEST_F(GithubEtagsTest, AFolderThatCannotBeUsedIsNoFailure) {
  std::ofstream(state_.path() / "file") << "x";
  Etags etags(state_.path() / "file" / "answers", "me");
  etags.keep("https://a/x", {"1", "x", ""});
  EXPECT_FALSE(etags.find("https://a/x"));
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

TEST(GithubPermissionTest, KnowsEachStep) {
  const auto permission = [](const std::string& step, const std::string& role) {
    const Json json = Json::object(
        {{"permission", step}, {"role_name", role}, {"user", Json::object({{"id", 7}, {"login", "ada"}})}});
    return standing_of(json).permission;
  };
  EXPECT_EQ(permission("admin", "admin"), Permission::Admin);
  EXPECT_EQ(permission("write", "maintain"), Permission::Maintain);
  EXPECT_EQ(permission("write", "write"), Permission::Write);
  EXPECT_EQ(permission("write", "release engineer"), Permission::Write);
  EXPECT_EQ(permission("read", "triage"), Permission::Triage);
  EXPECT_EQ(permission("read", "admin"), Permission::Read) << "a role may be called what it likes";
  for (const char* step : {"none", "", "ADMIN", "owner"})
    EXPECT_EQ(permission(step, "admin"), Permission::None);
  const Json nothing = Json::parse("[]");
  EXPECT_EQ(standing_of(nothing).permission, Permission::None);
  EXPECT_EQ(standing_of(nothing).person.id, 0);
}

TEST(GithubChecksTest, OnlyWhatIsKnownToBeGoodIsGood) {
  const auto state = [](const char* status, const char* conclusion) {
    const Json json =
        Json::object({{"id", 1}, {"name", "test"}, {"status", status}, {"conclusion", conclusion}});
    return check_run_of(json).check.state;
  };
  for (const char* good : {"success", "neutral", "skipped"})
    EXPECT_EQ(state("completed", good), CheckState::Good);
  for (const char* bad :
       {"failure", "cancelled", "timed_out", "action_required", "stale", "startup_failure", "new"})
    EXPECT_EQ(state("completed", bad), CheckState::Bad) << bad;
  for (const char* early : {"queued", "in_progress", "waiting", "requested", "pending", "new"})
    EXPECT_EQ(state(early, "success"), CheckState::Waiting) << early;
  EXPECT_EQ(state("completed", ""), CheckState::Waiting);
}

TEST(GithubChecksTest, AStatusIsAsItSays) {
  const auto state = [](const char* word) {
    const Json json = Json::object({{"id", 1}, {"context", "ci"}, {"state", word}});
    return status_of(json).state;
  };
  EXPECT_EQ(state("success"), CheckState::Good);
  EXPECT_EQ(state("failure"), CheckState::Bad);
  EXPECT_EQ(state("error"), CheckState::Bad);
  EXPECT_EQ(state("pending"), CheckState::Waiting);
  EXPECT_EQ(state("new"), CheckState::Waiting);
}

TEST(GithubChecksTest, WithoutIdOrNameItIsRefused) {
  for (const char* text : {"{}", "[]", R"({"id":1})", R"({"name":"x","context":"x"})",
                           R"({"id":"1","name":"x","context":"x"})"}) {
    const Json json = Json::parse(text);
    EXPECT_THROW(check_run_of(json), Failure) << text;
    EXPECT_THROW(status_of(json), Failure) << text;
    EXPECT_THROW(workflow_run_of(json), Failure) << text;
  }
}

TEST(GithubHooksTest, EachHookHasItsPath) {
  EXPECT_EQ(deliveries_path({.id = 5, .repo = {"acme", "shop"}}), "/repos/acme/shop/hooks/5/deliveries");
  EXPECT_EQ(deliveries_path({.id = 5, .organization = "a/b"}), "/orgs/a%2Fb/hooks/5/deliveries");
  EXPECT_EQ(deliveries_path({}), "/app/hook/deliveries");
  EXPECT_THROW(deliveries_path({.repo = {"acme", "shop"}}), Failure);
  EXPECT_THROW(deliveries_path({.id = 5, .repo = {"acme", "shop"}, .organization = "acme"}), Failure);
}

TEST(GithubHooksTest, ADeliveryIsGoodWhenItWasAnsweredWell) {
  const auto good = [](int status) {
    const Json json = Json::object({{"id", 1},
                                    {"guid", "g"},
                                    {"delivered_at", "2026-11-26T09:30:00.5Z"},
                                    {"status", "OK"},
                                    {"status_code", status}});
    return hook_delivery_of(json).good;
  };
  EXPECT_TRUE(good(200) && good(202));
  for (const int status : {0, 100, 302, 404, 502, 504, 70000}) EXPECT_FALSE(good(status)) << status;
  for (const char* text :
       {"{}", R"({"id":1,"guid":"g"})", R"({"id":0,"guid":"g","delivered_at":"2026-11-26T09:30:00Z"})",
        R"({"id":1,"delivered_at":"2026-11-26T09:30:00Z"})"}) {
    const Json json = Json::parse(text);
    EXPECT_THROW(hook_delivery_of(json), Failure) << text;
  }
}

}  // namespace
