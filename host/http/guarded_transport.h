// Our half of a Pistache I/O thread, and the only file that knows Pistache's transport.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "host/base/file.h"
#include "host/http/connection.h"
#include "host/http/pistache.h"

namespace davit::http {

// Tells the transport of new connections. All else of Pistache's handler is bypassed.
class ConnectionHandler final : public Pistache::Tcp::Handler {
 public:
  std::shared_ptr<Pistache::Tcp::Handler> clone() const override;
  void onConnection(const std::shared_ptr<Pistache::Tcp::Peer>& peer) override;
  void onInput(const char*, std::size_t, const std::shared_ptr<Pistache::Tcp::Peer>&) override {}
};

// One per I/O thread, made by clone() on the thread that starts the server; confined to its I/O thread from
// the first event on. Destroyed when that thread has ended.
class GuardedTransport final : public Pistache::Tcp::Transport {
 public:
  explicit GuardedTransport(std::shared_ptr<ServerState> server);
  ~GuardedTransport() override;

  std::shared_ptr<Pistache::Aio::Handler> clone() const override;
  void registerPoller(Pistache::Polling::Epoll& poller) override;
  void onReady(const Pistache::Aio::FdSet& events) override;

  // A new connection, which the I/O thread will see. By the accepting thread; may throw, and then did not take it.
  void take_over(const std::shared_ptr<Pistache::Tcp::Peer>& peer);
  // Connections that the I/O thread has not seen yet. Any thread.
  std::int64_t unseen() const { return unseen_.load(std::memory_order_acquire); }

  // From ConnectionHandler, within onReady.
  void adopt(const std::shared_ptr<Pistache::Tcp::Peer>& peer);

 private:
  void run_round(const Pistache::Aio::FdSet& events);
  void handle(const Pistache::Aio::FdSet::Entry& event);
  void hand_to_pistache(Pistache::Polling::Tag tag);
  bool deliver_mail();
  void give_turns();
  void run_timer();
  void keep_time(MonotonicTime deadline);
  void close_idle();
  template <typename Action>
  void act_on(int fd, Connection& connection, Action&& action);
  void settle(int fd, Connection& connection);
  void drop(int fd);

  Worker worker_;
  std::atomic<std::int64_t> unseen_{0};
  UniqueFd timer_;
  MonotonicTime timer_set_for_ = MonotonicTime::max();
  std::unordered_map<int, std::unique_ptr<Connection>> connections_;
  std::unordered_set<int> watches_write_;  // descriptors whose writability is watched
  std::vector<int> adopted_;               // new in this event
  std::vector<ConnectionAddress> turns_;   // connections that asked for a turn
  std::vector<ConnectionAddress> taking_turns_;
  std::vector<Mail> mail_;
  std::optional<Pistache::Polling::Tag> new_peers_tag_;
  bool accepted_since_timer_ = false;
  bool closed_idle_ = false;
};

}  // namespace davit::http
