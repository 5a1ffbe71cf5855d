// Error answers: RFC 9457 problem documents.
#pragma once

#include <string_view>

#include "host/http/response.h"

namespace davit::http {

// {"type":"about:blank","title":…,"status":…,"detail":…,"request_id":…} as application/problem+json. The
// connection closes behind it; a route that has read the whole request and wants it kept sets `close` to
// false. An empty title becomes the reason phrase. Never put text of an exception or of the request into
// `detail`.
Response problem(int status, std::string_view title, std::string_view detail, std::string_view request_id);

}  // namespace davit::http
