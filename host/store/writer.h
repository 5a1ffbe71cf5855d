// The one thread that writes, and its queue.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "host/base/clock.h"
#include "host/base/guarded.h"
#include "host/base/log.h"
#include "host/store/budgets.h"
#include "host/store/chain_ends.h"
#include "host/store/chain_sums.h"
#include "host/store/claims.h"
#include "host/store/clock_steps.h"
#include "host/store/database.h"
#include "host/store/day_book.h"
#include "host/store/decisions.h"
#include "host/store/deliveries.h"
#include "host/store/held_agents.h"
#include "host/store/leases.h"
#include "host/store/pauses.h"
#include "host/store/pruner.h"
#include "host/store/queue_samples.h"
#include "host/store/reminders.h"
#include "host/store/store.h"
#include "host/store/task_index.h"
#include "host/store/task_queue.h"
#include "host/store/transaction_part.h"

namespace davit::store {

// What a write works with, for the time of one transaction.
struct Session {
  Database& database;
  Claims& claims;
  NewTasks& new_tasks;
  TaskQueue& tasks;
  Decisions& decisions;
  Deliveries& deliveries;
  Reminders& reminders;
  Leases& leases;
  Pauses& pauses;
  std::string& chain_notify;
  ApprovalRules& approval_rules;
  LineRules& line_rules;
  Budgets& budgets;
  BudgetLimits& budget_limits;
  Batch& batch;
};

// Which writes a batch takes first when it cannot take all, and may never be turned away (Urgent).
enum class Lane {
  Urgent,  // finishes, renewals, reports, decisions
  Claim,
  Ingest,  // deliveries, new tasks
};

// One write that waits for its commit.
class Write {
 public:
  virtual ~Write() = default;
  // Does it. May be called again after a rollback. What it refuses it must not have begun.
  virtual void run(Session& session) = 0;
  virtual void answer() = 0;  // the outcome of the last run()
  virtual void fail(const Error& error) = 0;
  std::size_t bytes = 0;
};

template <typename T>
class WriteOf final : public Write {
 public:
  using Work = std::function<Result<T>(Session&)>;
  WriteOf(Work work, Done<T> done) : work_(std::move(work)), done_(std::move(done)) {}
  void run(Session& session) override { result_.emplace(work_(session)); }
  void answer() override {
    if (done_) done_(std::move(*result_));
  }
  void fail(const Error& error) override {
    if (done_) done_(error);
  }

 private:
  Work work_;
  Done<T> done_;
  std::optional<Result<T>> result_;
};

class Writer {
 public:
  // Takes over a migrated write connection. Runs the first transaction (unclean mark, recovery) before it
  // returns.
  static Result<std::unique_ptr<Writer>> start(const Options& options, std::unique_ptr<Database> database,
                                               Log& log, const Clock& clock);
  // Commits what waits, marks the clean stop, empties the log.
  ~Writer();

  // Thread-safe. `bytes` is about what the write weighs.
  template <typename T>
  void submit(Lane lane, std::size_t bytes, Done<T> done, typename WriteOf<T>::Work work) {
    enqueue(lane, bytes, std::make_unique<WriteOf<T>>(std::move(work), std::move(done)));
  }

  void on_change(std::function<void(const std::vector<Change>&)> listener);
  void on_commit(std::function<void(std::chrono::microseconds, std::size_t)> listener);
  void on_prune(std::function<void(std::int64_t, std::int64_t)> listener);
  void on_decision(std::function<void(std::string_view, std::string_view)> listener);
  void on_execution_end(std::function<void(const EndedExecution&)> listener);
  // Thread-safe.
  void set_retention(Retention retention);
  // Thread-safe. While the database is unavailable each call lets the writer try again.
  Result<> health();
  WriterStats stats() const;
  // Thread-safe. Called on the thread when it comes to it, whatever it can write then; not at all if it ends
  // before. No write.
  void reach(std::function<void()> reached);
  // See ClockSteps. Thread-safe.
  Duration unseen_clock_step() const { return clock_steps_.unseen_step(clock_.wall(), clock_.monotonic()); }

 private:
  using Writes = std::vector<std::unique_ptr<Write>>;
  // What writes through one connection. All parts that keep something in memory are in one list.
  struct Connection {
    Connection(std::unique_ptr<Database> opened, Leases& all_leases, HeldAgents& held_agents,
               std::string& who_tells, ApprovalRules& the_rules, LineRules& the_lines, BudgetLimits& limits,
               ClockSteps& steps)
        : database(std::move(opened)),
          index(*database),
          chain_sums(*database),
          lines(*database, the_lines),
          approvals(*database, the_rules),
          moves(*database, approvals, held_agents, index, chain_sums),
          pauses(*database),
          budgets(*database, limits),
          day_book(*database),
          claims(*database, lines, moves, approvals, all_leases, pauses, budgets),
          new_tasks(*database, moves, lines, approvals, index, chain_sums),
          tasks(*database, new_tasks, moves, lines, approvals, held_agents, all_leases, budgets, day_book),
          chain_ends(*database, who_tells, moves, new_tasks),
          decisions(*database, the_rules, moves, lines, approvals, new_tasks, chain_ends, all_leases),
          reminders(*database, the_rules, moves, approvals, new_tasks),
          deliveries(*database, new_tasks, decisions),
          pruner(*database, index, chain_sums),
          samples(*database),
          leases(all_leases),
          chain_notify(who_tells),
          approval_rules(the_rules),
          line_rules(the_lines),
          budget_limits(limits),
          clock_steps(steps),
          parts{&index, &all_leases, &held_agents, &pauses, &budgets, &day_book, &chain_sums, &steps, &samples} {}
    void begin(Batch& batch) {
      database->begin();
      if (clock_steps.begin(*database, batch)) budgets.clock_was_set();
    }
    Session session(Batch& batch) {
      return {*database, claims,       new_tasks,      tasks,      decisions, deliveries,    reminders, leases,
              pauses,    chain_notify, approval_rules, line_rules, budgets,   budget_limits, batch};
    }
    void flush() {
      for (TransactionPart* part : parts) part->flush();
    }
    void apply() {
      for (TransactionPart* part : parts) part->apply();
    }
    void discard() {
      for (TransactionPart* part : parts) part->discard();
    }

    std::unique_ptr<Database> database;
    TaskIndex index;
    ChainSums chain_sums;
    Lines lines;
    Approvals approvals;
    Moves moves;
    Pauses pauses;
    Budgets budgets;
    DayBook day_book;
    Claims claims;
    NewTasks new_tasks;
    TaskQueue tasks;
    ChainEnds chain_ends;
    Decisions decisions;
    Reminders reminders;
    Deliveries deliveries;
    Pruner pruner;
    QueueSamples samples;
    Leases& leases;
    std::string& chain_notify;
    ApprovalRules& approval_rules;
    LineRules& line_rules;
    BudgetLimits& budget_limits;
    ClockSteps& clock_steps;
    std::vector<TransactionPart*> parts;
  };
  struct Waiting {
    std::deque<std::unique_ptr<Write>> urgent, claims, ingest;
    std::size_t bytes = 0;  // of ingest and claims
    bool stopping = false;
    bool asleep = false;
    bool probing = false;
    std::optional<Retention> retention;
    bool prune_now = false;
    std::vector<std::function<void()>> to_reach;
    bool empty() const { return urgent.empty() && claims.empty() && ingest.empty(); }
    std::size_t count() const { return urgent.size() + claims.size() + ingest.size(); }
  };
  struct Listeners {
    std::function<void(const std::vector<Change>&)> change;
    std::function<void(std::chrono::microseconds, std::size_t)> commit;
    std::function<void(std::int64_t, std::int64_t)> prune;
    std::function<void(std::string_view, std::string_view)> decision;
    std::function<void(const EndedExecution&)> execution_end;
  };

  Writer(const Options& options, std::unique_ptr<Database> database, Log& log, const Clock& clock);
  void enqueue(Lane lane, std::size_t bytes, std::unique_ptr<Write> write);
  void loop();
  Writes take();
  void answer_reached();
  void commit_batch(Writes& writes);
  Result<> reopen();
  void drop_connection();
  Result<> check_identity() const;
  void note_log();
  void fail_all(Writes& writes, const Error& error);
  void checkpoint_if_due();
  void prune_if_due();
  void index_if_due();
  void sample_if_due();
  Result<> run_alone(const std::function<void(Session&)>& work);
  void note_health(Result<> health);
  void note_defect(const Failure& failure);
  Result<> defect() const;
  void tell(const Listeners& listeners, const Batch& batch);

  const Options options_;
  Log& log_;
  const Clock& clock_;
  Guarded<FileIdentity> identity_;
  Leases leases_;                 // writer thread
  HeldAgents held_agents_;        // writer thread
  std::string chain_notify_;      // writer thread
  ApprovalRules approval_rules_;  // writer thread
  LineRules line_rules_;          // writer thread
  BudgetLimits budget_limits_;    // writer thread
  ClockSteps clock_steps_;
  std::unique_ptr<Connection> connection_;  // writer thread; null after a failure, until reopened
  int truncate_at_ = 8 * 1024;              // writer thread; pages of log
  // Writer thread: when the next step of pruning is due, and what the steps before it have removed.
  std::chrono::steady_clock::time_point prune_at_{};
  Pruner::Step pruned_;
  // Writer thread: when tasks are indexed next; never, while none waits for that.
  std::chrono::steady_clock::time_point index_at_ = std::chrono::steady_clock::time_point::max();
  // Writer thread: when the queue is looked at next, by the clock; never, while nothing was written since it was
  // looked at last.
  MonotonicTime sample_at_ = MonotonicTime::max();
  MonotonicTime sampled_at_{};
  bool too_large_ = false;  // writer thread: it was told that nothing more can go
  bool told_of_free_space_ = false;
  Guarded<Waiting> waiting_;
  std::condition_variable changed_;
  Guarded<Listeners> listeners_;
  Guarded<std::optional<Error>> trouble_;
  // A write that failed although the storage works: the database is not what davit made it.
  struct Defect {
    std::string message;
    MonotonicTime seen_at{}, told_at{};
  };
  Guarded<std::optional<Defect>> defect_;
  std::atomic<std::uint64_t> commits_{0}, writes_{0}, failed_commits_{0};
  std::thread thread_;
};

}  // namespace davit::store
