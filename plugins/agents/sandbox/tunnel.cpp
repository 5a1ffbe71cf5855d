#include "sandbox/tunnel.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "davit/failure.hpp"

namespace sandbox {
namespace {

using child::Descriptor;
using std::chrono::seconds;

constexpr seconds kHeadTime{10}, kLookupTime{10}, kConnectTime{10}, kAnswerTime{5};
constexpr std::size_t kMostInFlight = 64 * 1024;  // a direction

bool is_transient(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

std::string body_of(const std::string& why) { return "davit: " + why + "\n"; }

}  // namespace

Tunnel::Tunnel(Descriptor client, const HostRules& rules, bool allow_private, const Decided& decided,
               Clock::time_point now)
    : rules_(rules),
      allow_private_(allow_private),
      decided_(decided),
      client_(std::move(client)),
      until_(now + kHeadTime) {}

std::optional<Tunnel::Clock::time_point> Tunnel::deadline() const {
  if (state_ == State::Relay) return std::nullopt;  // a model may think for long
  return until_;
}

void Tunnel::add_to(std::vector<pollfd>& watched) const {
  const auto relayed = [&](const Descriptor& socket, const Flow& from_it, const Flow& to_it) {
    short events = 0;
    if (!from_it.ended && from_it.bytes.empty()) events |= POLLIN;
    if (!to_it.bytes.empty()) events |= POLLOUT;
    if (events != 0) watched.push_back({socket.number(), events, 0});
  };
  switch (state_) {
    case State::Head:
      watched.push_back({client_.number(), POLLIN, 0});
      break;
    case State::Lookup:
      watched.push_back({lookup_->ended().number(), POLLIN, 0});
      break;
    case State::Connect:
      watched.push_back({server_.number(), POLLOUT, 0});
      break;
    case State::Answer:
      watched.push_back({client_.number(), POLLOUT, 0});
      break;
    case State::Relay:
      relayed(client_, out_, in_);
      relayed(server_, in_, out_);
      break;
  }
}

bool Tunnel::go_on(Clock::time_point now) {
  const bool late = state_ != State::Relay && now >= until_;
  switch (state_) {
    case State::Head:
      return !late && read_head(now);
    case State::Lookup:
      return late ? refuse(504, "the name was not looked up in time", now) : look_up(now);
    case State::Connect:
      return late ? connect_next(now) : finish_connect(now);
    case State::Answer:
      return !late && send_answer();
    case State::Relay:
      return relay();
  }
  return false;
}

bool Tunnel::read_head(Clock::time_point now) {
  char buffer[4096];
  const ssize_t size = recv(client_.number(), buffer, sizeof buffer, 0);
  if (size < 0) return is_transient(errno);
  if (size == 0) return false;
  out_.bytes.append(buffer, static_cast<std::size_t>(size));
  const ConnectRequest request = read_connect(out_.bytes);
  if (request.state == ConnectRequest::State::Incomplete) return true;
  if (request.state == ConnectRequest::State::Bad) return refuse(400, request.why, now);
  out_.bytes.erase(0, request.head_bytes);
  destination_ = request.destination;
  if (!rules_.allow(destination_)) return refuse(403, "this host is not among those that are allowed", now);
  if (const auto address = Address::from(destination_.host, destination_.port)) {
    addresses_ = {*address};
    return connect_next(now);
  }
  try {
    lookup_.emplace(destination_);
  } catch (const davit::Failure& failure) {
    return refuse(502, failure.what(), now);
  }
  state_ = State::Lookup;
  until_ = now + kLookupTime;
  return true;
}

bool Tunnel::look_up(Clock::time_point now) {
  pollfd end{lookup_->ended().number(), POLLIN, 0};
  if (poll(&end, 1, 0) <= 0) return true;
  addresses_ = lookup_->addresses();
  lookup_.reset();
  if (addresses_.empty()) return refuse(502, "nobody knows this name", now);
  std::reverse(addresses_.begin(), addresses_.end());
  return connect_next(now);
}

// The last of addresses_ is the next. One that is kept out ends it all: a name that leads to such an address
// beside others is not to be trusted.
bool Tunnel::connect_next(Clock::time_point now) {
  for (const Address& address : addresses_) {
    const std::string why = kept_out(address, allow_private_);
    if (!why.empty()) return refuse(403, address.text() + " " + why, now);
  }
  while (!addresses_.empty()) {
    const Address address = addresses_.back();
    server_ = Descriptor(socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (server_.open() &&
        (connect(server_.number(), address.raw(), address.size()) == 0 || errno == EINPROGRESS)) {
      state_ = State::Connect;
      until_ = now + kConnectTime;
      addresses_.pop_back();
      connecting_to_ = address.text();
      return true;
    }
    addresses_.pop_back();
  }
  return refuse(502, "it cannot be reached", now);
}

bool Tunnel::finish_connect(Clock::time_point now) {
  pollfd ready{server_.number(), POLLOUT, 0};
  if (poll(&ready, 1, 0) <= 0) return true;
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(server_.number(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return connect_next(now);
  decided_(destination_, true, connecting_to_);
  in_.bytes = "HTTP/1.1 200 Connection established\r\n\r\n";
  state_ = State::Relay;
  return relay();
}

bool Tunnel::relay() {
  const bool good = pass(client_, server_, out_) && pass(server_, client_, in_);
  return good && !(out_.passed && in_.passed);
}

// Reads only what there is room for, so that a slow reader slows the writer down.
bool Tunnel::pass(const Descriptor& from, const Descriptor& to, Flow& flow) {
  if (flow.bytes.empty() && !flow.ended) {
    char buffer[kMostInFlight];
    const ssize_t size = recv(from.number(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (size < 0 && !is_transient(errno)) return false;
    flow.ended = size == 0;
    if (size > 0) flow.bytes.assign(buffer, static_cast<std::size_t>(size));
  }
  if (!flow.bytes.empty()) {
    const ssize_t size = send(to.number(), flow.bytes.data(), flow.bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (size < 0 && !is_transient(errno)) return false;
    if (size > 0) flow.bytes.erase(0, static_cast<std::size_t>(size));
  }
  if (flow.bytes.empty() && flow.ended && !flow.passed) {
    shutdown(to.number(), SHUT_WR);
    flow.passed = true;
  }
  return true;
}

bool Tunnel::refuse(int status, const std::string& why, Clock::time_point now) {
  decided_(destination_, false, why);
  const std::string body = body_of(why);
  answer_ = "HTTP/1.1 " + std::to_string(status) +
            " Refused\r\nContent-Type: text/plain\r\nContent-Length: " + std::to_string(body.size()) +
            "\r\nConnection: close\r\n\r\n" + body;
  lookup_.reset();
  server_.close();
  state_ = State::Answer;
  until_ = now + kAnswerTime;
  return send_answer();
}

bool Tunnel::send_answer() {
  const ssize_t size = send(client_.number(), answer_.data(), answer_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (size < 0) return is_transient(errno);
  answer_.erase(0, static_cast<std::size_t>(size));
  return !answer_.empty();
}

}  // namespace sandbox
