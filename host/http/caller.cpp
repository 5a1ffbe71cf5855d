#include "host/http/caller.h"

#include <strings.h>

#include <algorithm>

#include "host/base/crypto.h"
#include "host/http/error_response.h"

namespace davit::http {
namespace {

constexpr std::string_view kCsrfHeader = "x-csrf-token";

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// What stands behind "Bearer", or an empty view.
std::string_view bearer(std::string_view authorization) {
  constexpr std::string_view kScheme = "Bearer ";
  if (authorization.size() <= kScheme.size() ||
      strncasecmp(authorization.data(), kScheme.data(), kScheme.size()) != 0) {
    return {};
  }
  authorization.remove_prefix(kScheme.size());
  while (!authorization.empty() && authorization.front() == ' ') authorization.remove_prefix(1);
  return authorization;
}

// Is it the address that the browser has asked? A proxy may have left out the port.
bool is_authority(std::string_view origin, std::string_view host) {
  const std::size_t scheme = origin.find("://");
  if (scheme == std::string_view::npos || host.empty()) return false;
  std::string_view authority = origin.substr(scheme + 3);
  if (same_name(authority, host)) return true;
  const bool host_has_port = host.rfind(':') != std::string_view::npos && host.back() != ']';
  if (host_has_port) return false;
  const std::size_t port = authority.rfind(':');
  return port != std::string_view::npos && same_name(authority.substr(0, port), host);
}

Denied wrong_token(std::chrono::nanoseconds wait) {
  Denied denied{
      .reason = "davit does not know this token", .way = "token", .worth_a_line = true, .wait = wait};
  if (wait.count() == 0) return denied;
  denied.status = 429;
  denied.reason = "too many requests with a wrong token came from this address; mend the token, a right one is taken at once";
  return denied;
}

}  // namespace

std::string_view way_of(const Caller& caller) { return caller.session.empty() ? "token" : "session"; }

bool is_unsafe(std::string_view method) { return method != "GET" && method != "HEAD"; }

std::string_view session_cookie_name(bool https) { return https ? "__Host-davit_session" : "davit_session"; }

std::string_view session_cookie(const Request& request, bool https) {
  const std::string_view name = session_cookie_name(https);
  std::string_view secret;
  int found = 0;
  for (const Header& header : request.headers) {
    if (!same_name(header.name, "cookie")) continue;
    std::string_view rest = header.value;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find(';'), rest.size());
      const std::string_view pair = trimmed(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
      const std::size_t equals = pair.find('=');
      if (equals == std::string_view::npos || pair.substr(0, equals) != name) continue;
      secret = pair.substr(equals + 1);
      ++found;
    }
  }
  return found == 1 ? secret : std::string_view();
}

std::string set_session_cookie(std::string_view secret, bool https, Duration lifetime) {
  std::string cookie(session_cookie_name(https));
  cookie += '=';
  cookie += secret;
  cookie += "; Path=/; HttpOnly; SameSite=Strict; Max-Age=";
  cookie += secret.empty() ? "0" : std::to_string(lifetime.count() / 1000);
  if (https) cookie += "; Secure";
  return cookie;
}

std::optional<std::string> foreign_page(const Request& request) {
  if (request.count("sec-fetch-site") > 0) {
    if (request.count("sec-fetch-site") == 1 && request.header("sec-fetch-site") == "same-origin")
      return std::nullopt;
    return "the request comes from a page of another site";
  }
  if (request.count("origin") == 0) return std::nullopt;
  if (request.count("origin") == 1 && is_authority(request.header("origin"), request.header("host")))
    return std::nullopt;
  return "the request comes from a page of another site";
}

std::optional<Denied> identify(const Request& request, Authentication& authentication,
                               const TrustedProxies& proxies, Caller& caller) {
  if (const std::size_t count = request.count("authorization"); count > 0) {
    const std::string_view token = count == 1 ? bearer(request.header("authorization")) : std::string_view();
    std::optional<Caller> holder = authentication.by_token(token);
    if (!holder) return wrong_token(authentication.wrong_token_from(client_address(request, proxies)));
    caller = std::move(*holder);
    return std::nullopt;
  }
  const std::string_view secret = session_cookie(request, is_https(request, proxies));
  std::optional<Caller> holder = secret.empty() ? std::nullopt : authentication.by_session(secret);
  if (!holder) return Denied{401, "send a token (Authorization: Bearer <token>), or sign in"};
  if (is_unsafe(request.method)) {
    if (auto foreign = foreign_page(request)) return Denied{403, *foreign, holder->name, "session", true};
    if (request.count(kCsrfHeader) != 1 ||
        !constant_time_equal(request.header(kCsrfHeader), csrf_token(secret))) {
      return Denied{403,
                    "a session acts with the csrf_token of GET /api/session in the header X-CSRF-Token only",
                    holder->name, "session", true};
    }
  }
  caller = std::move(*holder);
  return std::nullopt;
}

Response denied_answer(const Denied& denied, std::string_view request_id) {
  Response response = problem(denied.status, "", denied.reason, request_id);
  response.close = false;  // the whole request was read
  if (denied.status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"davit\"");
  if (denied.status == 429) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(denied.wait).count();
    response.headers.emplace_back("Retry-After", std::to_string(seconds));
  }
  return response;
}

}  // namespace davit::http
