// Acting on plugins: switching them on and off, how many executions an agent may have, and looking at
// their folder.
#pragma once

#include <vector>

#include "host/http/router.h"
#include "host/live/live_plugins.h"
#include "host/plugin/registry.h"

namespace davit::http {

std::vector<Route> plugin_routes(live::LivePlugins& live, const plugin::Registry& registry);

}  // namespace davit::http
