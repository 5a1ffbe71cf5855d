// What is told of a new snapshot: log lines and metrics.
#pragma once

#include "host/base/log.h"
#include "host/live/live_plugins.h"
#include "host/metrics/metrics.h"
#include "host/plugin/registry.h"

namespace davit::live {

// Is it the same file with the same verdict?
bool is_same(const plugin::LibraryRecord& one, const plugin::LibraryRecord& other);

// One line per change of an instance's state; how often files were refused; who serves and who is in
// quarantine.
void tell_changes(const plugin::Snapshot& before, const plugin::Snapshot& now, const Wanted& wanted,
                  const plugin::Rulings& rulings, Log& log, metrics::Metrics& metrics);

}  // namespace davit::live
