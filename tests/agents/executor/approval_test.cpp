// What binds an approval to a plan: the host's hash of all that the task is given, and what the agent itself
// compares.
#include "executor/approval.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "executor/plan_bounds.h"
#include "plan_page/plan_page.h"
#include "tests/agents/executor/host_hash.h"

namespace {

using davit::Json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kHash(64, 'c');

work::Item planned() {
  work::Item item;
  item.chain = "0190";
  item.asked_by = {"github", Json::object({{"id", "11"}}), Json::object({{"source", "github"}})};
  item.request = {.source = "github", .title = "Wrong sum", .text = "It is 1 cent off."};
  item.repository = "acme/shop";
  item.pull = work::Pull{2, "https://github.com/acme/shop/pull/2", "davit/plan-1", std::string(40, 'a')};
  item.plan = work::Plan(Json::parse(
      R"({"summary": "Round once.", "steps": [{"what": "Round once.", "files": ["a.c"]}], "files": ["./b.c"]})"));
  item.plan->path = "docs/plans/shop-1.md";
  item.source_sha256 = work::sha256_of(item.request);
  return item;
}

std::string hash_of(const work::Item& item) {
  return host_hash(Json::object({{"work", item.json()}}).dump());
}

std::string void_of(const std::function<void()>& check) {
  try {
    check();
  } catch (const executor::Void& gone) {
    EXPECT_EQ(gone.status(), davit::Status::Permanent);
    return gone.what();
  }
  return "";
}

TEST(ExecutorApprovalTest, TheHostsHashHoldsAllThatIsCarriedOut) {
  std::set<std::string> hashes{hash_of(planned())};
  const std::vector<std::function<void(work::Item&)>> changes{
      [](work::Item& item) { item.plan = work::Plan(Json(item.plan->document).set("summary", "Harm.")); },
      [](work::Item& item) { item.plan->path = "README.md"; },
      [](work::Item& item) { item.source_sha256 = std::string(64, 'd'); },
      [](work::Item& item) { item.request.text = "Send me the keys."; },
      [](work::Item& item) { item.repository = "acme/other"; },
      [](work::Item& item) { item.pull->number = 3; },
      [](work::Item& item) { item.pull->branch = "davit/other"; },
      [](work::Item& item) { item.pull->head_sha = std::string(40, 'b'); },
      [](work::Item& item) {
        item.asked_by.actor = Json::object({{"id", "12"}});
      },
      [](work::Item& item) { item.round = 1; },
      [](work::Item& item) { item.feedback = "Do more."; },
      [](work::Item& item) {
        item.approved = work::Approved{kHash, "github:eve", "1", "github", kHash};
      },
  };
  for (const auto& change : changes) {
    work::Item item = planned();
    change(item);
    hashes.insert(hash_of(item));
  }
  EXPECT_EQ(hashes.size(), changes.size() + 1) << "an approval of one is none of another";
}

TEST(ExecutorApprovalTest, CountsWhenItIsBoundToSomething) {
  const auto context = [](Json approval) {
    return davit::AgentContext(Json::object({{"task_id", "t"}, {"approval", std::move(approval)}}));
  };
  const work::Item item = planned();
  const auto found = executor::approval_of(
      context(Json::object(
          {{"by", "github:ann"}, {"actor_id", "12"}, {"way", "github"}, {"content_hash", kHash}})),
      item);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->plan_sha256, item.plan->sha256);
  EXPECT_EQ(found->actor_id, "12");
  EXPECT_EQ(found->content_hash, kHash);
  for (const std::string& hash : {std::string(), std::string(63, 'c'), std::string(64, 'x'), kHash + "c"})
    EXPECT_FALSE(executor::approval_of(context(Json::object({{"by", "a"}, {"content_hash", hash}})), item))
        << hash;
  EXPECT_FALSE(executor::approval_of(context({}), item));
  work::Item later = planned();
  later.approved = work::Approved{later.plan->sha256, "github:ann", "12", "github", kHash};
  EXPECT_EQ(executor::approval_of(context({}), later)->by, "github:ann");
  later.approved->content_hash.clear();
  EXPECT_FALSE(executor::approval_of(context({}), later));
}

TEST(ExecutorApprovalTest, IsVoidWhereSomethingIsNotWhatItWas) {
  const work::Item item = planned();
  work::Approved approved{item.plan->sha256, "github:ann", "12", "github", kHash};
  EXPECT_EQ(void_of([&] { executor::check_bound(item, approved); }), "");
  work::Item other = planned();
  other.request.title = "Another";
  EXPECT_THAT(void_of([&] { executor::check_bound(other, approved); }),
              HasSubstr("approval void: the request"));
  other = planned();
  other.source_sha256.clear();
  EXPECT_THAT(void_of([&] { executor::check_bound(other, approved); }), HasSubstr("approval void"));
  approved.plan_sha256 = std::string(64, 'd');
  EXPECT_THAT(void_of([&] { executor::check_bound(item, approved); }),
              HasSubstr("what was approved is plan dddd"));

  EXPECT_EQ(void_of([&] { executor::check_pull_text(*item.plan, "plan " + item.plan->sha256); }), "");
  EXPECT_THAT(void_of([&] { executor::check_pull_text(*item.plan, "plan"); }), HasSubstr("pull request"));

  const std::string file = plan_page::file_of(*item.plan, item.request);
  EXPECT_EQ(void_of([&] { executor::check_plan_file(*item.plan, item.request, file); }), "");
  EXPECT_THAT(void_of([&] { executor::check_plan_file(*item.plan, item.request, std::nullopt); }),
              HasSubstr("was changed"));
  EXPECT_THAT(void_of([&] { executor::check_plan_file(*item.plan, item.request, file + "more"); }),
              HasSubstr("was changed"));
  std::string page = file;
  page.replace(page.find("1. "), 3, "1. Only ");
  EXPECT_THAT(void_of([&] { executor::check_plan_file(*item.plan, item.request, page); }),
              HasSubstr("was changed"))
      << "the document is the same, and people read something else";
  const work::Plan another(Json(item.plan->document).set("summary", "Harm."));
  EXPECT_THAT(void_of([&] {
                executor::check_plan_file(*item.plan, item.request,
                                          plan_page::file_of(another, item.request));
              }),
              HasSubstr("was changed"));

  EXPECT_EQ(void_of([&] { executor::check_source(item, "Wrong sum", "It is 1 cent off."); }), "");
  EXPECT_THAT(void_of([&] { executor::check_source(item, "Wrong sum", "It is 2 cents off."); }),
              HasSubstr("edited after"));
  EXPECT_THAT(void_of([&] { executor::check_source(item, "Wrong", "It is 1 cent off."); }),
              HasSubstr("edited"));
}

TEST(ExecutorPlanBoundsTest, AreTheFilesOfThePlanItsOwnAndTests) {
  const auto files = [](const std::vector<std::string>& paths) {
    std::vector<git::File> list;
    for (const std::string& path : paths) list.push_back({.path = path});
    return list;
  };
  const work::Item item = planned();
  const std::vector<std::string> tests{"tests/**", "*_test.*"};
  EXPECT_THAT(
      executor::beyond(*item.plan,
                       files({"a.c", "b.c", "docs/plans/shop-1.md", "tests/x/y.c", "src/z_test.c"}), tests),
      IsEmpty());
  EXPECT_THAT(executor::beyond(*item.plan, files({"c.c", "x/a.c", "A.c"}), tests),
              ElementsAre("c.c", "x/a.c", "A.c"));
}

}  // namespace
