// The folders that executions work in: one for each session, gone after it.
#pragma once

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "host/base/log.h"
#include "host/base/result.h"

namespace davit::dispatch {

// Confined to the dispatcher's loop; a thread of its own removes what is not empty, since a large checkout
// takes long.
class Workspaces {
 public:
  // Makes the folder (0700) and removes what an earlier host left in it.
  static Result<std::unique_ptr<Workspaces>> open(const std::filesystem::path& folder, Log& log);
  // Waits until what was handed to remove() is gone.
  ~Workspaces();

  // <folder>/<session_id>, mode 0700, empty.
  Result<std::filesystem::path> create(std::string_view session_id);
  // Soon; an empty one at the latest with the destructor, it may serve the next session under its name.
  // Symbolic links in it are removed, never followed.
  void remove(const std::filesystem::path& workspace);

 private:
  Workspaces(std::filesystem::path folder, Log& log);
  void remove_whole(const std::filesystem::path& workspace);
  void run(const std::stop_token& stop);

  std::filesystem::path folder_;
  Log& log_;
  std::vector<std::filesystem::path> spare_;  // empty, to be used again
  std::mutex mutex_;                          // guards condemned_, with the condition below
  std::condition_variable_any filled_;
  std::deque<std::filesystem::path> condemned_;
  std::jthread remover_;  // started with the first folder that is not empty
};

}  // namespace davit::dispatch
