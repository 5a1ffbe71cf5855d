// The guard around Pistache 0.0.5, whose transport has four faults that matter to us, and how each is kept
// out:
//
// - Its write queue is keyed by descriptor number and drained later: when a client leaves early, its answer
// goes to the
//   next client that gets the number. We never use that queue. All writing is done by this thread, directly,
//   to a connection found by an id that is never used twice.
// - Its handling of an event may throw ("could not find write data"), which ends the process; and one
// throwing event
//   takes the rest of its batch with it. Events of connections never reach it; what does, reaches it one at a
//   time and behind a catch.
// - Its queues drain their event descriptor after they found themselves empty, so that the wake-up for
// something pushed
//   in between is lost. For our own mail there is another protocol (mailbox.h). For new connections, which we
//   can get only through its queue, we look again by the timer: soon after each new connection, and every few
//   seconds always.
// - Its accept loop takes in more than the I/O threads can see, and spins when descriptors run out: we accept
// ourselves (acceptor.h), and the server keeps the number of connections below that (server.cpp).
//
// What is left to Pistache: the threads, their epoll loops and handing new connections to them.
#include "host/http/guarded_transport.h"

#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>

namespace davit::http {
namespace {

using Pistache::Polling::NotifyOn;
using Pistache::Polling::Tag;

constexpr std::size_t kScratchBytes = 64 * 1024;
constexpr int kRoundsPerWakeUp = 16;  // then epoll is asked again, so that nobody starves
constexpr Duration kTimerGrain{10};   // deadlines are met that much late
constexpr Duration kLookAgainAfterAccept{100};
constexpr Duration kLookAgainAlways{10'000};

}  // namespace

std::shared_ptr<Pistache::Tcp::Handler> ConnectionHandler::clone() const {
  return std::make_shared<ConnectionHandler>();
}

void ConnectionHandler::onConnection(const std::shared_ptr<Pistache::Tcp::Peer>& peer) {
  static_cast<GuardedTransport*>(transport())->adopt(peer);
}

GuardedTransport::GuardedTransport(std::shared_ptr<ServerState> server)
    : Pistache::Tcp::Transport(std::make_shared<ConnectionHandler>()) {
  worker_.server = std::move(server);
  const Options& options = worker_.server->options;
  worker_.body_limit = options.body_limit;
  const std::size_t most = room_for_large_bodies(options.incoming_limit) - RequestParser::kMaxHead;
  worker_.body_limit = [&options, most](std::string_view method, std::string_view path) {
    return std::min(most, options.body_limit ? options.body_limit(method, path) : options.default_body_limit);
  };
}

GuardedTransport::~GuardedTransport() {
  if (worker_.mailbox) worker_.mailbox->close();
  // The thread has ended; Pistache leaves the descriptors of its peers open.
  for (auto& [fd, connection] : connections_) {
    connection.reset();
    worker_.server->open_connections.fetch_sub(1, std::memory_order_relaxed);
    ::close(fd);
  }
}

std::shared_ptr<Pistache::Aio::Handler> GuardedTransport::clone() const {
  return std::make_shared<GuardedTransport>(worker_.server);
}

void GuardedTransport::registerPoller(Pistache::Polling::Epoll& poller) {
  Pistache::Tcp::Transport::registerPoller(poller);
  worker_.scratch.resize(kScratchBytes);
  worker_.mailbox = std::make_shared<Mailbox>();
  timer_ = UniqueFd(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  if (worker_.mailbox->event_fd() < 0 || !timer_.open())
    throw std::runtime_error("no descriptor for an I/O thread");
  for (int fd : {worker_.mailbox->event_fd(), timer_.number()}) {
    poller.addFd(fd, Pistache::Flags<NotifyOn>(NotifyOn::Read), Tag(static_cast<std::uint64_t>(fd)));
  }
  worker_.now = worker_.server->clock.monotonic();
  keep_time(worker_.now + kLookAgainAlways);
  worker_.server->mailboxes.with([&](auto& mailboxes) { mailboxes.push_back(worker_.mailbox); });
}

// Nothing may leave this function by an exception: Pistache's loop has no catch, the process would end.
void GuardedTransport::onReady(const Pistache::Aio::FdSet& events) {
  try {
    run_round(events);
  } catch (const std::exception& error) {
    worker_.server->log.error("I/O thread stumbled and goes on", {{"error", error.what()}});
    worker_.mailbox->call_again();
  }
}

void GuardedTransport::run_round(const Pistache::Aio::FdSet& events) {
  worker_.now = worker_.server->clock.monotonic();
  worker_.mailbox->begin_round();
  for (const auto& event : events) handle(event);
  if (worker_.server->closing.load(std::memory_order_acquire)) close_idle();
  for (int round = 0; deliver_mail() || !turns_.empty(); ++round) {
    if (round == kRoundsPerWakeUp) return worker_.mailbox->call_again();
    give_turns();
  }
}

void GuardedTransport::handle(const Pistache::Aio::FdSet::Entry& event) {
  int fd = static_cast<int>(event.getTag().value());
  auto found = connections_.find(fd);
  if (found != connections_.end()) {
    // An event that was meant for an earlier owner of the number does no harm: reading and writing are only
    // tried.
    act_on(fd, *found->second, [&](Connection& connection) {
      if (event.isHangup()) {
        connection.on_hangup();
      } else {
        connection.on_ready();
      }
    });
  } else if (fd == worker_.mailbox->event_fd()) {
    worker_.mailbox->clear_event();
  } else if (fd == timer_.number()) {
    run_timer();
  } else {
    hand_to_pistache(event.getTag());
  }
}

// One of Pistache's own queues: in our use only that of new connections ever holds anything.
void GuardedTransport::hand_to_pistache(Tag tag) {
  adopted_.clear();
  try {
    Pistache::Polling::Event event(tag);
    event.flags.setFlag(NotifyOn::Read);
    Pistache::Tcp::Transport::onReady(Pistache::Aio::FdSet({event}));
  } catch (const std::exception& error) {
    worker_.server->log.error("Connection could not be taken in", {{"error", error.what()}});
  }
  if (adopted_.empty()) return;
  new_peers_tag_ = tag;
  accepted_since_timer_ = true;
  keep_time(worker_.now + kLookAgainAfterAccept);
  // Not before: as long as these are handed out, the queue must not fill again.
  unseen_.fetch_sub(static_cast<std::int64_t>(adopted_.size()), std::memory_order_acq_rel);
  for (int fd : adopted_) {
    auto found = connections_.find(fd);
    if (found == connections_.end()) continue;
    auto open = worker_.server->open_connections.load(std::memory_order_relaxed);
    std::int64_t limit = worker_.server->options.max_connections;
    if (open > limit + turned_away_at_most(limit)) {
      count(worker_.server->refused_connections);
      drop(fd);
    } else if (open > limit || worker_.server->closing.load(std::memory_order_acquire)) {
      act_on(fd, *found->second, [](Connection& connection) { connection.turn_away(); });
    } else {
      act_on(fd, *found->second, [](Connection& connection) { connection.on_ready(); });
    }
  }
}

void GuardedTransport::take_over(const std::shared_ptr<Pistache::Tcp::Peer>& peer) {
  unseen_.fetch_add(1, std::memory_order_acq_rel);
  try {
    handleNewPeer(peer);
  } catch (...) {
    unseen_.fetch_sub(1, std::memory_order_acq_rel);
    throw;
  }
}

void GuardedTransport::adopt(const std::shared_ptr<Pistache::Tcp::Peer>& peer) {
  ConnectionAddress address{peer->fd(), peer->getID()};
  adopted_.push_back(address.fd);
  count(worker_.server->accepted);
  worker_.server->open_connections.fetch_add(1, std::memory_order_relaxed);
  connections_[address.fd] = std::make_unique<Connection>(worker_, address, peer->address().host());
}

template <typename Action>
void GuardedTransport::act_on(int fd, Connection& connection, Action&& action) {
  try {
    action(connection);
    settle(fd, connection);
  } catch (const std::exception& error) {  // out of memory, say: costs this connection, not the process
    worker_.server->log.error("Connection failed", {{"error", error.what()}});
    drop(fd);
  }
}

// Does what the connection cannot do for itself.
void GuardedTransport::settle(int fd, Connection& connection) {
  if (connection.closed()) return drop(fd);
  if (connection.wants_turn()) turns_.push_back({fd, connection.id()});
  keep_time(connection.deadline());
  bool watched = !watches_write_.empty() && watches_write_.count(fd) != 0;
  if (connection.wants_write() == watched) return;
  if (watched) {
    watches_write_.erase(fd);
    reactor()->modifyFd(key(), fd, NotifyOn::Read | NotifyOn::Shutdown, Pistache::Polling::Mode::Edge);
  } else {
    watches_write_.insert(fd);
    reactor()->modifyFd(key(), fd, NotifyOn::Read | NotifyOn::Shutdown | NotifyOn::Write,
                        Pistache::Polling::Mode::Edge);
  }
}

void GuardedTransport::drop(int fd) {
  if (connections_.erase(fd) == 0) return;
  watches_write_.erase(fd);
  worker_.server->open_connections.fetch_sub(1, std::memory_order_relaxed);
  auto found = peers.find(fd);
  if (found == peers.end()) return;
  auto peer = found->second;
  try {
    removePeer(peer);  // closes the descriptor
  } catch (const std::exception&) {
    ::close(fd);  // it was not watched yet, and removePeer stopped at that
  }
}

// False if there was none; then the next mail wakes this thread.
bool GuardedTransport::deliver_mail() {
  mail_.clear();
  if (!worker_.mailbox->take_or_sleep(mail_)) return false;
  for (Mail& mail : mail_) {
    auto found = connections_.find(mail.to.fd);
    if (found != connections_.end() && found->second->id() == mail.to.id) {
      act_on(mail.to.fd, *found->second,
             [&](Connection& connection) { connection.on_mail(std::move(mail)); });
      continue;
    }
    if (auto* start = std::get_if<StreamStart>(&mail.content)) start->stream->end();
    if (mail.content.index() <= 1) count(worker_.server->late_answers);
  }
  return true;
}

void GuardedTransport::give_turns() {
  taking_turns_.clear();
  taking_turns_.swap(turns_);
  for (const auto& address : taking_turns_) {
    auto found = connections_.find(address.fd);
    if (found == connections_.end() || found->second->id() != address.id) continue;
    act_on(address.fd, *found->second, [](Connection& connection) { connection.on_ready(); });
  }
}

// ---- time

// The timer fires for the earliest deadline that was ever asked for. Deadlines are mostly moved away again
// before they are due; then it fires once in vain and is set for what is due next. So a busy connection costs
// no timer call.
void GuardedTransport::keep_time(MonotonicTime deadline) {
  if (deadline >= timer_set_for_) return;
  timer_set_for_ = deadline;
  auto due = std::max(deadline, worker_.now) + kTimerGrain;
  auto wait = std::chrono::duration_cast<std::chrono::nanoseconds>(due - worker_.now).count();
  itimerspec when{};
  when.it_value.tv_sec = wait / 1'000'000'000;
  when.it_value.tv_nsec = wait % 1'000'000'000;
  ::timerfd_settime(timer_.number(), 0, &when, nullptr);
}

void GuardedTransport::run_timer() {
  std::uint64_t expirations = 0;
  if (::read(timer_.number(), &expirations, sizeof expirations) < 0) return;
  timer_set_for_ = MonotonicTime::max();
  bool look_soon = std::exchange(accepted_since_timer_, false);
  if (new_peers_tag_) hand_to_pistache(*new_peers_tag_);
  std::vector<ConnectionAddress> due;
  auto next = worker_.now + (look_soon ? kLookAgainAfterAccept : kLookAgainAlways);
  for (const auto& [fd, connection] : connections_) {
    if (connection->deadline() <= worker_.now) {
      due.push_back({fd, connection->id()});
    } else {
      next = std::min(next, connection->deadline());
    }
  }
  for (const auto& address : due) {
    auto found = connections_.find(address.fd);
    if (found == connections_.end() || found->second->id() != address.id) continue;
    act_on(address.fd, *found->second, [](Connection& connection) { connection.on_deadline(); });
  }
  keep_time(next);
}

void GuardedTransport::close_idle() {
  if (std::exchange(closed_idle_, true)) return;
  std::vector<int> open;
  for (const auto& entry : connections_) open.push_back(entry.first);
  for (int fd : open)
    act_on(fd, *connections_.at(fd), [](Connection& connection) { connection.on_closing(); });
}

}  // namespace davit::http

// Debian's library is not built with the sanitizer, so that the order its atomic queue and its reference
// counts give cannot be seen: a descriptor accepted by one thread and watched by the next, and a Peer
// released by both, look like races. They are not; anything of ours still is.
#ifdef __SANITIZE_THREAD__
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() {
  return "race:Pistache::Polling::Epoll::addFd\nrace:davit::http::Acceptor::take_in\n";
}
#endif
