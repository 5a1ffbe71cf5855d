#include "host/ingest/reruns.h"

#include <algorithm>
#include <utility>

#include "host/ingest/record.h"
#include "host/isolation/protocol.h"

namespace davit::ingest {
namespace {

constexpr int kLooks = 256;
constexpr std::size_t kPerWebhook = 4;  // at once
constexpr Duration kUnwritten{30'000};  // before what the store could not write is tried again

// Why nothing is due for this webhook; a sentence that goes on "waits, because …".
std::string why_waiting(const plugin::Webhook* webhook, const std::string& name) {
  if (webhook == nullptr || webhook->state == plugin::ServingState::Missing)
    return "no plugin offers the webhook " + name;
  if (webhook->state == plugin::ServingState::Disabled) return "webhook " + name + " is disabled";
  return "webhook " + name + " does not serve: " + webhook->state_reason;
}

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
    return look_again_at(needs_.clock.wall() + kUnwritten);
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
  const bool known = found != snapshot->webhooks.end();
  if (!known || found->second->state != plugin::ServingState::Serving) {
    return wait_for(*deferred, "waits, because " + why_waiting(known ? found->second.get() : nullptr,
                                                               deferred->delivery.webhook));
  }
  std::shared_ptr<const plugin::Webhook> webhook = found->second;
  if (webhook->in_process) return run_here(deferred, webhook);
  run(webhook, deferred,
      [self = shared_from_this(), deferred, webhook](const VerifiedDelivery& delivery,
                                                     Result<plugin::HookOutcome> said) {
        self->conclude(deferred, webhook, delivery, std::move(said));
      });
}

// Not the delivery's fault: no try of it counts meanwhile, and nothing is told of it again.
void Reruns::wait_for(const store::DeferredDelivery& deferred, std::string reason) {
  const std::string& id = deferred.delivery.id;
  needs_.log.info("A deferred delivery waits for its webhook",
                  {{"request", deferred.delivery.request_id}, {"delivery", id}, {"reason", reason}});
  needs_.store.wait_for_webhook(id, std::move(reason),
                                [self = shared_from_this(), id, webhook = deferred.delivery.webhook](
                                    const Result<>& written) { self->ended(webhook, id, written); });
}

void Reruns::plugins_changed(const plugin::Snapshot& now) {
  std::set<std::string> before = std::exchange(serving_, {});
  std::vector<std::string> back;
  for (const auto& [name, webhook] : now.webhooks) {
    if (webhook->state != plugin::ServingState::Serving) continue;
    serving_.insert(name);
    if (!before.contains(name)) back.push_back(name);
  }
  if (back.empty()) return;
  needs_.store.webhooks_serve(std::move(back), [self = shared_from_this()](const Result<int>& due) {
    if (!due)
      return self->needs_.log.error("Deferred deliveries may go on waiting, although their webhook serves",
                                    {{"reason", due.error().message}});
    if (*due > 0) self->needs_.runners->post([self] { self->run_due(); });
  });
}

void Reruns::run_here(const Stored& deferred, const std::shared_ptr<const plugin::Webhook>& webhook) {
  const int most = std::max(1, webhook->settings.max_retries_of_deferred);
  // What fails otherwise is parked with its last try.
  if (deferred->tries >= most) {
    return put_off(*deferred,
                   "its hooks were tried " + std::to_string(deferred->tries) +
                       " times, and davit ended in the last try; mend the plugin, or let it run with "
                       "isolation: process, then replay the delivery",
                   most, store::Try::Begun);
  }
  const auto try_it = [self = shared_from_this(), deferred, webhook] {
    const VerifiedDelivery delivery = delivery_again(deferred);
    self->conclude(deferred, webhook, delivery,
                   webhook->in_process->run(delivery, self->needs_.clock.monotonic() + self->deadline_));
  };
  needs_.store.begin_try(deferred->delivery.id, next_try_of(*deferred),
                         [self = shared_from_this(), deferred, webhook, try_it](const Result<>& begun) {
                           if (!begun)
                             return self->ended(deferred->delivery.webhook, deferred->delivery.id, begun);
                           // Not on the runners' thread: the hooks of all others would wait for these.
                           if (auto aside = self->needs_.runners->run_aside(try_it); !aside)
                             self->put_off(*deferred, aside.error().message,
                                           webhook->settings.max_retries_of_deferred, store::Try::Begun);
                         });
}

// Nobody waits for an answer within `answer_within`.
isolation::Call Reruns::call_of(std::shared_ptr<const VerifiedDelivery> delivery, End end) const {
  isolation::Call call;
  call.ids = ids_of(delivery->delivery());
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
  needs_.runners->call(webhook, call_of(std::move(delivery), std::move(end)));
}

void Reruns::conclude(const Stored& deferred, const std::shared_ptr<const plugin::Webhook>& webhook,
                      const VerifiedDelivery& delivery, Result<plugin::HookOutcome> said) {
  said = hide_secrets(*webhook, std::move(said));
  const auto put_it_off = [self = shared_from_this(), deferred, webhook](std::string reason) {
    self->put_off(*deferred, std::move(reason), webhook->settings.max_retries_of_deferred,
                  webhook->in_process ? store::Try::Begun : store::Try::Another);
  };
  if (!said && worth_another_try(said.error().code)) return put_it_off(said.error().message);
  store::NewDelivery record;
  if (said) {
    note_timings(needs_.metrics, webhook->settings.instance, said->timings);
    record = record_of(*webhook, delivery, *said);
    fit_to_agents(record.answer.tasks, *needs_.registry.current());
  } else {
    record = refused_record(*webhook, delivery, said.error().message);
  }
  needs_.store.settle_deferred(std::move(record), [self = shared_from_this(), deferred,
                                                   put_it_off](Result<store::Accepted> settled) {
    const std::string& id = deferred->delivery.id;
    if (settled) {
      self->needs_.log.info("A deferred delivery was settled",
                            {{"request", deferred->delivery.request_id},
                             {"delivery", id},
                             {"task", settled->task_ids.empty() ? "-" : settled->task_ids.front()},
                             {"tasks", settled->task_ids.size()}});
      for (std::size_t i = 1; i < settled->task_ids.size(); ++i)
        self->needs_.log.info(
            "A delivery has another task",
            {{"request", deferred->delivery.request_id}, {"delivery", id}, {"task", settled->task_ids[i]}});
      return self->ended(deferred->delivery.webhook, id);
    }
    self->needs_.log.warn(
        "A deferred delivery could not be settled",
        {{"request", deferred->delivery.request_id}, {"delivery", id}, {"reason", settled.error().message}});
    // What its hooks say cannot be stored, and saying it again would not help.
    if (settled.error().code == ErrorCode::InvalidInput || settled.error().code == ErrorCode::TooLarge)
      return put_it_off(settled.error().message);
    self->ended(deferred->delivery.webhook, id, settled.error());
  });
}

WallTime Reruns::next_try_of(const store::DeferredDelivery& deferred) const {
  const Duration backoff = backoff_ * (1 << std::min(deferred.tries, 8));
  return needs_.clock.wall() + std::min(backoff, Duration{600'000});
}

void Reruns::put_off(const store::DeferredDelivery& deferred, std::string reason, int max_tries,
                     store::Try which) {
  std::string id = deferred.delivery.id;
  needs_.log.warn("A deferred delivery failed again",
                  {{"request", deferred.delivery.request_id},
                   {"delivery", id},
                   {"tries", std::min(deferred.tries + 1, std::max(1, max_tries))},
                   {"reason", reason}});
  needs_.store.defer_again(
      id, std::move(reason), next_try_of(deferred), max_tries,
      [self = shared_from_this(), id, webhook = deferred.delivery.webhook](const Result<bool>& parked) {
        if (parked && *parked) self->needs_.metrics.delivery_decided(webhook, "parked");
        self->ended(webhook, id, parked ? Result<>() : Result<>(parked.error()));
      },
      which);
}

// On the writer's thread, which outlives the runners'. What could not be written is due still: with a full
// disk, running it at once would have no end.
void Reruns::ended(const std::string& webhook, const std::string& id, const Result<>& written) {
  const bool was_written = written.ok() || written.error().code == ErrorCode::Conflict ||
                           written.error().code == ErrorCode::NotFound;
  needs_.runners->post([self = shared_from_this(), webhook, id, was_written] {
    self->in_flight_[webhook].erase(id);
    if (was_written) return self->run_due();
    self->look_again_at(self->needs_.clock.wall() + kUnwritten);
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
                    std::function<void(Result<std::string>)> done,
                    const std::function<store::Audited()>& line) {
  auto stored = needs_.store.delivery_to_run(id);
  if (!stored) return done(stored.error());
  if (auto webhook = serving(stored->delivery.webhook); !webhook) return done(webhook.error());
  needs_.store.replay(id, by,
                      [self = shared_from_this(), id, by, request = stored->delivery.request_id,
                       done = std::move(done)](Result<std::string> made) {
                        if (made) {
                          self->needs_.log.info(
                              "A delivery is run again",
                              {{"request", request}, {"delivery", *made}, {"replay_of", id}, {"by", by}});
                          self->needs_.runners->post([self] { self->run_due(); });
                        }
                        done(std::move(made));
                      },
                      line ? line() : std::nullopt);
}

void Reruns::rehearse(const std::string& id, const std::function<void(Result<store::NewDelivery>)>& done) {
  auto stored = needs_.store.delivery_to_run(id);
  if (!stored) return done(stored.error());
  auto found = serving(stored->delivery.webhook);
  if (!found) return done(found.error());
  rehearse(std::move(*found),
           std::make_shared<const VerifiedDelivery>(
               delivery_again(std::make_shared<const store::DeferredDelivery>(std::move(*stored)))),
           done);
}

void Reruns::rehearse(std::shared_ptr<const plugin::Webhook> webhook,
                      std::shared_ptr<const VerifiedDelivery> delivery,
                      const std::function<void(Result<store::NewDelivery>)>& done) {
  const auto end = [self = shared_from_this(), webhook, done](const VerifiedDelivery& rehearsed,
                                                              const Result<plugin::HookOutcome>& plain) {
    Result<plugin::HookOutcome> said = hide_secrets(*webhook, plain);
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
