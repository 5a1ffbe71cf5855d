// Keeps a process that runs foreign code from signalling the processes that care for it.
#pragma once

namespace davit::isolation {

// From now on this process, all its threads and children cannot send a signal to its parent (the host), to
// that one's parent (the supervisor), to a thread that either has by now, nor to everybody at once; nor let
// the kernel send one, by making somebody the owner of a descriptor; nor change their limits, priority or
// scheduling, or trace them: the calls fail with EPERM. It also gives up privileges from set-user-ID programs
// (no_new_privs), without which the kernel allows no such filter. Call it before the foreign code. Where the
// kernel has no filters, nothing changes. It is a fence, no sandbox: who looks in /proc for the host's later
// threads, or sends by a descriptor of its folder there, finds a way around it.
void fence_off_parents();

// The same, and parents_were_signalled() tells whether this process has tried. Of what it starts, another
// program that tries is ended by SIGSYS.
void fence_off_parents_and_watch();
bool parents_were_signalled();

}  // namespace davit::isolation
