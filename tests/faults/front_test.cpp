// config/nginx/davit.conf with real nginx, certificates and TLS: what it lets through, to whom, how; and what
// becomes of senders while nginx is reloaded, davit started again, or one of them leaves in the middle.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/faults/books.h"
#include "tests/faults/curl.h"
#include "tests/faults/demo_delivery.h"
#include "tests/faults/event_server.h"
#include "tests/faults/nginx.h"
#include "tests/faults/processes.h"
#include "tests/integration/raw_client.h"
#include "tests/support/http_responder.h"
#include "tests/support/running_host.h"

namespace davit::faults {
namespace {

using namespace std::chrono_literals;
using ::davit::testing::RunningHost;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kAlive = "GET /healthz HTTP/1.1\r\nHost: davit.test\r\n\r\n";

std::string delivery_request(const std::string& id, const std::string& body) {
  return "POST /webhooks/github HTTP/1.1\r\nHost: davit.test\r\nContent-Type: application/json\r\n"
         "X-GitHub-Event: issues\r\nX-GitHub-Delivery: " +
         id + "\r\nX-Hub-Signature-256: " + RunningHost::github_signature(body) +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

// Connections that are open now between anybody here and this port.
int established_to(int port) {
  std::ifstream table("/proc/net/tcp");
  char wanted[32];
  std::snprintf(wanted, sizeof wanted, " 0100007F:%04X 01 ", port);
  int count = 0;
  for (std::string line; std::getline(table, line);) {
    if (line.find(wanted) != std::string::npos) ++count;
  }
  return count;
}

class NginxTest : public ::testing::Test {
 protected:
  void SetUp() override { begin(""); }
  void begin(const std::string& server_options) {
    host.install(DAVIT_BUILD_DIR "/plugins/github.so");
    host.server_options = server_options;
    host.configure(
        "webhooks:\n  github: {secret_env: GITHUB_WEBHOOK_SECRET, replay_window: 0s, isolation: inprocess, "
        "config: {agent: nobody}}\n");
    ASSERT_TRUE(host.start()) << host.log();
  }
  // From now on davit comes back on the port it has.
  void keep_port() {
    const auto file = host.folder() / "davit.yaml";
    std::string text = *read_file(file);
    const std::string any = "port: 0";
    text.replace(text.find(any), any.size(), "port: " + std::to_string(host.port()));
    std::ofstream(file) << text;
  }
  RunningHost host;
};

// ---- the file

TEST_F(NginxTest, TheSnippetIsAcceptedWithoutAWarning) { EXPECT_EQ(Nginx(host.port()).complaint(), ""); }

TEST_F(NginxTest, TheShippedFileIsAcceptedAsItIs) {
  Nginx nginx(host.port());
  nginx.take_shipped_file();
  if (::geteuid() == 0) {
    EXPECT_EQ(nginx.complaint(), "");
  } else {
    EXPECT_THAT(nginx.complaint(), HasSubstr("bind() to 0.0.0.0:80 failed (13"));  // the files were fine
  }
}

TEST_F(NginxTest, ABrokenSnippetWouldBeSeen) {
  Nginx broken(70'000);  // no such port
  EXPECT_THAT(broken.complaint(), HasSubstr("70000"));
}

// ---- TLS

TEST_F(NginxTest, BrowsersGetHttp2AndOthersWhatTheyAskFor) {
  Nginx nginx(host.port());
  ASSERT_TRUE(nginx.start()) << nginx.output();
  const std::string tell = "-o /dev/null -w '%{http_version} %{http_code}' ";
  EXPECT_EQ(curl(nginx, "/healthz", tell + "--http2"), "2 200");
  EXPECT_EQ(curl(nginx, "/healthz", tell + "--http1.1"), "1.1 200");
  EXPECT_EQ(curl(nginx, "/healthz", tell + "--tlsv1.3"), "2 200");
  EXPECT_EQ(curl(nginx, "/healthz", tell + "--tlsv1.2 --tls-max 1.2"), "2 200");
}

TEST_F(NginxTest, OldProtocolsAndCiphersWithoutForwardSecrecyAreRefused) {
  const std::string old = "-o /dev/null -w '%{http_code}' --tlsv1.0 --tls-max 1.1 --ciphers ALL:@SECLEVEL=0";
  const std::string weak = "-o /dev/null -w '%{http_code}' --tls-max 1.2 --ciphers ECDHE-ECDSA-AES128-SHA256";
  Nginx nginx(host.port());
  ASSERT_TRUE(nginx.start()) << nginx.output();
  EXPECT_EQ(curl(nginx, "/healthz", old), "000exit 35");
  EXPECT_EQ(curl(nginx, "/healthz", weak), "000exit 35");
  // The known-bad variant: the same client gets in where they are let in.
  Nginx lax(host.port(), {{"ssl_protocols TLSv1.2 TLSv1.3;", "ssl_protocols TLSv1 TLSv1.1 TLSv1.2;"},
                          {"ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256", "ssl_ciphers ALL:@SECLEVEL=0"}});
  ASSERT_TRUE(lax.start()) << lax.output();
  EXPECT_EQ(curl(lax, "/healthz", old), "200");
  EXPECT_EQ(curl(lax, "/healthz", weak), "200");
}

TEST_F(NginxTest, EveryAnswerSaysThatTlsIsToBeUsed) {
  Nginx nginx(host.port());
  ASSERT_TRUE(nginx.start()) << nginx.output();
  for (const char* path : {"/healthz", "/metrics", "/webhooks/nobody", "/api/dashboard/tasks"})
    EXPECT_THAT(curl(nginx, path, "-o /dev/null -D -"),
                HasSubstr("strict-transport-security: max-age=63072000\r\n"))
        << path;
  host.end(SIGTERM);
  EXPECT_THAT(curl(nginx, "/healthz", "-o /dev/null -D -"),
              AllOf(HasSubstr(" 503"), HasSubstr("strict-transport-security: max-age=63072000\r\n")));
}

TEST_F(NginxTest, WithoutTlsThereIsOnlyTheWayToIt) {
  Nginx nginx(host.port());
  ASSERT_TRUE(nginx.start()) << nginx.output();
  for (const std::string& request : {kAlive, delivery_request(new_id(), labeled_issue())}) {
    test::RawClient client(nginx.plain_port());
    client.send(request);
    const auto answer = client.read_answer();
    EXPECT_EQ(answer.status, 308) << answer.head;
    EXPECT_THAT(answer.header("Location"), ::testing::StartsWith("https://davit.test/"));
  }
  test::RawClient proof(nginx.plain_port());
  proof.send(test::get("/.well-known/acme-challenge/none"));
  EXPECT_EQ(proof.read_answer().status, 404);
  EXPECT_EQ(host.end(SIGTERM), 0);
  EXPECT_TRUE(delivery_keys(host.folder() / "davit.db").empty());
}

// ---- what passes

TEST_F(NginxTest, DeliveriesPassAndSmallAndLargeOnesKeepTheirBytes) {
  Nginx nginx(host.port());
  ASSERT_TRUE(nginx.start()) << nginx.output();
  const std::string small = labeled_issue();
  const std::string large =
      "{\"padding\":\"" + std::string(2 << 20, 'x') + "\"," + small.substr(small.find('{') + 1);
  std::set<std::string> sent;
  test::RawClient client(nginx.port());
  for (const std::string& body : {small, large, small}) {
    const std::string id = new_id();
    client.send(delivery_request(id, body));
    const auto answer = client.read_answer();
    EXPECT_EQ(answer.status, 202) << answer.head << answer.body;
    sent.insert(id);
    // The same over HTTP/2.
    const std::string second = new_id(), file = (host.folder() / "body").string();
    std::ofstream(file) << body;
    EXPECT_EQ(
        curl(nginx, "/webhooks/github",
             "--http2 -o /dev/null -w '%{http_version} %{http_code}' -H 'Content-Type: application/json' "
             "-H 'X-GitHub-Event: issues' -H 'X-GitHub-Delivery: " +
                 second + "' -H 'X-Hub-Signature-256: " + RunningHost::github_signature(body) +
                 "' --data-binary @" + file),
        "2 202");
    sent.insert(second);
  }
  EXPECT_EQ(host.end(SIGTERM), 0);
  EXPECT_EQ(delivery_keys(host.folder() / "davit.db"), sent);
}

TEST_F(NginxTest, OneConnectionToDavitIsKeptForManyRequests) {
  Nginx nginx(host.port());
  ASSERT_TRUE(nginx.start()) << nginx.output();
  for (int i = 0; i < 20; ++i) {
    test::RawClient client(nginx.port());
    client.send(kAlive);
    EXPECT_EQ(client.read_answer().status, 200);
  }
  EXPECT_EQ(established_to(host.port()), 1);
}

TEST_F(NginxTest, EventsPassAsTheyComeAndWhoLeavesIsGone) {
  EventServer events;
  Nginx nginx(events.port());
  ASSERT_TRUE(nginx.start()) << nginx.output();
  test::RawClient listener(nginx.port());
  listener.send("GET /api/dashboard/events HTTP/1.1\r\nHost: davit.test\r\nLast-Event-ID: 7\r\n\r\n");
  ASSERT_TRUE(listener.read_until("text/event-stream"));
  ASSERT_TRUE(eventually([&] { return events.listeners() == 1; }, 10s));
  EXPECT_THAT(events.heads().at(0), HasSubstr("\r\nLast-Event-ID: 7\r\n"));
  for (const char* text : {"first", "second"}) {
    events.publish(text);
    EXPECT_TRUE(listener.read_until(std::string("data: ") + text + "\n\n")) << listener.unread();
  }
  listener.leave();
  EXPECT_TRUE(eventually([&] { return events.listeners() == 0; }, 10s)) << "nobody told davit";
}

// ---- who gets where, and as whom

TEST_F(NginxTest, DavitIsToldTheTrueAddressWhateverTheClientClaims) {
  davit::testing::HttpResponder upstream([](const auto&) { return davit::testing::CannedAnswer{}; });
  Nginx nginx(upstream.port());
  ASSERT_TRUE(nginx.start()) << nginx.output();
  test::RawClient client(nginx.port());
  client.send(
      "GET /healthz HTTP/1.1\r\nHost: davit.test\r\nX-Forwarded-For: 192.0.2.1\r\nForwarded: "
      "for=192.0.2.1\r\n"
      "X-Forwarded-Proto: http\r\n\r\n");
  EXPECT_EQ(client.read_answer().status, 200);
  const auto seen = upstream.seen();
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].header("X-Forwarded-For"), "127.0.0.1");
  EXPECT_EQ(seen[0].header("X-Forwarded-Proto"), "https");
  EXPECT_EQ(seen[0].header("X-Forwarded-Host"), "davit.test");
  EXPECT_EQ(seen[0].header("Host"), "davit.test");
  EXPECT_EQ(seen[0].header("Connection"), "keep-alive");
  EXPECT_EQ(seen[0].head.find("192.0.2.1"), std::string::npos);
}

// The sender's address of the one delivery that is in the database.
std::string stored_address(const RunningHost& host) {
  const auto rows = rows_of(host.folder() / "davit.db", "SELECT remote_address FROM delivery");
  return rows.size() == 1 ? rows[0][0] : std::to_string(rows.size()) + " deliveries";
}

class TrustingTest : public NginxTest {
 protected:
  void SetUp() override { begin(", trusted_proxies: [127.0.0.1]"); }
};

TEST_F(TrustingTest, DavitBelievesNginxAndNobodyElse) {
  Nginx nginx(host.port());
  ASSERT_TRUE(nginx.start()) << nginx.output();
  const TlsContext context(nginx.certificate(), "http/1.1");
  std::string request = delivery_request(new_id(), labeled_issue());
  request.insert(request.find("Content-Type"), "X-Forwarded-For: 192.0.2.1\r\n");
  TlsConnection client(context, nginx.tls_port(), "127.0.0.2");
  ASSERT_TRUE(client.connected() && client.send(request));
  EXPECT_THAT(client.receive(), HasSubstr("HTTP/1.1 202"));
  EXPECT_EQ(host.end(SIGTERM), 0);
  EXPECT_EQ(stored_address(host), "127.0.0.2");
}

TEST_F(NginxTest, WithoutTrustTheClaimsOfNobodyCount) {
  std::string request = delivery_request(new_id(), labeled_issue());
  request.insert(request.find("Content-Type"), "X-Forwarded-For: 192.0.2.1\r\nForwarded: for=192.0.2.1\r\n");
  test::RawClient client(host.port());
  client.send(request);
  EXPECT_EQ(client.read_answer().status, 202);
  EXPECT_EQ(host.end(SIGTERM), 0);
  EXPECT_EQ(stored_address(host), "127.0.0.1");
}

TEST_F(NginxTest, OthersReachNeitherMetricsNorTheApi) {
  Nginx nginx(host.port());
  ASSERT_TRUE(nginx.start()) << nginx.output();
  const TlsContext context(nginx.certificate(), "http/1.1");
  auto status_from = [&](const char* address, const std::string& path) {
    TlsConnection client(context, nginx.tls_port(), address);
    EXPECT_TRUE(client.send("GET " + path + " HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer " + host.token() +
                            "\r\n\r\n"));
    return std::atoi(client.receive().substr(0, 12).erase(0, 9).c_str());
  };
  constexpr char kHere[] = "127.0.0.1", kElsewhere[] = "127.0.0.2";
  EXPECT_EQ(status_from(kElsewhere, "/healthz"), 200);
  EXPECT_EQ(status_from(kElsewhere, "/webhooks/nobody"), 405);
  EXPECT_EQ(status_from(kHere, "/api/dashboard/tasks"), 200);
  EXPECT_EQ(status_from(kElsewhere, "/api/dashboard/tasks"), 403);
  EXPECT_EQ(status_from(kElsewhere, "/api/dashboard/events"), 403);
  EXPECT_EQ(status_from(kElsewhere, "/readyz"), 403);
  EXPECT_EQ(status_from(kElsewhere, "/"), 403);
  EXPECT_EQ(status_from(kElsewhere, "/webhooks/../api/dashboard/tasks"), 403);
  EXPECT_EQ(status_from(kElsewhere, "/webhooks/%2e%2e/api/dashboard/tasks"), 403);
  // What is a webhook or the health for nginx, and would be a task for davit.
  for (const char* path : {"/api/dashboard/tasks/..%2f..%2f..%2fwebhooks%2fnobody", "/api/dashboard/tasks/..%2f..%2f..%2fhealthz",
                           "/api/dashboard/tasks/x/../../../../healthz", "/api/queue/../../webhooks/nobody"})
    EXPECT_EQ(status_from(kElsewhere, path), 404) << path;
  EXPECT_EQ(status_from(kElsewhere, "/healthz?x"), 200);
  EXPECT_EQ(status_from(kElsewhere, "/webhooks/..%2fapi%2fdashboard%2ftasks"), 403);
  for (const char* path : {"/metrics", "/metrics/", "//metrics", "/webhooks/../metrics", "/%6detrics"}) {
    EXPECT_EQ(status_from(kHere, path), 404) << path;
    EXPECT_EQ(status_from(kElsewhere, path), 404) << path;
  }
}

TEST_F(NginxTest, OneAddressHasOnlySoManyRequestsUnderWay) {
  EventServer events;
  Nginx nginx(events.port(), {{"limit_conn davit_senders 256;", "limit_conn davit_senders 3;"}});
  ASSERT_TRUE(nginx.start()) << nginx.output();
  const TlsContext context(nginx.certificate(), "http/1.1");
  const std::string request = "GET /api/dashboard/events HTTP/1.1\r\nHost: davit.test\r\n\r\n";
  std::vector<std::unique_ptr<TlsConnection>> clients;
  for (std::size_t i = 0; i < 3; ++i) {
    clients.push_back(std::make_unique<TlsConnection>(context, nginx.tls_port()));
    clients.back()->send(request);
    EXPECT_THAT(clients.back()->receive(), HasSubstr(" 200 ")) << i;
  }
  TlsConnection fourth(context, nginx.tls_port());
  fourth.send(request);
  EXPECT_THAT(fourth.receive(), HasSubstr(" 429 "));
  TlsConnection from_elsewhere(context, nginx.tls_port(), "127.0.0.2");
  from_elsewhere.send(request);
  EXPECT_THAT(from_elsewhere.receive(), HasSubstr(" 403 "));  // reached the list, so was not limited
}

}  // namespace
}  // namespace davit::faults
