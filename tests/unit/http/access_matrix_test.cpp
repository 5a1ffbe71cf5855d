// Every route, asked by everybody in every way: who may what, route by route.
#include <gmock/gmock.h>

#include <future>
#include <map>
#include <set>

#include "host/http/caller.h"
#include "tests/support/route_parts.h"

namespace davit::http {
namespace {

using testing::TestedRoutes;

// Who may ask for it. What is not in here does not pass: a new route gets its line.
const std::map<std::string, Access> kMay{
    // Senders prove themselves by their signature; probes of this machine and scripts need no secret.
    {"POST /webhooks/{}", Access::Public},
    {"GET /webhooks/{}", Access::Public},
    {"GET /healthz", Access::Public},
    {"GET /readyz", Access::Public},
    {"GET /metrics", Access::Reader},
    {"GET /", Access::Public},
    // A session is one's own, whatever one may.
    {"POST /api/session", Access::Public},
    {"GET /api/session", Access::Public},
    {"DELETE /api/session", Access::Reader},
    {"GET /api/openapi.json", Access::Reader},
    {"GET /api/dashboard/tasks", Access::Reader},
    {"GET /api/dashboard/tasks/{}", Access::Reader},
    {"GET /api/dashboard/tasks/{}/transcript", Access::Reader},
    {"GET /api/dashboard/tasks/{}/artifacts", Access::Reader},
    {"GET /api/dashboard/tasks/{}/artifacts/{}/{}", Access::Reader},
    {"GET /api/dashboard/deliveries", Access::Reader},
    {"GET /api/dashboard/deliveries/{}", Access::Reader},
    {"GET /api/dashboard/refused-deliveries", Access::Reader},
    {"GET /api/dashboard/plugins", Access::Reader},
    {"GET /api/dashboard/webhooks", Access::Reader},
    {"GET /api/dashboard/agents", Access::Reader},
    {"GET /api/dashboard/queue", Access::Reader},
    {"GET /api/dashboard/agent-stats", Access::Reader},
    {"GET /api/dashboard/cost-breakdown", Access::Reader},
    {"GET /api/dashboard/agent-chain-analytics", Access::Reader},
    {"GET /api/dashboard/overview", Access::Reader},
    {"GET /api/dashboard/series", Access::Reader},
    {"GET /api/dashboard/queue-series", Access::Reader},
    {"GET /api/dashboard/approvals", Access::Reader},
    {"GET /api/dashboard/approvals/history", Access::Reader},
    {"GET /api/dashboard/tasks.csv", Access::Reader},
    {"GET /api/dashboard/tasks.ndjson", Access::Reader},
    {"GET /api/dashboard/cost-breakdown.csv", Access::Reader},
    {"GET /api/dashboard/events", Access::Reader},
    // Who has access, and who did what, is for those who answer for it.
    {"GET /api/dashboard/audit", Access::Admin},
    {"GET /api/tokens", Access::Admin},
    {"POST /api/tokens", Access::Admin},
    {"POST /api/tokens/{}/revoke", Access::Admin},
    {"POST /api/tasks", Access::Admin},
    {"POST /api/tasks/retry", Access::Admin},
    {"POST /api/tasks/bulk/preview", Access::Admin},
    {"POST /api/tasks/bulk", Access::Admin},
    {"POST /api/tasks/{}/cancel", Access::Admin},
    {"POST /api/tasks/{}/retry", Access::Admin},
    {"POST /api/tasks/{}/approve", Access::Admin},
    {"POST /api/tasks/{}/reject", Access::Admin},
    {"POST /api/deliveries/{}/replay", Access::Admin},
    {"POST /api/webhooks/{}/test", Access::Admin},
    {"PUT /api/agents/{}/concurrency", Access::Admin},
    {"DELETE /api/agents/{}/concurrency", Access::Admin},
    {"POST /api/queue/pause", Access::Admin},
    {"POST /api/queue/resume", Access::Admin},
    {"POST /api/plugins/rescan", Access::Admin},
    {"POST /api/plugins/{}/{}/enable", Access::Admin},
    {"POST /api/plugins/{}/{}/disable", Access::Admin},
    {"POST /api/plugins/{}/{}/clear", Access::Admin},
    {"POST /api/reload", Access::Admin},
};

std::string name_of(const Route& route) { return route.method + " " + route.pattern; }

// A path that the pattern fits.
std::string path_of(std::string pattern) {
  for (std::size_t at; (at = pattern.find("{}")) != std::string::npos;) pattern.replace(at, 2, "x");
  return pattern;
}

// The routes with their access, that answer 299 where somebody gets through.
std::vector<Route> open_doors(std::vector<Route> routes) {
  for (Route& route : routes) {
    route.thread = Thread::Io;
    route.answer = [](Exchange exchange) {
      Response through;
      through.status = 299;
      exchange.responder.send(std::move(through));
    };
  }
  return routes;
}

class AccessMatrixTest : public ::testing::Test {
 protected:
  // A browser that signed in with a token, as its secret.
  std::string session_of(const std::string& token) {
    std::promise<std::string> secret;
    parts_.authentication().sign_in(token, "198.51.100.7", {},
                                    [&](Result<std::string> made) { secret.set_value(*made); });
    return secret.get_future().get();
  }
  int asked(const Route& route, std::vector<std::pair<std::string, std::string>> headers) {
    return parts_.ask({route.method, path_of(route.pattern), "", "", std::move(headers)}, doors_).status;
  }
  TestedRoutes parts_;
  std::vector<Route> doors_ = open_doors(parts_.routes());
};

TEST_F(AccessMatrixTest, EveryRouteHasItsLineAndEveryLineItsRoute) {
  std::set<std::string> there;
  for (const Route& route : doors_) {
    EXPECT_TRUE(there.insert(name_of(route)).second) << name_of(route) << " is there twice";
    const auto line = kMay.find(name_of(route));
    ASSERT_NE(line, kMay.end()) << name_of(route) << " has no line in kMay: who may ask for it?";
    EXPECT_EQ(route.access, line->second) << name_of(route);
  }
  for (const auto& [name, access] : kMay) EXPECT_TRUE(there.contains(name)) << name << " is gone";
}

TEST_F(AccessMatrixTest, EveryOperationHasANameOfItsOwn) {
  std::set<std::string> names;
  for (const Route& route : doors_) {
    EXPECT_THAT(route.operation, ::testing::MatchesRegex("[a-z][a-zA-Z]+")) << name_of(route);
    if (route.operation == "getPage") continue;  // the dashboard's own addresses
    EXPECT_TRUE(names.insert(route.operation).second)
        << route.operation << " is not " << name_of(route) << " alone";
  }
}

// Acting is an admin's alone, but for one's own session; so a route that is both unsafe and a reader's is
// looked at twice.
TEST_F(AccessMatrixTest, AReaderActsOnNothingButHisSession) {
  for (const auto& [name, access] : kMay) {
    if (name.starts_with("GET ") || access == Access::Admin) continue;
    EXPECT_THAT(name, ::testing::AnyOf("POST /webhooks/{}", "POST /api/session", "DELETE /api/session"));
  }
}

TEST_F(AccessMatrixTest, EveryRoleGetsWhatIsItsInEveryWay) {
  struct Person {
    std::string name, token, session;
    bool reads, acts;
  };
  const std::vector<Person> people{
      {"reader", TestedRoutes::kReader, session_of(TestedRoutes::kReader), true, false},
      {"admin", TestedRoutes::kAdmin, session_of(TestedRoutes::kAdmin), true, true},
      {"nobody", "a-token-of-nobody", std::string(64, '0'), false, false}};
  for (const Route& route : doors_) {
    SCOPED_TRACE(name_of(route));
    parts_.clock().advance(6 * WrongTokenLimit::kEach);  // no more wrong tokens than that come to a route
    const bool open = route.access == Access::Public;
    EXPECT_EQ(asked(route, {}), open ? 299 : 401) << "without anything";
    for (const Person& person : people) {
      SCOPED_TRACE(person.name);
      const bool may = open || (route.access == Access::Reader ? person.reads : person.acts);
      const int refused = person.reads ? 403 : 401;
      const bool unsafe = is_unsafe(route.method);
      EXPECT_EQ(asked(route, {{"Authorization", "Bearer " + person.token}}), may ? 299 : refused);
      const std::pair<std::string, std::string> cookie{"Cookie", "davit_session=" + person.session};
      const std::pair<std::string, std::string> csrf{"X-CSRF-Token", csrf_token(person.session)};
      const int alone = asked(route, {cookie});
      EXPECT_EQ(alone, open || (may && !unsafe) ? 299 : refused) << "a cookie alone";
      EXPECT_EQ(asked(route, {cookie, csrf}), may ? 299 : refused) << "a cookie with its CSRF token";
      EXPECT_EQ(asked(route, {cookie, {"X-CSRF-Token", csrf_token("another")}}),
                open || (may && !unsafe) ? 299 : refused)
          << "a cookie with the CSRF token of another session";
      EXPECT_EQ(asked(route, {cookie, csrf, {"Sec-Fetch-Site", "same-site"}}),
                open || (may && !unsafe) ? 299 : refused)
          << "from a page of another host of the same site";
      EXPECT_EQ(asked(route, {cookie, csrf, {"Host", "davit.test"}, {"Origin", "https://evil.test"}}),
                open || (may && !unsafe) ? 299 : refused)
          << "from a page of another origin";
      EXPECT_EQ(asked(route, {cookie, csrf, {"Authorization", "Bearer wrong"}}), open ? 299 : 401)
          << "a wrong token beside a cookie: the token counts";
      EXPECT_EQ(asked(route, {cookie, cookie, csrf}), open ? 299 : 401) << "two cookies of that name";
    }
  }
}

TEST_F(AccessMatrixTest, EveryActLeavesALineAndLookingLeavesNone) {
  const std::string session = session_of(TestedRoutes::kAdmin);
  std::multiset<std::string> acts;
  for (const Route& route : doors_) {
    EXPECT_EQ(asked(route, {{"Cookie", "davit_session=" + session}, {"X-CSRF-Token", csrf_token(session)}}),
              299);
    if (is_unsafe(route.method) && route.access != Access::Public) acts.insert(route.operation);
  }
  std::multiset<std::string> lines;
  for (const AuditEntry& entry : parts_.audit()) {
    lines.insert(entry.operation);
    EXPECT_EQ(entry.actor, "admin");
    EXPECT_EQ(entry.way, "session");
    EXPECT_EQ(entry.outcome, "done");
    EXPECT_EQ(entry.address, "198.51.100.7");
    EXPECT_NE(entry.request_id, "");
  }
  EXPECT_EQ(lines, acts);
}

}  // namespace
}  // namespace davit::http
