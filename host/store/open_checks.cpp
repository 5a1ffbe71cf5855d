#include "host/store/open_checks.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <set>

#include "host/base/file.h"
#include "host/store/migrations.h"
#include "host/store/statement.h"

namespace davit::store {

OpenError refuse(OpenFailure failure, const std::filesystem::path& path, std::string_view sentence) {
  return {failure, path.string() + ": " + std::string(sentence)};
}

OpenError refuse(const std::filesystem::path& path, const Failure& failure) {
  switch (failure.code & 0xff) {
    case SQLITE_NOTADB:
      return refuse(OpenFailure::Foreign, path, "is not a davit database; name another file");
    case SQLITE_CORRUPT:
      return refuse(OpenFailure::Corrupt, path, "is damaged (" + failure.message + "); restore a backup");
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return refuse(OpenFailure::ReadOnly, path,
                    "cannot be written; check the owner and mode of file and folder");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return refuse(OpenFailure::InUse, path, failure.message);
    default:
      return refuse(OpenFailure::Other, path, failure.message);
  }
}

namespace {

// SQLite's own files beside the database, which it would follow, or fail of without a reason.
std::optional<OpenError> check_logs(const std::filesystem::path& path) {
  for (const char* ending : {"-wal", "-shm", "-journal"}) {
    const std::string name = path.string() + ending;
    struct stat info {};
    if (::lstat(name.c_str(), &info) != 0 || S_ISREG(info.st_mode)) continue;
    const bool link = S_ISLNK(info.st_mode);
    return refuse(link ? OpenFailure::Linked : OpenFailure::Foreign, name,
                  std::string(link ? "is a symbolic link" : "is not a regular file") +
                      ", but this name belongs to the database's log; move it away");
  }
  return std::nullopt;
}

std::set<std::string> objects_of(Database& database) {
  std::set<std::string> objects;
  Statement all(database, "SELECT type || ' ' || name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'");
  for (Cursor each = all.query(); each.next();) objects.insert(each.text(0));
  return objects;
}

}  // namespace

std::optional<OpenError> check_file(const std::filesystem::path& path, bool known) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) {
    if (errno != ENOENT && errno != ENOTDIR) return refuse(OpenFailure::Other, path, errno_text(errno));
    return refuse(
        OpenFailure::Missing, path,
        known ? "is gone, though a database was in use here; restore a backup, or, to begin with an empty "
                "one on purpose, remove \"" +
                    path.filename().string() + ".lock\" as well"
              : "does not exist; make one with \"davit init\", or start the host");
  }
  if (S_ISLNK(info.st_mode)) {
    return refuse(OpenFailure::Linked, path, "is a symbolic link; name the file itself");
  }
  if (!S_ISREG(info.st_mode)) return refuse(OpenFailure::Foreign, path, "is not a regular file");
  if (info.st_nlink > 1) {
    return refuse(OpenFailure::Linked, path,
                  "has more than one name (hard link); keep one, its log belongs to one");
  }
  if (info.st_size == 0) {
    return refuse(OpenFailure::Empty, path,
                  "is empty, which is not a database; restore a backup or remove it");
  }
  return check_logs(path);
}

std::optional<OpenError> create_file(const std::filesystem::path& path) {
  if (path.has_parent_path()) {
    if (const Result<> folder = ensure_private_directory(path.parent_path()); !folder.ok()) {
      return OpenError{OpenFailure::Other, folder.error().message};
    }
  }
  const UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (fd.open()) return std::nullopt;
  return refuse(errno == EACCES || errno == EROFS ? OpenFailure::ReadOnly : OpenFailure::Other, path,
                "cannot be created: " + errno_text(errno));
}

void warn_of_open_mode(const std::filesystem::path& path, Log& log) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0 || (info.st_mode & (S_IRWXG | S_IRWXO)) == 0) return;
  char mode[8];
  std::snprintf(mode, sizeof mode, "%04o", static_cast<unsigned>(info.st_mode & 07777));
  log.warn("The database is open to others on this machine; run chmod 0600 on it",
           {{"path", path.string()}, {"mode", mode}});
}

std::optional<OpenError> check_identity(Database& database, const std::filesystem::path& path) {
  const std::int64_t application = database.integer("PRAGMA application_id");
  const std::int64_t version = database.integer("PRAGMA user_version");
  const std::int64_t objects = database.integer("SELECT count(*) FROM sqlite_schema");
  if (const std::optional<Failure> failure = database.take_failure()) return refuse(path, *failure);
  if (application != kApplicationId && (application != 0 || version != 0 || objects != 0)) {
    return refuse(OpenFailure::Foreign, path, "is a database of another program; name another file");
  }
  if (version < 0) {
    return refuse(OpenFailure::Corrupt, path,
                  "is damaged (it has schema " + std::to_string(version) +
                      ", which no davit writes); restore a backup");
  }
  if (version > newest_version()) {
    return refuse(OpenFailure::Newer, path,
                  "has schema " + std::to_string(version) + ", this davit knows " +
                      std::to_string(newest_version()) +
                      "; use the newer davit, or restore a backup from before");
  }
  return std::nullopt;
}

std::optional<OpenError> check_pages(Database& database, const std::filesystem::path& path, Duration limit,
                                     Log& log) {
  if (database.integer("PRAGMA user_version") == 0 || database.integer("SELECT clean FROM host_state") == 1) {
    if (const std::optional<Failure> failure = database.take_failure()) return refuse(path, *failure);
    return std::nullopt;
  }
  const auto deadline = std::chrono::steady_clock::now() + limit;
  database.stop_when([deadline] { return std::chrono::steady_clock::now() >= deadline; });
  std::string finding = "ok";
  for (const char* check :
       {"PRAGMA quick_check(delivery_key)", "PRAGMA quick_check(task)", "PRAGMA quick_check"}) {
    if (finding == "ok") finding = database.text(check);
  }
  database.stop_when(nullptr);
  if (const std::optional<Failure> failure = database.take_failure()) {
    if (!database.was_stopped(*failure)) return refuse(path, *failure);
    log.warn(
        "The database is too large to be checked wholly at start after an unclean stop; run davit "
        "verify-store",
        {{"path", path.string()}});
    return std::nullopt;
  }
  if (finding != "ok") {
    std::replace(finding.begin(), finding.end(), '\n', ' ');
    return refuse(OpenFailure::Corrupt, path, "is damaged (" + finding + "); restore a backup");
  }
  return std::nullopt;
}

std::optional<OpenError> check_schema(Database& database, const std::filesystem::path& path) {
  const std::unique_ptr<Database> made = Database::in_memory();
  for (const Migration& step : migrations()) made->execute(std::string(step.sql).c_str());
  const std::set<std::string> wanted = objects_of(*made), found = objects_of(database);
  for (Database* each : {made.get(), &database}) {
    if (const std::optional<Failure> failure = each->take_failure()) return refuse(path, *failure);
  }
  for (auto object = wanted.rbegin(); object != wanted.rend(); ++object) {  // a table before its indexes
    if (found.contains(*object)) continue;
    return refuse(OpenFailure::Corrupt, path, "is damaged (it lacks the " + *object + "); restore a backup");
  }
  return std::nullopt;
}

}  // namespace davit::store
