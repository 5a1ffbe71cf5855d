#include "host/http/server.h"

#include <sys/resource.h>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <mutex>
#include <thread>
#include <vector>

#include "host/http/acceptor.h"
#include "host/http/guarded_transport.h"
#include "host/http/pistache.h"
#include "host/http/server_state.h"

namespace davit::http {
namespace {

// For runners, database and files, and for connections that no I/O thread has seen yet; of few, a fifth.
constexpr std::int64_t kMostReserved = 512;
constexpr std::int64_t kFilesAtLeast = 7;  // the database with one reader, its lock, the trail of calls
constexpr std::int64_t kFewestConnections = 4;
// What Pistache and we are about to open for each I/O thread, and for accepting.
constexpr std::int64_t kForAThread = 8;
constexpr std::int64_t kForAccepting = 4;
constexpr Duration kDrainStep{2};

struct OpenDescriptors {
  std::int64_t files = 0, others = 0;
};

OpenDescriptors open_descriptors() {
  OpenDescriptors open;
  std::error_code failure;
  std::filesystem::directory_iterator entry("/proc/self/fd", failure), end;
  for (; !failure && entry != end; entry.increment(failure)) {
    std::error_code unknown;
    entry->is_regular_file(unknown) ? ++open.files : ++open.others;
  }
  return open;
}

// While there is no descriptor left nobody can connect, and no runner or file opens; so it must not come to
// that. Connections over the limit are taken in for a moment as well, to tell them so, and need room, too.
Result<int> connections_within_descriptor_limit(int wanted, int threads, Log& log) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return wanted;
  const auto all = static_cast<std::int64_t>(limit.rlim_cur);
  const OpenDescriptors open = open_descriptors();
  // What the database has opened already for its readers, by chance more or less, is of those reserved.
  const std::int64_t taken =
      open.others + std::min(open.files, kFilesAtLeast) + threads * kForAThread + kForAccepting;
  const std::int64_t reserved = std::max(std::min(all / 5, kMostReserved), open.files - kFilesAtLeast);
  const std::int64_t usable = all - taken - reserved;
  const std::int64_t allowed = std::min(usable * 4 / 5, usable - turned_away_at_most(0));
  if (wanted <= allowed) return wanted;
  if (allowed < kFewestConnections) {
    return Error{ErrorCode::Unavailable, "the descriptor limit of " + std::to_string(all) +
                                             " leaves no room for connections; raise it with ulimit -n"};
  }
  log.warn("Connection limit lowered to what the descriptor limit allows; raise it with ulimit -n",
           {{"wanted", wanted}, {"allowed", allowed}});
  return static_cast<int>(allowed);
}

std::string in_url_form(const std::string& host) {
  return host.find(':') != std::string::npos && host.front() != '[' ? "[" + host + "]" : host;
}

}  // namespace

struct Server::Running {
  explicit Running(std::shared_ptr<ServerState> the_state)
      : state(std::move(the_state)), acceptor(state->log) {}
  const std::shared_ptr<ServerState> state;
  std::shared_ptr<Pistache::Aio::Reactor> reactor = Pistache::Aio::Reactor::create();
  Acceptor acceptor;  // gives to the reactor's threads
  std::once_flag stopped;
};

Server::Server(std::unique_ptr<Running> running) : running_(std::move(running)) {}
Server::~Server() { stop(); }

Result<std::unique_ptr<Server>> Server::start(Options options, Handler handler, Log& log,
                                              const Clock& clock) {
  if (options.threads < 1 || options.threads > 64) {
    return Error{ErrorCode::InvalidInput, "the number of I/O threads must be between 1 and 64"};
  }
  if (options.port < 0 || options.port > 65535) {
    return Error{ErrorCode::InvalidInput, "the port must be between 0 and 65535"};
  }
  options.max_connections =
      TRY(connections_within_descriptor_limit(options.max_connections, options.threads, log));
  auto place = in_url_form(options.host) + ":" + std::to_string(options.port);

  auto running = std::make_unique<Running>(
      std::make_shared<ServerState>(std::move(options), std::move(handler), log, clock));
  const Options& settings = running->state->options;
  Pistache::Address address;
  try {
    address = Pistache::Address(place);
  } catch (const std::exception&) {
    return Error{ErrorCode::InvalidInput,
                 "cannot listen on " + place + ": this is not an address and a port"};
  }
  if (const Result<> listens = running->acceptor.listen(address, settings.backlog); !listens.ok())
    return Error{ErrorCode::Unavailable, "cannot listen on " + place + ": " + listens.error().message};
  bool runs = false;
  try {
    running->reactor->init(
        Pistache::Aio::AsyncContext(static_cast<std::size_t>(settings.threads), "davit-http"));
    const auto key = running->reactor->addHandler(std::make_shared<GuardedTransport>(running->state));
    std::vector<std::shared_ptr<GuardedTransport>> io_threads;
    for (const auto& io_thread : running->reactor->handlers(key))
      io_threads.push_back(std::static_pointer_cast<GuardedTransport>(io_thread));
    runs = true;
    running->reactor->run();
    running->acceptor.start(std::move(io_threads));
  } catch (const std::exception& error) {
    if (runs) running->reactor->shutdown();  // or those that have started would never end
    return Error{ErrorCode::Unavailable,
                 std::string("the threads for connections could not be started: ") + error.what()};
  }
  return std::unique_ptr<Server>(new Server(std::move(running)));
}

int Server::port() const { return running_->acceptor.port(); }

void Server::stop_accepting() {
  running_->state->closing.store(true, std::memory_order_release);
  auto mailboxes = running_->state->mailboxes.with([](auto& all) { return all; });
  for (const auto& mailbox : mailboxes) mailbox->wake();
}

// Asked only at the end of a life, so it looks every few milliseconds instead of making each answer signal.
bool Server::drain(Duration at_most) {
  auto deadline = std::chrono::steady_clock::now() + at_most;
  while (running_->state->requests_in_flight.load(std::memory_order_acquire) != 0) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(kDrainStep);
  }
  return true;
}

void Server::stop() {
  std::call_once(running_->stopped, [&] {
    stop_accepting();
    running_->acceptor.stop();
    running_->reactor->shutdown();
    running_->reactor.reset();  // joins the I/O threads, then closes what is open
  });
}

Stats Server::stats() const {
  const ServerState& state = *running_->state;
  Stats stats;
  stats.open_connections = state.open_connections.load(std::memory_order_relaxed);
  stats.requests_in_flight = state.requests_in_flight.load(std::memory_order_relaxed);
  stats.accepted = state.accepted.load(std::memory_order_relaxed);
  stats.refused_connections = state.refused_connections.load(std::memory_order_relaxed);
  stats.requests = state.requests.load(std::memory_order_relaxed);
  stats.refused_requests = state.refused_requests.load(std::memory_order_relaxed);
  stats.timed_out = state.timed_out.load(std::memory_order_relaxed);
  stats.slow_readers = state.slow_readers.load(std::memory_order_relaxed);
  stats.late_answers = state.late_answers.load(std::memory_order_relaxed);
  return stats;
}

}  // namespace davit::http
