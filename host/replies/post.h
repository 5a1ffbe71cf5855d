// One POST to an address that a sender has given, with everything that might go wrong bounded.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "host/base/clock.h"

namespace davit::replies {

// Where posts may go.
struct Allowed {
  std::vector<std::string> hosts;  // names in lower case: by https, on its usual port
  bool loopback = false;           // 127.0.0.1 too, by http on any port: for tests
};

struct Posted {
  enum class Kind {
    Sent,      // the other side has said 2xx
    NotTaken,  // it was not reached, or said that it did not take it: the same once more may help
    Unclear,   // it was sent and nothing said of it: the same once more might be there twice
    Refused,   // it said no for good, or the address is not allowed: nothing there will help
  };
  Kind kind = Kind::Sent;
  std::string reason;  // unless Sent; never holds the address, but at most the name of its host
  Duration wait{0};    // NotTaken: not again before (Retry-After); at most a day
};

// JSON to `url`. Verifies the certificate, follows no redirect, takes 3 s to connect and 10 s in all at most,
// looks at no more of the answer than its status. Ends early when `stop` becomes true. Any thread.
Posted post(const std::string& url, const std::string& json, const Allowed& allowed,
            const std::atomic<bool>& stop);

}  // namespace davit::replies
