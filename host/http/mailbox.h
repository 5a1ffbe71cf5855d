// The one way from other threads to a connection.
//
// Answers made elsewhere are not written elsewhere: they are posted to the worker that owns the connection,
// and the worker writes them. A descriptor number is reused as soon as its client is gone, so mail is
// addressed by a connection id that is never used again; mail for a connection that is gone is thrown away.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "host/base/file.h"
#include "host/base/guarded.h"
#include "host/http/response.h"

namespace davit::http {

struct ConnectionAddress {
  int fd = -1;           // where to look
  std::uint64_t id = 0;  // who must be found there
};

// What a stream's writer and its connection know of each other. Thread-safe.
struct StreamState {
  explicit StreamState(std::size_t limit, std::function<void()> notice_to = {})
      : lag_limit(limit), notice(std::move(notice_to)) {}
  const std::size_t lag_limit;               // bytes
  const std::function<void()> notice;        // may be empty; called on the I/O thread
  std::atomic<bool> open{true};              // false once either side has ended it
  std::atomic<std::size_t> unsent_bytes{0};  // written by the producer, not yet taken by the kernel
  std::atomic<bool> awaited{false};          // the producer wants a notice once they are none
  std::atomic<bool> too_slow{false};         // it was ended because its client did not read

  // The connection's side: the stream is over, and the producer does not know.
  void end() {
    if (open.exchange(false) && notice) notice();
  }
  // The connection's side: the kernel has taken all there was.
  void drained() {
    if (awaited.exchange(false) && notice) notice();
  }
};

struct StreamStart {
  Response head;
  std::shared_ptr<StreamState> stream;
};
struct StreamChunk {
  std::string bytes;
};
struct StreamEnd {
  bool lagging = false;  // give the client up instead of sending what waits
};

struct Mail {
  ConnectionAddress to;
  std::string request_id;
  std::variant<Response, StreamStart, StreamChunk, StreamEnd> content;
};

// Thread-safe. Lives until the last Responder or Stream that points to it, however late.
//
// Losing no wake-up: `awake` is true while the worker is sure to look again before it sleeps, and becomes
// false under the lock that found nothing waiting. Whoever posts while it is false sets it and writes the
// event descriptor; all who come after share that wake-up.
class Mailbox {
 public:
  Mailbox();

  // Puts mail in, without waiting. False, and without effect, once closed.
  bool post(Mail mail);
  // Makes the worker run even without mail.
  void wake();

  // Becomes readable when there is something to do. The worker polls it.
  int event_fd() const { return event_.number(); }

  // The worker's side.
  void begin_round();  // the worker is awake
  bool take_or_sleep(
      std::vector<Mail>& out);  // swaps what waits into `out` (empty); false: nothing, may sleep
  void clear_event();           // after the event descriptor was readable
  void call_again();            // the worker lets others in first but is not done
  // Nothing more is taken in.
  void close();

 private:
  struct Waiting {
    std::vector<Mail> mail;
    bool awake = false;
    bool closed = false;
  };
  Guarded<Waiting> waiting_;
  UniqueFd event_;
};

}  // namespace davit::http
