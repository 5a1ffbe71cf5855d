// What a program asks a proxy for: CONNECT host:port HTTP/1.1 (RFC 9110, 9.3.6).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "sandbox/host_rules.h"

namespace sandbox {

struct ConnectRequest {
  enum class State { Incomplete, Good, Bad };

  State state = State::Incomplete;
  Destination destination;     // of a good one
  std::size_t head_bytes = 0;  // of a good one: what follows is for the destination
  std::string why;             // of a bad one
};

// Of all bytes that came so far.
ConnectRequest read_connect(std::string_view bytes);

}  // namespace sandbox
