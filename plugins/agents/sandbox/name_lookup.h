// The addresses of a name, as this machine finds them.
#pragma once

#include <cstdint>
#include <vector>

#include "child_process/child_process.h"
#include "sandbox/addresses.h"
#include "sandbox/host_rules.h"

namespace sandbox {

// By `getent`, in a process of its own: getaddrinfo() waits as long as it likes, and nobody can end it. Ended
// with this. Confined to one thread.
class NameLookup {
 public:
  // `destination.host` is a name. Throws davit::Failure where getent cannot be started.
  explicit NameLookup(const Destination& destination);

  const child::Descriptor& ended() const { return process_.ended(); }  // readable: call addresses()
  // In the order the system would try them; none: nobody knows the name.
  std::vector<Address> addresses();

 private:
  std::uint16_t port_;
  child::ChildProcess process_;
};

}  // namespace sandbox
