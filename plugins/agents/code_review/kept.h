// Reviews that were paid for, so that an execution that begins anew pays for none again and says the same.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "code_review/findings.h"
#include "shared_files/files.h"

namespace review {

// What is known of one commit of one pull request, in the agents' state folder: reviews/<pull>-<sha>.json.
// While a value lives no other execution, here or in another process, has one of the same pull request.
class Kept {
 public:
  // Waits for the other one; `may_wait` is asked meanwhile, and may throw. Throws davit::Failure(Retryable)
  // when it says no, or where the folder cannot be used.
  Kept(const std::filesystem::path& state_folder, const std::string& pull, const std::string& sha,
       const std::function<bool()>& may_wait);

  std::optional<Review> read() const;
  // Also removes what nobody asked for in sixty days.
  void write(const Review& review) const;

 private:
  std::filesystem::path folder_, file_;
  shared::FileLock lock_;
};

}  // namespace review
