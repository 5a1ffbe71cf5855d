// A folder with the tree a program works in, and beside it what it must not see.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace davit::testing {

class TemporaryFolders {
 public:
  TemporaryFolders() {
    std::string pattern = (std::filesystem::temp_directory_path() / "davit-sandbox-XXXXXX").string();
    root_ = mkdtemp(pattern.data());
    std::filesystem::create_directory(work());
    std::ofstream(root_ / "secret") << "canary";
  }
  ~TemporaryFolders() { std::filesystem::remove_all(root_); }
  TemporaryFolders(const TemporaryFolders&) = delete;
  TemporaryFolders& operator=(const TemporaryFolders&) = delete;

  const std::filesystem::path& root() const { return root_; }
  std::filesystem::path work() const { return root_ / "work"; }
  std::string content_of(const std::string& file) const {
    std::stringstream text;
    text << std::ifstream(work() / file).rdbuf();
    return text.str();
  }

 private:
  std::filesystem::path root_;
};

}  // namespace davit::testing
