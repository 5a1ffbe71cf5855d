// Tests that the documents name are there.
#include <gtest/gtest.h>

#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

namespace {

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Of `text`, what stands between `open` and the next `close`, wherever `open` is.
std::vector<std::string> enclosed(const std::string& text, const std::string& open, char close) {
  std::vector<std::string> found;
  for (std::size_t at = text.find(open); at != std::string::npos; at = text.find(open, at)) {
    at += open.size();
    const std::size_t end = text.find(close, at);
    if (end == std::string::npos) break;
    found.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return found;
}

// "Suite.Name" of every GoogleTest case under tests/.
std::set<std::string> tests_of_the_tree() {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(DAVIT_SOURCE_DIR "/tests")) {
    if (entry.path().extension() != ".cpp") continue;
    const std::string text = text_of(entry.path());
    for (const char* macro : {"\nTEST(", "\nTEST_F(", "\nTEST_P("}) {
      for (std::string name : enclosed(text, macro, ')')) {
        std::erase_if(name, [](unsigned char c) { return std::isspace(c); });
        const std::size_t comma = name.find(',');
        if (comma != std::string::npos) names.insert(name.replace(comma, 1, "."));
      }
    }
  }
  return names;
}

TEST(NamedTestsTest, EveryTestThatTheTableOfBadInputNamesExists) {
  const std::set<std::string> known = tests_of_the_tree();
  std::size_t count = 0;
  for (const std::string& name : enclosed(text_of(DAVIT_SOURCE_DIR "/docs/BAD_INPUT.md"), "`", '`')) {
    if (name.find("Test.") == std::string::npos) continue;
    ++count;
    EXPECT_TRUE(known.contains(name)) << name;
  }
  EXPECT_GT(count, 50u);
}

}  // namespace
