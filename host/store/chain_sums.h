// Sums of the chains that have come to an end, by UTC day and by the agents that worked in them.
//
// A chain ends with each task that is completed or failed and that none follows, so one root may have several
// ends. It counts on the day on which that task ended, with what all tasks from the first to that one cost,
// and the time from the first one's making. While its last task is tried again it does not count.
//
// What an end counts is told by its own row and by its place in the chain (chain_place), which says what was
// before it. Both stay as long as it does, so it can be taken back as it was counted, whatever of the chain
// was pruned meanwhile. What is pruned itself goes on to count, as gone; so the others must add up to what
// the rows say, which verify() looks at.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>

#include "host/base/clock.h"
#include "host/store/database.h"
#include "host/store/statement.h"
#include "host/store/transaction_part.h"

namespace davit::store {

// So many different patterns of agents are told apart, their beginnings included; all further ones count as
// one.
inline constexpr std::int64_t kMostPatterns = 1'000;
inline constexpr std::int64_t kNoPattern = 0;      // before the first agent
inline constexpr std::int64_t kOtherPattern = -1;  // one of too many
inline constexpr std::string_view kOtherAgents = "other";

// Confined to the writer thread, one for each connection; each function runs inside the writer's transaction.
// What it comes to is gathered, and written once for each day and pattern before the commit.
class ChainSums final : public TransactionPart {
 public:
  explicit ChainSums(Database& database);
  ~ChainSums() override;

  // The task at `row`, of that agent, follows another one, which has been completed in this transaction. Also
  // if it followed another one before.
  void follows(std::int64_t row, std::string_view agent, const StoredId& parent);
  // It has the place that `other` has, which is of the same agent and follows the same task.
  void stands_beside(std::int64_t row, std::int64_t other);
  // It is followed by one task less, which follows another one now.
  void is_left(const StoredId& id);
  // It is completed or failed. It counts if none follows it by the time of the commit.
  void ends(std::int64_t row) { ended_.insert(row); }
  // Before a task that is completed or failed becomes something else, or is pruned.
  void goes_on(std::int64_t row);
  void is_pruned(std::int64_t row);

  void flush() override;
  void apply() override {}
  void discard() override;

 private:
  struct Sums {
    std::int64_t count = 0, succeeded = 0, duration_ms = 0, cost_micro_usd = 0;
  };
  struct End {
    std::int64_t day = 0, pattern = kNoPattern;
    Sums sums;
  };
  struct Place {
    std::int64_t pattern = kNoPattern, begun_at = 0, cost_micro_usd = 0;
  };
  // What it counts; nothing if it is no end.
  std::optional<End> end_of(std::int64_t row);
  void count(const End& end, bool gone, int times);
  std::int64_t pattern_of(std::int64_t before, std::string_view agent);

  struct Statements;
  std::unique_ptr<Statements> sql_;
  std::set<std::int64_t> ended_;  // not counted yet
  std::map<std::tuple<std::int64_t, std::int64_t, bool>, Sums>
      unwritten_;  // by day, pattern and whether it is gone
  std::map<std::int64_t, std::map<std::string, std::int64_t, std::less<>>>
      patterns_;  // by what is before the agent, those that were asked for
};

}  // namespace davit::store
