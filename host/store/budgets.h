// What may be spent, what was, and what is set aside for sessions that run.
//
// A claim sets an amount aside in the row of the execution that it begins, so it lives exactly as long as
// that; the end of the execution puts what it cost in its place. Both are in the transaction of the claim or
// of the end, so after a kill the books are what they were. No budget is overspent by more than one session
// costs beyond its own share.
//
// A session belongs to the UTC day in which it began. Money is millionths of a US dollar.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "host/store/batch.h"
#include "host/store/database.h"
#include "host/store/readers.h"
#include "host/store/store.h"
#include "host/store/transaction_part.h"

namespace davit::store {

// Confined to the writer thread, one for each connection; what is not said to be otherwise runs inside the
// writer's transaction. `limits` outlives it and is changed between transactions only.
class Budgets final : public TransactionPart {
 public:
  Budgets(Database& database, const BudgetLimits& limits);
  ~Budgets() override;

  struct Verdict {
    enum class Kind {
      Go,
      Spent,     // nothing is left before `resumes`
      InFlight,  // what is left is set aside for sessions that run: until one of them ends
    };
    enum class Whose { Agent, Actor, Chain };
    Kind kind = Kind::Go;
    // With Go: set aside, and all that the session may cost; absent: nothing bounds it.
    std::optional<std::int64_t> share;
    // The rest unless Go.
    Whose whose = Whose::Agent;  // Agent: no task of the agent would be let go; Chain: no time gives it back
    std::string reason;          // a sentence
    WallTime resumes{};
  };
  // An agent whatever its task.
  Verdict ask(std::string_view agent, WallTime now);
  struct Task {
    std::int64_t row = 0;
    std::string_view agent, source, actor_id;
  };
  Verdict ask(const Task& task, WallTime now);
  // The execution was begun, with this share in its row.
  void begin(std::int64_t execution, const Task& task, std::int64_t share, WallTime now);

  // What an execution that runs has cost so far: beyond its share that counts at once, and what was only
  // estimated until it ends.
  void report(std::int64_t execution, std::int64_t cost, WallTime now);
  // The execution is ended in its row. `cost_known` is false where nobody heard its end: then it counts with
  // no less than its share. Lets those go on that waited for money to be freed.
  void end(Batch& batch, std::int64_t execution, std::int64_t cost, bool cost_known);

  // Keeps a queued task until `until`, because of a verdict about its actor or its chain.
  void hold(std::int64_t task, const Verdict& verdict, WallTime now);
  // At the beginning of a transaction: today may be another day, and so may be the one in which what runs began.
  void clock_was_set();
  // The limits are others now: what was held may try again.
  void limits_changed(Batch& batch);

  void flush() override;
  void apply() override {}
  void discard() override;

 private:
  enum Scope : std::int64_t { kDay = 0, kAgent = 1, kActor = 2 };
  using Key = std::pair<Scope, std::string>;
  struct Open {
    std::string agent, actor;
    std::int64_t day = 0, share = 0, cost = 0;
  };
  struct Standing {
    std::int64_t spent = 0, in_flight = 0;
  };
  void load(WallTime now);
  Standing standing(Scope scope, std::string_view key, std::int64_t day) const;
  Standing standing_of_chain(std::int64_t task);
  // Lowers the share, or refuses; false: refused.
  bool judge(Verdict& verdict, Verdict::Whose whose, const std::string& budget, std::int64_t limit,
             const Standing& standing, std::int64_t wanted, WallTime now);
  std::int64_t wanted_by(std::string_view agent) const;
  std::string actor_of(const Task& task);
  void let_go(Batch& batch, bool spent_too);

  struct Statements;
  const BudgetLimits& limits_;
  std::unique_ptr<Statements> sql_;
  bool loaded_ = false;
  std::map<std::int64_t, std::map<Key, std::int64_t>> spent_;  // by day, from yesterday on
  std::map<std::int64_t, Open> open_;                          // by execution: those with a share
  std::unordered_set<std::int64_t> costly_;                    // executions that have cost something
  std::map<std::pair<std::int64_t, Key>, std::int64_t> unwritten_;
  bool somebody_waits_ = false;  // for money in flight
};

// Whom a session is charged to: "github:4711", or the source where nobody caused it. `source` is that of the
// first task of the chain.
std::string actor_key(std::string_view source, std::string_view actor_id);

// Each budget that has a limit: that of the day, and those of agents and actors that have spent something
// today or run.
std::vector<BudgetLine> read_budgets(Reader& reader, const BudgetLimits& limits, WallTime now);
// Says of a queued task that nothing else holds back which budget does.
void tell_budgets(const std::vector<BudgetLine>& lines, WallTime now, TaskSummary& task);
// The first moment of the next UTC day.
WallTime next_day(WallTime now);

}  // namespace davit::store
