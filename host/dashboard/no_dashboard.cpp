// Stands in for the file that pack.mjs writes, where no dashboard is built.
#include "host/dashboard/built_dashboard.h"

namespace davit::dashboard {

std::span<const http::DashboardFile> built_dashboard() { return {}; }

}  // namespace davit::dashboard
