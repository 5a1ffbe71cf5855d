// POST /api/webhooks/{name}/test: a test event, signed by the host itself and taken like one that was sent.
#pragma once

#include <vector>

#include "host/http/router.h"
#include "host/ingest/ingest.h"
#include "host/plugin/registry.h"

namespace davit::http {

std::vector<Route> test_event_routes(ingest::Ingest& ingest, const plugin::Registry& registry,
                                     const Clock& clock, Log& log);

}  // namespace davit::http
