#include "host/live/probe_desk.h"

#include "host/plugin/refusal_codes.h"

namespace davit::live {
namespace {

bool may_pass(const ProbeDesk::Verdict& verdict) {
  const auto* refusal = std::get_if<Refusal>(&verdict);
  return refusal != nullptr && plugin::is_passing(refusal->code);
}

// Of what takes much memory until its time is up, nobody knows either whether it would have come back.
bool did_not_come_back(const ProbeDesk::Verdict& verdict) {
  const auto* refusal = std::get_if<Refusal>(&verdict);
  return refusal != nullptr && (refusal->code == plugin::refusal::kProbeTimeout.code ||
                                refusal->code == plugin::refusal::kProbeMemory.code);
}

}  // namespace

ProbeDesk::ProbeDesk(Prober prober, std::function<void()> told)
    : prober_(std::move(prober)), told_(std::move(told)) {}

ProbeDesk::~ProbeDesk() {
  std::lock_guard lock(mutex_);
  ending_ = true;
}

ProbeDesk::Verdict ProbeDesk::ask(const std::filesystem::path& stored_file) {
  std::lock_guard lock(mutex_);
  if (auto found = verdicts_.find(stored_file); found != verdicts_.end()) {
    Verdict verdict = found->second;
    if (!may_pass(verdict)) verdicts_.erase(found);
    return verdict;
  }
  if (open_.insert(stored_file).second) {
    auto& queue = retried_.contains(stored_file) ? patient_ : new_;
    queue.push_back(stored_file);
    if (auto begun = threads_.run([this] { work(); }); !begun) {
      queue.pop_back();
      open_.erase(stored_file);
      return plugin::refuse(plugin::refusal::kProbeFailed, begun.error().message);
    }
  }
  return plugin::refuse(plugin::refusal::kProbing, "It is being looked at");
}

// Nullopt also while something waits that others will take: whoever ends a patient look asks again.
std::optional<ProbeDesk::Next> ProbeDesk::take_next() {
  const bool is_new = !new_.empty();
  auto& queue = is_new ? new_ : patient_;
  if (ending_ || queue.empty() || (!is_new && patient_now_ == kPatientAtOnce)) return std::nullopt;
  Next next{std::move(queue.front()), is_new ? Look::Short : Look::Patient};
  queue.pop_front();
  if (!is_new) ++patient_now_;
  return next;
}

void ProbeDesk::work() {
  std::unique_lock lock(mutex_);
  while (auto next = take_next()) {
    lock.unlock();
    Verdict verdict = prober_(next->file, next->look);
    lock.lock();
    if (next->look == Look::Patient) --patient_now_;
    if (next->look == Look::Short && did_not_come_back(verdict)) {
      patient_.push_back(std::move(next->file));
      continue;
    }
    open_.erase(next->file);
    if (may_pass(verdict))
      retried_.insert(next->file);
    else
      retried_.erase(next->file);
    verdicts_.insert_or_assign(std::move(next->file), std::move(verdict));
    ++verdicts_told_;
    changed_.notify_all();
    lock.unlock();
    told_();
    lock.lock();
  }
}

void ProbeDesk::forget() {
  std::lock_guard lock(mutex_);
  std::erase_if(verdicts_, [](const auto& entry) { return may_pass(entry.second); });
}

std::set<std::string> ProbeDesk::under_way() const {
  std::lock_guard lock(mutex_);
  std::set<std::string> hashes;
  for (const std::filesystem::path& file : open_) hashes.insert(file.stem().string());
  return hashes;
}

void ProbeDesk::wait(Duration limit) {
  std::unique_lock lock(mutex_);
  if (open_.empty()) return;
  const std::uint64_t told = verdicts_told_;
  changed_.wait_for(lock, limit, [&] { return verdicts_told_ != told; });
}

}  // namespace davit::live
