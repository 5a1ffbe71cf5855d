// The life of a connection:
//
//   Reading ── whole request ──> Answering ── answer ──> Sending ── all with the kernel ──> Reading
//      │                             └── stream ──> Streaming ── ended ──┐      └── last answer ──┐
//      └── refused: an answer of ours ───────────────────────────────────┴──> Lingering ──> Closed
//
// Nothing is read while a request is being answered, beyond what came with it: a client that sends ahead
// fills its own socket, not our memory, and a client that closes its sending side still gets its answers.
//
// The last answer is followed by shutdown() of our side only. Were the descriptor closed with bytes of the
// client unread, the kernel would send a reset, and that may overtake the answer. So we read on and throw
// away, within limits.
//
// Descriptors are watched edge-triggered: reading goes on until the kernel has nothing left, and when a state
// reads again after not reading, it reads first and waits afterwards.
#include "host/http/connection.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>
#include <exception>

#include "host/base/id.h"
#include "host/http/error_response.h"

namespace davit::http {
namespace {

constexpr std::size_t kBytesPerTurn = 1 << 20;   // then other connections of the thread have their turn
constexpr std::size_t kProgress = 16 << 10;      // bytes a reader must take per write time-out, or the rest
constexpr std::size_t kMaxDiscarded = 16 << 20;  // of a client that sends on behind the last answer

constexpr int kUnsentInKernel = 16 << 10;  // of a stream: what waits beyond that waits with us, who can leave it out
constexpr unsigned kGoneAfterMs = 45'000;  // a stream's client whose machine does not even acknowledge

bool would_block(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

}  // namespace

Connection::Connection(Worker& worker, ConnectionAddress address, std::string remote_address)
    : worker_(worker), address_(address), remote_address_(std::move(remote_address)) {
  wait_for(worker_.server->options.idle_timeout);
}

Connection::~Connection() {
  forget_body();
  end_request();
  if (stream_) stream_->end();
}

void Connection::wait_for(Duration duration) { deadline_ = worker_.now + duration; }

void Connection::close_now() {
  state_ = State::Closed;
  end_request();
  if (stream_) stream_->end();
}

// The answer is with the kernel, or nobody is there to read it.
void Connection::end_request() {
  if (in_flight_) worker_.server->requests_in_flight.fetch_sub(1, std::memory_order_release);
  in_flight_ = false;
}

void Connection::on_hangup() { close_now(); }

void Connection::on_ready() {
  wants_turn_ = false;
  if (unsent() != 0) flush();
  switch (state_) {
    case State::Reading:
      read_requests();
      break;
    case State::Streaming:
    case State::Lingering:
      discard_input();
      break;
    case State::Answering:
    case State::Sending:
    case State::Closed:
      break;
  }
}

void Connection::on_closing() {
  if (state_ == State::Reading && input_.empty()) close_softly();
}

void Connection::on_deadline() {
  switch (state_) {
    case State::Reading:
      count(worker_.server->timed_out);
      if (input_.empty()) {
        close_softly();
      } else {
        refuse(408, "The request did not arrive in time.");
      }
      break;
    case State::Sending:
    case State::Streaming:
      count(worker_.server->slow_readers);
      if (stream_) stream_->too_slow.store(true);
      worker_.server->log.info("Client does not read its answer and was dropped",
                               {{"remote", remote_address_}});
      close_now();
      break;
    case State::Lingering:
      close_now();
      break;
    case State::Answering:
    case State::Closed:
      wait_for_ever();
      break;
  }
}

// ---- reading

void Connection::read_requests() {
  std::size_t budget = kBytesPerTurn;
  while (state_ == State::Reading) {
    if (!input_.empty()) {
      if (!head_begun_) {
        head_begun_ = true;
        wait_for(worker_.server->options.head_timeout);
      }
      auto progress = parser_.read(input_.bytes(), worker_.body_limit);
      if (progress == RequestParser::State::Complete) return dispatch();
      if (progress == RequestParser::State::Refused)
        return refuse(parser_.refusal().status, parser_.refusal().detail);
      if (progress == RequestParser::State::Body && !body_begun_ && !begin_body()) return;
    }
    if (input_ended_) return close_now();  // nothing, or only a part of a request
    auto before = input_.size();
    if (!receive()) return;
    auto received = input_.size() - before;
    if (body_begun_ && !count_body()) return;
    if (received >= budget) {
      wants_turn_ = true;
      return;
    }
    budget -= received;
  }
}

// The head is accepted and its body not here yet. False if it may not come.
bool Connection::begin_body() {
  body_begun_ = true;
  wait_for(worker_.server->options.body_timeout);
  // A body that has no room now is refused before it is read.
  const ServerState& server = *worker_.server;
  if (server.incoming_bytes.load(std::memory_order_relaxed) + parser_.request_size() >
      room_for(parser_.request_size(), server.options.incoming_limit)) {
    refuse_body();
    return false;
  }
  if (!count_body()) return false;
  if (parser_.expects_continue() && input_.size() == parser_.head_size()) {
    write("HTTP/1.1 100 Continue\r\n\r\n", {});
  }
  return state_ == State::Reading;
}

// Bytes count when they are here: what a head announces costs nobody anything, so announcements without bytes
// keep no other client out. False, and refused, when the unfinished bodies of all connections are over the
// limit.
bool Connection::count_body() {
  ServerState& server = *worker_.server;
  const std::size_t more = input_.size() - counted_;
  counted_ = input_.size();
  if (server.incoming_bytes.fetch_add(more, std::memory_order_relaxed) + more <=
      room_for(parser_.request_size(), server.options.incoming_limit)) {
    return true;
  }
  refuse_body();
  return false;
}

void Connection::refuse_body() {
  refuse(503, "The server is taking in as many bodies as it can; try again later.");
}

void Connection::forget_body() {
  if (counted_ != 0) worker_.server->incoming_bytes.fetch_sub(counted_, std::memory_order_relaxed);
  counted_ = 0;
  head_begun_ = body_begun_ = false;
}

// Takes what the kernel has, up to one scratch. False if that is nothing at the moment, or the connection is
// dead.
bool Connection::receive() {
  for (;;) {
    auto received = ::recv(address_.fd, worker_.scratch.data(), worker_.scratch.size(), MSG_DONTWAIT);
    if (received > 0) {
      input_.append({worker_.scratch.data(), static_cast<std::size_t>(received)});
      return true;
    }
    if (received == 0) {
      input_ended_ = true;
      return true;
    }
    if (errno == EINTR) continue;
    if (!would_block(errno)) close_now();
    return false;
  }
}

void Connection::discard_input() {
  while (state_ == State::Streaming || state_ == State::Lingering) {
    auto received = ::recv(address_.fd, worker_.scratch.data(), worker_.scratch.size(), MSG_DONTWAIT);
    if (received < 0 && errno == EINTR) continue;
    if (received < 0 && would_block(errno)) return;
    if (received <= 0) return close_now();
    discarded_ += static_cast<std::size_t>(received);
    if (discarded_ > kMaxDiscarded) return close_now();
  }
}

void Connection::dispatch() {
  Request request;
  request.request_id = new_id();
  request.remote_address = remote_address_;
  request.received_at = worker_.server->clock.wall();
  auto size = parser_.request_size();
  request.bytes = input_.take(size);
  std::string_view bytes(request.bytes.get(), size);
  request.method = parser_.method().in(bytes);
  request.path = parser_.path().in(bytes);
  request.query = parser_.query().in(bytes);
  request.headers.reserve(parser_.headers().size());
  for (const auto& header : parser_.headers()) {
    request.headers.push_back({header.name.in(bytes), header.value.in(bytes)});
  }
  request.body = bytes.substr(parser_.head_size());

  is_head_request_ = request.method == "HEAD";
  keep_alive_ = parser_.keep_alive();
  parser_.reset();
  forget_body();
  state_ = State::Answering;
  wait_for_ever();
  in_flight_ = true;
  worker_.server->requests_in_flight.fetch_add(1, std::memory_order_relaxed);
  count(worker_.server->requests);

  // If the handler throws before it has answered, the Responder answers 500 while the stack unwinds.
  std::string request_id = request.request_id;
  try {
    Responder responder(worker_.mailbox, address_, request_id, worker_.server->options.stream_lag_limit);
    worker_.server->handler(std::move(request), std::move(responder));
  } catch (const std::exception& error) {
    worker_.server->log.error("Handler failed", {{"request", request_id}, {"error", error.what()}});
  } catch (...) {
    worker_.server->log.error("Handler failed", {{"request", request_id}, {"error", "not a std::exception"}});
  }
}

void Connection::refuse(int status, std::string_view detail) {
  count(worker_.server->refused_requests);
  std::string request_id = new_id();
  worker_.server->log.debug(
      "Request refused",
      {{"request", request_id}, {"status", status}, {"reason", detail}, {"remote", remote_address_}});
  input_.clear();
  forget_body();
  is_head_request_ = false;
  auto response = problem(status, "", detail, request_id);
  if (status == 503) response.headers.emplace_back("Retry-After", "1");
  answer(std::move(response), request_id);
}

void Connection::turn_away() {
  count(worker_.server->refused_connections);
  std::string request_id = new_id();
  auto response =
      problem(503, "", "The server has no room for another connection; try again later.", request_id);
  response.headers.emplace_back("Retry-After", "1");
  answer(std::move(response), request_id);
}

// ---- writing

void Connection::on_mail(Mail mail) {
  if (auto* response = std::get_if<Response>(&mail.content)) {
    if (state_ == State::Answering) answer(std::move(*response), mail.request_id);
  } else if (auto* start = std::get_if<StreamStart>(&mail.content)) {
    if (state_ == State::Answering) start_stream(std::move(*start), mail.request_id);
  } else if (state_ != State::Streaming) {
    return;
  } else if (auto* chunk = std::get_if<StreamChunk>(&mail.content)) {
    // What the kernel holds counts as well: on a slow line it takes megabytes before it refuses any.
    int in_kernel = 0;
    ::ioctl(address_.fd, SIOCOUTQ, &in_kernel);
    if (unsent() + static_cast<std::size_t>(in_kernel) + chunk->bytes.size() > stream_->lag_limit) {
      count(worker_.server->slow_readers);
      stream_->too_slow.store(true);
      return close_now();
    }
    write({}, std::move(chunk->bytes));
  } else if (std::get<StreamEnd>(mail.content).lagging) {
    count(worker_.server->slow_readers);
    close_now();
  } else {
    stream_ended_ = true;
    if (unsent() == 0) close_softly();
  }
}

void Connection::answer(Response response, const std::string& request_id) {
  if (response.status < 200 || response.status > 599) {
    response = problem(500, "", "The answer has a status that is none.", request_id);
  }
  bool more_to_come = !input_ended_ || !input_.empty();
  bool closing = worker_.server->closing.load(std::memory_order_relaxed);
  close_after_ = response.close || state_ == State::Reading || !keep_alive_ || !more_to_come || closing;
  bool has_body = response.status != 204 && response.status != 304;
  worker_.head.clear();
  append_head(worker_.head, response, request_id, worker_.date.at(worker_.server->clock.wall()), close_after_ ? Persistence::Close : Persistence::KeepAlive,
              has_body ? std::optional(response.body.size()) : std::nullopt);
  state_ = State::Sending;
  if (!has_body || is_head_request_) response.body.clear();
  write(worker_.head, std::move(response.body));
}

void Connection::start_stream(StreamStart start, const std::string& request_id) {
  worker_.head.clear();
  append_head(worker_.head, start.head, request_id, worker_.date.at(worker_.server->clock.wall()), Persistence::Close, std::nullopt);
  if (is_head_request_) {
    start.stream->end();
    close_after_ = true;
    state_ = State::Sending;
    return write(worker_.head, {});
  }
  state_ = State::Streaming;
  stream_ = std::move(start.stream);
  stream_->unsent_bytes.fetch_add(worker_.head.size() + start.head.body.size(), std::memory_order_relaxed);
  input_.clear();
  end_request();
  // Neither matters if it fails: the limits of ours hold all the same.
  ::setsockopt(address_.fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kUnsentInKernel, sizeof kUnsentInKernel);
  ::setsockopt(address_.fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &kGoneAfterMs, sizeof kGoneAfterMs);
  write(worker_.head, std::move(start.head.body));
  discard_input();
}

// Sends as much as the kernel takes and keeps the rest.
void Connection::write(std::string_view head, std::string body) {
  if (unsent() != 0) {
    output_.append(head).append(body);
    return;
  }
  output_sent_ = 0;
  iovec parts[2] = {{const_cast<char*>(head.data()), head.size()}, {body.data(), body.size()}};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(address_.fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0 && !would_block(errno)) return close_now();
  auto done = sent < 0 ? 0 : static_cast<std::size_t>(sent);
  if (stream_) stream_->unsent_bytes.fetch_sub(done);
  if (done == head.size() + body.size()) return sent_all();

  if (done >= head.size()) {
    output_ = std::move(body);
    output_sent_ = done - head.size();
  } else {
    output_.assign(head.substr(done)).append(body);
  }
  progress_ = 0;
  if (state_ == State::Sending || state_ == State::Streaming) wait_for(worker_.server->options.write_timeout);
}

void Connection::flush() {
  while (unsent() != 0) {
    auto sent = ::send(address_.fd, output_.data() + output_sent_, unsent(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && would_block(errno)) return;
    if (sent < 0) return close_now();
    output_sent_ += static_cast<std::size_t>(sent);
    if (stream_) stream_->unsent_bytes.fetch_sub(static_cast<std::size_t>(sent));
    progress_ += static_cast<std::size_t>(sent);
    if (progress_ >= kProgress) {
      progress_ = 0;
      wait_for(worker_.server->options.write_timeout);
    }
  }
  output_ = {};
  output_sent_ = 0;
  sent_all();
}

// Called when nothing is left to send; in Reading that was a "100 Continue".
void Connection::sent_all() {
  if (state_ == State::Sending) {
    end_request();
    if (close_after_) return close_softly();
    state_ = State::Reading;
    wait_for(worker_.server->options.idle_timeout);
    wants_turn_ = true;  // read what came meanwhile, but not from within this call
  } else if (state_ == State::Streaming) {
    wait_for_ever();
    if (stream_ended_) return close_softly();
    stream_->drained();
  }
}

void Connection::close_softly() {
  end_request();
  if (stream_) stream_->end();
  if (input_ended_) return close_now();
  ::shutdown(address_.fd, SHUT_WR);
  input_.clear();
  state_ = State::Lingering;
  wait_for(worker_.server->options.linger_timeout);
  wants_turn_ = true;
}

}  // namespace davit::http
