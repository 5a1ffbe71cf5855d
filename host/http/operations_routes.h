// /healthz, /readyz, /metrics and /api/reload.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "host/http/router.h"

namespace davit::http {

// One part of the host and whether it works; `problem` is empty when it does.
struct PartHealth {
  std::string part;
  std::string problem;
};

std::vector<Route> operations_routes(std::function<std::vector<PartHealth>()> readiness,
                                     metrics::Metrics& metrics, Access metrics_access);

// What became of a changed configuration: taken over, or refused for its mistakes.
struct Reloaded {
  std::vector<std::string> mistakes;           // a line each; nothing changed if there is any
  std::vector<std::string> notes;              // likewise, of what was taken over
  std::vector<std::string> waits_for_restart;  // keys whose change does
};

// POST /api/reload: what SIGHUP does, with an answer once it is done.
Route reload_route(std::function<void(std::function<void(Reloaded)> done)> reload);

}  // namespace davit::http
