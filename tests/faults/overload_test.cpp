// More than can be taken in: twice the connections, half of the deliveries forged, bodies of a mebibyte.
// Memory stays within a bound, health is told, every answer is one that a sender understands, and what was
// accepted is there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <mutex>
#include <thread>

#include "tests/faults/books.h"
#include "tests/faults/demo_delivery.h"
#include "tests/faults/hasty_front.h"
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

constexpr int kConnections = 32;  // what the host is told it may hold; twice as many come
constexpr std::size_t kBody = 1 << 20;

constexpr long kMostPlainKib = 256 << 10;
constexpr long kMostLessForBodiesKib = 96 << 10;  // of that, when it is only bodies on their way in
#if defined(__SANITIZE_ADDRESS__)
constexpr long kMostKib = 1'200 << 10;  // freed memory is kept back for a while, and what is left has borders
#elif defined(__SANITIZE_THREAD__)
constexpr long kMostKib = 2'000 << 10;  // every byte has shadows
#else
constexpr long kMostKib = kMostPlainKib;
#endif

std::string request_for(const std::string& body, const std::string& id, const std::string& secret) {
  return "POST /webhooks/github HTTP/1.1\r\nHost: davit.test\r\nContent-Type: "
         "application/json\r\nX-GitHub-Event: issues\r\nX-GitHub-Delivery: " +
         id + "\r\nX-Hub-Signature-256: " + RunningHost::github_signature(body, secret) +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

struct Flood {
  std::set<std::string> accepted;  // ids
  std::map<int, int> answers;      // by status; 0: turned away without a word
  int health_asked = 0;
  int health_told = 0;
};

// `rounds` deliveries on each of twice kConnections connections, and somebody who asks for health all the
// while.
Flood flood(int port, int rounds, Luck& luck) {
  const std::string small = labeled_issue();
  const std::string rest = small.substr(small.find('{') + 1);
  const std::string large = "{\"padding\":\"" + std::string(kBody - rest.size() - 14, 'x') + "\"," + rest;
  const std::string too_large = "{\"padding\":\"" + std::string(kBody, 'x') + "\"," + rest;
  Flood result;
  std::mutex mutex;
  std::atomic<bool> done{false};

  test::RawClient watcher(port);  // has its connection before the flood comes
  auto ask_health = [&] {
    ++result.health_asked;
    watcher.send("GET /healthz HTTP/1.1\r\nHost: davit.test\r\n\r\n");
    if (watcher.read_answer().status == 200) ++result.health_told;
  };
  ask_health();
  std::thread health([&] {
    while (!done && result.health_asked == result.health_told) ask_health();
  });
  std::vector<std::thread> senders;
  for (int sender = 0; sender < 2 * kConnections; ++sender) {
    senders.emplace_back([&, own = std::mt19937_64(luck.seed() + static_cast<unsigned>(sender))]() mutable {
      for (int i = 0; i < rounds; ++i) {
        const std::string id = new_id();
        const bool forged = own() % 2 == 0;
        const std::string& body = own() % 8 == 0 ? too_large : large;
        test::RawClient client(port);
        client.patience = 60s;
        client.send(request_for(body, id, forged ? "somebody else's secret" : RunningHost::kSecret));
        const int status = client.read_answer().status;
        std::lock_guard lock(mutex);
        ++result.answers[status];
        if (status == 202) result.accepted.insert(id);
      }
    });
  }
  for (std::thread& sender : senders) sender.join();
  done = true;
  health.join();
  return result;
}

std::vector<std::string> complaints_about(const Flood& flood, long peak_kib, long most_kib) {
  std::vector<std::string> complaints;
  for (const auto& [status, count] : flood.answers) {
    static const std::set<int> kUnderstood{0, 202, 401, 413, 429, 503};
    if (kUnderstood.count(status) == 0)
      complaints.push_back(std::to_string(count) + " answers of status " + std::to_string(status));
  }
  if (flood.health_told != flood.health_asked) complaints.push_back("health was not told");
  if (peak_kib > most_kib) complaints.push_back("took too much memory");
  std::cout << "answers:";
  for (const auto& [status, count] : flood.answers) std::cout << " " << status << " x " << count << ",";
  std::cout << " health " << flood.health_told << " times; at most " << (peak_kib >> 10) << " MiB\n";
  return complaints;
}

void configure_for_flood(RunningHost& host) {
  host.install(DAVIT_BUILD_DIR "/plugins/github.so");
  host.install(DAVIT_BUILD_DIR "/tests/faults/unlucky_agent.so");
  host.server_options = ", max_connections: " + std::to_string(kConnections);
  host.configure(
      "webhooks:\n  github: {secret_env: GITHUB_WEBHOOK_SECRET, replay_window: 0s, isolation: inprocess, "
      "max_body_bytes: "
      "1048576,"
      " config: {agent: steady}}\n"
      "agents:\n  steady: {concurrency: 2}\n");
}

// What is wrong with the books of a host, which has ended, that accepted these deliveries and no others.
std::vector<std::string> complaints_about_books(const RunningHost& host,
                                                const std::set<std::string>& accepted) {
  std::vector<std::string> complaints;
  const auto stored = delivery_keys(host.folder() / "davit.db");
  for (const std::string& id : accepted)
    if (stored.count(id) == 0) complaints.push_back(id + " was accepted and is lost");
  for (const std::string& id : stored)
    if (accepted.count(id) == 0) complaints.push_back(id + " is there and was not accepted");
  return complaints;
}

TEST(OverloadTest, MemoryIsBoundedHealthIsToldAndWhatWasAcceptedIsThere) {
  Luck luck;
  RunningHost host;
  configure_for_flood(host);
  ASSERT_TRUE(host.start()) << host.log();
  Flood seen = flood(host.port(), trials(12, 600), luck);
  EXPECT_THAT(complaints_about(seen, peak_resident_kib(host.pid()), kMostKib), IsEmpty())
      << host.log().substr(0, 4000);
  EXPECT_GT(seen.answers.count(202), 0u) << "nothing was accepted: the test has tested nothing";
  EXPECT_GT(seen.answers.count(401), 0u);
  EXPECT_GT(seen.answers.count(413), 0u);
  EXPECT_GT(seen.answers.count(503) + seen.answers.count(0), 0u) << "it was not too much";
  const std::string afterwards = new_id();
  EXPECT_EQ(host.github("issues", labeled_issue(), afterwards).status, 202)
      << "it is over, and all is as before";
  EXPECT_EQ(host.end(SIGTERM), 0);
  seen.accepted.insert(afterwards);
  EXPECT_THAT(complaints_about_books(host, seen.accepted), IsEmpty());
}

// Announces a delivery of `announced` bytes without a signature and sends `sent` of them, unless it is
// answered before.
test::RawAnswer send_unsigned(test::RawClient& client, std::size_t announced, std::size_t sent) {
  static const std::string kPiece(256 << 10, 'x');
  client.send(
      "POST /webhooks/github HTTP/1.1\r\nHost: davit.test\r\nContent-Type: application/json\r\n"
      "X-GitHub-Event: issues\r\nContent-Length: " +
      std::to_string(announced) + "\r\n\r\n");
  for (std::size_t done = 0; done < sent; done += kPiece.size()) {
    pollfd answered{client.fd(), POLLIN, 0};
    if (::poll(&answered, 1, 0) == 1 || !client.send(kPiece)) return client.read_answer();
  }
  return {};
}

TEST(OverloadTest, LargeBodiesOfAnybodyAreBoundedByTheDefaultsAndASmallSignedOneGetsIn) {
  constexpr int kSenders = 24;
  RunningHost host;
  host.install(DAVIT_BUILD_DIR "/plugins/github.so");
  host.install(DAVIT_BUILD_DIR "/tests/faults/unlucky_agent.so");
  host.configure(
      "webhooks:\n  github: {secret_env: GITHUB_WEBHOOK_SECRET, replay_window: 0s, isolation: inprocess, "
      "config: {agent: "
      "steady}}\n"
      "agents:\n  steady: {}\n");
  ASSERT_TRUE(host.start()) << host.log();
  std::vector<std::unique_ptr<test::RawClient>> clients;
  std::vector<test::RawAnswer> answers(kSenders);
  for (int i = 0; i < kSenders; ++i) clients.push_back(std::make_unique<test::RawClient>(host.port()));
  std::vector<std::thread> senders;
  for (std::size_t i = 0; i < kSenders; ++i) {
    senders.emplace_back([&, i] { answers[i] = send_unsigned(*clients[i], 24 << 20, 20 << 20); });
  }
  for (std::thread& sender : senders) sender.join();
  // Those who were not refused are still expected to send the rest.
  EXPECT_EQ(host.github("issues", labeled_issue()).status, 202);
  int refused = 0;
  for (const test::RawAnswer& answer : answers) {
    if (answer.status == 0) continue;
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.header("Retry-After"), "1");
    ++refused;
  }
  EXPECT_GT(refused, kSenders / 2);
  const long peak = peak_resident_kib(host.pid());
  std::cout << refused << " of " << kSenders << " refused; at most " << (peak >> 10) << " MiB\n";
  EXPECT_LT(peak, kMostKib - kMostLessForBodiesKib);
  clients.clear();
  EXPECT_EQ(host.end(SIGTERM), 0);
}

// The known-bad variant: a server that takes whatever comes, and keeps it.
TEST(OverloadTest, AServerWithoutLimitsIsSeen) {
  Luck luck;
  LaxServer server(2);
  constexpr int kEnough = (kMostPlainKib >> 10) * 5 / 4 / (2 * kConnections);
  const Flood seen = flood(server.port(), kEnough, luck);
  const auto complaints = complaints_about(seen, peak_resident_kib(server.pid()), kMostPlainKib);
  EXPECT_THAT(complaints, ::testing::Contains(::testing::HasSubstr("answers of status 200")));
  EXPECT_THAT(complaints, ::testing::Contains("took too much memory"));
}

// The known-bad variant for the books: a front that accepts whatever comes, also what its host then refuses.
TEST(OverloadTest, WhatIsAcceptedAndNotStoredIsSeen) {
  Luck luck;
  RunningHost host;
  configure_for_flood(host);
  ASSERT_TRUE(host.start()) << host.log();
  Flood seen;
  {
    HastyFront front(host.port());
    seen = flood(front.port(), 1, luck);
  }
  EXPECT_EQ(host.end(SIGTERM), 0);
  EXPECT_THAT(complaints_about_books(host, seen.accepted),
              ::testing::Contains(::testing::HasSubstr("was accepted and is lost")));
}

}  // namespace
}  // namespace davit::faults
