// Tells browsers what changes, as it is committed: one thread between the store's writer, who only notes
// numbers and words in a ring, and as many streams as are open.
//
// The thread works in rounds, at least `pace` apart. In each it makes the text of what is new once for all
// clients that stand at the same place. A client that does not keep up is not written to until the kernel has
// taken what it got; then it gets the newest of each thing. If the ring no longer reaches back to where it
// stands, it is told to load anew. So a slow client costs a number and what was written to it last, and an
// idle one nothing but its connection. Transcript lines are read from the store, and only for tasks that
// somebody follows.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "host/base/clock.h"
#include "host/base/guarded.h"
#include "host/base/log.h"
#include "host/http/event_ring.h"
#include "host/http/responder.h"
#include "host/metrics/metrics.h"
#include "host/store/store.h"

namespace davit::http {

struct EventOptions {
  std::size_t ring = 4096;  // events that a client may miss and still go on
  Duration heartbeat{15'000};
  Duration pace{50};
  Duration pruned_rest{2'000};  // between two events of one long pruning
  Duration longest{3'600'000};  // then a stream ends, and whoever comes again shows who he is
  int max_streams = 1000;
  int max_streams_of_one = 64;  // of one owner
};

// What a client wants to hear.
struct EventWish {
  std::string owner;    // by whose right it listens: the name of a token
  std::string session;  // that of a browser which has signed in with it; empty: it shows the token itself
  // Until when it has that right, as far as is known now; nullopt: no longer. Asked on the thread of the
  // streams, at that time and with each look at all clients; must stay callable as long as the streams live.
  std::function<std::optional<WallTime>()> right_until = [] { return WallTime::max(); };
  Topics topics = kAllTopics;
  std::vector<std::string> tasks;  // whose transcript lines
  std::string last_event_id;       // empty: from now on
};

// What every stream is answered with.
Response event_stream_head();

// Thread-safe. Outlives the server whose streams it holds, and the store outlives it.
class EventStreams {
 public:
  EventStreams(const store::Store& store, metrics::Metrics& metrics, Log& log, const Clock& clock,
               EventOptions options = {});
  ~EventStreams();

  // What happened. Costs a lock that is never held over I/O, and no more while nobody listens.
  void changed(const std::vector<store::Change>& changes);
  void plugins_changed();
  // What was kept long enough was removed. Told every few seconds at most.
  void pruned();

  // Answers with a stream, or 429 or 503 beyond a limit and once stopped. Does not wait.
  void open(Responder responder, EventWish wish);
  // Ends the streams of an owner whose right has ended. Those that it opens later are others' affair.
  void close_of(std::string owner);
  // Ends those of a session that somebody has signed out.
  void close_session(std::string session);
  // Ends all streams; new ones are refused. Waits for the thread.
  void stop();
  int open_streams() const;

 private:
  struct Arrival {
    Stream stream;
    EventWish wish;
  };
  struct Shared {
    explicit Shared(std::size_t capacity) : ring(capacity) {}
    EventRing ring;
    std::vector<Arrival> arrivals;
    std::vector<std::string> revoked;     // owners
    std::vector<std::string> signed_out;  // sessions
    bool pruned = false;
    bool noticed = false;              // a stream has ended, or has room again
    bool news_wanted = false;          // the thread sleeps until something happens
    bool stopping = false;
    int open = 0;                             // streams, those that arrive included
    std::unordered_map<std::string, int> of;  // likewise, by owner
  };
  struct Client {
    Stream stream;
    EventWish wish;
    std::uint64_t told = 0;  // up to this number
    MonotonicTime beat_at{}, end_at{};
    std::vector<std::string> missed;  // tasks of which lines were left out
  };
  // The transcript of a task that somebody follows, as far as it was told.
  struct Follow {
    std::string session;
    std::int64_t after = 0;
    int followers = 0;
    bool has_news = false;
  };
  struct Work {
    std::vector<Arrival> arrivals;
    std::vector<std::string> revoked, signed_out;
    bool stopping = false;
  };
  using BudgetName = std::pair<std::string, std::string>;  // scope and key
  using Lines = std::map<std::string, std::string, std::less<>>;  // text, by task

  void notice();
  void run();
  Work wait();
  void round(Work work);
  void look_at_news();
  void join(Arrival arrival);
  void leave(const Client& client, std::string_view how);
  void end_those(std::string EventWish::*of, const std::string& whose, std::string_view how);
  void look_at_rights();
  void follow(const std::string& task_id);
  void unfollow(const std::string& task_id);
  Lines read_lines();
  void read_lines_of(const std::string& task_id, Follow& follow, std::string& out);
  bool wants(Topics topics) const;  // anybody
  void count_queue();
  void look_at_budgets(const std::vector<store::BudgetLine>& budgets);
  void add(Event told);
  void tell(Client& client, const Lines& lines);
  const std::string& text_of_news(std::uint64_t& after, Topics topics);

  const store::Store& store_;
  metrics::Metrics& metrics_;
  Log& log_;
  const Clock& clock_;
  const EventOptions options_;
  const std::string epoch_;
  Guarded<Shared> shared_;
  std::condition_variable changed_;

  // The thread's own.
  EventRing ring_;               // a copy, read without the lock
  std::uint64_t looked_at_ = 0;  // events up to this number
  std::vector<Client> clients_;
  std::map<std::string, Follow, std::less<>> follows_;
  MonotonicTime next_round_{}, next_beat_{}, next_count_{}, next_look_{};
  bool count_is_old_ = true;
  std::string queue_;  // JSON, as counted last
  // Those that are spent, as looked at last; absent: nobody has looked yet. Until `budgets_until_`, when all begin anew.
  std::optional<std::set<BudgetName>> spent_;
  WallTime budgets_until_{};
  bool pruned_ = false;  // and it is not told yet
  MonotonicTime next_pruned_{};
  // Made once in each round: the text of what is new, by where it begins and for which topics, and where it
  // ends.
  struct News {
    std::string text;
    std::uint64_t end = 0;
  };
  std::map<std::pair<std::uint64_t, Topics>, News> news_;

  std::thread thread_;
};

}  // namespace davit::http
