#include "discovery/clues.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "davit/json.hpp"

namespace discovery {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Le;
using ::testing::Not;
using ::testing::SizeIs;

Clues clues_in(const std::string& text) { return clues_of({.source = "test", .text = text}); }

work::Request request_of(const std::string& webhook, const std::string& name) {
  std::ifstream stream(DAVIT_SOURCE_DIR "/plugins/webhooks/" + webhook + "/testdata/" + name +
                       ".answer.json");
  const davit::Json answer = davit::Json::parse(std::string(std::istreambuf_iterator<char>(stream), {}));
  const davit::JsonView task = answer["tasks"][0];
  return work::read_request(task["payload"], task["title"].string_or(""));
}

TEST(CluesTest, PathsAreFoundHoweverATraceWritesThem) {
  EXPECT_THAT(clues_in("at total (src/cart.cpp:12:3)\n"
                       "  File \"/usr/app/shop/cart.py\", line 3, in sum_up\n"
                       "webpack:///./src/checkout/coupon.ts?a1b2:4\n"
                       "https://shop.example.com/static/js/basket.js:10:5\n"
                       "C:\\app\\Views\\Cart.cs:line 7\n"
                       "../lib/tax.rb and ./setup.sh, or `Makefile.am` (price.go)")
                  .paths,
              ElementsAre("src/cart.cpp", "usr/app/shop/cart.py", "src/checkout/coupon.ts",
                          "static/js/basket.js", "app/Views/Cart.cs", "lib/tax.rb", "setup.sh", "price.go"));
}

TEST(CluesTest, AClassIsAPathBelowItsPackage) {
  const Clues clues = clues_in("at com.acme.shop.Cart.addItem(Cart.java:10)");
  EXPECT_THAT(clues.paths, IsSupersetOf({"com/acme/shop/Cart", "Cart.java"}));
  EXPECT_THAT(clues.identifiers, ElementsAre("addItem"));
}

TEST(CluesTest, NamesOfProgramsAreToldFromPeoplesWords) {
  const Clues clues = clues_in(
      "When applyCoupon runs, coupon_code and MAX_RETRIES differ; see Cart::recalculate() and `dispatch`. "
      "The "
      "voucher is gone, 3fa85f64-5717-4562-b3fc-2c963f66afa6 and 20231126 too.");
  EXPECT_THAT(clues.identifiers,
              ElementsAre("dispatch", "applyCoupon", "coupon_code", "MAX_RETRIES", "recalculate"));
  EXPECT_THAT(clues.words, AllOf(Contains("voucher"), Not(Contains("when"))));
}

TEST(CluesTest, OfAMessageWhatStaysTheSameIsLookedFor) {
  EXPECT_THAT(clues_in("ValueError: coupon expired for order 4711 of ann@example.com").messages,
              ElementsAre("coupon expired for order"));
  EXPECT_THAT(clues_in("It says \"Your cart can't be saved right now\", don't ask").messages,
              ElementsAre("Your cart can't be saved right now"));
  EXPECT_THAT(clues_in("panic: too many open carts\nno error here").messages,
              ElementsAre("too many open carts"));
  EXPECT_THAT(clues_in("Error: 404").messages, IsEmpty());
}

TEST(CluesTest, AnAlertOfSentryGivesItsTrace) {
  const Clues clues = clues_of(request_of("sentry", "event_alert_triggered_python_exception"));
  EXPECT_THAT(clues.paths, Contains("trigger-exception.py"));
  EXPECT_THAT(clues.messages, IsSupersetOf({"Custom exception", "raise Exception(\"Custom exception!\")"}));
}

TEST(CluesTest, WordsThatAreUsedMoreComeFirst) {
  EXPECT_THAT(clues_in("Invoice totals of the ledger: the ledger shows ledger rows of an invoice").words,
              ElementsAre("ledger", "invoice", "totals", "rows"));
}

TEST(CluesTest, WhatTheSenderNamesIsKeptApart) {
  const Clues clues = clues_of({.source = "sentry", .title = "Slow Web-Shop"}, {"Checkout "});
  EXPECT_THAT(clues.given_names, ElementsAre("checkout"));
  EXPECT_THAT(clues.names, ElementsAre("slow", "web-shop"));
}

// Bounded in number, length and time, whatever comes.
TEST(CluesTest, HostileTextGivesFewAndPlainClues) {
  std::string names, paths, odd;
  for (int i = 0; i < 40'000; ++i) {
    names += "name_of_x" + std::to_string(i) + " ";
    paths += "src/f" + std::to_string(i) + ".cpp ";
    odd += "\"'`(((::..//\\\\ ";
  }
  const std::string zero("at a\0b.cpp (x\0y_z:1) \"some \0 text that has it\"", 46);
  for (const std::string& text :
       {names, paths, odd, std::string(1 << 20, 'a'), std::string(1 << 20, '"'), std::string(1 << 20, '/'),
        std::string(1 << 20, ' '), std::string(1 << 20, '.'), std::string("\xff\xfe\x80_\xc3("), zero}) {
    const Clues clues =
        clues_of({.source = "x", .title = text, .text = text, .details = {{"stack trace", text, ""}}});
    EXPECT_THAT(clues.paths, SizeIs(Le(40u)));
    EXPECT_THAT(clues.identifiers, SizeIs(Le(60u)));
    EXPECT_THAT(clues.messages, SizeIs(Le(20u)));
    EXPECT_THAT(clues.words, SizeIs(Le(30u)));
    for (const auto* list : {&clues.paths, &clues.identifiers, &clues.messages, &clues.words}) {
      EXPECT_THAT(*list, Each(SizeIs(Le(300u))));
      for (const std::string& clue : *list)
        EXPECT_EQ(clue.find_first_of(std::string_view("\0\n", 2)), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace discovery
