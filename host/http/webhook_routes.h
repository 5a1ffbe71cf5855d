// POST /webhooks/{name}: from a request to a Delivery, and from an Outcome to the answer.
#pragma once

#include <vector>

#include "host/http/client_address.h"
#include "host/http/router.h"
#include "host/ingest/ingest.h"

namespace davit::http {

std::vector<Route> webhook_routes(ingest::Ingest& ingest, TrustedProxies proxies);

// The answer for an outcome (design, part 2.3). Exposed for its test.
Response webhook_response(const ingest::Outcome& outcome, std::string_view request_id);

}  // namespace davit::http
