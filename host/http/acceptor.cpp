#include "host/http/acceptor.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <exception>
#include <memory>
#include <utility>

namespace davit::http {
namespace {

constexpr Duration kUntilSeen{1};          // only while the I/O threads do not keep up
constexpr Duration kUntilThereIsRoom{20};  // only while descriptors or memory are short
constexpr Duration kUntilAllSeen{1'000};   // more only if an I/O thread hangs

bool is_shortage(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

Result<> Acceptor::listen(const Pistache::Address& address, int backlog) {
  addrinfo hints{}, *found = nullptr;
  hints.ai_family = address.family();
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV;
  if (const int failure =
          ::getaddrinfo(address.host().c_str(), address.port().toString().c_str(), &hints, &found);
      failure != 0)
    return Error{ErrorCode::Unavailable, ::gai_strerror(failure)};
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> frees(found, ::freeaddrinfo);

  UniqueFd socket(::socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  UniqueFd stop(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  const int on = 1;
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (!socket.open() || !stop.open() ||
      ::setsockopt(socket.number(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      ::setsockopt(socket.number(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||  // inherited
      ::bind(socket.number(), found->ai_addr, found->ai_addrlen) != 0 ||
      ::listen(socket.number(), backlog) != 0 ||
      ::getsockname(socket.number(), reinterpret_cast<sockaddr*>(&bound), &size) != 0)
    return Error{ErrorCode::Unavailable, errno_text(errno)};
  port_ = ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6*>(&bound)->sin6_port
                                            : reinterpret_cast<const sockaddr_in*>(&bound)->sin_port);
  socket_ = std::move(socket);
  stop_ = std::move(stop);
  return {};
}

void Acceptor::start(std::vector<std::shared_ptr<GuardedTransport>> io_threads) {
  io_threads_ = std::move(io_threads);
  thread_ = std::thread([this] { run(); });
}

void Acceptor::stop() {
  if (!thread_.joinable()) return;
  ::eventfd_write(stop_.number(), 1);
  thread_.join();
  socket_.reset();
  const auto until = std::chrono::steady_clock::now() + kUntilAllSeen;
  for (const auto& io_thread : io_threads_)
    while (io_thread->unseen() > 0 && std::chrono::steady_clock::now() < until)
      std::this_thread::sleep_for(kUntilSeen);
  io_threads_.clear();
}

void Acceptor::run() {
  ::pthread_setname_np(::pthread_self(), "davit-accept");
  pollfd watched[] = {{socket_.number(), POLLIN, 0}, {stop_.number(), POLLIN, 0}};
  for (;;) {
    ::poll(watched, 2, -1);
    if (watched[1].revents != 0) return;
    if (has_room()) {
      if (!take_in() && is_short_ && !pause(kUntilThereIsRoom)) return;
    } else if (!pause(kUntilSeen)) {
      return;
    }
  }
}

// Looks for the I/O thread that the next connection is for.
bool Acceptor::has_room() {
  std::size_t best = next_;
  for (std::size_t i = 0; i < io_threads_.size(); ++i) {
    const std::size_t candidate = (next_ + 1 + i) % io_threads_.size();
    if (i == 0 || io_threads_[candidate]->unseen() < io_threads_[best]->unseen()) best = candidate;
  }
  next_ = best;
  return io_threads_[best]->unseen() < kMostUnseen;
}

// False if there was none, or it could not be had.
bool Acceptor::take_in() {
  sockaddr_storage from{};
  socklen_t size = sizeof from;
  UniqueFd connection(
      ::accept4(socket_.number(), reinterpret_cast<sockaddr*>(&from), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!connection.open()) {
    const bool was_short = std::exchange(is_short_, is_shortage(errno));
    if (is_short_ && !was_short)
      log_.warn("No connection can be taken in for now; those that are open go on",
                {{"error", errno_text(errno)}});
    return false;  // otherwise it is that connection's matter: its client has gone, say
  }
  is_short_ = false;
  try {
    io_threads_[next_]->take_over(Pistache::Tcp::Peer::Create(
        connection.number(), Pistache::Address::fromUnix(reinterpret_cast<sockaddr*>(&from))));
    connection.release();
  } catch (const std::exception& error) {
    log_.error("Connection could not be taken in", {{"error", error.what()}});
  }
  return true;
}

// False when it shall stop.
bool Acceptor::pause(Duration at_most) {
  pollfd stop{stop_.number(), POLLIN, 0};
  return ::poll(&stop, 1, static_cast<int>(at_most.count())) <= 0;
}

}  // namespace davit::http
