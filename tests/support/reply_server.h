// Stands in for a sender's server that wants to hear of its deliveries (Slack's, say): plain HTTP on a free
// port of this machine. Keeps what it is told and answers what the test says.
#pragma once

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace davit::testing {

class ReplyServer {
 public:
  struct Told {
    std::string path, head, body;
  };

  ReplyServer() {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 16) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      std::abort();
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~ReplyServer() {
    stopping_ = true;
    {
      std::lock_guard lock(mutex_);
      silent_ = false;
    }
    changed_.notify_all();
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }

  std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }
  // From now on; the rest of the head, with its line breaks.
  void answer_with(int status, std::string more_head = "") {
    std::lock_guard lock(mutex_);
    status_ = status;
    more_head_ = std::move(more_head);
  }
  // Takes requests and does not answer them.
  void be_silent() {
    std::lock_guard lock(mutex_);
    silent_ = true;
  }
  // Takes requests and closes the connection; until answer_with().
  void hang_up() {
    std::lock_guard lock(mutex_);
    status_ = 0;
  }
  // Where nobody listens.
  static std::string url_of_nobody() {
    ReplyServer gone;
    return gone.url("/gone");
  }
  // All so far, once there are `count`; what there is after 20 s.
  std::vector<Told> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(20), [&] { return told_.size() >= count; });
    return told_;
  }

 private:
  void serve() {
    while (!stopping_) {
      const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (client < 0) continue;
      answer(client);
      ::close(client);
    }
  }
  void answer(int client) {
    std::string text;
    std::size_t length = 0, head_end = std::string::npos;
    char buffer[4096];
    while (head_end == std::string::npos || text.size() < head_end + 4 + length) {
      const ssize_t got = ::recv(client, buffer, sizeof buffer, 0);
      if (got <= 0) return;
      text.append(buffer, static_cast<std::size_t>(got));
      if (head_end != std::string::npos || (head_end = text.find("\r\n\r\n")) == std::string::npos) continue;
      const std::size_t at = text.find("Content-Length: ");
      if (at < head_end) length = std::strtoul(text.c_str() + at + 16, nullptr, 10);
    }
    const std::size_t path = text.find(' ') + 1;
    std::unique_lock lock(mutex_);
    told_.push_back({text.substr(path, text.find(' ', path) - path), text.substr(0, head_end),
                     text.substr(head_end + 4)});
    changed_.notify_all();
    changed_.wait(lock, [&] { return !silent_; });
    if (status_ == 0) return;
    const std::string said = "HTTP/1.1 " + std::to_string(status_) + " X\r\n" + more_head_ +
                             "Content-Length: 2\r\nConnection: close\r\n\r\nok";
    lock.unlock();
    [[maybe_unused]] const ssize_t sent = ::send(client, said.data(), said.size(), MSG_NOSIGNAL);
    ::shutdown(client, SHUT_WR);
    // Until the client has read it: closing with bytes unread would reset the connection.
    while (::recv(client, buffer, sizeof buffer, 0) > 0) {
    }
  }

  int listener_ = -1;
  int port_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Told> told_;
  int status_ = 200;
  std::string more_head_;
  bool silent_ = false;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace davit::testing
