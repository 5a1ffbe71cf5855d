// Signing in, saying who one is, signing out.
#pragma once

#include <vector>

#include "host/http/event_streams.h"
#include "host/http/login_limit.h"
#include "host/http/router.h"

namespace davit::http {

// POST, GET and DELETE /api/session. The arguments but the last outlive the routes.
std::vector<Route> session_routes(Authentication& authentication, AuditLog& audit, LoginLimit& limit,
                                  EventStreams& events, const Clock& clock, Log& log,
                                  TrustedProxies proxies);

}  // namespace davit::http
