#include "sandbox/host_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "davit/failure.hpp"

namespace {

using sandbox::Destination;
using sandbox::HostRules;
using sandbox::read_destination;

bool allows(const HostRules& rules, const std::string& text) {
  Destination destination;
  return read_destination(text, 0, destination) && rules.allow(destination);
}

TEST(HostRulesTest, AHostIsItselfAndNobodyElse) {
  const HostRules rules({"api.example.org"});
  EXPECT_TRUE(allows(rules, "api.example.org:443"));
  EXPECT_TRUE(allows(rules, "API.Example.org.:443"));
  for (const char* other : {"example.org:443", "x.api.example.org:443", "api.example.org.evil.org:443",
                            "evilapi.example.org:443", "api.example.org:80", "api.example.org:8443"})
    EXPECT_FALSE(allows(rules, other)) << other;
}

TEST(HostRulesTest, AStarIsAllBelowAndNotTheNameItself) {
  const HostRules rules({"*.example.org"});
  EXPECT_TRUE(allows(rules, "a.example.org:443"));
  EXPECT_TRUE(allows(rules, "a.b.example.org:443"));
  EXPECT_FALSE(allows(rules, "example.org:443"));
  EXPECT_FALSE(allows(rules, "evilexample.org:443"));
}

TEST(HostRulesTest, AnotherPortIsSaid) {
  const HostRules rules({"api.example.org:8443", "[::1]:9443", "10.0.0.5"});
  EXPECT_TRUE(allows(rules, "api.example.org:8443"));
  EXPECT_FALSE(allows(rules, "api.example.org:443"));
  EXPECT_TRUE(allows(rules, "[::1]:9443"));
  EXPECT_TRUE(allows(rules, "10.0.0.5:443"));
}

TEST(HostRulesTest, NobodyIsAllowedByAnEmptyList) {
  EXPECT_FALSE(allows(HostRules({}), "api.example.org:443"));
}

TEST(HostRulesTest, WhatCannotBeMeantIsNamed) {
  for (const char* entry : {"", "*", "*.org", "*.*.org", "https://api.example.org", "a b", "-x.org", ".org",
                            "a..org", "api.example.org:0", "api.example.org:65536", "api.example.org:",
                            "[::1", "[api.example.org]", "user@example.org", "a/b", "a*b.org"}) {
    try {
      HostRules({"good.example.org", entry});
      ADD_FAILURE() << entry << " was taken";
    } catch (const davit::Failure& failure) {
      EXPECT_EQ(failure.status(), davit::Status::InvalidInput);
      EXPECT_THAT(failure.what(), testing::HasSubstr("'" + std::string(entry) + "'"));
    }
  }
}

TEST(HostRulesTest, ADestinationNeedsAHostAndAPort) {
  Destination destination;
  for (const char* bad : {"", ":443", "host", "host:", "host:x", "host:443x", "host:-1", "ho st:443",
                          "[]:443", "::1:443", "[::1]443", "h\xc3\xb6st:443"})
    EXPECT_FALSE(read_destination(bad, 0, destination)) << bad;
  ASSERT_TRUE(read_destination("[2001:DB8::1]:443", 0, destination));
  EXPECT_EQ(destination.host, "2001:db8::1");
}

}  // namespace
