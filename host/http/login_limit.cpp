#include "host/http/login_limit.h"

#include <algorithm>

#include "host/ingest/address_limit.h"

namespace davit::http {
namespace {

std::uint64_t key_of(const std::string& address) { return ingest::address_key(address).value_or(0); }

}  // namespace

std::chrono::nanoseconds LoginLimit::take(const std::string& address, MonotonicTime now) {
  return buckets_.with([&](Buckets& buckets) {
    if (buckets.addresses.size() >= kMostAddresses) {
      std::erase_if(buckets.addresses, [&](const auto& each) { return each.second.full_at() <= now; });
      if (buckets.addresses.size() >= kMostAddresses) {
        buckets.addresses.erase(std::min_element(
            buckets.addresses.begin(), buckets.addresses.end(),
            [](const auto& a, const auto& b) { return a.second.full_at() < b.second.full_at(); }));
      }
    }
    SlowBucket& own = buckets.addresses[key_of(address)];
    const auto own_wait = own.take(kEach, kBurst, now);
    if (own_wait.count() > 0) return own_wait;
    const auto wait = buckets.all.take(kEachOfAll, kBurstOfAll, now);
    if (wait.count() > 0) own.give_back(kEach);
    return wait;
  });
}

void LoginLimit::give_back(const std::string& address) {
  buckets_.with([&](Buckets& buckets) {
    if (const auto found = buckets.addresses.find(key_of(address)); found != buckets.addresses.end())
      found->second.give_back(kEach);
    buckets.all.give_back(kEachOfAll);
  });
}

}  // namespace davit::http
