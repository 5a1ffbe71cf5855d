// What a disk may hold after a power cut. By POSIX: all that was synced before, and of the rest anything: of
// each file any of its later writes, whole or in sectors, and of the folder any of its later changes of
// names.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/faults/lane.h"
#include "tests/faults/write_log.h"

namespace davit::faults {

// How the unsynced fares.
enum class Cut { LosesAll, LosesNothing, KeepsAPrefix, KeepsSome, TearsSectors, LosesNames, LosesContents };
inline constexpr Cut kCuts[] = {Cut::LosesAll,     Cut::LosesNothing, Cut::KeepsAPrefix, Cut::KeepsSome,
                                Cut::TearsSectors, Cut::LosesNames,   Cut::LosesContents};

class DiskModel {
 public:
  using Image = std::map<std::string, std::string>;  // contents by name

  DiskModel() = default;
  // All that lies in the folder now counts as synced.
  explicit DiskModel(const std::filesystem::path& folder) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      std::ifstream file(entry.path(), std::ios::binary);
      auto made = std::make_shared<File>();
      made->synced.assign(std::istreambuf_iterator<char>(file), {});
      names_[entry.path().filename()] = synced_names_[entry.path().filename()] = made;
    }
  }

  // `number` is the event's place in its log.
  void apply(const DiskEvent& event, std::size_t number) {
    using Kind = DiskEvent::Kind;
    switch (event.kind) {
      case Kind::Create:
        if (names_.count(event.name) == 0) rename({number, "", event.name, std::make_shared<File>()});
        break;
      case Kind::Unlink:
        rename({number, event.name, "", nullptr});
        break;
      case Kind::Rename:
        rename({number, event.name, event.to, names_[event.name]});
        break;
      case Kind::Write:
      case Kind::Truncate:
        if (names_.count(event.name) == 1)
          names_[event.name]->changes.push_back(
              {number, event.kind == Kind::Truncate, event.offset, event.bytes});
        break;
      case Kind::Sync:
        if (names_.count(event.name) == 1) names_[event.name]->sync(event.covers);
        break;
      case Kind::SyncFailed:
        if (names_.count(event.name) == 1) names_[event.name]->forget(event.covers);
        break;
      case Kind::SyncFolder:
        while (!renames_.empty() && renames_.front().number < event.covers) {
          renames_.front().apply(synced_names_);
          renames_.erase(renames_.begin());
        }
        break;
      case Kind::Said:
        break;
    }
  }

  Image cut(Cut how, Luck& luck) const {
    const auto some = [&] { return luck.between(0, 1) == 1; };
    std::map<std::string, std::shared_ptr<File>> names = synced_names_;
    const std::size_t kept_renames =
        static_cast<std::size_t>(luck.between(0, static_cast<int>(renames_.size())));
    for (std::size_t i = 0; i < renames_.size(); ++i) {
      const bool keep = how == Cut::LosesNothing || how == Cut::LosesContents ||
                        (how == Cut::KeepsAPrefix && i < kept_renames) ||
                        ((how == Cut::KeepsSome || how == Cut::TearsSectors) && some());
      if (keep) renames_[i].apply(names);
    }
    Image image;
    for (const auto& [name, file] : names) {
      std::string& content = image[name] = file->synced;
      const std::size_t kept =
          static_cast<std::size_t>(luck.between(0, static_cast<int>(file->changes.size())));
      for (std::size_t i = 0; i < file->changes.size(); ++i) {
        const Change& change = file->changes[i];
        if (how == Cut::TearsSectors && !change.truncate) {
          for (std::size_t at = 0; at < change.bytes.size();) {
            const std::size_t end = std::min(
                change.bytes.size(), (change.offset + at) / kSector * kSector + kSector - change.offset);
            if (some()) write(content, change.offset + at, change.bytes.substr(at, end - at));
            at = end;
          }
        } else if (how == Cut::LosesNothing || how == Cut::LosesNames ||
                   (how == Cut::KeepsAPrefix && i < kept) ||
                   ((how == Cut::KeepsSome || how == Cut::TearsSectors) && some())) {
          change.apply(content);
        }
      }
    }
    return image;
  }

 private:
  static constexpr std::size_t kSector = 512;

  static void write(std::string& content, std::size_t offset, const std::string& bytes) {
    if (content.size() < offset + bytes.size()) content.resize(offset + bytes.size());
    content.replace(offset, bytes.size(), bytes);
  }
  struct Change {
    std::size_t number;
    bool truncate;
    std::size_t offset;
    std::string bytes;
    void apply(std::string& content) const {
      if (truncate) {
        content.resize(offset);
      } else {
        write(content, offset, bytes);
      }
    }
  };
  struct File {
    std::string synced;
    std::vector<Change> changes;  // not synced
    void sync(std::size_t covers) {
      const auto end = covered(covers);
      for (auto change = changes.begin(); change != end; ++change) change->apply(synced);
      changes.erase(changes.begin(), end);
    }
    // The kernel reports a failed write-back once; the pages then count as clean and are never written again.
    void forget(std::size_t covers) { changes.erase(changes.begin(), covered(covers)); }

   private:
    std::vector<Change>::iterator covered(std::size_t covers) {
      return std::find_if(changes.begin(), changes.end(),
                          [&](const Change& change) { return change.number >= covers; });
    }
  };
  using Names = std::map<std::string, std::shared_ptr<File>>;
  struct Renaming {
    std::size_t number;
    std::string from, to;  // empty: none
    std::shared_ptr<File> file;
    void apply(Names& names) const {
      if (!from.empty()) names.erase(from);
      if (!to.empty()) names[to] = file;
    }
  };
  void rename(Renaming renaming) {
    renaming.apply(names_);
    renames_.push_back(std::move(renaming));
  }

  Names names_, synced_names_;
  std::vector<Renaming> renames_;  // not synced
};

}  // namespace davit::faults
