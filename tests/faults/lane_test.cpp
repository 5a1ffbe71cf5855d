#include "tests/faults/lane.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "host/base/id.h"

namespace davit::faults {
namespace {

TEST(LuckTest, TheSameSeedGivesTheSameNumbers) {
  Luck one(7), two(7), other(8);
  bool differs = false;
  for (int draw = 0; draw < 20; ++draw) {
    const int number = one.between(0, 1'000'000);
    EXPECT_EQ(number, two.between(0, 1'000'000));
    differs = differs || number != other.between(0, 1'000'000);
  }
  EXPECT_TRUE(differs);
}

TEST(LuckTest, StaysWithinBothEnds) {
  Luck luck(1);
  for (int draw = 0; draw < 1'000; ++draw) {
    const int number = luck.between(20, 22);
    EXPECT_GE(number, 20);
    EXPECT_LE(number, 22);
  }
}

TEST(LuckTest, ASeedThatIsNoNumberIsRefused) {
  EXPECT_EQ(Luck::parsed_seed("0"), 0u);
  EXPECT_EQ(Luck::parsed_seed("18446744073709551615"), 18446744073709551615u);
  for (const char* wrong : {"", "abc", "12a", " 1", "-1", "+1", "--long", "18446744073709551616"})
    EXPECT_THROW(Luck::parsed_seed(wrong), std::invalid_argument) << wrong;
}

bool runs(const std::string& name) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::ifstream words(entry.path() / "cmdline", std::ios::binary);
    std::string first;
    if (std::getline(words, first, '\0') && first == name) return true;
  }
  return false;
}

TEST(NamespaceTest, WhatATestLeavesRunningEndsWithIt) {
  const std::string name = "left-" + new_id();
  const std::string command = DAVIT_BUILD_DIR "/tests/faults/leaves_a_process " + name + " 2>&1";
  FILE* pipe = ::popen(command.c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::string said;
  for (int c = 0; (c = std::fgetc(pipe)) != EOF;) said += static_cast<char>(c);
  EXPECT_EQ(::pclose(pipe), 0) << said;
  if (said.find("No namespaces here") == std::string::npos) {
    EXPECT_FALSE(runs(name));
  } else {
    EXPECT_TRUE(runs(name)) << "it says so for nothing";
  }
}

}  // namespace
}  // namespace davit::faults
