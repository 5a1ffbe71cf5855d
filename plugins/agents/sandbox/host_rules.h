// Which hosts may be reached, by name.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sandbox {

struct Destination {
  std::string host;  // in lower case, without a dot at its end; an address is without brackets
  std::uint16_t port = 0;

  bool operator==(const Destination&) const = default;
};

// "host:port", "[::1]:port"; without a port it has `usual_port`, and where that is 0 must have one. False for
// what is neither a name of letters, digits, - and _ nor an address.
bool read_destination(std::string_view text, std::uint16_t usual_port, Destination& destination);

class HostRules {
 public:
  // As Policy::hosts says. Throws davit::Failure(InvalidInput) naming the entry that cannot be meant.
  explicit HostRules(const std::vector<std::string>& entries);

  bool allow(const Destination& destination) const;

 private:
  struct Rule {
    Destination destination;
    bool below = false;  // "*.": any name below that one, but not itself
  };
  std::vector<Rule> rules_;
};

}  // namespace sandbox
