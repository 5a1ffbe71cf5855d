// A slow bucket for each address that has taken something lately.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "host/base/clock.h"
#include "host/http/slow_bucket.h"

namespace davit::http {

// Confined to one thread at a time. An IPv6 address counts as the /64 it lies in; this machine as one address.
// Costs about the same however many addresses there are.
class AddressBuckets {
 public:
  // That of an address, which is full unless it is known; good until the next call.
  SlowBucket& of(const std::string& address, MonotonicTime now);
  // Null if the address is not known.
  SlowBucket* known(const std::string& address);
  std::size_t size() const { return buckets_.size(); }

  static constexpr std::size_t kMost = 4'096;  // beyond it the fuller half is forgotten, which loses least

 private:
  void make_room(MonotonicTime now);
  std::map<std::uint64_t, SlowBucket> buckets_;
};

}  // namespace davit::http
