// What executions said and left behind: transcripts and artifacts.
#pragma once

#include <vector>

#include "host/http/router.h"
#include "host/store/store.h"

namespace davit::http {

std::vector<Route> execution_routes(const store::Store& store);

}  // namespace davit::http
