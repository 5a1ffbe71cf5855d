// What an execution has told of its usage, in a file until the books have it.
//
// A report on its way to the store is in the memory of two processes. Whoever kills the host takes that away,
// but not what its runner wrote into a file before: the next host reads it before it returns the tasks of the
// last one. Nothing is synced, so a power cut may still take the last of it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "host/base/file.h"
#include "host/model/task.h"

namespace davit::isolation {

// The runner's end. Confined to one thread at a time.
class UsageFile {
 public:
  // Of an execution that begins; made with its first report. Empty: nobody wants one.
  void begin(std::string path);
  // Totals so far. Figures only: names are texts of the plugin's. What cannot be written is not kept.
  void add(const Usage& totals);

 private:
  std::string path_;
  UniqueFd file_;
};

// The newest totals in it; nullopt where there is none. Never follows a link.
std::optional<Usage> read_usage_file(const std::filesystem::path& path);

}  // namespace davit::isolation
