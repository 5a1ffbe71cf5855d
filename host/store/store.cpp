#include "host/store/store.h"

#include <sys/stat.h>

#include "host/base/guarded.h"
#include "host/store/access.h"
#include "host/store/artifacts.h"
#include "host/store/audit.h"
#include "host/store/budgets.h"
#include "host/store/bulk_acts.h"
#include "host/store/migrations.h"
#include "host/store/open_checks.h"
#include "host/store/plugin_crashes.h"
#include "host/store/readers.h"
#include "host/store/refusals.h"
#include "host/store/replies.h"
#include "host/store/rows.h"
#include "host/store/schedules.h"
#include "host/store/stats.h"
#include "host/store/task_list.h"
#include "host/store/transcripts.h"
#include "host/store/writer.h"

namespace davit::store {
class Store::Impl {
 public:
  Impl(const Options& options, const Clock& clock)
      : options_(options), clock_(clock), readers_(options.path, options.vfs, std::max(options.readers, 1)) {}

  template <typename T>
  void write(Lane lane, std::size_t bytes, Done<T> done, typename WriteOf<T>::Work work) {
    if (writer_ == nullptr) {
      if (done) done(Error{ErrorCode::Unavailable, "the store is open for reading only"});
      return;
    }
    writer_->submit<T>(lane, bytes, std::move(done), std::move(work));
  }

  BudgetLimits limits() const {
    return budget_limits_.with([](const BudgetLimits& now) { return now; });
  }
  // Of times in the database that are delays; see ClockSteps.
  Duration unseen_clock_step() const { return writer_ ? writer_->unseen_clock_step() : Duration(0); }

  Options options_;
  const Clock& clock_;
  std::optional<LockFile> lock_;
  mutable Readers readers_;
  Guarded<BudgetLimits> budget_limits_;  // as the writer has them, for readers
  std::unique_ptr<Writer> writer_;  // null when read_only; ends before the readers close and the lock goes
};

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::~Store() = default;

std::variant<std::unique_ptr<Store>, OpenError> Store::open(const Options& options, Log& log,
                                                            const Clock& clock) {
  const std::filesystem::path& path = options.path;
  auto impl = std::make_unique<Impl>(options, clock);
  bool fresh = false;

  if (options.read_only) {
    if (std::optional<OpenError> error = check_file(path, false)) return *error;
  } else {
    std::optional<OpenError> error = check_file(path, false);
    if (error && error->failure == OpenFailure::Missing && options.create_if_missing &&
        path.has_parent_path()) {
      if (const Result<> folder = ensure_private_directory(path.parent_path()); !folder.ok()) {
        return OpenError{OpenFailure::Other, folder.error().message};
      }
    }
    // Nothing is left behind where there is no database and none is to be made.
    struct stat info {};
    const bool lock_exists = ::lstat((path.string() + ".lock").c_str(), &info) == 0;
    const bool may_begin = options.create_if_missing && error &&
                           (error->failure == OpenFailure::Missing || error->failure == OpenFailure::Empty);
    if (error && !lock_exists && !may_begin) {
      return *error;
    }
    Result<LockFile> lock = LockFile::acquire(path);
    if (!lock.ok()) {
      const ErrorCode code = lock.error().code;
      return OpenError{code == ErrorCode::Conflict ? OpenFailure::InUse : OpenFailure::ReadOnly,
                       lock.error().message};
    }
    impl->lock_ = std::move(lock).value();
    const bool known = impl->lock_->database_was_created();
    error = check_file(path, known);
    // An empty file without the mark is a first start that was interrupted.
    fresh = error && options.create_if_missing && !known &&
            (error->failure == OpenFailure::Missing || error->failure == OpenFailure::Empty);
    if (fresh) error = create_file(path);
    if (error) return *error;
    warn_of_open_mode(path, log);
  }

  const auto mode = options.read_only ? Database::Mode::Read : Database::Mode::Write;
  auto opened = Database::open(path, mode, options.vfs);
  if (const Failure* failure = std::get_if<Failure>(&opened)) return refuse(path, *failure);
  std::unique_ptr<Database> database = std::move(std::get<0>(opened));
  if (std::optional<OpenError> error = check_identity(*database, path)) return *error;
  if (options.read_only) {
    if (database->integer("PRAGMA user_version") < newest_version()) {
      return refuse(OpenFailure::Other, path,
                    "has an older schema; start davit once, it brings it up to date");
    }
    if (std::optional<OpenError> error = check_schema(*database, path)) return *error;
    return std::unique_ptr<Store>(new Store(std::move(impl)));
  }
  if (database->read_only()) {
    return refuse(OpenFailure::ReadOnly, path,
                  "cannot be written; check the owner and mode of file and folder");
  }
  if (!fresh && database->integer("PRAGMA user_version") == 0) {
    // Nothing in it and no mark: a first start that was interrupted before its schema was committed.
    fresh = options.create_if_missing && !impl->lock_->database_was_created();
    if (!fresh) return refuse(OpenFailure::Foreign, path, "is not a davit database; name another file");
  }
  if (std::optional<OpenError> error = check_pages(*database, path, options.open_check_limit, log))
    return *error;

  if (database->text("PRAGMA journal_mode = WAL") != "wal") {
    if (const std::optional<Failure> failure = database->take_failure()) return refuse(path, *failure);
    return refuse(OpenFailure::Other, path, "cannot be put into WAL mode; is it on a network file system?");
  }
  database->begin();  // a shell may hold the lock
  if (const std::optional<Failure> failure = database->take_failure()) return refuse(path, *failure);
  database->rollback();
  if (const Result<> migrated = migrate(*database, path, migrations(), log); !migrated.ok()) {
    return refuse(OpenFailure::Other, path, migrated.error().message);
  }
  if (std::optional<OpenError> error = check_schema(*database, path)) return *error;
  if (fresh) {
    database->checkpoint(true);
    log.info("Database created", {{"path", path.string()}, {"schema", newest_version()}});
  }
  if (const Result<> marked = impl->lock_->mark_created(); !marked.ok()) {
    return OpenError{OpenFailure::Other, marked.error().message};
  }
  Result<std::unique_ptr<Writer>> writer = Writer::start(options, std::move(database), log, clock);
  if (!writer.ok()) return refuse(OpenFailure::Other, path, writer.error().message);
  impl->writer_ = std::move(writer).value();
  return std::unique_ptr<Store>(new Store(std::move(impl)));
}

void Store::on_change(std::function<void(const std::vector<Change>&)> listener) {
  if (impl_->writer_) impl_->writer_->on_change(std::move(listener));
}

void Store::on_commit(std::function<void(std::chrono::microseconds, std::size_t)> listener) {
  if (impl_->writer_) impl_->writer_->on_commit(std::move(listener));
}

void Store::on_prune(std::function<void(std::int64_t, std::int64_t)> listener) {
  if (impl_->writer_) impl_->writer_->on_prune(std::move(listener));
}

void Store::on_decision(std::function<void(std::string_view, std::string_view)> listener) {
  if (impl_->writer_) impl_->writer_->on_decision(std::move(listener));
}

void Store::on_execution_end(std::function<void(const EndedExecution&)> listener) {
  if (impl_->writer_) impl_->writer_->on_execution_end(std::move(listener));
}

// ---- writes ----

void Store::accept(NewDelivery delivery, Done<Accepted> done) {
  std::size_t bytes = 1'024 + delivery.headers.size() + delivery.body.size();
  for (const NewTask& task : delivery.answer.tasks) bytes += task.payload.size();
  // Here, and not on the one thread that all wait for.
  const std::optional<std::int64_t> hash =
      delivery.replay_window ? std::optional(body_hash(delivery.body)) : std::nullopt;
  impl_->write<Accepted>(Lane::Ingest, bytes, std::move(done),
                         [delivery = std::move(delivery), hash](Session& session) {
                           return session.deliveries.accept(session.batch, delivery, hash);
                         });
}

void Store::settle_deferred(NewDelivery delivery, Done<Accepted> done) {
  std::size_t bytes = 1'024;
  for (const NewTask& task : delivery.answer.tasks) bytes += task.payload.size();
  impl_->write<Accepted>(Lane::Ingest, bytes, std::move(done),
                         [delivery = std::move(delivery)](Session& session) {
                           return session.deliveries.settle_deferred(session.batch, delivery);
                         });
}

void Store::begin_try(std::string delivery_id, WallTime again_at, Done<> done) {
  impl_->write<std::monostate>(Lane::Urgent, 256, std::move(done),
                               [id = std::move(delivery_id), again_at](Session& session) {
                                 return session.deliveries.begin_try(session.batch, id, again_at);
                               });
}

void Store::defer_again(std::string delivery_id, std::string reason, WallTime again_at, int max_tries,
                        Done<bool> done, Try which) {
  impl_->write<bool>(Lane::Urgent, 256, std::move(done),
                     [id = std::move(delivery_id), reason = std::move(reason), again_at, max_tries,
                      which](Session& session) {
                       return session.deliveries.defer_again(session.batch, id, reason, again_at, max_tries,
                                                             which);
                     });
}

void Store::wait_for_webhook(std::string delivery_id, std::string reason, Done<> done) {
  impl_->write<std::monostate>(Lane::Urgent, 256, std::move(done),
                               [id = std::move(delivery_id), reason = std::move(reason)](Session& session) {
                                 return session.deliveries.wait_for_webhook(session.batch, id, reason);
                               });
}

void Store::webhooks_serve(std::vector<std::string> webhooks, Done<int> done) {
  impl_->write<int>(Lane::Urgent, 256, std::move(done),
                    [webhooks = std::move(webhooks)](Session& session) -> Result<int> {
                      return session.deliveries.webhooks_serve(session.batch, webhooks);
                    });
}

void Store::replay(std::string delivery_id, std::string by, Done<std::string> done, Audited audit) {
  impl_->write<std::string>(Lane::Urgent, 256, std::move(done),
                            audited<std::string>(std::move(audit), [id = std::move(delivery_id),
                                                                    by = std::move(by)](Session& session) {
                              return session.deliveries.replay(session.batch, id, by);
                            }));
}

void Store::note_refusals(std::vector<RefusedDeliveries> refused, Done<> done) {
  impl_->write<std::monostate>(Lane::Ingest, 1'024, std::move(done),
                               [refused = std::move(refused)](Session& session) -> Result<> {
                                 store::note_refusals(session.database, refused);
                                 session.batch.changes.push_back(
                                     {Change::Kind::DeliveriesRefused, {}, {}, std::nullopt});
                                 return {};
                               });
}

void Store::create_task(NewTask task, std::string source, std::optional<Actor> actor, Done<std::string> done,
                        Audited audit) {
  const std::size_t bytes = 512 + task.payload.size();
  impl_->write<std::string>(
      Lane::Ingest, bytes, std::move(done),
      audited<std::string>(std::move(audit),
                           [task = std::move(task), source = std::move(source),
                            actor = std::move(actor)](Session& session) -> Result<std::string> {
                             TRY(check_new_task(task));
                             return session.tasks.create(
                                 session.batch, task,
                                 Origin{.source = source, .actor = actor ? &*actor : nullptr});
                           }));
}

void Store::claim(ClaimRequest request, Done<std::vector<ClaimedTask>> done) {
  impl_->write<std::vector<ClaimedTask>>(
      Lane::Claim, 256, std::move(done),
      [request = std::move(request)](Session& session) -> Result<std::vector<ClaimedTask>> {
        return session.claims.claim(session.batch, request);
      });
}

void Store::renew(std::vector<Fence> fences, Duration lease, Done<Renewal> done) {
  impl_->write<Renewal>(Lane::Urgent, 256, std::move(done),
                        [fences = std::move(fences), lease](Session& session) -> Result<Renewal> {
                          Renewal renewal;
                          const MonotonicTime until = session.batch.monotonic + lease;
                          for (const Fence& fence : fences) {
                            switch (session.leases.renew(fence, until)) {
                              case Leases::Renewed::Yes:
                                break;
                              case Leases::Renewed::Lost:
                                renewal.lost.push_back(fence);
                                break;
                              case Leases::Renewed::CancelRequested:
                                renewal.cancelled.push_back(fence);
                                break;
                            }
                          }
                          return renewal;
                        });
}

namespace {

std::size_t weight_of(const TranscriptNews& news) {
  std::size_t bytes = 0;
  for (const TranscriptLine& line : news.lines) bytes += line.kind.size() + line.text.size();
  for (const TranscriptPack& pack : news.packs) bytes += pack.packed.size();
  return bytes;
}

}  // namespace

void Store::report(std::vector<LiveReport> reports, Done<> done) {
  std::size_t bytes = 256;
  for (const LiveReport& report : reports) bytes += weight_of(report.transcript);
  impl_->write<std::monostate>(Lane::Urgent, bytes, std::move(done),
                               [reports = std::move(reports)](Session& session) -> Result<> {
                                 session.tasks.report(session.batch, reports);
                                 return {};
                               });
}

void Store::keep_artifact(Fence fence, Artifact artifact, Done<> done) {
  PackedArtifact packed = pack_artifact(std::move(artifact));
  const std::size_t bytes = 512 + packed.content.size();
  impl_->write<std::monostate>(Lane::Ingest, bytes, std::move(done),
                               [fence, packed = std::move(packed)](Session& session) {
                                 return store::keep_artifact(session.database, session.batch, fence, packed);
                               });
}

void Store::finish(Finish finish, Done<TaskState> done) {
  const std::size_t bytes = 512 + finish.result.output.size() + weight_of(finish.transcript);
  impl_->write<TaskState>(
      Lane::Urgent, bytes, std::move(done),
      [finish = std::move(finish)](Session& session) -> Result<TaskState> {
        const TaskState state = TRY(session.tasks.finish(session.batch, finish));
        const Finish::Hold& hold = finish.hold;
        if (hold.time > Duration(0) &&
            session.pauses.hold(hold.agent, hold.time, finish.result.error, session.batch.now))
          session.batch.changes.push_back({Change::Kind::HoldChanged, {}, hold.agent, std::nullopt});
        return state;
      });
}

void Store::reap_expired_leases(Done<int> done) {
  impl_->write<int>(Lane::Urgent, 256, std::move(done),
                    [](Session& session) -> Result<int> { return session.tasks.reap(session.batch); });
}

namespace {

typename WriteOf<TaskState>::Work decision(std::string task_id, Decision made, Audited audit) {
  return audited<TaskState>(std::move(audit),
                            [task_id = std::move(task_id), made = std::move(made)](Session& session) {
                              return session.decisions.decide(session.batch, task_id, made);
                            });
}

}  // namespace

void Store::cancel(std::string task_id, Person by, std::string reason, Done<TaskState> done, Audited audit) {
  impl_->write<TaskState>(
      Lane::Urgent, 256, std::move(done),
      decision(std::move(task_id), {TaskActionKind::Cancel, std::move(by), std::move(reason), {}},
               std::move(audit)));
}

void Store::retry(std::string task_id, Person by, Done<TaskState> done, Audited audit) {
  impl_->write<TaskState>(
      Lane::Urgent, 256, std::move(done),
      decision(std::move(task_id), {TaskActionKind::Retry, std::move(by), {}, {}}, std::move(audit)));
}

void Store::retry_all(TaskFilter filter, Person by, Done<BulkStep> done, Audited audit) {
  constexpr int kMostAtOnce = 200;
  const auto refuse = [&](const Error& error) {
    const auto answer = [done, error](const Result<>&) {
      if (done) done(error);
    };
    if (!audit) return answer({});
    audit->outcome = "refused";
    audit->reason = error.message;
    note_audit(*audit, answer);
  };
  if (filter.state.size() != 1 || !can_be_retried(filter.state.front())) {
    return refuse(
        {ErrorCode::InvalidInput, "status: must be failed, cancelled or parked: only such tasks can be retried"});
  }
  filter.limit = kMostAtOnce;
  Result<MatchingTasks> found = impl_->readers_.read<MatchingTasks>(
      [&](Reader& reader) { return find_tasks_oldest_first(reader, filter); });
  if (!found.ok()) return refuse(found.error());
  impl_->write<BulkStep>(
      Lane::Urgent, 256, std::move(done),
      audited<BulkStep>(
          std::move(audit),
          [found = std::move(found).value(), decided = Decision{TaskActionKind::Retry, std::move(by), {}, {}},
           state = filter.state.front()](Session& session) -> Result<BulkStep> {
            BulkStep step{0, found.behind, found.next_cursor};
            for (const std::string& id : found.ids) {
              if (session.decisions.decide_if(session.batch, id, state, decided).ok()) ++step.done;
            }
            return step;
          }));
}

void Store::approve(std::string task_id, Person by, std::string content_hash, Done<TaskState> done,
                    std::string comment, Audited audit) {
  impl_->write<TaskState>(Lane::Urgent, 256, std::move(done),
                          decision(std::move(task_id),
                                   {TaskActionKind::Approve, std::move(by), std::move(comment),
                                    std::move(content_hash)},
                                   std::move(audit)));
}

void Store::reject(std::string task_id, Person by, std::string comment, Done<TaskState> done, Audited audit) {
  impl_->write<TaskState>(
      Lane::Urgent, 256, std::move(done),
      decision(std::move(task_id), {TaskActionKind::Reject, std::move(by), std::move(comment), {}},
               std::move(audit)));
}

void Store::begin_bulk_act(BulkAct act, Done<> done, Audited audit) {
  impl_->write<std::monostate>(
      Lane::Urgent, 256, std::move(done),
      audited<std::monostate>(std::move(audit), [act = std::move(act)](Session& session) {
        return store::begin_bulk_act(session.database, act, session.batch.now);
      }));
}

void Store::continue_bulk_act(std::string actor, std::string key, Done<BulkProgress> done) {
  impl_->write<BulkProgress>(Lane::Urgent, 256, std::move(done),
                             [actor = std::move(actor), key = std::move(key)](Session& session) {
                               return store::continue_bulk_act(session.database, session.batch,
                                                               session.decisions, actor, key);
                             });
}

void Store::set_approval_rules(ApprovalRules rules, Done<> done) {
  impl_->write<std::monostate>(Lane::Urgent, 256, std::move(done),
                               [rules = std::move(rules)](Session& session) -> Result<> {
                                 session.approval_rules = rules;
                                 return {};
                               });
}

void Store::set_chain_notify(std::string agent, Done<> done) {
  impl_->write<std::monostate>(Lane::Urgent, 256, std::move(done),
                               [agent = std::move(agent)](Session& session) -> Result<> {
                                 session.chain_notify = agent;
                                 return {};
                               });
}

void Store::set_line_rules(LineRules rules, Done<> done) {
  impl_->write<std::monostate>(Lane::Urgent, 256, std::move(done),
                               [rules = std::move(rules)](Session& session) -> Result<> {
                                 session.line_rules = rules;
                                 return {};
                               });
}

void Store::set_budgets(BudgetLimits limits, Done<> done) {
  impl_->budget_limits_.with([&](BudgetLimits& now) { now = limits; });
  impl_->write<std::monostate>(Lane::Urgent, 256, std::move(done),
                               [limits = std::move(limits)](Session& session) -> Result<> {
                                 session.budget_limits = limits;
                                 session.budgets.limits_changed(session.batch);
                                 return {};
                               });
}

void Store::pause(Pause pause, Done<> done, Audited audit) {
  impl_->write<std::monostate>(
      Lane::Urgent, 256, std::move(done),
      audited<std::monostate>(std::move(audit), [pause = std::move(pause)](Session& session) -> Result<> {
        if (pause.until && *pause.until <= session.batch.now) {
          return Error{ErrorCode::InvalidInput, "until: " + to_iso8601(*pause.until) + " has passed"};
        }
        Pause begun = pause;
        begun.since = session.batch.now;
        session.pauses.pause(begun);
        session.batch.changes.push_back({Change::Kind::HoldChanged, {}, begun.agent, std::nullopt});
        return {};
      }));
}

void Store::resume(std::string agent, Done<bool> done, Audited audit) {
  impl_->write<bool>(
      Lane::Urgent, 256, std::move(done),
      audited<bool>(std::move(audit), [agent = std::move(agent)](Session& session) -> Result<bool> {
        if (!session.pauses.resume(agent, session.batch.now)) return false;
        session.batch.changes.push_back({Change::Kind::HoldChanged, {}, agent, std::nullopt});
        return true;
      }));
}

void Store::create_token(AccessToken token, Done<> done, Audited audit) {
  impl_->write<std::monostate>(
      Lane::Urgent, 256, std::move(done),
      audited<std::monostate>(std::move(audit), [token = std::move(token)](Session& session) {
        AccessToken made = token;
        made.created_at = session.batch.now;
        return store::create_token(session.database, made);
      }));
}

void Store::revoke_token(std::string name, Done<AccessToken> done, Audited audit) {
  impl_->write<AccessToken>(
      Lane::Urgent, 256, std::move(done),
      audited<AccessToken>(std::move(audit), [name = std::move(name)](Session& session) {
        return store::revoke_token(session.database, name, session.batch.now);
      }));
}

void Store::note_token_use(std::string sha256) {
  impl_->write<std::monostate>(Lane::Ingest, 256, {},
                               [sha256 = std::move(sha256)](Session& session) -> Result<> {
                                 store::note_token_use(session.database, sha256, session.batch.now);
                                 return {};
                               });
}

void Store::open_session(LoginSession opened, SessionLimits limits, Done<std::vector<std::string>> done,
                         Audited audit) {
  using Ended = std::vector<std::string>;
  impl_->write<Ended>(
      Lane::Urgent, 256, std::move(done),
      audited<Ended>(std::move(audit), [opened = std::move(opened), limits](Session& session) -> Result<Ended> {
        return store::open_session(session.database, opened, limits);
      }));
}

void Store::note_session_use(std::string sha256) {
  impl_->write<std::monostate>(Lane::Ingest, 256, {},
                               [sha256 = std::move(sha256)](Session& session) -> Result<> {
                                 store::note_session_use(session.database, sha256, session.batch.now);
                                 return {};
                               });
}

void Store::close_session(std::string sha256, Done<> done, Audited audit) {
  impl_->write<std::monostate>(
      Lane::Urgent, 256, std::move(done),
      audited<std::monostate>(std::move(audit), [sha256 = std::move(sha256)](Session& session) -> Result<> {
        store::close_session(session.database, sha256);
        return {};
      }));
}

void Store::note_audit(AuditEntry entry, Done<> done) {
  impl_->write<std::monostate>(Lane::Ingest, 1'024, std::move(done),
                               [entry = std::move(entry)](Session& session) -> Result<> {
                                 store::note_audit(session.database, entry, session.batch.now);
                                 return {};
                               });
}

void Store::begin_audit(AuditEntry entry, Done<std::int64_t> done) {
  entry.outcome = "begun";
  impl_->write<std::int64_t>(Lane::Urgent, 1'024, std::move(done),
                             [entry = std::move(entry)](Session& session) -> Result<std::int64_t> {
                               return store::note_audit(session.database, entry, session.batch.now);
                             });
}

void Store::end_audit(std::int64_t number, std::string outcome, std::string reason) {
  impl_->write<std::monostate>(
      Lane::Urgent, 1'024, {},
      [number, outcome = std::move(outcome), reason = std::move(reason)](Session& session) -> Result<> {
        store::end_audit(session.database, number, outcome, reason);
        return {};
      });
}

void Store::adopt_schedules(std::vector<ScheduleState> schedules, Done<std::vector<ScheduleState>> done) {
  impl_->write<std::vector<ScheduleState>>(
      Lane::Urgent, 256, std::move(done),
      [schedules = std::move(schedules)](Session& session) -> Result<std::vector<ScheduleState>> {
        return store::adopt_schedules(session.database, session.batch, schedules);
      });
}

void Store::fire_schedule(std::string name, WallTime slot, NewTask task,
                          Done<std::optional<std::string>> done) {
  const std::size_t bytes = 512 + task.payload.size();
  impl_->write<std::optional<std::string>>(
      Lane::Ingest, bytes, std::move(done),
      [name = std::move(name), slot, task = std::move(task)](Session& session) {
        return store::fire_schedule(session.database, session.tasks, session.batch, name, slot, task);
      });
}

void Store::skip_schedule(std::string name, WallTime slot, Done<> done) {
  impl_->write<std::monostate>(Lane::Urgent, 256, std::move(done),
                               [name = std::move(name), slot](Session& session) -> Result<> {
                                 store::skip_schedule(session.database, name, slot);
                                 return {};
                               });
}

void Store::work_off_approvals(Done<std::optional<WallTime>> done) {
  impl_->write<std::optional<WallTime>>(Lane::Urgent, 256, std::move(done),
                                        [](Session& session) -> Result<std::optional<WallTime>> {
                                          return session.reminders.work_off(session.batch);
                                        });
}

void Store::note_reply(PendingReply reply, Done<> done) {
  impl_->write<std::monostate>(Lane::Urgent, 1'024, std::move(done),
                               [reply = std::move(reply)](Session& session) -> Result<> {
                                 keep_reply(session.database, reply);
                                 return {};
                               });
}

void Store::forget_reply(std::string delivery_id, Done<> done) {
  impl_->write<std::monostate>(Lane::Urgent, 256, std::move(done),
                               [id = std::move(delivery_id)](Session& session) -> Result<> {
                                 store::forget_reply(session.database, id);
                                 return {};
                               });
}

void Store::note_crash(PluginCrash crash, QuarantineRule rule, Done<bool> done) {
  impl_->write<bool>(Lane::Urgent, 512, std::move(done),
                     [crash = std::move(crash), rule](Session& session) -> Result<bool> {
                       return store::note_crash(session.database, crash, rule);
                     });
}

void Store::clear_crashes(std::set<std::string> sha256s, Done<> done, Audited audit) {
  impl_->write<std::monostate>(
      Lane::Urgent, 256, std::move(done),
      audited<std::monostate>(std::move(audit), [sha256s = std::move(sha256s)](Session& session) -> Result<> {
        for (const std::string& sha256 : sha256s) store::clear_crashes(session.database, sha256);
        return {};
      }));
}

void Store::hold_agents(std::set<std::string> agents, Done<> done) {
  impl_->write<std::monostate>(Lane::Urgent, 256, std::move(done),
                               [agents = std::move(agents)](Session& session) -> Result<> {
                                 session.tasks.hold(session.batch, agents);
                                 return {};
                               });
}

void Store::set_retention(Retention retention) {
  if (impl_->writer_) impl_->writer_->set_retention(retention);
}

Result<std::vector<Quarantine>> Store::quarantines() const {
  return impl_->readers_.read<std::vector<Quarantine>>(
      [](Reader& reader) { return read_quarantines(reader); });
}

void Store::set_setting(std::string name, std::string value, Done<> done, Audited audit) {
  impl_->write<std::monostate>(
      Lane::Urgent, 256, std::move(done),
      audited<std::monostate>(
          std::move(audit), [name = std::move(name), value = std::move(value)](Session& session) -> Result<> {
            Statement(session.database,
                      "INSERT INTO setting (name, value) VALUES (?1, ?2)"
                      " ON CONFLICT (name) DO UPDATE SET value = excluded.value")
                .run(name, value);
            return {};
          }));
}

// ---- reads ----

Result<std::vector<AccessToken>> Store::tokens() const {
  return impl_->readers_.read<std::vector<AccessToken>>(
      [](Reader& reader) -> Result<std::vector<AccessToken>> { return read_tokens(reader); });
}

Result<std::vector<LoginSession>> Store::sessions() const {
  return impl_->readers_.read<std::vector<LoginSession>>(
      [](Reader& reader) -> Result<std::vector<LoginSession>> { return read_sessions(reader); });
}

Result<Page<AuditEntry>> Store::audit(const AuditFilter& filter) const {
  return impl_->readers_.read<Page<AuditEntry>>([&](Reader& reader) { return list_audit(reader, filter); });
}

Result<Page<TaskSummary>> Store::tasks(const TaskFilter& filter) const {
  return impl_->readers_.read<Page<TaskSummary>>(
      [&](Reader& reader) { return list_tasks(reader, filter, impl_->limits(), impl_->clock_.wall()); });
}

Result<TaskDetail> Store::task(std::string_view task_id) const {
  return impl_->readers_.read<TaskDetail>(
      [&](Reader& reader) { return read_task(reader, task_id, impl_->limits(), impl_->clock_.wall()); });
}

Result<std::vector<TranscriptLine>> Store::transcript(std::string_view session_id, int limit,
                                                      std::optional<std::int64_t> after) const {
  return impl_->readers_.read<std::vector<TranscriptLine>>(
      [&](Reader& reader) { return read_transcript(reader, session_id, limit, after); });
}

Result<std::vector<ArtifactEntry>> Store::artifacts(std::string_view task_id) const {
  return impl_->readers_.read<std::vector<ArtifactEntry>>(
      [&](Reader& reader) { return read_artifacts(reader, task_id); });
}

Result<Artifact> Store::artifact(std::string_view task_id, std::string_view session_id,
                                 std::string_view name) const {
  return impl_->readers_.read<Artifact>(
      [&](Reader& reader) { return read_artifact(reader, task_id, session_id, name); });
}

Result<Page<DeliverySummary>> Store::deliveries(const DeliveryFilter& filter) const {
  return impl_->readers_.read<Page<DeliverySummary>>(
      [&](Reader& reader) { return list_deliveries(reader, filter); });
}

Result<DeliveryDetail> Store::delivery(std::string_view delivery_id) const {
  return impl_->readers_.read<DeliveryDetail>(
      [&](Reader& reader) { return read_delivery(reader, delivery_id); });
}

Result<std::vector<RefusedDeliveries>> Store::refusals(const RefusalFilter& filter) const {
  return impl_->readers_.read<std::vector<RefusedDeliveries>>(
      [&](Reader& reader) { return read_refusals(reader, filter); });
}

Result<DeferredDelivery> Store::delivery_to_run(std::string_view delivery_id) const {
  return impl_->readers_.read<DeferredDelivery>(
      [&](Reader& reader) { return read_delivery_to_run(reader, delivery_id); });
}

Result<std::vector<DeferredDelivery>> Store::due_deferred(int limit) const {
  return impl_->readers_.read<std::vector<DeferredDelivery>>([&](Reader& reader) {
    return read_due_deferred(reader, impl_->clock_.wall() - impl_->unseen_clock_step(), limit);
  });
}

Result<std::optional<WallTime>> Store::next_deferred_at() const {
  return impl_->readers_.read<std::optional<WallTime>>(
      [&](Reader& reader) -> Result<std::optional<WallTime>> {
        std::optional<WallTime> at = TRY(read_next_deferred_at(reader));
        if (at) *at += impl_->unseen_clock_step();
        return at;
      });
}

Result<QueueReport> Store::queue() const {
  return impl_->readers_.read<QueueReport>(
      [&](Reader& reader) { return read_queue(reader, impl_->limits(), impl_->clock_.wall()); });
}

Result<Page<std::string>> Store::waiting(std::string_view agent, int limit, std::string_view cursor) const {
  return impl_->readers_.read<Page<std::string>>(
      [&](Reader& reader) { return list_waiting(reader, agent, limit, cursor); });
}

Result<Page<DecidedTask>> Store::decided(int limit, std::string_view cursor) const {
  return impl_->readers_.read<Page<DecidedTask>>(
      [&](Reader& reader) { return list_decided(reader, limit, cursor); });
}

Result<std::vector<ScheduleState>> Store::schedules() const {
  return impl_->readers_.read<std::vector<ScheduleState>>(
      [](Reader& reader) -> Result<std::vector<ScheduleState>> { return read_schedules(reader); });
}

Result<std::optional<WallTime>> Store::next_run_at(WallTime since) const {
  return impl_->readers_.read<std::optional<WallTime>>(
      [&](Reader& reader) { return read_next_run_at(reader, impl_->limits(), since); });
}

Result<std::optional<std::string>> Store::setting(std::string_view name) const {
  return impl_->readers_.read<std::optional<std::string>>(
      [&](Reader& reader) -> Result<std::optional<std::string>> {
        Cursor row = reader.statement("SELECT value FROM setting WHERE name = ?1").query(name);
        if (!row.next()) return std::optional<std::string>();
        return std::optional(row.text(0));
      });
}

Result<std::optional<BulkProgress>> Store::bulk_act(std::string_view actor, std::string_view key) const {
  return impl_->readers_.read<std::optional<BulkProgress>>(
      [&](Reader& reader) -> Result<std::optional<BulkProgress>> {
        return read_bulk_act(reader, actor, key, impl_->clock_.wall());
      });
}

Result<std::vector<PendingReply>> Store::pending_replies() const {
  return impl_->readers_.read<std::vector<PendingReply>>(
      [](Reader& reader) -> Result<std::vector<PendingReply>> { return read_replies(reader); });
}

Result<std::optional<PendingReply>> Store::pending_reply(std::string_view delivery_id) const {
  return impl_->readers_.read<std::optional<PendingReply>>(
      [&](Reader& reader) -> Result<std::optional<PendingReply>> { return read_reply(reader, delivery_id); });
}

Result<std::string> Store::chain_of(std::string_view task_id) const {
  return impl_->readers_.read<std::string>(
      [&](Reader& reader) -> Result<std::string> { return read_chain_of(reader, task_id); });
}

Result<std::vector<TaskNews>> Store::chain_news(std::string_view first_task_id) const {
  return impl_->readers_.read<std::vector<TaskNews>>([&](Reader& reader) -> Result<std::vector<TaskNews>> {
    return read_chain_news(reader, first_task_id);
  });
}

// ---- statistics ----

Result<std::vector<AgentStats>> Store::agent_stats(std::string_view agent) const {
  return impl_->readers_.read<std::vector<AgentStats>>(
      [&](Reader& reader) -> Result<std::vector<AgentStats>> { return read_agent_stats(reader, agent); });
}

Result<std::vector<CostLine>> Store::costs(const CostQuery& query) const {
  return impl_->readers_.read<std::vector<CostLine>>(
      [&](Reader& reader) -> Result<std::vector<CostLine>> { return read_costs(reader, query); });
}

Result<std::vector<SeriesPoint>> Store::series(const SeriesQuery& query) const {
  return impl_->readers_.read<std::vector<SeriesPoint>>(
      [&](Reader& reader) -> Result<std::vector<SeriesPoint>> { return read_series(reader, query); });
}

Result<std::vector<TasksMade>> Store::tasks_made(const SeriesQuery& query) const {
  return impl_->readers_.read<std::vector<TasksMade>>(
      [&](Reader& reader) -> Result<std::vector<TasksMade>> { return read_tasks_made(reader, query); });
}

Result<std::vector<QueuePoint>> Store::queue_series(const QueueSeriesQuery& query) const {
  return impl_->readers_.read<std::vector<QueuePoint>>(
      [&](Reader& reader) -> Result<std::vector<QueuePoint>> {
        return read_queue_series(reader, query, {impl_->clock_.wall(), impl_->writer_ != nullptr});
      });
}

Result<std::vector<ChainPattern>> Store::chain_patterns(const ChainQuery& query) const {
  return impl_->readers_.read<std::vector<ChainPattern>>(
      [&](Reader& reader) -> Result<std::vector<ChainPattern>> { return read_chain_patterns(reader, query); });
}

Result<Overview> Store::overview() const {
  return impl_->readers_.read<Overview>(
      [&](Reader& reader) -> Result<Overview> { return read_overview(reader, impl_->clock_.wall()); });
}

Result<History> Store::history() const {
  return impl_->readers_.read<History>(
      [](Reader& reader) -> Result<History> { return read_history(reader); });
}

// ---- upkeep ----

Result<> Store::backup(const std::filesystem::path& target) const {
  // A connection of its own: a long copy must not take a reader from the dashboard.
  auto opened = Database::open(impl_->options_.path, Database::Mode::Read, impl_->options_.vfs);
  if (const Failure* failure = std::get_if<Failure>(&opened)) return to_error(*failure);
  const std::string drop = std::string(kDropSessions) + kDropReplies;
  return copy_database(*std::get<0>(opened), target, drop.c_str());
}

Result<> Store::health() const {
  if (impl_->writer_) return impl_->writer_->health();
  return {};
}

Result<DatabaseSize> Store::database_size() const {
  DatabaseSize size = TRY(impl_->readers_.read<DatabaseSize>([](Reader& reader) -> Result<DatabaseSize> {
    const std::int64_t page = reader.database().integer("PRAGMA page_size");
    const std::int64_t free = reader.database().integer("PRAGMA freelist_count");
    return DatabaseSize{(reader.database().integer("PRAGMA page_count") - free) * page, free * page, 0};
  }));
  struct stat log {};
  if (::stat((impl_->options_.path.string() + "-wal").c_str(), &log) == 0) size.log = log.st_size;
  return size;
}

void Store::reach_writer(std::function<void()> reached) const {
  if (impl_->writer_) impl_->writer_->reach(std::move(reached));
}

WriterStats Store::writer_stats() const { return impl_->writer_ ? impl_->writer_->stats() : WriterStats{}; }

}  // namespace davit::store
