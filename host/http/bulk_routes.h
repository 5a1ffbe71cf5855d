// Acting on many tasks at once: first they are shown, then just those are acted on.
#pragma once

#include <vector>

#include "host/base/log.h"
#include "host/http/router.h"
#include "host/store/store.h"

namespace davit::http {

// POST /api/tasks/bulk/preview and /api/tasks/bulk. The arguments outlive the routes.
std::vector<Route> bulk_routes(store::Store& store, const Clock& clock, Log& log);

}  // namespace davit::http
