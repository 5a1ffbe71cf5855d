// The testing kit that authors get: it must fail where something is wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "davit/testing/golden.hpp"
#include "davit/testing/library.hpp"
#include "davit/testing/signer.hpp"

namespace {

using namespace davit::testing;
using davit::Json;
using davit::Signature;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Library built(const std::string& name) {
  return Library(DAVIT_BUILD_DIR "/tests/abi/plugins/" + name + ".so");
}

class GoldenKitTest : public testing::Test {
 protected:
  GoldenKitTest() {
    std::string name = testing::TempDir() + "/golden-XXXXXX";
    if (!mkdtemp(name.data())) throw std::runtime_error("no folder");
    folder_ = name;
  }
  ~GoldenKitTest() override {
    unsetenv("DAVIT_UPDATE_GOLDEN");
    std::filesystem::remove_all(folder_);
  }
  void write(const std::string& name, const std::string& text) { std::ofstream(folder_ / name) << text; }
  std::string read(const std::string& name) { return davit::testing::golden::file_text(folder_ / name); }

  Differences deliveries() { return check_deliveries(built("tiny_webhook").webhooks(), 0, folder_); }
  Differences tasks() { return check_tasks(built("tiny_agent").agents(), 0, folder_); }

  std::filesystem::path folder_;
};

TEST_F(GoldenKitTest, WhatIsNotRecordedIsADifferenceThatShowsIt) {
  write("a.delivery.json", R"({"body": {"title": "Fix it"}})");
  EXPECT_THAT(deliveries(),
              ElementsAre(HasSubstr("a.event.json is missing"),
                          testing::AllOf(HasSubstr("a.answer.json is missing"), HasSubstr("Fix it"))));
}

TEST_F(GoldenKitTest, TheUpdateRecordsAndThenThereIsNoDifference) {
  write("a.delivery.json", R"({"body": {"title": "Fix it"}})");
  write("b.task.json", R"({"title": "Read this"})");
  setenv("DAVIT_UPDATE_GOLDEN", "1", 1);
  EXPECT_THAT(deliveries(), IsEmpty());
  EXPECT_THAT(tasks(), IsEmpty());
  unsetenv("DAVIT_UPDATE_GOLDEN");
  EXPECT_THAT(deliveries(), IsEmpty());
  EXPECT_THAT(tasks(), IsEmpty());
  EXPECT_THAT(read("a.answer.json"), HasSubstr("\"title\": \"Fix it\""));
  EXPECT_THAT(read("b.result.json"), HasSubstr("\"title\": \"Read this\""));
}

TEST_F(GoldenKitTest, AnotherOutcomeThanTheRecordedOneIsADifference) {
  write("b.task.json", R"({"title": "Read this"})");
  write("b.result.json", "{}\n");
  EXPECT_THAT(tasks(), ElementsAre(HasSubstr("b.result.json says otherwise")));
}

TEST_F(GoldenKitTest, TheRawBytesOfABodyFileReachThePlugin) {
  write("a.delivery.json", R"({"body_file": "body"})");
  write("body", "{not JSON");
  EXPECT_THAT(deliveries(), ElementsAre(testing::AllOf(HasSubstr("\"hook\": \"parse_payload\""),
                                                       HasSubstr("\"status\": 2"))));
}

TEST_F(GoldenKitTest, AFolderWithoutCasesIsAMistake) {
  EXPECT_THROW(deliveries(), std::runtime_error);
  EXPECT_THROW(tasks(), std::runtime_error);
  write("a.delivery.json", R"({"body_file": "nowhere"})");
  EXPECT_THROW(deliveries(), std::runtime_error);
}

TEST(ChecksTest, FailWhereAnythingFailedOrNothingWasChecked) {
  EXPECT_EQ(Checks().exit_code(), 1);
  Checks good;
  good.that("one", true);
  good.equal("two", "2", "2");
  good.all({});
  EXPECT_EQ(good.exit_code(), 0);
  for (int which : {0, 1, 2}) {
    Checks bad;
    if (which == 0) bad.that("one", false);
    if (which == 1) bad.equal("two", "2", "3");
    if (which == 2) bad.all({"a difference"});
    EXPECT_EQ(bad.exit_code(), 1) << which;
  }
}

TEST(LibraryTest, WhatCannotBeOpenedIsNamed) {
  try {
    const Library library("/no/such/plugin.so");
    FAIL() << "it was opened";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("/no/such/plugin.so"));
  }
}

TEST(SchemeOfTest, TheDeclaredSchemeComesBackWhole) {
  const Signature all = Signature::hmac_sha256("X-A")
                            .prefix("v1,")
                            .base64()
                            .secret_prefix("whsec_")
                            .secret_base64()
                            .or_ed25519()
                            .prefix("v1a,")
                            .hex()
                            .or_header("X-B")
                            .separator(" ")
                            .signs("{id}.{timestamp}.{body}")
                            .timestamp("X-Time", std::chrono::seconds(30))
                            .id("X-Id");
  const Json declared_json = all.to_json();
  EXPECT_EQ(Signature::from_json(declared_json.view()).to_json().dump(), declared_json.dump());

  RequestBuilder request("{}");
  const Signature declared = scheme_of(built("tiny_webhook").webhooks(), 0);
  sign(request, declared, "s3cret");
  EXPECT_TRUE(davit::verify(declared, request.request(), davit::Secrets({"s3cret"}), kNow));
  EXPECT_FALSE(davit::verify(declared, request.request(), davit::Secrets({"an0ther"}), kNow));
}

TEST(SchemeOfTest, MetadataWithoutASchemeIsAMistake) {
  const Json nothing = Json::object({{"name", "shop"}});
  EXPECT_THROW(Signature::from_json(nothing["signature"]), davit::Failure);
}

}  // namespace
