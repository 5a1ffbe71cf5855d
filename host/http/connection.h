// One client's connection: reads requests, hands them over one at a time, writes the answers, keeps the time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/clock.h"
#include "host/http/input_buffer.h"
#include "host/http/mailbox.h"
#include "host/http/request_parser.h"
#include "host/http/server_state.h"

namespace davit::http {

// What the connections of one I/O thread share. Confined to that thread.
struct Worker {
  std::shared_ptr<ServerState> server;
  std::shared_ptr<Mailbox> mailbox;
  BodyLimit body_limit;
  MonotonicTime now{};        // of the current round
  std::vector<char> scratch;  // what was just received
  std::string head;           // the head being written
  HttpDate date;
};

// Confined to its I/O thread. Does all reading and writing of its descriptor but neither opens nor closes it:
// after each call the owner looks at closed(), wants_write() and wants_turn().
class Connection {
 public:
  Connection(Worker& worker, ConnectionAddress address, std::string remote_address);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // The descriptor may be readable or writable, or a turn was asked for.
  void on_ready();
  // Both directions are dead.
  void on_hangup();
  void on_mail(Mail mail);
  // deadline() has passed.
  void on_deadline();
  // The server does not take new requests any more: an idle connection closes.
  void on_closing();
  // Answers 503 at once instead of serving.
  void turn_away();

  std::uint64_t id() const { return address_.id; }
  bool closed() const { return state_ == State::Closed; }
  bool wants_write() const { return unsent() != 0 && state_ != State::Closed; }
  bool wants_turn() const { return wants_turn_ && state_ != State::Closed; }
  MonotonicTime deadline() const { return deadline_; }  // max() while none

 private:
  enum class State {
    Reading,    // idle, or a request is on its way in
    Answering,  // the application has the request
    Sending,    // its answer is on its way out
    Streaming,  // an answer without a known end is on its way out
    Lingering,  // the last answer is out; waits for the client to close
    Closed,
  };

  // Reading
  void read_requests();
  bool receive();
  bool begin_body();
  bool count_body();
  void refuse_body();
  void forget_body();
  void dispatch();
  void refuse(int status, std::string_view detail);
  void discard_input();
  // Writing
  void answer(Response response, const std::string& request_id);
  void start_stream(StreamStart start, const std::string& request_id);
  void write(std::string_view head, std::string body);
  void flush();
  void sent_all();
  void end_request();
  void close_softly();
  void close_now();
  void wait_for(Duration duration);
  void wait_for_ever() { deadline_ = MonotonicTime::max(); }
  std::size_t unsent() const { return output_.size() - output_sent_; }

  Worker& worker_;
  const ConnectionAddress address_;
  const std::string remote_address_;
  State state_ = State::Reading;
  MonotonicTime deadline_;
  InputBuffer input_;
  RequestParser parser_;
  std::string output_;
  std::size_t output_sent_ = 0;
  std::size_t progress_ = 0;  // bytes sent since the write time-out began
  std::shared_ptr<StreamState> stream_;
  std::size_t discarded_ = 0;
  bool input_ended_ = false;  // the client has closed its side
  bool head_begun_ = false;   // the head's time is running
  bool body_begun_ = false;   // the body's time is running
  std::size_t counted_ = 0;   // our part of the server's incoming_bytes
  bool is_head_request_ = false;
  bool keep_alive_ = true;    // as the client wishes
  bool close_after_ = false;  // the answer being sent is the last
  bool stream_ended_ = false;
  bool in_flight_ = false;
  bool wants_turn_ = false;
};

}  // namespace davit::http
