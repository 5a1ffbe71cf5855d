#include "host/http/all_routes.h"

#include <iterator>
#include <utility>

#include "host/http/access_routes.h"
#include "host/http/answers.h"
#include "host/http/approval_routes.h"
#include "host/http/bulk_routes.h"
#include "host/http/dashboard_routes.h"
#include "host/http/event_routes.h"
#include "host/http/execution_routes.h"
#include "host/http/export_routes.h"
#include "host/http/openapi_routes.h"
#include "host/http/plugin_routes.h"
#include "host/http/queue_routes.h"
#include "host/http/session_routes.h"
#include "host/http/stats_routes.h"
#include "host/http/test_event_routes.h"
#include "host/http/webhook_routes.h"

namespace davit::http {

std::vector<Route> all_routes(const RouteParts& parts) {
  std::vector<Route> routes = webhook_routes(parts.ingest, parts.proxies);
  const auto add = [&](std::vector<Route> more) {
    std::move(more.begin(), more.end(), std::back_inserter(routes));
  };
  add(operations_routes(parts.readiness, parts.metrics, parts.metrics_access));
  add(session_routes(parts.authentication, parts.audit, parts.login_limit, parts.events, parts.clock,
                     parts.log, parts.proxies));
  add(dashboard_file_routes(parts.dashboard));
  add(dashboard_routes(parts.store, parts.registry));
  add(execution_routes(parts.store));
  add(event_routes(parts.events, parts.authentication));
  add(action_routes(parts.store, parts.registry, parts.ingest, parts.log));
  add(queue_routes(parts.store, parts.registry, parts.clock, parts.log));
  add(stats_routes(parts.store, parts.clock));
  add(approval_routes(parts.store));
  add(export_routes(parts.store, parts.clock));
  add(bulk_routes(parts.store, parts.clock, parts.log));
  add(plugin_routes(parts.live, parts.registry));
  add(test_event_routes(parts.ingest, parts.registry, parts.clock, parts.log));
  add(access_routes(parts.authentication, parts.store, parts.events, parts.clock));
  add(openapi_routes());
  add({reload_route(parts.reload)});
  // No act has parameters in its address: one that is sent is a mistake, and what it was to bring about would not be.
  for (Route& route : routes)
    if (route.method != "GET" && route.pattern.starts_with("/api/"))
      route.answer = without_query(std::move(route.answer));
  return routes;
}

}  // namespace davit::http
