#include "host/http/router.h"

#include <exception>
#include <memory>

#include "host/http/answers.h"
#include "host/http/caller.h"
#include "host/http/error_response.h"

namespace davit::http {
namespace {

// Does the path fit the pattern? Segments are compared as sent: no decoding, no dot segments, no doubled
// slashes.
bool fits(std::string_view pattern, std::string_view path, std::vector<std::string>& segments) {
  segments.clear();
  while (!pattern.empty()) {
    if (pattern.substr(0, 2) == "{}") {
      std::size_t end = std::min(path.find('/'), path.size());
      if (end == 0) return false;
      segments.emplace_back(path.substr(0, end));
      path.remove_prefix(end);
      pattern.remove_prefix(2);
      continue;
    }
    if (path.empty() || path.front() != pattern.front()) return false;
    path.remove_prefix(1);
    pattern.remove_prefix(1);
  }
  return path.empty();
}

const RouteName kUnknown{"unknown", "unknown"};

Response open_problem(int status, std::string_view title, std::string_view detail,
                      std::string_view request_id) {
  Response response = problem(status, title, detail, request_id);
  response.close = false;  // the whole request was read
  return response;
}

}  // namespace

store::Audited audited(Exchange& exchange, std::string object, std::string parameters) {
  if (!exchange.act) return std::nullopt;
  exchange.act->about(std::move(object), std::move(parameters));
  return exchange.act->take();
}

bool begun(Exchange& exchange) {
  if (!exchange.act) return true;
  const Result<> down = exchange.act->begin();
  if (!down.ok()) exchange.responder.send(error_answer(down.error(), exchange.request.request_id));
  return down.ok();
}

Router::Router(std::vector<Route> routes, Authentication& authentication, AuditLog& audit, Workers& workers,
               RequestLog& request_log, TrustedProxies proxies)
    : routes_(std::move(routes)),
      authentication_(authentication),
      audit_(audit),
      workers_(workers),
      request_log_(request_log),
      proxies_(std::move(proxies)) {
  for (const Route& route : routes_) names_.push_back(&request_log_.name_of(route.method, route.pattern));
}

void Router::handle(Request request, Responder responder) const {
  std::string_view method = request.method == "HEAD" ? "GET" : request.method;
  std::vector<std::string> segments;
  const Route* route = nullptr;
  std::string allowed;
  for (const Route& candidate : routes_) {
    if (!fits(candidate.pattern, request.path, segments)) continue;
    if (candidate.method == method) {
      route = &candidate;
      break;
    }
    allowed += (allowed.empty() ? "" : ", ") + candidate.method;
    if (candidate.method == "GET") allowed += ", HEAD";
  }
  std::string id = request.request_id;
  const RouteName& name = route ? *names_[static_cast<std::size_t>(route - routes_.data())] : kUnknown;
  const auto refuse = [&](const RouteName& called, Response response, std::string_view actor = {}) {
    request_log_.follow(responder, request, called, actor, nullptr);
    responder.send(std::move(response));
  };
  if (!route) {
    if (allowed.empty()) {
      return refuse(kUnknown, open_problem(404, "", "there is nothing at this path", id));
    }
    Response response = open_problem(405, "", "this path takes " + allowed, id);
    response.headers.emplace_back("Allow", allowed);
    return refuse(kUnknown, std::move(response));
  }
  Caller caller;
  std::shared_ptr<Act> act;
  if (route->access != Access::Public) {
    std::optional<Denied> denied = identify(request, authentication_, proxies_, caller);
    if (!denied && route->access == Access::Admin && caller.role != Role::Admin) {
      denied = {.status = 403,
                .reason = "this needs a token that may act; " + caller.name + " may only read",
                .actor = caller.name,
                .way = way_of(caller),
                .worth_a_line = true};
    }
    // What it is about, also where the request is refused before anybody looks at that.
    std::string object;
    for (const std::string& segment : segments) object.append(object.empty() ? "" : "/").append(segment);
    if (denied) {
      if (denied->worth_a_line)
        audit_.denied(route->operation, request,
                      {.actor = denied->actor, .way = denied->way, .object = object, .reason = denied->reason});
      return refuse(name, denied_answer(*denied, id), denied->actor);
    }
    if (is_unsafe(request.method)) {
      act = audit_.begin(route->operation, request, caller);
      act->about(std::move(object));
    }
  }
  request_log_.follow(responder, request, name, caller.name, act);
  Exchange exchange{std::move(request), std::move(responder), std::move(segments), std::move(caller),
                    std::move(act)};
  if (route->thread == Thread::Io) return route->answer(std::move(exchange));

  if (route->method == "GET") exchange.responder.heed(wishes_of(exchange.request));
  // std::function wants something that can be copied.
  auto shared = std::make_shared<Exchange>(std::move(exchange));
  std::function<void()> job = [this, route, &name, shared] {
    std::string request_id = shared->request.request_id;
    try {
      route->answer(std::move(*shared));
    } catch (const std::exception& failure) {
      request_log_.failed(request_id, name, failure.what());
    } catch (...) {
      request_log_.failed(request_id, name, "not a std::exception");
    }
    // Whoever threw dropped the Responder, and that answers 500.
  };
  if (!workers_.run(job)) {
    Response response = open_problem(503, "", "too many requests wait for the database", id);
    response.headers.emplace_back("Retry-After", "1");
    shared->responder.send(std::move(response));
  }
}

}  // namespace davit::http
