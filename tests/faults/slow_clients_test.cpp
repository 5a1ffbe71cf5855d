// Clients that send or read as slowly as they can. Everybody else is served all the while, and the slow ones
// are let go.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>

#include "tests/faults/demo_delivery.h"
#include "tests/faults/lane.h"
#include "tests/faults/lax_server.h"
#include "tests/faults/processes.h"
#include "tests/integration/raw_client.h"
#include "tests/support/running_host.h"

namespace davit::faults {
namespace {

using namespace std::chrono_literals;
using ::davit::testing::RunningHost;
using std::chrono::milliseconds;
using ::testing::IsEmpty;

// What is asked for by those who do not read; large with both servers.
struct Target {
  int port;
  pid_t pid;
  std::string large_answers;  // a request, or as many as it takes to fill a connection
  std::string delivery;       // a whole request that is answered 202 or 200
};

// It takes hundreds of answers to fill a connection, and a sanitizer makes each of them slow.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kOfEachKind = 15;
#else
constexpr int kOfEachKind = 75;
#endif

class SlowClient {
 public:
  enum class Kind { Head, Body, Read, Silent };
  SlowClient(const Target& target, Kind kind)
      : kind_(kind),
        client_(target.port,
                kind == Kind::Read ? test::RawClient::Window::Tiny : test::RawClient::Window::Normal) {
    if (kind == Kind::Head) client_.send("GET / HTTP/1.1\r\nHost: davit.test\r\nX-Slow: ");
    if (kind == Kind::Body)
      client_.send("POST /webhooks/github HTTP/1.1\r\nHost: davit.test\r\nContent-Length: 100000\r\n\r\n");
    if (kind == Kind::Read) client_.send(target.large_answers);
  }
  // A byte more, from those who send.
  void trickle() {
    if (kind_ == Kind::Head || kind_ == Kind::Body) client_.send_some("x");
  }
  // Did the server let it go? Of one that does not read, only the server's descriptors tell.
  bool let_go() const {
    if (kind_ == Kind::Read || !client_.connected()) return true;
    pollfd state{client_.fd(), POLLRDHUP, 0};
    return ::poll(&state, 1, 0) == 1 && (state.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
  }

 private:
  Kind kind_;
  test::RawClient client_;
};

// What slow clients may not do to a server: keep others from being served, or stay for ever.
std::vector<std::string> harm_done(const Target& target, int slow_of_each_kind, milliseconds patience,
                                   Luck& luck) {
  std::vector<std::string> complaints;
  const int descriptors_before = open_descriptors(target.pid);
  std::vector<std::unique_ptr<SlowClient>> slow;
  for (auto kind :
       {SlowClient::Kind::Head, SlowClient::Kind::Body, SlowClient::Kind::Read, SlowClient::Kind::Silent}) {
    for (int i = 0; i < slow_of_each_kind; ++i) slow.push_back(std::make_unique<SlowClient>(target, kind));
  }
  std::atomic<int> served{0}, unserved{0};
  std::atomic<bool> done{false};
  std::chrono::steady_clock::duration longest{0};
  std::thread legitimate([&] {
    while (!done && unserved == 0) {
      const auto before = std::chrono::steady_clock::now();
      test::RawClient client(target.port);
      client.patience = patience;
      client.send(target.delivery);
      const int status = client.read_answer().status;
      (status == 202 || status == 200 ? served : unserved)++;
      longest = std::max(longest, std::chrono::steady_clock::now() - before);
    }
  });
  const bool all_gone = eventually(
      [&] {
        slow[static_cast<std::size_t>(luck.between(0, static_cast<int>(slow.size()) - 1))]->trickle();
        for (auto& client : slow) client->trickle();
        return unserved > 0 ||
               std::all_of(slow.begin(), slow.end(), [](const auto& client) { return client->let_go(); });
      },
      patience);
  done = true;
  legitimate.join();
  if (unserved > 0) complaints.push_back("others were not served");
  const auto left =
      std::count_if(slow.begin(), slow.end(), [](const auto& client) { return !client->let_go(); });
  if (!all_gone || left > 0) complaints.push_back("slow clients were not let go");
  if (!eventually([&] { return open_descriptors(target.pid) <= descriptors_before + 2; }, patience)) {
    complaints.push_back("descriptors stay open");
  }
  std::cout << slow.size() << " slow clients, " << served << " served meanwhile, the slowest in "
            << std::chrono::duration_cast<milliseconds>(longest).count() << " ms; descriptors "
            << descriptors_before << " before, " << open_descriptors(target.pid) << " after\n";
  return complaints;
}

TEST(SlowClientsTest, OthersAreServedAndTheSlowAreLetGo) {
  Luck luck;
  RunningHost host;
  host.install(DAVIT_BUILD_DIR "/plugins/github.so");
  host.install(DAVIT_BUILD_DIR "/tests/faults/unlucky_agent.so");
  host.server_options = ", head_timeout: 1s, body_timeout: 1s, idle_timeout: 2s, write_timeout: 1s";
  host.configure(
      "metrics: {public: true}\n"
      "webhooks:\n  github: {secret_env: GITHUB_WEBHOOK_SECRET, replay_window: 0s, isolation: inprocess, "
      "config: {agent: "
      "steady}}\n"
      "agents:\n  steady: {}\n");
  ASSERT_TRUE(host.start()) << host.log();
  const std::string body = labeled_issue();
  Target target{host.port(), host.pid(), "", ""};
  for (int i = 0; i < 1000; ++i) target.large_answers += "GET /metrics HTTP/1.1\r\nHost: davit.test\r\n\r\n";
  target.delivery =
      "POST /webhooks/github HTTP/1.1\r\nHost: davit.test\r\nContent-Type: "
      "application/json\r\nX-GitHub-Event: issues\r\nX-GitHub-Delivery: " +
      new_id() + "\r\nX-Hub-Signature-256: " + RunningHost::github_signature(body) +
      "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  // What is opened once, the runner among it, is open from here on.
  auto first = host.github("issues", body);
  ASSERT_EQ(first.status, 202) << first.body;
  host.wait_for_task(string_member(*parse_json(first.body), "task_id"), {"completed"});
  host.request("GET", "/metrics");
  for (int round = 0; round < trials(1, 30); ++round) {
    EXPECT_THAT(harm_done(target, kOfEachKind, 30s, luck), IsEmpty()) << host.log().substr(0, 4000);
  }
  EXPECT_TRUE(host.running());
  EXPECT_EQ(host.end(SIGTERM), 0);
}

// The known-bad variant: a server without limits whose one thread waits for whoever does not read.
TEST(SlowClientsTest, AServerThatWaitsForTheSlowIsSeen) {
  Luck luck;
  LaxServer server(1);
  const Target target{server.port(), server.pid(), "GET /metrics HTTP/1.1\r\nHost: davit.test\r\n\r\n",
                      "POST / HTTP/1.1\r\nHost: davit.test\r\nContent-Length: 2\r\n\r\n{}"};
  EXPECT_THAT(harm_done(target, 10, 2s, luck),
              ::testing::ElementsAre("others were not served", "slow clients were not let go",
                                     "descriptors stay open"));
}

}  // namespace
}  // namespace davit::faults
