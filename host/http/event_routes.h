// GET /api/dashboard/events: what changes, as server-sent events.
#pragma once

#include <vector>

#include "host/http/event_streams.h"
#include "host/http/router.h"

namespace davit::http {

// `streams` outlives the routes.
std::vector<Route> event_routes(EventStreams& streams);

}  // namespace davit::http
