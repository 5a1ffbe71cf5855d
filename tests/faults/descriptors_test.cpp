// 64 descriptors and 200 clients that hold on: the host neither spins nor falls over, and serves again when
// they leave.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>

#include "host/base/file.h"
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
using ::testing::IsEmpty;

const std::vector<std::string> kFewDescriptors{"prlimit", "--nofile=64:64"};
constexpr int kHeld = 200;
constexpr double kMostOfAProcessor = 0.2;

// CPU that `pid` takes while a thread of ours takes all it gets, as a share of ours: so a busy machine makes
// no difference.
double share_of_cpu(pid_t pid, std::chrono::milliseconds period) {
  std::atomic<bool> done{false};
  std::atomic<long> own_ticks{0};
  const long before = process(pid).cpu_ticks;
  std::thread spinner([&] {
    while (!done) {
    }
    timespec used{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    own_ticks =
        used.tv_sec * ::sysconf(_SC_CLK_TCK) + used.tv_nsec / (1'000'000'000 / ::sysconf(_SC_CLK_TCK));
  });
  std::this_thread::sleep_for(period);  // what is measured is a period
  done = true;
  spinner.join();
  return static_cast<double>(process(pid).cpu_ticks - before) /
         static_cast<double>(std::max(1L, own_ticks.load()));
}

// A connection, or the wish for one: nobody need accept it.
UniqueFd hold_on_to(int port) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_TRUE(::connect(fd.number(), reinterpret_cast<sockaddr*>(&to), sizeof to) == 0 ||
              errno == EINPROGRESS);
  return fd;
}

std::vector<std::string> harm_done(int port, pid_t pid, const std::string& request, int rounds) {
  std::vector<std::string> complaints;
  for (int round = 0; round < rounds; ++round) {
    std::vector<UniqueFd> held;
    for (int i = 0; i < kHeld; ++i) held.push_back(hold_on_to(port));
    int most = 0;
    eventually([&] { return (most = std::max(most, open_descriptors(pid))) >= 60; }, 1s);
    // At first it has all the others to refuse. What spins does so for ever.
    double share = 1;
    for (int period = 0; period < 5 && share > kMostOfAProcessor; ++period)
      share = share_of_cpu(pid, 1500ms);
    std::cout << kHeld << " held, " << most << " descriptors open, " << static_cast<int>(share * 100)
              << " % of a processor\n";
    if (share > kMostOfAProcessor) complaints.push_back("spins");
    if (process(pid).pid == 0 || process(pid).state == 'Z') complaints.push_back("is gone");
    held.clear();
    const bool serves = eventually(
        [&] {
          test::RawClient client(port);
          client.patience = 1s;
          client.send(request);
          const int status = client.read_answer().status;
          return status == 200 || status == 202;
        },
        15s);
    if (!serves) complaints.push_back("does not serve again");
  }
  return complaints;
}

TEST(DescriptorsTest, AHostWithFewDescriptorsNeitherSpinsNorStaysAway) {
  ASSERT_EQ(std::system("command -v prlimit >/dev/null"), 0) << "prlimit is missing: install util-linux";
  RunningHost host;
  host.install(DAVIT_BUILD_DIR "/plugins/github.so");
  host.install(DAVIT_BUILD_DIR "/tests/faults/unlucky_agent.so");
  host.run_under = kFewDescriptors;
  host.configure(
      "webhooks:\n  github: {secret_env: GITHUB_WEBHOOK_SECRET, replay_window: 0s, isolation: inprocess, "
      "config: {agent: "
      "steady}}\n"
      "agents:\n  steady: {}\n");
  ASSERT_TRUE(host.start()) << host.log();
  const std::string body = labeled_issue();
  const std::string delivery =
      "POST /webhooks/github HTTP/1.1\r\nHost: davit.test\r\nContent-Type: "
      "application/json\r\nX-GitHub-Event: issues\r\nX-GitHub-Delivery: " +
      new_id() + "\r\nX-Hub-Signature-256: " + RunningHost::github_signature(body) +
      "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  EXPECT_THAT(harm_done(host.port(), host.pid(), delivery, trials(1, 50)), IsEmpty())
      << host.log().substr(0, 6000);
  auto made = host.github("issues", body);
  ASSERT_EQ(made.status, 202) << made.body;
  host.wait_for_task(string_member(*parse_json(made.body), "task_id"), {"completed"});
  EXPECT_EQ(host.end(SIGTERM), 0);
}

// The known-bad variant: Pistache as it comes asks for ever for a connection that it cannot have.
TEST(DescriptorsTest, AServerThatSpinsIsSeen) {
  LaxServer server(2, kFewDescriptors);
  EXPECT_THAT(harm_done(server.port(), server.pid(), "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n", 1),
              ::testing::Contains("spins"));
}

}  // namespace
}  // namespace davit::faults
