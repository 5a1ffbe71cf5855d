// What a host tells the supervisor above it, on the pipe of --serving-fd, a line each.
#pragma once

#include <optional>
#include <string>

namespace davit {

struct HostNews {
  // It has kept which plugin brought the host before it down, and that counts towards a quarantine.
  bool blamed_a_plugin = false;
  struct Serving {
    int port = 0;
    long longest_stop_ms = 0;  // after a stop was asked for, this long is enough unless something hangs
  };
  std::optional<Serving> serving;  // once it serves

  // Takes in what has come on a pipe that does not block. Lines that it does not know are left out.
  void read_from(int fd);

 private:
  std::string unfinished_;
};

// For the host. Nothing happens where there is no supervisor (fd < 0).
void tell_blame(int fd);
void tell_serving(int fd, const HostNews::Serving& serving);

}  // namespace davit
