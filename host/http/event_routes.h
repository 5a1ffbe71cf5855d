// GET /api/dashboard/events: what changes, as server-sent events.
#pragma once

#include <vector>

#include "host/http/authentication.h"
#include "host/http/event_streams.h"
#include "host/http/router.h"

namespace davit::http {

// A stream ends with the right of who opened it. `streams` outlives the routes, and `authentication` all
// streams.
std::vector<Route> event_routes(EventStreams& streams, const Authentication& authentication);

}  // namespace davit::http
