// The application's end of a request that waits for its answer.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "host/http/mailbox.h"
#include "host/http/negotiation.h"
#include "host/http/response.h"

namespace davit::http {

// An answer that goes on: server-sent events. Move-only; may be used by any one thread at a time.
class Stream {
 public:
  Stream() = default;
  Stream(std::shared_ptr<Mailbox> mailbox, ConnectionAddress to, std::shared_ptr<StreamState> state);
  Stream(Stream&&) noexcept = default;
  Stream& operator=(Stream&& other) noexcept;
  ~Stream();

  // Sends the bytes soon, without waiting. False if the client is gone or was dropped because it lags by more
  // than the server's limit; the stream is over then. True is no promise that the bytes arrive.
  bool write(std::string chunk);
  // Ends the answer after what was written. Without effect if it has ended.
  void close();
  bool open() const;
  // Bytes that were written and are not with the kernel yet. What is there once they are none is told by the
  // notice of start_stream(), after await_drained() has given true; false: they are none already.
  std::size_t unsent_bytes() const;
  bool await_drained();
  // Did it end because the client did not read?
  bool was_too_slow() const;

 private:
  std::shared_ptr<Mailbox> mailbox_;
  ConnectionAddress to_;
  std::shared_ptr<StreamState> state_;
};

// Move-only. Gives exactly one answer, from any thread, without waiting; may outlive the server. An answer to
// a client that is gone is thrown away. Dropped without an answer it gives a 500.
class Responder {
 public:
  Responder(std::shared_ptr<Mailbox> mailbox, ConnectionAddress to, std::string request_id,
            std::size_t stream_lag_limit);
  Responder(Responder&&) noexcept = default;
  Responder& operator=(Responder&& other) noexcept;
  ~Responder();

  // From now on send() gives the answer as its client wishes; see suit(). Whoever sends then spends that time.
  void heed(Wishes wishes) { wishes_ = std::make_shared<const Wishes>(std::move(wishes)); }

  // The first call of send() or start_stream() answers; later ones do nothing (and give a closed stream).
  void send(Response response);
  // Sends the head now (its body, if any, is the first chunk). The connection closes behind the stream. To a
  // HEAD request the head alone is sent and the stream is over. `notice` is called on an I/O thread, quickly
  // to return: when the stream ends otherwise than by its writer, and as Stream::await_drained() says. It
  // must stay callable as long as the server lives.
  Stream start_stream(Response head, std::function<void()> notice = {});

  // Is shown the answer, or the head of a stream, and the id of its request before it goes, on the thread that
  // gives it. Who asked for that last is.
  using Watch = std::function<void(const Response&, std::string_view request_id)>;
  void on_answer(Watch watch) { watch_ = std::move(watch); }

  std::string_view request_id() const { return request_id_; }

 private:
  void answer_if_open();
  std::shared_ptr<Mailbox> mailbox_;  // null once answered
  ConnectionAddress to_;
  std::string request_id_;
  std::size_t stream_lag_limit_;
  Watch watch_;
  std::shared_ptr<const Wishes> wishes_;  // null: answered as it is
};

}  // namespace davit::http
