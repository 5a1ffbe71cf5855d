#include "sandbox/connect_request.h"

#include <utility>

namespace sandbox {
namespace {

constexpr std::size_t kMostHead = 8 * 1024;

ConnectRequest bad(std::string why) {
  return {.state = ConnectRequest::State::Bad, .destination = {}, .head_bytes = 0, .why = std::move(why)};
}

}  // namespace

ConnectRequest read_connect(std::string_view bytes) {
  constexpr std::string_view kMethod = "CONNECT ", kEnd = "\r\n\r\n";
  const std::string_view begin = bytes.substr(0, kMethod.size());
  if (begin != kMethod.substr(0, begin.size())) return bad("only https goes out (CONNECT)");
  const std::size_t end = bytes.substr(0, kMostHead).find(kEnd);
  if (end == std::string_view::npos)
    return bytes.size() < kMostHead ? ConnectRequest{} : bad("the request has more than 8 KiB");

  const std::string_view line = bytes.substr(0, bytes.find("\r\n"));
  const std::size_t blank = line.find(' ', kMethod.size());
  if (blank == std::string_view::npos || line.substr(blank, 8) != " HTTP/1.")
    return bad("the request cannot be read");
  ConnectRequest request;
  if (!read_destination(line.substr(kMethod.size(), blank - kMethod.size()), 0, request.destination))
    return bad("the request names no host and port");
  request.state = ConnectRequest::State::Good;
  request.head_bytes = end + kEnd.size();
  return request;
}

}  // namespace sandbox
