// What attacks through nginx are made of. Each is a line of a table: what is sent by TLS through real nginx
// with config/nginx/davit.conf, and the only right outcome. After each of them davit is the process it was,
// and serves others through nginx and beside it. tests/faults/http_shapes.h has the malformed requests.
#pragma once

#include <poll.h>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/faults/h2_client.h"
#include "tests/faults/nginx.h"
#include "tests/integration/raw_client.h"
#include "tests/support/running_host.h"

namespace davit::faults {

using ::davit::testing::RunningHost;

inline const std::string kBody = R"({"zen":"Practicality beats purity."})";

inline H2Client::Headers signed_headers(const std::string& body, const std::string& prefix = "") {
  return {{prefix + "content-type", "application/json"},
          {"x-github-event", "ping"},
          {"x-github-delivery", new_id()},
          {"x-hub-signature-256", RunningHost::github_signature(body)}};
}

inline std::string head(const std::string& request_line, const H2Client::Headers& headers = {}) {
  std::string text = request_line + " HTTP/1.1\r\nHost: davit.test\r\n";
  for (const auto& [name, value] : headers) text += name + ": " + value + "\r\n";
  return text;
}

inline std::string delivery() {
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
    client.patience = std::chrono::milliseconds(100);
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

// Others are served while a client keeps doing what it does.
inline std::string served_meanwhile(Scene& scene) {
  for (int i = 0; i < 5; ++i)
    if (scene.said({delivery()}) != "200") return "others wait";
  return "others are served";
}

// Those that HTTP/2 adds.
const std::vector<Attack>& h2_attacks();

}  // namespace davit::faults
