#include "host/model/artifact.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace davit {
namespace {

using testing::HasSubstr;

TEST(ArtifactTest, ANameIsThatOfOneFile) {
  for (const char* name : {"plan.md", "a b", ".hidden", "Übersicht.txt", "..."})
    EXPECT_TRUE(is_artifact_name(name)) << name;
  for (const std::string& name :
       {std::string(), std::string("."), std::string(".."), std::string("../x"), std::string("a\\b"),
        std::string("a\nb"), std::string("a\0b", 3), std::string("\xff"), std::string(129, 'x')})
    EXPECT_FALSE(is_artifact_name(name)) << name;
}

TEST(ArtifactTest, EachAndAllAreLimited) {
  ArtifactLedger ledger({.max_size = 10, .max_total = 25});
  EXPECT_THAT(ledger.refuse("a", 11).value_or(""),
              HasSubstr("11 bytes are more than artifacts.max_size (10)"));
  EXPECT_FALSE(ledger.refuse("a", 10));
  EXPECT_FALSE(ledger.refuse("b", 10));
  EXPECT_THAT(ledger.refuse("c", 6).value_or(""),
              HasSubstr("26 bytes are more than artifacts.max_total (25)"));
  EXPECT_FALSE(ledger.refuse("c", 5)) << "what was refused does not count";
}

TEST(ArtifactTest, WhatTakesThePlaceOfAnotherCountsInItsPlace) {
  ArtifactLedger ledger({.max_size = 10, .max_total = 12});
  EXPECT_FALSE(ledger.refuse("a", 10));
  EXPECT_FALSE(ledger.refuse("a", 3));
  EXPECT_FALSE(ledger.refuse("b", 9));
  EXPECT_TRUE(ledger.refuse("a", 4));
}

TEST(ArtifactTest, ThereAreNoMoreThanSixtyFour) {
  ArtifactLedger ledger;
  for (std::size_t i = 0; i < kMaxArtifacts; ++i) EXPECT_FALSE(ledger.refuse(std::to_string(i), 1));
  EXPECT_THAT(ledger.refuse("more", 1).value_or(""), HasSubstr("64"));
  EXPECT_FALSE(ledger.refuse("0", 2)) << "one of them may still change";
}

}  // namespace
}  // namespace davit
