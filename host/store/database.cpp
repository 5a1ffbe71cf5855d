#include "host/store/database.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <thread>

#include "host/store/words_apart.h"

namespace davit::store {
namespace {

constexpr int kBusyMilliseconds = 2'000;          // an operator's shell may hold the lock for a moment
constexpr int kCheckpointBusyMilliseconds = 100;  // writes wait meanwhile
constexpr std::chrono::seconds kLeftBehind{2};    // for what a dead host has left to let go of its lock

bool is_storage_failure(int code) {
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_NOMEM:
    case SQLITE_READONLY:
    case SQLITE_IOERR:
    case SQLITE_CORRUPT:
    case SQLITE_FULL:
    case SQLITE_CANTOPEN:
    case SQLITE_PROTOCOL:
    case SQLITE_NOLFS:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_NOTADB:
      return true;
    default:
      return false;
  }
}

Failure make_failure(sqlite3* handle, int code) {
  Failure failure;
  failure.code = code;
  failure.storage = is_storage_failure(code);
  failure.message = handle != nullptr ? sqlite3_errmsg(handle) : sqlite3_errstr(code);
  if ((code & 0xff) == SQLITE_FULL)
    failure.message = "the disk is full; free some space, then it goes on by itself";
  if ((code & 0xff) == SQLITE_BUSY) failure.message = "the database is locked by another program; close it";
  return failure;
}

// "pid 123\n…"
bool is_of_a_dead_process(const std::string& lock_text) {
  int pid = 0;
  return std::sscanf(lock_text.c_str(), "pid %d", &pid) == 1 && pid > 0 && ::kill(pid, 0) != 0 &&
         errno == ESRCH;
}

Error system_error(const std::filesystem::path& path, const char* action) {
  return Error{ErrorCode::Unavailable, path.string() + ": cannot " + action + ": " + errno_text(errno)};
}

}  // namespace

Error to_error(const Failure& failure) {
  if (failure.storage) return Error{ErrorCode::Unavailable, "store: " + failure.message};
  const int code = failure.code & 0xff;
  if (code == SQLITE_CONSTRAINT) return Error{ErrorCode::Conflict, "store: " + failure.message};
  if (code == SQLITE_TOOBIG) return Error{ErrorCode::TooLarge, "store: " + failure.message};
  return Error{ErrorCode::Internal, "store: " + failure.message};
}

std::variant<std::unique_ptr<Database>, Failure> Database::open(const std::filesystem::path& path, Mode mode,
                                                                const std::string& vfs) {
  // Counting every allocation costs a process-wide lock each, 8 % of a claim. Refused, harmlessly, once
  // SQLite runs.
  static std::once_flag configured;
  std::call_once(configured, [] { sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); });
  sqlite3* handle = nullptr;
  // NOMUTEX: each connection is used by one thread at a time.
  const int flags = (mode == Mode::Write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) |
                    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_NOFOLLOW;
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags, vfs.empty() ? nullptr : vfs.c_str());
  std::unique_ptr<Database> database(new Database(handle));
  if (code != SQLITE_OK) return make_failure(handle, code);

  sqlite3_busy_timeout(handle, kBusyMilliseconds);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  if (mode == Mode::Read) {
    sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    database->execute("PRAGMA query_only = ON; PRAGMA cache_size = -8192");
  } else {
    // A delivery's body fills pages of its own, and each page costs four system calls on its way to the file:
    // larger ones save a sixth of an accepted delivery. It counts for a database that is made now.
    //
    // Debian builds with SECURE_DELETE, which overwrites what is deleted: more pages to write, nothing gained
    // here.
    database->execute(
        "PRAGMA page_size = 8192; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA "
        "cache_size = -65536;"
        "PRAGMA foreign_keys = ON; PRAGMA secure_delete = OFF; PRAGMA temp_store = MEMORY;"
        "PRAGMA journal_size_limit = 67108864");
    sqlite3_wal_hook(
        handle,
        [](void* self, sqlite3*, const char*, int pages) {
          static_cast<Database*>(self)->log_pages_ = pages;
          return SQLITE_OK;
        },
        database.get());
  }
  if (const int made = register_words_apart(handle); made != SQLITE_OK) return make_failure(handle, made);
  if (database->failed()) return *database->take_failure();
  return database;
}

std::unique_ptr<Database> Database::in_memory() {
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(":memory:", &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  std::unique_ptr<Database> database(new Database(handle));
  if (code != SQLITE_OK) database->note_failure(code);
  if (const int made = register_words_apart(handle); made != SQLITE_OK) database->note_failure(made);
  return database;
}

// _v2: should a statement live longer than its connection, the connection stays until the statement goes.
Database::~Database() { sqlite3_close_v2(handle_); }

void Database::execute(const char* sql) {
  if (failed()) return;
  const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) note_failure(code);
}

std::string Database::text(const char* sql) {
  std::string value;
  if (failed()) return value;
  sqlite3_stmt* statement = nullptr;
  int code = sqlite3_prepare_v2(handle_, sql, -1, &statement, nullptr);
  if (code == SQLITE_OK) {
    code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
      const unsigned char* bytes = sqlite3_column_text(statement, 0);
      if (bytes != nullptr) value = reinterpret_cast<const char*>(bytes);
    }
  }
  if (code != SQLITE_ROW && code != SQLITE_DONE) note_failure(code);
  sqlite3_finalize(statement);
  return value;
}

std::int64_t Database::integer(const char* sql) {
  const std::string value = text(sql);
  return value.empty() ? 0 : std::strtoll(value.c_str(), nullptr, 10);
}

void Database::note_failure(int code) {
  if (!failure_) failure_ = make_failure(handle_, code);
}

void Database::note_failure(Failure failure) {
  if (!failure_) failure_ = std::move(failure);
}

Result<> Database::check() {
  if (const std::optional<Failure> failure = take_failure()) return to_error(*failure);
  return {};
}

void Database::begin() { execute("BEGIN IMMEDIATE"); }

bool Database::commit() {
  execute("COMMIT");
  return !failed();
}

void Database::rollback() {
  // After some failures SQLite has rolled back by itself already.
  if (in_transaction()) sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr);
}

bool Database::in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }

std::int64_t Database::total_changes() const { return sqlite3_total_changes64(handle_); }

bool Database::checkpoint(bool truncate) {
  int log_pages = 0;
  int moved_pages = 0;
  sqlite3_busy_timeout(handle_, kCheckpointBusyMilliseconds);
  const int code = sqlite3_wal_checkpoint_v2(
      handle_, nullptr, truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE, &log_pages,
      &moved_pages);
  sqlite3_busy_timeout(handle_, kBusyMilliseconds);
  if (code != SQLITE_OK) return false;
  if (log_pages == moved_pages) log_pages_ = 0;
  return log_pages == moved_pages;
}

bool Database::read_only() const { return sqlite3_db_readonly(handle_, nullptr) == 1; }

void Database::stop_when(std::function<bool()> stop) {
  stop_ = std::move(stop);
  if (!stop_) {
    sqlite3_progress_handler(handle_, 0, nullptr, nullptr);
    return;
  }
  sqlite3_progress_handler(
      handle_, 10'000, [](void* self) { return static_cast<Database*>(self)->stop_() ? 1 : 0; }, this);
}

bool Database::was_stopped(const Failure& failure) const { return (failure.code & 0xff) == SQLITE_INTERRUPT; }

Result<> copy_database(Database& source, const std::filesystem::path& target, const char* change) {
  struct stat info {};
  if (::lstat(target.c_str(), &info) == 0) {
    return Error{ErrorCode::Conflict, target.string() + ": exists already; name a new file"};
  }
  const std::filesystem::path partial = target.string() + ".partial";
  const auto remove = [&] {
    for (const char* suffix : {"", "-wal", "-shm"}) ::unlink((partial.string() + suffix).c_str());
  };
  remove();
  UniqueFd created(::open(partial.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!created.open()) return system_error(partial, "create");

  sqlite3* copy = nullptr;
  int code = sqlite3_open_v2(partial.c_str(), &copy, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  std::string message;
  if (code == SQLITE_OK) {
    sqlite3_exec(copy, "PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF", nullptr, nullptr, nullptr);
    if (sqlite3_backup* backup = sqlite3_backup_init(copy, "main", source.handle(), "main")) {
      // All in one step: between steps a write by another connection would start it again.
      code = sqlite3_backup_step(backup, -1);
      sqlite3_backup_finish(backup);
      if (code == SQLITE_DONE) code = sqlite3_exec(copy, change, nullptr, nullptr, nullptr);
    } else {
      code = sqlite3_errcode(copy);
    }
  }
  if (code != SQLITE_OK) message = sqlite3_errstr(code);
  sqlite3_close(copy);
  if (code == SQLITE_OK && ::fsync(created.number()) != 0) message = errno_text(errno);
  if (message.empty() && ::rename(partial.c_str(), target.c_str()) != 0) message = errno_text(errno);
  if (!message.empty()) {
    remove();
    return Error{ErrorCode::Unavailable, target.string() + ": the copy failed: " + message};
  }
  const std::filesystem::path folder = target.has_parent_path() ? target.parent_path() : ".";
  const UniqueFd directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.open() || ::fsync(directory.number()) != 0) return system_error(folder, "sync");
  return {};
}

std::optional<FileIdentity::Node> FileIdentity::node(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return std::nullopt;
  return Node{info.st_dev, info.st_ino};
}

FileIdentity FileIdentity::of(const std::filesystem::path& path) {
  FileIdentity identity;
  identity.path_ = path.string();
  identity.log_path_ = path.string() + "-wal";
  identity.file_ = node(identity.path_);
  identity.log_ = node(identity.log_path_);
  return identity;
}

void FileIdentity::note_log() {
  if (!log_) log_ = node(log_path_);
}

Result<> FileIdentity::check() const {
  const auto complain = [](const std::string& path) {
    return Error{
        ErrorCode::Unavailable,
        path + ": was removed or replaced while davit runs; put the original back, or stop and restore"};
  };
  if (node(path_) != file_) return complain(path_);
  if (log_ && node(log_path_) != log_) return complain(log_path_);
  return {};
}

Result<LockFile> LockFile::acquire(const std::filesystem::path& database) {
  LockFile lock;
  lock.path_ = database.string() + ".lock";
  lock.fd_.reset(::open(lock.path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock.fd_.open()) return system_error(lock.path_, "open");
  const auto give_up = std::chrono::steady_clock::now() + kLeftBehind;
  std::string content;
  bool held = false;
  for (;;) {
    held = ::flock(lock.fd_.number(), LOCK_EX | LOCK_NB) == 0;
    char text[128] = {};
    const ssize_t length = ::pread(lock.fd_.number(), text, sizeof text - 1, 0);
    content.assign(text, length > 0 ? static_cast<std::size_t>(length) : 0);
    // A host that was killed in the middle of starting a process leaves a child that has the lock, too, until
    // it has become that program.
    if (held || !is_of_a_dead_process(content) || std::chrono::steady_clock::now() > give_up) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // there is nothing to wait for
  }
  if (!held) {
    const std::string pid = content.substr(0, content.find('\n'));
    return Error{ErrorCode::Conflict, database.string() + ": already in use by a running davit (" + pid +
                                          "); stop that one first, or name another database"};
  }
  lock.created_ = content.find("\ncreated") != std::string::npos;
  TRY(lock.write());
  return lock;
}

Result<> LockFile::mark_created() {
  if (created_) return {};
  created_ = true;
  return write();
}

Result<> LockFile::write() {
  const std::string text = "pid " + std::to_string(::getpid()) + (created_ ? "\ncreated\n" : "\n");
  // Written before it is shortened, so that the mark is never missing.
  if (::pwrite(fd_.number(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()) ||
      ::ftruncate(fd_.number(), static_cast<off_t>(text.size())) != 0 || ::fsync(fd_.number()) != 0) {
    return system_error(path_, "write");
  }
  return {};
}

}  // namespace davit::store
