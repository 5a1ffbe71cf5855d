// A database is never rewritten in place: what is new is made beside it, looked at, and renamed over it, so
// that at any moment there is one whole database under its name.
//
// Its log must not survive it: SQLite would read what it finds there into the new file. Leaving WAL mode
// empties and removes the log, and only succeeds for whoever is alone with the database.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "host/store/migrations.h"
#include "host/store/open_checks.h"
#include "host/store/statement.h"

namespace davit::store {
namespace {

// What an interrupted run leaves: a database of ours, or pages that were not written yet.
bool is_left_over(const std::filesystem::path& path) {
  constexpr std::size_t kHead = 72;             // the head of a SQLite database, up to its application_id
  constexpr std::size_t kApplicationIdAt = 68;  // four bytes, the highest first; sqlite.org/fileformat.html
  constexpr std::string_view kMagic("SQLite format 3\0", 16);
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status {};
  if (!file.open() || ::fstat(file.number(), &status) != 0 || !S_ISREG(status.st_mode)) return false;
  std::array<char, kHead> bytes{};
  const ssize_t got = ::pread(file.number(), bytes.data(), bytes.size(), 0);
  if (got < 0) return false;
  const std::string_view head(bytes.data(), static_cast<std::size_t>(got));
  if (head.find_first_not_of('\0') == std::string_view::npos) return true;
  if (head.size() < kHead || !head.starts_with(kMagic)) return false;
  std::int64_t id = 0;
  for (const char byte : head.substr(kApplicationIdAt, 4)) id = id << 8 | static_cast<unsigned char>(byte);
  return id == kApplicationId;
}

// Empty, and for those who may use the database; takes it away again unless it is kept.
class NewFile {
 public:
  static std::variant<NewFile, OpenError> make(const std::filesystem::path& path, const struct stat& like) {
    struct stat there {};
    if (::lstat(path.c_str(), &there) == 0) {
      if (!is_left_over(path))
        return refuse(OpenFailure::Other, path,
                      "is in the way and is not what an interrupted run leaves; move it away");
      ::unlink(path.c_str());
    }
    NewFile file(path, UniqueFd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)));
    if (!file.fd_.open())
      return refuse(OpenFailure::ReadOnly, path, "cannot be created: " + errno_text(errno));
    if (::fchown(file.fd_.number(), like.st_uid, like.st_gid) != 0 ||
        ::fchmod(file.fd_.number(), like.st_mode & 07777) != 0) {
      return refuse(OpenFailure::ReadOnly, path,
                    "cannot be given to the owner of the database; run this as that user");
    }
    return file;
  }
  ~NewFile() {
    if (fd_.open()) ::unlink(path_.c_str());
  }
  NewFile(NewFile&&) = default;
  NewFile& operator=(NewFile&&) = delete;

  std::optional<OpenError> keep_as(const std::filesystem::path& path) {
    const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
    const UniqueFd directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory.open() || ::fsync(fd_.number()) != 0 || ::rename(path_.c_str(), path.c_str()) != 0)
      return refuse(OpenFailure::Other, path, "could not be replaced: " + errno_text(errno));
    fd_ = UniqueFd();
    if (::fsync(directory.number()) != 0) return refuse(OpenFailure::Other, folder, errno_text(errno));
    return std::nullopt;
  }

 private:
  NewFile(std::filesystem::path path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  std::filesystem::path path_;
  UniqueFd fd_;
};

std::optional<OpenError> copy_without_gaps(const std::filesystem::path& path,
                                           const std::filesystem::path& copy) {
  auto opened = Database::open(path, Database::Mode::Write, "");
  if (const Failure* failure = std::get_if<Failure>(&opened)) return refuse(path, *failure);
  Database& database = *std::get<0>(opened);
  if (std::optional<OpenError> error = check_identity(database, path)) return error;
  if (database.integer("PRAGMA user_version") < newest_version()) {
    return refuse(OpenFailure::Other, path, "has an older schema; start davit once, it brings it up to date");
  }
  if (std::optional<OpenError> error = check_schema(database, path)) return error;
  const bool alone = database.checkpoint(true) && database.text("PRAGMA journal_mode = DELETE") == "delete";
  if (const std::optional<Failure> failure = database.take_failure()) return refuse(path, *failure);
  if (!alone) return refuse(OpenFailure::InUse, path, "is open in another program; close it");
  Statement(database, "VACUUM INTO ?1").run(copy.string());
  const std::optional<Failure> failure = database.take_failure();
  if (!failure) return std::nullopt;
  return refuse(OpenFailure::Other, path,
                "was left as it is: " + failure->message +
                    "; it needs as much free space beside the database as is in use in it");
}

}  // namespace

std::variant<Compacted, OpenError> compact(const std::filesystem::path& path) {
  if (std::optional<OpenError> error = check_file(path, false)) return *error;
  const Result<LockFile> lock = LockFile::acquire(path);
  if (!lock.ok()) {
    const bool taken = lock.error().code == ErrorCode::Conflict;
    return OpenError{taken ? OpenFailure::InUse : OpenFailure::ReadOnly, lock.error().message};
  }
  const std::filesystem::path copy = path.string() + ".compact";
  struct stat before {};
  if (::stat(path.c_str(), &before) != 0) return refuse(OpenFailure::Other, path, errno_text(errno));
  auto made = NewFile::make(copy, before);
  if (const OpenError* error = std::get_if<OpenError>(&made)) return *error;
  NewFile& file = std::get<NewFile>(made);
  if (std::optional<OpenError> error = copy_without_gaps(path, copy)) return *error;
  const Result<std::vector<std::string>> findings = verify(copy);
  if (!findings.ok()) return OpenError{OpenFailure::Other, findings.error().message};
  if (!findings->empty()) {
    return refuse(OpenFailure::Corrupt, path,
                  "was left as it is, because it is not sound (" + findings->front() +
                      "); davit verify-store tells all");
  }
  struct stat after {};
  if (::stat(copy.c_str(), &after) != 0) return refuse(OpenFailure::Other, copy, errno_text(errno));
  if (std::optional<OpenError> error = file.keep_as(path)) return *error;
  return Compacted{before.st_size, after.st_size};
}

}  // namespace davit::store
