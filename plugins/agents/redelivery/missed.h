// What GitHub's list of deliveries says about the events behind them.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "github_api/hooks.h"

namespace redelivery {

// One event may have been tried several times; all attempts have one guid. An event is missed when none of
// them was answered well and nobody has asked for another one. One that failed again is left alone: what
// refuses an event twice refuses it a third time.
class Events {
 public:
  void add(const github::HookDelivery& delivery);

  std::size_t deliveries() const { return deliveries_; }
  std::vector<github::HookDelivery> missed() const;  // the oldest first
  std::size_t failed_again() const;

 private:
  struct Event {
    github::HookDelivery first;  // of those that were seen
    bool good = false, again = false;
  };
  std::map<std::string, Event> events_;
  std::size_t deliveries_ = 0;
};

}  // namespace redelivery
