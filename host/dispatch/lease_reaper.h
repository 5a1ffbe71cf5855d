// Keeps the leases of what runs alive, and finds those that are not.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/dispatch/post_box.h"
#include "host/isolation/loop.h"
#include "host/store/store.h"

namespace davit::dispatch {

// Confined to the loop. Asleep while nothing is held: it costs no wake-up on an idle host.
class LeaseReaper {
 public:
  struct Hooks {
    std::function<std::vector<Fence>()> held;     // what runs or waits for its result to be stored
    std::function<void(const Fence&)> lost;       // somebody else has the task
    std::function<void(const Fence&)> cancelled;  // somebody wants it to end
    std::function<void()> renewed;                // heartbeats succeed again
  };
  LeaseReaper(isolation::Loop& loop, std::shared_ptr<PostBox> box, store::Store& store, Log& log,
              Duration lease, Hooks hooks);
  ~LeaseReaper();

  // Something is held from now on: heartbeats begin with the next third of a lease, and end by themselves.
  void wake();
  // Leases that nobody renews may exist (a claim whose answer got lost): looks for them for a whole lease.
  void suspect();
  // False after a heartbeat failed: who cannot renew must not take new work.
  bool renewing() const { return renewing_; }

 private:
  void tick();
  void reap();

  isolation::Loop& loop_;
  std::shared_ptr<PostBox> box_;
  store::Store& store_;
  Log& log_;
  const Duration lease_;
  Hooks hooks_;
  isolation::Loop::TimerId timer_ = 0;
  int suspicious_ticks_ = 0;
  bool renewing_ = true;
};

}  // namespace davit::dispatch
