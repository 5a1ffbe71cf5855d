// What agents ask of GitHub beside issues and pull requests.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "davit/failure.hpp"
#include "github_api/api.h"
#include "tests/agents/github_api/fake_github.h"
#include "tests/agents/github_api/state_folder.h"

namespace {

using namespace github;
using davit::Failure;
using davit::Json;
using davit::Status;
using davit::testing::FakeGithub;
using davit::testing::Fault;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

using Kind = Fault::Kind;

class GithubActionsTest : public testing::Test {
 protected:
  Api api() {
    return Api({.api = fake_.api(), .token = FakeGithub::kToken, .state_folder = state_.path()}, {},
               {.now = [&] { return fake_.time().now(); },
                .sleep = [&](std::chrono::milliseconds nap) { fake_.time().sleep(nap); }});
  }
  template <class Call>
  static Failure failure_of(Call call) {
    try {
      call();
    } catch (const Failure& failure) {
      return failure;
    }
    ADD_FAILURE() << "nothing failed";
    return Failure::internal("nothing failed");
  }
  long count(const std::string& line) const {
    const std::vector<std::string> journal = fake_.journal();
    return std::count(journal.begin(), journal.end(), line);
  }

  // A job of a workflow run, a check run of another program, a workflow run.
  static Json job(std::int64_t id, const std::string& name, const std::string& conclusion, std::int64_t suite,
                  const std::string& sha = kSha) {
    Json run = program(id, name, conclusion, sha);
    run.set("app", Json::object({{"id", 15368}, {"slug", "github-actions"}}));
    run.set("check_suite", Json::object({{"id", suite}}));
    return run;
  }
  static Json program(std::int64_t id, const std::string& name, const std::string& conclusion,
                      const std::string& sha = kSha) {
    return Json::object({{"id", id},
                         {"name", name},
                         {"head_sha", sha},
                         {"status", conclusion.empty() ? "in_progress" : "completed"},
                         {"conclusion", conclusion.empty() ? Json() : Json(conclusion)},
                         {"app", Json::object({{"id", 7}, {"slug", "linter"}})},
                         {"check_suite", Json::object({{"id", id + 5000}})}});
  }
  static Json workflow(std::int64_t id, std::int64_t of, const std::string& conclusion, std::int64_t suite,
                       const std::string& event = "pull_request", const std::string& sha = kSha) {
    return Json::object({{"id", id},
                         {"name", "CI " + std::to_string(of)},
                         {"workflow_id", of},
                         {"check_suite_id", suite},
                         {"run_attempt", 1},
                         {"event", event},
                         {"head_sha", sha},
                         {"status", conclusion.empty() ? "in_progress" : "completed"},
                         {"conclusion", conclusion.empty() ? Json() : Json(conclusion)}});
  }
  // "test: failure", "CI 1: (waits)".
  std::vector<std::string> read_checks() {
    std::vector<std::string> lines;
    for (const Check& check : api().checks(shop_, kSha).all)
      lines.push_back(check.name + ": " +
                      (check.state == CheckState::Waiting ? "(waits)" : check.conclusion));
    return lines;
  }

  static constexpr const char* kSha = "feedc0de00000000000000000000000000000000";
  const davit::testing::StateFolder state_;
  FakeGithub fake_;
  const Repo shop_{"acme", "shop"};
};

using GithubPeopleTest = GithubActionsTest;

TEST_F(GithubPeopleTest, TellsWhatAPersonMayDo) {
  fake_.permit(9, "write", "maintain");
  EXPECT_EQ(api().standing(shop_, 9, "user-9").permission, Permission::Maintain);
  EXPECT_EQ(api().standing(shop_, 9, "User-9").permission, Permission::Maintain);
  EXPECT_EQ(api().standing(shop_, 10, "user-10").permission, Permission::None);
  EXPECT_EQ(count("GET /user/9"), 0);
}

TEST_F(GithubPeopleTest, WhoWasRenamedIsFoundByTheId) {
  fake_.permit(9, "admin");
  fake_.rename(9, "ada");
  const Standing standing = api().standing(shop_, 9, "user-9");
  EXPECT_EQ(standing.permission, Permission::Admin);
  EXPECT_EQ(standing.person.login, "ada");
  EXPECT_EQ(api().standing(shop_, 9, "").permission, Permission::Admin);
}

TEST_F(GithubPeopleTest, WhoTookTheNameOfAnotherHasHisOwnRights) {
  fake_.permit(9, "admin");
  fake_.rename(9, "ada");
  fake_.rename(66, "user-9");  // a stranger took the login that became free
  EXPECT_EQ(api().standing(shop_, 66, "user-9").permission, Permission::None);
  EXPECT_EQ(api().standing(shop_, 9, "user-9").permission, Permission::Admin);
}

TEST_F(GithubPeopleTest, WhoIsGoneMayNothing) {
  fake_.permit(9, "admin");
  fake_.remove_person(9);
  const Standing standing = api().standing(shop_, 9, "user-9");
  EXPECT_EQ(standing.permission, Permission::None);
  EXPECT_EQ(standing.person.id, 0);
}

TEST_F(GithubPeopleTest, AnAnswerAboutAnotherIsNone) {
  fake_.permit(9, "admin");
  fake_.fail("GET", "/user/9", {.status = 200, .body = R"({"id":66,"login":"user-66","type":"User"})"});
  EXPECT_EQ(failure_of([&] { api().standing(shop_, 9, ""); }).status(), Status::Permanent);
  const std::string permission = "/repos/acme/shop/collaborators/user-9/permission";
  fake_.fail("GET", permission,
             {.status = 200, .body = R"({"permission":"admin","user":{"id":66,"login":"user-9"}})"}, 2);
  EXPECT_EQ(failure_of([&] { api().standing(shop_, 9, "user-9"); }).status(), Status::Retryable);
  EXPECT_EQ(failure_of([&] { api().standing(shop_, 0, "user-9"); }).status(), Status::InvalidInput);
}

TEST_F(GithubPeopleTest, WhereTheTokenSeesNothingNobodyIsJudged) {
  EXPECT_EQ(failure_of([&] { api().standing({"acme", "hidden"}, 9, "user-9"); }).status(), Status::NotFound);
}

TEST_F(GithubPeopleTest, AHostileLoginCannotChangeThePath) {
  fake_.permit(9, "write");
  EXPECT_EQ(api().standing(shop_, 9, "..").permission, Permission::Write);
  EXPECT_EQ(api().standing(shop_, 9, "x/../../user-9").permission, Permission::Write);
  EXPECT_EQ(count("GET /repos/acme/shop/collaborators/x%2F..%2F..%2Fuser-9/permission"), 1);
}

TEST_F(GithubActionsTest, ReadsAllThreeKindsOfChecks) {
  fake_.add_check_run(job(100, "test", "failure", 1));
  fake_.add_check_run(program(101, "lint", "success"));
  fake_.add_workflow_run(workflow(50, 1, "failure", 1));
  fake_.add_status(Json::object({{"id", 7}, {"context", "ci/old"}, {"state", "pending"}}));
  const Checks checks = api().checks(shop_, kSha);
  EXPECT_THAT(read_checks(),
              UnorderedElementsAre("test: failure", "lint: success", "CI 1: failure", "ci/old: (waits)"));
  EXPECT_TRUE(checks.any(CheckState::Bad) && checks.any(CheckState::Waiting) && checks.any(CheckState::Good));
  const auto test = std::find_if(checks.all.begin(), checks.all.end(),
                                 [](const Check& check) { return check.name == "test"; });
  EXPECT_EQ(test->id, 100);
  EXPECT_EQ(test->run, 50);
  EXPECT_EQ(test->attempt, 1);
}

TEST_F(GithubActionsTest, WithoutAnyCheckThereIsNone) {
  EXPECT_THAT(api().checks(shop_, kSha).all, IsEmpty());
}

TEST_F(GithubActionsTest, AnOldShaCountsNothing) {
  const std::string old(40, 'a');
  fake_.add_check_run(job(100, "test", "failure", 1, old));
  fake_.add_workflow_run(workflow(50, 1, "failure", 1, "pull_request", old));
  fake_.add_check_run(job(101, "test", "success", 2));
  EXPECT_THAT(read_checks(), ElementsAre("test: success"));
}

TEST_F(GithubActionsTest, ANewerRunOfAWorkflowTakesThePlaceOfTheOlder) {
  fake_.add_workflow_run(workflow(50, 1, "failure", 1));
  fake_.add_check_run(job(100, "test", "failure", 1));
  fake_.add_workflow_run(workflow(51, 1, "success", 2));
  fake_.add_check_run(job(101, "test", "success", 2));
  EXPECT_THAT(read_checks(), UnorderedElementsAre("CI 1: success", "test: success"));
}

TEST_F(GithubActionsTest, RunsForAnotherEventOrOfAnotherWorkflowStandBesideEachOther) {
  fake_.add_workflow_run(workflow(50, 1, "failure", 1, "push"));
  fake_.add_check_run(job(100, "test", "failure", 1));
  fake_.add_workflow_run(workflow(51, 1, "success", 2, "pull_request"));
  fake_.add_check_run(job(101, "test", "success", 2));
  fake_.add_workflow_run(workflow(52, 2, "success", 3, "pull_request"));
  fake_.add_check_run(job(102, "test", "success", 3));
  EXPECT_THAT(read_checks(), UnorderedElementsAre("CI 1: failure", "test: failure", "CI 1: success",
                                                  "test: success", "CI 2: success", "test: success"));
}

TEST_F(GithubActionsTest, TheNewestOfAnotherProgramsCheckCounts) {
  fake_.add_check_run(program(101, "lint", "success"));
  fake_.add_check_run(program(100, "lint", "failure"));
  EXPECT_THAT(read_checks(), ElementsAre("lint: success"));
}

TEST_F(GithubActionsTest, AllPagesOfChecksAreRead) {
  for (int i = 0; i < 130; ++i)
    fake_.add_check_run(program(100 + i, "check " + std::to_string(i), "success"));
  fake_.add_check_run(program(99, "the last", "failure"));
  EXPECT_TRUE(api().checks(shop_, kSha).any(CheckState::Bad));
}

TEST_F(GithubActionsTest, ACheckListThatIsNoneIsNotGreen) {
  for (const char* body : {"{}", "[]", "{\"check_runs\":null}"}) {
    fake_.fail("GET", "/repos/acme/shop/commits/", {.status = 200, .body = body});
    EXPECT_EQ(failure_of([&] { api().checks(shop_, kSha); }).status(), Status::Permanent) << body;
  }
}

TEST_F(GithubActionsTest, ACommitIsNamedByItsWholeSha) {
  for (const char* sha :
       {"", "main", "feedc0de", "FEEDC0DE00000000000000000000000000000000", "../../../user"})
    EXPECT_EQ(failure_of([&] { api().checks(shop_, sha); }).status(), Status::InvalidInput) << sha;
  EXPECT_THAT(fake_.seen(), IsEmpty());
}

TEST_F(GithubActionsTest, TheEndOfALogComesWithoutTellingTheTokenElsewhere) {
  fake_.add_log(100, "begin" + std::string(5000, '.') + "the error");
  const LogTail tail = api().log_tail(shop_, 100, 9);
  EXPECT_EQ(tail.text, "the error");
  EXPECT_TRUE(tail.cut);
  EXPECT_EQ(tail.why_not, "");
  ASSERT_THAT(fake_.logs_asked(), SizeIs(1));
  EXPECT_EQ(fake_.logs_asked().at(0).header("Authorization"), "");
  EXPECT_FALSE(api().log_tail(shop_, 100, 10'000).cut);
}

TEST_F(GithubActionsTest, ALogThatIsGoneIsSaidToBe) {
  fake_.add_log(100, "");
  for (const std::int64_t job : {100, 101}) {
    const LogTail tail = api().log_tail(shop_, job, 100);
    EXPECT_EQ(tail.text, "");
    EXPECT_EQ(tail.why_not, "GitHub has no log of this job any more");
  }
  EXPECT_EQ(failure_of([&] { api().log_tail(shop_, 0, 100); }).status(), Status::InvalidInput);
}

TEST_F(GithubActionsTest, TheSignedAddressOfALogIsNotTold) {
  fake_.add_log(100, "x");
  fake_.fail("GET", "/repos/acme/shop/actions/jobs/100/logs",
             {.status = 302, .body = "", .head = "Location: http://192.0.2.1/logs?sig=secret\r\n"}, 3);
  const Failure failure = failure_of([&] { api().log_tail(shop_, 100, 100); });
  EXPECT_THAT(failure.what(), testing::Not(HasSubstr("secret")));
}

TEST_F(GithubActionsTest, FailedJobsAreRunAgainOnce) {
  fake_.add_workflow_run(workflow(50, 1, "failure", 1));
  api().rerun_failed(shop_, 50, 1);
  api().rerun_failed(shop_, 50, 1);
  EXPECT_EQ(count("POST /repos/acme/shop/actions/runs/50/rerun-failed-jobs"), 1);
}

TEST_F(GithubActionsTest, ARerunThatWasStartedInSpiteOfA500IsNotStartedAgain) {
  for (const Kind kind : {Kind::DoneBut500, Kind::DoneButReset}) {
    fake_.add_workflow_run(workflow(kind == Kind::DoneBut500 ? 50 : 51, 1, "failure", 1));
    const std::int64_t run = kind == Kind::DoneBut500 ? 50 : 51;
    const std::string path = "/repos/acme/shop/actions/runs/" + std::to_string(run) + "/rerun-failed-jobs";
    fake_.fail("POST", path, {.kind = kind});
    api().rerun_failed(shop_, run, 1);
    EXPECT_EQ(count("POST " + path), 1);
  }
  fake_.add_workflow_run(workflow(52, 1, "failure", 1));
  const std::string path = "/repos/acme/shop/actions/runs/52/rerun-failed-jobs";
  fake_.fail("POST", path, {.kind = Kind::Reset});
  api().rerun_failed(shop_, 52, 1);
  EXPECT_EQ(count("POST " + path), 2) << "nothing had been done";
}

TEST_F(GithubActionsTest, ARunThatCannotBeRunAgainSaysSo) {
  fake_.add_workflow_run(workflow(50, 1, "success", 1));
  const Failure failure = failure_of([&] { api().rerun_failed(shop_, 50, 1); });
  EXPECT_EQ(failure.status(), Status::Permanent);
  EXPECT_THAT(failure.what(), HasSubstr("cannot be rerun"));
}

TEST_F(GithubActionsTest, CodeIsLookedForWhereItIsAllowedOnly) {
  fake_.add_code("acme/shop", "src/cart.cpp");
  fake_.add_code("evil/trap", "src/cart.cpp");
  const CodeHits found =
      api().search_code("add_to_cart  repo:evil/trap \"x\" a\\b", {shop_, {"acme", "tools"}}, 30);
  EXPECT_EQ(fake_.searched(),
            "\"add_to_cart\" \"repo:evil/trap\" \"x\" \"a\" \"b\" repo:acme/shop repo:acme/tools");
  ASSERT_THAT(found.hits, SizeIs(1));
  EXPECT_EQ(found.hits[0].path, "src/cart.cpp");
  EXPECT_TRUE(found.all);
}

TEST_F(GithubActionsTest, ASearchOfNothingIsNotAsked) {
  for (const char* words : {"", "  ", "\"\"", "\\"})
    EXPECT_EQ(failure_of([&] { api().search_code(words, {shop_}, 30); }).status(), Status::InvalidInput);
  EXPECT_EQ(failure_of([&] { api().search_code("x", {}, 30); }).status(), Status::InvalidInput);
  EXPECT_THAT(fake_.seen(), IsEmpty());
  for (int i = 0; i < 12; ++i) fake_.add_code("acme/shop", "file" + std::to_string(i));
  EXPECT_FALSE(api().search_code("x", {shop_}, 10).all);
}

TEST_F(GithubActionsTest, ARefusalForWantOfARightSaysWhichOne) {
  const std::string refused = "{\"message\":\"Resource not accessible by personal access token\"}";
  const std::string commit = "/repos/acme/shop/commits/" + std::string(40, 'a');
  fake_.fail("GET", commit + "/check-runs", {.status = 403, .body = refused});
  const Failure failure = failure_of([&] { api().checks(shop_, std::string(40, 'a')); });
  EXPECT_EQ(failure.status(), Status::Permanent);
  EXPECT_THAT(failure.what(), testing::AllOf(HasSubstr("not accessible by personal access token"),
                                             HasSubstr("(the token needs the permission Checks: read)")));
  fake_.fail("GET", "/repos/acme/shop/actions/runs/7",
             {.status = 403, .body = refused, .head = "X-Accepted-GitHub-Permissions: actions=read\r\n"});
  EXPECT_THAT(failure_of([&] { api().rerun_failed(shop_, 7, 1); }).what(),
              HasSubstr("(the token needs the permission Actions: read)"));
  fake_.fail("GET", "/repos/acme/shop/actions/runs/8",
             {.status = 403, .body = "{\"message\":\"This workflow run is too old\"}"});
  EXPECT_THAT(failure_of([&] { api().rerun_failed(shop_, 8, 1); }).what(),
              testing::EndsWith("This workflow run is too old"));
}

TEST_F(GithubActionsTest, ALimitOfSearchesStopsNothingElse) {
  fake_.fail("GET", "/search/code",
             {.status = 403,
              .body = "{\"message\":\"API rate limit exceeded\"}",
              .head = "X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: 1795690000\r\n"});
  EXPECT_EQ(failure_of([&] { api().search_code("x", {shop_}, 30); }).status(), Status::RateLimited);
  EXPECT_EQ(failure_of([&] { api().search_code("x", {shop_}, 30); }).status(), Status::RateLimited);
  EXPECT_EQ(count("GET /search/code"), 1);
  EXPECT_EQ(api().repository(shop_).id, 77);
}

TEST_F(GithubActionsTest, DeliveriesAreListedPageByPage) {
  for (int i = 1; i <= 150; ++i) fake_.add_delivery(i, "g" + std::to_string(i), i % 2 ? 200 : 502);
  const Hook hook{.id = 5, .repo = shop_};
  const DeliveryPage first = api().deliveries(hook);
  ASSERT_THAT(first.deliveries, SizeIs(100));
  EXPECT_EQ(first.deliveries[0].guid, "g150");
  EXPECT_FALSE(first.deliveries[0].good);
  EXPECT_EQ(first.deliveries[0].event, "issues");
  const DeliveryPage second = api().deliveries(hook, first.next);
  ASSERT_THAT(second.deliveries, SizeIs(50));
  EXPECT_EQ(second.deliveries.back().guid, "g1");
  EXPECT_EQ(second.next, "");
  EXPECT_THAT(api().deliveries({.id = 5, .organization = "acme"}).deliveries, SizeIs(100));
}

TEST_F(GithubActionsTest, APageOfSomethingElseIsNotAsked) {
  for (const char* next : {"/user", "/repos/acme/shop/hooks/5/deliveriesx?cursor=1", "https://evil.example/"})
    EXPECT_EQ(failure_of([&] { api().deliveries({.id = 5, .repo = shop_}, next); }).status(),
              Status::InvalidInput);
  EXPECT_THAT(fake_.seen(), IsEmpty());
}

TEST_F(GithubActionsTest, ADeliveryIsAskedForAgainOnce) {
  fake_.add_delivery(1, "g1", 502);
  const Hook hook{.id = 5, .repo = shop_};
  api().redeliver(hook, 1);
  EXPECT_THAT(fake_.delivered(), ElementsAre("g1", "g1"));
  EXPECT_TRUE(api().deliveries(hook).deliveries.at(0).again);
  fake_.fail("POST", "/repos/acme/shop/hooks/5/deliveries/1/attempts", {.kind = Kind::DoneBut500});
  EXPECT_EQ(failure_of([&] { api().redeliver(hook, 1); }).status(), Status::Retryable);
  EXPECT_THAT(fake_.delivered(), SizeIs(3)) << "it asked twice though nobody knew whether it had been done";
}

TEST_F(GithubActionsTest, AnAppsHookIsNotForATokenToAsk) {
  EXPECT_THAT(failure_of([&] { api().deliveries({}); }).what(), HasSubstr("set github.app_id"));
  EXPECT_THAT(fake_.seen(), IsEmpty());
}

using GithubPullTest = GithubActionsTest;

TEST_F(GithubPullTest, ItsFilesAreListed) {
  fake_.add_branch("fix");
  const int number = fake_.add_pull("fix", "open");
  for (int i = 0; i < 120; ++i) fake_.add_file(number, "src/" + std::to_string(i), "@@ -1 +1 @@\n+x");
  fake_.add_file(number, "logo.png", "");
  const std::vector<ChangedFile> files = api().files(shop_, number);
  ASSERT_THAT(files, SizeIs(121));
  EXPECT_EQ(files[0].path, "src/0");
  EXPECT_EQ(files[0].status, "modified");
  EXPECT_EQ(files[120].patch, "");
}

TEST_F(GithubPullTest, IsChangedWhereItDiffersOnly) {
  fake_.add_branch("fix");
  const int number = fake_.add_pull("fix", "open");
  EXPECT_EQ(api().update_pull(shop_, number, {.body = "New"}).body, "New");
  EXPECT_EQ(api().update_pull(shop_, number, {.title = "A pull request", .body = "New"}).title,
            "A pull request");
  EXPECT_EQ(count("PATCH /repos/acme/shop/pulls/2") + count("PATCH /repos/acme/shop/pulls/1"), 1);
  fake_.fail("PATCH", "/repos/acme/shop/pulls/", {.kind = Kind::DoneButReset});
  EXPECT_EQ(api().update_pull(shop_, number, {.title = "Better"}).title, "Better");
  EXPECT_EQ(api().pull(shop_, number).body, "New");
}

TEST_F(GithubPullTest, ADraftIsMadeReadyOnce) {
  fake_.add_branch("fix");
  const Pull draft =
      api().ensure_pull(shop_, {.branch = "fix", .base = "main", .title = "Fix", .body = "", .draft = true});
  ASSERT_TRUE(draft.draft);
  fake_.fail("POST", "/graphql", {.kind = Kind::DoneBut500});
  EXPECT_FALSE(api().mark_ready(shop_, draft.number).draft);
  EXPECT_FALSE(api().mark_ready(shop_, draft.number).draft);
  EXPECT_EQ(count("POST /graphql"), 1);
}

TEST_F(GithubPullTest, ARefusalToMakeItReadyIsTold) {
  fake_.add_branch("fix");
  const Pull draft =
      api().ensure_pull(shop_, {.branch = "fix", .base = "main", .title = "Fix", .body = "", .draft = true});
  fake_.fail(
      "POST", "/graphql",
      {.status = 200,
       .body = R"({"data":null,"errors":[{"type":"FORBIDDEN","message":"Resource not\naccessible"}]})"});
  const Failure failure = failure_of([&] { api().mark_ready(shop_, draft.number); });
  EXPECT_EQ(failure.status(), Status::Permanent);
  EXPECT_STREQ(failure.what(), "GitHub answered POST /graphql: Resource not accessible");
  fake_.fail(
      "POST", "/graphql",
      {.status = 200, .body = R"({"errors":[{"type":"RATE_LIMITED","message":"API rate limit exceeded"}]})"});
  EXPECT_EQ(failure_of([&] { api().mark_ready(shop_, draft.number); }).status(), Status::RateLimited);
  EXPECT_TRUE(api().pull(shop_, draft.number).draft);
}

TEST_F(GithubPullTest, LabelsThatAreMissingAreAdded) {
  const int number = fake_.add_issue("x", "");
  api().add_labels(shop_, number, {"BUG", "davit"});
  api().add_labels(shop_, number, {"davit"});
  EXPECT_THAT(fake_.labels(number), ElementsAre("bug", "davit"));
  EXPECT_EQ(count("POST /repos/acme/shop/issues/1/labels"), 1);
}

}  // namespace
