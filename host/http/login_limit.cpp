#include "host/http/login_limit.h"

namespace davit::http {

std::chrono::nanoseconds LoginLimit::take(const std::string& address, MonotonicTime now) {
  return buckets_.with([&](Buckets& buckets) {
    SlowBucket& own = buckets.addresses.of(address, now);
    const auto own_wait = own.take(kEach, kBurst, now);
    if (own_wait.count() > 0) return own_wait;
    const auto wait = buckets.all.take(kEachOfAll, kBurstOfAll, now);
    if (wait.count() > 0) own.give_back(kEach);
    return wait;
  });
}

void LoginLimit::give_back(const std::string& address) {
  buckets_.with([&](Buckets& buckets) {
    if (SlowBucket* own = buckets.addresses.known(address)) own->give_back(kEach);
    buckets.all.give_back(kEachOfAll);
  });
}

std::chrono::nanoseconds WrongTokenLimit::take(const std::string& address, MonotonicTime now) {
  return addresses_.with(
      [&](AddressBuckets& addresses) { return addresses.of(address, now).take(kEach, kBurst, now); });
}

}  // namespace davit::http
