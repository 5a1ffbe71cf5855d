// Each plugins/webhooks/<name>/testdata/<case>.delivery.json has beside it what parse_payload makes of it
// (<case>.event.json) and what comes of that (<case>.answer.json). DAVIT_UPDATE_GOLDEN=1 writes them anew;
// the diff is to be read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "davit/testing/golden.hpp"
#include "tests/plugins/testdata.h"

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> deliveries() {
  std::vector<fs::path> found;
  for (const auto& folder : fs::directory_iterator(DAVIT_SOURCE_DIR "/plugins/webhooks")) {
    if (!fs::is_directory(folder.path() / "testdata")) continue;
    for (const auto& file : fs::directory_iterator(folder.path() / "testdata")) {
      if (file.path().string().ends_with(".delivery.json")) found.push_back(file.path());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

class GoldenTest : public testing::TestWithParam<fs::path> {};

TEST_P(GoldenTest, DeliveryBecomesTheEventAndTheAnswer) {
  const std::string plugin = GetParam().parent_path().parent_path().filename().string();
  EXPECT_THAT(davit::testing::check_delivery(testdata::plugin(plugin).webhooks(), 0, GetParam()),
              testing::IsEmpty());
}

std::string case_name(const testing::TestParamInfo<fs::path>& tested) {
  const std::string name = tested.param.filename().string();
  return tested.param.parent_path().parent_path().filename().string() + "_" +
         name.substr(0, name.size() - 14);
}

INSTANTIATE_TEST_SUITE_P(Testdata, GoldenTest, testing::ValuesIn(deliveries()), case_name);

}  // namespace
