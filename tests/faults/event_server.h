// Stands in for davit where a test says when an event comes: answers every request with a stream that stays
// open.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "host/base/file.h"
#include "host/base/guarded.h"

namespace davit::faults {

class EventServer {
 public:
  EventServer() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_.number(), reinterpret_cast<sockaddr*>(&address), size), 0);
    ::listen(listener_.number(), 64);
    ::getsockname(listener_.number(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~EventServer() {
    stopping_ = true;
    thread_.join();
  }
  EventServer(const EventServer&) = delete;
  EventServer& operator=(const EventServer&) = delete;

  int port() const { return port_; }
  // To all who listen.
  void publish(const std::string& text) {
    streams_.with([&](auto& streams) {
      for (const UniqueFd& each : streams) send_to(each, "data: " + text + "\n\n");
    });
  }
  std::size_t listeners() {
    return streams_.with([](auto& streams) { return streams.size(); });
  }
  std::vector<std::string> heads() {
    return heads_.with([](auto& heads) { return heads; });
  }

 private:
  static void send_to(const UniqueFd& stream, const std::string& bytes) {
    [[maybe_unused]] const auto sent = ::send(stream.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }

  void serve() {
    while (!stopping_) {
      std::vector<pollfd> ready{{listener_.number(), POLLIN, 0}};
      streams_.with([&](auto& streams) {
        for (const UniqueFd& each : streams) ready.push_back({each.number(), POLLIN, 0});
      });
      if (::poll(ready.data(), ready.size(), 20) <= 0) continue;
      if ((ready[0].revents & POLLIN) != 0) accept_one();
      for (std::size_t i = 1; i < ready.size(); ++i) {
        char byte = 0;
        if (ready[i].revents != 0 && ::recv(ready[i].fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0)
          drop(ready[i].fd);
      }
    }
  }

  void accept_one() {
    UniqueFd stream(::accept4(listener_.number(), nullptr, nullptr, SOCK_CLOEXEC));
    std::string head;
    for (char byte = 0; !head.ends_with("\r\n\r\n"); head += byte)
      if (::recv(stream.number(), &byte, 1, 0) <= 0) return;
    heads_.with([&](auto& heads) { heads.push_back(head); });
    send_to(stream, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n\r\n");
    streams_.with([&](auto& streams) { streams.push_back(std::move(stream)); });
  }

  void drop(int fd) {
    streams_.with([&](auto& streams) {
      std::erase_if(streams, [fd](const UniqueFd& each) { return each.number() == fd; });
    });
  }

  UniqueFd listener_;
  int port_ = 0;
  std::atomic<bool> stopping_{false};
  Guarded<std::vector<UniqueFd>> streams_;
  Guarded<std::vector<std::string>> heads_;
  std::thread thread_;
};

}  // namespace davit::faults
