// A delivery of GitHub that becomes a task for the agent the webhook is set to.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "host/base/file.h"

namespace davit::faults {

inline std::string labeled_issue() {
  auto text = read_file(std::filesystem::path(DAVIT_SOURCE_DIR) / "examples/demo/1-issue-labeled.json");
  EXPECT_TRUE(text.ok());
  return text.ok() ? *text : "";
}

}  // namespace davit::faults
