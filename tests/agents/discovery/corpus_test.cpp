// How good the search is: requests as people and machines write them, over repositories of one shop whose
// names and words overlap. What each of them is about is known.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iostream>

#include "discovery/search.h"
#include "tests/agents/git_workspace/workspace.h"

namespace discovery {
namespace {

using davit::testing::Blob;
using davit::testing::Files;

const std::map<std::string, Files> kRepositories = {
    {"acme/shop",
     {{"README.md", Blob{"# shop\nThe web shop that customers see.\n"}},
      {"package.json", Blob{"{\"name\": \"shop\"}\n"}},
      {"src/index.ts", Blob{"import { mount } from './cart/cart';\nmount();\n"}},
      {"src/cart/cart.ts",
       Blob{"export function mount() {}\nexport function recalculateCart(items: Item[]) {\n"
            "  if (!items.length) throw new Error('Your cart is empty');\n  return sum(items);\n}\n"}},
      {"src/checkout/coupon.ts",
       Blob{"export async function applyCoupon(code: string) {\n  const answer = await api.post('/coupons', "
            "{ code });\n  if (!answer.ok) throw new CouponError(`coupon ${code} is not valid any "
            "more`);\n}\n"}},
      {"src/checkout/address.ts", Blob{"export function validatePostcode(text: string) { return true; }\n"}},
      {"src/product/gallery.ts",
       Blob{"// Pictures of a product, zoomed on hover.\nexport class Gallery {}\n"}},
      {"i18n/en.json",
       Blob{"{\"wishlist.add\": \"Remember this for later\", \"cart.title\": \"Basket\"}\n"}}}},
    {"acme/shop-admin",
     {{"README.md", Blob{"# shop-admin\nWhat the staff sees: products, orders, reports.\n"}},
      {"package.json", Blob{"{\"name\": \"shop-admin\"}\n"}},
      {"src/index.ts", Blob{"import { mount } from './app';\nmount();\n"}},
      {"src/products/editor.tsx",
       Blob{"export function ProductEditor() { return saveDraft(); }\nfunction saveDraft() {}\n"}},
      {"src/reports/export.ts",
       Blob{"// Spreadsheets of the monthly revenue for the accountants.\nexport function "
            "exportRevenueReport(month: string) {\n  throw new Error('report is too large for a "
            "spreadsheet');\n}\n"}},
      {"src/orders/table.tsx", Blob{"export function OrderTable() { return applyFilter(); }\n"}},
      {"src/coupons/form.tsx", Blob{"export function CouponForm() {}\n"}}}},
    {"acme/shop-api",
     {{"README.md", Blob{"# shop-api\nOrders, coupons and stock behind the shop.\n"}},
      {"app/main.py", Blob{"from app.orders import service\n"}},
      {"app/orders/service.py",
       Blob{"class OrderService:\n    def place_order(self, cart):\n        if not cart:\n            raise "
            "ValueError(\"order has no lines\")\n        return self.reserve_stock(cart)\n\n    def "
            "reserve_stock(self, cart):\n        return True\n"}},
      {"app/coupons/rules.py", Blob{"def is_redeemable(coupon, today):\n    if coupon.expires < today:\n     "
                                    "   raise CouponExpired(\"coupon "
                                    "expired on %s\" % coupon.expires)\n"}},
      {"app/stock/sync.py",
       Blob{"# Counts of the warehouse, each night.\ndef sync_warehouse():\n    pass\n"}},
      {"tests/test_service.py", Blob{"def test_place_order():\n    assert True\n"}}}},
    {"acme/payments",
     {{"README.md", Blob{"# payments\nCards, refunds and invoices.\n"}},
      {"src/main/java/com/acme/payments/ChargeService.java",
       Blob{"package com.acme.payments;\npublic class ChargeService {\n  public Receipt chargeCard(Card "
            "card) {\n    "
            "throw new DeclinedException(\"card was declined by the issuer\");\n  }\n}\n"}},
      {"src/main/java/com/acme/payments/RefundService.java",
       Blob{"package com.acme.payments;\npublic class RefundService {\n  public void refundOrder(Order "
            "order) {}\n}\n"}},
      {"src/main/java/com/acme/payments/Invoice.java",
       Blob{"package com.acme.payments;\n// Invoices with VAT.\npublic class Invoice { int vatRate; }\n"}},
      {"src/main/resources/application.yml", Blob{"payments:\n  PAYMENT_TIMEOUT_SECONDS: 30\n"}}}},
    {"acme/mobile-app",
     {{"README.md", Blob{"# mobile-app\nThe shop for telephones.\n"}},
      {"app/src/main/java/com/acme/mobile/CartScreen.kt",
       Blob{"package com.acme.mobile\nclass CartScreen {\n  fun onSwipeToDelete(row: Int) { "
            "adapter.remove(row) }\n}\n"}},
      {"app/src/main/java/com/acme/mobile/PushMessages.kt",
       Blob{"package com.acme.mobile\n// Push notifications for Android.\nclass PushMessages { fun "
            "register() {} }\n"}},
      {"ios/Cart/CartView.swift", Blob{"struct CartView { func body() {} }\n"}}}},
    {"acme/infra",
     {{"README.md", Blob{"# infra\nWhere shop, shop-api and payments run.\n"}},
      {"cdn/main.tf", Blob{"resource \"cdn\" \"shop\" { ttl = 3600 }\n"}},
      {"k8s/shop-api.yaml", Blob{"kind: Deployment\nmetadata: { name: shop-api }\nmemory: 256Mi\n"}},
      {"k8s/payments.yaml",
       Blob{"kind: Deployment\nmetadata: { name: payments }\nPAYMENT_TIMEOUT_SECONDS: 60\n"}},
      {"alerts/rules.yml", Blob{"# Certificates that expire.\n- alert: CertificateExpiresSoon\n"}}}},
};

struct Labelled {
  const char* about;  // "" where nobody could know
  const char* kind;   // "trace", "names", "prose"
  work::Request request;
  std::vector<std::string> given_names = {};
};

std::vector<Labelled> labelled() {
  const auto sentry = [](const char* title, const char* trace) {
    return work::Request{.source = "sentry", .title = title, .details = {{"stack trace", trace, ""}}};
  };
  const auto jira = [](const char* title, const char* text) {
    return work::Request{.source = "jira", .title = title, .text = text};
  };
  const auto slack = [](const char* text) {
    return work::Request{.source = "slack", .title = "test", .text = text};
  };
  return {
      {"acme/shop-api", "trace",
       sentry(
           "ValueError: order has no lines",
           "ValueError: order has no lines\n  at place_order (/usr/src/app/orders/service.py:4)\n      raise "
           "ValueError(\"order has no lines\")\n  at dispatch "
           "(/usr/lib/python3/dist-packages/flask/app.py:1)\n")},
      {"acme/payments", "trace",
       sentry("DeclinedException: card was declined by the issuer 0815",
              "DeclinedException: card was declined by the issuer 0815\n  at chargeCard "
              "(ChargeService.java:4)\n  at "
              "invoke (Method.java:498)\n")},
      {"acme/shop", "trace",
       sentry("CouponError: coupon XMAS24 is not valid any more",
              "CouponError: coupon XMAS24 is not valid any more\n  at applyCoupon "
              "(webpack:///./src/checkout/coupon.ts:3)\n  at index (webpack:///./src/index.ts:2)\n")},
      {"acme/mobile-app", "trace",
       sentry("IndexOutOfBoundsException",
              "java.lang.IndexOutOfBoundsException: Index: 3, Size: 3\n  at "
              "com.acme.mobile.CartScreen.onSwipeToDelete "
              "(CartScreen.kt:3)\n  at android.os.Looper.loop (Looper.java:223)\n")},
      {"acme/shop-admin", "trace",
       sentry("Error: report is too large for a spreadsheet",
              "Error: report is too large for a spreadsheet\n  at exportRevenueReport "
              "(https://admin.example.com/src/reports/export.ts:3)\n")},
      {"acme/shop", "names",
       jira("Empty basket shows an error",
            "Customers get \"Your cart is empty\" although something lies in it.")},
      {"acme/shop", "names", slack("`validatePostcode` takes any postcode, also those of other countries")},
      {"acme/shop-api", "names", slack("is_redeemable says yes on the last day of a coupon, please fix")},
      {"acme/shop-api", "names", jira("Stock is off by one", "Since yesterday sync_warehouse counts twice.")},
      {"acme/payments", "names",
       jira("Refunds twice", "RefundService.refundOrder was called twice for the same order.")},
      {"acme/shop-admin", "names", slack("shop-admin: the table of orders is not sorted")},
      {"acme/shop-api",
       "names",
       {.source = "sentry", .title = "Slow", .text = "p95 of the orders is over 2 seconds"},
       {"shop-api"}},
      {"acme/infra", "names", jira("Alert is late", "CertificateExpiresSoon fires a day too late")},
      {"acme/mobile-app", "prose",
       slack("no push notifications on android telephones since the last version, can we register again?")},
      {"acme/payments", "prose",
       jira("VAT on invoices", "Invoices for Austria have the VAT of Germany on cards.")},
      {"acme/shop-admin", "prose",
       jira("Accountants need it earlier",
            "The spreadsheets of the monthly revenue should list reports by product.")},
      {"acme/shop", "prose",
       jira("Pictures", "The gallery of a product should be zoomed on hover, not on click.")},
      {"", "prose", slack("the page is slow today, can you have a look?")},
      {"", "prose", jira("Typo", "There is a typo in the readme.")},
      {"", "names", jira("Timeout", "PAYMENT_TIMEOUT_SECONDS is ignored.")},  // two have it
  };
}

struct Score {
  int right = 0, wrong = 0, undecided = 0, of = 0;
};

class CorpusTest : public davit::testing::WorkspaceTest {
 protected:
  // By kind, and "all"; what nobody could know is right where it stays undecided.
  template <typename Search>
  std::map<std::string, Score> judge(Search search) const {
    constexpr double kThreshold = 0.6;
    std::map<std::string, Score> scores;
    for (const Labelled& one : labelled()) {
      const Clues clues = clues_of(one.request, one.given_names);
      std::vector<Searched> searched;
      for (const auto& [name, files] : kRepositories) searched.push_back(search(name, clues));
      const std::vector<Candidate> list = ranked(std::move(searched));
      const std::string chosen = list[0].score >= kThreshold ? list[0].repository : "";
      for (const char* kind : {one.kind, "all"}) {
        Score& score = scores[kind];
        ++score.of;
        score.right += chosen == one.about;
        score.undecided += chosen.empty() && *one.about != '\0';
        score.wrong += !chosen.empty() && chosen != one.about;
      }
      if (chosen != one.about)
        std::cout << "  '" << one.request.title << "' -> '" << chosen << "' (" << list[0].repository << " "
                  << list[0].score << ", " << list[1].repository << " " << list[1].score << ")\n";
    }
    return scores;
  }

  static void print(const char* how, const std::map<std::string, Score>& scores) {
    for (const auto& [kind, score] : scores)
      std::cout << how << ", " << kind << ": " << score.right << " of " << score.of << " right, "
                << score.wrong << " wrong, " << score.undecided << " left undecided\n";
  }
};

TEST_F(CorpusTest, CodeSearchFindsWhatNamesAloneDoNot) {
  std::map<std::string, git::Mirror> mirrors;
  for (const auto& [name, files] : kRepositories) {
    server_.commit(name, "main", files);
    mirrors.emplace(name, fetch(name));
  }
  std::cout << "By their names alone:\n";
  const auto by_name = judge([](const std::string& name, const Clues& clues) {
    return Searched{.repository = name, .finds = finds_in_name(name, clues)};
  });
  std::cout << "By what is in them:\n";
  const auto by_code = judge(
      [&](const std::string& name, const Clues& clues) { return search_in(mirrors.at(name), name, clues); });
  print("names", by_name);
  print("code", by_code);
  EXPECT_EQ(by_code.at("all").wrong, 0) << "a wrong repository is worse than none";
  EXPECT_EQ(by_code.at("trace").right, by_code.at("trace").of);
  EXPECT_EQ(by_code.at("names").right, by_code.at("names").of);
  EXPECT_GE(by_code.at("all").right, 18);
  EXPECT_LE(by_name.at("trace").right, 1);
  EXPECT_GE(by_code.at("all").right, by_name.at("all").right + 10);
}

}  // namespace
}  // namespace discovery
