// The API behind the dashboard and the command line: reading, and acting on tasks.
#pragma once

#include <vector>

#include "host/http/router.h"
#include "host/ingest/ingest.h"
#include "host/plugin/registry.h"
#include "host/store/store.h"

namespace davit::http {

std::vector<Route> dashboard_routes(store::Store& store, const plugin::Registry& registry);
std::vector<Route> action_routes(store::Store& store, const plugin::Registry& registry,
                                 ingest::Ingest& ingest, Log& log);

}  // namespace davit::http
