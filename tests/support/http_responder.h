// A host of one's own making: answers each request on a free port of this machine with what the test says.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "host/base/file.h"
#include "host/base/guarded.h"

namespace davit::testing {

struct SeenRequest {
  std::string method, target, head, body;

  // The value of a header, or empty.
  std::string header(const std::string& name) const {
    const std::size_t at = head.find("\r\n" + name + ": ");
    if (at == std::string::npos) return "";
    const std::size_t begin = at + 4 + name.size();
    return head.substr(begin, head.find("\r\n", begin) - begin);
  }
};

struct CannedAnswer {
  int status = 200;
  std::string body = "{}";
};

class HttpResponder {
 public:
  using Answer = std::function<CannedAnswer(const SeenRequest&)>;

  explicit HttpResponder(Answer answer)
      : answer_(std::move(answer)), listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(listener_.number(), reinterpret_cast<sockaddr*>(&address), sizeof address);
    ::listen(listener_.number(), 16);
    socklen_t size = sizeof address;
    ::getsockname(listener_.number(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }

  ~HttpResponder() {
    ::shutdown(listener_.number(), SHUT_RDWR);
    thread_.join();
  }

  int port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::vector<SeenRequest> seen() {
    return seen_.with([](const auto& seen) { return seen; });
  }

 private:
  void serve() {
    for (;;) {
      UniqueFd connection(::accept(listener_.number(), nullptr, nullptr));
      if (!connection.open()) return;
      SeenRequest request;
      if (!receive(connection.number(), request)) continue;
      const CannedAnswer answer = answer_(request);
      seen_.with([&](auto& seen) { seen.push_back(request); });
      const std::string bytes = "HTTP/1.1 " + std::to_string(answer.status) +
                                " X\r\nContent-Length: " + std::to_string(answer.body.size()) +
                                "\r\nConnection: close\r\n\r\n" + answer.body;
      for (std::size_t sent = 0; sent < bytes.size();) {
        const ssize_t count =
            ::send(connection.number(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
        if (count <= 0) break;
        sent += static_cast<std::size_t>(count);
      }
    }
  }

  static bool receive(int fd, SeenRequest& request) {
    std::string bytes;
    char buffer[4096];
    const auto more = [&] {
      const ssize_t count = ::recv(fd, buffer, sizeof buffer, 0);
      if (count > 0) bytes.append(buffer, static_cast<std::size_t>(count));
      return count > 0;
    };
    while (bytes.find("\r\n\r\n") == std::string::npos)
      if (!more()) return false;
    const std::size_t end = bytes.find("\r\n\r\n") + 4;
    request.head = bytes.substr(0, end);
    request.method = request.head.substr(0, request.head.find(' '));
    const std::size_t target = request.method.size() + 1;
    request.target = request.head.substr(target, request.head.find(' ', target) - target);
    const std::string length = request.header("Content-Length");
    const std::size_t wanted = end + (length.empty() ? 0 : std::stoul(length));
    while (bytes.size() < wanted)
      if (!more()) return false;
    request.body = bytes.substr(end);
    return true;
  }

  Answer answer_;
  UniqueFd listener_;
  int port_ = 0;
  Guarded<std::vector<SeenRequest>> seen_;
  std::thread thread_;
};

}  // namespace davit::testing
