// Our own copies of library files, named by the hash of their bytes: <sha256>.so, mode 0500, in a folder of
// mode 0700. Whatever happens to a dropped file afterwards, what is probed and loaded are the bytes that were
// hashed.
#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "host/base/result.h"
#include "host/model/plugin_info.h"

namespace davit::plugin {

struct StoredLibrary {
  std::filesystem::path file;
  std::string sha256;
};

// Confined to one thread at a time.
class LibraryStore {
 public:
  // Makes the folder if need be. Unavailable if it is not ours, not private and cannot be made so, or mounted
  // noexec.
  static Result<LibraryStore> open(const std::filesystem::path& folder);

  // Copies the whole of an open file, to be read from its beginning, while hashing it, unless a copy of these
  // bytes is here already. With pins, only bytes with one of these hashes are kept. Refusals: too_large,
  // unreadable, not_pinned, store_unusable.
  std::variant<StoredLibrary, Refusal> take(int fd, const std::vector<std::string>& pinned_sha256);

  // The copy of these bytes, if it is here and whole.
  std::optional<StoredLibrary> find(const std::string& sha256) const;

  // What a probe of these bytes found, kept beside them over restarts. Nullopt if there is none or it cannot
  // be trusted.
  std::optional<ProbeReport> remembered(const StoredLibrary& library) const;
  Result<> remember(const StoredLibrary& library, const ProbeReport& report);

  // Removes all copies but those with one of these hashes, and what an interrupted take() left. Gives the
  // number of files.
  std::size_t keep_only(const std::set<std::string>& sha256);

 private:
  explicit LibraryStore(std::filesystem::path folder) : folder_(std::move(folder)) {}
  std::filesystem::path folder_;
};

}  // namespace davit::plugin
