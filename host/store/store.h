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

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
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
#include "host/store/transcript_pack.h"

namespace davit::store {

template <typename T = std::monostate>
using Done = std::function<void(Result<T>)>;

// ---- deliveries ----

enum class Verdict {
  Queued,    // became at least one task
  Ignored,   // the webhook had no use for it
  Error,     // the webhook answered an error; the same delivery may be tried again
  Deferred,  // verified and kept, its hooks have not answered yet
  Parked,    // its hooks failed too often; waits for a replay by hand
};
std::string_view to_string(Verdict verdict);
std::optional<Verdict> verdict_from(std::string_view text);

struct NewDelivery {
  std::string id;
  std::string webhook;  // instance
  std::string request_id;
  std::string delivery_key;            // the sender's id, or "body:<sha256>"
  std::optional<Duration> key_window;  // set: an equal key only counts as a duplicate within this time
  // Set: the key is not signed, so that the same body under another key is a duplicate within this time.
  std::optional<Duration> replay_window;
  std::string method, path, query;
  std::string headers = "{}";  // JSON object, without secrets and signatures
  std::string body;            // bytes as received
  std::string remote_address;
  WallTime received_at{};
  Verdict verdict = Verdict::Ignored;
  std::optional<WallTime> due_at;    // with Deferred: when its hooks run again; now if absent
  WebhookAnswer answer;              // tasks, actions, actor, entity, links are committed with the delivery
  std::string timings = "{}";        // JSON object: microseconds per hook
  std::optional<int> secret_number;  // which of the configured secrets it was signed with, from 1
  std::string plugin_hash;           // of the generation that answered, may be empty
  std::string plugin_version;        // likewise
};

// In what way a delivery was seen before.
enum class Repeat {
  None,
  SameKey,
  OtherBody,  // the same key, but with another body: the first one counts
  OtherKey,   // the same body under another key, see replay_window
};

// What became of it. For a repeated one: what became of the first.
struct Accepted {
  std::string delivery_id;
  Verdict verdict = Verdict::Ignored;
  Repeat repeat = Repeat::None;
  std::vector<std::string> task_ids;
  std::string message;
  // A delivery under the same key with another body that had failed; it stays as it is. Empty: none.
  std::string former_id;
};

// Of the hooks of a deferred delivery: one that is counted when it has failed, or that was counted before.
enum class Try { Another, Begun };

// A deferred delivery whose hooks are due again.
struct DeferredDelivery {
  NewDelivery delivery;
  int tries = 0;
};

struct DeliverySummary {
  std::string delivery_id, webhook, delivery_key, request_id, remote_address, message, entity;
  Verdict verdict = Verdict::Ignored;
  WallTime received_at{};
  std::size_t body_bytes = 0;
  int duplicates = 0;     // how often the same key came again
  int same_body = 0;      // how often the same body came under another key
  std::string replay_of;  // the delivery that was let run again as this one; empty: a sender's own
  int tries = 0;
  std::vector<std::string> task_ids;
};
struct DeliveryDetail {
  DeliverySummary delivery;
  std::string method, path, query, headers, body, timings, details, plugin_hash, plugin_version;
  std::optional<int> secret_number;  // which of the configured secrets it was signed with, from 1
  std::string replayed_by;
  std::vector<Link> links;
};

// A delivery that was refused before anything of it could be stored, without its body.
struct RefusedSample {
  WallTime received_at{};
  std::string remote_address, request_id, method, path;
  std::string query;           // without secrets
  std::string headers = "{}";  // JSON object, without secrets and signatures
  std::size_t body_bytes = 0;
};
// Those that were refused by one webhook for one cause.
struct RefusedDeliveries {
  std::string webhook, cause;
  std::int64_t count = 0;
  WallTime first_at{}, last_at{};
  std::vector<RefusedSample> samples;  // a few of them
};

// ---- tasks ----

// How many more tasks of an agent may be claimed now, and for how long they are leased.
struct AgentCapacity {
  std::string agent;
  int free_slots = 0;
};
struct ClaimRequest {
  std::vector<AgentCapacity> agents;  // agents without an entry are not claimed
  int limit = 16;                     // over all agents
  Duration lease{45'000};
};

// What is new in the transcript of an execution.
struct TranscriptNews {
  std::vector<TranscriptPack> packs;  // oldest first; they take the place of all single lines so far
  std::vector<TranscriptLine> lines;  // behind the packs; without numbers
  // Packs that begin with a line from the first of these on and before the second are kept no longer.
  std::int64_t left_out_from = 0, left_out_to = 0;
};

// The result of one execution, with everything that is committed in the same transaction.
struct Finish {
  Fence fence;
  AgentResult result;
  std::string
      outcome;  // for the execution row: "completed", "failed", "crashed", "timed_out", "cancelled", …
  // What the dispatcher decided, by its retry and chain policy. A task whose cancellation was asked for
  // meanwhile becomes Cancelled instead of Queued. FailureClass::Crash in `result` counts as a crash of the
  // task. AwaitingApproval goes with FailureClass::ApprovalRefused of an execution that ran on an approval, else
  // it is InvalidInput: that approval counts no more, and the wait that it ended goes on.
  TaskState next_state = TaskState::Completed;
  Duration retry_after{0};     // with Queued: run_at is now plus this
  bool attempt_counts = true;  // false: not begun, or interrupted by our own shutdown
  // Keeps the agent of this name from getting tasks for so long, because of `result.error`; 0: it does not. A
  // pause that somebody else began stays as it is.
  struct Hold {
    std::string agent;
    Duration time{0};
  } hold;
  bool cost_known = true;      // false: its process ended without saying what it had cost
  TranscriptNews transcript;   // the rest of it, all packed
  // Next task of the chain: gets `result.output` as previous_result, and actor, links, entity, further keys
  // and delivery of this one; an empty payload means this task's own. `result.tasks` are stored as children
  // likewise. Only with Completed, which is for ever: so what was before a task of a chain changes no more.
  std::optional<NewTask> successor;
  bool successor_awaits_approval = false;
};

// What became of renewed leases: who must stop because it lost its lease or somebody cancelled the task.
struct Renewal {
  std::vector<Fence> lost;
  std::vector<Fence> cancelled;
};

// What a running execution reports; the newest value of each field counts.
struct LiveReport {
  Fence fence;
  // Whose report it is, for those who are told of changes; empty: nobody is.
  std::string task_id = {}, session_id = {};
  std::optional<Usage> usage;
  std::optional<double> progress;
  std::string progress_message;
  TranscriptNews transcript;
};

// An artifact without its content, and whose it is.
struct ArtifactEntry {
  std::string session_id, agent_name;
  int attempt = 0;
  std::string name, content_type;
  std::int64_t bytes = 0;
  std::string sha256;  // in hex
};

// Any of these; none: whatever state.
class States : public std::vector<TaskState> {
 public:
  using std::vector<TaskState>::vector;
  States(TaskState only) : std::vector<TaskState>{only} {}
  States(std::optional<TaskState> only) {
    if (only) push_back(*only);
  }
};

// All of it has to hold.
struct TaskFilter {
  std::string agent, source, entity;
  std::string text;  // words of title, entity or error; see search_text.h
  std::string link;  // key of something its event mentions, or the address of what has no key
  States state;
  std::optional<WallTime> start, end;  // created_at in [start, end)
  int limit = 50;                      // 1 to 500
  std::string cursor;                  // of the page before; opaque
};
template <typename Item>
struct Page {
  std::vector<Item> items;
  // Empty: no more. Of tasks that are searched a page may be short, or empty, though there is a next one: no
  // more than some thousand are looked at for one.
  std::string next_cursor;
};

// What became of one step of something in bulk.
struct BulkStep {
  int done = 0;
  std::int64_t left = 0;    // what is behind next_cursor
  std::string next_cursor;  // for the next step; empty: there is none
};

// A task of a decision about many, as it was when somebody chose it.
struct Chosen {
  std::string task_id;
  TaskState state = TaskState::Queued;
  int attempt = 0;           // attempts begun
  std::string content_hash;  // of what is approved
};
// What became of one of them.
struct ChosenOutcome {
  std::string task_id;
  std::optional<TaskState> state;  // absent: refused
  std::string refusal;             // a sentence
};

// An act on tasks that somebody chose, under a key that he gave it so that he can send it again.
struct BulkAct {
  std::string actor, key;
  std::string request_sha256;  // of what he sent, in hex
  TaskActionKind action = TaskActionKind::Cancel;
  std::string comment;
  std::vector<Chosen> tasks;
  std::string way, address, request_id;  // of who asked, for the line that each task has in the audit log
};
// How far it has come.
struct BulkProgress {
  std::string request_sha256;
  TaskActionKind action = TaskActionKind::Cancel;
  std::vector<ChosenOutcome> outcomes;  // of its first tasks, in their order
  bool finished = false;
};

// What was decided about a task's approval.
struct DecidedTask {
  std::string task_id, agent, title;
  TaskDecision decision;
};

// Who decides about a task, and in what way.
struct Person {
  std::string name;  // "admin", "github:alice"
  std::string id;    // the sender's own id, may be empty
  std::string way;   // "api", "cli", or the webhook it came by
};

// What may be spent, in millionths of a US dollar; absent: no limit. A day is a UTC day.
struct BudgetLimits {
  std::optional<std::int64_t> task;       // a chain of tasks in all
  std::optional<std::int64_t> agent_day;  // each agent
  std::optional<std::int64_t> actor_day;  // each person, or each source where nobody caused it
  std::optional<std::int64_t> day;        // everything
  // Set aside for a session before it begins, and all that it may cost. 0: the agent costs nothing.
  std::int64_t session = 1'000'000;
  std::map<std::string, std::int64_t, std::less<>> session_of_agent;
};

// Which tasks of an agent run one after another: those about the same thing, about the same repository,
// project or channel (Entity::group; about the same thing where that is not known), or none.
enum class LineRule { Entity, Group, None };
using LineRules = std::map<std::string, LineRule, std::less<>>;  // by agent; those not in it: Entity

// How one budget stands today.
struct BudgetLine {
  std::string scope;  // "day", "agent" or "actor"
  std::string key;    // agent, or actor as "github:4711" or a source; empty for the day
  std::int64_t limit = 0, spent = 0;
  std::int64_t in_flight = 0;          // set aside for sessions that run, or what they have cost beyond that
  std::optional<WallTime> resumes_at;  // if it is spent
};

// Keeps an agent from getting tasks; what runs goes on. It outlives restarts.
struct Pause {
  std::string agent;  // empty: all, also those that are loaded later
  WallTime since{};
  std::optional<WallTime> until;  // absent: until somebody resumes it
  std::string reason;             // a sentence, may be empty
  std::string by;                 // who; kHeldByItself: the agent
};
inline constexpr std::string_view kHeldByItself = "the agent";

// What is known of a recurring task of the configuration.
struct ScheduleState {
  std::string name, agent;
  std::string cron;       // as it was configured
  WallTime last_slot{};   // the newest time that is done with; at first when it was adopted
  std::string last_task;  // id of its newest task; empty: none yet
};

// What an approval takes, and what happens without one.
struct ApprovalRules {
  bool hash_required = true;             // who approves names the content hash
  std::optional<Duration> deadline;      // of a wait that begins from now on
  std::optional<Duration> remind_after;  // and again after as long
  bool park_at_deadline = false;         // otherwise it is rejected then
  std::string notify;  // agent that gets a task when a wait begins and with each reminder; empty: nobody
  // How often the work of an agent goes back to it when what follows from it is rejected with a comment.
  // Those that are not in it: never.
  std::map<std::string, int, std::less<>> reworks;
};

struct QueueDepth {
  std::string agent;
  TaskState state = TaskState::Queued;
  std::int64_t count = 0;
};
struct QueueReport {
  std::vector<QueueDepth> depths;         // Queued, Running, AwaitingApproval, Parked
  std::optional<WallTime> oldest_queued;  // since when the longest waiting task has been due
  std::vector<std::pair<std::string, std::int64_t>> deferred;  // deliveries by webhook
  std::optional<WallTime> oldest_asked;  // since when the longest waiting approval has been asked for
  std::vector<Pause> pauses;             // that hold now; that of all first
  std::vector<BudgetLine> budgets;       // those with a limit
};

// ---- replies ----

// Where the sender of a delivery wants to hear what becomes of it, and what it has been told.
struct PendingReply {
  std::string delivery_id, webhook;
  Reply reply;                      // `posts`: how many are left; `valid`: not looked at, see `until`
  WallTime since{}, until{};        // what is told happened in this time, and is told in it
  std::vector<std::string> chains;  // ids of the first tasks of the chains it is about
  std::string news;                 // what became of the actions, a sentence; may be empty
  std::vector<std::string> told;    // words of who tells
};

// A task of a chain, as it is told of.
struct TaskNews {
  std::string task_id, agent, title, error;
  TaskState state = TaskState::Queued;
  WallTime since{};          // the state; of a running one, its execution
  std::string content_hash;  // of one that waits for approval
  std::string output;        // JSON, of its newest execution; empty: none
  bool has_successor = false;
};

// ---- plugins ----

// A plugin that took its process down with it.
struct PluginCrash {
  std::string sha256;      // of its library
  std::string plugin;      // instance
  std::string call;        // "handle"
  std::string request_id;  // or session id
  std::string subject;     // crashes about the same one (a task) count once; empty: always
  std::string reason;      // "killed by signal 11 (SIGSEGV)"
  WallTime at{};
};
// So many crashes within so long put a library into quarantine. 0: never.
struct QuarantineRule {
  int after = 3;
  Duration window{600'000};
};
struct Quarantine {
  std::string sha256, plugin;
  WallTime since{};
  std::string reason;  // a sentence
};

// ---- access ----

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

// Something that changed, told after its commit: for wake-ups, and for whoever watches.
struct Change {
  enum class Kind {
    TaskQueued,
    TaskChanged,    // with a session: that execution has begun
    ApprovalAsked,  // also a TaskChanged
    CancelRequested,
    ExecutionChanged,  // one that runs has said, spent or kept something
    DeliveryStored,
    DeliveriesRefused,  // refusals were noted; no id
    HoldChanged,
    ReplyAsked  // the delivery's sender wants to hear of it
  };
  Kind kind = Kind::TaskChanged;
  std::string id;              // task or delivery
  std::string agent;           // of a task; with HoldChanged: who may have tasks again (empty: all)
  std::optional<Fence> fence;  // with CancelRequested
  // The task's, where it is known without asking; always with TaskQueued.
  std::optional<TaskState> state = std::nullopt;
  std::string session = {};  // of the execution; see TaskChanged and ExecutionChanged
};

// ---- the store ----

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
  // Of executions that an earlier host was killed in: counts before they are ended, once. What is of others is
  // left out.
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
  void reject(std::string task_id, Person by, std::string comment, Done<TaskState> done, Audited audit = {});
  // Keeps an act on many tasks for a day, before anything of it is done. Conflict if its actor's key is kept already,
  // Overloaded if too many are that have not come to their end.
  void begin_bulk_act(BulkAct act, Done<> done, Audited audit = {});
  // Decides about its next tasks, kMostChosen of them since others wait meanwhile, each by itself: those that are no
  // more in the state and the attempt in which they were chosen are refused, and left as they are. What came of these
  // is kept in the same transaction, and given. NotFound if the act is not kept.
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
  // Its newest lines, oldest of them first, or with `after` the next behind the line of that number; no more
  // than `limit`. A line of kind "davit" stands where some are missing.
  Result<std::vector<TranscriptLine>> transcript(std::string_view session_id, int limit,
                                                 std::optional<std::int64_t> after = std::nullopt) const;
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

// What an approval is bound to: all that the agent that will run is given of its task, except what never
// changes (ids, when it was made).
struct ApprovedContent {
  std::string_view agent, task_type, source, title;
  std::string_view entity = {};  // key
  const Actor* actor = nullptr;  // may be null
  std::span<const Link> links = {};
  std::string_view payload = "{}";
  std::string_view previous_result = "null";  // of the agent before; "null": nothing
};
// As 64 hexadecimal digits.
std::string content_hash(const ApprovedContent& content);

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
