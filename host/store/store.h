// The durable memory of davit: deliveries, tasks, executions. The only road from ingest to dispatch.
//
// Thread-safe. Writes are handed to one writer thread, which owns the only write connection, takes all that
// wait into one transaction (group commit, synchronous=FULL) and then calls their `done`. So `done` with a
// value means committed and synced: it survives kill -9 and power loss. `done` runs on the writer thread; it
// must be quick and must not call a waiting function of this class. Each write is atomic by itself: one that
// is refused (Conflict, NotFound…) undoes only what it did, never its neighbours in the batch. Within a
// batch, finishes, reports and decisions come first, then deliveries and new tasks, then claims; writes of
// one of these kinds keep the order in which they were handed in.
//
// Reads use read-only connections of their own, see the last commit, and never wait for the writer.
//
// Errors: Overloaded when too many writes wait (nothing was stored; `done` is then called by the calling
// thread before the call returns; finishes, renewals, reports and decisions are never turned away),
// Unavailable when the disk is full or fails (nothing was stored, or a commit whose outcome is not known: the
// writer has reopened the database before it goes on).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/base/result.h"
#include "host/model/access.h"
#include "host/model/agent_result.h"
#include "host/model/artifact.h"
#include "host/model/event.h"
#include "host/model/stats.h"
#include "host/model/task.h"
#include "host/store/change.h"
#include "host/store/decision_records.h"
#include "host/store/delivery_records.h"
#include "host/store/page.h"
#include "host/store/plugin_records.h"
#include "host/store/task_records.h"
#include "host/store/task_rules.h"

namespace davit::store {

template <typename T = std::monostate>
using Done = std::function<void(Result<T>)>;

// How long a browser stays signed in, and how many do: beyond it, of one token or of all, that session goes which
// was used least lately, of whichever token has the most. So nobody ends those of others by making many.
struct SessionLimits {
  Duration idle{0};      // since it was used last
  Duration lifetime{0};  // in all
  int most = 500;
  int most_of_one = 50;  // token
};

// For the audit log, where somebody is to answer for a write: the line is committed with it, or with its
// refusal. Absent: davit's own doing.
using Audited = std::optional<AuditEntry>;

struct AuditFilter {
  std::string actor, operation, outcome, object;  // empty: all
  std::optional<WallTime> start, end;             // in [start, end)
  int limit = 50;                                 // 1 to 500
  std::string cursor;                             // of the page before; opaque
};

// How long what is done is kept, and how much of it.
struct Retention {
  Duration keep{0};            // finished tasks and deliveries; 0: for ever
  std::int64_t max_bytes = 0;  // beyond it the oldest go whatever their age; 0: no limit
  std::int64_t max_tasks = 0;  // likewise, of finished tasks and the deliveries before them; 0: no limit
  Duration guard{0};           // deliveries stay so long in any case: by them a replay is seen
};

// What an execution has told of its usage and the store may not have heard: totals, without models.
struct ToldUsage {
  std::string session_id;
  Usage usage;
};

struct Options {
  std::filesystem::path path;
  bool create_if_missing = false;  // `davit init` and a first start; otherwise a missing file is an error
  bool read_only = false;          // tools beside a running host
  std::size_t max_waiting_writes = 20'000;
  std::size_t max_waiting_bytes = 256u << 20;
  int readers = 2;
  // As set_chain_notify(), for what ends while it opens: what an earlier host was to end.
  std::string chain_notify;
  // Of executions that an earlier host was killed in: counts before they are ended, once. What is of others
  // is left out.
  std::vector<ToldUsage> told;
  // After an unclean stop the file is checked at open, no longer than this; `davit verify-store` checks all
  // of it.
  Duration open_check_limit{500};
  std::string vfs;  // SQLite VFS to go through, for fault tests; empty: the usual one
};

// Why a database is refused; each has an exit code of its own (README.md).
enum class OpenFailure { Missing, Empty, Foreign, Newer, Corrupt, InUse, ReadOnly, Linked, Other };
struct OpenError {
  OpenFailure failure = OpenFailure::Other;
  std::string message;
};

struct WriterStats {
  std::uint64_t commits = 0;  // that wrote something and were synced
  std::uint64_t writes = 0;
  std::uint64_t failed_commits = 0;
  std::size_t waiting = 0;
  bool full = false;  // more of what is not urgent is turned away
};

// Bytes on the disk.
struct DatabaseSize {
  std::int64_t used = 0;
  std::int64_t free = 0;  // in the file, and used again before it grows
  std::int64_t log = 0;   // the write-ahead log beside it
};

class Store {
 public:
  // Opens, checks and migrates the database and starts the writer thread. Takes an exclusive lock file beside
  // it
  // ("already running, pid N"), except read_only. Tasks that an earlier host left running are returned to the
  // queue in the first transaction (their execution ends as "lost"). `log` and `clock` must outlive the
  // store.
  static std::variant<std::unique_ptr<Store>, OpenError> open(const Options& options, Log& log,
                                                              const Clock& clock);
  // Commits what waits, checkpoints, marks a clean shutdown.
  ~Store();

  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // Tells `listener` of changes, on the writer thread after each commit and before the `done` of its writes.
  // Set once, before the first write.
  void on_change(std::function<void(const std::vector<Change>&)> listener);
  // Called after every commit with its duration and the number of writes in it. Set once.
  void on_commit(std::function<void(std::chrono::microseconds, std::size_t)> listener);
  // Called on the writer thread with the deliveries and tasks that pruning has removed. Set once, before
  // set_retention().
  void on_prune(std::function<void(std::int64_t deliveries, std::int64_t tasks)> listener);
  // Called on the writer thread after the commit of an approval, a rejection or the like
  // (TaskDecision::kind), and of a "reminder". `way` is "api", "cli", "webhook", or of what nobody decided
  // "agent", "claim", "deadline", "timer". Set once.
  void on_decision(std::function<void(std::string_view kind, std::string_view way)> listener);
  // Called on the writer thread after the commit that ended an execution, whoever ended it: this is what the
  // books count. Set once.
  void on_execution_end(std::function<void(const EndedExecution&)> listener);

  // -- writes --
  // Stores a delivery and everything its webhook asked for. If (webhook, delivery_key) is known already,
  // stores nothing but a count and gives the first outcome; one that ended as Error or Parked is replaced by
  // the same body and keeps its first id, or stays beside another body, which takes over the key. Likewise if
  // its body came under another key within replay_window, unless that ended as Error or Parked.
  void accept(NewDelivery delivery, Done<Accepted> done);
  // Puts the outcome of hooks that ran again in place of Deferred. Conflict if it is not deferred any more.
  void settle_deferred(NewDelivery delivery, Done<Accepted> done);
  // Counts a try of a deferred delivery that is about to be made, for hooks that may end this process: then
  // the delivery is due again at `again_at`, and the try has counted.
  void begin_try(std::string delivery_id, WallTime again_at, Done<> done);
  // Notes a failed try of a deferred delivery; parks it once `tries` reaches `max_tries`, else due again at
  // `again_at`. A try that was begun by begin_try() is not counted twice. True: it is parked now.
  void defer_again(std::string delivery_id, std::string reason, WallTime again_at, int max_tries,
                   Done<bool> done, Try which = Try::Another);
  // A deferred delivery is not due, and no try of it counts, until its webhook serves again. Conflict if it
  // is not deferred any more.
  void wait_for_webhook(std::string delivery_id, std::string reason, Done<> done);
  // These webhooks serve again: what waits for them is due. Gives how many deliveries are.
  void webhooks_serve(std::vector<std::string> webhooks, Done<int> done);
  // Lets the hooks run again on what a delivery brought, as a delivery of its own that no key stands against
  // and that is Deferred at first. Gives its id. Conflict if the first is still to be run anyhow, NotFound if
  // it or its body is not kept. `by` is kept with it.
  void replay(std::string delivery_id, std::string by, Done<std::string> done, Audited audit = {});

  // Adds to what was refused before: counts, and samples of which the newest are kept.
  void note_refusals(std::vector<RefusedDeliveries> refused, Done<> done);

  // Gives the id. A queued task of the same agent and `key` takes its place: that one gets the new text and
  // keeps its id. The key of a delivery's task that has none is its entity. When a task is to be tried again
  // and a newer one of its key waits, it is Cancelled instead: the newer one has taken its place.
  void create_task(NewTask task, std::string source, std::optional<Actor> actor, Done<std::string> done,
                   Audited audit = {});
  // Leases due tasks, highest priority first, then longest due, and of each entity no more than one at a
  // time. The attempt begins with the commit.
  void claim(ClaimRequest request, Done<std::vector<ClaimedTask>> done);
  // Extends leases, which live in memory: costs no commit.
  void renew(std::vector<Fence> fences, Duration lease, Done<Renewal> done);
  // What superseded attempts report is ignored.
  void report(std::vector<LiveReport> reports, Done<> done);
  // Keeps a file of a running execution, in place of one of its name. Conflict if the fence is no longer the
  // task's. Packs it on the calling thread. A finish that was handed in later may be stored before.
  void keep_artifact(Fence fence, Artifact artifact, Done<> done);
  // Conflict if the fence is no longer the task's: then nothing of the result is stored.
  void finish(Finish finish, Done<TaskState> done);
  // Returns tasks whose lease ran out to the queue; parks what was lost too often. For the reaper.
  void reap_expired_leases(Done<int> done);

  // Conflict names the state when the move is not legal. Cancelling a running task sets a request that
  // renew() and CancelRequested tell the dispatcher; it becomes Cancelled when the runner has ended.
  void cancel(std::string task_id, Person by, std::string reason, Done<TaskState> done, Audited audit = {});
  // Failed, cancelled and parked tasks begin anew, with all their attempts.
  void retry(std::string task_id, Person by, Done<TaskState> done, Audited audit = {});
  // Likewise all that `filter` lets through, oldest first, no more than 200 at a time and after its cursor.
  // InvalidInput unless it names one of these three states; its text, entity and link
  // do not count. What has moved on meanwhile, or cannot be
  // retried, is left out. Reads on the calling thread first, so that the writer has nothing to search.
  void retry_all(TaskFilter filter, Person by, Done<BulkStep> done, Audited audit = {});
  // `content_hash` is content_hash() of the task as it is now, or at least the first 12 digits of it:
  // Conflict if it is another one, InvalidInput if there is none and the rules want one. Both tell the right
  // one. Conflict, too, where an approval of this person was refused in this wait (Finish::next_state).
  void approve(std::string task_id, Person by, std::string content_hash, Done<TaskState> done,
               std::string comment = {}, Audited audit = {});
  // Likewise with a `content_hash`, as who rejects has seen it; without one, whatever waits: to stop something
  // never needs more than to say so.
  void reject(std::string task_id, Person by, std::string content_hash, Done<TaskState> done,
              std::string comment = {}, Audited audit = {});
  // Keeps an act on many tasks for a day, before anything of it is done. Conflict if its actor's key is kept
  // already, RateLimited if as many of him are kept as may be.
  void begin_bulk_act(BulkAct act, Done<> done, Audited audit = {});
  // Decides about its next tasks, kMostChosen of them since others wait meanwhile, each by itself: those that
  // are no more in the state and the attempt in which they were chosen are refused, and left as they are.
  // What came of these is kept in the same transaction, and given. NotFound if the act is not kept.
  static constexpr std::size_t kMostChosen = 50;
  void continue_bulk_act(std::string actor, std::string key, Done<BulkProgress> done);
  // From now on.
  void set_approval_rules(ApprovalRules rules, Done<> done);
  // Makes the reminders that are due, and ends the waits whose deadline has come. Gives when the next is due.
  void work_off_approvals(Done<std::optional<WallTime>> done);

  // From now on this agent gets a task when the work of a chain stops and is not done: a task of it failed,
  // was cancelled, was rejected for good, was not approved in time, or is put aside until a retry by hand. In
  // the same transaction, once for each such end; a retry by hand begins what may end anew, and takes back
  // what nobody has begun to tell. Empty: nobody. Not told: what gave way to newer input, what a quarantine
  // holds back, and ends in chains that tell people themselves (begun by such a task, by a reminder of an
  // approval or by this agent).
  void set_chain_notify(std::string agent, Done<> done);
  // Of tasks that are made from now on.
  void set_line_rules(LineRules rules, Done<> done);

  // From now on; what a former limit held back may try again. Without it nothing is limited.
  void set_budgets(BudgetLimits limits, Done<> done);

  // Replaces an earlier pause of the same agent; `since` is now. InvalidInput if `until` has passed.
  void pause(Pause pause, Done<> done, Audited audit = {});
  // Ends the pause of this agent, or (empty) that of all. False: it was not paused. An agent that is paused
  // by itself stays so when that of all ends.
  void resume(std::string agent, Done<bool> done, Audited audit = {});

  // These are the recurring tasks from now on. One that was known with the same `cron` goes on where it was,
  // others begin now; `last_slot` and `last_task` of the arguments are not looked at. Gives them with what is
  // known.
  void adopt_schedules(std::vector<ScheduleState> schedules, Done<std::vector<ScheduleState>> done);
  // Makes the task of a schedule for the time `slot`, unless that or a later one is done with: then no id.
  // Gives the id of the task, or of the former one of the schedule if that still waits for approval, or is
  // queued with the same key.
  void fire_schedule(std::string name, WallTime slot, NewTask task, Done<std::optional<std::string>> done);
  // Is done with `slot` and all before without a task.
  void skip_schedule(std::string name, WallTime slot, Done<> done);

  // Takes the place of what was kept of the same delivery's reply.
  void note_reply(PendingReply reply, Done<> done);
  void forget_reply(std::string delivery_id, Done<> done);

  // Keeps a crash. True if it put the library into quarantine; that lasts until clear_crashes().
  void note_crash(PluginCrash crash, QuarantineRule rule, Done<bool> done);
  // These bytes start clean.
  void clear_crashes(std::set<std::string> sha256s, Done<> done, Audited audit = {});
  // From now on the tasks of these agents are parked instead of queued, the queued ones at once; what was
  // parked so for other agents is queued again. Forgotten at a restart: call it before anything is claimed.
  void hold_agents(std::set<std::string> agents, Done<> done);

  // Conflict if there is one of this name, or was, or if there are too many; see store/access.h.
  void create_token(AccessToken token, Done<> done, Audited audit = {});
  // It is good no longer, and its sessions end. NotFound, or Conflict if it was revoked before.
  void revoke_token(std::string name, Done<AccessToken> done, Audited audit = {});
  void note_token_use(std::string sha256);
  // Forgets those that are over by `limits`, and those that are too many.
  // Gives the digests of those that ended for it, because they were over or too many.
  void open_session(LoginSession opened, SessionLimits limits, Done<std::vector<std::string>> done,
                    Audited audit = {});
  void note_session_use(std::string sha256);
  void close_session(std::string sha256, Done<> done, Audited audit = {});
  // What has its line otherwise, because nothing was done or it was not allowed. Overloaded as for
  // deliveries: a flood of it gives way to them.
  void note_audit(AuditEntry entry, Done<> done);
  // The line of an act that is no write, before it is done: "begun" until end_audit() says how it came out.
  // Gives the number of the line.
  void begin_audit(AuditEntry entry, Done<std::int64_t> done);
  void end_audit(std::int64_t number, std::string outcome, std::string reason);

  // -- reads --
  // All, also those that were revoked or have expired, by name.
  Result<std::vector<AccessToken>> tokens() const;
  Result<std::vector<LoginSession>> sessions() const;
  // Newest first.
  Result<Page<AuditEntry>> audit(const AuditFilter& filter) const;
  Result<Page<TaskSummary>> tasks(const TaskFilter& filter) const;
  Result<TaskDetail> task(std::string_view task_id) const;
  // Some of its lines, oldest of them first and no more than `limit`. A line of kind "davit" stands where some are
  // missing.
  Result<std::vector<TranscriptLine>> transcript(std::string_view session_id, int limit,
                                                 TranscriptPlace place = {}) const;
  // Of all executions of a task, oldest first.
  Result<std::vector<ArtifactEntry>> artifacts(std::string_view task_id) const;
  // NotFound unless the session is one of the task. Internal if what is stored is damaged.
  Result<Artifact> artifact(std::string_view task_id, std::string_view session_id,
                            std::string_view name) const;
  struct DeliveryFilter {
    std::string webhook;
    std::string link;  // as of tasks
    std::optional<Verdict> verdict;
    int limit = 50;
    std::string cursor;
  };
  Result<Page<DeliverySummary>> deliveries(const DeliveryFilter& filter) const;
  Result<DeliveryDetail> delivery(std::string_view delivery_id) const;
  struct RefusalFilter {
    std::string webhook, cause;  // empty: all
  };
  // What was refused since the database exists: most recent cause first, the newest samples of each first.
  Result<std::vector<RefusedDeliveries>> refusals(const RefusalFilter& filter) const;
  // What the hooks would be run on again. NotFound if it or its body is not kept.
  Result<DeferredDelivery> delivery_to_run(std::string_view delivery_id) const;
  // Deferred deliveries that are due, oldest first.
  Result<std::vector<DeferredDelivery>> due_deferred(int limit) const;
  // When the next deferred delivery is due, also if that has passed; nullopt if there is none that waits for
  // a time.
  Result<std::optional<WallTime>> next_deferred_at() const;
  Result<QueueReport> queue() const;
  // Ids of the tasks that wait for a person, of one agent or (empty) of all: who has waited longest first.
  Result<Page<std::string>> waiting(std::string_view agent, int limit, std::string_view cursor) const;
  // Approvals and rejections of tasks that are kept, newest first.
  Result<Page<DecidedTask>> decided(int limit, std::string_view cursor) const;
  // The act on many tasks under this key with all that has come of it, also in an earlier host.
  Result<std::optional<BulkProgress>> bulk_act(std::string_view actor, std::string_view key) const;
  // The recurring tasks, by name.
  Result<std::vector<ScheduleState>> schedules() const;
  // Earliest run_at of a queued task, or end of a pause, after `since`, for the dispatcher's timer. `since`
  // is when its last claim was sent: what became due between then and now is not missed.
  Result<std::optional<WallTime>> next_run_at(WallTime since) const;

  // All that nobody has forgotten.
  Result<std::vector<PendingReply>> pending_replies() const;
  Result<std::optional<PendingReply>> pending_reply(std::string_view delivery_id) const;
  // Id of the first task of a task's chain; empty if it is not kept.
  Result<std::string> chain_of(std::string_view task_id) const;
  // Of the tasks of a chain, oldest first and no more than 200.
  Result<std::vector<TaskNews>> chain_news(std::string_view first_task_id) const;

  // Small settings that outlive restarts (enabled/disabled overrides, generated token hash).
  Result<std::optional<std::string>> setting(std::string_view name) const;
  void set_setting(std::string name, std::string value, Done<> done, Audited audit = {});

  // From now on; until it is called nothing is pruned. At once and then every ten minutes, a few rows at a
  // time between other writes.
  void set_retention(Retention retention);

  Result<std::vector<Quarantine>> quarantines() const;

  // -- statistics --
  // Those of one agent, or (empty) of all that have ended an execution, by name.
  Result<std::vector<AgentStats>> agent_stats(std::string_view agent) const;
  // By day, oldest first, otherwise the dearest first. Adds up to the same, whatever it is grouped by, also
  // when the executions were pruned.
  Result<std::vector<CostLine>> costs(const CostQuery& query) const;
  // By time, then outcome; without those that are empty. Hours are counted from the executions that are kept.
  Result<std::vector<SeriesPoint>> series(const SeriesQuery& query) const;
  // By time; without those in which none was.
  Result<std::vector<TasksMade>> tasks_made(const SeriesQuery& query) const;
  // A point for each bucket. As far back as 30 days, or as finished tasks are kept.
  Result<std::vector<QueuePoint>> queue_series(const QueueSeriesQuery& query) const;
  // Chains that have come to an end, completed or failed, most frequent first. Counts what was pruned, too.
  Result<std::vector<ChainPattern>> chain_patterns(const ChainQuery& query) const;
  // Of the last 30 days, today included.
  Result<Overview> overview() const;
  Result<History> history() const;

  // -- upkeep --
  // Online copy into `target`, which must not exist; synced and renamed into place.
  Result<> backup(const std::filesystem::path& target) const;
  // Is the database still the file that was opened, and does it take writes? For /readyz.
  Result<> health() const;
  WriterStats writer_stats() const;
  // Calls it on the writer's thread as soon as that comes to it, also while nothing can be written; not at
  // all if the store ends before.
  void reach_writer(std::function<void()> reached) const;
  Result<DatabaseSize> database_size() const;

 private:
  class Impl;
  explicit Store(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// What `davit verify-store` checks: integrity_check, foreign keys, and the invariants of the rows (each
// delivery key once, each running task has exactly one open execution, final tasks have none, successors
// exist…). One sentence per finding; empty means sound. Reads only; a running host is not disturbed.
Result<std::vector<std::string>> verify(const std::filesystem::path& path);

// Gives the free pages of a database back to the disk. Nobody else may have it open: it takes the lock of a
// host. Makes a copy without them beside it, verifies that, and puts it in its place; until then the database
// is as it was, also if this is interrupted.
struct Compacted {
  std::int64_t bytes_before = 0, bytes_after = 0;
};
std::variant<Compacted, OpenError> compact(const std::filesystem::path& path);

}  // namespace davit::store
