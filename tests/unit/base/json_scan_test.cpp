#include "host/base/json_scan.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

namespace davit {
namespace {

std::vector<std::string> payloads() {
  std::vector<std::string> all;
  for (const auto& entry :
       std::filesystem::directory_iterator(DAVIT_SOURCE_DIR "/plugins/webhooks/github/testdata/payloads")) {
    if (entry.path().extension() != ".json") continue;
    std::ifstream file(entry.path());
    all.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return all;
}

bool the_full_reader_takes(const std::string& text) {
  JsonDocument document;
  document.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag |
                 rapidjson::kParseFullPrecisionFlag>(text.data(), text.size());
  return !document.HasParseError();
}

TEST(JsonScanTest, IsSureOfWhatSendersSend) {
  const std::vector<std::string> all = payloads();
  ASSERT_FALSE(all.empty());
  for (const std::string& payload : all) EXPECT_TRUE(surely_json(payload, {})) << payload.substr(0, 80);
}

TEST(JsonScanTest, IsSureOfEveryKindOfValue) {
  for (const char* good :
       {"{}", "[]", " [ ] ", "\"\"", "0", "-0", "-12.50", "true", "false", "null", "[[],{}]",
        R"({"a":[1,2.5,"x",{"b":null}],"c":{"d":true}})", R"("\"\\\/\b\f\n\r\t\u00e9\uFFFD")",
        "{\"key of more than eight bytes\":\"\xC3\xA9 and \xF0\x9F\x98\x80\"}"}) {
    EXPECT_TRUE(surely_json(good, {})) << good;
    EXPECT_TRUE(the_full_reader_takes(good)) << good;
  }
}

TEST(JsonScanTest, IsNotSureOfWhatIsWrong) {
  for (const char* bad : {"",
                          " ",
                          "{",
                          "}",
                          "[",
                          "]",
                          "[1",
                          "[1,",
                          "[1,]",
                          "[1 2]",
                          "{,}",
                          "{\"a\"}",
                          "{\"a\":}",
                          "{\"a\":1,}",
                          "{1:2}",
                          "{\"a\":1]",
                          "[1}",
                          "{}{}",
                          "{} x",
                          "nul",
                          "nulll",
                          "truefalse",
                          "01",
                          "1.",
                          ".5",
                          "+1",
                          "-",
                          "--1",
                          "0x1",
                          "'a'",
                          "\"a",
                          "\"\\",
                          "\"\\x\"",
                          "\"\\u12\"",
                          "\"\\u12g4\"",
                          "\"\x01\"",
                          "\"12345678\x1f\"",
                          "\"1234567\n\"",
                          "\"\xC0\xAF\"",
                          "\"\xED\xA0\x80\"",
                          "\"\\ud800\"",
                          "NaN"}) {
    EXPECT_FALSE(surely_json(bad, {})) << bad;
  }
  EXPECT_FALSE(surely_json(std::string_view("{}\0", 3), {}));
  EXPECT_FALSE(surely_json(std::string_view("\"a\0b\"", 5), {}));
}

TEST(JsonScanTest, IsNotSureBeyondALimit) {
  JsonLimits limits;
  limits.max_values = 4;
  EXPECT_TRUE(surely_json("[1,2,3]", limits));
  EXPECT_TRUE(surely_json(R"({"a":[1]})", limits));
  EXPECT_FALSE(surely_json("[1,2,3,4]", limits));
  EXPECT_FALSE(surely_json(R"({"a":1,"b":2})", limits));
  limits = {};
  limits.max_depth = 2;
  EXPECT_TRUE(surely_json("[[1],[2]]", limits));
  EXPECT_FALSE(surely_json("[[[1]]]", limits));
  limits = {};
  limits.max_bytes = 4;
  EXPECT_FALSE(surely_json("[1,2]", limits));
}

TEST(JsonScanTest, TakesNoMoreLevelsThanItCanCount) {
  JsonLimits limits;
  limits.max_depth = 1'000;
  EXPECT_TRUE(surely_json(std::string(64, '[') + std::string(64, ']'), limits));
  EXPECT_FALSE(surely_json(std::string(65, '[') + std::string(65, ']'), limits));
}

// Damaged payloads, by a fixed seed: whatever the scan is sure of, the full reader takes as well.
TEST(JsonScanTest, IsSureOfNothingThatTheFullReaderRefuses) {
  std::mt19937 random(20'240'501);
  constexpr std::string_view kBytes = "\"\\{}[]:,0123456789.-+eEtrufalsn \n\t\x01\x1f\x7f\x80\xC3\xA9\xED";
  int sure = 0, unsure = 0;
  for (const std::string& payload : payloads()) {
    for (int i = 0; i < 200; ++i) {
      std::string text = payload;
      for (int change = 0; change < 1 + i % 3; ++change) {
        const std::size_t at = random() % text.size();
        const char byte = kBytes[random() % kBytes.size()];
        switch (random() % 3) {
          case 0:
            text[at] = byte;
            break;
          case 1:
            text.insert(at, 1, byte);
            break;
          default:
            text.erase(at, 1 + random() % 4);
        }
      }
      if (surely_json(text, {})) {
        ++sure;
        ASSERT_TRUE(the_full_reader_takes(text)) << text;
      } else {
        ++unsure;
      }
    }
  }
  EXPECT_GT(sure, 100);
  EXPECT_GT(unsure, 100);
}

}  // namespace
}  // namespace davit
