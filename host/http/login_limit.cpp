#include "host/http/login_limit.h"

#include <algorithm>

namespace davit::http {
namespace {

constexpr std::size_t kFewTokens = 64;  // only tokens that are good come here, which are bounded themselves

}  // namespace

std::chrono::nanoseconds LoginLimit::wait_of(const std::string& address, MonotonicTime now) {
  return buckets_.with([&](Buckets& buckets) {
    const SlowBucket* own = buckets.addresses.known(address);
    return std::max(own ? own->wait(kEach, kBurst, now) : std::chrono::nanoseconds(0),
                    buckets.all.wait(kEachOfAll, kBurstOfAll, now));
  });
}

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

std::chrono::nanoseconds LoginLimit::take_right(const std::string& token_sha256, MonotonicTime now) {
  return buckets_.with([&](Buckets& buckets) {
    if (buckets.tokens.size() >= kFewTokens)
      std::erase_if(buckets.tokens, [&](const auto& each) { return each.second.full_at() <= now; });
    return buckets.tokens[token_sha256].take(kEachOfToken, kBurstOfToken, now);
  });
}

std::chrono::nanoseconds WrongTokenLimit::take(const std::string& address, MonotonicTime now) {
  return addresses_.with(
      [&](AddressBuckets& addresses) { return addresses.of(address, now).take(kEach, kBurst, now); });
}

}  // namespace davit::http
