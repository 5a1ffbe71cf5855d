// A client that sends exactly the bytes it is told, in the pieces it is told.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <string>
#include <string_view>

#include "host/base/file.h"

namespace davit::test {

struct RawAnswer {
  int status = 0;  // 0: no answer came
  std::string head;
  std::string body;
  std::string header(std::string_view name) const {
    auto at = head.find("\r\n" + std::string(name) + ": ");
    if (at == std::string::npos) return {};
    at += name.size() + 4;
    return head.substr(at, head.find("\r\n", at) - at);
  }
};

// Confined to one thread. All reading gives up after `patience`.
class RawClient {
 public:
  enum class Window { Normal, Tiny };

  explicit RawClient(int port, Window window = Window::Normal)
      : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (window == Window::Tiny) {
      int bytes = 4096;
      ::setsockopt(fd_.number(), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    }
    int one = 1;
    ::setsockopt(fd_.number(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_.number(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }

  bool connected() const { return connected_; }
  int fd() const { return fd_.number(); }

  // False if the other side did not take it all.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      auto sent = ::send(fd_.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  // As much as goes without waiting.
  std::size_t send_some(std::string_view bytes) {
    auto sent = ::send(fd_.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent > 0 ? static_cast<std::size_t>(sent) : 0;
  }
  void end_sending() { ::shutdown(fd_.number(), SHUT_WR); }
  void leave() { fd_.reset(); }
  void leave_with_reset() {
    linger hard{1, 0};
    ::setsockopt(fd_.number(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    fd_.reset();
  }

  // One answer. Bodies without a length end with the connection. `has_body` is false for the answer to HEAD.
  RawAnswer read_answer(bool has_body = true) {
    RawAnswer answer;
    while (buffer_.find("\r\n\r\n") == std::string::npos) {
      if (!read_more()) return answer;
    }
    auto end = buffer_.find("\r\n\r\n") + 4;
    answer.head = buffer_.substr(0, end);
    buffer_.erase(0, end);
    answer.status = std::atoi(answer.head.c_str() + 9);
    if (!has_body || answer.status < 200) return answer;
    auto length = answer.header("Content-Length");
    if (length.empty()) {
      answer.body = read_to_end();
      return answer;
    }
    auto size = static_cast<std::size_t>(std::atoll(length.c_str()));
    while (buffer_.size() < size && read_more()) {
    }
    answer.body = buffer_.substr(0, size);
    buffer_.erase(0, answer.body.size());
    return answer;
  }
  // Until `wanted` has been seen; false if it does not come.
  bool read_until(std::string_view wanted) {
    while (buffer_.find(wanted) == std::string::npos) {
      if (!read_more()) return false;
    }
    return true;
  }
  std::string read_to_end() {
    while (read_more()) {
    }
    return std::exchange(buffer_, {});
  }
  // The server has closed (a reset counts), and no byte came before.
  bool at_end() {
    bool more = read_more();
    return !more && ended_ && buffer_.empty();
  }
  // Takes what is there without waiting; tells how many bytes have come in all that were not read as answers.
  std::size_t peek_received() {
    char bytes[4096];
    for (;;) {
      auto received = ::recv(fd_.number(), bytes, sizeof bytes, MSG_DONTWAIT);
      if (received <= 0) return buffer_.size();
      buffer_.append(bytes, static_cast<std::size_t>(received));
    }
  }
  const std::string& unread() const { return buffer_; }

  std::chrono::milliseconds patience{10'000};

 private:
  bool read_more() {
    pollfd waiting{fd_.number(), POLLIN, 0};
    if (::poll(&waiting, 1, static_cast<int>(patience.count())) <= 0) return false;
    char bytes[65536];
    auto received = ::recv(fd_.number(), bytes, sizeof bytes, 0);
    if (received <= 0) {
      ended_ = true;
      return false;
    }
    buffer_.append(bytes, static_cast<std::size_t>(received));
    return true;
  }

  UniqueFd fd_;
  bool connected_ = false;
  bool ended_ = false;
  std::string buffer_;
};

inline std::string get(std::string_view target) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: test\r\n\r\n";
}
inline std::string post(std::string_view target, std::string_view body) {
  return "POST " + std::string(target) +
         " HTTP/1.1\r\nHost: test\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

}  // namespace davit::test
