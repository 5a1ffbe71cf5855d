// Tests that the documents name are there.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

namespace {

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// "Suite.Name" of every GoogleTest case under tests/.
std::set<std::string> tests_of_the_tree() {
  const std::regex test(R"(\nTEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\))");
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(DAVIT_SOURCE_DIR "/tests")) {
    if (entry.path().extension() != ".cpp") continue;
    const std::string text = text_of(entry.path());
    for (std::sregex_iterator found(text.begin(), text.end(), test), end; found != end; ++found)
      names.insert((*found)[1].str() + "." + (*found)[2].str());
  }
  return names;
}

TEST(NamedTestsTest, EveryTestThatTheTableOfBadInputNamesExists) {
  const std::set<std::string> known = tests_of_the_tree();
  const std::string table = text_of(DAVIT_SOURCE_DIR "/docs/BAD_INPUT.md");
  const std::regex name(R"(`(\w+Test\.\w+)`)");
  std::size_t count = 0;
  for (std::sregex_iterator found(table.begin(), table.end(), name), end; found != end; ++found, ++count)
    EXPECT_TRUE(known.contains((*found)[1].str())) << (*found)[1].str();
  EXPECT_GT(count, 50u);
}

}  // namespace
