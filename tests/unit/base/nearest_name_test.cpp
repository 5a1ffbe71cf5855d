#include "host/base/nearest_name.h"

#include <gtest/gtest.h>

namespace davit {
namespace {

TEST(NearestNameTest, FindsWhatWasMeant) {
  const std::vector<std::string> known{"agent", "command", "timeout_seconds"};
  EXPECT_EQ(nearest_name("agnet", known), "agent");
  EXPECT_EQ(nearest_name("comand", known), "command");
  EXPECT_EQ(nearest_name("timeout", known), "timeout_seconds");
}

TEST(NearestNameTest, FindsNothingWhereNothingIsNear) {
  EXPECT_EQ(nearest_name("colour", {"agent", "command"}), "");
  EXPECT_EQ(nearest_name("agent", {}), "");
  EXPECT_EQ(nearest_name("", {"agent"}), "");
}

}  // namespace
}  // namespace davit
