// From a request to the function that answers it: exact paths, `{}` for one segment, roles, and threads.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/log.h"
#include "host/http/authentication.h"
#include "host/http/request.h"
#include "host/http/responder.h"
#include "host/http/server.h"
#include "host/http/workers.h"
#include "host/metrics/metrics.h"

namespace davit::http {

// One request on its way to an answer.
struct Exchange {
  Request request;
  Responder responder;
  std::vector<std::string> segments;  // what stood for each `{}`, in order; not decoded
};

enum class Access { Public, Reader, Admin };

// On the I/O thread: must not block. On a worker: may read the database and wait.
enum class Thread { Io, Worker };

struct Route {
  std::string method;
  std::string pattern;  // "/api/dashboard/tasks/{}"
  Access access = Access::Reader;
  Thread thread = Thread::Worker;
  std::function<void(Exchange)> answer;
};

// Immutable after construction; thread-safe. Answers 404, 405 (with Allow), 401, 403 and 503 by itself. HEAD
// is GET. What a GET answers on a worker is given as its client wishes (negotiation.h).
class Router {
 public:
  Router(std::vector<Route> routes, const Authentication& authentication, Workers& workers,
         metrics::Metrics& metrics, Log& log);
  void handle(Request request, Responder responder) const;

 private:
  const std::vector<Route> routes_;
  const Authentication& authentication_;
  Workers& workers_;
  metrics::Metrics& metrics_;
  Log& log_;
};

}  // namespace davit::http
