#include "host/http/event_streams.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "host/base/crypto.h"
#include "host/base/json.h"
#include "host/http/answers.h"
#include "host/http/event_text.h"

namespace davit::http {
namespace {

constexpr std::size_t kEventsAtOnce = 128;     // about 32 KiB of text
constexpr std::size_t kKeepsUp = 16 << 10;     // bytes that wait for the kernel: with more a client is behind
constexpr std::size_t kMostUnsent = 64 << 10;  // with more it gets no lines, which are the longest of all
constexpr int kLinesAtOnce = 100;              // of one transcript
constexpr std::size_t kLineBytesAtOnce = 64 << 10;  // likewise
constexpr int kCountShare = 10;  // counting the queue takes no more than a tenth of the thread
constexpr int kBeatShare = 10;   // a heartbeat may come so much of its time early
constexpr Duration kForEver{3'600'000};

constexpr Topics kTopicsThatCount = only(Topic::Task) | only(Topic::Queue);
constexpr Topics kTopicsOfCounts = only(Topic::Queue) | only(Topic::Budget);

std::string counts_of(const store::QueueReport& report) {
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  for (const TaskState state :
       {TaskState::Queued, TaskState::Running, TaskState::AwaitingApproval, TaskState::Parked}) {
    std::int64_t count = 0;
    for (const store::QueueDepth& depth : report.depths)
      if (depth.state == state) count += depth.count;
    write_member(writer, to_string(state), count);
  }
  writer.EndObject();
  return std::string(text_of(buffer));
}

}  // namespace

Response event_stream_head() {
  Response head;
  head.content_type = "text/event-stream";
  head.headers = {{"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}};
  return head;
}

EventStreams::EventStreams(const store::Store& store, metrics::Metrics& metrics, Log& log, const Clock& clock,
                           EventOptions options)
    : store_(store),
      metrics_(metrics),
      log_(log),
      clock_(clock),
      options_(options),
      epoch_(to_hex(random_bytes(6))),
      shared_(Shared(options.ring)),
      ring_(options.ring) {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "davit-events");
    run();
  });
}

EventStreams::~EventStreams() { stop(); }

// ---- from other threads

void EventStreams::changed(const std::vector<store::Change>& changes) {
  using Kind = store::Change::Kind;
  const bool wake = shared_.with([&](Shared& shared) {
    const auto add = [&](Topic topic, const store::Change& change, std::optional<TaskState> state) {
      Event& event = shared.ring.add();
      event.topic = topic;
      event.id = change.id;
      event.agent = change.agent;
      event.state = state;
      event.session = topic == Topic::Execution ? std::string_view(change.session) : std::string_view();
      event.scope.clear();
      event.resumes_at.reset();
    };
    for (const store::Change& change : changes) {
      switch (change.kind) {
        case Kind::TaskQueued:
        case Kind::TaskChanged:
        case Kind::CancelRequested:
          add(Topic::Task, change, change.state);
          if (!change.session.empty()) add(Topic::Execution, change, change.state);
          break;
        case Kind::ApprovalAsked:
          add(Topic::Task, change, TaskState::AwaitingApproval);
          break;
        case Kind::ExecutionChanged:
          add(Topic::Execution, change, TaskState::Running);
          break;
        case Kind::DeliveryStored:
        case Kind::DeliveriesRefused:
          add(Topic::Delivery, change, std::nullopt);
          break;
        case Kind::HoldChanged:
          add(Topic::Queue, {}, std::nullopt);
          break;
        case Kind::ReplyAsked:
          break;
      }
    }
    return std::exchange(shared.news_wanted, false);
  });
  if (wake) changed_.notify_one();
}

void EventStreams::plugins_changed() {
  const bool wake = shared_.with([](Shared& shared) {
    Event& event = shared.ring.add();
    event = {.number = event.number, .topic = Topic::Plugin};
    return std::exchange(shared.news_wanted, false);
  });
  if (wake) changed_.notify_one();
}

void EventStreams::pruned() {
  const bool wake = shared_.with([](Shared& shared) {
    shared.pruned = true;
    return std::exchange(shared.news_wanted, false);
  });
  if (wake) changed_.notify_one();
}

void EventStreams::open(Responder responder, EventWish wish) {
  const Result<> room = shared_.with([&](Shared& shared) -> Result<> {
    if (shared.stopping) return Error{ErrorCode::Unavailable, "davit stops"};
    if (shared.open >= options_.max_streams)
      return Error{ErrorCode::Overloaded, "as many streams are open as may be (server.max_event_streams)"};
    int& of_owner = shared.of[wish.owner];
    if (of_owner >= options_.max_streams_of_one)
      return Error{ErrorCode::RateLimited,
                   "as many streams are open by this token as may be (server.max_event_streams_per_token)"};
    ++of_owner;
    ++shared.open;
    return {};
  });
  if (!room.ok()) {
    metrics_.event_stream_ended("refused");
    Response refusal = error_answer(room.error(), responder.request_id());
    if (refusal.status == 429) refusal.headers.emplace_back("Retry-After", "5");
    return responder.send(std::move(refusal));
  }
  Stream stream = responder.start_stream(event_stream_head(), [this] { notice(); });
  shared_.with([&](Shared& shared) { shared.arrivals.push_back({std::move(stream), std::move(wish)}); });
  changed_.notify_one();
}

void EventStreams::notice() {
  shared_.with([](Shared& shared) { shared.noticed = true; });
  changed_.notify_one();
}

void EventStreams::close_of(std::string owner) {
  shared_.with([&](Shared& shared) { shared.revoked.push_back(std::move(owner)); });
  changed_.notify_one();
}

void EventStreams::close_session(std::string session) {
  shared_.with([&](Shared& shared) { shared.signed_out.push_back(std::move(session)); });
  changed_.notify_one();
}

void EventStreams::stop() {
  shared_.with([](Shared& shared) { shared.stopping = true; });
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

int EventStreams::open_streams() const {
  return shared_.with([](const Shared& shared) { return shared.open; });
}

// ---- the thread

void EventStreams::run() {
  for (;;) {
    Work work = wait();
    if (work.stopping) break;  // what had arrived goes with it
    round(std::move(work));
  }
  for (const Client& client : clients_) leave(client, "stopped");
  clients_.clear();
}

// Until the pause after the round before is over, and there is something to do.
EventStreams::Work EventStreams::wait() {
  const auto left_until = [&](MonotonicTime then) {
    return std::clamp(std::chrono::ceil<Duration>(then - clock_.monotonic()), Duration{0}, kForEver);
  };
  shared_.wait_for(
      changed_, left_until(next_round_), [](const Shared& shared) { return shared.stopping; },
      [](const Shared&) {});

  Duration patience = clients_.empty() ? kForEver : left_until(std::min(next_beat_, next_look_));
  if (!clients_.empty() && count_is_old_) patience = std::min(patience, left_until(next_count_));
  for (const auto& [task, follow] : follows_)
    if (follow.has_news) patience = Duration{0};
  if (!clients_.empty() && pruned_) patience = std::min(patience, left_until(next_pruned_));
  if (spent_ && !count_is_old_ && wants(kTopicsOfCounts))
    patience = std::min(patience, std::max(budgets_until_ - clock_.wall(), Duration{0}));
  const auto ready = [&](Shared& shared) {
    const bool something = shared.stopping || shared.noticed || !shared.arrivals.empty() ||
                           !shared.revoked.empty() || !shared.signed_out.empty() ||
                           (!clients_.empty() && (shared.pruned || shared.ring.newest() != ring_.newest()));
    shared.news_wanted = !something && !clients_.empty();
    return something;
  };
  return shared_.wait_for(changed_, patience, ready, [&](Shared& shared) {
    Work work;
    work.stopping = shared.stopping;
    work.arrivals.swap(shared.arrivals);
    work.revoked.swap(shared.revoked);
    work.signed_out.swap(shared.signed_out);
    shared.noticed = shared.news_wanted = false;
    pruned_ = std::exchange(shared.pruned, false) || pruned_;
    if (!clients_.empty() || !work.arrivals.empty()) ring_.follow(shared.ring);
    return work;
  });
}

void EventStreams::round(Work work) {
  const MonotonicTime now = clock_.monotonic();
  news_.clear();
  if (clients_.empty()) looked_at_ = ring_.newest();  // nobody was told, so nothing is followed
  look_at_news();
  for (Arrival& arrival : work.arrivals) join(std::move(arrival));
  for (const std::string& owner : work.revoked) end_those(&EventWish::owner, owner, "revoked");
  for (const std::string& session : work.signed_out) end_those(&EventWish::session, session, "signed_out");
  if (!work.arrivals.empty() || now >= next_look_) look_at_rights();
  if (clients_.empty()) return;
  if (pruned_ && now >= next_pruned_) {
    pruned_ = false;
    next_pruned_ = now + options_.pruned_rest;
    add({.topic = Topic::Pruned});
  }
  if (spent_ && clock_.wall() >= budgets_until_) count_is_old_ = true;
  if (count_is_old_ && now >= next_count_) count_queue();
  const Lines lines = read_lines();
  next_beat_ = MonotonicTime::max();
  std::erase_if(clients_, [&](Client& client) {
    if (client.stream.open()) tell(client, lines);
    if (client.stream.open() && now >= client.end_at) {
      client.stream.close();
      leave(client, "renewed");
      return true;
    }
    if (client.stream.open()) {
      next_beat_ = std::min({next_beat_, client.beat_at, client.end_at});
      return false;
    }
    leave(client, client.stream.was_too_slow() ? "slow" : "left");
    return true;
  });
  next_round_ = clock_.monotonic() + options_.pace;
}

// One look at all of them, with the pace of heartbeats, or earlier if a right is known to end: so no client
// has a timer, a right that has ended in any way is seen, and a clock that somebody sets is noticed.
void EventStreams::look_at_rights() {
  const WallTime now = clock_.wall();
  WallTime next = now + options_.heartbeat;
  std::erase_if(clients_, [&](Client& client) {
    const std::optional<WallTime> until = client.wish.right_until();
    if (!until || *until <= now) {
      leave(client, "expired");
      return true;
    }
    next = std::min(next, *until);
    return false;
  });
  next_look_ = clock_.monotonic() + (next - now);
}

// What the new events mean for the counts and for transcripts that somebody follows.
void EventStreams::look_at_news() {
  if (!ring_.reaches(looked_at_)) {
    for (auto& [task, follow] : follows_) follow.has_news = true;
    count_is_old_ = true;
    looked_at_ = ring_.newest();
  }
  for (; looked_at_ < ring_.newest(); ++looked_at_) {
    const Event& event = ring_.at(looked_at_ + 1);
    if ((kTopicsThatCount & only(event.topic)) != 0) count_is_old_ = true;
    if (event.topic != Topic::Task && event.topic != Topic::Execution) continue;
    if (const auto found = follows_.find(event.id); found != follows_.end()) found->second.has_news = true;
  }
}

void EventStreams::join(Arrival arrival) {
  Client client{std::move(arrival.stream), std::move(arrival.wish), ring_.newest(), {}, {}, {}};
  for (const std::string& task : client.wish.tasks) follow(task);
  const std::string& last = client.wish.last_event_id;
  const std::optional<std::uint64_t> told = number_of(epoch_, last);
  const bool resumes = told && ring_.reaches(*told);
  if (resumes) client.told = *told;
  std::string text;
  if (resumes || last.empty()) {
    append_hello(text, epoch_, client.told, resumes);
  } else {
    append_reset(text, epoch_, client.told);
    metrics_.events_sent("reset", 1);
  }
  client.stream.write(std::move(text));
  client.beat_at = clock_.monotonic() + options_.heartbeat;
  client.end_at = clock_.monotonic() + options_.longest;
  count_is_old_ = true;  // while nobody listened nobody counted
  clients_.push_back(std::move(client));
}

void EventStreams::end_those(std::string EventWish::*of, const std::string& whose, std::string_view how) {
  std::erase_if(clients_, [&](const Client& client) {
    if (client.wish.*of != whose) return false;
    leave(client, how);
    return true;
  });
}

void EventStreams::leave(const Client& client, std::string_view how) {
  for (const std::string& task : client.wish.tasks) unfollow(task);
  shared_.with([&](Shared& shared) {
    --shared.open;
    if (const auto found = shared.of.find(client.wish.owner); --found->second == 0) shared.of.erase(found);
  });
  metrics_.event_stream_ended(how);
}

// From the line on that is the newest now: the client reads those before it when it has been greeted.
void EventStreams::follow(const std::string& task_id) {
  Follow& follow = follows_[task_id];
  if (++follow.followers > 1) return;
  const auto task = store_.task(task_id);
  if (!task.ok() || task->executions.empty()) return;
  follow.session = task->executions.back().session_id;
  const auto lines = store_.transcript(follow.session, 1);
  if (lines.ok() && !lines->empty()) follow.after = lines->back().number;
}

void EventStreams::unfollow(const std::string& task_id) {
  const auto found = follows_.find(task_id);
  if (found != follows_.end() && --found->second.followers == 0) follows_.erase(found);
}

EventStreams::Lines EventStreams::read_lines() {
  Lines lines;
  for (auto& [task_id, follow] : follows_) {
    if (!std::exchange(follow.has_news, false)) continue;
    std::string text;
    read_lines_of(task_id, follow, text);
    if (!text.empty()) lines.emplace(task_id, std::move(text));
  }
  return lines;
}

// Of the execution it was told of last, and then of the newest one.
void EventStreams::read_lines_of(const std::string& task_id, Follow& follow, std::string& out) {
  const auto read = [&] {
    if (follow.session.empty()) return;
    const auto lines = store_.transcript(follow.session, kLinesAtOnce, {.after = follow.after, .before = {}});
    if (!lines.ok()) return;
    std::size_t count = 0;
    for (const store::TranscriptLine& line : *lines) {
      if (out.size() > kLineBytesAtOnce) break;
      append_line(out, task_id, follow.session, line);
      follow.after = line.number;
      ++count;
    }
    metrics_.events_sent("log", count);
    follow.has_news = count == static_cast<std::size_t>(kLinesAtOnce) || count < lines->size();
  };
  const auto task = store_.task(task_id);
  read();
  if (follow.has_news || !task.ok() || task->executions.empty()) return;
  if (std::string newest = task->executions.back().session_id; newest != follow.session) {
    follow.session = std::move(newest);
    follow.after = 0;
    read();
  }
}

bool EventStreams::wants(Topics topics) const {
  return std::any_of(clients_.begin(), clients_.end(),
                     [&](const Client& client) { return (client.wish.topics & topics) != 0; });
}

void EventStreams::count_queue() {
  count_is_old_ = false;
  if (!wants(kTopicsOfCounts)) return;
  const MonotonicTime began = clock_.monotonic();
  const auto report = store_.queue();
  const MonotonicTime ended = clock_.monotonic();
  next_count_ = ended + kCountShare * (ended - began);
  if (!report.ok()) {
    count_is_old_ = true;
    next_count_ = ended + options_.heartbeat;
    log_.warn("The queue could not be counted for those who watch it", {{"reason", report.error().message}});
    return;
  }
  if (std::string counted = counts_of(*report); counted != queue_) {
    queue_ = std::move(counted);
    add({.topic = Topic::Queue});
    // Only the counting itself is sure to be looked at already.
    if (looked_at_ + 1 == ring_.newest()) looked_at_ = ring_.newest();
  }
  look_at_budgets(report->budgets);
}

// Tells of those that have turned since they were looked at, also while nobody listened.
void EventStreams::look_at_budgets(const std::vector<store::BudgetLine>& budgets) {
  const WallTime now = clock_.wall();
  std::set<BudgetName> spent;
  for (const store::BudgetLine& line : budgets) {
    if (!line.resumes_at) continue;
    spent.emplace(line.scope, line.key);
    if (spent_ && !spent_->contains({line.scope, line.key}))
      add({.topic = Topic::Budget, .id = line.key, .scope = line.scope, .resumes_at = line.resumes_at});
  }
  if (spent_) {
    for (const auto& [scope, key] : *spent_)
      if (!spent.contains({scope, key})) add({.topic = Topic::Budget, .id = key, .scope = scope});
    if (now >= budgets_until_ && !budgets.empty()) add({.topic = Topic::Budget});
  }
  spent_ = std::move(spent);
  budgets_until_ = std::chrono::floor<std::chrono::days>(now) + std::chrono::days(1);
}

void EventStreams::add(Event told) {
  shared_.with([&](Shared& shared) {
    Event& event = shared.ring.add();
    told.number = event.number;
    event = std::move(told);
    ring_.follow(shared.ring);
  });
}

const std::string& EventStreams::text_of_news(std::uint64_t& after, Topics topics) {
  const auto [found, is_new] = news_.try_emplace({after, topics});
  News& news = found->second;
  if (is_new) {
    news.end = after;
    std::size_t of_topic[kTopics] = {};
    for (const Event* event : ring_.news(news.end, topics, kEventsAtOnce)) {
      append_event(news.text, epoch_, *event, queue_.empty() ? "{}" : queue_);
      ++of_topic[static_cast<std::size_t>(event->topic)];
    }
    for (int topic = 0; topic < kTopics; ++topic)
      metrics_.events_sent(to_string(static_cast<Topic>(topic)), of_topic[topic]);
  }
  after = news.end;
  return news.text;
}

void EventStreams::tell(Client& client, const Lines& lines) {
  const MonotonicTime now = clock_.monotonic();
  const auto write = [&](std::string text) {
    client.stream.write(std::move(text));
    client.beat_at = now + options_.heartbeat;
  };
  const bool behind = client.stream.unsent_bytes() > kKeepsUp && client.stream.await_drained();
  for (const std::string& task : client.wish.tasks) {
    if (behind && lines.contains(task) &&
        std::find(client.missed.begin(), client.missed.end(), task) == client.missed.end())
      client.missed.push_back(task);
  }
  if (behind) {
    client.beat_at = now + options_.heartbeat;  // what it has not taken yet says enough
    return;
  }

  if (!ring_.reaches(client.told)) {
    client.told = ring_.newest();
    client.missed.clear();
    std::string text;
    append_reset(text, epoch_, client.told);
    metrics_.events_sent("reset", 1);
    return write(std::move(text));
  }
  if (client.told != ring_.newest()) {
    if (const std::string& text = text_of_news(client.told, client.wish.topics); !text.empty()) write(text);
  }
  for (const std::string& task : std::exchange(client.missed, {})) {
    std::string text;
    append_missed_lines(text, task, follows_[task].session);
    write(std::move(text));
  }
  for (const std::string& task : client.wish.tasks) {
    const auto found = lines.find(task);
    if (found == lines.end()) continue;
    if (client.stream.unsent_bytes() > kMostUnsent) {
      client.missed.push_back(task);
    } else {
      write(found->second);
    }
  }
  // The rest when this is with the kernel.
  if ((client.told != ring_.newest() || !client.missed.empty()) && !client.stream.await_drained()) notice();
  // Those that are due soon go along, so that many clients are not as many reasons to wake up.
  if (client.beat_at <= now + options_.heartbeat / kBeatShare) {
    std::string text;
    append_heartbeat(text, epoch_, client.told);
    write(std::move(text));
  }
}

}  // namespace davit::http
