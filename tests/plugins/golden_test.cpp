// Each plugins/webhooks/<name>/testdata/<case>.delivery.json has beside it what parse_payload makes of it
// (<case>.event.json) and what comes of that (<case>.answer.json). DAVIT_UPDATE_GOLDEN=1 writes them anew;
// the diff is to be read.
#include <gtest/gtest.h>
#include <rapidjson/prettywriter.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "tests/plugins/testdata.h"

namespace {

using namespace davit::testing;
namespace fs = std::filesystem;

std::string pretty(const std::string& json) {
  rapidjson::Document document;
  document.Parse(json.data(), json.size());
  rapidjson::StringBuffer buffer;
  rapidjson::PrettyWriter<rapidjson::StringBuffer> writer(buffer);
  writer.SetIndent(' ', 2);
  document.Accept(writer);
  return std::string(buffer.GetString(), buffer.GetSize()) + "\n";
}

std::string told(const Outcome& outcome, const char* hook) {
  if (outcome.status == davit::Status::Ok) return outcome.output;
  davit::Json json = davit::Json::object({{"hook", hook}});
  if (outcome.status == davit::Status::Ignored) return json.set("ignored", outcome.output).dump();
  return json.set("status", static_cast<int>(outcome.status)).set("error", outcome.error).dump();
}

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

void compare(const fs::path& golden, const std::string& json) {
  const std::string text = pretty(json);
  if (std::getenv("DAVIT_UPDATE_GOLDEN")) return testdata::write_file(golden, text);
  ASSERT_TRUE(fs::exists(golden)) << golden
                                  << " is missing: run with DAVIT_UPDATE_GOLDEN=1 and read the diff";
  EXPECT_EQ(text, testdata::read_file(golden)) << golden;
}

class GoldenTest : public testing::TestWithParam<fs::path> {};

TEST_P(GoldenTest, DeliveryBecomesTheEventAndTheAnswer) {
  const std::string plugin = GetParam().parent_path().parent_path().filename().string();
  const std::string base = GetParam().string().substr(0, GetParam().string().size() - 14);
  FakeHost host;
  const davit::Json delivery = davit::Json::parse(testdata::read_file(GetParam()));
  if (delivery["config"].is_object()) host.config = delivery["config"].dump();
  WebhookDriver webhook(testdata::plugin(plugin).webhooks(), 0, host);
  RequestBuilder request = testdata::request_of(GetParam());

  const Outcome parsed = webhook.parse_payload(request);
  compare(base + ".event.json", told(parsed, "parse_payload"));
  if (parsed.status != davit::Status::Ok) return;
  const Outcome decision = webhook.should_process(parsed.output);
  const Outcome answer = webhook.handle(parsed.output);
  compare(base + ".answer.json",
          decision.status == davit::Status::Ok ? told(answer, "handle") : told(decision, "should_process"));
}

std::string case_name(const testing::TestParamInfo<fs::path>& tested) {
  const std::string name = tested.param.filename().string();
  return tested.param.parent_path().parent_path().filename().string() + "_" +
         name.substr(0, name.size() - 14);
}

INSTANTIATE_TEST_SUITE_P(Testdata, GoldenTest, testing::ValuesIn(deliveries()), case_name);

}  // namespace
