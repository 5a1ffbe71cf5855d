#include "host/http/address_buckets.h"

#include <algorithm>
#include <vector>

#include "host/ingest/address_limit.h"

namespace davit::http {
namespace {

std::uint64_t key_of(const std::string& address) { return ingest::address_key(address).value_or(0); }

}  // namespace

SlowBucket& AddressBuckets::of(const std::string& address, MonotonicTime now) {
  const std::uint64_t key = key_of(address);
  if (const auto found = buckets_.find(key); found != buckets_.end()) return found->second;
  if (buckets_.size() >= kMost) make_room(now);
  return buckets_[key];
}

SlowBucket* AddressBuckets::known(const std::string& address) {
  const auto found = buckets_.find(key_of(address));
  return found == buckets_.end() ? nullptr : &found->second;
}

// Half of them at once, so that a flood from ever new addresses does not have all looked through each time.
void AddressBuckets::make_room(MonotonicTime now) {
  std::erase_if(buckets_, [&](const auto& each) { return each.second.full_at() <= now; });
  if (buckets_.size() < kMost) return;
  std::vector<MonotonicTime> times;
  times.reserve(buckets_.size());
  for (const auto& [key, bucket] : buckets_) times.push_back(bucket.full_at());
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  std::erase_if(buckets_, [&](const auto& each) { return each.second.full_at() <= *middle; });
}

}  // namespace davit::http
