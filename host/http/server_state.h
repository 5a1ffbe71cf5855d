// What all I/O threads of one server share.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "host/base/guarded.h"
#include "host/http/mailbox.h"
#include "host/http/server.h"

namespace davit::http {

// Options, handler, log and clock are immutable after start; the rest is atomic or guarded.
struct ServerState {
  ServerState(Options the_options, Handler the_handler, Log& the_log, const Clock& the_clock)
      : options(std::move(the_options)), handler(std::move(the_handler)), log(the_log), clock(the_clock) {}

  const Options options;
  const Handler handler;
  Log& log;
  const Clock& clock;

  std::atomic<bool> closing{false};
  std::atomic<std::int64_t> open_connections{0};
  std::atomic<std::int64_t> requests_in_flight{0};
  std::atomic<std::size_t> incoming_bytes{0};  // here of bodies that are not complete
  std::atomic<std::uint64_t> accepted{0};
  std::atomic<std::uint64_t> refused_connections{0};
  std::atomic<std::uint64_t> requests{0};
  std::atomic<std::uint64_t> refused_requests{0};
  std::atomic<std::uint64_t> timed_out{0};
  std::atomic<std::uint64_t> slow_readers{0};
  std::atomic<std::uint64_t> late_answers{0};

  Guarded<std::vector<std::shared_ptr<Mailbox>>> mailboxes;  // one per I/O thread
};

// So many connections beyond the limit are kept for a moment, to tell them that there is no room.
constexpr std::int64_t turned_away_at_most(std::int64_t max_connections) {
  return std::clamp<std::int64_t>(max_connections / 4, 4, 256);
}

// What of incoming_bytes may be taken when a body of that size comes.
constexpr std::size_t room_for_large_bodies(std::size_t incoming_limit) {
  return incoming_limit - incoming_limit / 4;
}
constexpr std::size_t room_for(std::size_t body, std::size_t incoming_limit) {
  return body > incoming_limit / 64 ? room_for_large_bodies(incoming_limit) : incoming_limit;
}

inline void count(std::atomic<std::uint64_t>& counter) { counter.fetch_add(1, std::memory_order_relaxed); }

}  // namespace davit::http
