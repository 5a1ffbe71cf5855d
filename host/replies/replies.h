// Tells senders who asked for it what becomes of their deliveries: a few posts to an address that came with
// the delivery, for some minutes (`reply` of abi/webhook.h).
//
//   store ── changes ──> inbox ── thread: reads what is new, notes that it is told, then posts it
//
// A post is counted and committed before it goes out, so that no restart doubles it or makes it one too many;
// what happens while the host is down is told after the next start, if it is still time. A few posts are
// under way at once, one of each delivery, so that a server that does not answer holds up few others. What
// surely did not arrive is posted once more, after what waits by then. What is not told is logged and
// counted. Nothing waits for these threads.
//
// A delivery is forgotten with its time, with its last post, or when its chains are completed and told. Of
// too many the oldest whose chains have ended, though they may be taken up again, makes room.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
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
  // Goes on with what an earlier host left. Beyond `most_pending` deliveries senders hear nothing.
  Replies(const Needs& needs, Allowed allowed, std::size_t most_pending = 1'000);
  // Ends the posts that are under way.
  ~Replies();

  // Of the store, after a commit. Any thread; never waits.
  void changed(const std::vector<store::Change>& changes);
  // From now on.
  void allow(Allowed allowed);

 private:
  using Steady = std::chrono::steady_clock;  // real time, whatever the wall clock is set to
  struct Waiting {
    store::PendingReply reply;
    bool posting = false;             // one is under way, or waits for a thread
    bool ended = false;               // nothing more is to be told unless somebody takes a task up again
    std::optional<News> again;        // did not arrive
    Steady::time_point not_before{};  // of the next post
  };
  struct Job {
    std::string delivery_id, url, body;
    WallTime until{};
    News news;
    bool again = false;
  };
  struct Posts {
    bool stopping = false;
    std::deque<Job> jobs;
  };
  struct Done {
    Job job;
    std::optional<Posted> posted;  // absent: its time was over before its turn came
  };
  struct Inbox {
    bool stopping = false;
    bool watching = true;         // there may be somebody who wants to hear of tasks
    bool everything = true;       // look at all chains: at the start, or when too much came
    std::set<std::string> asked;  // deliveries
    std::set<std::string> tasks;
    std::vector<Done> done;
    bool empty() const { return !everything && asked.empty() && tasks.empty() && done.empty(); }
  };
  struct Next {
    std::optional<News> news;
    bool ended = false;      // each chain has
    bool completed = false;  // and stays so
  };

  void run();
  void post_all();
  Inbox take();
  void take_up(const std::string& delivery_id);
  bool make_room();
  void end_post(const Done& done);
  void tell(const std::string& delivery_id);
  std::optional<Next> next(const store::PendingReply& reply);
  void start_post(Waiting& waiting, const News& news, bool again);
  bool noted(const store::PendingReply& reply);
  void forget(const std::string& delivery_id);
  void forget_expired();
  void say_expired(const store::PendingReply& reply);

  const Needs needs_;
  Guarded<Allowed> allowed_;
  Guarded<Inbox> inbox_;
  std::condition_variable changed_;
  std::atomic<bool> stop_{false};
  const std::size_t most_pending_;
  std::map<std::string, Waiting> pending_;  // by delivery; on the thread only
  Guarded<Posts> posts_;
  std::condition_variable posts_changed_;
  std::vector<std::thread> posters_;
  std::thread thread_;
};

}  // namespace davit::replies
