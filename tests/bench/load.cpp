#include "tests/bench/load.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <string_view>

#include "tests/bench/process.h"

namespace davit::bench {
namespace {

using Clock = std::chrono::steady_clock;

struct Connection {
  int fd = -1;
  bool busy = false;
  Clock::time_point begun;
  std::string out;
  std::size_t sent = 0;
  std::string in;
};

// The status of a whole answer in `in`, which is then empty; -1 while it is not whole.
int take_answer(std::string& in) {
  const std::size_t end = in.find("\r\n\r\n");
  if (end == std::string::npos) return -1;
  std::size_t length = 0;
  for (std::string_view name : {"\r\nContent-Length: ", "\r\ncontent-length: "}) {
    if (const std::size_t at = in.find(name); at < end)
      length = std::strtoul(in.c_str() + at + name.size(), nullptr, 10);
  }
  if (in.size() < end + 4 + length) return -1;
  const int status = std::atoi(in.c_str() + 9);
  in.clear();
  return status;
}

int connect_to(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    give_up("no connection to port " + std::to_string(port));
  const int one = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  ::fcntl(fd, F_SETFL, O_NONBLOCK);
  return fd;
}

class Generator {
 public:
  explicit Generator(const Load& load) : load_(load), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    connections_.resize(static_cast<std::size_t>(load.connections));
    for (std::size_t i = 0; i < connections_.size(); ++i) {
      connections_[i].fd = connect_to(load.port);
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.u64 = i;
      ::epoll_ctl(epoll_, EPOLL_CTL_ADD, connections_[i].fd, &event);
      free_.push_back(i);
    }
  }
  ~Generator() {
    for (const Connection& connection : connections_) ::close(connection.fd);
    ::close(epoll_);
  }

  LoadResult run() {
    begun_ = Clock::now();
    const auto until =
        begun_ + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(load_.seconds));
    const auto patience = until + std::chrono::seconds(10);
    for (;;) {
      const auto now = Clock::now();
      if (now < until) start(now);
      if ((now >= until && free_.size() == connections_.size()) || now >= patience) break;
      wait(now);
    }
    result_.seconds = std::chrono::duration<double>(Clock::now() - begun_).count();
    std::sort(result_.microseconds.begin(), result_.microseconds.end());
    return std::move(result_);
  }

 private:
  // When the next request should go, at a fixed rate.
  Clock::time_point due() const {
    return begun_ + std::chrono::duration_cast<Clock::duration>(
                        std::chrono::duration<double>(static_cast<double>(started_) / load_.rate));
  }

  void start(Clock::time_point now) {
    while (!free_.empty()) {
      const auto at = load_.rate > 0 ? due() : now;
      if (at > now) return;
      Connection& connection = connections_[free_.front()];
      free_.pop_front();
      ++started_;
      connection.busy = true;
      connection.out = load_.next();
      connection.sent = 0;
      connection.begun = load_.rate > 0 ? at : Clock::now();
      send(connection);
    }
  }

  void send(Connection& connection) {
    while (connection.sent < connection.out.size()) {
      const ssize_t count = ::send(connection.fd, connection.out.data() + connection.sent,
                                   connection.out.size() - connection.sent, MSG_NOSIGNAL);
      if (count > 0) {
        connection.sent += static_cast<std::size_t>(count);
      } else if (count < 0 && errno == EAGAIN) {
        ::usleep(50);  // a request is far smaller than a socket's buffer: nearly never
      } else {
        return;  // reading will find out
      }
    }
  }

  void wait(Clock::time_point now) {
    timespec timeout{0, 100'000'000};
    if (load_.rate > 0 && !free_.empty()) {
      const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(due() - now).count();
      timeout.tv_nsec = std::clamp<std::int64_t>(left, 0, 100'000'000);
    }
    epoll_event events[64];
    const int count = ::epoll_pwait2(epoll_, events, 64, &timeout, nullptr);
    for (int i = 0; i < count; ++i) receive(events[i].data.u64);
  }

  void receive(std::size_t index) {
    Connection& connection = connections_[index];
    char bytes[16 * 1024];
    const ssize_t count = ::recv(connection.fd, bytes, sizeof bytes, 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) {
      ++result_.answers[0];
      give_up("the server closed a connection after " + std::to_string(result_.total()) + " answers");
    }
    connection.in.append(bytes, static_cast<std::size_t>(count));
    const int status = take_answer(connection.in);
    if (status < 0) return;
    ++result_.answers[status];
    result_.microseconds.push_back(
        std::chrono::duration<double, std::micro>(Clock::now() - connection.begun).count());
    connection.busy = false;
    free_.push_back(index);
  }

  const Load& load_;
  int epoll_;
  std::vector<Connection> connections_;
  std::deque<std::size_t> free_;
  Clock::time_point begun_;
  std::uint64_t started_ = 0;
  LoadResult result_;
};

}  // namespace

std::uint64_t LoadResult::count(int status) const {
  const auto found = answers.find(status);
  return found == answers.end() ? 0 : found->second;
}

double LoadResult::quantile(double q) const {
  if (microseconds.empty()) return 0;
  const auto at = static_cast<std::size_t>(q * static_cast<double>(microseconds.size()));
  return microseconds[std::min(at, microseconds.size() - 1)];
}

LoadResult run(const Load& load) { return Generator(load).run(); }

}  // namespace davit::bench
