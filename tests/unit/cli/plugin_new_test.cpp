// `davit plugins new`: what it makes, what it refuses. That the result builds and serves is tested in
// tests/sdk.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "host/app.h"
#include "host/base/file.h"
#include "host/cli/commands.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temp_database.h"

namespace davit::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class PluginNewTest : public ::testing::Test {
 protected:
  int make(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"davit", "plugins", "new"});
    std::vector<const char*> argv;
    for (const std::string& argument : arguments) argv.push_back(argument.c_str());
    std::istringstream in;
    std::ostringstream out, error;
    const int code = run(static_cast<int>(argv.size()), argv.data(),
                         {out, error, in, [](const std::string&) { return std::nullopt; }, clock_, 110,
                          [](const ServeOptions&) { return 42; }});
    out_ = out.str();
    error_ = error.str();
    return code;
  }
  std::string folder(const std::string& name) const { return (folder_.path() / name).string(); }
  std::string text(const std::string& name) const {
    auto read = read_file(folder_.path() / name);
    return read.ok() ? *read : "there is no " + name;
  }
  std::set<std::string> files(const std::string& name) const {
    std::set<std::string> found;
    for (const auto& file : fs::recursive_directory_iterator(folder(name))) {
      if (file.is_regular_file()) found.insert(fs::relative(file.path(), folder(name)).string());
    }
    return found;
  }

  davit::testing::TempFolder folder_;
  davit::testing::FakeClock clock_;
  std::string out_, error_;
};

TEST_F(PluginNewTest, AWebhookGetsSourceTestDataAndReadme) {
  ASSERT_EQ(make({"webhook", "order-lines", "--directory", folder("a")}), kExitOk) << error_;
  EXPECT_THAT(files("a"), ElementsAre(".gitignore", "CMakeLists.txt", "README.md", "order_lines_webhook.cpp",
                                      "order_lines_webhook_test.cpp", "testdata/failed.answer.json",
                                      "testdata/failed.delivery.json", "testdata/failed.event.json",
                                      "testdata/failed.json", "testdata/other.delivery.json",
                                      "testdata/other.event.json"));
  EXPECT_THAT(text("a/order_lines_webhook.cpp"),
              AllOf(HasSubstr("class OrderLinesWebhook : public"), HasSubstr(".name = \"order-lines\""),
                    HasSubstr("X-Order-Lines-Signature"), HasSubstr("\"ORDER_LINES_WEBHOOK_SECRET\"")));
  EXPECT_THAT(text("a/README.md"), AllOf(HasSubstr("order-lines: {secret_file: order-lines.secret}"),
                                         HasSubstr("secret_env: ORDER_LINES_WEBHOOK_SECRET")));
  EXPECT_THAT(out_, AllOf(HasSubstr("order_lines_webhook.cpp"), HasSubstr("README.md")));
}

TEST_F(PluginNewTest, AnAgentInRustGetsTheBindingAndNothingOfCMake) {
  ASSERT_EQ(make({"agent", "sorter", "--lang", "rust", "--directory", folder("a")}), kExitOk) << error_;
  EXPECT_THAT(files("a"),
              ElementsAre(".gitignore", "Cargo.toml", "README.md", "src/davit_abi.layout", "src/davit_abi.rs",
                          "src/lib.rs", "testdata/example.task.json", "testdata/payload.json"));
  EXPECT_EQ(text("a/src/davit_abi.rs"), *read_file(DAVIT_SOURCE_DIR "/plugin-sdk/rust/davit_abi.rs"));
  EXPECT_THAT(text("a/Cargo.toml"), HasSubstr("name = \"sorter_agent\""));
}

TEST_F(PluginNewTest, ANameThatEndsInItsKindIsNotDoubled) {
  ASSERT_EQ(make({"agent", "order-agent", "--lang", "c", "--directory", folder("a")}), kExitOk) << error_;
  EXPECT_TRUE(fs::exists(folder("a/order_agent.c")));
  ASSERT_EQ(make({"agent", "order-agent", "--directory", folder("b")}), kExitOk) << error_;
  EXPECT_THAT(text("b/order_agent.cpp"), HasSubstr("class OrderAgent : public"));
}

TEST_F(PluginNewTest, WhatIsThereIsNeverTouched) {
  fs::create_directory(folder("a"));
  std::ofstream(folder("b")) << "mine";
  fs::create_symlink(folder("nowhere"), folder("c"));
  for (const char* name : {"a", "b", "c"}) {
    EXPECT_EQ(make({"webhook", "shop", "--directory", folder(name)}), kExitFailed) << name;
    EXPECT_THAT(error_, HasSubstr("exists already")) << name;
    EXPECT_EQ(std::count(error_.begin(), error_.end(), '\n'), 1) << error_;
  }
  EXPECT_TRUE(fs::is_empty(folder("a")));
  EXPECT_EQ(text("b"), "mine");
  EXPECT_FALSE(fs::exists(folder("nowhere")));
}

TEST_F(PluginNewTest, TheFoldersAboveAreMadeToo) {
  ASSERT_EQ(make({"webhook", "shop", "--directory", folder("a/new/place")}), kExitOk) << error_;
  EXPECT_TRUE(fs::exists(folder("a/new/place/shop_webhook.cpp")));
  ASSERT_EQ(make({"webhook", "shop", "--directory", folder("b/")}), kExitOk) << error_;
  EXPECT_TRUE(fs::exists(folder("b/shop_webhook.cpp")));
}

TEST_F(PluginNewTest, AFolderThatCannotBeMadeIsNamed) {
  std::ofstream(folder("file")) << "mine";
  for (const char* name : {"file/place", "file/more/place"}) {
    EXPECT_EQ(make({"webhook", "shop", "--directory", folder(name)}), kExitFailed) << name;
    EXPECT_THAT(error_, AllOf(HasSubstr(name), HasSubstr("Not a directory")));
  }
}

TEST_F(PluginNewTest, NamesAreThoseThatTheHostTakes) {
  for (const std::string& name : {std::string("Shop"), std::string("7shop"), std::string("-shop"),
                                  std::string("a/b"), std::string("../x"), std::string("a b"),
                                  std::string("caf\xc3\xa9"), std::string(), std::string(65, 'a')}) {
    EXPECT_EQ(make({"webhook", "--directory", folder("a"), "--", name}), kExitUsage) << name;
    EXPECT_EQ(std::count(error_.begin(), error_.end(), '\n'), 1) << error_;
    EXPECT_FALSE(fs::exists(folder("a"))) << name;
  }
  EXPECT_EQ(make({"webhook", std::string(64, 'a'), "--directory", folder("a")}), kExitOk) << error_;
}

TEST_F(PluginNewTest, UnknownKindsAndLanguagesAreWrongUsage) {
  EXPECT_EQ(make({"plugin", "shop", "--directory", folder("a")}), kExitUsage);
  EXPECT_THAT(error_, HasSubstr("webhook"));
  EXPECT_EQ(make({"webhook", "shop", "--lang", "go", "--directory", folder("a")}), kExitUsage);
  EXPECT_THAT(error_, HasSubstr("rust"));
  EXPECT_EQ(make({"webhook"}), kExitUsage);
  EXPECT_FALSE(fs::exists(folder("a")));
}

TEST_F(PluginNewTest, NoWordOfTheTemplatesIsLeft) {
  for (const char* kind : {"webhook", "agent"}) {
    for (const char* language : {"cpp", "c", "rust"}) {
      const std::string name = std::string(kind) + language;
      ASSERT_EQ(make({kind, "a-b_c", "--lang", language, "--directory", folder(name)}), kExitOk) << error_;
      for (const std::string& file : files(name)) {
        EXPECT_THAT(file, Not(HasSubstr("PLUGIN")));
        for (const char* word : {"@NAME@", "@FILE@", "@CLASS@", "@TITLE@", "@HEADER@", "@VARIABLE@"})
          EXPECT_THAT(text(name + "/" + file), Not(HasSubstr(word))) << file;
      }
    }
  }
}

}  // namespace
}  // namespace davit::cli
