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

// Does it, and calls `done` once it is; for the log, which request asks for it.
using Reload = std::function<void(const std::string& request_id, std::function<void(Reloaded)> done)>;

// POST /api/reload: what SIGHUP does, with an answer once it is done.
Route reload_route(Reload reload);

}  // namespace davit::http
