// Tokens with names, and the audit log.
#pragma once

#include <vector>

#include "host/base/json.h"
#include "host/http/event_streams.h"
#include "host/http/query.h"
#include "host/http/router.h"
#include "host/store/store.h"

namespace davit::http {

// GET and POST /api/tokens, POST /api/tokens/{name}/revoke, GET /api/dashboard/audit. The arguments outlive
// the routes.
std::vector<Route> access_routes(Authentication& authentication, const store::Store& store,
                                 EventStreams& events, const Clock& clock);

// Without its secret, and without what that could be known by.
void write_token(JsonWriter& writer, const AccessToken& token, WallTime now);
void write_audit_entry(JsonWriter& writer, const AuditEntry& entry);

// What is wrong with a token that is asked for.
std::vector<FieldError> token_mistakes(const AccessToken& token, WallTime now);

}  // namespace davit::http
