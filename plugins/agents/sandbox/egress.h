// The only way out of a sandbox whose network namespace is empty: a proxy in this process.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <thread>

#include "child_process/child_process.h"
#include "sandbox/host_rules.h"

namespace sandbox {

// That a program wanted to reach a host.
struct Attempt {
  std::string host;  // empty: the request could not be read
  std::uint16_t port = 0;
  bool allowed = false;
  std::string why;  // one line; of an allowed one the address it led to
};

// Answers CONNECT for the hosts of `rules`, passing bytes on as they are: what is said is between the program
// and the host (TLS). A host that is not among them is not even looked up, because the name itself would tell
// something. One that is is looked up here; the address is judged (addresses.h) and that very address
// connected to. It does not see what is said: whoever has an account at a host that is allowed can be told
// things there.
//
// A thread of its own, joined in the destructor, which waits for nobody.
class Egress {
 public:
  // By that thread; must not throw. The same attempt is told once; at most 200 are.
  using Tell = std::function<void(const Attempt&)>;

  // Listening sockets, made where the programs are, come through `handover` (SCM_RIGHTS, one a message).
  Egress(HostRules rules, bool allow_private, child::Descriptor handover, Tell tell);
  ~Egress();
  Egress(const Egress&) = delete;
  Egress& operator=(const Egress&) = delete;

 private:
  child::Descriptor stop_;  // readable: end
  std::thread thread_;
};

}  // namespace sandbox
