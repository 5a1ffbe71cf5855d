#include "code_review/kept.h"

#include <system_error>
#include <utility>

#include "davit/failure.hpp"
#include "davit/json.hpp"
#include "shared_files/digest.h"

namespace review {
namespace {

namespace fs = std::filesystem;
using davit::Failure;
using shared::FileLock;

constexpr std::size_t kMostBytes = 4u << 20;
constexpr std::chrono::hours kLongest{24 * 60};

FileLock lock_of(const fs::path& file, const std::function<bool()>& may_wait) {
  shared::make_private_folder(file.parent_path());
  auto lock = FileLock::wait(file, FileLock::Kind::Exclusive, may_wait);
  if (!lock)
    throw Failure::retryable("another execution is reviewing this pull request", std::chrono::minutes(1));
  std::error_code error;  // it is in use, so it is not old
  fs::last_write_time(file, fs::file_time_type::clock::now(), error);
  return *std::move(lock);
}

void remove_old(const fs::path& folder) {
  const auto oldest = fs::file_time_type::clock::now() - kLongest;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code gone;
    const auto written = entry->last_write_time(gone);
    if (!gone && written < oldest) fs::remove(entry->path(), gone);
  }
}

}  // namespace

Kept::Kept(const fs::path& state_folder, const std::string& pull, const std::string& sha,
           const std::function<bool()>& may_wait)
    : folder_(state_folder / "reviews"),
      file_(folder_ / (shared::digest_of(pull).substr(0, 16) + "-" + sha + ".json")),
      lock_(lock_of(folder_ / (shared::digest_of(pull).substr(0, 16) + ".lock"), may_wait)) {}

std::optional<Review> Kept::read() const {
  const auto text = shared::read_file(file_, kMostBytes);
  if (!text) return std::nullopt;
  try {
    const davit::Json json = davit::Json::parse(*text);
    return Review::from(json);
  } catch (const Failure&) {
    return std::nullopt;
  }
}

void Kept::write(const Review& review) const {
  shared::replace_file(file_, review.json().dump());
  remove_old(folder_);
}

}  // namespace review
