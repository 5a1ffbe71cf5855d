// What HTTP/2 adds to what can be sent.
#include <memory>
#include <utility>

#include "tests/faults/front_attacks.h"

namespace davit::faults {
namespace {

using namespace std::chrono_literals;

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

}  // namespace

const std::vector<Attack>& h2_attacks() {
  static const std::vector<Attack> kAttacks = {
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

}  // namespace davit::faults
