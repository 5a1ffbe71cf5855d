// The dashboard as a browser loads it: files that are part of the program, so that there is no folder to be
// found and none to be left.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "host/http/router.h"

namespace davit::http {

// A file of the dashboard's build. All views are of bytes that live as long as the program.
struct DashboardFile {
  std::string_view name;  // "index.html"; all others "assets/…", whose names change with their content
  std::string_view content_type;
  std::string_view hash;   // of `plain`; letters and digits
  std::string_view plain;  // the bytes
  std::string_view gzip;   // the same packed; empty where that saves nothing
};

// The routes of the files, for everybody: they hold no data. Each page's address gives index.html, which is
// asked for anew each time; what is under /assets/ may be kept for ever. Without files there is `/` alone,
// which says how to get them.
std::vector<Route> dashboard_file_routes(std::span<const DashboardFile> files);

}  // namespace davit::http
