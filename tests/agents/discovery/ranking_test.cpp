#include "discovery/ranking.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace discovery {
namespace {

using ::testing::DoubleEq;
using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::Gt;
using ::testing::IsEmpty;
using ::testing::Lt;

Find find(Kind kind, const std::string& clue, std::size_t files = 1, double fit = 1) {
  return {.kind = kind, .clue = clue, .where = "a", .fit = fit, .files = files};
}

Searched in(const std::string& name, std::vector<Find> finds, std::size_t files = 10) {
  return {.repository = name, .files = files, .finds = std::move(finds)};
}

TEST(RankingTest, WhatAllHaveCountsNothing) {
  const Find everywhere = find(Kind::Path, "src/index.ts");
  const auto list = ranked({in("b", {everywhere}), in("a", {everywhere}), in("c", {everywhere})});
  EXPECT_EQ(list[0].repository, "a") << "alike: by their names";
  for (const Candidate& candidate : list) {
    EXPECT_THAT(candidate.score, DoubleEq(0));
    EXPECT_THAT(candidate.evidence, IsEmpty());
  }
}

TEST(RankingTest, WhatFewHaveCountsMore) {
  const Find rare = find(Kind::Identifier, "applyCoupon"), usual = find(Kind::Identifier, "addItem");
  const auto list = ranked({in("a", {usual}), in("b", {rare}), in("c", {usual}), in("d", {}), in("e", {})});
  EXPECT_EQ(list[0].repository, "b");
  EXPECT_THAT(list[0].weight, Gt(1.5 * list[1].weight));
}

TEST(RankingTest, OneNameOfTheCodeThatNobodyElseHasIsEnough) {
  const auto list = ranked({in("a", {}), in("b", {find(Kind::Identifier, "applyCoupon")}), in("c", {})});
  EXPECT_EQ(list[0].repository, "b");
  EXPECT_THAT(list[0].score, Gt(0.6));
  const auto word = ranked({in("a", {}), in("b", {find(Kind::Word, "coupon", 9)}), in("c", {})});
  EXPECT_EQ(word[0].repository, "b");
  EXPECT_THAT(word[0].score, Lt(0.6)) << "one word of a person is not";
}

TEST(RankingTest, APathOfAStackTraceOutweighsWords) {
  std::vector<Find> words;
  for (const char* word : {"coupon", "basket", "checkout"}) words.push_back(find(Kind::Word, word, 3));
  const auto list =
      ranked({in("a", words), in("b", {find(Kind::Path, "src/checkout/coupon.ts")}), in("c", {})});
  EXPECT_EQ(list[0].repository, "b");
  EXPECT_THAT(list[0].score, Gt(0.6));
}

TEST(RankingTest, TwoThatFitAlikeAreNeverSure) {
  const Find one = find(Kind::Path, "src/cart/cart.ts"), other = find(Kind::Path, "src/tax/tax.ts");
  const auto list = ranked({in("a", {one}), in("b", {other}), in("c", {})});
  EXPECT_THAT(list[0].score, Lt(0.5));
  EXPECT_THAT(list[1].score, DoubleNear(list[0].score, 1e-9));
}

TEST(RankingTest, OfAPathOnlyTheBestFitCounts) {
  const auto list = ranked({in("a", {find(Kind::Path, "app/shop/cart.py", 1, 0.3)}),
                            in("b", {find(Kind::Path, "app/shop/cart.py", 1, 0.9)}), in("c", {})});
  EXPECT_EQ(list[0].repository, "b");
  EXPECT_THAT(list[1].weight, DoubleEq(0));
}

TEST(RankingTest, AWordTellsMoreWhereMoreOfTheFilesHaveIt) {
  const auto list =
      ranked({in("large", {find(Kind::Word, "coupon", 2)}, 1000),
              in("small", {find(Kind::Word, "coupon", 2)}, 10), in("c", {}, 10), in("d", {}, 10)});
  EXPECT_EQ(list[0].repository, "small");
}

TEST(RankingTest, AloneItIsNotSureByWordsOnly) {
  EXPECT_THAT(ranked({in("a", {find(Kind::Word, "coupon", 9), find(Kind::PartOfName, "shop")})})[0].score,
              DoubleEq(0));
  EXPECT_THAT(ranked({in("a", {find(Kind::Identifier, "applyCoupon")})})[0].score, Gt(0.6));
  EXPECT_THAT(ranked({}), IsEmpty());
}

TEST(RankingTest, APathFitsByItsEnd) {
  const std::vector<std::string> files = {"app/cart.py", "lib/shop/cart.py", "node_modules/app/shop/cart.py",
                                          "src/main/java/com/acme/Cart.java"};
  EXPECT_EQ(best_path("usr/src/shop/cart.py", files).path, "lib/shop/cart.py");
  EXPECT_EQ(best_path("usr/src/shop/cart.py", files).parts, 2u);
  EXPECT_EQ(best_path("art.py", files).parts, 0u);
  EXPECT_EQ(best_path("com/acme/Cart", files).parts, 3u);
  EXPECT_EQ(best_path("com/acme/Cart", {"com/acme/Cartoon.java"}).parts, 0u);
  EXPECT_THAT(fit_of("src/shop/cart.py", 3), Gt(fit_of("src/shop/cart.py", 2)));
  EXPECT_THAT(fit_of("src/shop/cart.py", 2), Gt(fit_of("src/shop/cart.py", 1)));
  EXPECT_THAT(fit_of("app/shop/__init__.py", 1), DoubleEq(0)) << "everybody has one";
  EXPECT_THAT(fit_of("com/acme/Cart", 2), DoubleEq(0)) << "a class by half its package";
}

TEST(RankingTest, ANameIsSaidWholeOrInPart) {
  const auto kinds = [](const std::string& repository, const Clues& clues) {
    std::vector<Kind> list;
    for (const Find& one : finds_in_name(repository, clues)) list.push_back(one.kind);
    return list;
  };
  const Clues said{.names = {"the", "web-shop", "web", "sells"}}, given{.given_names = {"shop"}};
  EXPECT_THAT(kinds("acme/web-shop", said), ElementsAre(Kind::Name));
  EXPECT_THAT(kinds("acme/web-admin", said), ElementsAre(Kind::PartOfName));
  EXPECT_THAT(kinds("acme/Web", said), ElementsAre(Kind::PartOfName)) << "a word as any other";
  EXPECT_THAT(kinds("acme/shop", said), IsEmpty()) << "part of a longer name is not meant";
  EXPECT_THAT(kinds("web/api", said), IsEmpty()) << "whose it is tells nothing";
  EXPECT_THAT(kinds("acme/shop", given), ElementsAre(Kind::Name));
}

}  // namespace
}  // namespace discovery
