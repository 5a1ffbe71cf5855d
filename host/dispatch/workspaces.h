// The folders that executions work in: an empty one for each, nothing left of it afterwards.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "host/base/log.h"
#include "host/base/result.h"

namespace davit::dispatch {

struct Workspace {
  std::string path;  // absolute
  // Nanoseconds since 1970: its last change, known to be the last before it was handed out; 0: not known.
  std::int64_t changed = 0;
};

// Confined to the dispatcher's loop; a thread of its own removes what is not empty, since a large checkout
// takes long.
class Workspaces {
 public:
  // Makes the folder (0700) and removes what an earlier host left in it.
  static Result<std::unique_ptr<Workspaces>> open(const std::filesystem::path& folder, Log& log);
  // Waits until what was handed to remove() is gone.
  ~Workspaces();

  // A folder for one execution: mode 0700, empty, in nobody else's hands.
  Result<Workspace> create();
  // With its execution over. One that is still as it was may serve another execution; else it is gone soon,
  // at the latest with the destructor. Symbolic links in it are removed, never followed.
  void remove(Workspace workspace);

 private:
  Workspaces(std::filesystem::path folder, Log& log);
  void remove_whole(const std::filesystem::path& workspace);
  void run(const std::stop_token& stop);

  std::filesystem::path folder_;
  Log& log_;
  std::vector<Workspace> spare_;  // empty, to be used again
  std::mutex mutex_;              // guards condemned_, with the condition below
  std::condition_variable_any filled_;
  std::deque<std::filesystem::path> condemned_;
  std::jthread remover_;  // started with the first folder that is not empty
};

}  // namespace davit::dispatch
