// A client of server-sent events that reads when it is told to, over a real socket.
#pragma once

#include <cstdlib>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "tests/integration/raw_client.h"

namespace davit::testing {

struct SeenEvent {
  std::string event, id, data;
};

// Confined to one thread. Reading gives up after `patience`.
class EventReader {
 public:
  // `headers` are whole lines.
  EventReader(int port, const std::string& target, const std::string& headers = "",
              test::RawClient::Window window = test::RawClient::Window::Normal)
      : client_(port, window) {
    client_.send("GET " + target + " HTTP/1.1\r\nHost: test\r\n" + headers + "\r\n");
  }

  // The status once the head has come; 0 if none does.
  int status() {
    while (head_.empty()) {
      if (const std::size_t end = buffer_.find("\r\n\r\n"); end != std::string::npos) {
        head_ = buffer_.substr(0, end + 4);
        buffer_.erase(0, end + 4);
      } else if (!read_more()) {
        return 0;
      }
    }
    return std::atoi(head_.c_str() + 9);
  }
  const std::string& head() const { return head_; }

  // The next event; none if the stream has ended, or nothing comes. Comments and lone ids are taken in on the
  // way.
  std::optional<SeenEvent> next() { return next_or_heartbeats(std::numeric_limits<int>::max()); }
  // Reads on until there were as many heartbeats in all; false if an event comes before, or nothing.
  bool hear_heartbeats(int count) { return !next_or_heartbeats(count) && heartbeats >= count; }
  // The next of that kind; what comes before it is passed over.
  std::optional<SeenEvent> next(std::string_view kind) {
    for (;;) {
      auto event = next();
      if (!event || event->event == kind) return event;
    }
  }
  // Whether the server has ended the stream, once all that came is read.
  bool at_end() {
    while (next()) {
    }
    return ended_;
  }

  std::string last_id;  // as a browser would send it when it comes again
  int heartbeats = 0;
  std::chrono::milliseconds patience{10'000};
  test::RawClient& client() { return client_; }
  bool read_more() {
    pollfd waiting{client_.fd(), POLLIN, 0};
    if (::poll(&waiting, 1, static_cast<int>(patience.count())) <= 0) return false;
    char bytes[65536];
    const auto received = ::recv(client_.fd(), bytes, sizeof bytes, 0);
    ended_ = received <= 0;
    if (!ended_) buffer_.append(bytes, static_cast<std::size_t>(received));
    return !ended_;
  }

 private:
  std::optional<SeenEvent> next_or_heartbeats(int count) {
    if (status() != 200) return std::nullopt;
    while (heartbeats < count) {
      const std::size_t end = buffer_.find("\n\n");
      if (end == std::string::npos) {
        if (!read_more()) return std::nullopt;
        continue;
      }
      const std::string block = buffer_.substr(0, end + 1);
      buffer_.erase(0, end + 2);
      if (auto event = take(block)) return event;
    }
    return std::nullopt;
  }
  std::optional<SeenEvent> take(std::string_view block) {
    SeenEvent event;
    while (!block.empty()) {
      const std::size_t end = block.find('\n');
      const std::string_view line = block.substr(0, end);
      block.remove_prefix(end + 1);
      if (line.starts_with("id: ")) last_id = line.substr(4);
      if (line.starts_with("event: ")) event.event = line.substr(7);
      if (line.starts_with("data: ")) event.data = line.substr(6);
      if (line.starts_with(":")) ++heartbeats;
    }
    event.id = last_id;
    if (event.event.empty()) return std::nullopt;
    return event;
  }

  test::RawClient client_;
  std::string buffer_, head_;
  bool ended_ = false;
};

}  // namespace davit::testing
