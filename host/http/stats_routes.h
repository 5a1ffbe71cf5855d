// How agents do, what they cost, and which chains they form.
#pragma once

#include <vector>

#include "host/http/router.h"
#include "host/store/store.h"

namespace davit::http {

// GET /api/dashboard/agent-stats, cost-breakdown, series, queue-series, agent-chain-analytics and overview.
// The arguments outlive the routes.
std::vector<Route> stats_routes(const store::Store& store, const Clock& clock);

}  // namespace davit::http
