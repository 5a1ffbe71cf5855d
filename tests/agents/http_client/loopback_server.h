// A server on a free port of this machine that answers as the test says, byte by byte where that is the
// point: it can be slow, endless, or break off in the middle.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace davit::testing {

struct Asked {
  std::string method, target, head, body;

  // The value of a header, its name in any case; empty if there is none.
  std::string header(std::string_view name) const;
};

// The connection a request came on, for the one who answers it.
class Wire {
 public:
  explicit Wire(int descriptor) : descriptor_(descriptor) {}

  // False once the other side does not take it any more.
  bool send(std::string_view bytes);
  // A whole answer; `head` are further lines, each with its line break.
  void answer(int status, std::string_view body, std::string_view head = "");
  // Waits; false as soon as the other side has gone, or the server ends.
  bool stays_for(std::chrono::milliseconds time);
  void until_gone() {
    while (stays_for(std::chrono::seconds(1))) {
    }
  }
  // Nothing is sent after these.
  void close();
  void reset();

  bool open() const { return descriptor_ >= 0; }

 private:
  friend class LoopbackServer;
  int descriptor_;
};

class LoopbackServer {
 public:
  // On a thread of its own for each connection.
  using Serve = std::function<void(const Asked&, Wire&)>;

  explicit LoopbackServer(Serve serve);
  ~LoopbackServer();
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;

  int port() const { return port_; }
  std::string url(const std::string& target = "/") const;
  // All that came, whole requests only, in the order they were read.
  std::vector<Asked> seen() const;
  int connections() const { return connections_; }

 private:
  void accept_all();
  void talk(int descriptor);
  static bool read_request(int descriptor, std::string& bytes, Asked& asked);

  const Serve serve_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> connections_{0};
  mutable std::mutex mutex_;
  bool ending_ = false;           // under mutex_
  std::vector<Asked> seen_;       // under mutex_
  std::vector<int> open_;         // under mutex_: descriptors that talk() owns
  std::list<std::thread> talks_;  // of accepting_ until it has ended
  std::thread accepting_;
};

}  // namespace davit::testing
