// Tells senders who asked for it what becomes of their deliveries: a few posts to an address that came with
// the delivery, for some minutes (`reply` of abi/webhook.h).
//
//   store ── changes ──> inbox ── thread: reads what is new, notes that it is told, then posts it
//
// A post is counted and committed before it goes out, so that no restart doubles it or makes it one too many;
// what happens while the host is down is told after the next start, if it is still time. What cannot be
// posted is logged, counted and at most tried once more. Nothing waits for this thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "host/base/clock.h"
#include "host/base/guarded.h"
#include "host/base/log.h"
#include "host/metrics/metrics.h"
#include "host/replies/news.h"
#include "host/replies/post.h"
#include "host/store/store.h"

namespace davit::replies {

class Replies {
 public:
  // All of it outlives the Replies.
  struct Needs {
    store::Store& store;
    metrics::Metrics& metrics;
    Log& log;
    const Clock& clock;
  };
  // Goes on with what an earlier host left.
  Replies(const Needs& needs, Allowed allowed);
  // Ends a post that is under way.
  ~Replies();

  // Of the store, after a commit. Any thread; never waits.
  void changed(const std::vector<store::Change>& changes);
  // From now on.
  void allow(Allowed allowed);

 private:
  struct Inbox {
    bool stopping = false;
    bool watching = true;         // there may be somebody who wants to hear of tasks
    bool everything = true;       // look at all chains: at the start, or when too much came
    std::set<std::string> asked;  // deliveries
    std::set<std::string> tasks;
    bool empty() const { return !everything && asked.empty() && tasks.empty(); }
  };

  void run();
  Inbox take();
  void take_up(const std::string& delivery_id);
  void tell(store::PendingReply& reply);
  bool tell_one(store::PendingReply& reply, const News& news);
  bool noted(const store::PendingReply& reply);
  void forget(const std::string& delivery_id);
  void forget_expired();

  const Needs needs_;
  Guarded<Allowed> allowed_;
  Guarded<Inbox> inbox_;
  std::condition_variable changed_;
  std::atomic<bool> stop_{false};
  std::map<std::string, store::PendingReply> pending_;  // by delivery; on the thread only
  std::thread thread_;
};

}  // namespace davit::replies
