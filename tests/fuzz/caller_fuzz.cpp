// Who a request says that it is from: the first line is the other end of the connection, the rest are its
// header lines. Cookies, the way through proxies, and the page that a browser sends it from.
#include "host/http/caller.h"

#include <arpa/inet.h>

#include <string>
#include <vector>

#include "tests/fuzz/fuzz.h"

namespace {

using davit::fuzz::promise;
using namespace davit::http;

constexpr std::string_view kProxy = "127.0.0.1";

Request request_of(std::string_view remote, const std::vector<Header>& headers) {
  Request request;
  request.method = "POST";
  request.remote_address = remote;
  request.headers = headers;
  return request;
}

std::vector<Header> with(std::vector<Header> headers, std::string_view name, std::string_view value) {
  headers.push_back({name, value});
  return headers;
}

bool is_address(const std::string& text) {
  unsigned char bytes[16];
  return inet_pton(AF_INET, text.c_str(), bytes) == 1 || inet_pton(AF_INET6, text.c_str(), bytes) == 1;
}

void check_cookie(const std::vector<Header>& headers, bool https) {
  const std::string name(session_cookie_name(https));
  const Request request = request_of(kProxy, headers);
  const std::string secret(session_cookie(request, https));
  if (!secret.empty()) {
    bool sent = false;
    for (const Header& header : headers)
      sent |= same_name(header.name, "cookie") &&
              header.value.find(name + "=" + secret) != std::string_view::npos;
    promise(sent && secret.find(';') == std::string::npos, "a secret is one that was sent");
    const std::string twice = name + "=0123";
    promise(session_cookie(request_of(kProxy, with(headers, "Cookie", twice)), https).empty(),
            "of two cookies none is believed");
  }
  // What is set is sent back, beside whatever else there is of other names.
  const std::string set = set_session_cookie("0123", https, davit::Duration(1000));
  const std::string pair = set.substr(0, set.find(';'));
  bool other = true;
  for (const Header& header : headers) other &= header.value.find(name) == std::string_view::npos;
  if (other)
    promise(session_cookie(request_of(kProxy, with(headers, "cookie", pair)), https) == "0123",
            "a cookie comes back");
}

void check_way(const std::string& remote, const std::vector<Header>& headers, ForwardedHeader kind) {
  const bool is_forwarded = kind == ForwardedHeader::Forwarded;
  promise(client_address(request_of(remote, headers), {{}, kind}) == remote &&
              !is_https(request_of(remote, headers), {{}, kind}),
          "without a proxy nothing is believed");
  const TrustedProxies proxies{{std::string(kProxy), "::1"}, kind};
  const std::string client = client_address(request_of(kProxy, headers), proxies);
  promise(is_address(client), "a way ends at an address");
  promise(client_address(request_of("192.0.2.1", headers), proxies) == "192.0.2.1" &&
              !is_https(request_of("192.0.2.1", headers), proxies),
          "who is not trusted is not believed");
  // The proxy's own word comes last.
  const auto told = with(headers, is_forwarded ? "Forwarded" : "X-Forwarded-For",
                         is_forwarded ? "for=\"[2001:db8::7]:80\";proto=https" : "2001:db8::7");
  promise(client_address(request_of(kProxy, told), proxies) == "2001:db8::7", "the last hop counts");
  const auto secure = is_forwarded ? told : with(told, "x-forwarded-proto", "https");
  promise(is_https(request_of(kProxy, secure), proxies), "the last scheme counts");
  const auto plain = with(secure, is_forwarded ? "forwarded" : "X-Forwarded-Proto",
                          is_forwarded ? "for=192.0.2.9;proto=http" : "http");
  promise(!is_https(request_of(kProxy, plain), proxies), "the last scheme counts, whatever came before");
}

void check_page(const std::vector<Header>& headers) {
  const Request request = request_of(kProxy, headers);
  promise(foreign_page(request_of(kProxy, with(headers, "Sec-Fetch-Site", "cross-site"))).has_value(),
          "another site is another site");
  if (request.count("sec-fetch-site") > 0) {
    promise(foreign_page(request).has_value() || request.header("sec-fetch-site") == "same-origin",
            "only one's own pages are one's own");
    return;
  }
  promise(request.count("origin") > 0 || !foreign_page(request).has_value(), "no browser, no page");
  promise(foreign_page(request_of(kProxy, with(headers, "Origin", "null"))).has_value(),
          "a page without an address is foreign");
  if (request.count("origin") > 0 || request.header("host").empty()) return;
  const std::string own = "https://" + std::string(request.header("host"));
  promise(!foreign_page(request_of(kProxy, with(headers, "Origin", own))).has_value(),
          "a page of the address that was asked is one's own");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text = davit::fuzz::as_text(data, size);
  const std::string remote(davit::fuzz::cut(text, "\n"));
  std::vector<Header> headers;
  while (!text.empty()) {
    std::string_view line = davit::fuzz::cut(text, "\n");
    const std::string_view name = davit::fuzz::cut(line, ":");
    headers.push_back({name, line});
  }
  check_cookie(headers, false);
  check_cookie(headers, true);
  check_way(remote, headers, ForwardedHeader::XForwardedFor);
  check_way(remote, headers, ForwardedHeader::Forwarded);
  check_page(headers);
  return 0;
}
