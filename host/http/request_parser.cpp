// The head is read line by line, each line once, when its line feed has come. A line is refused where it
// stands, so the first mistake decides, however the bytes were cut. Lengths are judged before content: a
// request that is too long is called that, complete or not.
#include "host/http/request_parser.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "host/http/request.h"

namespace davit::http {
namespace {

constexpr std::size_t kMaxRequestLine = RequestParser::kMaxTarget + 32;

constexpr std::array<bool, 256> make_token_table() {
  std::array<bool, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (int c = 'a'; c <= 'z'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (int c = 'A'; c <= 'Z'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (char c : {'!', '#', '$', '%', '&', '\'', '*', '+', '-', '.', '^', '_', '`', '|', '~'}) {
    table[static_cast<unsigned char>(c)] = true;
  }
  return table;
}
constexpr std::array<bool, 256> kToken = make_token_table();

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_known_method(std::string_view method) {
  static constexpr std::array<std::string_view, 7> kMethods = {"POST",  "GET",    "HEAD",   "PUT",
                                                               "PATCH", "DELETE", "OPTIONS"};
  return std::find(kMethods.begin(), kMethods.end(), method) != kMethods.end();
}

bool is_target(std::string_view target) {
  return target.front() == '/' &&
         std::all_of(target.begin(), target.end(), [](char c) { return c > 0x20 && c < 0x7f && c != '#'; });
}

bool is_field_value(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) {
    auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 ? byte != 0x7f : c == '\t';
  });
}

// reg-name, IPv4 or [IPv6], then perhaps a port; empty is allowed by RFC 9112 §3.2.
bool is_host(std::string_view host) {
  if (host.empty()) return true;
  std::size_t name_end = 0;
  if (host.front() == '[') {
    name_end = host.find(']');
    if (name_end == std::string_view::npos) return false;
    auto inner = host.substr(1, name_end - 1);
    if (inner.find_first_not_of("0123456789abcdefABCDEF:.") != std::string_view::npos || inner.empty())
      return false;
    ++name_end;
  } else {
    while (name_end < host.size() && host[name_end] != ':') {
      char c = host[name_end];
      bool allowed = kToken[static_cast<unsigned char>(c)] || std::strchr("(),;=", c) != nullptr;
      if (!allowed || c == '#' || c == '^' || c == '`' || c == '|') return false;
      ++name_end;
    }
    if (name_end == 0) return false;
  }
  if (name_end == host.size()) return true;
  auto port = host.substr(name_end + 1);
  return host[name_end] == ':' && port.size() <= 5 && std::all_of(port.begin(), port.end(), is_digit);
}

bool lists(std::string_view value, std::string_view wanted) {
  while (!value.empty()) {
    auto comma = value.find(',');
    auto item = value.substr(0, comma);
    while (!item.empty() && is_blank(item.front())) item.remove_prefix(1);
    while (!item.empty() && is_blank(item.back())) item.remove_suffix(1);
    if (same_name(item, wanted)) return true;
    value.remove_prefix(comma == std::string_view::npos ? value.size() : comma + 1);
  }
  return false;
}

RequestParser::Piece piece(std::size_t begin, std::size_t end) {
  return {static_cast<std::uint16_t>(begin), static_cast<std::uint16_t>(end - begin)};
}

}  // namespace

bool is_token(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return kToken[static_cast<unsigned char>(c)]; });
}

void RequestParser::reset() {
  auto headers = std::move(headers_);
  headers.clear();
  *this = RequestParser();
  headers_ = std::move(headers);
}

RequestParser::State RequestParser::refuse(int status, std::string_view detail) {
  refusal_ = {status, detail};
  return state_ = State::Refused;
}

RequestParser::State RequestParser::read(std::string_view bytes, const BodyLimit& limit) {
  if (state_ == State::Head && read_head(bytes) == State::Body &&
      content_length_ > limit(method_.in(bytes), path_.in(bytes))) {
    return refuse(413, "The body is larger than this address accepts.");
  }
  if (state_ == State::Body && bytes.size() >= request_size()) state_ = State::Complete;
  return state_;
}

RequestParser::State RequestParser::read_head(std::string_view bytes) {
  // Not HTTP at all (a TLS greeting, say) need not wait for a line that never comes.
  if (line_start_ == 0 && !bytes.empty() && (bytes[0] < 'A' || bytes[0] > 'Z')) {
    return refuse(400, "The request does not begin with a method.");
  }
  while (state_ == State::Head) {
    auto feed = bytes.find('\n', scanned_);
    auto line_end = feed == std::string_view::npos ? bytes.size() : feed + 1;
    if (!has_request_line_ && line_end > kMaxRequestLine)
      return refuse(414, "The request target is too long.");
    if (line_end > kMaxHead) return refuse(431, "The head of the request is larger than 16 KiB.");
    scanned_ = line_end;
    if (feed == std::string_view::npos) return state_;

    if (feed == line_start_ || bytes[feed - 1] != '\r') return refuse(400, "A line does not end with CR LF.");
    std::size_t begin = line_start_;
    line_start_ = line_end;
    if (!has_request_line_) {
      read_request_line(bytes, feed - 1);
    } else if (begin == feed - 1) {
      head_size_ = line_end;
      return finish_head();
    } else {
      read_header(bytes, begin, feed - 1);
    }
  }
  return state_;
}

RequestParser::State RequestParser::read_request_line(std::string_view bytes, std::size_t end) {
  auto line = bytes.substr(0, end);
  auto first = line.find(' ');
  auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last || first + 1 == last ||
      !is_token(line.substr(0, first))) {
    return refuse(400, "The request line is malformed.");
  }
  auto version = line.substr(last + 1);
  if (version.size() != 8 || version.substr(0, 5) != "HTTP/" || !is_digit(version[5]) || version[6] != '.' ||
      !is_digit(version[7])) {
    return refuse(400, "The request line is malformed.");
  }
  if (version[5] != '1' || version[7] > '1')
    return refuse(505, "Only HTTP/1.0 and HTTP/1.1 are spoken here.");
  minor_version_ = version[7] - '0';
  if (!is_known_method(line.substr(0, first))) return refuse(501, "This method is not known here.");
  auto target = line.substr(first + 1, last - first - 1);
  if (target.size() > kMaxTarget) return refuse(414, "The request target is too long.");
  if (!is_target(target)) return refuse(400, "The request target is not a path.");

  auto question = std::min(line.find('?', first), last);
  method_ = piece(0, first);
  path_ = piece(first + 1, question);
  query_ = piece(std::min(question + 1, last), last);
  has_request_line_ = true;
  return state_;
}

RequestParser::State RequestParser::read_header(std::string_view bytes, std::size_t begin, std::size_t end) {
  if (headers_.size() == kMaxHeaders) return refuse(431, "The request has more than 100 headers.");
  auto colon = begin;
  while (colon < end && kToken[static_cast<unsigned char>(bytes[colon])]) ++colon;
  // Also refused here: a folded line (begins with a blank) and a blank before the colon.
  if (colon == begin || colon == end || bytes[colon] != ':')
    return refuse(400, "A header line is malformed.");
  auto value_begin = colon + 1;
  while (value_begin < end && is_blank(bytes[value_begin])) ++value_begin;
  while (end > value_begin && is_blank(bytes[end - 1])) --end;
  auto name = bytes.substr(begin, colon - begin);
  auto value = bytes.substr(value_begin, end - value_begin);
  if (!is_field_value(value)) return refuse(400, "A header value holds a control character.");
  headers_.push_back({piece(begin, colon), piece(value_begin, end)});
  return read_known_header(name, value);
}

// The lengths tell nearly all names apart before any comparison.
RequestParser::State RequestParser::read_known_header(std::string_view name, std::string_view value) {
  switch (name.size()) {
    case 4:
      if (!same_name(name, "Host")) break;
      if (++hosts_ > 1) return refuse(400, "There is more than one Host header.");
      if (!is_host(value)) return refuse(400, "The Host header is malformed.");
      break;
    case 6:
      if (!same_name(name, "Expect")) break;
      if (same_name(value, "100-continue")) {
        expects_continue_ = true;
      } else {
        unknown_expectation_ = true;
      }
      break;
    case 10:
      if (!same_name(name, "Connection")) break;
      says_close_ = says_close_ || lists(value, "close");
      says_keep_alive_ = says_keep_alive_ || lists(value, "keep-alive");
      break;
    case 14:
      if (!same_name(name, "Content-Length")) break;
      if (has_length_) return refuse(400, "There is more than one Content-Length header.");
      if (value.empty() || value.size() > 18 || !std::all_of(value.begin(), value.end(), is_digit)) {
        return refuse(400, "The Content-Length is not a decimal number.");
      }
      has_length_ = true;
      std::from_chars(value.data(), value.data() + value.size(), content_length_);
      break;
    case 17:
      if (same_name(name, "Transfer-Encoding")) has_transfer_encoding_ = true;
      break;
    default:
      break;
  }
  return state_;
}

RequestParser::State RequestParser::finish_head() {
  if (has_transfer_encoding_) {
    if (has_length_) return refuse(400, "Content-Length and Transfer-Encoding contradict each other.");
    return refuse(411, "Send the body with a Content-Length; chunked bodies are not accepted.");
  }
  if (minor_version_ == 1 && hosts_ == 0) return refuse(400, "The Host header is missing.");
  if (minor_version_ == 0) {
    expects_continue_ = false;  // RFC 9110 §10.1.1: an HTTP/1.0 client cannot mean it
  } else if (unknown_expectation_) {
    return refuse(417, "Only the expectation 100-continue is met.");
  }
  keep_alive_ = !says_close_ && (minor_version_ == 1 || says_keep_alive_);
  return state_ = State::Body;
}

}  // namespace davit::http
