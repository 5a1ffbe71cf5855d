// The HTTP server: Pistache's listener and event loops behind our own framing, writing and time-outs.
//
// Bytes become a Request, the Handler is called on an I/O thread with it and a Responder, and whoever holds
// the Responder answers when he can, from any thread. Requests of one connection are answered one at a time,
// in order.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/base/result.h"
#include "host/http/request.h"
#include "host/http/request_parser.h"
#include "host/http/responder.h"
#include "host/http/response.h"

namespace davit::http {

// Called on an I/O thread: must not block, since every connection of that thread waits meanwhile. What it
// throws, of any type, becomes a 500 answer and a line in the log.
using Handler = std::function<void(Request, Responder)>;

struct Options {
  std::string host = "127.0.0.1";  // an address, not a name
  int port = 0;                    // 0: any free one
  int threads = 2;
  int backlog = 1024;
  // Beyond this a connection gets 503 and is closed. Lowered at start to what the descriptor limit allows.
  int max_connections = 4096;
  Duration idle_timeout{60'000};   // between requests, and before the first
  Duration head_timeout{10'000};   // from the first byte of a request to the end of its head
  Duration body_timeout{30'000};   // from there to the end of the body
  Duration write_timeout{10'000};  // without the client taking 16 KiB or the rest
  Duration linger_timeout{2'000};  // for a client to read the last answer before its connection is gone
  std::size_t default_body_limit = 1 << 20;
  // Bytes of bodies on their way in, all connections together; a request that would pass it gets 503. Bodies
  // larger than a 64th of it share three quarters: a few large ones leave room for everybody else's. A single
  // body larger than those is 413, whatever its own limit.
  std::size_t incoming_limit = 64 << 20;
  std::size_t stream_lag_limit = 256 * 1024;  // bytes a stream's reader may be behind
  // Body limit by method and path; absent: the default for all. Called on I/O threads.
  BodyLimit body_limit;
};

// Counted since start, but for the first two, which are of now.
struct Stats {
  std::int64_t open_connections = 0;
  std::int64_t requests_in_flight = 0;  // handed to the Handler, answer not yet with the kernel
  std::uint64_t accepted = 0;
  std::uint64_t refused_connections = 0;  // over max_connections, or while not accepting
  std::uint64_t requests = 0;
  std::uint64_t refused_requests = 0;  // malformed or over a limit
  std::uint64_t timed_out = 0;         // head, body or idle
  std::uint64_t slow_readers = 0;      // dropped because they did not read
  std::uint64_t late_answers = 0;      // for clients that were gone
};

struct ServerState;

// Thread-safe. Life: start, then perhaps stop_accepting and drain, then stop; the destructor stops.
class Server {
 public:
  // Binds and serves. InvalidInput for an address that is none, Unavailable if it cannot be bound, or if the
  // descriptor limit leaves no room for connections. `log` and `clock` outlive the server.
  static Result<std::unique_ptr<Server>> start(Options options, Handler handler, Log& log,
                                               const Clock& clock);
  ~Server();

  int port() const;
  // From now on new connections get 503, idle ones are closed, and answers close their connection.
  void stop_accepting();
  // Waits until no request is in flight (streams do not count). False if that took longer.
  bool drain(Duration at_most);
  // Closes all connections, whatever they do, and joins the threads. Not from a Handler. May be called again.
  void stop();
  Stats stats() const;

 private:
  struct Running;
  explicit Server(std::unique_ptr<Running> running);
  std::unique_ptr<Running> running_;
};

}  // namespace davit::http
