// The routes of the host and the operations of its description are the same, for the same callers.
#include <gtest/gtest.h>

#include <set>

#include "tests/api/description.h"
#include "tests/support/route_parts.h"

namespace davit::testing {
namespace {

// As text, so that a difference is read at a glance: "GET /api/dashboard/tasks/{} listArtifacts reader".
std::string line_of(const std::string& method, std::string path, const std::string& id, const std::string& role) {
  for (std::size_t at = 0; (at = path.find('{', at)) != std::string::npos; ++at)
    path.replace(at, path.find('}', at) + 1 - at, "{}");
  return method + " " + path + " " + id + " " + role;
}

std::string role_of(http::Access access) {
  switch (access) {
    case http::Access::Public:
      return "public";
    case http::Access::Reader:
      return "reader";
    case http::Access::Admin:
      return "admin";
  }
  return "";
}

TEST(RoutesTest, EachIsDescribedAndNothingElseIs) {
  std::set<std::string> routes, operations;
  TestedRoutes parts;
  for (const http::Route& route : parts.routes()) {
    if (route.operation == "getPage") continue;  // the dashboard's own addresses
    routes.insert(line_of(route.method, route.pattern, route.operation, role_of(route.access)));
  }
  const Description description;
  for (const Operation& operation : description.operations())
    operations.insert(line_of(operation.method, operation.path, operation.id, operation.role));
  for (const std::string& route : routes)
    EXPECT_TRUE(operations.contains(route)) << "host/http/openapi.json does not describe " << route;
  for (const std::string& operation : operations) EXPECT_TRUE(routes.contains(operation)) << "there is no " << operation;
}

}  // namespace
}  // namespace davit::testing
