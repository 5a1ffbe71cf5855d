// Whose request it is, where proxies stand between.
#pragma once

#include <string>
#include <vector>

#include "host/http/request.h"

namespace davit::http {

// Which header a proxy of ours writes down its client in. One of the two only: the other one comes from the
// client, unchanged, and may say anything.
enum class ForwardedHeader {
  XForwardedFor,  // "X-Forwarded-For: 198.51.100.7, 10.0.0.2"
  Forwarded,      // RFC 7239: "Forwarded: for=198.51.100.7;proto=https, for="[2001:db8::1]:4711""
};

struct TrustedProxies {
  std::vector<std::string> addresses;  // as inet_pton reads them
  ForwardedHeader header = ForwardedHeader::XForwardedFor;
};

// The address that spoke to the outermost proxy that we trust: from the right to the left each hop is
// believed as long as the one that told of it is trusted. What cannot be read ends the way: the last hop
// known counts. Without a proxy it is the other end of the connection, whatever the headers claim.
std::string client_address(const Request& request, const TrustedProxies& proxies);

// Did the client speak https with the outermost proxy? Only a proxy that we trust can say so: in
// X-Forwarded-Proto, or by proto= of Forwarded, the last one counts.
bool is_https(const Request& request, const TrustedProxies& proxies);

}  // namespace davit::http
