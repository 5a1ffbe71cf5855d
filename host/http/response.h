// An answer, and how it looks on the wire.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/base/clock.h"

namespace davit::http {

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  bool close = false;  // close the connection behind this answer
  // For the log and nobody else: why, where `body` does not say it.
  std::string reason = {};
  bool is_report = false;  // a status of 500 or above is what was asked for, and no failure
};

// The reason phrase of a status; "Unknown" for one that we do not use.
std::string_view reason_phrase(int status);

enum class Persistence { KeepAlive, Close };

// Appends the status line and all header lines with the empty line. `content_length` is absent for a body
// that ends with the connection. Content-Type, Content-Length, Connection, Date, X-Request-Id and what keeps
// browsers from misusing an answer (X-Content-Type-Options, Referrer-Policy, Cross-Origin-…) are written
// here; headers of the response with one of these names, or with a name that is no token, are left out.
// Unless the response says otherwise no answer is kept (Cache-Control), shown in a frame or run as a page
// (Content-Security-Policy). Control characters in values become blanks, so that no value can end its
// line.
void append_head(std::string& out, const Response& response, std::string_view request_id, std::string_view date,
                 Persistence persistence, std::optional<std::size_t> content_length);

// The time as `Date` has it (RFC 9110, section 6.6.1), made once for each second. Confined to one thread.
class HttpDate {
 public:
  // Good until the next call.
  std::string_view at(WallTime now);

 private:
  std::chrono::sys_seconds second_{std::chrono::seconds(-1)};
  std::string text_;
};

}  // namespace davit::http
