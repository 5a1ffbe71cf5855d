// What stands beside the code and must not drift from it: the shipped configuration and the reference.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/base/file.h"
#include "host/base/json.h"
#include "host/config/config_file.h"
#include "host/config/key_docs.h"
#include "host/config/yaml_document.h"

namespace davit::config {
namespace {

const std::string kSource = DAVIT_SOURCE_DIR;

TEST(ShippedConfigTest, HasNoMistake) {
  const LoadedConfig loaded = load_config(kSource + "/config/davit.yaml");
  EXPECT_THAT(loaded.messages(), ::testing::IsEmpty());
  EXPECT_EQ(loaded.config.webhooks.at("github").isolation, Isolation::InProcess);
  EXPECT_EQ(loaded.config.webhooks.at("github").secrets.at(0).name, "GITHUB_WEBHOOK_SECRET");
  EXPECT_EQ(loaded.config.agents.count("command-agent"), 1u);
  EXPECT_TRUE(parse_json(loaded.config.agents.at("command-agent").config).ok());
}

TEST(ShippedConfigTest, ExplainsEveryKeyItSets) {
  const auto text = read_file(kSource + "/config/davit.yaml");
  ASSERT_TRUE(text.ok());
  const YamlDocument document = read_yaml(*text);
  // Line by line: a key of davit's own has a comment on its line.
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text->size();) {
    const std::size_t end = std::min(text->find('\n', begin), text->size());
    lines.push_back(text->substr(begin, end - begin));
    begin = end + 1;
  }
  for (const auto& section : document.root.members)
    for (const auto& entry : section.value.members) {
      if (entry.value.kind != YamlNode::Kind::Mapping) {
        EXPECT_THAT(lines.at(static_cast<std::size_t>(entry.line) - 1),
                    ::testing::AnyOf(::testing::HasSubstr("# "), ::testing::HasSubstr("_usd:")));
        continue;
      }
      for (const auto& key : entry.value.members)
        EXPECT_THAT(lines.at(static_cast<std::size_t>(key.line) - 1), ::testing::HasSubstr("# "));
    }
}

TEST(ConfigReferenceTest, IsWhatTheKeyTableSays) {
  const auto text = read_file(kSource + "/docs/CONFIGURATION.md");
  ASSERT_TRUE(text.ok());
  const std::string begin = "<!-- begin keys -->\n", end = "<!-- end keys -->";
  const std::size_t from = text->find(begin), to = text->find(end);
  ASSERT_NE(from, std::string::npos);
  ASSERT_NE(to, std::string::npos);
  EXPECT_EQ(text->substr(from + begin.size(), to - from - begin.size()), key_docs_as_markdown())
      << "paste this between the two comments of docs/CONFIGURATION.md";
}

TEST(KeyTableTest, EveryKeyHasAMeaningThatIsASentence) {
  for (const KeyDoc& doc : key_docs()) {
    EXPECT_TRUE(doc.meaning.ends_with('.') || doc.meaning.ends_with('}')) << doc.path;
    EXPECT_FALSE(doc.type.empty()) << doc.path;
  }
}

}  // namespace
}  // namespace davit::config
