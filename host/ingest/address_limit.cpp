#include "host/ingest/address_limit.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

#include "host/base/crypto.h"

namespace davit::ingest {
namespace {

// No address of a sender begins with ff: those are for groups.
constexpr std::uint64_t kIpv4 = 0xffff'ffff'0000'0000;

std::optional<std::uint64_t> ipv4_key(std::uint32_t address) {
  if (address >> 24 == 127) return std::nullopt;
  return kIpv4 | address;
}

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  const std::string bytes = random_bytes(sizeof seed);
  std::memcpy(&seed, bytes.data(), sizeof seed);
  return seed;
}

// The finalizer of splitmix64 (Steele, Lea, Flood 2014): each bit of the input moves half of those of the
// result.
std::uint64_t mixed(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

}  // namespace

std::optional<std::uint64_t> address_key(const std::string& address) {
  in_addr four{};
  if (::inet_pton(AF_INET, address.c_str(), &four) == 1) return ipv4_key(ntohl(four.s_addr));
  in6_addr six{};
  if (::inet_pton(AF_INET6, address.c_str(), &six) != 1 || IN6_IS_ADDR_LOOPBACK(&six)) return std::nullopt;
  std::uint64_t network = 0;
  for (int i = 0; i < 8; ++i) network = network << 8 | six.s6_addr[i];
  if (IN6_IS_ADDR_V4MAPPED(&six)) {
    std::uint32_t mapped = 0;
    for (int i = 12; i < 16; ++i) mapped = mapped << 8 | six.s6_addr[i];
    return ipv4_key(mapped);
  }
  return network;
}

AddressLimit::AddressLimit(Rate rate)
    : rate_(rate), seed_(random_seed()), sets_(std::vector<Set>(rate.per_second > 0 ? kSets : 0)) {}

std::chrono::nanoseconds AddressLimit::take(const std::string& address, MonotonicTime now) {
  const std::optional<std::uint64_t> key = rate_.per_second > 0 ? address_key(address) : std::nullopt;
  if (!key) return std::chrono::nanoseconds(0);
  return sets_.with([&](std::vector<Set>& sets) {
    Set& set = sets[mixed(*key ^ seed_) % kSets];
    Entry* entry = &set.front();
    for (Entry& each : set) {
      if (each.key == *key) return each.bucket.take(rate_, now);
      if (each.bucket.full_at() < entry->bucket.full_at()) entry = &each;
    }
    *entry = {*key, {}};
    return entry->bucket.take(rate_, now);
  });
}

}  // namespace davit::ingest
