#include "host/http/openapi_routes.h"

#include "host/http/answers.h"
#include "host/http/openapi_document.h"

namespace davit::http {

std::vector<Route> openapi_routes() {
  return {{"GET", "/api/openapi.json", Access::Reader, Thread::Worker, without_query([](Exchange exchange) {
             Response response;
             response.body = openapi_document();
             exchange.responder.send(std::move(response));
           }),
           "getOpenApi"}};
}

}  // namespace davit::http
