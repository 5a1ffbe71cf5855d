// A scan goes file by file, and every step that refuses ends that file's turn with a reason:
//
//   place     regular file (or link that stays inside), owner, mode, settled
//   copy      into the store, hashed, pinned
//   bytes     a whole ELF library for us with a factory        (inspect_library)
//   probe     opened in a child, unless the store remembers    (prober)
//   names     nobody else offers the same
//
// Only then does it become a generation. Until then the old generation of that path, if any, goes on serving.
#include "host/plugin/plugin_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <thread>

#include "host/base/file.h"
#include "host/plugin/elf_file.h"
#include "host/plugin/library_store.h"
#include "host/plugin/plugin_module.h"
#include "host/plugin/refusal_codes.h"

namespace davit::plugin {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSuffix = ".so";
constexpr std::size_t kMaxFiles = 1000;  // that are looked at; more only if they were known before
constexpr int kSettlesOfHalf = 25;       // so many times longer a file that is not whole is waited for

bool has_library_name(const fs::path& path) {
  std::string name = path.filename().string();
  // Names with a leading dot are how copying tools hide what is not finished.
  return name.size() > kSuffix.size() && name[0] != '.' && name.ends_with(kSuffix);
}

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

std::string octal(mode_t mode) {
  std::string digits;
  for (int shift = 9; shift >= 0; shift -= 3) digits += static_cast<char>('0' + ((mode >> shift) & 7));
  return digits;
}

bool lies_inside(const fs::path& file, const fs::path& folder) {
  auto end = std::mismatch(folder.begin(), folder.end(), file.begin(), file.end());
  return end.first == folder.end();
}

std::string offer_key(const PluginOffer& offer) {
  return std::string(to_string(offer.kind)) + " " + offer.name;
}

}  // namespace

PluginScanner::PluginScanner(ScanOptions options, Prober prober, Log& log, const Clock& clock)
    : options_(std::move(options)), prober_(std::move(prober)), log_(log), clock_(clock) {}

std::vector<LibraryRecord> PluginScanner::scan_settled(int looks) {
  std::vector<LibraryRecord> libraries = scan();
  auto unsettled = [&] {
    return std::any_of(libraries.begin(), libraries.end(), [](const LibraryRecord& library) {
      return library.refusal && library.refusal->code == refusal::kNotSettled.code;
    });
  };
  for (; looks > 0 && unsettled(); --looks) {
    std::this_thread::sleep_for(options_.settle);
    libraries = scan();
  }
  return libraries;
}

bool PluginScanner::unfinished() const {
  return !saw_folder() || std::any_of(last_.begin(), last_.end(), [](const LibraryRecord& record) {
    return record.refusal && is_passing(record.refusal->code);
  });
}

void PluginScanner::finished(const fs::path& file) { finished_.insert(file); }

void PluginScanner::check_copies() {
  auto store = LibraryStore::open(options_.store_folder);
  if (!store) return;  // the next scan says so
  for (auto& [path, known] : known_) {
    if (known.sha256.empty() || store->find(known.sha256)) continue;
    log_.warn("The copy of a library is gone or damaged, and is made again",
              {{"file", path.string()}, {"sha256", known.sha256}});
    known.sha256.clear();
  }
}

bool PluginScanner::forget_unused(const std::set<std::string>& also_needed) {
  auto store = LibraryStore::open(options_.store_folder);
  if (!store) return false;  // the next scan says so
  std::set<std::string> needed = also_needed;
  for (const auto& [path, known] : known_) {
    needed.insert(known.sha256);
    if (known.generation) needed.insert(known.generation->sha256);
  }
  const std::size_t needed_anyhow = needed.size();
  std::erase_if(given_, [](const auto& generation) { return generation.expired(); });
  for (const auto& each : given_) {
    if (auto generation = each.lock()) needed.insert(generation->sha256);
  }
  if (const std::size_t gone = store->keep_only(needed); gone > 0)
    log_.info("copies of libraries that nobody needs were removed", {{"files", gone}});
  return needed.size() > needed_anyhow;
}

std::shared_ptr<const Generation> PluginScanner::kept(const std::string& sha256) {
  auto generation = stored_generation(sha256);
  if (generation) generation->source = generation->stored;
  return generation;
}

std::shared_ptr<const Generation> PluginScanner::resume(const fs::path& name, const std::string& sha256) {
  std::error_code failed;
  const fs::path root = fs::canonical(options_.drop_folder, failed);
  auto generation = failed ? nullptr : stored_generation(sha256);
  if (!generation) return nullptr;
  generation->source = root / name;
  known_[generation->source].generation = generation;
  return generation;
}

std::shared_ptr<Generation> PluginScanner::stored_generation(const std::string& sha256) {
  const auto& pins = options_.pinned_sha256;
  if (!pins.empty() && std::find(pins.begin(), pins.end(), sha256) == pins.end()) return nullptr;
  auto store = LibraryStore::open(options_.store_folder);
  if (!store) return nullptr;
  const auto library = store->find(sha256);
  auto report = library ? store->remembered(*library) : std::nullopt;
  if (!report || inspect_library(library->file)) return nullptr;
  auto generation = std::make_shared<Generation>();
  generation->number = next_generation_++;
  generation->stored = library->file;
  generation->sha256 = sha256;
  generation->loaded_at = clock_.wall();
  generation->report = std::move(*report);
  given_.push_back(generation);
  return generation;
}

void PluginScanner::set_options(ScanOptions options) {
  if (options.pinned_sha256 != options_.pinned_sha256) {
    const auto& pins = options.pinned_sha256;
    for (auto& [path, known] : known_) {
      const bool kept =
          pins.empty() ||
          (known.generation && std::find(pins.begin(), pins.end(), known.generation->sha256) != pins.end());
      if (!kept) known.generation = nullptr;
      known.sha256.clear();  // read again, to be compared with the new pins
    }
  }
  options_ = std::move(options);
}

// A folder or file that others may write to could be exchanged between our looking and our reading.
std::optional<Refusal> PluginScanner::refuse_mode(const fs::path& path, uid_t owner, mode_t mode) const {
  if (owner != 0 && owner != ::geteuid()) {
    return refuse(refusal::kForeignOwner, path.string() + " belongs to user number " + std::to_string(owner));
  }
  const std::string name = path.filename().string();
  bool allowed = std::find(options_.allow_writable.begin(), options_.allow_writable.end(), name) !=
                 options_.allow_writable.end();
  if ((mode & (S_IWGRP | S_IWOTH)) != 0 && !allowed) {
    return refuse(S_ISDIR(mode) ? refusal::kFolderWritableByOthers : refusal::kFileWritableByOthers,
                  path.string() + " has mode " + octal(mode));
  }
  return std::nullopt;
}

namespace {

bool is_gone(int number) { return number == ENOENT || number == ENOTDIR; }

}  // namespace

Result<std::vector<PluginScanner::Found>> PluginScanner::find_files() const {
  std::vector<Found> found, more;  // those that were known, those that are new
  std::size_t left_out = 0;
  std::optional<Error> unseen;
  const auto note = [&](const fs::path& path, int number) {
    if (!is_gone(number))
      unseen = Error{ErrorCode::Unavailable, path.string() + " cannot be looked at: " + errno_text(number)};
  };
  auto walk = [&](const fs::path& folder, std::optional<Refusal> inherited, bool descend,
                  auto& self) -> void {
    struct stat info {};
    if (::lstat(folder.c_str(), &info) != 0) return note(folder, errno);
    std::optional<Refusal> refused = std::move(inherited);
    if (!refused) refused = refuse_mode(folder, info.st_uid, info.st_mode);
    std::error_code failed;
    for (fs::directory_iterator at(folder, failed), end; !failed && at != end; at.increment(failed)) {
      const fs::path& path = at->path();
      if (more.size() >= kMaxFiles && has_library_name(path) && !known_.contains(path)) {
        ++left_out;
        continue;
      }
      struct stat entry {};
      if (::lstat(path.c_str(), &entry) != 0) {
        note(path, errno);
      } else if (has_library_name(path)) {
        (known_.contains(path) ? found : more).push_back({path, refused, 0});
      } else if (S_ISDIR(entry.st_mode) && descend && path.filename().string()[0] != '.') {
        self(path, refused, false, self);
      }
    }
    if (failed) note(folder, failed.value());
  };
  // The folder itself may be a link: the operator named it.
  std::error_code failed;
  fs::path root = fs::canonical(options_.drop_folder, failed);
  if (failed && is_gone(failed.value()) && !known_.empty()) {
    // Moved away, to be put back or exchanged for another: libraries are removed one by one, not with it.
    unseen = Error{ErrorCode::NotFound, options_.drop_folder.string() + " is gone"};
  } else if (failed) {
    note(options_.drop_folder, failed.value());
  } else {
    walk(root, std::nullopt, true, walk);
  }
  if (unseen) return *unseen;
  // What serves is known, so that no heap of other files takes its place.
  const std::size_t room = kMaxFiles - std::min(kMaxFiles, found.size());
  if (more.size() > room) {
    std::sort(more.begin(), more.end(), [](const Found& a, const Found& b) { return a.path < b.path; });
    left_out += more.size() - room;
    more[room].left_out = left_out;
    more.resize(room + 1);
  }
  found.insert(found.end(), more.begin(), more.end());
  std::sort(found.begin(), found.end(), [](const Found& a, const Found& b) { return a.path < b.path; });
  return found;
}

// Everything about one file that does not depend on other files.
void PluginScanner::look_at(LibraryStore& store, const fs::path& path, Known& known, LibraryRecord& record) {
  std::error_code failed;
  fs::path target = path;
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) {
    record.refusal = refuse(refusal::kUnreadable, "It cannot be looked at: " + errno_text(errno));
    return;
  }
  if (S_ISLNK(info.st_mode)) {
    target = fs::canonical(path, failed);
    if (failed) {
      record.refusal = refuse(refusal::kBrokenLink, "It is a link to nothing");
      return;
    }
    if (!lies_inside(target, fs::canonical(options_.drop_folder, failed)) || failed) {
      record.refusal = refuse(refusal::kEscapingLink, "It is a link that leaves the plugins folder");
      return;
    }
  }
  // Never waits for a FIFO's writer, never follows a link that took the file's place.
  UniqueFd fd(::open(target.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd.open()) {
    bool special = errno == ENXIO || errno == ELOOP || errno == ENODEV;
    record.refusal = special ? no_regular_file(info.st_mode)
                             : refuse(refusal::kUnreadable, "It cannot be opened: " + errno_text(errno));
    return;
  }
  if (::fstat(fd.number(), &info) != 0 || !S_ISREG(info.st_mode)) {
    record.refusal = no_regular_file(info.st_mode);
    return;
  }
  if ((record.refusal = refuse_mode(target, info.st_uid, info.st_mode))) return;

  auto identity_of = [](const struct stat& of) {
    return Identity{of.st_dev, of.st_ino, of.st_size, nanoseconds(of.st_mtim), nanoseconds(of.st_ctim)};
  };
  const Identity identity = identity_of(info);
  if (identity != known.identity) {
    known.identity = identity;
    known.first_seen = clock_.monotonic();
    known.is_finished = false;
    known.sha256.clear();
  }
  if (finished_.contains(path)) known.is_finished = true;
  if (known.sha256.empty()) {
    if (!known.is_finished && !is_quiet_for(options_.settle, known)) {
      record.refusal = refuse(refusal::kNotSettled, "It has changed within the last " +
                                                        std::to_string(options_.settle.count()) + " ms");
      return;
    }
    auto taken = store.take(fd.number(), options_.pinned_sha256);
    struct stat after {};
    if (::fstat(fd.number(), &after) != 0 || identity_of(after) != identity) {
      known.identity = {};
      record.refusal = refuse(refusal::kNotSettled, "It changed while it was read");
      return;
    }
    if (auto* refusal = std::get_if<Refusal>(&taken)) {
      record.refusal = std::move(*refusal);
      return;
    }
    auto& stored = std::get<StoredLibrary>(taken);
    known.sha256 = std::move(stored.sha256);
    known.stored = std::move(stored.file);
  }
  record.sha256 = known.sha256;
  record.refusal = examine(store, record.source, known);
  // A slow copy stands still at times. Nobody is to be told of half a file before it has stood still for
  // long.
  const bool is_half =
      record.refusal && (record.refusal->code == refusal::kTruncated.code || info.st_size == 0);
  if (is_half && !known.is_finished && !is_quiet_for(kSettlesOfHalf * options_.settle, known)) {
    record.refusal = refuse(refusal::kNotSettled, "It is not whole, and was written to not long ago");
  }
}

// The time of the last change of a file cannot be set by its writer. What lies in the future is judged by our
// own watch.
bool PluginScanner::is_quiet_for(Duration least, const Known& known) const {
  const std::int64_t quiet_ms = to_unix_ms(clock_.wall()) - known.identity.changed_ns / 1'000'000;
  return quiet_ms >= least.count() || clock_.monotonic() - known.first_seen >= least;
}

// What the bytes are and offer. On success `known.generation` is theirs.
std::optional<Refusal> PluginScanner::examine(LibraryStore& store, const fs::path& source, Known& known) {
  if (known.generation && known.generation->sha256 == known.sha256) return std::nullopt;
  if (auto refused = refused_bytes_.find(known.sha256); refused != refused_bytes_.end())
    return refused->second;

  const StoredLibrary stored{known.stored, known.sha256};
  auto remember = [&](const Refusal& refusal) {
    if (!is_passing(refusal.code)) refused_bytes_.insert_or_assign(known.sha256, refusal);
    return refusal;
  };
  if (auto refusal = inspect_library(stored.file)) return remember(*refusal);
  std::optional<ProbeReport> report = store.remembered(stored);
  if (!report) {
    auto probed = prober_(stored.file);
    if (auto* refusal = std::get_if<Refusal>(&probed)) return remember(*refusal);
    report = std::get<ProbeReport>(std::move(probed));
    if (auto kept = store.remember(stored, *report); !kept) {
      log_.warn("cannot remember a probe; it will be repeated after a restart",
                {{"error", kept.error().message}});
    }
  }
  auto generation = std::make_shared<Generation>();
  generation->source = source;
  generation->stored = stored.file;
  generation->sha256 = stored.sha256;
  generation->loaded_at = clock_.wall();
  generation->report = std::move(*report);
  known.generation = std::move(generation);
  return std::nullopt;
}

void PluginScanner::log_changes(const LibraryRecord& record, Known& known, bool is_new_generation) {
  const std::string source = record.source.string();
  if (is_new_generation) {
    log_.info("plugin library accepted",
              {{"file", source}, {"sha256", record.sha256}, {"generation", record.generation->number}});
  }
  std::string code = record.refusal ? record.refusal->code : "";
  if (code == refusal::kProbing.code) return;  // its end will be told
  if (record.refusal && code != known.shown_refusal) {
    log_.write(is_passing(code) ? LogLevel::Info : LogLevel::Warn, "plugin library refused",
               {{"file", source}, {"code", code}, {"reason", record.refusal->reason}});
  }
  known.shown_refusal = std::move(code);
}

std::vector<LibraryRecord> PluginScanner::scan() {
  Result<std::vector<Found>> seen = find_files();
  const std::string unseen = seen ? "" : seen.error().message;
  if (std::exchange(unseen_, unseen) != unseen && !seen) {
    log_.warn("The plugins folder could not be looked through; what serves goes on serving",
              {{"reason", unseen}});
  }
  if (!seen) return last_;
  std::vector<Found>& files = *seen;
  // Shown as a record of one of them, without a place among the known ones.
  std::optional<LibraryRecord> too_many;
  std::error_code failed;
  const fs::path root = fs::canonical(options_.drop_folder, failed);
  if (auto first =
          std::find_if(files.begin(), files.end(), [](const Found& file) { return file.left_out > 0; });
      first != files.end()) {
    too_many.emplace();
    too_many->source = first->path;
    too_many->name = first->path.lexically_relative(root);
    too_many->refusal = refuse(refusal::kTooManyFiles,
                               "It is one of " + std::to_string(first->left_out) +
                                   " files that are not looked at, since the folder holds more than " +
                                   std::to_string(kMaxFiles));
    files.erase(first);
  }
  if (!std::exchange(too_many_, too_many.has_value()) && too_many)
    log_.warn("There are too many files in the plugins folder",
              {{"file", too_many->source.string()}, {"reason", too_many->refusal->reason}});
  auto store = LibraryStore::open(options_.store_folder);

  // Who went.
  for (auto known = known_.begin(); known != known_.end();) {
    bool there =
        std::any_of(files.begin(), files.end(), [&](const Found& file) { return file.path == known->first; });
    if (there) {
      ++known;
      continue;
    }
    log_.info("plugin library removed", {{"file", known->first.string()}});
    known = known_.erase(known);
  }

  std::vector<LibraryRecord> records;
  std::vector<std::shared_ptr<const Generation>> before;
  for (Found& file : files) {
    Known& known = known_[file.path];
    LibraryRecord record;
    record.source = file.path;
    record.name = file.path.lexically_relative(root);
    before.push_back(known.generation);
    if (file.refusal) {
      record.refusal = std::move(file.refusal);
    } else if (!store) {
      record.refusal = refuse(refusal::kStoreUnusable, store.error().message);
    } else {
      look_at(*store, file.path, known, record);
    }
    records.push_back(std::move(record));
  }

  // Names. What serves unchanged goes first, then new bytes under known paths, each in the order in which
  // they were accepted; then new paths.
  std::vector<std::size_t> order(records.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  auto rank = [&](std::size_t i) {
    bool is_changed = known_[records[i].source].generation != before[i];
    return std::pair(is_changed, before[i] ? before[i]->number : UINT64_MAX);
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return rank(a) < rank(b); });
  std::map<std::string, fs::path> taken;
  auto rival_of = [&](const Generation& generation) -> std::optional<std::string> {
    for (const PluginOffer& offer : generation.report.offers) {
      if (auto holder = taken.find(offer_key(offer)); holder != taken.end()) {
        return "It offers the " + offer_key(offer) + ", which " + holder->second.string() + " offers already";
      }
    }
    return std::nullopt;
  };
  for (std::size_t i : order) {
    LibraryRecord& record = records[i];
    Known& known = known_[record.source];
    bool is_new = known.generation && known.generation != before[i];
    if (known.generation) {
      if (auto rival = rival_of(*known.generation)) {
        record.refusal = refuse(refusal::kSameName, *rival);
        // The new bytes lose; the old ones, which had their names all along, stay.
        known.generation = before[i];
        is_new = false;
        if (known.generation && rival_of(*known.generation)) known.generation = nullptr;
      }
    }
    if (is_new) {
      auto numbered = std::make_shared<Generation>(*known.generation);
      numbered->number = next_generation_++;
      known.generation = std::move(numbered);
      given_.push_back(known.generation);
    }
    record.generation = known.generation;
    if (known.generation) {
      for (const PluginOffer& offer : known.generation->report.offers)
        taken.emplace(offer_key(offer), record.source);
    }
    log_changes(record, known, is_new);
  }
  if (too_many) {
    const auto place = std::find_if(records.begin(), records.end(), [&](const LibraryRecord& record) {
      return record.source > too_many->source;
    });
    records.insert(place, std::move(*too_many));
  }
  finished_.clear();
  last_ = records;
  return records;
}

}  // namespace davit::plugin
