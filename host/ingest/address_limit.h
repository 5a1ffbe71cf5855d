// How many requests one address may send: a token bucket for each, in a table that never grows.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/base/guarded.h"
#include "host/base/token_bucket.h"

namespace davit::ingest {

// What an address counts as: itself for IPv4, the /64 it lies in for IPv6, where one customer has that many.
// Nullopt for this machine itself and for what is no address: whoever comes from there is the operator, or a
// proxy that was not named as one, and a limit would punish all its clients for one of them.
std::optional<std::uint64_t> address_key(const std::string& address);

// Thread-safe. Costs the same however many addresses there are.
//
// The table is built like a processor's cache: an address can stand in the few places of its set only, and if
// all are taken the fullest bucket is forgotten, since it loses least: a new one is full. So a flood from
// many addresses pushes out idle ones before busy ones. Which set an address falls into is not to be guessed.
class AddressLimit {
 public:
  explicit AddressLimit(Rate rate);

  // Zero if a request of this address may pass; else how long it shall wait.
  std::chrono::nanoseconds take(const std::string& address, MonotonicTime now);

  static constexpr std::size_t kSets = 2048;
  static constexpr std::size_t kPlaces = 8;

 private:
  struct Entry {
    std::uint64_t key = 0;
    TokenBucket bucket;
  };
  using Set = std::array<Entry, kPlaces>;

  const Rate rate_;
  const std::uint64_t seed_;
  Guarded<std::vector<Set>> sets_;
};

}  // namespace davit::ingest
