#include "host/ingest/reruns.h"

#include <algorithm>
#include <utility>

#include "host/ingest/record.h"
#include "host/isolation/protocol.h"

namespace davit::ingest {
namespace {

constexpr int kLooks = 256;
constexpr std::size_t kPerWebhook = 4;  // at once

}  // namespace

Reruns::Reruns(Needs needs, Duration deadline, Duration backoff)
    : needs_(std::move(needs)), deadline_(deadline), backoff_(backoff) {}

// ---- deferred ----

void Reruns::look_again_at(WallTime at) {
  isolation::Loop& loop = needs_.runners->loop();
  if (timer_ != 0) {
    if (timer_at_ <= at) return;  // the earlier one counts: it looks again for the rest
    loop.cancel(timer_);
  }
  timer_at_ = at;
  const Duration delay = std::max(Duration{10}, at - needs_.clock.wall());
  timer_ = loop.after(delay, [self = shared_from_this()] {
    self->timer_ = 0;
    self->run_due();
  });
}

void Reruns::run_due() {
  // More than may run at once, so that the ones of a webhook that hangs do not hide those of the others.
  auto due = needs_.store.due_deferred(kLooks);
  if (!due) {
    needs_.log.error("Deferred deliveries could not be read", {{"reason", due.error().message}});
    return look_again_at(needs_.clock.wall() + Duration{30'000});
  }
  for (store::DeferredDelivery& deferred : *due) {
    std::set<std::string>& running = in_flight_[deferred.delivery.webhook];
    if (running.size() >= kPerWebhook || !running.insert(deferred.delivery.id).second) continue;
    run_deferred(std::make_shared<const store::DeferredDelivery>(std::move(deferred)));
  }
  // What is due and waits for its turn is started when another one ends; the timer is for what is due later.
  auto next = needs_.store.next_deferred_at();
  if (next && *next && **next > needs_.clock.wall()) look_again_at(**next);
}

void Reruns::run_deferred(const Stored& deferred) {
  auto snapshot = needs_.registry.current();
  auto found = snapshot->webhooks.find(deferred->delivery.webhook);
  if (found == snapshot->webhooks.end() || found->second->state != plugin::ServingState::Serving) {
    // Not the delivery's fault: it waits, uncounted by the cap, until its webhook serves again.
    return put_off(*deferred, "its webhook does not serve at the moment", 1'000'000);
  }
  std::shared_ptr<const plugin::Webhook> webhook = found->second;
  run(webhook, deferred,
      [self = shared_from_this(), deferred, webhook](const VerifiedDelivery& delivery,
                                                     Result<plugin::HookOutcome> said) {
        self->conclude(*deferred, *webhook, delivery, std::move(said));
      });
}

// Nobody waits for an answer within `answer_within`.
isolation::Call Reruns::call_of(std::shared_ptr<const VerifiedDelivery> delivery, End end) const {
  isolation::Call call;
  isolation::set_request(call, isolation::webhook_run_request(*delivery));
  call.deadline = needs_.clock.monotonic() + deadline_;
  call.cancel_grace = Duration{0};
  call.on_end = [delivery = std::move(delivery), end = std::move(end)](isolation::CallOutcome outcome) {
    end(*delivery, said_by(outcome));
  };
  return call;
}

void Reruns::run(const std::shared_ptr<const plugin::Webhook>& webhook, Stored stored, End end) {
  auto delivery = std::make_shared<const VerifiedDelivery>(delivery_again(std::move(stored)));
  if (webhook->in_process)
    return end(*delivery, webhook->in_process->run(*delivery, needs_.clock.monotonic() + deadline_));
  needs_.runners->call(webhook, call_of(std::move(delivery), std::move(end)));
}

void Reruns::conclude(const store::DeferredDelivery& deferred, const plugin::Webhook& webhook,
                      const VerifiedDelivery& delivery, Result<plugin::HookOutcome> said) {
  if (!said && worth_another_try(said.error().code)) {
    return put_off(deferred, said.error().message, webhook.settings.max_retries_of_deferred);
  }
  store::NewDelivery record;
  if (said) {
    note_timings(needs_.metrics, webhook.settings.instance, said->timings);
    record = record_of(webhook, delivery, *said);
    fit_to_agents(record.answer.tasks, *needs_.registry.current());
  } else {
    record = refused_record(webhook, delivery, said.error().message);
  }
  std::string id = deferred.delivery.id;
  needs_.store.settle_deferred(
      std::move(record),
      [self = shared_from_this(), id, webhook = deferred.delivery.webhook](Result<store::Accepted> settled) {
        if (!settled) {
          self->needs_.log.warn("A deferred delivery could not be settled",
                                {{"delivery", id}, {"reason", settled.error().message}});
        } else {
          self->needs_.log.info("A deferred delivery was settled",
                                {{"delivery", id}, {"tasks", settled->task_ids.size()}});
        }
        self->ended(webhook, id);
      });
}

void Reruns::put_off(const store::DeferredDelivery& deferred, std::string reason, int max_tries) {
  const Duration backoff = backoff_ * (1 << std::min(deferred.tries, 8));
  const WallTime again = needs_.clock.wall() + std::min(backoff, Duration{600'000});
  std::string id = deferred.delivery.id;
  needs_.log.warn("A deferred delivery failed again",
                  {{"delivery", id}, {"tries", deferred.tries + 1}, {"reason", reason}});
  needs_.store.defer_again(id, std::move(reason), again, max_tries,
                           [self = shared_from_this(), id, webhook = deferred.delivery.webhook](
                               const Result<>&) { self->ended(webhook, id); });
}

// On the writer's thread, which outlives the runners'.
void Reruns::ended(const std::string& webhook, const std::string& id) {
  needs_.runners->post([self = shared_from_this(), webhook, id] {
    self->in_flight_[webhook].erase(id);
    self->run_due();
  });
}

// ---- asked for by a person, who is told why it cannot be ----

Result<std::shared_ptr<const plugin::Webhook>> Reruns::serving(const std::string& name) const {
  auto snapshot = needs_.registry.current();
  auto found = snapshot->webhooks.find(name);
  if (found == snapshot->webhooks.end()) {
    return Error{
        ErrorCode::Conflict,
        "webhook " + name + " is not in the configuration any more; its deliveries cannot be run again"};
  }
  switch (found->second->state) {
    case plugin::ServingState::Serving:
      return found->second;
    case plugin::ServingState::Disabled:
      return Error{ErrorCode::Conflict,
                   "webhook " + name + " is disabled; enable it, then run the delivery again"};
    case plugin::ServingState::Missing:
      return Error{
          ErrorCode::Conflict,
          "webhook " + name + " has no plugin; put it into the plugins folder, then run the delivery again"};
    default:
      return Error{ErrorCode::Conflict,
                   "webhook " + name + " does not serve: " + found->second->state_reason};
  }
}

void Reruns::replay(const std::string& id, const std::string& by,
                    std::function<void(Result<std::string>)> done) {
  auto stored = needs_.store.delivery_to_run(id);
  if (!stored) return done(stored.error());
  if (auto webhook = serving(stored->delivery.webhook); !webhook) return done(webhook.error());
  needs_.store.replay(id, by,
                      [self = shared_from_this(), id, by, done = std::move(done)](Result<std::string> made) {
                        if (made) {
                          self->needs_.log.info("A delivery is run again",
                                                {{"delivery", *made}, {"replay_of", id}, {"by", by}});
                          self->needs_.runners->post([self] { self->run_due(); });
                        }
                        done(std::move(made));
                      });
}

void Reruns::rehearse(const std::string& id, const std::function<void(Result<store::NewDelivery>)>& done) {
  auto stored = needs_.store.delivery_to_run(id);
  if (!stored) return done(stored.error());
  auto found = serving(stored->delivery.webhook);
  if (!found) return done(found.error());
  std::shared_ptr<const plugin::Webhook> webhook = *found;
  auto delivery = std::make_shared<const VerifiedDelivery>(
      delivery_again(std::make_shared<const store::DeferredDelivery>(std::move(*stored))));
  const auto end = [self = shared_from_this(), webhook, done](const VerifiedDelivery& rehearsed,
                                                              Result<plugin::HookOutcome> said) {
    if (said) {
      store::NewDelivery record = record_of(*webhook, rehearsed, *said);
      fit_to_agents(record.answer.tasks, *self->needs_.registry.current());
      return done(std::move(record));
    }
    const std::string& reason = said.error().message;
    store::NewDelivery record = worth_another_try(said.error().code)
                                    ? deferred_record(*webhook, rehearsed, reason)
                                    : refused_record(*webhook, rehearsed, reason);
    record.answer.message = reason;
    done(std::move(record));
  };
  needs_.runners->call_without_effects(*webhook, call_of(std::move(delivery), end));
}

}  // namespace davit::ingest
