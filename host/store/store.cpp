#include "host/store/store.h"

#include <sys/stat.h>

#include "host/store/access.h"
#include "host/store/migrations.h"
#include "host/store/replies.h"
#include "host/store/store_impl.h"

namespace davit::store {

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

void Store::set_retention(Retention retention) {
  if (impl_->writer_) impl_->writer_->set_retention(retention);
}

void Store::set_setting(std::string name, std::string value, Done<> done, Audited audit) {
  impl_->write(Lane::Urgent, 256, std::move(done), std::move(audit),
               [name = std::move(name), value = std::move(value)](Session& session) -> Result<> {
                 Statement(session.database,
                           "INSERT INTO setting (name, value) VALUES (?1, ?2)"
                           " ON CONFLICT (name) DO UPDATE SET value = excluded.value")
                     .run(name, value);
                 return {};
               });
}

Result<std::optional<std::string>> Store::setting(std::string_view name) const {
  return impl_->readers_.read([&](Reader& reader) -> Result<std::optional<std::string>> {
    Cursor row = reader.statement("SELECT value FROM setting WHERE name = ?1").query(name);
    if (!row.next()) return std::optional<std::string>();
    return std::optional(row.text(0));
  });
}

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
  DatabaseSize size = TRY(impl_->readers_.read([](Reader& reader) -> Result<DatabaseSize> {
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
