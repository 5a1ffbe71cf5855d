// Attacks that fell a bare Pistache, through real nginx with config/nginx/davit.conf, in which HTTP/2 is not
// spoken; and the test of all of them, and of those of front_attacks_h2.cpp.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>

#include "tests/faults/front_attacks.h"
#include "tests/faults/lane.h"

namespace davit::faults {
namespace {

using namespace std::chrono_literals;

// Nobody gets an answer that is another's: those who stay ask for what has an answer that no other has.
std::string misdelivered(Scene& scene) {
  std::atomic<bool> stopping{false};
  std::thread leaving([&] {
    while (!stopping) {
      TlsConnection client(scene.http1, scene.nginx.tls_port());
      client.send(delivery());
      client.leave_with_reset();
    }
  });
  std::vector<std::unique_ptr<TlsConnection>> silent;  // have asked nothing, so hear nothing
  for (int i = 0; i < 10; ++i)
    silent.push_back(std::make_unique<TlsConnection>(scene.http1, scene.nginx.tls_port()));
  int wrong = 0;
  const std::pair<std::string, int> kRequests[] = {{head("GET /healthz/nothing"), 404},
                                                   {head("GET /webhooks/github"), 405},
                                                   {head("GET /api/dashboard/tasks"), 401}};
  for (int i = 0; i < trials(300, 20'000); ++i) {
    const auto& [request, status] = kRequests[i % 3];
    test::RawClient client(scene.nginx.port());
    client.send(request + "\r\n");
    if (client.read_answer().status != status) ++wrong;
  }
  stopping = true;
  leaving.join();
  for (auto& each : silent) {
    each->patience = 0ms;
    if (!each->receive().empty()) ++wrong;
  }
  return std::to_string(wrong) + " wrong answers";
}

std::string slow_reader(Scene& scene) {
  std::vector<std::unique_ptr<TlsConnection>> clients;
  std::string many;
  for (int i = 0; i < 500; ++i) many += head("GET /webhooks/" + std::string(1'000, 'x')) + "\r\n";
  for (int i = 0; i < 5; ++i) {
    clients.push_back(std::make_unique<TlsConnection>(scene.http1, scene.nginx.tls_port()));
    clients.back()->patience = 50ms;
    clients.back()->send(many);
  }
  return served_meanwhile(scene);
}

// So many connections that have each sent `bytes`, by TLS or as they are.
std::string crowd(Scene& scene, int count, const std::string& bytes, bool tls) {
  std::vector<std::unique_ptr<TlsConnection>> clients;
  std::vector<std::unique_ptr<test::RawClient>> raw;
  for (int i = 0; i < count; ++i) {
    if (tls) {
      clients.push_back(std::make_unique<TlsConnection>(scene.http1, scene.nginx.tls_port()));
      clients.back()->send(bytes);
    } else {
      raw.push_back(std::make_unique<test::RawClient>(scene.nginx.tls_port()));
      raw.back()->send(bytes);
    }
  }
  return served_meanwhile(scene);
}

std::string chunked(const std::vector<std::string>& pieces, Scene& scene, const std::string& body) {
  std::vector<std::string> all{head("POST /webhooks/github", signed_headers(body)) +
                               "Transfer-Encoding: chunked\r\n\r\n"};
  all.insert(all.end(), pieces.begin(), pieces.end());
  return scene.said(all);
}

std::string many_chunks(Scene& scene) {
  const std::string body = "{\"zen\":\"" + std::string(200'000, 'x') + "\"}";
  std::string chunks;
  for (std::size_t at = 0; at < body.size(); at += 15) {
    const std::string part = body.substr(at, 15);
    chunks += (part.size() == 15 ? "f" : "0" + std::string(1, "0123456789abcdef"[part.size()])) + "\r\n" +
              part + "\r\n";
  }
  std::vector<std::string> pieces;
  for (std::size_t at = 0; at < chunks.size(); at += 9'999) pieces.push_back(chunks.substr(at, 9'999));
  pieces.push_back("0\r\n\r\n");
  return chunked(pieces, scene, body);
}

std::string half_closed(Scene& scene) {
  test::RawClient client(scene.nginx.port());
  client.send(delivery());
  client.end_sending();
  return std::to_string(client.read_answer().status);
}

const std::vector<Attack>& attacks() {
  static const std::vector<Attack> kAttacks = {
      {"clients that leave before their answer", misdelivered, "0 wrong answers"},
      {"a chunk cut between its CR and LF",
       [](Scene& scene) {
         return chunked({"24\r\n" + kBody + "\r", "\n0\r\n\r\n"}, scene, kBody);
       },
       "200"},
      {"chunks whose last CRLF comes late",
       [](Scene& scene) {
         return chunked({"24\r\n" + kBody + "\r\n0\r\n", "\r", "\n"}, scene, kBody);
       },
       "200"},
      {"an upload in chunks of 15 bytes", many_chunks, "200"},
      {"15,000 slashes", [](Scene& scene) { return scene.get(std::string(15'000, '/')); }, "414 closed"},
      {"8,000 slashes", [](Scene& scene) { return scene.get(std::string(8'000, '/')); }, "404"},
      {"100,000 parameters",
       [](Scene& scene) {
         std::string target = "/healthz?";
         for (int i = 0; i < 100'000; ++i) target += "a=b&";
         return scene.get(target);
       },
       "414 closed"},
      {"a header of 1 MB",
       [](Scene& scene) {
         return scene.said({head("GET /healthz", {{"X-Long", std::string(1 << 20, 'x')}}) + "\r\n"});
       },
       "400 closed"},
      {"10,000 headers",
       [](Scene& scene) {
         return scene.said({head("GET /healthz", H2Client::Headers(10'000, {"X-Many", "y"})) + "\r\n"});
       },
       "400 closed"},
      {"readers that do not read", slow_reader, "others are served"},
      {"three requests in one segment",
       [](Scene& scene) { return scene.said({delivery() + delivery() + head("GET /healthz") + "\r\n"}, 3); },
       "200 200 200"},
      {"a body that waits to be invited",
       [](Scene& scene) {
         std::string request = delivery();
         request.insert(request.find("Content-Length"), "Expect: 100-continue\r\n");
         const auto body = request.find("\r\n\r\n") + 4;
         return scene.said({request.substr(0, body), request.substr(body)}, 2);
       },
       "100 200"},
      {"a client that has closed its half", half_closed, "200"},
      {"a request hidden in a refused body",
       [](Scene& scene) {
         const std::string hidden = head("GET /healthz") + "\r\n";
         return scene.said({head("POST /webhooks/nobody") +
                            "Content-Length: " + std::to_string(hidden.size()) + "\r\n\r\n" + hidden});
       },
       "404"},
      {"a request hidden behind a body that is too large",
       [](Scene& scene) {
         return scene.said({head("POST /webhooks/github") + "Content-Length: 99000000\r\n\r\n",
                            std::string(100'000, 'x') + head("GET /healthz") + "\r\n"});
       },
       "413"},
      {"a body of 20 GB",
       [](Scene& scene) {
         return scene.said({head("POST /webhooks/github") + "Content-Length: 20000000000\r\n\r\n"});
       },
       "413"},
      {"40 clients that send half a head",
       [](Scene& scene) { return crowd(scene, 40, head("GET /healthz"), true); }, "others are served"},
      {"40 clients that send half a body",
       [](Scene& scene) {
         return crowd(scene, 40, head("POST /webhooks/github") + "Content-Length: 9999\r\n\r\n{", true);
       },
       "others are served"},
      {"40 clients that never begin their handshake",
       [](Scene& scene) { return crowd(scene, 40, "", false); }, "others are served"},
      {"40 clients that stop within their handshake",
       [](Scene& scene) { return crowd(scene, 40, std::string("\x16\x03\x01\x02\x00\x01", 6), false); },
       "others are served"},
      {"HTTP where TLS is spoken",
       [](Scene& scene) {
         test::RawClient client(scene.nginx.tls_port());
         client.send(delivery());
         return std::to_string(client.read_answer().status);
       },
       "400"},
      {"more connections than nginx takes, which then leave",
       [](Scene& scene) {
         {
           std::vector<std::unique_ptr<test::RawClient>> raw;
           for (int i = 0; i < 700; ++i)
             raw.push_back(std::make_unique<test::RawClient>(scene.nginx.tls_port()));
         }
         return served_meanwhile(scene);
       },
       "others are served"},
  };
  return kAttacks;
}

class FrontAttacksTest : public ::testing::Test {
 protected:
  void SetUp() override {
    host.install(DAVIT_BUILD_DIR "/plugins/github.so");
    host.configure(
        "webhooks:\n  github: {secret_env: GITHUB_WEBHOOK_SECRET, replay_window: 0s, isolation: inprocess, "
        "config: {agent: nobody}}\n");
    ASSERT_TRUE(host.start()) << host.log();
  }
  RunningHost host;
};

TEST_F(FrontAttacksTest, EachHasItsOutcomeAndOthersAreServed) {
  Nginx nginx(host.port());
  ASSERT_TRUE(nginx.start()) << nginx.output();
  Scene scene(host, nginx);
  const pid_t davit = host.pid(), worker = nginx.worker();
  std::vector<Attack> all = attacks();
  all.insert(all.end(), h2_attacks().begin(), h2_attacks().end());
  for (const Attack& attack : all) {
    SCOPED_TRACE(attack.name);
    const std::string outcome = attack.run(scene);
    EXPECT_EQ(outcome, attack.outcome);
    std::cout << "  " << attack.name << ": " << outcome << std::endl;
    EXPECT_EQ(scene.said({delivery()}), "200");
    EXPECT_EQ(host.request("GET", "/healthz").status, 200);
    ASSERT_TRUE(host.running() && host.pid() == davit);
    ASSERT_EQ(nginx.worker(), worker);
  }
}

}  // namespace
}  // namespace davit::faults
