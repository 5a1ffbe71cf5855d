// What an application sees of a request: the bytes as they came, framed and checked, not decoded.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/clock.h"

namespace davit::http {

// A header line. The name as it was sent (compare without regard to case), the value without the blanks
// around it.
struct Header {
  std::string_view name;
  std::string_view value;
};

// Do two names mean the same header (ASCII, without regard to case)?
bool same_name(std::string_view left, std::string_view right);

// A whole request. Move-only; the views point into `bytes` and stay valid when it is moved. Immutable once
// handed over.
struct Request {
  std::string request_id;         // UUIDv7; also in X-Request-Id of the answer
  std::string_view method;        // one of GET HEAD POST PUT PATCH DELETE OPTIONS
  std::string_view path;          // up to '?', percent signs untouched, begins with '/'
  std::string_view query;         // behind '?', without it; empty if there is none
  std::vector<Header> headers;    // in the order they came, doubled ones as often as they came
  std::string_view body;          // exactly the bytes of the sender
  std::string remote_address;     // the host of the other end as text; behind a proxy, the proxy
  WallTime received_at{};         // when the last byte had come
  std::unique_ptr<char[]> bytes;  // head and body

  // The value of the first header of that name, or an empty view. Use count() where absence or doubling
  // matters.
  std::string_view header(std::string_view name) const;
  std::size_t count(std::string_view name) const;
  // All values of a header that is a list, as one list: it may be sent in several lines (RFC 9110, section 5.3).
  std::string list(std::string_view name) const;
};

}  // namespace davit::http
