// A load generator: one thread, one epoll, HTTP/1.1 over connections that stay open.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace davit::bench {

struct Load {
  int port = 0;
  int connections = 64;
  double seconds = 3;
  // Requests per second, spread evenly; a request that finds no free connection waits, and its time counts
  // from when it should have been sent. 0: as fast as the answers come.
  double rate = 0;
  // Makes the next request, bytes as sent.
  std::function<std::string()> next;
};

struct LoadResult {
  std::map<int, std::uint64_t> answers;  // by status; 0 for connections that broke
  std::vector<double> microseconds;      // of each answer, ascending
  double seconds = 0;
  std::uint64_t count(int status) const;
  std::uint64_t total() const { return microseconds.size(); }
  double quantile(double q) const;  // of microseconds
};

// Opens the connections, sends until the time is over, and waits for the last answers.
LoadResult run(const Load& load);

}  // namespace davit::bench
