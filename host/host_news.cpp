#include "host/host_news.h"

#include <unistd.h>

#include <cstdio>
#include <string_view>

namespace davit {
namespace {

constexpr std::string_view kBlame = "blamed\n";

void write_line(int fd, std::string_view line) {
  if (fd < 0) return;
  [[maybe_unused]] ssize_t written = ::write(fd, line.data(), line.size());
}

}  // namespace

void tell_blame(int fd) { write_line(fd, kBlame); }

void tell_serving(int fd, const HostNews::Serving& serving) {
  write_line(fd,
             "serves " + std::to_string(serving.port) + " " + std::to_string(serving.longest_stop_ms) + "\n");
}

void HostNews::read_from(int fd) {
  char buffer[256];
  for (ssize_t got; (got = ::read(fd, buffer, sizeof buffer)) > 0;)
    unfinished_.append(buffer, static_cast<std::size_t>(got));
  for (std::size_t end; (end = unfinished_.find('\n')) != std::string::npos;) {
    const std::string line = unfinished_.substr(0, end + 1);
    unfinished_.erase(0, end + 1);
    Serving told;
    if (line == kBlame) blamed_a_plugin = true;
    if (std::sscanf(line.c_str(), "serves %d %ld", &told.port, &told.longest_stop_ms) == 2) serving = told;
  }
}

}  // namespace davit
