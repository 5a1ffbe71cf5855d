// What an answer says about how often one may ask.
// Source: docs.github.com/rest, "Rate limits for the REST API".
#pragma once

#include <chrono>
#include <optional>

#include "http_client/http_client.h"

namespace github {

struct Limit {
  std::chrono::milliseconds wait{};  // before the next request; from 1 s to 24 h
  bool said = true;                  // false: GitHub gives no time, so this is the least
  bool of_all = true;                // false: of requests of its budget only, which is used up
};

// The limit that an answer refuses for; nullopt when it is not about a limit: a 403 mostly is about rights.
// By retry-after, else by x-ratelimit-reset when nothing remains, else a minute. A reset is a time on the
// server's clock and is compared with its Date; only without one with `now`.
std::optional<Limit> limit_in(const http::Response& answer, std::chrono::system_clock::time_point now);

// How long the budget stays empty when this answer, a good one, was its last; nullopt when it was not.
std::optional<std::chrono::milliseconds> used_up(const http::Response& answer,
                                                 std::chrono::system_clock::time_point now);

}  // namespace github
