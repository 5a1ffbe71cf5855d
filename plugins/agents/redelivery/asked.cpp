// {"<guid>": {"at": seconds since 1970, "sure": true}, ...}
#include "asked.h"

#include <utility>

#include "davit/failure.hpp"
#include "davit/json.hpp"
#include "shared_files/digest.h"

namespace redelivery {
namespace {

using davit::Failure;
using davit::Json;

constexpr std::chrono::minutes kDoubt{10};
constexpr std::chrono::hours kKept{96};  // longer than GitHub keeps deliveries
constexpr std::size_t kMostBytes = 16u << 20;

shared::FileLock lock_of(const std::filesystem::path& file) {
  shared::make_private_folder(file.parent_path());
  auto lock = shared::FileLock::try_take(file.string() + ".lock");
  if (!lock)
    throw Failure::retryable("another execution is asking for deliveries of this hook",
                             std::chrono::minutes(1));
  return *std::move(lock);
}

}  // namespace

Asked::Asked(const std::filesystem::path& folder, const std::string& hook, Time now)
    : file_(folder / (shared::digest_of(hook).substr(0, 16) + ".json")), lock_(lock_of(file_)), now_(now) {
  const auto text = shared::read_file(file_, kMostBytes);
  if (!text) return;
  try {
    const Json json = Json::parse(*text);
    for (const auto [guid, entry] : json.view().members()) {
      const Time at{std::chrono::seconds(entry["at"].int_or(0))};
      if (now_ - at < kKept) entries_[std::string(guid)] = {at, entry["sure"].bool_or(false)};
    }
  } catch (const Failure&) {
    entries_.clear();
  }
}

bool Asked::holds(const std::string& guid) const {
  const auto entry = entries_.find(guid);
  return entry != entries_.end() && (entry->second.sure || now_ - entry->second.at < kDoubt);
}

void Asked::begin(const std::string& guid) {
  entries_[guid] = {now_, false};
  write();
}

void Asked::done(const std::string& guid) {
  entries_[guid] = {now_, true};
  write();
}

void Asked::undo(const std::string& guid) {
  entries_.erase(guid);
  write();
}

void Asked::write() const {
  Json json = Json::object();
  for (const auto& [guid, entry] : entries_)
    json.set(guid, Json::object({{"at", entry.at.time_since_epoch().count()}, {"sure", entry.sure}}));
  shared::replace_file(file_, json.dump());
}

}  // namespace redelivery
