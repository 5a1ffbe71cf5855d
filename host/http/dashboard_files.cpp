#include "host/http/dashboard_files.h"

#include <algorithm>
#include <string>

#include "host/http/error_response.h"
#include "host/http/negotiation.h"

namespace davit::http {
namespace {

// Where the dashboard's own router takes over; src/routes.tsx has the same.
constexpr std::string_view kPages[] = {"/",           "/tasks",         "/tasks/{}", "/approvals", "/agents", "/costs",
                                       "/plugins",    "/deliveries", "/deliveries/{}", "/audit"};

constexpr char kNoDashboard[] = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>davit</title></head>
<body><h1>davit is running</h1>
<p>This program was built without its dashboard, which takes Node.js 20.19 or newer with npm to build.
With these, or a network to get them from, <code>scripts/run</code> builds it.</p>
<p>The API is at <code>/api/dashboard/tasks</code>; send a token with it. Webhooks are at <code>/webhooks/NAME</code>.</p>
</body></html>
)";

// Nothing but our own files, no inline script or style, no frame around it.
void add_page_headers(Response& response) {
  response.headers.emplace_back(
      "Content-Security-Policy",
      "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
      "frame-ancestors 'none'; form-action 'self'");
}

Response file_answer(const DashboardFile& file, const Request& request) {
  const bool packed = !file.gzip.empty() && takes_gzip(request.list("accept-encoding"));
  const bool page = file.name == "index.html";
  const std::string tag = "\"" + std::string(file.hash) + (packed ? "-gzip\"" : "\"");
  Response response;
  response.content_type = file.content_type;
  response.headers.emplace_back("ETag", tag);
  response.headers.emplace_back("Cache-Control", page ? "no-cache" : "public, max-age=31536000, immutable");
  response.headers.emplace_back("Vary", "Accept-Encoding");
  if (page) add_page_headers(response);
  if (has_tag(request.list("if-none-match"), tag)) {
    response.status = 304;
    response.content_type.clear();
    return response;
  }
  if (packed) response.headers.emplace_back("Content-Encoding", "gzip");
  response.body = packed ? file.gzip : file.plain;
  return response;
}

Route page_route(std::string_view pattern, std::function<void(Exchange)> answer) {
  return {"GET", std::string(pattern), Access::Public, Thread::Io, std::move(answer), "getPage"};
}

void answer_without_files(Exchange exchange) {
  Response response;
  response.content_type = "text/html; charset=utf-8";
  response.headers.emplace_back("Cache-Control", "no-cache");
  add_page_headers(response);
  response.body = kNoDashboard;
  exchange.responder.send(std::move(response));
}

}  // namespace

std::vector<Route> dashboard_file_routes(std::span<const DashboardFile> files) {
  const auto index = std::find_if(files.begin(), files.end(),
                                  [](const DashboardFile& file) { return file.name == "index.html"; });
  if (index == files.end()) return {page_route("/", &answer_without_files)};
  std::vector<Route> routes;
  for (const std::string_view page : kPages) {
    routes.push_back(page_route(page, [&index = *index](Exchange exchange) {
      exchange.responder.send(file_answer(index, exchange.request));
    }));
  }
  // The name is compared as it was sent, with the few there are: nothing else can be reached by any spelling.
  routes.push_back(page_route("/assets/{}", [files](Exchange exchange) {
    for (const DashboardFile& file : files) {
      if (file.name == "assets/" + exchange.segments.front())
        return exchange.responder.send(file_answer(file, exchange.request));
    }
    Response missing = problem(404, "", "the dashboard has no such file", exchange.request.request_id);
    missing.close = false;
    exchange.responder.send(std::move(missing));
  }));
  return routes;
}

}  // namespace davit::http
