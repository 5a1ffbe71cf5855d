// Tables to take away.
#pragma once

#include <vector>

#include "host/http/router.h"
#include "host/store/store.h"

namespace davit::http {

// GET /api/dashboard/tasks.csv, tasks.ndjson and cost-breakdown.csv. The arguments outlive the routes.
std::vector<Route> export_routes(const store::Store& store, const Clock& clock);

}  // namespace davit::http
