// Attacks that fell a bare Pistache, and those that HTTP/2 adds, sent by TLS through real nginx with
// config/nginx/davit.conf. A table: what is sent, and the only right outcome. After each of them davit is the
// process it was, and serves others through nginx and beside it. tests/faults/http_shapes.h has the malformed
// requests.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "tests/faults/demo_delivery.h"
#include "tests/faults/h2_client.h"
#include "tests/faults/lane.h"
#include "tests/faults/nginx.h"
#include "tests/integration/raw_client.h"
#include "tests/support/running_host.h"

namespace davit::faults {
namespace {

using namespace std::chrono_literals;
using ::davit::testing::RunningHost;

const std::string kBody = R"({"zen":"Practicality beats purity."})";

H2Client::Headers signed_headers(const std::string& body, const std::string& prefix = "") {
  return {{prefix + "content-type", "application/json"},
          {"x-github-event", "ping"},
          {"x-github-delivery", new_id()},
          {"x-hub-signature-256", RunningHost::github_signature(body)}};
}

std::string head(const std::string& request_line, const H2Client::Headers& headers = {}) {
  std::string text = request_line + " HTTP/1.1\r\nHost: davit.test\r\n";
  for (const auto& [name, value] : headers) text += name + ": " + value + "\r\n";
  return text;
}

std::string delivery() {
  return head("POST /webhooks/github", signed_headers(kBody)) +
         "Content-Length: " + std::to_string(kBody.size()) + "\r\n\r\n" + kBody;
}

struct Scene {
  RunningHost& host;
  Nginx& nginx;
  const TlsContext http1, http2;

  Scene(RunningHost& running, Nginx& front)
      : host(running),
        nginx(front),
        http1(front.certificate(), "http/1.1"),
        http2(front.certificate(), "h2") {}

  // What comes back for bytes sent in pieces: the statuses, and "closed" where the connection ends.
  std::string said(const std::vector<std::string>& pieces, std::size_t answers = 1) {
    test::RawClient client(nginx.port());
    for (const std::string& piece : pieces) {
      client.send(piece);
      pollfd waiting{client.fd(), POLLIN, 0};
      if (pieces.size() > 1) ::poll(&waiting, 1, 20);
    }
    std::string all;
    for (std::size_t i = 0; i < answers; ++i) {
      const auto answer = client.read_answer();
      all += (all.empty() ? "" : " ") + std::to_string(answer.status);
    }
    client.patience = 100ms;
    return client.at_end() ? all + " closed" : all;
  }
  std::string get(const std::string& target) { return said({head("GET " + target) + "\r\n"}); }
  // Of an HTTP/2 request.
  std::string asked(const H2Client::Headers& headers, std::string_view body = "") {
    H2Client client(http2, nginx.tls_port());
    return client.outcome(client.ask(headers, body));
  }
  std::string asked_with(const H2Client::Headers& more) {
    H2Client::Headers headers = signed_headers(kBody);
    headers.insert(headers.end(), more.begin(), more.end());
    return asked(H2Client::request("POST", "/webhooks/github", headers), kBody);
  }
};

struct Attack {
  const char* name;
  std::function<std::string(Scene&)> run;
  const char* outcome;
};

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

// Others are served while `client` keeps doing what it does.
std::string served_meanwhile(Scene& scene) {
  for (int i = 0; i < 5; ++i)
    if (scene.said({delivery()}) != "200") return "others wait";
  return "others are served";
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

// "Rapid reset" (CVE-2023-44487).
std::string rapid_resets(Scene& scene) {
  H2Client client(scene.http2, scene.nginx.tls_port());
  const std::string request =
      H2Client::packed(H2Client::request("POST", "/webhooks/github", signed_headers(kBody)));
  for (std::uint32_t stream = 1; stream < 10'000; stream += 2) {
    if (!client.send(H2Client::frame(H2Client::Head, H2Client::EndHeaders, stream, request) +
                     H2Client::frame(H2Client::Data, H2Client::EndStream, stream, kBody) +
                     H2Client::frame(H2Client::Reset, 0, stream, std::string("\0\0\0\x8", 4))))
      break;
  }
  return served_meanwhile(scene);
}

// One HEADERS, and CONTINUATION after CONTINUATION.
std::string endless_head(Scene& scene) {
  H2Client client(scene.http2, scene.nginx.tls_port());
  client.send(H2Client::frame(H2Client::Head, 0, 1, H2Client::packed(H2Client::request("GET", "/healthz"))));
  const std::string more = H2Client::packed({{"x-more", std::string(4'000, 'x')}});
  for (int i = 0; i < 1'000; ++i)
    if (!client.send(H2Client::frame(H2Client::More, 0, 1, more))) break;
  return client.outcome(1);
}

// A value of 3,000 bytes is kept in the table once, then named by one byte 5,000 times: 15 MB
// (CVE-2016-6581).
std::string large_by_table(Scene& scene) {
  H2Client client(scene.http2, scene.nginx.tls_port());
  std::string block = H2Client::packed(H2Client::request("GET", "/healthz"));
  block += H2Client::kept("x-bomb", std::string(3'000, 'x')) + std::string(5'000, '\xbe');
  client.send(H2Client::frame(H2Client::Head, H2Client::EndStream | H2Client::EndHeaders, 1, block));
  return client.outcome(1);
}

// A million of one kind, whose answers nobody reads.
std::string flooded(Scene& scene, const std::string& frame) {
  H2Client client(scene.http2, scene.nginx.tls_port());
  client.connection().patience = 2s;
  std::string thousand;
  for (int i = 0; i < 1'000; ++i) thousand += frame;
  for (int i = 0; i < 1'000; ++i)
    if (!client.send(thousand)) break;
  return served_meanwhile(scene);
}

// As many as one address may have under way, but a few.
std::string no_window(Scene& scene) {
  std::vector<std::unique_ptr<H2Client>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(std::make_unique<H2Client>(scene.http2, scene.nginx.tls_port(),
                                                 std::vector<std::pair<int, std::uint32_t>>{{4, 0}}));
    for (int request = 0; request < 64; ++request)
      clients.back()->ask(H2Client::request("GET", "/webhooks/" + std::string(1'000, 'x')));
  }
  return served_meanwhile(scene);
}

const std::vector<Attack>& attacks() {
  static const std::vector<Attack> kAttacks = {
      // ---- what fells a bare Pistache
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

      // ---- what HTTP/2 adds
      {"h2: a delivery", [](Scene& scene) { return scene.asked_with({}); }, "200"},
      {"h2: a length that is too small",
       [](Scene& scene) {
         return scene.asked_with({{"content-length", "3"}});
       },
       "400"},
      {"h2: a length that is too large",
       [](Scene& scene) {
         return scene.asked_with({{"content-length", "300"}});
       },
       "400"},
      {"h2: two lengths",
       [](Scene& scene) {
         return scene.asked_with({{"content-length", "36"}, {"content-length", "0"}});
       },
       "400"},
      {"h2: chunks",
       [](Scene& scene) {
         return scene.asked_with({{"transfer-encoding", "chunked"}});
       },
       "200"},
      {"h2: chunks and a length",
       [](Scene& scene) {
         return scene.asked_with({{"transfer-encoding", "chunked"}, {"content-length", "0"}});
       },
       "400"},
      {"h2: CR LF and a header in a value",
       [](Scene& scene) {
         return scene.asked_with({{"x-a", "b\r\nContent-Length: 0\r\n\r\nGET /metrics HTTP/1.1"}});
       },
       "reset 1"},
      {"h2: CR LF in a name",
       [](Scene& scene) {
         return scene.asked_with({{"x-a\r\nx-b", "c"}});
       },
       "reset 1"},
      {"h2: a colon in a name",
       [](Scene& scene) {
         return scene.asked_with({{"content-length: 0", "c"}});
       },
       "reset 1"},
      {"h2: upper case in a name",
       [](Scene& scene) {
         return scene.asked_with({{"X-Upper", "c"}});
       },
       "reset 1"},
      {"h2: CR LF in a path",
       [](Scene& scene) { return scene.asked(H2Client::request("GET", "/healthz HTTP/1.1\r\nX: y")); },
       "reset 1"},
      {"h2: a blank in a path",
       [](Scene& scene) { return scene.asked(H2Client::request("GET", "/health z")); }, "400"},
      {"h2: CR LF in a method",
       [](Scene& scene) {
         return scene.asked(H2Client::request("GET /metrics HTTP/1.1\r\nX: y", "/healthz"));
       },
       "reset 1"},
      {"h2: no path",
       [](Scene& scene) {
         return scene.asked({{":method", "GET"}, {":scheme", "https"}});
       },
       "400"},
      {"h2: two paths",
       [](Scene& scene) {
         return scene.asked(H2Client::request("GET", "/healthz", {{":path", "/metrics"}}));
       },
       "400"},
      {"h2: a detour to the metrics",
       [](Scene& scene) { return scene.asked(H2Client::request("GET", "/webhooks/../metrics")); }, "404"},
      {"h2: a header of 10 kB",
       [](Scene& scene) {
         return scene.asked(H2Client::request("GET", "/healthz", {{"x-long", std::string(10'000, 'a')}}));
       },
       "goaway 11"},
      {"h2: 5,000 requests that are taken back at once", rapid_resets, "others are served"},
      {"h2: a head that never ends", endless_head, "goaway 11"},
      {"h2: a small head that a table makes large", large_by_table, "goaway 11"},
      {"h2: a million pings",
       [](Scene& scene) { return flooded(scene, H2Client::frame(H2Client::Ping, 0, 0, "12345678")); },
       "others are served"},
      {"h2: a million settings",
       [](Scene& scene) { return flooded(scene, H2Client::frame(H2Client::Settings, 0, 0, "")); },
       "others are served"},
      {"h2: readers that leave no room for an answer", no_window, "others are served"},
      {"h2: a stream with an even number",
       [](Scene& scene) {
         H2Client client(scene.http2, scene.nginx.tls_port());
         client.send(
             H2Client::frame(H2Client::Head, 5, 2, H2Client::packed(H2Client::request("GET", "/healthz"))));
         return client.outcome(2);
       },
       "goaway 1"},
      {"h2: 2 MB for a stream that nobody opened",
       [](Scene& scene) {
         H2Client client(scene.http2, scene.nginx.tls_port());
         client.send(H2Client::frame(H2Client::Data, 0, 1, std::string(2 << 20, 'x')));
         return client.outcome(client.ask(H2Client::request("GET", "/healthz")));
       },
       "200"},
      {"h2: a body for a stream that is done with",
       [](Scene& scene) {
         H2Client client(scene.http2, scene.nginx.tls_port());
         const auto stream = client.ask(H2Client::request("GET", "/healthz"));
         const std::string first = client.outcome(stream);
         client.send(H2Client::frame(H2Client::Data, H2Client::EndStream, stream, kBody));
         return first + " " + client.outcome(client.ask(H2Client::request("GET", "/healthz")));
       },
       "200 200"},
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
  for (const Attack& attack : attacks()) {
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
