// Every route that the host has, for the host itself and for what describes and tests the API.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "host/http/dashboard_files.h"
#include "host/http/event_streams.h"
#include "host/http/login_limit.h"
#include "host/http/operations_routes.h"
#include "host/http/router.h"
#include "host/ingest/ingest.h"
#include "host/live/live_plugins.h"
#include "host/plugin/registry.h"
#include "host/store/store.h"

namespace davit::http {

// What answers. All references outlive the routes.
struct RouteParts {
  store::Store& store;
  const plugin::Registry& registry;
  ingest::Ingest& ingest;
  live::LivePlugins& live;
  metrics::Metrics& metrics;
  Authentication& authentication;
  AuditLog& audit;
  LoginLimit& login_limit;
  EventStreams& events;
  Log& log;
  const Clock& clock;
  TrustedProxies proxies;
  Access metrics_access = Access::Reader;
  std::span<const DashboardFile> dashboard;
  std::function<std::vector<PartHealth>()> readiness;
  Reload reload;
};

// Where two patterns fit a path, the first one answers.
std::vector<Route> all_routes(const RouteParts& parts);

}  // namespace davit::http
