#include "sandbox/egress.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <list>
#include <memory>
#include <optional>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "davit/failure.hpp"
#include "sandbox/tunnel.h"

namespace sandbox {
namespace {

using child::Descriptor;
using Clock = Tunnel::Clock;

constexpr std::size_t kMostTunnels = 64;    // more wait
constexpr std::size_t kMostListeners = 16;  // one for each program that was started; the last ones count
constexpr std::size_t kMostTold = 200;

bool is_listening(const Descriptor& socket) {
  int listens = 0;
  socklen_t size = sizeof listens;
  return getsockopt(socket.number(), SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens != 0;
}

// The socket of one message; not open where there is none. `closed`: no more come.
Descriptor receive_socket(const Descriptor& handover, bool& closed) {
  char byte;
  iovec piece{&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t size = recvmsg(handover.number(), &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  closed = size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR);
  if (size <= 0) return Descriptor();
  const cmsghdr* head = CMSG_FIRSTHDR(&message);
  if (!head || head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS) return Descriptor();
  int number = -1;
  std::memcpy(&number, CMSG_DATA(head), sizeof number);
  return Descriptor(number);
}

class Proxy {
 public:
  Proxy(HostRules rules, bool allow_private, Descriptor handover, int stop, Egress::Tell told)
      : rules_(std::move(rules)),
        allow_private_(allow_private),
        handover_(std::move(handover)),
        stop_(stop),
        tell_(std::move(told)),
        decided_([this](const Destination& destination, bool allowed, const std::string& why) {
          tell(destination, allowed, why);
        }) {}

  void run() {
    for (;;) {
      std::vector<pollfd> watched{{stop_, POLLIN, 0}};
      const bool room = tunnels_.size() < kMostTunnels;
      if (!handover_closed_) watched.push_back({handover_.number(), POLLIN, 0});
      if (room)
        for (const Descriptor& listener : listeners_) watched.push_back({listener.number(), POLLIN, 0});
      for (const Tunnel& tunnel : tunnels_) tunnel.add_to(watched);
      if (poll(watched.data(), watched.size(), patience()) < 0 && errno != EINTR) return;
      if (watched[0].revents != 0) return;
      take_listener();
      if (room) accept_all();
      const Clock::time_point now = Clock::now();
      std::erase_if(tunnels_, [&](Tunnel& tunnel) { return !tunnel.go_on(now); });
    }
  }

 private:
  int patience() const {
    std::optional<Clock::time_point> first;
    for (const Tunnel& tunnel : tunnels_) {
      const auto deadline = tunnel.deadline();
      if (deadline && (!first || *deadline < *first)) first = deadline;
    }
    if (!first) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*first - Clock::now()).count();
    return static_cast<int>(std::max<decltype(left)>(left, 0));
  }

  void take_listener() {
    if (handover_closed_) return;
    Descriptor listener = receive_socket(handover_, handover_closed_);
    if (!listener.open() || !is_listening(listener)) return;
    if (listeners_.size() == kMostListeners) listeners_.erase(listeners_.begin());
    listeners_.push_back(std::move(listener));
  }

  // Whoever listens may have left the socket blocking: it is only asked when there is something.
  void accept_all() {
    for (const Descriptor& listener : listeners_) {
      pollfd waiting{listener.number(), POLLIN, 0};
      while (tunnels_.size() < kMostTunnels && poll(&waiting, 1, 0) > 0) {
        Descriptor client(accept4(listener.number(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (!client.open()) break;
        tunnels_.emplace_back(std::move(client), rules_, allow_private_, decided_, Clock::now());
      }
    }
  }

  void tell(const Destination& destination, bool allowed, const std::string& why) {
    if (!tell_ || told_.size() >= kMostTold) return;
    if (!told_.emplace(destination.host, destination.port, allowed, why).second) return;
    tell_({.host = destination.host, .port = destination.port, .allowed = allowed, .why = why});
  }

  const HostRules rules_;
  const bool allow_private_;
  const Descriptor handover_;
  const int stop_;
  const Egress::Tell tell_;
  const Tunnel::Decided decided_;
  bool handover_closed_ = false;
  std::vector<Descriptor> listeners_;
  std::list<Tunnel> tunnels_;
  std::set<std::tuple<std::string, std::uint16_t, bool, std::string>> told_;
};

}  // namespace

Egress::Egress(HostRules rules, bool allow_private, Descriptor handover, Tell tell)
    : stop_(eventfd(0, EFD_CLOEXEC)) {
  if (!stop_.open())
    throw davit::Failure::retryable(std::string("cannot make an event descriptor: ") + std::strerror(errno));
  thread_ = std::thread([proxy = std::make_shared<Proxy>(std::move(rules), allow_private, std::move(handover),
                                                         stop_.number(), std::move(tell))] { proxy->run(); });
}

Egress::~Egress() {
  const std::uint64_t one = 1;
  while (write(stop_.number(), &one, sizeof one) < 0 && errno == EINTR) {
  }
  thread_.join();
}

}  // namespace sandbox
