// Sums of ended executions by UTC day: what counters go on from after a restart, and what is left of
// executions that were pruned.
//
// An execution belongs to the day in which it began, as with budgets.
//
// Beside the book there are sums of it by an agent and one further name (day_sum): a book of years has
// hundreds of thousands of rows, too many to add up while somebody waits; those by outcome also by the hour (hour_sum). And
// there are the executions of all its days by agent, outcome and task type (execution_total), for whoever starts.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "host/model/stats.h"
#include "host/store/batch.h"
#include "host/store/database.h"
#include "host/store/transaction_part.h"

namespace davit::store {

// What the name in a row of day_sum is, and its code there.
enum class Slice : int { Outcome = 0, Model = 1, TaskType = 2, Source = 3 };

// Confined to the writer thread, one for each connection. What ends in a transaction is gathered, and written
// once for each distinct key before its commit.
class DayBook final : public TransactionPart {
 public:
  explicit DayBook(Database& database);
  ~DayBook() override;

  // As its row says. Also told in the batch.
  void end(Batch& batch, EndedExecution ended);

  void flush() override;
  void apply() override {}
  void discard() override;

  // So many rows a day at most; further task types and models are booked as "other".
  static constexpr std::size_t kMostRowsADay = 2'000;

 private:
  using Names =
      std::tuple<std::string_view, std::string_view, std::string_view, std::string_view, std::string_view>;
  struct Key {
    std::string agent, task_type, source, outcome, model;
    Names names() const { return {agent, task_type, source, outcome, model}; }
  };
  struct ByNames {
    using is_transparent = void;
    static Names names(const Key& key) { return key.names(); }
    static const Names& names(const Names& names) { return names; }
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      return names(a) < names(b);
    }
  };
  // The rows of a day, with what is to be added to them.
  using Day = std::map<Key, ExecutionSums, ByNames>;
  Day& day(std::int64_t number);
  Day::iterator row(std::int64_t day, Names names);
  void write_slices();
  void write_hours();
  void write_totals();

  struct Statements;
  std::unique_ptr<Statements> sql_;
  std::map<std::int64_t, Day> days_;  // those that were asked for lately
  struct Unwritten {
    std::int64_t day;
    Day::iterator row;
  };
  std::vector<Unwritten> unwritten_;
  // By hour since 1970, agent and outcome, which are texts of the days: what is to be added.
  std::map<std::tuple<std::int64_t, std::string_view, std::string_view>, ExecutionSums> hours_;
};

}  // namespace davit::store
