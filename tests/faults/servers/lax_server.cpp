// The known-bad variant of the tests about HTTP: Pistache as it comes, with limits so high that there are
// none. What it is sent it keeps for ever. Usage: lax_server THREADS; prints its port, ends with its standard
// input.
#include <pistache/endpoint.h>
#include <pistache/http.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace {

using namespace Pistache;

struct Kept {
  std::mutex mutex;
  std::vector<std::string> bodies;
};

class Greedy : public Http::Handler {
 public:
  HTTP_PROTOTYPE(Greedy)
  explicit Greedy(std::shared_ptr<Kept> kept) : kept_(std::move(kept)) {}
  void onRequest(const Http::Request& request, Http::ResponseWriter response) override {
    if (request.resource() == "/healthz") {
      response.send(Http::Code::Ok, R"({"status":"alive"})");
      return;
    }
    if (request.resource() == "/metrics") {
      response.send(Http::Code::Ok, std::string(8 << 20, 'x'));
      return;
    }
    {
      std::lock_guard lock(kept_->mutex);
      kept_->bodies.push_back(request.body());
    }
    response.send(Http::Code::Ok, R"({"status":"queued"})");
  }

 private:
  std::shared_ptr<Kept> kept_;
};

}  // namespace

int main(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);
  constexpr auto kForEver = std::chrono::hours(1);
  Http::Endpoint endpoint(Address("127.0.0.1", Port(0)));
  endpoint.init(Http::Endpoint::options()
                    .threads(argc > 1 ? std::atoi(argv[1]) : 2)
                    .flags(Flags<Tcp::Options>(Tcp::Options::ReuseAddr) | Tcp::Options::NoDelay)
                    .maxRequestSize(64 << 20)
                    .maxResponseSize(64 << 20)
                    .headerTimeout(kForEver)
                    .bodyTimeout(kForEver)
                    .keepaliveTimeout(kForEver));
  endpoint.setHandler(Http::make_handler<Greedy>(std::make_shared<Kept>()));
  endpoint.serveThreaded();
  std::printf("%d\n", static_cast<int>(static_cast<uint16_t>(endpoint.getPort())));
  std::fflush(stdout);
  char byte;
  while (::read(0, &byte, 1) > 0) {
  }
  ::_exit(0);  // its own shutdown may hang on what the test did to it
}
