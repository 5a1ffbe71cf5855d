// Stored deliveries whose hooks run again: deferred ones, those that a person asks for, and rehearsals.
//
//   run_due ─┬─ hooks in a runner ────────────────────┬─ store.settle_deferred
//            ├─ store.begin_try ── hooks in this host ─┴─ store.defer_again (back-off, parked at the cap)
//            └─ store.wait_for_webhook, until it serves again: no try, no time
//
// A try in this host is counted before it is made, because it may be the end of the host: what brings it down
// each time would else come back for ever.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/ingest/hook_runners.h"
#include "host/metrics/metrics.h"
#include "host/plugin/registry.h"
#include "host/store/store.h"

namespace davit::ingest {

// Calls in flight hold it.
class Reruns : public std::enable_shared_from_this<Reruns> {
 public:
  struct Needs {
    std::shared_ptr<HookRunners> runners;
    const plugin::Registry& registry;
    store::Store& store;
    metrics::Metrics& metrics;
    Log& log;
    const Clock& clock;
  };
  // `deadline` of one run; `backoff` after the first failure, doubled with each, at most ten minutes.
  Reruns(Needs needs, Duration deadline, Duration backoff);

  // On the runners' thread: runs what is due, and arms a timer for what is due next.
  void run_due();
  // On the runners' thread, for each new snapshot: what waited for webhooks that serve now is due.
  void plugins_changed(const plugin::Snapshot& now);
  void look_again_at(WallTime at);

  // See Ingest. `rehearse` is called on the runners' thread.
  void replay(const std::string& id, const std::string& by, std::function<void(Result<std::string>)> done,
              const std::function<store::Audited()>& line);
  void rehearse(const std::string& id, const std::function<void(Result<store::NewDelivery>)>& done);
  void rehearse(std::shared_ptr<const plugin::Webhook> webhook,
                std::shared_ptr<const VerifiedDelivery> delivery,
                const std::function<void(Result<store::NewDelivery>)>& done);

  // The webhook, if it serves; Conflict says why not.
  Result<std::shared_ptr<const plugin::Webhook>> serving(const std::string& name) const;

 private:
  using Stored = std::shared_ptr<const store::DeferredDelivery>;
  using End = std::function<void(const VerifiedDelivery&, Result<plugin::HookOutcome>)>;
  isolation::Call call_of(std::shared_ptr<const VerifiedDelivery> delivery, End end) const;
  void run(const std::shared_ptr<const plugin::Webhook>& webhook, Stored stored, End end);
  void run_deferred(const Stored& deferred);
  void run_here(const Stored& deferred, const std::shared_ptr<const plugin::Webhook>& webhook);
  void wait_for(const store::DeferredDelivery& deferred, std::string reason);
  void conclude(const Stored& deferred, const std::shared_ptr<const plugin::Webhook>& webhook,
                const VerifiedDelivery& delivery, Result<plugin::HookOutcome> said);
  void put_off(const store::DeferredDelivery& deferred, std::string reason, int max_tries, store::Try which);
  WallTime next_try_of(const store::DeferredDelivery& deferred) const;
  void ended(const std::string& webhook, const std::string& id, const Result<>& written = {});

  const Needs needs_;
  const Duration deadline_, backoff_;

  // On the runners' thread only.
  std::map<std::string, std::set<std::string>> in_flight_;  // ids by webhook
  std::set<std::string> serving_;                           // as of the last snapshot
  isolation::Loop::TimerId timer_ = 0;
  WallTime timer_at_{};
};

}  // namespace davit::ingest
