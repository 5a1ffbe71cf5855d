// Runs a fuzz target on every file of a folder: what the corpus says is held to in every test run, without
// libFuzzer. Usage: <target>_fuzz FOLDER. A folder without files is a mistake, else it would pass for ever.
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "tests/fuzz/fuzz.h"

int main(int count, char** arguments) {
  namespace fs = std::filesystem;
  if (count != 2 || !fs::is_directory(arguments[1])) {
    std::cerr << "replay: name the folder with the inputs\n";
    return 2;
  }
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(arguments[1])) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) {
    // Before the target runs: if it dies, this line says of what.
    std::cout << "replay: " << file.string() << std::endl;
    std::ifstream stream(file, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(stream), {}};
    if (!stream) {
      std::cerr << "replay: cannot read " << file << '\n';
      return 1;
    }
    // Room of exactly this size, so that a sanitizer sees a look behind the end.
    auto input = std::make_unique<std::uint8_t[]>(bytes.size());
    if (!bytes.empty()) std::memcpy(input.get(), bytes.data(), bytes.size());
    LLVMFuzzerTestOneInput(input.get(), bytes.size());
  }
  if (files.empty()) {
    std::cerr << "replay: " << arguments[1] << " holds no inputs\n";
    return 1;
  }
  std::cout << "replay: " << files.size() << " inputs passed" << std::endl;
  return 0;
}
