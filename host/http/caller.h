// Who a request is from, and whether it may ask for what it asks for.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "host/http/authentication.h"
#include "host/http/client_address.h"
#include "host/http/request.h"
#include "host/http/response.h"

namespace davit::http {

// Does a request with this method act? HEAD and GET only look.
bool is_unsafe(std::string_view method);

// The cookie of a session. Behind https it has the prefix by which browsers keep pages of other hosts from
// setting it.
std::string_view session_cookie_name(bool https);
// Its secret, or an empty view. Of two of that name none is believed.
std::string_view session_cookie(const Request& request, bool https);
// A value of Set-Cookie; without a secret the cookie goes.
std::string set_session_cookie(std::string_view secret, bool https, Duration lifetime);

// Nullopt if the page that a browser sends this request from is one of davit's own, or if it is no browser;
// else what is wrong. Sec-Fetch-Site decides where the browser sends it, Origin otherwise.
std::optional<std::string> foreign_page(const Request& request);

// By what a caller shows who he is, for the audit log.
std::string_view way_of(const Caller& caller);

// Why somebody may not.
struct Denied {
  int status = 401;  // 401: nobody knows who he is; 403: he is known, or his browser is; 429: he is to wait
  std::string reason;
  std::string actor = {};     // as far as he is known
  std::string_view way = {};  // by which he comes: "token" or "session"; empty: by none
  bool worth_a_line = false;  // for the audit log: not what every browser does whose session is over
  std::chrono::nanoseconds wait{0};  // with 429
};

// A bearer token counts alone where there is one; a wrong one is counted for its address. A session that acts has to
// show its CSRF token, from a page of davit's own. `caller` is set if nothing is returned.
std::optional<Denied> identify(const Request& request, Authentication& authentication,
                               const TrustedProxies& proxies, Caller& caller);

// The answer to whoever may not; the connection stays open.
Response denied_answer(const Denied& denied, std::string_view request_id);

}  // namespace davit::http
