// One connection of a program through the proxy.
#pragma once

#include <poll.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "child_process/child_process.h"
#include "sandbox/addresses.h"
#include "sandbox/connect_request.h"
#include "sandbox/host_rules.h"
#include "sandbox/name_lookup.h"

namespace sandbox {

// Reads a request, looks the name up, connects, passes bytes on in both directions, and ends: all without
// waiting. Whoever owns it waits for what it waits for and calls go_on().
class Tunnel {
 public:
  using Clock = std::chrono::steady_clock;
  // What became of the request, once: the destination (empty where it could not be read), and the address it
  // leads to or why it does not.
  using Decided = std::function<void(const Destination&, bool allowed, const std::string& why)>;

  // `rules` and `decided` outlive it.
  Tunnel(child::Descriptor client, const HostRules& rules, bool allow_private, const Decided& decided,
         Clock::time_point now);

  // What it waits for: one or two descriptors, and until when.
  void add_to(std::vector<pollfd>& watched) const;
  std::optional<Clock::time_point> deadline() const;
  // After something of that has come. False: it is over, drop it.
  bool go_on(Clock::time_point now);

 private:
  // One direction: bytes read from one side that the other has not taken yet.
  struct Flow {
    std::string bytes;
    bool ended = false;   // nothing more comes
    bool passed = false;  // and the other side was told
  };
  enum class State { Head, Lookup, Connect, Relay, Answer };

  bool read_head(Clock::time_point now);
  bool look_up(Clock::time_point now);
  bool connect_next(Clock::time_point now);
  bool finish_connect(Clock::time_point now);
  bool relay();
  bool pass(const child::Descriptor& from, const child::Descriptor& to, Flow& flow);
  bool refuse(int status, const std::string& why, Clock::time_point now);
  bool send_answer();

  const HostRules& rules_;
  const bool allow_private_;
  const Decided& decided_;
  State state_ = State::Head;
  child::Descriptor client_, server_;
  Flow out_, in_;  // to the server, to the program
  Destination destination_;
  std::optional<NameLookup> lookup_;
  std::vector<Address> addresses_;  // those that are left
  std::string connecting_to_;       // the address that is tried
  std::string answer_;              // a refusal
  Clock::time_point until_;         // of what it does now; not of Relay
};

}  // namespace sandbox
