// One connection to the database file, and the guards around the file itself.
#pragma once

#include <sys/types.h>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "host/base/file.h"
#include "host/base/result.h"

struct sqlite3;

namespace davit::store {

// "DAVT" in the header of the file says whose it is.
inline constexpr std::int64_t kApplicationId = 0x44415654;

// What a statement or commit failed of. `storage` means the file or disk, not the statement: every other
// write would fail as well. Otherwise the statement itself cannot be done (a constraint, a value too large).
struct Failure {
  int code = 0;  // SQLite's extended code
  bool storage = false;
  std::string message;
};
Error to_error(const Failure& failure);

// Confined to the thread that uses it, one at a time.
class Database {
 public:
  enum class Mode {
    Write,  // the writer's connection: WAL, synchronous=FULL, checkpoints by hand only
    Read,   // query_only, never checkpoints
  };
  // The file must exist. The failure keeps SQLite's code, because the guards at start need to tell causes
  // apart.
  static std::variant<std::unique_ptr<Database>, Failure> open(const std::filesystem::path& path, Mode mode,
                                                               const std::string& vfs);
  // An empty one without a file, for what is to be compared with.
  static std::unique_ptr<Database> in_memory();
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Several statements without values and without rows.
  void execute(const char* sql);
  // The first column of the first row; empty if there is none.
  std::string text(const char* sql);
  std::int64_t integer(const char* sql);

  // Sticky failures: see statement.h.
  bool failed() const { return failure_.has_value(); }
  const std::optional<Failure>& failure() const { return failure_; }
  std::optional<Failure> take_failure() { return std::exchange(failure_, std::nullopt); }
  void note_failure(int code);
  void note_failure(Failure failure);
  // The failure as an error, taken; or nothing.
  Result<> check();

  void begin();   // BEGIN IMMEDIATE: a later upgrade could fail on an old snapshot
  bool commit();  // false: failed, and whether it is on the disk is not known
  void rollback();
  bool in_transaction() const;

  // Rows changed since the connection was opened.
  std::int64_t total_changes() const;
  // Pages in the write-ahead log after the last commit of this connection.
  int log_pages() const { return log_pages_; }
  // Moves the log into the file as far as readers allow. With `truncate` waits for them a moment and empties
  // the log file. Gives whether all of it was moved.
  bool checkpoint(bool truncate);

  // Is it writable at all, or did SQLite fall back to reading only?
  bool read_only() const;
  // Ends a running query with a failure once `stop` says so. Null removes it.
  void stop_when(std::function<bool()> stop);
  bool was_stopped(const Failure& failure) const;

  sqlite3* handle() const { return handle_; }

 private:
  explicit Database(sqlite3* handle) : handle_(handle) {}
  sqlite3* handle_;
  std::optional<Failure> failure_;
  int log_pages_ = 0;
  std::function<bool()> stop_;
};

// Copies a database as of one moment into `target`, which must not exist: written beside it, synced, renamed.
// The source may be in use. `change` is run on the copy before it has its name.
Result<> copy_database(Database& source, const std::filesystem::path& target, const char* change = "");

// Tells whether the file under a path is still the one that was opened: SQLite goes on writing into a file
// that has been unlinked, and everything in it would be lost.
//
// Never opens the file: closing any descriptor of it would drop SQLite's locks in this process.
class FileIdentity {
 public:
  static FileIdentity of(const std::filesystem::path& path);
  // Unavailable with a sentence, if the database or its log is gone or another.
  Result<> check() const;
  // The log appears with the first transaction and goes with the last connection.
  void note_log();
  void forget_log() { log_.reset(); }

 private:
  struct Node {
    dev_t device = 0;
    ino_t number = 0;
    bool operator==(const Node&) const = default;
  };
  static std::optional<Node> node(const std::string& path);
  std::string path_, log_path_;
  std::optional<Node> file_, log_;
};

// The file "<database>.lock" beside the database: held as long as a host uses it, with its pid for people,
// and the mark that a database was created here, so that a missing file is not mistaken for a first start.
class LockFile {
 public:
  // Conflict, with the pid of the other, if another host holds it. What a host that is dead has left behind
  // gets two seconds to let go.
  static Result<LockFile> acquire(const std::filesystem::path& database);
  bool database_was_created() const { return created_; }
  Result<> mark_created();

 private:
  Result<> write();
  std::filesystem::path path_;
  UniqueFd fd_;
  bool created_ = false;
};

}  // namespace davit::store
