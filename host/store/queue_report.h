// How deep the queue is, and when something in it is due.
//
// Functions over one read connection; confined to whoever has borrowed it.
#pragma once

#include "host/store/readers.h"
#include "host/store/store.h"

namespace davit::store {

Result<QueueReport> read_queue(Reader& reader, const BudgetLimits& limits, WallTime now);
// See Store::next_run_at().
Result<std::optional<WallTime>> read_next_run_at(Reader& reader, const BudgetLimits& limits, WallTime since);

}  // namespace davit::store
