#include "discovery/links.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace discovery {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> in(const std::string& text, std::string_view address = "https://github.com") {
  return linked({.source = "jira", .text = text}, {"acme/shop", "acme/Web-Shop", "acme/shop.js"}, address);
}

TEST(LinksTest, ARepositoryIsNamedInManyWays) {
  for (const char* text :
       {"see https://github.com/acme/shop", "<https://github.com/acme/shop|the shop>", "(acme/shop)",
        "https://github.com/Acme/Shop/issues/7#issuecomment-1", "git@github.com:acme/shop.git", "acme/shop#7",
        "In acme/shop: the cart", "github.com/acme/shop.", "ssh://git@github.com/acme/shop.git",
        "`acme/shop`", "https://github.com/acme/shop/blob/main/src/cart.ts?plain=1", "look at acme/shop."})
    EXPECT_THAT(in(text), ElementsAre("acme/shop")) << text;
  EXPECT_THAT(in("https://github.com/acme/shop.js/tree/main"), ElementsAre("acme/shop.js"));
  EXPECT_THAT(in("acme/web-shop and acme/shop"), ElementsAre("acme/shop", "acme/Web-Shop"));
}

TEST(LinksTest, OthersAreNone) {
  for (const char* text : {"https://github.com/evil/shop", "https://notgithub.com/acme/shop",
                           "https://github.com.evil.com/acme/shop", "https://evil.com/github.com/acme/shop",
                           "acme/shopping", "acme/shop/src/cart.ts", "xacme/shop", "https://github.com/acme",
                           "https://github.com/../acme/shop", "github.com", "acme / shop"})
    EXPECT_THAT(in(text), IsEmpty()) << text;
}

TEST(LinksTest, TheHostIsTheOneOfTheConfig) {
  EXPECT_THAT(in("https://git.example.com/acme/shop", "https://git.example.com"), ElementsAre("acme/shop"));
  EXPECT_THAT(in("https://github.com/acme/shop", "https://git.example.com"), IsEmpty());
}

TEST(LinksTest, AllOfTheRequestIsRead) {
  const std::vector<std::string> known = {"acme/shop"};
  const std::string_view host = "https://github.com";
  EXPECT_THAT(linked({.source = "x", .title = "acme/shop"}, known, host), ElementsAre("acme/shop"));
  EXPECT_THAT(linked({.source = "x", .url = "https://github.com/acme/shop/pull/1"}, known, host),
              ElementsAre("acme/shop"));
  EXPECT_THAT(linked({.source = "x", .details = {{"comment", "acme/shop#1", "ann"}}}, known, host),
              ElementsAre("acme/shop"));
}

}  // namespace
}  // namespace discovery
