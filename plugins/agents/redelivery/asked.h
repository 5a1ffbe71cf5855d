// What was asked for, over executions, whatever ends them: GitHub's list shows a delivery that was asked for
// some time later only.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <string>

#include "shared_files/files.h"

namespace redelivery {

// Of one hook, in a file of its own, locked as long as the object lives. A file that cannot be understood
// counts as empty: the worst that follows is a delivery that is asked for twice, which a receiver knows by
// its guid.
class Asked {
 public:
  using Time = std::chrono::sys_seconds;

  // `hook` tells hooks apart. Throws davit::Failure(Retryable) while another execution has it, or when the
  // folder cannot be used.
  Asked(const std::filesystem::path& folder, const std::string& hook, Time now);

  // Was it asked for, or may it have been? What was begun and has no end known is in doubt for some minutes,
  // in which GitHub's list comes to show it.
  bool holds(const std::string& guid) const;

  // Each is in the file when it returns. Throws davit::Failure(Retryable) otherwise.
  void begin(const std::string& guid);  // before GitHub is asked
  void done(const std::string& guid);   // GitHub said that it will
  void undo(const std::string& guid);   // GitHub said that it will not

 private:
  struct Entry {
    Time at{};
    bool sure = false;
  };
  void write() const;

  std::filesystem::path file_;
  shared::FileLock lock_;
  Time now_;
  std::map<std::string, Entry> entries_;
};

}  // namespace redelivery
