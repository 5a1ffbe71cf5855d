// Asks GitHub to deliver again what it could not deliver, once each: GitHub itself never does. Made for a
// schedule. README.md states the rules.
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "asked.h"
#include "davit/agent.hpp"
#include "github_api/api.h"
#include "missed.h"
#include "settings.h"

namespace redelivery {
namespace {

using davit::AgentContext;
using davit::AgentResult;
using davit::Decision;
using davit::ErrorClass;
using davit::Failure;
using davit::Json;
using davit::Run;
using davit::Status;
using github::Hook;
using github::HookDelivery;

constexpr int kMostPages = 200;               // of 100 deliveries, of one hook
constexpr int kMostRefusals = 3;              // one after the other, of one hook
constexpr std::chrono::seconds kReserve{30};  // before the deadline nothing more is asked for

// What became of one hook.
struct Tally {
  std::size_t listed = 0, missed = 0, asked = 0, asked_before = 0, failed_again = 0, gone = 0, left = 0;
  int refusals = 0;  // since the last one that was taken
  bool all_listed = true;
  std::optional<Failure> failure;  // the first

  Json json(const std::string& name) const {
    Json json = Json::object({{"hook", name},
                              {"listed", listed},
                              {"missed", missed},
                              {"asked", asked},
                              {"asked_before", asked_before},
                              {"failed_again", failed_again},
                              {"gone", gone},
                              {"left", left},
                              {"all_listed", all_listed}});
    if (failure) json.set("error", failure->what());
    return json;
  }
};

std::string told(const HookDelivery& delivery) {
  std::string event = delivery.event.empty() ? "event" : delivery.event;
  if (!delivery.action.empty()) event += " " + delivery.action;
  return event + " " + delivery.guid + ", " +
         (delivery.status == 0 ? "not answered" : "answered " + std::to_string(delivery.status));
}

class RedeliveryAgent : public davit::Agent {
 public:
  davit::AgentMetadata metadata() const override {
    return {.name = "redelivery-agent",
            .display_name = "Redelivery Agent",
            .description = "Asks GitHub to deliver again what it could not deliver, once each",
            .capabilities = {davit::AgentCapability::Monitoring},
            .enabled = false,
            .timeout_seconds = 900,
            .config_schema = config_schema(),
            .secrets = {github::kTokenGrant, github::kAppKeyGrant}};
  }

  void configure(const Json& config) override { settings_ = Settings::from(config); }

  Decision pre_execute(const AgentContext& context) override {
    if (settings_.hooks.empty())
      return Decision::no("config.hooks names no hook: add {repository: owner/name, id: NUMBER}");
    try {
      for (const Hook& hook : settings_.hooks) github::Api(account_for(hook, context), {});
    } catch (const Failure& failure) {
      return Decision::no(failure.what());
    }
    return true;
  }

  // A limit is GitHub's for all hooks, so it ends the execution; what else happens to a hook is its own.
  AgentResult execute(const AgentContext& context, Run& run) override {
    Json hooks = Json::array();
    std::size_t asked = 0;
    std::optional<Failure> failure;
    for (const Hook& hook : settings_.hooks) {
      const std::string name = name_of(hook);
      run.progress(-1, "hook", name);
      Tally tally;
      try {
        serve(hook, context, run, static_cast<std::size_t>(settings_.most) - asked, tally);
      } catch (const Failure& thrown) {
        if (thrown.status() == Status::RateLimited || thrown.status() == Status::Cancelled) throw;
        tally.failure = thrown;
      }
      asked += tally.asked;
      hooks.push_back(tally.json(name));
      if (!tally.failure) continue;
      run.transcript("error", name + ": " + tally.failure->what());
      const Failure named(tally.failure->status(), name + ": " + tally.failure->what());
      if (!failure || named.status() == Status::Retryable) failure = named;
    }
    AgentResult result = failure ? AgentResult::failed(failure->what(), failure->status() == Status::Retryable
                                                                            ? ErrorClass::Retryable
                                                                            : ErrorClass::Permanent)
                                 : AgentResult::ok();
    result.output = Json::object({{"asked", asked}, {"hooks", std::move(hooks)}});
    return std::move(result).metric("asked", static_cast<double>(asked));
  }

 private:
  // For a repository's hook an App's token is good for nothing else.
  github::Account account_for(const Hook& hook, const AgentContext& context) const {
    github::Account account = settings_.github.account(host(), context.state_folder, hook.repo);
    if (!hook.repo.name.empty()) account.app.permissions = {{"repository_hooks", "write"}};
    if (!hook.organization.empty()) account.app.permissions = {{"organization_hooks", "write"}};
    return account;
  }

  void serve(const Hook& hook, const AgentContext& context, Run& run, std::size_t most, Tally& tally) {
    const auto now = std::chrono::floor<std::chrono::seconds>(host().now());
    Asked asked(context.state_folder / "redelivery", settings_.github.api + github::deliveries_path(hook),
                now);
    github::Waiting waiting;
    waiting.remaining = [&] { return run.remaining().value_or(std::chrono::hours(1)); };
    github::Api api(
        account_for(hook, context), [&] { return run.is_cancelled(); }, std::move(waiting));

    const Events events = list(api, hook, now - settings_.lookback, tally);
    const std::vector<HookDelivery> missed = events.missed();
    tally.listed = events.deliveries();
    tally.missed = missed.size();
    tally.failed_again = events.failed_again();
    for (const HookDelivery& delivery : missed) {
      if (asked.holds(delivery.guid)) {
        ++tally.asked_before;
      } else if (tally.asked == most || tally.refusals == kMostRefusals ||
                 run.remaining().value_or(kReserve * 2) < kReserve) {
        ++tally.left;
      } else {
        ask(api, hook, delivery, asked, run, tally);
      }
    }
  }

  static Events list(github::Api& api, const Hook& hook, std::chrono::sys_seconds since, Tally& tally) {
    Events events;
    std::string next;
    for (int pages = 0; pages < kMostPages; ++pages) {
      const github::DeliveryPage page = api.deliveries(hook, next);
      for (const HookDelivery& delivery : page.deliveries) {
        if (delivery.at < since) return events;
        events.add(delivery);
      }
      if (page.next.empty()) return events;
      next = page.next;
    }
    tally.all_listed = false;
    return events;
  }

  // A delivery that is gone is asked for never again; another refusal (a missing right, say) is the hook's
  // failure. When nobody knows whether it was taken, the failure is thrown and the doubt stays in `asked`.
  static void ask(github::Api& api, const Hook& hook, const HookDelivery& delivery, Asked& asked, Run& run,
                  Tally& tally) {
    asked.begin(delivery.guid);
    try {
      api.redeliver(hook, delivery.id);
      asked.done(delivery.guid);
      ++tally.asked;
      tally.refusals = 0;
      run.transcript("asked", told(delivery));
    } catch (const Failure& failure) {
      switch (failure.status()) {
        case Status::NotFound:
          asked.done(delivery.guid);
          ++tally.gone;
          break;
        case Status::RateLimited:
          asked.undo(delivery.guid);
          throw;
        case Status::Permanent:
        case Status::Unauthorized:
          asked.undo(delivery.guid);
          ++tally.left;
          ++tally.refusals;
          if (!tally.failure) tally.failure = failure;
          break;
        default:
          throw;
      }
      run.transcript("refused", told(delivery) + ": " + failure.what());
    }
  }

  Settings settings_;
};

}  // namespace
}  // namespace redelivery

DAVIT_REGISTER_AGENT(redelivery::RedeliveryAgent)
