// Built into davit, and into tests that fork as it does, where a sanitizer is. A crash must stay the crash
// that it is, for the host's processes judge each other by how they end; a data race must end the process
// that has it; a stop that a hook holds up for too long leaves the threads behind, and ends as it would
// otherwise.
extern "C" const char* __asan_default_options() { return "handle_segv=0:handle_abort=0:handle_sigbus=0"; }
extern "C" const char* __tsan_default_options() {
  return "handle_segv=0:handle_abort=0:handle_sigbus=0:die_after_fork=0:halt_on_error=1:"
         "report_thread_leaks=0";
}
