// The system calls a confined program is refused.
#pragma once

#include <string>

namespace sandbox {

// A filter for seccomp(2) as bubblewrap takes it: the bytes of its statements. What reaches into the kernel
// beyond what programs need fails with EPERM: namespaces, mounts, modules, keys, tracing, bpf, io_uring,
// perf, clocks, injecting terminal input, sockets of other families than the internet's, local ones and
// routing netlink; and all calls of another machine's numbers. Throws davit::Failure(Permanent) on a machine
// whose numbers it does not know.
std::string call_filter();

}  // namespace sandbox
