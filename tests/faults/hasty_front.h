// The known-bad variant of "a 2xx means committed": a front that says 202 to everything as soon as it has
// read it, and only then passes it on to the host.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "tests/faults/echo_host.h"

namespace davit::faults {

class HastyFront {
 public:
  explicit HastyFront(int host_port)
      : host_port_(host_port), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener_.number(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(listener_.number(), 64) != 0 ||
        ::getsockname(listener_.number(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      ADD_FAILURE() << "the front cannot listen: " << errno_text(errno);
    }
    port_ = ntohs(address.sin_port);
    accepting_ = std::thread([this] { accept(); });
  }
  ~HastyFront() {
    ::shutdown(listener_.number(), SHUT_RDWR);
    accepting_.join();
    for (std::thread& thread : serving_) thread.join();
  }
  int port() const { return port_; }

 private:
  void accept() {
    for (int client; (client = ::accept4(listener_.number(), nullptr, nullptr, SOCK_CLOEXEC)) >= 0;)
      serving_.emplace_back([this, client] { serve(UniqueFd(client)); });
  }

  void serve(UniqueFd client) {
    std::string buffer;
    test::RawClient host(host_port_);
    for (;;) {
      const std::size_t head = buffer.find("\r\n\r\n");
      const std::size_t length = buffer.find("Content-Length: ");
      const std::size_t whole =
          head == std::string::npos
              ? std::string::npos
              : head + 4 + static_cast<std::size_t>(std::atoll(buffer.c_str() + length + 16));
      if (whole == std::string::npos || buffer.size() < whole) {
        char bytes[16'384];
        const ssize_t received = ::recv(client.number(), bytes, sizeof bytes, 0);
        if (received <= 0) return;
        buffer.append(bytes, static_cast<std::size_t>(received));
        continue;
      }
      const std::string request = buffer.substr(0, whole);
      buffer.erase(0, whole);
      static constexpr char kAnswer[] =
          "HTTP/1.1 202 Accepted\r\nContent-Length: 20\r\n\r\n{\"status\": \"queued\"}";
      if (::send(client.number(), kAnswer, sizeof kAnswer - 1, MSG_NOSIGNAL) < 0) return;
      host.send(request);
      if (host.read_answer().status == 0) return;
    }
  }

  const int host_port_;
  UniqueFd listener_;
  int port_ = 0;
  std::thread accepting_;
  std::vector<std::thread> serving_;  // the accepting thread's, until that has ended
};

}  // namespace davit::faults
