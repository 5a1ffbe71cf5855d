// Keeps a process that only rehearses, or is only looked at, from having effects outside of itself.
#pragma once

namespace davit::isolation {

// From now on this process, with all its threads, cannot open a socket, open a file for writing or change one
// by name, its mode, owner and times among that, start a process or signal another one, nor reach the memory
// or the queues of others: these calls fail with EPERM. What is open stays so: the descriptors of the host,
// and its output. It also sets no_new_privs. False where the kernel has no such filter, and then nothing has
// changed. It is a fence, no sandbox: it stops what a plugin does as a matter of course, not one that looks
// for a way around it.
[[nodiscard]] bool fence_off_effects();

// The same, and it cannot take memory that no limit of its address space counts, change limits of others, nor
// enter namespaces.
[[nodiscard]] bool fence_off_effects_of_a_probe();

}  // namespace davit::isolation
