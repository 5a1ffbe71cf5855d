// The life of a delivery before it is a task:
//
//   receive ── limits ── verify ── gate ──┬─ in process: hooks here ──────────────┐
//                │        │        │      └─ process: hooks in a runner ──┬───────┼─ store.accept ─ done
//                └────────┴────────┴─ refuse: counted, sampled            │       │
//                                              crashed, hung, late ───────┘ Deferred
//
//   run_deferred ── hooks in a runner or here ──┬─ store.settle_deferred
//                                               └─ store.defer_again (back-off, parked at the cap)
//
// Everything that touches the runner pool happens on the loop's thread. A call in flight holds the Parts, so
// that an answer that comes after the end of Ingest finds them.
#include "host/ingest/ingest.h"

#include <algorithm>
#include <atomic>
#include <future>
#include <map>
#include <mutex>
#include <set>
#include <shared_mutex>

#include "host/ingest/address_limit.h"
#include "host/ingest/record.h"
#include "host/ingest/refusals.h"
#include "host/isolation/protocol.h"
#include "host/plugin/webhook_verification.h"

namespace davit::ingest {
namespace {

constexpr Duration kQuarantineRetry{300'000};
constexpr int kDeferredLooks = 256;
constexpr std::chrono::seconds kRefusalsTogether{1};
constexpr std::size_t kDeferredPerWebhook = 4;

// What a webhook's runners are started from, with the webhook it was made of.
struct Spec {
  std::shared_ptr<const plugin::Webhook> webhook;
  std::shared_ptr<const isolation::PreparedSpec> prepared;
};

bool is_json(std::string_view media_type) { return media_type.find("json") != std::string_view::npos; }

std::string_view content_type_of(const Delivery& delivery) {
  auto values = header_values(delivery, "content-type");
  return values.empty() ? std::string_view() : values.front();
}

OutcomeKind kind_of(const store::Accepted& accepted) {
  if (accepted.repeat != store::Repeat::None) return OutcomeKind::Duplicate;
  switch (accepted.verdict) {
    case store::Verdict::Queued:
      return OutcomeKind::Queued;
    case store::Verdict::Ignored:
      return OutcomeKind::Ignored;
    case store::Verdict::Error:
      return OutcomeKind::Error;
    case store::Verdict::Deferred:
    case store::Verdict::Parked:
      return OutcomeKind::Deferred;
  }
  return OutcomeKind::Ignored;
}

std::string_view label_of(OutcomeKind kind) {
  switch (kind) {
    case OutcomeKind::Queued:
      return "queued";
    case OutcomeKind::Ignored:
      return "ignored";
    case OutcomeKind::Deferred:
      return "deferred";
    case OutcomeKind::Duplicate:
      return "duplicate";
    case OutcomeKind::Error:
      return "error";
    case OutcomeKind::Malformed:
      return "malformed";
    case OutcomeKind::Unauthorized:
      return "unauthorized";
    case OutcomeKind::NotFound:
      return "not_found";
    case OutcomeKind::TooLarge:
      return "too_large";
    case OutcomeKind::UnsupportedMedia:
      return "unsupported_media";
    case OutcomeKind::RateLimited:
      return "rate_limited";
    case OutcomeKind::Unavailable:
      return "unavailable";
  }
  return "unavailable";
}

std::string_view label_of(const Outcome& outcome) {
  switch (outcome.repeat) {
    case store::Repeat::OtherKey:
      return "duplicate_body";
    case store::Repeat::OtherBody:
      return "duplicate_id_other_body";
    default:
      return label_of(outcome.kind);
  }
}

std::string message_of(const store::Accepted& accepted) {
  switch (accepted.repeat) {
    case store::Repeat::None:
      return accepted.message;
    case store::Repeat::SameKey:
      return "seen before: " + accepted.message;
    case store::Repeat::OtherBody:
      return "this id was seen before with another body, which counts: " + accepted.message;
    case store::Repeat::OtherKey:
      return "this body was seen before under another id, as delivery " + accepted.delivery_id + ": " +
             accepted.message;
  }
  return accepted.message;
}

Outcome refusal(OutcomeKind kind, std::string message) {
  Outcome outcome;
  outcome.kind = kind;
  outcome.message = std::move(message);
  if (kind == OutcomeKind::Unavailable) outcome.retry_after = Duration{5'000};
  return outcome;
}

Outcome too_many(std::string message, std::chrono::nanoseconds wait) {
  Outcome outcome = refusal(OutcomeKind::RateLimited, std::move(message));
  outcome.retry_after = std::chrono::ceil<Duration>(wait);
  return outcome;
}

// A refusal by verification, told to the sender: every cause of Unauthorized looks the same.
Outcome refusal_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::Unauthorized:
      return refusal(OutcomeKind::Unauthorized, "the signature is missing or wrong");
    case ErrorCode::NotImplemented:
      return refusal(OutcomeKind::UnsupportedMedia, error.message);
    case ErrorCode::TooLarge:
      return refusal(OutcomeKind::TooLarge, error.message);
    case ErrorCode::InvalidInput:
      return refusal(OutcomeKind::Malformed, error.message);
    default:
      return refusal(OutcomeKind::Unavailable, "the delivery could not be checked; send it again later");
  }
}

// What a webhook answers before anything is verified; nothing is stored.
Outcome early_answer(WebhookAnswer answer) {
  Outcome outcome;
  outcome.kind = OutcomeKind::Ignored;
  outcome.message = std::move(answer.message);
  outcome.http = std::move(answer.http);
  return outcome;
}

// A body that claims to be JSON is JSON, within our limits, before a plugin sees it.
std::optional<Outcome> gate(const Delivery& delivery) {
  if (delivery.body.empty() || !is_json(content_type_of(delivery))) return std::nullopt;
  auto checked = check_json(delivery.body);
  if (checked) return std::nullopt;
  return refusal(OutcomeKind::Malformed, checked.error().message);
}

// What the operator said about an agent holds for each of its tasks. One for an agent that is not loaded
// waits for it, with the defaults.
void fit_to_agents(std::vector<NewTask>& tasks, const plugin::Snapshot& snapshot) {
  for (NewTask& task : tasks) {
    if (auto agent = snapshot.agent(task.agent)) {
      task.max_retries = agent->max_retries;
      task.awaits_approval = agent->requires_approval;
    }
  }
}

// What a runner said, or why it said nothing.
Result<plugin::HookOutcome> said_by(const isolation::CallOutcome& ended) {
  switch (ended.end) {
    case isolation::CallEnd::Answered:
      return isolation::hook_outcome_from(ended.answer);
    case isolation::CallEnd::TimedOut:
      return Error{ErrorCode::Deadline, "the hooks did not answer in time"};
    case isolation::CallEnd::Crashed:
      return Error{ErrorCode::Internal, "the runner crashed: " + ended.detail};
    case isolation::CallEnd::Cancelled:
      return Error{ErrorCode::Cancelled, "the call was cancelled"};
    case isolation::CallEnd::Refused:
    case isolation::CallEnd::SpawnFailed:
    case isolation::CallEnd::BrokeProtocol:
      return Error{ErrorCode::Internal, ended.detail};
  }
  return Error{ErrorCode::Internal, ended.detail};
}

// May the same hooks succeed later, with the same bytes?
bool worth_another_try(ErrorCode code) {
  switch (code) {
    case ErrorCode::Deadline:
    case ErrorCode::Internal:
    case ErrorCode::Unavailable:
    case ErrorCode::Overloaded:
    case ErrorCode::Cancelled:
      return true;
    default:
      return false;
  }
}

// A delivery that the hooks will not take, told to its sender.
std::optional<Outcome> refusal_by_hooks(const Error& error) {
  switch (error.code) {
    case ErrorCode::InvalidInput:
    case ErrorCode::TooLarge:
      return refusal(OutcomeKind::Malformed, error.message);
    case ErrorCode::Unauthorized:
      return refusal(OutcomeKind::Unauthorized, "the signature is missing or wrong");
    case ErrorCode::RateLimited: {
      Outcome outcome = refusal(OutcomeKind::RateLimited, error.message);
      outcome.retry_after = Duration{60'000};
      return outcome;
    }
    default:
      return std::nullopt;
  }
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

  // The loop goes while the store's writer may still call back: who is not on the loop posts through post().
  std::shared_mutex life;
  bool ended = false;
  std::unique_ptr<isolation::Loop> loop;

  // Loop thread only.
  std::unique_ptr<isolation::RunnerPool> pool;
  std::map<const plugin::Webhook*, Spec> specs;
  std::map<std::string, std::set<std::string>> deferred_in_flight;  // ids by webhook
  isolation::Loop::TimerId deferred_timer = 0;
  WallTime deferred_at{};  // when the timer fires
  MonotonicTime refusals_written{};

  std::atomic<std::size_t> in_runners{0};

  bool post(std::function<void()> function);
  const std::shared_ptr<const isolation::PreparedSpec>& spec_of(
      const std::shared_ptr<const plugin::Webhook>& webhook);
  void receive(Delivery delivery, Done done);
  void verify_in_runner(std::shared_ptr<const plugin::Webhook> webhook, Delivery delivery, Done done);
  void conclude_own_check(const plugin::Webhook& webhook, Delivery delivery, Result<plugin::HookOutcome> said,
                          Done done);
  std::optional<Outcome> too_many_verified(const plugin::Webhook& webhook);
  void refuse(const plugin::Webhook& webhook, const Delivery& delivery, std::string_view cause,
              Outcome outcome, const Done& done);
  void write_refusals();
  void run_here(const plugin::Webhook& webhook, VerifiedDelivery delivery, Done done);
  void run_in_runner(std::shared_ptr<const plugin::Webhook> webhook, VerifiedDelivery delivery, Done done);
  void conclude(const plugin::Webhook& webhook, const VerifiedDelivery& delivery,
                Result<plugin::HookOutcome> said, Done done);
  void commit(store::NewDelivery record, std::optional<HttpOverride> http, std::string details, Done done);
  void finish(std::string_view webhook, Outcome outcome, const Done& done);
  void note_timings(const std::string& webhook, const plugin::HookTimings& timings);

  void plugins_changed();
  void run_deferred();
  void run_one_deferred(std::shared_ptr<const store::DeferredDelivery> deferred);
  void conclude_deferred(const store::DeferredDelivery& deferred, const plugin::Webhook& webhook,
                         const VerifiedDelivery& delivery, Result<plugin::HookOutcome> said);
  void put_off(const store::DeferredDelivery& deferred, std::string reason, int max_tries);
  void deferred_done(const std::string& webhook, const std::string& id);
  void run_again(std::shared_ptr<const plugin::Webhook> webhook,
                 std::shared_ptr<const store::DeferredDelivery> stored,
                 std::function<void(const VerifiedDelivery&, Result<plugin::HookOutcome>)> end);
  Result<std::shared_ptr<const plugin::Webhook>> serving(const std::string& name) const;
  void rehearse(const std::string& id, const std::function<void(Result<store::NewDelivery>)>& done);
  void replay(const std::string& id, const std::string& by, std::function<void(Result<std::string>)> done);
  void arm_deferred_timer(WallTime at);
};

Ingest::Ingest(std::shared_ptr<Parts> parts) : parts_(std::move(parts)) {}

Result<std::unique_ptr<Ingest>> Ingest::start(const Needs& needs, Options options) {
  auto parts = std::make_shared<Parts>(needs, std::move(options));
  parts->loop = TRY(isolation::Loop::start("davit-ingest"));
  isolation::KnownChildren& children = needs.children;
  std::promise<void> made;
  parts->loop->post([&] {
    parts->pool = std::make_unique<isolation::RunnerPool>(*parts->loop, children, parts->options.pool,
                                                          parts->log, parts->clock);
    made.set_value();
  });
  made.get_future().wait();
  return std::unique_ptr<Ingest>(new Ingest(std::move(parts)));
}

Ingest::~Ingest() {
  {
    std::unique_lock lock(parts_->life);
    parts_->ended = true;
  }
  std::promise<void> gone;
  parts_->loop->post([&] {
    parts_->write_refusals();
    parts_->pool.reset();
    gone.set_value();
  });
  gone.get_future().wait();
  parts_->loop.reset();
}

// False, and the function dropped, once Ingest has ended.
bool Ingest::Parts::post(std::function<void()> function) {
  std::shared_lock lock(life);
  if (ended) return false;
  loop->post(std::move(function));
  return true;
}

isolation::RunnerPool::Stats Ingest::runners() const { return parts_->pool->stats(); }

std::size_t Ingest::body_limit(std::string_view name) const {
  auto snapshot = parts_->registry.current();
  const plugin::Webhook* webhook = snapshot->webhook(name);
  return webhook ? webhook->max_body_bytes : 64u << 10;
}

void Ingest::receive(Delivery delivery, Done done) { parts_->receive(std::move(delivery), std::move(done)); }

void Ingest::plugins_changed() {
  parts_->post([parts = parts_] { parts->plugins_changed(); });
}

void Ingest::run_deferred() {
  parts_->post([parts = parts_] { parts->run_deferred(); });
}

void Ingest::replay(const std::string& delivery_id, const std::string& by,
                    std::function<void(Result<std::string>)> done) {
  parts_->replay(delivery_id, by, std::move(done));
}

void Ingest::rehearse(std::string delivery_id, std::function<void(Result<store::NewDelivery>)> done) {
  auto shared = std::make_shared<std::function<void(Result<store::NewDelivery>)>>(std::move(done));
  const bool posted =
      parts_->post([parts = parts_, id = std::move(delivery_id), shared] { parts->rehearse(id, *shared); });
  if (!posted) (*shared)(Error{ErrorCode::Unavailable, "the host stops"});
}

// ---- before the answer ----

void Ingest::Parts::receive(Delivery delivery, Done done) {
  auto snapshot = registry.current();
  auto found = snapshot->webhooks.find(delivery.webhook);
  if (found == snapshot->webhooks.end() || found->second->state == plugin::ServingState::Disabled ||
      found->second->state == plugin::ServingState::Missing) {
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
    return refuse(*webhook, delivery, to_string(webhook->state), std::move(outcome), done);
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
    if (early && *early) return finish(delivery.webhook, early_answer(std::move(**early)), done);
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
  if (auto fault = gate(verified->delivery())) {
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
    post([self = shared_from_this()] {
      const MonotonicTime due = self->refusals_written + kRefusalsTogether;
      const auto delay = std::chrono::ceil<Duration>(due - self->clock.monotonic());
      if (delay.count() <= 0) return self->write_refusals();
      self->loop->after(delay, [self] { self->write_refusals(); });
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
  conclude(webhook, delivery, std::move(said), std::move(done));
}

// ---- hooks in a runner ----

const std::shared_ptr<const isolation::PreparedSpec>& Ingest::Parts::spec_of(
    const std::shared_ptr<const plugin::Webhook>& webhook) {
  auto found = specs.find(webhook.get());
  if (found != specs.end()) return found->second.prepared;
  // A new snapshot brings new Webhook objects: forget those that nobody else holds any more.
  std::erase_if(specs, [](const auto& entry) { return entry.second.webhook.use_count() == 1; });
  return specs
      .emplace(webhook.get(),
               Spec{webhook, isolation::PreparedSpec::make(isolation::runner_spec_of(*webhook))})
      .first->second.prepared;
}

void Ingest::Parts::plugins_changed() {
  auto snapshot = registry.current();
  std::set<std::string> needed;  // keys
  for (const auto& [name, webhook] : snapshot->webhooks) {
    if (webhook->state == plugin::ServingState::Serving && !webhook->in_process)
      needed.insert(spec_of(webhook)->key());
  }
  pool->retire([&](const isolation::RunnerSpec& spec) {
    return !needed.contains(isolation::PreparedSpec::make(spec)->key());
  });
}

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
  post([self = shared_from_this(), webhook, waiting, deadline] {
    isolation::Call call;
    isolation::set_request(call, isolation::webhook_run_request(waiting->first));
    call.deadline = deadline;
    call.cancel_grace = Duration{0};  // the sender waits: a hook that is late is killed at once
    call.on_end = [self, webhook, waiting](isolation::CallOutcome outcome) {
      self->in_runners.fetch_sub(1);
      self->conclude(*webhook, waiting->first, said_by(outcome), std::move(waiting->second));
    };
    self->pool->call(self->spec_of(webhook), std::move(call));
  });
}

// The plugin checks the signature itself, in its runner. Nothing of the delivery is kept if that does not say
// yes, so a runner that crashes here costs the sender a 503 and not us an unverified row.
void Ingest::Parts::verify_in_runner(std::shared_ptr<const plugin::Webhook> webhook, Delivery delivery,
                                     Done done) {
  if (auto fault = gate(delivery)) return refuse(*webhook, delivery, "json", std::move(*fault), done);
  auto waiting = std::make_shared<std::pair<Delivery, Done>>(std::move(delivery), std::move(done));
  if (in_runners.fetch_add(1) >= options.max_in_runners) {
    in_runners.fetch_sub(1);
    return refuse(*webhook, waiting->first, "overload",
                  refusal(OutcomeKind::Unavailable, "too many deliveries wait"), waiting->second);
  }
  MonotonicTime deadline = clock.monotonic() + webhook->settings.answer_within;
  post([self = shared_from_this(), webhook, waiting, deadline] {
    isolation::Call call;
    auto ids = header_values(waiting->first, webhook->delivery_id_header);
    isolation::set_request(call,
                           isolation::webhook_verify_and_run_request(
                               waiting->first, ids.empty() ? std::string_view() : ids.front(), ids.empty()));
    call.deadline = deadline;
    call.cancel_grace = Duration{0};
    call.on_end = [self, webhook, waiting](isolation::CallOutcome outcome) {
      self->in_runners.fetch_sub(1);
      self->conclude_own_check(*webhook, std::move(waiting->first), said_by(outcome),
                               std::move(waiting->second));
    };
    self->pool->call(self->spec_of(webhook), std::move(call));
  });
}

// One call has checked the signature and run the hooks. Only hooks that answered prove that the signature was
// good.
void Ingest::Parts::conclude_own_check(const plugin::Webhook& webhook, Delivery delivery,
                                       Result<plugin::HookOutcome> said, Done done) {
  const std::string& name = webhook.settings.instance;
  if (!said && said.error().code != ErrorCode::Unauthorized && worth_another_try(said.error().code)) {
    log.warn("A delivery could not be checked by its plugin",
             {{"webhook", name}, {"reason", said.error().message}});
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
  conclude(webhook, *verified, std::move(said), std::move(done));
}

// ---- what the hooks said, and the commit ----

void Ingest::Parts::conclude(const plugin::Webhook& webhook, const VerifiedDelivery& delivery,
                             Result<plugin::HookOutcome> said, Done done) {
  const std::string& name = webhook.settings.instance;
  if (said) {
    note_timings(name, said->timings);
    return commit(record_of(webhook, delivery, *said), said->answer.http, said->answer.details,
                  std::move(done));
  }
  if (auto refused = refusal_by_hooks(said.error())) {
    log.info("A delivery was refused by its webhook", {{"webhook", name},
                                                       {"request", delivery.delivery().request_id},
                                                       {"code", to_string(said.error().code)},
                                                       {"reason", said.error().message}});
    return refuse(webhook, delivery.delivery(), to_string(said.error().code), std::move(*refused), done);
  }
  log.warn("The hooks of a webhook failed; the delivery is kept and they run again",
           {{"webhook", name}, {"delivery", delivery.delivery().id}, {"reason", said.error().message}});
  store::NewDelivery record = deferred_record(webhook, delivery, said.error().message);
  record.due_at = clock.wall() + options.deferred_backoff;
  commit(std::move(record), std::nullopt, "{}", std::move(done));
}

void Ingest::Parts::commit(store::NewDelivery record, std::optional<HttpOverride> http, std::string details,
                           Done done) {
  fit_to_agents(record.answer.tasks, *registry.current());
  std::string webhook = record.webhook;
  std::string request_id = record.request_id;
  std::string key = record.delivery_key;
  bool deferred = record.verdict == store::Verdict::Deferred;
  store.accept(std::move(record), [self = shared_from_this(), webhook = std::move(webhook),
                                   request_id = std::move(request_id), key = std::move(key),
                                   http = std::move(http), details = std::move(details), deferred,
                                   done = std::move(done)](Result<store::Accepted> accepted) mutable {
    if (!accepted) {
      Outcome outcome =
          refusal(OutcomeKind::Unavailable, "the delivery could not be stored; send it again later");
      self->log.error("A delivery could not be stored",
                      {{"webhook", webhook}, {"reason", accepted.error().message}});
      return self->finish(webhook, std::move(outcome), done);
    }
    Outcome outcome;
    outcome.kind = kind_of(*accepted);
    outcome.deferred =
        accepted->verdict == store::Verdict::Deferred || accepted->verdict == store::Verdict::Parked;
    outcome.repeat = accepted->repeat;
    outcome.message = message_of(*accepted);
    outcome.delivery_id = std::move(accepted->delivery_id);
    outcome.task_ids = std::move(accepted->task_ids);
    outcome.details = std::move(details);
    outcome.http = std::move(http);
    if (outcome.repeat == store::Repeat::OtherKey || outcome.repeat == store::Repeat::OtherBody) {
      self->log.warn(
          outcome.repeat == store::Repeat::OtherKey
              ? "A signed body came again under another id; if it is a new event, replay the delivery"
              : "A delivery's id came again with another body; the first one counts",
          {{"webhook", webhook}, {"request", request_id}, {"id", key}, {"delivery", outcome.delivery_id}});
    } else if (!accepted->former_id.empty()) {
      self->log.warn(
          "The id of a failed delivery came again with another body; both are kept, the new one counts",
          {{"webhook", webhook},
           {"request", request_id},
           {"id", key},
           {"delivery", outcome.delivery_id},
           {"failed", accepted->former_id}});
    } else if (self->log.enabled(LogLevel::Info)) {
      self->log.info("A delivery was stored",
                     {{"webhook", webhook},
                      {"request", request_id},
                      {"delivery", outcome.delivery_id},
                      {"outcome", label_of(outcome.kind)},
                      {"task", outcome.task_ids.empty() ? "-" : outcome.task_ids.front()},
                      {"tasks", outcome.task_ids.size()}});
    }
    if (deferred && accepted->repeat == store::Repeat::None) {
      WallTime again = self->clock.wall() + self->options.deferred_backoff;
      self->post([self, again] { self->arm_deferred_timer(again); });
    }
    self->finish(webhook, std::move(outcome), done);
  });
}

void Ingest::Parts::finish(std::string_view webhook, Outcome outcome, const Done& done) {
  if (!webhook.empty()) metrics.delivery_decided(webhook, label_of(outcome));
  done(std::move(outcome));
}

void Ingest::Parts::note_timings(const std::string& webhook, const plugin::HookTimings& timings) {
  auto ran = [&](std::string_view hook, std::chrono::microseconds took) {
    if (took.count() >= 0) metrics.hook_ran(webhook, hook, took);
  };
  ran("validate_signature", timings.verify);
  ran("parse_payload", timings.parse);
  ran("should_process", timings.decide);
  ran("handle", timings.handle);
}

// ---- deferred deliveries ----

void Ingest::Parts::arm_deferred_timer(WallTime at) {
  if (deferred_timer != 0) {
    if (deferred_at <= at) return;  // the earlier one counts: it looks again for the rest
    loop->cancel(deferred_timer);
  }
  deferred_at = at;
  Duration delay = std::max(Duration{10}, at - clock.wall());
  deferred_timer = loop->after(delay, [self = shared_from_this()] {
    self->deferred_timer = 0;
    self->run_deferred();
  });
}

void Ingest::Parts::run_deferred() {
  // More than may run at once, so that the ones of a webhook that hangs do not hide those of the others.
  auto due = store.due_deferred(kDeferredLooks);
  if (!due) {
    log.error("Deferred deliveries could not be read", {{"reason", due.error().message}});
    return arm_deferred_timer(clock.wall() + Duration{30'000});
  }
  for (store::DeferredDelivery& deferred : *due) {
    std::set<std::string>& running = deferred_in_flight[deferred.delivery.webhook];
    if (running.size() >= kDeferredPerWebhook || !running.insert(deferred.delivery.id).second) continue;
    run_one_deferred(std::make_shared<const store::DeferredDelivery>(std::move(deferred)));
  }
  // What is due and waits for its turn is started when another one ends; the timer is for what is due later.
  auto next = store.next_deferred_at();
  if (next && *next && **next > clock.wall()) arm_deferred_timer(**next);
}

void Ingest::Parts::run_one_deferred(std::shared_ptr<const store::DeferredDelivery> deferred) {
  auto snapshot = registry.current();
  auto found = snapshot->webhooks.find(deferred->delivery.webhook);
  if (found == snapshot->webhooks.end() || found->second->state != plugin::ServingState::Serving) {
    // Not the delivery's fault: it waits, uncounted by the cap, until its webhook serves again.
    return put_off(*deferred, "its webhook does not serve at the moment", 1'000'000);
  }
  std::shared_ptr<const plugin::Webhook> webhook = found->second;
  run_again(webhook, deferred,
            [self = shared_from_this(), deferred, webhook](const VerifiedDelivery& delivery,
                                                           Result<plugin::HookOutcome> said) {
              self->conclude_deferred(*deferred, *webhook, delivery, std::move(said));
            });
}

// The hooks on a stored delivery; nobody waits for an answer within `answer_within`.
void Ingest::Parts::run_again(std::shared_ptr<const plugin::Webhook> webhook,
                              std::shared_ptr<const store::DeferredDelivery> stored,
                              std::function<void(const VerifiedDelivery&, Result<plugin::HookOutcome>)> end) {
  auto verified = std::make_shared<VerifiedDelivery>(delivery_again(std::move(stored)));
  MonotonicTime deadline = clock.monotonic() + options.deferred_deadline;
  if (webhook->in_process) return end(*verified, webhook->in_process->run(*verified, deadline));
  isolation::Call call;
  isolation::set_request(call, isolation::webhook_run_request(*verified));
  call.deadline = deadline;
  call.cancel_grace = Duration{0};
  call.on_end = [verified, end = std::move(end)](isolation::CallOutcome outcome) {
    end(*verified, said_by(outcome));
  };
  pool->call(spec_of(webhook), std::move(call));
}

// For what a person asks for, who is told why it cannot be.
Result<std::shared_ptr<const plugin::Webhook>> Ingest::Parts::serving(const std::string& name) const {
  auto snapshot = registry.current();
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

void Ingest::Parts::replay(const std::string& id, const std::string& by,
                           std::function<void(Result<std::string>)> done) {
  auto stored = store.delivery_to_run(id);
  if (!stored) return done(stored.error());
  if (auto webhook = serving(stored->delivery.webhook); !webhook) return done(webhook.error());
  store.replay(id, by, [self = shared_from_this(), id, by, done = std::move(done)](Result<std::string> made) {
    if (made) {
      self->log.info("A delivery is run again", {{"delivery", *made}, {"replay_of", id}, {"by", by}});
      self->post([self] { self->run_deferred(); });
    }
    done(std::move(made));
  });
}

void Ingest::Parts::rehearse(const std::string& id,
                             const std::function<void(Result<store::NewDelivery>)>& done) {
  auto stored = store.delivery_to_run(id);
  if (!stored) return done(stored.error());
  auto found = serving(stored->delivery.webhook);
  if (!found) return done(found.error());
  std::shared_ptr<const plugin::Webhook> webhook = *found;
  run_again(webhook, std::make_shared<const store::DeferredDelivery>(std::move(*stored)),
            [self = shared_from_this(), webhook, done](const VerifiedDelivery& delivery,
                                                       Result<plugin::HookOutcome> said) {
              if (said) {
                store::NewDelivery record = record_of(*webhook, delivery, *said);
                fit_to_agents(record.answer.tasks, *self->registry.current());
                return done(std::move(record));
              }
              const std::string& reason = said.error().message;
              store::NewDelivery record = worth_another_try(said.error().code)
                                              ? deferred_record(*webhook, delivery, reason)
                                              : refused_record(*webhook, delivery, reason);
              record.answer.message = reason;
              done(std::move(record));
            });
}

void Ingest::Parts::conclude_deferred(const store::DeferredDelivery& deferred, const plugin::Webhook& webhook,
                                      const VerifiedDelivery& delivery, Result<plugin::HookOutcome> said) {
  if (!said && worth_another_try(said.error().code)) {
    return put_off(deferred, said.error().message, webhook.settings.max_retries_of_deferred);
  }
  store::NewDelivery record;
  if (said) {
    note_timings(webhook.settings.instance, said->timings);
    record = record_of(webhook, delivery, *said);
    fit_to_agents(record.answer.tasks, *registry.current());
  } else {
    record = refused_record(webhook, delivery, said.error().message);
  }
  std::string id = deferred.delivery.id;
  store.settle_deferred(
      std::move(record),
      [self = shared_from_this(), id, webhook = deferred.delivery.webhook](Result<store::Accepted> settled) {
        if (!settled) {
          self->log.warn("A deferred delivery could not be settled",
                         {{"delivery", id}, {"reason", settled.error().message}});
        } else {
          self->log.info("A deferred delivery was settled",
                         {{"delivery", id}, {"tasks", settled->task_ids.size()}});
        }
        self->deferred_done(webhook, id);
      });
}

void Ingest::Parts::put_off(const store::DeferredDelivery& deferred, std::string reason, int max_tries) {
  Duration backoff = options.deferred_backoff * (1 << std::min(deferred.tries, 8));
  WallTime again = clock.wall() + std::min(backoff, Duration{600'000});
  std::string id = deferred.delivery.id;
  log.warn("A deferred delivery failed again",
           {{"delivery", id}, {"tries", deferred.tries + 1}, {"reason", reason}});
  store.defer_again(id, std::move(reason), again, max_tries,
                    [self = shared_from_this(), id, webhook = deferred.delivery.webhook](const Result<>&) {
                      self->deferred_done(webhook, id);
                    });
}

// On the writer thread, which outlives the loop.
void Ingest::Parts::deferred_done(const std::string& webhook, const std::string& id) {
  post([self = shared_from_this(), webhook, id] {
    self->deferred_in_flight[webhook].erase(id);
    self->run_deferred();
  });
}

}  // namespace davit::ingest
