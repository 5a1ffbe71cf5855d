// /healthz, /readyz, /metrics and what a browser sees before the dashboard is built.
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

}  // namespace davit::http
