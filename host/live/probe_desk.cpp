#include "host/live/probe_desk.h"

#include "host/plugin/refusal_codes.h"

namespace davit::live {

ProbeDesk::ProbeDesk(plugin::Prober prober, std::function<void()> told)
    : prober_(std::move(prober)), told_(std::move(told)) {}

ProbeDesk::Verdict ProbeDesk::ask(const std::filesystem::path& stored_file) {
  std::lock_guard lock(mutex_);
  if (auto found = verdicts_.find(stored_file); found != verdicts_.end()) {
    Verdict verdict = found->second;
    const auto* refusal = std::get_if<Refusal>(&verdict);
    if (refusal == nullptr || !plugin::is_passing(refusal->code)) verdicts_.erase(found);
    return verdict;
  }
  if (open_.insert(stored_file).second) {
    auto begun = threads_.run([this, stored_file] { probe(stored_file); });
    if (!begun) {
      open_.erase(stored_file);
      return plugin::refuse(plugin::refusal::kProbeFailed, begun.error().message);
    }
  }
  return plugin::refuse(plugin::refusal::kProbing, "It is being looked at");
}

void ProbeDesk::probe(const std::filesystem::path& file) {
  Verdict verdict = prober_(file);
  {
    std::lock_guard lock(mutex_);
    open_.erase(file);
    verdicts_.insert_or_assign(file, std::move(verdict));
    ++verdicts_told_;
    changed_.notify_all();
  }
  told_();
}

void ProbeDesk::forget() {
  std::lock_guard lock(mutex_);
  std::erase_if(verdicts_, [](const auto& entry) {
    const auto* refusal = std::get_if<Refusal>(&entry.second);
    return refusal != nullptr && plugin::is_passing(refusal->code);
  });
}

void ProbeDesk::wait(Duration limit) {
  std::unique_lock lock(mutex_);
  if (open_.empty()) return;
  const std::uint64_t told = verdicts_told_;
  changed_.wait_for(lock, limit, [&] { return verdicts_told_ != told; });
}

}  // namespace davit::live
