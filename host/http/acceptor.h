// The listening socket and the thread that takes connections in. Pistache has both in its Listener, but that
// takes in whatever it can get, however many connections its I/O threads have not seen yet, and spins while
// no descriptor is left: a flood of connections takes all descriptors of the process, whatever
// max_connections says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "host/base/file.h"
#include "host/base/log.h"
#include "host/base/result.h"
#include "host/http/guarded_transport.h"
#include "host/http/pistache.h"

namespace davit::http {

// start() and stop() by one thread.
class Acceptor {
 public:
  explicit Acceptor(Log& log) : log_(log) {}
  ~Acceptor() { stop(); }
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  // Takes the address; `backlog` connections wait in the kernel. The error is the system's own (Unavailable).
  Result<> listen(const Pistache::Address& address, int backlog);
  int port() const { return port_; }

  // Gives each connection to the I/O thread that has the fewest it has not seen yet, at most kMostUnseen
  // each; while all have that many, connections wait in the kernel.
  void start(std::vector<std::shared_ptr<GuardedTransport>> io_threads);
  // Takes in no more, and waits until the I/O threads have seen what they were given, so that nothing is left
  // open. Those that wait in the kernel are reset.
  void stop();

  static constexpr std::int64_t kMostUnseen = 16;

 private:
  void run();
  bool take_in();
  bool has_room();
  bool pause(Duration at_most);

  Log& log_;
  std::vector<std::shared_ptr<GuardedTransport>> io_threads_;
  std::size_t next_ = 0;  // of io_threads_
  UniqueFd socket_, stop_;
  int port_ = 0;
  bool is_short_ = false;  // of descriptors or memory
  std::thread thread_;
};

}  // namespace davit::http
