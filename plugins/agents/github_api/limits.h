// What an answer says about how often one may ask.
// Source: docs.github.com/rest, "Rate limits for the REST API".
#pragma once

#include <chrono>
#include <optional>

#include "http_client/http_client.h"

namespace github {

// How long to wait before the next request; nullopt when the answer is not about a limit: a 403 mostly is
// about rights. By retry-after, else by x-ratelimit-reset when nothing remains, else a minute. A reset is a
// time on the server's clock and is compared with its Date; only without one with `now`. From 1 s to 24 h.
std::optional<std::chrono::milliseconds> wait_after(const http::Response& answer,
                                                    std::chrono::system_clock::time_point now);

}  // namespace github
