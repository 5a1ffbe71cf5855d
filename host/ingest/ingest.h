// From a Delivery to a committed row: verify, gate, ask the hooks, hand the answer to the store.
//
// Answers at once when it can, later when it must: hooks that crash, hang or run out of time leave a
// *verified* delivery committed as it arrived (deferred) and run again from the store, up to a cap. Nothing
// unverified is ever stored.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/base/token_bucket.h"
#include "host/ingest/outcome.h"
#include "host/isolation/process_tree.h"
#include "host/isolation/runner_pool.h"
#include "host/metrics/metrics.h"
#include "host/model/delivery.h"
#include "host/model/event.h"
#include "host/plugin/registry.h"
#include "host/store/store.h"

namespace davit::ingest {

using Done = std::function<void(Outcome)>;

struct Options {
  isolation::PoolOptions pool;
  std::size_t max_in_runners =
      2'000;  // deliveries waiting for or in runners; beyond it they are deferred at once
  Duration deferred_deadline{30'000};  // for hooks that run again
  Duration deferred_backoff{2'000};    // doubled per try, at most 10 minutes
  Rate address_rate;                   // of requests from one address, whatever they are
};

// Thread-safe.
class Ingest {
 public:
  // What it works with; all of it outlives the Ingest.
  struct Needs {
    const plugin::Registry& registry;
    store::Store& store;
    isolation::KnownChildren& children;
    metrics::Metrics& metrics;
    Log& log;
    const Clock& clock;
  };
  // Unavailable if there is no thread to be had.
  static Result<std::unique_ptr<Ingest>> start(const Needs& needs, Options options);
  // Kills the webhook runners. Deliveries in them are dropped unanswered; stop the HTTP server before.
  ~Ingest();

  // Limit of the body of a request to this webhook, before it is read.
  std::size_t body_limit(std::string_view webhook) const;

  // Is somebody there who says so to a GET? Of a webhook that serves only.
  bool answers_get(std::string_view webhook) const;

  // Never blocks on disk or on another process. Calls `done` exactly once: on this thread, on the loop's or
  // on the store's writer thread. In-process hooks run on this thread.
  void receive(Delivery delivery, Done done);

  // Runs the hooks of deferred deliveries that are due; arms a timer for the next ones. Called at start and
  // when something was deferred or replayed.
  void run_deferred();

  // Lets the hooks run again on a stored delivery as a new one, marked as asked for by `by`; gives its id to
  // `done` once that is committed. NotFound if it or its body is not kept; Conflict if its webhook does not
  // serve, or its hooks are still to run anyhow. Reads the database: not for an I/O thread. `done` is called
  // on this thread or the writer's. `line`, on this thread and only when it comes to the write, gives the line of
  // the audit log that is committed with it.
  void replay(const std::string& delivery_id, const std::string& by,
              std::function<void(Result<std::string>)> done, const std::function<store::Audited()>& line = {});

  // Runs the hooks on a stored delivery and tells what would be stored; stores nothing, and the hooks run
  // where they cannot have effects either. A verdict of Deferred says that they failed, with the reason as
  // message. Errors are those of replay(). `done` is called on the loop's thread.
  void rehearse(std::string delivery_id, std::function<void(Result<store::NewDelivery>)> done);

  // The same with a delivery that was not received, as it would go on from here: verified first. InvalidInput
  // or Conflict if it would be refused before its hooks are asked. On any thread.
  void rehearse(Delivery delivery, std::function<void(Result<store::NewDelivery>)> done);

  // After Registry::publish: runners of what does not serve any more end, busy ones after their call; what
  // was deferred for a webhook that serves again is due.
  void plugins_changed();

  // Calls it on the thread of the runners as soon as that comes to it.
  void reach(std::function<void()> reached);
  isolation::RunnerPool::Stats runners() const;

 private:
  struct Parts;
  explicit Ingest(std::shared_ptr<Parts> parts);
  std::shared_ptr<Parts> parts_;  // calls in flight hold it
};

}  // namespace davit::ingest
