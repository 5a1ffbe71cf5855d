// The queue as a whole: what waits, who is paused, what recurs.
#pragma once

#include <vector>

#include "host/base/log.h"
#include "host/http/router.h"
#include "host/plugin/registry.h"
#include "host/store/store.h"

namespace davit::http {

// GET /api/dashboard/queue, POST /api/queue/pause, POST /api/queue/resume. The arguments outlive the routes.
std::vector<Route> queue_routes(store::Store& store, const plugin::Registry& registry, const Clock& clock,
                                Log& log);

}  // namespace davit::http
