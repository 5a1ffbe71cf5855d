// What the store driver said it was promised, against what a database holds.
#pragma once

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/faults/acknowledged.h"

namespace davit::faults {

struct DriverPromises {
  using Books = faults::Books;

  static constexpr int kCompleted = 3;  // code of task.state

  Acknowledged deliveries;
  std::vector<std::string> finished;  // tasks
  int refused = 0;

  DriverPromises() = default;
  // All that it said.
  explicit DriverPromises(const std::filesystem::path& said) {
    std::ifstream file(said);
    for (std::string line; std::getline(file, line);) hear(line);
  }
  void hear(const std::string& line) {
    std::istringstream words(line);
    std::string what, first, second;
    words >> what >> first >> second;
    if (what == "accepted") deliveries.add(first, second);
    if (what == "finished") finished.push_back(first);
    if (what == "refused") ++refused;
  }
  bool any() const { return deliveries.count() > 0; }
  std::vector<std::string> broken(const Books& books) const {
    auto broken = broken_promises(deliveries, books);
    for (const std::string& task : finished) {
      const auto found = books.tasks.find(task);
      if (found == books.tasks.end() || found->second.state != kCompleted)
        broken.push_back("task " + task + " was finished and is not");
    }
    return broken;
  }
};

}  // namespace davit::faults
