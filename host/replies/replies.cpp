#include "host/replies/replies.h"

#include <pthread.h>

#include <algorithm>
#include <future>

namespace davit::replies {
namespace {

constexpr std::size_t kMostPending = 1'000;  // deliveries; beyond it senders hear nothing
constexpr std::size_t kMostTasks = 10'000;   // in the inbox
constexpr Duration kAgainAfter{2'000};
constexpr Duration kLongestSleep{24 * 3'600'000};

}  // namespace

Replies::Replies(const Needs& needs, Allowed allowed)
    : needs_(needs), allowed_(std::move(allowed)), thread_([this] {
        pthread_setname_np(pthread_self(), "davit-replies");
        run();
      }) {}

Replies::~Replies() {
  stop_.store(true);
  inbox_.with([](Inbox& inbox) { inbox.stopping = true; });
  changed_.notify_all();
  thread_.join();
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
  for (const auto& [id, reply] : pending_)
    sleep = std::min(sleep, std::max(reply.until - needs_.clock.wall(), Duration(0)) + Duration(1));
  return inbox_.wait_for(
      changed_, sleep, [](const Inbox& inbox) { return inbox.stopping || !inbox.empty(); },
      [&](Inbox& inbox) {
        Inbox taken = std::exchange(inbox, Inbox{inbox.stopping, inbox.watching, false, {}, {}});
        if (pending_.empty() && taken.asked.empty() && !taken.everything) inbox.watching = false;
        return taken;
      });
}

void Replies::run() {
  if (auto all = needs_.store.pending_replies())
    for (store::PendingReply& reply : *all) pending_.insert_or_assign(reply.delivery_id, reply);
  for (;;) {
    const Inbox inbox = take();
    if (inbox.stopping) return;
    forget_expired();
    for (const std::string& delivery : inbox.asked) take_up(delivery);
    std::set<std::string> chains;
    if (!pending_.empty()) {
      for (const std::string& task : inbox.tasks)
        if (auto chain = needs_.store.chain_of(task)) chains.insert(*chain);
    }
    std::vector<std::string> concerned;
    for (const auto& [id, reply] : pending_) {
      const bool named = std::any_of(reply.chains.begin(), reply.chains.end(),
                                     [&](const std::string& chain) { return chains.contains(chain); });
      if (inbox.everything || named || inbox.asked.contains(id)) concerned.push_back(id);
    }
    for (const std::string& id : concerned) {
      if (stop_.load()) return;
      tell(pending_.at(id));
      if (pending_.at(id).reply.posts <= 0) forget(id);
    }
  }
}

void Replies::take_up(const std::string& delivery_id) {
  auto reply = needs_.store.pending_reply(delivery_id);
  if (!reply || !*reply) return;
  if (pending_.size() < kMostPending) {
    pending_.insert_or_assign(delivery_id, std::move(**reply));
    return;
  }
  needs_.log.warn("A sender will not hear what becomes of its delivery: too many wait to",
                  {{"webhook", (*reply)->webhook}, {"delivery", delivery_id}});
  needs_.metrics.reply_ended((*reply)->webhook, "dropped");
  needs_.store.forget_reply(delivery_id, {});
}

void Replies::tell(store::PendingReply& reply) {
  if (!reply.news.empty() && !tell_one(reply, {"", reply.news})) return;
  for (const std::string& chain : reply.chains) {
    const auto tasks = needs_.store.chain_news(chain);
    if (!tasks) {
      needs_.log.warn("What there is to tell a sender could not be read",
                      {{"delivery", reply.delivery_id}, {"reason", tasks.error().message}});
      return;
    }
    for (const News& news : news_of(reply, *tasks)) {
      if (reply.reply.posts <= 0 || !tell_one(reply, news)) return;
    }
  }
}

// False: nothing more can be told now.
bool Replies::tell_one(store::PendingReply& reply, const News& news) {
  store::PendingReply told = reply;
  if (news.word.empty()) {
    told.news.clear();
  } else {
    told.told.push_back(news.word);
  }
  const std::string body = body_of(reply.reply, news.sentence);
  for (bool again = false;; again = true) {
    if (needs_.clock.wall() >= reply.until) return false;
    told.reply.posts = reply.reply.posts - 1;
    if (!noted(told)) return false;
    reply = told;
    const Allowed allowed = allowed_.with([](const Allowed& now) { return now; });
    const Posted posted = post(reply.reply.url, body, allowed, stop_);
    if (posted.kind == Posted::Kind::Sent) {
      needs_.metrics.reply_ended(reply.webhook, "sent");
      return true;
    }
    if (stop_.load()) return false;
    needs_.metrics.reply_ended(reply.webhook, "failed");
    needs_.log.warn("A sender could not be told what becomes of its delivery",
                    {{"webhook", reply.webhook}, {"delivery", reply.delivery_id}, {"reason", posted.reason}});
    if (posted.kind == Posted::Kind::Refused) {
      reply.reply.posts = 0;
      return false;
    }
    // The last one is for how it ends.
    if (again || reply.reply.posts <= 1) return true;
    const bool stopping = inbox_.wait_for(
        changed_, kAgainAfter, [](const Inbox& inbox) { return inbox.stopping; },
        [](const Inbox& inbox) { return inbox.stopping; });
    if (stopping) return false;
  }
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
  for (const auto& [id, reply] : pending_)
    if (reply.until <= now || reply.reply.posts <= 0) expired.push_back(id);
  for (const std::string& id : expired) forget(id);
}

}  // namespace davit::replies
