// GET /api/openapi.json.
#pragma once

#include <vector>

#include "host/http/router.h"

namespace davit::http {

std::vector<Route> openapi_routes();

}  // namespace davit::http
