// A lock that processes share, on a file. The system takes it back when its holder ends, however it ends.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>

#include "child_process/child_process.h"
#include "git_workspace/command.h"

namespace git {

class Lock {
 public:
  enum class Kind { Shared, Exclusive };

  // Waits for it until `wall` is over; the file is made if it is missing, and stays. Throws davit::Failure:
  // Cancelled, Retryable when the time is over.
  static Lock wait(const std::filesystem::path& file, Kind kind, std::chrono::milliseconds wall,
                   const Cancel& cancelled);
  // Nullopt where somebody else has it.
  static std::optional<Lock> try_now(const std::filesystem::path& file, Kind kind);

 private:
  explicit Lock(child::Descriptor file) : file_(std::move(file)) {}
  child::Descriptor file_;
};

}  // namespace git
