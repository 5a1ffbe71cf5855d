#include "host/http/responder.h"

#include <utility>

#include "host/http/error_response.h"

namespace davit::http {

Stream::Stream(std::shared_ptr<Mailbox> mailbox, ConnectionAddress to, std::shared_ptr<StreamState> state)
    : mailbox_(std::move(mailbox)), to_(to), state_(std::move(state)) {}

Stream& Stream::operator=(Stream&& other) noexcept {
  if (this == &other) return *this;
  close();
  mailbox_ = std::move(other.mailbox_);
  to_ = other.to_;
  state_ = std::move(other.state_);
  return *this;
}

Stream::~Stream() { close(); }

bool Stream::open() const { return state_ && state_->open.load(std::memory_order_acquire); }

std::size_t Stream::unsent_bytes() const { return state_ ? state_->unsent_bytes.load() : 0; }

bool Stream::was_too_slow() const { return state_ && state_->too_slow.load(); }

bool Stream::await_drained() {
  if (!open()) return false;
  // Asked for first and looked at then; the connection does it the other way round, so that one of the two sees
  // the other.
  state_->awaited.store(true);
  return state_->unsent_bytes.load() != 0;
}

bool Stream::write(std::string chunk) {
  if (!open()) return false;
  if (chunk.empty()) return true;
  auto unsent = state_->unsent_bytes.fetch_add(chunk.size(), std::memory_order_relaxed) + chunk.size();
  if (unsent > state_->lag_limit) {
    // Who reads this slowly gets a torn answer rather than our memory.
    state_->too_slow.store(true);
    if (state_->open.exchange(false)) mailbox_->post({to_, {}, StreamEnd{true}});
    return false;
  }
  return mailbox_->post({to_, {}, StreamChunk{std::move(chunk)}});
}

void Stream::close() {
  if (!mailbox_) return;
  if (state_->open.exchange(false)) mailbox_->post({to_, {}, StreamEnd{false}});
  mailbox_.reset();
}

Responder::Responder(std::shared_ptr<Mailbox> mailbox, ConnectionAddress to, std::string request_id,
                     std::size_t stream_lag_limit)
    : mailbox_(std::move(mailbox)),
      to_(to),
      request_id_(std::move(request_id)),
      stream_lag_limit_(stream_lag_limit) {}

Responder& Responder::operator=(Responder&& other) noexcept {
  if (this == &other) return *this;
  answer_if_open();
  mailbox_ = std::move(other.mailbox_);
  to_ = other.to_;
  request_id_ = std::move(other.request_id_);
  stream_lag_limit_ = other.stream_lag_limit_;
  watch_ = std::move(other.watch_);
  wishes_ = std::move(other.wishes_);
  return *this;
}

Responder::~Responder() { answer_if_open(); }

void Responder::answer_if_open() {
  if (mailbox_) send(problem(500, "", "The request was dropped without an answer.", request_id_));
}

void Responder::send(Response response) {
  auto mailbox = std::exchange(mailbox_, nullptr);
  if (!mailbox) return;
  if (wishes_) suit(response, *wishes_);
  if (watch_) watch_(response, request_id_);
  mailbox->post({to_, request_id_, std::move(response)});
}

Stream Responder::start_stream(Response head, std::function<void()> notice) {
  auto mailbox = std::exchange(mailbox_, nullptr);
  if (!mailbox) return {};
  if (watch_) watch_(head, request_id_);
  auto state = std::make_shared<StreamState>(stream_lag_limit_, std::move(notice));
  if (!mailbox->post({to_, request_id_, StreamStart{std::move(head), state}})) state->open = false;
  return {std::move(mailbox), to_, std::move(state)};
}

}  // namespace davit::http
