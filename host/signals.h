// The signals of a host, waited for on a thread that does nothing else: a stop is obeyed whatever the other
// threads do, and be it the code of a plugin that never returns.
#pragma once

#include <signal.h>

#include <memory>

#include "host/base/clock.h"

namespace davit {

// SIGTERM, SIGINT and SIGHUP, which a host and its supervisor block first thing.
sigset_t stop_signals();

// One per process, made while they are blocked and no other thread waits for them. Thread-safe.
class Signals {
 public:
  enum class Wish { Reload, Stop };

  // Under a supervisor it is the one who counts requests to stop: a terminal and a service manager send
  // theirs to both, and it passes its own on, which makes two of one.
  explicit Signals(bool supervised);

  // Waits for SIGHUP, or for SIGTERM or SIGINT, after which there is nothing but Stop.
  Wish next();
  // From the first request to stop on, this much time is left before the process ends at once. A minute,
  // until this says otherwise: a start may be changing the database's schema. Without a supervisor, a second
  // request does not wait for anything.
  void stop_takes(Duration longest);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace davit
