// What npm built, as a part of the program.
#pragma once

#include <span>

#include "host/http/dashboard_files.h"

namespace davit::dashboard {

// The files of the dashboard; none in a program that was built without it.
std::span<const http::DashboardFile> built_dashboard();

}  // namespace davit::dashboard
