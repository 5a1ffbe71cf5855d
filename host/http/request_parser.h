// Strict framing of HTTP/1.0 and HTTP/1.1 requests, byte by byte as they come.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace davit::http {

// Is it a token of RFC 9110 §5.6.2, as methods and header names are?
bool is_token(std::string_view text);

// The largest body in bytes that a request for this method and path may announce.
using BodyLimit = std::function<std::size_t(std::string_view method, std::string_view path)>;

// Why a request is refused: the status of the answer and a sentence of ours that holds nothing of the
// request.
struct Refusal {
  int status = 0;
  std::string_view detail;
};

// Reads one request after the other. Confined to the thread of its connection.
//
// The outcome depends on the bytes alone, never on how they were cut into pieces. Where a stricter and a
// laxer reading exist, the stricter one is taken, so that no proxy in front can see other borders between
// requests than we do.
class RequestParser {
 public:
  static constexpr std::size_t kMaxHead = 16 * 1024;   // request line and headers with the empty line: 431
  static constexpr std::size_t kMaxTarget = 8 * 1024;  // 414
  static constexpr std::size_t kMaxHeaders = 100;      // 431

  enum class State { Head, Body, Complete, Refused };

  // A piece of the head by its place, since the buffer may move while a body grows.
  struct Piece {
    std::uint16_t offset = 0;
    std::uint16_t size = 0;
    std::string_view in(std::string_view bytes) const { return bytes.substr(offset, size); }
  };
  struct HeaderPieces {
    Piece name;
    Piece value;
  };

  // Looks at what is new. `bytes` begins with the first byte of the request, holds everything that came
  // since, and may go on beyond its end. The limit is asked once, when the head is complete. Complete and
  // Refused are final.
  State read(std::string_view bytes, const BodyLimit& limit);
  // Forgets the request; the next read() begins another.
  void reset();

  State state() const { return state_; }
  const Refusal& refusal() const { return refusal_; }  // when Refused

  // What the head says; valid from Body on.
  Piece method() const { return method_; }
  Piece path() const { return path_; }
  Piece query() const { return query_; }
  const std::vector<HeaderPieces>& headers() const { return headers_; }
  std::size_t head_size() const { return head_size_; }
  std::size_t request_size() const { return head_size_ + content_length_; }
  bool keep_alive() const { return keep_alive_; }              // the client wishes to go on
  bool expects_continue() const { return expects_continue_; }  // it waits for "100 Continue"

 private:
  State read_head(std::string_view bytes);
  State read_request_line(std::string_view bytes, std::size_t end);
  State read_header(std::string_view bytes, std::size_t begin, std::size_t end);
  State read_known_header(std::string_view name, std::string_view value);
  State finish_head();
  State refuse(int status, std::string_view detail);

  State state_ = State::Head;
  Refusal refusal_;
  std::size_t line_start_ = 0;  // of the line that is not complete yet
  std::size_t scanned_ = 0;     // no line feed between line_start_ and here
  bool has_request_line_ = false;
  Piece method_, path_, query_;
  std::vector<HeaderPieces> headers_;
  int minor_version_ = 1;
  int hosts_ = 0;
  bool has_length_ = false;
  bool has_transfer_encoding_ = false;
  bool unknown_expectation_ = false;
  bool expects_continue_ = false;
  bool says_close_ = false;
  bool says_keep_alive_ = false;
  bool keep_alive_ = false;
  std::size_t head_size_ = 0;
  std::size_t content_length_ = 0;
};

}  // namespace davit::http
