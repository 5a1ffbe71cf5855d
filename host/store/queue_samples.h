// How deep the queue was, noted once a minute at most, so that it can be shown over time.
//
// The numbers change by commits alone: where nothing is written nothing is looked at either, and an idle host
// writes nothing. What is noted is what differs from what was noted before. So that no line is drawn over a
// time in which nobody looked, the times in which somebody did are kept beside it
// (schema/0015_queue_depth.sql): a host begins one when it starts, and another one when its clock was set.
//
// Where the clock was set back, what was noted of the time that comes once more is dropped: each moment has
// one depth.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "host/model/stats.h"
#include "host/store/batch.h"
#include "host/store/database.h"
#include "host/store/transaction_part.h"

namespace davit::store {

// What is older is pruned, and what is older than finished tasks may be.
inline constexpr std::chrono::days kQueueSamplesKept{30};

// Confined to the writer thread, one for each connection; each function runs inside the writer's transaction.
class QueueSamples final : public TransactionPart {
 public:
  explicit QueueSamples(Database& database);
  ~QueueSamples() override;

  // A host begins to look.
  void begin(const Batch& batch);
  // Looks, and notes what is other than before. Counts what is queued and runs: a read of its indexes.
  void sample(const Batch& batch);

  void apply() override { unsure_ = false; }
  // What is noted may be another thing than what is kept here: the next look begins anew.
  void discard() override { looks_ = looks_ && !std::exchange(unsure_, false); }

 private:
  struct Statements;
  struct Watch {
    std::int64_t since = 0, until = 0;
  };
  using Counts = std::map<std::string, QueueCounts, std::less<>>;  // by agent; "": all
  std::optional<Watch> newest_watch();
  void begin_watch(std::int64_t now, std::optional<std::int64_t> known_until);
  Counts count();
  void note(std::int64_t now);

  std::unique_ptr<Statements> sql_;
  bool looks_ = false;   // there is a watch that goes on
  bool unsure_ = false;  // this transaction has looked
  Counts noted_;         // in this watch; those that are not in it have nothing
  Duration ahead_{0};    // how far the wall clock was ahead of the monotonic one when somebody looked last
};

}  // namespace davit::store
