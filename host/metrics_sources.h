// What the metrics are told by the store: what was counted before this start, and what is asked for at each scrape.
#pragma once

#include <filesystem>

#include "host/base/clock.h"
#include "host/base/result.h"
#include "host/metrics/metrics.h"
#include "host/store/store.h"

namespace davit {

// Counters go on where they were.
Result<> restore_metrics(const store::Store& store, metrics::Metrics& metrics);

// Queue, budgets and database; the disk is the one of `state_folder`. The store and the clock outlive what `metrics`
// is asked.
void ask_store(metrics::Metrics& metrics, store::Store& store, const std::filesystem::path& state_folder,
               const Clock& clock);

}  // namespace davit
