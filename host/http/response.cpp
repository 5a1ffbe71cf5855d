#include "host/http/response.h"

#include <array>
#include <charconv>
#include <cstdio>

#include "host/http/request.h"
#include "host/http/request_parser.h"

namespace davit::http {
namespace {

void append_number(std::string& out, std::size_t number) {
  char digits[24];
  auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, end);
}

// A line break in a value would let whoever chose the value write headers of his own.
void append_value(std::string& out, std::string_view value) {
  for (char c : value) {
    auto byte = static_cast<unsigned char>(c);
    out.push_back((byte < 0x20 && c != '\t') || byte == 0x7f ? ' ' : c);
  }
}

// What every answer says to browsers.
constexpr std::string_view kForBrowsers =
    "\r\nX-Content-Type-Options: nosniff"
    "\r\nReferrer-Policy: no-referrer"
    "\r\nCross-Origin-Resource-Policy: same-origin"
    "\r\nCross-Origin-Opener-Policy: same-origin\r\n";
constexpr std::string_view kPolicyName = "Content-Security-Policy";
constexpr std::string_view kPolicy =
    "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'; base-uri 'none'\r\n";
constexpr std::string_view kCacheName = "Cache-Control";
constexpr std::string_view kCache = "Cache-Control: no-store\r\n";

bool written_by_us(std::string_view name) {
  static constexpr std::array<std::string_view, 10> kOurs = {"Content-Type",
                                                            "Date",
                                                            "Content-Length",
                                                            "Connection",
                                                            "Transfer-Encoding",
                                                            "X-Request-Id",
                                                            "X-Content-Type-Options",
                                                            "Referrer-Policy",
                                                            "Cross-Origin-Resource-Policy",
                                                            "Cross-Origin-Opener-Policy"};
  for (std::string_view ours : kOurs) {
    if (same_name(name, ours)) return true;
  }
  return false;
}

}  // namespace

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Unknown";
  }
}

std::string_view HttpDate::at(WallTime now) {
  using namespace std::chrono;
  const sys_seconds second = floor<seconds>(now);
  if (second == second_ && !text_.empty()) return text_;
  second_ = second;
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const sys_days day = floor<days>(second);
  const year_month_day date{day};
  const hh_mm_ss time{second - day};
  char text[64];
  std::snprintf(text, sizeof text, "%s, %02u %s %04d %02d:%02d:%02d GMT", kDays[weekday{day}.c_encoding()],
                static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
                static_cast<int>(date.year()), static_cast<int>(time.hours().count()),
                static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()));
  return text_ = text;
}

void append_head(std::string& out, const Response& response, std::string_view request_id, std::string_view date,
                 Persistence persistence, std::optional<std::size_t> content_length) {
  out += "HTTP/1.1 ";
  append_number(out, static_cast<std::size_t>(response.status));
  out += ' ';
  out += reason_phrase(response.status);
  if (!response.content_type.empty()) {
    out += "\r\nContent-Type: ";
    append_value(out, response.content_type);
  }
  if (content_length) {
    out += "\r\nContent-Length: ";
    append_number(out, *content_length);
  }
  out += persistence == Persistence::KeepAlive ? "\r\nConnection: keep-alive" : "\r\nConnection: close";
  out += "\r\nDate: ";
  out += date;
  out += "\r\nX-Request-Id: ";
  out += request_id;
  out += kForBrowsers;
  bool has_policy = false;
  bool has_cache = false;
  for (const auto& [name, value] : response.headers) {
    if (!is_token(name) || written_by_us(name)) continue;
    has_policy = has_policy || same_name(name, kPolicyName);
    has_cache = has_cache || same_name(name, kCacheName);
    out += name;
    out += ": ";
    append_value(out, value);
    out += "\r\n";
  }
  if (!has_policy) out += kPolicy;
  if (!has_cache) out += kCache;
  out += "\r\n";
}

}  // namespace davit::http
