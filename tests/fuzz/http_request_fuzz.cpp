// Bytes of one connection, as requests. The outcome depends on the bytes alone: whole, byte by byte and cut
// in two at many places they give the same requests and the same refusal.
#include <string>
#include <vector>

#include "host/http/request.h"
#include "host/http/request_parser.h"
#include "tests/fuzz/fuzz.h"

namespace {

using davit::fuzz::promise;
using davit::http::RequestParser;

std::size_t body_limit(std::string_view, std::string_view path) { return path == "/small" ? 4 : 100'000; }

std::string told_of(const RequestParser& parser, std::string_view bytes) {
  std::string told = std::string(parser.method().in(bytes)) + ' ' + std::string(parser.path().in(bytes)) +
                     '?' + std::string(parser.query().in(bytes));
  for (const auto& header : parser.headers()) {
    told += '\n';
    told += header.name.in(bytes);
    told += ':';
    told += header.value.in(bytes);
  }
  return told + (parser.keep_alive() ? "\nkeeps alive " : "\ncloses ") +
         (parser.expects_continue() ? "expects " : "") + std::to_string(parser.request_size()) + "\n";
}

// What any reader of HTTP, strict or lax, must find in a request that was let through.
void check_request(const RequestParser& parser, std::string_view bytes) {
  promise(parser.head_size() <= RequestParser::kMaxHead, "the head stays within its limit");
  promise(parser.headers().size() <= RequestParser::kMaxHeaders, "there are at most 100 headers");
  promise(parser.path().in(bytes).starts_with('/'), "the path begins with a slash");
  int lengths = 0, hosts = 0;
  std::string announced = "0";
  for (const auto& header : parser.headers()) {
    const std::string_view name = header.name.in(bytes), value = header.value.in(bytes);
    promise(davit::http::is_token(name), "a header's name is a token");
    for (const char c : value) {
      promise(static_cast<unsigned char>(c) >= 0x20 || c == '\t',
              "a header's value holds no control character");
    }
    promise(!davit::http::same_name(name, "Transfer-Encoding"), "no request has a transfer encoding");
    hosts += davit::http::same_name(name, "Host");
    if (davit::http::same_name(name, "Content-Length")) ++lengths, announced = value;
  }
  promise(lengths <= 1 && hosts <= 1, "length and host are said once");
  promise(announced.find_first_not_of("0123456789") == std::string::npos, "a length is digits");
  promise(std::stoull(announced) == parser.request_size() - parser.head_size(),
          "the body is as long as announced");
  promise(parser.request_size() - parser.head_size() <= body_limit("", parser.path().in(bytes)),
          "the body stays within its limit");
}

// Everything the parser says when `bytes` come in pieces that end at `arrivals`.
std::string told_of_all(std::string_view bytes, const std::vector<std::size_t>& arrivals) {
  std::string told;
  RequestParser parser;
  std::size_t begin = 0;
  for (const std::size_t arrived : arrivals) {
    const std::string_view here = bytes.substr(begin, arrived - begin);
    while (parser.read(bytes.substr(begin, arrived - begin), body_limit) == RequestParser::State::Complete) {
      const std::string_view request = bytes.substr(begin, parser.request_size());
      check_request(parser, request);
      told += told_of(parser, request);
      begin += request.size();
      parser.reset();
    }
    if (parser.state() != RequestParser::State::Refused) continue;
    promise(parser.refusal().status >= 400 && parser.refusal().status <= 505, "a refusal has a status");
    promise(parser.read(here, body_limit) == RequestParser::State::Refused, "a refusal is final");
    return told + "refused " + std::to_string(parser.refusal().status) + std::string(parser.refusal().detail);
  }
  return told + (parser.state() == RequestParser::State::Body ? "waits for a body" : "waits for a head");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = davit::fuzz::as_text(data, size);
  const std::string whole = told_of_all(bytes, {size});
  std::vector<std::size_t> each;
  for (std::size_t i = 1; i <= size; ++i) each.push_back(i);
  if (size > 0) promise(told_of_all(bytes, each) == whole, "byte by byte it is the same");
  // Every place of a short input; of a long one as many as take a millisecond.
  for (std::size_t at = 1; at < size; at += 1 + size / 256) {
    promise(told_of_all(bytes, {at, size}) == whole, "cut in two it is the same");
  }
  return 0;
}
