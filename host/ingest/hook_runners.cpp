#include "host/ingest/hook_runners.h"

#include <csignal>
#include <future>
#include <mutex>
#include <set>
#include <utility>

#include "host/isolation/protocol.h"

namespace davit::ingest {
namespace {

constexpr std::size_t kAsideAtOnce = 8;

}  // namespace

Result<std::shared_ptr<HookRunners>> HookRunners::start(isolation::KnownChildren& children,
                                                        const isolation::PoolOptions& pool, Log& log,
                                                        const Clock& clock, metrics::Metrics& metrics) {
  std::shared_ptr<HookRunners> runners(new HookRunners(metrics));
  runners->loop_ = TRY(isolation::Loop::start("davit-ingest"));
  runners->aside_ = std::make_unique<SideThreads>("davit-rerun", kAsideAtOnce);
  std::promise<void> made;
  runners->loop_->post([&] {
    runners->pool_ = std::make_unique<isolation::RunnerPool>(*runners->loop_, children, pool, log, clock);
    made.set_value();
  });
  made.get_future().wait();
  return runners;
}

void HookRunners::end(const std::function<void()>& last) {
  {
    std::unique_lock lock(life_);
    ended_ = true;
  }
  aside_.reset();
  std::promise<void> gone;
  loop_->post([&] {
    last();
    pool_.reset();
    gone.set_value();
  });
  gone.get_future().wait();
  loop_.reset();
}

bool HookRunners::post(std::function<void()> function) {
  std::shared_lock lock(life_);
  if (ended_) return false;
  loop_->post(std::move(function));
  return true;
}

Result<> HookRunners::run_aside(std::function<void()> job) {
  std::shared_lock lock(life_);
  if (ended_) return {};
  return aside_->run(std::move(job));
}

isolation::RunnerPool::Stats HookRunners::stats() const { return pool_->stats(); }

isolation::Call HookRunners::counted(const plugin::Webhook& webhook, isolation::Call call) {
  call.on_end = [&metrics = metrics_, name = webhook.settings.instance,
                 on_end = std::move(call.on_end)](isolation::CallOutcome outcome) {
    if (outcome.end != isolation::CallEnd::Answered)
      metrics.runner_ended(PluginKind::Webhook, to_string(outcome.end));
    // Killed from outside, as by the kernel when memory is short, is no crash of the plugin.
    if (outcome.end == isolation::CallEnd::Crashed && outcome.signal != SIGKILL) metrics.plugin_crashed(name, "hooks");
    on_end(std::move(outcome));
  };
  return call;
}

void HookRunners::call(const std::shared_ptr<const plugin::Webhook>& webhook, isolation::Call call) {
  pool_->call(spec_of(webhook), counted(*webhook, std::move(call)));
}

void HookRunners::call_without_effects(const plugin::Webhook& webhook, isolation::Call call) {
  isolation::RunnerSpec spec = isolation::runner_spec_of(webhook);
  spec.without_effects = true;
  spec.calls_per_runner = 1;
  pool_->call(spec, counted(webhook, std::move(call)));
}

void HookRunners::keep(const plugin::Snapshot& snapshot) {
  // What was replaced goes with its last call: nobody is to hold its generation for the sake of a spec.
  std::erase_if(specs_, [&](const auto& entry) {
    const auto now = snapshot.webhooks.find(entry.second.webhook->settings.instance);
    return now == snapshot.webhooks.end() || now->second != entry.second.webhook;
  });
  std::set<std::string> needed;  // keys
  for (const auto& [name, webhook] : snapshot.webhooks) {
    if (webhook->state == plugin::ServingState::Serving && !webhook->in_process)
      needed.insert(spec_of(webhook)->key());
  }
  pool_->retire([&](const isolation::RunnerSpec& spec) {
    return !needed.contains(isolation::PreparedSpec::make(spec)->key());
  });
}

const std::shared_ptr<const isolation::PreparedSpec>& HookRunners::spec_of(
    const std::shared_ptr<const plugin::Webhook>& webhook) {
  auto found = specs_.find(webhook.get());
  if (found != specs_.end()) return found->second.prepared;
  // A new snapshot brings new Webhook objects: forget those that nobody else holds any more.
  std::erase_if(specs_, [](const auto& entry) { return entry.second.webhook.use_count() == 1; });
  return specs_
      .emplace(webhook.get(),
               Spec{webhook, isolation::PreparedSpec::make(isolation::runner_spec_of(*webhook))})
      .first->second.prepared;
}

std::vector<LogField> ids_of(const Delivery& delivery) {
  return {{"request", delivery.request_id}, {"delivery", delivery.id}};
}

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

void note_timings(metrics::Metrics& metrics, const std::string& webhook, const plugin::HookTimings& timings) {
  auto ran = [&](std::string_view hook, std::chrono::microseconds took) {
    if (took.count() >= 0) metrics.hook_ran(webhook, hook, took);
  };
  ran("validate_signature", timings.verify);
  ran("parse_payload", timings.parse);
  ran("should_process", timings.decide);
  ran("handle", timings.handle);
}

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

}  // namespace davit::ingest
