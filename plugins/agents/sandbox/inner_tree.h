// All the processes of one sandbox, seen from outside.
#pragma once

#include "child_process/child_process.h"

namespace sandbox {

// `info` is the pipe bubblewrap has written its --info-fd to, not blocking. Kills what is left in the sandbox
// and returns when nothing is, or after five seconds. Nothing to do where it never began.
//
// bubblewrap's own end is not that of the sandbox: it takes the first process of the namespace with it, but
// the kernel only begins to end the others then.
void end_inner_tree(const child::Descriptor& info);

}  // namespace sandbox
