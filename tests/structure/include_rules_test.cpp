// The rules of ARCHITECTURE.md that a compiler does not hold: who may include whom, and which library lives
// where.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

const fs::path kRoot = DAVIT_SOURCE_DIR;

struct Include {
  fs::path file;  // relative to the root
  int line = 0;
  std::string target;  // between the quotes or brackets
};

bool is_source(const fs::path& path) {
  static const std::set<std::string> kSuffixes{".h", ".hpp", ".c", ".cc", ".cpp"};
  return kSuffixes.count(path.extension().string()) == 1;
}

std::vector<fs::path> sources_below(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(kRoot / folder)) {
    if (entry.path().string().find("node_modules") != std::string::npos) continue;
    // What `davit plugins new` writes is a plugin, not a part of the host.
    if (entry.path().string().find("/host/cli/templates/") != std::string::npos) continue;
    if (entry.is_regular_file() && is_source(entry.path()))
      files.push_back(fs::relative(entry.path(), kRoot));
  }
  return files;
}

std::vector<Include> includes_of(const fs::path& file) {
  std::vector<Include> includes;
  std::ifstream stream(kRoot / file);
  std::string line;
  for (int number = 1; std::getline(stream, line); ++number) {
    if (line.rfind("#include ", 0) != 0 || line.size() < 12) continue;
    char close = line[9] == '<' ? '>' : '"';
    includes.push_back({file, number, line.substr(10, line.find(close, 10) - 10)});
  }
  return includes;
}

std::string where(const Include& include) {
  return include.file.string() + ":" + std::to_string(include.line) + " includes " + include.target;
}

// The folder of host/ a path lies in; files of host/ itself are "app".
std::string folder_of(const std::string& path) {
  if (path.rfind("host/", 0) != 0) return "";
  std::size_t slash = path.find('/', 5);
  return slash == std::string::npos ? "app" : path.substr(5, slash - 5);
}

TEST(IncludeRulesTest, ArrowsBetweenFoldersPointDown) {
  const std::map<std::string, std::set<std::string>> allowed{
      {"base", {}},
      {"model", {"base"}},
      {"config", {"base"}},
      {"metrics", {"base", "model"}},
      {"plugin", {"base", "model"}},
      {"store", {"base", "model"}},
      {"isolation", {"base", "model", "metrics", "plugin"}},
      {"conformance", {"base", "model", "plugin", "isolation"}},
      {"ingest", {"base", "model", "metrics", "plugin", "store", "isolation"}},
      {"dispatch", {"base", "model", "metrics", "plugin", "store", "isolation"}},
      {"replies", {"base", "model", "metrics", "store"}},
      {"live", {"base", "model", "metrics", "plugin", "store", "isolation"}},
      {"http", {"base", "model", "metrics", "plugin", "store", "ingest", "live"}},
      {"dashboard", {"http"}},
  };
  int seen = 0;
  for (const fs::path& file : sources_below("host")) {
    std::string from = folder_of(file.string());
    if (from == "app" || from == "cli") continue;
    ASSERT_EQ(allowed.count(from), 1u)
        << "host/" << from << " is not in the rules; add it to ARCHITECTURE.md and here";
    for (const Include& include : includes_of(file)) {
      std::string to = folder_of(include.target);
      if (to.empty() || to == from) continue;
      ++seen;
      EXPECT_EQ(allowed.at(from).count(to), 1u) << where(include);
    }
  }
  EXPECT_GT(seen, 100) << "the test does not see the includes any more";
}

TEST(IncludeRulesTest, EachLibraryIsUsedInItsOwnFolderOnly) {
  const std::map<std::string, std::set<std::string>> home{
      {"spdlog/", {"base"}},
      {"rapidjson/", {"base"}},
      {"openssl/", {"base"}},
      {"zlib.h", {"base"}},
      {"yaml-cpp/", {"config"}},
      {"prometheus/", {"metrics"}},
      {"boost/dll", {"plugin"}},
      {"sqlite3.h", {"store"}},
      {"pistache/", {"http"}},
      {"CLI/", {"cli"}},
      // Two clients that have nothing in common: one of davit itself, one of senders.
      {"curl/", {"cli", "replies"}},
  };
  std::set<std::string> used;
  for (const fs::path& file : sources_below("host")) {
    std::string from = folder_of(file.string());
    for (const Include& include : includes_of(file)) {
      for (const auto& [library, folders] : home) {
        if (include.target.rfind(library, 0) != 0) continue;
        used.insert(library);
        EXPECT_TRUE(folders.contains(from)) << where(include);
      }
    }
  }
  EXPECT_EQ(used.size(), home.size()) << "a library of the list is not used at all";
}

TEST(IncludeRulesTest, PluginsExamplesAndTheSdkNeverSeeTheHost) {
  for (const char* folder : {"plugins", "examples", "plugin-sdk"}) {
    for (const fs::path& file : sources_below(folder)) {
      for (const Include& include : includes_of(file)) {
        EXPECT_EQ(include.target.find("host/"), std::string::npos) << where(include);
      }
    }
  }
}

// What agents share lies in folders of its own, which know only what is below them; an agent knows no other.
TEST(IncludeRulesTest, WhatAgentsShareKnowsOnlyWhatIsBelowIt) {
  const std::map<std::string, std::set<std::string>> may_use{
      {"child_process", {}},
      {"http_client", {}},
      {"shared_files", {}},
      {"model_account", {"shared_files"}},
      {"skills", {}},
      {"redact", {}},
      {"work_item", {}},
      {"sandbox", {"child_process"}},
      {"claude_cli", {"child_process", "redact", "sandbox"}},
      {"git_workspace", {"child_process", "redact", "shared_files"}},
      {"github_api", {"http_client", "shared_files"}},
      {"github_account", {"github_api", "http_client"}},
      {"actor_gate", {"github_api", "http_client"}},
      {"source_note", {"github_api", "http_client", "shared_files"}},
      {"agent_config",
       {"actor_gate", "claude_cli", "git_workspace", "github_account", "github_api", "redact", "sandbox",
        "source_note"}},
      {"plan_page", {"source_note", "work_item"}},
      {"repository_task",
       {"actor_gate", "agent_config", "github_api", "http_client", "redact", "skills", "source_note",
        "work_item"}},
      {"log_text", {"redact", "skills"}},
      {"model_session",
       {"agent_config", "claude_cli", "git_workspace", "model_account", "redact", "sandbox", "skills",
        "source_note"}},
  };
  std::set<std::string> folders;
  for (const auto& entry : fs::directory_iterator(kRoot / "plugins/agents"))
    folders.insert(entry.path().filename().string());
  const auto folder_in_agents = [&](const std::string& path) { return path.substr(0, path.find('/')); };
  int crossings = 0;
  for (const fs::path& file : sources_below("plugins/agents")) {
    const std::string from = folder_in_agents(fs::relative(file, "plugins/agents").string());
    for (const Include& include : includes_of(file)) {
      const std::string to = folder_in_agents(include.target);
      if (include.target.find('/') == std::string::npos || folders.count(to) == 0 || to == from) continue;
      ++crossings;
      EXPECT_EQ(may_use.count(to), 1u) << where(include) << ": an agent uses another agent";
      if (const auto library = may_use.find(from); library != may_use.end()) {
        EXPECT_EQ(library->second.count(to), 1u) << where(include);
      }
    }
  }
  EXPECT_GT(crossings, 0) << "this test sees no include at all";
}

TEST(IncludeRulesTest, TheHostUsesTheCHeadersOfTheSdkOnly) {
  for (const fs::path& file : sources_below("host")) {
    for (const Include& include : includes_of(file)) {
      if (include.target.rfind("davit/", 0) == 0) {
        EXPECT_EQ(include.target.rfind("davit/abi/", 0), 0u) << where(include);
      }
    }
  }
}

TEST(IncludeRulesTest, OnlyVerificationMakesAVerifiedDelivery) {
  const std::set<std::string> allowed{"host/model/delivery.h", "host/plugin/webhook_verification.cpp",
                                      "host/ingest/record.cpp", "host/isolation/runner_main.cpp"};
  int makers = 0;
  for (const fs::path& file : sources_below("host")) {
    std::ifstream stream(kRoot / file);
    std::stringstream text;
    text << stream.rdbuf();
    if (text.str().find("VerifiedDeliveryMaker") == std::string::npos) continue;
    ++makers;
    EXPECT_EQ(allowed.count(file.string()), 1u) << file << " makes a VerifiedDelivery";
  }
  EXPECT_GE(makers, 2);
}

TEST(IncludeRulesTest, SqlIsWrittenInTheStoreOnly) {
  for (const fs::path& file : sources_below("host")) {
    if (folder_of(file.string()) == "store") continue;
    std::ifstream stream(kRoot / file);
    std::string line;
    for (int number = 1; std::getline(stream, line); ++number) {
      for (const char* statement :
           {"\"SELECT ", "\"INSERT INTO", "\"UPDATE ", "\"DELETE FROM", "\"PRAGMA "}) {
        EXPECT_EQ(line.find(statement), std::string::npos) << file << ":" << number;
      }
    }
  }
}

}  // namespace
