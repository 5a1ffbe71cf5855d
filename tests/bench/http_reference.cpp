// What the HTTP layer costs without what lies behind it: http_reference guarded|stock READY_FD
//   guarded  our server in front of a handler that answers a fixed JSON
//   stock    Pistache's own endpoint doing the same
// Serves until SIGTERM.
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "host/http/server.h"

#pragma push_macro("TRY")
#undef TRY
#include <pistache/endpoint.h>
#include <pistache/http.h>
#undef TRY
#pragma pop_macro("TRY")

namespace {

constexpr const char* kAnswer = R"({"status":"queued","task_id":"01900d4e-0000-7000-8000-000000000000"})";

void say_ready(int fd, int port) {
  const std::string line = "ready " + std::to_string(port) + "\n";
  if (::write(fd, line.data(), line.size()) < 0) std::exit(1);
  ::close(fd);
}

void wait_for_end() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  int signal = 0;
  sigwait(&signals, &signal);
}

class FixedAnswer : public Pistache::Http::Handler {
 public:
  HTTP_PROTOTYPE(FixedAnswer)
  void onRequest(const Pistache::Http::Request&, Pistache::Http::ResponseWriter response) override {
    response.send(Pistache::Http::Code::Accepted, kAnswer, MIME(Application, Json));
  }
};

int serve_guarded(int ready) {
  auto log = davit::Log::silent();
  davit::SystemClock clock;
  auto server = davit::http::Server::start(
      {},
      [](davit::http::Request, davit::http::Responder responder) {
        davit::http::Response response;
        response.status = 202;
        response.body = kAnswer;
        responder.send(std::move(response));
      },
      *log, clock);
  if (!server) return 1;
  say_ready(ready, (*server)->port());
  wait_for_end();
  return 0;
}

int serve_stock(int ready) {
  using namespace Pistache;
  Http::Endpoint endpoint(Address("127.0.0.1:0"));
  endpoint.init(Http::Endpoint::options().threads(2).maxRequestSize(1 << 20).flags(
      Flags<Tcp::Options>(Tcp::Options::ReuseAddr) | Tcp::Options::NoDelay | Tcp::Options::CloseOnExec));
  endpoint.setHandler(std::make_shared<FixedAnswer>());
  endpoint.serveThreaded();
  say_ready(ready, static_cast<std::uint16_t>(endpoint.getPort()));
  wait_for_end();
  endpoint.shutdown();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigprocmask(SIG_BLOCK, &signals, nullptr);  // inherited by all threads
  if (argc != 3) return 2;
  return std::string(argv[1]) == "guarded" ? serve_guarded(std::atoi(argv[2]))
                                           : serve_stock(std::atoi(argv[2]));
}
