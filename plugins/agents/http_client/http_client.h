// HTTP to other people's servers, with everything that might go wrong bounded.
//
//   http::Client client;
//   http::Response answer = client.send({.url = "https://api.example.com/items"}, cancelled);
//
// https only (TLS 1.2 or later, certificate verified), http to this machine itself. No proxy, no cookies, no
// ~/.netrc, whatever the environment says. The body is taken as it is sent: no compression is asked for.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace http {

// Should the call end? Asked on the caller's thread, at least every 50 ms. Empty: never.
using Cancel = std::function<bool()>;

struct Header {
  std::string name, value;
};

// Which part of a body that is larger than `most` is kept.
enum class Keep {
  Beginning,  // and the rest is not read
  End,        // all of it is read
};

// A redirect that leads to another scheme, host or port.
enum class Elsewhere {
  Refuse,
  Bare,  // followed (GET and HEAD) with none of the request's headers but Accept
};

struct Request {
  std::string method = "GET";
  std::string url;
  std::vector<Header> headers;  // User-Agent is "davit" unless given
  std::string body;
  std::chrono::milliseconds total{30'000};  // for all of it: names, redirects, the body
  std::size_t most = 8u << 20;              // bytes of the answer's body
  Keep keep = Keep::Beginning;
  Elsewhere elsewhere = Elsewhere::Refuse;
};

struct Response {
  int status = 0;
  std::vector<Header> headers;
  std::string body;
  bool cut = false;  // the body was larger than `most`

  // The first of that name, in any case; empty if there is none.
  std::string_view header(std::string_view name) const;
};

// Keeps connections open between calls. Confined to one thread; leaves no thread and no descriptor behind.
class Client {
 public:
  Client();
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // One request, and the redirects of its answer: on the same origin (at most five; 307 and 308 only, unless
  // it is a GET or HEAD), on another as `elsewhere` says and never from https to http. What is neither GET
  // nor HEAD is sent once, on a connection of its own: libcurl would send it again by itself when a
  // connection from before turns out to be closed.
  //
  // Any status is an answer. Throws davit::Failure, naming method, origin and path:
  //   Cancelled  `cancel` said so, within 100 ms of it, unless the system is looking up a name: that ends
  //              when its resolver says, for a thread that still runs may not be left behind;
  //   Permanent  an address or header that cannot be sent, a certificate that does not hold, a redirect that
  //              is not followed, more than 64 KiB of headers;
  //   Retryable  all else: no connection, reset, cut off, out of time.
  Response send(const Request& request, const Cancel& cancel = {});

 private:
  struct Handles;
  std::unique_ptr<Handles> handles_;
};

}  // namespace http
