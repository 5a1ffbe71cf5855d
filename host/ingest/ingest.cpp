// The life of a delivery before it is a task:
//
//   receive ── limits ── verify ── gate ──┬─ in process: hooks here ──────────────┐
//                │        │        │      └─ process: hooks in a runner ──┬───────┼─ store.accept ─ done
//                └────────┴────────┴─ refuse: counted, sampled            │       │
//                                              crashed, hung, late ───────┘ Deferred
//
// What is deferred runs again later (reruns.h). A call in flight holds the Parts, so that an answer that
// comes after the end of Ingest finds them.
#include "host/ingest/ingest.h"

#include <atomic>
#include <map>

#include "host/ingest/address_limit.h"
#include "host/ingest/hook_runners.h"
#include "host/ingest/record.h"
#include "host/ingest/refusals.h"
#include "host/ingest/reruns.h"
#include "host/isolation/protocol.h"
#include "host/plugin/webhook_verification.h"

namespace davit::ingest {
namespace {

constexpr Duration kQuarantineRetry{300'000};
constexpr std::chrono::seconds kRefusalsTogether{1};

// What is configured and wanted is there, also where its plugin is gone: its sender is to send again, and its
// operator to hear of it.
bool is_there(const plugin::Webhook& webhook) {
  return webhook.state != plugin::ServingState::Disabled &&
         (webhook.state != plugin::ServingState::Missing || webhook.settings.enabled);
}

// Why a webhook that does not serve turns deliveries away; "missing" is a cause already, of signatures.
std::string_view cause_of(plugin::ServingState state) {
  return state == plugin::ServingState::Missing ? "no_plugin" : to_string(state);
}

bool is_json(std::string_view media_type) { return media_type.find("json") != std::string_view::npos; }

std::string_view content_type_of(const Delivery& delivery) {
  auto values = header_values(delivery, "content-type");
  return values.empty() ? std::string_view() : values.front();
}

// A body that claims to be JSON is JSON, within our limits, before a plugin sees it. It may be as large as
// the webhook allows.
std::optional<Outcome> gate(const plugin::Webhook& webhook, const Delivery& delivery) {
  if (delivery.body.empty() || !is_json(content_type_of(delivery))) return std::nullopt;
  auto checked = check_json(delivery.body, {.max_bytes = webhook.max_body_bytes});
  if (checked) return std::nullopt;
  return refusal(OutcomeKind::Malformed, checked.error().message);
}

}  // namespace

struct Ingest::Parts : std::enable_shared_from_this<Ingest::Parts> {
  Parts(const Needs& needs, Options ingest_options)
      : options(std::move(ingest_options)),
        registry(needs.registry),
        store(needs.store),
        metrics(needs.metrics),
        log(needs.log),
        clock(needs.clock),
        addresses(options.address_rate) {}

  const Options options;
  const plugin::Registry& registry;
  store::Store& store;
  metrics::Metrics& metrics;
  Log& log;
  const Clock& clock;

  AddressLimit addresses;
  Refusals refusals;
  // Of verified deliveries, by webhook; those of webhooks that went stay, as few as were ever configured.
  Guarded<std::map<std::string, TokenBucket, std::less<>>> buckets;

  std::shared_ptr<HookRunners> runners;
  std::shared_ptr<Reruns> reruns;
  MonotonicTime refusals_written{};  // on the runners' thread only

  std::atomic<std::size_t> in_runners{0};

  void receive(Delivery delivery, Done done);
  void verify_in_runner(std::shared_ptr<const plugin::Webhook> webhook, Delivery delivery, Done done);
  void conclude_own_check(const plugin::Webhook& webhook, Delivery delivery, Result<plugin::HookOutcome> said,
                          Done done);
  std::optional<Outcome> too_many_verified(const plugin::Webhook& webhook);
  void refuse(const plugin::Webhook& webhook, const Delivery& delivery, std::string_view cause,
              Outcome outcome, const Done& done);
  void write_refusals();
  void rehearse(Delivery delivery, const std::function<void(Result<store::NewDelivery>)>& done);
  void run_here(const plugin::Webhook& webhook, VerifiedDelivery delivery, Done done);
  void run_in_runner(std::shared_ptr<const plugin::Webhook> webhook, VerifiedDelivery delivery, Done done);
  void conclude(const plugin::Webhook& webhook, const VerifiedDelivery& delivery,
                Result<plugin::HookOutcome> said, Done done);
  // `answer`: what the sender is told of a new delivery in place of its outcome.
  void commit(store::NewDelivery record, std::optional<HttpOverride> http, std::string details, Done done,
              std::optional<OutcomeKind> answer = std::nullopt);
  void finish(std::string_view webhook, Outcome outcome, const Done& done);
};

Ingest::Ingest(std::shared_ptr<Parts> parts) : parts_(std::move(parts)) {}

Result<std::unique_ptr<Ingest>> Ingest::start(const Needs& needs, Options options) {
  auto parts = std::make_shared<Parts>(needs, std::move(options));
  parts->runners = TRY(HookRunners::start(needs.children, parts->options.pool, needs.log, needs.clock, needs.metrics));
  parts->reruns = std::make_shared<Reruns>(
      Reruns::Needs{parts->runners, needs.registry, needs.store, needs.metrics, needs.log, needs.clock},
      parts->options.deferred_deadline, parts->options.deferred_backoff);
  return std::unique_ptr<Ingest>(new Ingest(std::move(parts)));
}

Ingest::~Ingest() {
  parts_->runners->end([&] { parts_->write_refusals(); });
}

isolation::RunnerPool::Stats Ingest::runners() const { return parts_->runners->stats(); }

void Ingest::reach(std::function<void()> reached) { parts_->runners->post(std::move(reached)); }

std::size_t Ingest::body_limit(std::string_view name) const {
  auto snapshot = parts_->registry.current();
  const plugin::Webhook* webhook = snapshot->webhook(name);
  return webhook ? webhook->max_body_bytes : 64u << 10;
}

bool Ingest::answers_get(std::string_view name) const {
  auto snapshot = parts_->registry.current();
  const plugin::Webhook* webhook = snapshot->webhook(name);
  return webhook && webhook->state == plugin::ServingState::Serving && webhook->answers_get;
}

void Ingest::receive(Delivery delivery, Done done) { parts_->receive(std::move(delivery), std::move(done)); }

void Ingest::plugins_changed() {
  parts_->runners->post([parts = parts_] {
    const auto snapshot = parts->registry.current();
    parts->runners->keep(*snapshot);
    parts->reruns->plugins_changed(*snapshot);
  });
}

void Ingest::run_deferred() {
  parts_->runners->post([reruns = parts_->reruns] { reruns->run_due(); });
}

void Ingest::replay(const std::string& delivery_id, const std::string& by,
                    std::function<void(Result<std::string>)> done,
                    const std::function<store::Audited()>& line) {
  parts_->reruns->replay(delivery_id, by, std::move(done), line);
}

void Ingest::rehearse(std::string delivery_id, std::function<void(Result<store::NewDelivery>)> done) {
  auto shared = std::make_shared<std::function<void(Result<store::NewDelivery>)>>(std::move(done));
  const bool posted = parts_->runners->post(
      [reruns = parts_->reruns, id = std::move(delivery_id), shared] { reruns->rehearse(id, *shared); });
  if (!posted) (*shared)(Error{ErrorCode::Unavailable, "the host stops"});
}

void Ingest::rehearse(Delivery delivery, std::function<void(Result<store::NewDelivery>)> done) {
  auto shared = std::make_shared<std::function<void(Result<store::NewDelivery>)>>(std::move(done));
  const bool posted = parts_->runners->post([parts = parts_, delivery = std::move(delivery), shared] {
    parts->rehearse(delivery, *shared);
  });
  if (!posted) (*shared)(Error{ErrorCode::Unavailable, "the host stops"});
}

// ---- before the answer ----

void Ingest::Parts::receive(Delivery delivery, Done done) {
  auto snapshot = registry.current();
  auto found = snapshot->webhooks.find(delivery.webhook);
  if (found == snapshot->webhooks.end() || !is_there(*found->second)) {
    return finish(
        "", refusal(OutcomeKind::NotFound, "there is no webhook of this name here, or it is disabled"), done);
  }
  std::shared_ptr<const plugin::Webhook> webhook = found->second;
  if (auto wait = addresses.take(delivery.remote_address, clock.monotonic()); wait.count() > 0) {
    return refuse(*webhook, delivery, "address_rate", too_many("too many requests from this address", wait),
                  done);
  }
  if (webhook->state != plugin::ServingState::Serving) {
    const bool quarantined = webhook->state == plugin::ServingState::Quarantined;
    Outcome outcome =
        refusal(OutcomeKind::Unavailable,
                std::string(quarantined ? "this webhook is in quarantine because its plugin crashed"
                                        : "this webhook is not ready to serve") +
                    "; its operator finds the reason in `davit plugins list`");
    if (quarantined) outcome.retry_after = kQuarantineRetry;
    return refuse(*webhook, delivery, cause_of(webhook->state), std::move(outcome), done);
  }
  if (delivery.body.size() > webhook->max_body_bytes) {
    return refuse(*webhook, delivery, "too_large",
                  refusal(OutcomeKind::TooLarge, "the body is over this webhook's limit of " +
                                                     std::to_string(webhook->max_body_bytes) + " bytes"),
                  done);
  }

  if (webhook->answers_unverified && webhook->in_process) {
    auto early =
        webhook->in_process->answer_unverified(delivery, clock.monotonic() + webhook->settings.answer_within);
    if (early && *early)
      return finish(delivery.webhook, early_answer(hide_secrets(*webhook, std::move(**early))), done);
  }
  if (!webhook->in_process && plugin::who_checks(*webhook) == plugin::WhoChecks::ByPlugin) {
    return verify_in_runner(std::move(webhook), std::move(delivery), std::move(done));
  }
  std::string_view cause;
  auto verified = [&]() -> Result<VerifiedDelivery> {
    if (plugin::who_checks(*webhook) != plugin::WhoChecks::ByPlugin) {
      return plugin::verify(*webhook, std::move(delivery), clock.wall(), cause);
    }
    auto verdict = webhook->in_process->validate_signature(
        delivery, clock.monotonic() + webhook->settings.answer_within);
    return plugin::verify_by_plugin(*webhook, std::move(delivery), verdict, cause);
  }();
  if (!verified) {
    return refuse(*webhook, delivery, cause,
                  cause == "media_type" ? refusal(OutcomeKind::UnsupportedMedia, verified.error().message)
                                        : refusal_of(verified.error()),
                  done);
  }
  if (auto fault = too_many_verified(*webhook)) {
    return refuse(*webhook, verified->delivery(), "webhook_rate", std::move(*fault), done);
  }
  if (auto fault = gate(*webhook, verified->delivery())) {
    return refuse(*webhook, verified->delivery(), "json", std::move(*fault), done);
  }
  if (webhook->in_process) return run_here(*webhook, std::move(*verified), std::move(done));
  run_in_runner(std::move(webhook), std::move(*verified), std::move(done));
}

// Counts against the webhook only what its sender signed: a flood of anything else must not use up its share.
std::optional<Outcome> Ingest::Parts::too_many_verified(const plugin::Webhook& webhook) {
  const plugin::WebhookSettings& settings = webhook.settings;
  if (settings.rate.per_second <= 0) return std::nullopt;
  const MonotonicTime now = clock.monotonic();
  const std::chrono::nanoseconds wait = buckets.with([&](auto& all) {
    auto found = all.find(settings.instance);
    if (found == all.end()) found = all.emplace(settings.instance, TokenBucket()).first;
    return found->second.take(settings.rate, now);
  });
  if (wait.count() <= 0) return std::nullopt;
  return too_many("too many deliveries to this webhook", wait);
}

void Ingest::Parts::refuse(const plugin::Webhook& webhook, const Delivery& delivery, std::string_view cause,
                           Outcome outcome, const Done& done) {
  metrics.delivery_rejected(webhook.settings.instance, cause);
  if (refusals.note(webhook, delivery, cause)) {
    runners->post([self = shared_from_this()] {
      const MonotonicTime due = self->refusals_written + kRefusalsTogether;
      const auto delay = std::chrono::ceil<Duration>(due - self->clock.monotonic());
      if (delay.count() <= 0) return self->write_refusals();
      self->runners->loop().after(delay, [self] { self->write_refusals(); });
    });
  }
  finish(webhook.settings.instance, std::move(outcome), done);
}

// On the loop's thread.
void Ingest::Parts::write_refusals() {
  std::vector<store::RefusedDeliveries> refused = refusals.take();
  if (refused.empty()) return;
  refusals_written = clock.monotonic();
  for (const store::RefusedDeliveries& each : refused) {
    log.warn("Deliveries were refused", {{"webhook", each.webhook},
                                         {"cause", each.cause},
                                         {"count", each.count},
                                         {"request", each.samples.front().request_id},
                                         {"from", each.samples.front().remote_address}});
  }
  store.note_refusals(std::move(refused), [self = shared_from_this()](const Result<>& noted) {
    if (!noted) self->log.warn("Refused deliveries could not be noted", {{"reason", noted.error().message}});
  });
}

void Ingest::Parts::run_here(const plugin::Webhook& webhook, VerifiedDelivery delivery, Done done) {
  auto said = webhook.in_process->run(delivery, clock.monotonic() + webhook.settings.answer_within);
  conclude(webhook, delivery, hide_secrets(webhook, std::move(said)), std::move(done));
}

// On the loop's thread. The checks of receive(), without its limits and its books.
void Ingest::Parts::rehearse(Delivery delivery, const std::function<void(Result<store::NewDelivery>)>& done) {
  auto webhook = reruns->serving(delivery.webhook);
  if (!webhook) return done(webhook.error());
  if (delivery.body.size() > (*webhook)->max_body_bytes)
    return done(Error{ErrorCode::TooLarge, "the body is over this webhook's limit of " +
                                               std::to_string((*webhook)->max_body_bytes) + " bytes"});
  std::string_view cause;
  auto verified = plugin::verify(**webhook, std::move(delivery), clock.wall(), cause);
  if (!verified) {
    // Whoever asks for a rehearsal is known: it is the delivery that is not.
    const bool unknown = verified.error().code == ErrorCode::Unauthorized;
    return done(unknown ? Error{ErrorCode::Conflict, verified.error().message} : verified.error());
  }
  if (auto fault = gate(**webhook, verified->delivery()))
    return done(Error{ErrorCode::InvalidInput, fault->message});
  reruns->rehearse(std::move(*webhook), std::make_shared<const VerifiedDelivery>(std::move(*verified)), done);
}

// ---- hooks in a runner ----

void Ingest::Parts::run_in_runner(std::shared_ptr<const plugin::Webhook> webhook, VerifiedDelivery delivery,
                                  Done done) {
  if (in_runners.fetch_add(1) >= options.max_in_runners) {
    in_runners.fetch_sub(1);
    return conclude(*webhook, delivery,
                    Error{ErrorCode::Overloaded, "too many deliveries wait for this webhook's runner"},
                    std::move(done));
  }
  auto waiting = std::make_shared<std::pair<VerifiedDelivery, Done>>(std::move(delivery), std::move(done));
  MonotonicTime deadline = clock.monotonic() + webhook->settings.answer_within;
  runners->post([self = shared_from_this(), webhook, waiting, deadline] {
    isolation::Call call;
    call.ids = ids_of(waiting->first.delivery());
    isolation::set_request(call, isolation::webhook_run_request(waiting->first));
    call.deadline = deadline;
    call.cancel_grace = Duration{0};  // the sender waits: a hook that is late is killed at once
    call.on_end = [self, webhook, waiting](isolation::CallOutcome outcome) {
      self->in_runners.fetch_sub(1);
      self->conclude(*webhook, waiting->first, hide_secrets(*webhook, said_by(outcome)),
                     std::move(waiting->second));
    };
    self->runners->call(webhook, std::move(call));
  });
}

// The plugin checks the signature itself, in its runner. Nothing of the delivery is kept if that does not say
// yes, so a runner that crashes here costs the sender a 503 and not us an unverified row.
void Ingest::Parts::verify_in_runner(std::shared_ptr<const plugin::Webhook> webhook, Delivery delivery,
                                     Done done) {
  if (auto fault = gate(*webhook, delivery))
    return refuse(*webhook, delivery, "json", std::move(*fault), done);
  auto waiting = std::make_shared<std::pair<Delivery, Done>>(std::move(delivery), std::move(done));
  if (in_runners.fetch_add(1) >= options.max_in_runners) {
    in_runners.fetch_sub(1);
    return refuse(*webhook, waiting->first, "overload",
                  refusal(OutcomeKind::Unavailable, "too many deliveries wait"), waiting->second);
  }
  MonotonicTime deadline = clock.monotonic() + webhook->settings.answer_within;
  runners->post([self = shared_from_this(), webhook, waiting, deadline] {
    isolation::Call call;
    call.ids = ids_of(waiting->first);
    auto ids = header_values(waiting->first, webhook->delivery_id_header);
    isolation::set_request(call,
                           isolation::webhook_verify_and_run_request(
                               waiting->first, ids.empty() ? std::string_view() : ids.front(), ids.empty()));
    call.deadline = deadline;
    call.cancel_grace = Duration{0};
    call.on_end = [self, webhook, waiting](isolation::CallOutcome outcome) {
      self->in_runners.fetch_sub(1);
      self->conclude_own_check(*webhook, std::move(waiting->first), hide_secrets(*webhook, said_by(outcome)),
                               std::move(waiting->second));
    };
    self->runners->call(webhook, std::move(call));
  });
}

// One call has checked the signature and run the hooks. Only hooks that answered prove that the signature was
// good.
void Ingest::Parts::conclude_own_check(const plugin::Webhook& webhook, Delivery delivery,
                                       Result<plugin::HookOutcome> said, Done done) {
  const std::string& name = webhook.settings.instance;
  if (!said && said.error().code != ErrorCode::Unauthorized && worth_another_try(said.error().code)) {
    log.warn("A delivery could not be checked by its plugin",
             {{"webhook", name}, {"request", delivery.request_id}, {"reason", said.error().message}});
    return refuse(webhook, delivery, "plugin",
                  refusal(OutcomeKind::Unavailable, "the delivery could not be checked; send it again later"),
                  done);
  }
  std::string_view cause;
  bool unauthorized = !said && said.error().code == ErrorCode::Unauthorized;
  auto verified = plugin::verify_by_plugin(webhook, std::move(delivery),
                                           unauthorized ? Result<>(said.error()) : Result<>(), cause);
  // It is moved from only if it is verified.
  // NOLINTNEXTLINE(bugprone-use-after-move)
  if (!verified) return refuse(webhook, delivery, cause, refusal_of(verified.error()), done);
  if (auto fault = too_many_verified(webhook)) {
    return refuse(webhook, verified->delivery(), "webhook_rate", std::move(*fault), done);
  }
  // A refusal may be that of the check, which then has not said yes.
  if (!said) {
    if (auto refused = refusal_by_hooks(said.error()))
      return refuse(webhook, verified->delivery(), to_string(said.error().code), std::move(*refused), done);
  }
  conclude(webhook, *verified, std::move(said), std::move(done));
}

// ---- what the hooks said, and the commit ----

void Ingest::Parts::conclude(const plugin::Webhook& webhook, const VerifiedDelivery& delivery,
                             Result<plugin::HookOutcome> said, Done done) {
  const std::string& name = webhook.settings.instance;
  if (said) {
    note_timings(metrics, name, said->timings);
    return commit(record_of(webhook, delivery, *said), said->answer.http, said->answer.details,
                  std::move(done));
  }
  if (auto refused = refusal_by_hooks(said.error())) {
    log.info("A delivery was refused by its webhook", {{"webhook", name},
                                                       {"request", delivery.delivery().request_id},
                                                       {"code", to_string(said.error().code)},
                                                       {"reason", said.error().message}});
    // It may be the plugin that is wrong: then what is kept is replayed once that is mended.
    if (refused->kind == OutcomeKind::Malformed)
      return commit(refused_record(webhook, delivery, said.error().message), std::nullopt, "{}",
                    std::move(done), OutcomeKind::Malformed);
    return refuse(webhook, delivery.delivery(), to_string(said.error().code), std::move(*refused), done);
  }
  log.warn("The hooks of a webhook failed; the delivery is kept and they run again",
           {{"webhook", name},
            {"request", delivery.delivery().request_id},
            {"delivery", delivery.delivery().id},
            {"reason", said.error().message}});
  store::NewDelivery record = deferred_record(webhook, delivery, said.error().message);
  record.due_at = clock.wall() + options.deferred_backoff;
  commit(std::move(record), std::nullopt, "{}", std::move(done));
}

void Ingest::Parts::commit(store::NewDelivery record, std::optional<HttpOverride> http, std::string details,
                           Done done, std::optional<OutcomeKind> answer) {
  fit_to_agents(record.answer.tasks, *registry.current());
  std::string webhook = record.webhook;
  std::string request_id = record.request_id;
  std::string key = record.delivery_key;
  bool deferred = record.verdict == store::Verdict::Deferred;
  store.accept(std::move(record), [self = shared_from_this(), webhook = std::move(webhook),
                                   request_id = std::move(request_id), key = std::move(key),
                                   http = std::move(http), details = std::move(details), deferred, answer,
                                   done = std::move(done)](Result<store::Accepted> accepted) mutable {
    if (!accepted) {
      Outcome outcome =
          refusal(OutcomeKind::Unavailable, "the delivery could not be stored; send it again later");
      outcome.reason = accepted.error().message;
      return self->finish(webhook, std::move(outcome), done);
    }
    const bool now_deferred = deferred && accepted->repeat == store::Repeat::None;
    const std::string former = accepted->former_id;
    Outcome outcome = outcome_of(std::move(*accepted));
    if (answer && outcome.repeat == store::Repeat::None) outcome.kind = *answer;
    outcome.details = std::move(details);
    outcome.http = std::move(http);
    if (outcome.repeat == store::Repeat::OtherKey || outcome.repeat == store::Repeat::OtherBody) {
      self->log.warn(
          outcome.repeat == store::Repeat::OtherKey
              ? "A signed body came again under another id; if it is a new event, replay the delivery"
              : "A delivery's id came again with another body; the first one counts",
          {{"webhook", webhook}, {"request", request_id}, {"id", key}, {"delivery", outcome.delivery_id}});
    } else if (!former.empty()) {
      self->log.warn(
          "The id of a failed delivery came again with another body; both are kept, the new one counts",
          {{"webhook", webhook},
           {"request", request_id},
           {"id", key},
           {"delivery", outcome.delivery_id},
           {"failed", former}});
    } else if (self->log.enabled(LogLevel::Info)) {
      self->log.info("A delivery was stored",
                     {{"webhook", webhook},
                      {"request", request_id},
                      {"delivery", outcome.delivery_id},
                      {"outcome", label_of(outcome.kind)},
                      {"task", outcome.task_ids.empty() ? "-" : outcome.task_ids.front()},
                      {"tasks", outcome.task_ids.size()}});
      for (std::size_t i = 1; i < outcome.task_ids.size(); ++i)
        self->log.info("A delivery has another task", {{"webhook", webhook},
                                                       {"request", request_id},
                                                       {"delivery", outcome.delivery_id},
                                                       {"task", outcome.task_ids[i]}});
    }
    if (now_deferred) {
      WallTime again = self->clock.wall() + self->options.deferred_backoff;
      self->runners->post([self, again] { self->reruns->look_again_at(again); });
    }
    self->finish(webhook, std::move(outcome), done);
  });
}

void Ingest::Parts::finish(std::string_view webhook, Outcome outcome, const Done& done) {
  if (!webhook.empty()) metrics.delivery_decided(webhook, label_of(outcome));
  done(std::move(outcome));
}

}  // namespace davit::ingest
