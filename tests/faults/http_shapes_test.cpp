// Raw requests, right and wrong, at davit itself and, by TLS, through real nginx with config/nginx/davit.conf. Each is sent
// whole and cut before its body, alone and with a second request hidden behind it. One request gets one
// answer, and what hides behind a request whose end is in doubt gets none.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/faults/books.h"
#include "tests/faults/demo_delivery.h"
#include "tests/faults/http_shapes.h"
#include "tests/faults/lane.h"
#include "tests/faults/lax_server.h"
#include "tests/faults/nginx.h"
#include "tests/faults/processes.h"
#include "tests/integration/raw_client.h"
#include "tests/support/http_responder.h"
#include "tests/support/running_host.h"

namespace davit::faults {
namespace {

using namespace std::chrono_literals;
using ::davit::testing::RunningHost;
using ::testing::Contains;
using ::testing::HasSubstr;

const std::filesystem::path kPlugins = DAVIT_BUILD_DIR "/plugins";
const std::string kHidden = "GET /healthz HTTP/1.1\r\nHost: davit.test\r\n\r\n";

enum class Cut { Whole, BeforeTheBody };
enum class Behind { Nothing, HiddenRequest };

bool answers_the_hidden_one(const test::RawAnswer& answer) {
  return answer.body.find("\"alive\"") != std::string::npos;
}

test::RawAnswer final_answer(test::RawClient& client) {
  test::RawAnswer answer = client.read_answer();
  while (answer.status >= 100 && answer.status < 200) answer = client.read_answer();
  return answer;
}

// Sends one shape in one way, and tells what was wrong about the answers.
class Judge {
 public:
  Judge(int port, std::chrono::milliseconds patience) : port_(port), patience_(patience) {}

  std::vector<std::string> complaints(const Shape& shape, const Expectation& right, Cut cut,
                                      Behind behind) const {
    std::vector<std::string> found;
    const std::string what = shape.name + (cut == Cut::Whole ? ", whole" : ", cut") +
                             (behind == Behind::Nothing ? "" : ", with a request behind it");
    auto complain = [&](const std::string& why) { found.push_back(what + ": " + why); };

    test::RawClient client(port_);
    client.patience = patience_;
    const std::string rest = shape.body + (behind == Behind::HiddenRequest ? kHidden : "");
    if (cut == Cut::Whole) {
      client.send(shape.head + rest);
    } else {
      client.send(shape.head);
      give_time_to_read(client);
      client.send(rest);
    }
    const test::RawAnswer first = final_answer(client);
    if (right.statuses.count(first.status) == 0)
      complain("answered " + std::to_string(first.status) + " " + first.body.substr(0, 120));
    if (first.status == 400 && first.body.find("basic_string") != std::string::npos)
      complain("shows a library's words");
    const bool healthz = shape.head.find("healthz") != std::string::npos;
    if (!healthz && answers_the_hidden_one(first)) complain("smuggles: got the answer of another request");

    if (right.after == After::Closed) {
      const std::string more = client.read_to_end();
      if (!client.at_end()) complain("stays open");
      if (more.find("HTTP/1.") != std::string::npos) {
        complain(more.find("\"alive\"") == std::string::npos ? "answers twice"
                                                             : "smuggles: the hidden request was answered");
      }
    } else if (right.after == After::Open && first.status != 0) {
      if (behind == Behind::Nothing) client.send(kHidden);
      if (!answers_the_hidden_one(final_answer(client))) complain("the request behind it is not answered");
      if (client.peek_received() != 0) complain("answers twice");
    }
    // Whoever comes next gets an answer to what he asked.
    test::RawClient next(port_);
    next.patience = patience_;
    next.send("GET /webhooks/next HTTP/1.1\r\nHost: davit.test\r\n\r\n");
    const test::RawAnswer answer = next.read_answer();
    if (answer.status == 0) complain("the next client is not answered");
    if (answers_the_hidden_one(answer)) complain("smuggles: the next client got a foreign answer");
    if (right.after == After::Swallowed && client.peek_received() != 0) complain("answers twice");
    return found;
  }

 private:
  // Until the server has had the head for a while, or has answered it.
  static void give_time_to_read(test::RawClient& client) {
    pollfd waiting{client.fd(), POLLIN, 0};
    ::poll(&waiting, 1, 15);
  }
  int port_;
  std::chrono::milliseconds patience_;
};

constexpr std::pair<Cut, Behind> kWays[] = {{Cut::Whole, Behind::Nothing},
                                            {Cut::BeforeTheBody, Behind::Nothing},
                                            {Cut::Whole, Behind::HiddenRequest},
                                            {Cut::BeforeTheBody, Behind::HiddenRequest}};

// Signed as GitHub signs, with an id of its own.
std::string delivery_headers(const std::string& body) {
  return "Content-Type: application/json\r\nX-GitHub-Event: ping\r\nX-GitHub-Delivery: " + new_id() +
         "\r\nX-Hub-Signature-256: " + RunningHost::github_signature(body) + "\r\n";
}

std::vector<Shape> shuffled_shapes(Luck& luck) {
  auto shapes = http_shapes(delivery_headers);
  std::shuffle(shapes.begin(), shapes.end(), luck.engine());
  return shapes;
}

class HttpShapesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    host.install(kPlugins / "github.so");
    host.install(DAVIT_BUILD_DIR "/tests/faults/unlucky_agent.so");
    host.configure(
        "webhooks:\n  github: {secret_env: GITHUB_WEBHOOK_SECRET, replay_window: 0s, isolation: inprocess, "
        "config: {agent: "
        "steady}}\n"
        "agents:\n  steady: {}\n");
    ASSERT_TRUE(host.start()) << host.log();
  }
  // All shapes in all ways; what was wrong, a line each.
  std::string judge_all(int port, Expectation Shape::*right) {
    Luck luck;
    std::string complaints;
    int sent = 0;
    const int rounds = trials(1, 20);
    for (int round = 0; round < rounds; ++round) {
      for (const Shape& shape : shuffled_shapes(luck)) {
        if ((shape.*right).statuses.empty()) continue;
        note(shape, shape.*right);
        for (auto [cut, behind] : kWays) {
          for (const std::string& one : Judge(port, 10s).complaints(shape, shape.*right, cut, behind))
            complaints += one + "\n";
          ++sent;
        }
      }
    }
    std::cout << sent << " requests in " << rounds << " rounds\n";
    return complaints;
  }
  // After the host: what was to be accepted is in the database, and of what was refused there is no trace.
  void expect_books() {
    ASSERT_EQ(host.end(SIGTERM), 0);
    const auto stored = delivery_keys(host.folder() / "davit.db");
    for (const auto& [id, accepted] : accepted_) EXPECT_EQ(stored.count(id), accepted ? 1u : 0u) << id;
    EXPECT_EQ(stored.size(),
              static_cast<std::size_t>(std::count_if(accepted_.begin(), accepted_.end(),
                                                     [](const auto& one) { return one.second; })));
  }

  RunningHost host;

 private:
  // By the id that stands in its head.
  void note(const Shape& shape, const Expectation& right) {
    constexpr std::string_view kName = "X-GitHub-Delivery: ";
    const auto at = shape.head.find(kName);
    if (at == std::string::npos) return;
    accepted_[shape.head.substr(at + kName.size(), new_id().size())] = right.statuses.count(202) != 0;
  }
  std::map<std::string, bool> accepted_;
};

TEST_F(HttpShapesTest, DavitItselfAnswersEveryShapeOnceAndStrictly) {
  const pid_t pid = host.pid();
  EXPECT_EQ(judge_all(host.port(), &Shape::direct), "");
  EXPECT_TRUE(host.running());
  EXPECT_EQ(host.pid(), pid);
  expect_books();
}

TEST_F(HttpShapesTest, BehindNginxEveryShapeIsAnsweredOnce) {
  Nginx nginx(host.port());
  ASSERT_TRUE(nginx.start()) << nginx.output();
  EXPECT_EQ(judge_all(nginx.port(), &Shape::proxied), "");
  EXPECT_TRUE(host.running());
  expect_books();
}

// The known-bad variant: the same table and the same judge convict Pistache as it comes.
TEST(LaxServerTest, PistacheAsItComesIsFoundToSmuggle) {
  Luck luck;
  LaxServer server(2);
  std::vector<std::string> complaints;
  const std::set<std::string> known{"no length, then one", "length \"0x3\"", "length \"\"",
                                    "a blank before the colon of the length",
                                    "a folded line that swallows the length"};
  for (const Shape& shape : shuffled_shapes(luck)) {
    if (known.count(shape.name) == 0) continue;
    const auto of_this = Judge(server.port(), 300ms)
                             .complaints(shape, shape.direct, Cut::BeforeTheBody, Behind::HiddenRequest);
    EXPECT_THAT(of_this, Contains(HasSubstr("smuggles"))) << shape.name;
    EXPECT_THAT(of_this, Contains(HasSubstr("answered 200"))) << shape.name;
    complaints.insert(complaints.end(), of_this.begin(), of_this.end());
  }
  EXPECT_GE(complaints.size(), 2 * known.size());
}

}  // namespace
}  // namespace davit::faults
