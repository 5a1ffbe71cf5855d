// Keeps a process that runs foreign code from signalling the processes that care for it.
#pragma once

namespace davit::isolation {

// From now on this process, all its threads and children cannot send a signal to its parent (the host), to
// that one's parent (the supervisor), nor to everybody at once: the calls fail with EPERM. It also gives up
// privileges from set-user-ID programs (no_new_privs), without which the kernel allows no such filter.
// Call it before the foreign code. Where the kernel has no filters, nothing changes. It is a fence, no
// sandbox: who looks for the host's other threads in /proc finds a way around it.
void fence_off_parents();

}  // namespace davit::isolation
