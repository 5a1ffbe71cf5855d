// From a request to the function that answers it: exact paths, `{}` for one segment, roles, and threads.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "host/http/audit_log.h"
#include "host/http/authentication.h"
#include "host/http/client_address.h"
#include "host/http/request.h"
#include "host/http/request_log.h"
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
  Caller caller = {};                 // unless the route is public
  std::shared_ptr<Act> act = {};      // if it is one
};

// The line of the audit log for the write that does what the exchange asks for.
store::Audited audited(Exchange& exchange, std::string object = {}, std::string parameters = "{}");

// Before what is no write of the store: puts the line down (Act::begin()). False: that cannot be, it is
// answered, and nothing is to be done. For routes on a worker.
bool begun(Exchange& exchange);

enum class Access { Public, Reader, Admin };  // who may: everybody, whoever has a token, an admin

// On the I/O thread: must not block. On a worker: may read the database and wait.
enum class Thread { Io, Worker };

struct Route {
  std::string method;
  std::string pattern;  // "/api/dashboard/tasks/{}"
  Access access = Access::Reader;
  Thread thread = Thread::Worker;
  std::function<void(Exchange)> answer;
  std::string operation;  // its name in the API's description and the audit log: "approveTask"
};

// Immutable after construction; thread-safe. Answers 404, 405 (with Allow), 401, 403 and 503 by itself. HEAD
// is GET, and what a GET answers on a worker is given as its client wishes (negotiation.h). Whatever is not
// public and no GET is an act, and gets a line in the audit log. Log and metrics are told of each request (request_log.h).
class Router {
 public:
  // All but the first and the last outlive it.
  Router(std::vector<Route> routes, Authentication& authentication, AuditLog& audit, Workers& workers,
         RequestLog& request_log, TrustedProxies proxies);
  void handle(Request request, Responder responder) const;

 private:
  const std::vector<Route> routes_;
  std::vector<const RouteName*> names_;  // of each
  Authentication& authentication_;
  AuditLog& audit_;
  Workers& workers_;
  RequestLog& request_log_;
  const TrustedProxies proxies_;
};

}  // namespace davit::http
