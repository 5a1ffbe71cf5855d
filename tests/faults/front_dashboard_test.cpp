// A browser's way through the real nginx to the real davit: signing in, events as they come, coming again after
// a break, acting, leaving; and as whom davit knows who did it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <optional>
#include <set>
#include <utility>

#include "tests/faults/curl.h"
#include "tests/faults/demo_delivery.h"
#include "tests/faults/nginx.h"
#include "tests/faults/processes.h"
#include "tests/support/running_host.h"

namespace davit::faults {
namespace {

using namespace std::chrono_literals;
using ::davit::testing::RunningHost;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// Where the browser is, and what it claims.
constexpr char kBrowser[] = "127.0.0.2";
constexpr char kClaimed[] = "203.0.113.9";

class FrontDashboardTest : public ::testing::Test {
 protected:
  void SetUp() override {
    host.install(DAVIT_BUILD_DIR "/plugins/github.so");
    host.server_options = ", trusted_proxies: [127.0.0.1]";
    host.configure(
        "webhooks:\n  github: {secret_env: GITHUB_WEBHOOK_SECRET, replay_window: 0s, isolation: inprocess, "
        "config: {agent: nobody}}\n");
    ASSERT_TRUE(host.start()) << host.log();
    // The operator lets a second address in, in both places that the file names.
    nginx.emplace(host.port(), Nginx::Changes{{"# allow 192.0.2.0/24;", "allow 127.0.0.2; #"},
                                              {"deny all;\n    gzip off;",
                                               "allow 127.0.0.2;\n    deny all;\n    gzip off;"}});
    ASSERT_TRUE(nginx->start()) << nginx->output();
  }
  std::string file_with(const std::string& name, const std::string& bytes) {
    std::ofstream(host.folder() / name) << bytes;
    return (host.folder() / name).string();
  }
  // By HTTP/2 from where the browser is, with an address that it makes up.
  std::string ask(const std::string& path, const std::string& options = "") {
    return curl(*nginx, path, "--http2 " + from_the_browser() + options);
  }
  static std::string from_the_browser() {
    return std::string("--interface ") + kBrowser + " -H 'X-Forwarded-For: " + kClaimed +
           "' -H 'Forwarded: for=" + kClaimed + "' ";
  }
  // The whole answer with its head; from then on the browser has its cookie.
  std::string sign_in() {
    const std::string body = file_with("token.json", R"({"token":")" + host.token() + R"("})");
    const std::string answer =
        ask("/api/session", "-i -H 'Content-Type: application/json' --data-binary @" + body);
    const std::size_t begin = answer.find("__Host-davit_session=");
    const std::size_t text = answer.find("\r\n\r\n");
    if (begin == std::string::npos || text == std::string::npos) {
      ADD_FAILURE() << answer;
      return answer;
    }
    cookie = "-H 'Cookie: " + answer.substr(begin, answer.find(';', begin) - begin) + "' ";
    const auto session = parse_json(answer.substr(text + 4));
    EXPECT_TRUE(session.ok()) << answer;
    if (session.ok()) csrf = "-H 'X-CSRF-Token: " + string_member(*session, "csrf_token") + "' ";
    return answer;
  }
  std::string events(const std::string& more = "") const {
    return "--http2 " + from_the_browser() + cookie + more;
  }
  // A delivery that davit has committed; its id there.
  std::string deliver() {
    const std::string body = labeled_issue(), id = new_id();
    const std::string answer = curl(
        *nginx, "/webhooks/github",
        "--http2 -H 'Content-Type: application/json' -H 'X-GitHub-Event: issues' -H 'X-GitHub-Delivery: " +
            id + "' -H 'X-Hub-Signature-256: " + RunningHost::github_signature(body) +
            "' --data-binary @" + file_with("body.json", body));
    const auto told = parse_json(answer);
    EXPECT_TRUE(told.ok() && string_member(*told, "status") == "queued") << answer;
    return told.ok() ? string_member((*told)["details"], "delivery_id") : "none";
  }
  // As davit itself counts them.
  bool streams_become(int count) {
    return eventually(
        [&] {
          return host.api("GET", "/metrics").body.find("\ndavit_event_streams " + std::to_string(count) +
                                                       "\n") != std::string::npos;
        },
        10s);
  }
  // Entries of the audit log as text, once `words` stand in them.
  std::string audit_with(const std::string& words) {
    std::string log;
    EXPECT_TRUE(eventually(
        [&] {
          log = host.api("GET", "/api/dashboard/audit?limit=500").body;
          return log.find(words) != std::string::npos;
        },
        10s))
        << words << " is not in " << log;
    return log;
  }

  RunningHost host;
  std::optional<Nginx> nginx;
  std::string cookie, csrf;
};

TEST_F(FrontDashboardTest, TheCookieOfASessionIsForHttpsScriptlessAndItsHostsAlone) {
  const std::string answer = sign_in();
  EXPECT_THAT(answer, AllOf(StartsWith("HTTP/2 200"), HasSubstr("; HttpOnly"), HasSubstr("; Secure"),
                            HasSubstr("; SameSite=Strict"), HasSubstr("; Path=/"), Not(HasSubstr("Domain"))));
  EXPECT_THAT(ask("/api/session", cookie), HasSubstr(R"("way":"session")"));
  // Under the name that it would have without TLS it is nobody's.
  std::string plain = cookie;
  plain.erase(plain.find("__Host-"), 7);
  EXPECT_THAT(ask("/api/session", plain), HasSubstr(R"("role":null)"));
}

TEST_F(FrontDashboardTest, AnEventComesThroughAsItIsCommittedAndAfterABreakWhatWasMissed) {
  sign_in();
  CurlStream stream(*nginx, "/api/dashboard/events?topics=delivery", "-D - " + events());
  ASSERT_TRUE(stream.read_until("event: hello\ndata: {\"resumed\":false}\n\n")) << stream.text();
  EXPECT_THAT(stream.text(), AllOf(StartsWith("HTTP/2 200"), HasSubstr("content-type: text/event-stream")));
  const std::string first = deliver();
  EXPECT_TRUE(stream.read_until("event: delivery\ndata: {\"delivery_id\":\"" + first + "\"}\n\n"))
      << stream.text();
  const std::string last = stream.last_id();
  stream.leave();
  ASSERT_TRUE(streams_become(0)) << "nobody told davit that the browser is gone";

  const std::string missed = deliver();
  CurlStream again(*nginx, "/api/dashboard/events?topics=delivery",
                   events("-H 'Last-Event-ID: " + last + "' "));
  ASSERT_TRUE(again.read_until("event: hello\ndata: {\"resumed\":true}\n\n")) << again.text();
  EXPECT_TRUE(again.read_until("\"" + missed + "\"")) << again.text();
  EXPECT_THAT(again.text(), Not(HasSubstr(first)));
  const std::string later = deliver();
  EXPECT_TRUE(again.read_until("\"" + later + "\"")) << again.text();
}

TEST_F(FrontDashboardTest, WhoLeavesInTheMiddleOfAStreamFreesItsPlaceAndWhoSignsOutLosesHis) {
  sign_in();
  {
    std::vector<std::unique_ptr<CurlStream>> streams;
    for (int i = 0; i < 6; ++i) {
      streams.push_back(std::make_unique<CurlStream>(*nginx, "/api/dashboard/events", events()));
      ASSERT_TRUE(streams.back()->read_until("event: hello\n")) << streams.back()->text();
    }
    EXPECT_TRUE(streams_become(6));
  }
  EXPECT_TRUE(streams_become(0));

  CurlStream stream(*nginx, "/api/dashboard/events", events());
  ASSERT_TRUE(stream.read_until("event: hello\n"));
  EXPECT_EQ(ask("/api/session", "-X DELETE -o /dev/null -w '%{http_code}' " + cookie + csrf), "204");
  EXPECT_TRUE(stream.at_end()) << stream.text();
  EXPECT_TRUE(streams_become(0));
  EXPECT_EQ(ask("/api/dashboard/events", "-o /dev/null -w '%{http_code}' " + cookie), "401");
}

TEST_F(FrontDashboardTest, WhoActsIsKnownByTheTrueAddressAndOtherPagesDoNotAct) {
  sign_in();
  const std::string own = "-H 'Origin: https://" + std::string(kServerName) + ":" +
                          std::to_string(nginx->tls_port()) + "' ";
  const std::string pause = "-o /dev/null -w '%{http_code}' -d '{}' " + cookie;
  EXPECT_EQ(ask("/api/queue/pause", pause + own), "403") << "without the page's token";
  EXPECT_EQ(ask("/api/queue/pause", pause + csrf + "-H 'Origin: https://evil.example' "), "403");
  EXPECT_EQ(ask("/api/queue/pause", pause + csrf + own), "200");
  EXPECT_EQ(ask("/api/dashboard/tasks", "-o /dev/null -w '%{http_code}' -H 'Authorization: Bearer no-token'"),
            "401");

  audit_with("davit does not know this token");
  const std::string log = audit_with(R"("operation":"pauseQueue")");
  EXPECT_THAT(log, Not(HasSubstr(kClaimed)));
  // Each line is of the browser's address: the one that signed in, the two that were refused, the act, the guess.
  const auto entries = parse_json(log);
  ASSERT_TRUE(entries.ok());
  std::multiset<std::string> operations;
  for (const JsonValue& entry : std::as_const(*entries)["entries"].GetArray()) {
    EXPECT_EQ(string_member(entry, "address"), kBrowser) << to_json(entry);
    operations.insert(string_member(entry, "operation"));
  }
  EXPECT_THAT(operations, ::testing::UnorderedElementsAre("signIn", "pauseQueue", "pauseQueue", "pauseQueue",
                                                          "listTasks"));
}

}  // namespace
}  // namespace davit::faults
