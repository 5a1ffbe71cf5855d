#include "host/replies/replies.h"

#include <pthread.h>

#include <algorithm>
#include <future>

namespace davit::replies {
namespace {

constexpr std::size_t kMostTasks = 10'000;  // in the inbox
constexpr int kPosters = 4;
constexpr Duration kAgainAfter{2'000};
constexpr Duration kLongestWait{5 * 60'000};  // whoever wants to be asked later is not asked again
constexpr Duration kLongestSleep{24 * 3'600'000};

}  // namespace

Replies::Replies(const Needs& needs, Allowed allowed, std::size_t most_pending)
    : needs_(needs), allowed_(std::move(allowed)), most_pending_(most_pending) {
  for (int i = 0; i < kPosters; ++i) {
    posters_.emplace_back([this] {
      pthread_setname_np(pthread_self(), "davit-posts");
      post_all();
    });
  }
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "davit-replies");
    run();
  });
}

Replies::~Replies() {
  stop_.store(true);
  inbox_.with([](Inbox& inbox) { inbox.stopping = true; });
  changed_.notify_all();
  posts_.with([](Posts& posts) { posts.stopping = true; });
  posts_changed_.notify_all();
  thread_.join();
  for (std::thread& poster : posters_) poster.join();
}

void Replies::allow(Allowed allowed) {
  allowed_.with([&](Allowed& now) { now = std::move(allowed); });
}

void Replies::changed(const std::vector<store::Change>& changes) {
  using Kind = store::Change::Kind;
  const bool news = inbox_.with([&](Inbox& inbox) {
    bool any = false;
    for (const store::Change& change : changes) {
      if (change.kind == Kind::ReplyAsked) {
        inbox.asked.insert(change.id);
        inbox.watching = any = true;
      } else if (inbox.watching && (change.kind == Kind::TaskChanged || change.kind == Kind::ApprovalAsked)) {
        inbox.everything = inbox.everything || inbox.tasks.size() >= kMostTasks;
        if (!inbox.everything) inbox.tasks.insert(change.id);
        any = true;
      }
    }
    return any;
  });
  if (news) changed_.notify_all();
}

Replies::Inbox Replies::take() {
  Duration sleep = kLongestSleep;
  const WallTime now = needs_.clock.wall();
  for (const auto& [id, waiting] : pending_) {
    if (waiting.posting) continue;  // its end wakes
    sleep = std::min(sleep, std::max(waiting.reply.until - now, Duration(0)) + Duration(1));
    if (waiting.again) {
      const auto left = std::chrono::ceil<Duration>(waiting.not_before - Steady::now());
      sleep = std::min(sleep, std::max(left, Duration(0)));
    }
  }
  return inbox_.wait_for(
      changed_, sleep, [](const Inbox& inbox) { return inbox.stopping || !inbox.empty(); },
      [&](Inbox& inbox) {
        Inbox taken = std::exchange(inbox, Inbox{inbox.stopping, inbox.watching, false, {}, {}, {}});
        if (pending_.empty() && taken.asked.empty() && !taken.everything) inbox.watching = false;
        return taken;
      });
}

void Replies::run() {
  if (auto all = needs_.store.pending_replies())
    for (store::PendingReply& reply : *all) pending_.insert_or_assign(reply.delivery_id, Waiting{reply});
  for (;;) {
    const Inbox inbox = take();
    if (inbox.stopping) return;
    for (const Done& done : inbox.done) end_post(done);
    forget_expired();
    for (const std::string& delivery : inbox.asked) take_up(delivery);
    std::set<std::string> chains, ended;
    if (!pending_.empty()) {
      for (const std::string& task : inbox.tasks)
        if (auto chain = needs_.store.chain_of(task)) chains.insert(*chain);
    }
    for (const Done& done : inbox.done) ended.insert(done.job.delivery_id);
    std::vector<std::string> concerned;
    for (const auto& [id, waiting] : pending_) {
      const std::vector<std::string>& its = waiting.reply.chains;
      const bool named = std::any_of(its.begin(), its.end(),
                                     [&](const std::string& chain) { return chains.contains(chain); });
      if (inbox.everything || named || waiting.again || inbox.asked.contains(id) || ended.contains(id))
        concerned.push_back(id);
    }
    for (const std::string& id : concerned) {
      if (stop_.load()) return;
      tell(id);
    }
  }
}

void Replies::take_up(const std::string& delivery_id) {
  auto reply = needs_.store.pending_reply(delivery_id);
  if (!reply || !*reply) return;
  if (pending_.size() < most_pending_ || make_room()) {
    pending_.insert_or_assign(delivery_id, Waiting{std::move(**reply)});
    return;
  }
  needs_.log.warn("A sender will not hear what becomes of its delivery: too many wait to",
                  {{"webhook", (*reply)->webhook}, {"delivery", delivery_id}});
  needs_.metrics.reply_ended((*reply)->webhook, "dropped");
  needs_.store.forget_reply(delivery_id, {});
}

bool Replies::make_room() {
  const std::string* oldest = nullptr;
  WallTime since = WallTime::max();
  for (const auto& [id, waiting] : pending_) {
    if (!waiting.ended || waiting.posting || waiting.reply.since >= since) continue;
    oldest = &id;
    since = waiting.reply.since;
  }
  if (oldest == nullptr) return false;
  forget(std::string(*oldest));
  return true;
}

// What there is to tell next; nothing if that cannot be read.
std::optional<Replies::Next> Replies::next(const store::PendingReply& reply) {
  if (!reply.news.empty()) return Next{News{"", reply.news}};
  Next next{.ended = true, .completed = true};
  for (const std::string& chain : reply.chains) {
    const auto tasks = needs_.store.chain_news(chain);
    if (!tasks) {
      needs_.log.warn("What there is to tell a sender could not be read",
                      {{"delivery", reply.delivery_id}, {"reason", tasks.error().message}});
      return std::nullopt;
    }
    std::vector<News> news = news_of(reply, *tasks);
    if (!news.empty()) return Next{std::move(news.front())};
    for (const store::TaskNews& task : *tasks) {
      next.completed &= task.state == TaskState::Completed;
      next.ended &= is_final(task.state) || task.state == TaskState::Parked;
    }
  }
  return next;
}

void Replies::tell(const std::string& delivery_id) {
  Waiting& waiting = pending_.at(delivery_id);
  if (waiting.posting || Steady::now() < waiting.not_before) return;
  if (waiting.reply.reply.posts <= 0) return forget(delivery_id);
  if (waiting.again) return start_post(waiting, *std::exchange(waiting.again, std::nullopt), true);
  const std::optional<Next> next = this->next(waiting.reply);
  if (!next) return;
  waiting.ended = next->ended;
  if (next->news) return start_post(waiting, *next->news, false);
  if (next->completed) forget(delivery_id);
}

void Replies::start_post(Waiting& waiting, const News& news, bool again) {
  store::PendingReply told = waiting.reply;
  told.reply.posts -= 1;
  if (news.word.empty()) {
    told.news.clear();
  } else if (!again) {
    told.told.push_back(news.word);
  }
  if (!noted(told)) return;
  waiting.reply = std::move(told);
  waiting.posting = true;
  const store::PendingReply& reply = waiting.reply;
  posts_.with([&](Posts& posts) {
    posts.jobs.push_back(
        {reply.delivery_id, reply.reply.url, body_of(reply.reply, news.sentence), reply.until, news, again});
  });
  posts_changed_.notify_one();
}

// On the threads that post.
void Replies::post_all() {
  for (;;) {
    std::optional<Job> job = posts_.wait(
        posts_changed_, [](const Posts& posts) { return posts.stopping || !posts.jobs.empty(); },
        [](Posts& posts) -> std::optional<Job> {
          if (posts.stopping) return std::nullopt;
          Job first = std::move(posts.jobs.front());
          posts.jobs.pop_front();
          return first;
        });
    if (!job) return;
    std::optional<Posted> posted;
    if (needs_.clock.wall() < job->until) {
      const Allowed allowed = allowed_.with([](const Allowed& now) { return now; });
      posted = post(job->url, job->body, allowed, stop_);
    }
    if (stop_.load()) return;
    inbox_.with([&](Inbox& inbox) { inbox.done.push_back({std::move(*job), std::move(posted)}); });
    changed_.notify_all();
  }
}

void Replies::end_post(const Done& done) {
  using Kind = Posted::Kind;
  const auto found = pending_.find(done.job.delivery_id);
  if (found == pending_.end()) return;  // taken up anew since, and done with
  Waiting& waiting = found->second;
  waiting.posting = false;
  const std::string& webhook = waiting.reply.webhook;
  if (!done.posted) return say_expired(waiting.reply);
  const Posted& posted = *done.posted;
  if (posted.kind == Kind::Sent) return needs_.metrics.reply_ended(webhook, "sent");
  needs_.metrics.reply_ended(webhook, "failed");
  needs_.log.warn("A sender could not be told what becomes of its delivery",
                  {{"webhook", webhook}, {"delivery", done.job.delivery_id}, {"reason", posted.reason}});
  if (posted.kind == Kind::Refused) waiting.reply.reply.posts = 0;
  if (posted.kind != Kind::NotTaken) return;
  // The last one is for how it ends.
  if (done.job.again || waiting.reply.reply.posts <= 1 || posted.wait > kLongestWait) return;
  waiting.again = done.job.news;
  waiting.not_before = Steady::now() + std::max(posted.wait, kAgainAfter);
}

// Committed: after that, whatever dies, it counts as told.
bool Replies::noted(const store::PendingReply& reply) {
  auto committed = std::make_shared<std::promise<Result<>>>();
  auto answer = committed->get_future();
  needs_.store.note_reply(reply, [committed](const Result<>& done) { committed->set_value(done); });
  const Result<> done = answer.get();
  if (done) return true;
  needs_.log.warn("A sender is not told what becomes of its delivery, since that cannot be noted",
                  {{"delivery", reply.delivery_id}, {"reason", done.error().message}});
  return false;
}

void Replies::forget(const std::string& delivery_id) {
  needs_.store.forget_reply(delivery_id, {});
  pending_.erase(delivery_id);
}

void Replies::forget_expired() {
  const WallTime now = needs_.clock.wall();
  std::vector<std::string> expired;
  for (const auto& [id, waiting] : pending_)
    if (!waiting.posting && (waiting.reply.until <= now || waiting.reply.reply.posts <= 0))
      expired.push_back(id);
  for (const std::string& id : expired) {
    const Waiting& waiting = pending_.at(id);
    if (waiting.reply.reply.posts > 0 && (waiting.again || next(waiting.reply).value_or(Next{}).news))
      say_expired(waiting.reply);
    forget(id);
  }
}

void Replies::say_expired(const store::PendingReply& reply) {
  needs_.metrics.reply_ended(reply.webhook, "expired");
  needs_.log.warn("A sender was not told in time what becomes of its delivery",
                  {{"webhook", reply.webhook}, {"delivery", reply.delivery_id}});
}

}  // namespace davit::replies
