// A probe has a thread for its time: probes are rare, and a host without new libraries shall have no thread
// for them. The threads are detached; the destructor waits until the last has left.
#include "host/live/probe_desk.h"

#include <pthread.h>

#include <system_error>
#include <thread>

#include "host/plugin/refusal_codes.h"

namespace davit::live {

ProbeDesk::ProbeDesk(plugin::Prober prober, std::function<void()> told)
    : prober_(std::move(prober)), told_(std::move(told)) {}

ProbeDesk::~ProbeDesk() {
  std::unique_lock lock(mutex_);
  ending_ = true;
  waiting_.clear();
  changed_.wait(lock, [this] { return working_ == 0; });
}

ProbeDesk::Verdict ProbeDesk::ask(const std::filesystem::path& stored_file) {
  std::lock_guard lock(mutex_);
  if (auto found = verdicts_.find(stored_file); found != verdicts_.end()) {
    Verdict verdict = found->second;
    const auto* refusal = std::get_if<Refusal>(&verdict);
    if (refusal == nullptr || !plugin::is_passing(refusal->code)) verdicts_.erase(found);
    return verdict;
  }
  if (open_.insert(stored_file).second) {
    waiting_.push_back(stored_file);
    if (working_ < kAtOnce) {
      try {
        std::thread([this] { work(); }).detach();
        ++working_;
      } catch (const std::system_error& failure) {
        if (working_ == 0) {
          waiting_.clear();
          open_.erase(stored_file);
          return plugin::refuse(plugin::refusal::kProbeFailed,
                                std::string("No thread to be had: ") + failure.what());
        }
      }
    }
  }
  return plugin::refuse(plugin::refusal::kProbing, "It is being looked at");
}

void ProbeDesk::work() {
  pthread_setname_np(pthread_self(), "davit-probe");
  std::unique_lock lock(mutex_);
  while (!waiting_.empty()) {
    std::filesystem::path file = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    Verdict verdict = prober_(file);
    lock.lock();
    open_.erase(file);
    verdicts_.insert_or_assign(std::move(file), std::move(verdict));
    ++verdicts_told_;
    changed_.notify_all();
    if (ending_) break;
    lock.unlock();
    told_();
    lock.lock();
  }
  --working_;
  changed_.notify_all();
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
