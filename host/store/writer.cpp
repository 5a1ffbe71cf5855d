// Group commit.
//
// The thread takes what waits (up to a cap, no timer: the flush before is the window), runs it in one
// transaction, syncs once, tells the listeners, then answers. Decisions and finishes run first and claims
// last, so that a claim sees the slots and tasks that the same batch frees and brings.
//
// Isolation without a savepoint per write: a write looks before it writes, so a refusal has written nothing.
// A write that fails halfway all the same (a constraint, a value too large) makes the batch roll back and run
// again with each write in a transaction of its own; only the culprit fails.
//
// A failure of storage is another matter. Nothing of the batch is acknowledged. If it was the commit, nobody
// knows what is on the disk, and the kernel may have forgotten pages it failed to write: so the connection is
// closed, and the next batch opens a new one, moves the whole log into the file (which writes every page
// again and syncs it) and empties it before anything new is written. Claims whose answer never went out are
// returned, without counting.
//
// The writer is the only connection that checkpoints (SQLite 3.7.0 to 3.51.2 can lose a commit if a
// checkpoint and a write of two connections meet), always after the answers are out.
#include "host/store/writer.h"

#include <pthread.h>

#include <algorithm>

namespace davit::store {
namespace {

constexpr std::size_t kBatchWrites = 256;
constexpr std::size_t kBatchBytes = 2u << 20;
constexpr int kCheckpointPages = 1'000;   // 8 MB; a small log that is used again is faster than a big one
constexpr int kLongLogPages = 8 * 1'024;  // 64 MB
constexpr int kPruneEffort = 500;         // rows and pages of one step
constexpr int kPruneShare = 10;           // a step, then nine times as long nothing
constexpr std::chrono::minutes kPruneEvery{10};
constexpr std::chrono::milliseconds kIndexAfter{250};  // so that many tasks are indexed at once
constexpr int kIndexShare = 10;                        // as of pruning
constexpr std::chrono::seconds kSampleAfter{1};        // so that what comes at once is seen as it stands
constexpr std::chrono::minutes kSampleEvery{1};
constexpr std::chrono::minutes kDefectIsNews{1};
constexpr int kSampleShare = 500;                      // a sample, then so many times as long none
constexpr std::int64_t kWorthTelling = 16 << 20;       // bytes that are free

}  // namespace

Writer::Writer(const Options& options, std::unique_ptr<Database> database, Log& log, const Clock& clock)
    : options_(options),
      log_(log),
      clock_(clock),
      identity_(FileIdentity::of(options.path)),
      chain_notify_(options.chain_notify),
      connection_(std::make_unique<Connection>(std::move(database), leases_, held_agents_, chain_notify_,
                                               approval_rules_, line_rules_, budget_limits_, clock_steps_)) {}

Result<std::unique_ptr<Writer>> Writer::start(const Options& options, std::unique_ptr<Database> database,
                                              Log& log, const Clock& clock) {
  std::unique_ptr<Writer> writer(new Writer(options, std::move(database), log, clock));
  int returned = 0;
  TRY(writer->run_alone([&](Session& session) {
    session.database.execute("UPDATE host_state SET clean = 0");
    session.tasks.take_told(session.batch, options.told);
    returned = session.tasks.recover(session.batch, TaskQueue::Recovery::Start);
    writer->connection_->samples.begin(session.batch);
  }));
  writer->sampled_at_ = clock.monotonic();
  if (returned > 0)
    log.warn("Tasks of a host that ended while they ran were returned", {{"tasks", returned}});
  writer->note_log();
  writer->thread_ = std::thread([self = writer.get()] {
    pthread_setname_np(pthread_self(), "davit-store");
    self->loop();
  });
  return writer;
}

Writer::~Writer() {
  if (!thread_.joinable()) return;
  waiting_.with([](Waiting& waiting) { waiting.stopping = true; });
  changed_.notify_one();
  thread_.join();
}

void Writer::on_change(std::function<void(const std::vector<Change>&)> listener) {
  listeners_.with([&](Listeners& listeners) { listeners.change = std::move(listener); });
}

void Writer::on_commit(std::function<void(std::chrono::microseconds, std::size_t)> listener) {
  listeners_.with([&](Listeners& listeners) { listeners.commit = std::move(listener); });
}

void Writer::on_prune(std::function<void(std::int64_t, std::int64_t)> listener) {
  listeners_.with([&](Listeners& listeners) { listeners.prune = std::move(listener); });
}

void Writer::on_decision(std::function<void(std::string_view, std::string_view)> listener) {
  listeners_.with([&](Listeners& listeners) { listeners.decision = std::move(listener); });
}

void Writer::on_execution_end(std::function<void(const EndedExecution&)> listener) {
  listeners_.with([&](Listeners& listeners) { listeners.execution_end = std::move(listener); });
}

WriterStats Writer::stats() const {
  WriterStats stats;
  stats.commits = commits_.load();
  stats.writes = writes_.load();
  stats.failed_commits = failed_commits_.load();
  waiting_.with([&](const Waiting& waiting) {
    stats.waiting = waiting.count();
    stats.full =
        waiting.count() >= options_.max_waiting_writes || waiting.bytes >= options_.max_waiting_bytes;
  });
  return stats;
}

Result<> Writer::health() {
  TRY(check_identity());
  const std::optional<Error> trouble = trouble_.with([](const std::optional<Error>& error) { return error; });
  if (!trouble) return defect();
  const bool probe = waiting_.with([](Waiting& waiting) { return !std::exchange(waiting.probing, true); });
  if (probe) {
    submit<std::monostate>(Lane::Urgent, 0, nullptr, [](Session& session) {
      session.database.execute("UPDATE host_state SET clean = 0");
      return Result<>();
    });
  }
  return *trouble;
}

// Whether the next write fails is not known: others may work. So it is told for a while.
Result<> Writer::defect() const {
  return defect_.with([&](const std::optional<Defect>& defect) -> Result<> {
    if (!defect) return {};
    const auto ago = clock_.monotonic() - defect->seen_at;
    if (ago >= kDefectIsNews) return {};
    return Error{ErrorCode::Internal,
                 "a write failed " +
                     std::to_string(std::chrono::duration_cast<std::chrono::seconds>(ago).count()) +
                     " s ago, and its like will: " + defect->message};
  });
}

void Writer::note_defect(const Failure& failure) {
  const Error error = to_error(failure);
  if (error.code != ErrorCode::Internal) return;  // it is about what was to be written, and who wrote is told
  const MonotonicTime now = clock_.monotonic();
  const bool tell = defect_.with([&](std::optional<Defect>& defect) {
    const bool is_news = !defect || now - defect->told_at >= kDefectIsNews;
    defect = Defect{error.message, now, is_news ? now : defect->told_at};
    return is_news;
  });
  if (tell) log_.error("A write of the store failed, and its like will", {{"reason", error.message}});
}

void Writer::note_health(Result<> health) {
  const bool changed = trouble_.with([&](std::optional<Error>& trouble) {
    const bool was_well = !trouble.has_value();
    trouble = health.ok() ? std::nullopt : std::optional(health.error());
    return was_well != health.ok();
  });
  waiting_.with([](Waiting& waiting) { waiting.probing = false; });
  if (!changed) return;
  if (health.ok()) {
    log_.info("The store works again");
  } else {
    log_.error("The store takes no writes", {{"reason", health.error().message}});
  }
}

void Writer::enqueue(Lane lane, std::size_t bytes, std::unique_ptr<Write> write) {
  write->bytes = bytes;
  bool wake = false;
  const std::optional<Error> refused = waiting_.with([&](Waiting& waiting) -> std::optional<Error> {
    if (waiting.stopping) return Error{ErrorCode::Unavailable, "the store is closing"};
    if (lane != Lane::Urgent && (waiting.count() >= options_.max_waiting_writes ||
                                 waiting.bytes + bytes > options_.max_waiting_bytes)) {
      return Error{ErrorCode::Overloaded, "too many writes wait for the disk; try again later"};
    }
    switch (lane) {
      case Lane::Urgent:
        waiting.urgent.push_back(std::move(write));
        break;
      case Lane::Claim:
        waiting.claims.push_back(std::move(write));
        break;
      case Lane::Ingest:
        waiting.ingest.push_back(std::move(write));
        break;
    }
    if (lane != Lane::Urgent) waiting.bytes += bytes;
    wake = std::exchange(waiting.asleep, false);
    return std::nullopt;
  });
  if (refused) {
    write->fail(*refused);
  } else if (wake) {
    changed_.notify_one();
  }
}

void Writer::set_retention(Retention retention) {
  waiting_.with([&](Waiting& waiting) {
    waiting.retention = retention;
    waiting.prune_now = true;
    waiting.asleep = false;
  });
  changed_.notify_one();
}

void Writer::reach(std::function<void()> reached) {
  waiting_.with([&](Waiting& waiting) {
    waiting.to_reach.push_back(std::move(reached));
    waiting.asleep = false;
  });
  changed_.notify_one();
}

void Writer::answer_reached() {
  const auto reached = waiting_.with([](Waiting& waiting) { return std::exchange(waiting.to_reach, {}); });
  for (const std::function<void()>& each : reached) each();
}

// None, when it is time to prune, to index, to look at the queue or to stop.
Writer::Writes Writer::take() {
  const auto ready = [](Waiting& waiting) {
    const bool something =
        !waiting.empty() || waiting.stopping || waiting.prune_now || !waiting.to_reach.empty();
    waiting.asleep = !something;
    return something;
  };
  auto patience = std::min(prune_at_, index_at_) - std::chrono::steady_clock::now();
  if (sample_at_ != MonotonicTime::max()) patience = std::min(patience, sample_at_ - clock_.monotonic());
  return waiting_.wait_for(changed_, patience, ready, [](Waiting& waiting) {
    waiting.asleep = false;
    Writes urgent, claims, ingest;
    std::size_t count = 0;
    std::size_t bytes = 0;
    const auto move = [&](std::deque<std::unique_ptr<Write>>& from, Writes& to) {
      while (!from.empty() && count < kBatchWrites && bytes < kBatchBytes) {
        ++count;
        bytes += from.front()->bytes;
        to.push_back(std::move(from.front()));
        from.pop_front();
      }
    };
    // Who is taken first…
    move(waiting.urgent, urgent);
    const std::size_t urgent_bytes = bytes;
    move(waiting.claims, claims);
    move(waiting.ingest, ingest);
    waiting.bytes -= std::min(waiting.bytes, bytes - urgent_bytes);
    // …and who runs first.
    Writes writes = std::move(urgent);
    std::move(ingest.begin(), ingest.end(), std::back_inserter(writes));
    std::move(claims.begin(), claims.end(), std::back_inserter(writes));
    return writes;
  });
}

void Writer::loop() {
  for (;;) {
    Writes writes = take();
    answer_reached();
    if (!writes.empty()) {
      commit_batch(writes);
      writes.clear();
    } else if (waiting_.with([](const Waiting& waiting) { return waiting.stopping; })) {
      break;
    }
    prune_if_due();
    index_if_due();
    sample_if_due();
    checkpoint_if_due();
  }
  if (connection_ == nullptr) return;
  const Result<> marked = run_alone([this](Session& session) {
    connection_->samples.sample(session.batch);
    session.database.execute("UPDATE host_state SET clean = 1");
  });
  if (marked.ok()) connection_->database->checkpoint(true);
  connection_.reset();
}

void Writer::fail_all(Writes& writes, const Error& error) {
  for (const std::unique_ptr<Write>& write : writes) write->fail(error);
}

void Writer::drop_connection() {
  connection_->discard();
  connection_.reset();
  identity_.with([](FileIdentity& identity) { identity.forget_log(); });
}

Result<> Writer::check_identity() const {
  return identity_.with([](const FileIdentity& identity) { return identity.check(); });
}

void Writer::note_log() {
  identity_.with([](FileIdentity& identity) { identity.note_log(); });
}

void Writer::commit_batch(Writes& writes) {
  Result<> usable = check_identity();
  if (usable.ok() && connection_ == nullptr) usable = reopen();
  if (!usable.ok()) {
    note_health(usable);
    return fail_all(writes, usable.error());
  }

  Database& database = *connection_->database;
  Batch batch{clock_.wall(), clock_.monotonic(), {}, {}, {}, {}};
  Session session = connection_->session(batch);
  const auto started = std::chrono::steady_clock::now();
  const std::int64_t changes_before = database.total_changes();
  connection_->begin(batch);
  for (const std::unique_ptr<Write>& write : writes) {
    if (database.failed()) break;
    write->run(session);
    connection_->chain_ends.tell(batch);
  }
  if (!database.failed()) connection_->flush();
  if (const std::optional<Failure> failure = database.take_failure()) {
    database.rollback();
    connection_->discard();
    if (failure->storage) {
      failed_commits_.fetch_add(1);
      // A busy database is somebody else's transaction; anything else leaves this connection in doubt.
      if ((failure->code & 0xff) != 5) drop_connection();
      note_health(to_error(*failure));
      return fail_all(writes, to_error(*failure));
    }
    if (writes.size() == 1) {
      note_defect(*failure);
      return writes.front()->fail(to_error(*failure));
    }
    for (std::unique_ptr<Write>& write : writes) {
      Writes one;
      one.push_back(std::move(write));
      commit_batch(one);
    }
    return;
  }

  const bool wrote = database.total_changes() != changes_before;
  Result<> committed;
  if (!database.commit()) committed = to_error(*database.take_failure());
  if (committed.ok() && wrote) {
    note_log();
    committed = check_identity();
  }
  if (!committed.ok()) {
    failed_commits_.fetch_add(1);
    database.rollback();
    drop_connection();
    note_health(committed);
    return fail_all(writes, committed.error());
  }

  connection_->apply();
  note_health({});
  writes_.fetch_add(writes.size());
  const Listeners listeners = listeners_.with([](const Listeners& set) { return set; });
  if (wrote) {
    commits_.fetch_add(1);
    if (sample_at_ == MonotonicTime::max())
      sample_at_ = std::max(batch.monotonic + kSampleAfter, sampled_at_ + kSampleEvery);
    if (listeners.commit) {
      listeners.commit(
          std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - started),
          writes.size());
    }
  }
  tell(listeners, batch);
  for (const std::unique_ptr<Write>& write : writes) write->answer();
}

void Writer::tell(const Listeners& listeners, const Batch& batch) {
  if (listeners.change && !batch.changes.empty()) listeners.change(batch.changes);
  if (listeners.decision)
    for (const Batch::Decided& each : batch.decided) listeners.decision(each.kind, each.way);
  if (listeners.execution_end)
    for (const EndedExecution& each : batch.ended) listeners.execution_end(each);
}

Result<> Writer::run_alone(const std::function<void(Session&)>& work) {
  Database& database = *connection_->database;
  Batch batch{clock_.wall(), clock_.monotonic(), {}, {}, {}, {}};
  Session session = connection_->session(batch);
  connection_->begin(batch);
  work(session);
  connection_->chain_ends.tell(batch);
  if (!database.failed()) connection_->flush();
  if (!database.failed()) database.commit();
  if (const std::optional<Failure> failure = database.take_failure()) {
    database.rollback();
    connection_->discard();
    return to_error(*failure);
  }
  connection_->apply();
  const Listeners listeners = listeners_.with([](const Listeners& set) { return set; });
  tell(listeners, batch);
  return {};
}

Result<> Writer::reopen() {
  auto opened = Database::open(options_.path, Database::Mode::Write, options_.vfs);
  if (const Failure* failure = std::get_if<Failure>(&opened)) return to_error(*failure);
  connection_ =
      std::make_unique<Connection>(std::move(std::get<0>(opened)), leases_, held_agents_, chain_notify_,
                                   approval_rules_, line_rules_, budget_limits_, clock_steps_);
  Result<> done;
  if (!connection_->database->checkpoint(true)) {
    done = Error{ErrorCode::Unavailable,
                 "store: the log could not be moved into the database after a failed write; it may be locked by "
                 "another program"};
  } else {
    done = run_alone(
        [](Session& session) { session.tasks.recover(session.batch, TaskQueue::Recovery::Reopen); });
  }
  if (!done.ok()) {
    drop_connection();
    return done;
  }
  log_.info("Database opened again after a failed write");
  return {};
}

// A few rows in a transaction of their own, then nothing for nine times as long: whoever writes meanwhile
// waits for no more than one step, and pruning takes no more than a tenth of the writer.
void Writer::prune_if_due() {
  std::optional<Retention> retention;
  const bool asked = waiting_.with([&](Waiting& waiting) {
    retention = waiting.retention;
    return std::exchange(waiting.prune_now, false);
  });
  const auto started = std::chrono::steady_clock::now();
  if (!asked && started < prune_at_) return;
  prune_at_ = started + kPruneEvery;
  if (!retention) return;
  if (connection_ == nullptr || !check_identity().ok()) return;

  Pruner::Step step;
  const Result<> pruned = run_alone(
      [&](Session& session) { step = connection_->pruner.step(*retention, session.batch.now, kPruneEffort); });
  if (!pruned.ok()) {
    drop_connection();
    return note_health(pruned);
  }
  note_log();
  pruned_.deliveries += step.deliveries;
  pruned_.tasks += step.tasks;
  const Listeners listeners = listeners_.with([](const Listeners& set) { return set; });
  if (listeners.prune && step.deliveries + step.tasks > 0) listeners.prune(step.deliveries, step.tasks);
  if (step.more) {
    const auto now = std::chrono::steady_clock::now();
    prune_at_ = now + (kPruneShare - 1) * (now - started);
    return;
  }
  const std::int64_t used = connection_->pruner.used_bytes();
  if (pruned_.deliveries + pruned_.tasks > 0) {
    log_.info("What was kept long enough was removed",
              {{"deliveries", pruned_.deliveries}, {"tasks", pruned_.tasks}, {"bytes_in_use", used}});
  }
  const bool too_large = retention->max_bytes > 0 && used > retention->max_bytes;
  if (too_large && !too_large_) {
    log_.warn(
        step.guarded
            ? "The database uses more than storage.max_size: deliveries stay as long as replays of them "
              "must be seen (replay_window)"
            : "The database uses more than storage.max_size, and nothing in it is done that could go",
        {{"bytes_in_use", used}, {"max_size", retention->max_bytes}});
  }
  too_large_ = too_large;
  pruned_ = {};
  const std::int64_t free = connection_->pruner.free_bytes();
  if (free > used && free >= kWorthTelling && !std::exchange(told_of_free_space_, true)) {
    log_.info(
        "More than half of the database's file is free and is used again before it grows; to give it back to "
        "the "
        "disk, stop davit and run davit compact",
        {{"bytes_in_use", used}, {"bytes_free", free}});
  }
}

// Likewise a few tasks for the search. Nothing is lost if it fails or never comes to it: what is not indexed
// is read itself.
void Writer::index_if_due() {
  using Clock = std::chrono::steady_clock;
  if (connection_ == nullptr || !connection_->index.behind()) {
    index_at_ = Clock::time_point::max();
    return;
  }
  const auto started = Clock::now();
  if (index_at_ == Clock::time_point::max()) index_at_ = started + kIndexAfter;
  if (started < index_at_) return;
  index_at_ = Clock::time_point::max();
  if (!check_identity().ok()) return;
  const Result<> indexed = run_alone([&](Session&) { connection_->index.step(); });
  if (!indexed.ok()) {
    drop_connection();
    return note_health(indexed);
  }
  note_log();
  if (connection_->index.behind()) {
    const auto now = Clock::now();
    index_at_ = std::max(now + (kIndexShare - 1) * (now - started), started + kIndexAfter / 10);
  }
}

// Likewise what waits and runs, at most once a minute. A sample that fails is not made up for.
void Writer::sample_if_due() {
  const MonotonicTime started = clock_.monotonic();
  if (started < sample_at_) return;
  sample_at_ = MonotonicTime::max();
  if (connection_ == nullptr || !check_identity().ok()) return;
  sampled_at_ = started;
  const Result<> sampled =
      run_alone([this](Session& session) { connection_->samples.sample(session.batch); });
  if (!sampled.ok()) {
    drop_connection();
    return note_health(sampled);
  }
  note_log();
  // Where hundreds of thousands wait, counting them takes a while.
  sampled_at_ += std::max<MonotonicTime::duration>(kSampleShare * (clock_.monotonic() - started) - kSampleEvery,
                                                   MonotonicTime::duration::zero());
}

void Writer::checkpoint_if_due() {
  if (connection_ == nullptr || connection_->database->log_pages() < kCheckpointPages) return;
  Database& database = *connection_->database;
  const bool whole = database.checkpoint(false);
  if (whole) {
    truncate_at_ = kLongLogPages;
  } else if (database.log_pages() > truncate_at_) {
    // A reader has been open for long. Waiting for it stops all writes, so it is tried once each 64 MB.
    truncate_at_ = database.log_pages() + kLongLogPages;
    if (database.checkpoint(true)) truncate_at_ = kLongLogPages;
  }
}

}  // namespace davit::store
