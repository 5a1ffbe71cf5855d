// What waits for a person, and what was decided.
#pragma once

#include <vector>

#include "host/http/router.h"
#include "host/store/store.h"

namespace davit::http {

// GET /api/dashboard/approvals and approvals/history. The store outlives the routes.
std::vector<Route> approval_routes(const store::Store& store);

}  // namespace davit::http
