// FT-05: one delivery arrives on eight connections at once, and in half of the rounds the host dies in the
// middle.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <barrier>
#include <set>

#include "tests/faults/echo_host.h"
#include "tests/faults/lane.h"

namespace davit::faults {
namespace {

using ::testing::IsEmpty;
using testing::RunningHost;

constexpr int kConnections = 8;
constexpr int kIdsOfRound = 10;

// The id that each connection sends for a delivery: a sender's own, or in the known-bad variant one per
// connection.
enum class Ids { OfTheDelivery, OfTheConnection };

// Sends each of `ids` on all connections at the same moment.
void send_at_once(int port, const std::vector<std::string>& ids, Ids kind, Acknowledged& acknowledged) {
  std::barrier together(kConnections);
  std::vector<std::thread> senders;
  for (int number = 0; number < kConnections; ++number) {
    senders.emplace_back([&, number] {
      test::RawClient client(port);
      for (const std::string& id : ids) {
        together.arrive_and_wait();
        client.send(delivery_request(kind == Ids::OfTheDelivery ? id : id + "-" + std::to_string(number)));
        const test::RawAnswer answer = client.read_answer();
        if (answer.status == 200 || answer.status == 202) acknowledged.add(id, task_of(answer));
      }
    });
  }
  for (std::thread& sender : senders) sender.join();
}

// The promise "one task per id", as sentences about where it is broken.
std::vector<std::string> more_than_one(const std::vector<std::string>& ids, const Acknowledged& acknowledged,
                                       const Books& books) {
  std::vector<std::string> broken;
  if (!books.damage.empty()) broken.push_back("the database is damaged: " + books.damage);
  std::map<std::string, std::set<std::string>> named;
  for (const auto& [id, task] : acknowledged.all()) named[id].insert(task);
  for (const std::string& id : ids) {
    if (named[id].size() != 1 || named[id].count("") == 1)
      broken.push_back("the answers about " + id + " name " + std::to_string(named[id].size()) + " tasks");
    const auto rows = books.deliveries.find(id);
    const std::size_t count = rows == books.deliveries.end() ? 0 : rows->second.size();
    if (count != 1) broken.push_back("delivery " + id + " is stored " + std::to_string(count) + " times");
  }
  if (books.tasks.size() != ids.size()) {
    broken.push_back(std::to_string(ids.size()) + " deliveries became " + std::to_string(books.tasks.size()) +
                     " tasks");
  }
  return broken;
}

TEST(SameIdTest, OneIdOnEightConnectionsIsOneTaskAlsoAcrossKills) {
  Luck luck;
  RunningHost host;
  make_echo_host(host);
  ASSERT_TRUE(host.start()) << host.log();
  Acknowledged acknowledged;
  std::vector<std::string> all;
  const int rounds = trials(20, 500);
  for (int round = 0; round < rounds; ++round) {
    std::vector<std::string> ids;
    for (int i = 0; i < kIdsOfRound; ++i)
      ids.push_back("r" + std::to_string(round) + "-" + std::to_string(i));
    all.insert(all.end(), ids.begin(), ids.end());
    if (round % 2 == 0) {
      send_at_once(host.port(), ids, Ids::OfTheDelivery, acknowledged);
      continue;
    }
    const std::size_t enough = acknowledged.count() + luck.between(1, kIdsOfRound * kConnections - 1);
    std::thread killer([&] {
      EXPECT_TRUE(acknowledged.wait_for(enough)) << host.log();
      host.end(SIGKILL);
    });
    send_at_once(host.port(), ids, Ids::OfTheDelivery, acknowledged);
    killer.join();
    // As a sender does that got no answer.
    ASSERT_TRUE(host.start()) << host.log();
    send_at_once(host.port(), ids, Ids::OfTheDelivery, acknowledged);
  }
  EXPECT_EQ(deliver(host.port(), "afterwards").status, 202);
  all.push_back("afterwards");
  acknowledged.add("afterwards", task_of(deliver(host.port(), "afterwards")));
  ASSERT_EQ(host.end(SIGTERM), 0) << host.log();
  const auto broken = more_than_one(all, acknowledged, Books::read(host.folder() / "davit.db"));
  EXPECT_THAT(broken, IsEmpty()) << join(broken);
  std::cout << all.size() << " ids, " << rounds / 2 << " kills, " << acknowledged.count()
            << " answers, one task each" << std::endl;
}

TEST(SameIdTest, AFreshIdPerConnectionIsCaught) {
  RunningHost host;
  make_echo_host(host);
  ASSERT_TRUE(host.start()) << host.log();
  Acknowledged acknowledged;
  const std::vector<std::string> ids{"a", "b", "c"};
  send_at_once(host.port(), ids, Ids::OfTheConnection, acknowledged);
  ASSERT_EQ(host.end(SIGTERM), 0) << host.log();
  const auto broken = more_than_one(ids, acknowledged, Books::read(host.folder() / "davit.db"));
  EXPECT_EQ(broken.size(), 2 * ids.size() + 1) << "this test would not notice tasks made twice\n"
                                               << join(broken);
}

}  // namespace
}  // namespace davit::faults
