// What senders see behind real nginx while it is reloaded, while davit is away, and when others leave in the
// middle: an answer of davit's or a 503 that says when to come again, and never a 2xx for what is not stored.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "tests/faults/books.h"
#include "tests/faults/demo_delivery.h"
#include "tests/faults/event_server.h"
#include "tests/faults/lane.h"
#include "tests/faults/nginx.h"
#include "tests/faults/processes.h"
#include "tests/integration/raw_client.h"
#include "tests/support/running_host.h"

namespace davit::faults {
namespace {

using namespace std::chrono_literals;
using ::davit::testing::RunningHost;
using ::testing::HasSubstr;

std::string delivery_request(const std::string& id) {
  static const std::string body = labeled_issue(), signature = RunningHost::github_signature(body);
  return "POST /webhooks/github HTTP/1.1\r\nHost: davit.test\r\nContent-Type: application/json\r\n"
         "X-GitHub-Event: issues\r\nX-GitHub-Delivery: " +
         id + "\r\nX-Hub-Signature-256: " + signature + "\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

// Sends deliveries one after the other, each on a connection of its own, until it is stopped.
class Sender {
 public:
  explicit Sender(int port) : thread_([this, port] { send(port); }) {}
  ~Sender() { stop(); }
  void stop() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
  }
  int accepted_so_far() const { return accepted_; }
  // After stop().
  std::set<std::string> accepted;
  int refused = 0;  // by 503, with Retry-After
  std::vector<std::string> surprises;

 private:
  void send(int port) {
    while (!stopping_) {
      const std::string id = new_id();
      test::RawClient client(port);
      client.send(delivery_request(id));
      const test::RawAnswer answer = client.read_answer();
      if (answer.status == 202) {
        accepted.insert(id);
        ++accepted_;
      } else if (answer.status == 503 && !answer.header("Retry-After").empty()) {
        ++refused;
      } else {
        surprises.push_back(std::to_string(answer.status) + " " + answer.head);
      }
    }
  }
  std::atomic<bool> stopping_{false};
  std::atomic<int> accepted_{0};
  std::thread thread_;
};

class FrontLifeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    host.install(DAVIT_BUILD_DIR "/plugins/github.so");
    host.configure(
        "webhooks:\n  github: {secret_env: GITHUB_WEBHOOK_SECRET, replay_window: 0s, isolation: inprocess, "
        "config: {agent: nobody}}\n");
    ASSERT_TRUE(host.start()) << host.log();
    // From here on it comes back on the port it has.
    const auto file = host.folder() / "davit.yaml";
    std::string text = *read_file(file);
    const std::string any = "port: 0";
    text.replace(text.find(any), any.size(), "port: " + std::to_string(host.port()));
    std::ofstream(file) << text;
    nginx.emplace(host.port());
    ASSERT_TRUE(nginx->start()) << nginx->output();
  }
  // The host is ended; each of these was stored once, and nothing was that got no 202 but what was cut off.
  void expect_stored(const std::set<std::string>& accepted) {
    ASSERT_EQ(host.end(SIGTERM), 0);
    const auto stored = delivery_keys(host.folder() / "davit.db");
    for (const std::string& id : accepted) EXPECT_EQ(stored.count(id), 1u) << id;
  }
  RunningHost host;
  std::optional<Nginx> nginx;
};

TEST_F(FrontLifeTest, AReloadOfNginxIsNoticedByNobody) {
  Sender sender(nginx->port());
  for (int i = 0; i < trials(3, 30); ++i) {
    const int before = sender.accepted_so_far();
    EXPECT_TRUE(nginx->reload()) << nginx->output();
    EXPECT_TRUE(eventually([&] { return sender.accepted_so_far() > before + 3; }, 20s));
  }
  sender.stop();
  EXPECT_THAT(sender.surprises, ::testing::IsEmpty());
  EXPECT_EQ(sender.refused, 0);
  expect_stored(sender.accepted);
}

TEST_F(FrontLifeTest, WhileDavitIsAwaySendersAreToldToComeAgainAndThenServed) {
  EXPECT_EQ(host.end(SIGTERM), 0);
  test::RawClient early(nginx->port());
  early.send(delivery_request(new_id()));
  const auto refused = early.read_answer();
  EXPECT_EQ(refused.status, 503) << refused.head;
  EXPECT_EQ(refused.header("Retry-After"), "5");
  EXPECT_EQ(refused.header("Content-Type"), "application/problem+json");
  const auto said = parse_json(refused.body);
  ASSERT_TRUE(said.ok()) << refused.body;
  EXPECT_THAT(string_member(*said, "detail"), HasSubstr("try again"));
  ASSERT_TRUE(host.start()) << host.log();
  const std::string id = new_id();
  early.send(delivery_request(id));  // on the same connection
  EXPECT_EQ(early.read_answer().status, 202);
  expect_stored({id});
}

TEST_F(FrontLifeTest, ADavitThatIsStoppedAndStartedUnderLoadLosesNothingItTook) {
  Sender sender(nginx->port());
  for (int i = 0; i < trials(2, 20); ++i) {
    const int before = sender.accepted_so_far();
    EXPECT_TRUE(eventually([&] { return sender.accepted_so_far() > before + 3; }, 20s));
    EXPECT_EQ(host.end(SIGTERM), 0);
    ASSERT_TRUE(host.start()) << host.log();
  }
  const int back = sender.accepted_so_far();
  EXPECT_TRUE(eventually([&] { return sender.accepted_so_far() > back + 3; }, 20s));
  sender.stop();
  EXPECT_THAT(sender.surprises, ::testing::IsEmpty());
  expect_stored(sender.accepted);
}

TEST_F(FrontLifeTest, ADavitThatIsKilledUnderLoadLosesNothingItTook) {
  Sender sender(nginx->port());
  for (int i = 0; i < trials(2, 20); ++i) {
    const int before = sender.accepted_so_far();
    EXPECT_TRUE(eventually([&] { return sender.accepted_so_far() > before + 3; }, 20s));
    host.end(SIGKILL);
    ASSERT_TRUE(host.start()) << host.log();
  }
  sender.stop();
  EXPECT_THAT(sender.surprises, ::testing::IsEmpty());
  expect_stored(sender.accepted);
}

// Descriptors that a process has open.
std::size_t descriptors_of(pid_t pid) {
  std::error_code ignored;
  std::size_t count = 0;
  for (auto each = std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd", ignored);
       !ignored && each != std::filesystem::directory_iterator(); each.increment(ignored))
    ++count;
  return count;
}

TEST_F(FrontLifeTest, WhoLeavesInTheMiddleLeavesNothingBehind) {
  Luck luck;
  const TlsContext context(nginx->certificate(), "http/1.1");
  const auto serves = [&] {
    test::RawClient client(nginx->port());
    const std::string id = new_id();
    client.send(delivery_request(id));
    EXPECT_EQ(client.read_answer().status, 202);
  };
  serves();
  const pid_t worker = nginx->worker();
  const std::size_t nginx_before = descriptors_of(worker), davit_before = descriptors_of(host.pid());
  for (int i = 0; i < trials(200, 5'000); ++i) {
    TlsConnection client(context, nginx->tls_port());
    const std::string request = delivery_request(new_id());
    // Anywhere in the request, or in the middle of the answer, or before it.
    const auto sent = static_cast<std::size_t>(luck.between(0, static_cast<int>(request.size()) * 2));
    client.send(std::string_view(request).substr(0, std::min(sent, request.size())));
    if (luck.between(0, 1) == 0) client.leave_with_reset();
  }
  serves();
  // davit keeps no more than nginx keeps open to it.
  EXPECT_TRUE(eventually([&] { return descriptors_of(worker) <= nginx_before + 70; }, 20s))
      << nginx_before << " before, " << descriptors_of(worker);
  EXPECT_TRUE(eventually([&] { return descriptors_of(host.pid()) <= davit_before + 70; }, 20s))
      << davit_before << " before, " << descriptors_of(host.pid());
  EXPECT_EQ(nginx->worker(), worker);
  EXPECT_TRUE(host.running());
}

TEST_F(FrontLifeTest, WhoIsTooSlowIsLetGo) {
  Nginx hasty(host.port(), {{"client_header_timeout 10s;", "client_header_timeout 1s;"},
                            {"client_body_timeout 30s;", "client_body_timeout 1s;"}});
  ASSERT_TRUE(hasty.start()) << hasty.output();
  const std::string request = delivery_request(new_id());
  test::RawClient silent(hasty.tls_port());  // begins no handshake
  test::RawClient half_a_head(hasty.port()), half_a_body(hasty.port());
  half_a_head.send(request.substr(0, 60));
  half_a_body.send(request.substr(0, request.size() - 1));
  EXPECT_TRUE(silent.at_end());
  EXPECT_TRUE(half_a_head.at_end());
  EXPECT_TRUE(half_a_body.at_end());
}

TEST(FrontEventsTest, ListenersThatComeAndGoLeaveNothingBehind) {
  EventServer events;
  Nginx nginx(events.port());
  ASSERT_TRUE(nginx.start()) << nginx.output();
  const TlsContext context(nginx.certificate(), "http/1.1");
  const std::string request = "GET /api/dashboard/events HTTP/1.1\r\nHost: davit.test\r\n\r\n";
  for (int i = 0; i < trials(40, 1'000); ++i) {
    TlsConnection client(context, nginx.tls_port());
    ASSERT_TRUE(client.send(request));
    EXPECT_THAT(client.receive(), HasSubstr("text/event-stream"));
    events.publish("tick");
    if (i % 2 == 0) client.leave_with_reset();
  }
  EXPECT_TRUE(eventually([&] { return events.listeners() == 0; }, 20s)) << events.listeners() << " stay";
}

// A reload lets who listens go on, by the old worker; one who comes then is the new one's.
TEST(FrontEventsTest, AListenerOutlivesAReload) {
  EventServer events;
  Nginx nginx(events.port());
  ASSERT_TRUE(nginx.start()) << nginx.output();
  const std::string request = "GET /api/dashboard/events HTTP/1.1\r\nHost: davit.test\r\n\r\n";
  test::RawClient early(nginx.port());
  early.send(request);
  ASSERT_TRUE(early.read_until("text/event-stream"));
  nginx.ask_for_reload();
  ASSERT_TRUE(eventually([&] { return nginx.replaces_worker(); }, 20s)) << nginx.output();
  test::RawClient late(nginx.port());
  late.send(request);
  ASSERT_TRUE(late.read_until("text/event-stream"));
  ASSERT_TRUE(eventually([&] { return events.listeners() == 2; }, 10s));
  events.publish("both");
  EXPECT_TRUE(early.read_until("data: both"));
  EXPECT_TRUE(late.read_until("data: both"));
  early.leave();
  EXPECT_TRUE(eventually([&] { return nginx.workers() == 1; }, 20s)) << "the old worker stays";
}

}  // namespace
}  // namespace davit::faults
