#include "host/live/trial_desk.h"

#include <algorithm>

namespace davit::live {

std::optional<std::string> TrialDesk::ask(isolation::RunnerSpec spec) {
  const auto prepared = isolation::PreparedSpec::make(std::move(spec));
  {
    std::lock_guard lock(mutex_);
    auto [found, is_new] = entries_.try_emplace(prepared->key(), Entry{.sha256 = prepared->spec().sha256});
    found->second.asked = true;
    if (!is_new) return found->second.verdict;
  }
  auto begun = threads_.run([this, prepared] {
    const std::optional<std::string> fault = trial_(prepared->spec());
    {
      std::lock_guard lock(mutex_);
      entries_[prepared->key()].verdict = fault.value_or("");
      ended_.notify_all();
    }
    told_();
  });
  if (begun) return std::nullopt;
  std::lock_guard lock(mutex_);
  entries_[prepared->key()].verdict = begun.error().message;
  return begun.error().message;
}

void TrialDesk::forget_unasked() {
  std::lock_guard lock(mutex_);
  std::erase_if(entries_, [](const auto& entry) { return entry.second.verdict && !entry.second.asked; });
  for (auto& [key, entry] : entries_) entry.asked = false;
}

bool TrialDesk::forget_failures() {
  std::lock_guard lock(mutex_);
  return std::erase_if(entries_, [](const auto& entry) {
           return entry.second.verdict && !entry.second.verdict->empty();
         }) > 0;
}

bool TrialDesk::any_under_way() const {
  std::lock_guard lock(mutex_);
  return is_one_under_way();
}

void TrialDesk::wait(Duration limit) {
  std::unique_lock lock(mutex_);
  ended_.wait_for(lock, limit, [this] { return !is_one_under_way(); });
}

bool TrialDesk::is_one_under_way() const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [](const auto& entry) { return !entry.second.verdict; });
}

std::set<std::string> TrialDesk::under_way() const {
  std::lock_guard lock(mutex_);
  std::set<std::string> hashes;
  for (const auto& [key, entry] : entries_) {
    if (!entry.verdict) hashes.insert(entry.sha256);
  }
  return hashes;
}

std::set<std::string> TrialDesk::failed() const {
  std::lock_guard lock(mutex_);
  std::set<std::string> keys;
  for (const auto& [key, entry] : entries_) {
    if (entry.verdict && !entry.verdict->empty()) keys.insert(key);
  }
  return keys;
}

}  // namespace davit::live
