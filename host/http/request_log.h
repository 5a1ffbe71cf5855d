// What the log and the metrics are told of requests: each is counted; of each that fails, each that acts, and at debug
// each at all there is a line.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "host/base/clock.h"
#include "host/base/guarded.h"
#include "host/base/log.h"
#include "host/http/audit_log.h"
#include "host/http/request.h"
#include "host/http/responder.h"
#include "host/http/slow_bucket.h"
#include "host/metrics/metrics.h"

namespace davit::http {

// What a route is called.
struct RouteName {
  std::string text;     // "POST /api/reload"
  std::string pattern;  // "/api/reload"
  bool operator<(const RouteName& other) const { return text < other.text; }
};

// Thread-safe. Metrics, log and clock outlive it, and it outlives the requests that it follows.
//
// One line for each request, by what came of it:
// - an answer of 500 or above is an error, with the reason that the sender may not be told; of a flood few are
//   written, and the next of these tells how many were not ("unlogged");
// - an act that was done is told at info, with who did it and to what;
// - the rest is told at debug, refusals with their reason. Deliveries that are taken have lines of their own.
class RequestLog {
 public:
  RequestLog(metrics::Metrics& metrics, Log& log, const Clock& clock)
      : metrics_(metrics), log_(log), clock_(clock) {}

  // How it calls a route. Lives as long as this does. Not thread-safe; for the time before there are requests.
  const RouteName& name_of(const std::string& method, const std::string& pattern) {
    return *routes_.insert({method + " " + pattern, pattern}).first;
  }

  // `route` is a name that lives as long as this does; `actor` whose token it shows, as far as known; `act`
  // null unless it is one, whose line of the audit log is ended as well. Allocates nothing where it is no act
  // and debug is off: deliveries come this way.
  void follow(Responder& responder, const Request& request, const RouteName& route, std::string_view actor,
              std::shared_ptr<Act> act);
  // Whoever should have answered has thrown instead.
  void failed(std::string_view request_id, const RouteName& route, std::string_view reason);

  static constexpr int kFailuresAtOnce = 50;  // then
  static constexpr std::chrono::seconds kFailuresEach{1};

 private:
  struct Followed {
    std::string method, path, actor;
    const RouteName& route;
    MonotonicTime began;
    std::shared_ptr<Act> act;
  };
  struct Failures {
    SlowBucket bucket;
    std::int64_t unlogged = 0;
  };
  void note_failure(const Response& response, std::string_view request_id, const RouteName& route);
  void note_answer(const Followed& asked, const Response& response, std::string_view request_id);

  metrics::Metrics& metrics_;
  Log& log_;
  const Clock& clock_;
  std::set<RouteName> routes_;
  Guarded<Failures> failures_;
};

}  // namespace davit::http
